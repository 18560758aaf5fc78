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
 * One of the summands may be something else, as where a tensor is read whole as well; the parts are then added to it:
 *
 *     x + pad(a) + pad(b)                                           join(x; a, b)
 *
 * Each element of that is x plus one part, plus 0 if there are others, or x + 0; so the order of additions is no matter here either.
 *
 * A concatenation of joins along a later axis, as of the rows of a Jacobian, is a join of all their parts.
 *
 * A part is rows of one length at equal distances in the result: a padding along one axis. From each sum, the last one first,
 * the pass walks back through sums, paddings and views that nobody else reads, and keeps on opening the one that was met
 * first while there is room for more parts. The node of the sum becomes the join, which is an operation of plans alone.
 * Leans on ops/copies.h. */
#include "core/assert.h"
#include "ops/array/indexing.h"
#include "ops/copies.h"
#include "ops/table.h"
#include "plan/program.h"

#include <stddef.h>
#include <string.h>

/* ---- the operation ---- */

typedef struct JoinOptions {
    uint32_t size;
    int32_t parts;
    bool based; /* input 0 is what the parts are added to */
    bool one_row; /* it is one row, of which all are alike */
    gt_JoinPart part[GT_JOB_PARTS];
} JoinOptions;

GT_MADE_OPTION_TYPE(JoinOptions);

