/* Initializers: Philox streams named by seed and path, shaped into distributions. Numbers are drawn
 * in the weight's type by the same loops that random operations use. Leans on kernels for the
 * draws. */
#include "core/assert.h"
#include "layers/internal.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_GlorotUniform_options, gt_GlorotUniform_OPTIONS);
GT_OPTION_TYPE(gt_RandomNormal_options, gt_RandomNormal_OPTIONS);
GT_OPTION_TYPE(gt_RandomUniform_options, gt_RandomUniform_OPTIONS);
GT_OPTION_TYPE(gt_VarianceScaling_options, gt_VarianceScaling_OPTIONS);
GT_OPTION_TYPE(gt_Orthogonal_options, gt_Orthogonal_OPTIONS);
GT_OPTION_TYPE(gt_Constant_options, gt_Constant_OPTIONS);
GT_OPTION_TYPE(gt_IdentityInitializer_options, gt_IdentityInitializer_OPTIONS);

/* ---- the draws ---- */

static const gt_KernelTable *kernels(void)
{
    return gt_context_kernels(gt_context());
}

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

static gt_Status draw_scaled(const gt_KernelTable *kernels,
                             const gt_VarianceScaling_options *options, const gt_Spec *spec,
                             void *data, uint64_t stream)
{
    /* The deviation of a standard normal cut at two deviations. */
    const double truncated_deviation = 0.87962566103423978;
    double in, out;
    if (!(options->scale > 0))
        return gt_fail(GT_INVALID, "scale must be > 0 (got %g)", options->scale);
    fans(spec, &in, &out);
    double fan = options->mode == GT_FAN_IN    ? in
                 : options->mode == GT_FAN_OUT ? out
                                               : (in + out) / 2;
    double scale = options->scale / (fan > 1 ? fan : 1);
    switch (options->distribution) {
    case GT_DISTRIBUTION_UNIFORM:
        draw_uniform(kernels, spec, data, stream, -sqrt(3 * scale), sqrt(3 * scale));
        return GT_OK;
    case GT_DISTRIBUTION_UNTRUNCATED_NORMAL:
        draw_normal(kernels, spec, data, stream, 0, sqrt(scale));
        return GT_OK;
    case GT_DISTRIBUTION_TRUNCATED_NORMAL:
        draw_truncated(kernels, spec, data, stream, 0, sqrt(scale) / truncated_deviation);
        return GT_OK;
    }
    return gt_fail(GT_INVALID, "unknown distribution %d", (int)options->distribution);
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
        return gt_fail(GT_INVALID, "an orthogonal weight must have at least 2 dimensions (got %d)",
                       (int)spec->rank);
    if (spec->size == 0)
        return GT_OK;
    int64_t columns = spec->dims[spec->rank - 1], rows = spec->size / columns;
    bool wide = rows < columns;
    int64_t count = wide ? rows : columns, length = wide ? columns : rows;
    size_t bytes = (size_t)spec->size * sizeof(double);
    double *vectors = gt_allocate(context, bytes);
    if (!vectors)
        return gt_context_status(context);
    gt_context_kernels(context)->random_normal[GT_LOOP_F64]((gt_PhiloxKey){stream, 0}, 0,
                                                            spec->size, vectors);
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
        return gt_context_status(context);
    const void *one = gt_data(gt_scalar(value, spec->dtype));
    for (int64_t i = 0; one && i < spec->size; i++)
        memcpy((char *)data + (size_t)i * element, one, element);
    gt_scope_close(context);
    return gt_context_status(context);
}

static gt_Status fill_identity(const gt_Spec *spec, void *data, double gain)
{
    if (spec->rank != 2)
        return gt_fail(GT_INVALID, "an identity matrix must have 2 dimensions (got %d)",
                       (int)spec->rank);
    memset(data, 0, gt_spec_bytes(spec));
    for (int64_t i = 0; i < spec->dims[0] && i < spec->dims[1]; i++)
        if (spec->dtype == GT_FLOAT32)
            ((float *)data)[i * spec->dims[1] + i] = (float)gain;
        else
            ((double *)data)[i * spec->dims[1] + i] = gain;
    return GT_OK;
}

/* ---- the classes ---- */

