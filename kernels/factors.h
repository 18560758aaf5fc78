/* Loops around LAPACK: what is done to a matrix before and after a factorization. Plain functions, compiled once: LAPACK
 * takes the time. `type` is GT_LOOP_F32 or GT_LOOP_F64; numbers are computed in double and rounded once. Leans on
 * kernels.h. */
#ifndef GT_KERNELS_FACTORS_H
#define GT_KERNELS_FACTORS_H

#include "kernels/kernels.h"

bool gt_all_finite(gt_LoopType type, int64_t n, const void *x);
/* y = (x + x') / 2, both (n, n). */
void gt_symmetric_part(gt_LoopType type, int64_t n, const void *x, void *y);
/* y (n, n) = the upper triangle of a, whose columns are `ld` long and lie together; 0 below. */
void gt_upper_triangle(gt_LoopType type, int64_t n, const void *a, int64_t ld, void *y);
/* Elements above the diagonal of x (n, n) become 0. */
void gt_clear_above(gt_LoopType type, int64_t n, void *x);

/* The sign of the product of x's diagonal (n, n), 0 if one is 0, and the sum of the logarithms of the sizes. */
double gt_diagonal_logarithm(gt_LoopType type, int64_t n, const void *x, double *sign);
/* The product of x's diagonal (n, n) and `start`; its exponent is kept apart, so that no step overflows. */
double gt_diagonal_product(gt_LoopType type, int64_t n, const void *x, double start);

/* y (columns, rows) = sum over l of vh[l, i] u[j, l] / s[l], in ascending l, for all s[l] > least; u (rows, k), s (k)
 * descending, vh (k, columns). */
void gt_inverse_of_factors(gt_LoopType type, int64_t rows, int64_t columns, int64_t k,
                           const void *u, const void *s, const void *vh, double least, void *y);

/* before[i] = start s[0] ... s[i - 1]; after[i] = s[i + 1] ... s[n - 1]. */
void gt_products_around(gt_LoopType type, int64_t n, const void *s, double start, double *before,
                        double *after);
/* x[i, j] *= before[j] after[j], x (n, n). */
void gt_scale_columns_around(gt_LoopType type, int64_t n, void *x, const double *before,
                             const double *after);
/* The derivative of the cofactors of diag(s) in the direction h, y and h (n, n): with q the product of all s but s[i] and
 * s[j], y[i, i] is the sum over j of q h[j, j], and y[i, j] = -q h[j, i]. */
void gt_cofactors_of_diagonal(gt_LoopType type, int64_t n, const void *s, const double *before,
                              const double *after, const void *h, void *y);

#endif
