/* Making, choosing and freeing contexts. A thread holds two pointers: its current context, and the
 * one that it made by itself.
 *
 * That one has no other owner, so it is counted: the thread holds it, and so does every object and
 * every variable made in it. Whoever lets it go last frees it - the thread when it ends, or, where
 * a model outlives the thread, whoever frees the model. A thread that ends touches nothing but that
 * count, because what it made may be in use elsewhere by then. */
#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "core/fact.h"
#include "core/structs.h"
#include "core/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define GT_VERSION_TEXT "0.1.0"
#define LARGE_BLOCK     ((size_t)4 << 20) /* bytes */

struct gt_Thread {
    gt_Context *current;
    gt_Context *own; /* made by gt_context(); NULL: none */
};

static _Thread_local gt_Thread thread;

/* Large blocks are better in pages of 2 MB: they are touched first in a third of the time, and fewer of their addresses are
 * looked up. The system may be asked for pages that lie within a block, and may refuse. */
static void advise_large_pages(void *memory, size_t size)
{
#if defined(__linux__)
    const uintptr_t page = 4096, from = ((uintptr_t)memory + page - 1) & ~(page - 1);
    const uintptr_t to = ((uintptr_t)memory + size) & ~(page - 1);
    if (size >= LARGE_BLOCK)
        madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)size;
#endif
}

static void *system_allocate(void *user, size_t size, size_t alignment)
{
    (void)user;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    advise_large_pages(memory, size);
    return memory;
}

static void system_release(void *user, void *memory, size_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

GT_OPTION_TYPE(gt_context_create_options, gt_context_create_OPTIONS);

static int threads_from_environment(void)
{
    const char *text = getenv("GT_THREADS");
    int threads = 0;
    for (; text && gt_is_digit(*text) && threads < GT_MAX_THREADS; text++)
        threads = threads * 10 + (*text - '0');
    return threads < 1 ? 1 : threads > GT_MAX_THREADS ? GT_MAX_THREADS : threads;
}

/* The error is the current context's, for there is no other yet. */
static bool can_reproduce(void)
{
    if (gt_kernels_base.exact)
        return true;
    gt_Context *current = gt_context();
    if (current)
        gt_raise(
            current, GT_UNSUPPORTED, current->here, "context_create",
            "this build has no kernels for a reproducible context: they were left out (the option "
            "isa of the build has no base), or the compiler computes with excess precision");
    return false;
}

gt_Context *gt_context_create_of(const gt_context_create_options *given)
{
    gt_context_create_options options;
    GT_TAKE(gt_context_create_options, &options, given);
    gt_Allocator allocator = {system_allocate, system_release, NULL};
    if (options.allocator)
        allocator = *options.allocator;
    const gt_KernelTable *kernels = gt_cpu_kernels();
    if (!kernels || (options.reproducible && !can_reproduce()))
        return NULL;
    gt_Context *context = allocator.allocate(allocator.user, sizeof *context, GT_ALIGNMENT);
    if (!context)
        return NULL;
    memset(context, 0, sizeof *context);
    context->word = GT_WORD_CONTEXT;
    context->allocator = allocator;
    context->memory.allocator_calls = 1;
    context->memory.bytes_reserved = (int64_t)sizeof *context;
    context->kernels = options.reproducible ? &gt_kernels_base : kernels;
    context->reproducible = options.reproducible;
    context->allows_foreign_code = options.allow_foreign_code;
    context->scope = &context->root;
    context->innermost_tape = context->last_tape = -1;
    context->records.next = context->records.previous = &context->records;
    context->objects.next = context->objects.previous = &context->objects;
    context->seed = options.seed;
    context->unpooled = !options.pooling;
    context->threads = 1;
    atomic_init(&context->holds, 1);
    int threads = options.threads > 0 ? options.threads : threads_from_environment();
    if (threads > 1)
        gt_pool_resize(context, threads > GT_MAX_THREADS ? GT_MAX_THREADS : threads);
    if (context->status != GT_OK) {
        gt_context_free(context);
        return NULL;
    }
    return context;
}

/* ---- who holds it ---- */

/* Frees it; its thread, if it is one's own, forgets it. */
static void destroy(gt_Context *context)
{
    gt_Context *previous = thread.current;
    gt_Thread *owner = atomic_exchange(&context->owner, NULL);
    if (owner) {
        owner->own = NULL;
        if (owner->current == context)
            owner->current = NULL;
    }
    gt_context_hold(context); /* so that what goes with it does not free it again */
    thread.current = context;
    gt_objects_close(context);
    gt_warnings_close(context);
    gt_registrations_close(context);
    gt_pool_close(context);
    gt_blas_unload(&context->blas);
    gt_memory_close(context);
    context->word = 0;
    context->allocator.release(context->allocator.user, context, sizeof *context);
    thread.current = previous == context ? NULL : previous;
}

void gt_context_hold(gt_Context *context)
{
    atomic_fetch_add_explicit(&context->holds, 1, memory_order_relaxed);
}

void gt_context_drop(gt_Context *context)
{
    if (atomic_fetch_sub_explicit(&context->holds, 1, memory_order_acq_rel) == 1)
        destroy(context);
}

/* ---- the context of a thread ---- */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* the value: the thread's own context; the destructor: its end */
static bool has_key;

static void thread_ends(void *value)
{
    gt_Context *context = value;
    if (thread.own != context)
        return; /* it was freed by hand */
    atomic_store(&context->owner, NULL);
    thread.own = NULL;
    if (thread.current == context)
        thread.current = NULL;
    gt_context_drop(context);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, thread_ends) == 0;
}

