/* Diagonals of matrices, the sum of one, matrices with a given one.
 *
 *   diagonal           x (..., rows, ..., columns, ...) -> (..., n): a copy that steps through both axes at once
 *   diagonal_matrix    x (..., n) -> (..., rows, columns): zeros, then the same copy the other way round
 *
 * Each is the gradient of the other.
 *
 * Example: in a matrix of 3 x 4 the diagonal with offset 1 begins at element 1 and steps by 5: elements 1, 6, 11. */
#include "ops/linalg/diagonal.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/copies.h"
#include "ops/kit.h"
#include "ops/linalg/matrix.h"
#include "ops/masks.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_diagonal_options, gt_diagonal_OPTIONS);
GT_OPTION_TYPE(gt_diag_options, gt_diag_OPTIONS);

/* A diagonal among the elements of a matrix. */
typedef struct Line {
    int64_t row, column, length; /* where it begins */
} Line;

static Line line_of(int64_t rows, int64_t columns, int64_t offset)
{
    /* further out a diagonal is empty, and a larger offset would overflow */
    offset = offset < -rows ? -rows : offset > columns ? columns : offset;
    Line line = {offset < 0 ? -offset : 0, offset > 0 ? offset : 0, 0};
    int64_t down = rows - line.row, right = columns - line.column;
    line.length = down < right ? down : right;
    return line;
}

/* ---- diagonal ---- */

/* The axes of rows and columns, from 0; -1 in both with an error raised. */
static void axes_of(const gt_diagonal_options *options, const gt_Spec *in, int *row, int *column)
{
    char text[160];
    *row = *column = -1;
    if (in->rank < 2) {
        gt_fail(GT_INVALID, "expected a matrix (got shape %s)",
                gt_dims_text(in, text, sizeof text));
        return;
    }
    int first = gt_axis(options->axis1, in->rank);
    int second = first < 0 ? -1 : gt_axis(options->axis2, in->rank);
    if (second < 0)
        return;
    if (first == second) {
        gt_fail(GT_INVALID, "axis1 and axis2 must differ (both are axis %d)", first);
        return;
    }
    *row = first;
    *column = second;
}

static gt_Status diagonal_shape(gt_ShapeRule *rule)
{
    const gt_diagonal_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    int row, column;
    axes_of(options, in, &row, &column);
    if (row < 0)
        return gt_status();
    out->dtype = in->dtype;
    for (int d = 0; d < in->rank; d++)
        if (d != row && d != column)
            out->dims[out->rank++] = in->dims[d];
    out->dims[out->rank++] = line_of(in->dims[row], in->dims[column], options->offset).length;
    return GT_OK;
}

static void diagonal_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_diagonal_options *options = rule->options;
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    int row, column;
    int64_t stride[GT_MAX_RANK], to[GT_MAX_RANK];
    axes_of(options, in, &row, &column);
    Line line = line_of(in->dims[row], in->dims[column], options->offset);
    gt_strides(in, stride);
    gt_strides(out, to);
    gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
    job->from = line.row * stride[row] + line.column * stride[column];
    for (int d = 0, k = 0; d < in->rank; d++)
        if (d != row && d != column) {
            gt_copy_axis(job, in->dims[d], stride[d], to[k]);
            k++;
        }
    gt_copy_axis(job, line.length, stride[row] + stride[column], 1);
    gt_copy_end(lowering, job);
}

static gt_Tensor *diagonal_matrix(gt_Tensor *x, int64_t offset, int64_t rows, int64_t columns);

static gt_Status diagonal_gradient(gt_GradientRule *rule)
{
    const gt_diagonal_options *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    int row, column, next = 0;
    axes_of(options, in, &row, &column);
    gt_Tensor *dx =
        diagonal_matrix(gt_upstream(rule, 0), options->offset, in->dims[row], in->dims[column]);
    gt_Axes perm = gt_axes();
    for (int d = 0; d < in->rank; d++)
        perm.axis[perm.count++] = d == row ? in->rank - 2 : d == column ? in->rank - 1 : next++;
    return gt_give(rule, 0, gt_permuted(dx, &perm));
}

/* The axes before both stay in front; a mask of those does. */
static gt_Status diagonal_mask(gt_MaskRule *rule)
{
    int row, column;
    axes_of(rule->shape->options, rule->shape->input[0], &row, &column);
    return row < 0 ? gt_status() : gt_mask_rows(rule, row < column ? row : column);
}

#define DIAGONAL(...) .options = &GT_VALUES(gt_diagonal_options, __VA_ARGS__)
const gt_Operation gt_op_diagonal = {
    GT_RECORD("diagonal", "x[..., i, i + offset, ...] at [..., i]", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_diagonal_options_type,
    .shape = diagonal_shape,
    .lower = diagonal_lower,
    .gradient = diagonal_gradient,
    .mask = diagonal_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 4))},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 3)), DIAGONAL(-1, -2, -1)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 2, 4, 2)), DIAGONAL(1, 2, 0)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 2)), DIAGONAL(5, 0, 1)}),
};
GT_DEFINE_OPTIONS(diagonal, gt_diagonal_options, x)

