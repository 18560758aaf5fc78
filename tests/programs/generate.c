/* Making a program from a seed. Steps are tried one by one as they are added: what an operation makes of
 * its inputs is known, so that the next step can be legal. Steps that fail are taken away again, save
 * for some: they stay as errors that the program survives, or that it ends with.
 *
 * An operation starts from one of its samples. The dimensions of the sample are replaced by others, equal
 * ones by equal ones; inputs are values that are there and fit, values that are made to fit (by reshape,
 * slice, pad, clip, cast), or new leaves. Now and then one thing is made wrong: an input, an option. */
#include "program.h"

#include "../../core/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a value while the program is made. */
typedef struct Known {
    bool alive, wild; /* wild: not finite */
    int level;        /* how deep in bodies it was made */
    int block;        /* in how many tapes and scopes */
    int uses;
    uint32_t tapes; /* that know it, by bit: it has a gradient there */
} Known;

typedef struct OpenBlock {
    bool is_tape;
    int tape, level;
} OpenBlock;

typedef struct Level {
    int body;
    int lowest; /* values of levels below this one are out of reach */
    int blocks; /* that were open when it began */
    /* A function with a gradient of its own must not read trainable variables under a tape. */
    bool without_variables;
    /* A branch or loop: its parameters may be what it captures, which is one tensor eagerly and two when
     * it is traced, so no tape of its own watches them. */
    bool control;
} Level;

typedef struct TapeState {
    bool open, used, paused, persistent, watch_accessed;
    int level;
} TapeState;

typedef struct Generator {
    Program *program;
    Run run;
    Random random;
    Known known[MAX_VALUES];
    Level level[8];
    int levels;
    OpenBlock block[MAX_BLOCKS];
    int blocks;
    TapeState tape[MAX_TAPES];
    gt_DType real; /* what most floats of the program are */
    int64_t large; /* elements of large tensors; 0: the program has none */
    bool ended;    /* by a step that fails */
    bool recomputes;
} Generator;

static Generator generator;

enum { MOST_ELEMENTS = 1 << 13, MOST_LARGE = 1 << 18 };

static int below(Generator *g, int count)
{
    return random_below(&g->random, count);
}

static bool chance(Generator *g, double probability)
{
    return random_chance(&g->random, probability);
}

static Body *body_of(Generator *g)
{
    return &g->program->body[g->level[g->levels - 1].body];
}

/* Is there room for a few more of everything? */
static bool has_room(const Generator *g)
{
    const Program *p = g->program;
    const Body *body = &p->body[g->level[g->levels - 1].body];
    return p->steps < MAX_STEPS - 24 && p->values < MAX_VALUES - 64 &&
           body->steps < BODY_STEPS - 24 && !g->ended;
}

/* ---- values ---- */

static int new_value(Generator *g, Origin origin, gt_DType dtype, gt_Shape shape)
{
    int index = g->program->values++;
    g->program->value[index] = (Value){.origin = origin, .dtype = dtype, .shape = shape};
    g->known[index] = (Known){.alive = true, .level = g->levels - 1, .block = g->blocks};
    if (origin == ORIGIN_VARIABLE || origin == ORIGIN_ARGUMENT)
        g->known[index].level = g->known[index].block = 0;
    return index;
}

static bool visible(const Generator *g, int value)
{
    const Level *level = &g->level[g->levels - 1];
    if (!g->known[value].alive)
        return false;
    if (g->program->value[value].origin == ORIGIN_VARIABLE)
        return !level->without_variables;
    return g->known[value].level >= level->lowest;
}

static bool is_float(const Generator *g, int value)
{
    return gt_dtype_is_float(g->program->value[value].dtype);
}

/* The tapes that watch variables by themselves. */
static uint32_t accessing_tapes(const Generator *g)
{
    uint32_t tapes = 0;
    for (int t = 0; t < MAX_TAPES; t++)
        if (g->tape[t].open && !g->tape[t].used && !g->tape[t].paused && g->tape[t].watch_accessed)
            tapes |= 1u << t;
    return tapes;
}

static uint32_t recording_tapes(const Generator *g)
{
    uint32_t tapes = 0;
    for (int t = 0; t < MAX_TAPES; t++)
        if (g->tape[t].open && !g->tape[t].used && !g->tape[t].paused)
            tapes |= 1u << t;
    return tapes;
}

static uint32_t tapes_of(const Generator *g, int value)
{
    const Value *v = &g->program->value[value];
    if (v->origin == ORIGIN_VARIABLE)
        return g->known[value].tapes |
               (v->trainable && gt_dtype_is_float(v->dtype) ? accessing_tapes(g) : 0);
    return g->known[value].tapes;
}

/* A visible value for which `fits` is true; late ones and those that nobody used rather. -1: none. */
typedef bool Fits(const Generator *g, int value, const void *argument);
static int pick(Generator *g, Fits *fits, const void *argument)
{
    int best = -1;
    double highest = 0;
    for (int i = 0; i < g->program->values; i++) {
        if (!visible(g, i) || !fits(g, i, argument))
            continue;
        double weight = random_uniform(&g->random) + (g->known[i].uses == 0 ? 0.5 : 0) +
                        0.5 * i / g->program->values - (g->known[i].wild ? 0.8 : 0);
        if (best < 0 || weight > highest) {
            best = i;
            highest = weight;
        }
    }
    return best;
}

static bool any_value(const Generator *g, int value, const void *argument)
{
    (void)g;
    (void)value;
    (void)argument;
    return true;
}

static bool has_dtype(const Generator *g, int value, const void *argument)
{
    return g->program->value[value].dtype == *(const gt_DType *)argument;
}

/* ---- steps ---- */

static Step new_step(Kind kind)
{
    Step step;
    memset(&step, 0, sizeof step);
    step.kind = kind;
    step.given = -1;
    step.tape = -1;
    for (int i = 0; i < STEP_INPUTS; i++)
        step.in[i] = ABSENT;
    for (int i = 0; i < STEP_OUTPUTS; i++)
        step.out[i] = -1;
    return step;
}

