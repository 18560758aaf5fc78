/* Reading an array of integers whose dtype the job names. Functions are static, as in loops.h.
 * Leans on kernels.h. */
#ifndef GT_KERNELS_INTEGERS_H
#define GT_KERNELS_INTEGERS_H

#include "kernels.h"

/* Element i of x, whose gt_LoopType is I32, I64 or U8. */
static inline int64_t gt_integer(const void *x, uint8_t type, int64_t i)
{
    return type == GT_LOOP_I32   ? ((const int32_t *)x)[i]
           : type == GT_LOOP_I64 ? ((const int64_t *)x)[i]
                                 : ((const uint8_t *)x)[i];
}

#endif
