/* Images: gt_crop_images, gt_pad_images, colours, blurring and patches, made of operations.
 * Resizing is in resize.c, looking between the pixels in coordinates.c. */
#include "ops/nn/image.h"
#include "ops/nn/image_inside.h"
#include "core/inside.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/linalg/matmul.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"
#include "ops/nn/window.h"

#include <string.h>

bool gt_takes_image(gt_Tensor *x, gt_Spec *spec)
{
    char text[160];
    *spec = gt_spec(x);
    if (gt_status() != GT_OK)
        return false;
    if (spec->rank == 3 || spec->rank == 4)
        return true;
    gt_fail(GT_INVALID,
            "images must be (height, width, channels) or (batch, height, width, channels) (got %s)",
            gt_dims_text(spec, text, sizeof text));
    return false;
}

gt_Shape gt_whole_axes(int rank)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = rank};
    for (int d = 0; d < rank; d++)
        shape.dims[d] = -1;
    return shape;
}

/* ---- cropping and padding ---- */

GT_OPTION_TYPE(gt_crop_images_options, gt_crop_images_OPTIONS);

static bool is_possible(int64_t border)
{
    return border == GT_NONE || (border >= 0 && border <= INT32_MAX);
}

/* One axis: of before, after and the new size, two are given, and the third follows. `sign` is 1
 * for padding, -1 for cropping. */
static bool border(int64_t size, int sign, int64_t *before, int64_t *after, int64_t *result)
{
    int given = (*before != GT_NONE) + (*after != GT_NONE) + (*result != GT_NONE);
    bool possible = given == 2 && size <= INT32_MAX && is_possible(*before) &&
                    is_possible(*after) && is_possible(*result);
    if (possible) {
        if (*result == GT_NONE)
            *result = size + sign * (*before + *after);
        else if (*before == GT_NONE)
            *before = sign * (*result - size) - *after;
        else
            *after = sign * (*result - size) - *before;
    }
    if (possible && *before >= 0 && *after >= 0 && *result >= 0)
        return true;
    gt_fail(
        GT_INVALID,
        "two of before, after and the new size must be given, and none be negative (the axis has "
        "size %lld)",
        (long long)size);
    return false;
}

/* The borders of each axis of x by the options: 0 for batch and channels, whose size in `result` is
 * -1, all. */
static bool borders(gt_Tensor *x, int sign, const gt_crop_images_options *given, gt_Shape *before,
                    gt_Shape *after, gt_Shape *result)
{
    gt_crop_images_options o;
    GT_TAKE(gt_crop_images_options, &o, given);
    gt_Spec spec;
    if (!gt_takes_image(x, &spec))
        return false;
    int row = spec.rank - 3, column = spec.rank - 2;
    if (!border(spec.dims[row], sign, &o.top, &o.bottom, &o.height) ||
        !border(spec.dims[column], sign, &o.left, &o.right, &o.width))
        return false;
    *before = *after = (gt_Shape){.mark = GT_MARK, .rank = spec.rank};
    *result = gt_whole_axes(spec.rank);
    before->dims[row] = o.top;
    after->dims[row] = o.bottom;
    result->dims[row] = o.height;
    before->dims[column] = o.left;
    after->dims[column] = o.right;
    result->dims[column] = o.width;
    return true;
}

static gt_Tensor *crop_images(gt_Tensor *x, const gt_crop_images_options *options)
{
    gt_Shape before, after, result;
    return borders(x, -1, options, &before, &after, &result) ? gt_slice(x, before, result) : NULL;
}
GT_COMPOSED(crop_images, (const char *here, gt_Tensor *x, const gt_crop_images_options *options),
            (x, options))

static gt_Tensor *pad_images(gt_Tensor *x, const gt_crop_images_options *options)
{
    gt_Shape before, after, result;
    return borders(x, 1, options, &before, &after, &result) ? gt_pad(x, before, after) : NULL;
}
GT_COMPOSED(pad_images, (const char *here, gt_Tensor *x, const gt_crop_images_options *options),
            (x, options))

/* ---- colours ---- */

/* Is the last axis of x, an image, one of `channels`? */
static bool takes_channels(gt_Tensor *x, int64_t channels, gt_Spec *spec)
{
    char text[160];
    if (!gt_takes_image(x, spec))
        return false;
    if (spec->dims[spec->rank - 1] == channels)
        return true;
    gt_fail(GT_INVALID, "images must have %d channels (got %s)", (int)channels,
            gt_dims_text(spec, text, sizeof text));
    return false;
}

static gt_Tensor *rgb_to_grayscale(gt_Tensor *x)
{
    gt_Spec spec;
    if (!gt_takes_image(x, &spec))
        return NULL;
    if (spec.dims[spec.rank - 1] == 1)
        return gt_identity(x);
    if (!takes_channels(x, 3, &spec))
        return NULL;
    gt_Tensor *light = gt_as_float(x);
    const double share[3] = {0.2989, 0.587, 0.114};
    light = gt_matmul(light, gt_from_values_at(NULL, gt_shape(3, 1), gt_dtype(light), 3, share));
    return gt_cast(light, spec.dtype);
}
GT_COMPOSED_UNARY(rgb_to_grayscale, rgb_to_grayscale)

