/* A matrix product of any length by the loops of a table: what a tile of gt_matmul or of a convolution calls. Leans on
 * kernels.h. */
#ifndef GT_KERNELS_PRODUCT_H
#define GT_KERNELS_PRODUCT_H

#include "kernels/kernels.h"

/* C = op(A) op(B), row-major, as gt_GemmLoop says. Operands may have 16 bits a number (half_a,
 * half_b: gt_HalfTypes, else -1), but not beside float64. */
typedef struct gt_Gemm {
    bool transpose_a, transpose_b;
    int64_t m, n, k;
    const void *a, *b;
    int64_t lda, ldb, ldc;
    int half_a, half_b;
    void *c;
    const void
        *packed; /* B as gemm_pack lays it out, whole; b does not count then. NULL: it is not */
    const void *bias; /* of a packed B: what gemm_packed says */
    bool alone; /* all of a product of one row by one column: a sum of doubles from the start */
} gt_Gemm;

/* Bytes of scratch for products up to m x n x k; `widens`: an operand has 16 bits a number. */
size_t gt_gemm_scratch(const gt_KernelTable *kernels, gt_LoopType type, bool widens, int64_t m,
                       int64_t n, int64_t k);

/* Bytes of a B that is laid out ahead of a product; 0: that is not possible. */
size_t gt_gemm_packed_bytes(const gt_KernelTable *kernels, gt_LoopType type, int64_t n, int64_t k);

/* The bits of a number of C depend on its row of A and its column of B alone, however C is cut. Of
 * float32, sums over a long k are added up in double: the error stops growing with k. */
void gt_gemm(const gt_KernelTable *kernels, gt_LoopType type, const gt_Gemm *p, void *scratch);

/* sum[i] += x[i] */
void gt_add_in_double(const gt_KernelTable *kernels, int64_t n, const float *x, double *sum);

#endif
