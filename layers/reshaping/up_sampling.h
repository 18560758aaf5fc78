/* UpSampling1D, 2D, 3D: the spatial axes times as long. */
#ifndef GT_LAYERS_RESHAPING_UP_SAMPLING_H
#define GT_LAYERS_RESHAPING_UP_SAMPLING_H

#include "layers/layer.h"
#include "ops/nn/image.h"

GT_BEGIN

#define gt_UpSampling1D_OPTIONS(F, S)                                                              \
    F(S, gt_Sizes, sizes, 2,                                                                       \
      "how often each element stands; one number, or one an axis: gt_sizes(2, 3)")                 \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_UpSampling1D_options, gt_UpSampling1D_OPTIONS);
typedef gt_UpSampling1D_options gt_UpSampling3D_options;
#define gt_UpSampling2D_OPTIONS(F, S)                                                              \
    F(S, gt_Sizes, sizes, 2, "how many times as large; one number, or gt_sizes(2, 3)")             \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_NEAREST,                                \
      "how pixels are weighted; nearest: repeated")                                                \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_UpSampling2D_options, gt_UpSampling2D_OPTIONS);
/* gt_UpSampling1D(2), gt_UpSampling2D(gt_sizes(2, 3), .interpolation = GT_INTERPOLATION_BILINEAR): each spatial axis
 * times as long; elements are repeated, or images resized as gt_resize does.
 *     1D (batch, steps, channels)    2D (batch, height, width, channels)
 *     3D (batch, depth, height, width, channels) */
#define gt_UpSampling1D(...)                                                                       \
    gt_UpSampling1D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_UpSampling1D, sizes, __VA_ARGS__))
GT_API gt_Layer *gt_UpSampling1D_at(const char *here, const gt_UpSampling1D_options *options);
#define gt_UpSampling2D(...)                                                                       \
    gt_UpSampling2D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_UpSampling2D, sizes, __VA_ARGS__))
GT_API gt_Layer *gt_UpSampling2D_at(const char *here, const gt_UpSampling2D_options *options);
#define gt_UpSampling3D(...)                                                                       \
    gt_UpSampling3D_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_UpSampling1D, sizes, __VA_ARGS__))
GT_API gt_Layer *gt_UpSampling3D_at(const char *here, const gt_UpSampling1D_options *options);

GT_END

#endif
