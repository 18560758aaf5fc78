/* gt_resize, and the record behind it: one axis of another size, a product with a thin band matrix,
 * whose transpose is the gradient's record.
 *
 *     x (2, 5, 3) along axis 1 to (2, 2, 3), linear: the middles of the two are 0.75 and 3.25,
 *     counted in elements of x from the middle of the first one, so y(0) = x(0) / 4 + x(1) 3/4 and
 *     y(1) = x(3) 3/4 + x(4) / 4 */
#include "ops/nn/image.h"
#include "ops/nn/image_inside.h"
#include "core/inside.h"
#include "ops/nn/window.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/array/reshaping.h"

/* ---- one axis of another size ---- */

#define RESIZE_AXIS_OPTIONS(F, S)                                                                  \
    F(S, int32_t, axis, 0, "the axis")                                                             \
    F(S, int64_t, extent, 1, "its size in the result")                                             \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "how elements are weighted")  \
    F(S, bool, antialias, false, "weights reach as far as an element of a smaller result covers")  \
    F(S, bool, times, false, "the size is so many times that of x")
GT_OPTIONS(ResizeAxisOptions, RESIZE_AXIS_OPTIONS);
GT_OPTION_TYPE(ResizeAxisOptions, RESIZE_AXIS_OPTIONS);

#define CHUNK 4096 /* neighbouring elements of a tile */

/* The size of the axis in the result; 0 if it is too large. */
static int64_t extent_of(const ResizeAxisOptions *options, int64_t in)
{
    if (!options->times)
        return options->extent;
    return options->extent >= 1 && in <= INT32_MAX / options->extent ? in * options->extent : 0;
}

static gt_Status resize_shape(gt_ShapeRule *rule)
{
    const ResizeAxisOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    const int axis = gt_axis(options->axis, x->rank);
    const int64_t extent = axis < 0 ? 0 : extent_of(options, x->dims[axis]);
    if (axis < 0 || !gt_takes(x, GT_TAKES_FLOAT))
        return gt_status();
    if (options->interpolation < GT_INTERPOLATION_NEAREST ||
        options->interpolation > GT_INTERPOLATION_LANCZOS5 || extent < 1 || extent > INT32_MAX ||
        x->dims[axis] < 1 || x->dims[axis] > INT32_MAX)
        return gt_fail(GT_INVALID, "axis %d of size %lld cannot be resized to %s%lld", axis,
                       (long long)x->dims[axis], options->times ? "that times " : "",
                       (long long)options->extent);
    rule->output[0] = *x;
    rule->output[0].dims[axis] = extent;
    return GT_OK;
}

/* x seen along the axis; `in` and `out` are those of the resizing, whichever way it is done. */
static gt_ResizeJob job_of(const gt_ShapeRule *rule, bool back)
{
    const ResizeAxisOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    const int axis = gt_axis(options->axis, x->rank);
    gt_ResizeJob r = {.type = (uint8_t)gt_loop_type(x->dtype),
                      .kind = (uint8_t)options->interpolation,
                      .back = back,
                      .outer = 1,
                      .inner = 1};
    const int64_t extent = extent_of(options, x->dims[axis]);
    r.in = back ? extent : x->dims[axis];
    r.out = back ? x->dims[axis] : extent;
    r.stretch = options->antialias && r.in > r.out ? (double)r.in / (double)r.out : 1;
    r.taps = (int64_t)(2 * gt_resize_reach(r.kind) * r.stretch) + 2;
    for (int d = 0; d < axis; d++)
        r.outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        r.inner *= x->dims[d];
    r.chunk = r.inner < CHUNK ? r.inner : CHUNK;
    r.chunks = r.chunk ? (r.inner + r.chunk - 1) / r.chunk : 0;
    /* More than a few terms are added up in double. Those of the transpose: how many bands an index
     * is in. */
    double terms =
        back ? (2.0 * gt_resize_reach(r.kind) * r.stretch + 1) * (double)r.out / (double)r.in
             : (double)r.taps;
    r.in_double = terms > 16;
    return r;
}

/* The weights first, into a temporary; then the product with them. */
static void lower_resize(const gt_ShapeRule *rule, gt_Lowering *lowering, bool back)
{
    gt_ResizeJob r = job_of(rule, back);
    r.bands = gt_lower_temporary(
        lowering, rule, (size_t)r.out * (2 * sizeof(int64_t) + (size_t)r.taps * sizeof(double)));
    gt_ResizeJob *bands =
        gt_lower_launch(lowering, GT_TILES_resize_bands,
                        (r.out + GT_RESIZE_ROWS - 1) / GT_RESIZE_ROWS, sizeof *bands);
    *bands = r;
    gt_ResizeJob *job = gt_lower_launch(lowering, GT_TILES_resize, r.outer * r.chunks, sizeof *job);
    *job = r;
    int64_t columns = r.chunk < GT_RESIZE_COLUMNS ? r.chunk : GT_RESIZE_COLUMNS;
    if (r.in_double)
        gt_lower_scratch(lowering, (size_t)((back ? r.in : 1) * columns) * sizeof(double));
}

static void resize_axis_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_resize(rule, lowering, false);
}

