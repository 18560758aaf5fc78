/* The thread pool of a context: workers that spin for a moment, then sleep. Work is cut by its size
 * alone; which worker takes which piece changes nothing, because every piece writes its own part of
 * the result. With one thread there is no pool and no atomic. Leans on memory.c.
 *
 * A job's tiles are pieces, some for each thread. A thread takes its own in their order, so that it meets the same columns of
 * the same weights in every step, and then those that others have not begun. When none is left, the caller waits for the
 * workers that are at work, and excuses those that have not come yet: they were asleep, or have no processor.
 *
 *     worker's state   2 g: it is done with job g, or excused from it;   2 g + 1: it is at work on job g
 *     worker's taken   how many of its pieces are taken, beside the job that this is about: an older job means none
 *
 * What one thread writes and another waits for has a cache line of its own.
 *
 * The child of a fork has the pool's memory but none of its threads, and locks as the workers left
 * them. A handler counts the forks that led to this process; a pool whose stamp is another number
 * gets new locks and new workers, in place, when it is needed next. So nobody asks the system who he
 * is, and a parent notices nothing. */
#include "core/structs.h"
#include "core/launch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define SPINS 2000 /* about 50 us: waking a sleeper costs as much */

#define LINE 64 /* bytes */

typedef struct Work {
    gt_TileKernel *run;
    const void *job;
    void *const *at;
    int64_t count;
    int32_t pieces;
    gt_FloatMode mode; /* the caller's: workers compute as it does */
} Work;

struct Worker {
    _Alignas(LINE) _Atomic uint64_t state;
    _Atomic uint64_t taken; /* of the caller too, who is number 0 */
    gt_ThreadPool *pool;
    int index;
    pthread_t thread;
};

struct gt_ThreadPool {
    gt_Context *context;
    uint32_t process; /* the one that the workers are in */
    int workers;      /* the caller not counted */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    _Alignas(LINE) _Atomic uint64_t job; /* their number; a change wakes the workers */
    Work work;
    _Alignas(LINE) _Atomic int32_t sleeping;
    _Atomic bool stop, cancelled;
    struct Worker worker[GT_MAX_THREADS];
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

bool gt_interrupted(gt_Context *context)
{
    return context->interrupted && context->interrupted(context->interrupted_user);
}

/* The next piece of worker `of` in this job, or -1. */
static int32_t take_piece(gt_ThreadPool *pool, int of, uint64_t job)
{
    const int64_t threads = pool->workers + 1, pieces = pool->work.pieces;
    const int32_t first = (int32_t)(of * pieces / threads);
    const int32_t count = (int32_t)((of + 1) * pieces / threads) - first;
    _Atomic uint64_t *taken = &pool->worker[of].taken;
    uint64_t seen = atomic_load_explicit(taken, memory_order_relaxed);
    for (;;) {
        const uint64_t before = seen >> 32 == (uint32_t)job ? (uint32_t)seen : 0;
        if (before >= (uint64_t)count)
            return -1;
        if (atomic_compare_exchange_weak_explicit(taken, &seen, job << 32 | (before + 1),
                                                  memory_order_relaxed, memory_order_relaxed))
            return first + (int32_t)before;
    }
}

/* Its own pieces, then, where there are more pieces than threads or the caller is waiting, those of others. */
static void take_pieces(gt_ThreadPool *pool, int index, uint64_t job)
{
    const Work *work = &pool->work;
    const int threads = pool->workers + 1,
              owners = index == 0 || work->pieces > threads ? threads : 1;
    void *scratch = pool->context->scratch[index];
    for (int i = 0; i < owners; i++)
        for (int32_t piece; (piece = take_piece(pool, (index + i) % threads, job)) >= 0;) {
            if (atomic_load_explicit(&pool->cancelled, memory_order_relaxed))
                return;
            work->run(work->job, work->at, piece * work->count / work->pieces,
                      (piece + 1) * work->count / work->pieces, scratch);
            if (index == 0 && gt_interrupted(pool->context))
                atomic_store_explicit(&pool->cancelled, true, memory_order_relaxed);
        }
}

static void sleep_until_job(gt_ThreadPool *pool, uint64_t seen)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (atomic_load(&pool->job) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->mutex);
}

