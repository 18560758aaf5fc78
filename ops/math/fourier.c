/* Fourier transforms: records and gradient rules of ops/math/fourier.h. How a transform is done is in kernels/transform.h. All
 * of it is linear: a gradient is the transposed transform. */
#include "ops/math/fourier.h"

#include "ops/math/pair.h"
#include "ops/math/transform.h"

/* ---- shape rules ---- */

/* The shape rule of a record that takes a pair of which one may be missing: zeros. NULL on failure. */
static const gt_Spec *pair_shape(const gt_ShapeRule *rule)
{
    const gt_Spec *real = rule->input[0], *imag = rule->input[1];
    if (!real && !imag) {
        gt_fail(GT_INVALID, "a part must be there, real or imaginary");
        return NULL;
    }
    real = real ? real : imag;
    return gt_pair_check(real, imag ? imag : real) == GT_OK ? real : NULL;
}

/* The axis, which must not be empty; -1 with an error raised. */
static int check_axis(const gt_Spec *x, int axis)
{
    char text[160];
    axis = gt_axis(axis, x->rank);
    if (axis < 0 || x->dims[axis] > 0)
        return axis;
    gt_fail(GT_INVALID, "axis %d must not be empty (got %s)", axis,
            gt_dims_text(x, text, sizeof text));
    return -1;
}

/* Gives both inputs of a record their parts of a gradient. */
static gt_Status give_pair(gt_GradientRule *rule, gt_Complex gradient)
{
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gradient.real);
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gradient.imag);
    return gt_status();
}

/* ---- the transform ---- */

#define FFT_OPTIONS(F, S)                                                                          \
    F(S, int32_t, axis, -1, "along this axis")                                                     \
    F(S, bool, inverse, false, "e^(+2 pi i j k / n)")                                              \
    F(S, bool, scaled, false, "divided by n")
GT_OPTIONS(FftOptions, FFT_OPTIONS);
GT_OPTION_TYPE(FftOptions, FFT_OPTIONS);
GT_OPTION_TYPE(gt_fft_options, gt_fft_OPTIONS);

static gt_Complex transform(gt_Complex z, int axis, bool inverse, bool scaled)
{
    FftOptions options = GT_VALUES(FftOptions, axis, inverse, scaled);
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_fourier, &options, 2, (gt_Tensor *[]){z.real, z.imag}, out);
    return gt_pair(out[0], out[1]);
}

static gt_Status fourier_shape(gt_ShapeRule *rule)
{
    const FftOptions *options = rule->options;
    const gt_Spec *x = pair_shape(rule);
    if (!x || check_axis(x, options->axis) < 0)
        return gt_status();
    rule->output[0] = rule->output[1] = *x;
    return GT_OK;
}

static void fourier_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const FftOptions *options = rule->options;
    const gt_Spec *x = &rule->output[0];
    int axis = gt_axis(options->axis, x->rank);
    gt_FourierJob *job = gt_fourier_lower(rule, lowering, x, axis, GT_FOURIER_WHOLE, x->dims[axis]);
    if (!job)
        return;
    job->inverse = options->inverse;
    job->scaled = options->scaled;
}

static gt_Status fourier_mask(gt_MaskRule *rule)
{
    const FftOptions *options = rule->shape->options;
    return gt_mask_rows(rule, gt_axis(options->axis, rule->shape->output[0].rank));
}

/* The transposed transform is the conjugate one: of F it is n F^-1. */
static gt_Status fourier_gradient(gt_GradientRule *rule)
{
    const FftOptions *options = gt_rule_options(rule);
    gt_Complex up = {gt_upstream(rule, 0), gt_upstream(rule, 1)};
    return give_pair(rule, transform(up, options->axis, !options->inverse, options->scaled));
}

#define FFT_SAMPLE(axis, inverse, scaled, ...)                                                     \
    {                                                                                              \
        .inputs = 2, .input = GT_INPUTS(GT_REAL(-1, 1, __VA_ARGS__), GT_REAL(-1, 1, __VA_ARGS__)), \
        .options = &GT_VALUES(FftOptions, axis, inverse, scaled)                                   \
    }
