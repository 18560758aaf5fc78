/* AdaptiveMaxPooling and AdaptiveAveragePooling of one, two and three spatial axes. */
#include "layers/pooling/adaptive.h"
#include "layers/conv/window.h"
#include "ops/nn/pooling.h"

typedef struct AdaptivePooling {
    gt_Layer base;
    gt_AdaptiveMaxPooling1D_options options;
    gt_Shape size; /* of the output */
} AdaptivePooling;

GT_OPTION_TYPE(gt_AdaptiveMaxPooling1D_options, gt_AdaptiveMaxPooling1D_OPTIONS);

static gt_Status adaptive_create(gt_Layer *layer)
{
    AdaptivePooling *self = (AdaptivePooling *)layer;
    const int axes = gt_spatial_axes(layer);
    int64_t size[3];
    if (gt_sizes_expand("output_size", self->options.output_size, axes, 1, size) != GT_OK)
        return gt_status();
    self->size = gt_shape_of(axes, size);
    return GT_OK;
}

static gt_Tensor *adaptive_max_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_adaptive_max_pool(in->x, ((const AdaptivePooling *)layer)->size);
}

static gt_Tensor *adaptive_average_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_adaptive_average_pool(in->x, ((const AdaptivePooling *)layer)->size);
}

#define ADAPTIVE(axes)                                                                             \
    .options = &gt_AdaptiveMaxPooling1D_options_type, .create = adaptive_create,                   \
    .flags = GT_LAYER_DROPS_MASK, .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_adaptive_max_pooling1d = {
    GT_LAYER_RECORD("adaptive_max_pooling1d", "AdaptiveMaxPooling1D", AdaptivePooling,
                    "the largest number of windows along one axis, to a given size"),
    ADAPTIVE(1),
    .call = adaptive_max_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveMaxPooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 5, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveMaxPooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 6, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 5),
                          .keras = "AdaptiveMaxPooling1D(5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 5, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_max_pooling2d = {
    GT_LAYER_RECORD("adaptive_max_pooling2d", "AdaptiveMaxPooling2D", AdaptivePooling,
                    "the largest number of windows of images, to a given size"),
    ADAPTIVE(2),
    .call = adaptive_max_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
         .keras = "AdaptiveMaxPooling2D(3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_APART(1, 5, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = GT_SAMPLE_SIZES(2, 4)),
         .keras = "AdaptiveMaxPooling2D((2, 4))",
         .inputs = 1,
         .input = GT_INPUTS(GT_APART(2, 4, 3, 1)),
         .output = GT_SAMPLE_SHAPE(2, 2, 4, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_max_pooling3d = {
    GT_LAYER_RECORD("adaptive_max_pooling3d", "AdaptiveMaxPooling3D", AdaptivePooling,
                    "the largest number of windows of volumes, to a given size"),
    ADAPTIVE(3),
    .call = adaptive_max_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 2),
                          .keras = "AdaptiveMaxPooling3D(2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 3, 2, 3, 1)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 2, 1)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D,
                                                      .output_size = GT_SAMPLE_SIZES(2, 2, 1)),
                          .keras = "AdaptiveMaxPooling3D((2, 2, 1))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 4, 3, 1, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 1, 2)}),
};

const gt_LayerClass gt_layer_class_adaptive_average_pooling1d = {
    GT_LAYER_RECORD("adaptive_average_pooling1d", "AdaptiveAveragePooling1D", AdaptivePooling,
                    "the mean of windows along one axis, to a given size"),
    ADAPTIVE(1),
    .call = adaptive_average_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveAveragePooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 5, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveAveragePooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 6, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 5),
                          .keras = "AdaptiveAveragePooling1D(5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 5, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_average_pooling2d = {
    GT_LAYER_RECORD("adaptive_average_pooling2d", "AdaptiveAveragePooling2D", AdaptivePooling,
                    "the mean of windows of images, to a given size"),
    ADAPTIVE(2),
    .call = adaptive_average_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
         .keras = "AdaptiveAveragePooling2D(3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 5, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = GT_SAMPLE_SIZES(2, 4)),
         .keras = "AdaptiveAveragePooling2D((2, 4))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3, 1)),
         .output = GT_SAMPLE_SHAPE(2, 2, 4, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_average_pooling3d = {
    GT_LAYER_RECORD("adaptive_average_pooling3d", "AdaptiveAveragePooling3D", AdaptivePooling,
                    "the mean of windows of volumes, to a given size"),
    ADAPTIVE(3),
    .call = adaptive_average_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 2),
                          .keras = "AdaptiveAveragePooling3D(2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 3, 2, 3, 1)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 2, 1)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D,
                                                      .output_size = GT_SAMPLE_SIZES(2, 2, 1)),
                          .keras = "AdaptiveAveragePooling3D((2, 2, 1))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 4, 3, 1, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 1, 2)}),
};

gt_Layer *gt_AdaptiveMaxPooling1D_at(const char *here,
                                     const gt_AdaptiveMaxPooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_max_pooling1d, options);
}

gt_Layer *gt_AdaptiveMaxPooling2D_at(const char *here,
                                     const gt_AdaptiveMaxPooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_max_pooling2d, options);
}

gt_Layer *gt_AdaptiveMaxPooling3D_at(const char *here,
                                     const gt_AdaptiveMaxPooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_max_pooling3d, options);
}

gt_Layer *gt_AdaptiveAveragePooling1D_at(const char *here,
                                         const gt_AdaptiveAveragePooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_average_pooling1d, options);
}

gt_Layer *gt_AdaptiveAveragePooling2D_at(const char *here,
                                         const gt_AdaptiveAveragePooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_average_pooling2d, options);
}

gt_Layer *gt_AdaptiveAveragePooling3D_at(const char *here,
                                         const gt_AdaptiveAveragePooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_average_pooling3d, options);
}
