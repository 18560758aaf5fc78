/* Functions of one number: records and gradient rules of ops/math/math.h. The loops are
 * kernels/math.c's. */
#include "ops/math/math.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"

#include <float.h>

#define LN_2         0.69314718055994530942
#define LN_10        2.30258509299404568402
#define TWO_SQRT1_PI 1.12837916709551257390 /* 2 / sqrt(pi) */

/* 1 - x^2 as a product, which does not cancel near 1, in one operation: the derivative of a product
 * of two has 0 times infinity in it where what follows has an infinite slope at 0, as a root does. */
static gt_Status one_minus_square_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_multiply(gt_upstream(rule, 0), gt_multiply(gt_rule_input(rule, 0), -2)));
}
const gt_Operation gt_op_one_minus_square = {
    GT_RECORD("one_minus_square", "(1 - x) (1 + x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ONE_MINUS_SQUARE),
    .gradient = one_minus_square_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
static gt_Tensor *one_minus_square(gt_Tensor *x)
{
    return gt_apply_one_at(NULL, &gt_op_one_minus_square, NULL, 1, &x);
}
/* Subtracted from 0 and not negated: 0 at 1, not -0, whose root has the slope -inf. */
static gt_Tensor *square_minus_one(gt_Tensor *x)
{
    return gt_subtract(gt_scalar(0, gt_dtype(x)), one_minus_square(x));
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

static gt_Status exp_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, y));
}
const gt_Operation gt_op_exp = {
    GT_RECORD("exp", "e^x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, EXP),
    .gradient = exp_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(exp)

static gt_Status expm1_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_exp(x)));
}
const gt_Operation gt_op_expm1 = {
    GT_RECORD("expm1", "e^x - 1", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, EXPM1),
    .gradient = expm1_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(expm1)

static gt_Status log_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, x));
}
const gt_Operation gt_op_log = {
    GT_RECORD("log", "log x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, LOG),
    .gradient = log_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(log)

static gt_Status log1p_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, gt_add(x, 1)));
}
const gt_Operation gt_op_log1p = {
    GT_RECORD("log1p", "log(1 + x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, LOG1P),
    .gradient = log1p_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(log1p)

static gt_Status log2_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, gt_multiply(x, LN_2)));
}
const gt_Operation gt_op_log2 = {
    GT_RECORD("log2", "log x / log 2", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, LOG2),
    .gradient = log2_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(log2)

static gt_Status log10_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, gt_multiply(x, LN_10)));
}
const gt_Operation gt_op_log10 = {
    GT_RECORD("log10", "log x / log 10", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, LOG10),
    .gradient = log10_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(log10)

static gt_Status sin_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_cos(x)));
}
const gt_Operation gt_op_sin = {
    GT_RECORD("sin", "sin x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, SIN),
    .gradient = sin_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(sin)

static gt_Status cos_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_negative(gt_multiply(up, gt_sin(x))));
}
const gt_Operation gt_op_cos = {
    GT_RECORD("cos", "cos x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, COS),
    .gradient = cos_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(cos)

static gt_Status tan_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, one_plus_square(y)));
}
const gt_Operation gt_op_tan = {
    GT_RECORD("tan", "tan x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, TAN),
    .gradient = tan_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-1, 1, 2, 3))}),
};
GT_DEFINE_UNARY(tan)

static gt_Status arcsin_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_rsqrt(one_minus_square(x))));
}
const gt_Operation gt_op_arcsin = {
    GT_RECORD("arcsin", "arcsin x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ARCSIN),
    .gradient = arcsin_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-0.8, 0.8, 2, 3))}),
};
GT_DEFINE_UNARY(arcsin)

static gt_Status arccos_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_negative(gt_multiply(up, gt_rsqrt(one_minus_square(x)))));
}
const gt_Operation gt_op_arccos = {
    GT_RECORD("arccos", "arccos x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ARCCOS),
    .gradient = arccos_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-0.8, 0.8, 2, 3))}),
};
GT_DEFINE_UNARY(arccos)

