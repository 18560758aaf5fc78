/* Rescaling: numbers from one range to another. */
#include "layers/preprocessing/rescaling.h"
#include "layers/kit.h"
#include "layers/preprocessing/numbers.h"
#include "ops/math/arithmetic.h"

typedef struct Rescaling {
    gt_Layer base;
    gt_Rescaling_options options;
} Rescaling;

GT_OPTION_TYPE(gt_Rescaling_options, gt_Rescaling_OPTIONS);

static gt_Status rescaling_create(gt_Layer *layer)
{
    const gt_Rescaling_options *options = &((const Rescaling *)layer)->options;
    if (!isfinite(options->scale) || !isfinite(options->offset))
        return gt_fail(GT_INVALID,
                       "scale and offset must be finite, and scale is required (got %g and %g)",
                       options->scale, options->offset);
    return GT_OK;
}

static gt_Tensor *rescaling_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Rescaling_options *options = &((const Rescaling *)layer)->options;
    return gt_add(gt_multiply(gt_as_floats(layer, in->x), options->scale), options->offset);
}

const gt_LayerClass gt_layer_class_rescaling = {
    GT_LAYER_RECORD("rescaling", "Rescaling", Rescaling, "x scale + offset"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_Rescaling_options_type,
    .create = rescaling_create,
    .call = rescaling_call,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Rescaling, .scale = 0.25),
                          .keras = "Rescaling(0.25)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_WHOLE(GT_UINT8, 0, 255, 2, 3)),
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_Rescaling, .scale = -2, .offset = 0.5),
                          .keras = "Rescaling(-2, offset=0.5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Rescaling_at(const char *here, const gt_Rescaling_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_rescaling, options);
}
