/* Vocabularies of layers. Leans on tokens.c. The rules are those of keras/src/layers/preprocessing/index_lookup.py. */
#include "layers/preprocessing/lookup.h"
#include "layers/preprocessing/encode.h"
#include "kernels/hash.h"
#include "layers/preprocessing/numbers.h"
#include "core/text.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/array/sorting.h"
#include "ops/math/arithmetic.h"

#include <math.h>
#include <string.h>

/* ---- sizes ---- */

void gt_lookup_salt(gt_Lookup *lookup, int64_t salt, int64_t second)
{
    lookup->salted = salt != -1;
    lookup->salt[0] = (uint64_t)salt;
    lookup->salt[1] = (uint64_t)(second == -1 ? salt : second);
}

static gt_Status check(const gt_Lookup *lookup, const gt_Tensor *idf_weights)
{
    if (lookup->max_tokens != -1 && lookup->max_tokens <= 1)
        return gt_fail(GT_INVALID, "max_tokens must be > 1, or -1 for any number (got %lld)",
                       (long long)lookup->max_tokens);
    if (lookup->pad && lookup->max_tokens == -1)
        return gt_fail(GT_INVALID, "pad_to_max_tokens needs max_tokens");
    if (lookup->num_oov_indices < 0 || lookup->num_oov_indices > INT32_MAX)
        return gt_fail(GT_INVALID, "num_oov_indices must be from 0 to 2147483647 (got %lld)",
                       (long long)lookup->num_oov_indices);
    if (lookup->max_tokens != -1 && gt_lookup_start(lookup) >= lookup->max_tokens)
        return gt_fail(GT_INVALID, "max_tokens must be > %lld, the number of special tokens (got %lld)",
                       (long long)gt_lookup_start(lookup), (long long)lookup->max_tokens);
    if (lookup->salted && lookup->integers && !lookup->hashes_integers)
        return gt_fail(GT_INVALID, "salt needs .oov_method = GT_OOV_METHOD_FARMHASH");
    if (lookup->inverts && lookup->mode != GT_OUTPUT_MODE_INT)
        return gt_fail(GT_INVALID, "invert is for the output_mode INT");
    if (idf_weights && lookup->mode != GT_OUTPUT_MODE_TF_IDF)
        return gt_fail(GT_INVALID, "idf_weights are for the output_mode TF_IDF");
    return gt_output_mode_check(lookup->mode, UINT32_MAX);
}

int64_t gt_lookup_oov_start(const gt_Lookup *lookup)
{
    return lookup->mask.at && lookup->mode == GT_OUTPUT_MODE_INT;
}

int64_t gt_lookup_start(const gt_Lookup *lookup)
{
    return gt_lookup_oov_start(lookup) + lookup->num_oov_indices;
}

int64_t gt_lookup_size(const gt_Lookup *lookup)
{
    return gt_lookup_start(lookup) + lookup->tokens.text.count;
}

int64_t gt_lookup_depth(const gt_Lookup *lookup)
{
    if (lookup->pad)
        return lookup->max_tokens;
    if (lookup->bytes)
        return gt_lookup_size(lookup);
    gt_fail(GT_STATE, "it has no vocabulary yet, so it is not known how wide its vectors are: first "
                      "gt_adapt, or give .vocabulary");
    return -1;
}

/* ---- a vocabulary ---- */

static gt_Piece special_token(const gt_Lookup *lookup, int64_t index)
{
    return index < gt_lookup_oov_start(lookup) ? lookup->mask : lookup->oov;
}

/* Do the special tokens stand in front? */
static bool begins_special(const gt_Lookup *lookup, const gt_Text *text)
{
    int64_t start = gt_lookup_start(lookup);
    bool special = text->count >= start;
    for (int64_t i = 0; special && i < start; i++) {
        gt_Piece token = special_token(lookup, i);
        special = token.at && gt_piece_equal(token, gt_text_piece(text, i));
    }
    return special;
}

