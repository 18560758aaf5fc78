/* The position of the largest or the smallest element of columns; rows: kernels/arg.c. Leans on loops.h. */
#include "kernels/loops.h"
#include "kernels/reduction.h"

#define GT_IS_NAN(x)  ((x) != (x))
#define GT_T          float
#define GT_NAME(name) name##_f32
#include "arg_template.h"
#define GT_T          double
#define GT_NAME(name) name##_f64
#include "arg_template.h"
#undef GT_IS_NAN

#define GT_IS_NAN(x)  false
#define GT_T          int32_t
#define GT_NAME(name) name##_i32
#include "arg_template.h"
#define GT_T          int64_t
#define GT_NAME(name) name##_i64
#include "arg_template.h"
#define GT_T          uint8_t
#define GT_NAME(name) name##_u8
#include "arg_template.h"

/* Row by row, each element against the best so far of its column; any order of tiles. */
void GT_KERNEL(tiles_arg_columns)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    typedef void Columns(const gt_ArgJob *job, int64_t width, const void *x, int32_t *y);
    static Columns *const by_type[GT_LOOP_TYPES] = {
        [GT_LOOP_F32] = columns_f32, [GT_LOOP_F64] = columns_f64, [GT_LOOP_I32] = columns_i32,
        [GT_LOOP_I64] = columns_i64, [GT_LOOP_U8] = columns_u8,   [GT_LOOP_BOOL] = columns_u8};
    const gt_ArgJob *job = given;
    (void)scratch;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t outer = tile / job->strips, column = tile % job->strips * GT_ARG_STRIP;
        int64_t width = job->inner - column < GT_ARG_STRIP ? job->inner - column : GT_ARG_STRIP;
        int64_t from = outer * job->count * job->inner + column;
        by_type[job->type](job, width, (const char *)at[0] + from * job->element,
                           (int32_t *)at[1] + outer * job->inner + column);
    }
}
