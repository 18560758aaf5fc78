/* Functions of one number, written so that a compiler turns a loop over them into vector code: no
 * branch, no table, no call; a special case is a select at the end. Leans on polynomials.h.
 *
 * Range reductions follow Cody and Waite, "Software Manual for the Elementary Functions" (1980): a
 * constant is split into parts short enough that their products with the integer are exact. What is
 * common to both element types stands once in functions_template.h; below it come the rarer
 * functions of a float, which simply compute in double and round once. */
#ifndef GT_KERNELS_FUNCTIONS_H
#define GT_KERNELS_FUNCTIONS_H

#include <math.h>

#include "loops.h"
#include "polynomials.h"

/* Are the functions that training takes most written for vectors of 512 bits too? */
#if defined(__AVX512F__) && defined(__AVX512DQ__) && GT_FUSES
#include <immintrin.h>
#define GT_WIDE 1
#else
#define GT_WIDE 0
#endif

#define GT_T              float
#define GT_U              uint32_t
#define GT_NAME(name)     gt_##name##_f32
#define GT_MANTISSA       23
#define GT_BIAS           127
#define GT_ROUNDER        0x1.8p23f /* t + GT_ROUNDER leaves t, rounded, in the low bits */
#define GT_LOG2_E         0x1.715476p0f
#define GT_LN2_HIGH       0x1.62e4p-1f /* 15 bits */
#define GT_LN2_LOW        0x1.7f7d1cp-20f
#define GT_EXP_LOWEST     -104.0f /* below, exp is 0 */
#define GT_EXP_HIGHEST    89.0f   /* above, exp is infinite */
#define GT_EXPM1_LOWEST   -18.0f  /* below, expm1 is -1 */
#define GT_ERF_SEAM       0.7f    /* below, erf is a series */
#define GT_ERF_HIGHEST    3.95f   /* above, erf is 1 */
#define GT_TINY           0x1p-25f
#define GT_SMALLEST       0x1p-126f /* the smallest normal number */
#define GT_SQRT_HALF_BITS UINT32_C(0x3f3504f3)
#if GT_WIDE
#define GT_V                __m512
#define GT_W(name)          _mm512_##name##_ps
#define GT_W_MASK(name)     _mm512_##name##_ps_mask
#define GT_WIDE_EXP         GT_SERIES_EXP_F32
#define GT_WIDE_TANH        GT_SERIES_TANH_F32
#define GT_WIDE_MASK        __mmask16
#define GT_WIDE_NEGATIVE(x) _mm512_movepi32_mask(_mm512_castps_si512(x))
#endif
#include "functions_template.h"

#define GT_T              double
#define GT_U              uint64_t
#define GT_NAME(name)     gt_##name##_f64
#define GT_MANTISSA       52
#define GT_BIAS           1023
#define GT_ROUNDER        0x1.8p52
#define GT_LOG2_E         0x1.71547652b82fep0
#define GT_LN2_HIGH       0x1.62e42fefa2p-1 /* 40 bits */
#define GT_LN2_LOW        0x1.9ef35793c7673p-41
#define GT_EXP_LOWEST     -746.0
#define GT_EXP_HIGHEST    710.0
#define GT_EXPM1_LOWEST   -40.0
#define GT_ERF_SEAM       0.8
#define GT_ERF_HIGHEST    5.95
#define GT_TINY           0x1p-54
#define GT_SMALLEST       0x1p-1022
#define GT_SQRT_HALF_BITS UINT64_C(0x3fe6a09e667f3bcd)
#if GT_WIDE
#define GT_V                __m512d
#define GT_W(name)          _mm512_##name##_pd
#define GT_W_MASK(name)     _mm512_##name##_pd_mask
#define GT_WIDE_EXP         GT_SERIES_EXP_F64
#define GT_WIDE_TANH        GT_SERIES_TANH_F64
#define GT_WIDE_MASK        __mmask8
#define GT_WIDE_NEGATIVE(x) _mm512_movepi64_mask(_mm512_castpd_si512(x))
#endif
#include "functions_template.h"

/* The argument of sin and cos as (quadrant, rest): x = quadrant pi/2 + high + low, the rest within
 * pi/4. Right to |x| = GT_TURN_LIMIT; beyond it the loops call the C library. pi/2 comes in parts
 * of 32, 32, 32 and 53 bits, enough for the double nearest to a multiple of pi/2. */
#define GT_TURN_LIMIT 1e6
#define GT_2_BY_PI    0x1.45f306dc9c883p-1
#define GT_PI_2_A     0x1.921fb544p0
#define GT_PI_2_B     0x1.0b4611a6p-34
#define GT_PI_2_C     0x1.3198a2ep-69
#define GT_PI_2_D     0x1.b839a252049c1p-104
#define GT_PI_2_REST  0x1.0b4611a626331p-34 /* all after A, in one double */

typedef struct gt_Turn_f64 {
    double high, low;
    uint64_t quadrant;
} gt_Turn_f64;

