/* ZeroPadding1D, 2D, 3D: zeros around the spatial axes. */
#ifndef GT_LAYERS_RESHAPING_ZERO_PADDING_H
#define GT_LAYERS_RESHAPING_ZERO_PADDING_H

#include "layers/layer.h"

GT_BEGIN

#define gt_ZeroPadding1D_OPTIONS(F, S)                                                             \
    F(S, gt_Sizes, padding, 1,                                                                     \
      "in front of each axis; one number, or one an axis: gt_sizes(1, 2)")                         \
    F(S, gt_Sizes, padding_after, GT_NONE, "behind each axis; not given: as many as in front")     \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_ZeroPadding1D_options, gt_ZeroPadding1D_OPTIONS);
typedef gt_ZeroPadding1D_options gt_ZeroPadding2D_options, gt_ZeroPadding3D_options;
/* gt_ZeroPadding2D(1), gt_ZeroPadding2D(gt_sizes(0, 1), .padding_after = gt_sizes(2, 3)): zeros around the spatial
 * axes. Keras's ((0, 2), (1, 3)) is the second of these.
 *     1D (batch, steps, channels)    2D (batch, height, width, channels)
 *     3D (batch, depth, height, width, channels) */
#define gt_ZeroPadding1D(...)                                                                      \
    gt_ZeroPadding1D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_ZeroPadding1D, padding, __VA_ARGS__))
GT_API gt_Layer *gt_ZeroPadding1D_at(const char *here, const gt_ZeroPadding1D_options *options);
#define gt_ZeroPadding2D(...)                                                                      \
    gt_ZeroPadding2D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_ZeroPadding1D, padding, __VA_ARGS__))
GT_API gt_Layer *gt_ZeroPadding2D_at(const char *here, const gt_ZeroPadding1D_options *options);
#define gt_ZeroPadding3D(...)                                                                      \
    gt_ZeroPadding3D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_ZeroPadding1D, padding, __VA_ARGS__))
GT_API gt_Layer *gt_ZeroPadding3D_at(const char *here, const gt_ZeroPadding1D_options *options);

GT_END

#endif
