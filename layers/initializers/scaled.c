/* Initializers whose variance is scaled by the fans: the general one, and six cases by name. */
#include "layers/initializers/classes.h"
#include "layers/internal.h"

#include <math.h>

GT_OPTION_TYPE(gt_VarianceScaling_options, gt_VarianceScaling_OPTIONS);
GT_OPTION_TYPE(gt_GlorotUniform_options, gt_GlorotUniform_OPTIONS);

/* The deviation of a standard normal cut at two deviations. */
#define TRUNCATED_DEVIATION 0.87962566103423978

/* ---- fans ---- */

typedef struct Fans {
    double in, out;
} Fans;

static Fans fans_of(const gt_Spec *spec)
{
    if (spec->rank == 0)
        return (Fans){1, 1};
    if (spec->rank == 1)
        return (Fans){(double)spec->dims[0], (double)spec->dims[0]};
    double receptive = 1;
    for (int d = 0; d < spec->rank - 2; d++)
        receptive *= (double)spec->dims[d];
    return (Fans){receptive * (double)spec->dims[spec->rank - 2],
                  receptive * (double)spec->dims[spec->rank - 1]};
}

/* The product of these dimensions; NaN with an error raised for an axis that is none. */
static double fan_of_axes(const gt_Spec *spec, const char *what, const gt_Axes *axes)
{
    double fan = 1;
    for (int32_t i = 0; i < axes->count; i++) {
        int32_t axis = axes->axis[i] < 0 ? axes->axis[i] + spec->rank : axes->axis[i];
        if (axis < 0 || axis >= spec->rank) {
            gt_fail(GT_INVALID, "%s: axis %d is out of range: the weight has %d dimensions", what,
                    (int)axes->axis[i], (int)spec->rank);
            return NAN;
        }
        fan *= (double)spec->dims[axis];
    }
    return fan;
}

/* ---- the draw ---- */

static gt_Status draw_scaled(double scale, gt_Distribution distribution, const gt_Spec *spec,
                             void *data, uint64_t stream)
{
    if (distribution == GT_DISTRIBUTION_UNIFORM)
        gt_draw_uniform(spec, data, stream, -sqrt(3 * scale), sqrt(3 * scale));
    else if (distribution == GT_DISTRIBUTION_UNTRUNCATED_NORMAL)
        gt_draw_normal(spec, data, stream, 0, sqrt(scale));
    else
        gt_draw_truncated(spec, data, stream, 0, sqrt(scale) / TRUNCATED_DEVIATION);
    return GT_OK;
}

/* scale / max(1, fan) */
static double variance(double scale, gt_Fan mode, Fans fans)
{
    double fan = mode == GT_FAN_IN    ? fans.in
                 : mode == GT_FAN_OUT ? fans.out
                                      : (fans.in + fans.out) / 2;
    return scale / (fan > 1 ? fan : 1);
}

/* ---- variance scaling ---- */

static gt_Status variance_scaling_check(const gt_Initializer *self, const char *what)
{
    gt_VarianceScaling_options options = GT_OPTIONS_OF(gt_VarianceScaling_options, self);
    if (!(options.scale > 0) || isinf(options.scale))
        return gt_fail(GT_INVALID, "%s: scale must be finite and > 0 (got %g)", what,
                       options.scale);
    if (options.mode < GT_FAN_IN || options.mode > GT_FAN_AVG)
        return gt_fail(GT_INVALID, "%s: unknown mode %d", what, (int)options.mode);
    if (options.distribution < GT_DISTRIBUTION_TRUNCATED_NORMAL ||
        options.distribution > GT_DISTRIBUTION_UNIFORM)
        return gt_fail(GT_INVALID, "%s: unknown distribution %d", what, (int)options.distribution);
    if ((options.input_axes.count > 0) != (options.output_axes.count > 0))
        return gt_fail(GT_INVALID, "%s: input_axes and output_axes must be given together", what);
    return GT_OK;
}

static gt_Status variance_scaling_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                       uint64_t stream)
{
    gt_VarianceScaling_options options = GT_OPTIONS_OF(gt_VarianceScaling_options, self);
    Fans fans = fans_of(spec);
    if (options.input_axes.count > 0)
        fans = (Fans){fan_of_axes(spec, "input_axes", &options.input_axes),
                      fan_of_axes(spec, "output_axes", &options.output_axes)};
    if (gt_status() != GT_OK)
        return gt_status();
    return draw_scaled(variance(options.scale, options.mode, fans), options.distribution, spec,
                       data, stream);
}

const gt_InitializerClass gt_initializer_class_variance_scaling = {
    GT_INITIALIZER_RECORD("variance_scaling", "VarianceScaling", "VarianceScaling",
                          "variance scale / fan"),
    .options = &gt_VarianceScaling_options_type,
    .floats_only = true,
    .fill = variance_scaling_fill,
    .check = variance_scaling_check,
};

gt_Initializer gt_VarianceScaling_of(const gt_VarianceScaling_options *options)
{
    return gt_initializer_make(&gt_initializer_class_variance_scaling, options);
}

/* ---- its well-known cases ---- */

typedef enum CaseName {
    GLOROT_UNIFORM,
    GLOROT_NORMAL,
    HE_UNIFORM,
    HE_NORMAL,
    LECUN_UNIFORM,
    LECUN_NORMAL
} CaseName;

