/* The memory of a context: size classes over the host's allocator. Classes are a quarter of a power
 * of two apart, in steps of at least 64 bytes, so every block is aligned for any vector and wastes
 * at most a quarter. Small blocks are cut from slabs, one at a time as they are wanted: a first touch of a page costs more
 * than an operation. A freed block goes to its class's list and comes back from there: a step whose
 * shapes were seen before asks the allocator for nothing; when that has nothing more, large free blocks go back to it, and it
 * is asked again. A context without pooling asks for every
 * block by itself and gives it back when it is freed. Leans on error.c. */
#include "core/structs.h"

#include <string.h>

/* AddressSanitizer is told which blocks of a slab are free and where the others end. */
#if defined(__SANITIZE_ADDRESS__)
#define FORBID_AND_ALLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORBID_AND_ALLOW 1
#endif
#endif
#ifdef FORBID_AND_ALLOW
#include <sanitizer/asan_interface.h>
#define forbid(block, bytes) ASAN_POISON_MEMORY_REGION(block, bytes)
#define allow(block, bytes)  ASAN_UNPOISON_MEMORY_REGION(block, bytes)
#else
#define forbid(block, bytes) ((void)(block), (void)(bytes))
#define allow(block, bytes)  ((void)(block), (void)(bytes))
#endif

/* Functions that are calls of their own, so that what is asked for at every operation keeps no registers for them. */
#ifdef __GNUC__
#define SELDOM __attribute__((noinline))
#else
#define SELDOM
#endif

/* Memory as it came from the allocator: one large block, or many small ones. */
struct gt_Slab {
    struct gt_Slab *next, *previous;
    size_t bytes;
};

#define SLAB_HEAD  GT_ALIGNMENT
#define SLAB_BYTES ((size_t)256 * 1024)

static int log2_floor(size_t n)
{
#ifdef __GNUC__
    return (int)sizeof(unsigned long long) * 8 - 1 - __builtin_clzll(n);
#else
    int bits = 0;
    while (n >>= 1)
        bits++;
    return bits;
#endif
}

/* Four steps to each doubling. */
static int large_class(size_t bytes, size_t *size)
{
    int power = log2_floor(bytes - 1);
    size_t step = (size_t)1 << (power - 2);
    int quarter = (int)((bytes - 1 - ((size_t)1 << power)) / step);
    *size = ((size_t)1 << power) + (size_t)(quarter + 1) * step;
    return 4 + (power - 8) * 4 + quarter;
}

/* Class 0..3: 64, 128, 192, 256 bytes; inline, since every operation asks for three of these. */
static inline int class_of(size_t bytes, size_t *size)
{
    if (bytes > 256)
        return large_class(bytes, size);
    int index = (int)((bytes - (bytes > 0)) / 64);
    *size = (size_t)(index + 1) * 64;
    return index;
}

static struct gt_Slab *slab_new(gt_Context *context, size_t payload)
{
    size_t bytes = payload + SLAB_HEAD;
    struct gt_Slab *slab =
        context->allocator.allocate(context->allocator.user, bytes, GT_ALIGNMENT);
    context->memory.allocator_calls++;
    if (!slab)
        return NULL;
    *slab = (struct gt_Slab){context->slabs, NULL, bytes};
    if (slab->next)
        slab->next->previous = slab;
    context->slabs = slab;
    context->memory.bytes_reserved += (int64_t)bytes;
    return slab;
}

/* `bytes` is what was asked for: the allocator may compare. */
static void slab_free(gt_Context *context, struct gt_Slab *slab, size_t bytes)
{
    if (slab->next)
        slab->next->previous = slab->previous;
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        context->slabs = slab->next;
    context->memory.bytes_reserved -= (int64_t)bytes;
    allow(slab, slab->bytes);
    context->allocator.release(context->allocator.user, slab, bytes);
}

static void push_free(gt_Context *context, int class, void *block, size_t size)
{
    allow(block, sizeof(void *));
    *(void **)block = context->free_blocks[class];
    context->free_blocks[class] = block;
    forbid(block, size);
}

static void *pop_free(gt_Context *context, int class)
{
    void *block = context->free_blocks[class];
    if (block) {
        allow(block, sizeof(void *));
        context->free_blocks[class] = *(void **)block;
    }
    return block;
}

static void *out_of_memory(gt_Context *context, size_t bytes)
{
    gt_raise(context, GT_NO_MEMORY, NULL, NULL, "out of memory: %zu bytes wanted", bytes);
    return NULL;
}

