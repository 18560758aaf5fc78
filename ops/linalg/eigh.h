/* Eigenvalues and -vectors of symmetric matrices. Matrices are in the last two axes; the axes before them are a
 * batch. float32 and float64. The factors come from LAPACK in OpenBLAS, which is looked for at run time; without it
 * the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_EIGH_H
#define GT_OPS_EIGH_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* The symmetric A = (x + x') / 2 = V diag(w) V': values (..., n) ascending, vectors (..., n, n) in
 * columns. The gradient through the vectors needs values that differ, as gt_svd's does, or is an
 * error; that through the values alone exists everywhere, with gt_svd's words on equal ones and on
 * second derivatives. An element that is not finite is an error. */
typedef struct gt_Eigh {
    gt_Tensor *values, *vectors;
} gt_Eigh;
#define gt_eigh(x) gt_eigh_at(GT_HERE, x)
GT_API gt_Eigh gt_eigh_at(const char *here, gt_Tensor *x);

GT_END

#endif
