/* Singular values and vectors.
 *
 *   svd              the operation: reduced factors, by LAPACK's gesdd
 *   gt_svd           the function: completes them with columns of qr.c
 *   gt_inverse_gaps  1 / (s[j] - s[i]), for gradients of vectors; eigh.c uses it, too
 *
 * For LAPACK our x is x' = V S U': it is asked for the factors of that, and its U and V' are our V' and U. No copy is
 * transposed.
 *
 * The gradient divides by differences of the values and, for what the vectors have outside of their space, by the values.
 * Where that would be a division by 0, or by what rounding may have made of 0, and something is to be divided, it is an
 * error (require.h); numbers that decide are held (gt_stop_gradient), since the decision has no gradient.
 *
 * Example: s = (3, 1) has gaps s[1] - s[0] = -2: [[0, -1/2], [1/2, 0]]. s = (3, 3) has a gap of 0: a gradient that arrives
 * at the vectors is an error, one that arrives at s alone never asks for gaps.
 *
 * Gradient: C. Ionescu et al., Matrix backpropagation for deep networks (2015). */
#include "ops/linalg/svd.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/require.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

#include <string.h>

GT_OPTION_TYPE(gt_svd_options, gt_svd_OPTIONS);

/* LAPACK's, in either type. */
typedef void Gesdd(const char *job, const gt_LapackInt *m, const gt_LapackInt *n, void *a,
                   const gt_LapackInt *lda, void *s, void *u, const gt_LapackInt *ldu, void *vt,
                   const gt_LapackInt *ldvt, void *work, const gt_LapackInt *lwork,
                   gt_LapackInt *iwork, gt_LapackInt *info, size_t job_length);

static int64_t work_length(int64_t k, int64_t longer)
{
    return 4 * k * k + 7 * k + longer * GT_LAPACK_BLOCK;
}

size_t gt_svd_bytes(int64_t rows, int64_t columns, size_t element)
{
    int64_t k = rows < columns ? rows : columns;
    return gt_piece_bytes(rows * columns, element) + gt_piece_bytes(8 * k, sizeof(gt_LapackInt)) +
           gt_piece_bytes(work_length(k, rows + columns), element);
}

static gt_Status svd_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (gt_matrix_check(in, false) != GT_OK)
        return gt_status();
    gt_Matrices a = gt_matrices(in);
    int64_t k = a.rows < a.columns ? a.rows : a.columns;
    rule->output[0] = rule->output[1] = rule->output[2] = *in;
    rule->output[0].dims[in->rank - 1] = k;
    rule->output[1].dims[in->rank - 2] = k;
    rule->output[1].rank = in->rank - 1;
    rule->output[2].dims[in->rank - 2] = k;
    rule->scratch = gt_svd_bytes(a.rows, a.columns, gt_dtype_size(in->dtype));
    return GT_OK;
}

/* For LAPACK our matrix is A' = V S U'; what it returns as U and V' are our V' and U. */
bool gt_svd_into(const gt_MatrixJob *job, int64_t batch, char *scratch, void *u, void *s, void *vh)
{
    int64_t rows = job->a.rows, columns = job->a.columns, k = rows < columns ? rows : columns;
    if (!gt_matrix_is_finite(job, batch))
        return false;
    void *a = gt_piece_take(&scratch, rows * columns, job->element);
    gt_LapackInt *iwork = gt_piece_take(&scratch, 8 * k, sizeof(gt_LapackInt));
    void *work = gt_piece_take(&scratch, work_length(k, rows + columns), job->element);
    gt_LapackInt m = (gt_LapackInt)columns, n = (gt_LapackInt)rows, least = (gt_LapackInt)k,
                 info = 0;
    int64_t most = work_length(k, rows + columns);
    gt_LapackInt length = most < INT32_MAX ? (gt_LapackInt)most : INT32_MAX;
    memcpy(a, gt_matrix_input(job, 0, batch), (size_t)(rows * columns) * job->element);
    ((Gesdd *)job->lapack[0])("S", &m, &n, a, &m, s, vh, &m, u, &least, work, &length, iwork, &info,
                              1);
    return info == 0;
}

static bool svd_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns, k = rows < columns ? rows : columns;
    return gt_svd_into(job, batch, scratch, gt_matrix_output(job, 0, batch * rows * k),
                       gt_matrix_output(job, 1, batch * k),
                       gt_matrix_output(job, 2, batch * k * columns));
}

static gt_Status svd_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, svd_body, "has no singular values", "gesdd", NULL);
}

/* A matrix with that vector on its diagonal scales rows from the left, columns from the right. */
static gt_Tensor *scale_rows(gt_Tensor *s, gt_Tensor *x)
{
    return gt_multiply(x, gt_expand_dims(s, -1));
}
static gt_Tensor *scale_columns(gt_Tensor *x, gt_Tensor *s)
{
    return gt_multiply(x, gt_expand_dims(s, -2));
}

/* 1 / (s[j] - s[i]), and 0 on the diagonal, for gradients of vectors of these sizes (..., 1, k).
 * Vectors of equal values may be any basis of what they span. */
gt_Tensor *gt_inverse_gaps(gt_Tensor *s, gt_Tensor *sizes, double rounding,
                           gt_Requirement requirement)
{
    gt_Tensor *held = gt_stop_gradient(s), *each = gt_stop_gradient(sizes);
    gt_Tensor *apart = gt_abs(gt_subtract(gt_expand_dims(held, -2), gt_expand_dims(held, -1)));
    gt_Tensor *least = gt_expand_dims(gt_multiply(gt_largest_along(held, -1), rounding), -1);
    gt_Tensor *fine = gt_matrix_divides(apart, least, gt_add(each, gt_matrix_transposed(each)));
    gt_Tensor *one = gt_eye(gt_last(gt_tensor_shape(s)), .dtype = gt_dtype(s));
    fine = gt_logical_or(fine, gt_equal(one, 1));
    s = gt_require(s, gt_all(fine, .axes = gt_axes(-2, -1)), requirement);
    gt_Tensor *gap = gt_subtract(gt_expand_dims(s, -2), gt_expand_dims(s, -1));
    return gt_subtract(gt_reciprocal(gt_add(gap, one)), one);
}

