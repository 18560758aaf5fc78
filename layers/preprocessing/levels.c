/* RandomInvert, Solarization, RandomPosterization, AutoContrast, Equalization: levels of images mapped to others. */
#include "layers/preprocessing/levels.h"
#include "layers/preprocessing/images.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

static const gt_Range levels = {0, 255};

/* ---- RandomInvert ---- */

typedef struct RandomInvert {
    gt_ImageLayer image;
    gt_RandomInvert_options options;
    gt_Range factor, values;
} RandomInvert;

GT_OPTION_TYPE(gt_RandomInvert_options, gt_RandomInvert_OPTIONS);

static gt_Tensor *invert(gt_Layer *layer, gt_Tensor *images)
{
    const RandomInvert *self = (const RandomInvert *)layer;
    gt_Tensor *chosen = gt_draw_whether(layer, images, self->factor);
    return gt_where(chosen, gt_add(gt_negative(images), self->values.high), images);
}

static gt_Status random_invert_create(gt_Layer *layer)
{
    RandomInvert *self = (RandomInvert *)layer;
    const gt_RandomInvert_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, invert, o->seed, gt_draws_whether(self->factor));
}

const gt_LayerClass gt_layer_class_random_invert = {
    GT_LAYER_RECORD("random_invert", "RandomInvert", RandomInvert,
                    "in training some images inverted"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomInvert_options_type,
    .create = random_invert_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_RandomInvert, .factor = 0.4,
                                                      .factor_lower = 0.2, .seed = 7),
                          .keras = "RandomInvert((0.2, 0.4), seed=7)" GT_NO_MASK,
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL(20, 230, 5, 1, 2, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(5, 1, 2, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_RandomInvert, .factor_lower = 1,
                                                      .value_range = GT_SAMPLE_NUMBERS(-1, 2)),
                          .keras = "RandomInvert((1, 1), value_range=(-1, 2))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(2, 2, 2, 1)}),
};

gt_Layer *gt_RandomInvert_at(const char *here, const gt_RandomInvert_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_invert, options);
}

/* ---- Solarization ---- */

typedef struct Solarization {
    gt_ImageLayer image;
    gt_Solarization_options options;
    gt_Range addition, threshold, values;
} Solarization;

GT_OPTION_TYPE(gt_Solarization_options, gt_Solarization_OPTIONS);

gt_Tensor *gt_solarize_images(gt_Tensor *images, gt_Tensor *addition, gt_Tensor *threshold,
                              gt_Range values)
{
    gt_Tensor *y = gt_clip(gt_add(gt_change_range(images, values, levels), addition), 0, 255);
    y = gt_where(gt_less(y, threshold), y, gt_add(gt_negative(y), 255));
    return gt_change_range(y, levels, values);
}

static gt_Tensor *solarize(gt_Layer *layer, gt_Tensor *images)
{
    const Solarization *self = (const Solarization *)layer;
    gt_Tensor *addition = gt_draw_each(layer, images, self->addition);
    gt_Tensor *threshold = gt_draw_each(layer, images, self->threshold);
    return gt_solarize_images(images, addition, threshold, self->values);
}

/* The upper end in levels; the lower one as it is. */
static gt_Status range_of_levels(const char *name, double factor, double lower, gt_Range *range)
{
    if (gt_factor_range(name, factor, lower, 0, 1, range) == GT_OK)
        range->high *= 255;
    if (gt_status() == GT_OK && isnan(lower))
        range->low = 0;
    return gt_status();
}

static gt_Status solarization_create(gt_Layer *layer)
{
    Solarization *self = (Solarization *)layer;
    const gt_Solarization_options *o = &self->options;
    if (range_of_levels("addition_factor", o->addition_factor, o->addition_factor_lower,
                        &self->addition) != GT_OK ||
        range_of_levels("threshold_factor", o->threshold_factor, o->threshold_factor_lower,
                        &self->threshold) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, solarize, o->seed,
                          gt_is_wide(self->addition) || gt_is_wide(self->threshold));
}

