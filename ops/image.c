/* Images: records, kernels and gradient rules of ops/image.h. Resizing goes axis by axis; along one
 * axis it is a product with a thin band matrix, whose transpose is the gradient's record. */
#include "ops/image.h"
#include "ops/indexing.h"
#include "ops/kit.h"
#include "ops/reshaping.h"

#include <math.h>
#include <string.h>

/* ---- one axis of another size ---- */

typedef struct ResizeAxisOptions ResizeAxisOptions;
#define RESIZE_AXIS_OPTIONS(F)                                                                     \
    F(uint32_t, size, (uint32_t)sizeof(ResizeAxisOptions), "for ABI growth")                       \
    F(int32_t, axis, 0, "the axis")                                                                \
    F(int64_t, extent, 1, "its size in the result")                                                \
    F(gt_Interpolation, interpolation, GT_BILINEAR, "how elements are weighted")
struct ResizeAxisOptions {
    RESIZE_AXIS_OPTIONS(GT_MEMBER)
};
#define GT_STRUCT ResizeAxisOptions
GT_OPTION_TYPE(ResizeAxisOptions, RESIZE_AXIS_OPTIONS);
#undef GT_STRUCT

/* One row of the band matrix. */
#define MOST_TAPS 10
typedef struct Band {
    int64_t first;
    int32_t count;
    double weight[MOST_TAPS];
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
    if (interpolation == GT_BILINEAR)
        return 1 - x;
    if (interpolation == GT_BICUBIC)
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return sinc(x) * sinc(x / reach);
}

/* What element i of `out` is made of. */
static void band_row(gt_Interpolation interpolation, int64_t in, int64_t out, int64_t i, Band *band)
{
    double middle = ((double)i + 0.5) * ((double)in / (double)out);
    int64_t reach = reach_of(interpolation);
    if (interpolation == GT_NEAREST) {
        int64_t at = (int64_t)middle;
        *band = (Band){at < in ? at : in - 1, 1, {1}};
        return;
    }
    int64_t left = (int64_t)floor(middle - 0.5), last = left + reach;
    double sum = 0;
    band->first = left < reach ? 0 : left - reach + 1;
    band->count = 0;
    for (int64_t j = band->first; j <= last && j < in; j++) {
        double weight = weight_at(interpolation, middle - 0.5 - (double)j);
        band->weight[band->count++] = weight;
        sum += weight;
    }
    for (int32_t k = 0; k < band->count; k++)
        band->weight[k] /= sum;
}

/* A tensor seen along the axis; `in` and `out` are those of the resizing, whichever way it is
 * done. */
typedef struct Resizing {
    gt_Interpolation interpolation;
    int64_t outer, in, out, inner, chunk, chunks;
    bool back;
} Resizing;

#define CHUNK 4096 /* elements beside each other that a tile takes along */

