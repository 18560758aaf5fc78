/* Option lists that recurrent layers and cells share, and what holds of all of them.
 *
 * A layer reads sequences (batch, time, features) and gives the last output, (batch, units), or with
 * `.return_sequences` all of them, (batch, time, units); with `.return_state` the states after the last step are
 * outputs too:
 *
 *     gt_Tensor *h, *c;
 *     gt_Tensor *y = gt_call(gt_LSTM(32, .return_state = true), x, .outputs = gt_outputs(&h, &c));
 *     gt_Tensor *z = gt_call(decoder, other, .named = gt_named({"initial_h", h}, {"initial_c", c}));
 *
 * The inputs after the first are the states before the first step, zeros if they are absent. Where the mask of the
 * sequences is false, a step leaves the states and the output as they are.
 *
 * `.stateful` carries the states from call to call, row by row, so every call must have the batch of the first
 * one; they are variables of gt_state_variables, start as zeros, and gt_reset_states puts them there again.
 *
 * Dropout acts in training alone. Its masks are drawn once a call and are the same for all steps. As in Keras each
 * gate has a mask of its own if there is recurrent dropout. Everything is computed in float32 at least, whatever
 * the policy. */
#ifndef GT_LAYERS_RECURRENT_H
#define GT_LAYERS_RECURRENT_H

#include "layers/layer.h"

GT_BEGIN

#define GT_RECURRENT_INITIALIZERS(F, S)                                                            \
    F(S, bool, use_bias, true, "adds a bias")                                                      \
    F(S, gt_Initializer, kernel_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")            \
    F(S, gt_Initializer, recurrent_initializer, GT_NOT_GIVEN, "not given: orthogonal")             \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")
#define GT_RECURRENT_PENALTIES(F, S)                                                               \
    F(S, gt_Regularizer, kernel_regularizer, GT_NOT_GIVEN, "penalty on the kernel")                \
    F(S, gt_Regularizer, recurrent_regularizer, GT_NOT_GIVEN, "penalty on the recurrent kernel")   \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, kernel_constraint, GT_NOT_GIVEN, "of the kernel")                          \
    F(S, gt_Constraint, recurrent_constraint, GT_NOT_GIVEN, "of the recurrent kernel")             \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    F(S, double, dropout, 0, "share of x that is dropped in training; in [0, 1)")                  \
    F(S, double, recurrent_dropout, 0, "share of h that is dropped in training; in [0, 1)")        \
    F(S, int64_t, seed, -1, "-1: None, from the context's seed and the layer's path")
#define GT_RECURRENT_STEPS(F, S)                                                                   \
    F(S, bool, return_sequences, false, "the outputs of all steps, not of the last alone")         \
    F(S, bool, return_state, false, "outputs 1, 2, ... are the states after the last step")        \
    F(S, bool, go_backwards, false, "from the last step to the first; so are the outputs")         \
    F(S, bool, stateful, false, "the states go on in the next call; the batch is fixed")           \
    F(S, bool, unroll, false, "traced, the steps are no loop: more to plan, not faster")           \
    F(S, bool, zero_output_for_mask, false, "the output of a masked step is 0, not the one before")

GT_END

#endif
