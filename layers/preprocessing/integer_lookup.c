/* IntegerLookup: integers as the indices of a vocabulary, by operations: a search in the sorted vocabulary. */
#include "layers/preprocessing/integer_lookup.h"
#include "layers/kit.h"
#include "layers/preprocessing/encode.h"
#include "layers/preprocessing/lookup.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/hashing.h"
#include "ops/array/indexing.h"
#include "ops/array/sorting.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

typedef struct IntegerLookup {
    gt_Layer base;
    gt_Lookup lookup;
    gt_IntegerLookup_options options;
} IntegerLookup;

GT_OPTION_TYPE(gt_IntegerLookup_options, gt_IntegerLookup_OPTIONS);

static gt_Status integer_lookup_create(gt_Layer *layer)
{
    IntegerLookup *self = (IntegerLookup *)layer;
    gt_IntegerLookup_options *options = &self->options;
    gt_Lookup *lookup = &self->lookup;
    lookup->integers = true;
    lookup->max_tokens = options->max_tokens;
    lookup->num_oov_indices = options->num_oov_indices;
    if (options->mask_token != INT64_MIN)
        lookup->mask = (gt_Piece){(const char *)&options->mask_token, sizeof(int64_t)};
    lookup->oov = (gt_Piece){(const char *)&options->oov_token, sizeof(int64_t)};
    lookup->mode = options->output_mode;
    lookup->pad = options->pad_to_max_tokens;
    lookup->inverts = options->invert;
    lookup->hashes_integers = options->oov_method == GT_OOV_METHOD_FARMHASH;
    gt_lookup_salt(lookup, options->salt, options->salt_2);
    lookup->integer_option = &options->vocabulary;
    lookup->idf_option = &options->idf_weights;
    if ((unsigned)options->oov_method > GT_OOV_METHOD_FARMHASH)
        return gt_fail(GT_INVALID, "unknown oov_method %d", (int)options->oov_method);
    return gt_lookup_create(layer);
}

/* An integer as a tensor of no axes, exact as doubles are not. */
static gt_Tensor *whole(int64_t number)
{
    return gt_from_data(&number, gt_shape_of(0, NULL), GT_INT64);
}

/* What the integers get that are not in the vocabulary; `missing` says which. NULL where they are an error. */
static gt_Tensor *unknown(const gt_Lookup *lookup, gt_Tensor *x)
{
    gt_Tensor *first = whole(gt_lookup_oov_start(lookup));
    const int64_t buckets = lookup->num_oov_indices;
    if (buckets <= 1)
        return first;
    gt_Tensor *bucket = lookup->hashes_integers
                            ? gt_hash_bucket(x, buckets, lookup->salted ? lookup->salt : NULL)
                            : gt_mod(x, whole(buckets));
    return gt_add(bucket, first);
}

/* The index of each. The place of an unknown one is outside of `indices`, unless there is an index for it. */
static gt_Tensor *indices_of(const gt_Lookup *lookup, gt_Tensor *x)
{
    const int64_t count = lookup->tokens.text.count;
    gt_Tensor *place = gt_cast(gt_searchsorted(lookup->sorted, x), GT_INT64);
    gt_Tensor *inside = gt_minimum(place, whole(count > 0 ? count - 1 : 0));
    gt_Tensor *known = count > 0 ? gt_equal(gt_take(lookup->sorted, inside), x) : gt_not_equal(x, x);
    if (lookup->num_oov_indices == 0)
        return gt_take(lookup->indices, gt_where(known, inside, whole(count)));
    return count > 0 ? gt_where(known, gt_take(lookup->indices, inside), unknown(lookup, x))
                     : gt_add(gt_zeros_like(x), unknown(lookup, x));
}

/* Tokens of indices: the special ones, then the vocabulary; what is no index is unknown. */
static gt_Tensor *tokens_of(const gt_Lookup *lookup, gt_Tensor *x)
{
    const int64_t start = gt_lookup_start(lookup), count = lookup->tokens.text.count;
    int64_t oov, mask = 0;
    memcpy(&oov, lookup->oov.at, sizeof oov);
    gt_Tensor *place = gt_subtract(x, whole(start));
    gt_Tensor *known = gt_logical_and(gt_greater_equal(place, whole(0)), gt_less(place, whole(count)));
    gt_Tensor *y = gt_where(known, gt_take(lookup->numbers, gt_where(known, place, whole(0))), whole(oov));
    if (!lookup->mask.at)
        return y;
    memcpy(&mask, lookup->mask.at, sizeof mask);
    return gt_where(gt_equal(x, whole(0)), whole(mask), y);
}