/* One block of a class whose list is empty. The rest of a slab is not touched, so the system gives it no pages. */
static void *fresh_block(gt_Context *context, int class, size_t size)
{
    if (class >= GT_SMALL_CLASSES) {
        struct gt_Slab *slab = slab_new(context, size);
        return slab ? (char *)slab + SLAB_HEAD : NULL;
    }
    struct gt_Uncut *uncut = &context->uncut[class];
    if (uncut->bytes == 0) {
        size_t payload = SLAB_BYTES / size * size;
        if (size <= 4096 && context->memory.bytes_reserved < (int64_t)SLAB_BYTES)
            payload = 32768 / size * size; /* a small program stays small */
        struct gt_Slab *slab = slab_new(context, payload);
        if (!slab)
            return NULL;
        *uncut = (struct gt_Uncut){(char *)slab + SLAB_HEAD, payload};
        forbid(uncut->at, payload);
    }
    char *block = uncut->at;
    uncut->at += size;
    uncut->bytes -= size;
    return block;
}

/* Large blocks have a slab each, which the allocator gets back. False: there were none. */
static bool give_back_large(gt_Context *context)
{
    bool any = false;
    for (int i = GT_SMALL_CLASSES; i < GT_SIZE_CLASSES; i++)
        for (void *block; (block = pop_free(context, i)); any = true) {
            struct gt_Slab *slab = (struct gt_Slab *)(void *)((char *)block - SLAB_HEAD);
            slab_free(context, slab, slab->bytes);
        }
    return any;
}

/* The block, for its user. */
static inline void *hand_out(gt_Context *context, void *block, size_t bytes, size_t size)
{
    allow(block, bytes);
    forbid((char *)block + bytes, size - bytes);
    context->memory.bytes_in_use += (int64_t)size;
    if (context->memory.bytes_in_use > context->memory.bytes_peak)
        context->memory.bytes_peak = context->memory.bytes_in_use;
    return block;
}

/* One that no list has. */
static SELDOM void *allocate_anew(gt_Context *context, size_t bytes)
{
    size_t size = bytes;
    void *block;
    if (bytes > SIZE_MAX / 4)
        return out_of_memory(context, bytes);
    if (context->unpooled) {
        struct gt_Slab *slab = slab_new(context, bytes);
        block = slab ? (char *)slab + SLAB_HEAD : NULL;
    } else {
        int class = class_of(bytes, &size);
        block = fresh_block(context, class, size);
        if (!block && give_back_large(context))
            block = fresh_block(context, class, size);
    }
    return block ? hand_out(context, block, bytes, size) : out_of_memory(context, bytes);
}

void *gt_allocate(gt_Context *context, size_t bytes)
{
    size_t size;
    void *block = bytes <= SIZE_MAX / 4 ? pop_free(context, class_of(bytes, &size)) : NULL;
    return block ? hand_out(context, block, bytes, size) : allocate_anew(context, bytes);
}

void *gt_allocate_zeroed(gt_Context *context, size_t bytes)
{
    void *block = gt_allocate(context, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

static SELDOM void release_slab(gt_Context *context, void *block, size_t bytes)
{
    context->memory.bytes_in_use -= (int64_t)bytes;
    slab_free(context, (struct gt_Slab *)(void *)((char *)block - SLAB_HEAD), SLAB_HEAD + bytes);
}

void gt_release(gt_Context *context, void *block, size_t bytes)
{
    size_t size;
    if (!block)
        return;
    if (context->unpooled) {
        release_slab(context, block, bytes);
        return;
    }
    const int class = class_of(bytes, &size);
    push_free(context, class, block, size);
    context->memory.bytes_in_use -= (int64_t)size;
}

void *gt_allocate_unpooled(gt_Context *context, size_t bytes)
{
    struct gt_Slab *slab = bytes <= SIZE_MAX / 4 ? slab_new(context, bytes) : NULL;
    if (!slab)
        return out_of_memory(context, bytes);
    context->memory.bytes_in_use += (int64_t)bytes;
    if (context->memory.bytes_in_use > context->memory.bytes_peak)
        context->memory.bytes_peak = context->memory.bytes_in_use;
    return (char *)slab + SLAB_HEAD;
}

void gt_release_unpooled(gt_Context *context, void *block, size_t bytes)
{
    if (block)
        release_slab(context, block, bytes);
}

bool gt_reserve(gt_Context *context, void **array, int32_t count, int32_t *capacity, size_t element)
{
    if (count < *capacity)
        return true;
    int32_t wanted = *capacity ? *capacity * 2 : 8;
    if (*capacity > INT32_MAX / 2) {
        gt_raise(context, GT_NO_MEMORY, NULL, NULL, "out of memory: a list is full");
        return false;
    }
    void *grown = gt_allocate(context, (size_t)wanted * element);
    if (!grown)
        return false;
    if (*array) {
        memcpy(grown, *array, (size_t)count * element);
        gt_release(context, *array, (size_t)*capacity * element);
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

bool gt_memory_owns(const gt_Context *context, const void *address)
{
    for (const struct gt_Slab *slab = context->slabs; slab; slab = slab->next)
        if ((uintptr_t)address - (uintptr_t)slab < slab->bytes)
            return true;
    return false;
}

void gt_memory_close(gt_Context *context)
{
    while (context->slabs)
        slab_free(context, context->slabs, context->slabs->bytes);
}
