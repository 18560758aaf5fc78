/* LeakyReLU: gt_leaky_relu as a layer. */
#include "layers/core/leaky_relu.h"
#include "layers/kit.h"
#include "ops/nn/activation.h"

typedef struct LeakyReLU {
    gt_Layer base;
    gt_LeakyReLU_options options;
} LeakyReLU;

GT_OPTION_TYPE(gt_LeakyReLU_options, gt_LeakyReLU_OPTIONS);

static gt_Status leaky_relu_create(gt_Layer *layer)
{
    double slope = ((const LeakyReLU *)layer)->options.negative_slope;
    if (!(slope >= 0))
        return gt_fail(GT_INVALID, "negative_slope must be >= 0 (got %g)", slope);
    return GT_OK;
}

static gt_Tensor *leaky_relu_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_leaky_relu(in->x,
                         .negative_slope = ((const LeakyReLU *)layer)->options.negative_slope);
}

const gt_LayerClass gt_layer_class_leaky_re_lu = {
    GT_LAYER_RECORD("leaky_re_lu", "LeakyReLU", LeakyReLU, "x where x > 0, else negative_slope x"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_LeakyReLU_options_type,
    .create = leaky_relu_create,
    .call = leaky_relu_call,
    .samples = GT_LAYER_SAMPLES({.keras = "LeakyReLU()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 2, 3)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3)},
                                {.options = GT_LAYER_OPTIONS(gt_LeakyReLU, .negative_slope = 0.25),
                                 .keras = "LeakyReLU(0.25)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 4)),
                                 .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_LeakyReLU_at(const char *here, const gt_LeakyReLU_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_leaky_re_lu, options);
}
