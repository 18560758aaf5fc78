/* The usual mask rules. Masks ride on values (core) and are tensors, so that they enter traced functions as further inputs;
 * a rule is written with operations, as a gradient rule is.
 *
 * Example: h (batch, steps, units) + bias (units), where h has the mask (batch, steps). gt_mask_keep gives the sum the
 * same mask: no axis of it is broadcast. If the bias alone has a mask (units), it stands behind two axes of the output:
 * the sum's mask is (batch, steps, units). Leans on array and math. */
#include "ops/masks.h"
#include "core/inside.h"
#include "ops/array/creation.h"
#include "ops/kit.h"
#include "ops/math/compare.h"

int gt_mask_axes(const gt_MaskRule *rule, int input)
{
    gt_Tensor *mask = rule->input[input];
    return mask ? gt_tensor_spec(mask)->rank : 0;
}

gt_Status gt_mask_refuse(gt_MaskRule *rule, int input, int axis)
{
    char text[128];
    return gt_fail(
        GT_INVALID,
        "axis %d of input %d is masked (the mask is %s) and elements along it are mixed: use the "
        "mask, "
        "gt_mask(x), or count the padding, gt_unmask(x)",
        axis, input,
        gt_dims_text(gt_tensor_spec(rule->input[input]), text, sizeof text));
}

/* The mask with axes of size 1 before and behind its own. */
static gt_Tensor *surrounded(gt_Tensor *mask, int before, int behind)
{
    for (int d = 0; d < before; d++)
        mask = gt_expand_dims(mask, 0);
    for (int d = 0; d < behind; d++)
        mask = gt_expand_dims(mask, -1);
    return mask;
}

gt_Tensor *gt_mask_first(gt_Tensor *mask, int axes)
{
    gt_Axes behind = gt_axes();
    for (int d = axes, rank = gt_rank(mask); d < rank; d++)
        behind.axis[behind.count++] = d;
    return behind.count ? gt_squeeze(mask, .axes = behind) : mask;
}

gt_Tensor *gt_mask_over(const gt_MaskRule *rule, int input, int axes)
{
    gt_Tensor *mask = rule->input[input];
    gt_Shape shape = gt_spec_shape(rule->shape->input[input]);
    int own = gt_mask_axes(rule, input);
    shape.rank = axes;
    if (!mask)
        return gt_ones(shape, .dtype = GT_BOOL);
    for (int d = 0; d < own; d++)
        shape.dims[d] = -1; /* what the mask has, at every run */
    return own == axes ? mask : gt_broadcast_to(surrounded(mask, 0, axes - own), shape);
}

gt_Status gt_mask_join(gt_MaskRule *rule, int o, gt_Tensor *mask)
{
    gt_Tensor *other = rule->output[o];
    if (!mask)
        return gt_status();
    if (other) {
        int more = gt_tensor_spec(other)->rank - gt_tensor_spec(mask)->rank;
        mask = surrounded(mask, 0, more > 0 ? more : 0);
        other = surrounded(other, 0, more < 0 ? -more : 0);
        mask = mask && other ? gt_logical_and(mask, other) : NULL;
    }
    const gt_Spec *out = &rule->shape->output[o], *spec = mask ? gt_tensor_spec(mask) : NULL;
    if (!spec)
        return gt_status();
    gt_Shape shape = {GT_MARK, spec->rank, {0}};
    bool whole = true;
    for (int d = 0; d < shape.rank; d++) {
        bool own = spec->dims[d] == out->dims[d];
        shape.dims[d] = own ? -1 : out->dims[d]; /* -1: what the mask has, at every run */
        whole &= own;
    }
    rule->output[o] = whole ? mask : gt_broadcast_to(mask, shape);
    return rule->output[o] ? GT_OK : gt_status();
}

gt_Status gt_mask_keep(gt_MaskRule *rule)
{
    for (int i = 0; i < rule->shape->inputs; i++)
        for (int o = 0; rule->input[i] && o < rule->shape->outputs; o++) {
            int before = rule->shape->output[o].rank - rule->shape->input[i]->rank;
            if (gt_mask_join(rule, o, surrounded(rule->input[i], before, 0)) != GT_OK)
                return gt_status();
        }
    return GT_OK;
}

gt_Status gt_mask_rows(gt_MaskRule *rule, int axes)
{
    for (int i = 0; i < rule->shape->inputs; i++) {
        if (gt_mask_axes(rule, i) > axes)
            return gt_mask_refuse(rule, i, axes);
        for (int o = 0; rule->input[i] && o < rule->shape->outputs; o++)
            if (gt_mask_join(rule, o, rule->input[i]) != GT_OK)
                return gt_status();
    }
    return GT_OK;
}

gt_Status gt_mask_batch(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, 1);
}

gt_Status gt_mask_drop(gt_MaskRule *rule)
{
    (void)rule;
    return GT_OK;
}
