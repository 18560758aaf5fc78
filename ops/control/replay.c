/* Writing a body down once more, where the trace is now, with other arguments. Every node is applied again, so tapes
 * that began since see its operations. Leans on core/graph.h. */
#include "ops/control/replay.h"
#include "ops/control/bodies.h"
#include "ops/control/lists.h"

static gt_Status replay_source(gt_Context *context, const gt_GraphValue *of,
                               gt_Tensor *const *argument, gt_Tensor **value)
{
    switch (of->kind) {
    case GT_GRAPH_INPUT:
        *value = argument[of->index];
        break;
    case GT_GRAPH_CONSTANT:
        *value = gt_value_handle(of->constant);
        break;
    case GT_GRAPH_LIVE:
        *value = gt_live_at(NULL, of->live, of->spec.dtype);
        break;
    default:
        break; /* a result comes with its node */
    }
    return gt_context_status(context);
}

/* Control flow, and effects, which here change a value, not a variable. To tapes the new version of a variable is the
 * same source as the old one. */
static gt_Status replay_apart(gt_Context *context, const gt_Graph *graph, const gt_GraphNode *node,
                              gt_Tensor *const *value, gt_Tensor **output)
{
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, node->inputs, node->outputs)) {
        for (int32_t i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                lists.input[i] = gt_tensor_value(value[node->input[i]]);
        for (int32_t i = 0; i < node->outputs; i++)
            lists.spec[i] = graph->values[node->output[i]].spec;
        gt_trace_apply(context, node, node->options, lists.input, lists.spec, output);
        bool effect = node->operation->flags & GT_OP_EFFECT;
        for (int32_t i = 0; effect && i < node->outputs && gt_context_status(context) == GT_OK; i++)
            gt_value_share_record(gt_tensor_value(output[i]), lists.input[i]);
    }
    gt_node_lists_close(context, &lists, node->inputs, node->outputs);
    return gt_context_status(context);
}

static gt_Status replay_node(gt_Context *context, const gt_Graph *graph, const gt_GraphNode *node,
                             gt_Tensor **value)
{
    gt_Tensor *input[GT_MAX_INPUTS];
    gt_Tensor **output = gt_list_new(context, node->outputs, sizeof *output);
    if (!output)
        return gt_context_status(context);
    if (node->operation->flags & (GT_OP_CONTROL | GT_OP_EFFECT)) {
        replay_apart(context, graph, node, value, output);
    } else {
        for (int32_t i = 0; i < node->inputs; i++)
            input[i] = node->input[i] < 0 ? NULL : value[node->input[i]];
        gt_apply_at(node->here, node->operation, node->options, node->inputs, input, output);
    }
    for (int32_t i = 0; i < node->outputs; i++)
        value[node->output[i]] = output[i];
    gt_list_free(context, output, node->outputs, sizeof *output);
    return gt_context_status(context);
}

gt_Status gt_replay(gt_Context *context, const gt_Graph *graph, gt_Tensor *const *argument,
                    gt_Tensor **result)
{
    gt_Tensor **value = gt_list_new(context, graph->value_count, sizeof *value);
    for (int32_t i = 0; i < graph->value_count && gt_context_status(context) == GT_OK; i++)
        replay_source(context, &graph->values[i], argument, &value[i]);
    for (int32_t n = 0; n < graph->node_count && gt_context_status(context) == GT_OK; n++)
        replay_node(context, graph, &graph->nodes[n], value);
    for (int32_t i = 0; i < graph->outputs && gt_context_status(context) == GT_OK; i++)
        result[i] = value[graph->output[i]];
    gt_list_free(context, value, graph->value_count, sizeof *value);
    return gt_context_status(context);
}
