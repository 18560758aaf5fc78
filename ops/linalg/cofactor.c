/* Cofactors: the derivatives of det, for singular matrices too.
 *
 *   cofactor            d det A / dA
 *   cofactor_gradient   d sum(G cof A) / dA: the second derivative of det, in the direction G
 *
 * With A = U S V' and p[i] the product of the singular values but s[i]: cof A = det U det V U diag(p) V', of any rank
 * (G. W. Stewart, On the adjugate matrix, 1998). Its derivative, in the frame of U and V, is that of the cofactors of a
 * diagonal matrix, with q[i, j] the product but for s[i] and s[j]: element (i, i) grows by q[i, j] with element (j, j),
 * element (i, j) shrinks by it with (j, i).
 *
 * Products but for one or two values are taken from running products from both ends, so that nothing is divided by a value
 * that may be 0. Signs of det U and det V come from LU factors.
 *
 * Example: s = (3, 2, 0): before = (1, 3, 6), after = (0, 0, 1), p = before after = (0, 0, 6). */
#include "ops/array/reshaping.h"
#include "ops/linalg/determinant.h"
#include "ops/linalg/diagonal.h"
#include "ops/linalg/equations.h"
#include "core/inside.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"

#include <string.h>

/* The factors of one matrix, with memory for a product. before[i] and after[i] are the products of the singular values on
 * either side of s[i]; the first ones times det U det V. */
typedef struct Frame {
    void *u, *s, *vh, *gemm;
    double *before, *after;
} Frame;

static int64_t gemm_bytes(const gt_KernelTable *loops, int64_t n, gt_LoopType type)
{
    return (int64_t)loops->gemm_scratch[type](n, n, n);
}

static size_t frame_bytes(int64_t n, gt_DType dtype)
{
    size_t element = gt_dtype_size(dtype);
    size_t work = gt_svd_bytes(n, n, element), lu = gt_lu_bytes(n, element);
    return 2 * gt_piece_bytes(n * n, element) + gt_piece_bytes(n, element) +
           2 * gt_piece_bytes(n, sizeof(double)) +
           gt_piece_bytes(
               gemm_bytes(gt_context_kernels(gt_context()), n, (gt_LoopType)gt_loop_type(dtype)),
               1) +
           (work > lu ? work : lu);
}

static bool take_frame(const gt_MatrixJob *job, int64_t batch, char **scratch, Frame *frame)
{
    int64_t n = job->a.rows;
    frame->u = gt_piece_take(scratch, n * n, job->element);
    frame->vh = gt_piece_take(scratch, n * n, job->element);
    frame->s = gt_piece_take(scratch, n, job->element);
    frame->before = gt_piece_take(scratch, n, sizeof(double));
    frame->after = gt_piece_take(scratch, n, sizeof(double));
    frame->gemm = gt_piece_take(scratch, gemm_bytes(job->loops, n, job->type), 1);
    if (!gt_svd_into(job, batch, *scratch, frame->u, frame->s, frame->vh))
        return false;
    double product = 1;
    for (int k = 0; k < 2; k++) {
        double sign;
        const void *lu =
            gt_lu_factored(job, job->lapack[1], k ? frame->vh : frame->u, *scratch, &sign);
        gt_diagonal_logarithm(job->type, n, lu, &sign);
        product *= sign;
    }
    gt_products_around(job->type, n, frame->s, product, frame->before, frame->after);
    return true;
}

/* c = op(a) op(b) of square matrices */
static void product(const gt_MatrixJob *job, const Frame *frame, bool transpose_a, const void *a,
                    bool transpose_b, const void *b, void *c)
{
    int64_t n = job->a.rows;
    job->loops->gemm[job->type](transpose_a, transpose_b, n, n, n, a, n, b, n, c, n, frame->gemm);
}

static gt_Status cofactor_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (gt_matrix_check(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = *in;
    rule->scratch = frame_bytes(in->dims[in->rank - 1], in->dtype);
    return GT_OK;
}

static bool cofactor_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    Frame frame;
    if (!take_frame(job, batch, &scratch, &frame))
        return false;
    gt_scale_columns_around(job->type, n, frame.u, frame.before, frame.after);
    product(job, &frame, false, frame.u, false, frame.vh, gt_matrix_output(job, 0, batch * n * n));
    return true;
}

static gt_Status cofactor_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, cofactor_body, "has no cofactors", "gesdd", "getrf");
}

static gt_Tensor *cofactor_gradient(gt_Tensor *a, gt_Tensor *g)
{
    return gt_apply_one_at(NULL, &gt_op_cofactor_gradient, NULL, 2, (gt_Tensor *[]){a, g});
}

