/* A recurrent layer in both directions (Schuster and Paliwal 1997). */
#ifndef GT_LAYERS_BIDIRECTIONAL_H
#define GT_LAYERS_BIDIRECTIONAL_H

#include "layers/layer.h"

GT_BEGIN

/* How the two outputs become one. */
typedef enum gt_MergeMode {
    GT_MERGE_MODE_CONCAT,
    GT_MERGE_MODE_SUM,
    GT_MERGE_MODE_MUL,
    GT_MERGE_MODE_AVE,
    GT_MERGE_MODE_NONE /* output 0 is the forward one, output 1 the backward one */
} gt_MergeMode;

#define gt_Bidirectional_OPTIONS(F, S)                                                             \
    F(S, gt_Layer *, layer, NULL,                                                                  \
      "required: gt_LSTM, gt_GRU, gt_SimpleRNN, gt_RNN, gt_ConvLSTM2D")                            \
    F(S, gt_MergeMode, merge_mode, GT_MERGE_MODE_CONCAT, "how the two outputs become one")         \
    F(S, gt_Layer *, backward_layer, NULL,                                                         \
      "the other one, with .go_backwards = true; NULL: a copy of the first, with weights of its "  \
      "own")                                                                                       \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Bidirectional_options, gt_Bidirectional_OPTIONS);
/* gt_Bidirectional(gt_LSTM(32, .return_sequences = true)): the layer over the sequences, another one over them
 * from the end, and both outputs, in the order of time, merged: concatenated along the last axis unless
 * .merge_mode says otherwise.
 *
 * The layer becomes the child forward_NAME, its copy backward_NAME. Inputs: sequences, then the states before the
 * first step of the forward and those of the backward layer, all of them or none. Outputs: the merged one, with
 * GT_MERGE_MODE_NONE two, then with .return_state the states of the forward and those of the backward layer. Where
 * sequences are returned, masked steps are 0 (.zero_output_for_mask of both layers is set, as in Keras). */
#define gt_Bidirectional(...)                                                                      \
    gt_Bidirectional_at(GT_HERE, GT_KEYWORDS_1(gt_Bidirectional, layer, __VA_ARGS__))
GT_API gt_Layer *gt_Bidirectional_at(const char *here, const gt_Bidirectional_options *options);

GT_END

#endif
