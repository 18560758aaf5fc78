/* SpatialDropout1D, 2D, 3D: whole channels dropped at random while training. */
#ifndef GT_LAYERS_REGULARIZATION_SPATIAL_DROPOUT_H
#define GT_LAYERS_REGULARIZATION_SPATIAL_DROPOUT_H

#include "layers/layer.h"

GT_BEGIN

#define gt_SpatialDropout1D_OPTIONS(F, S)                                                          \
    F(S, double, rate, 0, "how many are dropped, 0 to 1; required")                                \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_SpatialDropout1D_options, gt_SpatialDropout1D_OPTIONS);
typedef gt_SpatialDropout1D_options gt_SpatialDropout2D_options, gt_SpatialDropout3D_options;
/* gt_SpatialDropout2D(0.2): as gt_Dropout, but what falls is a channel of a row, everywhere:
 *     1D (batch, steps, channels)    2D (batch, height, width, channels)
 *     3D (batch, depth, height, width, channels)
 * Neighbours are alike, so dropping single elements would hide little (Tompson et al. 2015). */
#define gt_SpatialDropout1D(...)                                                                   \
    gt_SpatialDropout1D_at(GT_HERE, GT_KEYWORDS_1(gt_SpatialDropout1D, rate, __VA_ARGS__))
GT_API gt_Layer *gt_SpatialDropout1D_at(const char *here,
                                        const gt_SpatialDropout1D_options *options);
#define gt_SpatialDropout2D(...)                                                                   \
    gt_SpatialDropout2D_at(GT_HERE, GT_KEYWORDS_1(gt_SpatialDropout1D, rate, __VA_ARGS__))
GT_API gt_Layer *gt_SpatialDropout2D_at(const char *here,
                                        const gt_SpatialDropout1D_options *options);
#define gt_SpatialDropout3D(...)                                                                   \
    gt_SpatialDropout3D_at(GT_HERE, GT_KEYWORDS_1(gt_SpatialDropout1D, rate, __VA_ARGS__))
GT_API gt_Layer *gt_SpatialDropout3D_at(const char *here,
                                        const gt_SpatialDropout1D_options *options);

GT_END

#endif
