/* The functions of functions.h that are the same text for float and double: included once for each,
 * with the macros that it undefines at its end. Not a header of its own. */

#define GT_BITS(x)      GT_NAME(bits)(x)
#define GT_FROM_BITS(u) GT_NAME(from_bits)(u)
#define GT_FMA(a, b, c) GT_NAME(fma)(a, b, c)
#define GT_SIGN_BIT     ((GT_U)1 << (sizeof(GT_T) * 8 - 1))
#define GT_INFINITY     ((GT_T)INFINITY)
#define GT_NAN          ((GT_T)NAN)

GT_INLINE GT_T GT_NAME(abs)(GT_T x)
{
    return GT_FROM_BITS(GT_BITS(x) & ~GT_SIGN_BIT);
}

GT_INLINE GT_T GT_NAME(copysign)(GT_T size, GT_T sign)
{
    return GT_FROM_BITS((GT_BITS(size) & ~GT_SIGN_BIT) | (GT_BITS(sign) & GT_SIGN_BIT));
}

/* a where the mask is all ones, b where it is zero. Where a choice feeds a division, a compiler may divide twice instead. */
GT_INLINE GT_T GT_NAME(either)(GT_U mask, GT_T a, GT_T b)
{
    return GT_FROM_BITS((GT_BITS(a) & mask) | (GT_BITS(b) & ~mask));
}

/* 2^k, k in two's complement and in the range of normal numbers. */
GT_INLINE GT_T GT_NAME(power_of_two)(GT_U k)
{
    return GT_FROM_BITS((k + GT_BIAS) << GT_MANTISSA);
}

/* exp x = 2^k exp r, |r| <= ln(2) / 2. */
typedef struct GT_NAME(Exp) {
    GT_T p; /* exp r */
    GT_U k;
} GT_NAME(Exp);

GT_INLINE GT_NAME(Exp) GT_NAME(exp_parts)(GT_T x)
{
    GT_T t = GT_FMA(x, GT_LOG2_E, GT_ROUNDER);
    GT_T n = t - GT_ROUNDER;
    GT_T high = GT_FMA(-n, GT_LN2_HIGH, x); /* exact */
    GT_T r = GT_FMA(-n, GT_LN2_LOW, high);
    GT_T low = GT_FMA(-n, GT_LN2_LOW, high - r);
    GT_T p = (GT_T)1 + (r + GT_FMA(r * r, GT_NAME(series_exp)(r), low));
    return (GT_NAME(Exp)){p, GT_BITS(t) - GT_BITS(GT_ROUNDER)};
}

/* For x within [GT_EXP_LOWEST, GT_EXP_HIGHEST], or NaN. The power comes in two halves, so that results
 * which are subnormal or overflow come out of a multiplication. */
GT_INLINE GT_T GT_NAME(exp_inside)(GT_T x)
{
    GT_NAME(Exp) e = GT_NAME(exp_parts)(x);
    GT_U half = ((e.k + 4 * GT_BIAS + 4) >> 1) - (2 * GT_BIAS + 2);
    return e.p * GT_NAME(power_of_two)(half) * GT_NAME(power_of_two)(e.k - half);
}

GT_INLINE GT_T GT_NAME(exp)(GT_T x)
{
    x = x > GT_EXP_HIGHEST ? GT_EXP_HIGHEST : x;
    x = x < GT_EXP_LOWEST ? GT_EXP_LOWEST : x;
    return GT_NAME(exp_inside)(x);
}

