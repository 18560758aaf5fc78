/* What StringLookup, IntegerLookup and TextVectorization share, as Keras's IndexLookup: a vocabulary, the indices that its
 * tokens have, and learning it. A token is bytes; an integer is its eight bytes. Private to the library.
 *
 *     index   0        1 ... n          n + 1 ...
 *     token   [mask]   [unknown ones]   the vocabulary         [mask]: only with a mask token, in the mode INT */
#ifndef GT_LAYERS_PREPROCESSING_LOOKUP_H
#define GT_LAYERS_PREPROCESSING_LOOKUP_H

#include "layers/internal.h"
#include "layers/preprocessing/encoding.h"
#include "layers/preprocessing/tokens.h"

typedef struct gt_Lookup {
    /* as options say; set by `create` */
    int64_t max_tokens;      /* -1: any number */
    int64_t num_oov_indices; /* > 1: unknown tokens are hashed to one of them */
    gt_Piece mask, oov;      /* `at` NULL: there is none */
    gt_OutputMode mode;
    bool pad; /* vectors are as wide as max_tokens */
    bool integers, inverts;
    bool hashes_integers, salted; /* the hash is of the decimal digits; it is one with a key */
    uint64_t salt[2];
    /* the vocabulary, without special tokens; NULL: there is none yet */
    gt_Variable *bytes, *offsets;
    gt_Variable *idf; /* float64, one for each index; NULL: none */
    gt_Tokens tokens;
    gt_Variable *numbers;          /* of integers: the vocabulary as int64, */
    gt_Variable *sorted, *indices; /* and in rising order, with the index of each */
    bool given;                    /* by an option: not learned */
    gt_Strings *option; /* the layer's options: what a file keeps of it; of integers `integer_option` */
    gt_Tensor **integer_option, **idf_option;
    gt_TokenCounts counts; /* while it is adapted */
} gt_Lookup;

/* Layers that have a lookup begin with these. */
typedef struct gt_LookupLayer {
    gt_Layer base;
    gt_Lookup lookup;
} gt_LookupLayer;

/* The salt of options: -1 is none, a `second` one of -1 is like the first. */
void gt_lookup_salt(gt_Lookup *lookup, int64_t salt, int64_t second);
/* For `create`, when what options say is set: checks it, and takes the vocabulary of the options, if there is one. */
gt_Status gt_lookup_create(gt_Layer *layer);
/* Where unknown tokens and where the vocabulary begin. */
int64_t gt_lookup_oov_start(const gt_Lookup *lookup);
int64_t gt_lookup_start(const gt_Lookup *lookup);
/* Indices that there are, with the special ones. */
int64_t gt_lookup_size(const gt_Lookup *lookup);
/* The width of vectors; -1 with an error raised while there is no vocabulary. */
int64_t gt_lookup_depth(const gt_Lookup *lookup);
/* Another vocabulary, with or without its special tokens in front. On failure the old one stays. `idf_weights` NULL: none. */
gt_Status gt_lookup_set(gt_Layer *layer, const gt_Strings *vocabulary, const gt_Tensor *idf_weights);
gt_Status gt_lookup_set_integers(gt_Layer *layer, gt_Tensor *vocabulary, const gt_Tensor *idf_weights);
void gt_lookup_close(gt_Context *context, gt_Lookup *lookup);

/* The index of a token: INT64_MAX for a mask that vectors leave out, -1 for an unknown one that has none. */
int64_t gt_lookup_find(const gt_Lookup *lookup, gt_Piece token);
/* The token of an index; the unknown one for what is outside. */
gt_Piece gt_lookup_token(const gt_Lookup *lookup, int64_t index);
/* The indices of all strings; false with an error raised. */
bool gt_lookup_all(gt_Layer *layer, const gt_Text *text, int64_t *indices);

/* What the layer's call gives for the strings; a symbol for a symbol. */
gt_Tensor *gt_lookup_encode(gt_Layer *layer, const gt_Text *text);

/* Learning: begin, text in documents of so many strings each, end. */
gt_Status gt_lookup_begin(gt_Layer *layer);
gt_Status gt_lookup_learn(gt_Layer *layer, const gt_Text *text, int64_t strings_in_document);
gt_Status gt_lookup_end(gt_Layer *layer);

#endif
