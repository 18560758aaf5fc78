/* Constants. What depends on no tensor is computed at once and needs no record; what has the shape of a tensor is an operation, so
 * that a traced function makes it in the shape that its input has. */
#include "ops/array/creation.h"
#include "ops/kit.h"

#include <math.h>

GT_OPTION_TYPE(gt_full_options, gt_full_OPTIONS);
GT_OPTION_TYPE(gt_full_like_options, gt_full_like_OPTIONS);
GT_OPTION_TYPE(gt_linspace_options, gt_linspace_OPTIONS);
GT_OPTION_TYPE(gt_eye_options, gt_eye_OPTIONS);

static bool number_fits(gt_DType dtype, double number)
{
    if (!gt_number_fits(dtype, number))
        gt_fail(GT_INVALID, "%g is not a number of type %s", number, gt_dtype_name(dtype));
    return gt_number_fits(dtype, number);
}

/* A tensor of that shape and type, and where its numbers go; NULL on failure. */
static gt_Tensor *blank(gt_Shape shape, gt_DType dtype, void **data)
{
    gt_Context *context = gt_enter();
    gt_Spec spec;
    char text[160];
    if (!context)
        return NULL;
    if (!gt_storable(dtype)) {
        gt_fail(GT_UNSUPPORTED, "dtype %s is not supported", gt_dtype_name(dtype));
        return NULL;
    }
    if (!gt_spec_set(&spec, dtype, shape)) {
        gt_fail(GT_INVALID, "the shape %s is invalid or too large",
                gt_shape_text(shape, text, sizeof text));
        return NULL;
    }
    return gt_tensor_new(context, &spec, data);
}

static gt_Tensor *filled(gt_Shape shape, double value, gt_DType dtype)
{
    void *data;
    gt_Tensor *tensor = number_fits(dtype, value) ? blank(shape, dtype, &data) : NULL;
    if (tensor)
        gt_fill(dtype, gt_size(tensor), value, data);
    return tensor;
}

static gt_Tensor *full(gt_Shape shape, double value, const gt_full_options *given)
{
    gt_full_options options;
    GT_TAKE(gt_full_options, &options, given);
    return filled(shape, value, options.dtype);
}
GT_COMPOSED(full, (const char *here, gt_Shape shape, double value, const gt_full_options *options),
            (shape, value, options))

/* ---- full_like, extent: of a tensor's shape ---- */

#define LIKE_OPTIONS(F, S)                                                                         \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "the dtype of the result; none: that of x")               \
    F(S, double, value, 0, "the number")
GT_OPTIONS(LikeOptions, LIKE_OPTIONS);
GT_OPTION_TYPE(LikeOptions, LIKE_OPTIONS);

static gt_Status full_like_shape(gt_ShapeRule *rule)
{
    const LikeOptions *options = rule->options;
    gt_Spec *out = &rule->output[0];
    *out = *rule->input[0];
    if (options->dtype != GT_DTYPE_NONE)
        out->dtype = options->dtype;
    if (!gt_storable(out->dtype))
        return gt_fail(GT_UNSUPPORTED, "dtype %s is not supported", gt_dtype_name(out->dtype));
    return number_fits(out->dtype, options->value) ? GT_OK : gt_status();
}

static void full_like_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const LikeOptions *options = rule->options;
    gt_lower_fill(lowering, rule->output[0].dtype, 1, rule->output[0].size, options->value);
}

const gt_Operation gt_op_full_like = {
    GT_RECORD("full_like", "a number everywhere, in the shape of x", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF,
    .why_not = "it does not depend on the numbers of x",
    .options = &LikeOptions_type,
    .shape = full_like_shape,
    .lower = full_like_lower,
    .mask = gt_mask_drop,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(3)),
                           .options = &GT_VALUES(LikeOptions, GT_INT32, -7)}),
};

static gt_Tensor *full_like(gt_Tensor *x, double value, const gt_full_like_options *given)
{
    gt_full_like_options options;
    GT_TAKE(gt_full_like_options, &options, given);
    LikeOptions all = GT_VALUES(LikeOptions, options.dtype, value);
    return gt_apply_one_at(NULL, &gt_op_full_like, &all, 1, &x);
}
GT_COMPOSED(full_like,
            (const char *here, const gt_Tensor *x, double value,
             const gt_full_like_options *options),
            ((gt_Tensor *)(uintptr_t)x, value, options))

gt_Tensor *gt_constant_like(const gt_Tensor *x, double number)
{
    gt_Spec spec = gt_spec(x);
    return gt_status() == GT_OK ? filled(gt_spec_shape(&spec), number, spec.dtype) : NULL;
}

#define EXTENT_OPTIONS(F, S)                                                                       \
    F(S, gt_Axes, axes, GT_ALL_AXES, "of these axes")                                              \
    F(S, int64_t, add, 0, "what is added to it")                                                   \
    F(S, int64_t, least, INT64_MIN, "at least this")                                               \
    F(S, int64_t, most, INT64_MAX, "at most this")                                                 \
    F(S, gt_DType, dtype, GT_INT64, "the dtype of the result")
GT_OPTIONS(ExtentOptions, EXTENT_OPTIONS);
GT_OPTION_TYPE(ExtentOptions, EXTENT_OPTIONS);

