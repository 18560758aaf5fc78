/* RandomHue, RandomSaturation, RandomColorDegeneration, RandomGrayscale, RandomColorJitter: the colours of images in training. */
#include "layers/preprocessing/random_color.h"
#include "layers/preprocessing/images.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

static const gt_Range one = {0, 1};

/* Red, green and blue? */
static bool is_colourful(gt_Tensor *images)
{
    const gt_Spec spec = gt_spec(images);
    if (gt_status() != GT_OK || (spec.rank == 4 && spec.dims[3] == 3))
        return gt_status() == GT_OK;
    gt_fail(GT_INVALID, "images must have three channels, red, green and blue (got %lld)",
            spec.rank == 4 ? (long long)spec.dims[3] : 0LL);
    return false;
}

/* ---- RandomHue ---- */

typedef struct RandomHue {
    gt_ImageLayer image;
    gt_RandomHue_options options;
    gt_Range factor, values;
} RandomHue;

GT_OPTION_TYPE(gt_RandomHue_options, gt_RandomHue_OPTIONS);

gt_Tensor *gt_shift_hues(gt_Tensor *images, gt_Tensor *by, gt_Range values)
{
    gt_Tensor *part[3];
    if (!is_colourful(images))
        return NULL;
    gt_split(gt_rgb_to_hsv(gt_change_range(images, values, one)), 3, part, .axis = -1);
    gt_Tensor *hue = gt_add(part[0], by);
    hue = gt_where(gt_greater(hue, 1), gt_subtract(hue, 1), hue);
    hue = gt_where(gt_less(hue, 0), gt_add(hue, 1), hue);
    gt_Tensor *hsv = gt_concatenate(gt_tensors(hue, part[1], part[2]), .axis = -1);
    return gt_change_range(gt_clip(gt_hsv_to_rgb(hsv), 0, 1), one, values);
}

/* A sign, and half of a number of the range. */
static gt_Tensor *draw_hue(gt_Layer *layer, gt_Tensor *images, gt_Range factor)
{
    gt_Tensor *sign = gt_draw_sign(layer, images);
    return gt_multiply(gt_multiply(gt_draw_each(layer, images, factor), sign), 0.5);
}

static gt_Tensor *hue(gt_Layer *layer, gt_Tensor *images)
{
    const RandomHue *self = (const RandomHue *)layer;
    return gt_shift_hues(images, draw_hue(layer, images, self->factor), self->values);
}

static gt_Status random_hue_create(gt_Layer *layer)
{
    RandomHue *self = (RandomHue *)layer;
    const gt_RandomHue_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, hue, o->seed, self->factor.high > 0);
}

const gt_LayerClass gt_layer_class_random_hue = {
    GT_LAYER_RECORD("random_hue", "RandomHue", RandomHue, "in training images of other hues"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomHue_options_type,
    .create = random_hue_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomHue, .factor = 0.6, .factor_lower = 0.2, .seed = 7),
         .keras = "RandomHue((0.2, 0.6), seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 2, 1, 2, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 1, 2, 3)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandomHue, .factor = 0, .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomHue(0, value_range=(-1, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-0.9, 0.9, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)}),
};

gt_Layer *gt_RandomHue_at(const char *here, const gt_RandomHue_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_hue, options);
}

/* ---- RandomSaturation ---- */

typedef struct RandomSaturation {
    gt_ImageLayer image;
    gt_RandomSaturation_options options;
    gt_Range factor, values;
} RandomSaturation;

GT_OPTION_TYPE(gt_RandomSaturation_options, gt_RandomSaturation_OPTIONS);

gt_Tensor *gt_saturate_images(gt_Tensor *images, gt_Tensor *by, gt_Range values)
{
    gt_Tensor *part[3];
    if (!is_colourful(images))
        return NULL;
    gt_split(gt_rgb_to_hsv(images), 3, part, .axis = -1);
    gt_Tensor *saturation = gt_clip(gt_multiply(part[1], by), values.low, values.high);
    return gt_hsv_to_rgb(gt_concatenate(gt_tensors(part[0], saturation, part[2]), .axis = -1));
}

/* f / (1 - f + 1e-7) */
static gt_Tensor *draw_saturation(gt_Layer *layer, gt_Tensor *images, gt_Range factor)
{
    gt_Tensor *f = gt_draw_each(layer, images, factor);
    return gt_divide(f, gt_add(gt_add(gt_negative(f), 1), 1e-7));
}

static gt_Tensor *saturate(gt_Layer *layer, gt_Tensor *images)
{
    const RandomSaturation *self = (const RandomSaturation *)layer;
    return gt_saturate_images(images, draw_saturation(layer, images, self->factor), self->values);
}

