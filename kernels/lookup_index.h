/* Reading indices. Functions are static, as in loops.h. Leans on integers.h. */
#ifndef GT_KERNELS_LOOKUP_INDEX_H
#define GT_KERNELS_LOOKUP_INDEX_H

#include "integers.h"

/* Index i, below `count`; a negative one counts from there. */
static inline int64_t gt_index_at(const void *x, uint8_t type, int64_t i, int64_t count)
{
    int64_t index = gt_integer(x, type, i);
    return index < 0 ? index + count : index;
}

#endif
