/* Resizing, CenterCrop: images of one size. */
#include "layers/preprocessing/resizing.h"
#include "layers/preprocessing/images.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"

#include <math.h>

typedef struct Resizing {
    gt_Layer base;
    gt_Resizing_options options;
} Resizing;

GT_OPTION_TYPE(gt_Resizing_options, gt_Resizing_OPTIONS);

static gt_Status resizing_create(gt_Layer *layer)
{
    const gt_Resizing_options *options = &((const Resizing *)layer)->options;
    if (options->interpolation < GT_INTERPOLATION_NEAREST ||
        options->interpolation > GT_INTERPOLATION_LANCZOS5)
        return gt_fail(GT_INVALID, "unknown interpolation %d", (int)options->interpolation);
    if (options->crop_to_aspect_ratio && options->pad_to_aspect_ratio)
        return gt_fail(GT_INVALID,
                       "crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other");
    if (isnan(options->fill_value))
        return gt_fail(GT_INVALID, "fill_value must be a number");
    return gt_check_image_size(options->height, options->width);
}

/* Floats as the integers next to them. The largest float32 below 2^31 and 2^63 are the ends of what they can say of these
 * types, as in Keras. */
static gt_Tensor *to_integers(gt_Tensor *y, gt_DType dtype)
{
    static const struct {
        gt_DType dtype;
        double low, high;
    } ends[] = {{GT_UINT8, 0, 255},
                {GT_INT8, -128, 127},
                {GT_INT32, -0x1p31, 0x1.fffffep30},
                {GT_INT64, -0x1p63, 0x1.fffffep62}};
    y = gt_round(y);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i].dtype == dtype)
            y = gt_clip(y, ends[i].low, ends[i].high);
    return gt_cast(y, dtype);
}

static gt_Tensor *resizing_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Resizing_options *o = &((const Resizing *)layer)->options;
    const gt_DType dtype = gt_dtype(in->x);
    gt_Tensor *y = gt_resize(
        gt_widened(in->x), gt_shape(o->height, o->width), .interpolation = o->interpolation,
        .antialias = o->antialias, .crop_to_aspect_ratio = o->crop_to_aspect_ratio,
        .pad_to_aspect_ratio = o->pad_to_aspect_ratio, .fill_value = o->fill_value);
    return gt_dtype(y) == dtype         ? y
           : gt_dtype_is_integer(dtype) ? to_integers(y, dtype)
                                        : gt_cast(y, dtype);
}

const gt_LayerClass gt_layer_class_resizing = {
    GT_LAYER_RECORD("resizing", "Resizing", Resizing, "images of another size"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Resizing_options_type,
    .create = resizing_create,
    .call = resizing_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Resizing, .height = 5, .width = 2),
         .keras = "Resizing(5, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 5, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Resizing, .height = 3, .width = 2,
                                     .interpolation = GT_INTERPOLATION_BICUBIC, .antialias = true),
         .keras = "Resizing(3, 2, interpolation='bicubic', antialias=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 7, 5, 1)),
         .output = GT_SAMPLE_SHAPE(1, 3, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_Resizing, .height = 4, .width = 2,
                                     .interpolation = GT_INTERPOLATION_NEAREST,
                                     .crop_to_aspect_ratio = true),
         .keras = "Resizing(4, 2, 'nearest', crop_to_aspect_ratio=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, -9, 9, 2, 5, 6, 1)),
         .output = GT_SAMPLE_SHAPE(2, 4, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_Resizing, .height = 3, .width = 3,
                                     .interpolation = GT_INTERPOLATION_LANCZOS3,
                                     .pad_to_aspect_ratio = true, .fill_value = 7),
         .keras = "Resizing(3, 3, 'lanczos3', pad_to_aspect_ratio=True, fill_value=7.)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 5, 2)),
         .output = GT_SAMPLE_SHAPE(1, 3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Resizing, .height = 7, .width = 5,
                                     .interpolation = GT_INTERPOLATION_LANCZOS5),
         .keras = "Resizing(7, 5, 'lanczos5')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_UINT8, 0, 255, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(7, 5, 2)}),
};

gt_Layer *gt_Resizing_at(const char *here, const gt_Resizing_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_resizing, options);
}

typedef struct CenterCrop {
    gt_Layer base;
    gt_CenterCrop_options options;
} CenterCrop;

GT_OPTION_TYPE(gt_CenterCrop_options, gt_CenterCrop_OPTIONS);

static gt_Status center_crop_create(gt_Layer *layer)
{
    const gt_CenterCrop_options *options = &((const CenterCrop *)layer)->options;
    return gt_check_image_size(options->height, options->width);
}

static gt_Tensor *center_crop_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_CenterCrop_options *options = &((const CenterCrop *)layer)->options;
    gt_Tensor *x = gt_as_floats(layer, in->x);
    int64_t height, width;
    gt_image_size(x, &height, &width);
    if (height < options->height || width < options->width)
        return gt_largest_window(x, options->height, options->width);
    return gt_crop_images(x, .top = (height - options->height) / 2, .height = options->height,
                          .left = (width - options->width) / 2, .width = options->width);
}

const gt_LayerClass gt_layer_class_center_crop = {
    GT_LAYER_RECORD("center_crop", "CenterCrop", CenterCrop, "the middle of images"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_CenterCrop_options_type,
    .create = center_crop_create,
    .call = center_crop_call,
    .ports = GT_IMAGE_PORTS,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_CenterCrop, .height = 2, .width = 3),
                          .keras = "CenterCrop(2, 3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 5, 4, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_CenterCrop, .height = 4, .width = 2),
                          .keras = "CenterCrop(4, 2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 3, 7, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 4, 2, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_CenterCrop, .height = 3, .width = 2),
                          .keras = "CenterCrop(3, 2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_WHOLE(GT_UINT8, 0, 255, 2, 3, 3, 1)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2, 1)}),
};

gt_Layer *gt_CenterCrop_at(const char *here, const gt_CenterCrop_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_center_crop, options);
}