/* Adds a step and runs it; a crash finds it in the program. */
static gt_Status add_step(Generator *g, const Step *step)
{
    Program *p = g->program;
    Body *body = body_of(g);
    p->step[p->steps] = *step;
    body->step[body->steps++] = p->steps;
    g->run.step = -1;
    return run_step(&g->run, p->steps++);
}

static void remove_step(Generator *g)
{
    body_of(g)->steps--;
    g->program->steps--;
}

/* After a step that worked: what its outputs are. */
static void know_outputs(Generator *g, const Step *step)
{
    Program *p = g->program;
    uint32_t tapes = 0;
    for (int i = 0; i < step->inputs; i++)
        if (step->in[i] >= 0) {
            g->known[step->in[i]].uses += needs_numbers(step, i);
            if (is_float(g, step->in[i]))
                tapes |= tapes_of(g, step->in[i]);
        }
    const gt_Operation *operation = operation_of(step);
    if (operation && operation->flags & GT_OP_NOT_DIFFERENTIABLE)
        tapes = 0;
    for (int i = 0; i < step->outputs; i++) {
        if (step->out[i] < 0)
            continue;
        Value *value = &p->value[step->out[i]];
        gt_Spec spec = gt_spec(g->run.value[step->out[i]]);
        value->dtype = spec.dtype;
        value->shape = gt_spec_shape(&spec);
        Known *known = &g->known[step->out[i]];
        known->tapes |= gt_dtype_is_float(spec.dtype) ? tapes & recording_tapes(g) : 0;
        known->wild = !tensor_is_finite(g->run.value[step->out[i]]);
    }
}

static int64_t most_elements(const Generator *g)
{
    return g->large ? MOST_LARGE : MOST_ELEMENTS;
}

static bool too_large(const Generator *g, const Step *step)
{
    int64_t most = most_elements(g);
    for (int i = 0; i < step->outputs; i++)
        if (step->out[i] >= 0 && gt_size(g->run.value[step->out[i]]) > most)
            return true;
    return false;
}

/* Adds a step that ought to work; false, and nothing is left of it, if it does not. Outputs are new values. */
static bool add(Generator *g, Step *step)
{
    int values = g->program->values;
    for (int i = 0; i < step->outputs; i++)
        step->out[i] = (int16_t)new_value(g, ORIGIN_RESULT, GT_FLOAT32, (gt_Shape){0});
    if (add_step(g, step) == GT_OK && !too_large(g, step)) {
        know_outputs(g, step);
        return true;
    }
    gt_error_clear();
    remove_step(g);
    for (int i = values; i < g->program->values; i++)
        g->known[i].alive = false;
    g->program->values = (int16_t)values;
    return false;
}

static int operation_index(const char *name)
{
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    for (int i = 0; i < count; i++)
        if (strcmp(table[i]->name, name) == 0)
            return i;
    return -1;
}

static Step apply_step(const char *name, int inputs, const int *in, int outputs)
{
    Step step = new_step(STEP_APPLY);
    step.operation = (int16_t)operation_index(name);
    step.inputs = (int8_t)inputs;
    step.outputs = (int8_t)outputs;
    for (int i = 0; i < inputs; i++)
        step.in[i] = (int16_t)in[i];
    const gt_OptionType *type = operation_of(&step)->options;
    if (type)
        gt_options_fill(type, step.options, NULL);
    return step;
}

static void set_option(Step *step, const char *name, const void *value, size_t size)
{
    const gt_OptionType *type = operation_of(step)->options;
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, name) == 0 && field->size == size)
            memcpy(step->options + field->offset, value, size);
}

/* One output of an operation on one value, -1 if it fails. */
static int apply_one(Generator *g, Step *step)
{
    return add(g, step) ? step->out[0] : -1;
}

static int reshaped(Generator *g, int value, gt_Shape shape)
{
    Step step = apply_step("reshape", 1, &value, 1);
    set_option(&step, "shape", &shape, sizeof shape);
    return apply_one(g, &step);
}

/* ---- leaves ---- */

static int new_constant(Generator *g, const gt_SampleInput *like, gt_DType dtype, Pattern pattern)
{
    Step step = new_step(STEP_CONSTANT);
    int index = new_value(g, ORIGIN_CONSTANT, dtype, like->shape);
    Value *value = &g->program->value[index];
    value->like = *like;
    value->seed = random_next(&g->random);
    value->pattern = pattern;
    step.outputs = 1;
    step.out[0] = (int16_t)index;
    if (add_step(g, &step) != GT_OK) {
        gt_error_clear();
        remove_step(g);
        g->known[index].alive = false;
        return -1;
    }
    g->known[index].wild = pattern == PATTERN_SPECIAL;
    return index;
}

static Pattern some_pattern(Generator *g)
{
    int k = below(g, 20);
    return k < 15 ? PATTERN_RANGE : k < 17 ? PATTERN_SMALL : k < 18 ? PATTERN_SAME : PATTERN_SPECIAL;
}

static bool watch(Generator *g, int tape, int value)
{
    Step step = new_step(STEP_WATCH);
    if (g->level[g->levels - 1].control && g->program->value[value].origin == ORIGIN_PARAMETER)
        return false;
    step.tape = (int8_t)tape;
    step.inputs = 1;
    step.in[0] = (int16_t)value;
    if (add_step(g, &step) != GT_OK) {
        gt_error_clear();
        remove_step(g);
        return false;
    }
    g->known[value].tapes |= 1u << tape;
    return true;
}

/* A tape of this body that records; -1: none. */
static int recording_tape(Generator *g)
{
    int found = -1, count = 0;
    for (int t = 0; t < MAX_TAPES; t++)
        if (g->tape[t].open && !g->tape[t].used && !g->tape[t].paused &&
            g->tape[t].level == g->levels - 1 && below(g, ++count) == 0)
            found = t;
    return found;
}

