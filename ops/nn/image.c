/* Images: records, kernels, gradient rules and compositions of ops/nn/image.h. Resizing goes axis by
 * axis; along one axis it is a product with a thin band matrix, whose transpose is the gradient's
 * record. All else is made of other operations. */
#include "ops/nn/image.h"
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

#include <math.h>
#include <string.h>

/* ---- one axis of another size ---- */

#define RESIZE_AXIS_OPTIONS(F, S)                                                                  \
    F(S, int32_t, axis, 0, "the axis")                                                             \
    F(S, int64_t, extent, 1, "its size in the result")                                             \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "how elements are weighted")  \
    F(S, bool, antialias, false, "weights reach as far as an element of a smaller result covers")
GT_OPTIONS(ResizeAxisOptions, RESIZE_AXIS_OPTIONS);
GT_OPTION_TYPE(ResizeAxisOptions, RESIZE_AXIS_OPTIONS);

/* One row of the band matrix. */
typedef struct Band {
    int64_t first, count;
    double *weight;
} Band;

static int reach_of(gt_Interpolation interpolation)
{
    static const int reach[] = {1, 1, 2, 3, 5};
    return reach[interpolation];
}

static double sinc(double x)
{
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

/* The weight at a distance, which is smaller than the reach. */
static double weight_at(gt_Interpolation interpolation, double x)
{
    int reach = reach_of(interpolation);
    x = fabs(x);
    if (x >= reach)
        return 0;
    if (interpolation == GT_INTERPOLATION_BILINEAR)
        return 1 - x;
    if (interpolation == GT_INTERPOLATION_BICUBIC)
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return sinc(x) * sinc(x / reach);
}

/* A tensor seen along the axis; `in` and `out` are those of the resizing, whichever way it is
 * done. */
typedef struct Resizing {
    gt_Interpolation interpolation;
    int64_t outer, in, out, inner, chunk, chunks;
    double stretch; /* of the weights */
    int64_t taps;   /* no row of the band matrix has more */
    bool back;
} Resizing;

/* What element i of `out` is made of: those of `in` that are nearer than the weights reach. */
static void band_row(const Resizing *r, int64_t i, Band *band)
{
    double middle = ((double)i + 0.5) * ((double)r->in / (double)r->out);
    if (r->interpolation == GT_INTERPOLATION_NEAREST) {
        int64_t at = (int64_t)middle;
        band->first = at < r->in ? at : r->in - 1;
        band->count = 1;
        band->weight[0] = 1;
        return;
    }
    double reach = reach_of(r->interpolation) * r->stretch, sum = 0;
    int64_t first = (int64_t)floor(middle - 0.5 - reach) + 1;
    int64_t last = (int64_t)ceil(middle - 0.5 + reach) - 1;
    band->first = first < 0 ? 0 : first;
    band->count = 0;
    for (int64_t j = band->first; j <= last && j < r->in; j++) {
        double weight = weight_at(r->interpolation, (middle - 0.5 - (double)j) / r->stretch);
        band->weight[band->count++] = weight;
        sum += weight;
    }
    for (int64_t k = 0; k < band->count; k++)
        band->weight[k] /= sum;
}

#define CHUNK 4096 /* elements beside each other that a tile takes along */

static bool plan(Resizing *r, const ResizeAxisOptions *options, const gt_Spec *x, bool back)
{
    int axis = gt_axis(options->axis, x->rank);
    if (axis < 0 || !gt_takes(x, GT_TAKES_FLOAT))
        return false;
    if (options->interpolation < GT_INTERPOLATION_NEAREST ||
        options->interpolation > GT_INTERPOLATION_LANCZOS5 || options->extent < 1 ||
        options->extent > INT32_MAX || x->dims[axis] < 1 || x->dims[axis] > INT32_MAX) {
        gt_fail(GT_INVALID, "axis %d of size %lld cannot be resized to %lld", axis,
                (long long)x->dims[axis], (long long)options->extent);
        return false;
    }
    *r = (Resizing){.interpolation = options->interpolation, .outer = 1, .inner = 1, .back = back};
    r->in = back ? options->extent : x->dims[axis];
    r->out = back ? x->dims[axis] : options->extent;
    r->stretch = options->antialias && r->in > r->out ? (double)r->in / (double)r->out : 1;
    r->taps = (int64_t)(2 * reach_of(r->interpolation) * r->stretch) + 2;
    if (x->size == 0) {
        r->outer = 0;
        return true;
    }
    for (int d = 0; d < axis; d++)
        r->outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        r->inner *= x->dims[d];
    r->chunk = r->inner < CHUNK ? r->inner : CHUNK;
    r->chunks = r->chunk ? (r->inner + r->chunk - 1) / r->chunk : 0;
    return true;
}

#define COLUMNS 256 /* elements beside each other that are added up in double together */

/* Has a sum more than a few terms? Those of the transpose: how many bands an index is in. */
static bool in_double(const Resizing *r)
{
    double terms = r->back ? (2.0 * reach_of(r->interpolation) * r->stretch + 1) * (double)r->out /
                                 (double)r->in
                           : (double)r->taps;
    return terms > 16;
}

/* The doubles that it takes. */
static int64_t sums_of(const Resizing *r)
{
    if (!in_double(r))
        return 0;
    return (r->back ? r->in : 1) * (r->chunk < COLUMNS ? r->chunk : COLUMNS);
}

static gt_Status resize_shape(gt_ShapeRule *rule, bool back)
{
    const ResizeAxisOptions *options = rule->options;
    Resizing r;
    if (!plan(&r, options, rule->input[0], back))
        return gt_status();
    rule->output[0] = *rule->input[0];
    rule->output[0].dims[gt_axis(options->axis, rule->input[0]->rank)] = options->extent;
    rule->scratch = (size_t)r.out * (sizeof(Band) + (size_t)r.taps * sizeof(double)) +
                    (size_t)sums_of(&r) * sizeof(double);
    return GT_OK;
}

static gt_Status resize_axis_shape(gt_ShapeRule *rule)
{
    return resize_shape(rule, false);
}

static gt_Status resize_axis_gradient_shape(gt_ShapeRule *rule)
{
    return resize_shape(rule, true);
}

/* n elements at each index of the axis: to[i] = sum of w[i, j] from[j], or its transpose. */
#define RESIZE(type)                                                                               \
    static void add_band_##type(const Band *band, const type *from, int64_t step, int64_t n,       \
                                bool back, double *sum)                                            \
    {                                                                                              \
        for (int64_t k = 0; k < band->count; k++) {                                                \
            const type *x = back ? from : from + (band->first + k) * step;                         \
            double *y = back ? sum + (band->first + k) * n : sum;                                  \
            for (int64_t c = 0; c < n; c++)                                                        \
                y[c] += band->weight[k] * (double)x[c];                                            \
        }                                                                                          \
    }                                                                                              \
    static void round_row_##type(int64_t n, const double *sum, type *to)                           \
    {                                                                                              \
        for (int64_t c = 0; c < n; c++)                                                            \
            to[c] = (type)sum[c];                                                                  \
    }                                                                                              \
    static void resize_in_double_##type(const Resizing *r, const Band *band, int64_t n,            \
                                        const type *from, double *sum, type *to)                   \
    {                                                                                              \
        size_t row = (size_t)n * sizeof *sum;                                                      \
        if (r->back)                                                                               \
            memset(sum, 0, (size_t)r->in *row);                                                    \
        for (int64_t i = 0; i < r->out; i++) {                                                     \
            if (!r->back)                                                                          \
                memset(sum, 0, row);                                                               \
            add_band_##type(&band[i], r->back ? from + i * r->inner : from, r->inner, n, r->back,  \
                            sum);                                                                  \
            if (!r->back)                                                                          \
                round_row_##type(n, sum, to + i * r->inner);                                       \
        }                                                                                          \
        for (int64_t i = 0; i < r->in && r->back; i++)                                             \
            round_row_##type(n, sum + i * n, to + i * r->inner);                                   \
    }                                                                                              \
    static void resize_##type(const Resizing *r, const Band *band, int64_t n, const type *from,    \
                              type *to)                                                            \
    {                                                                                              \
        for (int64_t i = 0; i < (r->back ? r->in : r->out); i++)                                   \
            memset(to + i * r->inner, 0, (size_t)n * sizeof *to);                                  \
        for (int64_t i = 0; i < r->out; i++)                                                       \
            for (int64_t k = 0; k < band[i].count; k++) {                                          \
                int64_t at = (band[i].first + k) * r->inner;                                       \
                const type *x = from + (r->back ? i * r->inner : at);                              \
                type *y = to + (r->back ? at : i * r->inner), weight = (type)band[i].weight[k];    \
                for (int64_t c = 0; c < n; c++)                                                    \
                    y[c] += weight * x[c];                                                         \
            }                                                                                      \
    }
