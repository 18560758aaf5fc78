/* The rarer functions of a double, at most 2 ulp from the truth (tests/exhaustive.c measures it), and the arguments of
 * sin, cos and tan that are too large for functions.h. Written as that file is: no branch, no call of the C library. Leans
 * on functions.h.
 *
 * Where a double is too short for what stands between, a number is a pair, the sum of two doubles that do not overlap
 * (Dekker, "A Floating-Point Technique for Extending the Available Precision", 1971). The ways in which the ranges are cut
 * follow fdlibm (Sun Microsystems, 1993). */
#ifndef GT_KERNELS_RARE_H
#define GT_KERNELS_RARE_H

#include "functions.h"

typedef struct gt_Pair {
    double high, low;
} gt_Pair;

/* a + b exactly; and the same where a is the larger one, or 0. */
GT_INLINE gt_Pair gt_two_sum(double a, double b)
{
    double sum = a + b;
    double seen = sum - a;
    return (gt_Pair){sum, (a - (sum - seen)) + (b - seen)};
}

GT_INLINE gt_Pair gt_fast_sum(double a, double b)
{
    double sum = a + b;
    return (gt_Pair){sum, b - (sum - a)};
}

/* The first 26 bits of a number, so that products of two of these are exact. */
GT_INLINE double gt_upper_half(double x)
{
    return gt_from_bits_f64(gt_bits_f64(x) & ~UINT64_C(0x7ffffff));
}

/* a b, exactly but for what lies beyond twice 52 bits. */
GT_INLINE gt_Pair gt_two_product(double a, double b)
{
    double product = a * b;
#if GT_FUSES
    return (gt_Pair){product, gt_fma_f64(a, b, -product)};
#else
    double a1 = gt_upper_half(a), a2 = a - a1, b1 = gt_upper_half(b), b2 = b - b1;
    return (gt_Pair){product, (((a1 * b1 - product) + a1 * b2) + a2 * b1) + a2 * b2};
#endif
}

/* The first 21 bits: a product with an integer exponent of a double is exact. */
GT_INLINE double gt_first_bits(double x)
{
    return gt_from_bits_f64(gt_bits_f64(x) & ~UINT64_C(0xffffffff));
}

/* ---- logarithms ---- */

/* log x divided by log b: 1 / log b and log_b 2 come as a first and a second part, log x as f - square + tail. */
GT_INLINE double gt_log_to_base(double x, double inverse, double inverse_low, double two,
                                double two_low)
{
    gt_Log_f64 l = gt_log_parts_f64(x);
    double high = gt_first_bits(l.f - l.square);
    double low = ((l.f - high) - l.square) + l.tail;
    double head = high * inverse, base = l.exponent * two;
    double rest = (l.exponent * two_low + (low + high) * inverse_low) + low * inverse;
    double sum = base + head;
    double y = (((base - sum) + head) + rest) + sum;
    y = x > 0 ? y : (double)NAN;
    y = x == 0 ? -(double)INFINITY : y;
    return x == (double)INFINITY ? x : y;
}

GT_INLINE double gt_log2_f64(double x)
{
    return gt_log_to_base(x, 0x1.71547p0, 0x1.94ae0bf85ddf4p-22, 1.0, 0.0);
}

GT_INLINE double gt_log10_f64(double x)
{
    return gt_log_to_base(x, 0x1.bcb7bp-2, 0x1.526e50e32a6abp-26, 0x1.34413p-2,
                          0x1.427de7fbcc47cp-24);
}

/* log x for finite x > 0, right to 2^-64 of it:
 * log(1 + f) = 2 s (1 + z / 3 + z^2 rest(z)), s = f / (2 + f), z = s^2; what is not in the rest is computed in pairs. */