/* A token as messages show it. */
static const char *show(const gt_Lookup *lookup, gt_Piece token, char *text, size_t size)
{
    int64_t number;
    if (lookup->integers) {
        memcpy(&number, token.at, sizeof number);
        gt_text(text, size, "%lld", (long long)number);
    } else {
        gt_text(text, size, "\"%.*s\"", (int)(token.length < 60 ? token.length : 60), token.at);
    }
    return text;
}

static gt_Status check_tokens(const gt_Lookup *lookup, const gt_Tokens *tokens)
{
    char text[80];
    const gt_Piece reserved[] = {lookup->mask, lookup->inverts ? lookup->oov : (gt_Piece){NULL, 0}};
    for (int i = 0; i < 2; i++) {
        int64_t at = reserved[i].at ? gt_tokens_find(tokens, reserved[i]) : -1;
        if (at >= 0)
            return gt_fail(GT_INVALID,
                           "the vocabulary has the %s token %s at place %lld: leave special tokens out, "
                           "or put all of them in front, the mask first",
                           i ? "oov" : "mask", show(lookup, reserved[i], text, sizeof text),
                           (long long)at);
    }
    int64_t size = gt_lookup_start(lookup) + tokens->text.count;
    if (lookup->max_tokens != -1 && size > lookup->max_tokens)
        return gt_fail(GT_INVALID, "the vocabulary has %lld tokens with the special ones; max_tokens is %lld",
                       (long long)size, (long long)lookup->max_tokens);
    return GT_OK;
}

/* Vectors of a layer that was called have the width that what is behind it was built for. */
static gt_Status check_width(const gt_Layer *layer, const gt_Tokens *tokens)
{
    const gt_Lookup *lookup = &((const gt_LookupLayer *)layer)->lookup;
    if (lookup->mode == GT_OUTPUT_MODE_INT || lookup->pad || !layer->state->built || !lookup->bytes ||
        tokens->text.count == lookup->tokens.text.count)
        return GT_OK;
    return gt_fail(GT_STATE,
                   "the layer was called, and its vectors are %lld wide; a vocabulary of another size "
                   "needs pad_to_max_tokens",
                   (long long)gt_lookup_size(lookup));
}

/* One weight for each index, from those of the tokens or of all. */
static gt_Variable *idf_variable(gt_Context *context, const gt_Lookup *lookup, int64_t tokens,
                                 const gt_Tensor *weights, bool special)
{
    int64_t start = gt_lookup_start(lookup), count = gt_size(weights), all = start + tokens;
    gt_Spec spec = gt_spec(weights), wide = {0};
    double sum = 0, *numbers;
    if (gt_status() != GT_OK)
        return NULL;
    if (spec.rank != 1 || !gt_dtype_is_float(spec.dtype) || (count != all && (special || count != tokens))) {
        gt_fail(GT_INVALID, "idf_weights must be a vector of %lld floats, one a token (got %lld)",
                (long long)(special ? all : tokens), (long long)count);
        return NULL;
    }
    const void *data = gt_data(weights);
    gt_spec_set(&wide, GT_FLOAT64, gt_shape(all));
    gt_Tensor *full = data || count == 0 ? gt_tensor_new(context, &wide, (void **)&numbers) : NULL;
    for (int64_t i = 0; full && i < count; i++) {
        double number = gt_number_fetch(spec.dtype, data, i);
        if (!isfinite(number)) {
            gt_fail(GT_INVALID, "idf_weights must be finite (number %lld is %g)", (long long)i, number);
            return NULL;
        }
        numbers[all - count + i] = number;
        sum += number;
    }
    for (int64_t i = 0; full && i < all - count; i++)
        numbers[i] = sum / (double)count; /* of the tokens that have one */
    return full ? gt_variable(full, .trainable = false) : NULL;
}

