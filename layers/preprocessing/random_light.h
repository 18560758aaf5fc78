/* RandomContrast, RandomBrightness: the light of images in training. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_LIGHT_H
#define GT_LAYERS_PREPROCESSING_RANDOM_LIGHT_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

/* Images as in gt_RandomRotation: new numbers for each image in training, the images as they were in inference. What falls
 * outside of value_range is cut off at its ends. */
#define gt_RandomContrast_OPTIONS(F, S)                                                            \
    F(S, double, factor, (double)NAN, "0 to 1; required")                                          \
    F(S, double, factor_lower, (double)NAN, "Keras's lower, 0 to 1; NAN: 0")                       \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomContrast_options, gt_RandomContrast_OPTIONS);
/* gt_RandomContrast(0.4): (x - mean) c + mean, with the mean of each channel of each image and c from 1 to 1.4: from
 * 1 - factor_lower to 1 + factor. */
#define gt_RandomContrast(...)                                                                     \
    gt_RandomContrast_at(GT_HERE, GT_KEYWORDS_1(gt_RandomContrast, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomContrast_at(const char *here, const gt_RandomContrast_options *options);

#define gt_RandomBrightness_OPTIONS(F, S)                                                          \
    F(S, double, factor, (double)NAN, "-1 to 1; required")                                         \
    F(S, double, factor_lower, (double)NAN, "the other end of the range; NAN: -factor")            \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomBrightness_options, gt_RandomBrightness_OPTIONS);
/* gt_RandomBrightness(0.2): x + d (high - low) of value_range (low, high), d from -0.2 to 0.2. */
#define gt_RandomBrightness(...)                                                                   \
    gt_RandomBrightness_at(GT_HERE, GT_KEYWORDS_1(gt_RandomBrightness, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomBrightness_at(const char *here,
                                        const gt_RandomBrightness_options *options);

GT_END

#endif
