/* Matrices in the last two axes of tensors: their sizes, the check that shape rules begin with, and pieces of
 * compositions and gradient rules that several files of this folder share. Private to the library. Leans on kit.h. */
#ifndef GT_OPS_MATRIX_H
#define GT_OPS_MATRIX_H

#include "ops/kit.h"

/* ---- sizes: for shape rules and kernels ---- */

/* A tensor (..., rows, columns) as `batch` matrices; its rank is at least 2. */
typedef struct gt_Matrices {
    int64_t batch, rows, columns;
} gt_Matrices;
gt_Matrices gt_matrices(const gt_Spec *spec);
/* Axis d of `rank` axes, of which the operand has the last ones; 1 before them. */
int64_t gt_axis_of(const gt_Spec *operand, int rank, int d);
/* The axes before the last two of a and b broadcast to those of `out`, whose rank is set too. False, without an
 * error, if they do not. */
bool gt_matrix_broadcast(const gt_Spec *a, const gt_Spec *b, gt_Spec *out);
/* How a and b step through the batch of `out`, which is their broadcast. */
void gt_matrix_walk(gt_BatchWalk *walk, const gt_Spec *a, const gt_Spec *b, const gt_Spec *out);
/* The mask rule of operations on each matrix: masks of the batch stay, others are refused. */
gt_Status gt_matrix_mask(gt_MaskRule *rule);
/* Raises an error unless the spec is of float matrices (square ones) that LAPACK can count. */
gt_Status gt_matrix_check(const gt_Spec *spec, bool square);

/* ---- for compositions and gradient rules ---- */

/* x with its axes in that order; x itself where it is their own. */
gt_Tensor *gt_permuted(gt_Tensor *x, const gt_Axes *perm);
gt_Tensor *gt_matrix_transposed(gt_Tensor *x);
/* (x + x') / 2 */
gt_Tensor *gt_matrix_symmetrized(gt_Tensor *x);
/* The diagonal matrix (..., n, n) of each vector s (..., n). */
gt_Tensor *gt_on_diagonal(gt_Tensor *s);
/* The identity (n, n) for x (..., n, n), of its dtype; NULL with an error raised unless x is square. */
gt_Tensor *gt_matrix_identity(gt_Tensor *x);
/* The gradient that arrived at an output, or zeros of its shape. */
gt_Tensor *gt_upstream_or_zero(gt_GradientRule *rule, int output);

/* A bound, relative to the largest element, on what rounding makes of a 0 in factors of a matrix of that size. */
double gt_matrix_rounding(gt_DType dtype, int64_t rows, int64_t columns);
/* The largest |x| along an axis, which stays with size 1; 0 for an empty one. */
gt_Tensor *gt_largest_along(gt_Tensor *x, int32_t axis);
/* Whether gradients of that size may be divided by `divisor`, element by element: false where it is 0, and where it
 * is at most `least`, the error that rounding made, unless the gradient there is 0, too. */
gt_Tensor *gt_matrix_divides(gt_Tensor *divisor, gt_Tensor *least, gt_Tensor *size);

/* ---- samples ---- */

/* A matrix with diagonal elements around 2, 4, 6, ...: its spectrum is well separated and, of the symmetric part,
 * positive. */
#define GT_MATRIX(...)                                                                             \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = -1, .high = 1,          \
        .diagonal = 2                                                                              \
    }

#endif
