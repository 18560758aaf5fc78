/* TextVectorization: text as sequences of indices, or as bags of words. Each row goes alone through standardizing, splitting and
 * joining to n-grams; the tokens of all rows lie behind each other, and `first` says where each row begins:
 *
 *     "Red, red WINE"    red red wine    red red wine red_red red_wine    (ngrams 2; _ is a blank)
 */
#include "layers/preprocessing/text_vectorization.h"
#include "core/drawing.h"
#include "core/text.h"
#include "layers/kit.h"
#include "layers/preprocessing/encode.h"
#include "layers/preprocessing/lookup.h"
#include "layers/preprocessing/numbers.h"

typedef struct TextVectorization {
    gt_Layer base;
    gt_Lookup lookup;
    gt_TextVectorization_options options;
    gt_Shape widths; /* of n-grams; rank 0: single tokens */
} TextVectorization;

GT_OPTION_TYPE(gt_TextVectorization_options, gt_TextVectorization_OPTIONS);

/* ---- making ---- */

static gt_Status set_widths(TextVectorization *self)
{
    const gt_TextVectorization_options *options = &self->options;
    const int64_t n = options->ngrams;
    self->widths = options->ngram_widths;
    if (n < 0 || n > GT_MAX_RANK)
        return gt_fail(GT_INVALID, "ngrams must be 0 to %d (got %lld)", GT_MAX_RANK, (long long)n);
    if (n > 0 && self->widths.rank > 0)
        return gt_fail(GT_INVALID, "it takes either ngrams or ngram_widths");
    for (int i = 0; i < self->widths.rank; i++)
        if (self->widths.dims[i] < 1)
            return gt_fail(GT_INVALID, "ngram_widths must be > 0 (got %lld)", (long long)self->widths.dims[i]);
    for (int i = 0; i < n; i++)
        self->widths.dims[self->widths.rank++] = i + 1;
    return GT_OK;
}

static gt_Status check(const gt_TextVectorization_options *options)
{
    if ((unsigned)options->standardize > GT_STANDARDIZE_NONE)
        return gt_fail(GT_INVALID, "unknown standardize %d", (int)options->standardize);
    if ((unsigned)options->split > GT_SPLIT_NONE)
        return gt_fail(GT_INVALID, "unknown split %d", (int)options->split);
    if (options->output_sequence_length < -1 || options->output_sequence_length > INT32_MAX)
        return gt_fail(GT_INVALID, "output_sequence_length must be from 0 to 2147483647, or -1 for the longest (got %lld)",
                       (long long)options->output_sequence_length);
    if (options->output_sequence_length >= 0 && options->output_mode != GT_OUTPUT_MODE_INT)
        return gt_fail(GT_INVALID, "output_sequence_length is for the output_mode INT");
    if (gt_check_function("standardize_function", (uintptr_t)options->standardize_function) == GT_OK)
        gt_check_function("split_function", (uintptr_t)options->split_function);
    return gt_status();
}

static gt_Status text_vectorization_create(gt_Layer *layer)
{
    TextVectorization *self = (TextVectorization *)layer;
    gt_TextVectorization_options *options = &self->options;
    gt_Lookup *lookup = &self->lookup;
    lookup->max_tokens = options->max_tokens;
    lookup->num_oov_indices = 1;
    lookup->mask = gt_piece_of("");
    lookup->oov = gt_piece_of("[UNK]");
    lookup->mode = options->output_mode;
    lookup->pad = options->pad_to_max_tokens;
    lookup->option = &options->vocabulary;
    lookup->idf_option = &options->idf_weights;
    if (check(options) != GT_OK || set_widths(self) != GT_OK)
        return gt_status();
    return gt_lookup_create(layer);
}

/* ---- text to tokens ---- */

struct gt_TextOutput {
    gt_Context *context;
    gt_TextBuilder *builder;
    bool tokens; /* each text is one; else all are one string */
};

gt_Status gt_put_text_at(const char *here, gt_TextOutput *output, const char *text, size_t length)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_is_address(output) || (!text && length > 0))
        return gt_raise(context, GT_INVALID, here, "put_text", "the output or the text is NULL");
    if (gt_builder_put(context, output->builder, text, length) && output->tokens)
        gt_builder_end(context, output->builder);
    return gt_context_status(context);
}

