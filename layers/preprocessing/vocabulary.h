/* Vocabularies of layers that look tokens up: StringLookup, TextVectorization, IntegerLookup. */
#ifndef GT_LAYERS_PREPROCESSING_VOCABULARY_H
#define GT_LAYERS_PREPROCESSING_VOCABULARY_H

#include "core/strings.h"
#include "layers/layer.h"

GT_BEGIN

#define gt_get_vocabulary_OPTIONS(F, S)                                                            \
    F(S, bool, include_special_tokens, true, "those of masks and of unknown tokens, in front")
GT_OPTIONS(gt_get_vocabulary_options, gt_get_vocabulary_OPTIONS);
/* gt_get_vocabulary(layer): the tokens by their indices, a copy in the innermost scope. An oov_token that is NULL reads "". Of
 * a StringLookup or TextVectorization; without tokens before it has a vocabulary. */
#define gt_get_vocabulary(...)                                                                     \
    gt_get_vocabulary_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                           \
                         GT_KEYWORDS(gt_get_vocabulary, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Strings gt_get_vocabulary_at(const char *here, const gt_Layer *layer,
                                       const gt_get_vocabulary_options *options);
typedef gt_get_vocabulary_options gt_get_integer_vocabulary_options;
/* The same of an IntegerLookup: an int64 vector. NULL on failure. */
#define gt_get_integer_vocabulary(...)                                                             \
    gt_get_integer_vocabulary_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                   \
                                 GT_KEYWORDS(gt_get_vocabulary, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_get_integer_vocabulary_at(const char *here, const gt_Layer *layer,
                                               const gt_get_vocabulary_options *options);

#define gt_set_vocabulary_OPTIONS(F, S)                                                            \
    F(S, gt_Tensor *, idf_weights, NULL, "floats, one a token; required in the mode TF_IDF")
GT_OPTIONS(gt_set_vocabulary_options, gt_set_vocabulary_OPTIONS);
/* gt_set_vocabulary(layer, strings): another vocabulary, in place of the one that was given or learned. The special tokens
 * may stand in front, all of them. Errors: none of one's own, one twice, more than max_tokens, a mask token among them; another
 * size where vectors of the present one have been made. On failure the old one stays. */
#define gt_set_vocabulary(...)                                                                     \
    gt_set_vocabulary_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                   \
                         GT_KEYWORDS(gt_set_vocabulary, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_set_vocabulary_at(const char *here, gt_Layer *layer, gt_Strings vocabulary,
                                      const gt_set_vocabulary_options *options);
/* The same for an IntegerLookup: a vector of integers. */
#define gt_set_integer_vocabulary(...)                                                             \
    gt_set_integer_vocabulary_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),           \
                                 GT_KEYWORDS(gt_set_vocabulary, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_set_integer_vocabulary_at(const char *here, gt_Layer *layer,
                                              gt_Tensor *vocabulary,
                                              const gt_set_vocabulary_options *options);

/* How many indices there are, with those of special tokens: the input_dim of an Embedding behind the layer. -1 on failure. */
#define gt_vocabulary_size(layer) gt_vocabulary_size_at(GT_HERE, layer)
GT_API int64_t gt_vocabulary_size_at(const char *here, const gt_Layer *layer);

/* The way back, Keras's StringLookup(invert=True): the tokens of integers (rows) or (rows, width), text of that shape. The mask
 * token stands for its index, the oov_token for those of unknown tokens and for what is no index. */
#define gt_lookup_text(layer, indices) gt_lookup_text_at(GT_HERE, layer, indices)
GT_API gt_Strings gt_lookup_text_at(const char *here, const gt_Layer *layer, gt_Tensor *indices);

GT_END

#endif
