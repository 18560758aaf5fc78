/* Masking: steps whose features are all one number are padding. */
#include "layers/core/masking.h"
#include "layers/kit.h"
#include "ops/array/masking.h"
#include "ops/array/reshaping.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

#include <math.h>

typedef struct Masking {
    gt_Layer base;
    gt_Masking_options options;
} Masking;

GT_OPTION_TYPE(gt_Masking_options, gt_Masking_OPTIONS);

static gt_Status masking_create(gt_Layer *layer)
{
    if (isnan(((const Masking *)layer)->options.mask_value))
        return gt_fail(GT_INVALID, "mask_value must not be NaN: no element is equal to it");
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Tensor *masking_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Masking *self = (const Masking *)layer;
    gt_Tensor *x = gt_is_masked(in->x) ? gt_unmask(in->x) : in->x;
    gt_Tensor *there =
        gt_any(gt_not_equal(x, self->options.mask_value), .axis = -1, .keepdims = true);
    return gt_with_mask(gt_where(there, x, 0), gt_squeeze(there, .axis = -1));
}

const gt_LayerClass gt_layer_class_masking = {
    GT_LAYER_RECORD("masking", "Masking", Masking,
                    "steps whose features are all mask_value are padding"),
    .options = &gt_Masking_options_type,
    .create = masking_create,
    .call = masking_call,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES({.keras = "Masking()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_MULTIPLES(0, 2, 1, 2, 3, 1)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3, 1)},
                                {.options = GT_LAYER_OPTIONS(gt_Masking, .mask_value = 1),
                                 .keras = "Masking(1.0)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_MULTIPLES(0, 2, 1, 4, 3, 1)),
                                 .output = GT_SAMPLE_SHAPE(4, 3, 1)},
                                {.options = GT_LAYER_OPTIONS(gt_Masking, .mask_value = 1),
                                 .keras = "Masking(1.0)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_MULTIPLES(0, 2, 1, 2, 3, 2)),
                                 .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                                {.keras = "Masking()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                                 .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                                {.options = GT_LAYER_OPTIONS(gt_Masking, .mask_value = 1),
                                 .keras = "Masking(1)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 2, 4, 3, 2)),
                                 .output = GT_SAMPLE_SHAPE(4, 3, 2)}),
};

gt_Layer *gt_Masking_at(const char *here, const gt_Masking_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_masking, options);
}
