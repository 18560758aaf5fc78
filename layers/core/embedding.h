/* Embedding: a row of a table for each index. */
#ifndef GT_LAYERS_CORE_EMBEDDING_H
#define GT_LAYERS_CORE_EMBEDDING_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Embedding_OPTIONS(F, S)                                                                 \
    F(S, int64_t, input_dim, 0, "how many rows, one more than the largest index; required, > 0")   \
    F(S, int64_t, output_dim, 0, "length of a row; required, > 0")                                 \
    F(S, gt_Initializer, embeddings_initializer, GT_NOT_GIVEN,                                     \
      "not given: uniform, -0.05 to 0.05")                                                         \
    F(S, gt_Regularizer, embeddings_regularizer, GT_NOT_GIVEN, "penalty on the table")             \
    F(S, gt_Constraint, embeddings_constraint, GT_NOT_GIVEN, "of the table")                       \
    F(S, bool, mask_zero, false, "index 0 is padding: the result has the mask x != 0")             \
    F(S, gt_Tensor *, weights, NULL,                                                               \
      "first numbers of the table, copied; NULL: from the initializer")                            \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Embedding_options, gt_Embedding_OPTIONS);

/* gt_Embedding(1000, 16): x of indices, any shape, gives x.shape + (16). Floats are cut to
 * integers; an index out of range is an error. The gradient of the table is rows, of the indices
 * that came. Weight: embeddings (input_dim, output_dim). */
#define gt_Embedding(...)                                                                          \
    gt_Embedding_at(GT_HERE, GT_KEYWORDS_2(gt_Embedding, input_dim, output_dim, __VA_ARGS__))
GT_API gt_Layer *gt_Embedding_at(const char *here, const gt_Embedding_options *options);

GT_END

#endif