static int new_argument_or_variable(Generator *g, const gt_SampleInput *like, gt_DType dtype,
                                    Pattern pattern, bool argument)
{
    Program *p = g->program;
    int index = new_value(g, argument ? ORIGIN_ARGUMENT : ORIGIN_VARIABLE, dtype, like->shape);
    Value *value = &p->value[index];
    value->like = *like;
    value->seed = random_next(&g->random);
    value->pattern = pattern;
    value->trainable = chance(g, 0.7);
    value->wrapped = argument && chance(g, 0.3);
    if (argument)
        p->argument[p->arguments++] = (int16_t)index;
    else
        p->variable[p->variables++] = (int16_t)index;
    run_make_leaf(&g->run, index);
    if (gt_status() != GT_OK) { /* no memory */
        gt_error_clear();
        *(argument ? &p->arguments : &p->variables) -= 1;
        g->known[index].alive = false;
        return -1;
    }
    g->known[index].wild = pattern == PATTERN_SPECIAL;
    return index;
}

static int new_leaf(Generator *g, const gt_SampleInput *like, gt_DType dtype)
{
    Program *p = g->program;
    Pattern pattern = some_pattern(g);
    int k = below(g, 20), index = -1;
    if (shape_size(like->shape) < 0 || shape_size(like->shape) > most_elements(g))
        return -1;
    if (g->levels == 1 && k < 9 && p->arguments < MAX_ARGUMENTS)
        index = new_argument_or_variable(g, like, dtype, pattern, true);
    else if (k < 14 && p->variables < MAX_VARIABLES && !g->level[g->levels - 1].without_variables)
        index = new_argument_or_variable(g, like, dtype, pattern, false);
    else
        index = new_constant(g, like, dtype, pattern);
    int tape = index >= 0 && gt_dtype_is_float(dtype) && chance(g, 0.6) ? recording_tape(g) : -1;
    if (tape >= 0)
        watch(g, tape, index);
    return index;
}

static int new_live(Generator *g, gt_DType dtype)
{
    Step step = new_step(STEP_LIVE);
    int index = new_value(g, ORIGIN_LIVE, dtype, (gt_Shape){0});
    Value *value = &g->program->value[index];
    value->like = (gt_SampleInput){.dtype = GT_FLOAT64, .low = -2, .high = 2};
    value->seed = random_next(&g->random);
    value_numbers(value, 0, &g->run.live[index]);
    step.outputs = 1;
    step.out[0] = (int16_t)index;
    if (add_step(g, &step) == GT_OK)
        return index;
    gt_error_clear();
    remove_step(g);
    g->known[index].alive = false;
    return -1;
}

/* ---- values that fit ---- */

typedef struct Wanted {
    gt_DType dtype;
    gt_Shape shape;
} Wanted;

static bool is_wanted(const Generator *g, int value, const void *argument)
{
    const Wanted *wanted = argument;
    const Value *v = &g->program->value[value];
    return v->dtype == wanted->dtype && gt_shape_equal(v->shape, wanted->shape);
}

/* A value of the same type made into that shape: flattened, cut or extended, reshaped. -1: cannot. */
static int coerced(Generator *g, int value, gt_Shape shape)
{
    int64_t size = shape_size(shape), has = shape_size(g->program->value[value].shape);
    if (size <= 0 || has <= 0)
        return -1;
    if (has != size || chance(g, 0.3)) {
        value = reshaped(g, value, (gt_Shape){1, {has}});
        if (value < 0)
            return -1;
    }
    if (has > size) {
        Step step = apply_step(chance(g, 0.7) ? "slice_view" : "slice", 1, &value, 1);
        gt_Shape begin = {1, {below(g, (int)(has - size) + 1)}}, extent = {1, {size}};
        set_option(&step, "begin", &begin, sizeof begin);
        set_option(&step, "extent", &extent, sizeof extent);
        value = apply_one(g, &step);
    } else if (has < size) {
        Step step = apply_step("pad", 1, &value, 1);
        gt_Shape before = {1, {(size - has) / 2}}, after = {1, {size - has - (size - has) / 2}};
        double number = 0.5;
        set_option(&step, "before", &before, sizeof before);
        set_option(&step, "after", &after, sizeof after);
        set_option(&step, "value", &number, sizeof number);
        value = apply_one(g, &step);
    }
    return value < 0 ? -1 : reshaped(g, value, shape);
}

/* Numbers brought into the range that the sample has. */
static int ranged(Generator *g, int value, const gt_SampleInput *like)
{
    gt_DType dtype = g->program->value[value].dtype;
    if ((dtype != GT_FLOAT32 && dtype != GT_FLOAT64) || chance(g, 0.3) || like->high <= like->low)
        return value;
    Step step = apply_step("clip", 1, &value, 1);
    double high = like->high - 0.01 * (like->high - like->low);
    set_option(&step, "low", &like->low, sizeof like->low);
    set_option(&step, "high", &high, sizeof high);
    int clipped = apply_one(g, &step);
    return clipped < 0 ? value : clipped;
}

/* A value of that type and shape; its numbers are like the sample's, or not. -1: none can be made. */
static int find_or_make(Generator *g, const gt_SampleInput *like, gt_DType dtype)
{
    Wanted wanted = {dtype, like->shape};
    bool real = gt_dtype_is_float(dtype);
    bool special = like->low > -2 || like->high < 2 || like->diagonal != 0;
    int value = chance(g, 0.6) ? pick(g, is_wanted, &wanted) : -1;
    if (value < 0 && real && chance(g, 0.5)) {
        value = pick(g, has_dtype, &dtype);
        value = value < 0 ? -1 : coerced(g, value, like->shape);
    }
    if (value >= 0 && special && real)
        value = ranged(g, value, like);
    if (value >= 0 && !real && special && g->program->value[value].origin == ORIGIN_RESULT &&
        chance(g, 0.5))
        value = -1; /* indices in range rather */
    if (value < 0 && real && like->shape.rank == 0 && chance(g, 0.3) &&
        (dtype == GT_FLOAT32 || dtype == GT_FLOAT64))
        value = new_live(g, dtype);
    return value >= 0 ? value : new_leaf(g, like, dtype);
}