/* The strings from number `first` on as variables. */
static gt_Status hold(gt_Context *context, const gt_Text *text, int64_t first, gt_Variable **bytes,
                      gt_Variable **offsets)
{
    int64_t from = text->offsets[first], count = text->count - first, *place;
    int64_t size = text->offsets[text->count] - from;
    gt_Spec spec = {0};
    if (!gt_spec_set(&spec, GT_INT64, gt_shape(count + 1)))
        return gt_fail(GT_INVALID, "the vocabulary is too large");
    gt_Tensor *places = gt_tensor_new(context, &spec, (void **)&place);
    for (int64_t i = 0; places && i <= count; i++)
        place[i] = text->offsets[first + i] - from;
    gt_Tensor *copy = gt_from_data(size > 0 ? text->bytes + from : "", gt_shape(size), GT_UINT8);
    *bytes = copy ? gt_variable(copy, .trainable = false) : NULL;
    *offsets = *bytes && places ? gt_variable(places, .trainable = false) : NULL;
    return gt_context_status(context);
}

static gt_Text text_of(const gt_Variable *bytes, const gt_Variable *offsets)
{
    const int64_t count = gt_size(offsets) - 1;
    const char *data = gt_data(bytes);
    return (gt_Text){.bytes = data ? data : "",
                     .offsets = gt_data(offsets),
                     .count = count,
                     .shape = gt_shape(count)};
}

static void drop_vocabulary(gt_Context *context, gt_Lookup *lookup)
{
    gt_tokens_close(context, &lookup->tokens);
    gt_variable_release(lookup->bytes);
    gt_variable_release(lookup->offsets);
    gt_variable_release(lookup->idf);
    gt_variable_release(lookup->numbers);
    gt_variable_release(lookup->sorted);
    gt_variable_release(lookup->indices);
    lookup->bytes = lookup->offsets = lookup->idf = NULL;
    lookup->numbers = lookup->sorted = lookup->indices = NULL;
}

/* What a file and a copy keep. */
static void tell_options(gt_Lookup *lookup)
{
    if (lookup->integers)
        *lookup->integer_option = lookup->numbers;
    else
        *lookup->option = (gt_Strings){.bytes = lookup->bytes, .offsets = lookup->offsets};
    *lookup->idf_option = lookup->idf;
}

/* Integers by operations: tokens in rising order, and the index of each. */
static gt_Status sort_integers(gt_Lookup *next)
{
    gt_Tensor *numbers = gt_from_data(next->tokens.text.bytes, gt_shape(next->tokens.text.count), GT_INT64);
    gt_Tensor *order = gt_argsort(numbers);
    gt_Tensor *indices = gt_add(order, gt_scalar((double)gt_lookup_start(next), gt_dtype(order)));
    next->numbers = numbers ? gt_variable(numbers, .trainable = false) : NULL;
    next->sorted = indices ? gt_variable(gt_take(numbers, order), .trainable = false) : NULL;
    next->indices = next->sorted ? gt_variable(gt_cast(indices, GT_INT64), .trainable = false) : NULL;
    return gt_status();
}

/* The next vocabulary, beside the present one; `special`: its special tokens stand in front. */
static gt_Status prepare(gt_Context *context, gt_Layer *layer, const gt_Text *text, bool special,
                         const gt_Tensor *idf_weights, gt_Lookup *next)
{
    int64_t again;
    char token[80];
    if (hold(context, text, special ? gt_lookup_start(next) : 0, &next->bytes, &next->offsets) != GT_OK)
        return gt_context_status(context);
    const gt_Text held = text_of(next->bytes, next->offsets);
    if (!gt_tokens_open(context, &next->tokens, &held, &again))
        return gt_context_status(context);
    if (again >= 0)
        return gt_fail(GT_INVALID, "the vocabulary has %s twice, again at place %lld",
                       show(next, gt_text_piece(&held, again), token, sizeof token), (long long)again);
    if (check_tokens(next, &next->tokens) != GT_OK || check_width(layer, &next->tokens) != GT_OK)
        return gt_context_status(context);
    if (next->mode == GT_OUTPUT_MODE_TF_IDF && !idf_weights)
        return gt_fail(GT_INVALID, "the output_mode TF_IDF needs idf_weights with a vocabulary");
    if (idf_weights && next->mode != GT_OUTPUT_MODE_TF_IDF)
        return gt_fail(GT_INVALID, "idf_weights are for the output_mode TF_IDF");
    if (idf_weights)
        next->idf = idf_variable(context, next, held.count, idf_weights, special);
    if (next->integers && gt_context_status(context) == GT_OK)
        sort_integers(next);
    return gt_context_status(context);
}

