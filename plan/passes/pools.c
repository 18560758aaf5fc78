/* Pools: a convolution, its bias, relu and the maxima of small windows become one step, which pools each tile while that is in
 * the cache. What is between them, four times as large as the result, has no memory: of the gradients only that of the maxima
 * asked for it, to look for them again, and it gets marks instead, a byte a maximum, which says where it stands.
 *
 *     h = relu(conv(x, k) + b);  y = max_pool(h)                      y, marks = conv+add+relu+max_pool (x, k, b)
 *     u = relu_gradient(max_pool_gradient(h, g), h)                   u = pool_spread (g, marks)
 *
 * relu's gradient is that of the maxima themselves: where a maximum is not above 0 there is no mark, and elsewhere there is
 * nothing to pass on. The bits are those of the single steps: 0 + g is what adding g to zeros gives.
 *
 * Windows have four places, do not overlap and do not leave the image (gt_PoolJob.four), and nobody else reads what is between.
 * With numeric checks on each step is looked at, and the pass does nothing. Leans on kernels/convolution.h, ops/nn/window.h. */
#include "kernels/convolution.h"
#include "ops/nn/window.h"
#include "ops/table.h"
#include "plan/program.h"

#include <string.h>

/* ---- the operations ---- */

typedef struct PoolsOptions {
    uint32_t size;
    const void *conv_options; /* the graph's */
    gt_Spec between;          /* what the convolution would make */
    bool relu;
    gt_PoolJob pool; /* of that */
} PoolsOptions;

GT_MADE_OPTION_TYPE(PoolsOptions);

/* Lines of a tile that are whole images, or parts of one plane that no window crosses; 0: there are none. */
static int64_t lines_of(const gt_ConvJob *c, const gt_PoolJob *pool)
{
    const int64_t lines = c->window.out[1], image = lines * c->window.out[0];
    int64_t n = c->tile_units;
    if (c->cuts > 1 || n == 0)
        return 0;
    if (n >= image)
        return n % image == 0 ? n : 0;
    while (n > 0 && (lines % n != 0 || n % pool->window.stride[1] != 0))
        n--;
    return c->window.out[0] == 1 ? n : 0;
}

/* The convolution alone; of its two launches the second one changes. */
static void lower_conv(const gt_ShapeRule *rule, const PoolsOptions *options, gt_Lowering *lowering)
{
    gt_ShapeRule conv = {
        .operation = &gt_op_conv, .options = options->conv_options, .inputs = 2, .outputs = 1};
    conv.input[0] = rule->input[0];
    conv.input[1] = rule->input[1];
    conv.output[0] = options->between;
    gt_lower(&conv, lowering->target, lowering);
}

static void conv_pool_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const PoolsOptions *options = rule->options;
    lower_conv(rule, options, lowering);
    const gt_Launch pack = lowering->launch[0], conv = lowering->launch[1];
    gt_ConvJob c;
    memcpy(&c, lowering->job + conv.job, sizeof c);
    lowering->launches = 0;
    gt_ConvPoolJob *job = gt_lower_launch(lowering, GT_TILES_conv_pack, pack.tiles, sizeof *job);
    gt_lower_scratch(lowering, pack.scratch);
    job->conv = c;
    job->pool = options->pool;
    const int64_t image = c.window.out[0] * c.window.out[1], lines = lines_of(&c, &options->pool);
    gt_SlidingWindow *w = &job->pool.window;
    job->conv.tile_units = lines;
    job->conv.local = true;
    job->conv.packed = (int8_t)(rule->inputs + 2);
    job->conv.bias = (int8_t)(rule->inputs > 2 ? 3 : -1);
    job->conv.relu = options->relu;
    job->pool.above = options->relu;
    job->lines = lines < image ? lines : image;
    if (lines < image) {
        w->in[1] = lines;
        w->out[1] = lines / w->stride[1];
        w->inputs = w->in[1] * w->in[2];
        w->outputs = w->out[1] * w->out[2];
    }
    job->made_bytes = gt_aligned((size_t)(lines * c.window.out[2] * c.b) * c.element);
    gt_lower_again(lowering, GT_TILES_conv_pool, (c.units + lines - 1) / lines);
    job->mark_bytes = gt_aligned(GT_POOL_SCRATCH(&job->pool));
    gt_lower_scratch(lowering, job->made_bytes + job->mark_bytes + conv.scratch);
}

