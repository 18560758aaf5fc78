/* The gradient of a loop: a loop backwards over the stacks, which computes every round again and pulls the gradients back
 * through it. So it is control flow again, and has a gradient in its turn. Its parts, in this order:
 *
 *   carries   gradients of the loop variables that are floats, after the round; then the sums so far
 *   xs        carries before each round (the stacks), elements of xs, gradients of ys and of stacks that have one
 *   ys        gradients of the elements of xs
 *
 * The gradient of a captured value, and of a variable that the loop changes, is the sum over all rounds: what an
 * assignment overwrites has no part in it. For carry = carry * w in rounds 0 and 1, from c0, with dc2 arriving:
 *
 *     backward round 0   stack: c1   (dc2, 0)         ->  (dc2 * w, dc2 * c1)
 *     backward round 1   stack: c0   (dc1, dw so far) ->  (dc1 * w, dw + dc1 * c0)
 *
 * Leans on pull.c. */
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/control/lists.h"
#include "ops/control/loop.h"
#include "ops/control/replay.h"
#include "ops/control/traced_control.h"

static bool is_float(const gt_Spec *spec)
{
    return gt_dtype_is_float(spec->dtype);
}

static bool is_summed(const gt_GradientRule *rule, const gt_Control *control, int32_t i)
{
    bool changed = i >= gt_loop_flowing(control) && i < control->carries;
    return gt_wants(rule, i) && (changed || i >= gt_loop_go(control));
}

/* A stacked carry is flat; here it gets its shape again. */
static gt_Tensor *unflatten(const gt_GradientRule *rule, int32_t j, gt_Tensor *flat)
{
    return gt_reshape(flat, gt_spec_shape(gt_rule_input_spec(rule, j)));
}

/* The arguments of the body: carries from the stacks, captures, elements of xs. Returns where in `inputs` the gradients of
 * stacked outputs are; `sum` are the sums so far. */
static gt_Tensor *const *take_arguments(gt_Pull *pull, gt_Tensor *const *inputs,
                                        gt_Tensor *const *sum)
{
    gt_GradientRule *rule = pull->rule;
    const gt_Control *control = pull->control;
    int32_t n = control->carries, count = gt_rule_inputs(rule);
    for (int32_t j = 0; j < n; j++) {
        bool flows = j < gt_loop_flowing(control);
        pull->argument[j] = unflatten(rule, j, *inputs++);
        if (flows ? is_float(gt_rule_input_spec(rule, j)) : gt_wants(rule, j))
            gt_pull_source(pull, pull->argument[j]);
    }
    for (int32_t i = gt_loop_go(control) + 1; i < count; i++)
        gt_pull_input(pull, i, i);
    for (int32_t i = 0; i < count; i++)
        if (is_summed(rule, control, i))
            gt_pull_target(pull, pull->argument[i], *sum++);
    for (int32_t i = n; i < gt_loop_go(control); i++) {
        if (!gt_rule_has_input(rule, i))
            continue;
        pull->argument[i] = *inputs++;
        if (gt_wants(rule, i))
            gt_pull_source(pull, pull->argument[i]);
    }
    return inputs;
}

/* The body of the loop backwards: (gradients of the carries, sums, carries, elements of xs, gradients of stacked outputs)
 * to (gradients of the carries before the round, sums, gradients of the elements of xs). */
static gt_Status pull_round(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    gt_Pull *pull = user;
    gt_GradientRule *rule = pull->rule;
    const gt_Control *control = pull->control;
    int32_t n = control->carries, flowing = gt_loop_flowing(control);
    if (!gt_pull_open(pull))
        return gt_pull_close(pull, NULL, true);
    gt_Tensor *const *gradient = inputs;
    for (int32_t j = 0; j < flowing; j++)
        inputs += is_float(gt_rule_input_spec(rule, j));
    gt_Tensor *const *sum = inputs;
    for (int32_t i = 0; i < gt_rule_inputs(rule); i++)
        inputs += is_summed(rule, control, i);
    inputs = take_arguments(pull, inputs, sum);
    if (gt_replay(gt_rule_context(rule), control->first, pull->argument, pull->result) == GT_OK) {
        for (int32_t i = n; i < n + control->ys; i++)
            if (gt_upstream(rule, i))
                gt_pull_target(pull, pull->result[i], *inputs++);
        for (int32_t j = 0; j < n; j++)
            if (gt_upstream(rule, gt_loop_stack(control, j)))
                gt_pull_target(pull, pull->argument[j], unflatten(rule, j, *inputs++));
        for (int32_t j = 0; j < flowing; j++)
            if (is_float(gt_rule_input_spec(rule, j)))
                gt_pull_target(pull, pull->result[j], *gradient++);
    }
    return gt_pull_close(pull, gradients, true);
}