GT_INLINE gt_Pair gt_log_pair(double x)
{
    gt_Log_f64 l = gt_log_parts_f64(x);
    double sum = 2.0 + l.f, sum_low = l.f - (sum - 2.0);
    double s = l.f / sum;
    gt_Pair back = gt_two_product(s, sum);
    double s_low = (((l.f - back.high) - back.low) - s * sum_low) / sum;
    gt_Pair z = gt_two_product(s, s);
    z.low += 2.0 * s * s_low;
    gt_Pair third = gt_two_product(z.high, 0x1.5555555555555p-2);
    third.low += z.high * 0x1.5555555555555p-56 + z.low * 0x1.5555555555555p-2;
    gt_Pair more = gt_fast_sum(third.high, z.high * z.high * gt_series_log_rest_f64(z.high));
    more.low += third.low;
    gt_Pair part = gt_two_product(s, more.high);
    part.low += s * more.low + s_low * more.high;
    gt_Pair y = gt_fast_sum(s, part.high);
    y.low += part.low + s_low;
    gt_Pair all = gt_two_sum(l.exponent * 0x1.62e42fefa2p-1, 2.0 * y.high);
    all.low += 2.0 * y.low + l.exponent * 0x1.9ef35793c7673p-41;
    return gt_fast_sum(all.high, all.low);
}

/* ---- exponentials ---- */

/* 2^lift exp(x + low), `low` small beside x; as gt_exp_f64. */
GT_INLINE double gt_exp_plus(double x, double low, const int lift)
{
    double c = x > 720.0 ? 720.0 : x;
    c = c < -760.0 ? -760.0 : c;
    double t = gt_fma_f64(c, 0x1.71547652b82fep0, 0x1.8p52);
    double n = t - 0x1.8p52;
    double high = gt_fma_f64(-n, 0x1.62e42fefa2p-1, c);
    double r = gt_fma_f64(-n, 0x1.9ef35793c7673p-41, high);
    double rest = gt_fma_f64(-n, 0x1.9ef35793c7673p-41, high - r) + (c == x ? low : 0.0);
    double square =
        r * r * gt_series_exp_f64(r); /* of exp r - 1 - r; rest is multiplied by exp r */
    double p = 1.0 + (r + gt_fma_f64(rest, 1.0 + (r + square), square));
    uint64_t k = gt_bits_f64(t) - gt_bits_f64(0x1.8p52) + (uint64_t)(int64_t)lift;
    uint64_t half = ((k + 4 * 1023 + 4) >> 1) - (2 * 1023 + 2);
    return p * gt_power_of_two_f64(half) * gt_power_of_two_f64(k - half);
}

/* e^a / 2 and a quarter of its inverse; below 1, where they cancel, a series. */
GT_INLINE double gt_sinh_f64(double x)
{
    double a = gt_abs_f64(x), z = a * a;
    double half = gt_exp_plus(a, 0.0, -1);
    double large = half - 0.25 / half;
    double small = gt_fma_f64(a * z, gt_series_near_sinh_f64(z), a);
    return gt_copysign_f64(a < 1.0 ? small : large, x);
}

GT_INLINE double gt_cosh_f64(double x)
{
    double half = gt_exp_plus(gt_abs_f64(x), 0.0, -1);
    return half + 0.25 / half;
}

/* log(1 + x + low). Beyond 2^53 the 1 is nothing. */
GT_INLINE double gt_log1p_plus(double x, double low)
{
    gt_Pair u = gt_two_sum(1.0, x);
    return gt_log_plus_f64(u.high, (u.low + low) / u.high);
}

/* log(1 + a + a^2 / (1 + sqrt(a^2 + 1))); where a^2 would overflow, log a + log 2. */
GT_INLINE double gt_arcsinh_f64(double x)
{
    double a = gt_abs_f64(x), square = a * a;
    bool large = a > 0x1p30;
    double more = square / (1.0 + sqrt(square + 1.0));
    gt_Pair u = gt_two_sum(1.0, a), v = gt_two_sum(u.high, more);
    double y = gt_log_plus_f64(large ? a : v.high,
                               large ? 0x1.62e42fefa39efp-1 : (v.low + u.low) / v.high);
    return gt_copysign_f64(a < 0x1p-28 ? a : y, x);
}

/* log(1 + t + sqrt(t (t + 2))), t = x - 1, with what the root lost. */
GT_INLINE double gt_arccosh_f64(double x)
{
    double t = x - 1.0;
    bool large = x > 0x1p30;
    gt_Pair sum = gt_two_sum(t, 2.0), inside = gt_two_product(t, sum.high);
    inside.low += t * sum.low;
    double root = sqrt(inside.high);
    gt_Pair back = gt_two_product(root, root);
    double root_low = ((inside.high - back.high) - back.low + inside.low) / (root + root);
    root_low = root == 0.0 ? 0.0 : root_low;
    gt_Pair u = gt_two_sum(t, root), v = gt_two_sum(1.0, u.high);
    double y = gt_log_plus_f64(large ? x : v.high, large ? 0x1.62e42fefa39efp-1
                                                         : (v.low + (u.low + root_low)) / v.high);
    return x >= 1.0 ? y : (double)NAN;
}

