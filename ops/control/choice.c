/* The operations that mark: identities. Leans on core/operation.c, which records a choice though no tape
 * watches its input. */
#include "ops/control/choice.h"
#include "ops/array/cast.h"
#include "ops/kit.h"

static gt_Status choice_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return GT_OK;
}

/* The gradient came the same way. */
static gt_Status choice_gradient(gt_GradientRule *rule)
{
    gt_Tensor *gradient = gt_identity(gt_upstream(rule, 0));
    if (gradient && gt_mark_choice(rule->context, &gradient, 1) == GT_OK)
        gt_give(rule, 0, gradient);
    return gt_status();
}

static const gt_Operation choice = {
    .size = sizeof(gt_Operation),
    .name = "choice",
    .flags = GT_OP_INTERNAL | GT_OP_VIEW | GT_OP_LINEAR | GT_OP_HALF | GT_OP_CHOICE,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = choice_shape,
    .run = gt_run_copy,
    .gradient = choice_gradient,
};

static const gt_Operation rounds = {
    .size = sizeof(gt_Operation),
    .name = "rounds",
    .flags = GT_OP_INTERNAL | GT_OP_VIEW | GT_OP_LINEAR | GT_OP_HALF,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = choice_shape,
    .run = gt_run_copy,
    .gradient = choice_gradient,
};

static gt_Status mark(gt_Context *context, const gt_Operation *with, gt_Tensor **tensors,
                      int32_t count)
{
    for (int32_t i = 0; i < count && gt_context_status(context) == GT_OK; i++) {
        const gt_Value *value = gt_slot_raw(tensors[i])->value;
        if (value->context != context || !gt_dtype_is_float(value->spec.dtype))
            continue;
        gt_Tensor *marked = gt_apply_one_at(NULL, with, NULL, 1, &tensors[i]);
        if (marked)
            gt_slot_free(context, gt_slot_raw(tensors[i]));
        tensors[i] = marked;
    }
    for (int32_t i = 0; i < count && gt_context_status(context) != GT_OK; i++)
        tensors[i] = NULL;
    return gt_context_status(context);
}

gt_Status gt_mark_choice(gt_Context *context, gt_Tensor **tensors, int32_t count)
{
    return mark(context, &choice, tensors, count);
}

gt_Status gt_mark_rounds(gt_Context *context, gt_Tensor **tensors, int32_t count)
{
    return mark(context, &rounds, tensors, count);
}

gt_Status gt_make_own(gt_Context *context, gt_Tensor **tensors, int32_t count)
{
    return mark(context, &gt_op_identity, tensors, count);
}
