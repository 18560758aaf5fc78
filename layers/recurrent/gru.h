/* The GRU (Cho et al. 2014), as a layer and as a cell. */
#ifndef GT_LAYERS_GRU_H
#define GT_LAYERS_GRU_H

#include "layers/recurrent/recurrent.h"
#include "ops/nn/activation.h"

GT_BEGIN

#define GT_GRU_CELL_FIRST(F, S)                                                                    \
    F(S, int64_t, units, 0, "width of the output and the state; required, > 0")                    \
    F(S, gt_TensorFunction, activation, gt_tanh, "of what is new; NULL: none")                     \
    F(S, gt_TensorFunction, recurrent_activation, gt_sigmoid, "of the gates; NULL: none")          \
    GT_RECURRENT_INITIALIZERS(F, S)                                                                \
    GT_RECURRENT_PENALTIES(F, S)                                                                   \
    F(S, bool, reset_after, true, "the reset gate acts after the recurrent product, not before it")
#define gt_GRUCell_OPTIONS(F, S)                                                                   \
    GT_GRU_CELL_FIRST(F, S)                                                                        \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GRUCell_options, gt_GRUCell_OPTIONS);
/* gt_GRUCell(32): one step. Inputs: inputs (batch, features), h (batch, units); outputs: h, then h as the state.
 * Formula and weights are those of gt_GRU. */
#define gt_GRUCell(...) gt_GRUCell_at(GT_HERE, GT_KEYWORDS_1(gt_GRUCell, units, __VA_ARGS__))
GT_API gt_Layer *gt_GRUCell_at(const char *here, const gt_GRUCell_options *options);

#define gt_GRU_OPTIONS(F, S)                                                                       \
    GT_GRU_CELL_FIRST(F, S)                                                                        \
    GT_RECURRENT_STEPS(F, S)                                                                       \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GRU_options, gt_GRU_OPTIONS);
/* gt_GRU(32, .return_sequences = true): with parts in the order z, r, g every step does
 *
 *     h = sigmoid(z) h + (1 - sigmoid(z)) tanh(g)
 *
 * where z and r are parts of x_t kernel + h recurrent_kernel + biases, and g, with r already through its sigmoid,
 * U that part of recurrent_kernel, a and b of the biases,
 *
 *     x_t kernel_g + a + r (h U + b)     with reset_after; the bias is (2, 3 units): a, then b
 *     x_t kernel_g + a + (r h) U         without; the bias is (3 units)
 *
 * Inputs: sequences (batch, time, features), initial_h (batch, units). Outputs: h, of the last step or of all;
 * with .return_state the last h. Weights: kernel (features, 3 units), recurrent_kernel (units, 3 units), bias.
 * More in layers/recurrent/recurrent.h. */
#define gt_GRU(...) gt_GRU_at(GT_HERE, GT_KEYWORDS_1(gt_GRU, units, __VA_ARGS__))
GT_API gt_Layer *gt_GRU_at(const char *here, const gt_GRU_options *options);

GT_END

#endif
