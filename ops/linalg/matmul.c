/* gt_matmul: shapes, which products they are, the gradient. product.c computes them.
 *
 * Example: x (32, 10, 784) times w (784, 128) is one product of 320 rows, since all of the batch has the same w; n = 128 is
 * its shorter side, so the result is cut along m = 320 into strips of rows. */
#include "ops/linalg/matmul.h"
#include "core/inside.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/matrix.h"
#include "ops/linalg/product.h"
#include "ops/masks.h"

GT_OPTION_TYPE(gt_matmul_options, gt_matmul_OPTIONS);

/* ---- shapes ---- */

static gt_Status shapes_differ(const char *message, const gt_ShapeRule *rule)
{
    char a[160], b[160];
    const gt_matmul_options *options = rule->options;
    gt_dims_text(rule->input[0], a, sizeof a);
    gt_dims_text(rule->input[1], b, sizeof b);
    return gt_fail(GT_INVALID, "%s: %s%s x %s%s", message, a,
                   options->transpose_a ? " transposed" : "", b,
                   options->transpose_b ? " transposed" : "");
}

static gt_Status matmul_shape(gt_ShapeRule *rule)
{
    const gt_matmul_options *options = rule->options;
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    gt_Spec *out = &rule->output[0];
    if (!gt_product_type(a, b, &out->dtype))
        return gt_status();
    if (a->rank < 2 || b->rank < 2)
        return shapes_differ("scalars cannot be multiplied as matrices", rule);
    int64_t m = a->dims[a->rank - (options->transpose_a ? 1 : 2)];
    int64_t ka = a->dims[a->rank - (options->transpose_a ? 2 : 1)];
    int64_t kb = b->dims[b->rank - (options->transpose_b ? 1 : 2)];
    int64_t n = b->dims[b->rank - (options->transpose_b ? 2 : 1)];
    if (ka != kb)
        return shapes_differ("inner dimensions differ", rule);
    if (!gt_matrix_broadcast(a, b, out))
        return shapes_differ("shapes do not broadcast", rule);
    out->dims[out->rank - 2] = m;
    out->dims[out->rank - 1] = n;
    return GT_OK;
}

/* ---- the call as a job ---- */

/* Sizes and types; returns the number of products. A matrix b under a batch makes one tall product of all rows. */
static int64_t as_job(gt_ProductJob *job, const gt_matmul_options *options, const gt_Spec *a,
                      const gt_Spec *b, const gt_Spec *c)
{
    int64_t batches = 1;
    gt_product_types(job, a, b, c);
    job->transpose_a = options->transpose_a;
    job->transpose_b = options->transpose_b;
    job->m = c->dims[c->rank - 2];
    job->n = c->dims[c->rank - 1];
    job->k = a->dims[a->rank - (options->transpose_a ? 2 : 1)];
    for (int d = 0; d < c->rank - 2; d++)
        batches *= c->dims[d];
    if (b->rank == 2 && !options->transpose_a) {
        job->m *= batches;
        job->walk.rank = 0;
        return 1;
    }
    gt_matrix_walk(&job->walk, a, b, c);
    return batches;
}

static void matmul_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_ProductJob job;
    int64_t batches = as_job(&job, rule->options, rule->input[0], rule->input[1], &rule->output[0]);
    gt_lower_product(rule, lowering, &job, batches);
}

/* ---- gradient ---- */

/* (..., m, k) as (all rows, k). */
static gt_Tensor *fold(gt_Tensor *x)
{
    gt_Shape shape = gt_tensor_shape(x);
    return gt_reshape(x, gt_shape(-1, gt_last(shape)));
}

/* C = op(A) op(B): dA = G op(B)', dB = op(A)' G, with the operands swapped where A or B was
 * transposed. A weight matrix under a batch gets one product over all rows instead of a sum of
 * products. */
