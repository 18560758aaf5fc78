/* Layers on text beside what the walks see: vocabularies that are learned, what splitting and standardizing make of any bytes
 * (numbers and tokens by Keras and TensorFlow, oracle/make_text.py), models that begin with text, files, mistakes. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part), "\"%s\" lacks \"%s\"",
              gt_error_message(), part);
    gt_error_clear();
}

static void finish(void)
{
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- the data of oracle/make_text.py ---- */

static const char *word(int i)
{
    static const char *const words[] = {"red",   "Red", "blue", "green",               "",
                                        "[UNK]", "b",   "bl",   "\xC3\xA9t\xC3\xA9", "z"};
    return words[(i * i + 3 * i + i / 7) % 10];
}

static gt_Strings column(int n)
{
    const char *items[128];
    for (int i = 0; i < n; i++)
        items[i] = word(i);
    return gt_strings_from(items, n);
}

static gt_Strings table(int n, int width)
{
    return gt_strings_in_rows(column(n * width), width);
}

static gt_Strings sentences(void)
{
    return gt_strings("The red wine, the white wine.", "A RED wine!", "", "white (white) white; a-b",
                      "the  a\tthe\nred", "[UNK] wine");
}

static gt_Tensor *integers(int rows, int columns)
{
    int64_t numbers[60];
    for (int64_t i = 0; i < 60; i++)
        numbers[i] = i * i * i % 11 - 3;
    return gt_from_data(numbers, columns ? gt_shape(rows, columns) : gt_shape(rows), GT_INT64);
}

/* ---- what it learned ---- */

typedef struct Case {
    const char *name, *learned;
    int rows, columns;
    const double *numbers;
} Case;

static const struct {
    const char *name, *tokens;
} learned[] = {
#define LEARNED(name, tokens) {#name, tokens},
#define NUMBERS(name, rows, columns, ...)
#define CHARACTERS(bytes, tokens, count)
#define BLANKS(bytes, tokens, count)
#define PLAIN(bytes, plain)
#include "oracle/text.inc"
#undef LEARNED
#undef NUMBERS
};

static const struct {
    const char *name;
    int rows, columns;
    double numbers[128];
} numbers[] = {
#define LEARNED(name, tokens)
#define NUMBERS(name, rows, columns, ...) {#name, rows, columns, {__VA_ARGS__}},
#include "oracle/text.inc"
#undef LEARNED
#undef NUMBERS
#undef CHARACTERS
#undef BLANKS
#undef PLAIN
};

/* The strings with bars between them. */
static const char *joined(gt_Strings strings)
{
    static char text[1024];
    size_t used = 0, length;
    for (int64_t i = 0; i < gt_strings_count(strings); i++) {
        const char *piece = gt_strings_get(strings, i, &length);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i ? "|" : "", (int)length, piece);
    }
    text[used] = 0;
    return text;
}

static void check_learned(const char *name, const char *tokens)
{
    for (size_t i = 0; i < sizeof learned / sizeof *learned; i++)
        if (strcmp(learned[i].name, name) == 0) {
            cr_assert_str_eq(tokens, learned[i].tokens, "%s: %s", name, tokens);
            return;
        }
    cr_assert(false, "make_text.py has no %s", name);
}

static void check_numbers(const char *name, gt_Tensor *y)
{
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        if (strcmp(numbers[k].name, name) != 0)
            continue;
        cr_assert(y && gt_shape_equal(gt_tensor_shape(y), gt_shape(numbers[k].rows, numbers[k].columns)), "%s: %s",
                  name, gt_error_message());
        for (int64_t i = 0; i < gt_size(y); i++)
            cr_assert_float_eq(gt_element(y, i), numbers[k].numbers[i], 1e-6, "%s, element %d: %g", name, (int)i,
                               gt_element(y, i));
        return;
    }
    cr_assert(false, "make_text.py has no %s", name);
}

Test(layers_text, learns_words)
{
    gt_Layer *words = gt_StringLookup();
    gt_adapt(words, NULL, .text = column(50));
    check_learned("words", joined(gt_get_vocabulary(words)));
    gt_Layer *masked = gt_StringLookup(.mask_token = "", .max_tokens = 6, .num_oov_indices = 2);
    gt_adapt(masked, NULL, .text = column(80));
    check_learned("masked", joined(gt_get_vocabulary(masked)));
    cr_assert(gt_vocabulary_size(masked) == 6);
    cr_assert_str_eq(joined(gt_get_vocabulary(masked, .include_special_tokens = false)), "red|z|blue");
    gt_Layer *bags = gt_StringLookup(.mask_token = "", .max_tokens = 7, .output_mode = GT_OUTPUT_MODE_TF_IDF,
                                     .pad_to_max_tokens = true);
    gt_adapt(bags, NULL, .text = table(12, 4));
    check_learned("bags", joined(gt_get_vocabulary(bags)));
    check_numbers("bags", gt_call(bags, NULL, .text = table(5, 4)));
    gt_Layer *few = gt_StringLookup(.max_tokens = 20, .output_mode = GT_OUTPUT_MODE_TF_IDF, .pad_to_max_tokens = true);
    gt_adapt(few, NULL, .text = table(6, 2));
    check_learned("few", joined(gt_get_vocabulary(few)));
    check_numbers("few", gt_call(few, NULL, .text = table(5, 2)));
    finish();
}

Test(layers_text, learns_sentences)
{
    gt_Layer *plain = gt_TextVectorization();
    gt_adapt(plain, NULL, .text = sentences());
    check_learned("sentences", joined(gt_get_vocabulary(plain)));
    check_numbers("sentences", gt_call(plain, NULL, .text = sentences()));
    gt_Layer *pairs = gt_TextVectorization(.ngram_widths = gt_shape(2), .max_tokens = 6, .output_sequence_length = 3);
    gt_adapt(pairs, NULL, .text = sentences());
    check_learned("pairs", joined(gt_get_vocabulary(pairs)));
    check_numbers("pairs", gt_call(pairs, NULL, .text = sentences()));
    gt_Layer *weighed = gt_TextVectorization(.output_mode = GT_OUTPUT_MODE_TF_IDF);
    gt_adapt(weighed, NULL, .text = sentences());
    check_learned("weighed", joined(gt_get_vocabulary(weighed)));
    check_numbers("weighed", gt_call(weighed, NULL, .text = sentences()));
    finish();
}