static bool is_punctuation(unsigned char c)
{
    return c > ' ' && c < 127 && !gt_is_digit((char)c) && !gt_is_letter((char)c);
}

static bool standardize(gt_TextOutput *output, gt_Standardize how, gt_Piece text)
{
    bool lower = how == GT_STANDARDIZE_LOWER || how == GT_STANDARDIZE_LOWER_AND_STRIP_PUNCTUATION;
    bool strip = how == GT_STANDARDIZE_STRIP_PUNCTUATION || how == GT_STANDARDIZE_LOWER_AND_STRIP_PUNCTUATION;
    if (text.length == 0) /* there may be no memory yet, to which nothing can be added */
        return true;
    if (!gt_builder_put(output->context, output->builder, text.at, text.length))
        return false;
    char *to = output->builder->bytes + output->builder->size - text.length;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (!strip || !is_punctuation((unsigned char)c))
            *to++ = lower && c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    output->builder->size = to - output->builder->bytes;
    return true;
}

static bool put_token(gt_TextOutput *output, const char *text, size_t length)
{
    return gt_builder_put(output->context, output->builder, text, length) &&
           gt_builder_end(output->context, output->builder);
}

static bool split_at_blanks(gt_TextOutput *output, gt_Piece text)
{
    bool done = true;
    for (size_t i = 0, begin; i < text.length && done;) {
        for (; i < text.length && gt_is_blank(text.at[i]); i++)
            ;
        for (begin = i; i < text.length && !gt_is_blank(text.at[i]); i++)
            ;
        done = begin == i || put_token(output, text.at + begin, i - begin);
    }
    return done;
}

static bool split_characters(gt_TextOutput *output, gt_Piece text)
{
    bool done = true;
    for (size_t i = 0; i < text.length && done;) {
        size_t length = gt_utf8_length(text.at + i, text.length - i);
        done = length > 0 ? put_token(output, text.at + i, length) : put_token(output, "\xEF\xBF\xBD", 3);
        i += length > 0 ? length : gt_utf8_broken(text.at + i, text.length - i);
    }
    return done;
}

/* `scratch` is empty before and after. */
static bool tokenize(const gt_TextVectorization_options *options, gt_TextOutput *output, gt_Piece text,
                     gt_TextBuilder *scratch)
{
    gt_TextOutput string = {.context = output->context, .builder = scratch};
    if (options->standardize_function)
        options->standardize_function(&string, text.at, text.length);
    else
        standardize(&string, options->standardize, text);
    text = (gt_Piece){scratch->bytes ? scratch->bytes : "", (size_t)scratch->size};
    scratch->size = 0;
    if (gt_context_status(output->context) != GT_OK)
        return false;
    if (options->split_function)
        options->split_function(output, text.at, text.length);
    else if (options->split == GT_SPLIT_WHITESPACE)
        split_at_blanks(output, text);
    else if (options->split == GT_SPLIT_CHARACTER)
        split_characters(output, text);
    else
        put_token(output, text.at, text.length);
    return gt_context_status(output->context) == GT_OK;
}

/* Of each width all there are, the widths in their order. */
static bool join(gt_Context *context, gt_Shape widths, const gt_TextBuilder *single, gt_TextBuilder *tokens)
{
    const gt_Text text = gt_builder_text(single);
    bool done = true;
    for (int w = 0; w < widths.rank; w++)
        for (int64_t i = 0; done && i + widths.dims[w] <= text.count; i++) {
            for (int64_t k = i; done && k < i + widths.dims[w]; k++) {
                gt_Piece token = gt_text_piece(&text, k);
                done = (k == i || gt_builder_put(context, tokens, " ", 1)) &&
                       gt_builder_put(context, tokens, token.at, token.length);
            }
            done = done && gt_builder_end(context, tokens);
        }
    return done;
}

/* ---- rows of tokens ---- */

typedef struct Rows {
    gt_TextBuilder tokens, single, scratch; /* of all rows; of one before they are joined; a string */
    int64_t *first;                         /* count + 1 */
    int64_t count, longest;
} Rows;