const gt_LayerClass gt_layer_class_solarization = {
    GT_LAYER_RECORD("solarization", "Solarization", Solarization,
                    "in training levels from a threshold on inverted"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_Solarization_options_type,
    .create = solarization_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples =
        GT_LAYER_SAMPLES({.keras = "Solarization()" GT_NO_MASK,
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL(20, 230, 2, 1, 2, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 1, 2, 2)},
                         {.options = GT_LAYER_OPTIONS(
                              gt_Solarization, .addition_factor = 0.4, .addition_factor_lower = 0.2,
                              .threshold_factor = 0.6, .threshold_factor_lower = 0.3, .seed = 7,
                              .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
                          .keras = "Solarization((0.2, 0.4), (0.3, 0.6), (-1, 1), seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL(-1, 1, 2, 2, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(2, 2, 2, 1)}),
};

gt_Layer *gt_Solarization_at(const char *here, const gt_Solarization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_solarization, options);
}

/* ---- RandomPosterization ---- */

typedef struct RandomPosterization {
    gt_ImageLayer image;
    gt_RandomPosterization_options options;
    gt_Range factor, values;
} RandomPosterization;

GT_OPTION_TYPE(gt_RandomPosterization_options, gt_RandomPosterization_OPTIONS);

gt_Tensor *gt_posterize_images(gt_Tensor *images, gt_Tensor *bits, gt_Range values)
{
    gt_Tensor *y = gt_floor(gt_clip(gt_change_range(images, values, levels), 0, 255));
    gt_Tensor *step = gt_exp2(gt_add(gt_negative(bits), 8));
    return gt_change_range(gt_multiply(gt_floor(gt_divide(y, step)), step), levels, values);
}

static gt_Tensor *posterize(gt_Layer *layer, gt_Tensor *images)
{
    const RandomPosterization *self = (const RandomPosterization *)layer;
    gt_Tensor *bits = gt_floor(gt_draw_each(layer, images, self->factor));
    if (gt_is_wide(self->factor)) /* the bound by rounding */
        bits = gt_minimum(bits, self->factor.high - 1);
    return gt_posterize_images(images, bits, self->values);
}

static gt_Status random_posterization_create(gt_Layer *layer)
{
    RandomPosterization *self = (RandomPosterization *)layer;
    const gt_RandomPosterization_options *o = &self->options;
    const double lower = o->factor_lower == GT_NONE ? (double)NAN : (double)o->factor_lower;
    if (gt_factor_range("factor", (double)o->factor, lower, 1, 8, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, posterize, o->seed, gt_is_wide(self->factor));
}

const gt_LayerClass gt_layer_class_random_posterization = {
    GT_LAYER_RECORD("random_posterization", "RandomPosterization", RandomPosterization,
                    "in training levels of fewer bits"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomPosterization_options_type,
    .create = random_posterization_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomPosterization, .factor = 5, .seed = 7),
         .keras = "RandomPosterization(5, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 4, 1, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(4, 1, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomPosterization, .factor = 3, .factor_lower = 3,
                                     .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomPosterization((3, 3), (-1, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-0.9, 0.9, 3, 2, 2)),
         .output = GT_SAMPLE_SHAPE(3, 2, 2)}),
};

gt_Layer *gt_RandomPosterization_at(const char *here, const gt_RandomPosterization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_posterization, options);
}

/* ---- AutoContrast ---- */

typedef struct AutoContrast {
    gt_ImageLayer image;
    gt_AutoContrast_options options;
    gt_Range values;
} AutoContrast;

GT_OPTION_TYPE(gt_AutoContrast_options, gt_AutoContrast_OPTIONS);

static gt_Tensor *stretch(gt_Layer *layer, gt_Tensor *images)
{
    const gt_Range values = ((const AutoContrast *)layer)->values;
    const gt_Axes area = gt_axes(1, 2);
    gt_Tensor *low = gt_min(images, .axes = area, .keepdims = true);
    gt_Tensor *span = gt_subtract(gt_max(images, .axes = area, .keepdims = true), low);
    gt_Tensor *several = gt_greater(span, 0); /* levels */
    gt_Tensor *part = gt_divide(gt_subtract(images, low), gt_where(several, span, 1));
    part = gt_clip(part, 0, 1);
    gt_Tensor *y = gt_add(gt_multiply(part, values.high - values.low), values.low);
    return gt_where(several, y, images);
}

static gt_Tensor *auto_contrast_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_CallArgs always = *in;
    always.training = true;
    return gt_image_call(layer, &always);
}

