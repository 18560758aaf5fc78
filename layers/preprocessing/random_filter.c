/* RandomSharpness, RandomGaussianBlur, RandomErasing: neighbourhoods and rectangles of images in training. */
#include "layers/preprocessing/random_filter.h"
#include "layers/preprocessing/images.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/random.h"
#include "ops/math/reduce.h"
#include "ops/nn/convolution.h"

#include <math.h>

/* Each channel with the same kernel, (rows, columns); zeros around. */
static gt_Tensor *filtered(gt_Tensor *images, gt_Tensor *kernel)
{
    const gt_Shape size = gt_tensor_shape(kernel);
    const int64_t channels = gt_last(gt_tensor_shape(images));
    kernel = gt_reshape(kernel, gt_shape(gt_dim(size, 0), gt_dim(size, 1), 1, 1));
    kernel = gt_repeat(kernel, channels, .axis = 2);
    return gt_depthwise_conv(images, kernel, .padding = GT_PADDING_SAME);
}

/* ---- RandomSharpness ---- */

typedef struct RandomSharpness {
    gt_ImageLayer image;
    gt_RandomSharpness_options options;
    gt_Range factor, values;
} RandomSharpness;

GT_OPTION_TYPE(gt_RandomSharpness_options, gt_RandomSharpness_OPTIONS);

gt_Tensor *gt_sharpen_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values)
{
    static const double weights[] = {1, 1, 1, 1, 5, 1, 1, 1, 1};
    gt_Tensor *kernel = gt_from_values(gt_shape(3, 3), gt_dtype(images), 9, weights);
    gt_Tensor *apart = gt_subtract(filtered(images, gt_divide(kernel, 13)), images);
    gt_Tensor *f = gt_add(gt_multiply(factor, -2), 1);
    return gt_clip(gt_add(images, gt_multiply(f, apart)), values.low, values.high);
}

static gt_Tensor *sharpen(gt_Layer *layer, gt_Tensor *images)
{
    const RandomSharpness *self = (const RandomSharpness *)layer;
    return gt_sharpen_images(images, gt_draw_each(layer, images, self->factor), self->values);
}

static gt_Status random_sharpness_create(gt_Layer *layer)
{
    RandomSharpness *self = (RandomSharpness *)layer;
    const gt_RandomSharpness_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, sharpen, o->seed, gt_is_wide(self->factor));
}

const gt_LayerClass gt_layer_class_random_sharpness = {
    GT_LAYER_RECORD("random_sharpness", "RandomSharpness", RandomSharpness,
                    "in training images smoothed or sharpened"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomSharpness_options_type,
    .create = random_sharpness_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomSharpness, .factor = 0.9, .seed = 7),
         .keras = "RandomSharpness(0.9, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(90, 130, 2, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomSharpness, .factor = 0.8, .factor_lower = 0.8,
                                     .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomSharpness((0.8, 0.8), (-1, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-1, 1, 3, 3, 1)),
         .output = GT_SAMPLE_SHAPE(3, 3, 1)}),
};

gt_Layer *gt_RandomSharpness_at(const char *here, const gt_RandomSharpness_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_sharpness, options);
}

/* ---- RandomGaussianBlur ---- */

typedef struct RandomGaussianBlur {
    gt_ImageLayer image;
    gt_RandomGaussianBlur_options options;
    gt_Range factor, sigma, values;
    int64_t size[2];
} RandomGaussianBlur;

GT_OPTION_TYPE(gt_RandomGaussianBlur_options, gt_RandomGaussianBlur_OPTIONS);

/* e^(-(x / sigma)^2 / 2), x from the middle of `size` pixels, divided by their sum. */
static gt_Tensor *bell(int64_t size, gt_Tensor *sigma)
{
    const double middle = 0.5 * (double)(size - 1);
    gt_Tensor *x = gt_arange(-middle, middle + 0.5, 1, .dtype = gt_dtype(sigma));
    gt_Tensor *y = gt_exp(gt_multiply(gt_square(gt_divide(x, sigma)), -0.5));
    return gt_divide(y, gt_sum(y));
}