static gt_Status matmul_gradient(gt_GradientRule *rule)
{
    const gt_matmul_options *options = gt_rule_options(rule);
    bool ta = options->transpose_a, tb = options->transpose_b;
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0)) {
        gt_Tensor *b = gt_rule_input(rule, 1);
        gt_Tensor *da = ta ? gt_matmul(b, up, .transpose_a = tb, .transpose_b = true)
                           : gt_matmul(up, b, .transpose_b = !tb);
        da = gt_unbroadcast(da, gt_rule_input_spec(rule, 0));
        gt_give(rule, 0, gt_narrowed(da, gt_rule_input_spec(rule, 0)->dtype));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *a = gt_rule_input(rule, 0), *db;
        if (gt_rule_input_spec(rule, 1)->rank == 2 && gt_rule_input_spec(rule, 0)->rank > 2 &&
            !ta && gt_rule_input_spec(rule, 0)->size > 0 &&
            gt_rule_output_spec(rule, 0)->size > 0) {
            a = fold(a);
            up = fold(up);
        }
        db = tb ? gt_matmul(up, a, .transpose_a = true, .transpose_b = ta)
                : gt_matmul(a, up, .transpose_a = !ta);
        db = gt_unbroadcast(db, gt_rule_input_spec(rule, 1));
        gt_give(rule, 1, gt_narrowed(db, gt_rule_input_spec(rule, 1)->dtype));
    }
    return gt_status();
}

/* A row of C depends on its row of a and on all of b's matrix: a mask may cover the rows of a, but of b the batch alone. */
static gt_Status matmul_mask(gt_MaskRule *rule)
{
    const gt_ShapeRule *shape = rule->shape;
    const gt_matmul_options *options = shape->options;
    for (int i = 0; i < 2; i++) {
        int rank = shape->input[i]->rank, most = rank - (i == 0 && !options->transpose_a ? 1 : 2);
        if (gt_mask_axes(rule, i) > most)
            return gt_mask_refuse(rule, i, most);
        gt_Tensor *mask = rule->input[i];
        for (int d = rank; mask && d < shape->output[0].rank; d++)
            mask = gt_expand_dims(mask, 0);
        if (rule->input[i] && gt_mask_join(rule, 0, mask) != GT_OK)
            return gt_status();
    }
    return GT_OK;
}

#define REAL(...)        GT_REAL(-1, 1, __VA_ARGS__)
#define TRANSPOSED(a, b) .options = &GT_VALUES(gt_matmul_options, a, b)
const gt_Operation gt_op_matmul = {
    GT_RECORD("matmul", "sum over k of a[..., m, k] b[..., k, n]", 2, 2),
    .flags = GT_OP_HALF,
    .options = &gt_matmul_options_type,
    .saves_inputs = 3,
    .shape = matmul_shape,
    .lower = matmul_lower,
    .gradient = matmul_gradient,
    .mask = matmul_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(3, 4))},
        {.inputs = 2, .input = GT_INPUTS(REAL(3, 2), REAL(3, 4)), TRANSPOSED(true, false)},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(4, 3)), TRANSPOSED(false, true)},
        {.inputs = 2, .input = GT_INPUTS(REAL(3, 2), REAL(4, 3)), TRANSPOSED(true, true)},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 2, 3), REAL(3, 2))},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 1, 2, 3), REAL(3, 3, 2))},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(2, 2, 3)), TRANSPOSED(false, true)}),
};

/* A vector is one row or one column, whose axis is gone from the result. */
gt_Tensor *gt_matmul_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                        const gt_matmul_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    const gt_Spec *of_a = gt_tensor_check(context, here, "matmul", "input 1", a);
    const gt_Spec *of_b = of_a ? gt_tensor_check(context, here, "matmul", "input 2", b) : NULL;
    if (!of_b)
        return NULL;
    bool row = of_a->rank == 1, column = of_b->rank == 1;
    if (!row && !column)
        return gt_apply_one_at(here, &gt_op_matmul, given, 2, (gt_Tensor *[]){a, b});
    gt_matmul_options options;
    GT_TAKE(gt_matmul_options, &options, given);
    if (row) {
        a = gt_expand_dims(a, 0);
        options.transpose_a = false;
    }
    if (column) {
        b = gt_expand_dims(b, 1);
        options.transpose_b = false;
    }
    gt_Tensor *c = gt_apply_one_at(here, &gt_op_matmul, &options, 2, (gt_Tensor *[]){a, b});
    if (row && column)
        return gt_squeeze(c, .axes = gt_axes(-2, -1));
    return gt_squeeze(c, .axis = row ? -2 : -1);
}

gt_Tensor *(gt_matmul)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_matmul_at(NULL, a, b, NULL);
}
