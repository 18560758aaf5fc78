/* The Cholesky factor. Matrices are in the last two axes; the axes before them are a batch. float32 and float64. The
 * factors come from LAPACK in OpenBLAS, which is looked for at run time; without it the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_CHOLESKY_H
#define GT_OPS_CHOLESKY_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_cholesky_OPTIONS(F, S) F(S, bool, upper, false, "the upper triangle L' instead of L")
GT_OPTIONS(gt_cholesky_options, gt_cholesky_OPTIONS);
/* The lower triangular L with L L' = A for the symmetric positive definite A = (x + x') / 2; not
 * positive definite is an error. */
#define gt_cholesky(...)                                                                           \
    gt_cholesky_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_cholesky, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_cholesky_at(const char *here, gt_Tensor *x,
                                 const gt_cholesky_options *options);
GT_API gt_Tensor *(gt_cholesky)(gt_Tensor *x);

GT_END

#endif
