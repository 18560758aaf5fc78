/* The mean of each window of an image (batch, spatial..., channels), channel by channel. */
#ifndef GT_LAYERS_POOLING_AVERAGE_H
#define GT_LAYERS_POOLING_AVERAGE_H

#include "layers/layer.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_AveragePooling1D_OPTIONS(F, S)                                                          \
    F(S, gt_Sizes, pool_size, 0, "of the window; required, > 0")                                   \
    F(S, gt_Sizes, strides, GT_NONE, "steps of the window; not given: pool_size")                  \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_AveragePooling1D_options, gt_AveragePooling1D_OPTIONS);
typedef gt_AveragePooling1D_options gt_AveragePooling2D_options, gt_AveragePooling3D_options;

/* gt_AveragePooling2D(2), gt_AveragePooling2D(3, .strides = 2, .padding = GT_PADDING_SAME): of x (batch, spatial...,
 * channels) the means of windows, with the sizes of gt_MaxPooling2D. Where a window reaches over an end, the mean of
 * the elements that are there. No weights; masks end here. An error if the window does not fit. */
#define gt_AveragePooling1D(...)                                                                   \
    gt_AveragePooling1D_at(GT_HERE, GT_KEYWORDS_1(gt_AveragePooling1D, pool_size, __VA_ARGS__))
#define gt_AveragePooling2D(...)                                                                   \
    gt_AveragePooling2D_at(GT_HERE, GT_KEYWORDS_1(gt_AveragePooling1D, pool_size, __VA_ARGS__))
#define gt_AveragePooling3D(...)                                                                   \
    gt_AveragePooling3D_at(GT_HERE, GT_KEYWORDS_1(gt_AveragePooling1D, pool_size, __VA_ARGS__))
GT_API gt_Layer *gt_AveragePooling1D_at(const char *here,
                                        const gt_AveragePooling1D_options *options);
GT_API gt_Layer *gt_AveragePooling2D_at(const char *here,
                                        const gt_AveragePooling2D_options *options);
GT_API gt_Layer *gt_AveragePooling3D_at(const char *here,
                                        const gt_AveragePooling3D_options *options);

GT_END

#endif
