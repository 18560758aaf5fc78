/* What layers of images share. */
#include "layers/preprocessing/images.h"
#include "core/text.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/random.h"

#include <math.h>

/* ---- options ---- */

gt_Status gt_factor_range(const char *name, double factor, double lower, double least, double most,
                          gt_Range *range)
{
    const bool pair = !isnan(lower);
    if (!(factor >= least && factor <= most) || (pair && !(lower >= least && lower <= most)))
        return gt_fail(GT_INVALID, "%s must be from %g to %g (got %g)", name, least, most,
                       factor >= least && factor <= most ? lower : factor);
    if (pair && lower > factor)
        return gt_fail(GT_INVALID, "%s_lower must not exceed %s (%g and %g)", name, name, lower,
                       factor);
    *range =
        pair ? (gt_Range){lower, factor} : (gt_Range){fmax(-fabs(factor), least), fabs(factor)};
    return GT_OK;
}

gt_Status gt_contrast_range(const char *name, double factor, double lower, gt_Range *range)
{
    char name_of_lower[64];
    gt_Range below = {0, 0};
    gt_text(name_of_lower, sizeof name_of_lower, "%s_lower", name);
    if (gt_factor_range(name, factor, (double)NAN, 0, 1, range) != GT_OK ||
        (!isnan(lower) &&
         gt_factor_range(name_of_lower, lower, (double)NAN, 0, 1, &below) != GT_OK))
        return gt_status();
    *range = (gt_Range){1 - below.high, 1 + range->high};
    return GT_OK;
}

bool gt_is_wide(gt_Range range)
{
    return range.low < range.high;
}

gt_Status gt_value_range(const gt_Numbers *given, gt_Range *range)
{
    const double low = given->value[0], high = given->value[1];
    static const char *const words =
        "value_range must be two finite numbers, the smaller one first";
    if (given->count != 2)
        return gt_fail(GT_INVALID, "%s (got %lld of them)", words, (long long)given->count);
    if (!isfinite(low) || !isfinite(high) || low >= high)
        return gt_fail(GT_INVALID, "%s (got %g and %g)", words, low, high);
    *range = (gt_Range){low, high};
    return GT_OK;
}

/* ---- the layer ---- */

gt_Status gt_image_layer(gt_Layer *layer, gt_ImageTransform transform, int64_t seed, bool draws)
{
    gt_ImageLayer *self = (gt_ImageLayer *)layer;
    self->transform = transform;
    self->seed = seed;
    self->draws = draws;
    return gt_status();
}

gt_Status gt_image_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    gt_ImageLayer *self = (gt_ImageLayer *)layer;
    if (self->draws)
        self->generator = gt_add_generator(layer, self->seed);
    return gt_status();
}

bool gt_has_pixels(gt_Tensor *x)
{
    char text[160];
    const gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK)
        return false;
    for (int d = spec.rank - 3; d < spec.rank; d++)
        if (spec.dims[d] == 0) {
            gt_fail(GT_INVALID, "images must have pixels (got %s)",
                    gt_dims_text(&spec, text, sizeof text));
            return false;
        }
    return true;
}

gt_Tensor *gt_image_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *x = gt_as_floats(layer, in->x);
    if (!in->training)
        return x == in->x ? gt_identity(x) : x;
    if (!gt_has_pixels(x))
        return NULL;
    const bool one = gt_rank(x) == 3;
    gt_Tensor *images = gt_widened(one ? gt_expand_dims(x, 0) : x);
    gt_Tensor *y = gt_cast(((gt_ImageLayer *)layer)->transform(layer, images), gt_dtype(x));
    return one ? gt_squeeze(y, .axis = 0) : y;
}

gt_Tensor *gt_one_of_each(gt_Tensor *images)
{
    return gt_slice(images, gt_shape(0, 0, 0, 0), gt_shape(-1, 1, 1, 1));
}

gt_Tensor *gt_draw_one(gt_Layer *layer, gt_Range range, gt_DType dtype)
{
    return gt_is_wide(range)
               ? gt_uniform(gt_shape(), .low = range.low, .high = range.high, .dtype = dtype,
                            .generator = ((gt_ImageLayer *)layer)->generator)
               : gt_scalar(range.low, dtype);
}