static const struct {
    const gt_InitializerClass *type;
    double scale;
    gt_Fan mode;
    gt_Distribution distribution;
} cases[] = {
    [GLOROT_UNIFORM] = {&gt_initializer_class_glorot_uniform, 1, GT_FAN_AVG,
                        GT_DISTRIBUTION_UNIFORM},
    [GLOROT_NORMAL] = {&gt_initializer_class_glorot_normal, 1, GT_FAN_AVG,
                       GT_DISTRIBUTION_TRUNCATED_NORMAL},
    [HE_UNIFORM] = {&gt_initializer_class_he_uniform, 2, GT_FAN_IN, GT_DISTRIBUTION_UNIFORM},
    [HE_NORMAL] = {&gt_initializer_class_he_normal, 2, GT_FAN_IN, GT_DISTRIBUTION_TRUNCATED_NORMAL},
    [LECUN_UNIFORM] = {&gt_initializer_class_lecun_uniform, 1, GT_FAN_IN, GT_DISTRIBUTION_UNIFORM},
    [LECUN_NORMAL] = {&gt_initializer_class_lecun_normal, 1, GT_FAN_IN,
                      GT_DISTRIBUTION_TRUNCATED_NORMAL},
};

static gt_Status fill_case(CaseName name, const gt_Spec *spec, void *data, uint64_t stream)
{
    return draw_scaled(variance(cases[name].scale, cases[name].mode, fans_of(spec)),
                       cases[name].distribution, spec, data, stream);
}

static gt_Status glorot_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                     uint64_t stream)
{
    (void)self;
    return fill_case(GLOROT_UNIFORM, spec, data, stream);
}

const gt_InitializerClass gt_initializer_class_glorot_uniform = {
    GT_INITIALIZER_RECORD("glorot_uniform", "GlorotUniform", "GlorotUniform",
                          "evenly, variance 2 / (in + out)"),
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = glorot_uniform_fill,
};

gt_Initializer gt_GlorotUniform_of(const gt_GlorotUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_glorot_uniform, options);
}

static gt_Status glorot_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                    uint64_t stream)
{
    (void)self;
    return fill_case(GLOROT_NORMAL, spec, data, stream);
}

const gt_InitializerClass gt_initializer_class_glorot_normal = {
    GT_INITIALIZER_RECORD("glorot_normal", "GlorotNormal", "GlorotNormal",
                          "truncated normal, variance 2 / (in + out)"),
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = glorot_normal_fill,
};

gt_Initializer gt_GlorotNormal_of(const gt_GlorotUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_glorot_normal, options);
}

static gt_Status he_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                 uint64_t stream)
{
    (void)self;
    return fill_case(HE_UNIFORM, spec, data, stream);
}

const gt_InitializerClass gt_initializer_class_he_uniform = {
    GT_INITIALIZER_RECORD("he_uniform", "HeUniform", "HeUniform", "evenly, variance 2 / in"),
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = he_uniform_fill,
};

gt_Initializer gt_HeUniform_of(const gt_GlorotUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_he_uniform, options);
}

static gt_Status he_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                uint64_t stream)
{
    (void)self;
    return fill_case(HE_NORMAL, spec, data, stream);
}

const gt_InitializerClass gt_initializer_class_he_normal = {
    GT_INITIALIZER_RECORD("he_normal", "HeNormal", "HeNormal", "truncated normal, variance 2 / in"),
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = he_normal_fill,
};

gt_Initializer gt_HeNormal_of(const gt_GlorotUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_he_normal, options);
}

static gt_Status lecun_uniform_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                    uint64_t stream)
{
    (void)self;
    return fill_case(LECUN_UNIFORM, spec, data, stream);
}

const gt_InitializerClass gt_initializer_class_lecun_uniform = {
    GT_INITIALIZER_RECORD("lecun_uniform", "LecunUniform", "LecunUniform",
                          "evenly, variance 1 / in"),
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = lecun_uniform_fill,
};

gt_Initializer gt_LecunUniform_of(const gt_GlorotUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_lecun_uniform, options);
}

static gt_Status lecun_normal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                   uint64_t stream)
{
    (void)self;
    return fill_case(LECUN_NORMAL, spec, data, stream);
}

const gt_InitializerClass gt_initializer_class_lecun_normal = {
    GT_INITIALIZER_RECORD("lecun_normal", "LecunNormal", "LecunNormal",
                          "truncated normal, variance 1 / in"),
    .options = &gt_GlorotUniform_options_type,
    .floats_only = true,
    .fill = lecun_normal_fill,
};

gt_Initializer gt_LecunNormal_of(const gt_GlorotUniform_options *options)
{
    return gt_initializer_make(&gt_initializer_class_lecun_normal, options);
}

/* ---- for kernels whose axes are not (..., in, out) ---- */

gt_Initializer gt_initializer_with_axes(gt_Initializer given, gt_Axes input, gt_Axes output)
{
    gt_Initializer glorot = gt_GlorotUniform();
    gt_Initializer *self = given.type ? &given : &glorot;
    if (self->type == &gt_initializer_class_variance_scaling) {
        gt_VarianceScaling_options options = GT_OPTIONS_OF(gt_VarianceScaling_options, self);
        if (options.input_axes.count > 0)
            return *self;
        options.input_axes = input;
        options.output_axes = output;
        return gt_VarianceScaling_of(&options);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (self->type == cases[i].type)
            return gt_VarianceScaling(.scale = cases[i].scale, .mode = cases[i].mode,
                                      .distribution = cases[i].distribution,
                                      .seed = GT_OPTIONS_OF(gt_GlorotUniform_options, self).seed,
                                      .input_axes = input, .output_axes = output);
    return *self;
}