static void close_rows(gt_Context *context, Rows *rows)
{
    gt_builder_close(context, &rows->tokens);
    gt_builder_close(context, &rows->single);
    gt_builder_close(context, &rows->scratch);
    gt_release_unpooled(context, rows->first, ((size_t)rows->count + 1) * sizeof *rows->first);
}

static bool add_row(gt_Context *context, const TextVectorization *self, const gt_Text *text,
                    int64_t begin, int64_t end, Rows *rows)
{
    bool joins = self->widths.rank > 0;
    gt_TextOutput output = {.context = context,
                            .builder = joins ? &rows->single : &rows->tokens,
                            .tokens = true};
    bool done = true;
    for (int64_t i = begin; i < end && done; i++)
        done = tokenize(&self->options, &output, gt_text_piece(text, i), &rows->scratch);
    if (done && joins)
        done = join(context, self->widths, &rows->single, &rows->tokens);
    rows->single.size = rows->single.count = 0;
    return done;
}

static bool splits(const TextVectorization *self)
{
    return self->options.split != GT_SPLIT_NONE || self->options.split_function;
}

static bool check_text(const TextVectorization *self, const gt_Text *text)
{
    const bool wide = text->shape.rank > 1;
    if (splits(self) && wide && text->shape.dims[1] != 1)
        gt_fail(GT_INVALID, "text that is split has one string a row (got shape (%lld, %lld))",
                (long long)text->shape.dims[0], (long long)text->shape.dims[1]);
    else if (!splits(self) && !wide && (self->widths.rank > 0 || self->options.output_sequence_length >= 0))
        gt_fail(GT_INVALID, "text that is not split needs rows of tokens here: gt_strings_in_rows");
    return gt_status() == GT_OK;
}

/* False with an error raised; close_rows in any case. */
static bool make_rows(gt_Context *context, const TextVectorization *self, const gt_Text *text, Rows *rows)
{
    const int64_t count = text->shape.dims[0], width = text->shape.rank > 1 ? text->shape.dims[1] : 1;
    if (!(rows->first = gt_allocate_unpooled(context, ((size_t)count + 1) * sizeof *rows->first)))
        return false;
    rows->count = count;
    for (int64_t r = 0; r < count; r++) {
        rows->first[r] = rows->tokens.count;
        if (!add_row(context, self, text, r * width, (r + 1) * width, rows))
            return false;
        if (rows->tokens.count - rows->first[r] > rows->longest)
            rows->longest = rows->tokens.count - rows->first[r];
    }
    rows->first[count] = rows->tokens.count;
    return true;
}

/* ---- calling ---- */

/* How long sequences are that are not known yet, in a trace that finds shapes: other numbers in both sets. */
static int64_t length_of_symbol(const TextVectorization *self, const gt_Text *text)
{
    const int64_t rows = text->shape.dims[0];
    int64_t length = 0;
    if (splits(self))
        return rows == gt_drawing_size(0, 0)   ? gt_drawing_size(1, 0)
               : rows == gt_drawing_size(0, 1) ? gt_drawing_size(1, 1)
                                               : 8;
    for (int w = 0; w < self->widths.rank; w++)
        if (text->shape.dims[1] >= self->widths.dims[w])
            length += text->shape.dims[1] - self->widths.dims[w] + 1;
    return self->widths.rank > 0 ? length : text->shape.dims[1];
}

/* Rows of indices become the result: padded with `nothing`, or cut. */
static gt_Tensor *encode(gt_Layer *layer, const gt_Text *text, const Rows *rows, int64_t length,
                         int64_t depth)
{
    gt_Context *context = gt_context();
    const gt_Lookup *lookup = &((const gt_LookupLayer *)layer)->lookup;
    const bool whole = text->shape.rank == 1 && !splits((const TextVectorization *)layer);
    gt_Text made = {.count = text->shape.dims[0] * length,
                    .symbol = text->symbol,
                    .shape = whole ? text->shape : gt_shape(text->shape.dims[0], length)};
    if (made.symbol)
        return gt_encode_text(&made, NULL, lookup->mode, depth, gt_float_type(layer), NULL);
    const gt_Text tokens = gt_builder_text(&rows->tokens);
    size_t found_bytes = (size_t)tokens.count * sizeof(int64_t), bytes = (size_t)made.count * sizeof(int64_t);
    int64_t *found = gt_allocate_unpooled(context, found_bytes), nothing = lookup->mode == GT_OUTPUT_MODE_INT ? 0 : -1;
    int64_t *indices = found ? gt_allocate_unpooled(context, bytes) : NULL;
    gt_Tensor *y = NULL;
    if (indices && gt_lookup_all(layer, &tokens, found)) {
        for (int64_t i = 0; i < made.count; i++) {
            int64_t at = rows->first[i / length] + i % length;
            indices[i] = at < rows->first[i / length + 1] ? found[at] : nothing;
        }
        y = gt_encode_text(&made, indices, lookup->mode, depth, gt_float_type(layer), lookup->idf);
    }
    gt_release_unpooled(context, indices, bytes);
    gt_release_unpooled(context, found, found_bytes);
    return y;
}

