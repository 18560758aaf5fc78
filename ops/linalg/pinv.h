/* The pseudo-inverse. Matrices are in the last two axes; the axes before them are a batch. float32 and float64. The
 * factors come from LAPACK in OpenBLAS, which is looked for at run time; without it the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_PINV_H
#define GT_OPS_PINV_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* The Moore-Penrose inverse; singular values below max(m, n) eps times the largest count as 0. The
 * gradient is that at constant rank; of a matrix that lacks rank a second derivative is an error,
 * as is an element that is not finite. */
GT_DECLARE_UNARY(pinv);
#define gt_pinv(x) gt_pinv_at(GT_HERE, x)

GT_END

#endif
