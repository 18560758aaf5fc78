/* gt_resize, and the record behind it: one axis of another size, a product with a thin band matrix, whose transpose is the
 * gradient's record. */
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

/* ---- gt_resize ---- */

GT_OPTION_TYPE(gt_resize_options, gt_resize_OPTIONS);

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
    gt_Shape before = {.mark = GT_MARK, .rank = spec->rank}, block = gt_whole_axes(spec->rank);
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
    if (!gt_takes_image(x, &spec))
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