static gt_Status arctan_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, one_plus_square(x)));
}
const gt_Operation gt_op_arctan = {
    GT_RECORD("arctan", "arctan x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ARCTAN),
    .gradient = arctan_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(arctan)

static gt_Status sinh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_cosh(x)));
}
const gt_Operation gt_op_sinh = {
    GT_RECORD("sinh", "(e^x - e^-x) / 2", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, SINH),
    .gradient = sinh_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(sinh)

static gt_Status cosh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_sinh(x)));
}
const gt_Operation gt_op_cosh = {
    GT_RECORD("cosh", "(e^x + e^-x) / 2", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, COSH),
    .gradient = cosh_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(cosh)

static gt_Status tanh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    return gt_give(rule, 0, gt_tanh_gradient(up, y));
}
const gt_Operation gt_op_tanh = {
    GT_RECORD("tanh", "(e^x - e^-x) / (e^x + e^-x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, TANH),
    .gradient = tanh_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(tanh)

static gt_Status arcsinh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, gt_hypot(x, 1)));
}
const gt_Operation gt_op_arcsinh = {
    GT_RECORD("arcsinh", "log(x + sqrt(x^2 + 1))", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ARCSINH),
    .gradient = arcsinh_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(arcsinh)

static gt_Status arccosh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_rsqrt(square_minus_one(x))));
}
const gt_Operation gt_op_arccosh = {
    GT_RECORD("arccosh", "log(x + sqrt(x^2 - 1))", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ARCCOSH),
    .gradient = arccosh_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(1.5, 3, 2, 3))}),
};
GT_DEFINE_UNARY(arccosh)

static gt_Status arctanh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_divide(up, one_minus_square(x)));
}
const gt_Operation gt_op_arctanh = {
    GT_RECORD("arctanh", "log((1 + x) / (1 - x)) / 2", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ARCTANH),
    .gradient = arctanh_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-0.8, 0.8, 2, 3))}),
};
GT_DEFINE_UNARY(arctanh)

static gt_Status erf_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, erf_slope(x)));
}
const gt_Operation gt_op_erf = {
    GT_RECORD("erf", "2 / sqrt(pi) int_0^x e^(-t^2) dt", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ERF),
    .gradient = erf_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(erf)

static gt_Status erfc_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_negative(gt_multiply(up, erf_slope(x))));
}
const gt_Operation gt_op_erfc = {
    GT_RECORD("erfc", "1 - erf(x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ERFC),
    .gradient = erfc_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(erfc)

/* ---- to integers ---- */

const gt_Operation gt_op_floor = {
    GT_RECORD("floor", "the largest integer <= x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is constant between its jumps",
    .shape = gt_shape_float,
    GT_LOOP(UNARY, FLOOR),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 0.5, 2, 3))}),
};
GT_DEFINE_UNARY(floor)
const gt_Operation gt_op_ceil = {
    GT_RECORD("ceil", "the smallest integer >= x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is constant between its jumps",
    .shape = gt_shape_float,
    GT_LOOP(UNARY, CEIL),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 0.5, 2, 3))}),
};
GT_DEFINE_UNARY(ceil)
const gt_Operation gt_op_trunc = {
    GT_RECORD("trunc", "x without its fraction", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is constant between its jumps",
    .shape = gt_shape_float,
    GT_LOOP(UNARY, TRUNC),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 0.5, 2, 3))}),
};
GT_DEFINE_UNARY(trunc)
const gt_Operation gt_op_round = {
    GT_RECORD("round", "the nearest integer, halves to even", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is constant between its jumps",
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ROUND),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 0.5, 2, 3))}),
};

GT_OPTION_TYPE(gt_round_options, gt_round_OPTIONS);

/* 10^n by products, which every processor does alike. */
static double power_of_ten(int64_t n)
{
    double power = 1;
    for (; n > 0 && power <= DBL_MAX; n--)
        power *= 10;
    return power;
}

/* A whole power of ten is exact (up to 10^22), one tenth of it is not: so one of the two divides. */
static gt_Tensor *rounded(gt_Tensor *x, const gt_round_options *given)
{
    gt_round_options options;
    GT_TAKE(gt_round_options, &options, given);
    double power =
        power_of_ten(options.decimals < 0 ? -(int64_t)options.decimals : options.decimals);
    gt_DType dtype = gt_dtype(x);
    if (gt_status() == GT_OK && !(power <= (dtype == GT_FLOAT32 ? (double)FLT_MAX : DBL_MAX)))
        gt_fail(GT_INVALID, "10^|decimals| must be a finite %s (got decimals %d)",
                gt_dtype_name(dtype), options.decimals);
    if (options.decimals != 0)
        x = options.decimals > 0 ? gt_multiply(x, power) : gt_divide(x, power);
    x = gt_apply_one_at(NULL, &gt_op_round, NULL, 1, &x);
    if (options.decimals != 0)
        x = options.decimals > 0 ? gt_divide(x, power) : gt_multiply(x, power);
    return x;
}
GT_COMPOSED_OPTIONS(round, rounded, gt_round_options)

