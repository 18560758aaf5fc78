/* GaussianNoise: normal numbers added while training. */
#ifndef GT_LAYERS_REGULARIZATION_GAUSSIAN_NOISE_H
#define GT_LAYERS_REGULARIZATION_GAUSSIAN_NOISE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_GaussianNoise_OPTIONS(F, S)                                                             \
    F(S, double, stddev, 0, "of the noise, 0 to 1; required")                                      \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GaussianNoise_options, gt_GaussianNoise_OPTIONS);
/* gt_GaussianNoise(0.1): x + stddev z in training, z normal; x otherwise. */
#define gt_GaussianNoise(...)                                                                      \
    gt_GaussianNoise_at(GT_HERE, GT_KEYWORDS_1(gt_GaussianNoise, stddev, __VA_ARGS__))
GT_API gt_Layer *gt_GaussianNoise_at(const char *here, const gt_GaussianNoise_options *options);

GT_END

#endif
