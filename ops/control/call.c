/* A piece that is computed again on the way back (gt_recompute), in the traced graph: one node with one body, which the
 * plan puts in the place of the node. Tapes see one operation that holds its inputs alone, so the plan keeps nothing of
 * the piece for its gradient, which writes the body down again.
 *
 *   inputs    what the body captured
 *   outputs   the results, then the variables that the body changes
 *
 * Leans on bodies.c and pull.c. */
#include "ops/control/traced_control.h"
#include "ops/control/bodies.h"
#include "ops/control/lists.h"
#include "ops/control/replay.h"

#include <string.h>

GT_OPTION_TYPE(gt_Control, GT_CONTROL_OPTIONS);

/* As the gradient of gt_recompute eagerly: the sum over the piece is made on its own, so it takes in nothing that
 * arrived from elsewhere. */
static gt_Status call_gradient(gt_GradientRule *rule)
{
    gt_Context *context = gt_rule_context(rule);
    gt_Pull pull = {.rule = rule, .control = gt_rule_options(rule)};
    int32_t inputs = gt_rule_inputs(rule);
    gt_Tensor **gradient = gt_list_new(context, inputs, sizeof *gradient);
    if (gradient && gt_pull_open(&pull)) {
        for (int32_t i = 0; i < inputs; i++) {
            gt_pull_input(&pull, i, i);
            rule->before[i] = NULL;
        }
        if (gt_replay(context, pull.control->first, pull.argument, pull.result) == GT_OK)
            for (int32_t i = 0; i < gt_rule_outputs(rule); i++)
                if (gt_upstream(rule, i))
                    gt_pull_target(&pull, pull.result[i], gt_upstream(rule, i));
    }
    if (gradient && gt_pull_close(&pull, gradient, false) == GT_OK)
        for (int32_t i = 0, k = 0; i < inputs; i++) {
            if (!gt_wants(rule, i))
                continue;
            if (gradient[k])
                gt_give(rule, i, gradient[k]);
            k++;
        }
    gt_list_free(context, gradient, inputs, sizeof *gradient);
    return gt_context_status(context);
}

static const gt_Operation gt_op_call = {
    .size = sizeof(gt_Operation),
    .name = "recompute",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .gradient = call_gradient,
};

static gt_Status apply_call(gt_Bodies *draft, gt_Tensor **result)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->captures.count, results = draft->body[0].results;
    gt_Graph *graph = draft->body[0].graph;
    const gt_Control options = {
        .size = GT_SIZE(gt_Control), .kind = GT_CONTROL_CALL, .first = graph};
    gt_GraphNode like = {.operation = &gt_op_call,
                         .inputs = inputs,
                         .outputs = graph->outputs,
                         .required = graph->outputs};
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, inputs, graph->outputs)) {
        for (int32_t i = 0; i < inputs; i++)
            lists.input[i] = draft->used[i] ? gt_bodies_captured(draft, i) : NULL;
        for (int32_t i = 0; i < graph->outputs; i++)
            lists.spec[i] = graph->values[graph->output[i]].spec;
        if (gt_bodies_finish(draft, &like, &options, lists.input, lists.spec, results,
                             lists.output) == GT_OK)
            memcpy(result, lists.output, (size_t)results * sizeof *result);
    }
    gt_node_lists_close(context, &lists, inputs, graph->outputs);
    return gt_context_status(context);
}

/* As eagerly: everything that a gradient would come to must be a variable or an input. */
static gt_Status check_captures(const gt_Bodies *draft, gt_Tensors inputs)
{
    gt_Context *context = draft->context;
    gt_Map given = {0};
    for (int32_t i = 0; i < inputs.count && gt_context_status(context) == GT_OK; i++)
        gt_map_add(context, &given, gt_map_pointer(gt_tensor_value(inputs.items[i])), i);
    for (int32_t i = 0; i < draft->captures.count && gt_context_status(context) == GT_OK; i++) {
        const gt_Value *value = draft->captures.value[i];
        if (!gt_value_variable(value) && gt_gradient_passes(context, value) &&
            gt_map_find(&given, gt_map_pointer(value)) < 0)
            gt_raise(context, GT_INVALID, NULL, NULL, GT_NOT_AN_INPUT);
    }
    gt_map_close(context, &given);
    return gt_context_status(context);
}

gt_Status gt_traced_call(gt_Context *context, gt_FunctionBody body, void *user, gt_Tensors inputs,
                         int32_t outputs, gt_Tensor **result)
{
    gt_Bodies draft = {.context = context,
                       .user = user,
                       .inputs = inputs,
                       .body = {{.function = body, .results = outputs}}};
    if (gt_bodies_trace(&draft, &draft.body[0]) == GT_OK &&
        check_captures(&draft, inputs) == GT_OK && gt_bodies_order(&draft) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[0], outputs, true) == GT_OK &&
        gt_bodies_prune(&draft, draft.captures.count) == GT_OK)
        apply_call(&draft, result);
    gt_bodies_close(&draft);
    return gt_context_status(context);
}
