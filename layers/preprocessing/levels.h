/* RandomInvert, Solarization, RandomPosterization, AutoContrast, Equalization: levels of images mapped to others. */
#ifndef GT_LAYERS_PREPROCESSING_LEVELS_H
#define GT_LAYERS_PREPROCESSING_LEVELS_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

/* Images as in gt_RandomRotation; all but AutoContrast change them in training alone. */
#define gt_RandomInvert_OPTIONS(F, S)                                                              \
    F(S, double, factor, 1.0, "how likely an image is inverted: up to that, 0 to 1")               \
    F(S, double, factor_lower, (double)NAN, "and at least that; NAN: 0")                           \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomInvert_options, gt_RandomInvert_OPTIONS);
/* gt_RandomInvert(): high - x, of value_range (low, high). A probability is drawn from the range for each image, so that one
 * number f inverts half of f, as in Keras; .factor = 0.3, .factor_lower = 0.3 inverts three in ten. */
#define gt_RandomInvert(...)                                                                       \
    gt_RandomInvert_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_RandomInvert, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomInvert_at(const char *here, const gt_RandomInvert_options *options);

#define gt_Solarization_OPTIONS(F, S)                                                              \
    F(S, double, addition_factor, 0.0, "added at most, in parts of 255, 0 to 1")                   \
    F(S, double, addition_factor_lower, (double)NAN, "at least, in levels of 255; NAN: 0")         \
    F(S, double, threshold_factor, 0.0, "the largest threshold, in parts of 255, 0 to 1")          \
    F(S, double, threshold_factor_lower, (double)NAN, "the least, in levels of 255; NAN: 0")       \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Solarization_options, gt_Solarization_OPTIONS);
/* gt_Solarization(.threshold_factor = 0.5): in levels from 0 to 255, x + addition, cut off at their ends, and 255 - that where it
 * reaches a threshold; both are drawn for each image. By default all is inverted. The lower ends are from 0 to 1 and, as in
 * Keras, not multiplied by 255. */
#define gt_Solarization(...) gt_Solarization_at(GT_HERE, GT_KEYWORDS(gt_Solarization, __VA_ARGS__))
GT_API gt_Layer *gt_Solarization_at(const char *here, const gt_Solarization_options *options);

#define gt_RandomPosterization_OPTIONS(F, S)                                                       \
    F(S, int64_t, factor, 0, "bits that stay, 1 to 8; required")                                   \
    F(S, int64_t, factor_lower, GT_NONE, "bits at least; GT_NONE: 1")                              \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomPosterization_options, gt_RandomPosterization_OPTIONS);
/* gt_RandomPosterization(5): levels from 0 to 255 with their lower bits 0; how many bits stay is drawn for each image, from
 * factor_lower to factor - 1 as in Keras, or factor where both are the same. What is outside of value_range becomes its end. */
#define gt_RandomPosterization(...)                                                                \
    gt_RandomPosterization_at(GT_HERE, GT_KEYWORDS_1(gt_RandomPosterization, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomPosterization_at(const char *here,
                                           const gt_RandomPosterization_options *options);

#define gt_AutoContrast_OPTIONS(F, S)                                                              \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_AutoContrast_options, gt_AutoContrast_OPTIONS);
/* gt_AutoContrast(): each channel of each image stretched to all of value_range, in training and in inference; a channel of one
 * level stays. */
#define gt_AutoContrast(...) gt_AutoContrast_at(GT_HERE, GT_KEYWORDS(gt_AutoContrast, __VA_ARGS__))
GT_API gt_Layer *gt_AutoContrast_at(const char *here, const gt_AutoContrast_options *options);

#define gt_Equalization_OPTIONS(F, S)                                                              \
    GT_VALUE_RANGE(F, S)                                                                           \
    F(S, int64_t, bins, 256, "levels of the histogram, 2 to 65536")                                \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Equalization_options, gt_Equalization_OPTIONS);
/* gt_Equalization(): levels mapped so that as many numbers of a channel are below any of them as it is high, counted over all
 * images of the batch, as in Keras; a channel of one level stays. In training alone. No gradient comes through. */
#define gt_Equalization(...) gt_Equalization_at(GT_HERE, GT_KEYWORDS(gt_Equalization, __VA_ARGS__))
GT_API gt_Layer *gt_Equalization_at(const char *here, const gt_Equalization_options *options);

GT_END

#endif
