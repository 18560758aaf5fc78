/* The pseudo-inverse, from singular values.
 *
 * Gradient: G. Golub and V. Pereyra, The differentiation of pseudo-inverses (1973). */
#include "ops/linalg/pinv.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/require.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

static gt_Status pinv_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (gt_matrix_check(in, false) != GT_OK)
        return gt_status();
    gt_Matrices a = gt_matrices(in);
    int64_t k = a.rows < a.columns ? a.rows : a.columns;
    size_t element = gt_dtype_size(in->dtype);
    rule->output[0] = *in;
    rule->output[0].dims[in->rank - 2] = a.columns;
    rule->output[0].dims[in->rank - 1] = a.rows;
    rule->scratch = gt_piece_bytes(a.rows * k, element) + gt_piece_bytes(k, element) +
                    gt_piece_bytes(k * a.columns, element) +
                    gt_svd_bytes(a.rows, a.columns, element);
    return GT_OK;
}

/* V diag(1 / s) U' */
static bool pinv_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns, k = rows < columns ? rows : columns;
    void *u = gt_piece_take(&scratch, rows * k, job->element);
    void *s = gt_piece_take(&scratch, k, job->element);
    void *vh = gt_piece_take(&scratch, k * columns, job->element);
    if (!gt_svd_into(job, batch, scratch, u, s, vh))
        return false;
    double largest = gt_number_fetch(job->kernel->input_spec[0]->dtype, s, 0);
    double rounding = gt_matrix_rounding(job->kernel->input_spec[0]->dtype, rows, columns);
    gt_inverse_of_factors(job->type, rows, columns, k, u, s, vh, rounding * largest,
                          gt_matrix_output(job, 0, batch * rows * columns));
    return true;
}

static gt_Status pinv_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, pinv_body, "has no singular values", "gesdd", NULL);
}

/* dA = -P' G P' + (I - A P) G' P P' + P' P G' (I - P A), with A of constant rank: that is the trace
 * of A P, a projection. A matrix that lacks rank has neighbours of every rank above, so that this
 * cannot be differentiated once more. */
static gt_Status pinv_gradient(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_rule_input(rule, 0), *p = gt_rule_output(rule, 0), *g = gt_upstream(rule, 0);
    gt_Matrices size = gt_matrices(gt_rule_input_spec(rule, 0));
    double most = (double)(size.rows < size.columns ? size.rows : size.columns);
    gt_Tensor *rank = gt_sum(gt_multiply(a, gt_matrix_transposed(p)), .axes = gt_axes(-2, -1));
    gt_Tensor *full = gt_greater(rank, most - 0.5);
    p = gt_require_later(p, full, GT_REQUIREMENT_PINV_FULL_RANK);
    gt_Tensor *gp = gt_matmul(g, p, .transpose_a = true); /* G' P */
    gt_Tensor *pg = gt_matmul(p, g, .transpose_b = true); /* P G' */
    gt_Tensor *first = gt_matmul(gt_matmul(p, g, .transpose_a = true), p, .transpose_b = true);
    gt_Tensor *left = gt_matmul(gp, p, .transpose_b = true);  /* G' P P' */
    gt_Tensor *right = gt_matmul(p, pg, .transpose_a = true); /* P' P G' */
    left = gt_subtract(left, gt_matmul(a, gt_matmul(p, left)));
    right = gt_subtract(right, gt_matmul(gt_matmul(right, p), a));
    return gt_give(rule, 0, gt_subtract(gt_add(left, right), first));
}

const gt_Operation gt_op_pinv = {
    GT_RECORD("pinv", "the Moore-Penrose inverse", 1, 1),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = pinv_shape,
    .run = pinv_run,
    .gradient = pinv_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 2))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 3))}),
};
GT_DEFINE_UNARY(pinv)