gt_Tensor *gt_blur_images(gt_Tensor *images, const int64_t size[2], gt_Tensor *across,
                          gt_Tensor *down)
{
    gt_Tensor *rows = gt_expand_dims(bell(size[0], down), 1);
    return filtered(images, gt_multiply(rows, bell(size[1], across)));
}

static gt_Tensor *one_sigma(gt_Layer *layer, gt_Tensor *images, gt_Range sigma)
{
    return gt_add(gt_draw_one(layer, sigma, gt_dtype(images)), 1e-6);
}

static gt_Tensor *blur(gt_Layer *layer, gt_Tensor *images)
{
    const RandomGaussianBlur *self = (const RandomGaussianBlur *)layer;
    gt_Tensor *chosen = gt_draw_whether(layer, images, self->factor);
    gt_Tensor *across = one_sigma(layer, images, self->sigma);
    gt_Tensor *down = one_sigma(layer, images, self->sigma);
    gt_Tensor *y = gt_where(chosen, gt_blur_images(images, self->size, across, down), images);
    return gt_clip(y, self->values.low, self->values.high);
}

static gt_Status random_gaussian_blur_create(gt_Layer *layer)
{
    RandomGaussianBlur *self = (RandomGaussianBlur *)layer;
    const gt_RandomGaussianBlur_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK ||
        gt_factor_range("sigma", o->sigma, o->sigma_lower, 0, 1, &self->sigma) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK ||
        gt_sizes_expand("kernel_size", o->kernel_size, 2, 1, self->size) != GT_OK)
        return gt_status();
    if (self->size[0] % 2 == 0 || self->size[1] % 2 == 0)
        return gt_fail(GT_INVALID, "kernel_size must be odd (got %lld and %lld)",
                       (long long)self->size[0], (long long)self->size[1]);
    return gt_image_layer(layer, blur, o->seed,
                          gt_is_wide(self->sigma) || gt_draws_whether(self->factor));
}

const gt_LayerClass gt_layer_class_random_gaussian_blur = {
    GT_LAYER_RECORD("random_gaussian_blur", "RandomGaussianBlur", RandomGaussianBlur,
                    "in training some images blurred"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomGaussianBlur_options_type,
    .create = random_gaussian_blur_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options =
             GT_LAYER_OPTIONS(gt_RandomGaussianBlur, .factor = 0.9, .factor_lower = 0.3, .seed = 7),
         .keras = "RandomGaussianBlur((0.3, 0.9), seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 3, 2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(3, 2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomGaussianBlur, .factor_lower = 1, .kernel_size = 5,
                                     .sigma = 0.8, .sigma_lower = 0.8,
                                     .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomGaussianBlur((1, 1), 5, (0.8, 0.8), (-1, 1))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-2, 2, 3, 4, 2)),
         .output = GT_SAMPLE_SHAPE(3, 4, 2)}),
};

gt_Layer *gt_RandomGaussianBlur_at(const char *here, const gt_RandomGaussianBlur_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_gaussian_blur, options);
}

/* ---- RandomErasing ---- */

typedef struct RandomErasing {
    gt_ImageLayer image;
    gt_RandomErasing_options options;
    gt_Range factor, scale, values;
} RandomErasing;

GT_OPTION_TYPE(gt_RandomErasing_options, gt_RandomErasing_OPTIONS);

/* Which of `size` places of an axis lie from a drawn one on, `part` of all. */
static gt_Tensor *stretch_of(gt_Layer *layer, gt_Tensor *images, gt_Tensor *places, int64_t size,
                             gt_Tensor *part)
{
    gt_Tensor *length = gt_multiply(part, (double)size);
    gt_Tensor *start = gt_multiply(gt_draw_each(layer, images, (gt_Range){0, 1}),
                                   gt_add(gt_negative(length), (double)size));
    return gt_logical_and(gt_greater_equal(places, start), gt_less(places, gt_add(start, length)));
}

