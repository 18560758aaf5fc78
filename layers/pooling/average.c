/* AveragePooling1D, AveragePooling2D and AveragePooling3D. */
#include "layers/pooling/average.h"
#include "layers/conv/window.h"
#include "ops/nn/pooling.h"

typedef struct AveragePooling {
    gt_Layer base;
    gt_AveragePooling1D_options options;
    gt_LayerWindow window;
} AveragePooling;

GT_OPTION_TYPE(gt_AveragePooling1D_options, gt_AveragePooling1D_OPTIONS);

static gt_Status average_pooling_create(gt_Layer *layer)
{
    AveragePooling *self = (AveragePooling *)layer;
    const gt_AveragePooling1D_options *options = &self->options;
    const gt_Sizes strides = options->strides == GT_NONE ? options->pool_size : options->strides;
    if (gt_layer_padding(options->padding, false) != GT_OK)
        return gt_status();
    return gt_layer_window(&self->window, layer, "pool_size", options->pool_size, strides, 1);
}

static gt_Tensor *average_pooling_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const AveragePooling *self = (const AveragePooling *)layer;
    return gt_average_pool(in->x, self->window.size, .strides = self->window.strides,
                           .padding = self->options.padding);
}

#define AVERAGE_POOLING(axes)                                                                      \
    .options = &gt_AveragePooling1D_options_type, .create = average_pooling_create,                \
    .call = average_pooling_call, .flags = GT_LAYER_DROPS_MASK, .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_average_pooling1d = {
    GT_LAYER_RECORD("average_pooling1d", "AveragePooling1D", AveragePooling,
                    "the mean of each window along one axis"),
    AVERAGE_POOLING(1),
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AveragePooling1D, .pool_size = 2),
                          .keras = "AveragePooling1D(2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 5, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_AveragePooling1D, .pool_size = 3,
                                                      .strides = 2, .padding = GT_PADDING_SAME),
                          .keras = "AveragePooling1D(3, strides=2, padding='same')",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 6, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

const gt_LayerClass gt_layer_class_average_pooling2d = {
    GT_LAYER_RECORD("average_pooling2d", "AveragePooling2D", AveragePooling,
                    "the mean of each window of images"),
    AVERAGE_POOLING(2),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_AveragePooling1D, .pool_size = 2),
         .keras = "AveragePooling2D(2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_AveragePooling1D, .pool_size = GT_SAMPLE_SIZES(3, 2),
                                     .strides = GT_SAMPLE_SIZES(2, 1), .padding = GT_PADDING_SAME),
         .keras = "AveragePooling2D((3, 2), strides=(2, 1), padding='same')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3, 2)}),
};

const gt_LayerClass gt_layer_class_average_pooling3d = {
    GT_LAYER_RECORD("average_pooling3d", "AveragePooling3D", AveragePooling,
                    "the mean of each window of volumes"),
    AVERAGE_POOLING(3),
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AveragePooling1D, .pool_size = 2),
                          .keras = "AveragePooling3D(2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 2, 4, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 1, 2, 1, 2)},
                         {.options = GT_LAYER_OPTIONS(
                              gt_AveragePooling1D, .pool_size = GT_SAMPLE_SIZES(1, 3, 2),
                              .strides = GT_SAMPLE_SIZES(1, 2, 1), .padding = GT_PADDING_SAME),
                          .keras = "AveragePooling3D((1, 3, 2), strides=(1, 2, 1), padding='same')",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 2, 4, 3, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 3, 1)}),
};

gt_Layer *gt_AveragePooling1D_at(const char *here, const gt_AveragePooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_average_pooling1d, options);
}

gt_Layer *gt_AveragePooling2D_at(const char *here, const gt_AveragePooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_average_pooling2d, options);
}

gt_Layer *gt_AveragePooling3D_at(const char *here, const gt_AveragePooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_average_pooling3d, options);
}
