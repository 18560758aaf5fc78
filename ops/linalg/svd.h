/* Singular values and vectors. Matrices are in the last two axes; the axes before them are a batch. float32 and
 * float64. The factors come from LAPACK in OpenBLAS, which is looked for at run time; without it the error is
 * GT_UNSUPPORTED. */
#ifndef GT_OPS_SVD_H
#define GT_OPS_SVD_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_svd_OPTIONS(F, S) F(S, bool, full_matrices, false, "u and vh are square")
GT_OPTIONS(gt_svd_options, gt_svd_OPTIONS);
/* x (..., m, n) = U diag(s) V', k = min(m, n): u (..., m, k), s (..., k) descending, vh (..., k,
 * n); full (Keras's default, which is not differentiable there), u (..., m, m) and vh (..., n, n).
 * The gradient through the vectors needs singular values that differ and, where m and n differ, are
 * not 0. Where two are equal, or one is 0, exactly or by rounding, it is an error, unless the
 * vectors of those are not read and the values not exactly equal. Through the values alone there is
 * a gradient everywhere, at equal ones right for functions that treat them alike, else one of the
 * subgradients; its own derivative needs what the vectors need. Through a full u or vh with two or
 * more rows or columns that have no singular value it is an error. So is an element that is not
 * finite. */
typedef struct gt_Svd {
    gt_Tensor *u, *s, *vh;
} gt_Svd;
#define gt_svd(...)                                                                                \
    gt_svd_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_svd, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Svd gt_svd_at(const char *here, gt_Tensor *x, const gt_svd_options *options);

GT_END

#endif
