/* Order: first the nodes that change nothing outside, then the effects, both as they were traced. So everything that can
 * fail has run before a variable changes. An effect whose new value an operation needs (random state, a step count) stays
 * among the first; it works on a shadow of its variable (versions.c).
 *
 *     v += 1;  y = x * 2;  w += y        items: multiply | add to v, add to w          commit_item: 1
 *
 * Operations on few numbers that only effects wait for, as moving averages are made of, come last among the first, so that they do
 * not stand between a step and the element-wise ones that follow it in a chain.
 *
 * Views, dead nodes and those for which others stand get no item. Leans on program.c. */
#include "plan/program.h"

#define FEW ((size_t)4096) /* bytes of each input and output */

typedef enum Turn { FIRST, LATER, LAST, NEVER } Turn;

static bool is_small(const gt_Graph *graph, const gt_GraphNode *node)
{
    for (int32_t i = 0; i < node->inputs + node->outputs; i++) {
        const int32_t value = i < node->inputs ? node->input[i] : node->output[i - node->inputs];
        if (value >= 0 && gt_spec_bytes(&graph->values[value].spec) > FEW)
            return false;
    }
    return true;
}

/* When the node runs; which of its outputs are read soon is known. */
static Turn turn_of(const gt_Program *program, const gt_GraphNode *node)
{
    const unsigned marks = gt_node_marks(program, node);
    if (!marks || gt_node_is_gone(program, node))
        return NEVER;
    if (gt_is_effect(program, node) && !(marks & GT_MARK_FEEDS))
        return LAST;
    const bool waits =
        !(marks & GT_MARK_SOON) && gt_node_is_pure(program, node) && is_small(program->graph, node);
    return waits ? LATER : FIRST;
}

/* The turns of all nodes, from the last one on; marks what a node that runs first reads, through views. */
static void find_turns(gt_Program *program, uint8_t *turn)
{
    const gt_Graph *graph = program->graph;
    for (int32_t i = 0; i < graph->outputs; i++)
        program->facts[gt_value_same(program, graph->output[i])].marks |= GT_MARK_SOON;
    for (int32_t n = graph->node_count - 1; n >= 0; n--) {
        const gt_GraphNode *node = &graph->nodes[n];
        const bool view = gt_is_view(graph, node);
        turn[n] = (uint8_t)(view ? NEVER : turn_of(program, node));
        if (view ? !(gt_node_marks(program, node) & GT_MARK_SOON) : turn[n] != FIRST)
            continue;
        for (int32_t i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                program->facts[node->input[i]].marks |= GT_MARK_SOON;
    }
}

gt_Status gt_pass_order(gt_Program *program)
{
    const int32_t nodes = program->graph->node_count;
    uint8_t *of = gt_plan_array(program->context, nodes, sizeof *of);
    if (!of)
        return gt_context_status(program->context);
    find_turns(program, of);
    for (Turn turn = FIRST; turn < NEVER; turn++) {
        program->commit_item = turn == LAST ? program->item_count : 0;
        for (int32_t n = 0; n < nodes; n++)
            if (of[n] == turn)
                program->items[program->item_count++] = n;
    }
    gt_plan_drop(program->context, of, nodes, sizeof *of);
    return GT_OK;
}
