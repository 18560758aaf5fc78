/* Rescaling: numbers from one range to another. */
#ifndef GT_LAYERS_PREPROCESSING_RESCALING_H
#define GT_LAYERS_PREPROCESSING_RESCALING_H

#include <math.h>

#include "layers/layer.h"

GT_BEGIN

#define gt_Rescaling_OPTIONS(F, S)                                                                 \
    F(S, double, scale, (double)NAN, "the factor; required")                                       \
    F(S, double, offset, 0, "added to the product")                                                \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Rescaling_options, gt_Rescaling_OPTIONS);
/* gt_Rescaling(1.0 / 255), gt_Rescaling(1 / 127.5, .offset = -1): y = x scale + offset, the same in training and inference. Bytes
 * and other integers become floats: of the layer's type, float32 if it has none. Keeps masks. */
#define gt_Rescaling(...) gt_Rescaling_at(GT_HERE, GT_KEYWORDS_1(gt_Rescaling, scale, __VA_ARGS__))
GT_API gt_Layer *gt_Rescaling_at(const char *here, const gt_Rescaling_options *options);

GT_END

#endif
