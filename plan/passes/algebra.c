/* Algebra: operations that give back what is there already, and transpositions of a product's factors.
 *
 *     x * 1, 1 * x, x / 1, x - 0, x + -0        x: exact for every number, infinities and NaN too, -0 stays -0
 *     pad, broadcast_to, cast of x to its own   x
 *       shape and dtype
 *     sum, mean of one number, a sum or mean    x: it was added to 0 before
 *     -(-x)                                     x
 *     not not x                                 x
 *     transpose(transpose(x))                   x, where the axes are again where they were
 *     matmul(transpose(a), b)                   matmul(a, b, .transpose_a = true), and so for b
 *     y * broadcast_to(x, shape of y)           y * x, and so for other element-wise operations, and for constants of equal rows
 *
 * Only what has the same bits is here. x + 0 is not: -0 + 0 is 0, so it is done for integers only, where there is no -0; x * 0 is
 * not 0 for infinities. While a plan runs denormal numbers count as 0, also in x * 1, so of floats x must be made by arithmetic,
 * whose results are no denormals then. A signaling NaN, which no operation makes, would become a quiet one. A
 * product sums in an order that does not depend on how its factors lie (kernels/gemm_template.h). Leans on ops. */
#include "core/assert.h"
#include "ops/array/reshaping.h"
#include "ops/copies.h"
#include "ops/linalg/matmul.h"
#include "ops/lowering.h"
#include "ops/table.h"
#include "ops/tiles.h"
#include "plan/program.h"

#include <math.h>
#include <string.h>

/* The operations of which something is known. */
typedef enum Known {
    ADD,
    MULTIPLY,
    SUBTRACT,
    DIVIDE,
    CAST,
    BROADCAST_TO,
    PAD,
    SUM,
    MEAN,
    NEGATIVE,
    LOGICAL_NOT,
    TRANSPOSE,
    MATMUL,
    OTHER
} Known;

static Known known(const gt_GraphNode *node)
{
    static const gt_Operation *const operations[OTHER] = {[ADD] = &gt_op_add,
                                                          [MULTIPLY] = &gt_op_multiply,
                                                          [SUBTRACT] = &gt_op_subtract,
                                                          [DIVIDE] = &gt_op_divide,
                                                          [CAST] = &gt_op_cast,
                                                          [BROADCAST_TO] = &gt_op_broadcast_to,
                                                          [PAD] = &gt_op_pad,
                                                          [SUM] = &gt_op_sum,
                                                          [MEAN] = &gt_op_mean,
                                                          [NEGATIVE] = &gt_op_negative,
                                                          [LOGICAL_NOT] = &gt_op_logical_not,
                                                          [TRANSPOSE] = &gt_op_transpose,
                                                          [MATMUL] = &gt_op_matmul};
    Known of = ADD;
    while (of < OTHER && operations[of] != node->operation)
        of++;
    return of;
}

/* ---- numbers that change nothing ---- */

/* Is the value a constant whose elements are all this number, with this sign if it is 0? */
static bool is_number(const gt_Program *program, int32_t value, double number)
{
    const gt_GraphValue *of = &program->graph->values[gt_value_same(program, value)];
    if (of->kind != GT_GRAPH_CONSTANT || of->spec.size < 1 || gt_loop_type(of->spec.dtype) < 0)
        return false;
    const void *data = gt_value_data(of->constant);
    for (int64_t i = 0; i < of->spec.size; i++) {
        double is = gt_number_fetch(of->spec.dtype, data, i);
        if (is != number || !signbit(is) != !signbit(number))
            return false;
    }
    return true;
}

/* Is the value no denormal while a plan runs, because arithmetic made it? */
static bool is_normal(const gt_Program *program, int32_t value)
{
    static const gt_Operation *const arithmetic[] = {
        &gt_op_add, &gt_op_subtract, &gt_op_multiply, &gt_op_divide, &gt_op_square,
        &gt_op_sum, &gt_op_mean,     &gt_op_matmul,   &gt_op_conv};
    const gt_GraphNode *by = gt_value_maker(program, value);
    while (by && (by->operation == &gt_op_negative || by->operation == &gt_op_transpose ||
                  gt_is_view(program->graph, by)))
        by = gt_value_maker(program, by->input[0]);
    for (size_t i = 0; by && i < sizeof arithmetic / sizeof *arithmetic; i++)
        if (by->operation == arithmetic[i])
            return true;
    return gt_dtype_is_integer(program->graph->values[value].spec.dtype);
}

/* The operand that arithmetic gives back, because the other one changes nothing; -1: none. Those of a sum and of a product may
 * change places. */
static int32_t unchanged(const gt_Program *program, const gt_GraphNode *node, Known of)
{
    const gt_GraphValue *values = program->graph->values;
    const gt_Spec *out = &values[node->output[0]].spec;
    const bool integer = gt_dtype_is_integer(out->dtype), swaps = of == ADD || of == MULTIPLY;
    const double number = of == MULTIPLY || of == DIVIDE ? 1 : of == ADD && !integer ? -0.0 : 0;
    if (!integer && !gt_dtype_is_float(out->dtype))
        return -1;
    for (int i = 0; i <= swaps; i++)
        if (is_number(program, node->input[1 - i], number) &&
            gt_spec_equal(&values[node->input[i]].spec, out) && is_normal(program, node->input[i]))
            return node->input[i];
    return -1;
}

static bool keeps_spec(const gt_Program *program, const gt_GraphNode *node)
{
    const gt_GraphValue *values = program->graph->values;
    return gt_spec_equal(&values[node->input[0]].spec, &values[node->output[0]].spec);
}

