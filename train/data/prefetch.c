/* A thread that makes rows of a class with `fill` before they are asked for.
 *
 * A pass says which rows its next batches will want (look_ahead in pass.c); that goes down through the datasets below it to
 * those with fill. Each of these has one worker, with a few jobs: tensors that the context's own thread made, and the numbers
 * of the rows that go there. The worker calls fill, and nothing else of anybody's. When the rows are asked for, the job is
 * waited for, and its tensors are the batch. If others are asked for, the jobs are of no use: they are dropped, once the one
 * under way is done, so fill never runs twice at a time.
 *
 * A child of fork has no such thread: it makes its rows itself. */
#include "train/data/combine.h"
#include "train/data/inside.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { MOST_JOBS = 16 };

typedef struct Job {
    int64_t *rows;
    int64_t count;
    gt_Value *values[SIDES][GT_MAX_COLUMNS]; /* held */
    gt_Batch batch;                          /* their counts */
    void *into[GT_MAX_COLUMNS];
    bool done, good;
    char message[GT_FILL_MESSAGE];
} Job;

typedef struct gt_Worker {
    const gt_DatasetClass *type;
    void *self;
    gt_RowSpec row;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job was added or done, or it is to stop */
    pid_t process;
    bool stop;
    Job jobs[MOST_JOBS]; /* in the order in which they are done, from `first` on */
    int32_t first, count;
} gt_Worker;

static Job *job_at(gt_Worker *worker, int32_t i)
{
    return &worker->jobs[(worker->first + i) % MOST_JOBS];
}

/* ---- on the thread ---- */

static Job *next_job(gt_Worker *worker)
{
    for (int32_t i = 0; i < worker->count; i++)
        if (!job_at(worker, i)->done)
            return job_at(worker, i);
    return NULL;
}

static void *work(void *user)
{
    gt_Worker *worker = user;
    pthread_mutex_lock(&worker->mutex);
    while (!worker->stop) {
        Job *job = next_job(worker);
        if (!job) {
            pthread_cond_wait(&worker->changed, &worker->mutex);
            continue;
        }
        pthread_mutex_unlock(&worker->mutex);
        bool good = gt_fill_rows(worker->type, worker->self, &worker->row, job->rows, job->count,
                                 job->into, job->message);
        pthread_mutex_lock(&worker->mutex);
        job->good = good;
        job->done = true;
        pthread_cond_broadcast(&worker->changed);
    }
    pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

/* ---- on the context's own ---- */

static bool ours(const gt_Worker *worker)
{
    return worker->process == getpid();
}

static void release_job(gt_Context *context, Job *job)
{
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < GT_MAX_COLUMNS; i++)
            if (job->values[side][i])
                gt_value_release(job->values[side][i], true);
    gt_release(context, job->rows, (size_t)job->count * sizeof *job->rows);
    memset(job, 0, sizeof *job);
}

/* Waits for a job; those of a process that is gone are never done. */
static void await(gt_Worker *worker, const Job *job)
{
    pthread_mutex_lock(&worker->mutex);
    while (!job->done)
        pthread_cond_wait(&worker->changed, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
}

/* All jobs go, those that were not begun undone. */
static void drop_jobs(gt_Context *context, gt_Worker *worker)
{
    if (!ours(worker)) {
        for (int32_t i = 0; i < worker->count; i++)
            release_job(context, job_at(worker, i));
        worker->count = 0;
        return;
    }
    pthread_mutex_lock(&worker->mutex);
    const Job *under_way = next_job(worker);
    for (int32_t i = 0; i < worker->count; i++)
        if (job_at(worker, i) != under_way)
            job_at(worker, i)->done = true;
    pthread_mutex_unlock(&worker->mutex);
    if (under_way)
        await(worker, under_way);
    pthread_mutex_lock(&worker->mutex);
    for (int32_t i = 0; i < worker->count; i++)
        release_job(context, job_at(worker, i));
    worker->count = 0;
    pthread_mutex_unlock(&worker->mutex);
}

static gt_Worker *start(gt_Dataset *dataset)
{
    gt_Context *context = dataset->object.context;
    gt_Worker *worker = gt_allocate_zeroed(context, sizeof *worker);
    if (!worker)
        return NULL;
    worker->type = dataset->type;
    worker->self = dataset->self;
    worker->row = dataset->type->columns(dataset->self);
    worker->process = getpid();
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->changed, NULL);
    if (pthread_create(&worker->thread, NULL, work, worker) == 0)
        return worker;
    pthread_cond_destroy(&worker->changed); /* without a thread it goes on as before, only slower */
    pthread_mutex_destroy(&worker->mutex);
    gt_release(context, worker, sizeof *worker);
    return NULL;
}

