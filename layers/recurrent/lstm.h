/* The LSTM (Hochreiter and Schmidhuber 1997), as a layer and as a cell. */
#ifndef GT_LAYERS_LSTM_H
#define GT_LAYERS_LSTM_H

#include "layers/recurrent/recurrent.h"
#include "ops/nn/activation.h"

GT_BEGIN

#define gt_LSTMCell_OPTIONS(F, S)                                                                  \
    F(S, int64_t, units, 0, "width of the output and the states; required, > 0")                   \
    F(S, gt_TensorFunction, activation, gt_tanh, "of what is new, and of c; NULL: none")           \
    F(S, gt_TensorFunction, recurrent_activation, gt_sigmoid, "of the gates; NULL: none")          \
    GT_RECURRENT_INITIALIZERS(F, S)                                                                \
    F(S, bool, unit_forget_bias, true, "the bias of the forget gate starts at 1")                  \
    GT_RECURRENT_PENALTIES(F, S)                                                                   \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_LSTMCell_options, gt_LSTMCell_OPTIONS);
/* gt_LSTMCell(32): one step. Inputs: inputs (batch, features), h and c (batch, units); outputs: h, then the states
 * h and c. Formula and weights are those of gt_LSTM. */
#define gt_LSTMCell(...) gt_LSTMCell_at(GT_HERE, GT_KEYWORDS_1(gt_LSTMCell, units, __VA_ARGS__))
GT_API gt_Layer *gt_LSTMCell_at(const char *here, const gt_LSTMCell_options *options);

#define gt_LSTM_OPTIONS(F, S)                                                                      \
    F(S, int64_t, units, 0, "width of the output and the states; required, > 0")                   \
    F(S, gt_TensorFunction, activation, gt_tanh, "of what is new, and of c; NULL: none")           \
    F(S, gt_TensorFunction, recurrent_activation, gt_sigmoid, "of the gates; NULL: none")          \
    GT_RECURRENT_INITIALIZERS(F, S)                                                                \
    F(S, bool, unit_forget_bias, true, "the bias of the forget gate starts at 1")                  \
    GT_RECURRENT_PENALTIES(F, S)                                                                   \
    GT_RECURRENT_STEPS(F, S)                                                                       \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_LSTM_options, gt_LSTM_OPTIONS);
/* gt_LSTM(32, .return_sequences = true): with the four parts of z = x_t kernel + h recurrent_kernel + bias in the
 * order i, f, g, o, every step does
 *
 *     c = sigmoid(f) c + sigmoid(i) tanh(g),    h = sigmoid(o) tanh(c)
 *
 * Inputs: sequences (batch, time, features), initial_h and initial_c (batch, units). Outputs: h, of the last step
 * or of all; with .return_state the last h and c. Weights: kernel (features, 4 units), recurrent_kernel (units, 4
 * units), bias (4 units). More in layers/recurrent/recurrent.h. */
#define gt_LSTM(...) gt_LSTM_at(GT_HERE, GT_KEYWORDS_1(gt_LSTM, units, __VA_ARGS__))
GT_API gt_Layer *gt_LSTM_at(const char *here, const gt_LSTM_options *options);

GT_END

#endif
