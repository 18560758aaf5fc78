/* Sorting rows, searching a sorted row. Compiled once: they branch on every number. Leans on loops.h. */
#include "kernels/loops.h"

#define GT_T          float
#define GT_NAME(name) name##_f32
#define GT_IS_NAN(x)  ((x) != (x))
#include "kernels/once/sort_template.h"
#define GT_T          double
#define GT_NAME(name) name##_f64
#define GT_IS_NAN(x)  ((x) != (x))
#include "kernels/once/sort_template.h"
#define GT_T          int32_t
#define GT_NAME(name) name##_i32
#define GT_IS_NAN(x)  false
#include "kernels/once/sort_template.h"
#define GT_T          int64_t
#define GT_NAME(name) name##_i64
#define GT_IS_NAN(x)  false
#include "kernels/once/sort_template.h"
#define GT_T          uint8_t
#define GT_NAME(name) name##_u8
#define GT_IS_NAN(x)  false
#include "kernels/once/sort_template.h"

static size_t bytes_of(int loop)
{
    return loop == GT_LOOP_F64 || loop == GT_LOOP_I64   ? 8
           : loop == GT_LOOP_F32 || loop == GT_LOOP_I32 ? 4
                                                        : 1;
}

/* Moves elements by comparisons, stably. Any order of tiles. */
void GT_KERNEL(tiles_sort)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    static void (*const sort[GT_LOOP_TYPES])(const gt_SortJob *, const void *, void *, int32_t *,
                                             void *) = {sort_row_f32, sort_row_f64, sort_row_i32,
                                                        sort_row_i64, sort_row_u8,  sort_row_u8};
    const gt_SortJob *job = given;
    size_t element = bytes_of(job->loop);
    int64_t end = last * job->group < job->rows ? last * job->group : job->rows;
    for (int64_t row = first * job->group; row < end; row++)
        sort[job->loop](job, (const char *)at[0] + (size_t)(row * job->n) * element,
                        (char *)at[1] + (size_t)(row * job->keep) * element,
                        (int32_t *)at[2] + row * job->keep, scratch);
}

/* Comparisons. Any order of tiles. */
void GT_KERNEL(tiles_search)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    static void (*const search[GT_LOOP_TYPES])(const gt_SearchJob *, void *const *, int64_t,
                                               int64_t) = {search_f32, search_f64, search_i32,
                                                           search_i64, search_u8,  search_u8};
    const gt_SearchJob *job = given;
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    (void)scratch;
    search[job->loop](job, at, begin, end < job->size ? end : job->size);
}
