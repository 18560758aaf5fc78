/* Recurrent networks over whole sequences, with Keras's equations and order of gates: an LSTM, a GRU, a simple RNN, one of any
 * cell; and one step of each. x is (batch, time, features); the result is the last output, (batch, units), or with
 * .return_sequences all of them, (batch, time, units). */
#ifndef GT_OPS_RECURRENT_H
#define GT_OPS_RECURRENT_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/nn/activation.h"

GT_BEGIN

/* `go_backwards` goes from the last step to the first; with .return_sequences the outputs are in
 * the order in which they were computed, as in Keras.
 *
 * Where the mask is false the states stay as they are, and the output is that of the step before, 0
 * before the first step, or always 0 with `zero_output_for_mask`.
 *
 * gt_lstm and gt_gru with the usual activations (and reset_after, and no recurrent_dropout_mask) are one
 * operation over all steps, with a gradient of its own. Others are composed, step after step; in a traced
 * function their steps are a loop, or with `unroll` one after the other: more to plan, not faster. */
#define GT_RNN_COMMON(F, S)                                                                        \
    F(S, bool, return_sequences, false, "the outputs of all steps, not of the last alone")         \
    F(S, bool, go_backwards, false, "from the last step to the first")                             \
    F(S, gt_Tensor *, mask, NULL, "bool (batch, time): which steps count; NULL: all")              \
    F(S, bool, zero_output_for_mask, false, "the output of a step that does not count is 0")       \
    F(S, bool, unroll, false, "traced, the steps are no loop")

/* A dropout mask is what gt_dropout makes of ones, the same for all steps: (batch, features) for x and
 * (batch, units) for h, or with one for each gate in front, (gates, batch, features). */
#define GT_CELL_COMMON(F, S)                                                                       \
    F(S, gt_TensorFunction, activation, gt_tanh, "of what is new; NULL: none")                     \
    F(S, gt_Tensor *, dropout_mask, NULL, "x times it goes into the products; NULL: 1")            \
    F(S, gt_Tensor *, recurrent_dropout_mask, NULL, "h times it goes into the products; NULL: 1")
#define GT_GATED_COMMON(F, S)                                                                      \
    GT_CELL_COMMON(F, S)                                                                           \
    F(S, gt_TensorFunction, recurrent_activation, gt_sigmoid, "of the gates; NULL: none")

#define GT_RECURRENT_COMMON(F, S)                                                                  \
    GT_RNN_COMMON(F, S)                                                                            \
    F(S, gt_Tensor *, initial_h, NULL,                                                             \
      "the output before the first step, (batch, units); NULL: 0")                                 \
    F(S, gt_Tensor **, final_h, NULL, "gets the output of the last step")

#define gt_lstm_OPTIONS(F, S)                                                                      \
    GT_RECURRENT_COMMON(F, S)                                                                      \
    F(S, gt_Tensor *, initial_c, NULL, "the state before the first step, (batch, units); NULL: 0") \
    F(S, gt_Tensor **, final_c, NULL, "gets the state after the last step")                        \
    GT_GATED_COMMON(F, S)
GT_OPTIONS(gt_lstm_options, gt_lstm_OPTIONS);
/* gt_lstm(x, kernel, recurrent_kernel, bias, .return_sequences = true): kernel (features, 4 units),
 * recurrent_kernel (units, 4 units), bias (4 units) or NULL. With the four parts of
 * z = x_t kernel + h recurrent_kernel + bias in the order i, f, g, o, every step does
 *
 *     c = sigmoid(f) c + sigmoid(i) tanh(g),    h = sigmoid(o) tanh(c)
 *
 * where `activation` may stand for tanh and `recurrent_activation` for sigmoid. */
#define gt_lstm(x, kernel, recurrent_kernel, ...)                                                  \
    gt_lstm_at(GT_HERE, x, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),                        \
               GT_KEYWORDS(gt_lstm, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_lstm_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                             gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                             const gt_lstm_options *options);
GT_API gt_Tensor *(gt_lstm)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                            gt_Tensor *bias);

/* The state of an LSTM after a step: its output and its cell. */
typedef struct gt_LSTMState {
    gt_Tensor *h, *c; /* (batch, units); both NULL on failure */
} gt_LSTMState;
#define gt_lstm_cell_OPTIONS(F, S) GT_GATED_COMMON(F, S)
GT_OPTIONS(gt_lstm_cell_options, gt_lstm_cell_OPTIONS);
/* One step of gt_lstm: gt_lstm_cell(x, h, c, kernel, recurrent_kernel, bias), x (batch, features), h and
 * c (batch, units): the states after it, of which h is the output. */
