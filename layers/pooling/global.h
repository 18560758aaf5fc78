/* The largest number, or the mean, of each channel of an image (batch, spatial..., channels). */
#ifndef GT_LAYERS_POOLING_GLOBAL_H
#define GT_LAYERS_POOLING_GLOBAL_H

#include "layers/layer.h"

GT_BEGIN

#define gt_GlobalMaxPooling1D_OPTIONS(F, S)                                                        \
    F(S, bool, keepdims, false, "spatial axes stay, with size 1")                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_GlobalMaxPooling1D_options, gt_GlobalMaxPooling1D_OPTIONS);
typedef gt_GlobalMaxPooling1D_options gt_GlobalMaxPooling2D_options, gt_GlobalMaxPooling3D_options,
    gt_GlobalAveragePooling1D_options, gt_GlobalAveragePooling2D_options,
    gt_GlobalAveragePooling3D_options;

/* gt_GlobalAveragePooling2D(), gt_GlobalMaxPooling2D(.keepdims = true): x (batch, spatial..., channels) gives (batch,
 * channels), or (batch, 1..., channels) with keepdims. gt_GlobalAveragePooling1D leaves out the steps that are masked:
 * the sum of the others, divided by how many they are (NaN if there is none). No weights; masks end here. */
#define gt_GlobalMaxPooling1D(...)                                                                 \
    gt_GlobalMaxPooling1D_at(GT_HERE, GT_KEYWORDS(gt_GlobalMaxPooling1D, __VA_ARGS__))
#define gt_GlobalMaxPooling2D(...)                                                                 \
    gt_GlobalMaxPooling2D_at(GT_HERE, GT_KEYWORDS(gt_GlobalMaxPooling1D, __VA_ARGS__))
#define gt_GlobalMaxPooling3D(...)                                                                 \
    gt_GlobalMaxPooling3D_at(GT_HERE, GT_KEYWORDS(gt_GlobalMaxPooling1D, __VA_ARGS__))
#define gt_GlobalAveragePooling1D(...)                                                             \
    gt_GlobalAveragePooling1D_at(GT_HERE, GT_KEYWORDS(gt_GlobalMaxPooling1D, __VA_ARGS__))
#define gt_GlobalAveragePooling2D(...)                                                             \
    gt_GlobalAveragePooling2D_at(GT_HERE, GT_KEYWORDS(gt_GlobalMaxPooling1D, __VA_ARGS__))
#define gt_GlobalAveragePooling3D(...)                                                             \
    gt_GlobalAveragePooling3D_at(GT_HERE, GT_KEYWORDS(gt_GlobalMaxPooling1D, __VA_ARGS__))
GT_API gt_Layer *gt_GlobalMaxPooling1D_at(const char *here,
                                          const gt_GlobalMaxPooling1D_options *options);
GT_API gt_Layer *gt_GlobalMaxPooling2D_at(const char *here,
                                          const gt_GlobalMaxPooling2D_options *options);
GT_API gt_Layer *gt_GlobalMaxPooling3D_at(const char *here,
                                          const gt_GlobalMaxPooling3D_options *options);
GT_API gt_Layer *gt_GlobalAveragePooling1D_at(const char *here,
                                              const gt_GlobalAveragePooling1D_options *options);
GT_API gt_Layer *gt_GlobalAveragePooling2D_at(const char *here,
                                              const gt_GlobalAveragePooling2D_options *options);
GT_API gt_Layer *gt_GlobalAveragePooling3D_at(const char *here,
                                              const gt_GlobalAveragePooling3D_options *options);

GT_END

#endif