RESIZE(float)
RESIZE(double)

static void resize_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    const Resizing *r = argument;
    Band *band = scratch;
    double *weights = (double *)(void *)(band + r->out);
    int64_t from = r->back ? r->out : r->in, to = r->back ? r->in : r->out;
    for (int64_t i = 0; i < r->out; i++) {
        band[i].weight = weights + i * r->taps;
        band_row(r, i, &band[i]);
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t outer = tile / r->chunks, at = tile % r->chunks * r->chunk;
        int64_t n = r->inner - at < r->chunk ? r->inner - at : r->chunk;
        int64_t x = outer * from * r->inner + at, y = outer * to * r->inner + at;
        bool wide = kernel->output_spec[0]->dtype == GT_FLOAT64;
        const float *x32 = (const float *)kernel->input[0] + x;
        const double *x64 = (const double *)kernel->input[0] + x;
        float *y32 = (float *)kernel->output[0] + y;
        double *y64 = (double *)kernel->output[0] + y, *sum = weights + r->out * r->taps;
        if (!in_double(r)) {
            wide ? resize_double(r, band, n, x64, y64) : resize_float(r, band, n, x32, y32);
            continue;
        }
        for (int64_t c = 0; c < n; c += COLUMNS) {
            int64_t width = n - c < COLUMNS ? n - c : COLUMNS;
            wide ? resize_in_double_double(r, band, width, x64 + c, sum, y64 + c)
                 : resize_in_double_float(r, band, width, x32 + c, sum, y32 + c);
        }
    }
}