/* ---- arctan2 ---- */

/* da: b / (a^2 + b^2). db: -a / (a^2 + b^2). The two divisions by the length of (a, b), one after
 * the other, do not overflow or underflow where the slope does not. */
static gt_Status arctan2_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *of[2] = {gt_rule_input(rule, 1), gt_rule_input(rule, 0)};
    gt_Tensor *length = gt_hypot(gt_rule_input(rule, 0), gt_rule_input(rule, 1));
    for (int i = 0; i < 2; i++)
        if (gt_wants(rule, i)) {
            gt_Tensor *slope = gt_divide(gt_multiply(up, gt_divide(of[i], length)), length);
            gt_give(rule, i,
                    gt_unbroadcast(i ? gt_negative(slope) : slope, gt_rule_input_spec(rule, i)));
        }
    return gt_status();
}

const gt_Operation gt_op_arctan2 = {
    GT_RECORD("arctan2", "the angle of (b, a)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, ARCTAN2),
    .gradient = arctan2_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_POSITIVE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_POSITIVE(4, 1))}),
};
GT_DEFINE_BINARY(arctan2)

/* ---- functions with loops of libm's, or of their own ---- */

/* 1 / (3 y^2) */
static gt_Status cbrt_gradient(gt_GradientRule *rule)
{
    gt_Tensor *slope = gt_multiply(gt_square(gt_rule_output(rule, 0)), 3);
    return gt_give(rule, 0, gt_divide(gt_upstream(rule, 0), slope));
}

const gt_Operation gt_op_cbrt = {
    GT_RECORD("cbrt", "the cube root of x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, CBRT),
    .gradient = cbrt_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(cbrt)

/* sqrt(pi) / 2 exp(y^2) */
static gt_Status erfinv_gradient(gt_GradientRule *rule)
{
    gt_Tensor *slope = gt_divide(gt_exp(gt_square(gt_rule_output(rule, 0))), TWO_SQRT1_PI);
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), slope));
}

const gt_Operation gt_op_erfinv = {
    GT_RECORD("erfinv", "the y with erf(y) = x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, ERFINV),
    .gradient = erfinv_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-0.8, 0.8, 2, 3))}),
};
GT_DEFINE_UNARY(erfinv)

/* a / y and b / y */
static gt_Status hypot_gradient(gt_GradientRule *rule)
{
    for (int i = 0; i < 2; i++)
        if (gt_wants(rule, i)) {
            gt_Tensor *slope = gt_divide_no_nan(gt_rule_input(rule, i), gt_rule_output(rule, 0));
            gt_give(rule, i,
                    gt_unbroadcast(gt_multiply(slope, gt_upstream(rule, 0)),
                                   gt_rule_input_spec(rule, i)));
        }
    return gt_status();
}
const gt_Operation gt_op_hypot = {
    GT_RECORD("hypot", "sqrt(a^2 + b^2)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .saves_outputs = 1,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, HYPOT),
    .gradient = hypot_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_POSITIVE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_POSITIVE(4, 1))}),
};
GT_DEFINE_BINARY(hypot)

/* ---- spherical Bessel functions j[n], for sinc: j[0] is sin(x) / x, and with its neighbours in
 * place of a division every derivative is smooth at 0 (NIST Digital Library of Mathematical
 * Functions, 10.49, 10.51, 10.53) ---- */

#define BESSEL_OPTIONS(F, S) F(S, int32_t, order, 0, "n of j[n]")
GT_OPTIONS(BesselOptions, BESSEL_OPTIONS);
GT_OPTION_TYPE(BesselOptions, BESSEL_OPTIONS);

static gt_Status spherical_bessel_shape(gt_ShapeRule *rule)
{
    const BesselOptions *options = rule->options;
    if (options->order < 0 || options->order > 1000)
        return gt_fail(GT_INVALID, "order must be in [0, 1000] (got %d)", (int)options->order);
    return gt_shape_float(rule);
}

