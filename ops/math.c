/* Functions of one number: records and gradient rules of ops/math.h. The loops are
 * kernels/math.c's. */
#include "ops/math.h"
#include "ops/kit.h"

#define LN_2         0.69314718055994530942
#define LN_10        2.30258509299404568402
#define TWO_SQRT1_PI 1.12837916709551257390 /* 2 / sqrt(pi) */

/* One function: its loop, its formula, numbers from [low, high) to try it on, and its gradient as
 * an expression of the upstream gradient `up` and of the input x, or of the output y. */
#define OF_INPUT(op, LOOP, text, low, high, gradient_of)                                           \
    FUNCTION(op, LOOP, text, 1, 0, low, high, gt_Tensor *x = gt_input(rule, 0), gradient_of)
#define OF_OUTPUT(op, LOOP, text, low, high, gradient_of)                                          \
    FUNCTION(op, LOOP, text, 0, 1, low, high, gt_Tensor *y = gt_output(rule, 0), gradient_of)
#define FUNCTION(op, LOOP, text, in, out, low, high, saved, gradient_of)                           \
    GT_LOOP_KERNEL(op, unary, LOOP)                                                                \
    static gt_Status op##_gradient(gt_GradientRule *rule)                                          \
    {                                                                                              \
        gt_Tensor *up = gt_upstream(rule, 0);                                                      \
        saved;                                                                                     \
        return gt_give(rule, 0, gradient_of);                                                      \
    }                                                                                              \
    GT_UNARY_RECORD(op, text, float, in, out, GT_OP_MAY_REUSE, GT_REAL(low, high, 2, 3),           \
                    .gradient = op##_gradient);                                                    \
    GT_DEFINE_UNARY(op)

/* 1 - x^2 and x^2 - 1 as products, which do not cancel near 1. */
static gt_Tensor *one_minus_square(gt_Tensor *x)
{
    return gt_multiply(gt_negative(gt_subtract(x, 1)), gt_add(x, 1));
}
static gt_Tensor *square_minus_one(gt_Tensor *x)
{
    return gt_multiply(gt_subtract(x, 1), gt_add(x, 1));
}
static gt_Tensor *one_plus_square(gt_Tensor *x)
{
    return gt_add(gt_square(x), 1);
}
/* 2 / sqrt(pi) exp(-x^2) */
static gt_Tensor *erf_slope(gt_Tensor *x)
{
    return gt_multiply(gt_exp(gt_negative(gt_square(x))), TWO_SQRT1_PI);
}

OF_OUTPUT(exp, EXP, "e^x", -2, 2, gt_multiply(up, y))
OF_INPUT(expm1, EXPM1, "e^x - 1", -2, 2, gt_multiply(up, gt_exp(x)))
OF_INPUT(log, LOG, "log x", 0.5, 2, gt_divide(up, x))
OF_INPUT(log1p, LOG1P, "log(1 + x)", -0.5, 2, gt_divide(up, gt_add(x, 1)))
OF_INPUT(log2, LOG2, "log x / log 2", 0.5, 2, gt_divide(up, gt_multiply(x, LN_2)))
OF_INPUT(log10, LOG10, "log x / log 10", 0.5, 2, gt_divide(up, gt_multiply(x, LN_10)))

OF_INPUT(sin, SIN, "sin x", -2, 2, gt_multiply(up, gt_cos(x)))
OF_INPUT(cos, COS, "cos x", -2, 2, gt_negative(gt_multiply(up, gt_sin(x))))
OF_OUTPUT(tan, TAN, "tan x", -1, 1, gt_multiply(up, one_plus_square(y)))
OF_INPUT(arcsin, ARCSIN, "arcsin x", -0.8, 0.8, gt_multiply(up, gt_rsqrt(one_minus_square(x))))
OF_INPUT(arccos, ARCCOS, "arccos x", -0.8, 0.8,
         gt_negative(gt_multiply(up, gt_rsqrt(one_minus_square(x)))))
OF_INPUT(arctan, ARCTAN, "arctan x", -2, 2, gt_divide(up, one_plus_square(x)))

OF_INPUT(sinh, SINH, "(e^x - e^-x) / 2", -2, 2, gt_multiply(up, gt_cosh(x)))
OF_INPUT(cosh, COSH, "(e^x + e^-x) / 2", -2, 2, gt_multiply(up, gt_sinh(x)))
OF_OUTPUT(tanh, TANH, "(e^x - e^-x) / (e^x + e^-x)", -2, 2, gt_tanh_gradient(up, y))
OF_INPUT(arcsinh, ARCSINH, "log(x + sqrt(x^2 + 1))", -2, 2,
         gt_multiply(up, gt_rsqrt(one_plus_square(x))))
OF_INPUT(arccosh, ARCCOSH, "log(x + sqrt(x^2 - 1))", 1.5, 3,
         gt_multiply(up, gt_rsqrt(square_minus_one(x))))
OF_INPUT(arctanh, ARCTANH, "log((1 + x) / (1 - x)) / 2", -0.8, 0.8,
         gt_divide(up, one_minus_square(x)))

OF_INPUT(erf, ERF, "2 / sqrt(pi) int_0^x e^(-t^2) dt", -2, 2, gt_multiply(up, erf_slope(x)))
OF_INPUT(erfc, ERFC, "1 - erf(x)", -2, 2, gt_negative(gt_multiply(up, erf_slope(x))))

/* ---- to whole numbers ---- */

#define STEPS(op, LOOP, text)                                                                      \
    GT_LOOP_KERNEL(op, unary, LOOP)                                                                \
    GT_UNARY_RECORD(op, text, float, 0, 0, GT_OP_MAY_REUSE | GT_OP_NOT_DIFFERENTIABLE,             \
                    GT_REAL_GAP(-2, 2, 0.5, 2, 3), .why_not = "it is constant between its jumps"); \
    GT_DEFINE_UNARY(op)

STEPS(floor, FLOOR, "the largest whole number <= x")
STEPS(ceil, CEIL, "the smallest whole number >= x")
STEPS(round, ROUND, "the nearest whole number, halves to even")
STEPS(trunc, TRUNC, "x without its fraction")

/* ---- arctan2 ---- */

/* da: b / (a^2 + b^2). db: -a / (a^2 + b^2). */
static gt_Status arctan2_gradient(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_input(rule, 0), *b = gt_input(rule, 1);
    gt_Tensor *scaled = gt_divide(gt_upstream(rule, 0), gt_add(gt_square(a), gt_square(b)));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(gt_multiply(scaled, b), gt_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(scaled, a)), gt_input_spec(rule, 1)));
    return gt_status();
}
GT_LOOP_KERNEL(arctan2, binary, ARCTAN2)
GT_BINARY_RECORD(arctan2, "the angle of (b, a)", float, 3, GT_OP_MAY_REUSE, GT_ANY, GT_POSITIVE,
                 .gradient = arctan2_gradient);
GT_DEFINE_BINARY(arctan2)
