/* The simple recurrent network (Elman 1990), as a layer and as a cell. */
#ifndef GT_LAYERS_SIMPLE_RNN_H
#define GT_LAYERS_SIMPLE_RNN_H

#include "layers/recurrent/recurrent.h"
#include "ops/nn/activation.h"

GT_BEGIN

#define GT_SIMPLE_RNN_FIRST(F, S)                                                                  \
    F(S, int64_t, units, 0, "width of the output and the state; required, > 0")                    \
    F(S, gt_TensorFunction, activation, gt_tanh, "of the sum; NULL: none")                         \
    GT_RECURRENT_INITIALIZERS(F, S)                                                                \
    GT_RECURRENT_PENALTIES(F, S)
#define gt_SimpleRNNCell_OPTIONS(F, S)                                                             \
    GT_SIMPLE_RNN_FIRST(F, S)                                                                      \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_SimpleRNNCell_options, gt_SimpleRNNCell_OPTIONS);
/* gt_SimpleRNNCell(32): one step. Inputs: inputs (batch, features), h (batch, units); outputs: h, then h as the
 * state. Formula and weights are those of gt_SimpleRNN. */
#define gt_SimpleRNNCell(...)                                                                      \
    gt_SimpleRNNCell_at(GT_HERE, GT_KEYWORDS_1(gt_SimpleRNNCell, units, __VA_ARGS__))
GT_API gt_Layer *gt_SimpleRNNCell_at(const char *here, const gt_SimpleRNNCell_options *options);

#define gt_SimpleRNN_OPTIONS(F, S)                                                                 \
    GT_SIMPLE_RNN_FIRST(F, S)                                                                      \
    GT_RECURRENT_STEPS(F, S)                                                                       \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_SimpleRNN_options, gt_SimpleRNN_OPTIONS);
/* gt_SimpleRNN(32): h = tanh(x_t kernel + h recurrent_kernel + bias).
 *
 * Inputs: sequences (batch, time, features), initial_h (batch, units). Outputs: h, of the last step or of all;
 * with .return_state the last h. Weights: kernel (features, units), recurrent_kernel (units, units), bias (units).
 * More in layers/recurrent/recurrent.h. */
#define gt_SimpleRNN(...) gt_SimpleRNN_at(GT_HERE, GT_KEYWORDS_1(gt_SimpleRNN, units, __VA_ARGS__))
GT_API gt_Layer *gt_SimpleRNN_at(const char *here, const gt_SimpleRNN_options *options);

GT_END

#endif