static gt_Tensor *text_vectorization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const TextVectorization *self = (const TextVectorization *)layer;
    gt_Context *context = gt_context();
    gt_Text text;
    if (!gt_text_read(context, NULL, NULL, "the input", in->text[0], &text) || !check_text(self, &text))
        return NULL;
    int64_t depth = self->lookup.mode == GT_OUTPUT_MODE_INT ? 0 : gt_lookup_depth(&self->lookup);
    if (depth < 0)
        return NULL;
    Rows rows = {.count = 0};
    gt_Tensor *y = NULL;
    const int64_t given = self->options.output_sequence_length;
    if (text.symbol)
        y = encode(layer, &text, NULL, given >= 0 ? given : length_of_symbol(self, &text), depth);
    else if (make_rows(context, self, &text, &rows))
        y = encode(layer, &text, &rows, given >= 0 ? given : rows.longest, depth);
    close_rows(context, &rows);
    return y;
}

/* ---- learning ---- */

static gt_Status learn(gt_Layer *layer, const gt_Text *text)
{
    TextVectorization *self = (TextVectorization *)layer;
    gt_Context *context = layer->state->object.context;
    Rows rows = {.count = 0};
    bool done = check_text(self, text) && make_rows(context, self, text, &rows);
    const gt_Text tokens = gt_builder_text(&rows.tokens);
    for (int64_t r = 0; r < rows.count && done; r++) {
        gt_counts_document(&self->lookup.counts);
        for (int64_t i = rows.first[r]; i < rows.first[r + 1] && done; i++)
            done = gt_counts_add(context, &self->lookup.counts, gt_text_piece(&tokens, i));
    }
    close_rows(context, &rows);
    return gt_context_status(context);
}

static gt_Status text_vectorization_adapt(gt_Layer *layer, gt_AdaptStage stage, const gt_CallArgs *batch)
{
    gt_Text text;
    if (stage != GT_ADAPT_STAGE_BATCH)
        return stage == GT_ADAPT_STAGE_BEGIN ? gt_lookup_begin(layer) : gt_lookup_end(layer);
    return gt_text_read(gt_context(), NULL, NULL, "the text", batch->text[0], &text) ? learn(layer, &text)
                                                                                    : gt_status();
}

static void text_vectorization_destroy(gt_Layer *layer)
{
    gt_lookup_close(layer->state->object.context, &((TextVectorization *)layer)->lookup);
}

/* ---- samples ---- */

#define WINES gt_strings("red", "wine", "white", "red wine")

static gt_Layer *plain(void)
{
    return gt_TextVectorization(.vocabulary = WINES);
}

static gt_Layer *padded(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .output_sequence_length = 5, .ngrams = 2);
}

static gt_Layer *cut(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .output_sequence_length = 2, .max_tokens = 12,
                                .standardize = GT_STANDARDIZE_LOWER);
}

static gt_Layer *of_widths(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .ngram_widths = gt_shape(2, 1));
}

static gt_Layer *of_characters(void)
{
    return gt_TextVectorization(.vocabulary = gt_strings("e", "R", "\xC3\xA9"), .split = GT_SPLIT_CHARACTER,
                                .standardize = GT_STANDARDIZE_STRIP_PUNCTUATION);
}

static gt_Layer *unsplit(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .split = GT_SPLIT_NONE, .ngrams = 2,
                                .standardize = GT_STANDARDIZE_NONE);
}

