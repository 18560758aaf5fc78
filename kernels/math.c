/* The loops of the transcendental functions: the vectorised functions of functions.h, number by number (at
 * most 2 ulp). y[i] depends on x[i] alone, by the operations that stand there, in their order. */
#include "math_loops.h"

GT_UNARY_WIDE(exp)
GT_UNARY_WIDE(tanh)
GT_UNARY_WIDE(sigmoid)
GT_UNARY_MATH(log, f32, float)
GT_UNARY_MATH(softplus, f32, float)

#ifndef GT_RARE_ELSEWHERE /* vectors of 512 bits would be their bodies again, and their constants twice as wide */
GT_UNARY_MATH(log, f64, double)
GT_UNARY_MATH(softplus, f64, double)
GT_UNARY_BOTH(expm1)
GT_UNARY_BOTH(log1p)
GT_UNARY_BOTH(erf)

/* One loop for both. */
#define GT_SINE(suffix, type, smallest)                                                            \
    static GT_NOINLINE void sine_##suffix(int64_t n, const void *x, void *y, uint32_t quarters)    \
    {                                                                                              \
        const type tiny = quarters ? 0 : smallest;                                                 \
        GT_TURN_BODY(suffix, type, gt_quarters_##suffix(kept[j], quarters, tiny),                  \
                     quarters ? gt_far_cos_##suffix(kept[j]) : gt_far_sin_##suffix(kept[j]))       \
    }                                                                                              \
    void GT_KERNEL(sin_##suffix)(int64_t n, const void *x, void *y)                                \
    {                                                                                              \
        sine_##suffix(n, x, y, 0);                                                                 \
    }                                                                                              \
    void GT_KERNEL(cos_##suffix)(int64_t n, const void *x, void *y)                                \
    {                                                                                              \
        sine_##suffix(n, x, y, 1);                                                                 \
    }

GT_SINE(f32, float, 0x1p-13f)
GT_SINE(f64, double, 0x1p-27)
#endif
