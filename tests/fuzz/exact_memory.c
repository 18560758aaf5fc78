/* In place of core/memory.c when fuzzing: every block is an allocation of its own that ends with
 * the last byte asked for, so that AddressSanitizer sees a read or write behind it, and so that a
 * test of failing allocations can make each one fail. */
#include "core/internal.h"

#include <string.h>

/* Stands before a block; the context's slabs are the list of all. */
struct gt_Slab {
    struct gt_Slab *next, *previous;
    size_t bytes;
};
#define HEAD ((size_t)GT_ALIGNMENT)

void *gt_allocate(gt_Context *context, size_t bytes)
{
    struct gt_Slab *head = NULL;
    context->memory.allocator_calls++;
    if (bytes <= SIZE_MAX / 4)
        head = context->allocator.allocate(context->allocator.user, HEAD + bytes, GT_ALIGNMENT);
    if (!head) {
        gt_raise(context, GT_NO_MEMORY, NULL, NULL, "out of memory: %zu bytes wanted", bytes);
        return NULL;
    }
    *head = (struct gt_Slab){context->slabs, NULL, bytes};
    if (head->next)
        head->next->previous = head;
    context->slabs = head;
    context->memory.bytes_in_use += (int64_t)bytes;
    if (context->memory.bytes_in_use > context->memory.bytes_peak)
        context->memory.bytes_peak = context->memory.bytes_in_use;
    return (char *)head + HEAD;
}

void *gt_allocate_zeroed(gt_Context *context, size_t bytes)
{
    void *block = gt_allocate(context, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

/* The size given back must be the one that was asked for. */
void gt_release(gt_Context *context, void *block, size_t bytes)
{
    if (!block)
        return;
    struct gt_Slab *head = (struct gt_Slab *)(void *)((char *)block - HEAD);
    if (head->bytes != bytes)
        __builtin_trap();
    if (head->next)
        head->next->previous = head->previous;
    if (head->previous)
        head->previous->next = head->next;
    else
        context->slabs = head->next;
    context->memory.bytes_in_use -= (int64_t)bytes;
    context->allocator.release(context->allocator.user, head, HEAD + bytes);
}

bool gt_reserve(gt_Context *context, void **array, int32_t count, int32_t *capacity, size_t element)
{
    if (count < *capacity)
        return true;
    void *grown = gt_allocate(context, (size_t)(count + 1) * element);
    if (!grown)
        return false;
    if (*array)
        memcpy(grown, *array, (size_t)count * element);
    gt_release(context, *array, (size_t)*capacity * element);
    *array = grown;
    *capacity = count + 1;
    return true;
}

void gt_memory_close(gt_Context *context)
{
    while (context->slabs)
        gt_release(context, (char *)context->slabs + HEAD, context->slabs->bytes);
}
