/* ReversibleEmbedding: a row of a table for each index, and the way back. */
#ifndef GT_LAYERS_CORE_REVERSIBLE_EMBEDDING_H
#define GT_LAYERS_CORE_REVERSIBLE_EMBEDDING_H

#include "layers/layer.h"

GT_BEGIN

#define gt_ReversibleEmbedding_OPTIONS(F, S)                                                       \
    F(S, int64_t, input_dim, 0, "how many rows, one more than the largest index; required, > 0")   \
    F(S, int64_t, output_dim, 0, "length of a row; required, > 0")                                 \
    F(S, bool, tie_weights, true, "the way back uses the table; false: a weight of its own")       \
    F(S, gt_Initializer, embeddings_initializer, GT_NOT_GIVEN,                                     \
      "not given: uniform, -0.05 to 0.05")                                                         \
    F(S, gt_Regularizer, embeddings_regularizer, GT_NOT_GIVEN, "penalty on the table")             \
    F(S, gt_Constraint, embeddings_constraint, GT_NOT_GIVEN, "of the table")                       \
    F(S, bool, mask_zero, false, "index 0 is padding: the result has the mask x != 0")             \
    F(S, gt_DType, reverse_dtype, GT_DTYPE_NONE,                                                   \
      "of the operands of the way back; not given: as they are")                                   \
    F(S, double, logit_soft_cap, 0, "logits are cap tanh(logits / cap); 0: no cap")                \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_ReversibleEmbedding_options, gt_ReversibleEmbedding_OPTIONS);

/* layer = gt_ReversibleEmbedding(1000, 16): gt_call(layer, x) of integers is what gt_Embedding
 * gives; of floats h (..., 16) it is the way back, logits (..., 1000) = h embeddings^T, as at the
 * end of a language model (Press and Wolf 2017). Weights: embeddings (input_dim, output_dim), and
 * without tie_weights reverse_embeddings (output_dim, input_dim). */
#define gt_ReversibleEmbedding(...)                                                                \
    gt_ReversibleEmbedding_at(                                                                     \
        GT_HERE, GT_KEYWORDS_2(gt_ReversibleEmbedding, input_dim, output_dim, __VA_ARGS__))
GT_API gt_Layer *gt_ReversibleEmbedding_at(const char *here,
                                           const gt_ReversibleEmbedding_options *options);

GT_END

#endif