/* log(1 + 2 a + 2 a^2 / (1 - a)) / 2 */
GT_INLINE double gt_arctanh_f64(double x)
{
    double a = gt_abs_f64(x), twice = a + a;
    gt_Pair u = gt_two_sum(twice, twice * a / (1.0 - a));
    double y = 0.5 * gt_log1p_plus(u.high, u.low);
    y = a == 1.0 ? (double)INFINITY : y;
    y = a < 0x1p-28 ? a : y;
    return gt_copysign_f64(a > 1.0 ? (double)NAN : y, x);
}

/* Up to 0.8, 1 - erf x. Above, e^(-x^2) p / (1 + 2 x), p a polynomial in t = (x - 4) / (x + 4) whose first number is a
 * pair, and the quotient with what it lost. erfc -x = 2 - erfc x. */
GT_INLINE double gt_erfc_f64(double x)
{
    double a = gt_abs_f64(x);
    double c = a > 28.0 ? 28.0 : a;
    double t = (c - 4.0) / (c + 4.0);
    gt_Pair p = gt_fast_sum(0x1.3ba5916e9fd7fp0, t * gt_series_bounded_erfc_f64(t));
    p.low -= 0x1.aa9c415679e6fp-55;
    gt_Pair under = gt_fast_sum(2.0 * c, 1.0); /* c > 1/2 where it is used */
    double ratio = p.high / under.high;
    gt_Pair back = gt_two_product(ratio, under.high);
    double lost = (((p.high - back.high) - back.low) + (p.low - ratio * under.low)) / under.high;
    gt_Pair square = gt_two_product(c, c);
    double e = gt_exp_plus(-square.high, -square.low, 64); /* products of it are normal numbers */
    gt_Pair product = gt_two_product(e, ratio);
    double tail = (product.high + (product.low + e * lost)) * 0x1p-64;
    gt_Pair less = gt_two_sum(1.0, -x);
    double near = less.high + (less.low - x * gt_series_erf_f64(x * x));
    double far = x < 0.0 ? 2.0 - tail : tail;
    return a < 0.8 ? near : far;
}

/* exp(y log|x|), the logarithm and the product as pairs; the rest is C's list of special cases, as in gt_power_f32.
 * Beyond 2^64 every y does the same. */
GT_INLINE double gt_power_f64(double x, double y)
{
    double size = gt_abs_f64(x);
    double b = y > 0x1p64 ? 0x1p64 : y;
    b = b < -0x1p64 ? -0x1p64 : b;
    bool end = (size == 0.0) | (size == (double)INFINITY);
    gt_Pair l = gt_log_pair(size);
    gt_Pair exponent = gt_two_product(b, l.high);
    exponent.low += b * l.low;
    double far = size == 0.0 ? b * -1e4 : b * 1e4;
    far = far != 0.0 ? far * (double)INFINITY : far;
    double magnitude = gt_exp_plus(end ? far : exponent.high, end ? 0.0 : exponent.low, 0);

    /* y is an integer if rounding leaves it, and its last bit tells whether it is odd. */
    double raised = gt_abs_f64(b) + 0x1p52;
    bool huge = gt_abs_f64(b) >= 0x1p52;
    bool integer = (raised - 0x1p52 == gt_abs_f64(b)) | huge | (b != b);
    uint64_t last =
        huge ? gt_bits_f64(b) & (gt_abs_f64(b) < 0x1p53 ? 1 : 0) : gt_bits_f64(raised) & 1;
    uint64_t odd = integer ? last << 63 : 0;
    double power = gt_from_bits_f64(gt_bits_f64(magnitude) ^ (odd & gt_bits_f64(x)));

    bool outside = (x < 0.0) & (size < (double)INFINITY) & !integer;
    power = outside ? (double)NAN : power;
    power = ((x != x) | (y != y)) ? x + y : power;
    return ((x == 1.0) | (y == 0.0)) ? 1.0 : power;
}

/* ---- angles ---- */