/* Says that the worker is at work on the job; false if it was excused. */
static bool begin(struct Worker *self, uint64_t job)
{
    uint64_t state = atomic_load_explicit(&self->state, memory_order_relaxed);
    return state < 2 * job &&
           atomic_compare_exchange_strong_explicit(&self->state, &state, 2 * job + 1,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void *worker_main(void *argument)
{
    struct Worker *self = argument;
    gt_ThreadPool *pool = self->pool;
    uint64_t seen = 0;
    for (;;) {
        uint64_t job;
        int spins = 0;
        while ((job = atomic_load_explicit(&pool->job, memory_order_acquire)) == seen)
            if (++spins < SPINS)
                relax();
            else
                sleep_until_job(pool, seen);
        seen = job;
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed))
            return NULL;
        if (!begin(self, job))
            continue;
        gt_FloatMode mode = gt_float_mode_set(pool->work.mode);
        take_pieces(pool, self->index, job);
        gt_float_mode_restore(mode);
        atomic_store_explicit(&self->state, 2 * job, memory_order_release);
    }
}

/* ---- forks ---- */

static _Atomic uint32_t process = 1; /* which one this is: 1 and the forks that led to it */
static pthread_once_t registration = PTHREAD_ONCE_INIT;
static bool watched;

static void in_parent(void)
{
    gt_blas_after_fork(false);
}

static void in_child(void)
{
    atomic_fetch_add_explicit(&process, 1, memory_order_relaxed);
    gt_blas_after_fork(true);
}

static void register_handlers(void)
{
    watched = pthread_atfork(gt_blas_before_fork, in_parent, in_child) == 0;
}

bool gt_watch_forks(void)
{
    pthread_once(&registration, register_handlers);
    return watched;
}

static uint32_t this_process(void)
{
    return atomic_load_explicit(&process, memory_order_relaxed);
}

/* ---- workers ---- */

/* Starts up to `wanted` of them on fresh locks and counters; returns how many there are. */
static int start_workers(gt_ThreadPool *pool, int wanted)
{
    memset(&pool->mutex, 0, sizeof pool->mutex); /* not destroyed: its owner may be gone */
    memset(&pool->wake, 0, sizeof pool->wake);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    atomic_store(&pool->job, 0);
    atomic_store(&pool->sleeping, 0);
    atomic_store(&pool->cancelled, false);
    pool->process = this_process();
    memset(pool->worker, 0, sizeof pool->worker);
    for (pool->workers = 0; pool->workers < wanted; pool->workers++) {
        struct Worker *worker = &pool->worker[pool->workers + 1];
        worker->pool = pool;
        worker->index = pool->workers + 1;
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
            break;
    }
    return pool->workers;
}

/* Its workers stayed behind in the parent. */
static bool is_orphaned(const gt_ThreadPool *pool)
{
    return pool->process != this_process();
}

/* Returns the job's number. */
static uint64_t start_job(gt_ThreadPool *pool)
{
    const uint64_t job = atomic_load_explicit(&pool->job, memory_order_relaxed) + 1;
    atomic_store(&pool->job, job);
    if (atomic_load(&pool->sleeping) > 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
    }
    return job;
}

/* Tensors without elements may have any number of rows, which nobody needs to visit. */
static bool nothing_to_write(const gt_Kernel *kernel)
{
    for (int i = 0; i < kernel->outputs; i++)
        if (kernel->output_spec[i]->size > 0)
            return false;
    return true;
}

static gt_Status was_interrupted(gt_Context *context)
{
    return gt_raise(context, GT_INTERRUPTED, NULL, NULL, "interrupted");
}

