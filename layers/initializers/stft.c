/* Kernels of a convolution that computes a short-time Fourier transform. */
#include "layers/initializers/classes.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_STFTInitializer_options, gt_STFTInitializer_OPTIONS);

static const double pi = 3.14159265358979323846;

static gt_Status stft_check(const gt_Initializer *self, const char *what)
{
    gt_STFTInitializer_options options = GT_OPTIONS_OF(gt_STFTInitializer_options, self);
    if (options.side < GT_STFT_SIDE_REAL || options.side > GT_STFT_SIDE_IMAG)
        return gt_fail(GT_INVALID, "%s: unknown side %d", what, (int)options.side);
    if (options.window < GT_WINDOW_HANN || options.window > GT_WINDOW_NONE)
        return gt_fail(GT_INVALID, "%s: unknown window %d", what, (int)options.window);
    if (options.scaling < GT_STFT_SCALING_NONE || options.scaling > GT_STFT_SCALING_SPECTRUM)
        return gt_fail(GT_INVALID, "%s: unknown scaling %d", what, (int)options.scaling);
    return GT_OK;
}

/* The window, float64 (frame), by the library's own cosine: a - (1 - a) cos(2 pi t / (frame - 1)), or over the
 * frame where it is periodic; 1 of a single element. */
static gt_Tensor *window_of(const gt_STFTInitializer_options *options, int64_t frame)
{
    double a = options->window == GT_WINDOW_HANN ? 0.5 : 0.54;
    double period = (double)(options->periodic ? frame : frame - 1);
    if (options->window == GT_WINDOW_NONE || frame == 1)
        return gt_ones(gt_shape(frame), .dtype = GT_FLOAT64);
    gt_Tensor *t = gt_arange(0, (double)frame, 1, .dtype = GT_FLOAT64);
    return gt_add(gt_multiply(gt_cos(gt_multiply(t, 2 * pi / period)), a - 1), a);
}

/* The same over what scaling says; without a window nothing is scaled. */
static gt_Tensor *scaled_window(const gt_STFTInitializer_options *options, int64_t frame)
{
    gt_Tensor *window = window_of(options, frame);
    if (options->window == GT_WINDOW_NONE || options->scaling == GT_STFT_SCALING_NONE)
        return window;
    return gt_divide(window, options->scaling == GT_STFT_SCALING_DENSITY
                                 ? gt_sqrt(gt_sum(gt_square(window)))
                                 : gt_sum(gt_abs(window)));
}

/* -2 pi t f / period, less whole turns, float64 (frame, bins). */
static gt_Tensor *angles(int64_t frame, int64_t bins)
{
    double period = 2 * (double)(bins - 1);
    gt_Tensor *t = gt_arange(0, (double)frame, 1, .dtype = GT_FLOAT64);
    gt_Tensor *f = gt_arange(0, (double)bins, 1, .dtype = GT_FLOAT64);
    gt_Tensor *turns = gt_mod(gt_multiply(gt_reshape(t, gt_shape(frame, 1)), f), period);
    return gt_multiply(turns, -2 * pi / period);
}

static gt_Tensor *kernel(const gt_Spec *spec, const void *given)
{
    const gt_STFTInitializer_options *options = given;
    int64_t frame = spec->dims[0], bins = spec->dims[2];
    gt_Tensor *angle = angles(frame, bins);
    gt_Tensor *wave = options->side == GT_STFT_SIDE_REAL ? gt_cos(angle) : gt_sin(angle);
    gt_Tensor *window = gt_reshape(scaled_window(options, frame), gt_shape(frame, 1));
    return gt_reshape(gt_multiply(wave, window), gt_shape(frame, 1, bins));
}

static gt_Status stft_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                           uint64_t stream)
{
    gt_STFTInitializer_options options = GT_OPTIONS_OF(gt_STFTInitializer_options, self);
    char text[160];
    (void)stream;
    if (spec->rank != 3 || spec->dims[1] != 1 || spec->dims[2] < 2)
        return gt_fail(GT_INVALID, "the weight must be (frame, 1, bins), with bins >= 2 (got %s)",
                       gt_dims_text(spec, text, sizeof text));
    return spec->size == 0 ? GT_OK : gt_fill_computed(spec, data, kernel, &options);
}

const gt_InitializerClass gt_initializer_class_stft = {
    GT_INITIALIZER_RECORD("stft", "STFTInitializer", "STFT",
                          "a convolution's kernel of a short-time Fourier transform"),
    .aliases = "STFTInitializer",
    .options = &gt_STFTInitializer_options_type,
    .floats_only = true,
    .fill = stft_fill,
    .check = stft_check,
};

gt_Initializer gt_STFTInitializer_of(const gt_STFTInitializer_options *options)
{
    return gt_initializer_make(&gt_initializer_class_stft, options);
}
