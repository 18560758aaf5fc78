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

/* One function: its loop, its formula, numbers from [low, high) to try it on, and its gradient as
 * an expression of the upstream gradient `up` and of the input x, or of the output y. */
#define OF_INPUT(op, LOOP, text, low, high, gradient_of)                                           \
    FUNCTION(op, LOOP, text, 1, 0, low, high, gt_Tensor *x = gt_rule_input(rule, 0), gradient_of)
#define OF_OUTPUT(op, LOOP, text, low, high, gradient_of)                                          \
    FUNCTION(op, LOOP, text, 0, 1, low, high, gt_Tensor *y = gt_rule_output(rule, 0), gradient_of)
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

/* 1 - x^2 as a product, which does not cancel near 1, in one operation: the derivative of a product
 * of two has 0 times infinity in it where what follows has an infinite slope at 0, as a root does. */
static void one_minus_square_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    if (kernel->output_spec[0]->dtype == GT_FLOAT32) {
        const float *x = (const float *)kernel->input[0] + first;
        float *y = (float *)kernel->output[0] + first;
        for (int64_t i = 0; i < n; i++)
            y[i] = (1 - x[i]) * (1 + x[i]);
    } else {
        const double *x = (const double *)kernel->input[0] + first;
        double *y = (double *)kernel->output[0] + first;
        for (int64_t i = 0; i < n; i++)
            y[i] = (1 - x[i]) * (1 + x[i]);
    }
}
static gt_Status one_minus_square_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, one_minus_square_chunk);
}
static gt_Status one_minus_square_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_multiply(gt_upstream(rule, 0), gt_multiply(gt_rule_input(rule, 0), -2)));
}
GT_UNARY_RECORD(one_minus_square, "(1 - x) (1 + x)", float, 1, 0, GT_OP_INTERNAL | GT_OP_MAY_REUSE,
                GT_REAL(-2, 2, 2, 3), .gradient = one_minus_square_gradient);
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
OF_INPUT(arcsinh, ARCSINH, "log(x + sqrt(x^2 + 1))", -2, 2, gt_divide(up, gt_hypot(x, 1)))
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
                    GT_REAL_GAP(-2, 2, 0.5, 2, 3), .why_not = "it is constant between its jumps");

STEPS(floor, FLOOR, "the largest whole number <= x")
GT_DEFINE_UNARY(floor)
STEPS(ceil, CEIL, "the smallest whole number >= x")
GT_DEFINE_UNARY(ceil)
STEPS(trunc, TRUNC, "x without its fraction")
GT_DEFINE_UNARY(trunc)
STEPS(round, ROUND, "the nearest whole number, halves to even")

GT_OPTION_TYPE(gt_round_options, gt_round_OPTIONS);

/* A whole power of ten is exact (up to 10^22), one tenth of it is not: so one of the two divides. */
static gt_Tensor *rounded(gt_Tensor *x, const gt_round_options *given)
{
    gt_round_options options = GT_TAKE(gt_round_options, given);
    double power = pow(10, fabs((double)options.decimals));
    gt_DType dtype = gt_dtype(x);
    if (gt_status() == GT_OK && !(power <= (dtype == GT_FLOAT32 ? (double)FLT_MAX : DBL_MAX)))
        gt_fail(GT_INVALID, "decimals = %d: there is no such power of ten in %s", options.decimals,
                gt_dtype_name(dtype));
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
GT_LOOP_KERNEL(arctan2, binary, ARCTAN2)
GT_BINARY_RECORD(arctan2, "the angle of (b, a)", float, 3, GT_OP_MAY_REUSE, GT_ANY, GT_POSITIVE,
                 .gradient = arctan2_gradient);
GT_DEFINE_BINARY(arctan2)

/* ---- functions with loops of libm's, or of their own ---- */

#define OWN_LOOP(op, function)                                                                     \
    static void op##_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)                      \
    {                                                                                              \
        if (kernel->output_spec[0]->dtype == GT_FLOAT32)                                           \
            for (int64_t i = first; i < first + n; i++)                                            \
                ((float *)kernel->output[0])[i] =                                                  \
                    (float)function((double)((const float *)kernel->input[0])[i]);                 \
        else                                                                                       \
            for (int64_t i = first; i < first + n; i++)                                            \
                ((double *)kernel->output[0])[i] =                                                 \
                    function(((const double *)kernel->input[0])[i]);                               \
    }                                                                                              \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        return gt_run_chunks(kernel, op##_chunk);                                                  \
    }

/* 1 / (3 y^2) */
static gt_Status cbrt_gradient(gt_GradientRule *rule)
{
    gt_Tensor *slope = gt_multiply(gt_square(gt_rule_output(rule, 0)), 3);
    return gt_give(rule, 0, gt_divide(gt_upstream(rule, 0), slope));
}
OWN_LOOP(cbrt, cbrt)
GT_UNARY_RECORD(cbrt, "the cube root of x", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
                .gradient = cbrt_gradient);
GT_DEFINE_UNARY(cbrt)

/* Winitzki's approximation, good to 2e-3, then three steps of Halley's method, which cube the
 * error. Near 1, where erf is flat, on erfc, which is not; 1 - x is exact there. */
static double erfinv_of(double x)
{
    double size = fabs(x);
    if (!(size < 1))
        return size == 1 ? x * INFINITY : NAN;
    double l = log1p(-size * size), b = 2 / (3.14159265358979323846 * 0.147) + l / 2;
    double y = sqrt(sqrt(b * b - l / 0.147) - b);
    for (int step = 0; step < 3; step++) {
        double off = size < 0.5 ? erf(y) - size : (1 - size) - erfc(y);
        double u = off / (TWO_SQRT1_PI * exp(-y * y));
        y -= u / (1 + y * u);
    }
    return copysign(y, x);
}

/* sqrt(pi) / 2 exp(y^2) */
static gt_Status erfinv_gradient(gt_GradientRule *rule)
{
    gt_Tensor *slope = gt_divide(gt_exp(gt_square(gt_rule_output(rule, 0))), TWO_SQRT1_PI);
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), slope));
}
OWN_LOOP(erfinv, erfinv_of)
GT_UNARY_RECORD(erfinv, "the y with erf(y) = x", float, 0, 1, GT_OP_MAY_REUSE,
                GT_REAL(-0.8, 0.8, 2, 3), .gradient = erfinv_gradient);