static const char *digits(gt_Tensor *whole)
{
    static char text[256];
    size_t used = 0;
    for (int64_t i = 0; i < gt_size(whole); i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%g", i ? "|" : "", gt_element(whole, i));
    return text;
}

Test(layers_text, learns_integers)
{
    gt_Layer *whole = gt_IntegerLookup(.max_tokens = 8, .mask_token = 0);
    gt_Dataset *rows = gt_dataset_from_tensors(integers(60, 0), NULL, .batch_size = 7);
    gt_adapt(whole, rows);
    check_learned("integers", digits(gt_get_integer_vocabulary(whole)));
    check_numbers("integers", gt_cast(gt_call(whole, integers(6, 10)), GT_FLOAT64));
    gt_Layer *counted = gt_IntegerLookup(.output_mode = GT_OUTPUT_MODE_TF_IDF);
    gt_Dataset *documents = gt_dataset_from_tensors(integers(12, 5), NULL, .batch_size = 5);
    gt_adapt(counted, documents);
    check_learned("counted", digits(gt_get_integer_vocabulary(counted)));
    check_numbers("counted", gt_call(counted, integers(6, 10)));
    cr_assert_str_eq(digits(gt_get_integer_vocabulary(whole, .include_special_tokens = false)), "6|5|2|-2|-3|7");
    gt_set_integer_vocabulary(whole, gt_cast(gt_array(gt_shape(2), 100, 200), GT_INT32));
    cr_assert(gt_element(gt_call(whole, gt_cast(gt_array(gt_shape(1), 200), GT_INT32)), 0) == 3);
    cr_assert(gt_set_integer_vocabulary(whole, gt_array(gt_shape(2), 1, 2)) == GT_INVALID);
    fails(GT_INVALID, "a vector of integers");
    cr_assert(gt_set_integer_vocabulary(whole, gt_cast(gt_array(gt_shape(2), 7, 7), GT_INT64)) == GT_INVALID);
    fails(GT_INVALID, "has 7 twice");
    gt_dataset_free(rows);
    gt_dataset_free(documents);
    finish();
}

/* Large integers are exact, also where doubles are not. */
Test(layers_text, exact_integers)
{
    const int64_t large[] = {INT64_MAX, INT64_MAX - 1, INT64_MIN + 1, (INT64_C(1) << 53) + 1};
    gt_Tensor *x = gt_from_data(large, gt_shape(4), GT_INT64);
    gt_Layer *lookup = gt_IntegerLookup(.vocabulary = x);
    gt_Layer *back = gt_IntegerLookup(.vocabulary = x, .invert = true, .oov_token = INT64_MAX - 2);
    gt_Tensor *indices = gt_call(lookup, x);
    for (int i = 0; i < 4; i++)
        cr_assert(gt_int64_data(indices)[i] == i + 1);
    gt_Tensor *tokens = gt_call(back, gt_add(indices, gt_ones_like(indices)));
    cr_assert(gt_int64_data(tokens)[0] == large[1] && gt_int64_data(tokens)[2] == large[3] &&
              gt_int64_data(tokens)[3] == INT64_MAX - 2);
    gt_Layer *strict = gt_IntegerLookup(.vocabulary = x, .num_oov_indices = 0);
    cr_assert(gt_element(gt_call(strict, x), 3) == 3);
    cr_assert(!gt_call(strict, gt_add(x, gt_ones_like(x))) && gt_status() == GT_INVALID);
    gt_error_clear();
    finish();
}

/* ---- bytes ---- */

static size_t unhex(const char *hex, char *bytes)
{
    size_t n = 0;
    for (; hex[0] && hex[0] != '|'; hex += 2, n++) {
        unsigned byte;
        cr_assert(sscanf(hex, "%2x", &byte) == 1);
        bytes[n] = (char)byte;
    }
    return n;
}

/* One string of any bytes. */
static gt_Strings of_bytes(const char *bytes, size_t size)
{
    const int64_t offsets[] = {0, (int64_t)size};
    return (gt_Strings){gt_from_data(bytes, gt_shape((int64_t)size), GT_UINT8),
                        gt_from_data(offsets, gt_shape(2), GT_INT64), 0};
}

/* The tokens that a layer makes of bytes, learned in turn: each string is a token list of one row. */
static void check_split(gt_Split split, const char *hex, const char *tokens, int count)
{
    char bytes[64], wanted[16];
    size_t size = unhex(hex, bytes);
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_TextVectorization(.split = split, .standardize = GT_STANDARDIZE_NONE,
                                           .vocabulary = gt_strings("A"));
    gt_Tensor *y = gt_call(layer, NULL, .text = of_bytes(bytes, size));
    cr_assert(y && gt_dim(gt_tensor_shape(y), 1) == count, "%s: %d tokens for %d", hex,
              y ? (int)gt_dim(gt_tensor_shape(y), 1) : -1, count);
    for (int i = 0; i < count; i++) {
        size_t length = unhex(tokens, wanted);
        gt_Layer *one = gt_TextVectorization(.split = split, .standardize = GT_STANDARDIZE_NONE,
                                             .vocabulary = of_bytes(wanted, length));
        gt_Tensor *indices = gt_call(one, NULL, .text = of_bytes(bytes, size));
        cr_assert(indices && gt_element(indices, i) == 2, "%s: token %d", hex, i);
        gt_layer_free(one);
        tokens += 2 * length + 1;
    }
    gt_layer_free(layer);
    gt_scope_end(scope);
}

Test(layers_text, splits_any_bytes)
{
#define LEARNED(name, tokens)
#define NUMBERS(name, rows, columns, ...)
#define CHARACTERS(bytes, tokens, count) check_split(GT_SPLIT_CHARACTER, bytes, tokens, count);
#define BLANKS(bytes, tokens, count)     check_split(GT_SPLIT_WHITESPACE, bytes, tokens, count);
#define PLAIN(bytes, plain)
#include "oracle/text.inc"
#undef CHARACTERS
#undef BLANKS
#undef PLAIN
    finish();
}

Test(layers_text, standardizes_any_bytes)
{
    char bytes[256], wanted[256];
    size_t size = 0, length = 0;
#define CHARACTERS(bytes, tokens, count)
#define BLANKS(bytes, tokens, count)
#define PLAIN(all, plain)                                                                          \
    size = unhex(all, bytes);                                                                      \
    length = unhex(plain, wanted);
#include "oracle/text.inc"
    cr_assert(size == 255 && length > 200);
    gt_Layer *layer = gt_TextVectorization(.split = GT_SPLIT_NONE, .vocabulary = of_bytes(wanted, length));
    cr_assert(gt_element(gt_call(layer, NULL, .text = of_bytes(bytes, size)), 0) == 2);
    finish();
}

/* ---- models ---- */

static void file_name(char *path, size_t size)
{
    snprintf(path, size, "/tmp/gradtape-text-%d.gradtape", (int)getpid());
}

/* A classifier learns from a small table, with the loss of all rows at each step, and answers after a file. */
static void learns_to_classify(gt_Layer *first)
{
    char path[64];
    gt_Strings text = gt_strings("good", "bad", "fine", "awful", "good", "bad", "fine", "awful");
    gt_Tensor *y = gt_array(gt_shape(8, 1), 1, 0, 1, 0, 1, 0, 1, 0);
    if (!gt_vocabulary_size(first) || gt_vocabulary_size(first) <= 2)
        gt_adapt(first, NULL, .text = text);
    gt_Layer *model = gt_Sequential(first, gt_Embedding(gt_vocabulary_size(first), 4), gt_GlobalAveragePooling1D(),
                                    gt_Dense(1));
    gt_Optimizer *adam = gt_Adam(0.1);
    gt_Strings rows = gt_strings_in_rows(text, 1);
    double loss = 0, before = 0;
    for (int step = 0; step < 60; step++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *logits = gt_call(model, NULL, .text = rows, .training = true);
        gt_Tensor *error = gt_mean(gt_binary_crossentropy(y, logits, .from_logits = true));
        loss = gt_item(error);
        before = step == 0 ? loss : before;
        gt_minimize(adam, tape, error, gt_trainable_variables(model));
        gt_tape_end(tape);
    }
    cr_assert(loss < 0.1 && before > 0.5, "%g then %g: %s", before, loss, gt_error_message());
    file_name(path, sizeof path);
    cr_assert(gt_save_model(model, path) == GT_OK, "%s", gt_error_message());
    gt_Layer *again = gt_load_model(path);
    cr_assert(again, "%s", gt_error_message());
    gt_Strings news = gt_strings_in_rows(gt_strings("fine", "awful", "good", "never seen"), 1);
    gt_Tensor *one = gt_call(model, NULL, .text = news), *other = gt_call(again, NULL, .text = news);
    for (int i = 0; i < 4; i++)
        cr_assert(gt_element(one, i) == gt_element(other, i));
    cr_assert(gt_element(other, 0) > 0 && gt_element(other, 1) < 0 && gt_element(other, 2) > 0);
    char *json = strdup(gt_layer_to_json(model));
    cr_assert_str_eq(json, gt_layer_to_json(again));
    free(json);
    gt_Layer *copy = gt_layer_copy(again);
    cr_assert(gt_call(copy, NULL, .text = news), "%s", gt_error_message());
    gt_layer_free(copy);
    gt_layer_free(model);
    gt_layer_free(again);
    gt_optimizer_free(adam);
    unlink(path);
}

Test(layers_text, classifies)
{
    learns_to_classify(gt_StringLookup());
    learns_to_classify(gt_TextVectorization(.output_sequence_length = 2));
    finish();
}

/* As in Keras, a Sequential may begin with what its input is like; so it is built when it is made. */
Test(layers_text, input_layer)
{
    char path[64];
    file_name(path, sizeof path);
    gt_Layer *model = gt_Sequential(gt_InputLayer(gt_shape(1), .dtype = GT_TEXT),
                                    gt_TextVectorization(.vocabulary = gt_strings("red", "wine")),
                                    gt_Embedding(4, 3), gt_GlobalAveragePooling1D(), gt_Dense(2));
    cr_assert(model && gt_weights(model).count == 3, "%s", gt_error_message());
    cr_assert(strstr(gt_summary(model), "input_layer (InputLayer)                           (None, 1)"), "%s", gt_summary(model));
    gt_Strings text = gt_strings_in_rows(gt_strings("red wine", "white"), 1);
    gt_Tensor *y = gt_call(model, NULL, .text = text);
    cr_assert(gt_save_model(model, path) == GT_OK && gt_shape_equal(gt_tensor_shape(y), gt_shape(2, 2)), "%s",
              gt_error_message());
    gt_Layer *again = gt_load_model(path), *copy = gt_layer_copy(model);
    gt_Tensor *z = gt_call(again, NULL, .text = text);
    for (int i = 0; i < 4; i++)
        cr_assert(gt_element(y, i) == gt_element(z, i), "%s", gt_error_message());
    cr_assert(gt_call(copy, NULL, .text = text), "%s", gt_error_message());
    gt_Tensor *symbol = gt_Input(gt_shape(1), .dtype = GT_TEXT);
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_call(model, symbol)), gt_shape(-1, 2)), "%s", gt_error_message());
    cr_assert(!gt_call(model, NULL, .text = gt_strings("red")));
    fails(GT_INVALID, "the input must be text (-1, 1) (got text (1,)), in sequential/input_layer");
    cr_assert(!gt_call(model, gt_ones(gt_shape(2, 1))));
    fails(GT_INVALID, "the input must be text (-1, 1) (got float32 (2, 1))");
    gt_Layer *plain = gt_Sequential(gt_InputLayer(gt_shape(1)), gt_Dense(2));
    cr_assert(!gt_call(plain, NULL, .text = text));
    fails(GT_INVALID, "the input must be float32 (-1, 1) (got text (2, 1))");
    gt_Layer *alone = gt_Sequential(gt_InputLayer(gt_shape(1), .dtype = GT_TEXT));
    cr_assert(!gt_call(alone, NULL, .text = text));
    fails(GT_INVALID, "there is no layer for the text");
    cr_assert(!gt_Sequential(gt_InputLayer(gt_shape(1), .dtype = GT_TEXT), gt_Dense(2)));
    fails(GT_INVALID, "must be a tensor (got text)");
    cr_assert(!gt_InputLayer(gt_shape(1, 2), .dtype = GT_TEXT));
    fails(GT_INVALID, "an input cannot be text (1, 2)");
    gt_layer_free(alone);
    gt_layer_free(plain);
    gt_layer_free(copy);
    gt_layer_free(again);
    gt_layer_free(model);
    unlink(path);
    finish();
}

