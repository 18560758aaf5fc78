/* Eigenvalues and -vectors of symmetric matrices.
 *
 * Gradient: C. Ionescu et al., Matrix backpropagation for deep networks (2015). */
#include "ops/linalg/eigh.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/require.h"
#include "ops/math/arithmetic.h"

/* LAPACK's, in either type. */
typedef void Syevd(const char *job, const char *uplo, const gt_LapackInt *n, void *a,
                   const gt_LapackInt *lda, void *w, void *work, const gt_LapackInt *lwork,
                   gt_LapackInt *iwork, const gt_LapackInt *liwork, gt_LapackInt *info,
                   size_t job_length, size_t uplo_length);

static int64_t eigh_work(int64_t n)
{
    return 1 + 6 * n + 2 * n * n;
}

static gt_Status eigh_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (gt_matrix_check(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = rule->output[1] = *in;
    rule->output[0].rank--;
    int64_t n = in->dims[in->rank - 1];
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch = gt_piece_bytes(n * n, element) + gt_piece_bytes(eigh_work(n), element) +
                    gt_piece_bytes(3 + 5 * n, sizeof(gt_LapackInt));
    return GT_OK;
}

static bool eigh_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows;
    if (!gt_matrix_is_finite(job, batch))
        return false;
    void *a = gt_piece_take(&scratch, rows * rows, job->element);
    void *work = gt_piece_take(&scratch, eigh_work(rows), job->element);
    gt_LapackInt *iwork = gt_piece_take(&scratch, 3 + 5 * rows, sizeof(gt_LapackInt));
    gt_LapackInt n = (gt_LapackInt)rows, iwork_length = 3 + 5 * n, info = 0;
    gt_LapackInt length = eigh_work(rows) < INT32_MAX ? (gt_LapackInt)eigh_work(rows) : INT32_MAX;
    gt_symmetric_part(job->type, rows, gt_matrix_input(job, 0, batch), a);
    ((Syevd *)job->lapack[0])("V", "L", &n, a, &n, gt_matrix_output(job, 0, batch * rows), work,
                              &length, iwork, &iwork_length, &info, 1, 1);
    gt_matrix_transpose(job, rows, rows, a, gt_matrix_output(job, 1, batch * rows * rows));
    return info == 0;
}

static gt_Status eigh_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, eigh_body, "has no eigenvalues", "syevd", NULL);
}

/* With F = 1 / (w[j] - w[i]): dA = the symmetric part of V (F V' dV + dW) V'. */
static gt_Status eigh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *w = gt_rule_output(rule, 0), *v = gt_rule_output(rule, 1),
              *dv = gt_upstream(rule, 1);
    gt_Tensor *middle = gt_on_diagonal(gt_upstream_or_zero(rule, 0));
    if (dv) {
        int64_t n = gt_matrices(gt_rule_input_spec(rule, 0)).rows;
        gt_Tensor *gaps =
            gt_inverse_gaps(w, gt_largest_along(dv, -2), gt_matrix_rounding(gt_dtype(w), n, n),
                            GT_REQUIREMENT_EIGENVALUES_DIFFER);
        middle = gt_add(middle, gt_multiply(gt_matmul(v, dv, .transpose_a = true), gaps));
    }
    gt_Tensor *da = gt_matmul(gt_matmul(v, middle), v, .transpose_b = true);
    return gt_give(rule, 0, gt_matrix_symmetrized(da));
}

const gt_Operation gt_op_eigh = {
    GT_RECORD_OUTPUTS("eigh", "w and V with V diag(w) V' = (A + A') / 2", 1, 1, 2),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_outputs = 3,
    .shape = eigh_shape,
    .run = eigh_run,
    .gradient = eigh_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 2))}),
};

static gt_Eigh eigh(gt_Tensor *x)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_eigh, NULL, 1, &x, out);
    return (gt_Eigh){out[0], out[1]};
}
GT_COMPOSED_BY(gt_Eigh, eigh, eigh, (const char *here, gt_Tensor *x), (x))