/* (x - x') gaps */
static gt_Tensor *rotation(gt_Tensor *x, gt_Tensor *gaps)
{
    return gt_multiply(gt_subtract(x, gt_matrix_transposed(x)), gaps);
}

/* 1 / (s[j]^2 - s[i]^2), 0 on the diagonal */
static gt_Tensor *inverse_gaps_of_squares(gt_Tensor *s, gt_Tensor *sizes, double rounding)
{
    gt_Tensor *one = gt_eye(gt_last(gt_tensor_shape(s)), .dtype = gt_dtype(s));
    gt_Tensor *sum = gt_add(gt_expand_dims(s, -2), gt_expand_dims(s, -1));
    sum = gt_where(gt_equal(one, 1), one, sum);
    return gt_divide(gt_inverse_gaps(s, sizes, rounding, GT_REQUIREMENT_SINGULAR_VALUES_DIFFER),
                     sum);
}

/* 1 / s, for what is outside of the columns of u, of these sizes. */
static gt_Tensor *inverse_values(gt_Tensor *s, gt_Tensor *sizes, double rounding)
{
    gt_Tensor *held = gt_stop_gradient(s);
    gt_Tensor *each = gt_squeeze(gt_stop_gradient(sizes), .axis = -2);
    gt_Tensor *least = gt_multiply(gt_largest_along(held, -1), rounding);
    gt_Tensor *fine = gt_matrix_divides(held, least, each);
    return gt_reciprocal(
        gt_require(s, gt_all(fine, .axis = -1), GT_REQUIREMENT_SINGULAR_VALUES_NOT_ZERO));
}

/* With F = 1 / (s[j]^2 - s[i]^2): dA = U [(U' dU - dU' U) F S + S (V' dV - dV' V) F + dS] V',
 * and what dU and dV have outside of the columns of U and V, divided by S. */
static gt_Status svd_gradient(gt_GradientRule *rule)
{
    gt_Tensor *u = gt_rule_output(rule, 0), *s = gt_rule_output(rule, 1),
              *vh = gt_rule_output(rule, 2);
    gt_Tensor *du = gt_upstream(rule, 0), *dvh = gt_upstream(rule, 2);
    gt_Matrices a = gt_matrices(gt_rule_input_spec(rule, 0));
    gt_Tensor *middle = gt_on_diagonal(gt_upstream_or_zero(rule, 1)), *more = NULL;
    double rounded = gt_matrix_rounding(gt_rule_input_spec(rule, 0)->dtype, a.rows, a.columns);
    gt_Tensor *of_u = du ? gt_largest_along(du, -2) : NULL;
    gt_Tensor *of_v = dvh ? gt_largest_along(gt_matrix_transposed(dvh), -2) : NULL;
    gt_Tensor *sizes = gt_sum_of_given(of_u, of_v);
    gt_Tensor *gaps = sizes ? inverse_gaps_of_squares(s, sizes, rounded) : NULL;
    if (du) {
        gt_Tensor *inside = gt_matmul(u, du, .transpose_a = true);
        middle = gt_add(middle, scale_columns(rotation(inside, gaps), s));
        if (a.rows > a.columns) {
            gt_Tensor *outside = gt_subtract(du, gt_matmul(u, inside));
            more = gt_matmul(scale_columns(outside, inverse_values(s, of_u, rounded)), vh);
        }
    }
    if (dvh) {
        gt_Tensor *inside = gt_matmul(vh, dvh, .transpose_b = true);
        middle = gt_add(middle, scale_rows(s, rotation(inside, gaps)));
        if (a.columns > a.rows) {
            gt_Tensor *outside = gt_subtract(dvh, gt_matmul(gt_matrix_transposed(inside), vh));
            more = gt_matmul(u, scale_rows(inverse_values(s, of_v, rounded), outside));
        }
    }
    gt_Tensor *da = gt_matmul(u, gt_matmul(middle, vh));
    return gt_give(rule, 0, gt_sum_of_given(da, more));
}

const gt_Operation gt_op_svd = {
    GT_RECORD_OUTPUTS("svd", "U, s and V' with U diag(s) V' = A", 1, 1, 3),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_outputs = 7,
    .shape = svd_shape,
    .run = svd_run,
    .gradient = svd_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(4, 2))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 3))}),
};

static gt_Svd svd(gt_Tensor *x, const gt_svd_options *given)
{
    gt_svd_options options;
    GT_TAKE(gt_svd_options, &options, given);
    gt_Tensor *out[3] = {NULL, NULL, NULL};
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_apply_at(NULL, &gt_op_svd, NULL, 1, &x, out) == GT_OK && options.full_matrices) {
        int64_t rows = gt_dim(shape, -2), columns = gt_dim(shape, -1);
        if (rows > columns)
            out[0] = gt_basis_completed(out[0]);
        if (columns > rows)
            out[2] = gt_matrix_transposed(gt_basis_completed(gt_matrix_transposed(out[2])));
    }
    return gt_status() == GT_OK ? (gt_Svd){out[0], out[1], out[2]} : (gt_Svd){NULL, NULL, NULL};
}
GT_COMPOSED_BY(gt_Svd, svd, svd, (const char *here, gt_Tensor *x, const gt_svd_options *options),
               (x, options))
