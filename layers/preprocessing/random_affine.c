/* RandomRotation, RandomZoom, RandomTranslation, RandomShear: images moved in training. All are gt_affine_transform with
 * transforms that are linear in two numbers of an image: see gt_transform_images. */
#include "layers/preprocessing/random_affine.h"
#include "layers/preprocessing/images.h"
#include "ops/array/creation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"

/* ---- RandomRotation ---- */

typedef struct RandomRotation {
    gt_ImageLayer image;
    gt_RandomRotation_options options;
    gt_Range factor;
} RandomRotation;

GT_OPTION_TYPE(gt_RandomRotation_options, gt_RandomRotation_OPTIONS);

/* The transform is (cos, -sin, x - x cos + y sin, sin, cos, y - x sin - y cos), of an angle and the middle (x, y). */
static gt_Tensor *rotate(gt_Layer *layer, gt_Tensor *images)
{
    const RandomRotation *self = (const RandomRotation *)layer;
    int64_t height, width;
    gt_image_size(images, &height, &width);
    const double x = 0.5 * (double)(width - 1), y = 0.5 * (double)(height - 1);
    const double rows[3][8] = {{1, 0, -x, 0, 1, -y}, {0, -1, y, 1, 0, -x}, {0, 0, x, 0, 0, y}};
    gt_Tensor *turns = gt_draw_each(layer, images, self->factor);
    gt_Tensor *angle = gt_multiply(turns, 2 * 3.14159265358979323846);
    return gt_transform_images(images, gt_cos(angle), gt_sin(angle), rows,
                               &GT_LOOK_OPTIONS(self->options));
}

static gt_Status random_rotation_create(gt_Layer *layer)
{
    RandomRotation *self = (RandomRotation *)layer;
    const gt_RandomRotation_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, -1, 1, &self->factor) != GT_OK ||
        gt_check_look(&GT_LOOK_OPTIONS(*o)) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, rotate, o->seed, gt_is_wide(self->factor));
}

const gt_LayerClass gt_layer_class_random_rotation = {
    GT_LAYER_RECORD("random_rotation", "RandomRotation", RandomRotation,
                    "in training images turned about their middle"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomRotation_options_type,
    .create = random_rotation_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomRotation, .factor = 0.1, .seed = 7),
         .keras = "RandomRotation(0.1, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomRotation, .factor = 0.2, .factor_lower = 0.2,
                                     .fill_mode = GT_FILL_MODE_CONSTANT, .fill_value = 0.75),
         .keras = "RandomRotation((0.2, 0.2), 'constant', fill_value=0.75)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 4, 2)),
         .output = GT_SAMPLE_SHAPE(2, 5, 4, 2)},
        {.options = GT_LAYER_OPTIONS(gt_RandomRotation, .factor = -0.3, .factor_lower = -0.3,
                                     .interpolation = GT_INTERPOLATION_NEAREST,
                                     .fill_mode = GT_FILL_MODE_NEAREST),
         .keras = "RandomRotation((-0.3, -0.3), 'nearest', 'nearest')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 5, 1)),
         .output = GT_SAMPLE_SHAPE(4, 5, 1)}),
};

gt_Layer *gt_RandomRotation_at(const char *here, const gt_RandomRotation_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_rotation, options);
}

/* ---- RandomZoom ---- */

typedef struct RandomZoom {
    gt_ImageLayer image;
    gt_RandomZoom_options options;
    gt_Range height, width;
} RandomZoom;

GT_OPTION_TYPE(gt_RandomZoom_options, gt_RandomZoom_OPTIONS);

/* The transform is (z, 0, x (1 - z), 0, w, y (1 - w)), of zooms z across, w down and the middle (x, y). */
static gt_Tensor *zoom(gt_Layer *layer, gt_Tensor *images)
{
    const RandomZoom *self = (const RandomZoom *)layer;
    const bool same = isnan(self->options.width_factor);
    int64_t height, width;
    gt_image_size(images, &height, &width);
    const double x = 0.5 * (double)(width - 1), y = 0.5 * (double)(height - 1);
    const double rows[3][8] = {{1, 0, -x}, {0, 0, 0, 0, 1, -y}, {0, 0, x, 0, 0, y}};
    gt_Tensor *down = gt_add(gt_draw_each(layer, images, self->height), 1);
    gt_Tensor *across = same ? down : gt_add(gt_draw_each(layer, images, self->width), 1);
    return gt_transform_images(images, across, down, rows, &GT_LOOK_OPTIONS(self->options));
}

