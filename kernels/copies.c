/* Kernels of tiles that move elements: copy. No sum, no product; bits are those of the elements. Leans on
 * loops.h. */
#include "loops.h"

/* y[i * there] = x[i * here], n elements. */
#define GT_MOVE(type)                                                                              \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((type *)y)[i * there] = ((const type *)x)[i * here]
static void move_strided(size_t element, int64_t n, const void *x, int64_t here, void *y,
                         int64_t there)
{
    if (here == 1 && there == 1) {
        if (x != y) /* a variable that is assigned to itself */
            memcpy(y, x, (size_t)n * element);
    } else if (element == 1) {
        GT_MOVE(uint8_t);
    } else if (element == 2) {
        GT_MOVE(uint16_t);
    } else if (element == 4) {
        GT_MOVE(uint32_t);
    } else {
        GT_MOVE(uint64_t);
    }
}

typedef void gt_TransposeLoop(int64_t rows, int64_t columns, const void *x, int64_t ldx, void *y,
                              int64_t ldy);

/* Rows [first, last) of the innermost axis, from element `from` of each, n elements. */
static void copy_rows(const gt_CopyJob *job, gt_TransposeLoop *transpose, void *const *at,
                      int64_t first, int64_t last, int64_t from, int64_t n)
{
    int inner = job->rank - 1;
    int64_t sx = job->stride_x[inner], sy = job->stride_y[inner], size = job->element;
    int64_t index[GT_JOB_RANK] = {0}, rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % job->dims[d];
        rest /= job->dims[d];
    }
    for (int64_t row = first; row < last; row++) {
        int64_t here = job->from + from * sx, there = job->to + from * sy;
        for (int d = 0; d < inner; d++) {
            here += index[d] * job->stride_x[d];
            there += index[d] * job->stride_y[d];
        }
        const char *x = (const char *)at[job->x] + here * size;
        char *y = (char *)at[job->y] + there * size;
        if (job->plane)
            transpose(n, job->plane, x, sx, y, job->plane_y);
        else
            move_strided(job->element, n, x, sx, y, sy);
        for (int d = inner - 1; d >= 0; d--) {
            if (++index[d] < job->dims[d])
                break;
            index[d] = 0;
        }
    }
}

void GT_KERNEL(tiles_copy)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_CopyJob *job = given;
    int of_size = job->element == 1 ? 0 : job->element == 2 ? 1 : job->element == 4 ? 2 : 3;
    gt_TransposeLoop *transpose = GT_KERNEL(kernels).transpose[of_size];
    int64_t width = job->dims[job->rank - 1];
    (void)scratch;
    if (job->chunks == 1) {
        int64_t end = last * job->rows < job->outer ? last * job->rows : job->outer;
        copy_rows(job, transpose, at, first * job->rows, end, 0, width);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / job->chunks, from = tile % job->chunks * job->chunk;
        int64_t n = width - from < job->chunk ? width - from : job->chunk;
        copy_rows(job, transpose, at, row, row + 1, from, n);
    }
}
