/* Dot-product attention for one head at a time, by products and row loops of this build: once/attention.c. Leans on loops.h and
 * attend.h. The order of the sums of every product is gt_gemm's, in which an element depends on its row alone. */
#include "loops.h"
#include "attend.h"

/* Query by query: s = (scale q) k' as gt_gemm, over the keys that it may look at, or where there is a mask over all, those that
 * are left out at 0.7 of the lowest number; p = softmax(s), the order of softmax_template.h; o = p v as gt_gemm, over the keys
 * up to the last of its tile, p being 0 behind its own. */
void GT_KERNEL(tiles_attention)(const void *job, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    gt_attend_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* Query by query p as in attention; d = do v' as gt_gemm; with t the sum of p d as GT_LOOP_SUM adds, in double and rounded once,
 * ds = p (d - t), 0 where the mask is false. dq = (ds k) scale. Key by key, over the queries of a block: dk = ds' (scale q),
 * dv = p' do; blocks are added up in order, heads that share the key within them. */
void GT_KERNEL(tiles_attention_gradient)(const void *job, void *const *at, int64_t first,
                                         int64_t last, void *scratch)
{
    gt_attend_back_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}