static int32_t tiles_of(const gt_JoinPart *part)
{
    int64_t block = gt_join_block(part);
    return (int32_t)(part->rows == 1 ? (part->length + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS
                                     : (part->rows + block - 1) / block);
}

_Static_assert(sizeof(gt_JoinJob) + offsetof(gt_JoinJob, part) + sizeof(gt_JoinPart) + 15 <= GT_JOB_BYTES,
               "two launches, one of a single part");

static gt_JoinJob *join_launch(const gt_ShapeRule *rule, gt_Lowering *lowering, int32_t parts)
{
    const size_t bytes = offsetof(gt_JoinJob, part) + (size_t)parts * sizeof(gt_JoinPart);
    gt_JoinJob *job = gt_lower_launch(lowering, GT_TILES_join, 0, bytes);
    memset(job, 0, bytes);
    job->type = (uint8_t)gt_loop_type(rule->output[0].dtype);
    job->y = (uint8_t)rule->inputs;
    return job;
}

static void set_parts(gt_JoinJob *job, gt_Lowering *lowering, int32_t parts,
                      const gt_JoinPart *part)
{
    job->parts = parts;
    for (int32_t p = 0; p < parts; p++) {
        job->part[p] = part[p];
        job->first[p + 1] = job->first[p] + tiles_of(&part[p]);
    }
    lowering->launch[lowering->launches - 1].tiles = job->first[parts];
}

/* Have all parts as many rows, as far apart, each within a row of the result? */
static bool are_beside(const JoinOptions *options, const gt_Spec *out)
{
    const gt_JoinPart *first = &options->part[0];
    bool beside = first->rows > 1 && first->rows * first->stride == out->size &&
                  first->stride * (int64_t)gt_dtype_size(out->dtype) <= GT_JOIN_NEAR;
    for (int32_t p = 0; p < options->parts; p++) {
        const gt_JoinPart *part = &options->part[p];
        beside &= part->rows == first->rows && part->stride == first->stride &&
                  part->offset + part->length <= first->stride;
    }
    return beside;
}

/* Zeros, or the whole summand, first, where not every element is covered. */
static void join_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const JoinOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    int64_t covered = 0;
    for (int32_t p = 0; p < options->parts; p++)
        covered += options->part[p].rows * options->part[p].length;
    const bool beside = are_beside(options, out);
    if (!beside && options->based)
        set_parts(join_launch(rule, lowering, 1), lowering, 1,
                  &(gt_JoinPart){0, out->size, 1, out->size});
    else if (!beside && covered < out->size)
        gt_lower_fill(lowering, out->dtype, rule->inputs, out->size, 0);
    gt_JoinJob *job = join_launch(rule, lowering, options->parts);
    job->based = options->based;
    job->one_row = options->one_row;
    set_parts(job, lowering, options->parts, options->part);
    if (beside) {
        const int64_t wide = options->part[0].stride;
        job->rows = options->part[0].rows;
        job->block = wide < GT_TILE_ELEMENTS ? GT_TILE_ELEMENTS / wide : 1;
        job->fills = covered < out->size;
        lowering->launch[lowering->launches - 1].tiles = (job->rows + job->block - 1) / job->block;
    }
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

/* A sum of paddings all the way, or one padding, through views; or such a sum with one summand of another kind. */
typedef enum Spread { OTHER, PADDINGS, WITH_BASE } Spread;

typedef struct Sum {
    gt_Program *program;
    const int32_t *uses;   /* how often each value is read */
    const uint8_t *spread; /* of each value: a Spread */
    int32_t base;          /* the value that is no padding; -1: none yet */
    int32_t parts;
    int32_t value[GT_JOB_PARTS];
    gt_JoinPart part[GT_JOB_PARTS];
} Sum;

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

/* May a part be added to a whole summand? Only reals are, by the loops of their additions. */
static bool is_real(const gt_Program *program, int32_t value)
{
    int type = gt_loop_type(program->graph->values[value].spec.dtype);
    return type == GT_LOOP_F32 || type == GT_LOOP_F64;
}

/* `spread` of a sum, from that of its summands. */
static Spread spread_of_sum(const Sum *sum, const gt_GraphNode *node)
{
    const gt_Program *program = sum->program;
    const int a = sum->spread[gt_node_reads(program, node, 0)],
              b = sum->spread[gt_node_reads(program, node, 1)];
    const gt_GraphValue *values = program->graph->values;
    const int64_t size = values[node->output[0]].spec.size;
    if (a == PADDINGS && b == PADDINGS)
        return PADDINGS;
    return (a == PADDINGS || b == PADDINGS) && is_real(program, node->output[0]) &&
                   values[node->input[0]].spec.size == size &&
                   values[node->input[1]].spec.size == size
               ? WITH_BASE
               : OTHER;
}

/* `spread` of what a node makes, whose inputs have theirs. */
static Spread spread_of(const Sum *sum, const gt_GraphNode *node)
{
    const gt_Program *program = sum->program;
    gt_JoinPart part;
    if (sum->uses[node->output[0]] != 1)
        return OTHER;
    if (node->operation == &gt_op_add)
        return spread_of_sum(sum, node);
    if (is_whole_view(program, node))
        return sum->spread[gt_node_reads(program, node, 0)] == PADDINGS ? PADDINGS : OTHER;
    return place_of(program, node, &part) ? PADDINGS : OTHER;
}

/* Opens part p: a view becomes what it looks at, a padding its input, a sum of paddings two parts at the same place, of which
 * the second is the last. False: it stays. */
static bool open_part(Sum *sum, int32_t p)
{
    const gt_Program *program = sum->program;
    const gt_GraphNode *node = gt_value_maker(program, sum->value[p]);
    gt_JoinPart inner, both;
    if (!node || sum->uses[sum->value[p]] != 1)
        return false;
    if (is_whole_view(program, node)) { /* only to see what is behind it */
        int32_t source = gt_node_reads(program, node, 0);
        if (sum->spread[source] != PADDINGS)
            return false;
        sum->value[p] = source;
        return true;
    }
    if (place_of(program, node, &inner)) {
        if (!nested(&sum->part[p], &inner, &both))
            return false;
        sum->value[p] = gt_node_reads(program, node, 0);
        sum->part[p] = both;
        return true;
    }
    if (node->operation != &gt_op_add ||
        sum->parts == GT_JOB_PARTS - (sum->base >= 0) ||
        sum->spread[sum->value[p]] != PADDINGS)
        return false;
    sum->value[p] = gt_node_reads(program, node, 0);
    sum->value[sum->parts] = gt_node_reads(program, node, 1);
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

/* The parts that the sum is made of; false if it is no join. The summand that is no padding is met first, down the sums that have
 * it. */
static bool find_parts(Sum *sum, const gt_GraphNode *node)
{
    const gt_Program *program = sum->program;
    int64_t size = program->graph->values[node->output[0]].spec.size;
    sum->parts = 0;
    sum->base = -1;
    for (const gt_GraphNode *at = node; at;) {
        const int32_t value[2] = {gt_node_reads(program, at, 0), gt_node_reads(program, at, 1)};
        const Spread of = spread_of_sum(sum, at);
        if (of == OTHER || sum->parts + 2 > GT_JOB_PARTS - 1)
            return false;
        const int other =
            sum->spread[value[0]] == PADDINGS; /* of a sum with a base: which one it is in */
        for (int i = 0; i < 2; i++)
            if (of == PADDINGS || i != other) {
                sum->value[sum->parts] = value[i];
                sum->part[sum->parts++] = (gt_JoinPart){0, size, 1, size};
            }
        sum->base = of == PADDINGS ? -1 : value[other];
        at = of == WITH_BASE && sum->spread[value[other]] == WITH_BASE
                 ? gt_value_maker(program, value[other])
                 : NULL;
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
static gt_Status become_join(Sum *sum, gt_GraphNode *node)
{
    const int32_t based = sum->base >= 0, inputs = sum->parts + based;
    int32_t values[GT_JOB_PARTS + 1];
    JoinOptions options = {.size = sizeof options, .parts = sum->parts, .based = based};
    memcpy(options.part, sum->part, (size_t)sum->parts * sizeof *options.part);
    values[0] = sum->base; /* if there is one */
    const gt_Spec *out = &sum->program->graph->values[node->output[0]].spec;
    if (based && are_beside(&options, out) && options.part[0].rows == out->dims[0]) {
        const int32_t row = gt_program_row(sum->program, sum->base);
        options.one_row = row >= 0;
        values[0] = row >= 0 ? row : sum->base;
    }
    memcpy(values + based, sum->value, (size_t)sum->parts * sizeof *values);
    values[inputs] = node->output[0];
    return gt_program_become(sum->program, node, &join, &options, node->name, inputs, 1, values);
}

/* ---- joins beside each other ---- */

/* A row of `width` elements, with the rows of constants in it where the joins have a base, as a new value; -1 on failure. */
static int32_t joined_rows(gt_Program *program, const gt_GraphNode *node, const int32_t *of,
                           int64_t width)
{
    gt_Context *context = program->context;
    const gt_Graph *graph = program->graph;
    gt_Spec spec = graph->values[node->output[0]].spec;
    const size_t element = gt_dtype_size(spec.dtype);
    gt_Scope *around = gt_scope_innermost(context);
    void *data = NULL;
    int32_t row = -1;
    spec.rank = 2;
    spec.dims[0] = 1;
    spec.dims[1] = spec.size = width;
    gt_Tensor *tensor = gt_scope_open(context) ? gt_tensor_new(context, &spec, &data) : NULL;
    if (!tensor)
        return -1;
    memset(data, 0, gt_spec_bytes(&spec));
    for (int32_t i = 0; i < node->inputs; i++) {
        const gt_GraphNode *by = &graph->nodes[of[i]];
        const JoinOptions *options = by->options;
        const size_t bytes = (size_t)options->part[0].stride * element;
        if (options->based)
            memcpy(data, gt_value_data(graph->values[by->input[0]].constant), bytes);
        data = (char *)data + bytes;
    }
    gt_Value *value = gt_value_read(context, NULL, "concatenate", "row", 0, tensor);
    if (value)
        row = gt_program_value(program, (gt_GraphValue){.spec = spec,
                                                        .kind = GT_GRAPH_CONSTANT,
                                                        .node = -1,
                                                        .constant = value});
    gt_scope_unwind(context, around);
    return row;
}

/* The join that makes an input of a concatenation, read by nobody else, of `rows` rows; -1: it is none, or has a base of another
 * kind. */
static int32_t join_beside(const Sum *sum, int32_t value, int64_t rows)
{
    const gt_Program *program = sum->program;
    const gt_GraphNode *node = gt_value_maker(program, value);
    while (node && sum->uses[value] == 1 && is_whole_view(program, node)) {
        value = gt_node_reads(program, node, 0);
        node = gt_value_maker(program, value);
    }
    if (!node || node->operation != &join || sum->uses[value] != 1)
        return -1;
    const JoinOptions *options = node->options;
    const gt_Spec *out = &program->graph->values[value].spec;
    return are_beside(options, out) && options->part[0].rows == rows &&
                   options->based == options->one_row
               ? (int32_t)(node - program->graph->nodes)
               : -1;
}

/* A concatenation of joins along an axis behind their rows is a join of all their parts. */
static gt_Status join_joins(Sum *sum, gt_GraphNode *node)
{
    gt_Program *program = sum->program;
    const gt_Spec *out = &program->graph->values[node->output[0]].spec;
    const gt_concatenate_options *given = node->options;
    const int axis = given->axis < 0 ? given->axis + out->rank : given->axis;
    JoinOptions options = {.size = sizeof options};
    int32_t of[GT_MAX_INPUTS], values[GT_JOB_PARTS + 1], inputs = 1;
    int64_t rows = 1, width = 0;
    for (int d = 0; d < axis; d++)
        rows *= out->dims[d];
    for (int32_t i = 0; i < node->inputs; i++) {
        of[i] = join_beside(sum, gt_node_reads(program, node, i), rows);
        if (of[i] < 0)
            return GT_OK;
        const gt_GraphNode *by = &program->graph->nodes[of[i]];
        const JoinOptions *one = by->options;
        if (options.parts + one->parts > GT_JOB_PARTS - 1 || (one->based && one->parts == 1))
            return GT_OK; /* base + one part has no 0 added to it */
        for (int32_t p = 0; p < one->parts; p++) {
            options.part[options.parts] = one->part[p];
            options.part[options.parts].offset += width;
            options.part[options.parts++].stride = out->size / rows;
            values[inputs++] = by->input[one->based + p];
        }
        options.based |= one->based;
        width += one->part[0].stride;
    }
    if (!are_beside(&options, out))
        return GT_OK;
    options.one_row = options.based;
    values[0] = options.based ? joined_rows(program, node, of, width) : -1;
    values[inputs] = node->output[0];
    if (options.based && values[0] < 0)
        return gt_context_status(program->context);
    const int32_t from = !options.based;
    return gt_program_become(program, node, &join, &options, node->name, inputs - from, 1,
                             values + from);
}

/* Nodes are in an order in which inputs come first. */
static void find_spread(const Sum *sum, uint8_t *spread)
{
    const gt_Graph *graph = sum->program->graph;
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (!gt_node_is_gone(sum->program, node) && node->outputs == 1 && node->inputs > 0 &&
            node->input[0] >= 0)
            spread[node->output[0]] = (uint8_t)spread_of(sum, node);
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
            return;
    }
    for (int32_t n = 0; n < graph->node_count; n++)
        if (graph->nodes[n].operation == &gt_op_concatenate &&
            !gt_node_is_gone(program, &graph->nodes[n]) &&
            join_joins(sum, &graph->nodes[n]) != GT_OK)
            return;
}

/* Is there a padding at all? */
static bool has_paddings(const gt_Graph *graph)
{
    for (int32_t n = 0; n < graph->node_count; n++)
        if (gt_zeros_before(graph->nodes[n].operation, graph->nodes[n].options))
            return true;
    return false;
}

/* The last sum first, so that one that is a part of another is met when that one has become a join; it is dead then, and is
 * joined in vain at most. */
gt_Status gt_pass_joins(gt_Program *program)
{
    gt_Context *context = program->context;
    const int32_t values = program->graph->value_count;
    if (!has_paddings(program->graph))
        return GT_OK;
    int32_t *uses = gt_program_uses(program);
    uint8_t *spread = gt_plan_array(context, values, sizeof *spread);
    Sum sum = {.program = program, .uses = uses, .spread = spread};
    if (uses && spread) {
        find_spread(&sum, spread);
        make_joins(&sum);
    }
    gt_plan_drop(context, uses, values, sizeof *uses);
    gt_plan_drop(context, spread, values, sizeof *spread);
    return gt_context_status(context);
}
