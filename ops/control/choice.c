/* The operations that mark values: identities, whose gradients are marked in their turn. Leans on core/operation.c, which
 * records a choice though no tape watches its input. */
#include "ops/control/choice.h"
#include "ops/array/cast.h"
#include "ops/kit.h"
#include "ops/masks.h"

static gt_Status mark_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return GT_OK;
}

static gt_Status mark_gradient(gt_GradientRule *rule)
{
    gt_Tensor *gradient = gt_identity(gt_upstream(rule, 0));
    if (gradient && gt_mark_choice(gt_rule_context(rule), &gradient, 1) == GT_OK)
        gt_give(rule, 0, gradient);
    return gt_status();
}

static const gt_Operation gt_op_choice = {
    GT_RECORD("choice", "a", 1, 1),
    .flags = GT_OP_INTERNAL | GT_OP_VIEW | GT_OP_LINEAR | GT_OP_HALF | GT_OP_CHOICE,
    .shape = mark_shape,
    .lower = gt_lower_same,
    .gradient = mark_gradient,
    .mask = gt_mask_keep,
};

static const gt_Operation gt_op_rounds = {
    GT_RECORD("rounds", "a", 1, 1),
    .flags = GT_OP_INTERNAL | GT_OP_VIEW | GT_OP_LINEAR | GT_OP_HALF,
    .shape = mark_shape,
    .lower = gt_lower_same,
    .gradient = mark_gradient,
    .mask = gt_mask_keep,
};

/* Floats of this context alone: others have no gradient here. */
static gt_Status mark(gt_Context *context, const gt_Operation *with, gt_Tensor **tensors,
                      int32_t count)
{
    for (int32_t i = 0; i < count && gt_context_status(context) == GT_OK; i++) {
        const gt_Value *value = gt_tensor_value(tensors[i]);
        if (gt_value_context(value) != context || !gt_dtype_is_float(gt_value_spec(value)->dtype))
            continue;
        gt_Tensor *marked = gt_apply_one_at(NULL, with, NULL, 1, &tensors[i]);
        if (marked)
            gt_tensor_free(context, tensors[i]);
        tensors[i] = marked;
    }
    for (int32_t i = 0; i < count && gt_context_status(context) != GT_OK; i++)
        tensors[i] = NULL;
    return gt_context_status(context);
}

gt_Status gt_mark_choice(gt_Context *context, gt_Tensor **tensors, int32_t count)
{
    return mark(context, &gt_op_choice, tensors, count);
}

gt_Status gt_mark_rounds(gt_Context *context, gt_Tensor **tensors, int32_t count)
{
    return mark(context, &gt_op_rounds, tensors, count);
}

gt_Status gt_make_own(gt_Context *context, gt_Tensor **tensors, int32_t count)
{
    return mark(context, &gt_op_identity, tensors, count);
}
