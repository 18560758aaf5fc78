/* Determinants from LU factors. Gradients of det: cofactor.c. */
#include "ops/linalg/determinant.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/cholesky.h"
#include "ops/linalg/diagonal.h"
#include "ops/linalg/equations.h"
#include "ops/linalg/lapack.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

#include <string.h>

/* LAPACK's, in either type. */
typedef void Getrf(const gt_LapackInt *m, const gt_LapackInt *n, void *a, const gt_LapackInt *lda,
                   gt_LapackInt *pivots, gt_LapackInt *info);

size_t gt_lu_bytes(int64_t n, size_t element)
{
    return gt_piece_bytes(n * n, element) + gt_piece_bytes(n, sizeof(gt_LapackInt));
}

static gt_Status slogdet_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (gt_matrix_check(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = *in;
    rule->output[0].rank -= 2;
    rule->output[1] = rule->output[0];
    rule->scratch = gt_lu_bytes(in->dims[in->rank - 1], gt_dtype_size(in->dtype));
    return GT_OK;
}

/* The LU factors of a matrix, of which the pivots on the diagonal are of interest; `sign` gets that
 * of the swaps of rows. The transposed matrix, which LAPACK sees, has the same determinant. */
const void *gt_lu_factored(const gt_MatrixJob *job, gt_BlasFunction *getrf, const void *x,
                           char *scratch, double *sign)
{
    int64_t rows = job->a.rows;
    void *lu = gt_piece_take(&scratch, rows * rows, job->element);
    gt_LapackInt *pivots = gt_piece_take(&scratch, rows, sizeof(gt_LapackInt));
    gt_LapackInt n = (gt_LapackInt)rows, info = 0;
    if (n > 0) { /* else there may be no scratch memory at all */
        memcpy(lu, x, (size_t)(rows * rows) * job->element);
        ((Getrf *)getrf)(&n, &n, lu, &n, pivots, &info);
    }
    *sign = 1;
    for (gt_LapackInt i = 0; i < n; i++)
        *sign = pivots[i] == i + 1 ? *sign : -*sign;
    return lu;
}

static bool slogdet_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    double sign;
    const void *lu =
        gt_lu_factored(job, job->lapack[0], gt_matrix_input(job, 0, batch), scratch, &sign);
    double sum = gt_diagonal_logarithm(job->type, n, lu, &sign);
    gt_number_store(job->kernel->output_spec[0]->dtype, job->kernel->output[0], batch, sign);
    gt_number_store(job->kernel->output_spec[0]->dtype, job->kernel->output[1], batch, sum);
    return true;
}

static gt_Status slogdet_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, slogdet_body, "has no determinant", "getrf", NULL);
}

/* d log |det A| = A^-T */
static gt_Status slogdet_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 1), *x = gt_rule_input(rule, 0);
    gt_Tensor *identity = gt_matrix_identity(x);
    if (!up)
        return gt_give(rule, 0, gt_zeros_like(x));
    up = gt_expand_dims(gt_expand_dims(up, -1), -1);
    return gt_give(rule, 0, gt_solve_with(x, gt_multiply(identity, up), true));
}

const gt_Operation gt_op_slogdet = {
    GT_RECORD_OUTPUTS("slogdet", "the sign of det A, and log |det A|", 1, 1, 2),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_inputs = 1,
    .shape = slogdet_shape,
    .run = slogdet_run,
    .gradient = slogdet_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 2))}),
};

static gt_Slogdet slogdet(gt_Tensor *x)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_slogdet, NULL, 1, &x, out);
    return (gt_Slogdet){out[0], out[1]};
}
GT_COMPOSED_BY(gt_Slogdet, slogdet, slogdet, (const char *here, gt_Tensor *x), (x))

static gt_Status det_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (gt_matrix_check(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = *in;
    rule->output[0].rank -= 2;
    rule->scratch = gt_lu_bytes(in->dims[in->rank - 1], gt_dtype_size(in->dtype));
    return GT_OK;
}

static bool det_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    double sign;
    const void *lu =
        gt_lu_factored(job, job->lapack[0], gt_matrix_input(job, 0, batch), scratch, &sign);
    gt_number_store(job->kernel->output_spec[0]->dtype, job->kernel->output[0], batch,
                    gt_diagonal_product(job->type, n, lu, sign));
    return true;
}

static gt_Status det_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, det_body, "has no determinant", "getrf", NULL);
}

/* d det A = cof A, which singular matrices have, too */
static gt_Status det_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_expand_dims(gt_expand_dims(gt_upstream(rule, 0), -1), -1);
    gt_Tensor *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_apply_one_at(NULL, &gt_op_cofactor, NULL, 1, &x)));
}

const gt_Operation gt_op_det = {
    GT_RECORD("det", "det A", 1, 1),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_inputs = 1,
    .shape = det_shape,
    .run = det_run,
    .gradient = det_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 2))}),
};
GT_DEFINE_UNARY(det)

static gt_Tensor *logdet(gt_Tensor *x)
{
    gt_Tensor *diagonal = gt_diagonal(gt_cholesky(x), .axis1 = -2, .axis2 = -1);
    return gt_multiply(gt_sum(gt_log(diagonal), .axis = -1), 2);
}
GT_COMPOSED_UNARY(logdet, logdet)
