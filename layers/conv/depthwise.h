/* Depthwise convolutions: each channel of an image by itself. */
#ifndef GT_LAYERS_CONV_DEPTHWISE_H
#define GT_LAYERS_CONV_DEPTHWISE_H

#include "layers/layer.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_DepthwiseConv1D_OPTIONS(F, S)                                                           \
    F(S, gt_Sizes, kernel_size, 0, "of the window; required, > 0")                                 \
    F(S, gt_Sizes, strides, 1, "steps of the window")                                              \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    F(S, int64_t, depth_multiplier, 1, "filters of each channel")                                  \
    F(S, gt_Sizes, dilation_rate, 1, "distance of the kernel's elements")                          \
    GT_ACTIVATION(F, S)                                                                            \
    F(S, bool, use_bias, true, "adds a bias of shape (channels depth_multiplier)")                 \
    F(S, gt_Initializer, depthwise_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")         \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, depthwise_regularizer, GT_NOT_GIVEN, "penalty on the kernel")             \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, depthwise_constraint, GT_NOT_GIVEN, "of the kernel")                       \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_DepthwiseConv1D_options, gt_DepthwiseConv1D_OPTIONS);
typedef gt_DepthwiseConv1D_options gt_DepthwiseConv2D_options;

/* gt_DepthwiseConv2D(3, .depth_multiplier = 2): y[b, i, c m + k] = activation(bias[c m + k] + sum over positions p of
 * x[b, i strides + p dilation_rate, c] kernel[p, c, k]) with m = depth_multiplier, on x (batch, spatial..., channels),
 * which gives (batch, spatial..., channels m) with the sizes of gt_Conv2D. Weights: kernel (kernel_size..., channels,
 * m), bias (channels m). Masks end here. */
#define gt_DepthwiseConv1D(...)                                                                    \
    gt_DepthwiseConv1D_at(GT_HERE, GT_KEYWORDS_1(gt_DepthwiseConv1D, kernel_size, __VA_ARGS__))
#define gt_DepthwiseConv2D(...)                                                                    \
    gt_DepthwiseConv2D_at(GT_HERE, GT_KEYWORDS_1(gt_DepthwiseConv1D, kernel_size, __VA_ARGS__))
GT_API gt_Layer *gt_DepthwiseConv1D_at(const char *here, const gt_DepthwiseConv1D_options *options);
GT_API gt_Layer *gt_DepthwiseConv2D_at(const char *here, const gt_DepthwiseConv2D_options *options);

GT_END

#endif
