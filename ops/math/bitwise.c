/* Bits of integers: records and kernels of ops/math/bitwise.h. */
#include "ops/math/bitwise.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/kit.h"

#define WHOLE(...) GT_WHOLE(GT_INT32, 0, 8, __VA_ARGS__)
#define WHY        "its numbers are whole"

static gt_Status bits_shape(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_INTEGER | GT_TAKES_BOOL);
}
static gt_Status integer_shape(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_INTEGER);
}

const gt_Operation gt_op_bitwise_and = {
    GT_RECORD("bitwise_and", "a & b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = WHY,
    .shape = bits_shape,
    GT_LOOP(BINARY, BITWISE_AND),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(WHOLE(2, 3), WHOLE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(WHOLE(2, 1, 3), WHOLE(4, 1))}),
};
GT_DEFINE_BINARY(bitwise_and)

const gt_Operation gt_op_bitwise_or = {
    GT_RECORD("bitwise_or", "a | b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = WHY,
    .shape = bits_shape,
    GT_LOOP(BINARY, BITWISE_OR),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(WHOLE(2, 3), WHOLE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(WHOLE(2, 1, 3), WHOLE(4, 1))}),
};
GT_DEFINE_BINARY(bitwise_or)

const gt_Operation gt_op_bitwise_xor = {
    GT_RECORD("bitwise_xor", "a ^ b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = WHY,
    .shape = bits_shape,
    GT_LOOP(BINARY, BITWISE_XOR),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(WHOLE(2, 3), WHOLE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(WHOLE(2, 1, 3), WHOLE(4, 1))}),
};
GT_DEFINE_BINARY(bitwise_xor)

const gt_Operation gt_op_left_shift = {
    GT_RECORD("left_shift", "a << b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = WHY,
    .shape = integer_shape,
    GT_LOOP(BINARY, LEFT_SHIFT),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(WHOLE(2, 3), WHOLE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(WHOLE(2, 1, 3), WHOLE(4, 1))}),
};
GT_DEFINE_BINARY(left_shift)

const gt_Operation gt_op_right_shift = {
    GT_RECORD("right_shift", "a >> b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = WHY,
    .shape = integer_shape,
    GT_LOOP(BINARY, RIGHT_SHIFT),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(WHOLE(2, 3), WHOLE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(WHOLE(2, 1, 3), WHOLE(4, 1))}),
};
GT_DEFINE_BINARY(right_shift)

/* All bits flipped is an exclusive or with all bits set. */
static gt_Tensor *bitwise_not(gt_Tensor *x)
{
    gt_DType dtype = gt_dtype(x);
    return gt_bitwise_xor(x, dtype == GT_BOOL ? 1 : dtype == GT_UINT8 ? UINT8_MAX : -1);
}
GT_COMPOSED_UNARY(bitwise_not, bitwise_not)
