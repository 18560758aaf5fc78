/* Element-wise loops as kernels of tiles. Leans on loops.h. */
#include "loops.h"

/* y[i] = f(x[i]), element by element; any order of tiles. */
void GT_KERNEL(tiles_unary)(const void *given, void *const *at, int64_t first, int64_t last,
                            void *scratch)
{
    const gt_UnaryJob *job = given;
    (void)scratch;
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    if (end > job->size)
        end = job->size;
    size_t offset = (size_t)begin * job->element;
    GT_KERNEL(kernels).unary[job->loop][job->type](end - begin, (const char *)at[0] + offset,
                                                   (char *)at[1] + offset);
}

/* Rows [first, last) of the innermost axis, from element `from` of each, n elements. */
static void binary_rows(const gt_BinaryJob *job, gt_BinaryLoop *loop, void *const *at,
                        int64_t first, int64_t last, int64_t from, int64_t n)
{
    int inner = job->rank - 1;
    int64_t sa = job->stride_a[inner], sb = job->stride_b[inner];
    int64_t index[GT_JOB_RANK] = {0}, rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % job->dims[d];
        rest /= job->dims[d];
    }
    for (int64_t row = first; row < last; row++) {
        int64_t a = from * sa, b = from * sb;
        for (int d = 0; d < inner; d++) {
            a += index[d] * job->stride_a[d];
            b += index[d] * job->stride_b[d];
        }
        loop(n, (const char *)at[0] + (size_t)a * job->in, sa,
             (const char *)at[1] + (size_t)b * job->in, sb,
             (char *)at[2] + (size_t)(row * job->dims[inner] + from) * job->out);
        for (int d = inner - 1; d >= 0; d--) {
            if (++index[d] < job->dims[d])
                break;
            index[d] = 0;
        }
    }
}

/* y = f(a, b): one loop over everything where both are whole or single, else row by row. */
static void run_binary(const gt_BinaryJob *job, gt_BinaryLoop *loop, void *const *at, int64_t first,
                       int64_t last)
{
    int64_t width = job->dims[job->rank - 1];
    if (job->chunks > 1) {
        for (int64_t tile = first; tile < last; tile++) {
            int64_t row = tile / job->chunks, from = tile % job->chunks * job->chunk;
            int64_t n = width - from < job->chunk ? width - from : job->chunk;
            binary_rows(job, loop, at, row, row + 1, from, n);
        }
    } else if (job->rank == 1) {
        loop(width, at[0], job->stride_a[0], at[1], job->stride_b[0], at[2]);
    } else {
        int64_t end = last * job->rows < job->outer ? last * job->rows : job->outer;
        binary_rows(job, loop, at, first * job->rows, end, 0, width);
    }
}

void GT_KERNEL(tiles_binary)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    const gt_BinaryJob *job = given;
    (void)scratch;
    run_binary(job, GT_KERNEL(kernels).binary[job->loop][job->type], at, first, last);
}

void GT_KERNEL(tiles_compare)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_BinaryJob *job = given;
    (void)scratch;
    run_binary(job, GT_KERNEL(kernels).compare[job->loop][job->type], at, first, last);
}