/* The three channels, each (..., 1). */
static bool split_channels(gt_Tensor *x, gt_Tensor *channel[3])
{
    gt_Spec spec;
    return takes_channels(x, 3, &spec) && gt_takes(&spec, GT_TAKES_FLOAT) &&
           gt_split(x, 3, channel, .axis = -1) == GT_OK;
}

/* The channel with the largest number, the first of several, says in which third of the circle the
 * hue lies: there it is the difference of the other two over the range, 0 where all are equal.
 * Smith, Color gamut transform pairs (1978). */
static gt_Tensor *rgb_to_hsv(gt_Tensor *x)
{
    gt_Tensor *rgb[3];
    if (!split_channels(x, rgb))
        return NULL;
    gt_Tensor *value = gt_max(x, .axis = -1, .keepdims = true);
    gt_Tensor *range = gt_subtract(value, gt_min(x, .axis = -1, .keepdims = true));
    gt_Tensor *hue = NULL;
    for (int c = 2; c >= 0; c--) {
        gt_Tensor *difference = gt_subtract(rgb[(c + 1) % 3], rgb[(c + 2) % 3]);
        gt_Tensor *sixth = gt_divide_no_nan(difference, gt_multiply(range, 6));
        gt_Tensor *here = c ? gt_add(sixth, c / 3.0) : sixth;
        hue = hue ? gt_where(gt_equal(rgb[c], value), here, hue) : here;
    }
    hue = gt_where(gt_less(hue, 0), gt_add(hue, 1), hue);
    gt_Tensor *saturation = gt_where(gt_greater(value, 0), gt_divide_no_nan(range, value), 0);
    return gt_concatenate(gt_tensors(hue, saturation, value), .axis = -1);
}
GT_COMPOSED_UNARY(rgb_to_hsv, rgb_to_hsv)

/* Each channel is a trapezoid of the hue, in sixths of the circle. */
static gt_Tensor *hsv_to_rgb(gt_Tensor *x)
{
    gt_Tensor *hsv[3], *rgb[3];
    if (!split_channels(x, hsv))
        return NULL;
    gt_Tensor *sixths = gt_multiply(hsv[0], 6);
    for (int c = 0; c < 3; c++) {
        gt_Tensor *away = gt_abs(gt_subtract(sixths, c ? 2.0 * c : 3));
        gt_Tensor *share = c ? gt_add(gt_negative(away), 2) : gt_subtract(away, 1);
        share = gt_subtract(gt_clip(share, 0, 1), 1);
        rgb[c] = gt_multiply(gt_add(gt_multiply(hsv[1], share), 1), hsv[2]);
    }
    return gt_concatenate(gt_tensors(rgb[0], rgb[1], rgb[2]), .axis = -1);
}
GT_COMPOSED_UNARY(hsv_to_rgb, hsv_to_rgb)

/* ---- neighbourhoods ---- */

GT_OPTION_TYPE(gt_gaussian_blur_options, gt_gaussian_blur_OPTIONS);
GT_OPTION_TYPE(gt_extract_patches_options, gt_extract_patches_OPTIONS);

/* x, a batch, blurred along axis 1 or 2: a mean of shifted images with the same weights for all
 * channels. */
static gt_Tensor *blur(gt_Tensor *x, int axis, int64_t count, double sigma)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (count < 1 || count > INT32_MAX || !(sigma > 0)) {
        gt_fail(GT_INVALID, "a kernel must have at least 1 pixel and a sigma > 0 (got %lld and %g)",
                (long long)count, sigma);
        return NULL;
    }
    gt_Tensor *off = gt_arange(0, (double)count, 1, .dtype = spec.dtype);
    off = gt_divide(gt_subtract(off, (double)(count - 1) / 2), sigma);
    gt_Tensor *weight = gt_exp(gt_multiply(gt_square(off), -0.5));
    weight = gt_divide(weight, gt_sum(weight));
    gt_Shape kernel = gt_shape(1, 1, spec.dims[3], 1);
    kernel.dims[axis - 1] = count;
    weight = gt_reshape(weight, gt_shape(axis == 1 ? count : 1, axis == 2 ? count : 1, 1, 1));
    return gt_depthwise_conv(x, gt_broadcast_to(weight, kernel), .padding = GT_PADDING_SAME);
}

