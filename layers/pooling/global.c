/* GlobalMaxPooling and GlobalAveragePooling of one, two and three spatial axes. */
#include "layers/pooling/global.h"
#include "layers/conv/window.h"
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

typedef struct GlobalPooling {
    gt_Layer base;
    gt_GlobalMaxPooling1D_options options;
} GlobalPooling;

GT_OPTION_TYPE(gt_GlobalMaxPooling1D_options, gt_GlobalMaxPooling1D_OPTIONS);

/* All but the first and the last. */
static gt_Axes spatial_axes(const gt_Layer *layer)
{
    const int axes[] = {1, 2, 3};
    return gt_axes_of(gt_spatial_axes(layer), axes);
}

static gt_Tensor *global_max_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GlobalPooling *self = (const GlobalPooling *)layer;
    return gt_max(in->x, .axes = spatial_axes(layer), .keepdims = self->options.keepdims);
}

static gt_Tensor *global_average_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GlobalPooling *self = (const GlobalPooling *)layer;
    return gt_mean(in->x, .axes = spatial_axes(layer), .keepdims = self->options.keepdims);
}

/* x (batch, steps, channels), the mask (batch, steps). */
static gt_Tensor *global_average_pooling1d_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GlobalPooling *self = (const GlobalPooling *)layer;
    if (!in->mask)
        return global_average_call(layer, in);
    gt_Tensor *there = gt_expand_dims(in->mask, -1);
    gt_Tensor *sum =
        gt_sum(gt_where(there, in->x, 0), .axis = 1, .keepdims = self->options.keepdims);
    gt_Tensor *steps =
        gt_sum(gt_cast(there, gt_dtype(sum)), .axis = 1, .keepdims = self->options.keepdims);
    return gt_divide(sum, steps);
}

static gt_Tensor *no_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer, (void)in;
    return NULL;
}

#define GLOBAL(axes) .options = &gt_GlobalMaxPooling1D_options_type, .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_global_max_pooling1d = {
    GT_LAYER_RECORD("global_max_pooling1d", "GlobalMaxPooling1D", GlobalPooling,
                    "the largest number of each channel of a sequence"),
    GLOBAL(1),
    .call = global_max_call,
    .flags = GT_LAYER_DROPS_MASK,
    .samples =
        GT_LAYER_SAMPLES({.keras = "GlobalMaxPooling1D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_GlobalMaxPooling1D, .keepdims = true),
                          .keras = "GlobalMaxPooling1D(keepdims=True)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 4, 3)),
                          .output = GT_SAMPLE_SHAPE(2, 1, 3)}),
};

const gt_LayerClass gt_layer_class_global_max_pooling2d = {
    GT_LAYER_RECORD("global_max_pooling2d", "GlobalMaxPooling2D", GlobalPooling,
                    "the largest number of each channel of an image"),
    GLOBAL(2),
    .call = global_max_call,
    .flags = GT_LAYER_DROPS_MASK,
    .samples =
        GT_LAYER_SAMPLES({.keras = "GlobalMaxPooling2D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 3, 2, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_GlobalMaxPooling1D, .keepdims = true),
                          .keras = "GlobalMaxPooling2D(keepdims=True)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 1, 1, 2)}),
};

const gt_LayerClass gt_layer_class_global_max_pooling3d = {
    GT_LAYER_RECORD("global_max_pooling3d", "GlobalMaxPooling3D", GlobalPooling,
                    "the largest number of each channel of a volume"),
    GLOBAL(3),
    .call = global_max_call,
    .flags = GT_LAYER_DROPS_MASK,
    .samples =
        GT_LAYER_SAMPLES({.keras = "GlobalMaxPooling3D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 2, 3, 2, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_GlobalMaxPooling1D, .keepdims = true),
                          .keras = "GlobalMaxPooling3D(keepdims=True)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 2, 1, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(2, 1, 1, 1, 1)}),
};

const gt_LayerClass gt_layer_class_global_average_pooling1d = {
    GT_LAYER_RECORD("global_average_pooling1d", "GlobalAveragePooling1D", GlobalPooling,
                    "the mean of each channel of a sequence, without masked steps"),
    GLOBAL(1),
    .call = global_average_pooling1d_call,
    .mask = no_mask,
    .samples =
        GT_LAYER_SAMPLES({.keras = "GlobalAveragePooling1D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_GlobalMaxPooling1D, .keepdims = true),
                          .keras = "GlobalAveragePooling1D(keepdims=True)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 4, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 1, 3)},
                         {.keras = "GlobalAveragePooling1D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 2)}),
};

const gt_LayerClass gt_layer_class_global_average_pooling2d = {
    GT_LAYER_RECORD("global_average_pooling2d", "GlobalAveragePooling2D", GlobalPooling,
                    "the mean of each channel of an image"),
    GLOBAL(2),
    .call = global_average_call,
    .flags = GT_LAYER_DROPS_MASK,
    .samples =
        GT_LAYER_SAMPLES({.keras = "GlobalAveragePooling2D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_GlobalMaxPooling1D, .keepdims = true),
                          .keras = "GlobalAveragePooling2D(keepdims=True)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 1, 1, 2)}),
};

const gt_LayerClass gt_layer_class_global_average_pooling3d = {
    GT_LAYER_RECORD("global_average_pooling3d", "GlobalAveragePooling3D", GlobalPooling,
                    "the mean of each channel of a volume"),
    GLOBAL(3),
    .call = global_average_call,
    .flags = GT_LAYER_DROPS_MASK,
    .samples =
        GT_LAYER_SAMPLES({.keras = "GlobalAveragePooling3D()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 2, 3, 2, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_GlobalMaxPooling1D, .keepdims = true),
                          .keras = "GlobalAveragePooling3D(keepdims=True)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 1, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(2, 1, 1, 1, 1)}),
};

gt_Layer *gt_GlobalMaxPooling1D_at(const char *here, const gt_GlobalMaxPooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_global_max_pooling1d, options);
}

gt_Layer *gt_GlobalMaxPooling2D_at(const char *here, const gt_GlobalMaxPooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_global_max_pooling2d, options);
}

gt_Layer *gt_GlobalMaxPooling3D_at(const char *here, const gt_GlobalMaxPooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_global_max_pooling3d, options);
}

gt_Layer *gt_GlobalAveragePooling1D_at(const char *here,
                                       const gt_GlobalAveragePooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_global_average_pooling1d, options);
}

gt_Layer *gt_GlobalAveragePooling2D_at(const char *here,
                                       const gt_GlobalAveragePooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_global_average_pooling2d, options);
}

gt_Layer *gt_GlobalAveragePooling3D_at(const char *here,
                                       const gt_GlobalAveragePooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_global_average_pooling3d, options);
}
