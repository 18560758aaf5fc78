/* Collecting the records behind the targets: depth first, inputs in the order of the operands, so
 * that the order says nothing about when they were made (C evaluates arguments in any order).
 * Iterative: tapes may be long. Leans on core. */
#include "autodiff/walk.h"

#include <string.h>

#define BIT(n) ((uint64_t)1 << (n))

/* Of values that the tape has the record of: the record, all outputs together. Of one that it only
 * watches: that output alone. NULL: the tape does not know the value. */
static const void *key_of(const gt_Walk *walk, const gt_Value *value)
{
    uint64_t bit = BIT(gt_tape_bit(walk->context, walk->tape));
    const gt_Record *record = value->record;
    return !(gt_tapes_of(value) & bit) ? NULL
           : record->tapes & bit       ? (const void *)record
                                       : &record->output[value->index];
}

int32_t gt_walk_find(const gt_Walk *walk, const gt_Value *value)
{
    const void *key = key_of(walk, value);
    return key ? gt_map_find(&walk->numbers, gt_map_pointer(key)) : -1;
}

gt_Value **gt_walk_place(const gt_Walk *walk, const gt_Value *value)
{
    int32_t node = gt_walk_find(walk, value);
    if (node < 0)
        return NULL;
    int32_t first = walk->nodes[node].gradients;
    return &walk->gradients[walk->nodes[node].leaf ? first : first + value->index];
}

static int32_t add_node(gt_Walk *walk, const gt_Value *value)
{
    int32_t found = gt_walk_find(walk, value);
    gt_Record *record = value->record;
    const void *key = key_of(walk, value);
    bool leaf = key != record || !record->operation;
    if (found >= 0)
        return found;
    if (!gt_reserve(walk->context, (void **)&walk->nodes, walk->count, &walk->capacity,
                    sizeof *walk->nodes) ||
        !gt_map_add(walk->context, &walk->numbers, gt_map_pointer(key), walk->count))
        return -1;
    walk->nodes[walk->count] =
        (gt_WalkNode){.record = record, .leaf = leaf, .gradients = walk->gradient_count};
    walk->gradient_count += leaf ? 1 : record->outputs;
    record->references++;
    return walk->count++;
}

bool gt_walk_passes(const gt_WalkNode *node)
{
    const gt_Record *record = node->record;
    if (node->leaf || record->operation->flags & GT_OP_NOT_DIFFERENTIABLE)
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
    int32_t *stack = NULL, depth = 0, capacity = 0;
    gt_Status status = GT_NO_MEMORY;
    for (int t = targets - 1; t >= 0; t--) {
        if (!key_of(walk, target[t]))
            continue;
        int32_t node = add_node(walk, target[t]);
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
        if (walk->nodes[node].leaf || !(through || gt_walk_passes(&walk->nodes[node])))
            continue;
        for (int i = record->inputs - 1; i >= 0; i--) {
            gt_Value *value = record->input[i];
            if (!value || !key_of(walk, value) ||
                !(through || gt_dtype_is_float(value->spec.dtype)))
                continue;
            int32_t behind = add_node(walk, value);
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
