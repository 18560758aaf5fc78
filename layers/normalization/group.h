/* Normalization of groups of channels. */
#ifndef GT_LAYERS_NORMALIZATION_GROUP_H
#define GT_LAYERS_NORMALIZATION_GROUP_H

#include "layers/layer.h"
#include "layers/normalization/sample.h" /* GT_CENTER_AND_SCALE */

GT_BEGIN

#define gt_GroupNormalization_OPTIONS(F, S)                                                        \
    F(S, int64_t, groups, 32, "of channels; 1: all together, -1: each channel by itself")          \
    F(S, int32_t, axis, -1, "of the channels; not that of the batch")                              \
    F(S, double, epsilon, 1e-3, "added to the variance, >= 0")                                     \
    GT_CENTER_AND_SCALE(F, S)                                                                      \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GroupNormalization_options, gt_GroupNormalization_OPTIONS);
/* gt_GroupNormalization(8): y = (x - mean) / sqrt(variance + epsilon) gamma + beta on x (batch, ..., channels), with
 * mean and variance of each group of neighbouring channels of each sample, over all other axes. groups must divide the
 * number of channels. Computes in float32 at least. Weights gamma and beta, of the size of the axis. Keeps masks, and
 * does not look at them: what is masked counts, as in Keras. */
#define gt_GroupNormalization(...)                                                                 \
    gt_GroupNormalization_at(GT_HERE,                                                              \
                             GT_KEYWORDS_MAYBE_1(gt_GroupNormalization, groups, __VA_ARGS__))
GT_API gt_Layer *gt_GroupNormalization_at(const char *here,
                                          const gt_GroupNormalization_options *options);

GT_END

#endif