static void spherical_bessel_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *out = &rule->output[0];
    gt_BesselJob *job = gt_lower_launch(lowering, GT_TILES_spherical_bessel,
                                        gt_element_tiles(out->size), sizeof *job);
    job->type = gt_loop_type(out->dtype);
    job->order = ((const BesselOptions *)rule->options)->order;
    job->size = out->size;
}

static gt_Tensor *spherical_bessel(gt_Tensor *x, int32_t order)
{
    BesselOptions options = GT_VALUES(BesselOptions, order);
    return gt_apply_one_at(NULL, &gt_op_spherical_bessel, &options, 1, &x);
}

/* j[n]' = (n j[n-1] - (n + 1) j[n+1]) / (2n + 1) */
static gt_Status spherical_bessel_gradient(gt_GradientRule *rule)
{
    int32_t n = ((const BesselOptions *)gt_rule_options(rule))->order;
    gt_Tensor *x = gt_rule_input(rule, 0);
    gt_Tensor *slope = gt_multiply(spherical_bessel(x, n + 1), -(n + 1.0) / (2 * n + 1));
    if (n > 0)
        slope = gt_add(slope, gt_multiply(spherical_bessel(x, n - 1), n / (2 * n + 1.0)));
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), slope));
}

#define ORDER(n) &GT_VALUES(BesselOptions, n)
const gt_Operation gt_op_spherical_bessel = {
    GT_RECORD("spherical_bessel", "j[n](x): sin(x) / x for n = 0", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_INTERNAL,
    .options = &BesselOptions_type,
    .saves_inputs = 1,
    .shape = spherical_bessel_shape,
    .lower = spherical_bessel_lower,
    .gradient = spherical_bessel_gradient,
    .samples =
        GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))},
                   {.inputs = 1, .input = GT_INPUTS(GT_REAL(-4, 4, 7)), .options = ORDER(1)},
                   {.inputs = 1, .input = GT_INPUTS(GT_REAL(-9, 9, 9)), .options = ORDER(3)}),
};

/* ---- made of others ---- */

static gt_Tensor *power_of_two(gt_Tensor *x)
{
    x = gt_as_float(x);
    return gt_power(gt_scalar(2, gt_dtype(x)), x);
}
GT_COMPOSED_UNARY(exp2, power_of_two)

static gt_Tensor *sinc(gt_Tensor *x)
{
    return spherical_bessel(gt_multiply(gt_as_float(x), 3.14159265358979323846), 0);
}
GT_COMPOSED_UNARY(sinc, sinc)

static gt_Tensor *logaddexp(gt_Tensor *a, gt_Tensor *b)
{
    gt_Shape of_a = gt_tensor_shape(a), of_b = gt_tensor_shape(b);
    if (gt_status() != GT_OK)
        return NULL;
    if (!gt_shape_equal(of_a, of_b)) { /* to the shape of both together */
        gt_Tensor *zero = gt_multiply(gt_zeros_like(a), gt_zeros_like(b));
        a = gt_add(a, zero);
        b = gt_add(b, zero);
    }
    return gt_logsumexp(gt_stack(gt_tensors(a, b), .axis = -1), .axis = -1);
}
GT_COMPOSED_BINARY(logaddexp, logaddexp)

static gt_Tensor *logaddexp2(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide(logaddexp(gt_multiply(a, LN_2), gt_multiply(b, LN_2)), LN_2);
}
GT_COMPOSED_BINARY(logaddexp2, logaddexp2)

GT_OPTION_TYPE(gt_nan_to_num_options, gt_nan_to_num_OPTIONS);

static gt_Tensor *nan_to_num(gt_Tensor *x, const gt_nan_to_num_options *given)
{
    gt_nan_to_num_options options;
    GT_TAKE(gt_nan_to_num_options, &options, given);
    gt_DType dtype = gt_dtype(x);
    double most = dtype == GT_FLOAT32 ? (double)FLT_MAX : DBL_MAX;
    double high = options.posinf == INFINITY ? most : options.posinf;
    double low = options.neginf == -INFINITY ? -most : options.neginf;
    x = gt_where(gt_isnan(x), gt_scalar(options.nan, dtype), x);
    x = gt_where(gt_equal(x, INFINITY), gt_scalar(high, dtype), x);
    return gt_where(gt_equal(x, -INFINITY), gt_scalar(low, dtype), x);
}
GT_COMPOSED_OPTIONS(nan_to_num, nan_to_num, gt_nan_to_num_options)