gt_Tensor *gt_degenerate_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values)
{
    gt_Tensor *apart = gt_subtract(gt_rgb_to_grayscale(images), images);
    return gt_clip(gt_add(images, gt_multiply(factor, apart)), values.low, values.high);
}

static gt_Tensor *degenerate(gt_Layer *layer, gt_Tensor *images)
{
    const RandomSaturation *self = (const RandomSaturation *)layer;
    return gt_degenerate_images(images, gt_draw_each(layer, images, self->factor), self->values);
}

static gt_Status settle_saturation(RandomSaturation *self, gt_ImageTransform transform)
{
    const gt_RandomSaturation_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, -1, 1, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(&self->image.base, transform, o->seed, gt_is_wide(self->factor));
}

static gt_Status random_saturation_create(gt_Layer *layer)
{
    return settle_saturation((RandomSaturation *)layer, saturate);
}

static gt_Status random_color_degeneration_create(gt_Layer *layer)
{
    return settle_saturation((RandomSaturation *)layer, degenerate);
}

const gt_LayerClass gt_layer_class_random_saturation = {
    GT_LAYER_RECORD("random_saturation", "RandomSaturation", RandomSaturation,
                    "in training images of other saturations"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomSaturation_options_type,
    .create = random_saturation_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomSaturation, .factor = 0.7, .seed = 7),
         .keras = "RandomSaturation(0.7, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 2, 1, 2, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 1, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_RandomSaturation, .factor = 0.6, .factor_lower = 0.6,
                                     .value_range = GT_SAMPLE_NUMBERS(0, 1)),
         .keras = "RandomSaturation((0.6, 0.6), value_range=(0, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(0.1, 0.9, 3, 2, 3)),
         .output = GT_SAMPLE_SHAPE(3, 2, 3)}),
};

gt_Layer *gt_RandomSaturation_at(const char *here, const gt_RandomSaturation_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_saturation, options);
}

/* The same struct by another name. */
typedef RandomSaturation RandomColorDegeneration;
GT_OPTION_TYPE(gt_RandomColorDegeneration_options, gt_RandomColorDegeneration_OPTIONS);

const gt_LayerClass gt_layer_class_random_color_degeneration = {
    GT_LAYER_RECORD("random_color_degeneration", "RandomColorDegeneration", RandomColorDegeneration,
                    "in training images between their colours and grey"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomColorDegeneration_options_type,
    .create = random_color_degeneration_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomColorDegeneration, .factor = 0.7, .seed = 7),
         .keras = "RandomColorDegeneration(0.7, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 2, 1, 2, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 1, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_RandomColorDegeneration, .factor = -0.6,
                                     .factor_lower = -0.6, .value_range = GT_SAMPLE_NUMBERS(0, 1)),
         .keras = "RandomColorDegeneration((-0.6, -0.6), value_range=(0, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(0.1, 0.9, 3, 2, 3)),
         .output = GT_SAMPLE_SHAPE(3, 2, 3)}),
};

gt_Layer *gt_RandomColorDegeneration_at(const char *here,
                                        const gt_RandomColorDegeneration_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_color_degeneration, options);
}

/* ---- RandomGrayscale ---- */

typedef struct RandomGrayscale {
    gt_ImageLayer image;
    gt_RandomGrayscale_options options;
} RandomGrayscale;

GT_OPTION_TYPE(gt_RandomGrayscale_options, gt_RandomGrayscale_OPTIONS);

static gt_Tensor *grey(gt_Layer *layer, gt_Tensor *images)
{
    const double factor = ((const RandomGrayscale *)layer)->options.factor;
    gt_Tensor *chosen = gt_less(gt_draw_each(layer, images, one), factor);
    return gt_where(chosen, gt_rgb_to_grayscale(images), images);
}

static gt_Status random_grayscale_create(gt_Layer *layer)
{
    const gt_RandomGrayscale_options *o = &((const RandomGrayscale *)layer)->options;
    gt_Range factor;
    if (gt_factor_range("factor", o->factor, (double)NAN, 0, 1, &factor) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, grey, o->seed, true);
}

const gt_LayerClass gt_layer_class_random_grayscale = {
    GT_LAYER_RECORD("random_grayscale", "RandomGrayscale", RandomGrayscale,
                    "in training some images grey"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomGrayscale_options_type,
    .create = random_grayscale_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_RandomGrayscale, .factor = 0.3, .seed = 7),
                          .keras = "RandomGrayscale(0.3, seed=7)" GT_NO_MASK,
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL(20, 230, 5, 1, 2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(5, 1, 2, 3)}),
};