GT_DEFINE_UNARY(erfinv)

static void hypot_f32(int64_t n, const void *a, int64_t sa, const void *b, int64_t sb, void *y)
{
    for (int64_t i = 0; i < n; i++)
        ((float *)y)[i] = hypotf(((const float *)a)[i * sa], ((const float *)b)[i * sb]);
}
static void hypot_f64(int64_t n, const void *a, int64_t sa, const void *b, int64_t sb, void *y)
{
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = hypot(((const double *)a)[i * sa], ((const double *)b)[i * sb]);
}
static gt_Status hypot_run(const gt_Kernel *kernel)
{
    static gt_BinaryLoop *const loops[GT_LOOP_TYPES] = {
        [GT_LOOP_F32] = hypot_f32, [GT_LOOP_F64] = hypot_f64};
    return gt_run_binary(kernel, loops);
}

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
GT_BINARY_RECORD(hypot, "sqrt(a^2 + b^2)", float, 3, GT_OP_MAY_REUSE, GT_ANY, GT_POSITIVE,
                 .saves_outputs = 1, .gradient = hypot_gradient);
GT_DEFINE_BINARY(hypot)

/* ---- spherical Bessel functions j[n], for sinc: j[0] is sin(x) / x, and with its neighbours in
 * place of a division every derivative is smooth at 0 (NIST Digital Library of Mathematical
 * Functions, 10.49, 10.51, 10.53) ---- */

#define BESSEL_OPTIONS(F, S) F(S, int32_t, order, 0, "n of j[n]")
GT_OPTIONS(BesselOptions, BESSEL_OPTIONS);
GT_OPTION_TYPE(BesselOptions, BESSEL_OPTIONS);

/* As far as n, where the recurrence j[k+1] = (2k + 1) / x j[k] - j[k-1] loses digits, the power
 * series x^n / (2n + 1)!! sum of (-x^2 / 2)^k / (k! (2n + 3) (2n + 5) ...). */
static double bessel_of(double x, int n)
{
    if (fabs(x) <= n) {
        double term = 1, sum = 0;
        for (int k = 1; k <= n; k++)
            term *= x / (2 * k + 1);
        for (int k = 1; fabs(term) > 1e-18 * fabs(sum); k++) {
            sum += term;
            term *= -x * x / 2 / k / (2 * (n + k) + 1);
        }
        return sum;
    }
    double before = cos(x) / x, now = sin(x) / x; /* j[-1], j[0] */
    for (int k = 0; k < n; k++) {
        double next = (2 * k + 1) / x * now - before;
        before = now;
        now = next;
    }
    return now;
}
#define BESSEL(x) bessel_of(x, ((const BesselOptions *)kernel->options)->order)
OWN_LOOP(spherical_bessel, BESSEL)

static gt_Status spherical_bessel_shape(gt_ShapeRule *rule)
{
    const BesselOptions *options = rule->options;
    if (options->order < 0 || options->order > 1000)
        return gt_fail(GT_INVALID, "order %d is not in [0, 1000]", (int)options->order);
    return gt_shape_float(rule);
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
    .size = sizeof(gt_Operation),
    .name = "spherical_bessel",
    .formula = "j[n](x): sin(x) / x for n = 0",
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_INTERNAL,
    .options = &BesselOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = spherical_bessel_shape,
    .run = spherical_bessel_run,
    .gradient = spherical_bessel_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))},
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-4, 4, 7)), .options = ORDER(1)},
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-9, 9, 9)), .options = ORDER(3)},
            GT_SAMPLES_END},
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
        of_a = gt_tensor_shape(zero);
        a = gt_broadcast_to(a, of_a);
        b = gt_broadcast_to(b, of_a);
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
    gt_nan_to_num_options options = GT_TAKE(gt_nan_to_num_options, given);
    gt_DType dtype = gt_dtype(x);
    double most = dtype == GT_FLOAT32 ? (double)FLT_MAX : DBL_MAX;
    double high = options.posinf == INFINITY ? most : options.posinf;
    double low = options.neginf == -INFINITY ? -most : options.neginf;
    x = gt_where(gt_isnan(x), gt_scalar(options.nan, dtype), x);
    x = gt_where(gt_equal(x, INFINITY), gt_scalar(high, dtype), x);
    return gt_where(gt_equal(x, -INFINITY), gt_scalar(low, dtype), x);
}
GT_COMPOSED_OPTIONS(nan_to_num, nan_to_num, gt_nan_to_num_options)