void gt_worker_stop(gt_Dataset *dataset)
{
    gt_Worker *worker = dataset->worker;
    gt_Context *context = dataset->object.context;
    if (!worker)
        return;
    drop_jobs(context, worker);
    if (ours(worker)) {
        pthread_mutex_lock(&worker->mutex);
        worker->stop = true;
        pthread_cond_broadcast(&worker->changed);
        pthread_mutex_unlock(&worker->mutex);
        pthread_join(worker->thread, NULL);
        pthread_cond_destroy(&worker->changed);
        pthread_mutex_destroy(&worker->mutex);
    }
    gt_release(context, worker, sizeof *worker);
    dataset->worker = NULL;
}

static bool is_job(const Job *job, const int64_t *rows, int64_t count)
{
    return job->count == count && memcmp(job->rows, rows, (size_t)count * sizeof *rows) == 0;
}

/* A job with its tensors, which are held. */
static bool make_job(gt_Context *context, const gt_Worker *worker, const int64_t *rows,
                     int64_t count, Job *job)
{
    gt_Batch *batch = &job->batch;
    memset(job, 0, sizeof *job);
    if (!gt_scope_open(context))
        return false;
    if (gt_fill_prepare(context, worker->type->name, &worker->row, count, batch, job->into) ==
        GT_OK)
        for (int side = 0; side < WEIGHT; side++)
            for (int32_t i = 0; i < gt_batch_count(batch, side); i++) {
                job->values[side][i] = gt_tensor_value(gt_batch_side(batch, side)[i]);
                gt_value_retain(job->values[side][i], true);
            }
    gt_scope_close(context);
    if (gt_context_status(context) == GT_OK)
        job->rows = gt_allocate(context, (size_t)count * sizeof *rows);
    if (job->rows) {
        memcpy(job->rows, rows, (size_t)count * sizeof *rows);
        job->count = count;
        return true;
    }
    release_job(context, job);
    return false;
}

void gt_worker_begin(gt_Dataset *dataset, const int64_t *rows, int64_t count)
{
    gt_Context *context = dataset->object.context;
    if (!dataset->worker)
        dataset->worker = start(dataset);
    gt_Worker *worker = dataset->worker;
    if (!worker || !ours(worker) || worker->count == MOST_JOBS)
        return;
    for (int32_t i = 0; i < worker->count; i++)
        if (is_job(job_at(worker, i), rows, count))
            return;
    Job job;
    if (!make_job(context, worker, rows, count, &job))
        return;
    pthread_mutex_lock(&worker->mutex);
    *job_at(worker, worker->count) = job;
    worker->count++;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

/* The tensors of a job that is done, as a batch of handles. */
static void give(gt_Context *context, const Job *job, gt_Batch *batch)
{
    if (!job->good) {
        gt_raise(context, GT_IO, NULL, NULL, "%s",
                 job->message[0] ? job->message : "fill failed without saying why");
        return;
    }
    memset(batch, 0, sizeof *batch);
    batch->x_count = job->batch.x_count;
    batch->y_count = job->batch.y_count;
    for (int side = 0; side < WEIGHT; side++)
        for (int32_t i = 0; i < gt_batch_count(batch, side); i++)
            gt_batch_side(batch, side)[i] = gt_value_handle(job->values[side][i]);
}

bool gt_worker_take(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    gt_Context *context = dataset->object.context;
    gt_Worker *worker = dataset->worker;
    if (!worker || worker->count == 0)
        return false;
    if (!ours(worker) || !is_job(job_at(worker, 0), rows, count)) {
        drop_jobs(context, worker);
        return false;
    }
    Job *job = job_at(worker, 0);
    await(worker, job);
    give(context, job, batch);
    pthread_mutex_lock(&worker->mutex);
    release_job(context, job);
    worker->first = (worker->first + 1) % MOST_JOBS;
    worker->count--;
    pthread_mutex_unlock(&worker->mutex);
    return gt_context_status(context) == GT_OK;
}

/* ---- the dataset ---- */

static const gt_DatasetClass prefetch_class = {.size = sizeof prefetch_class,
                                               .name = "dataset_prefetch",
                                               .count = gt_over_count,
                                               .fetch = gt_over_fetch,
                                               .next = gt_over_next_as_wanted,
                                               .state = sizeof(gt_OverState),
                                               .seek = gt_over_seek,
                                               .close = gt_over_close,
                                               .ahead = gt_over_ahead,
                                               .destroy = gt_over_destroy};

gt_Dataset *gt_dataset_prefetch_at(const char *here, gt_Dataset *dataset, int32_t batches)
{
    gt_Over *self = gt_over_begin(here, "dataset_prefetch", dataset, sizeof *self);
    if (!self)
        return NULL;
    if (batches < 1 || batches > MOST_JOBS) {
        gt_raise(self->context, GT_INVALID, here, "dataset_prefetch",
                 "batches must be 1 to %d (got %d)", MOST_JOBS, (int)batches);
        gt_over_free(self);
        return NULL;
    }
    gt_Dataset *made = gt_over_make(&prefetch_class, self, self->of->indexed);
    if (made) {
        made->orders = self->of->orders;
        made->how.ahead = batches;
    }
    return made;
}
