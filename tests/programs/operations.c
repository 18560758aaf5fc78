/* Steps that call an operation of the table or a function made of several: shapes and options, legal and
 * not. */
#include "generate.h"

#include "../../ops/kit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- shapes other than the samples' ---- */

typedef struct Renaming {
    int64_t from[16], to[16];
    int count;
} Renaming;

int64_t some_dim(Generator *g)
{
    static const int64_t dims[] = {1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33, 0};
    return dims[below(g, 16)];
}

static int64_t renamed(Generator *g, Renaming *renaming, int64_t dim)
{
    for (int i = 0; i < renaming->count; i++)
        if (renaming->from[i] == dim)
            return renaming->to[i];
    if (renaming->count == 16 || dim < 2)
        return dim;
    renaming->from[renaming->count] = dim;
    return renaming->to[renaming->count++] = chance(g, 0.25) ? dim : some_dim(g);
}

/* One dimension becomes so large that the first input has about as many elements as a large one. */
static void enlarge(Generator *g, Renaming *renaming, const gt_Sample *sample)
{
    int input = below(g, sample->inputs);
    gt_Shape shape = sample->input[input].shape;
    int64_t size = 1;
    int axis = below(g, shape.rank);
    if (shape.rank == 0 || shape.dims[axis] < 2)
        return;
    for (int d = 0; d < shape.rank; d++)
        size *= d == axis ? 1 : shape.dims[d];
    renaming->from[0] = shape.dims[axis];
    renaming->to[0] = g->large / (size ? size : 1) + below(g, 7);
    renaming->count = 1;
}

/* ---- options ---- */

static const int64_t wild_numbers[] = {INT64_MIN,
                                       INT32_MIN,
                                       INT32_MIN + 1,
                                       -9,
                                       -2,
                                       -1,
                                       0,
                                       1,
                                       2,
                                       9,
                                       64,
                                       INT32_MAX,
                                       (int64_t)1 << 31,
                                       (int64_t)1 << 40,
                                       (int64_t)1 << 62,
                                       INT64_MAX};
static const gt_DType all_types[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32,   GT_INT64,
                                     GT_UINT8,   GT_BOOL,    GT_FLOAT16, GT_BFLOAT16};

/* Sizes that are walked one by one, whatever the tensor's. */
static const int64_t wild_sizes[] = {INT64_MIN, -2, -1, 0, 9, 33, INT64_MAX};

static int64_t another_number(Generator *g, int64_t was, bool wild)
{
    if (wild)
        return wild_numbers[below(g, 16)];
    switch (below(g, 4)) {
    case 0:
        return was < INT64_MAX ? was + 1 : 0;
    case 1:
        return was > INT64_MIN ? was - 1 : 0;
    case 2:
        return below(g, 8) - 3;
    default:
        return below(g, 40);
    }
}

void change_shape(Generator *g, gt_Shape *shape, bool wild)
{
    if (wild && chance(g, 0.1)) {
        shape->mark = NULL; /* not made by gt_shape */
        return;
    }
    if (wild && chance(g, 0.3)) {
        static const int32_t ranks[] = {INT32_MIN, -2, -1, 9, 64};
        shape->rank = ranks[below(g, 5)];
        return;
    }
    if (shape->rank < 0 || shape->rank > GT_MAX_RANK || chance(g, 0.2)) {
        shape->rank = below(g, 5);
        for (int d = 0; d < shape->rank; d++)
            shape->dims[d] = some_dim(g);
    }
    if (shape->rank > 0) {
        int d = below(g, shape->rank);
        shape->dims[d] = another_number(g, shape->dims[d], wild);
    }
}

static void change_axes(Generator *g, gt_Axes *axes, bool wild)
{
    static const int32_t counts[] = {INT32_MIN, -2, 9, 64, INT32_MAX};
    if (wild && chance(g, 0.1))
        axes->mark = NULL;
    axes->count = wild && chance(g, 0.3) ? counts[below(g, 5)] : below(g, 6) - 1;
    for (int i = 0; i < GT_MAX_RANK; i++)
        axes->axis[i] = wild && chance(g, 0.3) ? (int32_t)wild_numbers[below(g, 16)] : i;
    for (int i = 0; i < axes->count && axes->count <= GT_MAX_RANK; i++) {
        int with = below(g, axes->count);
        int32_t axis = axes->axis[i];
        axes->axis[i] = axes->axis[with];
        axes->axis[with] = chance(g, 0.2) && axis >= 0 ? axis - axes->count : axis;
    }
}

