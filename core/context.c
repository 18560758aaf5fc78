/* Making, choosing and freeing contexts. Nothing here is global but the thread's pointer to its
 * current context. */
#include "core/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GT_VERSION_TEXT "0.1.0"

static _Thread_local gt_Context *current_context;

static void *system_allocate(void *user, size_t size, size_t alignment)
{
    (void)user;
    void *memory = NULL;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

static void system_release(void *user, void *memory, size_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

#define GT_STRUCT gt_ContextOptions
GT_OPTION_TYPE(gt_ContextOptions, GT_CONTEXT_OPTIONS);
#undef GT_STRUCT

static int threads_from_environment(void)
{
    const char *text = getenv("GT_THREADS");
    int threads = text ? atoi(text) : 1;
    return threads < 1 ? 1 : threads > GT_MAX_THREADS ? GT_MAX_THREADS : threads;
}

gt_Context *gt_context_new(const gt_ContextOptions *given)
{
    gt_ContextOptions options;
    gt_options_fill(&gt_ContextOptions_type, &options, given);
    gt_Allocator allocator = {system_allocate, system_release, NULL};
    if (options.allocator)
        allocator = *options.allocator;
    const gt_KernelTable *kernels = gt_cpu_kernels();
    if (!kernels)
        return NULL;
    gt_Context *context = allocator.allocate(allocator.user, sizeof *context, GT_ALIGNMENT);
    if (!context)
        return NULL;
    memset(context, 0, sizeof *context);
    context->allocator = allocator;
    context->memory.allocator_calls = 1;
    context->memory.bytes_reserved = (int64_t)sizeof *context;
    context->kernels = kernels;
    context->scope = &context->root;
    context->innermost_tape = context->last_tape = -1;
    context->records.next = context->records.previous = &context->records;
    context->objects.next = context->objects.previous = &context->objects;
    context->seed = options.seed;
    context->unpooled = !options.pooling;
    context->threads = 1;
    int threads = options.threads > 0 ? options.threads : threads_from_environment();
    if (threads > 1)
        gt_pool_resize(context, threads > GT_MAX_THREADS ? GT_MAX_THREADS : threads);
    if (context->status != GT_OK) {
        gt_context_free(context);
        return NULL;
    }
    return context;
}

void gt_context_free(gt_Context *context)
{
    if (!context)
        context = current_context;
    if (!context)
        return;
    gt_Context *previous = gt_context_use(context);
    gt_objects_close(context);
    gt_pool_close(context);
    gt_blas_unload(&context->blas);
    gt_memory_close(context);
    context->allocator.release(context->allocator.user, context, sizeof *context);
    current_context = previous == context ? NULL : previous;
}

gt_Context *gt_context_use(gt_Context *context)
{
    gt_Context *previous = current_context;
    current_context = context;
    return previous;
}

gt_Context *gt_context(void)
{
    if (!current_context)
        current_context = gt_context_new(NULL);
    return current_context;
}

gt_Context *gt_enter(void)
{
    gt_Context *context = gt_context();
    return context && context->status == GT_OK ? context : NULL;
}

gt_Site gt_site_enter(const char *here, const char *name)
{
    gt_Site site = {gt_context(), NULL, NULL};
    if (!site.context)
        return site;
    site.here = site.context->here;
    site.composing = site.context->composing;
    if (here)
        site.context->here = here;
    if (name && !site.composing)
        site.context->composing = name;
    return site;
}

void gt_site_leave(gt_Site site)
{
    if (!site.context)
        return;
    site.context->here = site.here;
    site.context->composing = site.composing;
}

gt_Status gt_set_seed(uint64_t seed)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    context->seed = seed;
    context->object_serial = 0;
    if (context->generator) {
        const uint64_t state[2] = {seed, 0};
        return gt_variable_set_at(NULL, context->generator, state, sizeof state);
    }
    return GT_OK;
}

gt_Status gt_set_threads(int threads)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (threads < 1 || threads > GT_MAX_THREADS)
        return gt_raise(context, GT_INVALID, NULL, "set_threads",
                        "%d threads; 1 to %d are possible", threads, GT_MAX_THREADS);
    return gt_pool_resize(context, threads);
}

int gt_threads(void)
{
    gt_Context *context = gt_context();
    return context ? context->threads : 1;
}

void gt_set_interrupt(bool (*interrupted)(void *user), void *user)
{
    gt_Context *context = gt_context();
    if (!context)
        return;
    context->interrupted = interrupted;
    context->interrupted_user = user;
}

gt_MemoryStats gt_memory_stats(void)
{
    gt_Context *context = gt_context();
    gt_MemoryStats none = {0};
    return context ? context->memory : none;
}

const char *gt_version(void)
{
    return GT_VERSION_TEXT;
}

const char *gt_build_info(void)
{
    gt_Context *context = gt_context();
    if (!context)
        return "gradtape " GT_VERSION_TEXT ", out of memory";
    bool loaded = gt_blas_load(&context->blas);
    const char *core = context->blas.core[0] ? context->blas.core : "of unknown kernels";
    snprintf(context->info, sizeof context->info, "gradtape %s, kernels %s, BLAS %s, threads %d",
             GT_VERSION_TEXT, context->kernels->isa, loaded ? core : "none", context->threads);
    return context->info;
}