gt_Status gt_lookup_set(gt_Layer *layer, const gt_Strings *vocabulary, const gt_Tensor *idf_weights)
{
    gt_Lookup *lookup = &((gt_LookupLayer *)layer)->lookup;
    gt_Context *context = layer->state->object.context;
    gt_Lookup next = *lookup;
    gt_Text text;
    if (!gt_text_read(context, NULL, NULL, "the vocabulary", vocabulary, &text))
        return gt_context_status(context);
    if (text.count == 0)
        return gt_fail(GT_INVALID, "the vocabulary is empty");
    next.bytes = next.offsets = next.idf = next.numbers = next.sorted = next.indices = NULL;
    next.tokens = (gt_Tokens){.text = {.count = 0}};
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return gt_context_status(context);
    uint64_t recording = gt_tape_quiet(context);
    gt_Status status = prepare(context, layer, &text, begins_special(lookup, &text), idf_weights, &next);
    gt_tape_unquiet(context, recording);
    gt_scope_close(context);
    if (status != GT_OK) {
        drop_vocabulary(context, &next);
        return status;
    }
    drop_vocabulary(context, lookup);
    *lookup = next;
    tell_options(lookup);
    return GT_OK;
}

/* The integers as tokens of eight bytes. */
gt_Status gt_lookup_set_integers(gt_Layer *layer, gt_Tensor *vocabulary, const gt_Tensor *idf_weights)
{
    gt_Context *context = layer->state->object.context;
    gt_TextBuilder tokens = {.count = 0};
    gt_Spec spec = gt_spec(vocabulary);
    if (gt_status() == GT_OK && (spec.rank != 1 || !gt_dtype_is_integer(spec.dtype)))
        return gt_fail(GT_INVALID, "the vocabulary must be a vector of integers");
    gt_Scope *scope = gt_scope_open(context);
    const int64_t *number = scope ? gt_int64_data(gt_cast(vocabulary, GT_INT64)) : NULL;
    for (int64_t i = 0; number && i < spec.size; i++)
        if (!gt_builder_put(context, &tokens, &number[i], sizeof *number) ||
            !gt_builder_end(context, &tokens))
            break;
    gt_Strings strings = GT_NOT_GIVEN;
    if (gt_context_status(context) == GT_OK)
        strings = gt_builder_strings(context, &tokens);
    gt_builder_close(context, &tokens);
    if (gt_context_status(context) == GT_OK)
        gt_lookup_set(layer, &strings, idf_weights);
    if (scope)
        gt_scope_close(context);
    return gt_context_status(context);
}

gt_Status gt_lookup_create(gt_Layer *layer)
{
    gt_Lookup *lookup = &((gt_LookupLayer *)layer)->lookup;
    const gt_Tensor *idf_weights = *lookup->idf_option;
    if (check(lookup, idf_weights) != GT_OK)
        return gt_status();
    lookup->given = lookup->integers ? *lookup->integer_option != NULL : gt_strings_given(lookup->option);
    if (!lookup->given)
        return idf_weights ? gt_fail(GT_INVALID, "idf_weights need a vocabulary") : GT_OK;
    return lookup->integers ? gt_lookup_set_integers(layer, *lookup->integer_option, idf_weights)
                            : gt_lookup_set(layer, lookup->option, idf_weights);
}

void gt_lookup_close(gt_Context *context, gt_Lookup *lookup)
{
    drop_vocabulary(context, lookup);
    gt_counts_close(context, &lookup->counts);
}

