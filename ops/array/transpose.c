/* The axes in another order: transpose, moveaxis, swapaxes. Leans on ops/copies.h. */
#include "ops/array/reshaping.h"
#include "ops/kit.h"

GT_OPTION_TYPE(gt_transpose_options, gt_transpose_OPTIONS);

/* Which axis of x each axis of the result is; false with an error for what is no permutation. */
static bool permutation(const gt_Axes *perm, int rank, int axis[GT_MAX_RANK])
{
    uint32_t bits;
    if (!gt_axes_bits(perm, rank, &bits))
        return false;
    if (perm->count >= 0 && perm->count != rank) {
        gt_fail(GT_INVALID, "perm names %d axes of a tensor of rank %d", perm->count, rank);
        return false;
    }
    for (int i = 0; i < rank; i++)
        axis[i] = perm->count < 0 ? rank - 1 - i : gt_axis(perm->axis[i], rank);
    return true;
}

static gt_Status transpose_shape(gt_ShapeRule *rule)
{
    const gt_transpose_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    int axis[GT_MAX_RANK];
    if (!permutation(&options->perm, in->rank, axis))
        return gt_status();
    rule->output[0].dtype = in->dtype;
    rule->output[0].rank = in->rank;
    for (int i = 0; i < in->rank; i++)
        rule->output[0].dims[i] = in->dims[axis[i]];
    return GT_OK;
}

static void transpose_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_transpose_options *options = rule->options;
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    int axis[GT_MAX_RANK];
    permutation(&options->perm, in->rank, axis);
    gt_strides(in, from);
    gt_strides(out, to);
    gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
    for (int i = 0; i < out->rank; i++)
        gt_copy_axis(job, out->dims[i], from[axis[i]], to[i]);
    gt_copy_end(lowering, job);
}

static gt_Status transpose_gradient(gt_GradientRule *rule)
{
    const gt_transpose_options *options = gt_rule_options(rule);
    int rank = gt_rule_input_spec(rule, 0)->rank, axis[GT_MAX_RANK];
    gt_Axes back = {GT_MARK, rank, {0}};
    if (!permutation(&options->perm, rank, axis))
        return gt_status();
    for (int i = 0; i < rank; i++)
        back.axis[axis[i]] = i;
    return gt_give(rule, 0, gt_transpose(gt_upstream(rule, 0), .perm = back));
}

/* The mask needs all axes of the output up to the last one that it covers. Where these are not the leading ones of x, others
 * are among them, and it is stretched along those. */
static gt_Status transpose_mask(gt_MaskRule *rule)
{
    const gt_transpose_options *options = rule->shape->options;
    int rank = rule->shape->input[0]->rank, axis[GT_MAX_RANK], needed = 0;
    int axes = gt_mask_axes(rule, 0);
    permutation(&options->perm, rank, axis);
    for (int i = 0; i < rank; i++)
        needed = axis[i] < axes ? i + 1 : needed;
    gt_Tensor *mask = rule->input[0];
    for (int d = axes; d < rank; d++)
        mask = gt_expand_dims(mask, d);
    mask = gt_transpose_at(NULL, mask, options);
    return gt_mask_join(rule, 0, needed < rank ? gt_mask_first(mask, needed) : mask);
}

#define PERM(...) .options = &GT_VALUES(gt_transpose_options, __VA_ARGS__)
const gt_Operation gt_op_transpose = {
    GT_RECORD("transpose", "x with its axes in another order", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_transpose_options_type,
    .shape = transpose_shape,
    .lower = transpose_lower,
    .gradient = transpose_gradient,
    .mask = transpose_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 4)), PERM({GT_MARK, 3, {1, 2, 0}})},
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)), PERM({GT_MARK, 4, {0, -1, 1, 2}})}),
};

gt_Tensor *gt_transpose_at(const char *here, gt_Tensor *x, const gt_transpose_options *options)
{
    return gt_apply_one_at(here, &gt_op_transpose, options, 1, &x);
}
gt_Tensor *(gt_transpose)(gt_Tensor *x)
{
    return gt_transpose_at(NULL, x, NULL);
}

static gt_Tensor *moveaxis(gt_Tensor *x, gt_Axes from, gt_Axes to)
{
    gt_Spec spec = gt_spec(x);
    uint32_t taken, placed;
    if (gt_status() != GT_OK || !gt_axes_bits(&from, spec.rank, &taken) ||
        !gt_axes_bits(&to, spec.rank, &placed))
        return NULL;
    if (from.count != to.count || from.count < 0) {
        gt_fail(GT_INVALID, "%d axes cannot become %d axes", from.count, to.count);
        return NULL;
    }
    gt_Axes perm = {GT_MARK, spec.rank, {0}};
    for (int i = 0, next = 0; i < spec.rank; i++)
        if (!(placed >> i & 1)) {
            while (taken >> next & 1)
                next++;
            perm.axis[i] = next++;
        }
    for (int i = 0; i < from.count; i++)
        perm.axis[gt_axis(to.axis[i], spec.rank)] = from.axis[i];
    return gt_transpose(x, .perm = perm);
}
GT_COMPOSED(moveaxis, (const char *here, gt_Tensor *x, gt_Axes from, gt_Axes to), (x, from, to))

static gt_Tensor *swapaxes(gt_Tensor *x, int axis1, int axis2)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || (axis1 = gt_axis(axis1, spec.rank)) < 0 ||
        (axis2 = gt_axis(axis2, spec.rank)) < 0)
        return NULL;
    gt_Axes perm = {GT_MARK, spec.rank, {0}};
    for (int i = 0; i < spec.rank; i++)
        perm.axis[i] = i == axis1 ? axis2 : i == axis2 ? axis1 : i;
    return gt_transpose(x, .perm = perm);
}
GT_COMPOSED(swapaxes, (const char *here, gt_Tensor *x, int axis1, int axis2), (x, axis1, axis2))
