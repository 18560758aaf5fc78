/* Maximum: the largest of inputs. */
#include "layers/merging/maximum.h"
#include "layers/merging/extreme.h"
#include "ops/math/arithmetic.h"

typedef struct Maximum {
    gt_Layer base;
    gt_Maximum_options options;
} Maximum;

GT_OPTION_TYPE(gt_Maximum_options, gt_Maximum_OPTIONS);

static gt_Tensor *maximum_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_merge_extreme(in, gt_maximum);
}

const gt_LayerClass gt_layer_class_maximum = {
    GT_LAYER_RECORD("maximum", "Maximum", Maximum, "the largest of inputs at each place"),
    .options = &gt_Maximum_options_type,
    .call = maximum_call,
    .mask = gt_merge_mask,
    .ports = GT_MERGED,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "Maximum()",
         .inputs = 2,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 4), GT_DISTINCT(-2, 2, 2, 3, 4)),
         .masks = 3,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.keras = "Maximum()",
         .inputs = 3,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 4), GT_DISTINCT(-2, 2, 2, 4),
                            GT_DISTINCT(-2, 2, 2, 1, 4)),
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.keras = "Maximum()",
         .inputs = 2,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 4), GT_DISTINCT(-2, 2, 2, 3, 4)),
         .masks = 2,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.keras = "Maximum()",
         .inputs = 3,
         .input = GT_INPUTS(GT_DISTINCT(-2, 2, 2, 3, 2), GT_DISTINCT(-2, 2, 2, 3, 2),
                            GT_DISTINCT(-2, 2, 2, 3, 2)),
         .masks = 7,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Maximum_at(const char *here, const gt_Maximum_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_maximum, options);
}