static void resize_axis_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_resize(rule, lowering, true);
}

static gt_Status give_transposed(gt_GradientRule *rule, const gt_Operation *operation)
{
    ResizeAxisOptions options = *(const ResizeAxisOptions *)gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Tensor *up = gt_upstream(rule, 0);
    options.extent = in->dims[gt_axis(options.axis, in->rank)];
    options.times = false;
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
        .options = &GT_VALUES(ResizeAxisOptions, axis, to, how, smooth, false)                     \
    }
#define RESIZES                                                                                    \
    GT_SAMPLES(                                                                                    \
        RESIZED(0, 5, GT_INTERPOLATION_NEAREST, false, 3, 2),                                      \
        RESIZED(1, 2, GT_INTERPOLATION_BILINEAR, true, 2, 5, 2),                                   \
        RESIZED(-1, 7, GT_INTERPOLATION_BICUBIC, false, 2, 4),                                     \
        RESIZED(-2, 3, GT_INTERPOLATION_LANCZOS3, false, 7, 1),                                    \
        RESIZED(0, 4, GT_INTERPOLATION_LANCZOS5, true, 6),                                         \
        {.inputs = 1,                                                                              \
         .input = GT_INPUTS(GT_ANY(2, 3)),                                                         \
         .options = &GT_VALUES(ResizeAxisOptions, 1, 2, GT_INTERPOLATION_BILINEAR, false, true)})

const gt_Operation gt_op_resize_axis = {
    GT_RECORD("resize_axis", "an axis of another size: weighted sums of its elements", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &ResizeAxisOptions_type,
    .shape = resize_shape,
    .lower = resize_axis_lower,
    .gradient = resize_axis_rule,
    .mask = resize_axis_mask,
    .samples = RESIZES,
};

const gt_Operation gt_op_resize_axis_gradient = {
    GT_RECORD("resize_axis_gradient", "the transpose of resize_axis", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &ResizeAxisOptions_type,
    .shape = resize_shape,
    .lower = resize_axis_gradient_lower,
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
                gt_dims_text(spec, a, sizeof a), gt_shape_text(size, b, sizeof b));
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
    gt_resize_options options;
    GT_TAKE(gt_resize_options, &options, given);
    gt_Spec spec;
    if (!gt_takes_image(x, &spec))
        return NULL;
    if (size.rank != 2) {
        char text[160];
        gt_fail(GT_INVALID, "size must be (height, width) (got %s)",
                gt_shape_text(size, text, sizeof text));
        return NULL;
    }
    if (options.crop_to_aspect_ratio || options.pad_to_aspect_ratio)
        x = to_ratio(x, &spec, size, &options);
    /* The nearest of integers are integers: double holds all but the largest int64. */
    bool integers =
        options.interpolation == GT_INTERPOLATION_NEAREST && !gt_dtype_is_float(spec.dtype);
    x = integers ? gt_cast(x, GT_FLOAT64) : gt_as_float(x);
    for (int i = 0; i < 2; i++) {
        ResizeAxisOptions one = GT_VALUES(ResizeAxisOptions, i - 3, size.dims[i],
                                          options.interpolation, options.antialias, false);
        x = gt_apply_one_at(NULL, &gt_op_resize_axis, &one, 1, &x);
    }
    return integers ? gt_cast(x, spec.dtype) : x;
}
GT_COMPOSED(resize,
            (const char *here, gt_Tensor *x, gt_Shape size, const gt_resize_options *options),
            (x, size, options))

/* ---- gt_upsample ---- */

GT_OPTION_TYPE(gt_upsample_options, gt_upsample_OPTIONS);

static gt_Tensor *upsample(gt_Tensor *x, gt_Shape size, const gt_upsample_options *given)
{
    gt_upsample_options options;
    GT_TAKE(gt_upsample_options, &options, given);
    gt_Spec spec = gt_spec(x);
    int64_t times[GT_SPATIAL];
    int rank = spec.rank - 2;
    if (gt_status() != GT_OK)
        return NULL;
    if (rank < 1 || rank > GT_SPATIAL) {
        char text[160];
        gt_fail(GT_INVALID,
                "x must be (batch, spatial..., channels) with 1 to %d spatial axes (got %s)",
                GT_SPATIAL, gt_dims_text(&spec, text, sizeof text));
        return NULL;
    }
    if (!gt_window_numbers(&size, rank, 0, "sizes", times))
        return NULL;
    for (int d = 0; d < rank; d++)
        if (!gt_window_number("a size", times[d]))
            return NULL;
    for (int d = 0; d < rank; d++) {
        ResizeAxisOptions one =
            GT_VALUES(ResizeAxisOptions, d + 1, times[d], options.interpolation, false, true);
        if (times[d] == 1)
            continue;
        if (options.interpolation == GT_INTERPOLATION_NEAREST)
            x = gt_repeat(x, times[d], .axis = d + 1);
        else
            x = gt_apply_one_at(NULL, &gt_op_resize_axis, &one, 1, &x);
    }
    return x;
}
GT_COMPOSED(upsample,
            (const char *here, gt_Tensor *x, gt_Shape size, const gt_upsample_options *options),
            (x, size, options))
