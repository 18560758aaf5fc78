/* TextVectorization: text as sequences of indices, or as bags of words. */
#ifndef GT_LAYERS_PREPROCESSING_TEXT_VECTORIZATION_H
#define GT_LAYERS_PREPROCESSING_TEXT_VECTORIZATION_H

#include "layers/preprocessing/encoding.h"
#include "layers/preprocessing/vocabulary.h"

GT_BEGIN

/* What becomes of a text before it is split. Letters and punctuation are those of ASCII, as in Keras: A to Z become a to z, and
 * !"#$%&()*+,-./:;<=>?@[\]^_`{|}~' go; all other bytes stay. */
typedef enum gt_Standardize {
    GT_STANDARDIZE_LOWER_AND_STRIP_PUNCTUATION,
    GT_STANDARDIZE_LOWER,
    GT_STANDARDIZE_STRIP_PUNCTUATION,
    GT_STANDARDIZE_NONE
} gt_Standardize;

/* WHITESPACE is that of ASCII. CHARACTER gives the characters of UTF-8, U+FFFD for bytes that are none. NONE: each string is a
 * token. */
typedef enum gt_Split { GT_SPLIT_WHITESPACE, GT_SPLIT_CHARACTER, GT_SPLIT_NONE } gt_Split;

/* A function of one's own gets a string and puts text out: to standardize all of it is one string again, to split each is a
 * token.
 *
 *     static void by_commas(gt_TextOutput *output, const char *text, size_t length)
 *     {
 *         for (size_t n; length > 0; text += n, length -= n) {
 *             for (n = 0; n < length && text[n] != ','; n++);
 *             gt_put_text(output, text, n);
 *             n += n < length;
 *         }
 *     }
 */
typedef struct gt_TextOutput gt_TextOutput;
/* Cuts or changes one string of `length` bytes: every gt_put_text puts out a piece of the result. */
typedef void (*gt_TextFunction)(gt_TextOutput *output, const char *text, size_t length);
/* Inside such a function: puts out `length` bytes. */
#define gt_put_text(output, text, length) gt_put_text_at(GT_HERE, output, text, length)
GT_API gt_Status gt_put_text_at(const char *here, gt_TextOutput *output, const char *text,
                                size_t length);

#define gt_TextVectorization_OPTIONS(F, S)                                                         \
    F(S, int64_t, max_tokens, -1, "-1: any number; else the most indices there are, with the special ones") \
    F(S, gt_Standardize, standardize, GT_STANDARDIZE_LOWER_AND_STRIP_PUNCTUATION,                  \
      "what becomes of the text first")                                                            \
    F(S, gt_TextFunction, standardize_function, NULL, "or a function of one's own")                \
    F(S, gt_Split, split, GT_SPLIT_WHITESPACE, "how it becomes tokens")                            \
    F(S, gt_TextFunction, split_function, NULL, "or a function of one's own")                      \
    F(S, int64_t, ngrams, 0, "n: also 2, ..., n tokens in a row, with blanks between; 0: single ones") \
    F(S, gt_Shape, ngram_widths, GT_NO_SIZES, "or so many in a row: gt_shape(2, 3)")               \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_INT, "sequences of indices, or vectors of them") \
    F(S, int64_t, output_sequence_length, -1, "-1: that of the longest; else sequences are cut and padded to it") \
    F(S, bool, pad_to_max_tokens, false, "vectors are as wide as max_tokens")                      \
    F(S, gt_Strings, vocabulary, GT_NOT_GIVEN,                                                     \
      "tokens by their indices, with the special ones in front or without; not given: gt_adapt learns it") \
    F(S, gt_Tensor *, idf_weights, NULL, "floats, one a token of the vocabulary, for TF_IDF")      \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_TextVectorization_options, gt_TextVectorization_OPTIONS);
/* gt_TextVectorization(.max_tokens = 10000, .output_sequence_length = 200), then gt_adapt(layer, NULL, .text = reviews): each text,
 * (rows) or (rows, 1), becomes a row of int64: 0 is padding, 1 a token that the vocabulary does not have, then the vocabulary. In
 * the other modes vectors, without an index for padding: see gt_OutputMode; ONE_HOT gives (rows, tokens, indices), padded with
 * zeros. The vocabulary is learned and kept as that of gt_StringLookup, with the mask token "" and the oov token "[UNK]".
 * Stands at the entry of a model; never traced. Source: Keras 3, TextVectorization. */
#define gt_TextVectorization(...)                                                                  \
    gt_TextVectorization_at(GT_HERE, GT_KEYWORDS(gt_TextVectorization, __VA_ARGS__))
GT_API gt_Layer *gt_TextVectorization_at(const char *here,
                                         const gt_TextVectorization_options *options);

GT_END

#endif
