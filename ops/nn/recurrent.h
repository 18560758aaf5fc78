/* Recurrent networks over whole sequences: an LSTM and a GRU, with Keras's equations and order of
 * gates. x is (batch, time, features); the result is the last output, (batch, units), or with
 * .return_sequences all of them, (batch, time, units). */
#ifndef GT_OPS_RECURRENT_H
#define GT_OPS_RECURRENT_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* `go_backwards` goes from the last step to the first; with .return_sequences the outputs are in
 * the order in which they were computed, as in Keras. */
#define GT_RECURRENT_COMMON(F, S)                                                                  \
    F(S, bool, return_sequences, false, "the outputs of all steps, not of the last alone")         \
    F(S, bool, go_backwards, false, "from the last step to the first")                             \
    F(S, gt_Tensor *, initial_h, NULL,                                                             \
      "the output before the first step, (batch, units); NULL: 0")                                 \
    F(S, gt_Tensor **, final_h, NULL, "gets the output of the last step")

#define gt_lstm_OPTIONS(F, S)                                                                      \
    GT_RECURRENT_COMMON(F, S)                                                                      \
    F(S, gt_Tensor *, initial_c, NULL, "the state before the first step, (batch, units); NULL: 0") \
    F(S, gt_Tensor **, final_c, NULL, "gets the state after the last step")
GT_OPTIONS(gt_lstm_options, gt_lstm_OPTIONS);
/* gt_lstm(x, kernel, recurrent_kernel, bias, .return_sequences = true): kernel (features, 4 units),
 * recurrent_kernel (units, 4 units), bias (4 units) or NULL. With the four parts of
 * z = x_t kernel + h recurrent_kernel + bias in the order i, f, g, o, every step does
 *
 *     c = sigmoid(f) c + sigmoid(i) tanh(g),    h = sigmoid(o) tanh(c)
 */
#define gt_lstm(x, kernel, recurrent_kernel, ...)                                                  \
    gt_lstm_at(GT_HERE, x, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),                        \
               GT_KEYWORDS(gt_lstm, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_lstm_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                             gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                             const gt_lstm_options *options);
GT_API gt_Tensor *(gt_lstm)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                            gt_Tensor *bias);

#define gt_gru_OPTIONS(F, S)                                                                       \
    GT_RECURRENT_COMMON(F, S)                                                                      \
    F(S, bool, reset_after, true, "the reset gate acts after the recurrent product, not before it")
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
 * bias may be NULL. */
#define gt_gru(x, kernel, recurrent_kernel, ...)                                                   \
    gt_gru_at(GT_HERE, x, kernel, recurrent_kernel, GT_FIRST(__VA_ARGS__),                         \
              GT_KEYWORDS(gt_gru, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_gru_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                            gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                            const gt_gru_options *options);
GT_API gt_Tensor *(gt_gru)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                           gt_Tensor *bias);

GT_END

#endif
