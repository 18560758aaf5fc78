/* Reshape: the elements of each row in another shape. */
#ifndef GT_LAYERS_CORE_RESHAPE_H
#define GT_LAYERS_CORE_RESHAPE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Reshape_OPTIONS(F, S)                                                                   \
    F(S, gt_Shape, target, GT_NO_SIZES,                                                            \
      "the shape after the batch axis, one -1 allowed; required")                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Reshape_options, gt_Reshape_OPTIONS);
/* gt_Reshape(gt_shape(28, 28)): (batch, ...) -> (batch, 28, 28) */
#define gt_Reshape(...) gt_Reshape_at(GT_HERE, GT_KEYWORDS_1(gt_Reshape, target, __VA_ARGS__))
GT_API gt_Layer *gt_Reshape_at(const char *here, const gt_Reshape_options *options);

GT_END

#endif