/* Weights of all indices; those of padding are zeros. */
static gt_Tensor *weights_of(const gt_Layer *layer, const gt_Lookup *lookup, int64_t depth)
{
    gt_Tensor *weights = gt_cast(lookup->idf, gt_float_type(layer));
    const int64_t more = depth - gt_lookup_size(lookup);
    return more > 0 ? gt_concatenate(gt_tensors(weights, gt_zeros(gt_shape(more), .dtype = gt_dtype(weights))))
                    : weights;
}

static gt_Tensor *integer_lookup_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Lookup *lookup = &((const IntegerLookup *)layer)->lookup;
    gt_Tensor *x = gt_cast(in->x, GT_INT64);
    int64_t depth = lookup->mode == GT_OUTPUT_MODE_INT ? 0 : gt_lookup_depth(lookup);
    if (!lookup->bytes && depth >= 0)
        return gt_fail(GT_STATE, "it has no vocabulary yet: first gt_adapt, or give .vocabulary"), NULL;
    if (depth < 0 || lookup->inverts)
        return depth < 0 ? NULL : tokens_of(lookup, x);
    gt_Tensor *masked = NULL;
    if (lookup->mask.at) {
        int64_t token;
        memcpy(&token, lookup->mask.at, sizeof token);
        masked = gt_equal(x, whole(token));
    }
    /* a mask is looked up as a token that is there */
    gt_Tensor *safe = masked && lookup->num_oov_indices == 0 ? gt_where(masked, gt_take(lookup->sorted, whole(0)), x)
                                                             : x;
    gt_Tensor *indices = indices_of(lookup, safe);
    if (masked)
        indices = gt_where(masked, whole(lookup->mode == GT_OUTPUT_MODE_INT ? 0 : INT64_MAX), indices);
    bool weighed = lookup->mode == GT_OUTPUT_MODE_TF_IDF;
    gt_Tensor *y = gt_encode(indices, weighed ? GT_OUTPUT_MODE_COUNT : lookup->mode, depth, NULL,
                             gt_float_type(layer));
    return weighed ? gt_multiply(y, weights_of(layer, lookup, depth)) : y;
}

static gt_Status learn(gt_Layer *layer, gt_Tensor *x)
{
    gt_Context *context = gt_context();
    const gt_Shape shape = gt_tensor_shape(x);
    const int64_t count = gt_size(x);
    const int64_t *number = gt_int64_data(gt_cast(x, GT_INT64));
    size_t bytes = ((size_t)count + 1) * sizeof(int64_t);
    int64_t *offsets = number ? gt_allocate_unpooled(context, bytes) : NULL, row = 1;
    for (int d = 1; d < shape.rank; d++)
        row *= shape.dims[d];
    for (int64_t i = 0; offsets && i <= count; i++)
        offsets[i] = i * (int64_t)sizeof *number;
    if (offsets && count > 0)
        gt_lookup_learn(layer, &(gt_Text){.bytes = (const char *)number, .offsets = offsets, .count = count}, row);
    gt_release_unpooled(context, offsets, bytes);
    return gt_status();
}

static gt_Status integer_lookup_adapt(gt_Layer *layer, gt_AdaptStage stage, const gt_CallArgs *batch)
{
    if (stage == GT_ADAPT_STAGE_BATCH)
        return learn(layer, batch->x);
    return stage == GT_ADAPT_STAGE_BEGIN ? gt_lookup_begin(layer) : gt_lookup_end(layer);
}

static void integer_lookup_destroy(gt_Layer *layer)
{
    gt_lookup_close(layer->state->object.context, &((IntegerLookup *)layer)->lookup);
}

/* ---- samples ---- */

static gt_Tensor *primes(void)
{
    return gt_cast(gt_array(gt_shape(4), 2, 5, 3, -7), GT_INT64);
}

static gt_Layer *plain(void)
{
    return gt_IntegerLookup(.vocabulary = primes());
}

static gt_Layer *with_mask(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .mask_token = 0, .num_oov_indices = 3, .max_tokens = 9);
}