static void change_option(Generator *g, Step *step, bool wild)
{
    static const double reals[] = {0, 0.25, 0.5, 1, 2, -1, 3.7, -0.0};
    static const double wild_reals[] = {(double)NAN, (double)INFINITY, (double)-INFINITY,
                                        1e300,       -1e300,           4.9e-324};
    const gt_OptionType *type = operation_of(step)->options;
    int count = 0;
    while (type->fields[count].name)
        count++;
    if (count == 0)
        return;
    const gt_Field *field = &type->fields[below(g, count)];
    uint8_t *place = step->options + field->offset;
    if (strcmp(field->name, "identity") == 0)
        return; /* of an object, and there is none */
    if (strcmp(field->type, "gt_Shape") == 0) {
        gt_Shape shape;
        memcpy(&shape, place, sizeof shape);
        change_shape(g, &shape, wild);
        for (int d = 0; d < GT_MAX_RANK && strcmp(field->name, "pool_size") == 0; d++)
            if (shape.dims[d] > 64)
                shape.dims[d] = wild_sizes[below(g, 7)];
        memcpy(place, &shape, sizeof shape);
    } else if (strcmp(field->type, "gt_Axes") == 0) {
        gt_Axes axes;
        memcpy(&axes, place, sizeof axes);
        change_axes(g, &axes, wild);
        memcpy(place, &axes, sizeof axes);
    } else if (strcmp(field->type, "bool") == 0) {
        *place = !*place;
    } else if (strcmp(field->type, "double") == 0) {
        double number = wild ? wild_reals[below(g, 6)] : reals[below(g, 8)];
        memcpy(place, &number, sizeof number);
    } else if (strcmp(field->type, "gt_DType") == 0) {
        gt_DType dtype = wild ? (gt_DType)wild_numbers[below(g, 12)] : all_types[below(g, 8)];
        memcpy(place, &dtype, sizeof dtype);
    } else if (field->size == sizeof(int64_t)) {
        int64_t number;
        memcpy(&number, place, sizeof number);
        number = another_number(g, number, wild);
        memcpy(place, &number, sizeof number);
    } else if (field->size == sizeof(int32_t)) {
        int32_t number;
        memcpy(&number, place, sizeof number);
        number = (int32_t)another_number(g, number, wild);
        memcpy(place, &number, sizeof number);
    }
}

/* Sizes in the options are renamed like those of the inputs. */
static void rename_options(Step *step, const Renaming *renaming)
{
    const gt_OptionType *type = operation_of(step)->options;
    for (const gt_Field *field = type->fields; field->name; field++) {
        gt_Shape shape;
        if (strcmp(field->type, "gt_Shape") != 0 ||
            (strcmp(field->name, "shape") != 0 && strcmp(field->name, "extent") != 0))
            continue;
        memcpy(&shape, step->options + field->offset, sizeof shape);
        for (int d = 0; d < shape.rank && d < GT_MAX_RANK; d++)
            for (int i = 0; i < renaming->count; i++)
                if (renaming->from[i] == shape.dims[d]) {
                    shape.dims[d] = renaming->to[i];
                    break;
                }
        memcpy(step->options + field->offset, &shape, sizeof shape);
    }
}

/* ---- operations ---- */

static int sample_count(const gt_Operation *operation)
{
    int count = 0;
    const gt_Sample *sample = operation->samples;
    while (sample && sample->inputs)
        sample++, count++;
    return count + (sample && sample->none);
}

static bool accepts_half(const gt_Operation *operation)
{
    return operation->flags & GT_OP_HALF;
}

static gt_DType real_of_step(Generator *g, const gt_Operation *operation)
{
    if (accepts_half(operation) && chance(g, 0.12))
        return chance(g, 0.5) ? GT_FLOAT16 : GT_BFLOAT16;
    if (chance(g, 0.12))
        return chance(g, 0.5) ? GT_FLOAT32 : GT_FLOAT64;
    return g->real;
}

