/* Products of two tensors: tensordot and its special cases, the outer product. */
#ifndef GT_OPS_CONTRACTION_H
#define GT_OPS_CONTRACTION_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

#define gt_tensordot_OPTIONS(F, S)                                                                 \
    F(S, int32_t, count, 2, "the last `count` axes of a with the first of b, if none are named")   \
    F(S, gt_Axes, a_axes, GT_ALL_AXES, "axes of a that are summed over")                           \
    F(S, gt_Axes, b_axes, GT_ALL_AXES, "and those of b that go with them, in the same order")
GT_OPTIONS(gt_tensordot_options, gt_tensordot_OPTIONS);
/* gt_tensordot(a, b), gt_tensordot(a, b, .count = 1), gt_tensordot(a, b, .a_axes = gt_axes(0),
 * .b_axes = gt_axes(1)): the sum of products over pairs of axes; the result has the other axes of a, then those of b. */
#define gt_tensordot(...)                                                                          \
    gt_tensordot_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                        \
                    GT_KEYWORDS(gt_tensordot, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_tensordot_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                                  const gt_tensordot_options *options);

#define gt_batch_dot_OPTIONS(F, S)                                                                 \
    F(S, gt_Axes, axes, GT_ALL_AXES, "of a and of b, or one number for both; all: see above")      \
    F(S, bool, normalize, false, "both have length 1 along them first: cosines")
GT_OPTIONS(gt_batch_dot_options, gt_batch_dot_OPTIONS);
/* gt_batch_dot(a, b, .axes = gt_axes(2, 1)): row by row of a batch the sum of products over one axis of
 * each, which may be negative and is not the first; by default the last of a and the last but one of b,
 * or the last, if b is (batch, n). (batch, ..., n) and (batch, n, ...) -> (batch, the other axes of a,
 * those of b), at least two. */
#define gt_batch_dot(...)                                                                          \
    gt_batch_dot_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                        \
                    GT_KEYWORDS(gt_batch_dot, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_batch_dot_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                                  const gt_batch_dot_options *options);
GT_API gt_Tensor *(gt_batch_dot)(gt_Tensor *a, gt_Tensor *b);

/* The sum of products over the last axis of a and the last but one of b (the only one, if b is a
 * vector); with a scalar, the product. b may be a C number. */
GT_DECLARE_BINARY(dot);
#define gt_dot(a, b) gt_dot_at(GT_HERE, a, gt_operand(b))
/* The sum of products over the last axes of both. */
GT_DECLARE_BINARY(inner);
#define gt_inner(a, b) gt_inner_at(GT_HERE, a, gt_operand(b))
/* a[i] b[j] of both flattened. */
GT_DECLARE_BINARY(outer);
#define gt_outer(a, b) gt_outer_at(GT_HERE, a, gt_operand(b))
/* The sum of products of both flattened. */
GT_DECLARE_BINARY(vdot);
#define gt_vdot(a, b) gt_vdot_at(GT_HERE, a, gt_operand(b))
GT_END

#endif
