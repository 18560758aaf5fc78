/* StringLookup: text as the indices of a vocabulary. */
#include "layers/preprocessing/string_lookup.h"
#include "layers/kit.h"
#include "layers/preprocessing/lookup.h"

typedef struct StringLookup {
    gt_Layer base;
    gt_Lookup lookup;
    gt_StringLookup_options options;
} StringLookup;

GT_OPTION_TYPE(gt_StringLookup_options, gt_StringLookup_OPTIONS);

static gt_Status string_lookup_create(gt_Layer *layer)
{
    StringLookup *self = (StringLookup *)layer;
    const gt_StringLookup_options *options = &self->options;
    gt_Lookup *lookup = &self->lookup;
    lookup->max_tokens = options->max_tokens;
    lookup->num_oov_indices = options->num_oov_indices;
    lookup->mask = gt_piece_of(options->mask_token);
    lookup->oov = gt_piece_of(options->oov_token);
    lookup->mode = options->output_mode;
    lookup->pad = options->pad_to_max_tokens;
    gt_lookup_salt(lookup, options->salt, options->salt_2);
    lookup->option = &self->options.vocabulary;
    lookup->idf_option = &self->options.idf_weights;
    return gt_lookup_create(layer);
}

static gt_Tensor *string_lookup_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Text text;
    return gt_text_read(gt_context(), NULL, NULL, "the input", in->text[0], &text)
               ? gt_lookup_encode(layer, &text)
               : NULL;
}

static gt_Status string_lookup_adapt(gt_Layer *layer, gt_AdaptStage stage, const gt_CallArgs *batch)
{
    gt_Text text;
    if (stage != GT_ADAPT_STAGE_BATCH)
        return stage == GT_ADAPT_STAGE_BEGIN ? gt_lookup_begin(layer) : gt_lookup_end(layer);
    return gt_text_read(gt_context(), NULL, NULL, "the text", batch->text[0], &text)
               ? gt_lookup_learn(layer, &text, text.shape.rank > 1 ? text.shape.dims[1] : 1)
               : gt_status();
}

static void string_lookup_destroy(gt_Layer *layer)
{
    gt_lookup_close(layer->state->object.context, &((StringLookup *)layer)->lookup);
}

/* ---- samples ---- */

#define COLORS gt_strings("red", "green", "blue")

static gt_Layer *plain(void)
{
    return gt_StringLookup(.vocabulary = COLORS);
}

static gt_Layer *with_mask(void)
{
    return gt_StringLookup(.vocabulary = COLORS, .mask_token = "", .num_oov_indices = 3,
                           .max_tokens = 9);
}

static gt_Layer *with_salt(void)
{
    return gt_StringLookup(.vocabulary = COLORS, .num_oov_indices = 4, .salt = 133, .salt_2 = 137);
}

static gt_Layer *special_in_front(void)
{
    return gt_StringLookup(.vocabulary = gt_strings("?", "red", "blue"), .oov_token = "?");
}

static gt_Layer *as_vectors(void)
{
    return gt_StringLookup(.vocabulary = COLORS, .output_mode = GT_OUTPUT_MODE_ONE_HOT,
                           .mask_token = "");
}

static gt_Layer *as_sets(void)
{
    return gt_StringLookup(.vocabulary = COLORS, .output_mode = GT_OUTPUT_MODE_MULTI_HOT,
                           .mask_token = "", .max_tokens = 6, .pad_to_max_tokens = true);
}

static gt_Layer *as_counts(void)
{
    return gt_StringLookup(.vocabulary = COLORS, .output_mode = GT_OUTPUT_MODE_COUNT);
}

static gt_Layer *weighed(void)
{
    return gt_StringLookup(.vocabulary = COLORS, .output_mode = GT_OUTPUT_MODE_TF_IDF,
                           .idf_weights = gt_array64(gt_shape(3), 0.5, 0.25, 0.125));
}

#define WORDS "red|green||blue|violet|black"
#define FLOATS "tf.cast(call(x[0]), keras.config.floatx())"

const gt_LayerClass gt_layer_class_string_lookup = {
    GT_LAYER_RECORD("string_lookup", "StringLookup", StringLookup,
                    "text as the indices of a vocabulary, or vectors of them"),
    .options = &gt_StringLookup_options_type,
    .create = string_lookup_create,
    .call = string_lookup_call,
    .adapt = string_lookup_adapt,
    .destroy = string_lookup_destroy,
    .ports = GT_PORTS({"x", GT_PORT_TEXT, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.make = plain,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'])",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 7)),
         .output = GT_SAMPLE_SHAPE(7)},
        {.make = with_mask,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], mask_token='', num_oov_indices=3, max_tokens=9)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 3)},
        {.make = with_salt,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], num_oov_indices=4, salt=[133, 137])",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 6, 1)),
         .output = GT_SAMPLE_SHAPE(6, 1)},
        {.make = special_in_front,
         .keras = "StringLookup(vocabulary=['?', 'red', 'blue'], oov_token='?')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 6)),
         .output = GT_SAMPLE_SHAPE(6)},
        {.make = as_vectors,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], output_mode='one_hot', mask_token='') @ " FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 6, 1)),
         .output = GT_SAMPLE_SHAPE(6, 4)},
        {.make = as_vectors,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], output_mode='one_hot', mask_token='') @ " FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 3, 2)),
         .output = GT_SAMPLE_SHAPE(3, 2, 4)},
        {.make = as_sets,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], output_mode='multi_hot', mask_token='', max_tokens=6, pad_to_max_tokens=True) @ " FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 6)},
        {.make = as_counts,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], output_mode='count') @ " FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 4)},
        {.make = weighed,
         .keras = "StringLookup(vocabulary=['red', 'green', 'blue'], output_mode='tf_idf', idf_weights=[0.5, 0.25, 0.125]) @ " FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 4)}),
};

gt_Layer *gt_StringLookup_at(const char *here, const gt_StringLookup_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_string_lookup, options);
}