/* The angle of (x, y), y >= 0 and x >= 0, or of (-x, y) if `left`, as arctan of the smaller over the larger one: with c one
 * of 0, 1/2 and 1, arctan q = arctan c + arctan((q - c) / (1 + c q)), then pi/2 and pi less that. The part that does not
 * depend on (q - c) is a pair. */
GT_INLINE double gt_angle_f64(double y, double x, bool left)
{
    bool steep = y > x;
    double low = steep ? x : y, high = steep ? y : x;
    bool endless = high == (double)INFINITY, both = low == (double)INFINITY;
    low = endless ? (both ? 1.0 : 0.0) : low;
    high = (endless | (high == 0.0)) ? 1.0 : high;
    double scale = high > 0x1p1000 ? 0x1p-100 : 1.0;
    low *= scale;
    high *= scale;
    bool above = low > 0.4375 * high, top = low > 0.6875 * high;
    double c = top ? 1.0 : above ? 0.5 : 0.0;
    double t = (low - c * high) / (high + c * low);
    double z = t * t;
    double base = top ? 0x1.921fb54442d18p-1 : above ? 0x1.dac670561bb4fp-2 : 0.0;
    double base_low = top ? 0x1.1a62633145c07p-55 : above ? 0x1.a2b7f222f65e2p-56 : 0.0;
    double sign = steep ? -1.0 : 1.0;
    gt_Pair turned = gt_fast_sum(0x1.921fb54442d18p0, -base);
    base_low = steep ? turned.low + (0x1.1a62633145c07p-54 - base_low) : base_low;
    base = steep ? turned.high : base;
    turned = gt_fast_sum(0x1.921fb54442d18p1, -base);
    base_low = left ? turned.low + (0x1.1a62633145c07p-53 - base_low) : base_low;
    base = left ? turned.high : base;
    t *= left ? -sign : sign;
    return base + (t + gt_fma_f64(t * z, gt_series_near_atan_f64(z), base_low));
}

GT_INLINE double gt_arctan2_f64(double y, double x)
{
    double angle = gt_angle_f64(gt_abs_f64(y), gt_abs_f64(x), (gt_bits_f64(x) >> 63) != 0);
    return ((x != x) | (y != y)) ? x + y : gt_copysign_f64(angle, y);
}

/* Above 1/2, arcsin x = pi/2 - 2 arcsin sqrt((1 - x) / 2): the root and what it lost, and the two as `rest` times the series. */
typedef struct gt_Arcsin {
    double root, lost, rest;
    bool large;
} gt_Arcsin;

GT_INLINE gt_Arcsin gt_arcsin_parts(double a)
{
    bool large = a > 0.5;
    double z = large ? (1.0 - a) * 0.5 : a * a;
    double root = large ? sqrt(z) : a;
    double first = gt_first_bits(root);
    double lost = (z - first * first) / (root + first);
    double rest = z * gt_series_near_asin_f64(z) * root;
    return (gt_Arcsin){large ? first : a, (large & (root > 0.0)) ? lost : 0.0, rest, large};
}

GT_INLINE double gt_arcsin_f64(double x)
{
    gt_Arcsin s = gt_arcsin_parts(gt_abs_f64(x));
    double small = s.root + s.rest;
    double large = 0x1.921fb54442d18p0 - 2.0 * s.root;
    large = large - (2.0 * (s.rest + s.lost) - 0x1.1a62633145c07p-54);
    return gt_copysign_f64(s.large ? large : small, x);
}

GT_INLINE double gt_arccos_f64(double x)
{
    gt_Arcsin s = gt_arcsin_parts(gt_abs_f64(x));
    double sign = x < 0.0 ? -1.0 : 1.0;
    double small = 0x1.921fb54442d18p0 - (sign * s.root - (0x1.1a62633145c07p-54 - sign * s.rest));
    double near = 2.0 * (s.root + (s.rest + s.lost));
    double far = 0x1.921fb54442d18p1 - 2.0 * (s.root + ((s.rest + s.lost) - 0x1.1a62633145c07p-54));
    return s.large ? (x < 0.0 ? far : near) : small;
}

/* ---- roots ---- */

