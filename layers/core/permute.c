/* Permute: axes in another order. */
#include "layers/core/permute.h"
#include "layers/kit.h"
#include "ops/array/reshaping.h"

typedef struct Permute {
    gt_Layer base;
    gt_Permute_options options;
} Permute;

GT_OPTION_TYPE(gt_Permute_options, gt_Permute_OPTIONS);

static gt_Status permute_create(gt_Layer *layer)
{
    const gt_Axes *dims = &((const Permute *)layer)->options.dims;
    uint32_t seen = 0;
    for (int32_t i = 0; i < dims->count; i++)
        if (dims->axis[i] >= 1 && dims->axis[i] <= dims->count)
            seen |= 1u << dims->axis[i];
    if (dims->count < 1 || dims->count >= GT_MAX_RANK || seen != (2u << dims->count) - 2)
        return gt_fail(GT_INVALID, "dims must be 1 to %d, each once, in any order",
                       dims->count < 1 ? 1 : (int)dims->count);
    return gt_set_input_spec(layer, 0, .rank = dims->count + 1);
}

static gt_Tensor *permute_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Axes *dims = &((const Permute *)layer)->options.dims;
    int order[GT_MAX_RANK] = {0};
    for (int32_t i = 0; i < dims->count; i++)
        order[i + 1] = dims->axis[i];
    return gt_transpose(in->x, .perm = gt_axes_of(dims->count + 1, order));
}

const gt_LayerClass gt_layer_class_permute = {
    GT_LAYER_RECORD("permute", "Permute", Permute, "axes but the first in another order"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Permute_options_type,
    .create = permute_create,
    .call = permute_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Permute, .dims = GT_SAMPLE_SHAPE(2, 3, 1)),
                          .keras = "Permute((2, 3, 1))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 3, 4)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4, 2)}),
};

gt_Layer *gt_Permute_at(const char *here, const gt_Permute_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_permute, options);
}