/* Of one number that is a sum or mean itself, which is never -0, to which 0 would be added. */
static bool is_sum_of_one(const gt_Program *program, const gt_GraphNode *node)
{
    const gt_GraphNode *inner = gt_value_maker(program, node->input[0]);
    return inner && (inner->operation == &gt_op_sum || inner->operation == &gt_op_mean) &&
           program->graph->values[node->output[0]].spec.size == 1 && keeps_spec(program, node);
}

/* ---- twice is never ---- */

/* Which axis of its input each axis of a transposition is. */
static void axes_of(const gt_GraphNode *node, int rank, int axis[GT_MAX_RANK])
{
    const gt_transpose_options *options = node->options;
    for (int i = 0; i < rank; i++) {
        int from = options->perm.count < 0 ? rank - 1 - i : options->perm.axis[i];
        axis[i] = from < 0 ? from + rank : from;
    }
}

static bool undoes(const gt_GraphNode *outer, const gt_GraphNode *inner, int rank)
{
    int a[GT_MAX_RANK], b[GT_MAX_RANK];
    axes_of(outer, rank, a);
    axes_of(inner, rank, b);
    for (int i = 0; i < rank; i++)
        if (b[a[i]] != i)
            return false;
    return true;
}

/* The input of the inner of two operations that undo each other; -1: they do not. */
static int32_t undone(const gt_Program *program, const gt_GraphNode *node, Known of)
{
    const gt_GraphNode *inner = gt_value_maker(program, node->input[0]);
    if (!inner || inner->operation != node->operation)
        return -1;
    int rank = program->graph->values[node->output[0]].spec.rank;
    return of == TRANSPOSE && !undoes(node, inner, rank) ? -1 : inner->input[0];
}

/* ---- what is stretched ---- */

/* Is the operation element-wise, and do its operands still make its result, walked over as rows at most, if operand i is `as`? */
static bool stretches(const gt_Program *program, const gt_GraphNode *node, int i, int32_t as)
{
    const gt_GraphValue *values = program->graph->values;
    const gt_Spec *input[3], *out = &values[node->output[0]].spec;
    gt_Broadcast walk;
    bool whole = false;
    for (int k = 0; k < node->inputs; k++) {
        input[k] = &values[k == i ? as : node->input[k]].spec;
        whole |= k != i && input[k]->size == out->size && input[k]->rank == out->rank;
    }
    if (whole)
        gt_broadcast_plan(&walk, out, node->inputs, input);
    return whole && walk.rank <= 2;
}

/* Is an operand made of zeros around something else? Its sum is a join then, which takes constants as they are. */
static bool has_padding(const gt_Program *program, const gt_GraphNode *node)
{
    for (int i = 0; i < node->inputs; i++) {
        const gt_GraphNode *by = gt_value_maker(program, node->input[i]);
        if (by && gt_zeros_before(by->operation, by->options))
            return true;
    }
    return false;
}

/* Operands that were stretched to the shape of the result, by broadcast_to or as constants, are read as they were before: the loop
 * stretches them itself. */
static void read_unstretched(gt_Program *program, int32_t n)
{
    const gt_GraphNode *node = &program->graph->nodes[n];
    const bool binary = node->operation->lower == gt_lower_loop && node->inputs == 2;
    if ((!binary && node->operation != &gt_op_where) || has_padding(program, node))
        return;
    for (int i = 0; i < node->inputs; i++) {
        const gt_GraphNode *by = gt_value_maker(program, node->input[i]);
        const int32_t as = by && by->operation == &gt_op_broadcast_to && by->piece == node->piece
                               ? by->input[0]
                               : gt_program_row(program, node->input[i]);
        if (as >= 0 && stretches(program, node, i, as))
            node->input[i] = as;
    }
}

/* ---- products ---- */

/* A factor that is a transposed matrix becomes that matrix. The options are the graph's own. */
static void turn_factors(gt_Program *program, gt_GraphNode *node)
{
    gt_matmul_options *options = node->options;
    bool *turned[2] = {&options->transpose_a, &options->transpose_b};
    for (int i = 0; i < 2; i++) {
        const gt_GraphNode *factor = gt_value_maker(program, node->input[i]);
        if (!factor || factor->operation != &gt_op_transpose)
            continue;
        int32_t before = node->input[i], other = node->input[1 - i];
        const gt_GraphValue *values = program->graph->values;
        int axis[GT_MAX_RANK];
        axes_of(factor, 2, axis);
        if (values[before].spec.rank != 2 || values[other].spec.rank != 2 || axis[0] != 1)
            continue;
        node->input[i] = factor->input[0];
        *turned[i] = !*turned[i];
    }
}

/* The value that the node's output is; -1: none. */
static int32_t same_as(const gt_Program *program, const gt_GraphNode *node, Known of)
{
    switch (of) {
    case ADD:
    case MULTIPLY:
    case SUBTRACT:
    case DIVIDE:
        return unchanged(program, node, of);
    case CAST:
    case BROADCAST_TO:
    case PAD:
        return keeps_spec(program, node) ? node->input[0] : -1;
    case SUM:
    case MEAN:
        return is_sum_of_one(program, node) ? node->input[0] : -1;
    case NEGATIVE:
    case LOGICAL_NOT:
    case TRANSPOSE:
        return undone(program, node, of);
    case MATMUL:
    case OTHER:
        break;
    }
    return -1;
}

gt_Status gt_pass_algebra(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    for (int32_t n = 0; n < graph->node_count; n++) {
        gt_GraphNode *node = &graph->nodes[n];
        const Known of = known(node);
        if (gt_node_is_gone(program, node))
            continue;
        const int32_t same = same_as(program, node, of);
        if (same >= 0)
            program->facts[node->output[0]].same = gt_value_same(program, same);
        else if (of == MATMUL)
            turn_factors(program, node);
        else
            read_unstretched(program, n);
    }
    return gt_context_status(program->context);
}
