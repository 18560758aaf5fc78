/* Cropping1D, 2D, 3D: the ends of the spatial axes cut off. */
#ifndef GT_LAYERS_RESHAPING_CROPPING_H
#define GT_LAYERS_RESHAPING_CROPPING_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Cropping1D_OPTIONS(F, S)                                                                \
    F(S, gt_Sizes, cropping, 1,                                                                    \
      "off the front of each axis; one number, or one an axis: gt_sizes(1, 2)")                    \
    F(S, gt_Sizes, cropping_after, GT_NONE,                                                        \
      "off the end of each axis; not given: as much as in front")                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Cropping1D_options, gt_Cropping1D_OPTIONS);
typedef gt_Cropping1D_options gt_Cropping3D_options;
#define gt_Cropping2D_OPTIONS(F, S)                                                                \
    F(S, gt_Sizes, cropping, 0,                                                                    \
      "off the front of each axis; one number, or one an axis: gt_sizes(1, 2)")                    \
    F(S, gt_Sizes, cropping_after, GT_NONE,                                                        \
      "off the end of each axis; not given: as much as in front")                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Cropping2D_options, gt_Cropping2D_OPTIONS);
/* gt_Cropping1D(1), gt_Cropping2D(gt_sizes(1, 2), .cropping_after = gt_sizes(0, 3)): without so many places at the ends
 * of the spatial axes; something must be left. Keras's ((1, 0), (2, 3)) is the second of these. The default is 1,
 * but of 2D 0, as in Keras.
 *     1D (batch, steps, channels)    2D (batch, height, width, channels)
 *     3D (batch, depth, height, width, channels) */
#define gt_Cropping1D(...)                                                                         \
    gt_Cropping1D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Cropping1D, cropping, __VA_ARGS__))
GT_API gt_Layer *gt_Cropping1D_at(const char *here, const gt_Cropping1D_options *options);
#define gt_Cropping2D(...)                                                                         \
    gt_Cropping2D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Cropping2D, cropping, __VA_ARGS__))
GT_API gt_Layer *gt_Cropping2D_at(const char *here, const gt_Cropping2D_options *options);
#define gt_Cropping3D(...)                                                                         \
    gt_Cropping3D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Cropping1D, cropping, __VA_ARGS__))
GT_API gt_Layer *gt_Cropping3D_at(const char *here, const gt_Cropping1D_options *options);

GT_END

#endif
