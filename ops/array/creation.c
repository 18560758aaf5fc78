/* Constants: the functions of ops/array/creation.h. They need no record. */
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
        gt_fail(GT_UNSUPPORTED, "type %s is not supported", gt_dtype_name(dtype));
        return NULL;
    }
    if (!gt_spec_set(&spec, dtype, shape)) {
        gt_fail(GT_INVALID, "the shape %s is not possible",
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
    gt_full_options options = GT_TAKE(gt_full_options, given);
    return filled(shape, value, options.dtype);
}
GT_COMPOSED(full, (const char *here, gt_Shape shape, double value, const gt_full_options *options),
            (shape, value, options))

static gt_Tensor *full_like(const gt_Tensor *x, double value, const gt_full_like_options *given)
{
    gt_full_like_options options = GT_TAKE(gt_full_like_options, given);
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    return filled(gt_spec_shape(&spec), value,
                  options.dtype == GT_DTYPE_NONE ? spec.dtype : options.dtype);
}
GT_COMPOSED(full_like,
            (const char *here, const gt_Tensor *x, double value,
             const gt_full_like_options *options),
            (x, value, options))

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
    gt_full_options options = GT_TAKE(gt_full_options, given);
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
    gt_linspace_options options = GT_TAKE(gt_linspace_options, given);
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
    gt_eye_options options = GT_TAKE(gt_eye_options, given);
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
