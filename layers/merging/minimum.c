/* Minimum: the smallest of inputs. */
#include "layers/merging/minimum.h"
#include "layers/merging/extreme.h"
#include "ops/math/arithmetic.h"

typedef struct Minimum {
    gt_Layer base;
    gt_Minimum_options options;
} Minimum;

GT_OPTION_TYPE(gt_Minimum_options, gt_Minimum_OPTIONS);

static gt_Tensor *minimum_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_merge_extreme(in, gt_minimum);
}

const gt_LayerClass gt_layer_class_minimum = {
    GT_LAYER_RECORD("minimum", "Minimum", Minimum, "the smallest of inputs at each place"),
    .options = &gt_Minimum_options_type,
    .call = minimum_call,
    .mask = gt_merge_mask,
    .ports = GT_MERGED,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "Minimum()",
         .inputs = 2,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 4), GT_DISTINCT(-2, 2, 2, 3, 4)),
         .masks = 3,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.keras = "Minimum()",
         .inputs = 3,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 4), GT_DISTINCT(-2, 2, 2, 4),
                            GT_DISTINCT(-2, 2, 2, 1, 4)),
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.keras = "Minimum()",
         .inputs = 2,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 4), GT_DISTINCT(-2, 2, 2, 3, 4)),
         .masks = 2,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.keras = "Minimum()",
         .inputs = 3,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 2), GT_DISTINCT(-2, 2, 2, 3, 2),
                            GT_DISTINCT(-2, 2, 2, 3, 2)),
         .masks = 7,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Minimum_at(const char *here, const gt_Minimum_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_minimum, options);
}
