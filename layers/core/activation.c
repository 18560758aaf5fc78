/* Activation: a function of one tensor as a layer. */
#include "layers/core/activation.h"
#include "layers/kit.h"
#include "ops/math/math.h"

typedef struct Activation {
    gt_Layer base;
    gt_Activation_options options;
} Activation;

GT_OPTION_TYPE(gt_Activation_options, gt_Activation_OPTIONS);

static gt_Status activation_create(gt_Layer *layer)
{
    return ((const Activation *)layer)->options.function
               ? GT_OK
               : gt_fail(GT_INVALID, "the function is NULL");
}

static gt_Tensor *activation_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const Activation *)layer)->options.function(in->x);
}

const gt_LayerClass gt_layer_class_activation = {
    GT_LAYER_RECORD("activation", "Activation", Activation, "a function of one tensor"),
    .flags = GT_LAYER_FUNCTION | GT_LAYER_KEEPS_MASK,
    .options = &gt_Activation_options_type,
    .create = activation_create,
    .call = activation_call,
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Activation, .function = gt_tanh),
                                 .keras = "Activation('tanh')",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_Activation_at(const char *here, const gt_Activation_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_activation, options);
}