static gt_Status run(const gt_Kernel *kernel, bool back)
{
    Resizing r;
    if (!plan(&r, kernel->options, kernel->input_spec[0], back))
        return gt_status();
    return gt_for_tiles(kernel, r.outer * r.chunks, resize_tiles, &r);
}

static gt_Status resize_axis_run(const gt_Kernel *kernel)
{
    return run(kernel, false);
}

static gt_Status resize_axis_gradient_run(const gt_Kernel *kernel)
{
    return run(kernel, true);
}

static gt_Status give_transposed(gt_GradientRule *rule, const gt_Operation *operation)
{
    ResizeAxisOptions options = *(const ResizeAxisOptions *)gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Tensor *up = gt_upstream(rule, 0);
    options.extent = in->dims[gt_axis(options.axis, in->rank)];
    return gt_give(rule, 0, gt_apply_one_at(NULL, operation, &options, 1, &up));
}

/* The axes before the one that is resized do not meet. */
static gt_Status resize_axis_mask(gt_MaskRule *rule)
{
    const ResizeAxisOptions *options = rule->shape->options;
    return gt_mask_rows(rule, gt_axis(options->axis, rule->shape->input[0]->rank));
}

static gt_Status resize_axis_rule(gt_GradientRule *rule)
{
    return give_transposed(rule, &gt_op_resize_axis_gradient);
}

static gt_Status resize_axis_gradient_rule(gt_GradientRule *rule)
{
    return give_transposed(rule, &gt_op_resize_axis);
}

#define RESIZED(axis, to, how, smooth, ...)                                                        \
    {                                                                                              \
        .inputs = 1, .input = GT_INPUTS(GT_ANY(__VA_ARGS__)),                                      \
        .options = &GT_VALUES(ResizeAxisOptions, axis, to, how, smooth)                            \
    }
#define RESIZES                                                                                    \
    GT_SAMPLES(RESIZED(0, 5, GT_INTERPOLATION_NEAREST, false, 3, 2),                               \
               RESIZED(1, 2, GT_INTERPOLATION_BILINEAR, true, 2, 5, 2),                            \
               RESIZED(-1, 7, GT_INTERPOLATION_BICUBIC, false, 2, 4),                              \
               RESIZED(-2, 3, GT_INTERPOLATION_LANCZOS3, false, 7, 1),                             \
               RESIZED(0, 4, GT_INTERPOLATION_LANCZOS5, true, 6))