/* Rows and columns of a rectangle, both parts drawn first: bool (batch, height, width, 1). */
static gt_Tensor *rectangle(gt_Layer *layer, gt_Tensor *images, gt_Range scale)
{
    const gt_DType dtype = gt_dtype(images);
    int64_t height, width;
    gt_image_size(images, &height, &width);
    gt_Tensor *across = gt_sqrt(gt_draw_each(layer, images, scale));
    gt_Tensor *down = gt_sqrt(gt_draw_each(layer, images, scale));
    gt_Tensor *x = gt_arange(0, (double)width, 1, .dtype = dtype);
    gt_Tensor *y = gt_arange(0, (double)height, 1, .dtype = dtype);
    gt_Tensor *columns = stretch_of(layer, images, gt_expand_dims(x, 1), width, across);
    y = gt_expand_dims(gt_expand_dims(y, 1), 2);
    return gt_logical_and(columns, stretch_of(layer, images, y, height, down));
}

static gt_Tensor *erase(gt_Layer *layer, gt_Tensor *images)
{
    const RandomErasing *self = (const RandomErasing *)layer;
    const gt_Numbers *fill = &self->options.fill_value;
    gt_Tensor *erased = rectangle(layer, images, self->scale), *with;
    erased = gt_logical_and(erased, gt_draw_whether(layer, images, self->factor));
    if (fill->count > 0)
        with = gt_from_values(gt_shape(fill->count), gt_dtype(images), fill->count, fill->value);
    else
        with = gt_multiply(gt_normal_like(images, .generator = self->image.generator),
                           self->values.high);
    return gt_where(erased, gt_clip(with, self->values.low, self->values.high), images);
}

static gt_Status random_erasing_create(gt_Layer *layer)
{
    RandomErasing *self = (RandomErasing *)layer;
    const gt_RandomErasing_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK ||
        gt_factor_range("scale", o->scale, o->scale_lower, 0, 1, &self->scale) != GT_OK ||
        gt_value_range(&o->value_range, &self->values) != GT_OK)
        return gt_status();
    if (isnan(o->scale_lower))
        return gt_fail(GT_INVALID, "scale_lower must be a number");
    if (o->fill_value.count != 0 && o->fill_value.count != 1 && o->fill_value.count != 3)
        return gt_fail(GT_INVALID, "fill_value must be one number or three (got %lld of them)",
                       (long long)o->fill_value.count);
    return gt_image_layer(layer, erase, o->seed, true);
}

const gt_LayerClass gt_layer_class_random_erasing = {
    GT_LAYER_RECORD("random_erasing", "RandomErasing", RandomErasing,
                    "in training a rectangle of images erased"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomErasing_options_type,
    .create = random_erasing_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomErasing, .factor = 0.9, .factor_lower = 0.5,
                                     .scale = 0.7, .scale_lower = 0.2, .seed = 7),
         .keras = "RandomErasing((0.5, 0.9), (0.2, 0.7), seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(20, 230, 2, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandomErasing, .factor_lower = 1, .scale = 0.8, .scale_lower = 0.4,
                              .seed = 8, .fill_value = GT_SAMPLE_NUMBERS(0.5, -0.5, 2),
                              .value_range = GT_SAMPLE_NUMBERS(-1, 1)),
         .keras = "RandomErasing((1, 1), (0.4, 0.8), [0.5, -0.5, 2], (-1, 1), seed=8)",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-1, 1, 3, 4, 5, 3)),
         .output = GT_SAMPLE_SHAPE(3, 4, 5, 3)}),
};

gt_Layer *gt_RandomErasing_at(const char *here, const gt_RandomErasing_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_erasing, options);
}
