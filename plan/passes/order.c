/* Order: first the nodes that change nothing outside, then the effects, both as they were traced. So everything that can
 * fail has run before a variable changes. An effect whose new value an operation needs (random state, a step count) stays
 * among the first; it works on a shadow of its variable (versions.c).
 *
 *     v += 1;  y = x * 2;  w += y        items: multiply | add to v, add to w          commit_item: 1
 *
 * Views, dead nodes and those for which others stand get no item. Leans on program.c. */
#include "plan/program.h"

gt_Status gt_pass_order(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    for (int late = 0; late < 2; late++) {
        program->commit_item = late ? program->item_count : 0;
        for (int32_t n = 0; n < graph->node_count; n++) {
            const gt_GraphNode *node = &graph->nodes[n];
            unsigned marks = gt_node_marks(program, node);
            bool waits = gt_is_effect(program, node) && !(marks & GT_MARK_FEEDS);
            if (marks && !gt_node_is_gone(program, node) && !gt_is_view(graph, node) &&
                waits == (late == 1))
                program->items[program->item_count++] = n;
        }
    }
    return GT_OK;
}
