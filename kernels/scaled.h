/* Numbers with an exponent beside them, size 2^exponent: products of them neither overflow nor underflow on the way to a
 * result that does not. The functions are static: see loops.h. Leans on kernels.h. */
#ifndef GT_KERNELS_SCALED_H
#define GT_KERNELS_SCALED_H

#include <math.h>

#include "kernels/kernels.h"

/* As a double. Exponents that are far out are as good as those that overflow or underflow. */
static inline double gt_plain(gt_Scaled x)
{
    if (x.exponent == 0)
        return x.size;
    return ldexp(x.size, (int)(x.exponent < -4000 ? -4000 : x.exponent > 4000 ? 4000 : x.exponent));
}

/* Of numbers like this, two can be multiplied in double, or one and four floats, without an
 * exponent beside the product. */
static inline bool gt_is_mild(double x)
{
    return (fabs(x) > 0x1p-300 && fabs(x) < 0x1p300) || x == 0;
}

/* x times a factor. */
static inline gt_Scaled gt_times(gt_Scaled x, double factor)
{
    if (gt_is_mild(x.size) && gt_is_mild(factor))
        return (gt_Scaled){x.size * factor, x.exponent};
    if (x.size == 0 || factor == 0 || !isfinite(x.size) || !isfinite(factor))
        return (gt_Scaled){x.size * factor, 0};
    int of_size, of_factor;
    double size = frexp(x.size, &of_size);
    return (gt_Scaled){size * frexp(factor, &of_factor), x.exponent + of_size + of_factor};
}

#endif
