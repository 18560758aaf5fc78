/* OpenBLAS's two products, to measure beside ours. Leans on core/blas.h, which loads the library. */
#ifndef GT_BENCH_BLAS_H
#define GT_BENCH_BLAS_H

#include "core/blas.h"

/* CBLAS's enumerations: CblasRowMajor; CblasNoTrans and CblasTrans. */
enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TRANSPOSED = 112 };

/* cblas_sgemm and cblas_dgemm of a library with 32-bit integers. */
typedef void BlasGemmF32(int order, int transpose_a, int transpose_b, int m, int n, int k,
                         float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                         float *c, int ldc);
typedef void BlasGemmF64(int order, int transpose_a, int transpose_b, int m, int n, int k,
                         double alpha, const double *a, int lda, const double *b, int ldb,
                         double beta, double *c, int ldc);

/* NULL without the library. */
static inline BlasGemmF32 *blas_gemm_f32(const gt_Blas *blas)
{
    return (BlasGemmF32 *)gt_blas_function(blas, "cblas_sgemm");
}

static inline BlasGemmF64 *blas_gemm_f64(const gt_Blas *blas)
{
    return (BlasGemmF64 *)gt_blas_function(blas, "cblas_dgemm");
}

#endif
