/* Initializers: Philox streams named by seed and path, shaped into distributions. Numbers are drawn
 * in the weight's type by the same loops that random operations use. Leans on kernels for the
 * draws. */
#include "layers/internal.h"

#include <math.h>
#include <string.h>

#define GT_STRUCT gt_SeedOptions
GT_OPTION_TYPE(gt_SeedOptions, GT_SEED_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_InitializerNormalOptions
GT_OPTION_TYPE(gt_InitializerNormalOptions, GT_INITIAL_NORMAL_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_InitializerUniformOptions
GT_OPTION_TYPE(gt_InitializerUniformOptions, GT_INITIAL_UNIFORM_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_VarianceScalingOptions
GT_OPTION_TYPE(gt_VarianceScalingOptions, GT_VARIANCE_SCALING_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_OrthogonalOptions
GT_OPTION_TYPE(gt_OrthogonalOptions, GT_ORTHOGONAL_OPTIONS);
#undef GT_STRUCT

/* ---- the values ---- */

static gt_Initializer with_seed(gt_InitializerKind kind, double a, double b, int64_t seed)
{
    gt_Initializer initializer = {.kind = kind, .a = a, .b = b, .seed = seed};
    return initializer;
}

gt_Initializer gt_constant(double value)
{
    return with_seed(GT_INITIALIZER_CONSTANT, value, 0, -1);
}

gt_Initializer gt_zeros(void)
{
    return gt_constant(0);
}

gt_Initializer gt_ones(void)
{
    return gt_constant(1);
}

gt_Initializer gt_identity_matrix(double gain)
{
    return with_seed(GT_INITIALIZER_IDENTITY, gain, 0, -1);
}

gt_Initializer gt_initializer(gt_InitializerFunction function, void *context)
{
    gt_Initializer initializer = with_seed(GT_INITIALIZER_FUNCTION, 0, 0, -1);
    initializer.function = function;
    initializer.context = context;
    return initializer;
}

gt_Initializer gt_random_normal_of(const gt_InitializerNormalOptions *given)
{
    gt_InitializerNormalOptions options;
    gt_options_fill(&gt_InitializerNormalOptions_type, &options, given);
    return with_seed(GT_INITIALIZER_NORMAL, options.mean, options.stddev, options.seed);
}

gt_Initializer gt_truncated_normal_of(const gt_InitializerNormalOptions *given)
{
    gt_Initializer initializer = gt_random_normal_of(given);
    initializer.kind = GT_INITIALIZER_TRUNCATED_NORMAL;
    return initializer;
}

gt_Initializer gt_random_uniform_of(const gt_InitializerUniformOptions *given)
{
    gt_InitializerUniformOptions options;
    gt_options_fill(&gt_InitializerUniformOptions_type, &options, given);
    return with_seed(GT_INITIALIZER_UNIFORM, options.minval, options.maxval, options.seed);
}

gt_Initializer gt_variance_scaling_of(const gt_VarianceScalingOptions *given)
{
    gt_VarianceScalingOptions options;
    gt_options_fill(&gt_VarianceScalingOptions_type, &options, given);
    gt_Initializer initializer =
        with_seed(GT_INITIALIZER_VARIANCE_SCALING, options.scale, 0, options.seed);
    initializer.mode = options.mode;
    initializer.distribution = options.distribution;
    return initializer;
}

static gt_Initializer scaled(double scale, gt_FanMode mode, gt_Distribution distribution,
                             const gt_SeedOptions *given)
{
    gt_SeedOptions options;
    gt_options_fill(&gt_SeedOptions_type, &options, given);
    gt_Initializer initializer = with_seed(GT_INITIALIZER_VARIANCE_SCALING, scale, 0, options.seed);
    initializer.mode = mode;
    initializer.distribution = distribution;
    return initializer;
}

gt_Initializer gt_glorot_uniform_of(const gt_SeedOptions *options)
{
    return scaled(1, GT_FAN_AVG, GT_UNIFORM, options);
}

gt_Initializer gt_glorot_normal_of(const gt_SeedOptions *options)
{
    return scaled(1, GT_FAN_AVG, GT_TRUNCATED_NORMAL, options);
}

gt_Initializer gt_he_uniform_of(const gt_SeedOptions *options)
{
    return scaled(2, GT_FAN_IN, GT_UNIFORM, options);
}

gt_Initializer gt_he_normal_of(const gt_SeedOptions *options)
{
    return scaled(2, GT_FAN_IN, GT_TRUNCATED_NORMAL, options);
}

gt_Initializer gt_lecun_uniform_of(const gt_SeedOptions *options)
{
    return scaled(1, GT_FAN_IN, GT_UNIFORM, options);
}

gt_Initializer gt_lecun_normal_of(const gt_SeedOptions *options)
{
    return scaled(1, GT_FAN_IN, GT_TRUNCATED_NORMAL, options);
}

gt_Initializer gt_orthogonal_of(const gt_OrthogonalOptions *given)
{
    gt_OrthogonalOptions options;
    gt_options_fill(&gt_OrthogonalOptions_type, &options, given);
    return with_seed(GT_INITIALIZER_ORTHOGONAL, options.gain, 0, options.seed);
}

gt_Status gt_initializer_check(const char *what, gt_Initializer initializer)
{
    if (initializer.kind >= GT_INITIALIZER_DEFAULT && initializer.kind <= GT_INITIALIZER_FUNCTION)
        return GT_OK;
    return gt_fail(GT_INVALID,
                   "%s must be an initializer such as gt_zeros() (got a bare number or a pointer)",
                   what);
}

/* ---- the draws ---- */

/* FNV-1a over seed and path, then the finalizer of SplitMix64 (Steele et al. 2014). */
static uint64_t stream_of(uint64_t seed, const char *path)
{
    uint64_t hash = 0xCBF29CE484222325u ^ seed * 0x9E3779B97F4A7C15u;
    for (; path && *path; path++)
        hash = (hash ^ (unsigned char)*path) * 0x100000001B3u;
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
    return hash ^ hash >> 31;
}

static void affine(const gt_Spec *spec, void *data, double scale, double shift)
{
    for (int64_t i = 0; i < spec->size; i++)
        if (spec->dtype == GT_FLOAT32)
            ((float *)data)[i] = (float)((double)((float *)data)[i] * scale + shift);
        else
            ((double *)data)[i] = ((double *)data)[i] * scale + shift;
}

static void draw_uniform(const gt_KernelTable *kernels, const gt_Spec *spec, void *data,
                         uint64_t stream, double low, double high)
{
    kernels->random_uniform[gt_loop_type(spec->dtype)]((gt_PhiloxKey){stream, 0}, 0, spec->size,
                                                       data);
    affine(spec, data, high - low, low);
}

static void draw_normal(const gt_KernelTable *kernels, const gt_Spec *spec, void *data,
                        uint64_t stream, double mean, double stddev)
{
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
static void draw_truncated(const gt_KernelTable *kernels, const gt_Spec *spec, void *data,
                           uint64_t stream, double mean, double stddev)
{
    gt_RandomLoop *normal = kernels->random_normal[gt_loop_type(spec->dtype)];
    size_t element = gt_dtype_size(spec->dtype);
    normal((gt_PhiloxKey){stream, 0}, 0, spec->size, data);
    for (int64_t i = 0; i < spec->size; i++)
        for (uint64_t again = 1; outside(spec->dtype, data, i); again++)
            normal((gt_PhiloxKey){stream, again}, i, 1, (char *)data + (size_t)i * element);
    affine(spec, data, stddev, mean);
}

static void fans(const gt_Spec *spec, double *in, double *out)
{
    *in = *out = 1;
    if (spec->rank == 1)
        *in = *out = (double)spec->dims[0];
    if (spec->rank < 2)
        return;
    double receptive = 1;
    for (int d = 0; d < spec->rank - 2; d++)
        receptive *= (double)spec->dims[d];
    *in = receptive * (double)spec->dims[spec->rank - 2];
    *out = receptive * (double)spec->dims[spec->rank - 1];
}

static gt_Status draw_scaled(const gt_KernelTable *kernels, const gt_Initializer *initializer,
                             const gt_Spec *spec, void *data, uint64_t stream)
{
    /* The deviation of a standard normal cut at two deviations. */
    const double truncated_deviation = 0.87962566103423978;
    double in, out;
    if (!(initializer->a > 0))
        return gt_fail(GT_INVALID, "the scale is %g; it must be above 0", initializer->a);
    fans(spec, &in, &out);
    double fan = initializer->mode == GT_FAN_IN    ? in
                 : initializer->mode == GT_FAN_OUT ? out
                                                   : (in + out) / 2;
    double scale = initializer->a / (fan > 1 ? fan : 1);
    switch (initializer->distribution) {
    case GT_UNIFORM:
        draw_uniform(kernels, spec, data, stream, -sqrt(3 * scale), sqrt(3 * scale));
        return GT_OK;
    case GT_UNTRUNCATED_NORMAL:
        draw_normal(kernels, spec, data, stream, 0, sqrt(scale));
        return GT_OK;
    case GT_TRUNCATED_NORMAL:
        draw_truncated(kernels, spec, data, stream, 0, sqrt(scale) / truncated_deviation);
        return GT_OK;
    }
    return gt_fail(GT_INVALID, "the distribution is none of GT_TRUNCATED_NORMAL, "
                               "GT_UNTRUNCATED_NORMAL, GT_UNIFORM");
}

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Q of the QR factorisation of a (large, small) matrix of normals, with R's diagonal positive. The
 * `count` vectors of `length` are orthonormalised by Gram and Schmidt's method, twice each, which
 * is enough (Giraud et al. 2005). */
static void orthonormalise(int64_t count, int64_t length, double *vectors)
{
    for (int64_t i = 0; i < count; i++) {
        double *v = vectors + i * length;
        for (int pass = 0; pass < 2; pass++)
            for (int64_t k = 0; k < i; k++) {
                const double *u = vectors + k * length;
                double projection = dot(length, u, v);
                for (int64_t j = 0; j < length; j++)
                    v[j] -= projection * u[j];
            }
        double norm = sqrt(dot(length, v, v));
        for (int64_t j = 0; j < length; j++)
            v[j] /= norm;
    }
}

static gt_Status draw_orthogonal(gt_Context *context, double gain, const gt_Spec *spec, void *data,
                                 uint64_t stream)
{
    if (spec->rank < 2)
        return gt_fail(GT_INVALID, "an orthogonal start needs at least 2 dimensions");
    if (spec->size == 0)
        return GT_OK;
    int64_t columns = spec->dims[spec->rank - 1], rows = spec->size / columns;
    bool wide = rows < columns;
    int64_t count = wide ? rows : columns, length = wide ? columns : rows;
    size_t bytes = (size_t)spec->size * sizeof(double);
    double *vectors = gt_allocate(context, bytes);
    if (!vectors)
        return context->status;
    context->kernels->random_normal[GT_LOOP_F64]((gt_PhiloxKey){stream, 0}, 0, spec->size, vectors);
    orthonormalise(count, length, vectors);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            double number = gain * (wide ? vectors[r * length + c] : vectors[c * length + r]);
            if (spec->dtype == GT_FLOAT32)
                ((float *)data)[r * columns + c] = (float)number;
            else
                ((double *)data)[r * columns + c] = number;
        }
    gt_release(context, vectors, bytes);
    return GT_OK;
}

static gt_Status fill_constant(const gt_Spec *spec, void *data, double value)
{
    size_t element = gt_dtype_size(spec->dtype);
    gt_Context *context = gt_context();
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return context->status;
    const void *one = gt_data(gt_scalar(value, spec->dtype));
    for (int64_t i = 0; one && i < spec->size; i++)
        memcpy((char *)data + (size_t)i * element, one, element);
    gt_scope_close(context);
    return context->status;
}

static gt_Status fill_identity(const gt_Spec *spec, void *data, double gain)
{
    if (spec->rank != 2)
        return gt_fail(GT_INVALID, "an identity matrix has 2 dimensions");
    memset(data, 0, gt_spec_bytes(spec));
    for (int64_t i = 0; i < spec->dims[0] && i < spec->dims[1]; i++)
        if (spec->dtype == GT_FLOAT32)
            ((float *)data)[i * spec->dims[1] + i] = (float)gain;
        else
            ((double *)data)[i * spec->dims[1] + i] = gain;
    return GT_OK;
}

static gt_Status initialize(gt_Context *context, gt_Initializer initializer, const char *path,
                            const gt_Spec *spec, void *data)
{
    bool seeded = initializer.seed >= 0;
    if (seeded && path) { /* a seed of its own does not depend on which model it is */
        const char *slash = strchr(path, '/');
        path = slash ? slash + 1 : path;
    }
    uint64_t stream = stream_of(seeded ? (uint64_t)initializer.seed : context->seed, path);
    if (initializer.kind > GT_INITIALIZER_CONSTANT && initializer.kind != GT_INITIALIZER_FUNCTION &&
        !gt_dtype_is_float(spec->dtype))
        return gt_raise(context, GT_INVALID, NULL, "initialize",
                        "only floats start from random numbers; this weight is %s",
                        gt_dtype_name(spec->dtype));
    switch (initializer.kind) {
    case GT_INITIALIZER_CONSTANT:
        return fill_constant(spec, data, initializer.a);
    case GT_INITIALIZER_UNIFORM:
        draw_uniform(context->kernels, spec, data, stream, initializer.a, initializer.b);
        return GT_OK;
    case GT_INITIALIZER_NORMAL:
        draw_normal(context->kernels, spec, data, stream, initializer.a, initializer.b);
        return GT_OK;
    case GT_INITIALIZER_TRUNCATED_NORMAL:
        draw_truncated(context->kernels, spec, data, stream, initializer.a, initializer.b);
        return GT_OK;
    case GT_INITIALIZER_VARIANCE_SCALING:
    case GT_INITIALIZER_DEFAULT: {
        gt_Initializer scale =
            initializer.kind == GT_INITIALIZER_DEFAULT ? gt_glorot_uniform() : initializer;
        return draw_scaled(context->kernels, &scale, spec, data, stream);
    }
    case GT_INITIALIZER_ORTHOGONAL:
        return draw_orthogonal(context, initializer.a, spec, data, stream);
    case GT_INITIALIZER_IDENTITY:
        return fill_identity(spec, data, initializer.a);
    case GT_INITIALIZER_FUNCTION: {
        gt_Status status = initializer.function
                               ? initializer.function(initializer.context, spec, data, stream)
                               : gt_fail(GT_INVALID, "the initializer's function is NULL");
        if (status != GT_OK && context->status == GT_OK)
            gt_raise(context, status, NULL, "initialize", "the initializer's function failed");
        return context->status;
    }
    }
    return gt_initializer_check("it", initializer);
}

/* What is only stored in 16 bits a number starts as float32 does. */
static gt_Status initialize_half(gt_Context *context, gt_Initializer initializer, const char *path,
                                 const gt_Spec *spec, void *data)
{
    gt_Spec wide = *spec;
    wide.dtype = GT_FLOAT32;
    float *numbers = gt_allocate(context, gt_spec_bytes(&wide));
    if (!numbers)
        return context->status;
    if (initialize(context, initializer, path, &wide, numbers) == GT_OK)
        context->kernels->narrow[GT_LOOP_F32][gt_half_type(spec->dtype)](spec->size, numbers, data);
    gt_release(context, numbers, gt_spec_bytes(&wide));
    return context->status;
}

gt_Status gt_initialize(gt_Initializer initializer, const char *path, const gt_Spec *spec,
                        void *data)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!spec || (!data && spec->size > 0))
        return gt_raise(context, GT_INVALID, NULL, "initialize", "the spec or the data is NULL");
    return gt_half_type(spec->dtype) < 0 ? initialize(context, initializer, path, spec, data)
                                         : initialize_half(context, initializer, path, spec, data);
}
