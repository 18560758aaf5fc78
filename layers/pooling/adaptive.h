/* Pooling of images (batch, spatial..., channels) to a size that is given. */
#ifndef GT_LAYERS_POOLING_ADAPTIVE_H
#define GT_LAYERS_POOLING_ADAPTIVE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_AdaptiveMaxPooling1D_OPTIONS(F, S)                                                      \
    F(S, gt_Sizes, output_size, 0, "of the spatial axes of the output; required, > 0")             \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_AdaptiveMaxPooling1D_options, gt_AdaptiveMaxPooling1D_OPTIONS);
typedef gt_AdaptiveMaxPooling1D_options gt_AdaptiveMaxPooling2D_options,
    gt_AdaptiveMaxPooling3D_options, gt_AdaptiveAveragePooling1D_options,
    gt_AdaptiveAveragePooling2D_options, gt_AdaptiveAveragePooling3D_options;

/* gt_AdaptiveAveragePooling2D(7), gt_AdaptiveMaxPooling2D(gt_sizes(7, 5)): x (batch, spatial..., channels) gives
 * (batch, output_size..., channels). Along an axis of n elements, element i of m is the mean, or the largest, of the
 * elements from i n / m, rounded down, to (i + 1) n / m, rounded up, so windows may overlap by one. No weights;
 * masks end here. An error for an empty axis. */
#define gt_AdaptiveMaxPooling1D(...)                                                               \
    gt_AdaptiveMaxPooling1D_at(GT_HERE,                                                            \
                               GT_KEYWORDS_1(gt_AdaptiveMaxPooling1D, output_size, __VA_ARGS__))
#define gt_AdaptiveMaxPooling2D(...)                                                               \
    gt_AdaptiveMaxPooling2D_at(GT_HERE,                                                            \
                               GT_KEYWORDS_1(gt_AdaptiveMaxPooling1D, output_size, __VA_ARGS__))
#define gt_AdaptiveMaxPooling3D(...)                                                               \
    gt_AdaptiveMaxPooling3D_at(GT_HERE,                                                            \
                               GT_KEYWORDS_1(gt_AdaptiveMaxPooling1D, output_size, __VA_ARGS__))
#define gt_AdaptiveAveragePooling1D(...)                                                           \
    gt_AdaptiveAveragePooling1D_at(                                                                \
        GT_HERE, GT_KEYWORDS_1(gt_AdaptiveMaxPooling1D, output_size, __VA_ARGS__))
#define gt_AdaptiveAveragePooling2D(...)                                                           \
    gt_AdaptiveAveragePooling2D_at(                                                                \
        GT_HERE, GT_KEYWORDS_1(gt_AdaptiveMaxPooling1D, output_size, __VA_ARGS__))
#define gt_AdaptiveAveragePooling3D(...)                                                           \
    gt_AdaptiveAveragePooling3D_at(                                                                \
        GT_HERE, GT_KEYWORDS_1(gt_AdaptiveMaxPooling1D, output_size, __VA_ARGS__))
GT_API gt_Layer *gt_AdaptiveMaxPooling1D_at(const char *here,
                                            const gt_AdaptiveMaxPooling1D_options *options);
GT_API gt_Layer *gt_AdaptiveMaxPooling2D_at(const char *here,
                                            const gt_AdaptiveMaxPooling2D_options *options);
GT_API gt_Layer *gt_AdaptiveMaxPooling3D_at(const char *here,
                                            const gt_AdaptiveMaxPooling3D_options *options);
GT_API gt_Layer *gt_AdaptiveAveragePooling1D_at(const char *here,
                                                const gt_AdaptiveAveragePooling1D_options *options);
GT_API gt_Layer *gt_AdaptiveAveragePooling2D_at(const char *here,
                                                const gt_AdaptiveAveragePooling2D_options *options);
GT_API gt_Layer *gt_AdaptiveAveragePooling3D_at(const char *here,
                                                const gt_AdaptiveAveragePooling3D_options *options);

GT_END

#endif
