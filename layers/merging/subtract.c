/* Subtract: the difference of two inputs. */
#include "layers/merging/subtract.h"
#include "layers/merging/merge.h"
#include "ops/math/arithmetic.h"

typedef struct Subtract {
    gt_Layer base;
    gt_Subtract_options options;
} Subtract;

GT_OPTION_TYPE(gt_Subtract_options, gt_Subtract_OPTIONS);

static gt_Tensor *subtract_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_merge_by(in, gt_subtract);
}

const gt_LayerClass gt_layer_class_subtract = {
    GT_LAYER_RECORD("subtract", "Subtract", Subtract, "the first input less the second"),
    .options = &gt_Subtract_options_type,
    .call = subtract_call,
    .mask = gt_merge_mask,
    .ports = GT_PORTS({"inputs", 0, 0, 0}, {"subtrahend", 0, 0, 0}),
    .samples = GT_LAYER_SAMPLES({.keras = "Subtract()",
                                 .inputs = 2,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                                 .masks = 3,
                                 .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                                {.keras = "Subtract()",
                                 .inputs = 2,
                                 .input = GT_INPUTS(GT_ANY(2, 4), GT_ANY(2, 3, 4)),
                                 .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                                {.keras = "Subtract()",
                                 .inputs = 2,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                                 .masks = 2,
                                 .output = GT_SAMPLE_SHAPE(2, 3, 4)}),
};

gt_Layer *gt_Subtract_at(const char *here, const gt_Subtract_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_subtract, options);
}
