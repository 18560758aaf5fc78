/* QR factors, and the columns that complete orthonormal ones to a basis.
 *
 *   qr           the operation: x (..., m, n), m >= n, by LAPACK's geqrf and orgqr
 *   complement   the operation: of q (..., m, k) the m - k columns that are missing for a square matrix
 *   gt_qr        the function: splits off columns of wide matrices, completes q and r
 *
 * LAPACK sees x transposed, so that every body copies: x' in, q' and r out.
 *
 * Example: x (2, 5) is wide: its first two columns A1 = Q R1, and R = (R1, Q' A2) is (2, 5). x (5, 2), complete: q (5, 2) with
 * its complement (5, 3) is (5, 5), and r gets 3 rows of zeros.
 *
 * Gradient: S. Walter and L. Lehmann, Algorithmic differentiation of linear algebra functions (2010). */
#include "ops/linalg/qr.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/diagonal.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/lstsq.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/require.h"
#include "ops/linalg/triangular.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_qr_options, gt_qr_OPTIONS);

/* LAPACK's, in either type. */
typedef void Geqrf(const gt_LapackInt *m, const gt_LapackInt *n, void *a, const gt_LapackInt *lda,
                   void *tau, void *work, const gt_LapackInt *lwork, gt_LapackInt *info);
typedef void Orgqr(const gt_LapackInt *m, const gt_LapackInt *n, const gt_LapackInt *k, void *a,
                   const gt_LapackInt *lda, const void *tau, void *work, const gt_LapackInt *lwork,
                   gt_LapackInt *info);

#define GT_LAPACK_BLOCK 32 /* columns that LAPACK works on together, if it has the memory */

/* Matrices with at least as many rows as columns. */
static gt_Status tall_check(const gt_Spec *in)
{
    char text[160];
    if (gt_matrix_check(in, false) != GT_OK)
        return gt_status();
    gt_Matrices a = gt_matrices(in);
    if (a.rows < a.columns)
        return gt_fail(GT_INVALID, "matrices must not have more columns than rows (got %s)",
                       gt_dims_text(in, text, sizeof text));
    return GT_OK;
}

static gt_Status qr_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (tall_check(in) != GT_OK)
        return gt_status();
    gt_Matrices a = gt_matrices(in);
    rule->output[0] = rule->output[1] = *in;
    rule->output[1].dims[in->rank - 2] = a.columns;
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch = gt_piece_bytes(a.rows * a.columns, element) +
                    gt_piece_bytes(a.columns, element) +
                    gt_piece_bytes(a.columns * GT_LAPACK_BLOCK, element);
    return GT_OK;
}

static bool qr_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns;
    void *a = gt_piece_take(&scratch, rows * columns, job->element);
    void *tau = gt_piece_take(&scratch, columns, job->element);
    void *work = gt_piece_take(&scratch, columns * GT_LAPACK_BLOCK, job->element);
    gt_LapackInt m = (gt_LapackInt)rows, n = (gt_LapackInt)columns, length = n * GT_LAPACK_BLOCK,
                 info = 0, info2 = 0;
    gt_matrix_transpose(job, rows, columns, gt_matrix_input(job, 0, batch), a);
    ((Geqrf *)job->lapack[0])(&m, &n, a, &m, tau, work, &length, &info);
    gt_upper_triangle(job->type, columns, a, rows,
                      gt_matrix_output(job, 1, batch * columns * columns));
    ((Orgqr *)job->lapack[1])(&m, &n, &n, a, &m, tau, work, &length, &info2);
    gt_matrix_transpose(job, columns, rows, a, gt_matrix_output(job, 0, batch * rows * columns));
    return info == 0 && info2 == 0;
}

static gt_Status qr_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, qr_body, "has no QR factorization", "geqrf", "orgqr");
}

