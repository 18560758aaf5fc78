/* RandomSharpness, RandomGaussianBlur, RandomErasing: neighbourhoods and rectangles of images in training. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_FILTER_H
#define GT_LAYERS_PREPROCESSING_RANDOM_FILTER_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

/* Images as in gt_RandomRotation. */
#define gt_RandomSharpness_OPTIONS(F, S)                                                           \
    F(S, double, factor, (double)NAN, "0 to 1, a half leaves images alone; required")              \
    F(S, double, factor_lower, (double)NAN, "Keras's lower, 0 to 1; NAN: 0")                       \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomSharpness_options, gt_RandomSharpness_OPTIONS);
/* gt_RandomSharpness(0.8, .factor_lower = 0.5): x + (1 - 2 f) (smooth - x), where smooth is 5/13 of the pixel and 1/13 of each of
 * its eight neighbours, zeros around the image; cut off at the ends of value_range. */
#define gt_RandomSharpness(...)                                                                    \
    gt_RandomSharpness_at(GT_HERE, GT_KEYWORDS_1(gt_RandomSharpness, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomSharpness_at(const char *here, const gt_RandomSharpness_options *options);

#define gt_RandomGaussianBlur_OPTIONS(F, S)                                                        \
    F(S, double, factor, 1.0, "how likely an image is blurred: up to that, 0 to 1")                \
    F(S, double, factor_lower, (double)NAN, "and at least that; NAN: 0")                           \
    F(S, gt_Sizes, kernel_size, 3, "odd; one number, or gt_sizes(rows, columns)")                  \
    F(S, double, sigma, 1.0, "the largest standard deviation in pixels, 0 to 1")                   \
    F(S, double, sigma_lower, (double)NAN, "the least; NAN: 0")                                    \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomGaussianBlur_options, gt_RandomGaussianBlur_OPTIONS);
/* gt_RandomGaussianBlur(.kernel_size = 5): some images blurred, as by gt_gaussian_blur, with a deviation across and one down
 * that are drawn once for the batch; all cut off at the ends of value_range. Images are chosen as by gt_RandomInvert. Of
 * kernels that are not square Keras 3.15 mixes rows and columns up; here rows are rows. */
#define gt_RandomGaussianBlur(...)                                                                 \
    gt_RandomGaussianBlur_at(GT_HERE,                                                              \
                             GT_KEYWORDS_MAYBE_1(gt_RandomGaussianBlur, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomGaussianBlur_at(const char *here,
                                          const gt_RandomGaussianBlur_options *options);

#define gt_RandomErasing_OPTIONS(F, S)                                                             \
    F(S, double, factor, 1.0, "how likely a rectangle is erased: up to that, 0 to 1")              \
    F(S, double, factor_lower, (double)NAN, "and at least that; NAN: 0")                           \
    F(S, double, scale, 0.33, "squares of the parts of height and width at most, 0 to 1")          \
    F(S, double, scale_lower, 0.02, "and at least")                                                \
    F(S, gt_Numbers, fill_value, GT_NO_NUMBERS,                                                    \
      "gt_numbers(0): one number, or three, one a channel; none: normal numbers")                  \
    GT_VALUE_RANGE(F, S)                                                                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomErasing_options, gt_RandomErasing_OPTIONS);
/* gt_RandomErasing(): a rectangle of some images filled, its height and its width the roots of two numbers from the scale,
 * anywhere in the image. It is filled with normal numbers times the upper end of value_range, drawn for each pixel, or with
 * fill_value, cut off at the ends of value_range. Images are chosen as by gt_RandomInvert (Zhong et al. 2017). */
#define gt_RandomErasing(...)                                                                      \
    gt_RandomErasing_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_RandomErasing, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomErasing_at(const char *here, const gt_RandomErasing_options *options);

GT_END

#endif
