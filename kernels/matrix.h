/* Jobs of the kernels on matrices: matrix.c. Leans on launch.h. */
#ifndef GT_KERNELS_MATRIX_H
#define GT_KERNELS_MATRIX_H

#include "launch.h"

/* triangular: X with A X = B, or A' X = B, by substitution; at {a (batch, n, n), b (batch, n, k), x (batch, n, k)}.
 * One triangle of a is read. A tile is `group` matrices. */
typedef struct gt_TriangularJob {
    uint8_t type;             /* GT_LOOP_F32 or GT_LOOP_F64 */
    uint8_t lower, transpose; /* A is a lower triangle; solve with A' */
    int64_t batch, n, k, group;
} gt_TriangularJob;

/* product: C = op(A) op(B) for each matrix of a batch; at {a, b, c (batches, m, n)}. `dims` and the strides say which
 * matrix of a and of b belongs to each: axes of the batch, strides in matrices, 0 where an operand is repeated. C is cut
 * into `strips` of `strip` rows (by_rows) or columns; tile t is strip t % strips of product t / strips.
 *
 *     (4, 1, 200, 30) x (5, 30, 7): m 200, n 7, k 30, batches 20, dims {4, 5}, stride_a {1, 0}, stride_b {0, 1} */
typedef struct gt_ProductJob {
    uint8_t type;          /* GT_LOOP_F32 or GT_LOOP_F64: of C */
    int8_t half_a, half_b; /* gt_HalfTypes; -1: as C */
    uint8_t transpose_a, transpose_b, by_rows;
    int16_t rank; /* of the batch */
    int64_t m, n, k;
    int64_t strip, strips;
    int64_t dims[GT_JOB_RANK], stride_a[GT_JOB_RANK], stride_b[GT_JOB_RANK];
} gt_ProductJob;

#endif
