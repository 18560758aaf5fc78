/* Normalization: columns of data, or channels, to mean 0 and variance 1. */
#ifndef GT_LAYERS_PREPROCESSING_NORMALIZATION_H
#define GT_LAYERS_PREPROCESSING_NORMALIZATION_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Normalization_OPTIONS(F, S)                                                             \
    F(S, int32_t, axis, -1, "each index along it has a mean and a variance of its own")            \
    F(S, gt_Axes, axes, GT_ALL_AXES,                                                               \
      "several axes instead, or none, gt_axes(): one mean for everything; all: what axis says")    \
    F(S, gt_Tensor *, mean, NULL,                                                                  \
      "of the shape of the axes, or a scalar; NULL: gt_adapt learns it")                           \
    F(S, gt_Tensor *, variance, NULL, "of the same shape; mean and variance come together")        \
    F(S, bool, invert, false, "the way back: y = mean + x deviation")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Normalization_options, gt_Normalization_OPTIONS);
/* gt_Normalization(), then gt_adapt(layer, train): y = (x - mean) / max(sqrt(variance), 1e-7), with the mean and the
 * variance of the data that it was adapted to, the same in training and inference. gt_Normalization(.mean = m,
 * .variance = v) copies numbers that are known. Integers become floats. Keeps masks.
 * Weights, unless mean is given: mean and variance, of the shape of the axes in their order in x, zeros and ones until
 * it is adapted, and count, an int32 that Keras has for old files and nobody uses; none of them is trained. */
#define gt_Normalization(...)                                                                      \
    gt_Normalization_at(GT_HERE, GT_KEYWORDS(gt_Normalization, __VA_ARGS__))
GT_API gt_Layer *gt_Normalization_at(const char *here, const gt_Normalization_options *options);

GT_END

#endif
