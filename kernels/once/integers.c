/* The loops over integers and bools that are a few instructions each: arithmetic, comparison, choice, conversion. They
 * exist once and are compiled for size, for they are rarely what a program waits for. Masks and pixels: bytes.c. Leans on
 * elementwise.h. Integers are computed without sign, for which wrapping round is defined. */
#include "kernels/elementwise.h"

/* The unsigned type as wide as an element, where integers are computed. */
typedef uint32_t gt_u_i32;
typedef uint64_t gt_u_i64;
typedef uint32_t gt_u_u8;

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

#define GT_BINARY_INTEGER(ignored, suffix, type, TYPE)                                             \
    GT_BINARY(add, suffix, type, type, (gt_u_##suffix)a + (gt_u_##suffix)b)                        \
    GT_BINARY(subtract, suffix, type, type, (gt_u_##suffix)a - (gt_u_##suffix)b)                   \
    GT_BINARY(multiply, suffix, type, type, ((gt_u_##suffix)a * (gt_u_##suffix)b))                 \
    GT_BINARY(maximum, suffix, type, type, a > b ? a : b)                                          \
    GT_BINARY(minimum, suffix, type, type, a < b ? a : b)

GT_TYPES_I(GT_BINARY_INTEGER, )
GT_TYPES_I(GT_MOD, )
GT_TYPES_I(GT_FLOOR_DIVIDE, )
GT_TYPES_I(GT_COMPARE, )
GT_COMPARE(, b8, uint8_t, BOOL)

GT_SELECT(1, uint8_t)
GT_SELECT(2, uint16_t)

/* Between integers the low bits stay. */
#define GT_CAST_INTEGER(from, source)                                                              \
    GT_CAST(from, source, i32, int32_t, x)                                                         \
    GT_CAST(from, source, i64, int64_t, x)                                                         \
    GT_CAST(from, source, u8, uint8_t, x)                                                          \
    GT_CAST(from, source, b8, uint8_t, x != 0)

GT_CAST_INTEGER(i32, int32_t)
GT_CAST_INTEGER(i64, int64_t)
GT_CAST_INTEGER(u8, uint8_t) /* bools, too */
GT_CAST(i64, int64_t, f32, float, x)
GT_CAST(i64, int64_t, f64, double, x)
