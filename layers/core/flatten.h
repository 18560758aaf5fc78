/* Flatten: the axes behind the first as one. */
#ifndef GT_LAYERS_CORE_FLATTEN_H
#define GT_LAYERS_CORE_FLATTEN_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Flatten_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Flatten_options, gt_Flatten_OPTIONS);
/* gt_Flatten(): (batch, ...) -> (batch, everything else) */
#define gt_Flatten(...) gt_Flatten_at(GT_HERE, GT_KEYWORDS(gt_Flatten, __VA_ARGS__))
GT_API gt_Layer *gt_Flatten_at(const char *here, const gt_Flatten_options *options);

GT_END

#endif
