/* Fourier transforms. A complex tensor is a pair of real ones of one shape and type, as in Keras, so
 * everything that is made for real tensors works on its parts, gradients too: what is differentiated
 * is always a real number, with respect to the real and the imaginary part. Lengths may be any; those
 * without large prime factors are fastest. float32 and float64. */
#ifndef GT_OPS_FOURIER_H
#define GT_OPS_FOURIER_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* ---- complex numbers ---- */

/* Keras's real(z) and imag(z) are z.real and z.imag. What fails returns a pair of NULL. */
typedef struct gt_Complex {
    gt_Tensor *real, *imag;
} gt_Complex;

/* gt_complex(a, b) is a + ib, of one shape and type; b may be a C number: gt_complex(a, 0). */
#define gt_complex(real, imag) gt_complex_at(GT_HERE, real, gt_operand(imag))
GT_API gt_Complex gt_complex_at(const char *here, gt_Tensor *real, gt_Operand imag);
/* a b and a / b, with broadcasting. The quotient is a b* / |b|^2: |b|^2 must be neither 0 nor beyond
 * the range of the type. */
#define gt_complex_multiply(a, b) gt_complex_multiply_at(GT_HERE, a, b)
GT_API gt_Complex gt_complex_multiply_at(const char *here, gt_Complex a, gt_Complex b);
#define gt_complex_divide(a, b) gt_complex_divide_at(GT_HERE, a, b)
GT_API gt_Complex gt_complex_divide_at(const char *here, gt_Complex a, gt_Complex b);
/* |z|, without overflow; its gradient at 0 is 0. */
#define gt_complex_abs(z) gt_complex_abs_at(GT_HERE, z)
GT_API gt_Tensor *gt_complex_abs_at(const char *here, gt_Complex z);
/* The angle of z in (-pi, pi]; its gradient at 0 is NaN. */
#define gt_angle(z) gt_angle_at(GT_HERE, z)
GT_API gt_Tensor *gt_angle_at(const char *here, gt_Complex z);
/* z*: the imaginary part with the other sign. */
#define gt_conj(z) gt_conj_at(GT_HERE, z)
GT_API gt_Complex gt_conj_at(const char *here, gt_Complex z);
/* x (..., 2), the parts of each number beside each other, as a complex tensor (...), and back. */
#define gt_view_as_complex(x) gt_view_as_complex_at(GT_HERE, x)
GT_API gt_Complex gt_view_as_complex_at(const char *here, gt_Tensor *x);
#define gt_view_as_real(z) gt_view_as_real_at(GT_HERE, z)
GT_API gt_Tensor *gt_view_as_real_at(const char *here, gt_Complex z);

/* ---- transforms ---- */

#define gt_fft_OPTIONS(F, S) F(S, int32_t, axis, -1, "along this axis")
GT_OPTIONS(gt_fft_options, gt_fft_OPTIONS);
typedef gt_fft_options gt_ifft_options;
#define GT_FFT_KEYWORDS_(...) GT_KEYWORDS(gt_fft, __VA_ARGS__)
/* The discrete Fourier transform y[k] = sum x[j] e^(-2 pi i j k / n) along the last axis, or another
 * one: gt_fft(z, .axis = 0). The inverse has e^(+2 pi i j k / n) and 1 / n. The axis must not be
 * empty. */
#define gt_fft(...)                                                                                \
    gt_fft_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_FFT_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Complex gt_fft_at(const char *here, gt_Complex z, const gt_fft_options *options);
#define gt_ifft(...)                                                                               \
    gt_ifft_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_FFT_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Complex gt_ifft_at(const char *here, gt_Complex z, const gt_fft_options *options);
/* The same along the last two axes. */
#define gt_fft2(z) gt_fft2_at(GT_HERE, z)
GT_API gt_Complex gt_fft2_at(const char *here, gt_Complex z);
#define gt_ifft2(z) gt_ifft2_at(GT_HERE, z)
GT_API gt_Complex gt_ifft2_at(const char *here, gt_Complex z);

#define gt_rfft_OPTIONS(F, S) F(S, int64_t, fft_length, GT_NONE, "n; GT_NONE: what fits the input")
GT_OPTIONS(gt_rfft_options, gt_rfft_OPTIONS);
typedef gt_rfft_options gt_irfft_options;
#define GT_RFFT_KEYWORDS_(...) GT_KEYWORDS(gt_rfft, __VA_ARGS__)
/* Of n real numbers, the last axis of x, cropped or filled with zeros to fft_length if that is given:
 * the first n / 2 + 1 numbers of their transform. The others are these, conjugate, backwards. */
