/* Joins: the gradient of reading parts of a tensor is a sum of paddings, mostly of zeros. Where no two parts lie at the same
 * place, one operation writes each of them where it belongs.
 *
 *     pad(a, before 0) + pad(b, before 2) + pad(c, before 5)        join(a, b, c): a | b | c
 *
 * Each element of such a sum is x + 0, or 0 where there is no part, in whatever order the additions are made; so the join
 * adds 0 to each element, for -0 + 0 is 0. Parts may be padded again, as the halves of halves of a sequence are:
 *
 *     pad(pad(a) + pad(b)) + pad(pad(c) + pad(d))                   join(a, b, c, d)
 *
 * A part is rows of one length at equal distances in the result: a padding along one axis. From each sum, the last one first,
 * the pass walks back through sums, paddings and views that nobody else reads, and keeps on opening the one that was met
 * first while there is room for more parts. The node of the sum becomes the join, which is an operation of plans alone.
 * Leans on ops/copies.h. */
#include "core/assert.h"
#include "ops/copies.h"
#include "ops/table.h"
#include "plan/program.h"

#include <string.h>

/* ---- the operation ---- */

typedef struct JoinOptions {
    uint32_t size;
    int32_t parts;
    gt_JoinPart part[GT_JOB_PARTS];
} JoinOptions;

static const JoinOptions no_parts = {.size = sizeof(JoinOptions)};
static const gt_Field no_fields[1] = {{.name = NULL}};
static const gt_OptionType JoinOptions_type = {.name = "JoinOptions",
                                               .size = sizeof(JoinOptions),
                                               .end = sizeof(JoinOptions),
                                               .defaults = &no_parts,
                                               .fields = no_fields};

static int32_t tiles_of(const gt_JoinPart *part)
{
    int64_t block = gt_join_block(part);
    return (int32_t)(part->rows == 1 ? (part->length + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS
                                     : (part->rows + block - 1) / block);
}

/* Zeros first, where not every element is covered. */
static void join_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const JoinOptions *options = rule->options;
    int64_t covered = 0;
    for (int32_t p = 0; p < options->parts; p++)
        covered += options->part[p].rows * options->part[p].length;
    if (covered < rule->output[0].size)
        gt_lower_fill(lowering, rule->output[0].dtype, rule->inputs, rule->output[0].size, 0);
    gt_JoinJob *job = gt_lower_launch(lowering, GT_TILES_join, 0, sizeof *job);
    memset(job, 0, sizeof *job);
    job->type = (uint8_t)gt_loop_type(rule->output[0].dtype);
    job->parts = options->parts;
    for (int32_t p = 0; p < options->parts; p++) {
        job->part[p] = options->part[p];
        job->first[p + 1] = job->first[p] + tiles_of(&job->part[p]);
    }
    lowering->launch[lowering->launches - 1].tiles = job->first[job->parts];
}

static const gt_Operation join = {.size = sizeof(gt_Operation),
                                  .name = "join",
                                  .formula = "the sum of x, each padded with zeros",
                                  .inputs_min = 1,
                                  .inputs_max = GT_JOB_PARTS,
                                  .outputs = 1,
                                  .options = &JoinOptions_type,
                                  .lower = join_lower};

/* ---- finding the parts ---- */

typedef struct Sum {
    gt_Program *program;
    const int32_t *uses; /* how often each value is read */
    const bool *spread;  /* of each value: is it a sum of paddings all the way, or one padding, through views? */
    int32_t parts;
    int32_t value[GT_JOB_PARTS];
    gt_JoinPart part[GT_JOB_PARTS];
} Sum;

static const gt_GraphNode *maker(const gt_Program *program, int32_t value)
{
    const gt_GraphValue *of = &program->graph->values[value];
    return of->kind == GT_GRAPH_RESULT ? &program->graph->nodes[of->node] : NULL;
}

static int32_t input_of(const gt_Program *program, const gt_GraphNode *node, int i)
{
    return gt_value_same(program, node->input[i]);
}

static bool is_whole_view(const gt_Program *program, const gt_GraphNode *node)
{
    const gt_GraphValue *values = program->graph->values;
    return gt_is_view(program->graph, node) &&
           values[node->input[0]].spec.size == values[node->output[0]].spec.size;
}

