/* Convolutions over one, two and three spatial axes. Images are (batch, spatial..., channels): channels come last, so
 * there is no data_format, and images with channels first are transposed before (gt_transpose). */
#ifndef GT_LAYERS_CONV_CONV_H
#define GT_LAYERS_CONV_CONV_H

#include "layers/layer.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_Conv1D_OPTIONS(F, S)                                                                    \
    F(S, int64_t, filters, 0, "channels of the output; required, > 0")                             \
    F(S, gt_Sizes, kernel_size, 0, "of the window; required, > 0")                                 \
    F(S, gt_Sizes, strides, 1, "steps of the window")                                              \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid, same or, with one spatial axis, causal")   \
    F(S, gt_Sizes, dilation_rate, 1, "distance of the kernel's elements")                          \
    F(S, int64_t, groups, 1, "parts of the channels, each with filters of its own")                \
    GT_ACTIVATION(F, S)                                                                            \
    F(S, bool, use_bias, true, "adds a bias of shape (filters)")                                   \
    F(S, gt_Initializer, kernel_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")            \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, kernel_regularizer, GT_NOT_GIVEN, "penalty on the kernel")                \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, kernel_constraint, GT_NOT_GIVEN, "of the kernel")                          \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Conv1D_options, gt_Conv1D_OPTIONS);
typedef gt_Conv1D_options gt_Conv2D_options, gt_Conv3D_options;

/* gt_Conv2D(16, 3, .activation = gt_relu), gt_Conv2D(16, gt_sizes(3, 5), .strides = 2, .padding = GT_PADDING_SAME):
 *     y[b, i, f] = activation(bias[f] + sum over positions p of the kernel and channels c of
 *                             x[b, i strides + p dilation_rate, c] kernel[p, c, f])
 * on x (batch, spatial..., channels), which gives (batch, spatial..., filters). A window reaches
 * r = dilation_rate (kernel_size - 1) + 1 far; of n elements come
 *     valid           (n - r) / strides + 1, rounded down: windows stay inside
 *     same, causal    n / strides, rounded up, with zeros around (an odd one at the end), or all of them ahead
 * Weights: kernel (kernel_size..., channels / groups, filters), bias (filters). Masks end here. Errors: groups that do
 * not divide channels and filters; strides > 1 with dilation_rate > 1; a window that does not fit. */
#define gt_Conv1D(...)                                                                             \
    gt_Conv1D_at(GT_HERE, GT_KEYWORDS_2(gt_Conv1D, filters, kernel_size, __VA_ARGS__))
#define gt_Conv2D(...)                                                                             \
    gt_Conv2D_at(GT_HERE, GT_KEYWORDS_2(gt_Conv1D, filters, kernel_size, __VA_ARGS__))
#define gt_Conv3D(...)                                                                             \
    gt_Conv3D_at(GT_HERE, GT_KEYWORDS_2(gt_Conv1D, filters, kernel_size, __VA_ARGS__))
GT_API gt_Layer *gt_Conv1D_at(const char *here, const gt_Conv1D_options *options);
GT_API gt_Layer *gt_Conv2D_at(const char *here, const gt_Conv2D_options *options);
GT_API gt_Layer *gt_Conv3D_at(const char *here, const gt_Conv3D_options *options);

GT_END

#endif
