/* Pooling: the loops of this build for once/pooling.c, and the gradient of max_pool, which looks
 * for the maxima anew, channel beside channel. Leans on loops.h. */
#include "loops.h"
#include "pooling.h"

#define GROUP 8 /* channels that are looked at together: one or two vectors */

/* Rows from `row` on that lie in one line, not more than scratch memory has room for. */
static int64_t line_of(const gt_PoolJob *job, int64_t row, int64_t last)
{
    const int64_t width = job->window.out[GT_SPATIAL - 1], end = row - row % width + width;
    const int64_t rows = (end < last ? end : last) - row;
    return rows < job->together ? rows : job->together;
}

#define GT_T          float
#define GT_PLACE      int32_t
#define GT_NAME(name) name##_f32
#include "pooling_template.h"

#define GT_T          double
#define GT_PLACE      int64_t
#define GT_NAME(name) name##_f64
#include "pooling_template.h"

static int64_t last_row(const gt_PoolJob *job, int64_t tile)
{
    return tile * job->tile_rows < job->rows ? tile * job->tile_rows : job->rows;
}

/* The maximum over the positions of a window that are not padding: comparisons, from the first position on; NaN wins.
 * Any order of tiles. */
void GT_KERNEL(tiles_max_pool)(const void *given, void *const *at, int64_t first, int64_t last,
                               void *scratch)
{
    const gt_PoolJob *job = given;
    const int64_t begin = first * job->tile_rows, end = last_row(job, last);
    int64_t *tap = scratch;
    for (int64_t row = begin; row < end; row++) {
        gt_window_next(&job->window, row, begin, tap);
        if (job->type == GT_LOOP_F32)
            max_of_f32(job, at[0], tap, (float *)at[1] + row * job->channels);
        else
            max_of_f64(job, at[0], tap, (double *)at[1] + row * job->channels);
    }
}

/* Sums of a window from its first position on, then divided; of many floats as average_in_double says. Any order of
 * tiles. */
void GT_KERNEL(tiles_average_pool)(const void *job, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    gt_average_pool_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* g over the count, rounded, is added to x' in the order of y's positions and, within one, of the window's. Any order
 * of tiles. */
void GT_KERNEL(tiles_average_pool_gradient)(const void *job, void *const *at, int64_t first,
                                            int64_t last, void *scratch)
{
    gt_average_pool_gradient_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* Copies the elements that stand where the maxima are. Any order of tiles. */
void GT_KERNEL(tiles_max_pool_gather)(const void *given, void *const *at, int64_t first,
                                      int64_t last, void *scratch)
{
    const gt_PoolJob *job = given;
    const int64_t begin = first * job->tile_rows, end = last_row(job, last);
    for (int64_t row = begin; row < end; row++)
        if (job->type == GT_LOOP_F32)
            gather_f32(job, at, row, begin, scratch);
        else
            gather_f64(job, at, row, begin, scratch);
}

/* Position by position of the result, so that an element of x' gets its terms in their order. */
void GT_KERNEL(tiles_max_pool_gradient)(const void *given, void *const *at, int64_t first,
                                        int64_t last, void *scratch)
{
    const gt_PoolJob *job = given;
    const gt_SlidingWindow *w = &job->window;
    const size_t image = (size_t)(w->inputs * job->channels) * job->element;
    if (!job->covers)
        memset((char *)at[2] + (size_t)first * image, 0, (size_t)(last - first) * image);
    const int64_t begin = first * w->outputs, end = last * w->outputs;
    if (job->four) {
        if (job->type == GT_LOOP_F32)
            spread_f32(job, at[0], NULL, at[1], begin, end, at[2], scratch);
        else
            spread_f64(job, at[0], NULL, at[1], begin, end, at[2], scratch);
        return;
    }
    for (int64_t row = begin; row < end; row++)
        if (job->type == GT_LOOP_F32)
            scatter_f32(job, at, row, begin, scratch);
        else
            scatter_f64(job, at, row, begin, scratch);
}

/* 0 + g at the places that the marks say, 0 elsewhere. Any order of tiles. */
void GT_KERNEL(tiles_pool_spread)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_PoolJob *job = given;
    const gt_SlidingWindow *w = &job->window;
    const size_t image = (size_t)(w->inputs * job->channels) * job->element;
    const int64_t begin = first * w->outputs, end = last * w->outputs;
    if (!job->covers)
        memset((char *)at[2] + (size_t)first * image, 0, (size_t)(last - first) * image);
    if (job->type == GT_LOOP_F32)
        spread_f32(job, NULL, at[1], at[0], begin, end, at[2], scratch);
    else
        spread_f64(job, NULL, at[1], at[0], begin, end, at[2], scratch);
}