#define gt_rfft(...)                                                                               \
    gt_rfft_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_RFFT_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Complex gt_rfft_at(const char *here, gt_Tensor *x, const gt_rfft_options *options);
/* The n real numbers whose transform begins with z, cropped or filled with zeros to n / 2 + 1
 * numbers; n is fft_length, or 2 (m - 1) for the m numbers of z. The imaginary parts of the first
 * number and, for even n, of the last are taken as 0. gt_irfft(gt_rfft(x), .fft_length = n) is x. */
#define gt_irfft(...)                                                                              \
    gt_irfft_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_RFFT_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_irfft_at(const char *here, gt_Complex z, const gt_rfft_options *options);

/* ---- over time ---- */

/* Sequences of `sequence_length` neighbours, each beginning `sequence_stride` after the one before:
 * (..., n) to (..., 1 + (n - sequence_length) / sequence_stride, sequence_length). n must not be less
 * than a sequence. Any type. */
#define gt_extract_sequences(x, sequence_length, sequence_stride)                                  \
    gt_extract_sequences_at(GT_HERE, x, sequence_length, sequence_stride)
GT_API gt_Tensor *gt_extract_sequences_at(const char *here, gt_Tensor *x, int64_t sequence_length,
                                          int64_t sequence_stride);

/* With a period of sequence_length: 1/2 - 1/2 cos; 0.54 - 0.46 cos. */
typedef enum gt_Window { GT_WINDOW_HANN = 0, GT_WINDOW_HAMMING = 1, GT_WINDOW_NONE = 2 } gt_Window;

#define gt_stft_OPTIONS(F, S)                                                                      \
    F(S, gt_Window, window, GT_WINDOW_HANN, "what each sequence is multiplied with")               \
    F(S, gt_Tensor *, weights, NULL, "(sequence_length): a window of one's own, instead")          \
    F(S, bool, center, true, "sequence t is around t * sequence_stride, or else begins there")     \
    F(S, int64_t, length, GT_NONE, "gt_istft: numbers of the result; GT_NONE: as many as there are")
GT_OPTIONS(gt_stft_options, gt_stft_OPTIONS);
typedef gt_stft_options gt_istft_options;
#define GT_STFT_(function, x, sequence_length, sequence_stride, ...)                               \
    function(GT_HERE, x, sequence_length, sequence_stride, GT_FIRST(__VA_ARGS__),                  \
             GT_KEYWORDS(gt_stft, GT_AFTER_1(__VA_ARGS__)))
/* gt_stft(x, 400, 160, 512): the gt_rfft of windowed sequences of x (..., n), n > fft_length / 2,
 * filled with zeros on both sides to fft_length >= sequence_length: (..., sequences, fft_length / 2
 * + 1). With .center, x is first continued by its mirror image, fft_length / 2 numbers on each side.
 * Differentiable in x and in the weights. */
#define gt_stft(x, sequence_length, sequence_stride, ...)                                          \
    GT_STFT_(gt_stft_at, x, sequence_length, sequence_stride, __VA_ARGS__)
GT_API gt_Complex gt_stft_at(const char *here, gt_Tensor *x, int64_t sequence_length,
                             int64_t sequence_stride, int64_t fft_length,
                             const gt_stft_options *options);
/* Back, with the same arguments: the sequences, windowed again, added where they belong, and divided
 * by the sum of the squares of the windows there (where that is more than 1e-10), as SciPy does it;
 * D. Griffin and J. Lim, Signal estimation from modified short-time Fourier transform (1984). So
 * gt_istft(gt_stft(x, ...), ..., .length = n) is x wherever a window is not 0. (Keras without a window
 * does not divide, and gives a multiple of x.) With a length, what is missing at the end is 0. */
#define gt_istft(z, sequence_length, sequence_stride, ...)                                         \
    GT_STFT_(gt_istft_at, z, sequence_length, sequence_stride, __VA_ARGS__)
GT_API gt_Tensor *gt_istft_at(const char *here, gt_Complex z, int64_t sequence_length,
                              int64_t sequence_stride, int64_t fft_length,
                              const gt_stft_options *options);

GT_END

#endif
