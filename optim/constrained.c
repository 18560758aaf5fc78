/* The part of a step that constraints need. A variable's new value is projected after its update and its moving
 * average, as in Keras; a projection is made of operations and may fail, for want of memory or for what a
 * user's function says, when the variable has changed already. So constrained variables go first, all that
 * changes of them is remembered, and put back if one fails:
 *
 *     remember -> (every variable gets bytes of its own) -> update, project -> put back or assign -> the others
 *
 * In a traced function nothing runs, hence nothing is remembered. */
#include "optim/state.h"
#include "ops/array/cast.h"
#include "ops/table.h"

#include <string.h>

gt_Status gt_optimizer_remember(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    for (int32_t i = 0; i < self->entries; i++) {
        gt_OptimizerEntry *entry = &self->entry[i];
        entry->constrained =
            entry->gradient && gt_variable_is_constrained(context, entry->variable);
        if (!entry->constrained || gt_tracing(context))
            continue;
        /* These hold the old bytes, and what makes a variable's bytes its own leaves them to them. */
        entry->before[0] = gt_identity(entry->variable);
        for (int s = 0; s < self->slots; s++)
            entry->before[1 + s] = gt_identity(gt_optimizer_slots_of(self, i)[s]);
    }
    return gt_context_status(context);
}

static void copy_back(gt_Variable *variable, const gt_Tensor *before)
{
    size_t bytes = gt_spec_bytes(gt_tensor_spec(variable));
    if (bytes)
        memcpy(gt_tensor_data(variable), gt_tensor_data(before), bytes);
}

void gt_optimizer_put_back(gt_Optimizer *self)
{
    for (int32_t i = 0; i < self->entries && !gt_tracing(self->object.context); i++) {
        const gt_OptimizerEntry *entry = &self->entry[i];
        if (!entry->constrained)
            continue;
        copy_back(entry->variable, entry->before[0]);
        for (int s = 0; s < self->slots; s++)
            copy_back(gt_optimizer_slots_of(self, i)[s], entry->before[1 + s]);
    }
}

/* What follows must not fail: late results are computed, and a projection that shares the variable's bytes
 * leaves them to it. */
static void project(gt_Context *context, gt_OptimizerEntry *entry)
{
    entry->projected = gt_variable_constrained(entry->variable);
    if (!entry->projected || gt_tracing(context))
        return;
    gt_tensor_data(entry->projected);
    gt_variable_memory(context, entry->variable, true);
}

gt_Status gt_optimizer_update_constrained(gt_Optimizer *self,
                                          void (*update)(gt_Optimizer *, int32_t))
{
    gt_Context *context = self->object.context;
    for (int32_t i = 0; i < self->entries; i++)
        if (self->entry[i].constrained)
            update(self, i);
    for (int32_t i = 0; i < self->entries && gt_context_status(context) == GT_OK; i++)
        if (self->entry[i].constrained)
            project(context, &self->entry[i]);
    if (gt_context_status(context) != GT_OK) {
        gt_optimizer_put_back(self);
        return gt_context_status(context);
    }
    for (int32_t i = 0; i < self->entries; i++) {
        const gt_OptimizerEntry *entry = &self->entry[i];
        gt_Tensor *input[] = {entry->variable, entry->projected};
        if (entry->constrained && entry->projected != entry->variable)
            gt_apply_at(NULL, &gt_op_assign, NULL, 2, input, NULL);
    }
    return gt_context_status(context);
}
