/* The loop over sin, cos or tan: what math.c and rare.c share. Leans on rare.h. */
#ifndef GT_KERNELS_MATH_LOOPS_H
#define GT_KERNELS_MATH_LOOPS_H

#include "rare.h"

/* The vector function `near` of kept[j] in blocks; arguments too large for its reduction are done again by `far`. y may
 * be x, so a block is kept. */
#define GT_TURN_BODY(suffix, type, near, far)                                                      \
    const type *from = x;                                                                          \
    type *to = y;                                                                                  \
    type kept[256];                                                                                \
    for (int64_t i = 0; i < n; i += 256) {                                                         \
        int64_t count = n - i < 256 ? n - i : 256;                                                 \
        type largest = 0;                                                                          \
        memcpy(kept, from + i, (size_t)count * sizeof(type));                                      \
        for (int64_t j = 0; j < count; j++)                                                        \
            to[i + j] = near;                                                                      \
        for (int64_t j = 0; j < count; j++)                                                        \
            largest = gt_abs_##suffix(kept[j]) > largest ? gt_abs_##suffix(kept[j]) : largest;     \
        if (largest <= (type)GT_TURN_LIMIT)                                                        \
            continue;                                                                              \
        for (int64_t j = 0; j < count; j++) {                                                      \
            if (gt_abs_##suffix(kept[j]) > (type)GT_TURN_LIMIT)                                    \
                to[i + j] = far;                                                                   \
        }                                                                                          \
    }

#endif