gt_Tensor *gt_draw_each(gt_Layer *layer, gt_Tensor *images, gt_Range range)
{
    const gt_ImageLayer *self = (const gt_ImageLayer *)layer;
    gt_Tensor *first = gt_one_of_each(images);
    /* A layer that has nothing to draw has no generator; the context's is not for it. */
    return self->draws && gt_is_wide(range)
               ? gt_uniform_like(first, .low = range.low, .high = range.high,
                                 .generator = self->generator)
               : gt_full_like(first, range.low);
}

gt_Tensor *gt_draw_sign(gt_Layer *layer, gt_Tensor *images)
{
    const bool draws = ((const gt_ImageLayer *)layer)->draws;
    gt_Tensor *u = gt_draw_each(layer, images, (gt_Range){0, draws ? 1 : 0});
    return gt_add(gt_multiply(gt_cast(gt_greater(u, 0.5), gt_dtype(images)), -2), 1);
}

bool gt_draws_whether(gt_Range probability)
{
    return probability.high > 0 && probability.low < 1;
}

gt_Tensor *gt_draw_whether(gt_Layer *layer, gt_Tensor *images, gt_Range probability)
{
    gt_Tensor *p = gt_draw_each(layer, images, probability);
    const bool draws = gt_draws_whether(probability);
    return gt_less(gt_draw_each(layer, images, (gt_Range){0, draws ? 1 : 0}), p);
}

gt_Tensor *gt_change_range(gt_Tensor *images, gt_Range from, gt_Range to)
{
    if (from.low == to.low && from.high == to.high)
        return images;
    gt_Tensor *part = gt_divide(gt_subtract(images, from.low), from.high - from.low);
    return gt_add(gt_multiply(part, to.high - to.low), to.low);
}

/* ---- looking between the pixels ---- */

gt_Status gt_check_look(const gt_affine_transform_options *look)
{
    if (look->interpolation != GT_INTERPOLATION_NEAREST &&
        look->interpolation != GT_INTERPOLATION_BILINEAR)
        return gt_fail(GT_INVALID, "interpolation must be nearest or bilinear (got %d)",
                       (int)look->interpolation);
    if (look->fill_mode < GT_FILL_MODE_CONSTANT || look->fill_mode > GT_FILL_MODE_REFLECT ||
        look->fill_mode == GT_FILL_MODE_MIRROR)
        return gt_fail(GT_INVALID, "fill_mode must be constant, nearest, wrap or reflect (got %d)",
                       (int)look->fill_mode);
    if (isnan(look->fill_value))
        return gt_fail(GT_INVALID, "fill_value must be a number");
    return gt_status();
}

gt_Tensor *gt_transform_images(gt_Tensor *images, gt_Tensor *p, gt_Tensor *q,
                               const double rows[3][8], const gt_affine_transform_options *look)
{
    gt_Tensor *row[3];
    for (int i = 0; i < 3; i++)
        row[i] = gt_from_values(gt_shape(8), gt_dtype(images), 8, rows[i]);
    p = gt_squeeze(p, .axes = gt_axes(2, 3));
    q = gt_squeeze(q, .axes = gt_axes(2, 3));
    gt_Tensor *transform = gt_add(gt_multiply(p, row[0]), gt_multiply(q, row[1]));
    return gt_affine_transform_at(NULL, images, gt_add(transform, row[2]), look);
}

/* ---- sizes ---- */

gt_Status gt_check_image_size(int64_t height, int64_t width)
{
    if (height >= 1 && width >= 1 && height <= INT32_MAX && width <= INT32_MAX)
        return GT_OK;
    return gt_fail(GT_INVALID, "height and width are required and must be > 0 (got %lld and %lld)",
                   (long long)height, (long long)width);
}

void gt_image_size(gt_Tensor *images, int64_t *height, int64_t *width)
{
    const gt_Spec spec = gt_spec(images);
    *height = spec.rank >= 3 ? spec.dims[spec.rank - 3] : 0;
    *width = spec.rank >= 3 ? spec.dims[spec.rank - 2] : 0;
}

gt_Tensor *gt_largest_window(gt_Tensor *images, int64_t height, int64_t width)
{
    gt_Tensor *y =
        gt_resize(gt_widened(images), gt_shape(height, width), .crop_to_aspect_ratio = true);
    return gt_cast(y, gt_dtype(images));
}