const gt_Operation gt_op_fourier = {
    GT_RECORD("fourier", "y[k] = sum x[j] e^(-2 pi i j k / n)", 2, 2),
    .outputs = 2,
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &FftOptions_type,
    .optional_inputs = 3,
    .shape = fourier_shape,
    .lower = fourier_lower,
    .gradient = fourier_gradient,
    .mask = fourier_mask,
    .samples = GT_SAMPLES(FFT_SAMPLE(-1, false, false, 2, 6), FFT_SAMPLE(0, true, true, 5, 2),
                          FFT_SAMPLE(1, false, true, 2, 7, 1), FFT_SAMPLE(-1, true, false, 1),
                          FFT_SAMPLE(0, false, false, 37)),
};

static gt_Complex fft_along(gt_Complex z, const gt_fft_options *given, bool inverse)
{
    gt_fft_options options;
    GT_TAKE(gt_fft_options, &options, given);
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? transform(z, options.axis, inverse, inverse)
                                  : gt_pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, fft, fft_along,
               (const char *here, gt_Complex z, const gt_fft_options *options), (z, options, false))
GT_COMPOSED_BY(gt_Complex, ifft, fft_along,
               (const char *here, gt_Complex z, const gt_fft_options *options), (z, options, true))

static gt_Complex fft_plane(gt_Complex z, bool inverse)
{
    gt_Spec spec;
    char text[160];
    if (!gt_pair_spec(z, &spec))
        return gt_pair(NULL, NULL);
    if (spec.rank < 2)
        gt_fail(GT_INVALID, "x must have at least 2 axes (got %s)",
                gt_dims_text(&spec, text, sizeof text));
    return transform(transform(z, -1, inverse, inverse), -2, inverse, inverse);
}
GT_COMPOSED_BY(gt_Complex, fft2, fft_plane, (const char *here, gt_Complex z), (z, false))
GT_COMPOSED_BY(gt_Complex, ifft2, fft_plane, (const char *here, gt_Complex z), (z, true))

/* ---- half a spectrum of real numbers ---- */

/* Half a spectrum stands for a whole one where real numbers are made of it: all but its ends count
 * twice. So it is, and the result is divided by n, in from_half_spectrum and in its transpose, which
 * is a half_spectrum; in half_spectrum and its transpose neither is so. */
#define HALF_OPTIONS(F, S)                                                                         \
    F(S, int64_t, length, GT_NONE, "real numbers; GT_NONE: as many as fit the input")              \
    F(S, bool, transposed, false, "the transpose of the other one")
GT_OPTIONS(HalfOptions, HALF_OPTIONS);
GT_OPTION_TYPE(HalfOptions, HALF_OPTIONS);
GT_OPTION_TYPE(gt_rfft_options, gt_rfft_OPTIONS);

static gt_Complex half_spectrum(gt_Tensor *x, int64_t length, bool transposed)
{
    HalfOptions options = GT_VALUES(HalfOptions, length, transposed);
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_half_spectrum, &options, 1, &x, out);
    return gt_pair(out[0], out[1]);
}

static gt_Tensor *from_half_spectrum(gt_Complex z, int64_t length, bool transposed)
{
    HalfOptions options = GT_VALUES(HalfOptions, length, transposed);
    return gt_apply_one_at(NULL, &gt_op_from_half_spectrum, &options, 2,
                           (gt_Tensor *[]){z.real, z.imag});
}

/* How many real numbers there are: the option, or what fits the last axis; 0 with an error raised. */
static int64_t real_length(const gt_ShapeRule *rule, const gt_Spec *x, bool from_half)
{
    const HalfOptions *options = rule->options;
    int axis = check_axis(x, -1);
    if (axis < 0)
        return 0;
    int64_t fitting = from_half ? 2 * (x->dims[axis] - 1) : x->dims[axis];
    int64_t n = options->length == GT_NONE ? fitting : options->length;
    char text[160];
    if (n >= 1 && n <= INT64_MAX / 4 && x->dims[axis] <= INT64_MAX / 4)
        return n;
    gt_fail(GT_INVALID, "fft_length must be >= 1 (got %lld for %s)", (long long)n,
            gt_dims_text(x, text, sizeof text));
    return 0;
}

static gt_Status half_spectrum_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    int64_t n = gt_takes(x, GT_TAKES_FLOAT) ? real_length(rule, x, false) : 0;
    if (n == 0)
        return gt_status();
    rule->output[0] = *x;
    rule->output[0].dims[x->rank - 1] = n / 2 + 1;
    rule->output[1] = rule->output[0];
    return GT_OK;
}

