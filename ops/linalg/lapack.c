/* Running LAPACK: finding its functions, a batch over the threads, copies for bodies. lapack.h has the order of calls. */
#include "ops/linalg/lapack.h"
#include "core/assert.h"
#include "core/inside.h"
#include "core/text.h"

#include <stdatomic.h>

/* A job with what only the runner needs. */
typedef struct Batch {
    gt_MatrixJob job;
    gt_MatrixBody *body;
    int64_t group;          /* matrices in a tile */
    _Atomic int64_t failed; /* the first matrix without a result */
} Batch;

/* ---- running ---- */

/* lapack[which] becomes the function for the element type: "gesv" is sgesv_ or dgesv_. */
static bool find_lapack(gt_MatrixJob *job, int which, const char *name)
{
    gt_Blas *blas = gt_context_blas(job->kernel->context);
    char symbol[16];
    gt_text(symbol, sizeof symbol, "%c%s_", job->type == GT_LOOP_F32 ? 's' : 'd', name);
    job->lapack[which] = gt_blas_load(blas) ? gt_blas_function(blas, symbol) : NULL;
    if (job->lapack[which])
        return true;
    gt_fail(GT_UNSUPPORTED,
            blas->loaded ? "OpenBLAS was found, but it is built without LAPACK: %s is not in it"
                         : "LAPACK from OpenBLAS (libopenblas.so.0) is needed, but was not found: "
                           "no %s",
            symbol);
    return false;
}

static void matrix_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    (void)kernel;
    Batch *all = argument;
    int64_t count = all->job.batch;
    int64_t end = last * all->group < count ? last * all->group : count;
    for (int64_t batch = first * all->group; batch < end; batch++) {
        if (all->body(&all->job, batch, scratch))
            continue;
        int64_t failed = atomic_load(&all->failed);
        while (batch < failed && !atomic_compare_exchange_weak(&all->failed, &failed, batch)) {
        }
    }
}

/* Meanwhile OpenBLAS computes on the calling thread alone. */
static gt_Status run_tiles(const gt_Kernel *kernel, Batch *all)
{
    gt_Blas *blas = gt_context_blas(kernel->context);
    int threads = 0;
    if (!blas->single && blas->set_threads) {
        int (*count)(void) = (int (*)(void))gt_blas_function(blas, "openblas_get_num_threads");
        threads = count ? count() : 0;
        blas->set_threads(1);
    }
    gt_Status status =
        gt_for_tiles(kernel, (all->job.batch + all->group - 1) / all->group, matrix_tiles, all);
    if (threads > 1)
        blas->set_threads(threads);
    return status;
}

/* One input, or two that broadcast. */
static void count_batch(gt_MatrixJob *job)
{
    const gt_Spec *const *in = job->kernel->input_spec;
    const gt_Spec *b = job->kernel->inputs > 1 ? in[1] : in[0];
    gt_Spec out;
    bool broadcast = gt_matrix_broadcast(in[0], b, &out);
    GT_ASSERT(broadcast);
    (void)broadcast;
    gt_matrix_walk(&job->walk, in[0], b, &out);
    job->batch = 1;
    for (int d = 0; d < out.rank - 2; d++)
        job->batch *= out.dims[d];
}

gt_Status gt_lapack_run(const gt_Kernel *kernel, gt_MatrixBody *body, const char *problem,
                        const char *first, const char *second)
{
    const gt_Spec *in = kernel->input_spec[0];
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    Batch all = {.job = {.kernel = kernel,
                         .loops = gt_context_kernels(kernel->context),
                         .a = gt_matrices(in),
                         .type = (gt_LoopType)gt_loop_type(in->dtype),
                         .element = gt_dtype_size(in->dtype)},
                 .body = body,
                 .failed = INT64_MAX};
    count_batch(&all.job);
    if (!find_lapack(&all.job, 0, first) || (second && !find_lapack(&all.job, 1, second)))
        return gt_status();
    int64_t size = all.job.a.rows * all.job.a.columns;
    all.group = size > 0 && size < 2048 ? 2048 / size : 1;
    gt_Status status = run_tiles(kernel, &all);
    int64_t failed = atomic_load(&all.failed);
    if (status != GT_OK || failed == INT64_MAX)
        return status;
    if (!gt_matrix_is_finite(&all.job, failed))
        problem = "has an element that is not finite";
    return all.job.batch == 1
               ? gt_fail(GT_INVALID, "the matrix %s", problem)
               : gt_fail(GT_INVALID, "matrix %lld of the batch %s", (long long)failed, problem);
}

/* ---- for bodies ---- */

const void *gt_matrix_input(const gt_MatrixJob *job, int input, int64_t batch)
{
    gt_Matrices all = gt_matrices(job->kernel->input_spec[input]);
    int64_t at = gt_batch_matrix(&job->walk, input, batch) * all.rows * all.columns;
    return (const char *)job->kernel->input[input] + (size_t)at * job->element;
}

void *gt_matrix_output(const gt_MatrixJob *job, int output, int64_t element)
{
    return (char *)job->kernel->output[output] + (size_t)element * job->element;
}

bool gt_matrix_is_finite(const gt_MatrixJob *job, int64_t batch)
{
    return gt_all_finite(job->type, job->a.rows * job->a.columns, gt_matrix_input(job, 0, batch));
}

void gt_matrix_transpose(const gt_MatrixJob *job, int64_t rows, int64_t columns, const void *x,
                         void *y)
{
    job->loops->transpose[gt_move_index(job->element)](rows, columns, x, columns, y, rows);
}

size_t gt_piece_bytes(int64_t count, size_t element)
{
    return gt_aligned((size_t)count * element);
}

void *gt_piece_take(char **scratch, int64_t count, size_t element)
{
    void *at = *scratch;
    *scratch += gt_piece_bytes(count, element);
    return at;
}