/* 2^k expm1 r + (2^k - 1), all halved until the end, for 2^k alone may overflow. */
GT_INLINE GT_T GT_NAME(expm1)(GT_T x)
{
    GT_T c = x > GT_EXP_HIGHEST ? GT_EXP_HIGHEST : x;
    c = c < GT_EXPM1_LOWEST ? GT_EXPM1_LOWEST : c;
    GT_T t = GT_FMA(c, GT_LOG2_E, GT_ROUNDER);
    GT_T n = t - GT_ROUNDER;
    GT_T high = GT_FMA(-n, GT_LN2_HIGH, c);
    GT_T r = GT_FMA(-n, GT_LN2_LOW, high);
    GT_T low = GT_FMA(-n, GT_LN2_LOW, high - r);
    GT_T p = r + GT_FMA(r * r, GT_NAME(series_exp)(r), low);
    GT_T half = GT_NAME(power_of_two)(GT_BITS(t) - GT_BITS(GT_ROUNDER) - 1);
    GT_T y = GT_FMA(p, half, half - (GT_T)0.5) * (GT_T)2;
    return GT_NAME(abs)(x) < GT_TINY ? x : y; /* keeps -0 and subnormals */
}

/* x = 2^exponent (1 + f), 1 + f within [sqrt(1/2), sqrt(2)); and with s = f / (2 + f),
 * log(1 + f) = f - (square - tail), square = f^2 / 2, tail = s (square + s^2 series(s^2)). */
typedef struct GT_NAME(Log) {
    GT_T exponent, f, square, tail;
} GT_NAME(Log);

GT_INLINE GT_NAME(Log) GT_NAME(log_parts)(GT_T x)
{
    const GT_T lift = (GT_T)((GT_U)1 << GT_MANTISSA); /* makes a subnormal number normal */
    bool subnormal = x < GT_SMALLEST;
    x = subnormal ? x * lift : x;
    /* The exponent as a biased, hence unsigned number; it turns into a GT_T by its place in the
     * mantissa of one, for AVX2 cannot convert 64-bit integers. */
    GT_U one = (GT_U)GT_BIAS << GT_MANTISSA;
    GT_U biased = (GT_BITS(x) - GT_SQRT_HALF_BITS + one) >> GT_MANTISSA;
    GT_T exponent = GT_FROM_BITS(GT_BITS(lift) | biased) - (lift + GT_BIAS);
    GT_T f = GT_FROM_BITS(GT_BITS(x) - (biased << GT_MANTISSA) + one) - (GT_T)1;
    GT_T s = f / ((GT_T)2 + f);
    GT_T z = s * s;
    GT_T square = f * f * (GT_T)0.5;
    GT_NAME(Log)
    parts = {
        .exponent = subnormal ? exponent - GT_MANTISSA : exponent,
        .f = f,
        .square = square,
        .tail = s * GT_FMA(z, GT_NAME(series_log)(z), square),
    };
    return parts;
}

/* log x + low, for x > 0; then what log does elsewhere. */
GT_INLINE GT_T GT_NAME(log_plus)(GT_T x, GT_T low)
{
    GT_NAME(Log) l = GT_NAME(log_parts)(x);
    GT_T tail = l.tail + GT_FMA(l.exponent, GT_LN2_LOW, low);
    GT_T y = GT_FMA(l.exponent, GT_LN2_HIGH, l.f - (l.square - tail));
    y = x > 0 ? y : GT_NAN;
    y = x == 0 ? -GT_INFINITY : y;
    return x == GT_INFINITY ? x : y;
}

GT_INLINE GT_T GT_NAME(log)(GT_T x)
{
    return GT_NAME(log_plus)(x, (GT_T)0);
}

/* log u + low / u, where u + low = 1 + x exactly (Knuth's two-sum). */
GT_INLINE GT_T GT_NAME(log1p)(GT_T x)
{
    GT_T u = (GT_T)1 + x;
    GT_T seen = u - (GT_T)1;
    GT_T low = ((GT_T)1 - (u - seen)) + (x - seen);
    GT_T y = GT_NAME(log_plus)(u, low / u);
    return GT_NAME(abs)(x) < GT_TINY ? x : y;
}

/* Below 0.55 a series, for the other formula cancels there, 1 - 2 / (exp 2a + 1). Beyond 40 that is 1: its power of two is
 * always normal, and needs no halves. */