/* M = R dR' - dQ' Q; dA = (dQ + Q copy(M)) R^-T, where copy puts the lower triangle above, too. */
static gt_Status qr_gradient(gt_GradientRule *rule)
{
    gt_Tensor *q = gt_rule_output(rule, 0), *r = gt_rule_output(rule, 1);
    gt_Tensor *dq = gt_upstream_or_zero(rule, 0), *dr = gt_upstream_or_zero(rule, 1);
    gt_Tensor *m =
        gt_subtract(gt_matmul(r, dr, .transpose_b = true), gt_matmul(dq, q, .transpose_a = true));
    m = gt_add(gt_tril(m), gt_matrix_transposed(gt_tril(m, .k = -1)));
    gt_Tensor *sum = gt_add(dq, gt_matmul(q, m));
    r = gt_qr_regular(r, gt_matrices(gt_rule_input_spec(rule, 0)).rows,
                      GT_REQUIREMENT_QR_FULL_RANK);
    return gt_give(rule, 0,
                   gt_matrix_transposed(gt_solve_triangular(r, gt_matrix_transposed(sum))));
}

const gt_Operation gt_op_qr = {
    GT_RECORD_OUTPUTS("qr", "Q with orthonormal columns and R upper triangular, Q R = A", 1, 1, 2),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_outputs = 3,
    .shape = qr_shape,
    .run = qr_run,
    .gradient = qr_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(4, 2))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 3, 2))}),
};

/* A column depends on those before it if its element on the diagonal is 0, or within rounding of it beside the column. */
gt_Tensor *gt_qr_regular(gt_Tensor *r, int64_t rows, gt_Requirement requirement)
{
    gt_Tensor *held = gt_stop_gradient(r);
    double rounded = gt_matrix_rounding(gt_dtype(r), rows, gt_last(gt_tensor_shape(r)));
    gt_Tensor *least = gt_multiply(gt_squeeze(gt_largest_along(held, -2), .axis = -2), rounded);
    gt_Tensor *diagonal = gt_abs(gt_diagonal(held, .axis1 = -2, .axis2 = -1));
    gt_Tensor *fine = gt_logical_not(gt_less_equal(diagonal, least));
    return gt_require(r, gt_all(fine, .axis = -1), requirement);
}

/* ---- complement: what completes orthonormal columns ---- */

static gt_Status complement_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (tall_check(in) != GT_OK)
        return gt_status();
    gt_Matrices a = gt_matrices(in);
    rule->output[0] = *in;
    rule->output[0].dims[in->rank - 1] = a.rows - a.columns;
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch = gt_piece_bytes(a.rows * a.rows, element) + gt_piece_bytes(a.columns, element) +
                    gt_piece_bytes(a.rows * GT_LAPACK_BLOCK, element);
    return GT_OK;
}

/* The last columns of the whole Q of a QR factorization. */
static bool complement_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns, more = rows - columns;
    char *q = gt_piece_take(&scratch, rows * rows, job->element);
    void *tau = gt_piece_take(&scratch, columns, job->element);
    void *work = gt_piece_take(&scratch, rows * GT_LAPACK_BLOCK, job->element);
    gt_LapackInt m = (gt_LapackInt)rows, n = (gt_LapackInt)columns, length = m * GT_LAPACK_BLOCK,
                 info = 0, info2 = 0;
    gt_matrix_transpose(job, rows, columns, gt_matrix_input(job, 0, batch), q);
    ((Geqrf *)job->lapack[0])(&m, &n, q, &m, tau, work, &length, &info);
    ((Orgqr *)job->lapack[1])(&m, &m, &n, q, &m, tau, work, &length, &info2);
    gt_matrix_transpose(job, more, rows, q + (size_t)(rows * columns) * job->element,
                        gt_matrix_output(job, 0, batch * rows * more));
    return info == 0 && info2 == 0;
}

static gt_Status complement_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, complement_body, "has no QR factorization", "geqrf", "orgqr");
}

