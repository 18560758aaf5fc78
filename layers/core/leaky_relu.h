/* LeakyReLU: gt_leaky_relu as a layer. */
#ifndef GT_LAYERS_CORE_LEAKY_RELU_H
#define GT_LAYERS_CORE_LEAKY_RELU_H

#include "layers/layer.h"

GT_BEGIN

#define gt_LeakyReLU_OPTIONS(F, S)                                                                 \
    F(S, double, negative_slope, 0.3, "slope below 0, >= 0; that of gt_leaky_relu is 0.2")         \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_LeakyReLU_options, gt_LeakyReLU_OPTIONS);
/* gt_LeakyReLU(), gt_LeakyReLU(.negative_slope = 0.1): x where x > 0, else negative_slope x. */
#define gt_LeakyReLU(...) gt_LeakyReLU_at(GT_HERE, GT_KEYWORDS(gt_LeakyReLU, __VA_ARGS__))
GT_API gt_Layer *gt_LeakyReLU_at(const char *here, const gt_LeakyReLU_options *options);

GT_END

#endif