/* ---- looking up ---- */

/* Which of several indices for unknown tokens. */
static int64_t bucket_of(const gt_Lookup *lookup, gt_Piece token)
{
    const int64_t buckets = lookup->num_oov_indices;
    const uint64_t *key = lookup->salted ? lookup->salt : NULL;
    int64_t number;
    if (!lookup->integers)
        return (int64_t)((key ? gt_hash_strong(key, token.at, token.length)
                              : gt_hash_fast(token.at, token.length)) %
                         (uint64_t)buckets);
    memcpy(&number, token.at, sizeof number);
    return lookup->hashes_integers ? (int64_t)(gt_hash_integer(key, number) % (uint64_t)buckets)
                                   : (number % buckets + buckets) % buckets;
}

int64_t gt_lookup_find(const gt_Lookup *lookup, gt_Piece token)
{
    if (lookup->mask.at && gt_piece_equal(token, lookup->mask))
        return lookup->mode == GT_OUTPUT_MODE_INT ? 0 : INT64_MAX;
    int64_t place = gt_tokens_find(&lookup->tokens, token);
    if (place >= 0)
        return gt_lookup_start(lookup) + place;
    if (lookup->num_oov_indices == 0)
        return -1;
    int64_t first = gt_lookup_oov_start(lookup);
    return lookup->num_oov_indices == 1 ? first : first + bucket_of(lookup, token);
}

gt_Piece gt_lookup_token(const gt_Lookup *lookup, int64_t index)
{
    int64_t start = gt_lookup_start(lookup);
    if (index >= start && index - start < lookup->tokens.text.count)
        return gt_text_piece(&lookup->tokens.text, index - start);
    return special_token(lookup, index >= 0 && index < start ? index : start);
}

bool gt_lookup_all(gt_Layer *layer, const gt_Text *text, int64_t *indices)
{
    const gt_Lookup *lookup = &((const gt_LookupLayer *)layer)->lookup;
    char token[80];
    if (!lookup->bytes) {
        gt_fail(GT_STATE, "it has no vocabulary yet: first gt_adapt, or give .vocabulary");
        return false;
    }
    for (int64_t i = 0; i < text->count; i++) {
        gt_Piece piece = gt_text_piece(text, i);
        if ((indices[i] = gt_lookup_find(lookup, piece)) >= 0)
            continue;
        gt_fail(GT_INVALID, "%s is not in the vocabulary, and with num_oov_indices 0 there is no index for it",
                show(lookup, piece, token, sizeof token));
        return false;
    }
    return true;
}

gt_Tensor *gt_lookup_encode(gt_Layer *layer, const gt_Text *text)
{
    const gt_Lookup *lookup = &((const gt_LookupLayer *)layer)->lookup;
    int64_t depth = lookup->mode == GT_OUTPUT_MODE_INT ? 0 : gt_lookup_depth(lookup);
    gt_Text shaped = *text;
    shaped.shape = gt_one_hot_rows(text->shape, lookup->mode);
    if (depth < 0 || text->symbol)
        return depth < 0 ? NULL : gt_encode_text(&shaped, NULL, lookup->mode, depth, gt_float_type(layer), NULL);
    gt_Context *context = gt_context();
    size_t bytes = (size_t)text->count * sizeof(int64_t);
    int64_t *indices = gt_allocate_unpooled(context, bytes);
    gt_Tensor *y = indices && gt_lookup_all(layer, text, indices)
                       ? gt_encode_text(&shaped, indices, lookup->mode, depth, gt_float_type(layer), lookup->idf)
                       : NULL;
    gt_release_unpooled(context, indices, bytes);
    return y;
}

/* ---- learning ---- */

gt_Status gt_lookup_begin(gt_Layer *layer)
{
    gt_Lookup *lookup = &((gt_LookupLayer *)layer)->lookup;
    if (lookup->given)
        return gt_fail(GT_STATE, "its vocabulary was given, so there is nothing to learn; "
                                 "gt_set_vocabulary gives it another one");
    gt_counts_close(layer->state->object.context, &lookup->counts);
    return gt_status();
}

