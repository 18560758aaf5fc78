/* Conditions on the numbers that gradients of linear algebra need. Private to the library. */
#ifndef GT_OPS_REQUIRE_H
#define GT_OPS_REQUIRE_H

#include "ops/kit.h"

/* Conditions by name; require.c has the words of the messages. */
typedef enum gt_Requirement {
    GT_REQUIREMENT_EIGENVALUES_DIFFER,
    GT_REQUIREMENT_SINGULAR_VALUES_DIFFER,
    GT_REQUIREMENT_SINGULAR_VALUES_NOT_ZERO,
    GT_REQUIREMENT_QR_FULL_RANK,
    GT_REQUIREMENT_LSTSQ_FULL_RANK,
    GT_REQUIREMENT_PINV_FULL_RANK,
    GT_REQUIREMENT_COUNT
} gt_Requirement;

/* x, if `holds` (bool, one a matrix) is true everywhere; else an error that says what must hold. */
gt_Tensor *gt_require(gt_Tensor *x, gt_Tensor *holds, gt_Requirement requirement);
/* x in any case; it is a gradient through x that needs `holds`. */
gt_Tensor *gt_require_later(gt_Tensor *x, gt_Tensor *holds, gt_Requirement requirement);

/* ---- the conditions themselves ---- */

/* The triangle r of QR factors, if the columns of the matrix (of `rows` rows) are linearly independent: no element on
 * the diagonal is 0, or may be by rounding, beside its column. qr.c */
gt_Tensor *gt_qr_regular(gt_Tensor *r, int64_t rows, gt_Requirement requirement);
/* 1 / (s[j] - s[i]) (..., k, k), and 0 on the diagonal, for gradients of vectors of these sizes (..., 1, k), if the
 * values s differ by more than `rounding` of the largest where a gradient needs it. Vectors of equal values may be any
 * basis of what they span. svd.c */
gt_Tensor *gt_inverse_gaps(gt_Tensor *s, gt_Tensor *sizes, double rounding,
                           gt_Requirement requirement);
/* The orthonormal columns of q and those that complete them to a basis: square. qr.c */
gt_Tensor *gt_basis_completed(gt_Tensor *q);

#endif