static gt_Initializer made(const gt_InitializerClass *type, const void *given)
{
    gt_Initializer self = {.type = type};
    GT_ASSERT(!type->options || type->options->size <= sizeof self.options);
    if (type->options)
        gt_options_take(type->options, self.options, given);
    return self;
}

/* ---- the same everywhere ---- */

static gt_Status constant_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                               uint64_t stream)
{
    gt_Constant_options options;
    memcpy(&options, self->options, sizeof options);
    (void)stream;
    return fill_constant(spec, data, options.value);
}

static const gt_InitializerClass constant_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "constant",
    .options = &gt_Constant_options_type,
    .fill = constant_fill,
};

gt_Initializer gt_Constant_of(const gt_Constant_options *options)
{
    return made(&constant_class, options);
}

static gt_Status zeros_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                            uint64_t stream)
{
    (void)self, (void)stream;
    return fill_constant(spec, data, 0);
}

static const gt_InitializerClass zeros_class = {
    .mark = GT_MARK, .size = sizeof zeros_class, .name = "zeros", .fill = zeros_fill};

gt_Initializer gt_Zeros(void)
{
    return made(&zeros_class, NULL);
}

static gt_Status ones_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                           uint64_t stream)
{
    (void)self, (void)stream;
    return fill_constant(spec, data, 1);
}

static const gt_InitializerClass ones_class = {
    .mark = GT_MARK, .size = sizeof ones_class, .name = "ones", .fill = ones_fill};

gt_Initializer gt_Ones(void)
{
    return made(&ones_class, NULL);
}

/* ---- drawn from a distribution ---- */

static gt_Status random_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                    uint64_t stream)
{
    gt_RandomNormal_options options;
    memcpy(&options, self->options, sizeof options);
    draw_normal(kernels(), spec, data, stream, options.mean, options.stddev);
    return GT_OK;
}

static const gt_InitializerClass random_normal_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "random_normal",
    .options = &gt_RandomNormal_options_type,
    .floats_only = true,
    .fill = random_normal_fill,
};

gt_Initializer gt_RandomNormal_of(const gt_RandomNormal_options *options)
{
    return made(&random_normal_class, options);
}

static gt_Status truncated_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                       uint64_t stream)
{
    gt_TruncatedNormal_options options;
    memcpy(&options, self->options, sizeof options);
    draw_truncated(kernels(), spec, data, stream, options.mean, options.stddev);
    return GT_OK;
}

static const gt_InitializerClass truncated_normal_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "truncated_normal",
    .options = &gt_RandomNormal_options_type,
    .floats_only = true,
    .fill = truncated_normal_fill,
};

gt_Initializer gt_TruncatedNormal_of(const gt_RandomNormal_options *options)
{
    return made(&truncated_normal_class, options);
}

static gt_Status random_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                     uint64_t stream)
{
    gt_RandomUniform_options options;
    memcpy(&options, self->options, sizeof options);
    draw_uniform(kernels(), spec, data, stream, options.minval, options.maxval);
    return GT_OK;
}

static const gt_InitializerClass random_uniform_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "random_uniform",
    .options = &gt_RandomUniform_options_type,
    .floats_only = true,
    .fill = random_uniform_fill,
};

gt_Initializer gt_RandomUniform_of(const gt_RandomUniform_options *options)
{
    return made(&random_uniform_class, options);
}

/* ---- scaled by the fans ---- */

static gt_Status variance_scaling_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                       uint64_t stream)
{
    gt_VarianceScaling_options options;
    memcpy(&options, self->options, sizeof options);
    return draw_scaled(kernels(), &options, spec, data, stream);
}

static const gt_InitializerClass variance_scaling_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "variance_scaling",
    .options = &gt_VarianceScaling_options_type,
    .floats_only = true,
    .fill = variance_scaling_fill,
};

gt_Initializer gt_VarianceScaling_of(const gt_VarianceScaling_options *options)
{
    return made(&variance_scaling_class, options);
}

/* Its well-known cases. */
static gt_Status scaled(double scale, gt_Fan mode, gt_Distribution distribution,
                        const gt_Spec *spec, void *data, uint64_t stream)
{
    const gt_VarianceScaling_options options = {
        .scale = scale, .mode = mode, .distribution = distribution};
    return draw_scaled(kernels(), &options, spec, data, stream);
}

