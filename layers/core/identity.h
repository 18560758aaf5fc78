/* Identity: x as it is. */
#ifndef GT_LAYERS_CORE_IDENTITY_H
#define GT_LAYERS_CORE_IDENTITY_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Identity_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Identity_options, gt_Identity_OPTIONS);
/* gt_Identity(): x as it is, with its mask. */
#define gt_Identity(...) gt_Identity_at(GT_HERE, GT_KEYWORDS(gt_Identity, __VA_ARGS__))
GT_API gt_Layer *gt_Identity_at(const char *here, const gt_Identity_options *options);

GT_END

#endif
