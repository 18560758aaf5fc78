/* ReLU: gt_relu and its options as a layer. */
#ifndef GT_LAYERS_CORE_RELU_H
#define GT_LAYERS_CORE_RELU_H

#include "layers/layer.h"
#include "ops/nn/activation.h"

GT_BEGIN

#define gt_ReLU_OPTIONS(F, S)                                                                      \
    F(S, double, max_value, INFINITY, "the largest value, >= 0; infinity: no limit")               \
    F(S, double, negative_slope, 0, "slope below the threshold, >= 0")                             \
    F(S, double, threshold, 0, "below it the negative slope holds; >= 0")                          \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_ReLU_options, gt_ReLU_OPTIONS);
/* gt_ReLU(), gt_ReLU(.max_value = 6): gt_relu as a layer. */
#define gt_ReLU(...) gt_ReLU_at(GT_HERE, GT_KEYWORDS(gt_ReLU, __VA_ARGS__))
GT_API gt_Layer *gt_ReLU_at(const char *here, const gt_ReLU_options *options);

GT_END

#endif
