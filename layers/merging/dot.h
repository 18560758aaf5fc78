/* Dot: products of two inputs, summed over an axis of each. */
#ifndef GT_LAYERS_MERGING_DOT_H
#define GT_LAYERS_MERGING_DOT_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Dot_OPTIONS(F, S)                                                                       \
    F(S, gt_Axes, axes, GT_NO_SIZES, "one axis of both, or one of each; required")                 \
    F(S, bool, normalize, false, "rows along the axes have length 1 first: cosines")               \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Dot_options, gt_Dot_OPTIONS);
/* gt_call(gt_Dot(gt_axes(2, 1)), a, .more = gt_tensors(b)), gt_Dot(-1): for each row of the batch
 * the sum over that axis of a and of b, which have the same size and are not the batch. The
 * result has the other axes of a, then those of b: (batch, m, k) and (batch, k, n) give (batch,
 * m, n); two of (batch, k) give (batch, 1). It has no mask. */
#define gt_Dot(...)                                                                                \
    gt_Dot_at(GT_HERE, gt_one_or_axes(GT_FIRST(__VA_ARGS__)),                                      \
              GT_KEYWORDS(gt_Dot, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Layer *gt_Dot_at(const char *here, gt_Axes axes, const gt_Dot_options *options);

GT_END

#endif
