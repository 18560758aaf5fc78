/* Matrix products. */
#ifndef GT_OPS_MATMUL_H
#define GT_OPS_MATMUL_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_matmul_OPTIONS(F, S)                                                                    \
    F(S, bool, transpose_a, false, "swap the last two axes of a first")                            \
    F(S, bool, transpose_b, false, "swap the last two axes of b first")
GT_OPTIONS(gt_matmul_options, gt_matmul_OPTIONS);

/* gt_matmul(a, b), gt_matmul(a, b, .transpose_b = true): (..., m, k) x (..., k, n) -> (..., m, n).
 * The axes before the last two broadcast. A vector counts as one row on the left, one column on the
 * right, and its axis is gone from the result. Floats only. Either operand may be float16 or
 * bfloat16, the other of the same type or float32: the result is the float32 that the operands cast
 * to float32 give, to the bit, but neither is copied as a whole. Gradients have their operand's
 * type. */
#define gt_matmul(...)                                                                             \
    gt_matmul_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                           \
                 GT_KEYWORDS(gt_matmul, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_matmul_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                               const gt_matmul_options *options);
GT_API gt_Tensor *(gt_matmul)(gt_Tensor *a, gt_Tensor *b);

GT_END

#endif
