/* Attention with heads (Vaswani et al. 2017), and with fewer heads of keys than of queries (Ainslie et al. 2023).
 *
 * Inputs: query (batch, queries, features), value (batch, keys, features), key, which is the value if it is
 * absent, and attention_mask, which keys a query may look at: (batch, queries, keys), or with an axis of heads
 * behind the batch; 0 or false forbids. Output 0: (batch, queries, features of the query); output 1, if somebody
 * asks for it, the weights as they were before the dropout, (batch, heads, queries, keys).
 *
 * Masks that ride on query, value and key, attention_mask, `use_causal_mask` and `sliding_window` are joined by
 * AND. A query that may look at nothing gets the mean of all values (Keras: zeros in place of it where the scores
 * are returned, or with dropout). The result has the mask of the query.
 *
 * What are arguments of Keras's call are options here, or outputs: `use_causal_mask`, and for
 * return_attention_scores
 *
 *     gt_call(layer, x, .more = gt_tensors(x), .outputs = gt_outputs(&scores)) */
#ifndef GT_LAYERS_MULTI_HEAD_ATTENTION_H
#define GT_LAYERS_MULTI_HEAD_ATTENTION_H

#include "layers/layer.h"

GT_BEGIN

#define GT_HEADS_COMMON(F, S)                                                                      \
    F(S, double, dropout, 0, "share of the weights that is dropped in training; in [0, 1)")        \
    F(S, bool, use_bias, true, "of all projections")                                               \
    F(S, int64_t, sliding_window, -1,                                                              \
      "-1: None; else a query looks at keys less than so far away")                                \
    F(S, gt_Initializer, kernel_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")            \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, kernel_regularizer, GT_NOT_GIVEN, "penalty on each kernel")               \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on each bias")                   \
    F(S, gt_Constraint, kernel_constraint, GT_NOT_GIVEN, "of each kernel")                         \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of each bias")                             \
    F(S, bool, use_gate, false, "the result times sigmoid of a further projection of the query")   \
    F(S, int64_t, seed, -1, "-1: None, from the context's seed and the layer's path")              \
    F(S, bool, use_causal_mask, false, "query t looks at keys 0 to t only")

#define gt_MultiHeadAttention_OPTIONS(F, S)                                                        \
    F(S, int64_t, num_heads, 0, "required, > 0")                                                   \
    F(S, int64_t, key_dim, 0, "width of each head's queries and keys; required, > 0")              \
    F(S, int64_t, value_dim, -1, "-1: None, as key_dim; of each head's values")                    \
    F(S, gt_Shape, output_shape, GT_NO_SIZES, "of the last axes of the result; none: the query's") \
    F(S, gt_Axes, attention_axes, GT_ALL_AXES,                                                     \
      "over which attention goes; all: those behind the batch")                                    \
    GT_HEADS_COMMON(F, S)                                                                          \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_MultiHeadAttention_options, gt_MultiHeadAttention_OPTIONS);
/* gt_MultiHeadAttention(8, 64): with Q, K and V the projections of query, key and value, for each head softmax(Q
 * K^T / sqrt(key_dim)) V, and a projection of all heads to the width of the query. Children, all of them
 * EinsumDense: query, key, value with kernels (features, heads, width) and biases (heads, width), with `use_gate`
 * gate, and attention_output with a kernel (heads, width of the values, features). Inputs may have more axes
 * between batch and features: then attention goes over all of them, or over attention_axes. */
#define gt_MultiHeadAttention(...)                                                                 \
    gt_MultiHeadAttention_at(                                                                      \
        GT_HERE, GT_KEYWORDS_2(gt_MultiHeadAttention, num_heads, key_dim, __VA_ARGS__))
GT_API gt_Layer *gt_MultiHeadAttention_at(const char *here,
                                          const gt_MultiHeadAttention_options *options);

#define gt_GroupQueryAttention_OPTIONS(F, S)                                                       \
    F(S, int64_t, head_dim, 0, "width of each head; required, > 0")                                \
    F(S, int64_t, num_query_heads, 0, "required: a multiple of num_key_value_heads")               \
    F(S, int64_t, num_key_value_heads, 0, "required, > 0")                                         \
    GT_HEADS_COMMON(F, S)                                                                          \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GroupQueryAttention_options, gt_GroupQueryAttention_OPTIONS);
/* gt_GroupQueryAttention(64, 8, .num_key_value_heads = 2): the same with num_query_heads heads of queries, of
 * which neighbours share one of num_key_value_heads heads of keys and values. Inputs have three axes. */
#define gt_GroupQueryAttention(...)                                                                \
    gt_GroupQueryAttention_at(                                                                     \
        GT_HERE, GT_KEYWORDS_2(gt_GroupQueryAttention, head_dim, num_query_heads, __VA_ARGS__))
GT_API gt_Layer *gt_GroupQueryAttention_at(const char *here,
                                           const gt_GroupQueryAttention_options *options);

GT_END

#endif
