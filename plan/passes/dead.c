/* Dead code: marks values that an output or an effect needs. Nodes without a mark get no item (order.c).
 *
 *     y = exp(x);  z = sin(x);  return y        y and x are needed, z is not
 *
 * Values that come of an operation which is no effect are marked FEEDS too, if they are needed: an effect whose new value
 * feeds such an operation has to run among them, and so has everything that this effect reads. A value for which another one
 * stands passes its marks on to that one. Leans on program.c. */
#include "plan/program.h"

gt_Status gt_pass_dead(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    for (int32_t i = 0; i < graph->outputs; i++)
        program->facts[graph->output[i]].marks |= GT_MARK_NEEDED;
    for (int32_t n = graph->node_count - 1; n >= 0; n--) {
        const gt_GraphNode *node = &graph->nodes[n];
        for (int i = 0; i < node->inputs;
             i++) /* from here on it reads the values that stand for its inputs */
            node->input[i] = gt_node_reads(program, node, i);
        for (int i = 0; i < node->outputs; i++) {
            const gt_ValueFact *fact = &program->facts[node->output[i]];
            program->facts[fact->same].marks |= fact->marks;
        }
        if (gt_node_is_gone(program, node))
            continue;
        unsigned marks = gt_node_marks(program, node);
        if (marks && !gt_is_effect(program, node) && !gt_is_view(graph, node))
            marks |= GT_MARK_FEEDS;
        for (int i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                program->facts[node->input[i]].marks |= marks;
    }
    for (int32_t i = 0; i < graph->value_count; i++) /* constants */
        program->facts[program->facts[i].same].marks |= program->facts[i].marks;
    return GT_OK;
}