GT_INLINE gt_Turn_f64 gt_turn_f64(double x)
{
    double t = gt_fma_f64(x, GT_2_BY_PI, 0x1.8p52);
    double n = t - 0x1.8p52;
    double a = x - n * GT_PI_2_A; /* exact */
    double b = n * GT_PI_2_B;     /* exact, as c */
    double c = n * GT_PI_2_C;
    double high = a - b; /* and its error, by Knuth's two-sum */
    double seen = a - high;
    double low = (a - (high + seen)) + (seen - b);
    double next = high - c;
    seen = high - next;
    low += (high - (next + seen)) + (seen - c);
    low -= n * GT_PI_2_D;
    gt_Turn_f64 turn = {.high = next + low, .quadrant = gt_bits_f64(t)};
    turn.low = (next - turn.high) + low;
    return turn;
}

/* The same for a float: two parts do, and the rest fits one float. */
typedef struct gt_Turn_f32 {
    double rest;
    uint64_t quadrant;
} gt_Turn_f32;

GT_INLINE gt_Turn_f32 gt_turn_f32(float x)
{
    double t = gt_fma_f64((double)x, GT_2_BY_PI, 0x1.8p52);
    double n = t - 0x1.8p52;
    double rest = gt_fma_f64(-n, GT_PI_2_REST, gt_fma_f64(-n, GT_PI_2_A, (double)x));
    gt_Turn_f32 turn = {rest, gt_bits_f64(t)};
    return turn;
}

/* sin of x and so many quarters of a turn: 0 gives sin, 1 cos. Below `tiny` sin x is x; cos passes 0. */
GT_INLINE float gt_quarters_f32(float x, uint32_t quarters, float tiny)
{
    gt_Turn_f32 turn = gt_turn_f32(x);
    float y = gt_sine_f32((float)turn.rest, 0.0f, (uint32_t)turn.quadrant + quarters);
    return fabsf(x) < tiny ? x : y;
}

GT_INLINE double gt_quarters_f64(double x, uint32_t quarters, double tiny)
{
    gt_Turn_f64 turn = gt_turn_f64(x);
    double y = gt_sine_f64(turn.high, turn.low, turn.quadrant + quarters);
    return fabs(x) < tiny ? x : y;
}

GT_INLINE double gt_sin_f64(double x)
{
    return gt_quarters_f64(x, 0, 0x1p-27);
}

GT_INLINE double gt_cos_f64(double x)
{
    return gt_quarters_f64(x, 1, 0.0);
}

GT_INLINE float gt_tan_f32(float x)
{
    gt_Turn_f32 turn = gt_turn_f32(x);
    double sine = gt_sine_f64(turn.rest, 0.0, turn.quadrant);
    double cosine = gt_sine_f64(turn.rest, 0.0, turn.quadrant + 1);
    float y = (float)(sine / cosine);
    return fabsf(x) < 0x1p-13f ? x : y;
}

#define GT_PI   0x1.921fb54442d18p1
#define GT_PI_2 0x1.921fb54442d18p0

/* The angle of (x, y), y >= 0, x >= 0 or NaN. */
GT_INLINE double gt_first_quadrant_angle(double y, double x)
{
    bool steep = y > x;
    double low = steep ? x : y;
    double high = steep ? y : x;
    double q = low / high;
    q = high == 0.0 ? 0.0 : q;
    q = low == (double)INFINITY ? 1.0 : q;
    double z = q * q;
    double angle = gt_fma_f64(q * z, gt_series_atan_f64(z), q);
    return steep ? GT_PI_2 - angle : angle;
}

GT_INLINE float gt_arctan_f32(float x)
{
    double angle = gt_first_quadrant_angle(fabs((double)x), 1.0);
    return gt_copysign_f32((float)angle, x);
}

GT_INLINE float gt_arctan2_f32(float y, float x)
{
    double angle = gt_first_quadrant_angle(fabs((double)y), fabs((double)x));
    bool left = (gt_bits_f32(x) >> 31) != 0;
    angle = left ? GT_PI - angle : angle;
    return ((x != x) | (y != y)) ? x + y : gt_copysign_f32((float)angle, y);
}

/* (arcsin |x|, arccos |x|): above 1/2 by arcsin x = pi/2 - 2 arcsin sqrt((1 - x) / 2). */
GT_INLINE double gt_arcsin_series(double x, double z)
{
    return gt_fma_f64(x * z, gt_series_asin_f64(z), x);
}

GT_INLINE float gt_arcsin_f32(float x)
{
    double a = fabs((double)x);
    bool large = a > 0.5;
    double z = large ? (1.0 - a) * 0.5 : a * a;
    double s = gt_arcsin_series(large ? sqrt(z) : a, z);
    return gt_copysign_f32((float)(large ? GT_PI_2 - 2.0 * s : s), x);
}

GT_INLINE float gt_arccos_f32(float x)
{
    double a = fabs((double)x);
    bool large = a > 0.5;
    double z = large ? (1.0 - a) * 0.5 : a * a;
    double s = gt_arcsin_series(large ? sqrt(z) : a, z);
    double near = large ? 2.0 * s : GT_PI_2 - s;
    return (float)(x < 0.0f ? GT_PI - near : near);
}