/* ---- shapes other than the samples' ---- */

typedef struct Renaming {
    int64_t from[16], to[16];
    int count;
} Renaming;

static int64_t some_dim(Generator *g)
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

static const int64_t wild_numbers[] = {INT64_MIN,       INT32_MIN,          INT32_MIN + 1,
                                       -9,              -2,                 -1,
                                       0,               1,                  2,
                                       9,               64,                 INT32_MAX,
                                       (int64_t)1 << 31, (int64_t)1 << 40,  (int64_t)1 << 62,
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

static void change_shape(Generator *g, gt_Shape *shape, bool wild)
{
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
    axes->count = wild && chance(g, 0.3) ? counts[below(g, 5)] : below(g, 6) - 1;
    for (int i = 0; i < GT_MAX_RANK; i++)
        axes->axis[i] = wild && chance(g, 0.3) ? (int32_t)wild_numbers[below(g, 16)] : i;
    for (int i = 0; i < axes->count && axes->count <= GT_MAX_RANK; i++) {
        int with = below(g, axes->count);
        int32_t axis = axes->axis[i];
        axes->axis[i] = axes->axis[with];
        axes->axis[with] = chance(g, 0.2) ? axis - axes->count : axis;
    }
}

static void change_option(Generator *g, Step *step, bool wild)
{
    static const double reals[] = {0, 0.25, 0.5, 1, 2, -1, 3.7, -0.0};
    static const double wild_reals[] = {(double)NAN, (double)INFINITY, (double)-INFINITY, 1e300, -1e300, 4.9e-324};
    const gt_OptionType *type = operation_of(step)->options;
    int count = 0;
    while (type->fields[count].name)
        count++;
    const gt_Field *field = &type->fields[1 + below(g, count - 1)]; /* the first is the size */
    if (count < 2)
        return;
    uint8_t *place = step->options + field->offset;
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
        if (value->dtype == dtype && gt_shape_equal(value->shape, like->shape) && below(g, ++count) == 0)
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
        gt_options_fill(operation->options, step->options, sample->options);
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
    while (operation->inputs_max > step->inputs && step->inputs > 0 && step->inputs < STEP_INPUTS - 1 &&
           chance(g, 0.4)) {
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
static void add_or_keep_failing(Generator *g, Step *step)
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

static void add_apply(Generator *g)
{
    int count;
    Step step = new_step(STEP_APPLY);
    step.operation = (int16_t)choose_operation(g);
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

static void add_composite(Generator *g)
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
    step.in[0] = (int16_t)pick(g, any_value, NULL);
    if (step.in[0] < 0)
        return;
    const Value *x = &g->program->value[step.in[0]];
    gt_SampleInput like = {.dtype = GT_FLOAT64, .shape = x->shape, .low = -2, .high = 2};
    gt_DType whole = chance(g, 0.5) ? GT_INT32 : GT_INT64;
    if (chance(g, 0.2)) {
        like.low = 0;
        like.high = x->shape.rank > 0 ? (double)x->shape.dims[0] : 2;
        if (chance(g, 0.5))
            like.shape.rank = like.shape.rank > 0 ? like.shape.rank - 1 : 0;
        step.in[1] = (int16_t)find_or_make(g, &like, whole);
    } else {
        step.in[1] = chance(g, 0.5) ? (int16_t)find_or_make(g, &like, x->dtype)
                                    : (int16_t)pick(g, any_value, NULL);
    }
    step.n = chance(g, 0.05) ? wild_numbers[below(g, 16)] : below(g, 6) - 1;
    step.d = reals[below(g, 8)];
    if (step.in[1] >= 0)
        add_or_keep_failing(g, &step);
}

/* ---- tapes and scopes ---- */

static void add_tape(Generator *g)
{
    Step step = new_step(STEP_TAPE_BEGIN);
    int t = 0;
    while (t < MAX_TAPES && g->tape[t].open)
        t++;
    if (t == MAX_TAPES || g->blocks >= MAX_BLOCKS - 4)
        return;
    step.tape = (int8_t)t;
    step.persistent = chance(g, 0.35);
    step.watch_accessed = chance(g, 0.85);
    if (add_step(g, &step) != GT_OK) {
        gt_error_clear();
        remove_step(g);
        return;
    }
    g->tape[t] = (TapeState){.open = true,
                             .persistent = step.persistent,
                             .watch_accessed = step.watch_accessed,
                             .level = g->levels - 1};
    g->block[g->blocks++] = (OpenBlock){true, t, g->levels - 1};
    for (int i = 0; i < g->program->values; i++)
        g->known[i].tapes &= ~(1u << t);
    for (int i = below(g, 4); i > 0; i--) {
        int value = pick(g, has_dtype, &g->real);
        if (value >= 0)
            watch(g, t, value);
    }
}

static void add_scope(Generator *g)
{
    Step step = new_step(STEP_SCOPE_BEGIN);
    if (g->blocks >= MAX_BLOCKS - 4)
        return;
    if (add_step(g, &step) != GT_OK) {
        gt_error_clear();
        remove_step(g);
        return;
    }
    g->block[g->blocks++] = (OpenBlock){false, -1, g->levels - 1};
}

/* Ends the innermost tape or scope; what nobody used yet is kept, as far as there is room. */
static void end_innermost(Generator *g)
{
    const OpenBlock *block = &g->block[g->blocks - 1];
    Step step = new_step(block->is_tape ? STEP_TAPE_END : STEP_SCOPE_END);
    step.tape = (int8_t)block->tape;
    for (int i = g->program->values - 1; i >= 0; i--) {
        Known *known = &g->known[i];
        Origin origin = g->program->value[i].origin;
        if (!known->alive || known->block < g->blocks || origin == ORIGIN_VARIABLE ||
            origin == ORIGIN_ARGUMENT)
            continue;
        bool needed = known->uses == 0 && origin == ORIGIN_RESULT;
        if ((needed || chance(g, 0.2)) && step.inputs < STEP_INPUTS) {
            step.in[step.inputs++] = (int16_t)i;
            known->block = g->blocks - 1;
        } else {
            known->alive = false;
        }
    }
    g->blocks--;
    if (block->is_tape)
        g->tape[block->tape].open = false;
    add_step(g, &step);
}

static bool of_this_body(const Generator *g)
{
    return g->blocks > 0 && g->block[g->blocks - 1].level == g->levels - 1;
}

static void add_pause(Generator *g)
{
    int t = recording_tape(g);
    Step step = new_step(STEP_PAUSE);
    for (int k = 0; k < MAX_TAPES && chance(g, 0.5); k++)
        if (g->tape[k].open && g->tape[k].paused && !g->tape[k].used &&
            g->tape[k].level == g->levels - 1) {
            t = k;
            step.kind = STEP_RESUME;
        }
    if (t < 0)
        return;
    step.tape = (int8_t)t;
    if (add_step(g, &step) == GT_OK) {
        g->tape[t].paused = step.kind == STEP_PAUSE;
        return;
    }
    gt_error_clear();
    remove_step(g);
}

typedef struct Known_by {
    int tape;
    bool result; /* made by a step */
} KnownBy;

static bool known_by(const Generator *g, int value, const void *argument)
{
    const KnownBy *by = argument;
    Origin origin = g->program->value[value].origin;
    return is_float(g, value) && tapes_of(g, value) >> by->tape & 1 &&
           (!by->result || origin == ORIGIN_RESULT);
}

static bool same_spec(const Generator *g, int a, int b)
{
    const Value *x = &g->program->value[a], *y = &g->program->value[b];
    return x->dtype == y->dtype && gt_shape_equal(x->shape, y->shape);
}

typedef struct LikeValue {
    int value;
} LikeValue;

static bool is_like(const Generator *g, int value, const void *argument)
{
    return same_spec(g, value, ((const LikeValue *)argument)->value);
}

static bool is_any_float(const Generator *g, int value, const void *argument)
{
    (void)argument;
    return is_float(g, value);
}

static void add_gradient(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_GRADIENT);
    int t = -1, count = 0;
    for (int k = 0; k < MAX_TAPES; k++)
        if (g->tape[k].open && !g->tape[k].used && g->tape[k].level == g->levels - 1 &&
            below(g, ++count) == 0)
            t = k;
    if (t < 0)
        return;
    step.tape = (int8_t)t;
    step.targets = (int8_t)(1 + (chance(g, 0.25) ? 1 : 0));
    step.sources = (int8_t)(1 + below(g, 3));
    KnownBy result = {t, true}, any = {t, false};
    bool sloppy = chance(g, 0.15);
    for (int i = 0; i < step.targets + step.sources; i++) {
        bool target = i < step.targets;
        int value = sloppy && chance(g, 0.5) ? pick(g, is_any_float, NULL)
                                             : pick(g, known_by, target ? &result : &any);
        if (value < 0)
            return;
        step.in[step.inputs++] = (int16_t)value;
    }
    if (chance(g, 0.25))
        for (int i = 0; i < step.targets; i++) {
            int like = chance(g, 0.8) ? pick(g, is_like, &(LikeValue){step.in[i]}) : ABSENT;
            step.in[step.inputs++] = (int16_t)like;
        }
    int k = below(g, 10);
    step.unconnected = k < 4   ? GT_UNCONNECTED_ERROR
                       : k < 7 ? GT_UNCONNECTED_ZERO
                       : k < 9 ? GT_UNCONNECTED_NONE
                               : GT_UNCONNECTED_SOME;
    if (p->control || g->recomputes) /* WAITS: eager and traced disagree on what is unconnected */
        step.unconnected = GT_UNCONNECTED_ZERO;
    step.outputs = step.sources;
    int values = p->values;
    for (int i = 0; i < step.outputs; i++)
        step.out[i] = (int16_t)new_value(g, ORIGIN_RESULT, GT_FLOAT32, (gt_Shape){0});
    gt_Status status = add_step(g, &step);
    if (status != GT_OK || too_large(g, &step)) {
        /* A question that was refused costs the tape nothing; another may have used it up. */
        bool kept = status == GT_NO_GRADIENT && chance(g, 0.3);
        gt_error_clear();
        for (int i = values; i < p->values; i++)
            g->known[i].alive = false;
        if (kept)
            p->step[p->steps - 1].may_fail = true;
        else
            remove_step(g);
        if (status != GT_NO_GRADIENT && !g->tape[t].persistent)
            g->tape[t].used = true;
        return;
    }
    for (int i = 0; i < step.outputs; i++)
        if (!g->run.value[step.out[i]]) { /* unconnected */
            g->known[step.out[i]].alive = false;
            p->step[p->steps - 1].out[i] = step.out[i] = -1;
        }
    if (!g->tape[t].persistent)
        g->tape[t].used = true;
    know_outputs(g, &step);
    uint32_t tapes = 0;
    for (int i = 0; i < step.inputs; i++)
        if (step.in[i] >= 0)
            tapes |= tapes_of(g, step.in[i]);
    if (!g->tape[t].persistent)
        tapes &= ~(1u << t);
    for (int i = 0; i < step.outputs; i++)
        if (step.out[i] >= 0) {
            g->known[step.out[i]].tapes = tapes & recording_tapes(g);
            p->value[step.out[i]].loose_itself = p->control || g->recomputes; /* WAITS */
        }
}

/* ---- bodies ---- */

static void add_steps(Generator *g, int count);

static void close_blocks(Generator *g, int blocks)
{
    while (g->blocks > blocks)
        end_innermost(g);
}

static int begin_body(Generator *g, bool captures, bool without_variables)
{
    Program *p = g->program;
    int body = p->bodies++;
    p->body[body] = (Body){.other = -1};
    Level *around = &g->level[g->levels - 1];
    g->level[g->levels] = (Level){body, captures ? around->lowest : g->levels, g->blocks,
                                   without_variables || around->without_variables, captures};
    g->levels++;
    return body;
}

static void add_parameter(Generator *g, int body, int like)
{
    Program *p = g->program;
    int index = new_value(g, ORIGIN_PARAMETER, p->value[like].dtype, p->value[like].shape);
    g->known[index].tapes = tapes_of(g, like);
    g->known[index].wild = g->known[like].wild;
    g->run.value[index] = g->run.value[like];
    p->body[body].parameter[p->body[body].parameters++] = (int16_t)index;
}

static void end_body(Generator *g)
{
    close_blocks(g, g->level[g->levels - 1].blocks);
    int level = g->levels - 1;
    for (int i = 0; i < g->program->values; i++)
        if (g->known[i].level == level)
            g->known[i].alive = false;
    g->levels--;
}

static bool is_tensor(const Generator *g, int value, const void *argument)
{
    (void)argument;
    return g->program->value[value].origin != ORIGIN_VARIABLE;
}

static bool is_wanted_tensor(const Generator *g, int value, const void *argument)
{
    return is_wanted(g, value, argument) && is_tensor(g, value, NULL);
}

/* A value of this body with the type and shape of another, of whatever is there. -1: none. */
static int like_value(Generator *g, int like)
{
    Value model = g->program->value[like];
    Wanted wanted = {model.dtype, model.shape};
    int value = pick(g, is_wanted_tensor, &wanted);
    if (value >= 0 && chance(g, 0.8))
        return value;
    value = pick(g, has_dtype, &model.dtype);
    value = value < 0 ? -1 : coerced(g, value, model.shape);
    if (value >= 0)
        return value;
    gt_SampleInput sample = {.dtype = GT_FLOAT64, .shape = model.shape, .low = -2, .high = 2};
    return new_constant(g, &sample, model.dtype, PATTERN_RANGE);
}

static void add_output(Generator *g, int body, int value)
{
    Body *b = &g->program->body[body];
    b->output[b->outputs++] = (int16_t)value;
    g->known[value].uses++;
}

/* Outputs of a body: what nobody used there. */
static bool add_outputs(Generator *g, int body, int most)
{
    Body *b = &g->program->body[body];
    for (int i = g->program->values - 1; i >= 0 && b->outputs < most; i--)
        if (g->known[i].alive && g->known[i].level == g->levels - 1 &&
            g->program->value[i].origin == ORIGIN_RESULT && g->known[i].uses == 0)
            add_output(g, body, i);
    while (b->outputs == 0) {
        int value = pick(g, is_tensor, NULL);
        if (value < 0)
            return false;
        add_output(g, body, value);
    }
    return true;
}

static void a_few_steps(Generator *g)
{
    add_steps(g, 1 + below(g, 5));
    close_blocks(g, g->level[g->levels - 1].blocks);
}

/* Adds the call; its outputs are new values. When it fails the bodies are left without a caller. */
static void add_call(Generator *g, Step *step, int outputs)
{
    bool control = g->program->control;
    if (step->call >= CALL_COND)
        g->program->control = true;
    g->recomputes |= step->call == CALL_RECOMPUTE;
    step->outputs = (int8_t)outputs;
    if (outputs > STEP_OUTPUTS || !add(g, step)) {
        g->program->control = control;
        return;
    }
    for (int i = 0; i < outputs; i++)
        if (step->call == CALL_JVP || step->call == CALL_HESSIAN_PRODUCT)
            g->program->value[step->out[i]].loose_itself = control;
}

static gt_Shape scalar(void)
{
    return (gt_Shape){0, {0}};
}

static int sum_of(Generator *g, int value)
{
    Step step = apply_step("sum", 1, &value, 1);
    return apply_one(g, &step);
}

/* A boolean scalar that the numbers decide. */
static int predicate(Generator *g)
{
    int value = pick(g, is_any_float, NULL);
    if (value < 0 || (g->program->value[value].dtype != GT_FLOAT32 &&
                      g->program->value[value].dtype != GT_FLOAT64))
        return -1;
    int sum = sum_of(g, value);
    if (sum < 0)
        return -1;
    gt_SampleInput like = {.dtype = GT_FLOAT64, .shape = scalar(), .low = -1, .high = 1};
    int bound = new_constant(g, &like, g->program->value[value].dtype, PATTERN_RANGE);
    if (bound < 0)
        return -1;
    Step step = apply_step("less", 2, (int[]){sum, bound}, 1);
    return apply_one(g, &step);
}

static void add_cond(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_CALL);
    step.call = CALL_COND;
    int decides = predicate(g);
    if (decides < 0)
        return;
    step.in[step.inputs++] = (int16_t)decides;
    for (int i = 0; i < below(g, 3); i++)
        step.in[step.inputs++] = (int16_t)pick(g, is_tensor, NULL);
    int first = begin_body(g, true, false);
    step.body = (int8_t)first;
    for (int i = 1; i < step.inputs; i++)
        add_parameter(g, first, step.in[i]);
    a_few_steps(g);
    bool fine = add_outputs(g, first, 1 + below(g, 3));
    end_body(g);
    if (!fine)
        return;
    int other = begin_body(g, true, false);
    p->body[first].other = (int16_t)other;
    for (int i = 1; i < step.inputs; i++)
        add_parameter(g, other, step.in[i]);
    a_few_steps(g);
    for (int i = 0; i < p->body[first].outputs && fine; i++) {
        int value = like_value(g, p->body[first].output[i]);
        fine = value >= 0;
        if (fine)
            add_output(g, other, value);
    }
    end_body(g);
    if (fine)
        add_call(g, &step, p->body[first].outputs);
}

/* Loop variables of any kind; the body makes the next ones of them. */
static bool next_variables(Generator *g, int body, const Step *step, int first)
{
    for (int i = first; i < step->inputs; i++) {
        int value = like_value(g, step->in[i]);
        if (value < 0)
            return false;
        add_output(g, body, value);
    }
    return true;
}

static void add_loop(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_CALL);
    step.call = chance(g, 0.5) ? CALL_WHILE : CALL_FORI;
    step.n = below(g, 5);
    step.d = chance(g, 0.3) ? 64 : 0;
    gt_SampleInput counts = {.dtype = GT_INT64, .shape = scalar(), .low = 0, .high = 2};
    if (step.call == CALL_WHILE)
        step.in[step.inputs++] = (int16_t)new_constant(g, &counts, GT_INT64, PATTERN_RANGE);
    for (int i = 0; i <= below(g, 2); i++)
        step.in[step.inputs++] = (int16_t)pick(g, is_tensor, NULL);
    for (int i = 0; i < step.inputs; i++)
        if (step.in[i] < 0)
            return;
    int counter = step.call == CALL_WHILE
                      ? step.in[0]
                      : new_constant(g, &counts, GT_INT64, PATTERN_RANGE);
    if (counter < 0)
        return;
    int body = begin_body(g, true, false);
    step.body = (int8_t)body;
    if (step.call == CALL_FORI)
        add_parameter(g, body, counter);
    for (int i = 0; i < step.inputs; i++)
        add_parameter(g, body, step.in[i]);
    a_few_steps(g);
    bool fine = true;
    if (step.call == CALL_WHILE) {
        counts.low = 1;
        int one = new_constant(g, &counts, GT_INT64, PATTERN_RANGE);
        Step next = apply_step("add", 2, (int[]){p->body[body].parameter[0], one}, 1);
        fine = one >= 0 && add(g, &next);
        if (fine)
            add_output(g, body, next.out[0]);
    }
    fine = fine && next_variables(g, body, &step, step.call == CALL_WHILE);
    end_body(g);
    if (!fine)
        return;
    if (step.call == CALL_WHILE) {
        int condition = begin_body(g, true, false);
        p->body[body].other = (int16_t)condition;
        for (int i = 0; i < step.inputs; i++)
            add_parameter(g, condition, step.in[i]);
        counts.low = 1;
        counts.high = 5;
        int limit = new_constant(g, &counts, GT_INT64, PATTERN_RANGE);
        Step less = apply_step("less", 2, (int[]){p->body[condition].parameter[0], limit}, 1);
        fine = limit >= 0 && add(g, &less);
        if (fine)
            add_output(g, condition, less.out[0]);
        end_body(g);
        step.n = 4;
    }
    if (fine)
        add_call(g, &step, step.inputs);
}