static gt_Status random_zoom_create(gt_Layer *layer)
{
    RandomZoom *self = (RandomZoom *)layer;
    const gt_RandomZoom_options *o = &self->options;
    const double above = nextafter(-1, 0); /* a zoom of 0 shows one point */
    gt_Range *height = &self->height, *width = &self->width;
    if (gt_factor_range("height_factor", o->height_factor, o->height_factor_lower, above, 1,
                        height) != GT_OK)
        return gt_status();
    *width = *height;
    if (isnan(o->width_factor) && !isnan(o->width_factor_lower))
        return gt_fail(GT_INVALID, "width_factor_lower comes with a width_factor");
    if ((!isnan(o->width_factor) &&
         gt_factor_range("width_factor", o->width_factor, o->width_factor_lower, above, 1, width) !=
             GT_OK) ||
        gt_check_look(&GT_LOOK_OPTIONS(*o)) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, zoom, o->seed, gt_is_wide(*height) || gt_is_wide(*width));
}

const gt_LayerClass gt_layer_class_random_zoom = {
    GT_LAYER_RECORD("random_zoom", "RandomZoom", RandomZoom, "in training images zoomed"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomZoom_options_type,
    .create = random_zoom_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomZoom, .height_factor = 0.4, .seed = 7),
         .keras = "RandomZoom(0.4, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomZoom, .height_factor = 0.3, .width_factor = 0.5),
         .keras = "RandomZoom(0.3, 0.5)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 4, 1)),
         .output = GT_SAMPLE_SHAPE(3, 4, 1)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandomZoom, .height_factor = 0.3, .height_factor_lower = 0.3,
                              .fill_mode = GT_FILL_MODE_CONSTANT, .fill_value = 0.75),
         .keras = "RandomZoom((0.3, 0.3), fill_mode='constant', fill_value=0.75)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 4, 2)),
         .output = GT_SAMPLE_SHAPE(2, 5, 4, 2)},
        {.options = GT_LAYER_OPTIONS(
             gt_RandomZoom, .height_factor = 0.3, .height_factor_lower = 0.3, .width_factor = -0.4,
             .width_factor_lower = -0.4, .interpolation = GT_INTERPOLATION_NEAREST,
             .fill_mode = GT_FILL_MODE_NEAREST),
         .keras = "RandomZoom((0.3, 0.3), (-0.4, -0.4), 'nearest', 'nearest')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 5, 1)),
         .output = GT_SAMPLE_SHAPE(2, 4, 5, 1)}),
};

gt_Layer *gt_RandomZoom_at(const char *here, const gt_RandomZoom_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_zoom, options);
}

/* ---- RandomTranslation ---- */

typedef struct RandomTranslation {
    gt_ImageLayer image;
    gt_RandomTranslation_options options;
    gt_Range height, width;
} RandomTranslation;

GT_OPTION_TYPE(gt_RandomTranslation_options, gt_RandomTranslation_OPTIONS);

/* A part of the height is drawn, then one of the width. */
static gt_Tensor *translate(gt_Layer *layer, gt_Tensor *images)
{
    const RandomTranslation *self = (const RandomTranslation *)layer;
    int64_t height, width;
    gt_image_size(images, &height, &width);
    const double rows[3][8] = {
        {0, 0, -(double)width}, {0, 0, 0, 0, 0, -(double)height}, {1, 0, 0, 0, 1}};
    gt_Tensor *down = gt_draw_each(layer, images, self->height);
    gt_Tensor *across = gt_draw_each(layer, images, self->width);
    return gt_transform_images(images, across, down, rows, &GT_LOOK_OPTIONS(self->options));
}

static gt_Status random_translation_create(gt_Layer *layer)
{
    RandomTranslation *self = (RandomTranslation *)layer;
    const gt_RandomTranslation_options *o = &self->options;
    if (gt_factor_range("height_factor", o->height_factor, o->height_factor_lower, -1, 1,
                        &self->height) != GT_OK ||
        gt_factor_range("width_factor", o->width_factor, o->width_factor_lower, -1, 1,
                        &self->width) != GT_OK ||
        gt_check_look(&GT_LOOK_OPTIONS(*o)) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, translate, o->seed,
                          gt_is_wide(self->height) || gt_is_wide(self->width));
}