static gt_Status auto_contrast_create(gt_Layer *layer)
{
    AutoContrast *self = (AutoContrast *)layer;
    if (gt_value_range(&self->options.value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, stretch, -1, false);
}

const gt_LayerClass gt_layer_class_auto_contrast = {
    GT_LAYER_RECORD("auto_contrast", "AutoContrast", AutoContrast,
                    "channels stretched to all levels"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_AutoContrast_options_type,
    .create = auto_contrast_create,
    .call = auto_contrast_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "AutoContrast()",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 130, 2, 3, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_AutoContrast, .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "AutoContrast(value_range=(-1, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-0.8, 0.2, 1, 3, 2, 1)),
         .output = GT_SAMPLE_SHAPE(1, 3, 2, 1)}),
};

gt_Layer *gt_AutoContrast_at(const char *here, const gt_AutoContrast_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_auto_contrast, options);
}

/* ---- Equalization ---- */

typedef struct Equalization {
    gt_ImageLayer image;
    gt_Equalization_options options;
    gt_Range values;
} Equalization;

GT_OPTION_TYPE(gt_Equalization_options, gt_Equalization_OPTIONS);

/* Bin b of channel c is place c bins + b of one long histogram; of the sums of each channel up to its bins, s, the new level is
 * 255 (s - s0) / (s_last - s0), rounded, with the first s0 that is not 0. */
static gt_Tensor *equalize(gt_Layer *layer, gt_Tensor *images)
{
    const Equalization *self = (const Equalization *)layer;
    const gt_DType dtype = gt_dtype(images);
    const int64_t bins = self->options.bins, channels = gt_last(gt_tensor_shape(images));
    gt_Tensor *x = gt_change_range(images, self->values, levels);
    gt_Tensor *bin =
        gt_clip(gt_multiply(gt_divide(x, 255), (double)(bins - 1)), 0, (double)(bins - 1));
    gt_Tensor *first = gt_arange(0, (double)(channels * bins), (double)bins, .dtype = GT_INT64);
    gt_Tensor *place = gt_add(gt_cast(bin, GT_INT64), first);
    gt_Tensor *count = gt_bincount(gt_ravel(place), .length = channels * bins);
    count = gt_reshape(gt_cast(count, dtype), gt_shape(channels, bins));
    gt_Tensor *sum = gt_cumsum(count, .axis = 1), *all = gt_max(sum, .axis = 1, .keepdims = true);
    gt_Tensor *least =
        gt_min(gt_where(gt_greater(sum, 0), sum, INFINITY), .axis = 1, .keepdims = true);
    gt_Tensor *rest = gt_subtract(all, least),
              *several = gt_greater(rest, 0); /* bins that are not empty */
    gt_Tensor *part = gt_divide(gt_subtract(sum, least), gt_where(several, rest, 1));
    gt_Tensor *level = gt_clip(gt_round(gt_multiply(part, 255)), 0, 255);
    gt_Tensor *y = gt_take(gt_ravel(level), place);
    y = gt_where(gt_reshape(several, gt_shape(channels)), y, x);
    return gt_change_range(y, levels, self->values);
}

static gt_Status equalization_create(gt_Layer *layer)
{
    Equalization *self = (Equalization *)layer;
    const gt_Equalization_options *o = &self->options;
    if (gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    if (o->bins < 2 || o->bins > 65536)
        return gt_fail(GT_INVALID, "bins must be from 2 to 65536 (got %lld)", (long long)o->bins);
    return gt_image_layer(layer, equalize, -1, false);
}

const gt_LayerClass gt_layer_class_equalization = {
    GT_LAYER_RECORD("equalization", "Equalization", Equalization,
                    "in training levels that are equally often there"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Equalization_options_type,
    .create = equalization_create,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples =
        GT_LAYER_SAMPLES({.keras = "Equalization()" GT_NO_MASK,
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL(20, 130, 2, 3, 4, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_Equalization, .bins = 5,
                                                      .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
                          .keras = "Equalization((-1, 1), 5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL(-0.9, 0.7, 1, 4, 5, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 4, 5, 1)}),
};

gt_Layer *gt_Equalization_at(const char *here, const gt_Equalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_equalization, options);
}
