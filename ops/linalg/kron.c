/* The Kronecker product: a product by broadcasting, whose pairs of axes are taken as one.
 *
 * Example: a (2, 3) and b (5, 7) are multiplied as (2, 1, 3, 1) and (1, 5, 1, 7), which gives (2, 5, 3, 7): in memory that is
 * the result (10, 21). */
#include "ops/linalg/kron.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/matrix.h"
#include "ops/masks.h"

#define MOST_AXES (GT_MAX_RANK / 2)

static gt_Status kron_shape(gt_ShapeRule *rule)
{
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    gt_Spec *out = &rule->output[0];
    if (!gt_takes(a, GT_TAKES_NUMBER))
        return gt_status();
    if (a->dtype != b->dtype)
        return gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them",
                       gt_dtype_name(a->dtype), gt_dtype_name(b->dtype));
    out->dtype = a->dtype;
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    if (out->rank > MOST_AXES)
        return gt_fail(GT_INVALID, "operands must have at most %d axes (got %d and %d)", MOST_AXES,
                       a->rank, b->rank);
    for (int d = 0; d < out->rank; d++) {
        int64_t da = gt_axis_of(a, out->rank, d), db = gt_axis_of(b, out->rank, d);
        out->dims[d] =
            db && da > INT64_MAX / db ? INT64_MAX : da * db; /* too large is found later */
    }
    return GT_OK;
}

/* Axis d of the result is the axes 2 d, from a, and 2 d + 1, from b. */
static void interleaved(const gt_Spec *a, const gt_Spec *b, int rank, gt_Spec pair[2],
                        gt_Spec *both)
{
    *both = pair[0] = pair[1] = (gt_Spec){.dtype = a->dtype, .rank = 2 * rank};
    for (int d = 0; d < rank; d++) {
        both->dims[2 * d] = pair[0].dims[2 * d] = gt_axis_of(a, rank, d);
        both->dims[2 * d + 1] = pair[1].dims[2 * d + 1] = gt_axis_of(b, rank, d);
        pair[0].dims[2 * d + 1] = pair[1].dims[2 * d] = 1;
    }
}

static void kron_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_Spec pair[2], both;
    const gt_Spec *in[2] = {&pair[0], &pair[1]};
    interleaved(rule->input[0], rule->input[1], rule->output[0].rank, pair, &both);
    gt_BinaryJob *job = gt_lower_launch(lowering, GT_TILES_binary, 1, sizeof *job);
    job->loop = GT_LOOP_MULTIPLY;
    job->type = (uint8_t)gt_loop_type(both.dtype);
    job->in = job->out = (uint8_t)gt_dtype_size(both.dtype);
    gt_broadcast_plan(&job->walk, &both, 2, in);
    lowering->launch[0].tiles = job->walk.tiles;
}

/* As that of a product by broadcasting, in the interleaved axes. */
static gt_Status kron_gradient(gt_GradientRule *rule)
{
    gt_Spec pair[2], both;
    interleaved(gt_rule_input_spec(rule, 0), gt_rule_input_spec(rule, 1),
                gt_rule_output_spec(rule, 0)->rank, pair, &both);
    gt_Tensor *up = gt_reshape(gt_upstream(rule, 0), gt_spec_shape(&both));
    for (int i = 0; i < 2; i++) {
        if (!gt_wants(rule, i))
            continue;
        gt_Tensor *other = gt_reshape(gt_rule_input(rule, 1 - i), gt_spec_shape(&pair[1 - i]));
        gt_Tensor *own = gt_unbroadcast(gt_multiply(up, other), &pair[i]);
        gt_give(rule, i, gt_reshape(own, gt_spec_shape(gt_rule_input_spec(rule, i))));
    }
    return gt_status();
}

/* An axis of the result counts pairs of rows, which no mask of one operand describes. */
static gt_Status kron_mask(gt_MaskRule *rule)
{
    return gt_mask_refuse(rule, rule->input[0] ? 0 : 1, 0);
}

const gt_Operation gt_op_kron = {
    GT_RECORD("kron", "a[i] b[j] at i (size of b) + j, along every axis", 2, 2),
    .saves_inputs = 3,
    .shape = kron_shape,
    .lower = kron_lower,
    .gradient = kron_gradient,
    .mask = kron_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(3, 2))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(3), GT_ANY(2, 1, 2))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 2, 1, 2), GT_ANY(2))}),
};
GT_DEFINE_BINARY(kron)
