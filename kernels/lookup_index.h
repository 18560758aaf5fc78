/* Reading indices. Not installed; functions are static, as in loops.h. Leans on kernels.h. */
#ifndef GT_KERNELS_LOOKUP_INDEX_H
#define GT_KERNELS_LOOKUP_INDEX_H

#include "kernels.h"

/* Number i of integers of a gt_LoopType. */
static inline int64_t gt_integer_at(const void *x, int type, int64_t i)
{
    return type == GT_LOOP_I32   ? ((const int32_t *)x)[i]
           : type == GT_LOOP_I64 ? ((const int64_t *)x)[i]
                                 : ((const uint8_t *)x)[i];
}

/* Index i, below `count`; a negative one counts from there. */
static inline int64_t gt_index_at(const void *x, int type, int64_t i, int64_t count)
{
    int64_t index = gt_integer_at(x, type, i);
    return index < 0 ? index + count : index;
}

#endif
