/* Determinants. Matrices are in the last two axes; the axes before them are a batch. float32 and float64. The factors
 * come from LAPACK in OpenBLAS, which is looked for at run time; without it the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_DETERMINANT_H
#define GT_OPS_DETERMINANT_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* The determinant. Its gradient is the matrix of cofactors, which exists for singular matrices,
 * too, of any rank, as does the second derivative; from the third on a singular matrix is an error. */
GT_DECLARE_UNARY(det);
#define gt_det(x) gt_det_at(GT_HERE, x)
/* Its sign and the logarithm of its absolute value: 0 and -inf for a singular matrix, for which the
 * gradient, the transposed inverse, is an error. The sign has none. Both NULL on failure. */
typedef struct gt_Slogdet {
    gt_Tensor *sign, *logabsdet;
} gt_Slogdet;
#define gt_slogdet(x) gt_slogdet_at(GT_HERE, x)
GT_API gt_Slogdet gt_slogdet_at(const char *here, gt_Tensor *x);
/* The logarithm of the determinant of a symmetric positive definite matrix. */
GT_DECLARE_UNARY(logdet);
#define gt_logdet(x) gt_logdet_at(GT_HERE, x)

GT_END

#endif