/* A vocabulary that JSON has no text for: zeros, bytes that are no UTF-8. And one that was learned with its weights. */
Test(layers_text, files_keep_vocabularies)
{
    char path[64];
    file_name(path, sizeof path);
    static const char bytes[] = "a\0\xFF\xC3\xA9\"\\\n";
    const int64_t offsets[] = {0, 1, 2, 3, 5, 8};
    gt_Strings odd = {gt_from_data(bytes, gt_shape(8), GT_UINT8), gt_from_data(offsets, gt_shape(6), GT_INT64), 0};
    gt_Layer *model = gt_Sequential(gt_StringLookup(.vocabulary = odd));
    gt_call(model, NULL, .text = odd);
    cr_assert(strstr(gt_layer_to_json(model), "\"vocabulary\":[\"a\",[0],[255],\"\xC3\xA9\",\"\\\"\\\\\\u000a\"]"), "%s",
              gt_layer_to_json(model));
    gt_save_model(model, path);
    gt_Layer *again = gt_load_model(path);
    gt_Tensor *index = gt_call(again, NULL, .text = odd);
    for (int i = 0; i < 5; i++)
        cr_assert(gt_element(index, i) == i + 1, "%s", gt_error_message());
    gt_layer_free(model);
    gt_layer_free(again);

    gt_Layer *weighed = gt_TextVectorization(.output_mode = GT_OUTPUT_MODE_TF_IDF);
    gt_adapt(weighed, NULL, .text = sentences());
    model = gt_Sequential(weighed);
    gt_call(model, NULL, .text = sentences());
    gt_save_model(model, path);
    again = gt_load_model(path);
    check_numbers("weighed", gt_call(again, NULL, .text = sentences()));
    cr_assert(gt_adapt(gt_get_layer(again, 0), NULL, .text = sentences()) == GT_STATE);
    fails(GT_STATE, "its vocabulary was given");
    gt_layer_free(model);
    gt_layer_free(again);
    unlink(path);
    finish();
}

