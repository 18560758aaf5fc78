/* Element-wise functions that are compiled once: those that are computed number by number or by a method of their own,
 * for which vectors gain nothing, and the bits of integers. y[i] depends on x[i] alone, by the operations that stand
 * there, in their order. Leans on rare.h. */
#include "kernels/rare.h"

#define TWO_SQRT1_PI 1.12837916709551257390 /* 2 / sqrt(pi) */

/* float32 is computed in double and rounded once. */
#define GT_UNARY_ONCE(name, function)                                                              \
    GT_UNARY(name, f32, float, function((double)x)) GT_UNARY(name, f64, double, function(x))

#define GT_BINARY_ONCE(name, suffix, type, result, expression)                                     \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,    \
                                    int64_t sb, void *to)                                          \
    {                                                                                              \
        const type *as = left, *bs = right;                                                        \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type a = as[i * sa], b = bs[i * sb];                                             \
            ((result *)to)[i] = (result)(expression);                                              \
        }                                                                                          \
    }

GT_UNARY_ONCE(cbrt, gt_cbrt_f64)

/* Winitzki's approximation, good to 2e-3, then three steps of Halley's method, which cube the
 * error. Near 1, where erf is flat, on erfc, which is not; 1 - x is exact there. */
static double erfinv_of(double x)
{
    double size = fabs(x);
    if (!(size < 1))
        return size == 1 ? x * INFINITY : NAN;
    double l = gt_log1p_f64(-size * size), b = 2 / (3.14159265358979323846 * 0.147) + l / 2;
    double y = sqrt(sqrt(b * b - l / 0.147) - b);
    for (int step = 0; step < 3; step++) {
        double off = size < 0.5 ? gt_erf_f64(y) - size : (1 - size) - gt_erfc_f64(y);
        double u = off / (TWO_SQRT1_PI * gt_exp_f64(-y * y));
        y -= u / (1 + y * u);
    }
    return gt_copysign_f64(y, x);
}
GT_UNARY_ONCE(erfinv, erfinv_of)

GT_BINARY_ONCE(hypot, f32, float, float, gt_hypot_f64((double)a, (double)b))
GT_BINARY_ONCE(hypot, f64, double, double, gt_hypot_f64(a, b))

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
    bool far = fabs(x) > GT_TURN_LIMIT;
    double before = (far ? gt_far_cos_f64(x) : gt_cos_f64(x)) / x; /* j[-1] */
    double now = (far ? gt_far_sin_f64(x) : gt_sin_f64(x)) / x;    /* j[0] */
    for (int k = 0; k < n; k++) {
        double next = (2 * k + 1) / x * now - before;
        before = now;
        now = next;
    }
    return now;
}

/* y[i] = j[order](x[i]), computed in double; any order of tiles. */
void GT_KERNEL(tiles_spherical_bessel)(const void *given, void *const *at, int64_t first,
                                       int64_t last, void *scratch)
{
    const gt_BesselJob *job = given;
    int64_t end = last * GT_TILE_ELEMENTS < job->size ? last * GT_TILE_ELEMENTS : job->size;
    (void)scratch;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i++)
        if (job->type == GT_LOOP_F32)
            ((float *)at[1])[i] = (float)bessel_of((double)((const float *)at[0])[i], job->order);
        else
            ((double *)at[1])[i] = bessel_of(((const double *)at[0])[i], job->order);
}

/* ---- bits of integers ---- */

typedef uint32_t unsigned_i32;
typedef uint64_t unsigned_i64;
typedef uint32_t unsigned_u8;

/* A shift by every bit or more, or by less than 0, leaves nothing but, to the right, the sign. */
#define GT_SHIFTS(ignored, suffix, type, TYPE)                                                     \
    static inline type left_shift_##suffix(type a, type b)                                         \
    {                                                                                              \
        int64_t by = (int64_t)b, bits = 8 * (int64_t)sizeof(type);                                 \
        return (type)(by < 0 || by >= bits ? 0 : (unsigned_##suffix)a << by);                      \
    }                                                                                              \
    static inline type right_shift_##suffix(type a, type b)                                        \
    {                                                                                              \
        int64_t by = (int64_t)b, bits = 8 * (int64_t)sizeof(type);                                 \
        return (type)(by < 0 || by >= bits ? a >> (bits - 1) >> 1 : a >> by);                      \
    }                                                                                              \
    GT_BINARY_ONCE(left_shift, suffix, type, type, left_shift_##suffix(a, b))                      \
    GT_BINARY_ONCE(right_shift, suffix, type, type, right_shift_##suffix(a, b))
GT_TYPES_I(GT_SHIFTS, )

#define GT_BITS(ignored, suffix, type, TYPE)                                                       \
    GT_BINARY_ONCE(bitwise_and, suffix, type, type, (a & b))                                       \
    GT_BINARY_ONCE(bitwise_or, suffix, type, type, a | b)                                          \
    GT_BINARY_ONCE(bitwise_xor, suffix, type, type, a ^ b)
GT_TYPES_I(GT_BITS, )
