/* Bits of integers: records and kernels of ops/math/bitwise.h. */
#include "ops/math/bitwise.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/kit.h"

#define WHOLE(...) GT_WHOLE(GT_INT32, 0, 8, __VA_ARGS__)
#define WHY        "its numbers are whole"

/* A shift by every bit or more leaves nothing but, to the right, the sign. */
#define GT_SHIFTS(type, wide, suffix)                                                              \
    static type shift_left_##suffix(type a, type b)                                                \
    {                                                                                              \
        int64_t by = (int64_t)b, bits = 8 * (int64_t)sizeof(type);                                 \
        return (type)(by < 0 || by >= bits ? 0 : (wide)a << by);                                   \
    }                                                                                              \
    static type shift_right_##suffix(type a, type b)                                               \
    {                                                                                              \
        int64_t by = (int64_t)b, bits = 8 * (int64_t)sizeof(type);                                 \
        return (type)(by < 0 || by >= bits ? a >> (bits - 1) >> 1 : a >> by);                      \
    }
GT_SHIFTS(int32_t, uint32_t, i32)
GT_SHIFTS(int64_t, uint64_t, i64)
GT_SHIFTS(uint8_t, uint32_t, u8)
#undef GT_SHIFTS

#define LOOP(op, type, suffix, RESULT)                                                             \
    static void op##_##suffix(int64_t n, const void *x, int64_t sx, const void *y, int64_t sy,     \
                              void *z)                                                             \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            type a = ((const type *)x)[i * sx], b = ((const type *)y)[i * sy];                     \
            ((type *)z)[i] = (type)(RESULT);                                                       \
        }                                                                                          \
    }
#define OPERATION(op, text, types, I32, I64, U8)                                                   \
    LOOP(op, int32_t, i32, I32)                                                                    \
    LOOP(op, int64_t, i64, I64)                                                                    \
    LOOP(op, uint8_t, u8, U8)                                                                      \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        static gt_BinaryLoop *const loops[GT_LOOP_TYPES] = {[GT_LOOP_I32] = op##_i32,              \
                                                            [GT_LOOP_I64] = op##_i64,              \
                                                            [GT_LOOP_U8] = op##_u8,                \
                                                            [GT_LOOP_BOOL] = op##_u8};             \
        return gt_run_binary(kernel, loops);                                                       \
    }                                                                                              \
    GT_BINARY_RECORD(op, text, types, 0, GT_OP_NOT_DIFFERENTIABLE, WHOLE, WHOLE, .why_not = WHY);  \
    GT_DEFINE_BINARY(op)

static gt_Status gt_shape_binary_bits(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_INTEGER | GT_TAKES_BOOL);
}
static gt_Status gt_shape_binary_integer(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_INTEGER);
}

OPERATION(bitwise_and, "a & b", bits, a &b, a &b, a &b)
OPERATION(bitwise_or, "a | b", bits, a | b, a | b, a | b)
OPERATION(bitwise_xor, "a ^ b", bits, a ^ b, a ^ b, a ^ b)
OPERATION(left_shift, "a << b", integer, shift_left_i32(a, b), shift_left_i64(a, b),
          shift_left_u8(a, b))
OPERATION(right_shift, "a >> b", integer, shift_right_i32(a, b), shift_right_i64(a, b),
          shift_right_u8(a, b))

/* All bits flipped is an exclusive or with all bits set. */
static gt_Tensor *bitwise_not(gt_Tensor *x)
{
    gt_DType dtype = gt_dtype(x);
    return gt_bitwise_xor(x, dtype == GT_BOOL ? 1 : dtype == GT_UINT8 ? UINT8_MAX : -1);
}
GT_COMPOSED_UNARY(bitwise_not, bitwise_not)
