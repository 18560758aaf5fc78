/* CategoryEncoding: categories, as whole numbers, become vectors. */
#include "layers/preprocessing/category_encoding.h"
#include "layers/kit.h"
#include "layers/preprocessing/encode.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"

typedef struct CategoryEncoding {
    gt_Layer base;
    gt_CategoryEncoding_options options;
} CategoryEncoding;

GT_OPTION_TYPE(gt_CategoryEncoding_options, gt_CategoryEncoding_OPTIONS);

static gt_Status category_encoding_create(gt_Layer *layer)
{
    const gt_CategoryEncoding_options *options = &((const CategoryEncoding *)layer)->options;
    if (options->num_tokens <= 0)
        return gt_fail(GT_INVALID, "num_tokens must be > 0 (got %lld)",
                       (long long)options->num_tokens);
    return gt_output_mode_check(options->output_mode, 1u << GT_OUTPUT_MODE_ONE_HOT |
                                                          1u << GT_OUTPUT_MODE_MULTI_HOT |
                                                          1u << GT_OUTPUT_MODE_COUNT);
}

static gt_Tensor *category_encoding_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_CategoryEncoding_options *options = &((const CategoryEncoding *)layer)->options;
    gt_Tensor *weights = in->count > 1 ? in->inputs[1] : NULL;
    if (weights && options->output_mode != GT_OUTPUT_MODE_COUNT) {
        gt_fail(GT_INVALID, "count_weights are for the output_mode COUNT");
        return NULL;
    }
    if (weights && !gt_shape_equal(gt_tensor_shape(weights), gt_tensor_shape(in->x))) {
        gt_fail(GT_INVALID, "count_weights must have the shape of the input");
        return NULL;
    }
    return gt_encode(gt_as_integers(in->x), options->output_mode, options->num_tokens,
                     weights ? gt_as_floats(layer, weights) : NULL, gt_float_type(layer));
}

const gt_LayerClass gt_layer_class_category_encoding = {
    GT_LAYER_RECORD("category_encoding", "CategoryEncoding", CategoryEncoding,
                    "categories as vectors of 0 and 1, or of counts"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_CategoryEncoding_options_type,
    .create = category_encoding_create,
    .call = category_encoding_call,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0},
                      {"count_weights", GT_PORT_OPTIONAL | GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_CategoryEncoding, .num_tokens = 4),
                                 .keras = "CategoryEncoding(4)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 4, 5, 3)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(5, 4)},
                                {.options = GT_LAYER_OPTIONS(gt_CategoryEncoding, .num_tokens = 4,
                                                             .output_mode = GT_OUTPUT_MODE_ONE_HOT),
                                 .keras = "CategoryEncoding(4, output_mode='one_hot')",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_WHOLE(GT_INT64, 0, 4, 5, 1)),
                                 .output = GT_SAMPLE_SHAPE(5, 4)},
                                {.options = GT_LAYER_OPTIONS(gt_CategoryEncoding, .num_tokens = 3,
                                                             .output_mode = GT_OUTPUT_MODE_ONE_HOT),
                                 .keras = "CategoryEncoding(3, output_mode='one_hot')",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_WHOLE(GT_UINT8, 0, 3, 4, 2)),
                                 .output = GT_SAMPLE_SHAPE(4, 2, 3)},
                                {.options = GT_LAYER_OPTIONS(gt_CategoryEncoding, .num_tokens = 3,
                                                             .output_mode = GT_OUTPUT_MODE_COUNT),
                                 .keras = "CategoryEncoding(3, output_mode='count')",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 4, 5)),
                                 .output = GT_SAMPLE_SHAPE(4, 3)},
                                {.options = GT_LAYER_OPTIONS(gt_CategoryEncoding, .num_tokens = 3,
                                                             .output_mode = GT_OUTPUT_MODE_COUNT),
                                 .keras = "CategoryEncoding(3, output_mode='count') @ "
                                          "call(x[0], count_weights=x[1])",
                                 .inputs = 2,
                                 .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 4, 5), GT_ANY(4, 5)),
                                 .output = GT_SAMPLE_SHAPE(4, 3)}),
};

gt_Layer *gt_CategoryEncoding_at(const char *here, const gt_CategoryEncoding_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_category_encoding, options);
}
