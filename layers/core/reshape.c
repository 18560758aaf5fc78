/* Reshape: the elements of each row in another shape. */
#include "layers/core/reshape.h"
#include "layers/kit.h"
#include "ops/array/reshaping.h"

typedef struct Reshape {
    gt_Layer base;
    gt_Reshape_options options;
} Reshape;

GT_OPTION_TYPE(gt_Reshape_options, gt_Reshape_OPTIONS);

static gt_Status reshape_create(gt_Layer *layer)
{
    gt_Shape target = ((const Reshape *)layer)->options.target;
    if (target.rank < 0 || target.rank >= GT_MAX_RANK)
        return gt_fail(GT_INVALID, "target must have at most %d dimensions (got %d)",
                       GT_MAX_RANK - 1, (int)target.rank);
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Tensor *reshape_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_reshape(in->x, ((const Reshape *)layer)->options.target, .keep = 1);
}

const gt_LayerClass gt_layer_class_reshape = {
    GT_LAYER_RECORD("reshape", "Reshape", Reshape, "the elements of each row in another shape"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Reshape_options_type,
    .create = reshape_create,
    .call = reshape_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Reshape, .target = GT_SAMPLE_SHAPE(3, 2)),
                          .keras = "Reshape((3, 2))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 6)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_Reshape, .target = GT_SAMPLE_SHAPE(-1, 3)),
                          .keras = "Reshape((-1, 3))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 6)),
                          .output = GT_SAMPLE_SHAPE(2, 4, 3)}),
};

gt_Layer *gt_Reshape_at(const char *here, const gt_Reshape_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_reshape, options);
}