static void pool_spread_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const PoolsOptions *options = rule->options;
    gt_PoolJob *job =
        gt_lower_launch(lowering, GT_TILES_pool_spread, options->pool.images, sizeof *job);
    *job = options->pool;
    gt_lower_span(lowering, job->window.inputs * job->channels);
    gt_lower_scratch(lowering, GT_POOL_SCRATCH(job));
}

static const gt_Operation conv_pool = {.size = sizeof(gt_Operation),
                                       .name = "conv_pool",
                                       .formula = "max_pool of relu of conv + bias, and marks",
                                       .inputs_min = 2,
                                       .inputs_max = 3,
                                       .outputs = 2,
                                       .options = &PoolsOptions_type,
                                       .lower = conv_pool_lower};
static const gt_Operation pool_spread = {.size = sizeof(gt_Operation),
                                         .name = "pool_spread",
                                         .formula = "g where the marks say, 0 elsewhere",
                                         .inputs_min = 2,
                                         .inputs_max = 2,
                                         .outputs = 1,
                                         .options = &PoolsOptions_type,
                                         .lower = pool_spread_lower};

/* ---- finding them ---- */

#define MOST_GRADIENTS 8

/* A pooling and what it is made of; values, and numbers of nodes. */
typedef struct Found {
    int32_t pool, conv, bias; /* bias: a value; -1: none */
    bool relu;
    int32_t between;                             /* what is pooled */
    int32_t gradients, gradient[MOST_GRADIENTS]; /* the nodes that make u */
    int32_t up[MOST_GRADIENTS];                  /* and their g */
} Found;

/* The number of the node of an operation that makes a value, in this piece; -1: another one makes it. */
static int32_t made_by(const gt_Program *program, int32_t value, const gt_Operation *operation,
                       int32_t piece)
{
    const gt_GraphValue *of = &program->graph->values[value];
    if (of->kind != GT_GRAPH_RESULT)
        return -1;
    const gt_GraphNode *node = &program->graph->nodes[of->node];
    return node->operation == operation && node->piece == piece ? of->node : -1;
}

/* What a convolution, perhaps with a bias, makes; `uses`: of each value. */
static bool find_conv(const gt_Program *program, const int32_t *uses, int32_t value, Found *found)
{
    const gt_Graph *graph = program->graph;
    const int32_t piece = graph->nodes[found->pool].piece;
    const int32_t add = made_by(program, value, &gt_op_add, piece);
    found->bias = -1;
    if (add >= 0) {
        const gt_Spec *sum = &graph->values[value].spec;
        const int32_t bias = gt_node_reads(program, &graph->nodes[add], 1);
        const gt_Spec *row = &graph->values[bias].spec;
        value = gt_node_reads(program, &graph->nodes[add], 0);
        if (uses[value] != 1 || row->size != sum->dims[sum->rank - 1] || row->rank < 1 ||
            row->dims[row->rank - 1] != row->size || row->dtype != sum->dtype)
            return false;
        found->bias = bias;
    }
    found->conv = made_by(program, value, &gt_op_conv, piece);
    if (found->conv < 0 ||
        !gt_spec_equal(&graph->values[value].spec, &graph->values[found->between].spec))
        return false;
    const gt_GraphNode *conv = &graph->nodes[found->conv];
    const gt_conv_options *options = conv->options;
    return options->groups == 1 &&
           graph->values[conv->input[0]].spec.dtype == graph->values[found->between].spec.dtype &&
           graph->values[conv->input[1]].spec.dtype == graph->values[found->between].spec.dtype;
}

/* The nodes that give gradients to what is pooled; false if anything else reads it. */
static bool find_gradients(const gt_Program *program, const int32_t *uses, Found *found)
{
    const gt_Graph *graph = program->graph;
    const gt_GraphNode *pool = &graph->nodes[found->pool];
    int32_t readers = 1;
    found->gradients = 0;
    for (int32_t n = found->pool + 1; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (gt_node_is_gone(program, node))
            continue;
        if (node->operation == &gt_op_max_pool_gradient &&
            gt_node_reads(program, node, 0) == found->between &&
            gt_options_equal(pool->operation->options, pool->options, node->options, true)) {
            readers++;
            if (found->relu && uses[node->output[0]] != 1)
                return false;
            if (found->relu)
                continue; /* its reader is the one */
        } else if (found->relu && node->operation == &gt_op_relu_gradient &&
                   gt_node_reads(program, node, 1) == found->between) {
            const gt_GraphValue *up = &graph->values[gt_node_reads(program, node, 0)];
            if (up->kind != GT_GRAPH_RESULT ||
                graph->nodes[up->node].operation != &gt_op_max_pool_gradient ||
                gt_node_reads(program, &graph->nodes[up->node], 0) != found->between)
                return false;
            readers++;
            node = &graph->nodes[up->node];
        } else
            continue;
        if (found->gradients == MOST_GRADIENTS)
            return false;
        found->up[found->gradients] = gt_node_reads(program, node, 1);
        found->gradient[found->gradients++] = n;
    }
    return uses[found->between] == readers &&
           readers == 1 + found->gradients * (found->relu ? 2 : 1);
}

