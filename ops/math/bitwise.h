/* Bits of integers, element by element with broadcasting, types as in ops/math/arithmetic.h; and, or,
 * xor and not also of bool. No gradients. */
#ifndef GT_OPS_BITWISE_H
#define GT_OPS_BITWISE_H

#include "ops/math/arithmetic.h"

GT_BEGIN

/* 1 where both bits are; where one of them is, or both; where exactly one is. */
GT_DECLARE_BINARY(bitwise_and);
#define gt_bitwise_and(a, b) gt_bitwise_and_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(bitwise_or);
#define gt_bitwise_or(a, b) gt_bitwise_or_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(bitwise_xor);
#define gt_bitwise_xor(a, b) gt_bitwise_xor_at(GT_HERE, a, gt_operand(b))
/* Every bit turned over; of bool: not x. */
GT_DECLARE_UNARY(bitwise_not);
#define gt_bitwise_not(x) gt_bitwise_not_at(GT_HERE, x)
/* a shifted by b bits: zeros come in at the right, copies of the sign at the left. Shifts by less
 * than 0 or by more bits than a has move everything out. */
GT_DECLARE_BINARY(left_shift);
#define gt_left_shift(a, b) gt_left_shift_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(right_shift);
#define gt_right_shift(a, b) gt_right_shift_at(GT_HERE, a, gt_operand(b))

GT_END

#endif
