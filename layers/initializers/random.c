/* Initializers that draw from a distribution, and the draws. Philox streams, by the same loops that random
 * operations use, in the weight's type. Leans on kernels for the draws. */
#include "kernels/kernels.h"
#include "layers/initializers/classes.h"

#include <math.h>

GT_OPTION_TYPE(gt_RandomNormal_options, gt_RandomNormal_OPTIONS);
GT_OPTION_TYPE(gt_RandomUniform_options, gt_RandomUniform_OPTIONS);

/* ---- the draws ---- */

static void affine(const gt_Spec *spec, void *data, double scale, double shift)
{
    for (int64_t i = 0; i < spec->size; i++)
        if (spec->dtype == GT_FLOAT32)
            ((float *)data)[i] = (float)((double)((float *)data)[i] * scale + shift);
        else
            ((double *)data)[i] = ((double *)data)[i] * scale + shift;
}

void gt_draw_uniform(const gt_Spec *spec, void *data, uint64_t stream, double low, double high)
{
    const gt_KernelTable *kernels = gt_context_kernels(gt_context());
    kernels->random_uniform[gt_loop_type(spec->dtype)]((gt_PhiloxKey){stream, 0}, 0, spec->size,
                                                       data);
    affine(spec, data, high - low, low);
}

void gt_draw_normal(const gt_Spec *spec, void *data, uint64_t stream, double mean, double stddev)
{
    const gt_KernelTable *kernels = gt_context_kernels(gt_context());
    kernels->random_normal[gt_loop_type(spec->dtype)]((gt_PhiloxKey){stream, 0}, 0, spec->size,
                                                      data);
    affine(spec, data, stddev, mean);
}

static bool outside(gt_DType dtype, const void *data, int64_t i)
{
    double z = dtype == GT_FLOAT32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
    return !(fabs(z) <= 2);
}

/* Element i is the first of its draws, numbered by the counter, that lies inside. */
void gt_draw_truncated(const gt_Spec *spec, void *data, uint64_t stream, double mean, double stddev)
{
    gt_RandomLoop *normal =
        gt_context_kernels(gt_context())->random_normal[gt_loop_type(spec->dtype)];
    size_t element = gt_dtype_size(spec->dtype);
    normal((gt_PhiloxKey){stream, 0}, 0, spec->size, data);
    for (int64_t i = 0; i < spec->size; i++)
        for (uint64_t again = 1; outside(spec->dtype, data, i); again++)
            normal((gt_PhiloxKey){stream, again}, i, 1, (char *)data + (size_t)i * element);
    affine(spec, data, stddev, mean);
}

/* ---- normal ---- */

static gt_Status normal_check(const gt_Initializer *self, const char *what)
{
    gt_RandomNormal_options options = GT_OPTIONS_OF(gt_RandomNormal_options, self);
    if (!isfinite(options.mean))
        return gt_fail(GT_INVALID, "%s: mean must be finite (got %g)", what, options.mean);
    if (!(options.stddev >= 0) || isinf(options.stddev))
        return gt_fail(GT_INVALID, "%s: stddev must be finite and >= 0 (got %g)", what,
                       options.stddev);
    return GT_OK;
}

static gt_Status random_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                    uint64_t stream)
{
    gt_RandomNormal_options options = GT_OPTIONS_OF(gt_RandomNormal_options, self);
    gt_draw_normal(spec, data, stream, options.mean, options.stddev);
    return GT_OK;
}

const gt_InitializerClass gt_initializer_class_random_normal = {
    GT_INITIALIZER_RECORD("random_normal", "RandomNormal", "RandomNormal", "a normal distribution"),
    .aliases = "normal",
    .options = &gt_RandomNormal_options_type,
    .floats_only = true,
    .fill = random_normal_fill,
    .check = normal_check,
};

gt_Initializer gt_RandomNormal_of(const gt_RandomNormal_options *options)
{
    return gt_initializer_make(&gt_initializer_class_random_normal, options);
}

static gt_Status truncated_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                       uint64_t stream)
{
    gt_RandomNormal_options options = GT_OPTIONS_OF(gt_RandomNormal_options, self);
    gt_draw_truncated(spec, data, stream, options.mean, options.stddev);
    return GT_OK;
}

const gt_InitializerClass gt_initializer_class_truncated_normal = {
    GT_INITIALIZER_RECORD("truncated_normal", "TruncatedNormal", "TruncatedNormal",
                          "a normal distribution, cut at two deviations"),
    .options = &gt_RandomNormal_options_type,
    .floats_only = true,
    .fill = truncated_normal_fill,
    .check = normal_check,
};

gt_Initializer gt_TruncatedNormal_of(const gt_RandomNormal_options *options)
{
    return gt_initializer_make(&gt_initializer_class_truncated_normal, options);
}

/* ---- uniform ---- */

static gt_Status uniform_check(const gt_Initializer *self, const char *what)
{
    gt_RandomUniform_options options = GT_OPTIONS_OF(gt_RandomUniform_options, self);
    if (!(options.minval <= options.maxval) || isinf(options.minval) || isinf(options.maxval))
        return gt_fail(GT_INVALID,
                       "%s: minval must not exceed maxval, and both be finite (got %g and %g)",
                       what, options.minval, options.maxval);
    return GT_OK;
}

static gt_Status random_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                     uint64_t stream)
{
    gt_RandomUniform_options options = GT_OPTIONS_OF(gt_RandomUniform_options, self);
    gt_draw_uniform(spec, data, stream, options.minval, options.maxval);
    return GT_OK;
}

const gt_InitializerClass gt_initializer_class_random_uniform = {
    GT_INITIALIZER_RECORD("random_uniform", "RandomUniform", "RandomUniform",
                          "evenly between minval and maxval"),
    .aliases = "uniform",
    .options = &gt_RandomUniform_options_type,
    .floats_only = true,
    .fill = random_uniform_fill,
    .check = uniform_check,
};

gt_Initializer gt_RandomUniform_of(const gt_RandomUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_random_uniform, options);
}