const gt_LayerClass gt_layer_class_random_translation = {
    GT_LAYER_RECORD("random_translation", "RandomTranslation", RandomTranslation,
                    "in training images moved down and across"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomTranslation_options_type,
    .create = random_translation_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomTranslation, .height_factor = 0.4,
                                     .width_factor = 0.3, .seed = 7),
         .keras = "RandomTranslation(0.4, 0.3, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 1)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandomTranslation, .height_factor = 0.3, .width_factor = -0.4,
                              .height_factor_lower = 0.3, .width_factor_lower = -0.4,
                              .fill_mode = GT_FILL_MODE_CONSTANT, .fill_value = 0.75),
         .keras = "RandomTranslation((0.3, 0.3), (-0.4, -0.4), 'constant', fill_value=0.75)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 4, 2)),
         .output = GT_SAMPLE_SHAPE(2, 5, 4, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandomTranslation, .height_factor = -0.7, .width_factor = 0.9,
                              .height_factor_lower = -0.7, .width_factor_lower = 0.9,
                              .interpolation = GT_INTERPOLATION_NEAREST),
         .keras = "RandomTranslation((-0.7, -0.7), (0.9, 0.9), interpolation='nearest')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 6, 1)),
         .output = GT_SAMPLE_SHAPE(4, 6, 1)}),
};

gt_Layer *gt_RandomTranslation_at(const char *here, const gt_RandomTranslation_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_translation, options);
}

/* ---- RandomShear ---- */

typedef struct RandomShear {
    gt_ImageLayer image;
    gt_RandomShear_options options;
    gt_Range x, y;
} RandomShear;

GT_OPTION_TYPE(gt_RandomShear_options, gt_RandomShear_OPTIONS);

gt_Tensor *gt_shear_images(gt_Tensor *images, gt_Tensor *x, gt_Tensor *y,
                           const gt_affine_transform_options *look)
{
    static const double rows[3][8] = {{0, 1}, {0, 0, 0, 1}, {1, 0, 0, 0, 1}};
    return gt_transform_images(images, x, y, rows, look);
}

/* The sign, then y, then x. */
static gt_Tensor *shear(gt_Layer *layer, gt_Tensor *images)
{
    const RandomShear *self = (const RandomShear *)layer;
    gt_Tensor *sign = gt_draw_sign(layer, images);
    gt_Tensor *y = gt_multiply(gt_draw_each(layer, images, self->y), sign);
    gt_Tensor *x = gt_multiply(gt_draw_each(layer, images, self->x), sign);
    return gt_shear_images(images, x, y, &GT_LOOK_OPTIONS(self->options));
}

static gt_Status shear_range(const char *name, double factor, double lower, gt_Range *range)
{
    if (gt_factor_range(name, factor, lower, 0, 1, range) == GT_OK && isnan(lower))
        range->low = -factor;
    return gt_status();
}

static gt_Status random_shear_create(gt_Layer *layer)
{
    RandomShear *self = (RandomShear *)layer;
    const gt_RandomShear_options *o = &self->options;
    if (shear_range("x_factor", o->x_factor, o->x_factor_lower, &self->x) != GT_OK ||
        shear_range("y_factor", o->y_factor, o->y_factor_lower, &self->y) != GT_OK ||
        gt_check_look(&GT_LOOK_OPTIONS(*o)) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, shear, o->seed, self->x.high > 0 || self->y.high > 0);
}

const gt_LayerClass gt_layer_class_random_shear = {
    GT_LAYER_RECORD("random_shear", "RandomShear", RandomShear, "in training images sheared"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomShear_options_type,
    .create = random_shear_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomShear, .x_factor = 0.4, .y_factor = 0.7,
                                     .y_factor_lower = 0.2, .seed = 7),
         .keras = "RandomShear(0.4, (0.2, 0.7), seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 1)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandomShear, .x_factor = 0.6, .x_factor_lower = 0.6, .seed = 8,
                              .fill_mode = GT_FILL_MODE_CONSTANT, .fill_value = 0.75),
         .keras = "RandomShear((0.6, 0.6), fill_mode='constant', fill_value=0.75, seed=8)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 3, 2, 1)),
         .output = GT_SAMPLE_SHAPE(3, 3, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomShear, .interpolation = GT_INTERPOLATION_NEAREST),
         .keras = "RandomShear(interpolation='nearest')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 6, 1)),
         .output = GT_SAMPLE_SHAPE(2, 4, 6, 1)}),
};

gt_Layer *gt_RandomShear_at(const char *here, const gt_RandomShear_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_shear, options);
}
