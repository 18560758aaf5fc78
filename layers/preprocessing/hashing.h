/* Hashing: text and integers dealt to bins, without a vocabulary. */
#ifndef GT_LAYERS_PREPROCESSING_HASHING_H
#define GT_LAYERS_PREPROCESSING_HASHING_H

#include "layers/preprocessing/encoding.h"

GT_BEGIN

#define gt_Hashing_OPTIONS(F, S)                                                                   \
    F(S, int64_t, num_bins, 0, "how many bins there are, with that of the mask; required, > 0")    \
    F(S, int64_t, mask_value, INT64_MIN, "the integer that has bin 0 for itself; INT64_MIN: none") \
    F(S, const char *, mask_text, NULL, "the same of text; NULL: none")                            \
    F(S, int64_t, salt, -1, "-1: none; else a key: the hash is SipHash then")                      \
    F(S, int64_t, salt_2, -1, "the second half of the key; -1: like the first")                    \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_INT, "INT, ONE_HOT, MULTI_HOT or COUNT")       \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_Hashing_options, gt_Hashing_OPTIONS);
/* gt_Hashing(1000): text, or integers of any shape (floats are cut), become int64 bins of that shape, or vectors of floats: see
 * gt_OutputMode. The bin is FarmHash's Fingerprint64 of the text, or of the decimal digits, modulo num_bins, the same on every
 * machine; with a salt SipHash-2-4. Integers are hashed by an operation, which runs in traced functions; text stands at the
 * entry of a model. Masks end here. Source: Keras 3, Hashing. */
#define gt_Hashing(...) gt_Hashing_at(GT_HERE, GT_KEYWORDS_1(gt_Hashing, num_bins, __VA_ARGS__))
GT_API gt_Layer *gt_Hashing_at(const char *here, const gt_Hashing_options *options);

GT_END

#endif
