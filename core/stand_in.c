/* Values that stand in for those of variables, for a while: a layer that is called meanwhile computes with them, and what it
 * assigns replaces them. The variable's own value is put aside untouched. So a call with state becomes a function of values
 * (gt_stateless_call), eagerly, under tapes, in traces and their bodies. Leans on variable.c and trace.c.
 *
 *     gt_stand_in_begin(context, &frame, kernel, value);    reads of `kernel` give `value`
 *     ... gt_assign(kernel, new) ...                        `new` stands in from here on, without a gradient
 *     last = gt_stand_in_end(context, &frame);              what stood in last; held
 *
 * Where a value began to stand in, that is in the same trace or eagerly in none, it is what any tensor is. A trace that
 * begins inside, the body of a loop or a plan, sees a variable as ever: it captures the value as that of the variable
 * around it, and its changes are assigned there. */
#include "core/trace.h"

#include <string.h>

void gt_stand_in_begin(gt_Context *context, gt_StandIn *self, gt_Variable *variable, gt_Value *value)
{
    gt_Slot *slot = gt_slot_raw(variable);
    *self = (gt_StandIn){variable, slot->value, context->trace, slot->variable->stand_in};
    gt_variable_retain(variable);
    slot->value = value;
    slot->variable->stand_in = self;
    context->stand_ins++;
}

gt_Value *gt_stand_in_end(gt_Context *context, gt_StandIn *self)
{
    gt_Slot *slot = gt_slot_raw(self->variable);
    gt_Value *value = slot->value;
    slot->value = self->own;
    slot->variable->stand_in = self->around;
    context->stand_ins--;
    gt_variable_release(self->variable);
    return value;
}

bool gt_stands_in(const gt_Context *context)
{
    return context->stand_ins > 0;
}

bool gt_stands_in_here(const gt_Context *context, const gt_Slot *slot)
{
    const gt_StandIn *frame = slot->variable->stand_in;
    return frame && frame->trace == context->trace;
}

/* Is nobody else interested in the bytes? */
static bool is_own(const gt_Value *value)
{
    const gt_Buffer *buffer = value->buffer;
    return value->references == 1 && !value->record && value->offset == 0 && buffer &&
           buffer->references == 1 && !buffer->borrowed && !buffer->late;
}

gt_Status gt_stand_in_own(gt_Context *context, gt_Slot *slot)
{
    gt_Value *value = slot->value;
    if (is_own(value))
        return GT_OK;
    size_t bytes = gt_spec_bytes(&value->spec);
    const void *numbers = gt_value_data(value);
    gt_Buffer *fresh = context->status == GT_OK ? gt_buffer_new(context, bytes) : NULL;
    gt_Value *mine = fresh ? gt_value_new(context, &value->spec, fresh, 0) : NULL;
    if (!mine) {
        gt_buffer_release(context, fresh);
        return context->status;
    }
    if (bytes)
        memcpy(fresh->data, numbers, bytes);
    slot->value = mine;
    gt_value_release(value, true);
    return GT_OK;
}

gt_Status gt_stand_in_change(gt_Context *context, gt_Slot *slot, int32_t symbol)
{
    gt_Value *value = gt_trace_value(context, &slot->value->spec, symbol);
    if (value) {
        gt_value_release(slot->value, true);
        slot->value = value;
    }
    return context->status;
}
