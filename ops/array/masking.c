/* with_mask and unmask: views that change what rides on the value and nothing else. */
#include "ops/array/masking.h"
#include "ops/array/creation.h"
#include "ops/copies.h"
#include "ops/kit.h"
#include "ops/masks.h"

/* ---- with_mask ---- */

static gt_Status with_mask_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *mask = rule->input[1];
    rule->output[0] = *x;
    bool fits = mask->dtype == GT_BOOL && mask->rank <= x->rank;
    for (int d = 0; fits && d < mask->rank; d++)
        fits = mask->dims[d] == x->dims[d];
    if (fits)
        return GT_OK;
    char text[200], of[200];
    return gt_fail(GT_INVALID,
                   "the mask must be bool, and its shape the leading axes of the tensor's (got %s for %s)",
                   gt_spec_text(mask, text, sizeof text), gt_spec_text(x, of, sizeof of));
}

static gt_Status with_mask_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

/* The mask is an input, not one that rides on an input. */
static gt_Status with_mask_mask(gt_MaskRule *rule)
{
    return gt_mask_join(rule, 0, rule->tensor[1]);
}

const gt_Operation gt_op_with_mask = {
    GT_RECORD("with_mask", "x, with a mask", 2, 2),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF | GT_OP_MASKS,
    .shape = with_mask_shape,
    .lower = gt_lower_same,
    .gradient = with_mask_gradient,
    .mask = with_mask_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_WHOLE(GT_BOOL, 0, 1, 2))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_WHOLE(GT_BOOL, 0, 1, 2, 3))}),
};

gt_Tensor *gt_with_mask_at(const char *here, gt_Tensor *x, gt_Tensor *mask)
{
    return gt_apply_one_at(here, &gt_op_with_mask, NULL, 2, (gt_Tensor *const[]){x, mask});
}

/* ---- unmask ---- */

static gt_Status unmask_shape(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_ANY);
}

const gt_Operation gt_op_unmask = {
    GT_RECORD("unmask", "x, without a mask", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
    .shape = unmask_shape,
    .lower = gt_lower_same,
    .gradient = with_mask_gradient,
    .mask = gt_mask_drop,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(unmask)