static bool has_rows(const Generator *g, int value, const void *argument)
{
    const Value *v = &g->program->value[value];
    return v->origin != ORIGIN_VARIABLE && v->shape.rank > 0 &&
           v->shape.dims[0] == *(const int64_t *)argument;
}

static void add_scan(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_CALL);
    step.call = CALL_SCAN;
    step.reverse = chance(g, 0.4);
    step.d = chance(g, 0.3) ? 64 : 0;
    int64_t length = 1 + below(g, 4);
    step.n = 1;
    step.in[step.inputs++] = (int16_t)pick(g, is_tensor, NULL);
    for (int i = 0; i <= below(g, 2); i++)
        step.in[step.inputs++] = (int16_t)pick(g, has_rows, &length);
    for (int i = 0; i < step.inputs; i++)
        if (step.in[i] < 0)
            return;
    /* An element of each of xs, to know what the body gets. */
    int element[4] = {step.in[0]};
    for (int i = 1; i < step.inputs; i++) {
        gt_Shape row = p->value[step.in[i]].shape;
        row.rank--;
        memmove(row.dims, row.dims + 1, (size_t)row.rank * sizeof *row.dims);
        gt_SampleInput like = {.dtype = GT_FLOAT64, .shape = row, .low = -2, .high = 2};
        element[i] = new_constant(g, &like, p->value[step.in[i]].dtype, PATTERN_RANGE);
        if (element[i] < 0)
            return;
    }
    int body = begin_body(g, true, false);
    step.body = (int8_t)body;
    for (int i = 0; i < step.inputs; i++)
        add_parameter(g, body, element[i]);
    a_few_steps(g);
    int carry = like_value(g, step.in[0]);
    bool fine = carry >= 0;
    if (fine)
        add_output(g, body, carry);
    fine = fine && add_outputs(g, body, 2 + below(g, 2));
    end_body(g);
    if (fine)
        add_call(g, &step, p->body[body].outputs);
}

