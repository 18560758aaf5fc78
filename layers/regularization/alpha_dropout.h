/* AlphaDropout: dropout that keeps mean and variance, for layers with selu. */
#ifndef GT_LAYERS_REGULARIZATION_ALPHA_DROPOUT_H
#define GT_LAYERS_REGULARIZATION_ALPHA_DROPOUT_H

#include "layers/layer.h"
#include "ops/math/random.h"

GT_BEGIN

#define gt_AlphaDropout_OPTIONS(F, S)                                                              \
    F(S, double, rate, 0, "how many are dropped, 0 to below 1; required")                          \
    F(S, gt_Shape, noise_shape, GT_NO_SHAPE,                                                       \
      "what is drawn: elements along its axes of size 1 fall together; -1: the size of x")         \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_AlphaDropout_options, gt_AlphaDropout_OPTIONS);
/* gt_AlphaDropout(0.2): in training a x + b, where x that fell is what selu is at -infinity, v = -1.758...;
 *     a = ((1 - rate) (1 + rate v^2))^(-1/2)    b = -a rate v
 * so that mean 0 and variance 1 stay (Klambauer et al. 2017). */
#define gt_AlphaDropout(...)                                                                       \
    gt_AlphaDropout_at(GT_HERE, GT_KEYWORDS_1(gt_AlphaDropout, rate, __VA_ARGS__))
GT_API gt_Layer *gt_AlphaDropout_at(const char *here, const gt_AlphaDropout_options *options);

GT_END

#endif
