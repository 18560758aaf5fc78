/* RandomHue, RandomSaturation, RandomColorDegeneration, RandomGrayscale, RandomColorJitter: the colours of images in training. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_COLOR_H
#define GT_LAYERS_PREPROCESSING_RANDOM_COLOR_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

/* Images as in gt_RandomRotation, with the three channels red, green and blue: new numbers for each image in training, the
 * images as they were in inference. */
#define gt_RandomHue_OPTIONS(F, S)                                                                 \
    F(S, double, factor, (double)NAN, "halves of the circle of colours, 0 to 1; required")         \
    F(S, double, factor_lower, (double)NAN, "Keras's lower, 0 to 1; NAN: 0")                       \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomHue_options, gt_RandomHue_OPTIONS);
/* gt_RandomHue(0.2): hues moved by up to a tenth of the circle, either way. */
#define gt_RandomHue(...) gt_RandomHue_at(GT_HERE, GT_KEYWORDS_1(gt_RandomHue, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomHue_at(const char *here, const gt_RandomHue_options *options);

#define gt_RandomSaturation_OPTIONS(F, S)                                                          \
    F(S, double, factor, (double)NAN, "-1 to 1, a half leaves images alone; required")             \
    F(S, double, factor_lower, (double)NAN, "the other end of the range; NAN: -factor")            \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomSaturation_options, gt_RandomSaturation_OPTIONS);
/* gt_RandomSaturation(0.7, .factor_lower = 0.3): saturations times f / (1 - f + 1e-7): 0 is grey, 1/2 leaves images alone. As in
 * Keras, saturations themselves are cut off at the ends of value_range: with (0, 1) colours stay colours, with (0, 255) those of
 * more than full saturation leave the range. */
#define gt_RandomSaturation(...)                                                                   \
    gt_RandomSaturation_at(GT_HERE, GT_KEYWORDS_1(gt_RandomSaturation, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomSaturation_at(const char *here,
                                        const gt_RandomSaturation_options *options);

#define gt_RandomColorDegeneration_OPTIONS(F, S) gt_RandomSaturation_OPTIONS(F, S)
GT_OPTIONS(gt_RandomColorDegeneration_options, gt_RandomColorDegeneration_OPTIONS);
/* gt_RandomColorDegeneration(0.5, .factor_lower = 0): x + f (grey - x), cut off at the ends of value_range: 0 leaves images
 * alone, 1 is grey, below 0 is colourful. */
#define gt_RandomColorDegeneration(...)                                                            \
    gt_RandomColorDegeneration_at(GT_HERE,                                                         \
                                  GT_KEYWORDS_1(gt_RandomColorDegeneration, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomColorDegeneration_at(const char *here,
                                               const gt_RandomColorDegeneration_options *options);

#define gt_RandomGrayscale_OPTIONS(F, S)                                                           \
    F(S, double, factor, 0.5, "how many images become grey, 0 to 1")                               \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomGrayscale_options, gt_RandomGrayscale_OPTIONS);
/* gt_RandomGrayscale(0.3): three in ten images grey, in three channels still. */
#define gt_RandomGrayscale(...)                                                                    \
    gt_RandomGrayscale_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_RandomGrayscale, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomGrayscale_at(const char *here, const gt_RandomGrayscale_options *options);

#define gt_RandomColorJitter_OPTIONS(F, S)                                                         \
    GT_VALUE_RANGE(F, S)                                                                           \
    F(S, double, brightness_factor, (double)NAN, "as of gt_RandomBrightness; NAN: none")           \
    F(S, double, brightness_factor_lower, (double)NAN, "the other end; NAN: -brightness_factor")   \
    F(S, double, contrast_factor, (double)NAN, "as of gt_RandomContrast; NAN: none")               \
    F(S, double, contrast_factor_lower, (double)NAN, "Keras's lower; NAN: 0")                      \
    F(S, double, saturation_factor, (double)NAN, "as of gt_RandomSaturation; NAN: none")           \
    F(S, double, saturation_factor_lower, (double)NAN, "the other end; NAN: -saturation_factor")   \
    F(S, double, hue_factor, (double)NAN, "as of gt_RandomHue; NAN: none")                         \
    F(S, double, hue_factor_lower, (double)NAN, "Keras's lower; NAN: 0")                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomColorJitter_options, gt_RandomColorJitter_OPTIONS);
/* gt_RandomColorJitter(.brightness_factor = 0.2, .hue_factor = 0.1): RandomBrightness, RandomContrast, RandomSaturation and
 * RandomHue, those of them that have a factor, in this order. */
#define gt_RandomColorJitter(...)                                                                  \
    gt_RandomColorJitter_at(GT_HERE, GT_KEYWORDS(gt_RandomColorJitter, __VA_ARGS__))
GT_API gt_Layer *gt_RandomColorJitter_at(const char *here,
                                         const gt_RandomColorJitter_options *options);

GT_END

#endif
