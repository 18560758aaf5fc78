/* Jobs of the kernels on matrices and vectors: matrix.c, once/cross.c. Leans on launch.h. */
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

/* The check `holds`: is at[input], of one bool a tile, true everywhere? */
typedef struct gt_HoldsCheck {
    int32_t input;
} gt_HoldsCheck;

/* product: C = op(A) op(B) for each matrix of a batch; C is (batches, m, n) in memory. It is cut into `strips` of `strip` rows
 * (by_rows) or columns; tile t is strip t % strips of product t / strips. Products of one strip
 * may be so small that a tile is `group` of them. Where many strips need all of B, and there is one product, product_pack lays it
 * out ahead (gemm_pack), in tiles of gemm_n columns; such a product may have a bias of n elements. So may one that is `small`, a
 * single tile whose operands stay in the first cache, and relu of the sum. */
typedef struct gt_ProductJob {
    uint8_t type;          /* GT_LOOP_F32 or GT_LOOP_F64: of C */
    int8_t half_a, half_b; /* gt_HalfTypes; -1: as C */
    uint8_t a, b, c;       /* where they are in `at` */
    int8_t packed, bias;   /* and B as it was laid out, the bias; -1: there is none */
    uint8_t transpose_a, transpose_b, by_rows;
    uint8_t small, relu;
    int64_t m, n, k;
    int64_t strip, strips, batches, group;
    gt_BatchWalk walk;
} gt_ProductJob;

/* cross: the vector product, at {a, b, c}. `walk` has the axes but that of the vectors, with strides of a, b and c in
 * elements; along[i] steps from one element of a vector of these to the next. */
typedef struct gt_CrossJob {
    uint8_t type; /* a gt_LoopType of numbers */
    int64_t along[3];
    gt_Broadcast walk;
} gt_CrossJob;

#endif
