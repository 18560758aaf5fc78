/* RandomContrast, RandomBrightness: the light of images in training. */
#include "layers/preprocessing/random_light.h"
#include "layers/preprocessing/images.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

/* ---- RandomContrast ---- */

typedef struct RandomContrast {
    gt_ImageLayer image;
    gt_RandomContrast_options options;
    gt_Range factor, values;
} RandomContrast;

GT_OPTION_TYPE(gt_RandomContrast_options, gt_RandomContrast_OPTIONS);

gt_Tensor *gt_contrast_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values)
{
    gt_Tensor *mean = gt_mean(images, .axes = gt_axes(-3, -2), .keepdims = true);
    gt_Tensor *y = gt_add(gt_multiply(gt_subtract(images, mean), factor), mean);
    return gt_clip(y, values.low, values.high);
}

static gt_Tensor *contrast(gt_Layer *layer, gt_Tensor *images)
{
    const RandomContrast *self = (const RandomContrast *)layer;
    return gt_contrast_images(images, gt_draw_each(layer, images, self->factor), self->values);
}

static gt_Status random_contrast_create(gt_Layer *layer)
{
    RandomContrast *self = (RandomContrast *)layer;
    const gt_RandomContrast_options *o = &self->options;
    if (gt_contrast_range("factor", o->factor, o->factor_lower, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, contrast, o->seed, gt_is_wide(self->factor));
}

const gt_LayerClass gt_layer_class_random_contrast = {
    GT_LAYER_RECORD("random_contrast", "RandomContrast", RandomContrast,
                    "in training images with another contrast"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomContrast_options_type,
    .create = random_contrast_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomContrast, .factor = 0.8, .factor_lower = 0.5),
         .keras = "RandomContrast((0.5, 0.8))" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 2, 3, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomContrast, .factor = 0.9, .seed = 7,
                                     .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomContrast(0.9, value_range=(-1, 1), seed=7)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 2, 1)),
         .output = GT_SAMPLE_SHAPE(3, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomContrast, .factor = 0),
         .keras = "RandomContrast(0)",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-90, 400, 2, 2, 2, 1)),
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 1)}),
};

gt_Layer *gt_RandomContrast_at(const char *here, const gt_RandomContrast_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_contrast, options);
}

/* ---- RandomBrightness ---- */

typedef struct RandomBrightness {
    gt_ImageLayer image;
    gt_RandomBrightness_options options;
    gt_Range factor, values;
} RandomBrightness;

GT_OPTION_TYPE(gt_RandomBrightness_options, gt_RandomBrightness_OPTIONS);

gt_Tensor *gt_brighten_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values)
{
    gt_Tensor *delta = gt_multiply(factor, values.high - values.low);
    return gt_clip(gt_add(images, delta), values.low, values.high);
}

static gt_Tensor *brighten(gt_Layer *layer, gt_Tensor *images)
{
    const RandomBrightness *self = (const RandomBrightness *)layer;
    return gt_brighten_images(images, gt_draw_each(layer, images, self->factor), self->values);
}

static gt_Status random_brightness_create(gt_Layer *layer)
{
    RandomBrightness *self = (RandomBrightness *)layer;
    const gt_RandomBrightness_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, -1, 1, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, brighten, o->seed, gt_is_wide(self->factor));
}

const gt_LayerClass gt_layer_class_random_brightness = {
    GT_LAYER_RECORD("random_brightness", "RandomBrightness", RandomBrightness,
                    "in training images made brighter and darker"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomBrightness_options_type,
    .create = random_brightness_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomBrightness, .factor = 0.4, .seed = 7),
         .keras = "RandomBrightness(0.4, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 2, 3, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomBrightness, .factor = 0.3, .factor_lower = 0.3,
                                     .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomBrightness((0.3, 0.3), value_range=(-1, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-1.5, 1.5, 3, 2, 1)),
         .output = GT_SAMPLE_SHAPE(3, 2, 1)}),
};

gt_Layer *gt_RandomBrightness_at(const char *here, const gt_RandomBrightness_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_brightness, options);
}
