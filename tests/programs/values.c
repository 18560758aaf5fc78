/* What a program is made of: values and what is known of them, steps that are tried, leaves, values made to
 * fit. */
#include "generate.h"

#include "../../ops/kit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ELEMENTS = 1 << 13, MOST_LARGE = 1 << 18 };

int below(Generator *g, int count)
{
    return random_below(&g->random, count);
}

bool chance(Generator *g, double probability)
{
    return random_chance(&g->random, probability);
}

Body *body_of(Generator *g)
{
    return &g->program->body[g->level[g->levels - 1].body];
}

/* Is there room for a few more of everything? */
bool has_room(const Generator *g)
{
    const Program *p = g->program;
    const Body *body = &p->body[g->level[g->levels - 1].body];
    return p->steps < MAX_STEPS - 24 && p->values < MAX_VALUES - 64 &&
           body->steps < BODY_STEPS - 24 && !g->ended;
}

/* ---- values ---- */

int new_value(Generator *g, Origin origin, gt_DType dtype, gt_Shape shape)
{
    int index = g->program->values++;
    g->program->value[index] = (Value){.origin = origin, .dtype = dtype, .shape = shape};
    g->known[index] = (Known){.alive = true, .level = g->levels - 1, .block = g->blocks};
    if (origin == ORIGIN_VARIABLE || origin == ORIGIN_ARGUMENT)
        g->known[index].level = g->known[index].block = 0;
    return index;
}

bool visible(const Generator *g, int value)
{
    const Level *level = &g->level[g->levels - 1];
    if (!g->known[value].alive)
        return false;
    if (g->program->value[value].origin == ORIGIN_VARIABLE)
        return !level->without_variables;
    return g->known[value].level >= level->lowest;
}

bool is_float(const Generator *g, int value)
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

uint32_t recording_tapes(const Generator *g)
{
    uint32_t tapes = 0;
    for (int t = 0; t < MAX_TAPES; t++)
        if (g->tape[t].open && !g->tape[t].used && !g->tape[t].paused)
            tapes |= 1u << t;
    return tapes;
}

uint32_t tapes_of(const Generator *g, int value)
{
    const Value *v = &g->program->value[value];
    if (v->origin == ORIGIN_VARIABLE)
        return g->known[value].tapes |
               (v->trainable && gt_dtype_is_float(v->dtype) ? accessing_tapes(g) : 0);
    return g->known[value].tapes;
}

/* A visible value for which `fits` is true; late ones and those that nobody used rather. -1: none. */
int pick(Generator *g, Fits *fits, const void *argument)
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

bool any_value(const Generator *g, int value, const void *argument)
{
    (void)g;
    (void)value;
    (void)argument;
    return true;
}

bool has_dtype(const Generator *g, int value, const void *argument)
{
    return g->program->value[value].dtype == *(const gt_DType *)argument;
}

/* ---- steps ---- */

Step new_step(Kind kind)
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
gt_Status add_step(Generator *g, const Step *step)
{
    Program *p = g->program;
    Body *body = body_of(g);
    p->step[p->steps] = *step;
    body->step[body->steps++] = p->steps;
    g->run.step = -1;
    return run_step(&g->run, p->steps++);
}

void remove_step(Generator *g)
{
    body_of(g)->steps--;
    g->program->steps--;
}

/* After a step that worked: what its outputs are. */
void know_outputs(Generator *g, const Step *step)
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

bool too_large(const Generator *g, const Step *step)
{
    int64_t most = most_elements(g);
    for (int i = 0; i < step->outputs; i++)
        if (step->out[i] >= 0 && gt_size(g->run.value[step->out[i]]) > most)
            return true;
    return false;
}

/* Adds a step that ought to work; false, and nothing is left of it, if it does not. Outputs are new values. */
bool add(Generator *g, Step *step)
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

int operation_index(const char *name)
{
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    for (int i = 0; i < count; i++)
        if (strcmp(table[i]->name, name) == 0)
            return i;
    return -1;
}

Step apply_step(const char *name, int inputs, const int *in, int outputs)
{
    Step step = new_step(STEP_APPLY);
    step.operation = (int16_t)operation_index(name);
    step.inputs = (int8_t)inputs;
    step.outputs = (int8_t)outputs;
    for (int i = 0; i < inputs; i++)
        step.in[i] = (int16_t)in[i];
    const gt_OptionType *type = operation_of(&step)->options;
    if (type)
        gt_options_take(type, step.options, NULL);
    return step;
}

void set_option(Step *step, const char *name, const void *value, size_t size)
{
    const gt_OptionType *type = operation_of(step)->options;
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, name) == 0 && field->size == size)
            memcpy(step->options + field->offset, value, size);
}

/* One output of an operation on one value, -1 if it fails. */
int apply_one(Generator *g, Step *step)
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

int new_constant(Generator *g, const gt_SampleInput *like, gt_DType dtype, Pattern pattern)
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
    return k < 15   ? PATTERN_RANGE
           : k < 17 ? PATTERN_SMALL
           : k < 18 ? PATTERN_SAME
                    : PATTERN_SPECIAL;
}

/* What control flow gives back, what its bodies get, and in a body what is around it. */
bool is_alias(const Generator *g, int value)
{
    bool around = g->level[g->levels - 1].control && g->known[value].level < g->levels - 1 &&
                  g->program->value[value].origin != ORIGIN_VARIABLE;
    return g->known[value].alias || around;
}

bool watch(Generator *g, int tape, int value)
{
    Step step = new_step(STEP_WATCH);
    if (is_alias(g, value))
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
int recording_tape(Generator *g)
{
    int found = -1, count = 0;
    for (int t = 0; t < MAX_TAPES; t++)
        if (g->tape[t].open && !g->tape[t].used && !g->tape[t].paused &&
            g->tape[t].level == g->levels - 1 && below(g, ++count) == 0)
            found = t;
    return found;
}

int new_argument_or_variable(Generator *g, const gt_SampleInput *like, gt_DType dtype,
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

int new_leaf(Generator *g, const gt_SampleInput *like, gt_DType dtype)
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

bool is_wanted(const Generator *g, int value, const void *argument)
{
    const Wanted *wanted = argument;
    const Value *v = &g->program->value[value];
    return v->dtype == wanted->dtype && gt_shape_equal(v->shape, wanted->shape);
}

/* A value of the same type made into that shape: flattened, cut or extended, reshaped. -1: cannot. */
int coerced(Generator *g, int value, gt_Shape shape)
{
    int64_t size = shape_size(shape), has = shape_size(g->program->value[value].shape);
    if (size <= 0 || has <= 0)
        return -1;
    if (has != size || chance(g, 0.3)) {
        value = reshaped(g, value, (gt_Shape){GT_MARK, 1, {has}});
        if (value < 0)
            return -1;
    }
    if (has > size) {
        Step step = apply_step("slice", 1, &value, 1);
        gt_Shape begin = {GT_MARK, 1, {below(g, (int)(has - size) + 1)}},
                 extent = {GT_MARK, 1, {size}};
        set_option(&step, "begin", &begin, sizeof begin);
        set_option(&step, "extent", &extent, sizeof extent);
        value = apply_one(g, &step);
    } else if (has < size) {
        Step step = apply_step("pad", 1, &value, 1);
        gt_Shape before = {GT_MARK, 1, {(size - has) / 2}},
                 after = {GT_MARK, 1, {size - has - (size - has) / 2}};
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
int find_or_make(Generator *g, const gt_SampleInput *like, gt_DType dtype)
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
