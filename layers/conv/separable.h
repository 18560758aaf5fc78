/* Separable convolutions: a depthwise one, then one of a single pixel that mixes channels. */
#ifndef GT_LAYERS_CONV_SEPARABLE_H
#define GT_LAYERS_CONV_SEPARABLE_H

#include "layers/layer.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_SeparableConv1D_OPTIONS(F, S)                                                           \
    F(S, int64_t, filters, 0, "channels of the output; required, > 0")                             \
    F(S, gt_Sizes, kernel_size, 0, "of the depthwise window; required, > 0")                       \
    F(S, gt_Sizes, strides, 1, "steps of the window")                                              \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    F(S, gt_Sizes, dilation_rate, 1, "distance of the kernel's elements")                          \
    F(S, int64_t, depth_multiplier, 1, "depthwise filters of each channel")                        \
    GT_ACTIVATION(F, S)                                                                            \
    F(S, bool, use_bias, true, "adds a bias of shape (filters)")                                   \
    F(S, gt_Initializer, depthwise_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")         \
    F(S, gt_Initializer, pointwise_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")         \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, depthwise_regularizer, GT_NOT_GIVEN, "penalty on the depthwise kernel")   \
    F(S, gt_Regularizer, pointwise_regularizer, GT_NOT_GIVEN, "penalty on the pointwise kernel")   \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, depthwise_constraint, GT_NOT_GIVEN, "of the depthwise kernel")             \
    F(S, gt_Constraint, pointwise_constraint, GT_NOT_GIVEN, "of the pointwise kernel")             \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_SeparableConv1D_options, gt_SeparableConv1D_OPTIONS);
typedef gt_SeparableConv1D_options gt_SeparableConv2D_options;

/* gt_SeparableConv2D(16, 3): on x (batch, spatial..., channels) the depthwise convolution h of gt_DepthwiseConv2D,
 * without bias, then y[f] = activation(bias[f] + sum over its channels c of h[c] pointwise_kernel[c, f]), which gives
 * (batch, spatial..., filters) with the sizes of gt_Conv2D. Weights: depthwise_kernel (kernel_size..., channels,
 * depth_multiplier), pointwise_kernel (1..., channels depth_multiplier, filters), bias (filters). Masks end here. */
#define gt_SeparableConv1D(...)                                                                    \
    gt_SeparableConv1D_at(GT_HERE,                                                                 \
                          GT_KEYWORDS_2(gt_SeparableConv1D, filters, kernel_size, __VA_ARGS__))
#define gt_SeparableConv2D(...)                                                                    \
    gt_SeparableConv2D_at(GT_HERE,                                                                 \
                          GT_KEYWORDS_2(gt_SeparableConv1D, filters, kernel_size, __VA_ARGS__))
GT_API gt_Layer *gt_SeparableConv1D_at(const char *here, const gt_SeparableConv1D_options *options);
GT_API gt_Layer *gt_SeparableConv2D_at(const char *here, const gt_SeparableConv2D_options *options);

GT_END

#endif
