/* HashedCrossing: what several features have together, dealt to bins. A string stands for its hash, an integer for itself. */
#include "layers/preprocessing/hashed_crossing.h"
#include "core/graph.h"
#include "kernels/hash.h"
#include "layers/kit.h"
#include "layers/preprocessing/encode.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/hashing.h"
#include "ops/array/indexing.h"

typedef struct HashedCrossing {
    gt_Layer base;
    gt_HashedCrossing_options options;
} HashedCrossing;

GT_OPTION_TYPE(gt_HashedCrossing_options, gt_HashedCrossing_OPTIONS);

static gt_Status hashed_crossing_create(gt_Layer *layer)
{
    const gt_HashedCrossing_options *options = &((const HashedCrossing *)layer)->options;
    if (options->num_bins <= 0)
        return gt_fail(GT_INVALID, "num_bins must be > 0 (got %lld)", (long long)options->num_bins);
    return gt_output_mode_check(options->output_mode,
                                1u << GT_OUTPUT_MODE_INT | 1u << GT_OUTPUT_MODE_ONE_HOT);
}

/* The hashes of text as int64, whose bits they are. */
static gt_Tensor *hashes_of(const gt_Strings *strings)
{
    gt_Context *context = gt_context();
    gt_Text text;
    gt_Spec spec = {0};
    int64_t *hash;
    if (!gt_text_read(context, NULL, NULL, "the input", strings, &text))
        return NULL;
    gt_spec_set(&spec, GT_INT64, text.shape);
    if (text.symbol)
        return gt_trace_input(context, &spec);
    gt_Tensor *made = gt_tensor_new(context, &spec, (void **)&hash);
    for (int64_t i = 0; made && i < text.count; i++) {
        gt_Piece piece = gt_text_piece(&text, i);
        uint64_t bits = gt_hash_fast(piece.at, piece.length);
        memcpy(&hash[i], &bits, sizeof bits);
    }
    return made;
}

static gt_Status check_feature(const gt_Tensor *feature, const gt_Tensor *first, int32_t i)
{
    const gt_Shape shape = gt_tensor_shape(feature);
    char one[80], other[80];
    if (!gt_dtype_is_integer(gt_dtype(feature)))
        return gt_fail(GT_INVALID, "feature %d must be text or integers (got %s)", (int)i + 1,
                       gt_dtype_name(gt_dtype(feature)));
    if (shape.rank > 2 || (shape.rank == 2 && shape.dims[1] != 1))
        return gt_fail(GT_INVALID, "features must be (rows) or (rows, 1) (got %s)",
                       gt_shape_text(shape, one, sizeof one));
    if (!gt_shape_equal(shape, gt_tensor_shape(first)))
        return gt_fail(GT_INVALID, "features must have the same shape (got %s and %s)",
                       gt_shape_text(gt_tensor_shape(first), one, sizeof one),
                       gt_shape_text(shape, other, sizeof other));
    return GT_OK;
}

static gt_Tensor *hashed_crossing_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_HashedCrossing_options *options = &((const HashedCrossing *)layer)->options;
    gt_Tensor *feature[GT_MAX_INPUTS];
    int32_t count = 0;
    for (int32_t i = 0; i < in->count; i++) {
        const gt_Strings *text = in->text ? in->text[i] : NULL;
        if (!text && !in->inputs[i])
            continue;
        feature[count] = text ? hashes_of(text) : in->inputs[i];
        if (gt_status() != GT_OK || check_feature(feature[count], feature[0], count) != GT_OK)
            return NULL;
        feature[count] = gt_cast(feature[count], GT_INT64);
        count++;
    }
    gt_Tensor *rows = gt_stack(((gt_Tensors){feature, count}), .axis = -1);
    return gt_encode(gt_hash_cross(rows, options->num_bins), options->output_mode, options->num_bins,
                     NULL, gt_float_type(layer));
}

#define FEATURE GT_PORT_TEXT | GT_PORT_INTEGERS
#define MORE    GT_PORT_OPTIONAL | FEATURE
#define WORDS   "red|green||blue|violet|black"

const gt_LayerClass gt_layer_class_hashed_crossing = {
    GT_LAYER_RECORD("hashed_crossing", "HashedCrossing", HashedCrossing,
                    "several features together, dealt to bins by their hash"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_HashedCrossing_options_type,
    .create = hashed_crossing_create,
    .call = hashed_crossing_call,
    .ports = GT_PORTS({"x1", FEATURE, 0, 2}, {"x2", FEATURE, 0, 2}, {"x3", MORE, 0, 2}, {"x4", MORE, 0, 2},
                      {"x5", MORE, 0, 2}, {"x6", MORE, 0, 2}, {"x7", MORE, 0, 2}, {"x8", MORE, 0, 2}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_HashedCrossing, .num_bins = 5),
         .keras = "HashedCrossing(5)",
         .inputs = 2,
         .input = GT_INPUTS(GT_WORDS(WORDS, 6, 8), GT_WHOLE(GT_INT32, -50, 50, 8)),
         .output = GT_SAMPLE_SHAPE(8)},
        {.options = GT_LAYER_OPTIONS(gt_HashedCrossing, .num_bins = 6, .output_mode = GT_OUTPUT_MODE_ONE_HOT),
         .keras = "HashedCrossing(6, output_mode='one_hot') @ tf.cast(call(x), keras.config.floatx())",
         .inputs = 3,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, 0, 9, 8, 1), GT_WORDS(WORDS, 6, 8, 1), GT_WORDS(WORDS, 6, 8, 1)),
         .output = GT_SAMPLE_SHAPE(8, 6)},
        {.options = GT_LAYER_OPTIONS(gt_HashedCrossing, .num_bins = 1000),
         .keras = "HashedCrossing(1000)",
         .inputs = 2,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, -50, 50, 8, 1), GT_WHOLE(GT_UINT8, 0, 9, 8, 1)),
         .masks = 3,
         .output = GT_SAMPLE_SHAPE(8, 1)}),
};

gt_Layer *gt_HashedCrossing_at(const char *here, const gt_HashedCrossing_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_hashed_crossing, options);
}
