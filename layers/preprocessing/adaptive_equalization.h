/* ContrastLimitedAdaptiveHistogramEqualization: levels that are equally often there in each part of an image. */
#ifndef GT_LAYERS_PREPROCESSING_ADAPTIVE_EQUALIZATION_H
#define GT_LAYERS_PREPROCESSING_ADAPTIVE_EQUALIZATION_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

#define gt_ContrastLimitedAdaptiveHistogramEqualization_OPTIONS(F, S)                              \
    GT_VALUE_RANGE(F, S)                                                                           \
    F(S, double, clip_limit, 4.0, "times the mean count of a level, at most counted; 0: no limit") \
    F(S, gt_Sizes, tile_grid_size, 8, "tiles down and across; one number, or gt_sizes(4, 8)")      \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_ContrastLimitedAdaptiveHistogramEqualization_options,
           gt_ContrastLimitedAdaptiveHistogramEqualization_OPTIONS);
/* gt_ContrastLimitedAdaptiveHistogramEqualization(): CLAHE, in training and in inference (K. Zuiderveld, Contrast Limited
 * Adaptive Histogram Equalization, 1994). The image is cut into tiles, mirrored where they do not fit; in each tile and
 * channel levels are mapped as by gt_Equalization, with a histogram of 256 bins whose counts above the limit are spread
 * over all levels; a pixel is interpolated between the maps of the four tiles around it. Computed in float32, as in Keras,
 * and with 256 numbers a pixel. No gradient comes through. */
#define gt_ContrastLimitedAdaptiveHistogramEqualization(...)                                       \
    gt_ContrastLimitedAdaptiveHistogramEqualization_at(                                            \
        GT_HERE, GT_KEYWORDS(gt_ContrastLimitedAdaptiveHistogramEqualization, __VA_ARGS__))
GT_API gt_Layer *gt_ContrastLimitedAdaptiveHistogramEqualization_at(
    const char *here, const gt_ContrastLimitedAdaptiveHistogramEqualization_options *options);

GT_END

#endif
