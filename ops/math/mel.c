/* Spectrograms on the mel scale, made of operations: formulas of ops/math/mel.h. */
#include "ops/math/mel.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

#include <math.h>

GT_OPTION_TYPE(gt_mel_weights_options, gt_mel_weights_OPTIONS);
GT_OPTION_TYPE(gt_mel_spectrogram_options, gt_mel_spectrogram_OPTIONS);

static double mel(double hertz)
{
    return 1127 * log1p(hertz / 700);
}

/* 1 at the middle of each band, 0 where the next ones have theirs, a line between. */
static gt_Tensor *mel_weights(int64_t frequencies, int64_t bands,
                              const gt_mel_weights_options *given)
{
    gt_mel_weights_options options;
    GT_TAKE(gt_mel_weights_options, &options, given);
    double rate = options.sampling_rate, low = options.min_freq;
    double high = options.max_freq == GT_INHERIT ? rate / 2 : options.max_freq;
    if (frequencies < 2 || bands < 1 || bands > INT32_MAX ||
        !(rate > 0 && low >= 0 && high > low) || !isfinite(high)) {
        gt_fail(GT_INVALID,
                "there must be at least 2 frequencies and 1 band, and a range of frequencies >= 0 "
                "(got %lld "
                "and %lld, %g to %g)",
                (long long)frequencies, (long long)bands, low, high);
        return NULL;
    }
    double width = (mel(high) - mel(low)) / (double)(bands + 1);
    gt_Tensor *hertz = gt_linspace(0, rate / 2, frequencies, .dtype = GT_FLOAT64);
    gt_Tensor *heard = gt_multiply(gt_log1p(gt_divide(hertz, 700)), 1127);
    gt_Tensor *middles =
        gt_linspace(mel(low) + width, mel(high) - width, bands, .dtype = GT_FLOAT64);
    gt_Tensor *apart = gt_abs(gt_subtract(gt_expand_dims(heard, 1), middles));
    gt_Tensor *triangles = gt_maximum(gt_add(gt_multiply(apart, -1 / width), 1), 0);
    return gt_cast(triangles, options.dtype);
}
GT_COMPOSED(mel_weights,
            (const char *here, int64_t frequencies, int64_t bands,
             const gt_mel_weights_options *options),
            (frequencies, bands, options))

/* 10 log10 of what is at least min_power. An empty batch has no loudest element. */
static gt_Tensor *decibels(gt_Tensor *power, const gt_mel_spectrogram_options *options)
{
    double reference = fmax(fabs(options->ref_power), options->min_power);
    gt_Tensor *loud = gt_multiply(gt_log10(gt_maximum(power, options->min_power)), 10);
    loud = gt_subtract(loud, 10 * log10(reference));
    if (gt_size(loud) == 0)
        return loud;
    return (gt_maximum)(loud, gt_subtract(gt_max(loud), options->top_db));
}

static gt_Tensor *mel_spectrogram(gt_Tensor *x, const gt_mel_spectrogram_options *given)
{
    gt_mel_spectrogram_options options;
    GT_TAKE(gt_mel_spectrogram_options, &options, given);
    int64_t fft = options.fft_length;
    if (gt_dtype(x) == GT_DTYPE_NONE)
        return NULL;
    if (options.power_to_db && !(options.min_power > 0)) {
        gt_fail(GT_INVALID, "min_power must be > 0 (got %g)", options.min_power);
        return NULL;
    }
    x = gt_as_float(x);
    gt_Complex z = gt_stft(x, options.sequence_length == GT_INHERIT ? fft : options.sequence_length,
                           options.sequence_stride, fft, .window = options.window);
    gt_Tensor *power = gt_add(gt_square(z.real), gt_square(z.imag));
    if (options.mag_exp != 2)
        power = gt_power(power, options.mag_exp / 2);
    gt_Tensor *weights = options.weights;
    if (!weights)
        weights = gt_mel_weights(
            fft / 2 + 1, options.num_mel_bins, .sampling_rate = options.sampling_rate,
            .min_freq = options.min_freq, .max_freq = options.max_freq, .dtype = gt_dtype(x));
    gt_Tensor *bands = gt_matmul(power, weights);
    if (options.power_to_db)
        bands = decibels(bands, &options);
    return gt_rank(bands) > 1 ? gt_swapaxes(bands, -1, -2) : NULL;
}
GT_COMPOSED_OPTIONS(mel_spectrogram, mel_spectrogram, gt_mel_spectrogram_options)
