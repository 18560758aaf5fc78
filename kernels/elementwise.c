/* The loops over floats that are a few instructions each: arithmetic, rounding, comparison, choice, conversion. One macro
 * a family; the compiler makes vectors of them. Integers: once/integers.c. Leans on elementwise.h. */
#include <math.h>

#include "elementwise.h"

#define GT_UNARY_REAL(name, expression_f32, expression_f64)                                        \
    GT_UNARY(name, f32, float, expression_f32) GT_UNARY(name, f64, double, expression_f64)

GT_UNARY_REAL(negative, -x, -x)
GT_UNARY_REAL(abs, fabsf(x), fabs(x))
/* sign: NaN and -0 stay. One comparison: two become an "unordered or equal", which valgrind takes
 * for "equal". */
GT_UNARY_REAL(sign, fabsf(x) > 0 ? copysignf(1, x) : x, fabs(x) > 0 ? copysign(1, x) : x)
GT_UNARY_REAL(square, (x * x), (x * x))
GT_UNARY_REAL(sqrt, sqrtf(x), sqrt(x))
GT_UNARY_REAL(rsqrt, 1 / sqrtf(x), 1 / sqrt(x))
GT_UNARY_REAL(reciprocal, 1 / x, 1 / x)
GT_UNARY_REAL(floor, floorf(x), floor(x))
GT_UNARY_REAL(ceil, ceilf(x), ceil(x))
GT_UNARY_REAL(round, rintf(x), rint(x))
GT_UNARY_REAL(trunc, truncf(x), trunc(x))
GT_UNARY_REAL(relu, x <= 0 ? 0 : x, x <= 0 ? 0 : x) /* NaN stays */
GT_UNARY_REAL(one_minus_square, ((1 - x) * (1 + x)), ((1 - x) * (1 + x)))

#ifndef GT_RARE_ELSEWHERE
GT_BINARY(divide_no_nan, f32, float, float, b == 0 ? 0 : a / b)
GT_BINARY(divide_no_nan, f64, double, double, b == 0 ? 0 : a / b)

#define GT_TESTS_REAL(suffix, type, abs)                                                           \
    GT_UNARY_TO(isnan, suffix, type, uint8_t, x != x)                                              \
    GT_UNARY_TO(isinf, suffix, type, uint8_t, abs(x) == (type)INFINITY)                            \
    GT_UNARY_TO(isfinite, suffix, type, uint8_t, abs(x) < (type)INFINITY)
GT_TESTS_REAL(f32, float, fabsf)
GT_TESTS_REAL(f64, double, fabs)
#endif

#if GT_IS_BASE(GT_ISA) /* fmod takes the time */
/* Division as NumPy does it: the remainder is exact and has the sign of b, and the quotient is the
 * integer that belongs to it. */
#define GT_DIVISION_REAL(suffix, type, fmod, floor, copysign)                                      \
    static inline type gt_mod_##suffix(type a, type b)                                             \
    {                                                                                              \
        type rest = fmod(a, b);                                                                    \
        if (rest == 0)                                                                             \
            return copysign(rest, b);                                                              \
        return (rest < 0) != (b < 0) ? rest + b : rest;                                            \
    }                                                                                              \
    static inline type gt_floor_divide_##suffix(type a, type b)                                    \
    {                                                                                              \
        if (b == 0)                                                                                \
            return a / b;                                                                          \
        type rest = fmod(a, b);                                                                    \
        type quotient = (a - rest) / b;                                                            \
        if (rest != 0 && (rest < 0) != (b < 0))                                                    \
            quotient -= 1;                                                                         \
        if (quotient == 0)                                                                         \
            return copysign(0, a / b);                                                             \
        type whole = floor(quotient);                                                              \
        return quotient - whole > (type)0.5 ? whole + 1 : whole;                                   \
    }

GT_DIVISION_REAL(f32, float, fmodf, floorf, copysignf)
GT_DIVISION_REAL(f64, double, fmod, floor, copysign)

GT_TYPES_F(GT_MOD, )
GT_TYPES_F(GT_FLOOR_DIVIDE, )
#endif