/* What a float needs of exp and log, in double: right to 2^-32 for |x| < 700, and to 2^-44 for all
 * doubles that a float can be. */
GT_INLINE double gt_short_exp(double x)
{
    double t = gt_fma_f64(x, 0x1.71547652b82fep0, 0x1.8p52);
    double n = t - 0x1.8p52;
    double r = gt_fma_f64(-n, 0x1.62e42fefa39efp-1, x);
    double p = gt_fma_f64(r * r, gt_series_short_exp_f64(r), r) + 1.0;
    return gt_from_bits_f64(gt_bits_f64(p) + (gt_bits_f64(t) << 52));
}

GT_INLINE double gt_short_log(double x)
{
    const uint64_t one = UINT64_C(1023) << 52;
    uint64_t biased = (gt_bits_f64(x) - UINT64_C(0x3fe6a09e667f3bcd) + one) >> 52;
    double exponent = gt_from_bits_f64(UINT64_C(0x4330000000000000) | biased) - (0x1p52 + 1023);
    double f = gt_from_bits_f64(gt_bits_f64(x) - (biased << 52) + one) - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double y = gt_fma_f64(s * z, gt_series_short_log_f64(z), s + s);
    y = gt_fma_f64(exponent, 0x1.62e42fefa39efp-1, y);
    y = x < (double)INFINITY ? y : x;
    y = x < 0.0 ? (double)NAN : y;
    return x == 0.0 ? -(double)INFINITY : y;
}

GT_INLINE float gt_sinh_f32(float x)
{
    double a = fabs((double)x);
    double e = gt_expm1_f64(a > 100.0 ? 100.0 : a);
    return gt_copysign_f32((float)(0.5 * (e + e / (e + 1.0))), x);
}

GT_INLINE float gt_cosh_f32(float x)
{
    double a = fabs((double)x);
    double e = gt_short_exp(a > 100.0 ? 100.0 : a);
    return (float)(0.5 * (e + 1.0 / e));
}

GT_INLINE float gt_arcsinh_f32(float x)
{
    double a = fabs((double)x);
    double square = a * a;
    double y = gt_log1p_f64(a + square / (1.0 + sqrt(square + 1.0)));
    y = a == (double)INFINITY ? a : y;
    return gt_copysign_f32((float)y, x);
}

GT_INLINE float gt_arccosh_f32(float x)
{
    double t = (double)x - 1.0;
    double y = gt_log1p_f64(t + sqrt(t * (t + 2.0)));
    return t < 0.0 ? NAN : (float)y;
}

GT_INLINE float gt_arctanh_f32(float x)
{
    double a = fabs((double)x);
    return gt_copysign_f32((float)(0.5 * gt_log1p_f64(2.0 * a / (1.0 - a))), x);
}

/* erfc x = exp(-x^2) g(t), t = (x - 2) / (x + 2), and erfc -x = 2 - erfc x. Beyond 10.1, erfc is
 * less than half of the smallest float. */
GT_INLINE float gt_erfc_f32(float x)
{
    double a = fabs((double)x);
    a = a > 10.2 ? 10.2 : a;
    double y = gt_short_exp(-a * a) * gt_series_scaled_erfc_f64((a - 2.0) / (a + 2.0));
    return (float)(x < 0.0f ? 2.0 - y : y);
}

GT_INLINE float gt_log2_f32(float x)
{
    return (float)(gt_short_log((double)x) * 0x1.71547652b82fep0);
}

GT_INLINE float gt_log10_f32(float x)
{
    return (float)(gt_short_log((double)x) * 0x1.bcb7b1526e50ep-2);
}

/* exp(b log|a|) in double; the rest is C's list of special cases, all in numbers of one width, as
 * vectors need them. Beyond 2^51 every b does the same, infinity too, but times log 1 = 0 it is 0. */
GT_INLINE float gt_power_f32(float x, float y)
{
    const double a = x, size = fabs(a);
    double b = y;
    b = b > 0x1p51 ? 0x1p51 : b;
    b = b < -0x1p51 ? -0x1p51 : b;
    double exponent = b * gt_short_log(size);
    exponent = exponent > 200.0 ? 200.0 : exponent;
    exponent = exponent < -200.0 ? -200.0 : exponent;
    double magnitude = gt_short_exp(exponent);

    /* b is an integer if rounding leaves it, and its last bit tells whether it is odd. */
    double raised = fabs(b) + 0x1p52;
    bool integer = (raised - 0x1p52 == fabs(b)) | (b != b);
    uint64_t odd = integer ? gt_bits_f64(raised) << 63 : 0;
    double power = gt_from_bits_f64(gt_bits_f64(magnitude) ^ (odd & gt_bits_f64(a)));

    bool outside = (a < 0.0) & (size < (double)INFINITY) & !integer;
    power = outside ? (double)NAN : power;
    return (float)(((a == 1.0) | (b == 0.0)) ? 1.0 : power);
}

#endif
