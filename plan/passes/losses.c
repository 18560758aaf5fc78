/* Losses: the cross-entropy of labels and logits, and its gradient, go through the same exponentials. Where the gradient that
 * arrives at the loss is known before the loss is, mostly as a constant like 1 / batch, one operation makes both:
 *
 *     y = crossentropy(labels, x);  ...  s = crossentropy_gradient(labels, x, g)          y, s = both(labels, x, g)
 *
 * It takes the place of the loss, and the value that the gradient made is its second output from then on. The bits are those
 * of the two (kernels/loss.c). With numeric checks on, each of them is looked at by itself. Leans on
 * ops/nn/crossentropy.h. */
#include "core/map.h"
#include "ops/nn/crossentropy.h"
#include "ops/table.h"
#include "plan/program.h"

/* Is the value there before node n runs? */
static bool is_before(const gt_Program *program, int32_t value, int32_t n)
{
    const gt_GraphNode *by = gt_value_maker(program, value);
    return !by || by - program->graph->nodes < n;
}

static int64_t classes_of(const gt_Program *program, const gt_GraphNode *loss)
{
    const gt_Spec *x = &program->graph->values[loss->input[1]].spec;
    return x->dims[x->rank - 1];
}

/* Is `node` the gradient of the loss that node n computes? */
static bool is_gradient_of(const gt_Program *program, const gt_GraphNode *node, int32_t n)
{
    const gt_GraphNode *loss = &program->graph->nodes[n];
    return loss->operation == &gt_op_sparse_softmax_crossentropy && node->piece == loss->piece &&
           gt_node_reads(program, node, 0) == gt_node_reads(program, loss, 0) &&
           gt_node_reads(program, node, 1) == gt_node_reads(program, loss, 1) &&
           gt_options_equal(loss->operation->options, loss->options, node->options, true) &&
           is_before(program, node->input[2], n);
}

/* The gradient's node makes a value that nobody reads, and which stands for the other one. */
static gt_Status join(gt_Program *program, int32_t n, int32_t gradient)
{
    gt_Graph *graph = program->graph;
    const int32_t slope = graph->nodes[gradient].output[0];
    const int32_t unread = gt_program_value(
        program, (gt_GraphValue){
                     .spec = graph->values[slope].spec, .kind = GT_GRAPH_RESULT, .node = gradient});
    const char *name = gt_graph_path(graph, "sparse_softmax_crossentropy+gradient");
    if (unread < 0 || !name)
        return gt_context_status(program->context);
    gt_GraphNode *loss = &graph->nodes[n], *node = &graph->nodes[gradient];
    const int32_t values[5] = {gt_node_reads(program, loss, 0), gt_node_reads(program, loss, 1),
                               gt_node_reads(program, node, 2), loss->output[0], slope};
    if (gt_program_become(program, loss, &gt_op_sparse_softmax_crossentropy_both, loss->options,
                          name, 3, 2, values) != GT_OK)
        return gt_context_status(program->context);
    graph->values[slope].node = n;
    graph->values[slope].index = 1;
    node->output[0] = unread;
    program->facts[unread].same = slope;
    return GT_OK;
}

static uint64_t key_of(const gt_Program *program, const gt_GraphNode *node)
{
    return (uint64_t)(uint32_t)gt_node_reads(program, node, 0) << 32 |
           (uint32_t)gt_node_reads(program, node, 1);
}

gt_Status gt_pass_losses(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    gt_Map losses = {0}; /* by labels and logits */
    if (gt_context_checks_numerics(program->context))
        return GT_OK;
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (gt_node_is_gone(program, node))
            continue;
        if (node->operation == &gt_op_sparse_softmax_crossentropy &&
            classes_of(program, node) <= GT_LOSS_CLASSES &&
            !gt_map_add(program->context, &losses, key_of(program, node), n))
            break;
        if (node->operation != &gt_op_sparse_softmax_crossentropy_gradient)
            continue;
        int32_t at = -1, loss;
        const uint64_t key = key_of(program, node);
        while ((loss = gt_map_next(&losses, key, &at)) >= 0 && !is_gradient_of(program, node, loss))
            ;
        if (loss >= 0 && join(program, loss, n) != GT_OK)
            break;
    }
    gt_map_close(program->context, &losses);
    return gt_context_status(program->context);
}
