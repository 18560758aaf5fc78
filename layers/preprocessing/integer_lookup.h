/* IntegerLookup: integers as the indices of a vocabulary. */
#ifndef GT_LAYERS_PREPROCESSING_INTEGER_LOOKUP_H
#define GT_LAYERS_PREPROCESSING_INTEGER_LOOKUP_H

#include "layers/preprocessing/encoding.h"
#include "layers/preprocessing/vocabulary.h"

GT_BEGIN

/* How unknown integers are dealt to several indices: by the remainder, or by the hash of their decimal digits. */
typedef enum gt_OovMethod { GT_OOV_METHOD_FLOORMOD, GT_OOV_METHOD_FARMHASH } gt_OovMethod;

#define gt_IntegerLookup_OPTIONS(F, S)                                                             \
    F(S, int64_t, max_tokens, -1, "-1: any number; else the most indices there are, with the special ones") \
    F(S, int64_t, num_oov_indices, 1, "indices for unknown integers; 0: one is an error")          \
    F(S, int64_t, mask_token, INT64_MIN,                                                           \
      "has index 0, and vectors leave it out; INT64_MIN: there is none")                           \
    F(S, int64_t, oov_token, -1, "what unknown integers are on the way back")                      \
    F(S, gt_Tensor *, vocabulary, NULL,                                                            \
      "integers by their indices, with the special ones in front or without; NULL: gt_adapt learns it") \
    F(S, gt_Tensor *, idf_weights, NULL, "floats, one a token of the vocabulary, for TF_IDF")      \
    F(S, bool, invert, false, "the way back: indices become tokens")                               \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_INT, "indices, or vectors of them")            \
    F(S, bool, pad_to_max_tokens, false, "vectors are as wide as max_tokens")                      \
    F(S, gt_OovMethod, oov_method, GT_OOV_METHOD_FLOORMOD, "which index an unknown integer gets")  \
    F(S, int64_t, salt, -1, "-1: none; else a key for FARMHASH")                                        \
    F(S, int64_t, salt_2, -1, "the second half of the key; -1: like the first")                    \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_IntegerLookup_options, gt_IntegerLookup_OPTIONS);
/* gt_IntegerLookup(.vocabulary = integers): as gt_StringLookup, for tensors of integers (floats are cut): an index of each, int64,
 * or vectors of floats. gt_adapt(layer, dataset) learns the vocabulary. It is made of operations, so it runs in traced functions,
 * too. gt_get_integer_vocabulary tells the vocabulary. Source: Keras 3, IntegerLookup. */
#define gt_IntegerLookup(...)                                                                      \
    gt_IntegerLookup_at(GT_HERE, GT_KEYWORDS(gt_IntegerLookup, __VA_ARGS__))
GT_API gt_Layer *gt_IntegerLookup_at(const char *here, const gt_IntegerLookup_options *options);

GT_END

#endif
