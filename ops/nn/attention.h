/* Attention. */
#ifndef GT_OPS_ATTENTION_H
#define GT_OPS_ATTENTION_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_dot_product_attention_OPTIONS(F, S)                                                     \
    F(S, gt_Tensor *, bias, NULL, "added to the scores; NULL: nothing")                            \
    F(S, gt_Tensor *, mask, NULL, "bool: which keys a query may look at; NULL: all")               \
    F(S, double, scale, 0, "a factor of the scores; 0: 1 / sqrt(width)")                           \
    F(S, bool, is_causal, false, "query t looks at keys 0 to t only")
GT_OPTIONS(gt_dot_product_attention_options, gt_dot_product_attention_OPTIONS);
/* gt_dot_product_attention(query, key, value, .is_causal = true): for each query the mean of the
 * values, weighted by softmax(scale query . key + bias) over the keys. query (batch, queries,
 * heads, width), key and value (batch, keys, key heads, width) -> (batch, queries, heads, width of
 * the values). With fewer key heads than heads, of which they must be a divisor, neighbouring heads
 * share one. Bias and mask broadcast to (batch, heads, queries, keys). A query that may look at
 * nothing gets the mean of all values. */
#define gt_dot_product_attention(...)                                                              \
    gt_dot_product_attention_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),            \
                                GT_THIRD(__VA_ARGS__),                                             \
                                GT_KEYWORDS(gt_dot_product_attention, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_dot_product_attention_at(const char *here, gt_Tensor *query, gt_Tensor *key,
                                              gt_Tensor *value,
                                              const gt_dot_product_attention_options *options);
GT_API gt_Tensor *(gt_dot_product_attention)(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value);

GT_END

#endif