/* Where the input of a padding lies in its result; false if it is no padding with zeros along one axis. */
static bool place_of(const gt_Program *program, const gt_GraphNode *node, gt_JoinPart *part)
{
    const gt_Shape *before = gt_zeros_before(node->operation, node->options);
    if (!before)
        return false;
    const gt_Spec *in = &program->graph->values[node->input[0]].spec;
    const gt_Spec *out = &program->graph->values[node->output[0]].spec;
    int axis = -1;
    if (in->size == 0 || gt_loop_type(in->dtype) < 0)
        return false;
    *part = (gt_JoinPart){0, out->size, 1, in->size};
    for (int d = 0; d < in->rank; d++) {
        if (in->dims[d] == out->dims[d])
            continue;
        if (axis >= 0)
            return false;
        axis = d;
        part->rows = 1;
        for (int i = 0; i < d; i++)
            part->rows *= out->dims[i];
        part->length = in->size / part->rows;
        part->stride = out->size / part->rows;
        part->offset = before->dims[d] * (part->stride / out->dims[d]);
    }
    return true;
}

/* A part of a part, if it is still rows at equal distances. */
static bool nested(const gt_JoinPart *outer, const gt_JoinPart *inner, gt_JoinPart *both)
{
    if (outer->rows == 1)
        *both = *inner;
    else if (inner->rows == outer->rows && inner->stride == outer->length)
        *both = (gt_JoinPart){0, outer->stride, inner->rows, inner->length};
    else
        return false;
    both->offset = outer->offset + inner->offset;
    return true;
}

/* `spread` of what a node makes, whose inputs have theirs. */
static bool is_spread(const Sum *sum, const gt_GraphNode *node)
{
    const gt_Program *program = sum->program;
    gt_JoinPart part;
    if (sum->uses[node->output[0]] != 1)
        return false;
    if (node->operation == &gt_op_add)
        return sum->spread[input_of(program, node, 0)] && sum->spread[input_of(program, node, 1)];
    return is_whole_view(program, node) ? sum->spread[input_of(program, node, 0)]
                                        : place_of(program, node, &part);
}

/* Opens part p: a view becomes what it looks at, a padding its input, a sum of paddings two parts at the same place, of which
 * the second is the last. False: it stays. */
static bool open_part(Sum *sum, int32_t p)
{
    const gt_Program *program = sum->program;
    const gt_GraphNode *node = maker(program, sum->value[p]);
    gt_JoinPart inner, both;
    if (!node || sum->uses[sum->value[p]] != 1)
        return false;
    if (is_whole_view(program, node)) { /* only to see what is behind it */
        int32_t source = input_of(program, node, 0);
        if (!sum->spread[source])
            return false;
        sum->value[p] = source;
        return true;
    }
    if (place_of(program, node, &inner)) {
        if (!nested(&sum->part[p], &inner, &both))
            return false;
        sum->value[p] = input_of(program, node, 0);
        sum->part[p] = both;
        return true;
    }
    if (node->operation != &gt_op_add || sum->parts == GT_JOB_PARTS ||
        !sum->spread[sum->value[p]])
        return false;
    sum->value[p] = input_of(program, node, 0);
    sum->value[sum->parts] = input_of(program, node, 1);
    sum->part[sum->parts++] = sum->part[p];
    return true;
}

/* Two parts share no element, as far as is easily seen. */
static bool are_apart(const gt_JoinPart *a, const gt_JoinPart *b)
{
    int64_t end_a = a->offset + (a->rows - 1) * a->stride + a->length;
    int64_t end_b = b->offset + (b->rows - 1) * b->stride + b->length;
    if (end_a <= b->offset || end_b <= a->offset)
        return true;
    if (a->stride != b->stride)
        return false;
    int64_t from_a = a->offset % a->stride, from_b = b->offset % b->stride;
    return from_a + a->length <= a->stride && from_b + b->length <= b->stride &&
           (from_a + a->length <= from_b || from_b + b->length <= from_a);
}

