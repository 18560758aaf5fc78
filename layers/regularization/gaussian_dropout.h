/* GaussianDropout: multiplied by normal numbers around 1 while training. */
#ifndef GT_LAYERS_REGULARIZATION_GAUSSIAN_DROPOUT_H
#define GT_LAYERS_REGULARIZATION_GAUSSIAN_DROPOUT_H

#include "layers/layer.h"

GT_BEGIN

#define gt_GaussianDropout_OPTIONS(F, S)                                                           \
    F(S, double, rate, 0, "as of gt_Dropout, 0 to below 1; required")                              \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GaussianDropout_options, gt_GaussianDropout_OPTIONS);
/* gt_GaussianDropout(0.2): in training x (1 + sqrt(rate / (1 - rate)) z), z normal: mean and
 * variance are those of gt_Dropout (Srivastava et al. 2014, section 10). */
#define gt_GaussianDropout(...)                                                                    \
    gt_GaussianDropout_at(GT_HERE, GT_KEYWORDS_1(gt_GaussianDropout, rate, __VA_ARGS__))
GT_API gt_Layer *gt_GaussianDropout_at(const char *here, const gt_GaussianDropout_options *options);

GT_END

#endif
