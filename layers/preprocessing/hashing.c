/* Hashing: text and integers dealt to bins, without a vocabulary. */
#include "layers/preprocessing/hashing.h"
#include "kernels/hash.h"
#include "layers/kit.h"
#include "layers/preprocessing/encode.h"
#include "layers/preprocessing/numbers.h"
#include "layers/preprocessing/tokens.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/hashing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

typedef struct Hashing {
    gt_Layer base;
    gt_Hashing_options options;
    uint64_t key[2];
} Hashing;

GT_OPTION_TYPE(gt_Hashing_options, gt_Hashing_OPTIONS);

static gt_Status hashing_create(gt_Layer *layer)
{
    Hashing *self = (Hashing *)layer;
    const gt_Hashing_options *options = &self->options;
    self->key[0] = (uint64_t)options->salt;
    self->key[1] = (uint64_t)(options->salt_2 == -1 ? options->salt : options->salt_2);
    if (options->num_bins <= 0)
        return gt_fail(GT_INVALID, "num_bins must be > 0 (got %lld)", (long long)options->num_bins);
    return gt_output_mode_check(options->output_mode,
                                1u << GT_OUTPUT_MODE_INT | 1u << GT_OUTPUT_MODE_ONE_HOT |
                                    1u << GT_OUTPUT_MODE_MULTI_HOT | 1u << GT_OUTPUT_MODE_COUNT);
}

static const uint64_t *key_of(const Hashing *self)
{
    return self->options.salt == -1 ? NULL : self->key;
}

/* ---- text ---- */

/* A mask has the first bin, if there are two at least. */
static gt_Tensor *hash_text(gt_Layer *layer, const gt_Text *given)
{
    const Hashing *self = (const Hashing *)layer;
    const gt_Hashing_options *options = &self->options;
    const gt_Piece mask = gt_piece_of(options->num_bins > 1 ? options->mask_text : NULL);
    const uint64_t bins = (uint64_t)options->num_bins - (mask.at != NULL), *key = key_of(self);
    gt_Context *context = gt_context();
    gt_Text text = *given;
    text.shape = gt_one_hot_rows(text.shape, options->output_mode);
    if (text.symbol)
        return gt_encode_text(&text, NULL, options->output_mode, options->num_bins, gt_float_type(layer), NULL);
    size_t bytes = (size_t)text.count * sizeof(int64_t);
    int64_t *indices = gt_allocate_unpooled(context, bytes);
    for (int64_t i = 0; indices && i < text.count; i++) {
        gt_Piece piece = gt_text_piece(&text, i);
        uint64_t hash = key ? gt_hash_strong(key, piece.at, piece.length) : gt_hash_fast(piece.at, piece.length);
        indices[i] = mask.at && gt_piece_equal(piece, mask) ? 0 : (int64_t)(hash % bins) + (mask.at != NULL);
    }
    gt_Tensor *y = indices ? gt_encode_text(&text, indices, options->output_mode, options->num_bins,
                                            gt_float_type(layer), NULL)
                           : NULL;
    gt_release_unpooled(context, indices, bytes);
    return y;
}

/* ---- integers ---- */

static gt_Tensor *hash_integers(gt_Layer *layer, gt_Tensor *x)
{
    const Hashing *self = (const Hashing *)layer;
    const gt_Hashing_options *options = &self->options;
    const bool masks = options->mask_value != INT64_MIN && options->num_bins > 1;
    gt_Tensor *whole = gt_cast(x, GT_INT64);
    gt_Tensor *bins = gt_hash_bucket(whole, options->num_bins - masks, key_of(self));
    if (masks) {
        gt_Tensor *mask = gt_from_data(&options->mask_value, gt_shape_of(0, NULL), GT_INT64);
        gt_Tensor *masked = gt_dtype_is_float(gt_dtype(x)) ? gt_equal(x, gt_cast(mask, gt_dtype(x)))
                                                           : gt_equal(whole, mask);
        bins = gt_where(masked, gt_zeros_like(bins), gt_add(bins, gt_ones_like(bins)));
    }
    return gt_encode(bins, options->output_mode, options->num_bins, NULL, gt_float_type(layer));
}

static gt_Tensor *hashing_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Text text;
    if (!in->text || !in->text[0])
        return hash_integers(layer, in->x);
    return gt_text_read(gt_context(), NULL, NULL, "the input", in->text[0], &text) ? hash_text(layer, &text) : NULL;
}

/* ---- samples ---- */

#define WORDS "red|green||blue|violet|black"
#define FLOATS " @ tf.cast(call(x[0]), keras.config.floatx())"

const gt_LayerClass gt_layer_class_hashing = {
    GT_LAYER_RECORD("hashing", "Hashing", Hashing, "text and integers dealt to bins by their hash"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Hashing_options_type,
    .create = hashing_create,
    .call = hashing_call,
    .ports = GT_PORTS({"x", GT_PORT_TEXT | GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 5),
         .keras = "Hashing(5)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 7, .mask_text = "", .salt = 133, .salt_2 = 137),
         .keras = "Hashing(7, mask_value='', salt=[133, 137])",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 8)),
         .output = GT_SAMPLE_SHAPE(8)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 4, .mask_text = "red",
                                     .output_mode = GT_OUTPUT_MODE_COUNT),
         .keras = "Hashing(4, mask_value='red', output_mode='count')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 4)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 4, .output_mode = GT_OUTPUT_MODE_ONE_HOT, .salt = 5),
         .keras = "Hashing(4, salt=5, output_mode='one_hot')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 6, 1)),
         .output = GT_SAMPLE_SHAPE(6, 4)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 6),
         .keras = "Hashing(6)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, -50, 50, 4, 5)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(4, 5)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 6, .mask_value = 0, .salt = 133),
         .keras = "Hashing(6, mask_value=0, salt=133)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -3, 3, 4, 5)),
         .output = GT_SAMPLE_SHAPE(4, 5)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 5, .mask_value = 1),
         .keras = "Hashing(5, mask_value=1)",
         .inputs = 1,
         .input = GT_INPUTS(GT_MULTIPLES(-3, 3, 0.5, 4, 5)),
         .output = GT_SAMPLE_SHAPE(4, 5)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 5, .output_mode = GT_OUTPUT_MODE_MULTI_HOT),
         .keras = "Hashing(5, output_mode='multi_hot')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 9, 4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 5)},
        {.options = GT_LAYER_OPTIONS(gt_Hashing, .num_bins = 5, .output_mode = GT_OUTPUT_MODE_ONE_HOT),
         .keras = "Hashing(5, output_mode='one_hot')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 9, 6, 1)),
         .output = GT_SAMPLE_SHAPE(6, 5)}),
};

gt_Layer *gt_Hashing_at(const char *here, const gt_Hashing_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_hashing, options);
}
