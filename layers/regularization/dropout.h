/* Dropout: elements dropped at random while training. */
#ifndef GT_LAYERS_REGULARIZATION_DROPOUT_H
#define GT_LAYERS_REGULARIZATION_DROPOUT_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Dropout_OPTIONS(F, S)                                                                   \
    F(S, double, rate, 0, "how many are dropped, 0 to 1; required")                                \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Dropout_options, gt_Dropout_OPTIONS);
/* gt_Dropout(0.2): in training only, keeps 1 - rate and scales by 1 / (1 - rate). Its generator
 * state is a variable of the layer, saved with it. */
#define gt_Dropout(...) gt_Dropout_at(GT_HERE, GT_KEYWORDS_1(gt_Dropout, rate, __VA_ARGS__))
GT_API gt_Layer *gt_Dropout_at(const char *here, const gt_Dropout_options *options);

GT_END

#endif