/* The text of a model with one thing in it replaced. */
static const char *replaced(const char *json, const char *from, const char *to)
{
    static char text[8192];
    const char *at = strstr(json, from);
    cr_assert(at, "\"%s\" is not in %s", from, json);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    return text;
}

Test(layers_text, broken_files)
{
    static const struct {
        const char *from, *to, *error;
    } broken[] = {
        {"[\"a\",\"b\"]", "[\"a\",\"a\"]", "has \"a\" twice"},
        {"[\"a\",\"b\"]", "[]", "the vocabulary is empty"},
        {"[\"a\",\"b\"]", "[\"a\",1]", "a list of strings has something else in it"},
        {"[\"a\",\"b\"]", "[\"a\",[256]]", "numbers from 0 to 255"},
        {"[\"a\",\"b\"]", "[\"a\",[-1]]", "numbers from 0 to 255"},
        {"[\"a\",\"b\"]", "[\"a\",[\"b\"]]", "numbers from 0 to 255"},
        {"[\"a\",\"b\"]", "{\"a\":1}", "vocabulary must be a list of strings"},
        {"[\"a\",\"b\"]", "[\"a\",\"b\"", "the text"},
        {"\"max_tokens\":-1", "\"max_tokens\":3", "the vocabulary has 4 tokens"},
        {"\"standardize_function\":null", "\"standardize_function\":\"nobody\"", "no function is known as \"nobody\""},
        {"\"split\":0", "\"split\":7", "unknown split 7"},
        {"\"standardize\":0", "\"standardize\":-1", "unknown standardize -1"},
        {"\"dtype\":\"text\",\"shape\":[1]", "\"dtype\":\"text\",\"shape\":[1,2,3]", ""},
        {"\"dtype\":\"text\",\"shape\":[1]", "\"dtype\":\"text\",\"shape\":[-1]", ""},
    };
    gt_Layer *model = gt_Sequential(gt_TextVectorization(.vocabulary = gt_strings("a", "b")));
    gt_call(model, NULL, .text = gt_strings("a"));
    char *json = strdup(gt_layer_to_json(model));
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        cr_assert(!gt_layer_from_json(replaced(json, broken[i].from, broken[i].to)), "%s", broken[i].to);
        cr_assert(gt_status() != GT_OK && strstr(gt_error_message(), broken[i].error), "%s: %s", broken[i].to,
                  gt_error_message());
        gt_error_clear();
    }
    free(json);
    gt_layer_free(model);
    finish();
}

/* ---- functional models ---- */

typedef struct Model {
    gt_Layer *model, *lookup;
} Model;

/* Two texts and a number. */
static Model functional(void)
{
    gt_Tensor *title = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "title");
    gt_Tensor *size = gt_Input(gt_shape(2), .name = "size");
    gt_Tensor *color = gt_Input(gt_shape(1), .dtype = GT_TEXT, .name = "color");
    Model made = {.lookup = gt_StringLookup(.vocabulary = gt_strings("red", "blue"))};
    gt_Tensor *words = gt_call(gt_TextVectorization(.vocabulary = gt_strings("wine", "beer")), title);
    gt_Tensor *bag = gt_call(gt_GlobalAveragePooling1D(), gt_call(gt_Embedding(4, 3), words));
    gt_Tensor *hue = gt_call(gt_Flatten(), gt_call(gt_Embedding(3, 2), gt_call(made.lookup, color)));
    gt_Tensor *cross = gt_call(gt_HashedCrossing(4, .output_mode = GT_OUTPUT_MODE_ONE_HOT), color,
                               .named = gt_named({"x2", gt_call(gt_Hashing(9), color)}));
    gt_Tensor *all = gt_concatenate(gt_tensors(bag, hue, size, cross), .axis = -1);
    made.model = gt_Model(gt_tensors(title, size, color), gt_tensors(gt_call(gt_Dense(1), all), all));
    cr_assert(made.model, "%s", gt_error_message());
    cr_assert(gt_dim(gt_tensor_shape(words), 1) == -1 && gt_dtype(title) == GT_TEXT);
    return made;
}

