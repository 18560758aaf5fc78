/* STFTSpectrogram, MelSpectrogram: sound as pictures of its frequencies. */
#ifndef GT_LAYERS_PREPROCESSING_SPECTROGRAM_H
#define GT_LAYERS_PREPROCESSING_SPECTROGRAM_H

#include "layers/layer.h"
#include "ops/math/fourier.h"
#include "ops/nn/convolution.h"

GT_BEGIN

/* What is made of the real part r and the imaginary part i of each frequency. */
typedef enum gt_SpectrogramMode {
    GT_SPECTROGRAM_MODE_LOG,       /* the logarithm of the magnitude, which is at least 1e-7 */
    GT_SPECTROGRAM_MODE_MAGNITUDE, /* sqrt(max(r^2 + i^2, 1e-7)) */
    GT_SPECTROGRAM_MODE_PSD, /* r^2 + i^2, twice that but for the first and the last frequency */
    GT_SPECTROGRAM_MODE_REAL,
    GT_SPECTROGRAM_MODE_IMAG,
    GT_SPECTROGRAM_MODE_ANGLE, /* arctan2(i, r) */
    GT_SPECTROGRAM_MODE_STFT   /* r of all frequencies, then i of all */
} gt_SpectrogramMode;

#define gt_STFTSpectrogram_OPTIONS(F, S)                                                           \
    F(S, gt_SpectrogramMode, mode, GT_SPECTROGRAM_MODE_LOG, "what is made of a frequency")         \
    F(S, int64_t, frame_length, 256, "numbers of a frame, > 1")                                    \
    F(S, int64_t, frame_step, GT_NONE,                                                             \
      "from one frame to the next, up to frame_length; GT_NONE: half of that")                     \
    F(S, int64_t, fft_length, GT_NONE,                                                             \
      "of the transform, from frame_length on; GT_NONE: the next power of two")                    \
    F(S, gt_Window, window, GT_WINDOW_HANN, "what a frame is multiplied with")                     \
    F(S, bool, periodic, false, "the window: of that length plus one, without its last")           \
    F(S, gt_StftScaling, scaling, GT_STFT_SCALING_DENSITY, "of the window, where there is one")    \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    F(S, bool, expand_dims, false, "frequencies and channels as two axes")                         \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_STFTSpectrogram_options, gt_STFTSpectrogram_OPTIONS);
/* gt_STFTSpectrogram(.mode = GT_SPECTROGRAM_MODE_PSD): signals (batch, time, channels) as (batch, frames, channels times
 * frequencies), those of a channel beside each other, or with expand_dims (batch, frames, frequencies, channels); there are
 * fft_length / 2 + 1 frequencies, twice that in mode STFT. It is a convolution over time whose kernels, real_kernel and
 * imag_kernel (frame_length, 1, frequencies), start as a short-time Fourier transform (gt_STFTInitializer) and are trained
 * unless `.trainable = false`; mode REAL has no imag_kernel, IMAG no real_kernel. Masks end here. */
#define gt_STFTSpectrogram(...)                                                                    \
    gt_STFTSpectrogram_at(GT_HERE, GT_KEYWORDS(gt_STFTSpectrogram, __VA_ARGS__))
GT_API gt_Layer *gt_STFTSpectrogram_at(const char *here, const gt_STFTSpectrogram_options *options);

#define gt_MelSpectrogram_OPTIONS(F, S)                                                            \
    F(S, int64_t, fft_length, 2048, "numbers of a transform, >= sequence_length")                  \
    F(S, int64_t, sequence_stride, 512, "from one sequence to the next, > 0")                      \
    F(S, int64_t, sequence_length, GT_INHERIT, "of a sequence; GT_INHERIT: fft_length")            \
    F(S, gt_Window, window, GT_WINDOW_HANN, "what each sequence is multiplied with")               \
    F(S, double, sampling_rate, 16000, "numbers a second, > 0")                                    \
    F(S, int64_t, num_mel_bins, 128, "how many bands, > 0")                                        \
    F(S, double, min_freq, 20.0, "where the first band begins, in hertz, >= 0")                    \
    F(S, double, max_freq, GT_INHERIT, "where the last one ends; GT_INHERIT: sampling_rate / 2")   \
    F(S, bool, power_to_db, true, "decibels: 10 log10, relative to ref_power")                     \
    F(S, double, top_db, 80.0,                                                                     \
      "what is so many decibels below the loudest of the batch is raised to that")                 \
    F(S, double, mag_exp, 2.0, "the power of the magnitudes that is added up; 2: of energies")     \
    F(S, double, min_power, 1e-10, "what is less than that is as loud as that, > 0")               \
    F(S, double, ref_power, 1.0, "what has 0 decibels")                                            \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_MelSpectrogram_options, gt_MelSpectrogram_OPTIONS);
/* gt_MelSpectrogram(.num_mel_bins = 80): sound (..., time) as (..., bands, frames), by gt_mel_spectrogram, the same in training and
 * inference. It has no weights. Integers become floats. Masks end here. */
#define gt_MelSpectrogram(...)                                                                     \
    gt_MelSpectrogram_at(GT_HERE, GT_KEYWORDS(gt_MelSpectrogram, __VA_ARGS__))
GT_API gt_Layer *gt_MelSpectrogram_at(const char *here, const gt_MelSpectrogram_options *options);

GT_END

#endif
