/* What the inner loops are measured against: the tables of this build that the processor can run, the
 * functions of the C library in more digits, the errors in units of the last place, and the bounds
 * that hold. Shared by test_kernels.c (a sample of all numbers), exhaustive.c (all of them) and
 * test_half.c. */
#ifndef GT_TESTS_REFERENCE_H
#define GT_TESTS_REFERENCE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"

static inline int tables(const gt_KernelTable *list[3])
{
    int count = 0;
    list[count++] = &gt_kernels_base;
#ifdef GT_HAVE_V3
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        list[count++] = &gt_kernels_v3;
#endif
#ifdef GT_HAVE_V4
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
        list[count++] = &gt_kernels_v4;
#endif
#ifdef GT_HAVE_FUSED
    list[count++] = &gt_kernels_fused;
#endif
    return count;
}

/* xorshift64*: numbers for the tests themselves. */
static uint64_t seed = 88172645463325252u;
static inline uint64_t next_bits(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static inline double next_real(void) /* [-1, 1) */
{
    return (double)(int64_t)next_bits() * 0x1p-63;
}

/* Errors in units of the last place of the right result, which comes with more digits; 1e9 for a NaN,
 * an infinity or a sign that is wrong. */
static inline double ulps_f64(double y, long double right)
{
    if (right != right || y != y)
        return right != right && y != y ? 0 : 1e9;
    if (isinf(y) || isinf((double)right))
        return y == (double)right ? 0 : 1e9;
    if (y == 0 && !signbit(y) != !signbit(right))
        return 1e9;
    int exponent = right == 0 ? -1022 : ilogbl(right);
    exponent = exponent < -1022 ? -1022 : exponent;
    return (double)(fabsl((long double)y - right) / ldexpl(1, exponent - 52));
}

static inline double ulps_f32(float y, double right)
{
    if (right != right || y != y)
        return right != right && y != y ? 0 : 1e9;
    if (isinf(y) || isinf((float)right))
        return y == (float)right ? 0 : 1e9;
    if (y == 0 && !signbit(y) != !signbit(right))
        return 1e9;
    uint64_t bits;
    memcpy(&bits, &right, sizeof bits);
    uint64_t exponent = bits >> 52 & 0x7ff;
    exponent = exponent < 1023 - 126 ? 1023 - 126 : exponent;
    uint64_t per_ulp = (1023 + 1023 + 23 - exponent) << 52; /* 2^(23 - exponent) */
    double scale;
    memcpy(&scale, &per_ulp, sizeof scale);
    return fabs(y - right) * scale;
}

/* What the C library lacks, by name of loop. */
static inline double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}
static inline long double sigmoidl(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}
static inline double softplus(double x)
{
    return (x > 0 ? x : x == x ? 0 : x) + log1p(exp(-fabs(x)));
}
static inline long double softplusl(long double x)
{
    return (x > 0 ? x : x == x ? 0 : x) + log1pl(expl(-fabsl(x)));
}
static inline double rsqrt(double x)
{
    return 1 / sqrt(x);
}
static inline long double rsqrtl(long double x)
{
    return 1 / sqrtl(x);
}
static inline double reciprocal(double x)
{
    return 1 / x;
}
static inline long double reciprocall(long double x)
{
    return 1 / x;
}

static const struct {
    gt_UnaryLoopId id;
    const char *name;
    double (*right)(double);
    long double (*right_long)(long double);
    double f32, f64; /* bounds in ulp */
} functions[] = {
#define FUNCTION(ID, name, f32, f64)                                                               \
    {                                                                                              \
        GT_LOOP_##ID, #name, name, name##l, f32, f64                                               \
    }
    FUNCTION(SQRT, sqrt, 0.5001, 0.5001),
    FUNCTION(RSQRT, rsqrt, 1.5, 1.5),
    FUNCTION(RECIPROCAL, reciprocal, 0.5001, 0.5001),
    FUNCTION(EXP, exp, 1, 1),
    FUNCTION(EXPM1, expm1, 1.8, 1.8),
    FUNCTION(LOG, log, 1, 1),
    FUNCTION(LOG1P, log1p, 1, 1),
    FUNCTION(LOG2, log2, 0.51, 1),
    FUNCTION(LOG10, log10, 0.51, 1),
    FUNCTION(SIN, sin, 1.6, 1),
    FUNCTION(COS, cos, 1.6, 1),
    FUNCTION(TAN, tan, 0.51, 1.4),
    FUNCTION(ARCSIN, asin, 0.51, 1),
    FUNCTION(ARCCOS, acos, 0.51, 1),
    FUNCTION(ARCTAN, atan, 0.51, 1),
    FUNCTION(SINH, sinh, 0.51, 1.8),
    FUNCTION(COSH, cosh, 0.51, 1.5),
    FUNCTION(TANH, tanh, 1.5, 1.7),
    FUNCTION(ARCSINH, asinh, 0.51, 1.4),
    FUNCTION(ARCCOSH, acosh, 0.51, 1.2),
    FUNCTION(ARCTANH, atanh, 0.51, 1.4),
    FUNCTION(ERF, erf, 1.5, 1.5),
    FUNCTION(ERFC, erfc, 0.51, 1.8),
    FUNCTION(CBRT, cbrt, 0.51, 0.9),
    FUNCTION(SIGMOID, sigmoid, 2, 2),
    FUNCTION(SOFTPLUS, softplus, 1.8, 2),
    FUNCTION(FLOOR, floor, 0, 0),
    FUNCTION(CEIL, ceil, 0, 0),
    FUNCTION(ROUND, rint, 0, 0),
    FUNCTION(TRUNC, trunc, 0, 0),
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

#endif