/* sqrt(a^2 + b^2), scaled so that no square leaves the range. */
GT_INLINE double gt_hypot_f64(double a, double b)
{
    double p = gt_abs_f64(a), q = gt_abs_f64(b);
    double high = p > q ? p : q;
    double scale = high > 0x1p500 ? 0x1p-600 : high < 0x1p-500 ? 0x1p600 : 1.0;
    double back = high > 0x1p500 ? 0x1p600 : high < 0x1p-500 ? 0x1p-600 : 1.0;
    double x = p * scale, y = q * scale;
    double root = sqrt(x * x + y * y) * back;
    return ((p == (double)INFINITY) | (q == (double)INFINITY)) ? (double)INFINITY : root;
}

/* x = size 2^(3 k), 1 <= size < 8; from a first guess two steps of Halley's method, which cube the error, and one of
 * Newton's from a root cut to 21 bits, whose square is exact. */
GT_INLINE double gt_cbrt_f64(double x)
{
    gt_Scaled part = gt_split(gt_abs_f64(x), true);
    int64_t k = (part.exponent + 3072) / 3 - 1024, left = part.exponent - 3 * k;
    double size = gt_from_bits_f64(gt_bits_f64(part.size) + ((uint64_t)left << 52));
    double y = (1.0 + (part.size - 1.0) * 0.26) * (left == 0   ? 1.0
                                                   : left == 1 ? 0x1.428a2f98d728bp0
                                                               : 0x1.965fea53d6e3dp0);
    for (int step = 0; step < 2; step++) {
        double cube = y * y * y;
        y = y * (cube + 2.0 * size) / (2.0 * cube + size);
    }
    y = gt_first_bits(y);
    double quotient = size / (y * y);
    y += y * ((quotient - y) / (y + y + quotient));
    y *= gt_power_of_two_f64((uint64_t)k);
    bool special = (x == 0.0) | !(gt_abs_f64(x) < (double)INFINITY);
    return special ? x : gt_copysign_f64(y, x);
}

/* ---- turns ---- */

/* The sine and cosine of gt_sine_f64 as pairs, and their quotient with what it lost. */
GT_INLINE double gt_tan_of(gt_Turn_f64 turn)
{
    double z = turn.high * turn.high, half = 0.5 * z, head = 1.0 - half;
    gt_Pair sine =
        gt_fast_sum(turn.high, gt_fma_f64(turn.high * z, gt_series_sin_f64(z), turn.low));
    double rest =
        ((1.0 - head) - half) + gt_fma_f64(z * z, gt_series_cos_f64(z), -turn.high * turn.low);
    gt_Pair cosine = gt_fast_sum(head, rest);
    bool odd = turn.quadrant & 1;
    gt_Pair over = {odd ? -cosine.high : sine.high, odd ? -cosine.low : sine.low};
    gt_Pair under = {odd ? sine.high : cosine.high, odd ? sine.low : cosine.low};
    double y = over.high / under.high;
    gt_Pair back = gt_two_product(y, under.high);
    return y + (((over.high - back.high) - back.low) + (over.low - y * under.low)) / under.high;
}

GT_INLINE double gt_tan_f64(double x)
{
    double y = gt_tan_of(gt_turn_f64(x));
    return gt_abs_f64(x) < 0x1p-27 ? x : y;
}

