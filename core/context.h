/* The context: everything that would otherwise be global. Allocator, pools, pending error, scopes,
 * tapes, threads, seed, interrupt. A thread holds only the pointer to its current context. A thread
 * that names no context gets one of its own at its first call; that one is freed with the thread,
 * once no layer, variable or other object made in it is alive.
 *
 * The objects of one context are used by one thread at a time. The exception is what servers need: a
 * built model may be called from many contexts at once, and its variables read. docs/embedding.md
 * says more, also about fork. */
#ifndef GT_CORE_CONTEXT_H
#define GT_CORE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/export.h"
#include "core/keyword.h"

GT_BEGIN

/* All state of the library: memory, the pending error, random numbers, threads, everything that was made in it. Each thread
 * has a current one, made by itself at its first call, and needs no other (docs/threads.md). */
typedef struct gt_Context gt_Context;

/* The host's memory. `allocate` returns memory of that alignment (a power of two, at least
 * sizeof(void *)) or NULL; `release` gets the same size back. Every byte of a context comes from
 * here, the context itself included. */
typedef struct gt_Allocator {
    void *(*allocate)(void *user, size_t size, size_t alignment);
    void (*release)(void *user, void *memory, size_t size);
    void *user;
} gt_Allocator;

#define gt_context_create_OPTIONS(F, S)                                                            \
    F(S, int32_t, threads, 0, "worker threads; 0: GT_THREADS from the environment, else 1")        \
    F(S, uint64_t, seed, 0, "every random draw derives from it")                                   \
    F(S, const gt_Allocator *, allocator, NULL, "copied; NULL: malloc")                            \
    F(S, bool, pooling, true,                                                                      \
      "keep freed memory for reuse; false: every block goes to and from the allocator by itself, " \
      "which is slow and lets memory debuggers see each")                                          \
    F(S, bool, reproducible, false,                                                                \
      "the same bits on every processor, with every compiler, eagerly and in plans; slower. "      \
      "LAPACK "                                                                                    \
      "and C functions from outside the library are errors")                                       \
    F(S, bool, allow_foreign_code, false,                                                          \
      "in a reproducible context: LAPACK and C functions run all the same, with bits of their "    \
      "own")
GT_OPTIONS(gt_context_create_options, gt_context_create_OPTIONS);

/* A new context; it is not made current. Free with gt_context_free: no thread frees it. NULL if there is
 * no memory, and if `reproducible` is asked of a build that cannot be: an error of the calling thread's
 * current context then says why. docs/reproducible.md says what a reproducible context promises. */
#define gt_context_create(...) gt_context_create_of(GT_KEYWORDS(gt_context_create, __VA_ARGS__))
GT_API gt_Context *gt_context_create_of(const gt_context_create_options *options);
/* Frees the context and everything made in it. NULL: the calling thread's current one. If it is
 * current, the thread is left without. A thread's own context that was freed with its thread must
 * not be given here. */
GT_API void gt_context_free(gt_Context *context);
/* Makes it the calling thread's current context and returns the one before (NULL if none). NULL
 * leaves the thread without one, so that its next call takes its own. A context that another thread
 * made by itself is from then on freed by gt_context_free alone. */
GT_API gt_Context *gt_context_use(gt_Context *context);
/* The calling thread's current context; if there is none its own one, made now if need be. NULL only
 * without memory. */
GT_API gt_Context *gt_context(void);

/* Seed of the initializers and generators made from here on. */
#define gt_set_seed(seed) gt_set_seed_at(GT_HERE, seed)
GT_API gt_Status gt_set_seed_at(const char *here, uint64_t seed);
/* Number of threads that large operations are cut over, 1 to 64. The results do not depend on it.
 */
#define gt_set_threads(threads) gt_set_threads_at(GT_HERE, threads)
GT_API gt_Status gt_set_threads_at(const char *here, int threads);
GT_API int gt_threads(void);
/* Asked between pieces of long work; returning true ends the call with GT_INTERRUPTED. */
GT_API void gt_set_interrupt(bool (*interrupted)(void *user), void *user);

/* What the current context holds. */
typedef struct gt_MemoryStats {
    int64_t bytes_in_use;    /* held by live objects */
    int64_t bytes_reserved;  /* taken from the allocator, in use or pooled */
    int64_t bytes_peak;      /* highest bytes_in_use so far */
    int64_t allocator_calls; /* how often the allocator was asked */
    int64_t handles;         /* live tensor handles, variables included */
    int64_t records;         /* live records of the tapes */
    int64_t variables;       /* live variables */
} gt_MemoryStats;
GT_API gt_MemoryStats gt_memory_stats(void);

/* The version, "0.1.0". */
GT_API const char *gt_version(void);
/* One line: version, instruction set of the kernels in use, BLAS and its kernel set, threads. Valid
 * until the next call on this context. */
GT_API const char *gt_build_info(void);

GT_END

#endif