/* Samples of functions of one's own. */
static void without_e(gt_TextOutput *output, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != 'e')
            gt_put_text(output, text + i, 1);
}

static void at_commas(gt_TextOutput *output, const char *text, size_t length)
{
    for (size_t i = 0, begin = 0; i <= length; i++)
        if (i == length || text[i] == ',') {
            gt_put_text(output, text + begin, i - begin);
            begin = i + 1;
        }
}

static gt_Layer *of_functions(void)
{
    return gt_TextVectorization(.vocabulary = gt_strings("Rd", " rd WINE!", "whit win"),
                                .standardize_function = without_e, .split_function = at_commas);
}

static gt_Layer *as_sets(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .output_mode = GT_OUTPUT_MODE_MULTI_HOT, .max_tokens = 7,
                                .pad_to_max_tokens = true);
}

static gt_Layer *as_counts(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .output_mode = GT_OUTPUT_MODE_COUNT, .ngrams = 2);
}

static gt_Layer *as_vectors(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .output_mode = GT_OUTPUT_MODE_ONE_HOT);
}

static gt_Layer *weighed(void)
{
    return gt_TextVectorization(.vocabulary = WINES, .output_mode = GT_OUTPUT_MODE_TF_IDF,
                                .idf_weights = gt_array64(gt_shape(4), 0.5, 0.25, 0.125, 2));
}

#define TEXT    "Red, red WINE!|white wine||Ros\xC3\xA9 (wine) Red|  red\twine "
#define KERAS   "TextVectorization(vocabulary=['red', 'wine', 'white', 'red wine']"
#define FLOATS  " @ tf.cast(call(x[0]), keras.config.floatx())"

const gt_LayerClass gt_layer_class_text_vectorization = {
    GT_LAYER_RECORD("text_vectorization", "TextVectorization", TextVectorization,
                    "text as sequences of indices, or as bags of words"),
    .options = &gt_TextVectorization_options_type,
    .create = text_vectorization_create,
    .call = text_vectorization_call,
    .adapt = text_vectorization_adapt,
    .destroy = text_vectorization_destroy,
    .ports = GT_PORTS({"x", GT_PORT_TEXT, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.make = plain,
         .keras = KERAS ")",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 3)},
        {.make = padded,
         .keras = KERAS ", output_sequence_length=5, ngrams=2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6, 1)),
         .output = GT_SAMPLE_SHAPE(6, 5)},
        {.make = cut,
         .keras = KERAS ", output_sequence_length=2, max_tokens=12, standardize='lower')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 2)},
        {.make = of_widths,
         .keras = KERAS ", ngrams=(2, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 5)},
        {.make = of_characters,
         .keras = "TextVectorization(vocabulary=['e', 'R', '\xC3\xA9'], split='character', standardize='strip_punctuation')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 13)},
        {.make = unsplit,
         .keras = KERAS ", split=None, standardize=None, ngrams=2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS("red|wine|white", 3, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 5)},
        {.make = of_functions,
         .keras = "TextVectorization(vocabulary=['Rd', ' rd WINE!', 'whit win'], "
                  "standardize=lambda t: tf.strings.regex_replace(t, 'e', ''), split=lambda t: tf.strings.split(t, ','))",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS("Red, red WINE!|white wine|Red,", 3, 6)),
         .output = GT_SAMPLE_SHAPE(6, 2)},
        {.make = as_sets,
         .keras = KERAS ", output_mode='multi_hot', max_tokens=7, pad_to_max_tokens=True)" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 7)},
        {.make = as_counts,
         .keras = KERAS ", output_mode='count', ngrams=2)" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 5)},
        {.make = as_vectors,
         .keras = KERAS ", output_mode='one_hot') @ tf.cast(call(x[0]).to_tensor(), keras.config.floatx())",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 3, 5)},
        {.make = weighed,
         .keras = KERAS ", output_mode='tf_idf', idf_weights=[0.5, 0.25, 0.125, 2])" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(TEXT, 5, 6)),
         .output = GT_SAMPLE_SHAPE(6, 5)}),
};

gt_Layer *gt_TextVectorization_at(const char *here, const gt_TextVectorization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_text_vectorization, options);
}