static int64_t extent_of(const gt_ShapeRule *rule)
{
    const ExtentOptions *options = rule->options;
    uint32_t bits;
    gt_axes_bits(&options->axes, rule->input[0]->rank, &bits);
    int64_t count = gt_reduced_count(rule->input[0], bits), add = options->add;
    count = add > 0 && count > INT64_MAX - add ? INT64_MAX : count + add;
    return count < options->least ? options->least : count > options->most ? options->most : count;
}

static gt_Status extent_shape(gt_ShapeRule *rule)
{
    const ExtentOptions *options = rule->options;
    uint32_t bits;
    if (!gt_storable(options->dtype))
        return gt_fail(GT_UNSUPPORTED, "dtype %s is not supported", gt_dtype_name(options->dtype));
    rule->output[0].dtype = options->dtype;
    if (!gt_axes_bits(&options->axes, rule->input[0]->rank, &bits))
        return gt_status();
    return number_fits(options->dtype, (double)extent_of(rule)) ? GT_OK : gt_status();
}

static void extent_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const ExtentOptions *options = rule->options;
    gt_lower_fill(lowering, options->dtype, 1, 1, (double)extent_of(rule));
}

const gt_Operation gt_op_extent = {
    GT_RECORD("extent", "how many elements some axes of x have", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF | GT_OP_INTERNAL | GT_OP_STEP,
    .why_not = "it does not depend on the numbers of x",
    .options = &ExtentOptions_type,
    .shape = extent_shape,
    .lower = extent_lower,
    .mask = gt_mask_drop,
    .samples =
        GT_SAMPLES({.inputs = 1,
                    .input = GT_INPUTS(GT_ANY(2, 3)),
                    .options = &GT_VALUES(ExtentOptions, {GT_MARK, 1, {-1}}, -1, 0, 9, GT_INT64)}),
};

gt_Tensor *gt_extent_within(gt_Tensor *x, gt_Axes axes, int64_t add, int64_t least, int64_t most,
                            gt_DType dtype)
{
    ExtentOptions options = GT_VALUES(ExtentOptions, axes, add, least, most, dtype);
    return gt_apply_one_at(NULL, &gt_op_extent, &options, 1, &x);
}

gt_Tensor *gt_extent(gt_Tensor *x, gt_Axes axes, int64_t add, gt_DType dtype)
{
    return gt_extent_within(x, axes, add, INT64_MIN, INT64_MAX, dtype);
}

/* ---- ramps ---- */

/* start + i step, in double; the number at the end is exact. */
static gt_Tensor *ramp(double start, double step, int64_t count, const double *end, gt_DType dtype)
{
    void *data;
    double last = end ? *end : start + (double)(count - 1) * step;
    if (count > 0 && (!number_fits(dtype, start) || !number_fits(dtype, last)))
        return NULL;
    gt_Tensor *tensor = blank(gt_shape(count), dtype, &data);
    for (int64_t i = 0; tensor && i < count; i++)
        gt_number_store(dtype, data, i, i == count - 1 ? last : start + (double)i * step);
    return tensor;
}

/* ceil((stop - start) / step) numbers, as NumPy. */
static gt_Tensor *arange(double start, double stop, double step, const gt_full_options *given)
{
    gt_full_options options;
    GT_TAKE(gt_full_options, &options, given);
    double count = ceil((stop - start) / step);
    if (step == 0 || !isfinite(count) || count > 9e15) {
        gt_fail(GT_INVALID, "no range from %g to %g by %g", start, stop, step);
        return NULL;
    }
    if (!gt_dtype_is_float(options.dtype) && !number_fits(options.dtype, step < 0 ? -step : step))
        return NULL;
    return ramp(start, step, count > 0 ? (int64_t)count : 0, NULL, options.dtype);
}
GT_COMPOSED(arange,
            (const char *here, double start, double stop, double step,
             const gt_full_options *options),
            (start, stop, step, options))

static gt_Tensor *linspace(double start, double stop, int64_t count,
                           const gt_linspace_options *given)
{
    gt_linspace_options options;
    GT_TAKE(gt_linspace_options, &options, given);
    if (!gt_dtype_is_float(options.dtype) || count < 0) {
        gt_fail(GT_INVALID, "%lld numbers of type %s are not possible; it makes floats",
                (long long)count, gt_dtype_name(options.dtype));
        return NULL;
    }
    if (!options.endpoint)
        return ramp(start, count ? (stop - start) / (double)count : 0, count, NULL, options.dtype);
    double step = count > 1 ? (stop - start) / (double)(count - 1) : 0;
    return ramp(start, step, count, count > 1 ? &stop : &start, options.dtype);
}
GT_COMPOSED(linspace,
            (const char *here, double start, double stop, int64_t count,
             const gt_linspace_options *options),
            (start, stop, count, options))

static gt_Tensor *eye(int64_t rows, const gt_eye_options *given)
{
    gt_eye_options options;
    GT_TAKE(gt_eye_options, &options, given);
    int64_t columns = options.columns == GT_INHERIT ? rows : options.columns;
    void *data;
    gt_Tensor *tensor = blank(gt_shape(rows, columns), options.dtype, &data);
    if (!tensor)
        return NULL;
    gt_fill(options.dtype, rows * columns, 0, data);
    int64_t k = options.k < -rows ? -rows : options.k > columns ? columns : options.k;
    for (int64_t row = k < 0 ? -k : 0; row < rows && row + k < columns; row++)
        gt_number_store(options.dtype, data, row * columns + row + k, 1);
    return tensor;
}
GT_COMPOSED(eye, (const char *here, int64_t rows, const gt_eye_options *options), (rows, options))