static gt_Tensor *call_functional(gt_Layer *model, gt_Strings title, gt_Strings color, gt_Tensor **all)
{
    return gt_call(model, NULL, .text = title,
                   .named = gt_named({"size", gt_ones(gt_shape(gt_strings_count(title), 2))}),
                   .named_text = gt_named_text({"color", color}), .outputs = gt_outputs(all));
}

Test(layers_text, functional_models)
{
    char path[64];
    file_name(path, sizeof path);
    Model made = functional();
    gt_Tensor *all, *other;
    gt_Strings color = gt_strings_in_rows(gt_strings("blue", "green", "red"), 1);
    gt_Tensor *y = call_functional(made.model, gt_strings("wine", "beer and wine", ""), color, &all);
    cr_assert(y && gt_shape_equal(gt_tensor_shape(all), gt_shape(3, 11)), "%s", gt_error_message());
    gt_save_model(made.model, path);
    gt_Layer *again = gt_load_model(path);
    cr_assert(again, "%s", gt_error_message());
    call_functional(again, gt_strings("wine", "beer and wine", ""), color, &other);
    for (int i = 0; i < 33; i++)
        cr_assert(gt_element(all, i) == gt_element(other, i), "%s", gt_error_message());
    gt_Layer *copy = gt_layer_copy(made.model);
    cr_assert(call_functional(copy, gt_strings("wine"), gt_strings_in_rows(gt_strings("red"), 1), &other), "%s",
              gt_error_message());
    cr_assert(strstr(gt_summary(made.model), "text_vectorization"));
    /* gradients go through what is behind the text */
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_square(call_functional(made.model, gt_strings("wine"), gt_strings_in_rows(gt_strings("red"), 1), &other)));
    gt_Tensors weights = gt_trainable_variables(made.model);
    gt_Tensor *gradients[8];
    cr_assert(weights.count == 4 && gt_gradients(tape, gt_tensors(loss), weights, gradients) == GT_OK, "%s",
              gt_error_message());
    gt_tape_end(tape);

    cr_assert(!call_functional(made.model, gt_strings("wine"), gt_strings("red"), &all));
    fails(GT_INVALID, "the input \"color\" must be text (-1, 1) (got text (1,))");
    cr_assert(!gt_call(made.model, gt_ones(gt_shape(1)), .more = gt_tensors(gt_ones(gt_shape(1, 2)))));
    fails(GT_INVALID, "the input \"title\" must be text");
    cr_assert(!gt_call(made.model, NULL, .text = gt_strings("a"), .named_text = gt_named_text({"size", gt_strings("a")})));
    fails(GT_INVALID, "must be a tensor (got text)");
    cr_assert(!gt_call(made.model, NULL, .text = gt_strings("a"), .named_text = gt_named_text({"title", gt_strings("a")})));
    fails(GT_INVALID, "given twice");
    cr_assert(!gt_call(made.model, NULL, .text = gt_strings("a"), .named_text = gt_named_text({"price", gt_strings("a")})));
    fails(GT_INVALID, "it has no input \"price\"");
    cr_assert(!gt_call(made.model, NULL, .text = gt_strings("a"), .named = gt_named({"size", gt_ones(gt_shape(1, 2))})));
    fails(GT_INVALID, "the input \"color\" is missing (got 2 inputs); it is text: gt_call has .named_text for it");
    gt_layer_free(copy);
    gt_layer_free(made.model);
    gt_layer_free(again);
    unlink(path);
    finish();
}

Test(layers_text, symbols_of_text)
{
    gt_Tensor *text = gt_Input(gt_shape(), .dtype = GT_TEXT), *x = gt_Input(gt_shape(3));
    cr_assert(!gt_add(text, text));
    fails(GT_UNSUPPORTED, "add: an input for text has no operations");
    cr_assert(!gt_reshape(text, gt_shape(-1, 1)));
    fails(GT_UNSUPPORTED, "has no operations");
    cr_assert(!gt_call(gt_Dense(2), text));
    fails(GT_INVALID, "the input must be a tensor (got an input for text)");
    cr_assert(!gt_call(gt_Concatenate(), x, .more = gt_tensors(text)));
    fails(GT_INVALID, "must be a tensor (got an input for text)");
    cr_assert(!gt_call(gt_StringLookup(), x));
    fails(GT_INVALID, "the input must be text");
    cr_assert(!gt_Model(gt_tensors(text), gt_tensors(text)));
    fails(GT_INVALID, "output 1 is text");
    cr_assert(!gt_call(gt_Sequential(gt_Dense(2)), text));
    fails(GT_INVALID, "must be a tensor (got text)");
    cr_assert(!gt_call(gt_StringLookup(.output_mode = GT_OUTPUT_MODE_COUNT), text));
    fails(GT_STATE, "it has no vocabulary yet, so it is not known how wide its vectors are");
    cr_assert(!gt_call(gt_HashedCrossing(3), text, .named_text = gt_named_text({"x2", gt_strings("a")})));
    fails(GT_INVALID, "text and symbols cannot be mixed");
    /* rows of tokens have known lengths where they are not split */
    gt_Tensor *rows = gt_Input(gt_shape(3), .dtype = GT_TEXT);
    const gt_Shape widths[] = {gt_shape(1), gt_shape(2), gt_shape(3, 1), gt_shape(5, 3)};
    const int64_t lengths[] = {3, 2, 4, 1};
    for (int i = 0; i < 4; i++) {
        gt_Layer *joins = gt_TextVectorization(.split = GT_SPLIT_NONE, .vocabulary = gt_strings("a", "a b c"),
                                               .ngram_widths = widths[i]);
        gt_Tensor *drawn = gt_call(joins, rows);
        cr_assert(drawn && gt_shape_equal(gt_tensor_shape(drawn), gt_shape(-1, lengths[i])), "%s", gt_error_message());
        gt_Tensor *made = gt_call(joins, NULL, .text = gt_strings_in_rows(gt_strings("a", "b", "c"), 3));
        cr_assert(gt_shape_equal(gt_tensor_shape(made), gt_shape(1, lengths[i])));
    }
    gt_Layer *single = gt_TextVectorization(.split = GT_SPLIT_NONE, .vocabulary = gt_strings("a"));
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_call(single, rows)), gt_shape(-1, 3)), "%s", gt_error_message());
    cr_assert(!gt_Input(gt_shape(2, 2), .dtype = GT_TEXT));
    fails(GT_INVALID, "an input cannot be text");
    cr_assert(!gt_zeros(gt_shape(2), .dtype = GT_TEXT) && gt_status() != GT_OK);
    gt_error_clear();
    cr_assert(!gt_Dense(2, .dtype = GT_TEXT));
    fails(GT_INVALID, "dtype must be a type that tensors have");
    /* drawn before it has a vocabulary, called afterwards */
    gt_Layer *lookup = gt_StringLookup();
    gt_Tensor *index = gt_call(lookup, text);
    gt_Layer *model = gt_Model(gt_tensors(text), gt_tensors(gt_add(index, index)));
    cr_assert(!gt_call(model, NULL, .text = gt_strings("a")));
    fails(GT_STATE, "it has no vocabulary yet: first gt_adapt");
    gt_adapt(lookup, NULL, .text = gt_strings("a", "a", "b"));
    cr_assert(gt_element(gt_call(model, NULL, .text = gt_strings("b")), 0) == 4, "%s", gt_error_message());
    finish();
}

