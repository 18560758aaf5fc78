/* Products of matrices as launches of the own kernels, or by OpenBLAS: what gt_matmul and contractions share. Private to
 * the library. Leans on kernels/product.h and core/blas.h.
 *
 *     int64_t batches = ...;                          which products: sizes and types of a gt_ProductJob
 *     if (gt_product_by_blas(&job, ...)) gt_lower_to_run(lowering);
 *     else gt_lower_product(lowering, &job, batches);
 *
 * Work is cut by size alone. The own kernels give the same bits however C is cut, since an element depends on its row of A
 * and its column of B alone; OpenBLAS does not, so its tile is fixed. Which of the two depends on the sizes, and on whether
 * OpenBLAS was found. */
#ifndef GT_OPS_PRODUCT_H
#define GT_OPS_PRODUCT_H

#include "core/launch.h"
#include "ops/kit.h"

/* The types of a, b and c, which are at[0], at[1] and at[2]. */
void gt_product_types(gt_ProductJob *job, const gt_Spec *a, const gt_Spec *b, const gt_Spec *c);
/* Is a product of these sizes OpenBLAS's? To be asked about the whole, not about pieces. */
bool gt_product_by_blas(const gt_ProductJob *job);
/* Adds the launch: `given` with its strips worked out. */
void gt_lower_product(gt_Lowering *lowering, const gt_ProductJob *given, int64_t batches);
/* All products by OpenBLAS, with the scratch memory of gt_product_scratch. */
gt_Status gt_product_run(const gt_Kernel *kernel, gt_ProductJob *job, int64_t batches);
/* Bytes of scratch of gt_product_run for n columns and sums of k; 0 where that cannot be OpenBLAS's. */
size_t gt_product_scratch(const gt_Spec *a, const gt_Spec *b, const gt_Spec *c, int64_t n,
                          int64_t k);

#endif