const gt_Operation gt_op_resize_axis = {
    GT_RECORD("resize_axis", "an axis of another size: weighted sums of its elements", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &ResizeAxisOptions_type,
    .shape = resize_axis_shape,
    .run = resize_axis_run,
    .gradient = resize_axis_rule,
    .mask = resize_axis_mask,
    .samples = RESIZES,
};

const gt_Operation gt_op_resize_axis_gradient = {
    GT_RECORD("resize_axis_gradient", "the transpose of resize_axis", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &ResizeAxisOptions_type,
    .shape = resize_axis_gradient_shape,
    .run = resize_axis_gradient_run,
    .gradient = resize_axis_gradient_rule,
    .samples = RESIZES,
};

/* ---- functions ---- */

GT_OPTION_TYPE(gt_resize_options, gt_resize_OPTIONS);
GT_OPTION_TYPE(gt_crop_images_options, gt_crop_images_OPTIONS);

static bool takes_image(gt_Tensor *x, gt_Spec *spec)
{
    char text[160];
    *spec = gt_spec(x);
    if (gt_status() != GT_OK)
        return false;
    if (spec->rank == 3 || spec->rank == 4)
        return true;
    gt_fail(GT_INVALID, "%s is not (height, width, channels) or (batch, height, width, channels)",
            gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    return false;
}

/* For gt_slice: all of every axis. */
static gt_Shape whole(int rank)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = rank};
    for (int d = 0; d < rank; d++)
        shape.dims[d] = -1;
    return shape;
}

/* x cut or filled up to the ratio of `size`, as much on both sides. */
static gt_Tensor *to_ratio(gt_Tensor *x, const gt_Spec *spec, gt_Shape size,
                           const gt_resize_options *options)
{
    int64_t in[2] = {spec->dims[spec->rank - 3], spec->dims[spec->rank - 2]};
    bool possible = !(options->crop_to_aspect_ratio && options->pad_to_aspect_ratio);
    for (int i = 0; i < 2; i++)
        possible = possible && in[i] >= 1 && in[i] <= INT32_MAX && size.dims[i] >= 1 &&
                   size.dims[i] <= INT32_MAX;
    if (!possible) {
        char a[160], b[160];
        gt_fail(GT_INVALID, "%s cannot be brought to the ratio of %s, cropped or else padded",
                gt_shape_text(gt_spec_shape(spec), a, sizeof a), gt_shape_text(size, b, sizeof b));
        return NULL;
    }
    gt_Shape before = {.mark = GT_MARK, .rank = spec->rank}, block = whole(spec->rank);
    for (int i = 0; i < 2; i++) {
        int axis = spec->rank - 3 + i;
        int64_t fitting = in[1 - i] * size.dims[i] / size.dims[1 - i];
        if (options->pad_to_aspect_ratio) {
            before.dims[axis] = fitting > in[i] ? (fitting - in[i]) / 2 : 0;
        } else {
            block.dims[axis] = fitting < 1 ? 1 : fitting < in[i] ? fitting : in[i];
            before.dims[axis] = (in[i] - block.dims[axis]) / 2;
        }
    }
    return options->pad_to_aspect_ratio ? gt_pad(x, before, before, .value = options->fill_value)
                                        : gt_slice(x, before, block);
}

static gt_Tensor *resize(gt_Tensor *x, gt_Shape size, const gt_resize_options *given)
{
    gt_resize_options options = GT_TAKE(gt_resize_options, given);
    gt_Spec spec;
    if (!takes_image(x, &spec))
        return NULL;
    if (size.rank != 2) {
        gt_fail(GT_INVALID, "the new size must be a height and a width");
        return NULL;
    }
    if (options.crop_to_aspect_ratio || options.pad_to_aspect_ratio)
        x = to_ratio(x, &spec, size, &options);
    /* The nearest pixels of whole numbers are whole: double holds all but the largest int64. */
    bool integers =
        options.interpolation == GT_INTERPOLATION_NEAREST && !gt_dtype_is_float(spec.dtype);
    x = integers ? gt_cast(x, GT_FLOAT64) : gt_as_float(x);
    for (int i = 0; i < 2; i++) {
        ResizeAxisOptions one = GT_VALUES(ResizeAxisOptions, i - 3, size.dims[i],
                                          options.interpolation, options.antialias);
        x = gt_apply_one_at(NULL, &gt_op_resize_axis, &one, 1, &x);
    }
    return integers ? gt_cast(x, spec.dtype) : x;
}
GT_COMPOSED(resize,
            (const char *here, gt_Tensor *x, gt_Shape size, const gt_resize_options *options),
            (x, size, options))

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
    gt_fail(GT_INVALID,
            "an axis of size %lld: give two of before, after and the new size, so that all three "
            "are possible",
            (long long)size);
    return false;
}