/* One column y is fixed by y' A = 0 and its length: dA = -y (A^+ dy)'. */
static gt_Status complement_gradient(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_rule_input(rule, 0), *y = gt_rule_output(rule, 0);
    int64_t columns = gt_last(gt_spec_shape(gt_rule_output_spec(rule, 0)));
    if (columns > 1)
        return gt_fail(
            GT_UNSUPPORTED,
            "%lld columns that complete an orthonormal basis may be any, so that there is "
            "no gradient through them; reduced factors have one",
            (long long)columns);
    gt_Tensor *solution = gt_lstsq(a, gt_upstream(rule, 0));
    return gt_give(rule, 0, gt_negative(gt_matmul(y, solution, .transpose_b = true)));
}

const gt_Operation gt_op_complement = {
    GT_RECORD("complement",
              "orthonormal columns, orthogonal to those of A, which they complete to a basis", 1,
              1),
    .flags = GT_OP_INTERNAL | GT_OP_FOREIGN_CODE,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = complement_shape,
    .run = complement_run,
    .gradient = complement_gradient,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 2))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 4, 3))}),
};

/* The columns of q and those that complete them: square. */
gt_Tensor *gt_basis_completed(gt_Tensor *q)
{
    return gt_concatenate(gt_tensors(q, gt_apply_one_at(NULL, &gt_op_complement, NULL, 1, &q)),
                          .axis = -1);
}

/* With more columns than rows, (A1, A2): the first square A1 = Q R1, then R = (R1, Q' A2). Sizes of the other axes are "to
 * the end", so that what is traced serves batches of any size. */
static gt_Qr qr_reduced(gt_Tensor *x)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_Shape shape = gt_tensor_shape(x), begin = {GT_MARK, shape.rank, {0}}, size = begin;
    int64_t rows = gt_dim(shape, -2), columns = gt_dim(shape, -1);
    if (shape.rank < 2 || rows >= columns) {
        gt_apply_at(NULL, &gt_op_qr, NULL, 1, &x, out);
        return (gt_Qr){out[0], out[1]};
    }
    for (int d = 0; d < shape.rank; d++)
        size.dims[d] = -1;
    size.dims[shape.rank - 1] = rows;
    gt_Tensor *left = gt_slice(x, begin, size);
    begin.dims[shape.rank - 1] = rows;
    size.dims[shape.rank - 1] = -1;
    gt_apply_at(NULL, &gt_op_qr, NULL, 1, &left, out);
    gt_Tensor *right = gt_matmul(out[0], gt_slice(x, begin, size), .transpose_a = true);
    gt_Tensor *r = gt_concatenate(gt_tensors(out[1], right), .axis = -1);
    return (gt_Qr){r ? out[0] : NULL, r};
}

static gt_Qr qr(gt_Tensor *x, const gt_qr_options *given)
{
    gt_qr_options options;
    GT_TAKE(gt_qr_options, &options, given);
    gt_Qr factors = qr_reduced(x);
    gt_Shape of_q = gt_tensor_shape(factors.q), none = {GT_MARK, of_q.rank, {0}}, below = none;
    if (gt_status() == GT_OK && options.mode != GT_QR_MODE_REDUCED &&
        options.mode != GT_QR_MODE_COMPLETE)
        gt_fail(GT_INVALID, "unknown mode %d", (int)options.mode);
    if (gt_status() == GT_OK && options.mode == GT_QR_MODE_COMPLETE) {
        int64_t more = gt_dim(of_q, -2) - gt_dim(of_q, -1);
        below.dims[of_q.rank - 2] = more;
        if (more > 0)
            factors = (gt_Qr){gt_basis_completed(factors.q), gt_pad(factors.r, none, below)};
    }
    return gt_status() == GT_OK ? factors : (gt_Qr){NULL, NULL};
}
GT_COMPOSED_BY(gt_Qr, qr, qr, (const char *here, gt_Tensor *x, const gt_qr_options *options),
               (x, options))
