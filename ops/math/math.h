/* Functions of one number, element by element, on float32 and float64; and arctan2. */
#ifndef GT_OPS_MATH_H
#define GT_OPS_MATH_H

#include <math.h>

#include "core/keyword.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* e^x. e^x - 1, exact near 0. */
GT_DECLARE_UNARY(exp);
#define gt_exp(x) gt_exp_at(GT_HERE, x)
GT_DECLARE_UNARY(expm1);
#define gt_expm1(x) gt_expm1_at(GT_HERE, x)

/* Logarithms: natural, of 1 + x (exact near 0), to base 2, to base 10. -inf at 0, NaN below. */
GT_DECLARE_UNARY(log);
#define gt_log(x) gt_log_at(GT_HERE, x)
GT_DECLARE_UNARY(log1p);
#define gt_log1p(x) gt_log1p_at(GT_HERE, x)
GT_DECLARE_UNARY(log2);
#define gt_log2(x) gt_log2_at(GT_HERE, x)
GT_DECLARE_UNARY(log10);
#define gt_log10(x) gt_log10_at(GT_HERE, x)

/* The sine, the cosine, the tangent; angles are in radians. */
GT_DECLARE_UNARY(sin);
#define gt_sin(x) gt_sin_at(GT_HERE, x)
GT_DECLARE_UNARY(cos);
#define gt_cos(x) gt_cos_at(GT_HERE, x)
GT_DECLARE_UNARY(tan);
#define gt_tan(x) gt_tan_at(GT_HERE, x)
/* Their inverses, in radians. That of sine and cosine is NaN outside [-1, 1], with an infinite slope at -1 and 1. */
GT_DECLARE_UNARY(arcsin);
#define gt_arcsin(x) gt_arcsin_at(GT_HERE, x)
GT_DECLARE_UNARY(arccos);
#define gt_arccos(x) gt_arccos_at(GT_HERE, x)
GT_DECLARE_UNARY(arctan);
#define gt_arctan(x) gt_arctan_at(GT_HERE, x)
/* The angle of the point (x = b, y = a), in [-pi, pi]; its slopes at the origin are NaN. The second
 * operand may be a C number. */
GT_DECLARE_BINARY(arctan2);
#define gt_arctan2(a, b) gt_arctan2_at(GT_HERE, a, gt_operand(b))

/* (e^x - e^-x) / 2, (e^x + e^-x) / 2, and their quotient, which is exact near 0 and goes to -1 and 1. */
GT_DECLARE_UNARY(sinh);
#define gt_sinh(x) gt_sinh_at(GT_HERE, x)
GT_DECLARE_UNARY(cosh);
#define gt_cosh(x) gt_cosh_at(GT_HERE, x)
GT_DECLARE_UNARY(tanh);
#define gt_tanh(x) gt_tanh_at(GT_HERE, x)
/* The inverse of sinh, log(x + sqrt(x^2 + 1)), exact near 0. */
GT_DECLARE_UNARY(arcsinh);
#define gt_arcsinh(x) gt_arcsinh_at(GT_HERE, x)
/* The inverse of cosh from 0 on; NaN below 1. */
GT_DECLARE_UNARY(arccosh);
#define gt_arccosh(x) gt_arccosh_at(GT_HERE, x)
/* The inverse of tanh; NaN outside [-1, 1], infinite at its ends. */
GT_DECLARE_UNARY(arctanh);
#define gt_arctanh(x) gt_arctanh_at(GT_HERE, x)

/* The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x; and 1 - erf(x),
 * exact where that is small. */
GT_DECLARE_UNARY(erf);
#define gt_erf(x) gt_erf_at(GT_HERE, x)
GT_DECLARE_UNARY(erfc);
#define gt_erfc(x) gt_erfc_at(GT_HERE, x)

/* To integers: down, up, towards zero. Not differentiable. */
GT_DECLARE_UNARY(floor);
#define gt_floor(x) gt_floor_at(GT_HERE, x)
GT_DECLARE_UNARY(ceil);
#define gt_ceil(x) gt_ceil_at(GT_HERE, x)
GT_DECLARE_UNARY(trunc);
#define gt_trunc(x) gt_trunc_at(GT_HERE, x)

#define gt_round_OPTIONS(F, S)                                                                     \
    F(S, int32_t, decimals, 0, "digits behind the point; below 0: tens, hundreds, ...")
GT_OPTIONS(gt_round_options, gt_round_OPTIONS);
/* To the nearest integer, halves to even. With decimals d, 10^d x rounded, divided by 10^d, as
 * NumPy does it; a 10^|d| that the type does not hold is an error. Not differentiable. */
#define gt_round(...)                                                                              \
    gt_round_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_round, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_round_at(const char *here, gt_Tensor *x, const gt_round_options *options);
GT_API gt_Tensor *(gt_round)(gt_Tensor *x);

/* 2 to the power x; the cube root, also of numbers below 0 (its slope at 0 is infinite). */
GT_DECLARE_UNARY(exp2);
#define gt_exp2(x) gt_exp2_at(GT_HERE, x)
GT_DECLARE_UNARY(cbrt);
#define gt_cbrt(x) gt_cbrt_at(GT_HERE, x)
/* sin(pi x) / (pi x), 1 at 0 */
GT_DECLARE_UNARY(sinc);
#define gt_sinc(x) gt_sinc_at(GT_HERE, x)
/* The y with erf(y) = x; infinite at -1 and 1, NaN outside. */
GT_DECLARE_UNARY(erfinv);
#define gt_erfinv(x) gt_erfinv_at(GT_HERE, x)
/* log(e^a + e^b) and log2(2^a + 2^b) without overflow. */
GT_DECLARE_BINARY(logaddexp);
#define gt_logaddexp(a, b) gt_logaddexp_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(logaddexp2);
#define gt_logaddexp2(a, b) gt_logaddexp2_at(GT_HERE, a, gt_operand(b))
/* sqrt(a^2 + b^2) without overflow; both slopes are taken as 0 at the origin. */
GT_DECLARE_BINARY(hypot);
#define gt_hypot(a, b) gt_hypot_at(GT_HERE, a, gt_operand(b))

#define gt_nan_to_num_OPTIONS(F, S)                                                                \
    F(S, double, nan, 0, "in place of NaN")                                                        \
    F(S, double, posinf, INFINITY, "in place of inf; INFINITY: the largest number of the type")    \
    F(S, double, neginf, -INFINITY, "in place of -inf; -INFINITY: the lowest number of the type")
GT_OPTIONS(gt_nan_to_num_options, gt_nan_to_num_OPTIONS);
/* x with finite numbers in place of NaN and infinities, where the gradient is 0. */
#define gt_nan_to_num(...)                                                                         \
    gt_nan_to_num_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_nan_to_num, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_nan_to_num_at(const char *here, gt_Tensor *x,
                                   const gt_nan_to_num_options *options);
GT_API gt_Tensor *(gt_nan_to_num)(gt_Tensor *x);

GT_END

#endif
