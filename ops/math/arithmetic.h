/* Arithmetic, element by element, with NumPy's broadcasting: shapes are aligned at the right and
 * dimensions of 1 stretch. The second operand may be a C number. Types: both the same, or one is
 * cast up (bool < uint8 < int32 < int64 < float); float32 with float64 is an error. */
#ifndef GT_OPS_ARITHMETIC_H
#define GT_OPS_ARITHMETIC_H

#include "ops/operand.h"

GT_BEGIN

#define GT_DECLARE_BINARY(name)                                                                    \
    GT_API gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *a, gt_Operand b);                \
    GT_API gt_Tensor *(gt_##name)(gt_Tensor * a, gt_Tensor * b)
#define GT_DECLARE_UNARY(name)                                                                     \
    GT_API gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x);                              \
    GT_API gt_Tensor *(gt_##name)(gt_Tensor * x)

/* a + b */
GT_DECLARE_BINARY(add);
#define gt_add(a, b) gt_add_at(GT_HERE, a, gt_operand(b))
/* a - b */
GT_DECLARE_BINARY(subtract);
#define gt_subtract(a, b) gt_subtract_at(GT_HERE, a, gt_operand(b))
/* a b */
GT_DECLARE_BINARY(multiply);
#define gt_multiply(a, b) gt_multiply_at(GT_HERE, a, gt_operand(b))
/* a / b, floats; integers are cast to float32 first */
GT_DECLARE_BINARY(divide);
#define gt_divide(a, b) gt_divide_at(GT_HERE, a, gt_operand(b))
/* a / b, and 0 where b is 0; so are its gradients there */
GT_DECLARE_BINARY(divide_no_nan);
#define gt_divide_no_nan(a, b) gt_divide_no_nan_at(GT_HERE, a, gt_operand(b))
/* floor(a / b); integers divided by 0 give 0. Not differentiable. */
GT_DECLARE_BINARY(floor_divide);
#define gt_floor_divide(a, b) gt_floor_divide_at(GT_HERE, a, gt_operand(b))
/* a - b floor(a / b): the sign of b; integers by 0 give 0 */
GT_DECLARE_BINARY(mod);
#define gt_mod(a, b) gt_mod_at(GT_HERE, a, gt_operand(b))
/* a to the power b, floats. Where a <= 0, b counts as a constant (a^b is a number there for
 * integers b alone): the gradient in b is 0, and so is every further derivative that has a b in it,
 * in any order. The slope of x^0 is 0 everywhere. */
GT_DECLARE_BINARY(power);
#define gt_power(a, b) gt_power_at(GT_HERE, a, gt_operand(b))
/* The larger, the smaller; NaN if either is. At a tie the whole gradient goes to a. */
GT_DECLARE_BINARY(maximum);
#define gt_maximum(a, b) gt_maximum_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(minimum);
#define gt_minimum(a, b) gt_minimum_at(GT_HERE, a, gt_operand(b))

/* -x */
GT_DECLARE_UNARY(negative);
#define gt_negative(x) gt_negative_at(GT_HERE, x)
/* |x|; its derivative at 0 is 0 */
GT_DECLARE_UNARY(abs);
#define gt_abs(x) gt_abs_at(GT_HERE, x)
/* -1, 0, 1; NaN stays. Not differentiable. */
GT_DECLARE_UNARY(sign);
#define gt_sign(x) gt_sign_at(GT_HERE, x)
/* x^2 */
GT_DECLARE_UNARY(square);
#define gt_square(x) gt_square_at(GT_HERE, x)
/* The square root; its derivative at 0 is +inf (at -0, its own root, -inf). 1 / sqrt(x). 1 / x. */
GT_DECLARE_UNARY(sqrt);
#define gt_sqrt(x) gt_sqrt_at(GT_HERE, x)
GT_DECLARE_UNARY(rsqrt);
#define gt_rsqrt(x) gt_rsqrt_at(GT_HERE, x)
GT_DECLARE_UNARY(reciprocal);
#define gt_reciprocal(x) gt_reciprocal_at(GT_HERE, x)

/* x limited to [low, high]; of integers, both bounds must be integers of its dtype. The gradient passes inside the closed
 * range. */
#define gt_clip(x, low, high) gt_clip_at(GT_HERE, x, low, high)
GT_API gt_Tensor *gt_clip_at(const char *here, gt_Tensor *x, double low, double high);

/* The larger, the smaller, of numbers: NaN only if both are. */
GT_DECLARE_BINARY(fmax);
#define gt_fmax(a, b) gt_fmax_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(fmin);
#define gt_fmin(a, b) gt_fmin_at(GT_HERE, a, gt_operand(b))

GT_END

#endif
