/* The loops over numbers that are a few instructions each: arithmetic, rounding, comparison,
 * choice, conversion. One macro a family; the compiler makes vectors of them. Leans on loops.h.
 * Integers are computed without sign, for which wrapping round is defined. */
#include <math.h>

#include "loops.h"

/* The unsigned type as wide as an element, where integers are computed. */
typedef uint32_t gt_u_i32;
typedef uint64_t gt_u_i64;
typedef uint32_t gt_u_u8;

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

#if GT_IS_BASE(GT_ISA)
#define GT_UNARY_INTEGER(ignored, suffix, type, TYPE)                                              \
    GT_UNARY(negative, suffix, type, 0 - (gt_u_##suffix)x)                                         \
    GT_UNARY(square, suffix, type, ((gt_u_##suffix)x * (gt_u_##suffix)x))

GT_TYPES_I(GT_UNARY_INTEGER, )

#define GT_UNARY_SIGNED(suffix, type)                                                              \
    GT_UNARY(abs, suffix, type, x < 0 ? 0 - (gt_u_##suffix)x : (gt_u_##suffix)x)                   \
    GT_UNARY(sign, suffix, type, (x > 0) - (x < 0))                                                \
    GT_UNARY(relu, suffix, type, x > 0 ? x : 0)

GT_UNARY_SIGNED(i32, int32_t)
GT_UNARY_SIGNED(i64, int64_t)
GT_UNARY(abs, u8, uint8_t, x)
GT_UNARY(sign, u8, uint8_t, x != 0)
GT_UNARY(relu, u8, uint8_t, x)
GT_UNARY(logical_not, b8, uint8_t, !x)
#endif

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

#ifndef GT_RARE_ELSEWHERE
GT_DIVISION_REAL(f32, float, fmodf, floorf, copysignf)
GT_DIVISION_REAL(f64, double, fmod, floor, copysign)
#endif

#if GT_IS_BASE(GT_ISA) /* integers have one build */
/* By 0 gives 0; by -1 is negation, for the quotient of the lowest number has no room. */
#define GT_DIVISION_INTEGER(suffix, type)                                                          \
    static inline type gt_mod_##suffix(type a, type b)                                             \
    {                                                                                              \
        if (b == 0 || b == -1)                                                                     \
            return 0;                                                                              \
        type rest = a % b;                                                                         \
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;                               \
    }                                                                                              \
    static inline type gt_floor_divide_##suffix(type a, type b)                                    \
    {                                                                                              \
        if (b == 0)                                                                                \
            return 0;                                                                              \
        if (b == -1)                                                                               \
            return (type)(0 - (gt_u_##suffix)a);                                                   \
        type quotient = a / b;                                                                     \
        return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;                         \
    }

GT_DIVISION_INTEGER(i32, int32_t)
GT_DIVISION_INTEGER(i64, int64_t)

static inline uint8_t gt_mod_u8(uint8_t a, uint8_t b)
{
    return (uint8_t)(b == 0 ? 0 : a % b);
}

static inline uint8_t gt_floor_divide_u8(uint8_t a, uint8_t b)
{
    return (uint8_t)(b == 0 ? 0 : a / b);
}
#endif

#define GT_FLOOR_DIVIDE(ignored, suffix, type, TYPE)                                               \
    GT_BINARY(floor_divide, suffix, type, type, gt_floor_divide_##suffix(a, b))
#define GT_MOD(ignored, suffix, type, TYPE)                                                        \
    GT_BINARY(mod, suffix, type, type, gt_mod_##suffix(a, b))

#define GT_BINARY_REAL(ignored, suffix, type, TYPE)                                                \
    GT_BINARY(add, suffix, type, type, a + b)                                                      \
    GT_BINARY(subtract, suffix, type, type, a - b)                                                 \
    GT_BINARY(multiply, suffix, type, type, (a * b))                                               \
    GT_BINARY(divide, suffix, type, type, a / b)                                                   \
    GT_BINARY(maximum, suffix, type, type, ((a > b) | (a != a)) ? a : b)                           \
    GT_BINARY(minimum, suffix, type, type, ((a < b) | (a != a)) ? a : b)                           \
    GT_BINARY(relu_gradient, suffix, type, type, b > 0 ? a : 0)                                    \
    GT_BINARY(tanh_gradient, suffix, type, type, (a * (1 - b * b)))                                \
    GT_BINARY(sigmoid_gradient, suffix, type, type, (a * b * (1 - b)))

#define GT_BINARY_INTEGER(ignored, suffix, type, TYPE)                                             \
    GT_BINARY(add, suffix, type, type, (gt_u_##suffix)a + (gt_u_##suffix)b)                        \
    GT_BINARY(subtract, suffix, type, type, (gt_u_##suffix)a - (gt_u_##suffix)b)                   \
    GT_BINARY(multiply, suffix, type, type, ((gt_u_##suffix)a * (gt_u_##suffix)b))                 \
    GT_BINARY(maximum, suffix, type, type, a > b ? a : b)                                          \
    GT_BINARY(minimum, suffix, type, type, a < b ? a : b)

/* a > b is b < a. */
#define GT_SWAPPED(name, other, suffix)                                                            \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,    \
                                    int64_t sb, void *to)                                          \
    {                                                                                              \
        GT_KERNEL(other##_##suffix)(n, right, sb, left, sa, to);                                   \
    }

/* One loop says whether a is b, or whether it is not. */
#define GT_EQUALITY(suffix, type)                                                                  \
    static GT_NOINLINE void equality_##suffix(int64_t n, const void *left, int64_t sa,             \
                                              const void *right, int64_t sb, void *to,             \
                                              uint8_t flip)                                        \
    {                                                                                              \
        GT_BINARY_BODY(type, uint8_t, (a == b) ^ flip)                                             \
    }                                                                                              \
    void GT_KERNEL(equal_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,     \
                                   int64_t sb, void *to)                                           \
    {                                                                                              \
        equality_##suffix(n, left, sa, right, sb, to, 0);                                          \
    }                                                                                              \
    void GT_KERNEL(not_equal_##suffix)(int64_t n, const void *left, int64_t sa, const void *right, \
                                       int64_t sb, void *to)                                       \
    {                                                                                              \
        equality_##suffix(n, left, sa, right, sb, to, 1);                                          \
    }

#define GT_COMPARE(ignored, suffix, type, TYPE)                                                    \
    GT_EQUALITY(suffix, type)                                                                      \
    GT_BINARY(less, suffix, type, uint8_t, a < b)                                                  \
    GT_BINARY(less_equal, suffix, type, uint8_t, a <= b)                                           \
    GT_SWAPPED(greater, less, suffix)                                                              \
    GT_SWAPPED(greater_equal, less_equal, suffix)

GT_TYPES_F(GT_BINARY_REAL, )
GT_TYPES_F(GT_COMPARE, )
#ifndef GT_RARE_ELSEWHERE
GT_TYPES_F(GT_FLOOR_DIVIDE, )
#endif
#if GT_IS_BASE(GT_ISA)
GT_TYPES_I(GT_BINARY_INTEGER, )
GT_TYPES_N(GT_MOD, )
GT_TYPES_I(GT_FLOOR_DIVIDE, )
GT_TYPES_I(GT_COMPARE, )
GT_COMPARE(, b8, uint8_t, BOOL)
#endif

/* Choice moves bits, so it is written once for a size of elements. One condition for all is a copy
 * of one side. */
#define GT_SELECT(size, type)                                                                      \
    void GT_KERNEL(select_##size)(int64_t n, const uint8_t *c, int64_t sc, const void *left,       \
                                  int64_t sa, const void *right, int64_t sb, void *to)             \
    {                                                                                              \
        const type *as = left, *bs = right;                                                        \
        type *ys = to;                                                                             \
        if (n <= 0)                                                                                \
            return;                                                                                \
        const type a = as[0], b = bs[0];                                                           \
        if (sc == 0) {                                                                             \
            const type *chosen = c[0] ? as : bs;                                                   \
            if (c[0] ? sa : sb) {                                                                  \
                memmove(ys, chosen, (size_t)n * sizeof(type));                                     \
            } else {                                                                               \
                ys[0] = chosen[0];                                                                 \
                gt_repeat_bytes(ys, sizeof(type), n);                                                    \
            }                                                                                      \
        } else if (sa && sb) {                                                                     \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const type x = as[i], z = bs[i];                                                   \
                ys[i] = c[i] ? x : z;                                                              \
            }                                                                                      \
        } else if (sa) {                                                                           \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const type x = as[i];                                                              \
                ys[i] = c[i] ? x : b;                                                              \
            }                                                                                      \
        } else if (sb) {                                                                           \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const type z = bs[i];                                                              \
                ys[i] = c[i] ? a : z;                                                              \
            }                                                                                      \
        } else {                                                                                   \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++)                                                        \
                ys[i] = c[i] ? a : b;                                                              \
        }                                                                                          \
    }

GT_SELECT(4, uint32_t)
GT_SELECT(8, uint64_t)
#if GT_IS_BASE(GT_ISA)
GT_SELECT(1, uint8_t)
GT_SELECT(2, uint16_t)
#endif

/* A real number as an integer: towards zero, held at the ends of the range, NaN as 0. Here where the
 * highest is no number of the real type; `above` is the next one. */
#define GT_SATURATE(real, x, type, lowest, highest, above)                                         \
    (x >= (real)above ? highest                                                                    \
                      : (type)(x < (real)above ? (x > (real)lowest ? x : (real)lowest) : 0))

#define GT_CAST(from, source, to, target, expression)                                              \
    void GT_KERNEL(cast_##from##_##to)(int64_t n, const void *input, void *output)                 \
    {                                                                                              \
        const source *xs = input;                                                                  \
        target *ys = output;                                                                       \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const source x = xs[i];                                                                \
            ys[i] = (target)(expression);                                                          \
        }                                                                                          \
    }

GT_CAST(f32, float, f32, float, x)
GT_CAST(f32, float, f64, double, x)
GT_CAST(f64, double, f32, float, x)
GT_CAST(f64, double, f64, double, x)

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
    GT_CAST_HELD(from, real, u8, uint8_t, 0, 255)                                                  \
    GT_CAST(from, real, b8, uint8_t, x != 0)
GT_CAST_REAL(f32, float)
GT_CAST_REAL(f64, double)

GT_CAST(i32, int32_t, f32, float, x)
GT_CAST(i32, int32_t, f64, double, x)

#if GT_IS_BASE(GT_ISA)
#define GT_CAST_INTEGER_REAL(from, source)                                                         \
    GT_CAST(from, source, f32, float, x)                                                           \
    GT_CAST(from, source, f64, double, x)
/* Between integers the low bits stay. */
#define GT_CAST_INTEGER(from, source)                                                              \
    GT_CAST(from, source, i32, int32_t, x)                                                         \
    GT_CAST(from, source, i64, int64_t, x)                                                         \
    GT_CAST(from, source, u8, uint8_t, x)                                                          \
    GT_CAST(from, source, b8, uint8_t, x != 0)

GT_CAST_INTEGER(i32, int32_t)
GT_CAST_INTEGER(i64, int64_t)
GT_CAST_INTEGER(u8, uint8_t)
GT_CAST_INTEGER(b8, uint8_t)
GT_CAST_INTEGER_REAL(i64, int64_t)
GT_CAST_INTEGER_REAL(u8, uint8_t)
GT_CAST_INTEGER_REAL(b8, uint8_t)
#endif