gt_Status gt_lookup_learn(gt_Layer *layer, const gt_Text *text, int64_t strings_in_document)
{
    gt_Lookup *lookup = &((gt_LookupLayer *)layer)->lookup;
    for (int64_t i = 0; i < text->count; i++) {
        if (i % strings_in_document == 0)
            gt_counts_document(&lookup->counts);
        if (!gt_counts_add(layer->state->object.context, &lookup->counts, gt_text_piece(text, i)))
            break;
    }
    return gt_status();
}

/* Tokens, in their order, without special ones, as many as there is room for; and in how many documents each came. */
static gt_Status gather(gt_Context *context, const gt_Lookup *lookup, const int32_t *order,
                        gt_TextBuilder *tokens, double *documents)
{
    const gt_Text seen = gt_builder_text(&lookup->counts.tokens);
    int64_t most = lookup->max_tokens == -1 ? INT64_MAX : lookup->max_tokens - gt_lookup_start(lookup);
    for (int64_t i = 0; i < seen.count && tokens->count < most; i++) {
        gt_Piece token = gt_text_piece(&seen, order[i]);
        if ((lookup->mask.at && gt_piece_equal(token, lookup->mask)) ||
            (lookup->oov.at && gt_piece_equal(token, lookup->oov)))
            continue;
        documents[tokens->count] = (double)gt_counts_documents(&lookup->counts, order[i]);
        if (!gt_builder_put(context, tokens, token.at, token.length) || !gt_builder_end(context, tokens))
            break;
    }
    return gt_context_status(context);
}

/* log(1 + documents / (1 + documents with the token)), rounded as the layer computes. */
static gt_Tensor *inverse_frequencies(const gt_Layer *layer, double *documents, int64_t tokens)
{
    const gt_Lookup *lookup = &((const gt_LookupLayer *)layer)->lookup;
    for (int64_t i = 0; i < tokens; i++)
        documents[i] = log(1 + (double)lookup->counts.documents / (1 + documents[i]));
    return gt_cast(gt_from_data(documents, gt_shape(tokens), GT_FLOAT64), gt_float_type(layer));
}

static gt_Status finish(gt_Context *context, gt_Layer *layer, const int32_t *order, double *documents)
{
    gt_Lookup *lookup = &((gt_LookupLayer *)layer)->lookup;
    gt_TextBuilder tokens = {.count = 0};
    gt_Scope *scope = gt_scope_open(context);
    if (scope && gather(context, lookup, order, &tokens, documents) == GT_OK) {
        gt_Strings learned = gt_builder_strings(context, &tokens);
        gt_Tensor *weights = lookup->mode == GT_OUTPUT_MODE_TF_IDF && tokens.count > 0
                                 ? inverse_frequencies(layer, documents, tokens.count)
                                 : NULL;
        if (tokens.count == 0 && gt_context_status(context) == GT_OK)
            gt_fail(GT_INVALID, "there are no tokens to learn but special ones");
        if (gt_context_status(context) == GT_OK)
            gt_lookup_set(layer, &learned, weights);
    }
    if (scope)
        gt_scope_close(context);
    gt_builder_close(context, &tokens);
    return gt_context_status(context);
}

gt_Status gt_lookup_end(gt_Layer *layer)
{
    gt_Lookup *lookup = &((gt_LookupLayer *)layer)->lookup;
    gt_Context *context = layer->state->object.context;
    size_t count = (size_t)lookup->counts.tokens.count;
    int32_t *order = gt_counts_order(context, &lookup->counts, lookup->integers);
    double *documents = order ? gt_allocate(context, count * sizeof *documents) : NULL;
    if (documents)
        finish(context, layer, order, documents);
    gt_release(context, documents, count * sizeof *documents);
    gt_release(context, order, count * sizeof *order);
    gt_counts_close(context, &lookup->counts);
    return gt_context_status(context);
}