/* ---- mistakes ---- */

static void refused(gt_Layer *layer, const char *part)
{
    cr_assert(!layer, "made, in spite of \"%s\"", part);
    fails(GT_INVALID, part);
}

Test(layers_text, wrong_options)
{
    gt_Strings words = gt_strings("a", "b");
    gt_Tensor *two = gt_array(gt_shape(2), 1, 2);
    refused(gt_StringLookup(.vocabulary = gt_strings("a", "b", "a")), "has \"a\" twice, again at place 2");
    refused(gt_StringLookup(.vocabulary = gt_strings()), "the vocabulary is empty");
    refused(gt_StringLookup(.vocabulary = gt_strings("a", "", "b"), .mask_token = ""), "has the mask token \"\" at place 1");
    refused(gt_StringLookup(.vocabulary = words, .max_tokens = 2), "the vocabulary has 3 tokens with the special ones");
    refused(gt_StringLookup(.max_tokens = 1), "max_tokens must be > 1");
    refused(gt_StringLookup(.max_tokens = -3), "max_tokens must be > 1");
    refused(gt_StringLookup(.max_tokens = 5, .num_oov_indices = 5), "max_tokens must be > 5");
    refused(gt_StringLookup(.num_oov_indices = -1), "num_oov_indices must be from 0 to 2147483647 (got -1)");
    refused(gt_StringLookup(.pad_to_max_tokens = true), "pad_to_max_tokens needs max_tokens");
    refused(gt_StringLookup(.output_mode = (gt_OutputMode)9), "unknown output_mode 9");
    refused(gt_StringLookup(.vocabulary = words, .idf_weights = two), "idf_weights are for the output_mode TF_IDF");
    refused(gt_StringLookup(.vocabulary = words, .output_mode = GT_OUTPUT_MODE_TF_IDF), "needs idf_weights");
    refused(gt_StringLookup(.idf_weights = two, .output_mode = GT_OUTPUT_MODE_TF_IDF), "idf_weights need a vocabulary");
    refused(gt_StringLookup(.vocabulary = words, .idf_weights = gt_array(gt_shape(4), 1, 2, 3, 4),
                            .output_mode = GT_OUTPUT_MODE_TF_IDF),
            "a vector of 2 floats");
    refused(gt_StringLookup(.vocabulary = words, .idf_weights = gt_array(gt_shape(1, 2), 1, 2),
                            .output_mode = GT_OUTPUT_MODE_TF_IDF),
            "a vector of 2 floats");
    refused(gt_StringLookup(.vocabulary = words, .idf_weights = gt_cast(two, GT_INT32),
                            .output_mode = GT_OUTPUT_MODE_TF_IDF),
            "a vector of 2 floats");
    refused(gt_StringLookup(.vocabulary = words, .idf_weights = gt_array(gt_shape(2), 1, (double)NAN),
                            .output_mode = GT_OUTPUT_MODE_TF_IDF),
            "must be finite");
    refused(gt_IntegerLookup(.vocabulary = two), "a vector of integers");
    refused(gt_IntegerLookup(.salt = 3), "salt needs .oov_method = GT_OOV_METHOD_FARMHASH");
    refused(gt_IntegerLookup(.oov_method = (gt_OovMethod)2), "unknown oov_method 2");
    refused(gt_IntegerLookup(.invert = true, .output_mode = GT_OUTPUT_MODE_COUNT), "invert is for the output_mode INT");
    refused(gt_IntegerLookup(.vocabulary = gt_cast(gt_array(gt_shape(2), 3, -1), GT_INT64), .invert = true),
            "has the oov token -1 at place 1");
    refused(gt_TextVectorization(.ngrams = -1), "ngrams must be 0 to");
    refused(gt_TextVectorization(.ngrams = 1000), "ngrams must be 0 to");
    refused(gt_TextVectorization(.ngrams = 2, .ngram_widths = gt_shape(2)), "either ngrams or ngram_widths");
    refused(gt_TextVectorization(.ngram_widths = gt_shape(2, 0)), "ngram_widths must be > 0");
    refused(gt_TextVectorization(.output_sequence_length = -2), "output_sequence_length must be from 0 to 2147483647, or -1");
    refused(gt_TextVectorization(.output_sequence_length = INT64_MAX), "output_sequence_length must be");
    refused(gt_TextVectorization(.output_sequence_length = 2, .output_mode = GT_OUTPUT_MODE_COUNT), "for the output_mode INT");
    refused(gt_TextVectorization(.split = (gt_Split)4), "unknown split 4");
    refused(gt_TextVectorization(.standardize = (gt_Standardize)4), "unknown standardize 4");
    refused(gt_TextVectorization(.split_function = (gt_TextFunction)8), "split_function");
    refused(gt_TextVectorization(.standardize_function = (gt_TextFunction)8), "standardize_function");
    refused(gt_Hashing(0), "num_bins must be > 0");
    refused(gt_Hashing(3, .output_mode = GT_OUTPUT_MODE_TF_IDF), "there is no output_mode TF_IDF here");
    refused(gt_HashedCrossing(-1), "num_bins must be > 0");
    refused(gt_HashedCrossing(3, .output_mode = GT_OUTPUT_MODE_COUNT), "there is no output_mode COUNT here");
    finish();
}

