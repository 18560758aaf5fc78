/* The thread pool of a context: workers that spin for a moment, then sleep. Work is cut by its size
 * alone; which worker takes which piece changes nothing, because every piece writes its own part of
 * the result. With one thread there is no pool and no atomic. Leans on memory.c.
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

typedef struct Work {
    gt_TileKernel *run;
    const void *job;
    void *const *at;
    int64_t count, step;
} Work;

struct gt_ThreadPool {
    gt_Context *context;
    uint32_t process; /* the one that the workers are in */
    int workers;      /* the caller not counted */
    Work work;
    _Atomic int64_t next;        /* first tile nobody took */
    _Atomic uint32_t generation; /* counts jobs; a change wakes the workers */
    _Atomic int32_t busy;        /* workers still in the job */
    _Atomic int32_t sleeping;
    _Atomic bool stop, cancelled;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    gt_FloatMode mode; /* the caller's: workers compute as it does */
    pthread_t thread[GT_MAX_THREADS];
    struct Worker {
        gt_ThreadPool *pool;
        int index;
    } worker[GT_MAX_THREADS];
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

static void take_tiles(gt_ThreadPool *pool, int index)
{
    const Work *work = &pool->work;
    void *scratch = pool->context->scratch[index];
    for (;;) {
        if (atomic_load_explicit(&pool->cancelled, memory_order_relaxed))
            return;
        int64_t first = atomic_fetch_add_explicit(&pool->next, work->step, memory_order_relaxed);
        if (first >= work->count)
            return;
        int64_t last = first + work->step < work->count ? first + work->step : work->count;
        work->run(work->job, work->at, first, last, scratch);
        if (index == 0 && gt_interrupted(pool->context))
            atomic_store_explicit(&pool->cancelled, true, memory_order_relaxed);
    }
}

static void *worker_main(void *argument)
{
    struct Worker *self = argument;
    gt_ThreadPool *pool = self->pool;
    uint32_t seen = 0;
    for (;;) {
        int spins = 0;
        while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen) {
            if (++spins < SPINS) {
                relax();
                continue;
            }
            pthread_mutex_lock(&pool->mutex);
            atomic_fetch_add(&pool->sleeping, 1);
            while (atomic_load(&pool->generation) == seen)
                pthread_cond_wait(&pool->wake, &pool->mutex);
            atomic_fetch_sub(&pool->sleeping, 1);
            pthread_mutex_unlock(&pool->mutex);
        }
        seen++;
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed))
            return NULL;
        gt_FloatMode mode = gt_float_mode_set(pool->mode);
        take_tiles(pool, self->index);
        gt_float_mode_restore(mode);
        atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_release);
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
    atomic_store(&pool->generation, 0);
    atomic_store(&pool->busy, 0);
    atomic_store(&pool->sleeping, 0);
    atomic_store(&pool->cancelled, false);
    pool->process = this_process();
    for (pool->workers = 0; pool->workers < wanted; pool->workers++) {
        int i = pool->workers + 1;
        pool->worker[i] = (struct Worker){pool, i};
        if (pthread_create(&pool->thread[i], NULL, worker_main, &pool->worker[i]) != 0)
            break;
    }
    return pool->workers;
}

/* Its workers stayed behind in the parent. */
static bool is_orphaned(const gt_ThreadPool *pool)
{
    return pool->process != this_process();
}

static void start_job(gt_ThreadPool *pool)
{
    atomic_store_explicit(&pool->busy, pool->workers, memory_order_relaxed);
    atomic_fetch_add(&pool->generation, 1);
    if (atomic_load(&pool->sleeping) > 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
    }
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
    int64_t pieces = (int64_t)(pool->workers + 1) * 4;
    work.step = (work.count + pieces - 1) / pieces;
    pool->work = work;
    pool->mode = gt_float_mode();
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->cancelled, false, memory_order_relaxed);
    start_job(pool);
    take_tiles(pool, 0);
    if (gt_interrupted(context)) /* also when the workers took every tile */
        atomic_store_explicit(&pool->cancelled, true, memory_order_relaxed);
    int spins = 0;
    while (atomic_load_explicit(&pool->busy, memory_order_acquire) > 0) {
        if (spins < SPINS) {
            spins++;
            relax();
            continue;
        }
        if (is_orphaned(pool))
            return gt_raise(context, GT_INTERRUPTED, NULL, NULL,
                            "the process was forked in the middle of it, and the threads that had "
                            "the rest stayed in the parent");
        sched_yield(); /* more threads than free processors: let the one waited for run */
    }
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
    return run_tiles(context, (Work){run, job, at, launch->tiles, 1}, launch->alone);
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
        return run_tiles(context, (Work){run_wave, &wave, NULL, tiles, 1}, false);
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
    return run_tiles(kernel->context, (Work){run_body, &job, NULL, count, 1}, false);
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
            pthread_join(pool->thread[i], NULL);
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
