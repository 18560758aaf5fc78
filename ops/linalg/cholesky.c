/* The Cholesky factor.
 *
 * Gradient: I. Murray, Differentiation of the Cholesky decomposition (2016). */
#include "ops/linalg/cholesky.h"
#include "ops/array/indexing.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/triangular.h"
#include "ops/math/arithmetic.h"

#include <string.h>

GT_OPTION_TYPE(gt_cholesky_options, gt_cholesky_OPTIONS);

/* LAPACK's, in either type. */
typedef void Potrf(const char *uplo, const gt_LapackInt *n, void *a, const gt_LapackInt *lda,
                   gt_LapackInt *info, size_t uplo_length);

static gt_Status cholesky_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return gt_matrix_check(rule->input[0], true);
}

/* The upper triangle that LAPACK writes is our lower one. */
static bool cholesky_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    (void)scratch;
    int64_t rows = job->a.rows;
    char *l = gt_matrix_output(job, 0, batch * rows * rows);
    gt_LapackInt n = (gt_LapackInt)rows, info = 0;
    gt_symmetric_part(job->type, rows, gt_matrix_input(job, 0, batch), l);
    ((Potrf *)job->lapack[0])("U", &n, l, &n, &info, 1);
    gt_clear_above(job->type, rows, l);
    return info == 0;
}

static gt_Status cholesky_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, cholesky_body, "is not positive definite", "potrf", NULL);
}

/* P = the lower triangle of L' G, its diagonal halved; dA = the symmetric part of L^-T P L^-1. */
static gt_Status cholesky_gradient(gt_GradientRule *rule)
{
    gt_Tensor *l = gt_rule_output(rule, 0);
    gt_Tensor *p = gt_matmul(l, gt_upstream(rule, 0), .transpose_a = true);
    p = gt_multiply(gt_add(gt_tril(p), gt_tril(p, .k = -1)), 0.5);
    gt_Tensor *left = gt_solve_triangular(l, p, .lower = true, .transpose = true);
    gt_Tensor *both =
        gt_solve_triangular(l, gt_matrix_transposed(left), .lower = true, .transpose = true);
    return gt_give(rule, 0, gt_matrix_symmetrized(both));
}

const gt_Operation gt_op_cholesky = {
    GT_RECORD("cholesky", "the lower triangle L with L L' = (A + A') / 2", 1, 1),
    .flags = GT_OP_FOREIGN_CODE,
    .saves_outputs = 1,
    .shape = cholesky_shape,
    .run = cholesky_run,
    .gradient = cholesky_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_MATRIX(3, 3))},
                          {.inputs = 1, .input = GT_INPUTS(GT_MATRIX(2, 2, 2))}),
};

static gt_Tensor *cholesky(gt_Tensor *x, const gt_cholesky_options *given)
{
    gt_cholesky_options options;
    GT_TAKE(gt_cholesky_options, &options, given);
    gt_Tensor *l = gt_apply_one_at(NULL, &gt_op_cholesky, NULL, 1, &x);
    return options.upper ? gt_matrix_transposed(l) : l;
}
GT_COMPOSED_OPTIONS(cholesky, cholesky, gt_cholesky_options)