static void fail_always(gt_TextOutput *output, const char *text, size_t length)
{
    (void)output, (void)text, (void)length;
    gt_fail(GT_INVALID, "it cannot split");
}

static gt_Tensor *no_text(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return in->x;
}

Test(layers_text, wrong_calls)
{
    gt_Strings words = gt_strings("a", "b");
    gt_Tensor *x = gt_ones(gt_shape(2, 2));
    gt_Layer *lookup = gt_StringLookup(.vocabulary = words, .num_oov_indices = 0);
    cr_assert(!gt_call(lookup, NULL, .text = gt_strings("a", "new")));
    fails(GT_INVALID, "\"new\" is not in the vocabulary");
    cr_assert(!gt_call(lookup, x, .text = words));
    fails(GT_INVALID, "given twice, as a tensor and as text");
    cr_assert(!gt_call(lookup, NULL));
    fails(GT_INVALID, "it must be text, gt_call(layer, NULL, .text = strings)");
    cr_assert(!gt_call(gt_Dense(2), NULL, .text = words));
    fails(GT_INVALID, "must be a tensor (got text)");
    cr_assert(!gt_call(gt_Sequential_at(NULL, (gt_Layer *const[]){GT_LIST_END}), NULL, .text = words));
    fails(GT_INVALID, "there is no layer for the text");
    cr_assert(!gt_call(gt_StringLookup(), NULL, .text = words));
    fails(GT_STATE, "it has no vocabulary yet: first gt_adapt");
    cr_assert(!gt_call(gt_IntegerLookup(), x));
    fails(GT_STATE, "it has no vocabulary yet");
    cr_assert(gt_adapt(gt_StringLookup(), NULL) != GT_OK);
    gt_error_clear();
    gt_Dataset *data = gt_dataset_from_tensors(x, NULL);
    cr_assert(gt_adapt(gt_StringLookup(), data) == GT_INVALID);
    fails(GT_INVALID, "learns from text: gt_adapt(layer, NULL, .text = strings)");
    cr_assert(gt_adapt(gt_StringLookup(), data, .text = words) == GT_INVALID);
    fails(GT_INVALID, "from a dataset or from text, not both");
    cr_assert(gt_adapt(gt_Normalization(), NULL, .text = words) == GT_INVALID);
    fails(GT_INVALID, "normalization does not accept text");
    cr_assert(gt_adapt(gt_Hashing(3), NULL, .text = words) == GT_UNSUPPORTED);
    fails(GT_UNSUPPORTED, "learns nothing from data");
    cr_assert(gt_adapt(gt_StringLookup(), NULL, .text = gt_strings()) == GT_INVALID);
    fails(GT_INVALID, "there is nothing to learn from");
    cr_assert(gt_adapt(gt_TextVectorization(), NULL, .text = gt_strings("", "...")) == GT_INVALID);
    fails(GT_INVALID, "there are no tokens to learn");
    cr_assert(gt_adapt(lookup, NULL, .text = words) == GT_STATE);
    fails(GT_STATE, "its vocabulary was given");
    gt_Layer *sentences = gt_TextVectorization(.vocabulary = words);
    cr_assert(!gt_call(sentences, NULL, .text = gt_strings_in_rows(words, 2)));
    fails(GT_INVALID, "text that is split has one string a row (got shape (1, 2))");
    gt_Layer *unsplit = gt_TextVectorization(.vocabulary = words, .split = GT_SPLIT_NONE, .output_sequence_length = 3);
    cr_assert(!gt_call(unsplit, NULL, .text = words));
    fails(GT_INVALID, "needs rows of tokens");
    gt_Layer *failing = gt_TextVectorization(.vocabulary = words, .split_function = fail_always);
    cr_assert(!gt_call(failing, NULL, .text = words));
    fails(GT_INVALID, "it cannot split");
    cr_assert_str_eq(gt_layer_to_json(failing), "");
    fails(GT_UNSUPPORTED, "split_function is a function that files have no name for: gt_register_text_function");
    cr_assert(gt_register_text_function("fail_always", fail_always) == GT_OK);
    cr_assert(strstr(gt_layer_to_json(failing), "\"split_function\":\"fail_always\""));
    gt_Layer *again = gt_layer_from_json(gt_layer_to_json(failing));
    cr_assert(again && !gt_call(again, NULL, .text = words));
    fails(GT_INVALID, "it cannot split");
    cr_assert(gt_put_text(NULL, "a", 1) == GT_INVALID);
    gt_error_clear();
    cr_assert(gt_register_text_function("", fail_always) == GT_INVALID);
    gt_error_clear();
    cr_assert(gt_vocabulary_size(gt_Dense(1)) == -1);
    fails(GT_INVALID, "must be a string_lookup or a text_vectorization (got a dense)");
    cr_assert(!gt_get_vocabulary(gt_IntegerLookup()).bytes);
    fails(GT_INVALID, "(got a integer_lookup)");
    cr_assert(!gt_lookup_text(lookup, x).bytes);
    fails(GT_INVALID, "the indices must be integers");
    cr_assert(!gt_call(gt_HashedCrossing(3), NULL, .text = words));
    fails(GT_INVALID, "the input \"x2\" is missing");
    cr_assert(!gt_call(gt_HashedCrossing(3), NULL, .text = words, .named = gt_named({"x2", x})));
    fails(GT_INVALID, "feature 2 must be text or integers (got float32)");
    cr_assert(!gt_call(gt_HashedCrossing(3), NULL, .text = words, .named_text = gt_named_text({"x2", gt_strings("a")})));
    fails(GT_INVALID, "must have the same shape (got (2,) and (1,))");
    /* a class of one's own that says nothing of text */
    const gt_LayerClass plain = {.size = sizeof plain, .name = "plain", .instance = sizeof(gt_Layer), .call = no_text};
    gt_Layer *own = gt_layer_new(&plain, &(gt_Layer){.name = NULL});
    cr_assert(!gt_call(own, NULL, .text = words));
    fails(GT_INVALID, "must be a tensor (got text)");
    gt_dataset_free(data);
    finish();
}

