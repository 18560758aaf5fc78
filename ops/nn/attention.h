/* Attention: for each query a mean of the values, weighted by how well their keys fit. */
#ifndef GT_OPS_ATTENTION_H
#define GT_OPS_ATTENTION_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* What all have in common. Masks are bool and are joined by AND: a query attends to a key where all of
 * them, and `is_causal`, let it. The weights are (batch, queries, keys), or with heads (batch, heads,
 * queries, keys). */
#define GT_ATTENTION_COMMON(F, S)                                                                  \
    F(S, bool, is_causal, false, "query t looks at keys 0 to t only")                              \
    F(S, gt_Tensor *, query_mask, NULL, "(batch, queries): which queries count; NULL: all")        \
    F(S, gt_Tensor *, value_mask, NULL, "(batch, keys): which keys and values count; NULL: all")   \
    F(S, gt_Tensor **, weights, NULL, "gets the weights, which sum to 1 over the keys")            \
    F(S, double, dropout, 0, "the probability with which a weight falls out")                      \
    F(S, gt_Variable *, generator, NULL, "of the dropout; NULL: the context's own")

#define gt_dot_product_attention_OPTIONS(F, S)                                                     \
    F(S, gt_Tensor *, bias, NULL, "added to the scores; NULL: nothing")                            \
    F(S, gt_Tensor *, mask, NULL, "which keys a query may look at; NULL: all")                     \
    F(S, double, scale, 0, "a factor of the scores; 0: 1 / sqrt(width)")                           \
    F(S, gt_Axes, axes, GT_ALL_AXES, "over which attention goes; all: those behind the batch")     \
    GT_ATTENTION_COMMON(F, S)
GT_OPTIONS(gt_dot_product_attention_options, gt_dot_product_attention_OPTIONS);
/* gt_dot_product_attention(query, key, value, .is_causal = true): for each query the mean of the
 * values, weighted by softmax(scale query . key + bias) over the keys. query (batch, queries,
 * heads, width), key and value (batch, keys, key heads, width) -> (batch, queries, heads, width of
 * the values). With fewer key heads than heads, of which they must be a divisor, neighbouring heads
 * share one. Bias and mask broadcast to (batch, heads, queries, keys). A query that may look at
 * nothing gets the mean of all values. The weights are given as they were before the dropout.
 *
 * There may be more axes between batch and heads: of images, (batch, height, width, heads, width), each
 * pixel looks at every pixel; with .axes = gt_axes(2) at those of its row. Bias and mask then broadcast to
 * (batch, other axes, heads, axes of the queries, axes of the keys), and the masks of queries and values
 * have no place: they cover one axis. Weights have one axis of queries and one of keys. */
#define gt_dot_product_attention(...)                                                              \
    gt_dot_product_attention_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),            \
                                GT_THIRD(__VA_ARGS__),                                             \
                                GT_KEYWORDS(gt_dot_product_attention, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_dot_product_attention_at(const char *here, gt_Tensor *query, gt_Tensor *key,
                                              gt_Tensor *value,
                                              const gt_dot_product_attention_options *options);
GT_API gt_Tensor *(gt_dot_product_attention)(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value);

/* How a query and a key are compared: by their dot product, or by the sum of tanh(query + key). */
typedef enum gt_ScoreMode { GT_SCORE_MODE_DOT = 0, GT_SCORE_MODE_CONCAT = 1 } gt_ScoreMode;
#define gt_attention_OPTIONS(F, S)                                                                 \
    F(S, gt_Tensor *, key, NULL, "(batch, keys, width); NULL: the values")                         \
    F(S, gt_ScoreMode, score_mode, GT_SCORE_MODE_DOT, "dot products, or tanh of sums")             \
    F(S, gt_Tensor *, scale, NULL, "a factor, of shape (); NULL: 1")                               \
    F(S, gt_Tensor *, concat_score_weight, NULL,                                                   \
      "a factor of the sum of tanh, of shape (); NULL: 1")                                         \
    GT_ATTENTION_COMMON(F, S)
GT_OPTIONS(gt_attention_options, gt_attention_OPTIONS);
/* gt_attention(query, value): without heads, as Keras's layer Attention computes it (Luong et al. 2015).
 * query (batch, queries, width), value (batch, keys, width of the values) -> (batch, queries, width of the
 * values). The scores of a query q and a key k, over which softmax goes, are
 *
 *     dot      scale q . k
 *     concat   concat_score_weight sum(tanh(scale (q + k)))
 *
 * A score that a mask forbids is lowered by 1e9 (in float16 by 65504). Where the mask of the queries is
 * false the result is 0. The weights are given as they are after the dropout. */
#define gt_attention(...)                                                                          \
    gt_attention_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                        \
                    GT_KEYWORDS(gt_attention, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_attention_at(const char *here, gt_Tensor *query, gt_Tensor *value,
                                  const gt_attention_options *options);
GT_API gt_Tensor *(gt_attention)(gt_Tensor *query, gt_Tensor *value);

#define gt_additive_attention_OPTIONS(F, S)                                                        \
    F(S, gt_Tensor *, key, NULL, "(batch, keys, width); NULL: the values")                         \
    F(S, gt_Tensor *, scale, NULL, "factors, (width); NULL: 1")                                    \
    GT_ATTENTION_COMMON(F, S)
GT_OPTIONS(gt_additive_attention_options, gt_additive_attention_OPTIONS);
/* The same with the scores sum(scale tanh(q + k)), as Keras's layer AdditiveAttention (Bahdanau et al.
 * 2015). */
#define gt_additive_attention(...)                                                                 \
    gt_additive_attention_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),               \
                             GT_KEYWORDS(gt_additive_attention, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_additive_attention_at(const char *here, gt_Tensor *query, gt_Tensor *value,
                                           const gt_additive_attention_options *options);
GT_API gt_Tensor *(gt_additive_attention)(gt_Tensor *query, gt_Tensor *value);

GT_END

#endif
