/* Spectrograms on the mel scale, which is even to the ear: mel(f) = 1127 log(1 + f / 700), f in hertz. */
#ifndef GT_OPS_MEL_H
#define GT_OPS_MEL_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/fourier.h"

GT_BEGIN

#define gt_mel_weights_OPTIONS(F, S)                                                               \
    F(S, double, sampling_rate, 16000, "numbers a second, > 0")                                    \
    F(S, double, min_freq, 20, "where the first band begins, in hertz, >= 0")                      \
    F(S, double, max_freq, GT_INHERIT, "where the last one ends; GT_INHERIT: sampling_rate / 2")   \
    F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result, floats")
GT_OPTIONS(gt_mel_weights_options, gt_mel_weights_OPTIONS);
/* gt_mel_weights(257, 40): (frequencies, bands), by which a spectrum of frequencies that are evenly spaced
 * from 0 to sampling_rate / 2 is multiplied. Bands are triangles of height 1 on the mel scale, evenly
 * spaced there, each from the middle of the one before to the middle of the next. */
#define gt_mel_weights(frequencies, ...)                                                           \
    gt_mel_weights_at(GT_HERE, frequencies, GT_FIRST(__VA_ARGS__),                                 \
                      GT_KEYWORDS(gt_mel_weights, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_mel_weights_at(const char *here, int64_t frequencies, int64_t bands,
                                    const gt_mel_weights_options *options);

#define gt_mel_spectrogram_OPTIONS(F, S)                                                           \
    F(S, int64_t, fft_length, 2048, "see gt_stft; as many numbers are a sequence")                 \
    F(S, int64_t, sequence_length, GT_INHERIT, "or so many, filled up with zeros")                 \
    F(S, int64_t, sequence_stride, 512, "from one sequence to the next")                           \
    F(S, gt_Window, window, GT_WINDOW_HANN, "what each sequence is multiplied with")               \
    F(S, double, sampling_rate, 16000, "numbers a second, > 0")                                    \
    F(S, int64_t, num_mel_bins, 128, "how many bands")                                             \
    F(S, double, min_freq, 20, "where the first band begins, in hertz")                            \
    F(S, double, max_freq, GT_INHERIT, "where the last one ends; GT_INHERIT: sampling_rate / 2")   \
    F(S, bool, power_to_db, true, "decibels: 10 log10, relative to ref_power")                     \
    F(S, double, top_db, 80,                                                                       \
      "what is so many decibels below the loudest of all is raised to that")                       \
    F(S, double, mag_exp, 2, "the power of the magnitudes that is added up; 2: of energies")       \
    F(S, double, min_power, 1e-10, "what is less than that is as loud as that, > 0")               \
    F(S, double, ref_power, 1, "what has 0 decibels")                                              \
    F(S, gt_Tensor *, weights, NULL, "of gt_mel_weights, where they are kept; NULL: made anew")
GT_OPTIONS(gt_mel_spectrogram_options, gt_mel_spectrogram_OPTIONS);
/* gt_mel_spectrogram(x): sound (..., n) as (..., num_mel_bins, sequences), what Keras's layer MelSpectrogram
 * computes: a centred gt_stft, the power of its magnitudes, bands of it, decibels. */
#define gt_mel_spectrogram(...)                                                                    \
    gt_mel_spectrogram_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                          \
                          GT_KEYWORDS(gt_mel_spectrogram, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_mel_spectrogram_at(const char *here, gt_Tensor *x,
                                        const gt_mel_spectrogram_options *options);
GT_API gt_Tensor *(gt_mel_spectrogram)(gt_Tensor *x);

GT_END

#endif