/* Functions called once and maybe once more, with other values of the same kind. */
static void add_function(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_CALL);
    static const Call calls[] = {CALL_FUNCTION,  CALL_FUNCTION,     CALL_FUNCTION,
                                 CALL_RECOMPUTE, CALL_PASS_THROUGH, CALL_JVP,
                                 CALL_HESSIAN_PRODUCT, CALL_DIRECT};
    step.call = calls[below(g, 8)];
    bool one = step.call == CALL_PASS_THROUGH || step.call == CALL_HESSIAN_PRODUCT;
    bool floats = step.call == CALL_JVP || one;
    int inputs = one ? 1 : 1 + below(g, 3);
    for (int i = 0; i < inputs; i++) {
        /* A function takes the value that a variable has when it is called. */
        int value = pick(g, floats ? is_any_float : step.call == CALL_FUNCTION ? is_tensor : any_value, NULL);
        if (value < 0)
            return;
        for (int k = 0; k < i; k++)
            if (step.in[k] == value)
                return; /* a primal given twice is an error; two arguments are two tensors when traced */
        step.in[step.inputs++] = (int16_t)value;
    }
    int body = begin_body(g, step.call == CALL_DIRECT, step.call == CALL_PASS_THROUGH);
    step.body = (int8_t)body;
    for (int i = 0; i < inputs; i++)
        add_parameter(g, body, step.in[i]);
    a_few_steps(g);
    bool fine = true;
    if (step.call == CALL_PASS_THROUGH) {
        int value = like_value(g, step.in[0]);
        fine = value >= 0;
        if (fine)
            add_output(g, body, value);
    } else if (step.call == CALL_HESSIAN_PRODUCT) {
        int value = pick(g, has_dtype, &p->value[step.in[0]].dtype);
        int sum = value < 0 ? -1 : sum_of(g, value);
        fine = sum >= 0;
        if (fine)
            add_output(g, body, sum);
    } else {
        fine = add_outputs(g, body, 1 + below(g, 3));
    }
    end_body(g);
    if (!fine)
        return;
    if (floats && step.call != CALL_PASS_THROUGH)
        for (int i = 0; i < inputs; i++) { /* tangents */
            int value = like_value(g, step.in[i]);
            if (value < 0)
                return;
            step.in[step.inputs++] = (int16_t)value;
        }
    int outputs = p->body[body].outputs;
    add_call(g, &step, step.call == CALL_JVP ? 2 * outputs : outputs);
    if (step.call != CALL_FUNCTION || !chance(g, 0.5))
        return;
    Step again = step;
    for (int i = 0; i < inputs; i++) {
        int value = pick(g, is_like, &(LikeValue){step.in[i]});
        for (int k = 0; k < inputs && value >= 0; k++)
            if (again.in[k] == value)
                value = -1;
        if (value >= 0 && is_tensor(g, value, NULL))
            again.in[i] = (int16_t)value;
    }
    add_call(g, &again, outputs);
}

