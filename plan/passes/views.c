/* Views: a view has no memory of its own. Its root is the value whose memory it looks at, through all views on the way, and
 * its offset counts the bytes from where that begins.
 *
 *     a = reshape(x);  b = slice(a, from element 3)        root of a and b: x; offset of b: 12 bytes in float32
 *
 * A value for which another one stands is a view of all of that one. Every other value is its own root. Leans on program.c. */
#include "plan/program.h"

gt_Status gt_pass_views(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    for (int32_t i = 0; i < graph->value_count; i++) {
        gt_ValueFact *fact = &program->facts[i];
        fact->root = fact->same; /* of a result, set below */
        fact->cell = fact->copy = fact->output = -1;
        fact->over = GT_NEVER;
    }
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        for (int i = 0; i < node->outputs; i++) {
            gt_ValueFact *fact = &program->facts[node->output[i]];
            const gt_ValueFact *same = &program->facts[fact->same];
            fact->root = same->root;
            fact->offset = same->offset;
        }
        if (gt_node_is_gone(program, node) || !gt_is_view(graph, node))
            continue;
        gt_ShapeRule rule;
        gt_graph_rule(graph, node, &rule);
        int64_t elements = gt_view_offset(&rule);
        const gt_ValueFact *source = &program->facts[node->input[0]];
        gt_ValueFact *fact = &program->facts[node->output[0]];
        fact->root = source->root;
        fact->offset = source->offset + (size_t)elements * gt_dtype_size(rule.output[0].dtype);
    }
    return GT_OK;
}
