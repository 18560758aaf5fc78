/* The largest number of each window of an image (batch, spatial..., channels), channel by channel. */
#ifndef GT_LAYERS_POOLING_MAX_H
#define GT_LAYERS_POOLING_MAX_H

#include "layers/layer.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_MaxPooling1D_OPTIONS(F, S)                                                              \
    F(S, gt_Sizes, pool_size, 2, "of the window, > 0")                                             \
    F(S, gt_Sizes, strides, GT_NONE, "steps of the window; not given: pool_size")                  \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_MaxPooling1D_options, gt_MaxPooling1D_OPTIONS);
typedef gt_MaxPooling1D_options gt_MaxPooling2D_options, gt_MaxPooling3D_options;

/* gt_MaxPooling2D(), gt_MaxPooling2D(3, .strides = 2, .padding = GT_PADDING_SAME): of x (batch, spatial..., channels)
 * the maxima of windows. n elements become (n - pool_size) / strides + 1, rounded down, or, with the padding same,
 * where windows reach over both ends, n / strides, rounded up. NaN if there is one in the window. No weights; masks
 * end here. An error if the window does not fit. */
#define gt_MaxPooling1D(...)                                                                       \
    gt_MaxPooling1D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_MaxPooling1D, pool_size, __VA_ARGS__))
#define gt_MaxPooling2D(...)                                                                       \
    gt_MaxPooling2D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_MaxPooling1D, pool_size, __VA_ARGS__))
#define gt_MaxPooling3D(...)                                                                       \
    gt_MaxPooling3D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_MaxPooling1D, pool_size, __VA_ARGS__))
GT_API gt_Layer *gt_MaxPooling1D_at(const char *here, const gt_MaxPooling1D_options *options);
GT_API gt_Layer *gt_MaxPooling2D_at(const char *here, const gt_MaxPooling2D_options *options);
GT_API gt_Layer *gt_MaxPooling3D_at(const char *here, const gt_MaxPooling3D_options *options);

GT_END

#endif
