/* Pooling by the loops of a table: an inner loop is over the channels of a position. Leans on
 * window.c, product.c. */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/product.h"

/* Channels of a position, in bytes and from the start. */
static size_t place(const gt_PoolJob *job, int64_t position)
{
    return (size_t)(position * job->channels) * job->element;
}

static int64_t last_row(const gt_PoolJob *job, int64_t tile)
{
    return tile * job->tile_rows < job->rows ? tile * job->tile_rows : job->rows;
}

/* to = to OP b, over the channels; sb 0: b is one number. */
static void binary(const gt_KernelTable *table, const gt_PoolJob *job, gt_BinaryLoopId loop,
                   const void *b, int64_t sb, void *to)
{
    table->binary[loop][job->type](job->channels, to, 1, b, sb, to);
}

/* The number of positions that are not in the padding, as a number of the type. */
typedef union Count {
    float f32;
    double f64;
} Count;

static Count inside(const gt_PoolJob *job, const int64_t *tap)
{
    int64_t n = 0;
    Count count;
    for (int64_t p = 0; p < job->window.taps; p++)
        n += tap[p] >= 0;
    if (job->type == GT_LOOP_F32)
        count.f32 = (float)n;
    else
        count.f64 = (double)n;
    return count;
}

/* y = 0 + x[first] + ... + x[last - 1] over those positions of a window that are not padding, from
 * the left. */
static void add_taps(const gt_KernelTable *table, const gt_PoolJob *job, const void *x,
                     const int64_t *tap, int64_t first, int64_t last, void *y)
{
    memset(y, 0, place(job, 1));
    for (int64_t p = first; p < last; p++)
        if (tap[p] >= 0)
            binary(table, job, GT_LOOP_ADD, (const char *)x + place(job, tap[p]), 1, y);
}

/* The mean over a window with many positions, of float32: GT_POOL_FEW at a time are added up as
 * floats, these sums in double, the total is divided in double and rounded once. */
static void average_in_double(const gt_KernelTable *table, const gt_PoolJob *job, const void *x,
                              const int64_t *tap, double count, double *sum, void *y)
{
    const int64_t n = job->channels, taps = job->window.taps;
    float *part = (float *)(sum + n);
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int64_t p = 0; p < taps; p += GT_POOL_FEW) {
        add_taps(table, job, x, tap, p, taps - p < GT_POOL_FEW ? taps : p + GT_POOL_FEW, part);
        gt_add_in_double(table, n, part, sum);
    }
    table->binary[GT_LOOP_DIVIDE][GT_LOOP_F64](n, sum, 1, &count, 0, sum);
    table->cast[GT_LOOP_F64][GT_LOOP_F32](n, sum, y);
}

/* The sum of the window, then divided by how many positions are not padding. */
void gt_average_pool_tiles(const gt_KernelTable *table, const gt_PoolJob *job, void *const *at,
                           int64_t first, int64_t last, void *scratch)
{
    int64_t *tap = scratch;
    for (int64_t row = first * job->tile_rows; row < last_row(job, last); row++) {
        char *y = (char *)at[1] + place(job, row);
        gt_window_next(&job->window, row, first * job->tile_rows, tap);
        const Count count = inside(job, tap);
        if (job->type == GT_LOOP_F32 && job->window.taps > GT_POOL_FEW) {
            double *sum = (double *)(void *)((char *)scratch + job->tap_bytes);
            average_in_double(table, job, at[0], tap, (double)count.f32, sum, y);
        } else {
            add_taps(table, job, at[0], tap, 0, job->window.taps, y);
            binary(table, job, GT_LOOP_DIVIDE, &count, 0, y);
        }
    }
}

/* Position by position of the result: g over the count, rounded, is added to each position of x'
 * that the window reads. */
void gt_average_pool_gradient_tiles(const gt_KernelTable *table, const gt_PoolJob *job,
                                    void *const *at, int64_t first, int64_t last, void *scratch)
{
    const gt_SlidingWindow *w = &job->window;
    int64_t *tap = scratch;
    char *part = (char *)scratch + job->tap_bytes, *x = at[1];
    memset(x + place(job, first * w->inputs), 0, place(job, (last - first) * w->inputs));
    for (int64_t row = first * w->outputs; row < last * w->outputs; row++) {
        gt_window_next(w, row, first * w->outputs, tap);
        const Count count = inside(job, tap);
        memcpy(part, (const char *)at[0] + place(job, row), place(job, 1));
        binary(table, job, GT_LOOP_DIVIDE, &count, 0, part);
        for (int64_t p = 0; p < w->taps; p++)
            if (tap[p] >= 0)
                binary(table, job, GT_LOOP_ADD, part, 1, x + place(job, tap[p]));
    }
}