static gt_Tensor *gaussian_blur(gt_Tensor *x, const gt_gaussian_blur_options *given)
{
    gt_gaussian_blur_options options;
    GT_TAKE(gt_gaussian_blur_options, &options, given);
    gt_Spec spec;
    if (!gt_takes_image(x, &spec) || !gt_takes(&spec, GT_TAKES_FLOAT))
        return NULL;
    x = spec.rank == 4 ? x : gt_expand_dims(x, 0);
    x = blur(x, 1, options.height, options.sigma_height);
    x = blur(x, 2, options.width, options.sigma_width);
    return spec.rank == 4 ? x : gt_squeeze(x, .axis = 0);
}
GT_COMPOSED_OPTIONS(gaussian_blur, gaussian_blur, gt_gaussian_blur_options)

/* The pixels that each window reads along one axis: (windows, pixels of one). */
static gt_Tensor *window_places(const gt_SlidingWindow *w, int axis)
{
    gt_Tensor *start = gt_arange(0, (double)w->out[axis], 1, .dtype = GT_INT64);
    gt_Tensor *pixel = gt_arange(0, (double)w->size[axis], 1, .dtype = GT_INT64);
    return gt_add(gt_expand_dims(gt_multiply(start, (double)w->stride[axis]), 1),
                  gt_multiply(pixel, (double)w->dilation[axis]));
}

/* The image, with its border and its pixels as one axis, looked up at the index of every pixel of
 * every window. */
static gt_Tensor *patches(gt_Tensor *x, const gt_SlidingWindow *w, int64_t batch, int64_t channels)
{
    gt_Shape before = {.mark = GT_MARK, .rank = 5}, after = {.mark = GT_MARK, .rank = 5};
    gt_Spec all = {.rank = 5, .dims = {batch, 1, 1, 1, channels}};
    gt_Tensor *index = NULL;
    for (int d = 0; d < GT_SPATIAL; d++) {
        int64_t reach = (w->out[d] - 1) * w->stride[d] + (w->size[d] - 1) * w->dilation[d] + 1;
        int64_t length = w->in[d] + w->before[d] > reach ? w->in[d] + w->before[d] : reach;
        before.dims[d + 1] = w->before[d];
        after.dims[d + 1] = length - w->in[d] - w->before[d];
        all.dims[d + 1] = length;
        gt_Shape spread = gt_shape(1, 1, 1, 1, 1, 1);
        spread.dims[d] = w->out[d];
        spread.dims[GT_SPATIAL + d] = w->size[d];
        gt_Tensor *places = gt_reshape(window_places(w, d), spread);
        index = index ? gt_add(gt_multiply(index, (double)length), places) : places;
    }
    if (!gt_window_countable(&all))
        return NULL;
    x = gt_reshape(x, gt_shape_open(gt_shape(batch, w->in[0], w->in[1], w->in[2], channels)));
    int64_t pixels = all.dims[1] * all.dims[2] * all.dims[3];
    x = gt_reshape(gt_pad(x, before, after), gt_shape_open(gt_shape(batch, pixels, channels)));
    return gt_take(x, gt_ravel(index), .axis = 1);
}

static gt_Tensor *extract_patches(gt_Tensor *x, gt_Shape size,
                                  const gt_extract_patches_options *given)
{
    gt_extract_patches_options options;
    GT_TAKE(gt_extract_patches_options, &options, given);
    gt_Spec spec = gt_spec(x);
    if (size.rank == 1)
        size = gt_shape(size.dims[0], size.dims[0]);
    int axes = size.rank;
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (axes < 2 || axes > 3 || (spec.rank != axes + 1 && spec.rank != axes + 2)) {
        gt_fail(
            GT_INVALID,
            "patches have two sizes of (height, width, channels), three of (depth, height, width, "
            "channels) (got %s of %s)",
            gt_shape_text(size, a, sizeof a), gt_dims_text(&spec, b, sizeof b));
        return NULL;
    }
    gt_SlidingWindow window;
    const int64_t *in = spec.dims + spec.rank - axes - 1;
    gt_Shape strides = options.strides.rank ? options.strides : size;
    if (!gt_window_countable(&spec) ||
        !gt_window_set(&window, axes, in, size.dims, &strides, &options.dilation, options.padding))
        return NULL;
    gt_Shape shape = gt_spec_shape(&spec);
    for (int i = 0; i < axes; i++)
        shape.dims[spec.rank - axes - 1 + i] = window.out[GT_SPATIAL - axes + i];
    int64_t channels = spec.dims[spec.rank - 1];
    if (channels > 0 && window.taps > INT64_MAX / channels) {
        gt_fail(GT_INVALID, "patches of %lld pixels are too large", (long long)window.taps);
        return NULL;
    }
    shape.dims[spec.rank - 1] = channels * window.taps;
    bool batch = spec.rank == axes + 2;
    x = patches(x, &window, batch ? spec.dims[0] : 1, channels);
    return gt_reshape(x, batch ? gt_shape_open(shape) : shape);
}
GT_COMPOSED(extract_patches,
            (const char *here, gt_Tensor *x, gt_Shape size,
             const gt_extract_patches_options *options),
            (x, size, options))