static gt_Tensor *trace(gt_Tensor *x, const gt_diagonal_options *options)
{
    return gt_sum(gt_diagonal_at(NULL, x, options), .axis = -1);
}
GT_COMPOSED_OPTIONS(trace, trace, gt_diagonal_options)

/* ---- matrices with a given diagonal ---- */

#define MATRIX_OPTIONS(F, S)                                                                       \
    F(S, int64_t, offset, 0, "which diagonal")                                                     \
    F(S, int64_t, rows, -1, "-1: as many as the diagonal needs")                                   \
    F(S, int64_t, columns, -1, "-1: as many as the diagonal needs")
GT_OPTIONS(MatrixOptions, MATRIX_OPTIONS);
GT_OPTION_TYPE(MatrixOptions, MATRIX_OPTIONS);

#define FURTHEST INT32_MAX /* a square that much larger than its diagonal has too many elements */

static gt_Status diagonal_matrix_shape(gt_ShapeRule *rule)
{
    const MatrixOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    if (in->rank < 1 || in->rank == GT_MAX_RANK)
        return gt_fail(GT_INVALID, "expected vectors with at most %d axes (got rank %d)",
                       GT_MAX_RANK - 1, in->rank);
    int64_t n = in->dims[in->rank - 1], offset = options->offset;
    if (offset > FURTHEST || offset < -FURTHEST || n > FURTHEST)
        return gt_fail(GT_INVALID,
                       "a matrix with %lld elements on diagonal %lld would be too large",
                       (long long)n, (long long)offset);
    int64_t side = n + (offset < 0 ? -offset : offset);
    *out = *in;
    out->rank = in->rank + 1;
    out->dims[in->rank - 1] = options->rows < 0 ? side : options->rows;
    out->dims[in->rank] = options->columns < 0 ? side : options->columns;
    int64_t length = line_of(out->dims[in->rank - 1], out->dims[in->rank], offset).length;
    if (length != n)
        return gt_fail(GT_INVALID, "expected %lld elements for the diagonal (got %lld)",
                       (long long)length, (long long)n);
    return GT_OK;
}

static void diagonal_matrix_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const MatrixOptions *options = rule->options;
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    int64_t rows = out->dims[out->rank - 2], columns = out->dims[out->rank - 1], outer = 1;
    Line line = line_of(rows, columns, options->offset);
    for (int d = 0; d < out->rank - 2; d++)
        outer *= out->dims[d];
    gt_lower_fill(lowering, out->dtype, 1, out->size, 0);
    gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
    job->to = line.row * columns + line.column;
    gt_copy_axis(job, outer, line.length, rows * columns);
    gt_copy_axis(job, line.length, 1, columns + 1);
    gt_copy_end(lowering, job);
}

static gt_Status diagonal_matrix_gradient(gt_GradientRule *rule)
{
    const MatrixOptions *options = gt_rule_options(rule);
    return gt_give(
        rule, 0,
        gt_diagonal(gt_upstream(rule, 0), .offset = options->offset, .axis1 = -2, .axis2 = -1));
}

/* The zeros around an element belong to the matrix of its vector. */
static gt_Status diagonal_matrix_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->input[0]->rank - 1);
}

#define SIDES(...) .options = &GT_VALUES(MatrixOptions, __VA_ARGS__)
const gt_Operation gt_op_diagonal_matrix = {
    GT_RECORD("diagonal_matrix", "x[..., i] at [..., i, i + offset], else 0", 1, 1),
    .flags = GT_OP_INTERNAL | GT_OP_LINEAR | GT_OP_HALF,
    .options = &MatrixOptions_type,
    .shape = diagonal_matrix_shape,
    .lower = diagonal_matrix_lower,
    .gradient = diagonal_matrix_gradient,
    .mask = diagonal_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3)), SIDES(-1, -1, -1)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3)), SIDES(1, 3, 5)}),
};

static gt_Tensor *diagonal_matrix(gt_Tensor *x, int64_t offset, int64_t rows, int64_t columns)
{
    const MatrixOptions options = GT_VALUES(MatrixOptions, offset, rows, columns);
    return gt_apply_one_at(NULL, &gt_op_diagonal_matrix, &options, 1, &x);
}

static gt_Tensor *diagflat(gt_Tensor *x, const gt_diag_options *given)
{
    gt_diag_options options;
    GT_TAKE(gt_diag_options, &options, given);
    return diagonal_matrix(gt_ravel(x), options.k, -1, -1);
}
GT_COMPOSED_OPTIONS(diagflat, diagflat, gt_diag_options)

static gt_Tensor *diag(gt_Tensor *x, const gt_diag_options *given)
{
    gt_diag_options options;
    GT_TAKE(gt_diag_options, &options, given);
    gt_Spec in = gt_spec(x);
    char text[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (in.rank == 1)
        return diagonal_matrix(x, options.k, -1, -1);
    if (in.rank == 2)
        return gt_diagonal(x, .offset = options.k);
    gt_fail(GT_INVALID, "expected a vector or a matrix (got shape %s)",
            gt_dims_text(&in, text, sizeof text));
    return NULL;
}
GT_COMPOSED_OPTIONS(diag, diag, gt_diag_options)
