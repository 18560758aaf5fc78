/* Least squares. Matrices are in the last two axes; the axes before them are a batch. float32 and float64. The
 * factors come from LAPACK in OpenBLAS, which is looked for at run time; without it the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_LSTSQ_H
#define GT_OPS_LSTSQ_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* X that makes |A X - B| smallest, of several the one with the smallest |X|. A is of full rank, or
 * that is an error; gt_matmul(gt_pinv(a), b) accepts others. */
#define gt_lstsq(a, b) gt_lstsq_at(GT_HERE, a, b)
GT_API gt_Tensor *gt_lstsq_at(const char *here, gt_Tensor *a, gt_Tensor *b);

GT_END

#endif
