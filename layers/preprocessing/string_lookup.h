/* StringLookup: text as the indices of a vocabulary. */
#ifndef GT_LAYERS_PREPROCESSING_STRING_LOOKUP_H
#define GT_LAYERS_PREPROCESSING_STRING_LOOKUP_H

#include "layers/preprocessing/encoding.h"
#include "layers/preprocessing/vocabulary.h"

GT_BEGIN

#define gt_StringLookup_OPTIONS(F, S)                                                              \
    F(S, int64_t, max_tokens, -1, "-1: any number; else the most indices there are, with the special ones") \
    F(S, int64_t, num_oov_indices, 1,                                                              \
      "indices for unknown tokens, by their hash; 0: an unknown token is an error")                \
    F(S, const char *, mask_token, NULL, "has index 0, and vectors leave it out; NULL: there is none") \
    F(S, const char *, oov_token, "[UNK]", "what unknown tokens read on the way back")             \
    F(S, gt_Strings, vocabulary, GT_NOT_GIVEN,                                                     \
      "tokens by their indices, with the special ones in front or without; not given: gt_adapt learns it") \
    F(S, gt_Tensor *, idf_weights, NULL, "floats, one a token of the vocabulary, for TF_IDF")      \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_INT, "indices, or vectors of them")            \
    F(S, bool, pad_to_max_tokens, false, "vectors are as wide as max_tokens")                      \
    F(S, int64_t, salt, -1, "-1: none; else a key for the hash of unknown tokens")                      \
    F(S, int64_t, salt_2, -1, "the second half of the key; -1: like the first")                    \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_StringLookup_options, gt_StringLookup_OPTIONS);
/* gt_StringLookup(.vocabulary = gt_strings("red", "green")): text of any shape becomes int64 indices of that shape: 0 for what
 * is unknown, then the vocabulary; one more of each with a mask token, which is 0 then. In the other output modes vectors of
 * floats: see gt_OutputMode; TF_IDF is the count times idf_weights. The hash is FarmHash, with a salt SipHash.
 * gt_StringLookup(), then gt_adapt(layer, NULL, .text = column): learns the tokens, the most frequent first, of equally
 * frequent ones the larger (by bytes) first; in the mode TF_IDF also log(1 + rows / (1 + rows with the token)).
 * The vocabulary is part of the layer's configuration, so copies and files of models keep it. The way back, Keras's
 * `invert`, is gt_lookup_text. Stands at the entry of a model; never traced. Source: Keras 3, StringLookup. */
#define gt_StringLookup(...)                                                                       \
    gt_StringLookup_at(GT_HERE, GT_KEYWORDS(gt_StringLookup, __VA_ARGS__))
GT_API gt_Layer *gt_StringLookup_at(const char *here, const gt_StringLookup_options *options);

GT_END

#endif
