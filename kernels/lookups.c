/* Kernels of tiles that add up at indices, with the vector loops of this build: scatter_add, add_along, segments. The other lookups
 * are in once/lookups.c. Leans on loops.h. */
#include "loops.h"
#include "lookup_index.h"

#ifndef GT_RARE_ELSEWHERE
/* The columns of a unit of a strip. */
static int64_t strip_width(const gt_Strips *cut, int64_t column)
{
    return cut->inner - column < cut->width ? cut->inner - column : cut->width;
}

static size_t bytes_of(int loop)
{
    return loop == GT_LOOP_F64 || loop == GT_LOOP_I64 ? 8 : loop == GT_LOOP_U8 ? 1 : 4;
}

static void round_to_float(int64_t n, const double *x, void *y)
{
    GT_KERNEL(kernels).cast[GT_LOOP_F64][GT_LOOP_F32](n, x, y);
}

/* ---- scatter_add ---- */

/* y += x, one number. */
static void add_one(int loop, const void *x, void *y)
{
    if (loop == GT_LOOP_F32)
        *(float *)y += *(const float *)x;
    else if (loop == GT_LOOP_F64)
        *(double *)y += *(const double *)x;
    else if (loop == GT_LOOP_I32)
        *(uint32_t *)y += *(const uint32_t *)x;
    else if (loop == GT_LOOP_I64)
        *(uint64_t *)y += *(const uint64_t *)x;
    else
        *(uint8_t *)y = (uint8_t)(*(uint8_t *)y + *(const uint8_t *)x);
}

/* y += x, n numbers. For one of them the call of a loop would take longer than to add it. */
static void add_numbers(int loop, int64_t n, const void *x, void *y)
{
    if (n == 1)
        add_one(loop, x, y);
    else
        GT_KERNEL(kernels).binary[GT_LOOP_ADD][loop](n, y, 1, x, 1, y);
}

/* Every place is crowded, and the strip is one column. */
static void count_column(const gt_ScatterJob *job, const void *indices, const float *x,
                         double *sums)
{
    const gt_Strips *cut = &job->cut;
    for (int64_t i = 0; i < cut->n; i++)
        sums[gt_index_at(indices, job->type, i, cut->count)] += (double)x[i * cut->inner];
}

/* One unit: additions in the order of the indices. `crowd` NULL: every place is crowded, if `crowded` says that any is. */
static void scatter_unit(const gt_ScatterJob *job, void *const *at, int64_t outer, int64_t column,
                         const int32_t *crowd, int64_t crowded, double *sums)
{
    const gt_Strips *cut = &job->cut;
    size_t element = job->element;
    int64_t width = strip_width(cut, column), inner = cut->inner;
    const char *x = (const char *)at[1] + (size_t)(outer * cut->n * inner + column) * element;
    char *y = (char *)at[job->y] + (size_t)(outer * cut->count * inner + column) * element;
    for (int64_t i = 0; i < cut->count; i++)
        memset(y + (size_t)(i * inner) * element, 0, (size_t)width * element);
    if (crowded)
        memset(sums, 0, (size_t)(crowded * width) * sizeof *sums);
    bool single = crowded && !crowd && width == 1;
    if (single)
        count_column(job, at[0], (const float *)(const void *)x, sums);
    for (int64_t i = 0; i < cut->n && !single; i++) {
        int64_t index = gt_index_at(at[0], job->type, i, cut->count);
        int64_t place = !crowded ? -1 : crowd ? crowd[index] : index;
        const char *from = x + (size_t)(i * inner) * element;
        char *to = y + (size_t)(index * inner) * element;
        if (place < 0) {
            add_numbers(job->loop, width, from, to);
            continue;
        }
        const float *numbers = (const float *)(const void *)from;
        for (int64_t j = 0; j < width; j++)
            sums[place * width + j] += (double)numbers[j];
    }
    for (int64_t i = 0; i < cut->count && crowded; i++) {
        int64_t place = crowd ? crowd[i] : i;
        if (place >= 0)
            round_to_float(width, sums + place * width, y + (size_t)(i * inner) * element);
    }
}

