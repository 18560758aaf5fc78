/* Dropout: elements dropped at random while training. */
#ifndef GT_LAYERS_REGULARIZATION_DROPOUT_H
#define GT_LAYERS_REGULARIZATION_DROPOUT_H

#include "layers/layer.h"
#include "ops/math/random.h"

GT_BEGIN

#define gt_Dropout_OPTIONS(F, S)                                                                   \
    F(S, double, rate, 0, "how many are dropped, 0 to 1; required")                                \
    F(S, gt_Shape, noise_shape, GT_NO_SHAPE,                                                       \
      "what is drawn: elements along its axes of size 1 fall together; -1: the size of x")         \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Dropout_options, gt_Dropout_OPTIONS);
/* gt_Dropout(0.2): in training only, keeps 1 - rate and scales by 1 / (1 - rate); rate 1 gives
 * zeros. gt_Dropout(0.2, .noise_shape = gt_shape(-1, 1, -1)) drops a feature at all steps of a
 * row or at none. Its generator state is a variable of the layer, saved with it. (Srivastava et
 * al. 2014) */
#define gt_Dropout(...) gt_Dropout_at(GT_HERE, GT_KEYWORDS_1(gt_Dropout, rate, __VA_ARGS__))
GT_API gt_Layer *gt_Dropout_at(const char *here, const gt_Dropout_options *options);

GT_END

#endif