GT_INLINE GT_T GT_NAME(tanh)(GT_T x)
{
    GT_T a = GT_NAME(abs)(x);
    GT_T z = a * a;
    GT_T small = GT_FMA(a * z, GT_NAME(series_tanh)(z), a);
    GT_T twice = a + a;
    GT_NAME(Exp) e = GT_NAME(exp_parts)(twice > 80 ? 80 : twice);
    GT_T large = (GT_T)1 - (GT_T)2 / GT_FMA(e.p, GT_NAME(power_of_two)(e.k), (GT_T)1);
    return GT_NAME(copysign)(a < (GT_T)0.55 ? small : large, x);
}

/* 1 / (1 + exp -x), on the negative side with exp x in the numerator, so that small results keep
 * their digits. `low` is what the sum lost; 1 / sum is y, or 1 - y where y is exp x / sum. */
GT_INLINE GT_T GT_NAME(sigmoid)(GT_T x)
{
    GT_T a = GT_NAME(abs)(x);
    GT_T e = GT_NAME(exp_inside)(a > -GT_EXP_LOWEST ? GT_EXP_LOWEST : -a);
    GT_T sum = (GT_T)1 + e;
    GT_T low = e - (sum - (GT_T)1);
    GT_U negative = (GT_U)0 - (GT_BITS(x) >> (sizeof(GT_T) * 8 - 1));
    GT_T y = GT_NAME(either)(negative, e, (GT_T)1) / sum;
    GT_T inverse = GT_NAME(either)(negative, (GT_T)1 - y, y);
    return GT_FMA(-y * low, inverse, y);
}

GT_INLINE GT_T GT_NAME(softplus)(GT_T x)
{
    GT_T e = GT_NAME(exp)(-GT_NAME(abs)(x));
    return (x > 0 ? x : (GT_T)0) + GT_NAME(log1p)(e);
}

/* Below GT_ERF_SEAM a series, above 1 - exp(log(erfc x)) with the logarithm a polynomial. */
GT_INLINE GT_T GT_NAME(erf)(GT_T x)
{
    GT_T a = GT_NAME(abs)(x);
    GT_T small = GT_FMA(a, GT_NAME(series_erf)(a * a), a);
    GT_T c = a > GT_ERF_HIGHEST ? GT_ERF_HIGHEST : a;
    GT_T large = (GT_T)1 - GT_NAME(exp)(-GT_NAME(series_minus_log_erfc)(c));
    return GT_NAME(copysign)(a < GT_ERF_SEAM ? small : large, x);
}

#if GT_WIDE
#include "functions_wide_template.h"
#endif

/* sin(high + low + quadrant pi/2), |high| <= pi/4: the series of sin or of cos, and a sign. */
GT_INLINE GT_T GT_NAME(sine)(GT_T high, GT_T low, GT_U quadrant)
{
    GT_T z = high * high;
    GT_T sine = high + GT_FMA(high * z, GT_NAME(series_sin)(z), low);
    GT_T half = z * (GT_T)0.5;
    GT_T head = (GT_T)1 - half;
    GT_T rest = (((GT_T)1 - head) - half) + GT_FMA(z * z, GT_NAME(series_cos)(z), -high * low);
    GT_T cosine = head + rest;
    GT_U odd = (GT_U)0 - (quadrant & 1);
    GT_U sign = (quadrant & 2) << (sizeof(GT_T) * 8 - 2);
    return GT_FROM_BITS(((GT_BITS(cosine) & odd) | (GT_BITS(sine) & ~odd)) ^ sign);
}

#undef GT_BITS
#undef GT_FROM_BITS
#undef GT_FMA
#undef GT_ERF_SEAM
#undef GT_SIGN_BIT
#undef GT_INFINITY
#undef GT_NAN
#undef GT_T
#undef GT_U
#undef GT_NAME
#undef GT_MANTISSA
#undef GT_BIAS
#undef GT_ROUNDER
#undef GT_LOG2_E
#undef GT_LN2_HIGH
#undef GT_LN2_LOW
#undef GT_EXP_LOWEST
#undef GT_EXP_HIGHEST
#undef GT_EXPM1_LOWEST
#undef GT_ERF_HIGHEST
#undef GT_TINY
#undef GT_SMALLEST
#undef GT_SQRT_HALF_BITS