/* To each place of y its elements of x are added in the order of the indices, in the type of x, or in double, rounded
 * once, where a place of floats is crowded. Any order of tiles. */
void GT_KERNEL(tiles_scatter_add)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_ScatterJob *job = given;
    const gt_Strips *cut = &job->cut;
    int64_t end = last * cut->group < cut->units ? last * cut->group : cut->units;
    int64_t crowded = job->crowded;
    const int32_t *crowd = NULL;
    if (job->crowd) {
        const int64_t *found = at[job->crowd];
        crowded = *found;
        crowd = (const int32_t *)(found + 1);
    }
    for (int64_t unit = first * cut->group; unit < end; unit++)
        scatter_unit(job, at, unit / cut->strips, unit % cut->strips * cut->width, crowd, crowded,
                     scratch);
}

/* ---- add_along ---- */

static void along_unit(const gt_AddAlongJob *job, void *const *at, int64_t outer, int64_t column,
                       double *sums)
{
    const gt_Strips *cut = &job->cut;
    size_t element = bytes_of(job->loop);
    int64_t width = strip_width(cut, column), inner = cut->inner;
    const char *x = at[1];
    char *y = at[2];
    for (int64_t i = 0; i < cut->count && !job->wide; i++)
        memset(y + (size_t)((outer * cut->count + i) * inner + column) * element, 0,
               (size_t)width * element);
    if (job->wide)
        memset(sums, 0, (size_t)(cut->count * width) * sizeof *sums);
    for (int64_t i = 0; i < cut->n; i++)
        for (int64_t j = 0; j < width; j++) {
            int64_t here = (outer * cut->n + i) * inner + column + j;
            int64_t index = gt_index_at(at[0], job->type, here, cut->count);
            int64_t there = (outer * cut->count + index) * inner + column + j;
            if (job->wide)
                sums[index * width + j] += (double)((const float *)(const void *)x)[here];
            else
                add_one(job->loop, x + (size_t)here * element, y + (size_t)there * element);
        }
    for (int64_t i = 0; i < cut->count && job->wide; i++)
        round_to_float(width, sums + i * width,
                       y + (size_t)((outer * cut->count + i) * inner + column) * element);
}

/* To each place of y its elements of x are added in the order of the indices, in the type of x or, wide, in double,
 * rounded once. Any order of tiles. */
void GT_KERNEL(tiles_add_along)(const void *given, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    const gt_AddAlongJob *job = given;
    const gt_Strips *cut = &job->cut;
    int64_t end = last * cut->group < cut->units ? last * cut->group : cut->units;
    for (int64_t unit = first * cut->group; unit < end; unit++)
        along_unit(job, at, unit / cut->strips, unit % cut->strips * cut->width, scratch);
}

/* ---- segments ---- */

/* y[id] = loop(x, y[id]), row by row. */
static void fold_rows(const gt_SegmentJob *job, gt_BinaryLoop *loop, void *const *at, int64_t first,
                      int64_t last)
{
    size_t element = bytes_of(job->loop);
    int64_t begin = first * GT_SEGMENT_STRIP, end = last * GT_SEGMENT_STRIP;
    int64_t width = (end < job->columns ? end : job->columns) - begin;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t id = gt_index_at(at[1], job->type, i, job->segments);
        char *y = (char *)at[job->y] + (size_t)(id * job->columns + begin) * element;
        loop(width, (const char *)at[0] + (size_t)(i * job->columns + begin) * element, 1, y, 1, y);
    }
}

/* Each segment takes the larger of what it has and the next element, in the order of the rows; NaN wins. Any order of
 * tiles. */
void GT_KERNEL(tiles_segment_max)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_SegmentJob *job = given;
    (void)scratch;
    fold_rows(job, GT_KERNEL(kernels).binary[GT_LOOP_MAXIMUM][job->loop], at, first, last);
}

/* Each segment takes the smaller of what it has and the next element, in the order of the rows; NaN wins. Any order
 * of tiles. */
void GT_KERNEL(tiles_segment_min)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_SegmentJob *job = given;
    (void)scratch;
    fold_rows(job, GT_KERNEL(kernels).binary[GT_LOOP_MINIMUM][job->loop], at, first, last);
}
#endif