static int a_variable(Generator *g, const gt_SampleInput *like, gt_DType dtype)
{
    Program *p = g->program;
    int found = -1, count = 0;
    if (g->level[g->levels - 1].without_variables)
        return -1;
    for (int i = 0; i < p->variables; i++) {
        const Value *value = &p->value[p->variable[i]];
        if (value->dtype == dtype && gt_shape_equal(value->shape, like->shape) &&
            below(g, ++count) == 0)
            found = p->variable[i];
    }
    if (found >= 0 && chance(g, 0.7))
        return found;
    return p->variables < MAX_VARIABLES
               ? new_argument_or_variable(g, like, dtype, PATTERN_RANGE, false)
               : found;
}

/* One thing about the inputs that is wrong, most likely. */
static void spoil_inputs(Generator *g, Step *step)
{
    int i = below(g, step->inputs);
    gt_SampleInput like = {.dtype = GT_FLOAT64, .low = -2, .high = 2};
    gt_DType dtype = all_types[below(g, 8)];
    switch (below(g, 6)) {
    case 0:
        step->in[i] = ABSENT;
        break;
    case 1:
        step->in[i] = STALE;
        break;
    case 2:
        step->given = (int8_t)(step->inputs + (chance(g, 0.5) ? 1 : -1));
        break;
    case 3:
        step->in[i] = (int16_t)pick(g, any_value, NULL);
        break;
    case 4: /* another type */
        if (step->in[i] >= 0)
            like.shape = g->program->value[step->in[i]].shape;
        step->in[i] = (int16_t)new_leaf(g, &like, dtype);
        break;
    default: /* another shape */
        if (step->in[i] >= 0) {
            like.shape = g->program->value[step->in[i]].shape;
            dtype = g->program->value[step->in[i]].dtype;
        }
        change_shape(g, &like.shape, false);
        step->in[i] = (int16_t)new_leaf(g, &like, dtype);
        break;
    }
}

static bool prepare_apply(Generator *g, Step *step, const gt_Operation *operation)
{
    const gt_Sample *sample = &operation->samples[below(g, sample_count(operation))];
    gt_DType real = real_of_step(g, operation);
    Renaming renaming = {.count = 0};
    bool rename = chance(g, 0.5);
    if (g->large && sample->inputs && chance(g, 0.5)) {
        enlarge(g, &renaming, sample);
        rename = true;
    }
    step->inputs = (int8_t)sample->inputs;
    step->outputs = operation->flags & GT_OP_EFFECT ? 0 : (int8_t)operation->outputs;
    if (operation->options)
        gt_options_take(operation->options, step->options, sample->options);
    for (int i = 0; i < sample->inputs; i++) {
        gt_SampleInput like = sample->input[i];
        if (like.dtype == GT_DTYPE_NONE)
            continue;
        for (int d = 0; d < like.shape.rank && rename; d++)
            like.shape.dims[d] = renamed(g, &renaming, like.shape.dims[d]);
        gt_DType dtype = gt_dtype_is_float(like.dtype) ? real : like.dtype;
        bool variable = (operation->flags & GT_OP_EFFECT && i < operation->outputs) ||
                        (operation->flags & GT_OP_RANDOM && i == 0 && chance(g, 0.8));
        if (dtype == like.dtype && !gt_dtype_is_float(dtype) && chance(g, 0.1))
            dtype = all_types[2 + below(g, 4)];
        int value = variable ? a_variable(g, &like, dtype) : find_or_make(g, &like, dtype);
        if (value < 0)
            return false;
        step->in[i] = (int16_t)value;
    }
    /* More of the same, for what takes any number of inputs. */
    while (operation->inputs_max > step->inputs && step->inputs > 0 &&
           step->inputs < STEP_INPUTS - 1 && chance(g, 0.4)) {
        step->in[step->inputs] = step->in[step->inputs - 1];
        step->inputs++;
    }
    if (rename && operation->options)
        rename_options(step, &renaming);
    return true;
}

/* Which operation comes next: any, one that was called little, one with a gradient. */
static int choose_operation(Generator *g)
{
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    int best = below(g, count);
    bool wants_gradient = recording_tape(g) >= 0 && chance(g, 0.7);
    for (int tries = 0; tries < 20; tries++) {
        int k = below(g, count);
        if (wants_gradient && !table[best]->gradient)
            best = k;
    }
    return best;
}

