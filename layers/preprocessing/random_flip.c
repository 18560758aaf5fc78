/* RandomFlip, RandomCrop: images flipped and cut in training. */
#include "layers/preprocessing/random_flip.h"
#include "layers/preprocessing/images.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/random.h"

/* ---- RandomFlip ---- */

typedef struct RandomFlip {
    gt_ImageLayer image;
    gt_RandomFlip_options options;
} RandomFlip;

GT_OPTION_TYPE(gt_RandomFlip_options, gt_RandomFlip_OPTIONS);

gt_Tensor *gt_flip_images(gt_Tensor *images, gt_Tensor *flips, gt_FlipMode mode)
{
    const gt_Axes axes = mode == GT_FLIP_MODE_HORIZONTAL ? gt_axes(-2)
                         : mode == GT_FLIP_MODE_VERTICAL ? gt_axes(-3)
                                                         : gt_axes(-3, -2);
    return gt_where(flips, gt_flip(images, .axes = axes), images);
}

static gt_Tensor *flip(gt_Layer *layer, gt_Tensor *images)
{
    gt_Tensor *u = gt_draw_each(layer, images, (gt_Range){0, 1});
    return gt_flip_images(images, gt_less_equal(u, 0.5), ((RandomFlip *)layer)->options.mode);
}

static gt_Status random_flip_create(gt_Layer *layer)
{
    const gt_RandomFlip_options *options = &((const RandomFlip *)layer)->options;
    if (options->mode < GT_FLIP_MODE_HORIZONTAL_AND_VERTICAL ||
        options->mode > GT_FLIP_MODE_VERTICAL)
        return gt_fail(GT_INVALID, "unknown mode of flipping %d", (int)options->mode);
    return gt_image_layer(layer, flip, options->seed, true);
}

const gt_LayerClass gt_layer_class_random_flip = {
    GT_LAYER_RECORD("random_flip", "RandomFlip", RandomFlip,
                    "in training half of the images flipped"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomFlip_options_type,
    .create = random_flip_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "RandomFlip()" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomFlip, .mode = GT_FLIP_MODE_HORIZONTAL, .seed = 7),
         .keras = "RandomFlip('horizontal', seed=7)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_UINT8, 0, 255, 3, 2, 3, 1)),
         .output = GT_SAMPLE_SHAPE(3, 2, 3, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomFlip, .mode = GT_FLIP_MODE_VERTICAL),
         .keras = "RandomFlip('vertical')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(5, 2, 2, 1)),
         .output = GT_SAMPLE_SHAPE(5, 2, 2, 1)}),
};

gt_Layer *gt_RandomFlip_at(const char *here, const gt_RandomFlip_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_flip, options);
}

/* ---- RandomCrop ---- */

typedef struct RandomCrop {
    gt_ImageLayer image;
    gt_RandomCrop_options options;
} RandomCrop;

GT_OPTION_TYPE(gt_RandomCrop_options, gt_RandomCrop_OPTIONS);

/* `count` of the `size` indices of an axis, from one on that is drawn. */
static gt_Tensor *cut(gt_Layer *layer, gt_Tensor *images, int axis, int64_t size, int64_t count)
{
    gt_Tensor *start = gt_uniform(gt_shape(), .high = (double)(size - count + 1),
                                  .generator = ((gt_ImageLayer *)layer)->generator);
    gt_Tensor *first =
        gt_minimum(gt_floor(start), (double)(size - count)); /* the bound by rounding */
    gt_Tensor *indices = gt_arange(0, (double)count, 1, .dtype = GT_INT64);
    return gt_take(images, gt_add(indices, gt_cast(first, GT_INT64)), .axis = axis);
}

static gt_Tensor *crop(gt_Layer *layer, gt_Tensor *images)
{
    const gt_RandomCrop_options *options = &((const RandomCrop *)layer)->options;
    int64_t height, width;
    gt_image_size(images, &height, &width);
    if (height <= options->height || width <= options->width)
        return gt_largest_window(images, options->height, options->width);
    images = cut(layer, images, -3, height, options->height);
    return cut(layer, images, -2, width, options->width);
}

static gt_Tensor *random_crop_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_RandomCrop_options *options = &((const RandomCrop *)layer)->options;
    gt_Tensor *y = gt_image_call(layer, in);
    return in->training ? y : gt_largest_window(y, options->height, options->width);
}

static gt_Status random_crop_create(gt_Layer *layer)
{
    const gt_RandomCrop_options *options = &((const RandomCrop *)layer)->options;
    if (gt_check_image_size(options->height, options->width) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, crop, options->seed, true);
}

/* What Keras says that it does in inference. */
#define INFERRED(size)                                                                             \
    " @ call(x[0]) if training else keras.preprocessing.image.smart_resize(x[0], " size ")"

const gt_LayerClass gt_layer_class_random_crop = {
    GT_LAYER_RECORD("random_crop", "RandomCrop", RandomCrop, "in training a window of images"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomCrop_options_type,
    .create = random_crop_create,
    .build = gt_image_build,
    .call = random_crop_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomCrop, .height = 2, .width = 3, .seed = 7),
         .keras = "RandomCrop(2, 3, seed=7)" INFERRED("(2, 3)"),
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomCrop, .height = 1, .width = 2),
         .keras = "RandomCrop(1, 2)" INFERRED("(1, 2)"),
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 5, 1)),
         .output = GT_SAMPLE_SHAPE(2, 1, 2, 1)}),
};

gt_Layer *gt_RandomCrop_at(const char *here, const gt_RandomCrop_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_crop, options);
}
