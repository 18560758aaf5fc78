/* The loops of the transcendental functions: the vectorised functions of functions.h, number by number (at
 * most 2 ulp). y[i] depends on x[i] alone, by the operations that stand there, in their order. */
#include "math_loops.h"

#define GT_UNARY_BOTH(name)                                                                        \
    GT_UNARY(name, f32, float, gt_##name##_f32(x)) GT_UNARY(name, f64, double, gt_##name##_f64(x))

GT_UNARY_BOTH(exp)
GT_UNARY_BOTH(expm1)
GT_UNARY_BOTH(log)
GT_UNARY_BOTH(log1p)
GT_UNARY_BOTH(tanh)
GT_UNARY_BOTH(sigmoid)
GT_UNARY_BOTH(softplus)
GT_UNARY_BOTH(erf)

GT_UNARY_TURN(sin, f32, float)
GT_UNARY_TURN(sin, f64, double)
GT_UNARY_TURN(cos, f32, float)
GT_UNARY_TURN(cos, f64, double)
