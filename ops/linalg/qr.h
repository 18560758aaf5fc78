/* QR factors. Matrices are in the last two axes; the axes before them are a batch. float32 and float64. The factors
 * come from LAPACK in OpenBLAS, which is looked for at run time; without it the error is GT_UNSUPPORTED. */
#ifndef GT_OPS_QR_H
#define GT_OPS_QR_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* How much of Q and R gt_qr gives: of x (m, n), with k = min(m, n), (m, k) and (k, n), or the complete (m, m) and (m, n). */
typedef enum gt_QrMode { GT_QR_MODE_REDUCED = 0, GT_QR_MODE_COMPLETE = 1 } gt_QrMode;

#define gt_qr_OPTIONS(F, S)                                                                        \
    F(S, gt_QrMode, mode, GT_QR_MODE_REDUCED, "GT_QR_MODE_COMPLETE: q is square")
GT_OPTIONS(gt_qr_options, gt_qr_OPTIONS);
/* x (..., m, n) = Q R, k = min(m, n): q (..., m, k) with orthonormal columns, r (..., k, n) upper
 * triangular; complete, q (..., m, m) and r (..., m, n) with zeros below. The gradient needs
 * linearly independent columns (of the first k); where one depends on those before it, exactly or
 * by rounding, the gradient is an error. Two or more columns that only complete q may be any basis
 * of what is left over, so that a gradient through such a q is an error, too; that of r is not. */
typedef struct gt_Qr {
    gt_Tensor *q, *r;
} gt_Qr;
#define gt_qr(...)                                                                                 \
    gt_qr_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_qr, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Qr gt_qr_at(const char *here, gt_Tensor *x, const gt_qr_options *options);

GT_END

#endif
