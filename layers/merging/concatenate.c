/* Concatenate: inputs one behind the other. */
#include "layers/merging/concatenate.h"
#include "layers/merging/merge.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

typedef struct Concatenate {
    gt_Layer base;
    gt_Concatenate_options options;
} Concatenate;

GT_OPTION_TYPE(gt_Concatenate_options, gt_Concatenate_OPTIONS);

static gt_Tensor *concatenate_call(gt_Layer *layer, const gt_CallArgs *in)
{
    if (in->count < 2) {
        gt_fail(GT_INVALID,
                "it joins two inputs or more (got 1): gt_call(layer, a, .more = gt_tensors(b))");
        return NULL;
    }
    const gt_Tensors inputs = {in->inputs, in->count};
    return gt_concatenate(inputs, .axis = ((const Concatenate *)layer)->options.axis);
}

/* The mask of an input in its whole shape; ones if it has none. */
static gt_Tensor *whole_mask(gt_Tensor *x, gt_Tensor *mask)
{
    if (!mask)
        return gt_ones_like(x, .dtype = GT_BOOL);
    for (int missing = gt_rank(x) - gt_rank(mask); missing > 0; missing--)
        mask = gt_expand_dims(mask, -1);
    return gt_logical_or(mask, gt_zeros_like(x, .dtype = GT_BOOL));
}

/* Whole masks are joined as the inputs are; unless one covers all axes, an element is there if
 * one of its features is. */
static gt_Tensor *concatenate_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *whole[GT_MAX_INPUTS];
    int32_t masks = 0;
    bool covers = false;
    for (int32_t i = 0; i < in->count; i++) {
        whole[i] = NULL;
        masks += in->masks[i] != NULL;
        covers |= in->masks[i] && gt_rank(in->masks[i]) == gt_rank(in->inputs[i]);
    }
    if (masks == 0)
        return NULL;
    for (int32_t i = 0; i < in->count; i++)
        whole[i] = whole_mask(in->inputs[i], in->masks[i]);
    const gt_Tensors list = {whole, in->count};
    gt_Tensor *mask = gt_concatenate(list, .axis = ((const Concatenate *)layer)->options.axis);
    return covers ? mask : gt_any(mask, .axis = -1);
}

const gt_LayerClass gt_layer_class_concatenate = {
    GT_LAYER_RECORD("concatenate", "Concatenate", Concatenate, "inputs one behind the other"),
    .options = &gt_Concatenate_options_type,
    .call = concatenate_call,
    .mask = concatenate_mask,
    .ports = GT_MERGED,
    .samples =
        GT_LAYER_SAMPLES({.keras = "Concatenate()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 2)),
                          .masks = 3,
                          .output = GT_SAMPLE_SHAPE(2, 3, 6)},
                         {.options = GT_LAYER_OPTIONS(gt_Concatenate, .axis = 1),
                          .keras = "Concatenate(1)",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 1, 2), GT_ANY(2, 2, 2)),
                          .masks = 5,
                          .output = GT_SAMPLE_SHAPE(2, 6, 2)},
                         {.keras = "Concatenate()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 6)},
                         {.keras = "Concatenate()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 1)),
                          .output = GT_SAMPLE_SHAPE(2, 4)}),
};

gt_Layer *gt_Concatenate_at(const char *here, const gt_Concatenate_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_concatenate, options);
}
