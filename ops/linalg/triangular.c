/* Equations with a triangular matrix, by substitution. */
#include "ops/linalg/triangular.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/equations.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrix.h"
#include "ops/math/arithmetic.h"

GT_OPTION_TYPE(gt_solve_triangular_options, gt_solve_triangular_OPTIONS);

static void solve_triangular_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_solve_triangular_options *options = rule->options;
    gt_Matrices a = gt_matrices(rule->input[0]), x = gt_matrices(&rule->output[0]);
    int64_t size = a.rows * a.columns, group = size > 0 && size < 2048 ? 2048 / size : 1;
    gt_TriangularJob *job =
        gt_lower_launch(lowering, GT_TILES_triangular, (x.batch + group - 1) / group, sizeof *job);
    job->type = (uint8_t)gt_loop_type(rule->input[0]->dtype);
    job->lower = options->lower;
    job->transpose = options->transpose;
    job->batch = x.batch;
    job->n = x.rows;
    job->k = x.columns;
    job->group = group;
    gt_matrix_walk(&job->walk, rule->input[0], rule->input[1], &rule->output[0]);
}

/* As solve_gradient, in the triangle that was read. */
static gt_Status solve_triangular_gradient(gt_GradientRule *rule)
{
    const gt_solve_triangular_options *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_output(rule, 0);
    gt_Tensor *db = gt_solve_triangular(gt_rule_input(rule, 0), gt_upstream(rule, 0),
                                        .lower = options->lower, .transpose = !options->transpose);
    if (gt_wants(rule, 0)) {
        gt_Tensor *da = gt_negative(options->transpose ? gt_matmul(x, db, .transpose_b = true)
                                                       : gt_matmul(db, x, .transpose_b = true));
        da = options->lower ? gt_tril(da) : gt_triu(da);
        gt_give(rule, 0, gt_unbroadcast(da, gt_rule_input_spec(rule, 0)));
    }
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_unbroadcast(db, gt_rule_input_spec(rule, 1)));
    return gt_status();
}

#define TRIANGLE(lower, transpose)                                                                 \
    .options = &GT_VALUES(gt_solve_triangular_options, lower, transpose)
const gt_Operation gt_op_solve_triangular = {
    GT_RECORD("solve_triangular", "X with A X = B, A a triangle", 2, 2),
    .options = &gt_solve_triangular_options_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = gt_equations_shape,
    .lower = solve_triangular_lower,
    .gradient = solve_triangular_gradient,
    .mask = gt_matrix_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(GT_MATRIX(3, 3), GT_ANY(3, 2)), TRIANGLE(false, false)},
        {.inputs = 2, .input = GT_INPUTS(GT_MATRIX(3, 3), GT_ANY(3, 2)), TRIANGLE(false, true)},
        {.inputs = 2,
         .input = GT_INPUTS(GT_MATRIX(2, 2, 2), GT_ANY(2, 2, 1)),
         TRIANGLE(true, false)},
        {.inputs = 2, .input = GT_INPUTS(GT_MATRIX(3, 3), GT_ANY(3, 1)), TRIANGLE(true, true)},
        {.inputs = 2,
         .input = GT_INPUTS(GT_MATRIX(2, 1, 2, 2), GT_ANY(3, 2, 1)),
         TRIANGLE(true, false)}),
};

static gt_Tensor *solve_triangular(gt_Tensor *a, gt_Tensor *b,
                                   const gt_solve_triangular_options *options)
{
    bool vector;
    if (!gt_fit_equations(a, &b, &vector))
        return NULL;
    gt_Tensor *x =
        gt_apply_one_at(NULL, &gt_op_solve_triangular, options, 2, (gt_Tensor *[]){a, b});
    return vector ? gt_squeeze(x, .axis = -1) : x;
}
GT_COMPOSED(solve_triangular,
            (const char *here, gt_Tensor *a, gt_Tensor *b,
             const gt_solve_triangular_options *options),
            (a, b, options))
