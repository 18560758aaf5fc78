/* What a handle to probabilities was made of: see gt_Origin. A loss that is given the output of a
 * softmax asks here for the scores, which say more than probabilities that rounded to 0 or 1. Leans
 * on tensor.c and tape.c. */
#include "core/structs.h"

#include <string.h>

static gt_Origin *origin_new(gt_Context *context, const gt_Operation *operation,
                             const void *options, gt_Value *logits, int64_t first)
{
    size_t at = (sizeof(gt_Origin) + 15) & ~(size_t)15;
    size_t more = logits && operation->options ? operation->options->size : 0;
    gt_Origin *origin = gt_allocate(context, at + more);
    if (!origin)
        return NULL;
    *origin = (gt_Origin){operation, NULL, logits, first, at + more, 1};
    if (logits)
        gt_value_retain(logits, true);
    if (more)
        origin->options = memcpy((char *)origin + at, options, more);
    return origin;
}

gt_Status gt_origin_set(gt_Context *context, gt_Slot *slot, const gt_Operation *operation,
                        const void *options, gt_Value *logits)
{
    slot->origin = origin_new(context, operation, options, logits, 0);
    return context->status;
}

gt_Status gt_origin_follow(gt_Context *context, gt_Slot *slot, const gt_Slot *source, int64_t first)
{
    gt_Origin *origin = source->origin;
    if (first == 0)
        origin->references++;
    else
        origin = origin_new(context, origin->operation, origin->options, origin->logits,
                            origin->first + first);
    slot->origin = origin;
    return context->status;
}

void gt_origin_release(gt_Context *context, gt_Origin *origin)
{
    if (--origin->references > 0)
        return;
    if (origin->logits)
        gt_value_release(origin->logits, true);
    gt_release(context, origin, origin->bytes);
}

void gt_origin_forget(gt_Context *context, gt_Tensor *tensor)
{
    gt_Slot *slot = gt_slot_raw(tensor);
    if (slot->origin)
        gt_origin_release(context, slot->origin);
    slot->origin = NULL;
}

gt_Tensor *gt_origin_hidden(gt_Context *context, gt_Tensor *tensor)
{
    const gt_Slot *slot = gt_slot_find(tensor);
    if (!slot || !slot->origin)
        return tensor;
    gt_value_retain(slot->value, true);
    return gt_handle_new(context, slot->value);
}

const gt_Operation *gt_origin_operation(const gt_Tensor *tensor)
{
    const gt_Origin *origin = gt_slot_raw(tensor)->origin;
    return origin ? origin->operation : NULL;
}

const gt_Spec *gt_origin_spec(const gt_Tensor *tensor)
{
    const gt_Origin *origin = gt_slot_raw(tensor)->origin;
    return origin && origin->logits ? &origin->logits->spec : NULL;
}

const void *gt_origin_options(const gt_Tensor *tensor)
{
    return gt_slot_raw(tensor)->origin->options;
}

int64_t gt_origin_first(const gt_Tensor *tensor)
{
    return gt_slot_raw(tensor)->origin->first;
}

gt_Tensor *gt_origin_logits(const gt_Tensor *tensor)
{
    return gt_value_handle(gt_slot_raw(tensor)->origin->logits);
}

/* Back through views to the operation that made the probabilities: on the tapes of all these records
 * and of the logits a gradient comes from here to there. Not on a tape that watches a handle on the
 * way but not the logits, and not where a record on the way cuts it. */
uint64_t gt_origin_tapes(const gt_Context *context, const gt_Tensor *tensor)
{
    const gt_Slot *slot = gt_slot_raw(tensor);
    const gt_Origin *origin = slot->origin;
    uint64_t tapes = context->recording;
    for (const gt_Record *record = slot->value->record; tapes && record;
         record = record->input[0] ? record->input[0]->record : NULL) {
        const gt_Operation *operation = record->operation;
        tapes &= record->tapes;
        if (operation == origin->operation) {
            const gt_Value *behind = record->input[0];
            return behind && behind == origin->logits ? tapes & gt_tapes_of(behind) : 0;
        }
        if (!operation || !(operation->flags & GT_OP_CARRIES) ||
            operation->flags & GT_OP_NOT_DIFFERENTIABLE)
            return 0;
    }
    return 0;
}