#ifdef __GNUC__
/* A host that unloads the library has threads that end after it. */
__attribute__((destructor)) static void delete_key(void)
{
    if (has_key)
        pthread_key_delete(key);
    has_key = false;
}
#endif

/* The thread's own context. Where the system has no key left it stays until it is freed by hand. */
static gt_Context *own_context(void)
{
    if (thread.own)
        return thread.own;
    gt_Context *context = gt_context_create_of(NULL);
    if (!context)
        return NULL;
    thread.own = context;
    atomic_store(&context->owner, &thread);
    pthread_once(&key_once, make_key);
    if (has_key)
        pthread_setspecific(key, context);
    return context;
}

/* Is it a context, or NULL? Raises an error otherwise, in the current one. */
static bool check_context(const char *operation, const gt_Context *context)
{
    if (!context || gt_has_word(context, GT_WORD_CONTEXT))
        return true;
    gt_Context *current = gt_context();
    if (current)
        gt_raise_kind(current, NULL, operation, NULL, "context", context);
    return false;
}

void gt_context_free(gt_Context *context)
{
    if (!check_context("context_free", context))
        return;
    if (!context)
        context = thread.current;
    if (context)
        destroy(context);
}

gt_Context *gt_context_use(gt_Context *context)
{
    gt_Context *previous = thread.current;
    if (!check_context("context_use", context))
        return thread.current;
    /* A thread's own context that another one takes over is from then on everybody's. */
    if (context && atomic_load(&context->owner) != &thread && !context->shared) {
        context->shared = true;
        gt_context_hold(context);
    }
    thread.current = context;
    return previous;
}

gt_Context *gt_context(void)
{
    if (!thread.current)
        thread.current = own_context();
    return thread.current;
}

#ifdef GT_ASSERTIONS
const void *gt_thread_mark(void)
{
    static _Thread_local char mark;
    return &mark;
}
#endif

gt_Context *gt_enter(void)
{
    gt_Context *context = gt_context();
#ifdef GT_ASSERTIONS
    const void *runner = context ? atomic_load(&context->runner) : NULL;
    if (runner && runner != gt_thread_mark())
        gt_raise(context, GT_INVALID, context->here, "context",
                 "two threads use one context at the same time; each needs one of its own "
                 "(gt_context_use)");
#endif
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

gt_Site gt_site_enter_part(const char *here, const char *name, char *both, size_t size)
{
    gt_Site site = gt_site_enter(here, name);
    if (site.composing) {
        gt_text(both, size, "%s: %s", site.composing, name);
        site.context->composing = both;
    }
    return site;
}

void gt_site_leave(const gt_Site *site)
{
    if (!site->context)
        return;
    site->context->here = site->here;
    site->context->composing = site->composing;
}

gt_Status gt_set_seed_at(const char *here, uint64_t seed)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    context->seed = seed;
    context->object_serial = 0;
    if (context->generator) {
        const uint64_t state[2] = {seed, 0};
        return gt_variable_set_at(here, context->generator, state, sizeof state);
    }
    return GT_OK;
}

gt_Status gt_set_threads_at(const char *here, int threads)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (threads < 1 || threads > GT_MAX_THREADS)
        return gt_raise(context, GT_INVALID, here, "set_threads",
                        "%d threads; 1 to %d are possible", threads, GT_MAX_THREADS);
    return gt_pool_resize(context, threads);
}

static uint64_t threads_of(const gt_Context *context, const gt_Object *object)
{
    (void)object;
    return (uint64_t)context->threads;
}

int gt_threads(void)
{
    gt_Context *context = gt_context();
    return context ? (int)gt_ask(context, threads_of, NULL) : 1;
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
    bool loaded =
        (!context->reproducible || context->allows_foreign_code) && gt_blas_load(&context->blas);
    const char *core = context->blas.core[0] ? context->blas.core : "of unknown kernels";
    snprintf(context->info, sizeof context->info, "gradtape %s, kernels %s, BLAS %s, threads %d%s",
             GT_VERSION_TEXT, context->kernels->isa, loaded ? core : "none", context->threads,
             context->reproducible ? ", reproducible" : "");
    return context->info;
}