static bool plan(Resizing *r, const ResizeAxisOptions *options, const gt_Spec *x, bool back)
{
    int axis = gt_axis(options->axis, x->rank);
    if (axis < 0 || !gt_takes(x, GT_TAKES_FLOAT))
        return false;
    if (options->interpolation < GT_NEAREST || options->interpolation > GT_LANCZOS5 ||
        options->extent < 1 || options->extent > INT32_MAX || x->dims[axis] < 1 ||
        x->dims[axis] > INT32_MAX) {
        gt_fail(GT_INVALID, "axis %d of size %lld cannot be resized to %lld", axis,
                (long long)x->dims[axis], (long long)options->extent);
        return false;
    }
    *r = (Resizing){.interpolation = options->interpolation, .outer = 1, .inner = 1, .back = back};
    r->in = back ? options->extent : x->dims[axis];
    r->out = back ? x->dims[axis] : options->extent;
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

static gt_Status resize_shape(gt_ShapeRule *rule, bool back)
{
    const ResizeAxisOptions *options = rule->options;
    Resizing r;
    if (!plan(&r, options, rule->input[0], back))
        return gt_status();
    rule->output[0] = *rule->input[0];
    rule->output[0].dims[gt_axis(options->axis, rule->input[0]->rank)] = options->extent;
    rule->scratch = (size_t)r.out * sizeof(Band);
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
    static void resize_##type(const Resizing *r, const Band *band, int64_t n, const type *from,    \
                              type *to)                                                            \
    {                                                                                              \
        for (int64_t i = 0; i < (r->back ? r->in : r->out); i++)                                   \
            memset(to + i * r->inner, 0, (size_t)n * sizeof *to);                                  \
        for (int64_t i = 0; i < r->out; i++)                                                       \
            for (int32_t k = 0; k < band[i].count; k++) {                                          \
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
    int64_t from = r->back ? r->out : r->in, to = r->back ? r->in : r->out;
    for (int64_t i = 0; i < r->out; i++)
        band_row(r->interpolation, r->in, r->out, i, &band[i]);
    for (int64_t tile = first; tile < last; tile++) {
        int64_t outer = tile / r->chunks, at = tile % r->chunks * r->chunk;
        int64_t n = r->inner - at < r->chunk ? r->inner - at : r->chunk;
        int64_t x = outer * from * r->inner + at, y = outer * to * r->inner + at;
        if (kernel->output_spec[0]->dtype == GT_FLOAT32)
            resize_float(r, band, n, (const float *)kernel->input[0] + x,
                         (float *)kernel->output[0] + y);
        else
            resize_double(r, band, n, (const double *)kernel->input[0] + x,
                          (double *)kernel->output[0] + y);
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

static gt_Tensor *resize_axis(const gt_Operation *operation, gt_Tensor *x, int axis, int64_t extent,
                              gt_Interpolation interpolation)
{
    ResizeAxisOptions options = {sizeof options, axis, extent, interpolation};
    return gt_apply_one(NULL, operation, &options, 1, &x);
}

static gt_Status give_transposed(gt_GradientRule *rule, const gt_Operation *operation)
{
    const ResizeAxisOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_input_spec(rule, 0);
    return gt_give(rule, 0,
                   resize_axis(operation, gt_upstream(rule, 0), options->axis,
                               in->dims[gt_axis(options->axis, in->rank)], options->interpolation));
}

static gt_Status resize_axis_rule(gt_GradientRule *rule)
{
    return give_transposed(rule, &gt_op_resize_axis_gradient);
}

static gt_Status resize_axis_gradient_rule(gt_GradientRule *rule)
{
    return give_transposed(rule, &gt_op_resize_axis);
}

#define RESIZED(axis, to, how, ...)                                                                \
    {                                                                                              \
        .inputs = 1, .input = GT_INPUTS(GT_ANY(__VA_ARGS__)),                                      \
        .options = &(const ResizeAxisOptions)                                                      \
        {                                                                                          \
            sizeof(ResizeAxisOptions), axis, to, how                                               \
        }                                                                                          \
    }
#define RESIZE_RECORD(op, text)                                                                    \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_LINEAR | GT_OP_INTERNAL,                                                    \
        .options = GT_STRUCT_TYPE(ResizeAxisOptions),                                              \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = op##_shape,                                                                       \
        .run = op##_run,                                                                           \
        .gradient = op##_rule,                                                                     \
        .samples = (const gt_Sample[]){RESIZED(0, 5, GT_NEAREST, 3, 2),                            \
                                       RESIZED(1, 2, GT_BILINEAR, 2, 5, 2),                        \
                                       RESIZED(-1, 7, GT_BICUBIC, 2, 4),                           \
                                       RESIZED(-2, 3, GT_LANCZOS3, 7, 1),                          \
                                       RESIZED(0, 4, GT_LANCZOS5, 6), GT_SAMPLES_END},             \
    }
RESIZE_RECORD(resize_axis, "an axis of another size: weighted sums of its elements");
RESIZE_RECORD(resize_axis_gradient, "the transpose of resize_axis");

/* ---- functions ---- */

#define GT_STRUCT gt_ResizeOptions
GT_OPTION_TYPE(gt_ResizeOptions, GT_RESIZE_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_BorderOptions
GT_OPTION_TYPE(gt_BorderOptions, GT_BORDER_OPTIONS);
#undef GT_STRUCT

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

static gt_Tensor *resize(gt_Tensor *x, gt_Shape size, const gt_ResizeOptions *given)
{
    gt_ResizeOptions options;
    gt_options_fill(GT_STRUCT_TYPE(gt_ResizeOptions), &options, given);
    gt_Spec spec;
    if (!takes_image(x, &spec))
        return NULL;
    if (size.rank != 2) {
        gt_fail(GT_INVALID, "the new size must be a height and a width");
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        x = resize_axis(&gt_op_resize_axis, x, spec.rank - 3 + i, size.dims[i],
                        options.interpolation);
    return x;
}
GT_COMPOSED(resize,
            (const char *here, gt_Tensor *x, gt_Shape size, const gt_ResizeOptions *options),
            (x, size, options))

/* One axis: of before, after and the new size, two are given, and the third follows. `sign` is 1
 * for padding, -1 for cropping. */
static bool border(int64_t size, int sign, int64_t *before, int64_t *after, int64_t *result)
{
    int given = (*before != GT_NONE) + (*after != GT_NONE) + (*result != GT_NONE);
    bool small =
        size <= INT32_MAX && *before <= INT32_MAX && *after <= INT32_MAX && *result <= INT32_MAX;
    if (given == 2 && small) {
        if (*result == GT_NONE)
            *result = size + sign * (*before + *after);
        else if (*before == GT_NONE)
            *before = sign * (*result - size) - *after;
        else
            *after = sign * (*result - size) - *before;
    }
    if (given == 2 && small && *before >= 0 && *after >= 0 && *result >= 0)
        return true;
    gt_fail(GT_INVALID,
            "an axis of size %lld: give two of before, after and the new size, so that all three "
            "are possible",
            (long long)size);
    return false;
}

/* What the options say for each axis of x; nothing for batch and channels. */
static bool borders(gt_Tensor *x, int sign, const gt_BorderOptions *given, gt_Shape *before,
                    gt_Shape *after, gt_Shape *result)
{
    gt_BorderOptions o;
    gt_Spec spec;
    gt_options_fill(GT_STRUCT_TYPE(gt_BorderOptions), &o, given);
    if (!takes_image(x, &spec))
        return false;
    int row = spec.rank - 3, column = spec.rank - 2;
    if (!border(spec.dims[row], sign, &o.top, &o.bottom, &o.height) ||
        !border(spec.dims[column], sign, &o.left, &o.right, &o.width))
        return false;
    *before = *after = (gt_Shape){.rank = spec.rank};
    *result = gt_spec_shape(&spec);
    before->dims[row] = o.top;
    after->dims[row] = o.bottom;
    result->dims[row] = o.height;
    before->dims[column] = o.left;
    after->dims[column] = o.right;
    result->dims[column] = o.width;
    return true;
}

static gt_Tensor *crop_images(gt_Tensor *x, const gt_BorderOptions *options)
{
    gt_Shape before, after, result;
    return borders(x, -1, options, &before, &after, &result) ? gt_slice(x, before, result) : NULL;
}
GT_COMPOSED(crop_images, (const char *here, gt_Tensor *x, const gt_BorderOptions *options),
            (x, options))

static gt_Tensor *pad_images(gt_Tensor *x, const gt_BorderOptions *options)
{
    gt_Shape before, after, result;
    return borders(x, 1, options, &before, &after, &result) ? gt_pad(x, before, after) : NULL;
}
GT_COMPOSED(pad_images, (const char *here, gt_Tensor *x, const gt_BorderOptions *options),
            (x, options))