static gt_Status glorot_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                     uint64_t stream)
{
    (void)self;
    return scaled(1, GT_FAN_AVG, GT_DISTRIBUTION_UNIFORM, spec, data, stream);
}

static const gt_InitializerClass glorot_uniform_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "glorot_uniform",
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = glorot_uniform_fill,
};

gt_Initializer gt_GlorotUniform_of(const gt_GlorotUniform_options *options)
{
    return made(&glorot_uniform_class, options);
}

static gt_Status glorot_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                    uint64_t stream)
{
    (void)self;
    return scaled(1, GT_FAN_AVG, GT_DISTRIBUTION_TRUNCATED_NORMAL, spec, data, stream);
}

static const gt_InitializerClass glorot_normal_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "glorot_normal",
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = glorot_normal_fill,
};

gt_Initializer gt_GlorotNormal_of(const gt_GlorotUniform_options *options)
{
    return made(&glorot_normal_class, options);
}

static gt_Status he_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                 uint64_t stream)
{
    (void)self;
    return scaled(2, GT_FAN_IN, GT_DISTRIBUTION_UNIFORM, spec, data, stream);
}

static const gt_InitializerClass he_uniform_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "he_uniform",
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = he_uniform_fill,
};

gt_Initializer gt_HeUniform_of(const gt_GlorotUniform_options *options)
{
    return made(&he_uniform_class, options);
}

static gt_Status he_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                uint64_t stream)
{
    (void)self;
    return scaled(2, GT_FAN_IN, GT_DISTRIBUTION_TRUNCATED_NORMAL, spec, data, stream);
}

static const gt_InitializerClass he_normal_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "he_normal",
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = he_normal_fill,
};

gt_Initializer gt_HeNormal_of(const gt_GlorotUniform_options *options)
{
    return made(&he_normal_class, options);
}

static gt_Status lecun_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                    uint64_t stream)
{
    (void)self;
    return scaled(1, GT_FAN_IN, GT_DISTRIBUTION_UNIFORM, spec, data, stream);
}

static const gt_InitializerClass lecun_uniform_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "lecun_uniform",
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = lecun_uniform_fill,
};

gt_Initializer gt_LecunUniform_of(const gt_GlorotUniform_options *options)
{
    return made(&lecun_uniform_class, options);
}

static gt_Status lecun_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                   uint64_t stream)
{
    (void)self;
    return scaled(1, GT_FAN_IN, GT_DISTRIBUTION_TRUNCATED_NORMAL, spec, data, stream);
}

static const gt_InitializerClass lecun_normal_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "lecun_normal",
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = lecun_normal_fill,
};

gt_Initializer gt_LecunNormal_of(const gt_GlorotUniform_options *options)
{
    return made(&lecun_normal_class, options);
}

/* ---- matrices ---- */

static gt_Status orthogonal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                 uint64_t stream)
{
    gt_Orthogonal_options options;
    memcpy(&options, self->options, sizeof options);
    return draw_orthogonal(gt_context(), options.gain, spec, data, stream);
}

static const gt_InitializerClass orthogonal_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "orthogonal",
    .options = &gt_Orthogonal_options_type,
    .floats_only = true,
    .fill = orthogonal_fill,
};

gt_Initializer gt_Orthogonal_of(const gt_Orthogonal_options *options)
{
    return made(&orthogonal_class, options);
}

static gt_Status identity_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                               uint64_t stream)
{
    gt_IdentityInitializer_options options;
    memcpy(&options, self->options, sizeof options);
    (void)stream;
    return fill_identity(spec, data, options.gain);
}

static const gt_InitializerClass identity_class = {
    .mark = GT_MARK,
    .size = sizeof(gt_InitializerClass),
    .name = "identity",
    .options = &gt_IdentityInitializer_options_type,
    .floats_only = true,
    .fill = identity_fill,
};

gt_Initializer gt_IdentityInitializer_of(const gt_IdentityInitializer_options *options)
{
    return made(&identity_class, options);
}

/* ---- one's own ---- */