/* Is the node the end of such a convolution, and are its tiles as they must be? */
static bool find(const gt_Program *program, const int32_t *uses, int32_t n, Found *found,
                 PoolsOptions *options)
{
    const gt_Graph *graph = program->graph;
    const gt_GraphNode *node = &graph->nodes[n];
    *found = (Found){.pool = n, .between = gt_node_reads(program, node, 0)};
    const int32_t relu = made_by(program, found->between, &gt_op_relu, node->piece);
    const int32_t sum = relu < 0 ? found->between : gt_node_reads(program, &graph->nodes[relu], 0);
    found->relu = relu >= 0;
    *options = (PoolsOptions){.size = sizeof *options, .relu = found->relu};
    options->between = graph->values[found->between].spec;
    if (options->between.size == 0 || (found->relu && uses[sum] != 1) ||
        !find_conv(program, uses, sum, found) || !find_gradients(program, uses, found) ||
        !gt_pool_plan(&options->pool, node->options, &options->between) || !options->pool.four)
        return false;
    const gt_GraphNode *conv = &graph->nodes[found->conv];
    options->conv_options = conv->options;
    gt_ShapeRule rule;
    gt_graph_rule(graph, conv, &rule);
    gt_Lowering lowering = {.target = gt_context_kernels(program->context)};
    lower_conv(&rule, options, &lowering);
    return lowering.launches == 2 &&
           lines_of((const gt_ConvJob *)(const void *)(lowering.job + lowering.launch[1].job),
                    &options->pool) > 0;
}

/* ---- the graph ---- */

static gt_Status make_pool(gt_Program *program, const Found *found, const PoolsOptions *options)
{
    gt_Graph *graph = program->graph;
    const gt_GraphNode *conv = &graph->nodes[found->conv];
    const int32_t y = graph->nodes[found->pool].output[0];
    gt_Spec spec = graph->values[y].spec;
    spec.dtype = GT_UINT8;
    const int32_t marks = gt_program_value(
        program,
        (gt_GraphValue){.spec = spec, .kind = GT_GRAPH_RESULT, .node = found->pool, .index = 1});
    const char *name = gt_graph_path(graph, found->bias < 0 && !found->relu ? "conv+max_pool"
                                            : found->bias < 0               ? "conv+relu+max_pool"
                                            : found->relu ? "conv+add+relu+max_pool"
                                                          : "conv+add+max_pool");
    if (marks < 0 || !name)
        return gt_context_status(program->context);
    int32_t values[5] = {gt_node_reads(program, conv, 0), gt_node_reads(program, conv, 1)}, inputs = 2;
    if (found->bias >= 0)
        values[inputs++] = found->bias;
    values[inputs] = y;
    values[inputs + 1] = marks;
    if (gt_program_become(program, &graph->nodes[found->pool], &conv_pool, options, name, inputs, 2,
                          values) != GT_OK)
        return gt_context_status(program->context);
    for (int32_t i = 0; i < found->gradients; i++) {
        gt_GraphNode *node = &graph->nodes[found->gradient[i]];
        const int32_t lists[3] = {found->up[i], marks, node->output[0]};
        if (gt_program_become(program, node, &pool_spread, options, NULL, 2, 1, lists) != GT_OK)
            break;
    }
    return gt_context_status(program->context);
}

gt_Status gt_pass_pools(gt_Program *program)
{
    gt_Context *context = program->context;
    const gt_Graph *graph = program->graph;
    const int32_t values = graph->value_count; /* there will be more */
    int32_t first = 0;
    while (first < graph->node_count && graph->nodes[first].operation != &gt_op_max_pool)
        first++;
    if (gt_context_checks_numerics(context) || first == graph->node_count)
        return GT_OK;
    int32_t *uses = gt_program_uses(program);
    for (int32_t n = first; uses && n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        Found found;
        PoolsOptions options;
        if (node->operation == &gt_op_max_pool && !gt_node_is_gone(program, node) &&
            find(program, uses, n, &found, &options) &&
            make_pool(program, &found, &options) != GT_OK)
            break;
    }
    gt_plan_drop(context, uses, values, sizeof *uses);
    return gt_context_status(context);
}