/* The parts that the sum is made of; false if it is no join. */
static bool find_parts(Sum *sum, const gt_GraphNode *node)
{
    int64_t size = sum->program->graph->values[node->output[0]].spec.size;
    sum->parts = 2;
    for (int i = 0; i < 2; i++) {
        sum->value[i] = input_of(sum->program, node, i);
        sum->part[i] = (gt_JoinPart){0, size, 1, size};
        if (!sum->spread[sum->value[i]])
            return false;
    }
    for (bool any = true; any;) {
        any = false;
        for (int32_t p = 0, now = sum->parts; p < now; p++)
            any |= open_part(sum, p);
    }
    for (int32_t a = 0; a < sum->parts; a++)
        for (int32_t b = 0; b < a; b++)
            if (!are_apart(&sum->part[a], &sum->part[b]))
                return false;
    return true;
}

/* ---- the graph ---- */

/* The node of the sum becomes the join. Its inputs are read once more, what was between them once less. */
static gt_Status become_join(const Sum *sum, gt_GraphNode *node)
{
    gt_Context *context = sum->program->context;
    int32_t *lists = gt_allocate(context, (size_t)(sum->parts + 1) * sizeof *lists);
    JoinOptions *options = gt_allocate(context, sizeof *options);
    if (!lists || !options) {
        gt_release(context, lists, (size_t)(sum->parts + 1) * sizeof *lists);
        gt_release(context, options, sizeof *options);
        return gt_context_status(context);
    }
    *options = (JoinOptions){.size = sizeof *options, .parts = sum->parts};
    memcpy(options->part, sum->part, (size_t)sum->parts * sizeof *options->part);
    memcpy(lists, sum->value, (size_t)sum->parts * sizeof *lists);
    lists[sum->parts] = node->output[0];
    gt_graph_free_node(context, node);
    node->operation = &join;
    node->options = options;
    node->input = lists;
    node->output = lists + sum->parts;
    node->inputs = sum->parts;
    node->scratch = 0;
    return GT_OK;
}

static void count_uses(const gt_Program *program, int32_t *uses)
{
    const gt_Graph *graph = program->graph;
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        for (int32_t i = 0; i < node->inputs && !gt_node_is_gone(program, node); i++)
            if (node->input[i] >= 0)
                uses[input_of(program, node, i)]++;
    }
    for (int32_t i = 0; i < graph->outputs; i++)
        uses[gt_value_same(program, graph->output[i])]++;
}

/* Nodes are in an order in which inputs come first. */
static void find_spread(const Sum *sum, bool *spread)
{
    const gt_Graph *graph = sum->program->graph;
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (!gt_node_is_gone(sum->program, node) && node->outputs == 1 &&
            node->inputs > 0 && node->input[0] >= 0)
            spread[node->output[0]] = is_spread(sum, node);
    }
}

static void make_joins(Sum *sum)
{
    const gt_Program *program = sum->program;
    const gt_Graph *graph = program->graph;
    for (int32_t n = graph->node_count - 1; n >= 0; n--) {
        gt_GraphNode *node = &graph->nodes[n];
        if (node->operation == &gt_op_add && !gt_node_is_gone(program, node) &&
            gt_loop_type(graph->values[node->output[0]].spec.dtype) >= 0 && find_parts(sum, node) &&
            become_join(sum, node) != GT_OK)
            break;
    }
}

/* The last sum first, so that one that is a part of another is met when that one has become a join; it is dead then, and is
 * joined in vain at most. */
gt_Status gt_pass_joins(gt_Program *program)
{
    gt_Context *context = program->context;
    const size_t values = (size_t)program->graph->value_count + 1;
    int32_t *uses = gt_allocate_zeroed(context, values * sizeof *uses);
    bool *spread = gt_allocate_zeroed(context, values * sizeof *spread);
    Sum sum = {.program = program, .uses = uses, .spread = spread};
    if (uses && spread) {
        count_uses(program, uses);
        find_spread(&sum, spread);
        make_joins(&sum);
    }
    gt_release(context, uses, values * sizeof *uses);
    gt_release(context, spread, values * sizeof *spread);
    return gt_context_status(context);
}