/* Another vocabulary of the same size fits vectors that were made; of another size only indices and padded vectors. */
Test(layers_text, other_vocabularies)
{
    gt_Strings two = gt_strings("a", "b"), three = gt_strings("a", "b", "c");
    gt_Layer *bag = gt_StringLookup(.vocabulary = two, .output_mode = GT_OUTPUT_MODE_MULTI_HOT);
    cr_assert(gt_set_vocabulary(bag, three) == GT_OK && gt_set_vocabulary(bag, two) == GT_OK);
    gt_call(bag, NULL, .text = two);
    cr_assert(gt_set_vocabulary(bag, gt_strings("x", "y")) == GT_OK);
    cr_assert(gt_set_vocabulary(bag, three) == GT_STATE);
    fails(GT_STATE, "its vectors are 3 wide");
    cr_assert_str_eq(joined(gt_get_vocabulary(bag)), "[UNK]|x|y");
    gt_Layer *index = gt_StringLookup(.vocabulary = two);
    gt_call(index, NULL, .text = two);
    cr_assert(gt_set_vocabulary(index, three) == GT_OK && gt_vocabulary_size(index) == 4);
    cr_assert(gt_set_vocabulary(index, gt_strings("[UNK]", "z")) == GT_OK);
    cr_assert_str_eq(joined(gt_get_vocabulary(index)), "[UNK]|z");
    cr_assert(gt_set_vocabulary(index, gt_strings("q", "q")) == GT_INVALID);
    fails(GT_INVALID, "has \"q\" twice");
    cr_assert_str_eq(joined(gt_get_vocabulary(index)), "[UNK]|z");
    cr_assert_str_eq(joined(gt_lookup_text(index, gt_cast(gt_array(gt_shape(5), 1, 0, 2, -1, 99), GT_INT32))),
                     "z|[UNK]|[UNK]|[UNK]|[UNK]");
    gt_Layer *weighed = gt_StringLookup(.output_mode = GT_OUTPUT_MODE_TF_IDF);
    cr_assert(gt_set_vocabulary(weighed, two) == GT_INVALID);
    fails(GT_INVALID, "needs idf_weights");
    cr_assert(gt_set_vocabulary(weighed, two, .idf_weights = gt_array(gt_shape(2), 1, 3)) == GT_OK);
    cr_assert(gt_element(gt_call(weighed, NULL, .text = gt_strings("z")), 0) == 2);
    finish();
}

/* A column of very many and of long strings; empty batches. */
Test(layers_text, sizes)
{
    enum { MANY = 200000 };
    static const char *items[MANY];
    static char texts[MANY][8];
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i % 70000);
        items[i] = texts[i];
    }
    gt_Strings many = gt_strings_from(items, MANY);
    gt_Layer *lookup = gt_StringLookup();
    cr_assert(gt_adapt(lookup, NULL, .text = many) == GT_OK, "%s", gt_error_message());
    cr_assert(gt_vocabulary_size(lookup) == 70001);
    gt_Tensor *index = gt_call(lookup, NULL, .text = many);
    for (int i = 0; i < 70000; i++)
        cr_assert(gt_int64_data(index)[i] == gt_int64_data(index)[i + 70000]);
    char *words = malloc(1000001);
    for (int i = 0; i < 1000000; i++)
        words[i] = i % 2 ? ' ' : 'a';
    words[1000000] = 0;
    const char *one[] = {words};
    gt_Tensor *row = gt_call(gt_TextVectorization(.vocabulary = gt_strings("a")), NULL, .text = gt_strings_from(one, 1));
    cr_assert(row && gt_size(row) == 500000 && gt_element(row, 499999) == 2, "%s", gt_error_message());
    free(words);
    gt_Layer *layers[] = {lookup, gt_TextVectorization(.vocabulary = gt_strings("a")), gt_Hashing(3)};
    for (int i = 0; i < 3; i++) {
        gt_Tensor *none = gt_call(layers[i], NULL, .text = gt_strings());
        cr_assert(none && gt_dim(gt_tensor_shape(none), 0) == 0, "%s", gt_error_message());
    }
    gt_Layer *bag = gt_TextVectorization(.vocabulary = gt_strings("a"), .output_mode = GT_OUTPUT_MODE_COUNT);
    gt_Tensor *zeros = gt_call(bag, NULL, .text = gt_strings("", ""));
    cr_assert(gt_shape_equal(gt_tensor_shape(zeros), gt_shape(2, 2)) && gt_item(gt_sum(zeros)) == 0);
    finish();
}

/* A layer of one's own with a port for text: the length of each string. */
static gt_Tensor *lengths(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    const gt_Strings *text = in->text[0];
    double sizes[256];
    int64_t count = gt_strings_count(*text);
    cr_assert(in->x == NULL && in->count == 1 && count <= 256);
    for (int64_t i = 0; i < count; i++) {
        size_t length;
        gt_strings_get(*text, i, &length);
        sizes[i] = (double)length;
    }
    return gt_from_data(sizes, gt_shape(count), GT_FLOAT64);
}

Test(layers_text, layer_of_ones_own)
{
    const gt_LayerClass measure = {.size = sizeof measure,
                                   .name = "measure",
                                   .instance = sizeof(gt_Layer),
                                   .call = lengths,
                                   .ports = GT_PORTS({"x", GT_PORT_TEXT, 0, 0})};
    gt_Layer *layer = gt_layer_new(&measure, &(gt_Layer){.name = NULL});
    gt_Tensor *y = gt_call(gt_Sequential(layer, gt_Activation(gt_square)), NULL, .text = gt_strings("abc", "", "de"));
    cr_assert(gt_element(y, 0) == 9 && gt_element(y, 1) == 0 && gt_element(y, 2) == 4, "%s", gt_error_message());
    gt_Tensor *text = gt_Input(gt_shape(), .dtype = GT_TEXT), *length = gt_call(layer, text);
    cr_assert(length && gt_dim(gt_tensor_shape(length), 0) == -1, "%s", gt_error_message());
    gt_Layer *model = gt_Model(gt_tensors(text), gt_tensors(gt_multiply(length, 2)));
    cr_assert(gt_element(gt_call(model, NULL, .text = gt_strings("abc")), 0) == 6, "%s", gt_error_message());
    finish();
}