/* The function stands among the options. */
static gt_InitializerFunction function_of(const gt_Initializer *self)
{
    gt_InitializerFunction function;
    memcpy(&function, self->options, sizeof function);
    return function;
}

static gt_Status function_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                               uint64_t stream)
{
    return function_of(self)(self->context, spec, data, stream);
}
static const gt_InitializerClass function_class = {
    .mark = GT_MARK, .size = sizeof function_class, .name = "function", .fill = function_fill};

gt_Initializer gt_initializer(gt_InitializerFunction function, void *context)
{
    gt_Initializer self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

/* ---- weights get their first values ---- */

gt_Status gt_initializer_check(const char *what, const gt_Initializer *initializer)
{
    const gt_InitializerClass *type = initializer->type;
    if (!type)
        return GT_OK;
    if (!gt_is_class(type) || !type->fill)
        return gt_fail(
            GT_INVALID,
            "%s must be an initializer such as gt_Zeros() (got a bare number or a pointer)", what);
    if (type != &function_class)
        return GT_OK;
    if (!function_of(initializer))
        return gt_fail(GT_INVALID, "%s: the function is NULL", what);
    return gt_check_function("the initializer's function", (uintptr_t)function_of(initializer));
}

/* -1: none of its own. */
static int64_t seed_of(const gt_Initializer *initializer)
{
    const gt_OptionType *type = initializer->type->options;
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++)
        if (strcmp(field->name, "seed") == 0 && field->size == sizeof(int64_t)) {
            int64_t seed;
            memcpy(&seed, (const char *)initializer->options + field->offset, sizeof seed);
            return seed;
        }
    return -1;
}

static gt_Status initialize(gt_Context *context, gt_Initializer initializer, const char *path,
                            const gt_Spec *spec, void *data)
{
    if (!initializer.type)
        initializer = gt_dtype_is_float(spec->dtype) ? gt_GlorotUniform() : gt_Zeros();
    if (gt_initializer_check("it", &initializer) != GT_OK)
        return gt_context_status(context);
    const gt_InitializerClass *type = initializer.type;
    int64_t seed = seed_of(&initializer);
    if (seed >= 0 && path) { /* a seed of its own does not depend on which model it is */
        const char *slash = strchr(path, '/');
        path = slash ? slash + 1 : path;
    }
    uint64_t stream = stream_of(seed >= 0 ? (uint64_t)seed : gt_context_seed(context), path);
    if (type->floats_only && !gt_dtype_is_float(spec->dtype))
        return gt_raise(context, GT_INVALID, NULL, "initialize",
                        "a weight that is drawn must be of a float dtype (got %s)",
                        gt_dtype_name(spec->dtype));
    gt_Site site = gt_site_enter(NULL, type->name);
    gt_Status status = type->fill(&initializer, spec, data, stream);
    if (status != GT_OK && gt_context_status(context) == GT_OK)
        gt_raise(context, status, NULL, NULL, "the initializer's function failed");
    gt_site_leave(site);
    return gt_context_status(context);
}

/* float16 and bfloat16 start as float32 does, rounded. */
static gt_Status initialize_half(gt_Context *context, gt_Initializer initializer, const char *path,
                                 const gt_Spec *spec, void *data)
{
    gt_Spec wide = *spec;
    wide.dtype = GT_FLOAT32;
    float *numbers = gt_allocate(context, gt_spec_bytes(&wide));
    if (!numbers)
        return gt_context_status(context);
    if (initialize(context, initializer, path, &wide, numbers) == GT_OK)
        gt_context_kernels(context)->narrow[GT_LOOP_F32][gt_half_type(spec->dtype)](spec->size,
                                                                                    numbers, data);
    gt_release(context, numbers, gt_spec_bytes(&wide));
    return gt_context_status(context);
}

gt_Status gt_initialize_at(const char *here, gt_Initializer initializer, const char *path,
                           const gt_Spec *spec, void *data)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!spec || (!data && spec->size > 0))
        return gt_raise(context, GT_INVALID, here, "initialize", "the spec or the data is NULL");
    return gt_half_type(spec->dtype) < 0 ? initialize(context, initializer, path, spec, data)
                                         : initialize_half(context, initializer, path, spec, data);
}
