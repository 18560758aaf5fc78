/* ReLU: gt_relu and its options as a layer. */
#include "layers/core/relu.h"
#include "layers/kit.h"

typedef struct ReLU {
    gt_Layer base;
    gt_ReLU_options options;
} ReLU;

GT_OPTION_TYPE(gt_ReLU_options, gt_ReLU_OPTIONS);

static gt_Status relu_create(gt_Layer *layer)
{
    const gt_ReLU_options *options = &((const ReLU *)layer)->options;
    if (!(options->max_value >= 0))
        return gt_fail(GT_INVALID, "max_value must be >= 0 (got %g)", options->max_value);
    if (!(options->negative_slope >= 0))
        return gt_fail(GT_INVALID, "negative_slope must be >= 0 (got %g)", options->negative_slope);
    if (!(options->threshold >= 0))
        return gt_fail(GT_INVALID, "threshold must be >= 0 (got %g)", options->threshold);
    return GT_OK;
}

static gt_Tensor *relu_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_ReLU_options *options = &((const ReLU *)layer)->options;
    return gt_relu(in->x, .negative_slope = options->negative_slope,
                   .max_value = options->max_value, .threshold = options->threshold);
}

const gt_LayerClass gt_layer_class_re_lu = {
    GT_LAYER_RECORD("re_lu", "ReLU", ReLU, "max(x, 0), with a limit and a slope below a threshold"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_ReLU_options_type,
    .create = relu_create,
    .call = relu_call,
    .samples =
        GT_LAYER_SAMPLES({.keras = "ReLU()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_ReLU, .max_value = 1.5,
                                                      .negative_slope = 0.25, .threshold = 0.5),
                          .keras = "ReLU(max_value=1.5, negative_slope=0.25, threshold=0.5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 0.5, 4, 3)),
                          .output = GT_SAMPLE_SHAPE(4, 3)}),
};

gt_Layer *gt_ReLU_at(const char *here, const gt_ReLU_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_re_lu, options);
}
