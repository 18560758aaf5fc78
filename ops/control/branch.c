/* A branch that numbers choose, in the traced graph: one node with two bodies.
 *
 *   inputs    a flag (bool), then what the bodies captured
 *   outputs   the results, then the variables that one of the bodies changes
 *
 * Both bodies have the same arguments and the same results. A run looks at the flag and runs one of them. The gradient is
 * a branch again: each of its bodies writes the old one down once more and pulls the gradients back through it, so it has
 * a gradient in its turn. For y = a > 0 ? a * b : b, with dy arriving:
 *
 *     y = cond(flag, a, b)         first: multiply(0, 1)              second: 1
 *     (da, db) = cond(flag, ...)   first: multiply(dy, b), multiply(dy, a)   second: zeros like a, dy
 *
 * Leans on bodies.c and pull.c. */
#include "ops/control/traced_control.h"
#include "core/assert.h"
#include "ops/array/cast.h"
#include "ops/control/bodies.h"
#include "ops/control/lists.h"
#include "ops/control/replay.h"
#include "ops/math/compare.h"

#include <string.h>

GT_OPTION_TYPE(gt_Control, GT_CONTROL_OPTIONS);

gt_Tensor *gt_control_flag(gt_Tensor *number)
{
    if (gt_half_type(gt_dtype(number)) >= 0)
        number = gt_cast(number, GT_FLOAT32);
    return gt_dtype(number) == GT_BOOL ? number : gt_not_equal(number, 0);
}

/* ---- running ---- */

static gt_Status cond_run(const gt_Kernel *kernel)
{
    const gt_ControlKernel *self = (const gt_ControlKernel *)(const void *)kernel;
    void *taken = self->body[*(const uint8_t *)self->input[0] ? 0 : 1];
    GT_ASSERT(taken);
    return self->run_body(taken, self->input + 1, self->output);
}

/* ---- the gradient ---- */

static gt_Status pull_branch(gt_Pull *pull, const gt_Graph *graph, gt_Tensor **gradients)
{
    gt_GradientRule *rule = pull->rule;
    if (gt_pull_open(pull)) {
        for (int32_t i = 1; i < gt_rule_inputs(rule); i++) {
            gt_pull_input(pull, i - 1, i);
            gt_pull_before(pull, i - 1, i);
        }
        if (gt_replay(rule->context, graph, pull->argument, pull->result) == GT_OK)
            for (int32_t i = 0; i < gt_rule_outputs(rule); i++)
                if (gt_upstream(rule, i))
                    gt_pull_target(pull, pull->result[i], gt_upstream(rule, i));
    }
    return gt_pull_close(pull, gradients, true);
}

static gt_Status pull_yes(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    gt_Pull *pull = user;
    (void)inputs;
    return pull_branch(pull, pull->control->first, gradients);
}

static gt_Status pull_no(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    gt_Pull *pull = user;
    (void)inputs;
    return pull_branch(pull, pull->control->second, gradients);
}

static gt_Status cond_gradient(gt_GradientRule *whole)
{
    gt_Context *context = gt_rule_context(whole);
    gt_GradientRule narrowed, *rule = &narrowed;
    gt_Pull pull = {.rule = rule, .control = gt_rule_options(whole)};
    int32_t inputs = gt_rule_inputs(whole), wanted = 0;
    bool known = gt_rule_narrow(whole, rule);
    for (int32_t i = 0; known && i < inputs; i++)
        wanted += gt_wants(rule, i);
    gt_Tensor **gradient = gt_list_new(context, wanted, sizeof *gradient);
    if (gradient && wanted &&
        gt_traced_cond(context, gt_rule_input(rule, 0), pull_yes, pull_no, &pull, (gt_Tensors){0},
                       wanted, gradient) == GT_OK)
        for (int32_t i = 0, k = 0; i < inputs; i++)
            if (gt_wants(rule, i))
                gt_give(rule, i, gradient[k++]);
    gt_list_free(context, gradient, wanted, sizeof *gradient);
    gt_rule_narrow_close(rule);
    return gt_context_status(context);
}

/* ---- the record ---- */

static const gt_Operation gt_op_cond = {
    .size = sizeof(gt_Operation),
    .name = "cond",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .run = cond_run,
    .gradient = cond_gradient,
};

/* ---- writing the node down ---- */

static gt_Status check_branches(const gt_Bodies *draft)
{
    char a[200], b[200];
    for (int32_t i = 0; i < draft->body[0].results; i++) {
        const gt_Spec *yes = gt_body_result_spec(&draft->body[0], i),
                      *no = gt_body_result_spec(&draft->body[1], i);
        if (!gt_spec_equal(yes, no))
            return gt_raise(draft->context, GT_INVALID, NULL, NULL,
                            "output %d must be alike in both branches (got %s and %s)", (int)i + 1,
                            gt_spec_text(yes, a, sizeof a), gt_spec_text(no, b, sizeof b));
    }
    return GT_OK;
}

static gt_Status apply_cond(gt_Bodies *draft, gt_Tensor *flag, gt_Tensor **result)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->captures.count + 1, results = draft->body[0].results;
    const gt_Graph *graph = draft->body[0].graph;
    const gt_Control options = {
        .size = GT_SIZE(gt_Control), .first = draft->body[0].graph, .second = draft->body[1].graph};
    gt_GraphNode like = {.operation = &gt_op_cond,
                         .inputs = inputs,
                         .outputs = graph->outputs,
                         .required = graph->outputs};
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, inputs, graph->outputs)) {
        lists.input[0] = gt_tensor_value(flag);
        for (int32_t i = 1; i < inputs; i++)
            lists.input[i] = draft->used[i - 1] ? gt_bodies_captured(draft, i - 1) : NULL;
        for (int32_t i = 0; i < graph->outputs; i++)
            lists.spec[i] = graph->values[graph->output[i]].spec;
        if (gt_bodies_finish(draft, &like, &options, lists.input, lists.spec, results,
                             lists.output) == GT_OK &&
            results)
            memcpy(result, lists.output, (size_t)results * sizeof *result);
    }
    gt_node_lists_close(context, &lists, inputs, graph->outputs);
    return gt_context_status(context);
}

gt_Status gt_traced_cond(gt_Context *context, gt_Tensor *predicate, gt_FunctionBody yes,
                         gt_FunctionBody no, void *user, gt_Tensors inputs, int32_t outputs,
                         gt_Tensor **result)
{
    gt_Bodies draft = {
        .context = context,
        .user = user,
        .inputs = inputs,
        .body = {{.function = yes, .results = outputs}, {.function = no, .results = outputs}}};
    gt_Tensor *flag = gt_control_flag(predicate);
    if (flag && gt_bodies_trace(&draft, &draft.body[0]) == GT_OK &&
        gt_bodies_trace(&draft, &draft.body[1]) == GT_OK && check_branches(&draft) == GT_OK &&
        gt_bodies_order(&draft) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[0], outputs, true) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[1], outputs, true) == GT_OK &&
        gt_bodies_prune(&draft, draft.captures.count) == GT_OK)
        apply_cond(&draft, flag, result);
    gt_bodies_close(&draft);
    return gt_context_status(context);
}
