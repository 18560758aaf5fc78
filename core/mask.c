/* Masks ride on values. An operation whose inputs have masks gives its outputs those that its record's rule makes of them,
 * with operations, so a trace has them too and a tape sees nothing of them. Leans on operation.c. */
#include "core/mask.h"
#include "core/structs.h"

#include <stdio.h>
#include <string.h>

gt_Tensor *gt_mask_at(const char *here, const gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, "mask", "the tensor", x) : NULL;
    return slot && slot->value->mask ? gt_value_handle(slot->value->mask) : NULL;
}

bool gt_is_masked(const gt_Tensor *x)
{
    const gt_Slot *slot = gt_slot_find(x);
    return slot && slot->value->mask;
}

void gt_value_set_mask(gt_Value *value, gt_Value *mask)
{
    gt_value_retain(mask, true);
    if (value->mask)
        gt_value_release(value->mask, true);
    value->mask = mask;
}

gt_Value *gt_value_mask(const gt_Value *value)
{
    return value->mask;
}

static gt_Status run_rule(gt_Context *context, const char *here, gt_MaskRule *rule,
                          gt_Value *const *value)
{
    const gt_Operation *operation = rule->shape->operation;
    for (int i = 0; i < rule->shape->inputs; i++) {
        if (!value[i] || !value[i]->mask)
            continue;
        if (!operation->mask)
            return gt_raise(context, GT_INVALID, here, NULL,
                            "input %d has a mask, and nobody said what becomes of it here: use the "
                            "mask, gt_mask(x), or count the padding, gt_unmask(x)",
                            i + 1);
        if (!(rule->input[i] = gt_value_handle(value[i]->mask)))
            return context->status;
    }
    gt_Status status = operation->mask(rule);
    if (status != GT_OK && context->status == GT_OK)
        gt_raise(context, status, here, NULL, "the mask rule failed");
    return context->status;
}

gt_Status gt_masks_follow(gt_Context *context, const char *here, const gt_ShapeRule *shape,
                          gt_Value *const *value, gt_Tensor *const *input, gt_Tensor **outputs)
{
    gt_MaskRule rule;
    rule.shape = shape;
    rule.tensor = input;
    memset(rule.input, 0, (size_t)shape->inputs * sizeof *rule.input);
    memset(rule.output, 0, (size_t)shape->outputs * sizeof *rule.output);
    if (gt_scope_open(context)) {
        uint64_t recording = gt_tape_quiet(context);
        run_rule(context, here, &rule, value);
        for (int i = 0; i < shape->outputs && context->status == GT_OK; i++)
            if (rule.output[i])
                gt_value_set_mask(gt_slot_raw(outputs[i])->value, gt_tensor_value(rule.output[i]));
        gt_tape_unquiet(context, recording);
        gt_scope_close(context);
    }
    for (int i = 0; i < shape->outputs && context->status != GT_OK; i++) {
        gt_slot_free(context, gt_slot_raw(outputs[i]));
        outputs[i] = NULL;
    }
    return context->status;
}

gt_Status gt_refuse_mask(gt_Context *context, const char *here, const char *operation,
                         const char *what, int32_t number, const gt_Value *value)
{
    if (!value->mask)
        return GT_OK;
    char numbered[64];
    snprintf(numbered, sizeof numbered, number > 0 ? "%.40s %d" : "%.40s", what, (int)number);
    return gt_raise(context, GT_INVALID, here, operation,
                    "%s has a mask, which would be lost here: pass gt_unmask(x), and the mask, "
                    "gt_mask(x), as an input of its own",
                    numbered);
}