#define GT_BINARY_REAL(ignored, suffix, type, TYPE)                                                \
    GT_BINARY(add, suffix, type, type, a + b)                                                      \
    GT_BINARY(subtract, suffix, type, type, a - b)                                                 \
    GT_BINARY(multiply, suffix, type, type, (a * b))                                               \
    GT_BINARY(divide, suffix, type, type, a / b)                                                   \
    GT_BINARY(relu_gradient, suffix, type, type, b > 0 ? a : 0)

GT_TYPES_F(GT_BINARY_REAL, )

#ifndef GT_RARE_ELSEWHERE /* memory takes their time, or vectors of 512 bits make twice the work of it */
#define GT_BINARY_SELDOM(ignored, suffix, type, TYPE)                                              \
    GT_BINARY(maximum, suffix, type, type, ((a > b) | (a != a)) ? a : b)                           \
    GT_BINARY(minimum, suffix, type, type, ((a < b) | (a != a)) ? a : b)                           \
    GT_BINARY(tanh_gradient, suffix, type, type, (a * (1 - b * b)))                                \
    GT_BINARY(sigmoid_gradient, suffix, type, type, (a * b * (1 - b)))

GT_TYPES_F(GT_BINARY_SELDOM, )
GT_TYPES_F(GT_COMPARE, )

GT_SELECT(4, uint32_t)
GT_SELECT(8, uint64_t)
#endif

GT_CAST(f32, float, f32, float, x)
GT_CAST(f32, float, f64, double, x)
GT_CAST(f64, double, f32, float, x)
GT_CAST(f64, double, f64, double, x)
GT_CAST(f32, float, b8, uint8_t, x != 0)
GT_CAST(f64, double, b8, uint8_t, x != 0)
GT_CAST(i32, int32_t, f32, float, x)
GT_CAST(i32, int32_t, f64, double, x)

#ifndef GT_RARE_ELSEWHERE
/* A real number as an integer: towards zero, held at the ends of the range, NaN as 0. Here where the
 * highest is no number of the real type; `above` is the next one. */
#define GT_SATURATE(real, x, type, lowest, highest, above)                                         \
    (x >= (real)above ? highest                                                                    \
                      : (type)(x < (real)above ? (x > (real)lowest ? x : (real)lowest) : 0))

/* A double held within the range of an int32, NaN as 0. That NaN is chosen among bits keeps gcc from making
 * the three choices one, of more comparisons. */
GT_INLINE double gt_held_f64(double x)
{
    double most = x < INT32_MAX ? x : INT32_MAX;
    double number = gt_from_bits_f64(gt_bits_f64(most) & (0 - (uint64_t)(x == x)));
    return number > INT32_MIN ? number : INT32_MIN;
}

/* And here where it is one. In two steps, through numbers in memory: gcc would choose among the
 * integers, by conditions of another width. */
#define GT_CAST_HELD(from, real, to, target, lowest, highest)                                      \
    void GT_KERNEL(cast_##from##_##to)(int64_t n, const void *input, void *output)                 \
    {                                                                                              \
        real held[256];                                                                            \
        for (int64_t i = 0; i < n; i += 256) {                                                     \
            const int64_t count = n - i < 256 ? n - i : 256;                                       \
            const real *xs = (const real *)input + i;                                              \
            target *ys = (target *)output + i;                                                     \
            for (int64_t j = 0; j < count; j++) {                                                  \
                const real x = xs[j], most = x < (real)highest ? x : (real)highest;                \
                held[j] = x > (real)lowest ? most : (x == x ? (real)lowest : 0);                   \
            }                                                                                      \
            GT_INDEPENDENT                                                                         \
            for (int64_t j = 0; j < count; j++)                                                    \
                ys[j] = (target)(int32_t)held[j];                                                  \
        }                                                                                          \
    }

GT_CAST(f32, float, i32, int32_t, GT_SATURATE(float, x, int32_t, INT32_MIN, INT32_MAX, 0x1p31))
GT_CAST(f64, double, i32, int32_t, gt_held_f64(x))
#define GT_CAST_REAL(from, real)                                                                   \
    GT_CAST(from, real, i64, int64_t, GT_SATURATE(real, x, int64_t, INT64_MIN, INT64_MAX, 0x1p63)) \
    GT_CAST_HELD(from, real, u8, uint8_t, 0, 255)
GT_CAST_REAL(f32, float)
GT_CAST_REAL(f64, double)
#endif
