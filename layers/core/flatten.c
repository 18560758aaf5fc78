/* Flatten: the axes behind the first as one. */
#include "layers/core/flatten.h"
#include "layers/kit.h"
#include "ops/array/reshaping.h"

typedef struct Flatten {
    gt_Layer base;
    gt_Flatten_options options;
} Flatten;

GT_OPTION_TYPE(gt_Flatten_options, gt_Flatten_OPTIONS);

static gt_Status flatten_create(gt_Layer *layer)
{
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Tensor *flatten_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_reshape(in->x, gt_shape(-1), .keep = 1);
}

const gt_LayerClass gt_layer_class_flatten = {
    GT_LAYER_RECORD("flatten", "Flatten", Flatten, "all axes but the first as one"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Flatten_options_type,
    .create = flatten_create,
    .call = flatten_call,
    .samples = GT_LAYER_SAMPLES({.keras = "Flatten()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 6)},
                                {.keras = "Flatten()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(3)),
                                 .output = GT_SAMPLE_SHAPE(3, 1)}),
};

gt_Layer *gt_Flatten_at(const char *here, const gt_Flatten_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_flatten, options);
}