static gt_Tensor *zeros_of(const gt_Spec *spec)
{
    return gt_zeros(gt_spec_shape(spec), .dtype = spec->dtype);
}

/* The carries and xs of the loop backwards, into lists that are long enough. A sum takes in what arrived from elsewhere;
 * elsewhere it is none. */
static void backward_inputs(gt_GradientRule *rule, const gt_Control *control, gt_TracedLoop *loop,
                            gt_Tensor **carry, gt_Tensor **x)
{
    int32_t n = control->carries, count = gt_rule_inputs(rule), carries = 0, xs = 0;
    for (int32_t j = 0; j < gt_loop_flowing(control); j++)
        if (is_float(gt_rule_input_spec(rule, j)))
            carry[carries++] =
                gt_upstream(rule, j) ? gt_upstream(rule, j) : zeros_of(gt_rule_input_spec(rule, j));
    for (int32_t i = 0; i < count; i++) {
        if (is_summed(rule, control, i))
            carry[carries++] =
                rule->before[i] ? rule->before[i] : zeros_of(gt_rule_input_spec(rule, i));
        else
            rule->before[i] = NULL;
    }
    for (int32_t j = 0; j < n; j++)
        x[xs++] = gt_rule_output(rule, gt_loop_stack(control, j));
    for (int32_t i = n; i < gt_loop_go(control); i++) {
        if (gt_rule_has_input(rule, i))
            x[xs++] = gt_rule_input(rule, i);
        loop->ys += gt_wants(rule, i);
    }
    for (int32_t i = n; i < gt_loop_count(control); i++)
        if (gt_upstream(rule, i))
            x[xs++] = gt_upstream(rule, i);
    if (control->second || control->counted)
        loop->go = gt_rule_output(rule, gt_loop_count(control));
    loop->carries = (gt_Tensors){carry, carries};
    loop->xs = (gt_Tensors){x, xs};
}

/* The results of the loop backwards are the gradients of the inputs. */
static void give_gradients(gt_GradientRule *rule, const gt_Control *control, gt_Tensor **last,
                           gt_Tensor **y)
{
    for (int32_t j = 0; j < gt_loop_flowing(control); j++) {
        if (gt_wants(rule, j))
            gt_give(rule, j, *last);
        last += is_float(gt_rule_input_spec(rule, j));
    }
    for (int32_t i = 0; i < gt_rule_inputs(rule); i++)
        if (is_summed(rule, control, i))
            gt_give(rule, i, *last++);
    for (int32_t i = control->carries; i < gt_loop_go(control); i++)
        if (gt_wants(rule, i))
            gt_give(rule, i, *y++);
}

static gt_Status gradient_of_loop(gt_GradientRule *rule)
{
    gt_Context *context = gt_rule_context(rule);
    const gt_Control *control = gt_rule_options(rule);
    if (control->length < 0)
        return gt_raise(context, GT_UNSUPPORTED, NULL, "while_loop",
                        "a gradient needs the loop variables of every round, and memory for them: "
                        "give .maximum_iterations");
    int64_t room = (int64_t)gt_rule_inputs(rule) + gt_rule_outputs(rule);
    gt_Tensor **carry = gt_list_new(context, 4 * room, sizeof *carry);
    if (!carry)
        return gt_context_status(context);
    gt_Tensor **x = carry + room, **last = x + room, **y = last + room;
    gt_Pull pull = {.rule = rule, .control = control};
    gt_TracedLoop loop = {
        .body = pull_round, .user = &pull, .length = control->length, .reverse = !control->reverse};
    backward_inputs(rule, control, &loop, carry, x);
    if (gt_context_status(context) == GT_OK && gt_traced_loop(context, &loop, last, y) == GT_OK)
        give_gradients(rule, control, last, y);
    gt_list_free(context, carry, 4 * room, sizeof *carry);
    return gt_context_status(context);
}

gt_Status gt_loop_gradient(gt_GradientRule *whole)
{
    gt_GradientRule rule;
    bool any = false;
    if (gt_rule_narrow(whole, &rule))
        for (int32_t i = 0; i < gt_rule_inputs(&rule); i++)
            any |= rule.wants[i];
    if (any)
        gradient_of_loop(&rule);
    gt_rule_narrow_close(&rule);
    return gt_context_status(gt_rule_context(whole));
}