/* Runs a step that may be wrong. What fails stays sometimes. */
void add_or_keep_failing(Generator *g, Step *step)
{
    int values = g->program->values;
    for (int i = 0; i < step->outputs; i++)
        step->out[i] = (int16_t)new_value(g, ORIGIN_RESULT, GT_FLOAT32, (gt_Shape){0});
    gt_Status status = add_step(g, step);
    if (status == GT_OK && !too_large(g, step)) {
        know_outputs(g, step);
        g->program->control |= is_control(step);
        return;
    }
    for (int i = values; i < g->program->values; i++)
        g->known[i].alive = false;
    gt_error_clear();
    Step *added = &g->program->step[g->program->steps - 1];
    bool kept = status != GT_OK && status != GT_NO_MEMORY && !is_random_call(step);
    if (kept && chance(g, 0.3)) {
        added->may_fail = true;
    } else if (kept && g->levels == 1 && g->blocks == 0 && chance(g, 0.1)) {
        g->ended = true;
    } else {
        remove_step(g);
        return;
    }
}

/* An operation of the table; -1: any. */
void add_apply(Generator *g, int index)
{
    int count;
    Step step = new_step(STEP_APPLY);
    step.operation = (int16_t)(index >= 0 ? index : choose_operation(g));
    const gt_Operation *operation = gt_operations(&count)[step.operation];
    if (!prepare_apply(g, &step, operation))
        return;
    if (operation->options && chance(g, 0.25))
        for (int i = 0; i <= below(g, 2); i++)
            change_option(g, &step, chance(g, 0.1));
    if (step.inputs > 0 && chance(g, 0.06))
        spoil_inputs(g, &step);
    if (step.given > STEP_INPUTS || step.given > step.inputs + 1)
        return;
    add_or_keep_failing(g, &step);
    if (operation->flags & GT_OP_RANDOM && step.in[0] >= 0 &&
        g->program->value[step.in[0]].origin == ORIGIN_VARIABLE && !g->ended && chance(g, 0.8)) {
        int state = step.in[0];
        Step advance = apply_step("generator_advance", 1, &state, 0);
        add(g, &advance);
    }
}

/* Arguments that many calls can do something with: x, y. Numbers of type int64 are whole. */
#define SHAPE(...) GT_SAMPLE_SHAPE(__VA_ARGS__)
#define REAL(lo, hi, ...)                                                                          \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = SHAPE(__VA_ARGS__), .low = lo, .high = hi                    \
    }
#define WHOLE(lo, hi, ...)                                                                         \
    {                                                                                              \
        .dtype = GT_INT64, .shape = SHAPE(__VA_ARGS__), .low = lo, .high = hi                      \
    }
#define SCALAR(lo, hi)                                                                             \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = {GT_MARK, 0, {0}}, .low = lo, .high = hi                     \
    }
#define SQUARE(...)                                                                                \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = SHAPE(__VA_ARGS__), .low = -1, .high = 1, .diagonal = 2      \
    }