static gt_Status cofactor_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, cofactor_gradient(gt_rule_input(rule, 0), gt_upstream(rule, 0)));
}

const gt_Operation gt_op_cofactor = {
    GT_RECORD("cofactor", "the matrix of cofactors, det A A'^-1 where that is", 1, 1),
    .flags = GT_OP_INTERNAL | GT_OP_FOREIGN_CODE,
    .saves_inputs = 1,
    .shape = cofactor_shape,
    .run = cofactor_run,
    .gradient = cofactor_rule,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 2))}),
};

/* (A, G) -> d sum(G cof A) / dA: the second derivative of det, in the direction G */

static gt_Status cofactor_gradient_shape(gt_ShapeRule *rule)
{
    char a[200], b[200];
    if (cofactor_shape(rule) != GT_OK)
        return gt_status();
    if (!gt_spec_equal(rule->input[0], rule->input[1]))
        return gt_fail(GT_INVALID, "both matrices must be alike (got %s and %s)",
                       gt_spec_text(rule->input[0], a, sizeof a),
                       gt_spec_text(rule->input[1], b, sizeof b));
    const gt_Spec *in = rule->input[0];
    int64_t n = in->dims[in->rank - 1];
    rule->scratch += 2 * gt_piece_bytes(n * n, gt_dtype_size(in->dtype));
    return GT_OK;
}

static bool cofactor_gradient_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    Frame frame;
    void *h = gt_piece_take(&scratch, n * n, job->element),
         *m = gt_piece_take(&scratch, n * n, job->element);
    if (!take_frame(job, batch, &scratch, &frame))
        return false;
    product(job, &frame, false, gt_matrix_input(job, 1, batch), true, frame.vh, m);
    product(job, &frame, true, frame.u, false, m, h); /* U' G V */
    gt_cofactors_of_diagonal(job->type, n, frame.s, frame.before, frame.after, h, m);
    product(job, &frame, false, m, false, frame.vh, h);
    product(job, &frame, false, frame.u, false, h, gt_matrix_output(job, 0, batch * n * n));
    return true;
}

static gt_Status cofactor_gradient_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, cofactor_gradient_body, "has no cofactors", "gesdd", "getrf");
}

static gt_Tensor *trace(gt_Tensor *x)
{
    x = gt_trace(x, .axis1 = -2, .axis2 = -1);
    return gt_expand_dims(gt_expand_dims(x, -1), -1);
}

/* It is symmetric in its two directions, G and that of the upstream gradient W. In A, the third
 * derivative of det, of matrices with an inverse: with X = A^-1 G, Y = A^-1 W and traces x, y of X,
 * Y det A A'^-1 ((x y - tr(X Y)) I - y X - x Y + X Y + Y X)' */
static gt_Status cofactor_gradient_rule(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_rule_input(rule, 0), *w = gt_upstream(rule, 0);
    if (gt_wants(rule, 1))
        gt_give(rule, 1, cofactor_gradient(a, w));
    if (gt_wants(rule, 0)) {
        gt_Tensor *x = gt_solve_with(a, gt_rule_input(rule, 1), false),
                  *y = gt_solve_with(a, w, false);
        gt_Tensor *xy = gt_matmul(x, y), *yx = gt_matmul(y, x);
        gt_Tensor *scale = gt_subtract(gt_multiply(trace(x), trace(y)), trace(xy));
        gt_Tensor *mixed = gt_add(gt_multiply(x, trace(y)), gt_multiply(y, trace(x)));
        gt_Tensor *sum = gt_add(gt_multiply(gt_matrix_identity(a), scale), gt_add(xy, yx));
        sum = gt_solve_with(a, gt_matrix_transposed(gt_subtract(sum, mixed)), true);
        gt_Tensor *det = gt_expand_dims(gt_expand_dims(gt_det(a), -1), -1);
        gt_give(rule, 0, gt_multiply(sum, det));
    }
    return gt_status();
}

const gt_Operation gt_op_cofactor_gradient = {
    GT_RECORD("cofactor_gradient", "d sum(G cof A) / dA", 2, 2),
    .flags = GT_OP_INTERNAL | GT_OP_FOREIGN_CODE,
    .saves_inputs = 3,
    .shape = cofactor_gradient_shape,
    .run = cofactor_gradient_run,
    .gradient = cofactor_gradient_rule,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_MATRIX(3, 3), GT_ANY(3, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_MATRIX(2, 2, 2), GT_ANY(2, 2, 2))}),
};
