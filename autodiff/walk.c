/* Collecting the records behind the targets: depth first, inputs in the order of the operands, so
 * that the order says nothing about when they were made (C evaluates arguments in any order).
 * Iterative: tapes may be long. Leans on core. */
#include "autodiff/walk.h"

#include <string.h>

#define BIT(n) ((uint64_t)1 << (n))

int32_t gt_walk_find(const gt_Walk *walk, const gt_Record *record)
{
    return record ? gt_map_find(&walk->numbers, gt_map_pointer(record)) : -1;
}

static int32_t add_node(gt_Walk *walk, gt_Record *record)
{
    int32_t found = gt_walk_find(walk, record);
    if (found >= 0)
        return found;
    if (!gt_reserve(walk->context, (void **)&walk->nodes, walk->count, &walk->capacity,
                    sizeof *walk->nodes) ||
        !gt_map_add(walk->context, &walk->numbers, gt_map_pointer(record), walk->count))
        return -1;
    walk->nodes[walk->count] = (gt_WalkNode){.record = record, .gradients = walk->gradient_count};
    walk->gradient_count += record->operation ? record->outputs : 1;
    record->references++;
    return walk->count++;
}

bool gt_walk_passes(const gt_Record *record)
{
    if (!record->operation || record->operation->flags & GT_OP_NOT_DIFFERENTIABLE)
        return false;
    for (int i = 0; i < record->outputs; i++)
        if (gt_dtype_is_float(record->output[i].spec.dtype))
            return true;
    return false;
}

/* A stack of nodes; one comes off it into the order when everything behind it did. */
gt_Status gt_walk_collect(gt_Walk *walk, int targets, gt_Value *const *target, bool through)
{
    gt_Context *context = walk->context;
    uint64_t bit = BIT(gt_tape_bit(context, walk->tape));
    int32_t *stack = NULL, depth = 0, capacity = 0;
    gt_Status status = GT_NO_MEMORY;
    for (int t = targets - 1; t >= 0; t--) {
        gt_Record *record = target[t]->record;
        if (!record || !(record->tapes & bit))
            continue;
        int32_t node = add_node(walk, record);
        if (node < 0 || !gt_reserve(context, (void **)&stack, depth, &capacity, sizeof *stack))
            goto done;
        stack[depth++] = node;
    }
    while (depth > 0) {
        int32_t node = stack[depth - 1];
        gt_Record *record = walk->nodes[node].record;
        if (walk->nodes[node].open) {
            depth--;
            if (walk->nodes[node].needed)
                continue;
            walk->nodes[node].needed = true; /* marks "in the order"; reset below */
            if (!gt_reserve(context, (void **)&walk->order, walk->order_count,
                            &walk->order_capacity, sizeof *walk->order))
                goto done;
            walk->order[walk->order_count++] = node;
            walk->chosen |= record->operation && record->operation->flags & GT_OP_CHOICE;
            continue;
        }
        walk->nodes[node].open = true;
        if (!record->operation || !(through || gt_walk_passes(record)))
            continue;
        for (int i = record->inputs - 1; i >= 0; i--) {
            gt_Value *value = record->input[i];
            if (!value || !value->record || !(value->record->tapes & bit) ||
                !(through || gt_dtype_is_float(value->spec.dtype)))
                continue;
            int32_t behind = add_node(walk, value->record);
            if (behind < 0)
                goto done;
            if (walk->nodes[behind].open)
                continue;
            if (!gt_reserve(context, (void **)&stack, depth, &capacity, sizeof *stack))
                goto done;
            stack[depth++] = behind;
        }
    }
    for (int32_t i = 0; i < walk->count; i++)
        walk->nodes[i].needed = false;
    status = GT_OK;
done:
    gt_release(context, stack, (size_t)capacity * sizeof *stack);
    return status == GT_OK ? GT_OK : context->status;
}

void gt_walk_close(gt_Walk *walk)
{
    gt_Context *context = walk->context;
    if (walk->gradients)
        for (int32_t i = 0; i < walk->gradient_count; i++)
            if (walk->gradients[i])
                gt_value_release(walk->gradients[i], true);
    gt_release(context, walk->gradients, (size_t)walk->gradient_count * sizeof *walk->gradients);
    for (int32_t i = 0; i < walk->count; i++)
        gt_record_release(walk->nodes[i].record);
    gt_release(context, walk->nodes, (size_t)walk->capacity * sizeof *walk->nodes);
    gt_release(context, walk->order, (size_t)walk->order_capacity * sizeof *walk->order);
    gt_map_close(context, &walk->numbers);
}
