/* The vector product. Integers are computed without sign, for which wrapping round is defined. Compiled once. Leans on
 * broadcast.h. */
#include "kernels/broadcast.h"
#include "kernels/loops.h"

#define GT_T          float
#define GT_WIDE_T     float
#define GT_NAME(name) name##_f32
#include "cross_template.h"

#define GT_T          double
#define GT_WIDE_T     double
#define GT_NAME(name) name##_f64
#include "cross_template.h"

#define GT_T          int32_t
#define GT_WIDE_T     uint32_t
#define GT_NAME(name) name##_i32
#include "cross_template.h"

#define GT_T          int64_t
#define GT_WIDE_T     uint64_t
#define GT_NAME(name) name##_i64
#include "cross_template.h"

#define GT_T          uint8_t
#define GT_WIDE_T     uint32_t
#define GT_NAME(name) name##_u8
#include "cross_template.h"

static void cross_row(const void *given, void *const *at, int64_t n, const int64_t *offset,
                      int64_t output)
{
    const gt_CrossJob *job = given;
    int inner = job->walk.rank - 1;
    int64_t sa = job->walk.stride[0][inner], sb = job->walk.stride[1][inner],
            sc = job->walk.stride[2][inner];
    (void)output;
#define GT_CASE(name, type)                                                                        \
    cross_##name(job, n, (const type *)at[0] + offset[0], sa, (const type *)at[1] + offset[1], sb, \
                 (type *)at[2] + offset[2], sc)
    switch (job->type) {
    case GT_LOOP_F32:
        GT_CASE(f32, float);
        return;
    case GT_LOOP_F64:
        GT_CASE(f64, double);
        return;
    case GT_LOOP_I32:
        GT_CASE(i32, int32_t);
        return;
    case GT_LOOP_I64:
        GT_CASE(i64, int64_t);
        return;
    default:
        GT_CASE(u8, uint8_t);
    }
}

/* Vectors do not meet: any order of tiles. */
void GT_KERNEL(tiles_cross)(const void *given, void *const *at, int64_t first, int64_t last,
                            void *scratch)
{
    const gt_CrossJob *job = given;
    (void)scratch;
    gt_broadcast_tiles(&job->walk, cross_row, job, at, first, last);
}
