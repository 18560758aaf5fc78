/* Add: the sum of inputs. */
#include "layers/merging/add.h"
#include "layers/merging/merge.h"
#include "ops/math/arithmetic.h"

typedef struct Add {
    gt_Layer base;
    gt_Add_options options;
} Add;

GT_OPTION_TYPE(gt_Add_options, gt_Add_OPTIONS);

static gt_Tensor *add_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_merge_by(in, gt_add);
}

const gt_LayerClass gt_layer_class_add = {
    GT_LAYER_RECORD("add", "Add", Add, "the sum of inputs"),
    .options = &gt_Add_options_type,
    .call = add_call,
    .mask = gt_merge_mask,
    .ports = GT_MERGED,
    .samples =
        GT_LAYER_SAMPLES({.keras = "Add()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                          .masks = 3,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Add()",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 4), GT_ANY(2, 1, 4)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Add()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                          .masks = 2,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Add()",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 3, 2), GT_ANY(2, 3, 2)),
                          .masks = 7,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Add_at(const char *here, const gt_Add_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_add, options);
}
