/* Attention without heads: dot products (Luong et al. 2015) and sums (Bahdanau et al. 2015).
 *
 * Inputs: query (batch, queries, width), value (batch, keys, width of the values), key (batch, keys, width), which
 * is the value if it is absent. Output 0: (batch, queries, width of the values); output 1, if somebody asks for
 * it, the weights, (batch, queries, keys). Masks ride on the inputs: keys whose value is masked are not looked at,
 * and where the query is masked the result is 0. The result has the mask of the query. */
#ifndef GT_LAYERS_ATTENTION_H
#define GT_LAYERS_ATTENTION_H

#include "layers/layer.h"
#include "ops/nn/attention.h"

GT_BEGIN

/* What is an argument of Keras's call is an option here: `use_causal_mask`; and to get return_attention_scores ask
 * for output 1: gt_call(layer, q, .more = gt_tensors(v), .outputs = gt_outputs(&scores)). */
#define GT_ATTENTION_LAST(F, S)                                                                    \
    F(S, double, dropout, 0, "share of the weights that is dropped in training; in [0, 1)")        \
    F(S, int64_t, seed, -1, "-1: None, from the context's seed and the layer's path")              \
    F(S, bool, use_causal_mask, false, "query t looks at keys 0 to t only")

#define gt_Attention_OPTIONS(F, S)                                                                 \
    F(S, bool, use_scale, false, "a weight, scale, is a factor of the scores")                     \
    F(S, gt_ScoreMode, score_mode, GT_SCORE_MODE_DOT, "dot products, or tanh of sums: concat")     \
    GT_ATTENTION_LAST(F, S)                                                                        \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Attention_options, gt_Attention_OPTIONS);
/* gt_Attention(): softmax over the keys of scale query . key, times value; with GT_SCORE_MODE_CONCAT the scores
 * are concat_score_weight sum(tanh(scale (query + key))). Weights, of shape () and 1 at first: scale,
 * concat_score_weight. */
#define gt_Attention(...) gt_Attention_at(GT_HERE, GT_KEYWORDS(gt_Attention, __VA_ARGS__))
GT_API gt_Layer *gt_Attention_at(const char *here, const gt_Attention_options *options);

#define gt_AdditiveAttention_OPTIONS(F, S)                                                         \
    F(S, bool, use_scale, true, "a weight, scale (width), weighs the sum")                         \
    GT_ATTENTION_LAST(F, S)                                                                        \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_AdditiveAttention_options, gt_AdditiveAttention_OPTIONS);
/* gt_AdditiveAttention(): softmax over the keys of sum(scale tanh(query + key)), times value. Weight: scale
 * (width), glorot_uniform. */
#define gt_AdditiveAttention(...)                                                                  \
    gt_AdditiveAttention_at(GT_HERE, GT_KEYWORDS(gt_AdditiveAttention, __VA_ARGS__))
GT_API gt_Layer *gt_AdditiveAttention_at(const char *here,
                                         const gt_AdditiveAttention_options *options);

GT_END

#endif
