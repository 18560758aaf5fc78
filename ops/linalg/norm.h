/* Norms of vectors and matrices, distances of rows. */
#ifndef GT_OPS_NORM_H
#define GT_OPS_NORM_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_norm_OPTIONS(F, S)                                                                      \
    F(S, double, ord, 2, "p; also 0 (how many are not 0), INFINITY, -INFINITY")                    \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes, whose numbers are taken as one vector")        \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")
GT_OPTIONS(gt_norm_options, gt_norm_OPTIONS);
/* The p-norm of vectors, (sum |x|^p)^(1 / p); over two axes with p = 2 the Frobenius norm. Powers
 * may be beyond the type where the norm is not. Its gradient is NaN where the norm is 0, as that of
 * any root there. */
#define gt_norm(...)                                                                               \
    gt_norm_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_norm, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_norm_at(const char *here, gt_Tensor *x, const gt_norm_options *options);
GT_API gt_Tensor *(gt_norm)(gt_Tensor *x);

/* Which norm of a matrix. */
typedef enum gt_MatrixNorm {
    GT_MATRIX_NORM_FROBENIUS = 0, /* root of the sum of squares */
    GT_MATRIX_NORM_NUCLEAR = 1,   /* sum of the singular values */
    GT_MATRIX_NORM_SPECTRAL = 2,  /* the largest singular value */
    GT_MATRIX_NORM_ONE = 3,       /* the largest sum of a column */
    GT_MATRIX_NORM_INFINITY = 4   /* the largest sum of a row */
} gt_MatrixNorm;
/* A norm of each matrix. */
#define gt_matrix_norm(x, norm) gt_matrix_norm_at(GT_HERE, x, norm)
GT_API gt_Tensor *gt_matrix_norm_at(const char *here, gt_Tensor *x, gt_MatrixNorm norm);

/* The Euclidean distances of the rows of x (..., n, d) from those of y (..., m, d): (..., n, m).
 * The gradient is NaN where one is 0. */
#define gt_cdist(x, y) gt_cdist_at(GT_HERE, x, y)
GT_API gt_Tensor *gt_cdist_at(const char *here, gt_Tensor *x, gt_Tensor *y);

GT_END

#endif
