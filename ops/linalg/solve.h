/* Linear equations, the inverse, powers of matrices. Matrices are in the last two axes; the axes before them are a
 * batch. float32 and float64. The factors come from LAPACK in OpenBLAS, which is looked for at run time; without it
 * the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_SOLVE_H
#define GT_OPS_SOLVE_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* X with A X = B: a (..., n, n), b (..., n, k) or, one axis less than a, vectors (..., n). A
 * singular matrix is an error. Batches broadcast. */
#define gt_solve(a, b) gt_solve_at(GT_HERE, a, b)
GT_API gt_Tensor *gt_solve_at(const char *here, gt_Tensor *a, gt_Tensor *b);

/* The inverse; a singular matrix is an error. */
GT_DECLARE_UNARY(inv);
#define gt_inv(x) gt_inv_at(GT_HERE, x)
/* The matrix to a whole power; 0 gives the identity, negative ones invert it first. */
#define gt_matrix_power(x, power) gt_matrix_power_at(GT_HERE, x, power)
GT_API gt_Tensor *gt_matrix_power_at(const char *here, gt_Tensor *x, int64_t power);

GT_END

#endif
