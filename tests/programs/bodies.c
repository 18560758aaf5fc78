/* Functions that a program calls, branches and loops. */
#include "generate.h"

#include "../../ops/kit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bodies ---- */

void close_blocks(Generator *g, int blocks)
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
    g->known[index].alias = g->level[g->levels - 1].control;
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

/* What a function computes is another tensor than its arguments, called directly it is the same one. */
static bool is_made_here(const Generator *g, int value, const void *argument)
{
    return is_tensor(g, value, argument) && g->known[value].level == g->levels - 1 &&
           g->program->value[value].origin != ORIGIN_PARAMETER;
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
        int value = pick(g, is_made_here, NULL);
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
        g->known[step->out[i]].alias = true;
    for (int i = 0; i < outputs; i++)
        if (step->call == CALL_JVP || step->call == CALL_HESSIAN_PRODUCT)
            g->program->value[step->out[i]].loose_itself = control || g->recomputes;
}

static gt_Shape scalar(void)
{
    return (gt_Shape){GT_MARK, 0, {0}};
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

void add_cond(Generator *g)
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

void add_loop(Generator *g)
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
    int counter =
        step.call == CALL_WHILE ? step.in[0] : new_constant(g, &counts, GT_INT64, PATTERN_RANGE);
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

void add_scan(Generator *g)
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
void add_function(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_CALL);
    static const Call calls[] = {CALL_FUNCTION,        CALL_FUNCTION,     CALL_FUNCTION,
                                 CALL_RECOMPUTE,       CALL_PASS_THROUGH, CALL_JVP,
                                 CALL_HESSIAN_PRODUCT, CALL_DIRECT};
    step.call = calls[below(g, 8)];
    bool one = step.call == CALL_PASS_THROUGH || step.call == CALL_HESSIAN_PRODUCT;
    bool floats = step.call == CALL_JVP || one;
    int inputs = one ? 1 : 1 + below(g, 3);
    for (int i = 0; i < inputs; i++) {
        /* A function takes the value that a variable has when it is called. */
        int value = pick(g,
                         floats                       ? is_any_float
                         : step.call == CALL_FUNCTION ? is_tensor
                                                      : any_value,
                         NULL);
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