static const gt_SampleInput pairs[][2] = {
    {REAL(-2, 2, 2, 3), REAL(-2, 2, 2, 3)},
    {REAL(0, 1, 2, 3), REAL(0, 1, 2, 3)},
    {REAL(-2, 2, 5), REAL(-2, 2, 5)},
    {REAL(-2, 2, 2, 3), REAL(-2, 2, 3)},
    {REAL(-2, 2, 2, 3), SCALAR(0, 1)},
    {REAL(-2, 2, 2, 3), REAL(0, 1, 2)},
    {REAL(-2, 2, 2, 3), REAL(-2, 2, 3, 4)},
    {REAL(-2, 2, 2, 3, 4), REAL(-2, 2, 2, 3, 4)},
    {REAL(-2, 2, 2, 3, 4), REAL(-2, 2, 4)},
    {REAL(-2, 2, 3, 3), REAL(-2, 2, 3)},
    {SQUARE(3, 3), SQUARE(3, 3)},
    {SQUARE(2, 3, 3), REAL(-2, 2, 2, 3, 2)},
    {REAL(-2, 2, 1, 6, 6, 2), REAL(-2, 2, 3, 3, 2, 4)},
    {REAL(-2, 2, 1, 6, 6, 2), REAL(-2, 2, 3, 3, 4, 2)},
    {REAL(-2, 2, 2, 5, 5, 2), REAL(-2, 2, 3, 3, 2, 1)},
    {REAL(-2, 2, 1, 3, 3, 1), REAL(-2, 2, 1, 1, 1, 1)},
    {REAL(0, 1, 2, 4, 4, 3), REAL(-1, 1, 8)},
    {REAL(-2, 2, 2, 6, 2), REAL(-2, 2, 2)},
    {REAL(-2, 2, 2, 4, 2, 3), REAL(-2, 2, 2, 4, 2, 3)},
    {REAL(-2, 2, 2, 3, 2), REAL(-1, 1, 2, 8)},
    {REAL(-2, 2, 2, 3, 2), REAL(-1, 1, 2, 6)},
    {REAL(-2, 2, 4, 5), REAL(-1, 5, 2, 3)},
    {REAL(-2, 2, 4, 3), WHOLE(0, 3, 4)},
    {REAL(-2, 2, 2, 3), WHOLE(0, 3, 2)},
    {WHOLE(0, 3, 2), REAL(-2, 2, 2, 3)},
    {REAL(-2, 2, 3, 2), WHOLE(0, 3, 3, 1)},
    {REAL(-2, 2, 3, 2), WHOLE(0, 3, 3)},
    {REAL(-2, 2, 4), WHOLE(0, 3, 4, 2)},
    {WHOLE(0, 5, 6), REAL(-2, 2, 6)},
    {WHOLE(0, 9, 2, 3), WHOLE(0, 9, 2, 3)},
    {WHOLE(0, 9, 2), WHOLE(0, 9, 2)},
    {REAL(-2, 2, 5), REAL(-2, 2, 2)},
    {REAL(-2, 2, 2, 3), REAL(-2, 2, 2, 2)},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

/* What a call gets: values that are there, or a pair of the table. */
static bool choose_arguments(Generator *g, Step *step)
{
    if (chance(g, 0.6)) {
        const gt_SampleInput *pair = pairs[below(g, PAIRS)];
        for (int i = 0; i < 2; i++) {
            bool whole = pair[i].dtype == GT_INT64;
            gt_DType dtype = !whole ? g->real : chance(g, 0.5) ? GT_INT64 : GT_INT32;
            step->in[i] = (int16_t)find_or_make(g, &pair[i], dtype);
        }
        return step->in[0] >= 0 && step->in[1] >= 0;
    }
    step->in[0] = (int16_t)pick(g, any_value, NULL);
    if (step->in[0] < 0)
        return false;
    const Value *x = &g->program->value[step->in[0]];
    gt_SampleInput like = {.dtype = GT_FLOAT64, .shape = x->shape, .low = -2, .high = 2};
    step->in[1] = chance(g, 0.5) ? (int16_t)find_or_make(g, &like, x->dtype)
                                 : (int16_t)pick(g, any_value, NULL);
    return step->in[1] >= 0;
}

void add_composite(Generator *g)
{
    static const double reals[] = {0, 0.25, 0.5, 1, 2, -1, 3.7, 1e9};
    Step step = new_step(STEP_COMPOSITE);
    step.operation = (int16_t)below(g, calls_count());
    const char *name = call_name(step.operation);
    /* Their shapes depend on the numbers: no branch or loop can have them. */
    if (g->level[g->levels - 1].control &&
        (strcmp(name, "nonzero") == 0 || strcmp(name, "bincount") == 0))
        return;
    step.inputs = 2;
    step.outputs = 1;
    for (int tries = 0; tries < 6 && has_room(g); tries++) {
        if (!choose_arguments(g, &step))
            continue;
        step.n = chance(g, 0.04) ? wild_numbers[below(g, 16)] : below(g, 7) - 1;
        step.d = reals[below(g, 8)];
        int steps = g->program->steps;
        add_or_keep_failing(g, &step);
        if (g->program->steps > steps)
            return;
    }
}

/* An assignment to a variable that is there, of a value that is there if one fits. */
void add_assignment(Generator *g)
{
    static const char *const names[] = {"assign", "assign_add", "assign_sub"};
    Program *p = g->program;
    if (p->variables == 0 || g->level[g->levels - 1].without_variables)
        return;
    int variable = p->variable[below(g, p->variables)];
    const Value *value = &p->value[variable];
    gt_SampleInput like = {.dtype = GT_FLOAT64, .shape = value->shape, .low = -2, .high = 2};
    int with = chance(g, 0.8) ? pick(g, is_wanted, &(Wanted){value->dtype, value->shape})
                              : find_or_make(g, &like, value->dtype);
    if (with < 0)
        return;
    Step step = apply_step(names[below(g, 3)], 2, (int[]){variable, with}, 0);
    add(g, &step);
}
