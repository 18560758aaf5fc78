/* Average: the mean of inputs. */
#include "layers/merging/average.h"
#include "layers/merging/merge.h"
#include "ops/math/arithmetic.h"

typedef struct Average {
    gt_Layer base;
    gt_Average_options options;
} Average;

GT_OPTION_TYPE(gt_Average_options, gt_Average_OPTIONS);

static gt_Tensor *average_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_divide(gt_merge_by(in, gt_add), in->count);
}

const gt_LayerClass gt_layer_class_average = {
    GT_LAYER_RECORD("average", "Average", Average, "the mean of inputs"),
    .options = &gt_Average_options_type,
    .call = average_call,
    .mask = gt_merge_mask,
    .ports = GT_MERGED,
    .samples =
        GT_LAYER_SAMPLES({.keras = "Average()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                          .masks = 3,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Average()",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 4), GT_ANY(2, 1, 4)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Average()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                          .masks = 2,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Average()",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 3, 2), GT_ANY(2, 3, 2)),
                          .masks = 7,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Average_at(const char *here, const gt_Average_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_average, options);
}