/* ---- programs ---- */

static void add_one(Generator *g)
{
    int k = below(g, 100);
    bool bodies = g->program->bodies < MAX_BODIES - 2 && g->levels < 3;
    if (k < 9 && g->tape[0].open)
        add_gradient(g);
    else if (k < 13)
        add_tape(g);
    else if (k < 16)
        add_scope(g);
    else if (k < 22 && of_this_body(g))
        end_innermost(g);
    else if (k < 23)
        add_pause(g);
    else if (k < 26 && bodies)
        add_function(g);
    else if (k < 27 && bodies)
        add_cond(g);
    else if (k < 28 && bodies)
        add_loop(g);
    else if (k < 29 && bodies)
        add_scan(g);
    else if (k < 40)
        add_composite(g);
    else
        add_apply(g);
}

static void add_steps(Generator *g, int count)
{
    int level = g->levels;
    for (int i = 0; i < count && has_room(g); i++) {
        add_one(g);
        if (g->levels != level)
            abort();
    }
}

/* Every value that nothing needs becomes an output, as far as there is room. */
static void choose_outputs(Generator *g)
{
    Program *p = g->program;
    Body *body = &p->body[0];
    bool spare = !g->ended && chance(g, 0.3); /* leaves some out */
    for (int i = p->values - 1; i >= 0; i--) {
        Known *known = &g->known[i];
        if (!known->alive || known->uses > 0 || known->level > 0 ||
            p->value[i].origin != ORIGIN_RESULT)
            continue;
        if (body->outputs < BODY_OUTPUTS && (!spare || chance(g, 0.7)))
            body->output[body->outputs++] = (int16_t)i;
    }
}

