/* What Maximum and Minimum share. */
#include "layers/merging/extreme.h"
#include "ops/math/compare.h"

gt_Tensor *gt_merge_extreme(const gt_CallArgs *in,
                            gt_Tensor *(*combine)(gt_Tensor *a, gt_Tensor *b))
{
    gt_Merged merged;
    if (gt_merge(in, &merged) != GT_OK)
        return NULL;
    gt_Tensor *y = merged.x[0], *there = merged.mask[0];
    for (int32_t i = 1; i < merged.count; i++) {
        gt_Tensor *x = merged.x[i], *mask = merged.mask[i];
        if (mask)
            x = gt_where(mask, x, y);
        if (there)
            y = gt_where(there, y, x);
        there = there && mask ? gt_logical_or(there, mask) : NULL;
        y = combine(y, x);
    }
    return y;
}