/* On the calling thread; one tile at a time where an interrupt may come in between. */
static gt_Status run_alone(gt_Context *context, const Work *work)
{
    int64_t step = context->interrupted ? 1 : work->count;
    for (int64_t first = 0; first < work->count; first += step) {
        work->run(work->job, work->at, first, first + step, context->scratch[0]);
        if (context->interrupted && gt_interrupted(context))
            return was_interrupted(context);
    }
    return GT_OK;
}

/* Until the worker is done with the job; one that has not begun is excused, for no piece is left. False: it cannot come, the
 * process is a fork of that in which it was at work. */
static bool wait_for(gt_ThreadPool *pool, struct Worker *worker, uint64_t job)
{
    uint64_t state = atomic_load_explicit(&worker->state, memory_order_acquire);
    for (int spins = 0; state != 2 * job;) {
        if (state < 2 * job) {
            atomic_compare_exchange_strong_explicit(&worker->state, &state, 2 * job,
                                                    memory_order_acquire, memory_order_acquire);
            if (state < 2 * job)
                return true;
            continue;
        }
        if (spins < SPINS) {
            spins++;
            relax();
        } else if (is_orphaned(pool)) {
            return false;
        } else {
            sched_yield(); /* more threads than free processors: let the one waited for run */
        }
        state = atomic_load_explicit(&worker->state, memory_order_acquire);
    }
    return true;
}

static gt_Status run_tiles(gt_Context *context, Work work, bool alone)
{
    gt_ThreadPool *pool = context->pool;
    if (work.count <= 0)
        return GT_OK;
    if (!pool || alone || work.count == 1)
        return run_alone(context, &work);
    /* Optimizers must not fail here, so fewer threads than were asked for will do: the bits are the
     * same. */
    if (is_orphaned(pool))
        start_workers(pool, context->threads - 1);
    const int32_t most = 4 * (pool->workers + 1);
    work.pieces = work.count < most ? (int32_t)work.count : most;
    work.mode = gt_float_mode();
    pool->work = work;
    atomic_store_explicit(&pool->cancelled, false, memory_order_relaxed);
    const uint64_t job = start_job(pool);
    take_pieces(pool, 0, job);
    if (gt_interrupted(context)) /* also when the workers took every piece */
        atomic_store_explicit(&pool->cancelled, true, memory_order_relaxed);
    for (int i = 1; i <= pool->workers; i++)
        if (!wait_for(pool, &pool->worker[i], job))
            return gt_raise(context, GT_INTERRUPTED, NULL, NULL,
                            "the process was forked in the middle of it, and the threads that had "
                            "the rest stayed in the parent");
    if (atomic_load_explicit(&pool->cancelled, memory_order_relaxed))
        return was_interrupted(context);
    return GT_OK;
}

gt_Status gt_launch_tiles(gt_Context *context, const gt_Launch *launch, const void *job,
                          void *const *at)
{
    gt_TileKernel *run = context->kernels->tile[launch->kernel];
    if (launch->tiles == 1 &&
        !context->interrupted) { /* most launches: nothing to hand out or to ask */
        run(job, at, 0, 1, context->scratch[0]);
        return GT_OK;
    }
    return run_tiles(context, (Work){.run = run, .job = job, .at = at, .count = launch->tiles},
                     launch->alone);
}

gt_Status gt_launch_function(gt_Context *context, gt_TileKernel *run, const void *job,
                             int64_t tiles, bool alone)
{
    return run_tiles(context, (Work){.run = run, .job = job, .count = tiles}, alone);
}

/* ---- waves ---- */

typedef struct Wave {
    const gt_KernelTable *kernels;
    const gt_WaveLaunch *launches;
    int32_t count;
} Wave;

