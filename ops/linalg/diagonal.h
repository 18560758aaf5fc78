/* Diagonals of matrices, the sum of one, matrices with a given one. */
#ifndef GT_OPS_DIAGONAL_H
#define GT_OPS_DIAGONAL_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

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
