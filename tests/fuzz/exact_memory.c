/* In place of core/memory.c when fuzzing: every block is an allocation of its own and of exactly
 * the size asked for, so that AddressSanitizer sees a read or write one byte outside it. */
#include "core/internal.h"

#include <string.h>

void *gt_allocate(gt_Context *context, size_t bytes)
{
    void *block = NULL;
    context->memory.allocator_calls++;
    if (bytes <= SIZE_MAX / 4)
        block =
            context->allocator.allocate(context->allocator.user, bytes ? bytes : 1, GT_ALIGNMENT);
    if (block)
        context->memory.bytes_in_use += (int64_t)bytes;
    else
        gt_raise(context, GT_NO_MEMORY, NULL, NULL, "out of memory: %zu bytes wanted", bytes);
    return block;
}

void *gt_allocate_zeroed(gt_Context *context, size_t bytes)
{
    void *block = gt_allocate(context, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

void gt_release(gt_Context *context, void *block, size_t bytes)
{
    if (!block)
        return;
    context->memory.bytes_in_use -= (int64_t)bytes;
    context->allocator.release(context->allocator.user, block, bytes ? bytes : 1);
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

/* What core leaves to the pool's end (slots of handles) is lost here: fuzzers keep one context. */
void gt_memory_close(gt_Context *context)
{
    (void)context;
}
