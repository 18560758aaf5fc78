/* Products of matrices as launches: what gt_matmul and contractions share. Private to the library. Leans on
 * kernels/product.h.
 *
 * Work is cut by size alone, into strips. The bits are the same however C is cut, since an element depends on its row of A
 * and its column of B alone. */
#ifndef GT_OPS_PRODUCT_H
#define GT_OPS_PRODUCT_H

#include "core/launch.h"
#include "ops/kit.h"

/* The types of a, b and c, which are at[0], at[1] and at[2]. */
void gt_product_types(gt_ProductJob *job, const gt_Spec *a, const gt_Spec *b, const gt_Spec *c);
/* Adds the launch, `given` with its strips worked out; ahead of it, where it pays, that which lays out B. */
void gt_lower_product(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_ProductJob *given,
                      int64_t batches);
/* Adds the launch that lays out B of a product, of which `product` says n, k, transpose_b and where B is, and memory for it.
 * Returns its job, which says where that is. gt_gemm_packed_bytes must not be 0. */
gt_ProductJob *gt_lower_pack(const gt_ShapeRule *rule, gt_Lowering *lowering,
                             const gt_ProductJob *product);

#endif