/* Tiles of all launches are numbered through. */
static void run_wave(const void *given, void *const *at, int64_t first, int64_t last, void *scratch)
{
    const Wave *wave = given;
    int64_t before = 0;
    (void)at;
    for (int32_t i = 0; i < wave->count && before < last; i++) {
        const gt_WaveLaunch *item = &wave->launches[i];
        int64_t tiles = item->launch->tiles, from = first - before, to = last - before;
        before += tiles;
        from = from > 0 ? from : 0;
        to = to < tiles ? to : tiles;
        if (from < to)
            wave->kernels->tile[item->launch->kernel](item->job, item->at, from, to, scratch);
    }
}

bool gt_launches_are_shared(const gt_Context *context)
{
    return context->pool != NULL;
}

/* Launches of one tile are too small to wake anybody for; together with one that is cut they are not. */
gt_Status gt_launch_wave(gt_Context *context, const gt_WaveLaunch *launches, int32_t count)
{
    const Wave wave = {context->kernels, launches, count};
    int64_t tiles = 0;
    for (int32_t i = 0; i < count; i++)
        tiles += launches[i].launch->tiles;
    if (context->pool && tiles > count)
        return run_tiles(context, (Work){.run = run_wave, .job = &wave, .count = tiles}, false);
    gt_Status status = GT_OK;
    for (int32_t i = 0; i < count && status == GT_OK; i++)
        status = gt_launch_tiles(context, launches[i].launch, launches[i].job, launches[i].at);
    return status;
}

/* The older form: a body that sees the whole call. */
typedef struct BodyJob {
    const gt_Kernel *kernel;
    gt_TileBody *body;
    void *argument;
} BodyJob;

static void run_body(const void *given, void *const *at, int64_t first, int64_t last, void *scratch)
{
    const BodyJob *job = given;
    (void)at;
    job->body(job->kernel, job->argument, first, last, scratch);
}

gt_Status gt_for_tiles(const gt_Kernel *kernel, int64_t count, gt_TileBody *body, void *argument)
{
    if (nothing_to_write(kernel))
        return GT_OK;
    BodyJob job = {kernel, body, argument};
    return run_tiles(kernel->context, (Work){.run = run_body, .job = &job, .count = count}, false);
}

gt_Status gt_scratch_reserve(gt_Context *context, size_t bytes)
{
    for (int i = 0; i < context->threads; i++) {
        if (context->scratch_bytes[i] >= bytes)
            continue;
        void *grown = gt_allocate(context, bytes);
        if (!grown)
            return context->status;
        gt_release(context, context->scratch[i], context->scratch_bytes[i]);
        context->scratch[i] = grown;
        context->scratch_bytes[i] = bytes;
    }
    return GT_OK;
}

void gt_pool_close(gt_Context *context)
{
    gt_ThreadPool *pool = context->pool;
    if (!pool)
        return;
    if (!is_orphaned(pool)) {
        atomic_store(&pool->stop, true);
        start_job(pool);
        for (int i = 1; i <= pool->workers; i++)
            pthread_join(pool->worker[i].thread, NULL);
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->mutex);
    }
    gt_release(context, pool, sizeof *pool);
    context->pool = NULL;
    context->threads = 1;
}

gt_Status gt_pool_resize(gt_Context *context, int threads)
{
    if (threads == context->threads)
        return GT_OK;
    gt_pool_close(context);
    if (threads <= 1)
        return GT_OK;
    if (!gt_watch_forks())
        return gt_raise(context, GT_NO_MEMORY, NULL, "set_threads",
                        "the system gave no memory for a handler of forks");
    gt_ThreadPool *pool = gt_allocate_zeroed(context, sizeof *pool);
    if (!pool)
        return context->status;
    pool->context = context;
    context->pool = pool;
    if (start_workers(pool, threads - 1) < threads - 1) {
        int started = pool->workers;
        gt_pool_close(context);
        return gt_raise(context, GT_NO_MEMORY, NULL, "set_threads",
                        "the system gave no thread number %d", started + 2);
    }
    context->threads = threads;
    gt_Status status = gt_scratch_reserve(context, context->scratch_bytes[0]);
    if (status != GT_OK)
        gt_pool_close(context);
    return status;
}