#define gt_lstm_cell(x, h, c, kernel, recurrent_kernel, ...)                                       \
    gt_lstm_cell_at(GT_HERE, x, h, c, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),             \
                    GT_KEYWORDS(gt_lstm_cell, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_LSTMState gt_lstm_cell_at(const char *here, gt_Tensor *x, gt_Tensor *h, gt_Tensor *c,
                                    gt_Tensor *kernel, gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                                    const gt_lstm_cell_options *options);

#define GT_RESET(F, S)                                                                             \
    F(S, bool, reset_after, true, "the reset gate acts after the recurrent product, not before it")
#define gt_gru_OPTIONS(F, S)                                                                       \
    GT_RECURRENT_COMMON(F, S)                                                                      \
    GT_RESET(F, S)                                                                                 \
    GT_GATED_COMMON(F, S)
GT_OPTIONS(gt_gru_options, gt_gru_OPTIONS);
/* gt_gru(x, kernel, recurrent_kernel, bias, .return_sequences = true): kernel (features, 3 units),
 * recurrent_kernel (units, 3 units), parts in the order z, r, g. Every step does
 *
 *     h = sigmoid(z) h + (1 - sigmoid(z)) tanh(g)
 *
 * where z and r are parts of x_t kernel + h recurrent_kernel + biases, and g, with r already
 * through its sigmoid, U that part of recurrent_kernel, a and b of the biases,
 *
 *     x_t kernel_g + a + r (h U + b)     with reset_after; bias is (2, 3 units): a, then b
 *     x_t kernel_g + a + (r h) U         without; bias is (3 units)
 *
 * bias may be NULL. `activation` may stand for tanh and `recurrent_activation` for sigmoid. */
#define gt_gru(x, kernel, recurrent_kernel, ...)                                                   \
    gt_gru_at(GT_HERE, x, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),                         \
              GT_KEYWORDS(gt_gru, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_gru_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                            gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                            const gt_gru_options *options);
GT_API gt_Tensor *(gt_gru)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                           gt_Tensor *bias);

#define gt_gru_cell_OPTIONS(F, S)                                                                  \
    GT_RESET(F, S)                                                                                 \
    GT_GATED_COMMON(F, S)
GT_OPTIONS(gt_gru_cell_options, gt_gru_cell_OPTIONS);
/* One step of gt_gru: gt_gru_cell(x, h, kernel, recurrent_kernel, bias), x (batch, features), h (batch,
 * units): the output, which is the state after it. */
#define gt_gru_cell(x, h, kernel, recurrent_kernel, ...)                                           \
    gt_gru_cell_at(GT_HERE, x, h, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),                 \
                   GT_KEYWORDS(gt_gru_cell, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_gru_cell_at(const char *here, gt_Tensor *x, gt_Tensor *h, gt_Tensor *kernel,
                                 gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                                 const gt_gru_cell_options *options);

#define gt_simple_rnn_OPTIONS(F, S)                                                                \
    GT_RECURRENT_COMMON(F, S)                                                                      \
    GT_CELL_COMMON(F, S)
GT_OPTIONS(gt_simple_rnn_options, gt_simple_rnn_OPTIONS);
/* gt_simple_rnn(x, kernel, recurrent_kernel, bias): h = tanh(x_t kernel + h recurrent_kernel + bias);
 * kernel (features, units), recurrent_kernel (units, units), bias (units) or NULL. `activation` may
 * stand for tanh. */
#define gt_simple_rnn(x, kernel, recurrent_kernel, ...)                                            \
    gt_simple_rnn_at(GT_HERE, x, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),                  \
                     GT_KEYWORDS(gt_simple_rnn, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_simple_rnn_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                                   gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                                   const gt_simple_rnn_options *options);
GT_API gt_Tensor *(gt_simple_rnn)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                                  gt_Tensor *bias);

#define gt_simple_rnn_cell_OPTIONS(F, S) GT_CELL_COMMON(F, S)
GT_OPTIONS(gt_simple_rnn_cell_options, gt_simple_rnn_cell_OPTIONS);
/* One step of gt_simple_rnn, with the arguments of gt_gru_cell. */
#define gt_simple_rnn_cell(x, h, kernel, recurrent_kernel, ...)                                    \
    gt_simple_rnn_cell_at(GT_HERE, x, h, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),          \
                          GT_KEYWORDS(gt_simple_rnn_cell, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_simple_rnn_cell_at(const char *here, gt_Tensor *x, gt_Tensor *h,
                                        gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                                        gt_Tensor *bias, const gt_simple_rnn_cell_options *options);

#define gt_rnn_OPTIONS(F, S)                                                                       \
    GT_RNN_COMMON(F, S)                                                                            \
    F(S, gt_Tensor **, final_states, NULL, "gets the states after the last step, as many")
GT_OPTIONS(gt_rnn_options, gt_rnn_OPTIONS);
/* gt_rnn(cell, context, x, gt_tensors(h, c), .mask = mask): any cell over x (batch, time, ...), which
 * has at least one step. The cell gets x_t (batch, ...) and the states, (batch, ...) too, and makes the
 * output and then the next states, of the same shapes; up to 64 of them. It may read whatever is around
 * it. The result is the last output, or with .return_sequences all of them, (batch, time, ...). */
#define gt_rnn(cell, context, x, ...)                                                              \
    gt_rnn_at(GT_HERE, cell, context, x, GT_FIRST(__VA_ARGS__),                                    \
              GT_KEYWORDS(gt_rnn, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_rnn_at(const char *here, gt_FunctionBody cell, void *context, gt_Tensor *x,
                            gt_Tensors states, const gt_rnn_options *options);

GT_END

#endif
