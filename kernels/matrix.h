/* Jobs of the kernels on matrices: matrix.c. Leans on launch.h. */
#ifndef GT_KERNELS_MATRIX_H
#define GT_KERNELS_MATRIX_H

#include "launch.h"

/* Which matrix of two operands belongs to each of a batch that they broadcast to: axes of the batch, and the strides of
 * each operand in matrices, 0 where it is repeated.
 *
 *     (4, 1, n, n) with (5, n, k): rank 2, dims {4, 5}, stride {{1, 0}, {0, 1}} */
typedef struct gt_BatchWalk {
    int64_t rank;
    int64_t dims[GT_JOB_RANK], stride[2][GT_JOB_RANK];
} gt_BatchWalk;
/* The matrix of an operand that number `batch` takes: once/product.c */
int64_t gt_batch_matrix(const gt_BatchWalk *walk, int operand, int64_t batch);

/* triangular: X with A X = B, or A' X = B, by substitution; at {a (..., n, n), b (..., n, k), x (batch, n, k)}.
 * One triangle of a is read. A tile is `group` matrices. */
typedef struct gt_TriangularJob {
    uint8_t type;             /* GT_LOOP_F32 or GT_LOOP_F64 */
    uint8_t lower, transpose; /* A is a lower triangle; solve with A' */
    int64_t batch, n, k, group;
    gt_BatchWalk walk;
} gt_TriangularJob;

/* product: C = op(A) op(B) for each matrix of a batch; C is (batches, m, n) in memory. It is cut into `strips` of `strip` rows
 * (by_rows) or columns; tile t is strip t % strips of product t / strips. */
typedef struct gt_ProductJob {
    uint8_t type;          /* GT_LOOP_F32 or GT_LOOP_F64: of C */
    int8_t half_a, half_b; /* gt_HalfTypes; -1: as C */
    uint8_t a, b, c;       /* where they are in `at` */
    uint8_t transpose_a, transpose_b, by_rows;
    int64_t m, n, k;
    int64_t strip, strips;
    gt_BatchWalk walk;
} gt_ProductJob;

#endif
