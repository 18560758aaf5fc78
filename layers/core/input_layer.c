/* InputLayer: x as it is, if it is as it should be. layers/sequential.c draws the symbol that it stands for. */
#include "layers/core/input_layer.h"
#include "layers/draw.h"
#include "layers/kit.h"
#include "ops/array/cast.h"

#include <string.h>

typedef struct InputLayer {
    gt_Layer base;
    gt_InputLayer_options options;
} InputLayer;

GT_OPTION_TYPE(gt_InputLayer_options, gt_InputLayer_OPTIONS);

static gt_Status input_layer_create(gt_Layer *layer)
{
    const gt_InputLayer_options *options = &((const InputLayer *)layer)->options;
    gt_Spec spec;
    gt_input_spec(gt_context(), options->shape, options->batch_size, options->dtype, 0, &spec);
    return gt_status();
}

static gt_Tensor *input_layer_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_InputLayer_options *options = &((const InputLayer *)layer)->options;
    gt_Spec wanted, got = gt_spec(in->x);
    if (!gt_input_spec(gt_context(), options->shape, options->batch_size, options->dtype, 0, &wanted))
        return NULL;
    wanted.dims[0] = options->batch_size;
    for (int d = 1; d < wanted.rank; d++)
        wanted.dims[d] = options->shape.dims[d - 1];
    bool typed = wanted.dtype == got.dtype || (!options->dtype && gt_dtype_is_float(got.dtype));
    bool fits = wanted.rank == got.rank && typed;
    for (int d = 0; fits && d < wanted.rank; d++)
        fits = wanted.dims[d] < 0 || wanted.dims[d] == got.dims[d];
    if (fits)
        return gt_identity(in->x);
    char one[200], other[200];
    gt_fail(GT_INVALID, "the input must be %s (got %s)", gt_spec_text(&wanted, one, sizeof one),
            gt_spec_text(&got, other, sizeof other));
    return NULL;
}

gt_Tensor *gt_input_layer_draw(const gt_Layer *layer)
{
    const gt_InputLayer_options *options = &((const InputLayer *)layer)->options;
    return gt_draw_input(gt_context(), NULL, options->shape, options->batch_size, options->dtype, NULL);
}

const gt_LayerClass gt_layer_class_input_layer = {
    GT_LAYER_RECORD("input_layer", "InputLayer", InputLayer, "what the input of a Sequential is like"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_InputLayer_options_type,
    .create = input_layer_create,
    .call = input_layer_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_InputLayer, .shape = GT_SAMPLE_SHAPE(3)),
         .keras = "Sequential([InputLayer((3,)), Identity()])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_InputLayer, .shape = GT_SAMPLE_SHAPE(-1, 3), .batch_size = 2),
         .keras = "Sequential([InputLayer((None, 3), batch_size=2), Identity()])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)}),
};

gt_Layer *gt_InputLayer_at(const char *here, const gt_InputLayer_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_input_layer, options);
}
