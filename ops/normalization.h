/* Normalization: numbers brought to mean 0 and deviation 1, or to length 1, along axes. Made of
 * operations, so gradients flow through means and variances, too. Floats only. */
#ifndef GT_OPS_NORMALIZATION_H
#define GT_OPS_NORMALIZATION_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/reduce.h"

GT_BEGIN

/* gt_moments(x, &mean, &variance, .axis = 0): both at once, with the axes of gt_mean. The variance
 * is divided by n. NULLs on failure. */
#define gt_moments(x, mean, ...)                                                                   \
    gt_moments_at(GT_HERE, x, mean, GT_FIRST(__VA_ARGS__),                                         \
                  GT_KEYWORDS(gt_ReduceOptions, GT_REDUCE_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_moments_at(const char *here, gt_Tensor *x, gt_Tensor **mean,
                               gt_Tensor **variance, const gt_ReduceOptions *options);

#define GT_BATCH_NORMALIZATION_OPTIONS(F)                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_BatchNormalizationOptions), "for ABI growth")            \
    F(int32_t, axis, -1, "the axis that mean, variance, offset and scale run along")               \
    F(gt_Tensor *, offset, NULL, "added at the end; NULL: nothing")                                \
    F(gt_Tensor *, scale, NULL, "a factor before that; NULL: none")                                \
    F(double, epsilon, 1e-3, "added to the variance")
typedef struct gt_BatchNormalizationOptions gt_BatchNormalizationOptions;
struct gt_BatchNormalizationOptions {
    GT_BATCH_NORMALIZATION_OPTIONS(GT_MEMBER)
};
/* (x - mean) / sqrt(variance + epsilon) scale + offset, with one number for each index of an axis:
 * gt_batch_normalization(x, mean, variance, .scale = gamma, .offset = beta). */
#define gt_batch_normalization(...)                                                                \
    gt_batch_normalization_at(                                                                     \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__), GT_THIRD(__VA_ARGS__),             \
        GT_KEYWORDS(gt_BatchNormalizationOptions, GT_BATCH_NORMALIZATION_OPTIONS,                  \
                    GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_batch_normalization_at(const char *here, gt_Tensor *x, gt_Tensor *mean,
                                            gt_Tensor *variance,
                                            const gt_BatchNormalizationOptions *options);
GT_API gt_Tensor *(gt_batch_normalization)(gt_Tensor *x, gt_Tensor *mean, gt_Tensor *variance);

/* What the following have in common: which axes are looked at together. */
#define GT_NORMALIZED_AXES(F)                                                                      \
    F(int32_t, axis, -1, "the axis that is normalized")                                            \
    F(gt_Axes, axes, GT_ALL_AXES, "several axes instead; all: what axis says")

#define GT_LAYER_NORMALIZATION_OPTIONS(F)                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_LayerNormalizationOptions), "for ABI growth")            \
    GT_NORMALIZED_AXES(F)                                                                          \
    F(gt_Tensor *, gamma, NULL, "a factor, of the shape of the axes; NULL: none")                  \
    F(gt_Tensor *, beta, NULL, "added at the end, likewise; NULL: nothing")                        \
    F(double, epsilon, 1e-7, "added to the variance; the layer's default is 1e-3")
typedef struct gt_LayerNormalizationOptions gt_LayerNormalizationOptions;
struct gt_LayerNormalizationOptions {
    GT_LAYER_NORMALIZATION_OPTIONS(GT_MEMBER)
};
/* (x - mean) / sqrt(variance + epsilon) gamma + beta, with mean and variance over the axes. */
#define gt_layer_normalization(...)                                                                \
    gt_layer_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                      \
                              GT_KEYWORDS(gt_LayerNormalizationOptions,                            \
                                          GT_LAYER_NORMALIZATION_OPTIONS,                          \
                                          GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_layer_normalization_at(const char *here, gt_Tensor *x,
                                            const gt_LayerNormalizationOptions *options);
GT_API gt_Tensor *(gt_layer_normalization)(gt_Tensor *x);

#define GT_GROUP_NORMALIZATION_OPTIONS(F)                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_GroupNormalizationOptions), "for ABI growth")            \
    F(int64_t, groups, 32, "how many; -1: one for each channel")                                   \
    F(int32_t, axis, -1, "the axis of the channels")                                               \
    F(gt_Tensor *, gamma, NULL, "a factor for each channel; NULL: none")                           \
    F(gt_Tensor *, beta, NULL, "added to each channel at the end; NULL: nothing")                  \
    F(double, epsilon, 1e-3, "added to the variance")
typedef struct gt_GroupNormalizationOptions gt_GroupNormalizationOptions;
struct gt_GroupNormalizationOptions {
    GT_GROUP_NORMALIZATION_OPTIONS(GT_MEMBER)
};
/* The channels in groups of neighbours; of each group of each sample the mean and the variance over
 * everything. */
#define gt_group_normalization(...)                                                                \
    gt_group_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                      \
                              GT_KEYWORDS(gt_GroupNormalizationOptions,                            \
                                          GT_GROUP_NORMALIZATION_OPTIONS,                          \
                                          GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_group_normalization_at(const char *here, gt_Tensor *x,
                                            const gt_GroupNormalizationOptions *options);
GT_API gt_Tensor *(gt_group_normalization)(gt_Tensor *x);

#define GT_RMS_NORMALIZATION_OPTIONS(F)                                                            \
    F(uint32_t, size, (uint32_t)sizeof(gt_RmsNormalizationOptions), "for ABI growth")              \
    GT_NORMALIZED_AXES(F)                                                                          \
    F(gt_Tensor *, scale, NULL, "a factor, of the shape of the axes; NULL: none")                  \
    F(double, epsilon, 1e-7, "added to the mean square; the layer's default is 1e-6")
typedef struct gt_RmsNormalizationOptions gt_RmsNormalizationOptions;
struct gt_RmsNormalizationOptions {
    GT_RMS_NORMALIZATION_OPTIONS(GT_MEMBER)
};
/* x / sqrt(mean(x^2) + epsilon) scale */
#define gt_rms_normalization(...)                                                                  \
    gt_rms_normalization_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                        \
                            GT_KEYWORDS(gt_RmsNormalizationOptions, GT_RMS_NORMALIZATION_OPTIONS,  \
                                        GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_rms_normalization_at(const char *here, gt_Tensor *x,
                                          const gt_RmsNormalizationOptions *options);
GT_API gt_Tensor *(gt_rms_normalization)(gt_Tensor *x);

#define GT_NORMALIZE_OPTIONS(F)                                                                    \
    F(uint32_t, size, (uint32_t)sizeof(gt_NormalizeOptions), "for ABI growth")                     \
    GT_NORMALIZED_AXES(F)                                                                          \
    F(int32_t, order, 2, "which norm: (sum of |x|^order)^(1/order); >= 1")                         \
    F(double, epsilon, 1e-12, "what is shorter is divided by this instead")
typedef struct gt_NormalizeOptions gt_NormalizeOptions;
struct gt_NormalizeOptions {
    GT_NORMALIZE_OPTIONS(GT_MEMBER)
};
/* x over its norm along the axes; zeros stay zeros. */
#define gt_normalize(...)                                                                          \
    gt_normalize_at(                                                                               \
        GT_HERE, GT_FIRST(__VA_ARGS__),                                                            \
        GT_KEYWORDS(gt_NormalizeOptions, GT_NORMALIZE_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_normalize_at(const char *here, gt_Tensor *x,
                                  const gt_NormalizeOptions *options);
GT_API gt_Tensor *(gt_normalize)(gt_Tensor *x);

GT_END

#endif
