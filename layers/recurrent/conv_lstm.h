/* The convolutional LSTM (Shi et al. 2015) over sequences of lines, images and volumes. */
#ifndef GT_LAYERS_CONV_LSTM_H
#define GT_LAYERS_CONV_LSTM_H

#include "layers/recurrent/recurrent.h"
#include "ops/nn/activation.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_ConvLSTM1D_OPTIONS(F, S)                                                                \
    F(S, int64_t, filters, 0, "channels of the output and the states; required, > 0")              \
    F(S, gt_Sizes, kernel_size, 0, "of both windows; required, > 0")                               \
    F(S, gt_Sizes, strides, 1, "steps of the window over the input")                               \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "of the input: valid or same")                     \
    F(S, gt_Sizes, dilation_rate, 1, "distance of the elements of the input's kernel")             \
    F(S, gt_TensorFunction, activation, gt_tanh, "of what is new, and of c; NULL: none")           \
    F(S, gt_TensorFunction, recurrent_activation, gt_sigmoid, "of the gates; NULL: none")          \
    GT_RECURRENT_INITIALIZERS(F, S)                                                                \
    F(S, bool, unit_forget_bias, true, "the bias of the forget gate starts at 1")                  \
    GT_RECURRENT_PENALTIES(F, S)                                                                   \
    GT_RECURRENT_STEPS(F, S)                                                                       \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_ConvLSTM1D_options, gt_ConvLSTM1D_OPTIONS);
typedef gt_ConvLSTM1D_options gt_ConvLSTM2D_options, gt_ConvLSTM3D_options;

/* gt_ConvLSTM2D(8, 3, .padding = GT_PADDING_SAME, .return_sequences = true): gt_LSTM with convolutions in place of
 * products: with the four parts of z = conv(x_t, kernel) + conv(h, recurrent_kernel) + bias in the order i, f, g,
 * o
 *
 *     c = sigmoid(f) c + sigmoid(i) tanh(g),    h = sigmoid(o) tanh(c)
 *
 * where the convolution of h has steps of 1 and zeros around. Inputs: sequences (batch, time, spatial...,
 * channels), initial_h and initial_c (batch, spatial of the output..., filters). Outputs: h, of the last step,
 * (batch, spatial..., filters), or of all steps; with .return_state the last h and c. Weights: kernel
 * (kernel_size..., channels, 4 filters), recurrent_kernel (kernel_size..., filters, 4 filters), bias (4 filters).
 * The spatial sizes are those of the first call. More in layers/recurrent/recurrent.h; each gate has dropout masks
 * of its own, as in Keras. */
#define gt_ConvLSTM1D(...)                                                                         \
    gt_ConvLSTM1D_at(GT_HERE, GT_KEYWORDS_2(gt_ConvLSTM1D, filters, kernel_size, __VA_ARGS__))
#define gt_ConvLSTM2D(...)                                                                         \
    gt_ConvLSTM2D_at(GT_HERE, GT_KEYWORDS_2(gt_ConvLSTM1D, filters, kernel_size, __VA_ARGS__))
#define gt_ConvLSTM3D(...)                                                                         \
    gt_ConvLSTM3D_at(GT_HERE, GT_KEYWORDS_2(gt_ConvLSTM1D, filters, kernel_size, __VA_ARGS__))
GT_API gt_Layer *gt_ConvLSTM1D_at(const char *here, const gt_ConvLSTM1D_options *options);
GT_API gt_Layer *gt_ConvLSTM2D_at(const char *here, const gt_ConvLSTM1D_options *options);
GT_API gt_Layer *gt_ConvLSTM3D_at(const char *here, const gt_ConvLSTM1D_options *options);

GT_END

#endif
