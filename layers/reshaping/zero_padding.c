/* ZeroPadding1D, 2D, 3D: zeros around the spatial axes. */
#include "layers/reshaping/zero_padding.h"
#include "layers/reshaping/margins.h"
#include "ops/array/reshaping.h"

typedef struct ZeroPadding {
    gt_Layer base;
    gt_ZeroPadding1D_options options;
    gt_Margins margins;
} ZeroPadding;

GT_OPTION_TYPE(gt_ZeroPadding1D_options, gt_ZeroPadding1D_OPTIONS);

static gt_Status zero_padding_create(gt_Layer *layer)
{
    ZeroPadding *self = (ZeroPadding *)layer;
    const gt_ZeroPadding1D_options *options = &self->options;
    return gt_margins(layer, "padding", options->padding, options->padding_after, &self->margins);
}

static gt_Tensor *zero_padding_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Margins *margins = &((const ZeroPadding *)layer)->margins;
    int64_t before[GT_MAX_RANK] = {0}, after[GT_MAX_RANK] = {0};
    int rank = gt_rank(in->x);
    for (int d = 0; d < rank - 2; d++) {
        before[d + 1] = margins->before[d];
        after[d + 1] = margins->after[d];
    }
    return gt_pad(in->x, gt_shape_of(rank, before), gt_shape_of(rank, after));
}

static gt_Layer *padded_by_axis(void)
{
    return gt_ZeroPadding2D(gt_sizes(1, 0), .padding_after = gt_sizes(0, 2));
}

const gt_LayerClass gt_layer_class_zero_padding1d = {
    GT_LAYER_RECORD("zero_padding1d", "ZeroPadding1D", ZeroPadding, "zeros around (steps)"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_ZeroPadding1D_options_type,
    .create = zero_padding_create,
    .call = zero_padding_call,
    .ports = GT_PORTS({"x", 0, 3, 3}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "ZeroPadding1D()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 5, 2)},
        {.options = GT_LAYER_OPTIONS(gt_ZeroPadding1D, .padding = 2, .padding_after = 0),
         .keras = "ZeroPadding1D((2, 0))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 5, 2)}),
};

gt_Layer *gt_ZeroPadding1D_at(const char *here, const gt_ZeroPadding1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_zero_padding1d, options);
}

const gt_LayerClass gt_layer_class_zero_padding2d = {
    GT_LAYER_RECORD("zero_padding2d", "ZeroPadding2D", ZeroPadding, "zeros around (height, width)"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_ZeroPadding1D_options_type,
    .create = zero_padding_create,
    .call = zero_padding_call,
    .ports = GT_PORTS({"x", 0, 4, 4}),
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_ZeroPadding1D, .padding = 2),
                                 .keras = "ZeroPadding2D(2)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 2, 3, 1)),
                                 .output = GT_SAMPLE_SHAPE(2, 6, 7, 1)},
                                {.make = padded_by_axis,
                                 .keras = "ZeroPadding2D(((1, 0), (0, 2)))",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(1, 2, 3, 2)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(1, 3, 5, 2)}),
};

gt_Layer *gt_ZeroPadding2D_at(const char *here, const gt_ZeroPadding1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_zero_padding2d, options);
}

const gt_LayerClass gt_layer_class_zero_padding3d = {
    GT_LAYER_RECORD("zero_padding3d", "ZeroPadding3D", ZeroPadding,
                    "zeros around (depth, height, width)"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_ZeroPadding1D_options_type,
    .create = zero_padding_create,
    .call = zero_padding_call,
    .ports = GT_PORTS({"x", 0, 5, 5}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "ZeroPadding3D()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 1, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 4, 3, 4, 2)},
        {.options = GT_LAYER_OPTIONS(gt_ZeroPadding1D, .padding = 2, .padding_after = 0),
         .keras = "ZeroPadding3D(((2, 0), (2, 0), (2, 0)))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 1, 2, 2)),
         .output = GT_SAMPLE_SHAPE(1, 4, 3, 4, 2)}),
};

gt_Layer *gt_ZeroPadding3D_at(const char *here, const gt_ZeroPadding1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_zero_padding3d, options);
}