/* The upper and lower 64 bits of a product. */
static inline uint64_t gt_wide_product(uint64_t a, uint64_t b, uint64_t *low)
{
    uint64_t a1 = a >> 32, a2 = a & UINT32_MAX, b1 = b >> 32, b2 = b & UINT32_MAX;
    uint64_t middle = a1 * b2 + (a2 * b2 >> 32), other = a2 * b1 + (middle & UINT32_MAX);
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* x = quadrant pi/2 + high + low for any x beyond GT_TURN_LIMIT (Payne and Hanek, "Radian Reduction for Trigonometric
 * Functions", 1983). x = m 2^e, m of 53 bits. Of m 2^e 2/pi, bits worth 4 and more turn nothing; so 192 bits of 2/pi from
 * the one that is worth 2 are multiplied by m, and the product modulo 2^192 begins with the quadrant. */
static inline gt_Turn_f64 gt_far_turn(double x)
{
    static const uint64_t two_by_pi[] = {0, /* of the integer part */
                                         UINT64_C(0xa2f9836e4e441529),
                                         UINT64_C(0xfc2757d1f534ddc0),
                                         UINT64_C(0xdb6295993c439041),
                                         UINT64_C(0xfe5163abdebbc561),
                                         UINT64_C(0xb7246e3a424dd2e0),
                                         UINT64_C(0x06492eea09d1921c),
                                         UINT64_C(0xfe1deb1cb129a73e),
                                         UINT64_C(0xe88235f52ebb4484),
                                         UINT64_C(0xe99c7026b45f7e41),
                                         UINT64_C(0x3991d639835339f4),
                                         UINT64_C(0x9c845f8bbdf9283b),
                                         UINT64_C(0x1ff897ffde05980f),
                                         UINT64_C(0xef2f118b5a0a6d1f),
                                         UINT64_C(0x6d367ecf27cb09b7),
                                         UINT64_C(0x4f463f669e5fea2d),
                                         UINT64_C(0x7527bac7ebe5f17b),
                                         UINT64_C(0x3d0739f78a5292ea),
                                         UINT64_C(0x6bfb5fb11f8d5d08),
                                         UINT64_C(0x56033046fc7b6bab),
                                         UINT64_C(0xf0cfbc209af4361d)};
    uint64_t bits = gt_bits_f64(x), m = (bits & (UINT64_MAX >> 12)) | UINT64_C(1) << 52;
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023 - 52;
    if (!(gt_abs_f64(x) < (double)INFINITY))
        return (gt_Turn_f64){(double)NAN, 0.0, 0};
    int first = exponent - 1 + 63, word = first / 64, shift = first % 64;
    uint64_t chunk[3], part[3], high, low;
    for (int i = 0; i < 3; i++)
        chunk[i] = shift ? two_by_pi[word + i] << shift | two_by_pi[word + i + 1] >> (64 - shift)
                         : two_by_pi[word + i];
    high = gt_wide_product(m, chunk[2], &part[2]);
    part[0] = gt_wide_product(m, chunk[1], &low);
    part[1] = low + high;
    part[0] += (part[1] < low) + m * chunk[0];

    /* The nearest quadrant, and the fraction of a quadrant that is left, of both signs. */
    uint64_t quadrant = part[0] >> 62;
    for (int i = 0; i < 3; i++)
        part[i] = part[i] << 2 | (i < 2 ? part[i + 1] >> 62 : 0);
    bool beyond = part[0] >> 63;
    quadrant += beyond;
    for (int i = 2; beyond && i >= 0; i--)
        part[i] = ~part[i]; /* less one unit of 2^-190, which is nothing */
    int zeros = 0;
    for (; zeros < 128 && !(part[0] >> 63); zeros++)
        for (int i = 0; i < 3; i++)
            part[i] = part[i] << 1 | (i < 2 ? part[i + 1] >> 63 : 0);
    double scale = gt_power_of_two_f64((uint64_t)(int64_t)-zeros);
    double head = (double)(part[0] >> 11) * 0x1p-53 * scale;
    double rest = (double)((part[0] & 0x7ff) << 42 | part[1] >> 22) * 0x1p-106 * scale;
    gt_Pair angle = gt_two_product(head, 0x1.921fb54442d18p0);
    angle.low += head * 0x1.1a62633145c07p-54 + rest * 0x1.921fb54442d18p0;
    angle = gt_fast_sum(angle.high, angle.low);
    bool negative = beyond != (bits >> 63 != 0);
    quadrant = bits >> 63 ? 0 - quadrant : quadrant;
    return (gt_Turn_f64){negative ? -angle.high : angle.high, negative ? -angle.low : angle.low,
                         quadrant};
}

static inline double gt_far_sin_f64(double x)
{
    gt_Turn_f64 turn = gt_far_turn(x);
    return gt_sine_f64(turn.high, turn.low, turn.quadrant);
}

static inline double gt_far_cos_f64(double x)
{
    gt_Turn_f64 turn = gt_far_turn(x);
    return gt_sine_f64(turn.high, turn.low, turn.quadrant + 1);
}

static inline double gt_far_tan_f64(double x)
{
    return gt_tan_of(gt_far_turn(x));
}

/* Of floats too, rounded once more. */
static inline float gt_far_sin_f32(float x)
{
    return (float)gt_far_sin_f64((double)x);
}

static inline float gt_far_cos_f32(float x)
{
    return (float)gt_far_cos_f64((double)x);
}

static inline float gt_far_tan_f32(float x)
{
    return (float)gt_far_tan_f64((double)x);
}

#endif