gt_Layer *gt_RandomGrayscale_at(const char *here, const gt_RandomGrayscale_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_grayscale, options);
}

/* ---- RandomColorJitter ---- */

typedef struct RandomColorJitter {
    gt_ImageLayer image;
    gt_RandomColorJitter_options options;
    gt_Range values, brightness, contrast, saturation, hue;
} RandomColorJitter;

GT_OPTION_TYPE(gt_RandomColorJitter_options, gt_RandomColorJitter_OPTIONS);

static gt_Tensor *jitter(gt_Layer *layer, gt_Tensor *images)
{
    const RandomColorJitter *self = (const RandomColorJitter *)layer;
    const gt_RandomColorJitter_options *o = &self->options;
    gt_Tensor *y = gt_identity(images);
    if (!isnan(o->brightness_factor))
        y = gt_brighten_images(y, gt_draw_each(layer, images, self->brightness), self->values);
    if (!isnan(o->contrast_factor))
        y = gt_contrast_images(y, gt_draw_each(layer, images, self->contrast), self->values);
    if (!isnan(o->saturation_factor))
        y = gt_saturate_images(y, draw_saturation(layer, images, self->saturation), self->values);
    if (!isnan(o->hue_factor))
        y = gt_shift_hues(y, draw_hue(layer, images, self->hue), self->values);
    return y;
}

/* An optional factor. */
static gt_Status part_of_jitter(const char *name, double factor, double lower, double least,
                                gt_Range *range)
{
    *range = (gt_Range){0, 0};
    if (isnan(factor) && !isnan(lower))
        return gt_fail(GT_INVALID, "%s_lower comes with a %s", name, name);
    return isnan(factor) ? GT_OK : gt_factor_range(name, factor, lower, least, 1, range);
}

static gt_Status random_color_jitter_create(gt_Layer *layer)
{
    RandomColorJitter *self = (RandomColorJitter *)layer;
    const gt_RandomColorJitter_options *o = &self->options;
    if (gt_value_range(&o->value_range, &self->values) != GT_OK ||
        part_of_jitter("brightness_factor", o->brightness_factor, o->brightness_factor_lower, -1,
                       &self->brightness) != GT_OK ||
        part_of_jitter("saturation_factor", o->saturation_factor, o->saturation_factor_lower, -1,
                       &self->saturation) != GT_OK ||
        part_of_jitter("hue_factor", o->hue_factor, o->hue_factor_lower, 0, &self->hue) != GT_OK ||
        part_of_jitter("contrast_factor", o->contrast_factor, (double)NAN, 0, &self->contrast) !=
            GT_OK ||
        (!isnan(o->contrast_factor) &&
         gt_contrast_range("contrast_factor", o->contrast_factor, o->contrast_factor_lower,
                           &self->contrast) != GT_OK))
        return gt_status();
    const bool draws = gt_is_wide(self->brightness) || gt_is_wide(self->contrast) ||
                       gt_is_wide(self->saturation) || self->hue.high > 0;
    return gt_image_layer(layer, jitter, o->seed, draws);
}

const gt_LayerClass gt_layer_class_random_color_jitter = {
    GT_LAYER_RECORD("random_color_jitter", "RandomColorJitter", RandomColorJitter,
                    "in training images of other brightness, contrast, saturation and hue"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomColorJitter_options_type,
    .create = random_color_jitter_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomColorJitter, .brightness_factor = 0.2,
                                     .contrast_factor = 0.5, .saturation_factor = 0.6,
                                     .saturation_factor_lower = 0.3, .hue_factor = 0.3, .seed = 7),
         .keras = "RandomColorJitter((0, 255), 0.2, 0.5, (0.3, 0.6), 0.3, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(60, 200, 2, 2, 2, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_RandomColorJitter, .value_range = GT_SAMPLE_NUMBERS(0, 1),
                                     .brightness_factor = 0.1, .brightness_factor_lower = 0.1,
                                     .contrast_factor = 0, .contrast_factor_lower = 0,
                                     .saturation_factor = 0.4, .saturation_factor_lower = 0.4),
         .keras = "RandomColorJitter((0, 1), (0.1, 0.1), (0, 0), (0.4, 0.4))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(0.1, 0.8, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_RandomColorJitter, .contrast_factor = 0.6,
                                     .contrast_factor_lower = 0.4, .hue_factor = 0.6,
                                     .hue_factor_lower = 0.5),
         .keras = "RandomColorJitter(contrast_factor=(0.4, 0.6), hue_factor=(0.5, 0.6))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(60, 200, 2, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 3)}),
};

gt_Layer *gt_RandomColorJitter_at(const char *here, const gt_RandomColorJitter_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_color_jitter, options);
}
