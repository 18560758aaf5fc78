/* Linear equations by LU factors, the inverse, powers of matrices.
 *
 * Gradients: M. B. Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation
 * (2008). */
#include "ops/linalg/solve.h"
#include "ops/linalg/equations.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/matmul.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"

#include <string.h>

/* LAPACK's, in either type. */
typedef void Gesv(const gt_LapackInt *n, const gt_LapackInt *nrhs, void *a, const gt_LapackInt *lda,
                  gt_LapackInt *pivots, void *b, const gt_LapackInt *ldb, gt_LapackInt *info);

#define SOLVE_OPTIONS(F, S) F(S, bool, transpose, false, "solve with A transposed")
GT_OPTIONS(SolveOptions, SOLVE_OPTIONS);
GT_OPTION_TYPE(SolveOptions, SOLVE_OPTIONS);

gt_Status gt_equations_shape(gt_ShapeRule *rule)
{
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    gt_Spec *out = &rule->output[0];
    if (gt_matrix_check(a, true) != GT_OK || gt_matrix_check(b, false) != GT_OK)
        return gt_status();
    if (a->dtype != b->dtype || b->dims[b->rank - 2] != a->dims[a->rank - 1] ||
        !gt_matrix_broadcast(a, b, out)) {
        char s[200], t[200];
        return gt_fail(
            GT_INVALID,
            "right sides must have a row for each equation and the same dtype (got %s and %s)",
            gt_spec_text(a, s, sizeof s), gt_spec_text(b, t, sizeof t));
    }
    out->dtype = b->dtype;
    out->dims[out->rank - 2] = b->dims[b->rank - 2];
    out->dims[out->rank - 1] = b->dims[b->rank - 1];
    return GT_OK;
}

static gt_Status solve_shape(gt_ShapeRule *rule)
{
    if (gt_equations_shape(rule) != GT_OK)
        return gt_status();
    gt_Matrices b = gt_matrices(rule->input[1]);
    size_t element = gt_dtype_size(rule->input[1]->dtype);
    rule->scratch = gt_piece_bytes(b.rows * b.rows, element) +
                    gt_piece_bytes(b.rows * b.columns, element) +
                    gt_piece_bytes(b.rows, sizeof(gt_LapackInt));
    return GT_OK;
}

static bool solve_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
{
    const SolveOptions *options = job->kernel->options;
    int64_t rows = job->a.rows, columns = gt_matrices(job->kernel->input_spec[1]).columns;
    void *a = gt_piece_take(&scratch, rows * rows, job->element);
    void *x = gt_piece_take(&scratch, rows * columns, job->element);
    gt_LapackInt *pivots = gt_piece_take(&scratch, rows, sizeof(gt_LapackInt));
    gt_LapackInt n = (gt_LapackInt)rows, k = (gt_LapackInt)columns, info = 0;
    if (options->transpose)
        memcpy(a, gt_matrix_input(job, 0, batch), (size_t)(rows * rows) * job->element);
    else
        gt_matrix_transpose(job, rows, rows, gt_matrix_input(job, 0, batch), a);
    gt_matrix_transpose(job, rows, columns, gt_matrix_input(job, 1, batch), x);
    ((Gesv *)job->lapack[0])(&n, &k, a, &n, pivots, x, &n, &info);
    gt_matrix_transpose(job, columns, rows, x, gt_matrix_output(job, 0, batch * rows * columns));
    return info == 0;
}

static gt_Status solve_run(const gt_Kernel *kernel)
{
    return gt_lapack_run(kernel, solve_body, "is singular", "gesv", NULL);
}

gt_Tensor *gt_solve_with(gt_Tensor *a, gt_Tensor *b, bool transpose)
{
    SolveOptions options = GT_VALUES(SolveOptions, transpose);
    return gt_apply_one_at(NULL, &gt_op_solve, &options, 2, (gt_Tensor *[]){a, b});
}

/* X = A^-1 B: dB = A^-T G, dA = -dB X'; with A transposed its gradient is transposed. Sums over what was broadcast. */
static gt_Status solve_gradient(gt_GradientRule *rule)
{
    const SolveOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_output(rule, 0);
    gt_Tensor *db =
        gt_solve_with(gt_rule_input(rule, 0), gt_upstream(rule, 0), !options->transpose);
    if (gt_wants(rule, 0)) {
        gt_Tensor *da = gt_negative(options->transpose ? gt_matmul(x, db, .transpose_b = true)
                                                       : gt_matmul(db, x, .transpose_b = true));
        gt_give(rule, 0, gt_unbroadcast(da, gt_rule_input_spec(rule, 0)));
    }
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_unbroadcast(db, gt_rule_input_spec(rule, 1)));
    return gt_status();
}

const gt_Operation gt_op_solve = {
    GT_RECORD("solve", "X with A X = B", 2, 2),
    .flags = GT_OP_FOREIGN_CODE,
    .options = &SolveOptions_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = solve_shape,
    .run = solve_run,
    .gradient = solve_gradient,
    .mask = gt_matrix_mask,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_MATRIX(3, 3), GT_ANY(3, 2))},
                   {.inputs = 2,
                    .input = GT_INPUTS(GT_MATRIX(2, 2, 2), GT_ANY(2, 2, 1)),
                    .options = &GT_VALUES(SolveOptions, true)},
                   {.inputs = 2, .input = GT_INPUTS(GT_MATRIX(2, 2), GT_ANY(3, 2, 1))},
                   {.inputs = 2, .input = GT_INPUTS(GT_MATRIX(2, 1, 2, 2), GT_ANY(3, 2, 2))}),
};

/* ---- the functions for equations ---- */

bool gt_fit_equations(gt_Tensor *a, gt_Tensor **b, bool *vector)
{
    int of_a = gt_rank(a), of_b = gt_rank(*b);
    *vector = of_b == of_a - 1;
    if (*vector)
        *b = gt_expand_dims(*b, -1);
    return gt_status() == GT_OK;
}

static gt_Tensor *solve(gt_Tensor *a, gt_Tensor *b)
{
    bool vector;
    if (!gt_fit_equations(a, &b, &vector))
        return NULL;
    gt_Tensor *x = gt_solve_with(a, b, false);
    return vector ? gt_squeeze(x, .axis = -1) : x;
}
GT_COMPOSED(solve, (const char *here, gt_Tensor *a, gt_Tensor *b), (a, b))

/* The identity is broadcast over the batch. */
static gt_Tensor *inv(gt_Tensor *x)
{
    gt_Tensor *identity = gt_matrix_identity(x);
    return identity ? gt_solve_with(x, identity, false) : NULL;
}
GT_COMPOSED_UNARY(inv, inv)

/* By squaring: x, x^2, x^4, ...; the result is the product of those whose bit is set. */
static gt_Tensor *matrix_power(gt_Tensor *x, int64_t power)
{
    gt_Tensor *result = NULL, *identity = gt_matrix_identity(x);
    uint64_t rest = power < 0 ? 0 - (uint64_t)power : (uint64_t)power;
    if (identity && power == 0)
        return gt_add(gt_zeros_like(x), identity);
    if (power < 0)
        x = gt_inv(x);
    for (; rest && gt_status() == GT_OK; rest /= 2) {
        if (rest % 2)
            result = result ? gt_matmul(result, x) : x;
        if (rest > 1)
            x = gt_matmul(x, x);
    }
    return gt_status() == GT_OK ? result : NULL;
}
GT_COMPOSED(matrix_power, (const char *here, gt_Tensor *x, int64_t power), (x, power))