static gt_Status from_half_spectrum_shape(gt_ShapeRule *rule)
{
    const gt_Spec *z = pair_shape(rule);
    int64_t n = z ? real_length(rule, z, true) : 0;
    if (n == 0)
        return gt_status();
    rule->output[0] = *z;
    rule->output[0].dims[z->rank - 1] = n;
    return GT_OK;
}

static void lower_half(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_FourierKind kind)
{
    const HalfOptions *options = rule->options;
    bool from_half = kind == GT_FOURIER_FROM_HALF;
    const gt_Spec *x = rule->input[0] ? rule->input[0] : rule->input[1];
    gt_FourierJob *job =
        gt_fourier_lower(rule, lowering, x, x->rank - 1, kind, real_length(rule, x, from_half));
    if (job)
        job->transposed = options->transposed;
}

static void half_spectrum_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_half(rule, lowering, GT_FOURIER_HALF);
}

static void from_half_spectrum_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_half(rule, lowering, GT_FOURIER_FROM_HALF);
}

static gt_Status half_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->output[0].rank - 1);
}

/* The transpose, cropped or filled with zeros as the input was the other way round. */
static gt_Status half_spectrum_gradient(gt_GradientRule *rule)
{
    const HalfOptions *options = gt_rule_options(rule);
    gt_Complex up = {gt_upstream(rule, 0), gt_upstream(rule, 1)};
    int64_t now = gt_last(gt_spec_shape(gt_rule_input_spec(rule, 0)));
    int64_t n = options->length == GT_NONE ? now : options->length;
    gt_Tensor *x = from_half_spectrum(up, n, !options->transposed);
    return gt_give(rule, 0, gt_resized_last(x, now));
}

static gt_Status from_half_spectrum_gradient(gt_GradientRule *rule)
{
    const HalfOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, gt_wants(rule, 0) ? 0 : 1); /* which is there */
    int64_t now = gt_last(gt_spec_shape(in));
    int64_t n = gt_last(gt_spec_shape(gt_rule_output_spec(rule, 0)));
    gt_Complex z = half_spectrum(gt_upstream(rule, 0), n, !options->transposed);
    return give_pair(rule, gt_pair(gt_resized_last(z.real, now), gt_resized_last(z.imag, now)));
}

#define HALF(length, transposed) .options = &GT_VALUES(HalfOptions, length, transposed)
const gt_Operation gt_op_half_spectrum = {
    GT_RECORD("half_spectrum", "y[k] = sum x[j] e^(-2 pi i j k / n), k <= n / 2", 1, 1),
    .outputs = 2,
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &HalfOptions_type,
    .shape = half_spectrum_shape,
    .lower = half_spectrum_lower,
    .gradient = half_spectrum_gradient,
    .mask = half_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 6))},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 8)), HALF(GT_NONE, true)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 2))},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 5))},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(7)), HALF(GT_NONE, true)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 4)), HALF(9, false)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 1)), HALF(GT_NONE, false)}),
};
const gt_Operation gt_op_from_half_spectrum = {
    GT_RECORD("from_half_spectrum", "the x with half_spectrum(x) = y", 2, 2),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &HalfOptions_type,
    .optional_inputs = 3,
    .shape = from_half_spectrum_shape,
    .lower = from_half_spectrum_lower,
    .gradient = from_half_spectrum_gradient,
    .mask = half_mask,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 4), GT_ANY(2, 4))},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(5), GT_ANY(5)), HALF(GT_NONE, true)},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(3, 2), GT_ANY(3, 2))},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3)), HALF(5, false)},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3)), HALF(5, true)},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3)), HALF(8, false)},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3)), HALF(1, false)}),
};

static gt_Complex rfft(gt_Tensor *x, const gt_rfft_options *given)
{
    gt_rfft_options options;
    GT_TAKE(gt_rfft_options, &options, given);
    return half_spectrum(x, options.fft_length, false);
}
GT_COMPOSED_BY(gt_Complex, rfft, rfft,
               (const char *here, gt_Tensor *x, const gt_rfft_options *options), (x, options))

static gt_Tensor *irfft(gt_Complex z, const gt_rfft_options *given)
{
    gt_rfft_options options;
    GT_TAKE(gt_rfft_options, &options, given);
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? from_half_spectrum(z, options.fft_length, false) : NULL;
}
GT_COMPOSED(irfft, (const char *here, gt_Complex z, const gt_rfft_options *options), (z, options))
