/* Normalization: numbers brought to mean 0 and deviation 1, or to length 1, along axes. Made of
 * operations, so gradients flow through means and variances, too. Floats only. */
#ifndef GT_OPS_NORMALIZATION_H
#define GT_OPS_NORMALIZATION_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/reduce.h"

GT_BEGIN

#define gt_moments_OPTIONS(F, S)                                                                   \
    gt_sum_OPTIONS(F, S)                                                                           \
        F(S, gt_Tensor *, mask, NULL, "bool, over leading axes of x: what counts; NULL: all")
GT_OPTIONS(gt_moments_options, gt_moments_OPTIONS);
/* gt_moments(x, &mean, &variance, .axis = 0): both at once, with the axes of gt_mean. The variance
 * is divided by n. NULLs on failure. With a mask, n counts what it lets in, and 1e-7 is added to it, as
 * Keras's BatchNormalization does: where nothing counts both are 0. */
#define gt_moments(x, mean, ...)                                                                   \
    gt_moments_at(GT_HERE, x, mean, GT_FIRST(__VA_ARGS__),                                         \
                  GT_KEYWORDS(gt_moments, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_moments_at(const char *here, gt_Tensor *x, gt_Tensor **mean,
                               gt_Tensor **variance, const gt_moments_options *options);

#define gt_batch_normalization_OPTIONS(F, S)                                                       \
    F(S, int32_t, axis, -1, "the axis that mean, variance, offset and scale run along")            \
    F(S, gt_Tensor *, offset, NULL, "added at the end; NULL: nothing")                             \
    F(S, gt_Tensor *, scale, NULL, "a factor before that; NULL: none")                             \
    F(S, double, epsilon, 1e-3, "added to the variance")
GT_OPTIONS(gt_batch_normalization_options, gt_batch_normalization_OPTIONS);
/* (x - mean) / sqrt(variance + epsilon) scale + offset, with one number for each index of an axis:
 * gt_batch_normalization(x, mean, variance, .scale = gamma, .offset = beta). */
#define gt_batch_normalization(...)                                                                \
    gt_batch_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),              \
                              GT_THIRD(__VA_ARGS__),                                               \
                              GT_KEYWORDS(gt_batch_normalization, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_batch_normalization_at(const char *here, gt_Tensor *x, gt_Tensor *mean,
                                            gt_Tensor *variance,
                                            const gt_batch_normalization_options *options);
GT_API gt_Tensor *(gt_batch_normalization)(gt_Tensor *x, gt_Tensor *mean, gt_Tensor *variance);

/* Common to the following: the axes that are normalized together. */
#define GT_NORMALIZED_AXES(F, S)                                                                   \
    F(S, int32_t, axis, -1, "the axis that is normalized")                                         \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes instead; all: what axis says")

#define gt_layer_normalization_OPTIONS(F, S)                                                       \
    GT_NORMALIZED_AXES(F, S)                                                                       \
    F(S, gt_Tensor *, gamma, NULL, "a factor, of the shape of the axes; NULL: none")               \
    F(S, gt_Tensor *, beta, NULL, "added at the end, likewise; NULL: nothing")                     \
    F(S, double, epsilon, 1e-7, "added to the variance; the layer's default is 1e-3")
GT_OPTIONS(gt_layer_normalization_options, gt_layer_normalization_OPTIONS);
/* (x - mean) / sqrt(variance + epsilon) gamma + beta, with mean and variance over the axes. Of the last axes it is one
 * operation, several times as fast as of others. */
#define gt_layer_normalization(...)                                                                \
    gt_layer_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                      \
                              GT_KEYWORDS(gt_layer_normalization, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_layer_normalization_at(const char *here, gt_Tensor *x,
                                            const gt_layer_normalization_options *options);
GT_API gt_Tensor *(gt_layer_normalization)(gt_Tensor *x);

#define gt_group_normalization_OPTIONS(F, S)                                                       \
    F(S, int64_t, groups, 32, "how many; -1: one for each channel")                                \
    F(S, int32_t, axis, -1, "the axis of the channels")                                            \
    F(S, gt_Tensor *, gamma, NULL, "a factor for each channel; NULL: none")                        \
    F(S, gt_Tensor *, beta, NULL, "added to each channel at the end; NULL: nothing")               \
    F(S, double, epsilon, 1e-3, "added to the variance")
GT_OPTIONS(gt_group_normalization_options, gt_group_normalization_OPTIONS);
/* The channels in groups of neighbours; of each group of each sample the mean and the variance over
 * everything. One group is a layer normalization, and as fast. */
#define gt_group_normalization(...)                                                                \
    gt_group_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                      \
                              GT_KEYWORDS(gt_group_normalization, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_group_normalization_at(const char *here, gt_Tensor *x,
                                            const gt_group_normalization_options *options);
GT_API gt_Tensor *(gt_group_normalization)(gt_Tensor *x);

#define gt_rms_normalization_OPTIONS(F, S)                                                         \
    GT_NORMALIZED_AXES(F, S)                                                                       \
    F(S, gt_Tensor *, scale, NULL, "a factor, of the shape of the axes; NULL: none")               \
    F(S, double, epsilon, 1e-7, "added to the mean square; the layer's default is 1e-6")
GT_OPTIONS(gt_rms_normalization_options, gt_rms_normalization_OPTIONS);
/* x / sqrt(mean(x^2) + epsilon) scale; fast of the last axes, too. */
#define gt_rms_normalization(...)                                                                  \
    gt_rms_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                        \
                            GT_KEYWORDS(gt_rms_normalization, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_rms_normalization_at(const char *here, gt_Tensor *x,
                                          const gt_rms_normalization_options *options);
GT_API gt_Tensor *(gt_rms_normalization)(gt_Tensor *x);

#define gt_normalize_OPTIONS(F, S)                                                                 \
    GT_NORMALIZED_AXES(F, S)                                                                       \
    F(S, int32_t, order, 2, "which norm: (sum of |x|^order)^(1/order); >= 1")                      \
    F(S, double, epsilon, 1e-12, "what is shorter is divided by this instead")
GT_OPTIONS(gt_normalize_options, gt_normalize_OPTIONS);
/* x over its norm along the axes; zeros stay zeros. */
#define gt_normalize(...)                                                                          \
    gt_normalize_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                \
                    GT_KEYWORDS(gt_normalize, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_normalize_at(const char *here, gt_Tensor *x,
                                  const gt_normalize_options *options);
GT_API gt_Tensor *(gt_normalize)(gt_Tensor *x);

#define gt_spectral_normalization_OPTIONS(F, S)                                                    \
    F(S, int64_t, power_iterations, 1, "how often the vector is improved, >= 1")
GT_OPTIONS(gt_spectral_normalization_options, gt_spectral_normalization_OPTIONS);
/* A kernel whose largest singular value is 1, and the vector that goes into the next call. */
typedef struct gt_UnitKernel {
    gt_Tensor *kernel, *u; /* both NULL on failure */
} gt_UnitKernel;
/* gt_spectral_normalization(kernel, u): the kernel over its largest singular value, as a matrix (...,
 * channels). The value is found by power iteration from u, (1, channels), near the singular vector; the
 * next u is nearer to it, and no gradient goes through it. A kernel of zeros stays as it is, and so does
 * u (Miyato et al. 2018). */
#define gt_spectral_normalization(...)                                                             \
    gt_spectral_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),           \
                                 GT_KEYWORDS(gt_spectral_normalization, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_UnitKernel gt_spectral_normalization_at(const char *here, gt_Tensor *kernel, gt_Tensor *u,
                                                  const gt_spectral_normalization_options *options);

GT_END

#endif
