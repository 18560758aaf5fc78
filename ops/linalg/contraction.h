/* Products that sum over axes: einsum and its special cases, made of gt_matmul and of changes of
 * shape. Diagonals, too. */
#ifndef GT_OPS_CONTRACTION_H
#define GT_OPS_CONTRACTION_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* gt_einsum("bij,bjk->bik", gt_tensors(a, b)): each operand's axes have letters; letters that are
 * not in the result are summed over, a letter that an operand has twice takes its diagonal, "..."
 * stands for axes that broadcast. Without "->" the result has the letters that occur once, in
 * alphabetical order. Operands are contracted from left to right. Floats only. */
#define gt_einsum(subscripts, ...) gt_einsum_at(GT_HERE, subscripts, __VA_ARGS__)
GT_API gt_Tensor *gt_einsum_at(const char *here, const char *subscripts, gt_Tensors tensors);

#define gt_tensordot_OPTIONS(F, S)                                                                 \
    F(S, int32_t, count, 2, "the last `count` axes of a with the first of b, if none are named")   \
    F(S, gt_Axes, a_axes, GT_ALL_AXES, "axes of a that are summed over")                           \
    F(S, gt_Axes, b_axes, GT_ALL_AXES, "and those of b that go with them, in the same order")
GT_OPTIONS(gt_tensordot_options, gt_tensordot_OPTIONS);
/* gt_tensordot(a, b), gt_tensordot(a, b, .count = 1), gt_tensordot(a, b, .a_axes = gt_axes(0),
 * .b_axes = gt_axes(1)): the sum of products over pairs of axes; what is left of a, then of b. */
#define gt_tensordot(...)                                                                          \
    gt_tensordot_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                        \
                    GT_KEYWORDS(gt_tensordot, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_tensordot_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                                  const gt_tensordot_options *options);

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
/* Every element of a times the whole of b, in place; the shorter shape gets leading ones. */
GT_DECLARE_BINARY(kron);
#define gt_kron(a, b) gt_kron_at(GT_HERE, a, gt_operand(b))

#define gt_cross_OPTIONS(F, S)                                                                     \
    F(S, int32_t, axis, -1, "the axis of the vectors, in a, b and the result")
GT_OPTIONS(gt_cross_options, gt_cross_OPTIONS);
/* The vector product of vectors of 3. */
#define gt_cross(...)                                                                              \
    gt_cross_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                            \
                GT_KEYWORDS(gt_cross, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_cross_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                              const gt_cross_options *options);

#define gt_diagonal_OPTIONS(F, S)                                                                  \
    F(S, int64_t, offset, 0, "which diagonal: 0 the main one, above it positive")                  \
    F(S, int32_t, axis1, 0, "the axis of the rows")                                                \
    F(S, int32_t, axis2, 1, "the axis of the columns")
GT_OPTIONS(gt_diagonal_options, gt_diagonal_OPTIONS);
typedef gt_diagonal_options gt_trace_options;
#define GT_DIAGONAL_(function, ...)                                                                \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_diagonal, GT_AFTER_1(__VA_ARGS__)))
/* The diagonal of the matrices in two axes, which become the last axis; and its sum. */
#define gt_diagonal(...) GT_DIAGONAL_(gt_diagonal_at, __VA_ARGS__)
GT_API gt_Tensor *gt_diagonal_at(const char *here, gt_Tensor *x,
                                 const gt_diagonal_options *options);
GT_API gt_Tensor *(gt_diagonal)(gt_Tensor *x);
#define gt_trace(...) GT_DIAGONAL_(gt_trace_at, __VA_ARGS__)
GT_API gt_Tensor *gt_trace_at(const char *here, gt_Tensor *x, const gt_diagonal_options *options);
GT_API gt_Tensor *(gt_trace)(gt_Tensor *x);

#define gt_diag_OPTIONS(F, S)                                                                      \
    F(S, int64_t, k, 0, "which diagonal: 0 the main one, above it positive")
GT_OPTIONS(gt_diag_options, gt_diag_OPTIONS);
typedef gt_diag_options gt_diagflat_options;
#define GT_DIAG_(function, ...)                                                                    \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_diag, GT_AFTER_1(__VA_ARGS__)))
/* Of a vector the square matrix with it on a diagonal, of a matrix the diagonal. */
#define gt_diag(...) GT_DIAG_(gt_diag_at, __VA_ARGS__)
GT_API gt_Tensor *gt_diag_at(const char *here, gt_Tensor *x, const gt_diag_options *options);
GT_API gt_Tensor *(gt_diag)(gt_Tensor *x);
/* The square matrix with x, flattened, on a diagonal. */
#define gt_diagflat(...) GT_DIAG_(gt_diagflat_at, __VA_ARGS__)
GT_API gt_Tensor *gt_diagflat_at(const char *here, gt_Tensor *x, const gt_diag_options *options);
GT_API gt_Tensor *(gt_diagflat)(gt_Tensor *x);

GT_END

#endif
