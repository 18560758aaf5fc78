/* Transposed convolutions, which enlarge images. */
#ifndef GT_LAYERS_CONV_TRANSPOSE_H
#define GT_LAYERS_CONV_TRANSPOSE_H

#include "layers/layer.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_Conv1DTranspose_OPTIONS(F, S)                                                           \
    F(S, int64_t, filters, 0, "channels of the output; required, > 0")                             \
    F(S, gt_Sizes, kernel_size, 0, "of the window; required, > 0")                                 \
    F(S, gt_Sizes, strides, 1, "by which the image is enlarged")                                   \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    F(S, gt_Sizes, output_padding, GT_NONE, "added to the size of the output, < strides")          \
    F(S, gt_Sizes, dilation_rate, 1, "distance of the kernel's elements")                          \
    GT_ACTIVATION(F, S)                                                                            \
    F(S, bool, use_bias, true, "adds a bias of shape (filters)")                                   \
    F(S, gt_Initializer, kernel_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")            \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, kernel_regularizer, GT_NOT_GIVEN, "penalty on the kernel")                \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, kernel_constraint, GT_NOT_GIVEN, "of the kernel")                          \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Conv1DTranspose_options, gt_Conv1DTranspose_OPTIONS);
typedef gt_Conv1DTranspose_options gt_Conv2DTranspose_options, gt_Conv3DTranspose_options;

/* gt_Conv2DTranspose(16, 3, .strides = 2, .padding = GT_PADDING_SAME): the transpose of the linear map of gt_Conv2D,
 * a bias and an activation, on x (batch, spatial..., channels), which gives (batch, spatial..., filters). A window
 * reaches r = dilation_rate (kernel_size - 1) + 1 far; n elements become
 *     valid   (n - 1) strides + max(r, strides),    or with an output_padding   (n - 1) strides + r + output_padding
 *     same    n strides,                            or with one   (n - 1) strides + r % 2 + output_padding
 * Weights: kernel (kernel_size..., filters, channels), bias (filters). Masks end here. */
#define gt_Conv1DTranspose(...)                                                                    \
    gt_Conv1DTranspose_at(GT_HERE,                                                                 \
                          GT_KEYWORDS_2(gt_Conv1DTranspose, filters, kernel_size, __VA_ARGS__))
#define gt_Conv2DTranspose(...)                                                                    \
    gt_Conv2DTranspose_at(GT_HERE,                                                                 \
                          GT_KEYWORDS_2(gt_Conv1DTranspose, filters, kernel_size, __VA_ARGS__))
#define gt_Conv3DTranspose(...)                                                                    \
    gt_Conv3DTranspose_at(GT_HERE,                                                                 \
                          GT_KEYWORDS_2(gt_Conv1DTranspose, filters, kernel_size, __VA_ARGS__))
GT_API gt_Layer *gt_Conv1DTranspose_at(const char *here, const gt_Conv1DTranspose_options *options);
GT_API gt_Layer *gt_Conv2DTranspose_at(const char *here, const gt_Conv2DTranspose_options *options);
GT_API gt_Layer *gt_Conv3DTranspose_at(const char *here, const gt_Conv3DTranspose_options *options);

GT_END

#endif