static void choose_modes(Generator *g)
{
    uint32_t chosen = 1u << MODE_EAGER | 1u << MODE_FLUSHED | 1u << MODE_TRACED;
    for (int mode = MODE_TRACED + 1; mode < MODES; mode++)
        if (chance(g, 0.3))
            chosen |= 1u << mode;
    if (chosen >> MODE_TRACED_GRADIENTS & 1)
        chosen |= 1u << MODE_GRADIENTS;
    g->program->modes = chosen;
}

void program_generate(Program *program, uint64_t seed)
{
    static const Mode mode = {"generate", CONTEXT_GENERATE, .flush = false};
    Generator *g = &generator;
    memset(program, 0, sizeof *program);
    memset(g, 0, sizeof *g);
    program->seed = seed;
    g->program = program;
    g->random.state = seed;
    g->real = chance(g, 0.65) ? GT_FLOAT32 : GT_FLOAT64;
    g->large = chance(g, 0.03) ? 20000 + below(g, 50000) : 0;
    program->packed = chance(g, 0.2);
    program->bodies = 1;
    program->body[0].other = -1;
    run_begin(&g->run, program, &mode, NULL);
    gt_Scope *outer = gt_scope_begin(), *inner = gt_scope_begin();
    g->levels = 1;
    int size = below(g, 10);
    int steps = g->large ? 2 + below(g, 8) : size < 3 ? 1 + below(g, 5) : size < 9 ? 4 + below(g, 16) : 20 + below(g, 40);
    add_steps(g, steps);
    if (!g->ended)
        close_blocks(g, 0);
    choose_outputs(g);
    choose_modes(g);
    program_finish(program);
    gt_error_clear();
    while (g->run.blocks > 0) {
        const Block *block = &g->run.block[--g->run.blocks];
        if (block->is_tape)
            gt_tape_end(block->tape);
        else
            gt_scope_end(block->scope);
    }
    gt_scope_end(inner);
    gt_scope_end(outer);
    run_end(&g->run);
}
