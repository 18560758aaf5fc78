/* UpSampling1D, 2D, 3D: the spatial axes times as long. */
#include "layers/reshaping/up_sampling.h"
#include "layers/kit.h"
#include "ops/nn/image.h"

typedef struct UpSampling {
    gt_Layer base;
    gt_UpSampling1D_options options;
    int64_t times[3];
} UpSampling;

GT_OPTION_TYPE(gt_UpSampling1D_options, gt_UpSampling1D_OPTIONS);

typedef struct UpSampling2D {
    gt_Layer base;
    gt_UpSampling2D_options options;
    int64_t times[2];
} UpSampling2D;

GT_OPTION_TYPE(gt_UpSampling2D_options, gt_UpSampling2D_OPTIONS);

static gt_Status up_sampling_create(gt_Layer *layer)
{
    UpSampling *self = (UpSampling *)layer;
    return gt_sizes_expand("sizes", self->options.sizes, layer->type->ports->rank_max - 2, 1,
                           self->times);
}

static gt_Status up_sampling2d_create(gt_Layer *layer)
{
    UpSampling2D *self = (UpSampling2D *)layer;
    gt_Interpolation how = self->options.interpolation;
    if (how < GT_INTERPOLATION_NEAREST || how > GT_INTERPOLATION_LANCZOS5)
        return gt_fail(GT_INVALID, "unknown interpolation %d", (int)how);
    return gt_sizes_expand("sizes", self->options.sizes, 2, 1, self->times);
}

static gt_Tensor *up_sampling_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const UpSampling *self = (const UpSampling *)layer;
    return gt_upsample(in->x, gt_shape_of(layer->type->ports->rank_max - 2, self->times));
}

static gt_Tensor *up_sampling2d_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const UpSampling2D *self = (const UpSampling2D *)layer;
    return gt_upsample(in->x, gt_shape_of(2, self->times),
                       .interpolation = self->options.interpolation);
}

static gt_Layer *by_axis(void)
{
    return gt_UpSampling2D(gt_sizes(1, 3), .interpolation = GT_INTERPOLATION_NEAREST);
}

const gt_LayerClass gt_layer_class_up_sampling1d = {
    GT_LAYER_RECORD("up_sampling1d", "UpSampling1D", UpSampling, "(steps) times as long"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_UpSampling1D_options_type,
    .create = up_sampling_create,
    .call = up_sampling_call,
    .ports = GT_PORTS({"x", 0, 3, 3}),
    .samples = GT_LAYER_SAMPLES({.keras = "UpSampling1D()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 6, 2)},
                                {.options = GT_LAYER_OPTIONS(gt_UpSampling1D, .sizes = 3),
                                 .keras = "UpSampling1D(3)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 1, 2)),
                                 .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_UpSampling1D_at(const char *here, const gt_UpSampling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_up_sampling1d, options);
}

const gt_LayerClass gt_layer_class_up_sampling2d = {
    GT_LAYER_RECORD("up_sampling2d", "UpSampling2D", UpSampling2D, "(height, width) times as long"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_UpSampling2D_options_type,
    .create = up_sampling2d_create,
    .call = up_sampling2d_call,
    .ports = GT_PORTS({"x", 0, 4, 4}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "UpSampling2D()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 1, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 2, 2)},
        {.make = by_axis,
         .keras = "UpSampling2D((1, 3))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 2, 1)),
         .output = GT_SAMPLE_SHAPE(1, 2, 6, 1)},
        {.options = GT_LAYER_OPTIONS(gt_UpSampling2D, .interpolation = GT_INTERPOLATION_BILINEAR),
         .keras = "UpSampling2D(interpolation='bilinear')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 4, 6, 2)},
        {.options = GT_LAYER_OPTIONS(gt_UpSampling2D, .interpolation = GT_INTERPOLATION_BICUBIC),
         .keras = "UpSampling2D(interpolation='bicubic')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 1)),
         .output = GT_SAMPLE_SHAPE(1, 4, 6, 1)}),
};

gt_Layer *gt_UpSampling2D_at(const char *here, const gt_UpSampling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_up_sampling2d, options);
}

const gt_LayerClass gt_layer_class_up_sampling3d = {
    GT_LAYER_RECORD("up_sampling3d", "UpSampling3D", UpSampling,
                    "(depth, height, width) times as long"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_UpSampling1D_options_type,
    .create = up_sampling_create,
    .call = up_sampling_call,
    .ports = GT_PORTS({"x", 0, 5, 5}),
    .samples = GT_LAYER_SAMPLES({.keras = "UpSampling3D()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(1, 2, 1, 2, 1)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(1, 4, 2, 4, 1)},
                                {.options = GT_LAYER_OPTIONS(gt_UpSampling1D, .sizes = 3),
                                 .keras = "UpSampling3D(3)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(1, 1, 2, 1, 1)),
                                 .output = GT_SAMPLE_SHAPE(1, 3, 6, 3, 1)}),
};

gt_Layer *gt_UpSampling3D_at(const char *here, const gt_UpSampling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_up_sampling3d, options);
}
