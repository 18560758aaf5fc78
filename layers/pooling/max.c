/* MaxPooling1D, MaxPooling2D and MaxPooling3D. */
#include "layers/pooling/max.h"
#include "layers/conv/window.h"
#include "ops/nn/pooling.h"

typedef struct MaxPooling {
    gt_Layer base;
    gt_MaxPooling1D_options options;
    gt_LayerWindow window;
} MaxPooling;

GT_OPTION_TYPE(gt_MaxPooling1D_options, gt_MaxPooling1D_OPTIONS);

static gt_Status max_pooling_create(gt_Layer *layer)
{
    MaxPooling *self = (MaxPooling *)layer;
    const gt_MaxPooling1D_options *options = &self->options;
    const gt_Sizes strides = options->strides == GT_NONE ? options->pool_size : options->strides;
    if (gt_layer_padding(options->padding, false) != GT_OK)
        return gt_status();
    return gt_layer_window(&self->window, layer, "pool_size", options->pool_size, strides, 1);
}

static gt_Tensor *max_pooling_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const MaxPooling *self = (const MaxPooling *)layer;
    return gt_max_pool(in->x, self->window.size, .strides = self->window.strides,
                       .padding = self->options.padding);
}

#define MAX_POOLING(axes)                                                                          \
    .options = &gt_MaxPooling1D_options_type, .create = max_pooling_create,                        \
    .call = max_pooling_call, .flags = GT_LAYER_DROPS_MASK, .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_max_pooling1d = {
    GT_LAYER_RECORD("max_pooling1d", "MaxPooling1D", MaxPooling,
                    "the largest number of each window along one axis"),
    MAX_POOLING(1),
    .samples =
        GT_LAYER_SAMPLES({.keras = "MaxPooling1D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 5, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_MaxPooling1D, .pool_size = 3, .strides = 2,
                                                      .padding = GT_PADDING_SAME),
                          .keras = "MaxPooling1D(3, strides=2, padding='same')",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 6, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

const gt_LayerClass gt_layer_class_max_pooling2d = {
    GT_LAYER_RECORD("max_pooling2d", "MaxPooling2D", MaxPooling,
                    "the largest number of each window of images"),
    MAX_POOLING(2),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "MaxPooling2D()",
         .inputs = 1,
         .input = GT_INPUTS(GT_APART(2, 5, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_MaxPooling1D, .pool_size = GT_SAMPLE_SIZES(3, 2),
                                     .strides = GT_SAMPLE_SIZES(2, 1), .padding = GT_PADDING_SAME),
         .keras = "MaxPooling2D((3, 2), strides=(2, 1), padding='same')",
         .inputs = 1,
         .input = GT_INPUTS(GT_APART(1, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3, 2)}),
};

const gt_LayerClass gt_layer_class_max_pooling3d = {
    GT_LAYER_RECORD("max_pooling3d", "MaxPooling3D", MaxPooling,
                    "the largest number of each window of volumes"),
    MAX_POOLING(3),
    .samples =
        GT_LAYER_SAMPLES({.keras = "MaxPooling3D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 2, 4, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 1, 2, 1, 2)},
                         {.options = GT_LAYER_OPTIONS(
                              gt_MaxPooling1D, .pool_size = GT_SAMPLE_SIZES(1, 3, 2),
                              .strides = GT_SAMPLE_SIZES(1, 2, 1), .padding = GT_PADDING_SAME),
                          .keras = "MaxPooling3D((1, 3, 2), strides=(1, 2, 1), padding='same')",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 2, 4, 3, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 3, 1)}),
};

gt_Layer *gt_MaxPooling1D_at(const char *here, const gt_MaxPooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_max_pooling1d, options);
}

gt_Layer *gt_MaxPooling2D_at(const char *here, const gt_MaxPooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_max_pooling2d, options);
}

gt_Layer *gt_MaxPooling3D_at(const char *here, const gt_MaxPooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_max_pooling3d, options);
}
