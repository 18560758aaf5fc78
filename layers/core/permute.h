/* Permute: axes in another order. */
#ifndef GT_LAYERS_CORE_PERMUTE_H
#define GT_LAYERS_CORE_PERMUTE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Permute_OPTIONS(F, S)                                                                   \
    F(S, gt_Axes, dims, GT_NO_SIZES,                                                               \
      "axis i + 1 of the result is axis dims[i] of x, from 1 on; required")                        \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Permute_options, gt_Permute_OPTIONS);
/* gt_Permute(gt_axes(2, 1)): (batch, a, b) -> (batch, b, a). The batch stays, and is axis 0. */
#define gt_Permute(...) gt_Permute_at(GT_HERE, GT_KEYWORDS_1(gt_Permute, dims, __VA_ARGS__))
GT_API gt_Layer *gt_Permute_at(const char *here, const gt_Permute_options *options);

GT_END

#endif