/* What the options say for each axis of x; nothing for batch and channels. */
static bool borders(gt_Tensor *x, int sign, const gt_crop_images_options *given, gt_Shape *before,
                    gt_Shape *after, gt_Shape *result)
{
    gt_crop_images_options o = GT_TAKE(gt_crop_images_options, given);
    gt_Spec spec;
    if (!takes_image(x, &spec))
        return false;
    int row = spec.rank - 3, column = spec.rank - 2;
    if (!border(spec.dims[row], sign, &o.top, &o.bottom, &o.height) ||
        !border(spec.dims[column], sign, &o.left, &o.right, &o.width))
        return false;
    *before = *after = (gt_Shape){.mark = GT_MARK, .rank = spec.rank};
    *result = whole(spec.rank);
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
    if (!takes_image(x, spec))
        return false;
    if (spec->dims[spec->rank - 1] == channels)
        return true;
    gt_fail(GT_INVALID, "%s has not %d channels",
            gt_shape_text(gt_spec_shape(spec), text, sizeof text), (int)channels);
    return false;
}

static gt_Tensor *rgb_to_grayscale(gt_Tensor *x)
{
    gt_Spec spec;
    if (!takes_image(x, &spec))
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
        gt_fail(GT_INVALID, "a kernel of %lld pixels with sigma %g is not possible",
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
    gt_gaussian_blur_options options = GT_TAKE(gt_gaussian_blur_options, given);
    gt_Spec spec;
    if (!takes_image(x, &spec) || !gt_takes(&spec, GT_TAKES_FLOAT))
        return NULL;
    x = spec.rank == 4 ? x : gt_expand_dims(x, 0);
    x = blur(x, 1, options.height, options.sigma_height);
    x = blur(x, 2, options.width, options.sigma_width);
    return spec.rank == 4 ? x : gt_squeeze(x, .axis = 0);
}
GT_COMPOSED_OPTIONS(gaussian_blur, gaussian_blur, gt_gaussian_blur_options)

/* Where each window reads along one axis: (windows, pixels of one). */
static gt_Tensor *window_places(const gt_Window *w, int axis)
{
    gt_Tensor *start = gt_arange(0, (double)w->out[axis], 1, .dtype = GT_INT64);
    gt_Tensor *pixel = gt_arange(0, (double)w->size[axis], 1, .dtype = GT_INT64);
    return gt_add(gt_expand_dims(gt_multiply(start, (double)w->stride[axis]), 1),
                  gt_multiply(pixel, (double)w->dilation[axis]));
}

/* What is taken from the image, its border and its pixels as one axis, by the index of every pixel
 * of every window. */
static gt_Tensor *patches(gt_Tensor *x, const gt_Window *w, int64_t batch, int64_t channels)
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
    gt_extract_patches_options options = GT_TAKE(gt_extract_patches_options, given);
    gt_Spec spec = gt_spec(x);
    if (size.rank == 1)
        size = gt_shape(size.dims[0], size.dims[0]);
    int axes = size.rank;
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (axes < 2 || axes > 3 || (spec.rank != axes + 1 && spec.rank != axes + 2)) {
        gt_fail(GT_INVALID,
                "there are no patches %s of %s: two sizes are for (height, width, "
                "channels), three for (depth, height, width, channels)",
                gt_shape_text(size, a, sizeof a), gt_shape_text(gt_spec_shape(&spec), b, sizeof b));
        return NULL;
    }
    gt_Window window;
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

/* ---- looking between the pixels ---- */

GT_OPTION_TYPE(gt_map_coordinates_options, gt_map_coordinates_OPTIONS);
GT_OPTION_TYPE(gt_affine_transform_options, gt_affine_transform_OPTIONS);

/* How a place is looked at: `order` 0 or 1, and what is seen outside. */
typedef struct Look {
    int order;
    gt_FillMode mode;
    double fill;
} Look;

/* One of the two elements around each coordinate along an axis of length n: its index, how much it
 * counts (NULL: 1), and whether it is inside (NULL: it always is). */
typedef struct Corner {
    gt_Tensor *index, *weight, *inside;
} Corner;

static Corner corner_of(const Look *look, gt_Tensor *coordinate, int64_t n, int side)
{
    static const gt_PadMode folds[] = {GT_PAD_MODE_EDGE, GT_PAD_MODE_EDGE, GT_PAD_MODE_WRAP,
                                       GT_PAD_MODE_REFLECT, GT_PAD_MODE_SYMMETRIC};
    Corner corner = {0};
    gt_Tensor *whole = look->order == 0 ? gt_round(coordinate) : gt_floor(coordinate);
    whole = gt_stop_gradient(whole);
    if (look->order == 1) {
        gt_Tensor *above = gt_subtract(coordinate, whole);
        corner.weight = side ? above : gt_add(gt_negative(above), 1);
    }
    gt_Tensor *index = gt_cast(whole, GT_INT64);
    index = side ? gt_add(index, 1) : index;
    if (look->mode == GT_FILL_MODE_CONSTANT)
        corner.inside = gt_logical_and(gt_greater_equal(index, 0), gt_less(index, (double)n));
    corner.index = gt_fold_indices(index, n, folds[look->mode]);
    return corner;
}

static gt_Tensor *both(gt_Tensor *a, gt_Tensor *b, bool logical)
{
    return !a ? b : !b ? a : logical ? gt_logical_and(a, b) : gt_multiply(a, b);
}

/* Layers (count, places) at coordinates of one shape each, of arrays of `axes` dimensions behind
 * one more, along which `start` says where to look: (count, that shape). The layers are the
 * channels: weights then go with long runs of numbers, not with three. */
static gt_Tensor *look_at(const Look *look, gt_Tensor *layers, gt_Tensor *start, int axes,
                          const int64_t *dims, gt_Tensor *const *coordinate)
{
    Corner corners[GT_MAX_RANK][2];
    int sides = look->order + 1, count = look->order ? 1 << axes : 1;
    gt_Tensor *sum = NULL;
    for (int d = 0; d < axes; d++)
        for (int side = 0; side < sides; side++)
            corners[d][side] = corner_of(look, coordinate[d], dims[d], side);
    for (int k = 0; k < count && gt_status() == GT_OK; k++) {
        gt_Tensor *index = start, *weight = NULL, *inside = NULL;
        for (int d = 0; d < axes; d++) {
            const Corner *corner = &corners[d][k >> d & 1];
            index = gt_add(gt_multiply(index, (double)dims[d]), corner->index);
            weight = both(weight, corner->weight, false);
            inside = both(inside, corner->inside, true);
        }
        gt_Tensor *seen = gt_take(layers, index, .axis = 1);
        if (inside)
            seen = gt_where(inside, seen, look->fill);
        if (weight)
            seen = gt_multiply(seen, weight);
        sum = sum ? gt_add(sum, seen) : seen;
    }
    return sum;
}

/* Can x be looked at like that? */
static bool takes_look(const Look *look, const gt_Spec *x)
{
    if (look->order >= 0 && look->order <= 1 && look->mode >= GT_FILL_MODE_CONSTANT &&
        look->mode <= GT_FILL_MODE_REFLECT)
        return gt_takes(x, GT_TAKES_FLOAT);
    gt_fail(GT_INVALID,
            "order %d with fill mode %d is not possible; the order is 0, the nearest, or "
            "1, linear",
            look->order, (int)look->mode);
    return false;
}

static gt_Tensor *map_coordinates(gt_Tensor *x, gt_Tensor *coordinates, int order,
                                  const gt_map_coordinates_options *given)
{
    gt_map_coordinates_options options = GT_TAKE(gt_map_coordinates_options, given);
    gt_Spec in = gt_spec(x), at = gt_spec(coordinates);
    const Look look = {order, options.fill_mode, options.fill_value};
    char a[160], b[160];
    if (gt_status() != GT_OK || !takes_look(&look, &in))
        return NULL;
    if (in.rank < 1 || at.rank < 1 || at.dims[0] != in.rank) {
        gt_fail(GT_INVALID, "coordinates %s are not those of %s: the first dimension is the rank",
                gt_shape_text(gt_spec_shape(&at), a, sizeof a),
                gt_shape_text(gt_spec_shape(&in), b, sizeof b));
        return NULL;
    }
    gt_Tensor *one[GT_MAX_RANK];
    gt_unstack(gt_cast(coordinates, in.dtype), in.rank, one);
    gt_Tensor *y = look_at(&look, gt_reshape(x, gt_shape(1, -1)), gt_scalar(0, GT_INT64), in.rank,
                           in.dims, one);
    return gt_squeeze(y, .axis = 0);
}
GT_COMPOSED(map_coordinates,
            (const char *here, gt_Tensor *x, gt_Tensor *coordinates, int order,
             const gt_map_coordinates_options *options),
            (x, coordinates, order, options))

/* The number of each image, (batch, 1, 1): counted, so that the batch may be any. */
static gt_Tensor *numbers_of(gt_Tensor *images)
{
    const gt_Spec spec = gt_spec(images);
    if (gt_status() != GT_OK || spec.size == 0)
        return gt_zeros(gt_shape(spec.dims[0], 1, 1), .dtype = GT_INT64);
    gt_Tensor *one = gt_slice(images, gt_shape(0, 0, 0, 0), gt_shape(-1, 1, 1, 1));
    one = gt_ones_like(gt_squeeze(one, .axis = -1), .dtype = GT_INT64);
    return gt_subtract(gt_cumsum(one, .axis = 0), 1);
}

/* Number i of each transform, to be broadcast over rows and columns. */
static gt_Tensor *parameter(gt_Tensor *transform, int i)
{
    return gt_expand_dims(gt_slice(transform, gt_shape(0, i), gt_shape(-1, 1)), -1);
}

/* p[first] u + p[first + 1] v + more */
static gt_Tensor *plane(gt_Tensor *transform, int first, gt_Tensor *u, gt_Tensor *v,
                        gt_Tensor *more)
{
    gt_Tensor *sum = gt_add(gt_multiply(parameter(transform, first), u),
                            gt_multiply(parameter(transform, first + 1), v));
    return gt_add(sum, more);
}

static gt_Tensor *affine_transform(gt_Tensor *x, gt_Tensor *transform,
                                   const gt_affine_transform_options *given)
{
    gt_affine_transform_options options = GT_TAKE(gt_affine_transform_options, given);
    gt_Spec spec, of = gt_spec(transform);
    char a[160], b[160];
    if (!takes_image(x, &spec))
        return NULL;
    const Look look = {options.interpolation == GT_INTERPOLATION_NEAREST    ? 0
                       : options.interpolation == GT_INTERPOLATION_BILINEAR ? 1
                                                                            : -1,
                       options.fill_mode, options.fill_value};
    if (!takes_look(&look, &spec) || !gt_window_countable(&spec))
        return NULL;
    int64_t batch = spec.rank == 4 ? spec.dims[0] : 1, several = of.rank == 2 ? of.dims[0] : 1;
    if (of.rank < 1 || of.rank > 2 || of.dims[of.rank - 1] != 8 ||
        (several != 1 && several != batch)) {
        gt_fail(GT_INVALID, "transforms %s do not fit images %s: they are (8,) or (batch, 8)",
                gt_shape_text(gt_spec_shape(&of), a, sizeof a),
                gt_shape_text(gt_spec_shape(&spec), b, sizeof b));
        return NULL;
    }
    const int64_t *dims = spec.dims + spec.rank - 3;
    gt_Tensor *u = gt_arange(0, (double)dims[1], 1, .dtype = spec.dtype);
    gt_Tensor *v = gt_expand_dims(gt_arange(0, (double)dims[0], 1, .dtype = spec.dtype), 1);
    transform = gt_cast(transform, spec.dtype);
    if (of.rank == 1)
        transform = gt_expand_dims(transform, 0);
    gt_Tensor *depth = plane(transform, 6, u, v, gt_scalar(1, spec.dtype));
    gt_Tensor *column = gt_divide(plane(transform, 0, u, v, parameter(transform, 2)), depth);
    gt_Tensor *row = gt_divide(plane(transform, 3, u, v, parameter(transform, 5)), depth);
    x = spec.rank == 4 ? x : gt_expand_dims(x, 0);
    gt_Tensor *image = numbers_of(x);
    x = gt_reshape(x, gt_shape_open(gt_shape(batch * dims[0] * dims[1], dims[2])));
    gt_Tensor *y = look_at(&look, gt_transpose(x), image, 2, dims, (gt_Tensor *[]){row, column});
    y = gt_moveaxis(y, 0, -1);
    return spec.rank == 4 ? y : gt_squeeze(y, .axis = 0);
}
GT_COMPOSED(affine_transform,
            (const char *here, gt_Tensor *x, gt_Tensor *transform,
             const gt_affine_transform_options *options),
            (x, transform, options))