/* Without an index for unknown ones. */
static gt_Layer *only_known(void)
{
    return gt_IntegerLookup(.vocabulary = gt_cast(gt_array(gt_shape(4), 4, 2, 1, 3), GT_INT64), .mask_token = 0,
                            .num_oov_indices = 0);
}

static gt_Layer *hashed(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .num_oov_indices = 4, .oov_method = GT_OOV_METHOD_FARMHASH);
}

static gt_Layer *with_salt(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .num_oov_indices = 4, .salt = 133, .salt_2 = 137,
                            .oov_method = GT_OOV_METHOD_FARMHASH);
}

static gt_Layer *inverse(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .mask_token = 0, .oov_token = -99, .invert = true);
}

static gt_Layer *as_vectors(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .output_mode = GT_OUTPUT_MODE_ONE_HOT, .mask_token = 0);
}

static gt_Layer *as_sets(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .output_mode = GT_OUTPUT_MODE_MULTI_HOT, .mask_token = 0,
                            .max_tokens = 8, .pad_to_max_tokens = true);
}

static gt_Layer *as_counts(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .output_mode = GT_OUTPUT_MODE_COUNT);
}

static gt_Layer *weighed(void)
{
    return gt_IntegerLookup(.vocabulary = primes(), .output_mode = GT_OUTPUT_MODE_TF_IDF, .max_tokens = 7,
                            .pad_to_max_tokens = true,
                            .idf_weights = gt_array64(gt_shape(4), 0.5, 0.25, 0.125, 2));
}

#define PRIMES "IntegerLookup(vocabulary=[2, 5, 3, -7]"
#define FLOATS " @ tf.cast(call(x[0]), keras.config.floatx())"

const gt_LayerClass gt_layer_class_integer_lookup = {
    GT_LAYER_RECORD("integer_lookup", "IntegerLookup", IntegerLookup,
                    "integers as the indices of a vocabulary, or vectors of them"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_IntegerLookup_options_type,
    .create = integer_lookup_create,
    .call = integer_lookup_call,
    .adapt = integer_lookup_adapt,
    .destroy = integer_lookup_destroy,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.make = plain,
         .keras = PRIMES ")",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 7, 3, 5)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(3, 5)},
        {.make = with_mask,
         .keras = PRIMES ", mask_token=0, num_oov_indices=3, max_tokens=9)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, -9, 7, 4, 6)),
         .output = GT_SAMPLE_SHAPE(4, 6)},
        {.make = only_known,
         .keras = "IntegerLookup(vocabulary=[4, 2, 1, 3], mask_token=0, num_oov_indices=0)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, 0, 4, 4, 6)),
         .output = GT_SAMPLE_SHAPE(4, 6)},
        {.make = hashed,
         .keras = PRIMES ", num_oov_indices=4, oov_method='farmhash')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -40, 40, 4, 6)),
         .output = GT_SAMPLE_SHAPE(4, 6)},
        {.make = with_salt,
         .keras = PRIMES ", num_oov_indices=4, oov_method='farmhash', salt=[133, 137])",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -40, 40, 4, 6)),
         .output = GT_SAMPLE_SHAPE(4, 6)},
        {.make = inverse,
         .keras = PRIMES ", mask_token=0, oov_token=-99, invert=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -2, 9, 3, 6)),
         .output = GT_SAMPLE_SHAPE(3, 6)},
        {.make = as_vectors,
         .keras = PRIMES ", mask_token=0, output_mode='one_hot')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 7, 8, 1)),
         .output = GT_SAMPLE_SHAPE(8, 5)},
        {.make = as_sets,
         .keras = PRIMES ", mask_token=0, max_tokens=8, pad_to_max_tokens=True, output_mode='multi_hot')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 7, 5, 4)),
         .output = GT_SAMPLE_SHAPE(5, 8)},
        {.make = as_counts,
         .keras = PRIMES ", output_mode='count')" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 7, 5, 6)),
         .output = GT_SAMPLE_SHAPE(5, 5)},
        {.make = weighed,
         .keras = PRIMES ", output_mode='tf_idf', idf_weights=[0.5, 0.25, 0.125, 2], max_tokens=7, pad_to_max_tokens=True)" FLOATS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 7, 5, 6)),
         .output = GT_SAMPLE_SHAPE(5, 7)}),
};

gt_Layer *gt_IntegerLookup_at(const char *here, const gt_IntegerLookup_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_integer_lookup, options);
}
