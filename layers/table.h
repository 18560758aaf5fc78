/* The table of layers: one line each. Tests, files and documentation that want to know all
 * layers walk it. */
#ifndef GT_LAYERS_TABLE_H
#define GT_LAYERS_TABLE_H

#include "layers/layer.h"

GT_BEGIN

/* clang-format off */
#define GT_LAYERS(F)                                                                               \
    /* conv/conv.c */                                                                              \
    F(conv1d) F(conv2d) F(conv3d)                                                                  \
    /* conv/depthwise.c */                                                                         \
    F(depthwise_conv1d) F(depthwise_conv2d)                                                        \
    /* conv/separable.c */                                                                         \
    F(separable_conv1d) F(separable_conv2d)                                                        \
    /* conv/transpose.c */                                                                         \
    F(conv1d_transpose) F(conv2d_transpose) F(conv3d_transpose)                                    \
    /* core/activation.c */                                                                        \
    F(activation)                                                                                  \
    /* core/dense.c */                                                                             \
    F(dense)                                                                                       \
    /* core/flatten.c */                                                                           \
    F(flatten)                                                                                     \
    /* core/lambda.c */                                                                            \
    F(lambda)                                                                                      \
    /* core/reshape.c */                                                                           \
    F(reshape)                                                                                     \
    /* normalization/batch.c */                                                                    \
    F(batch_normalization)                                                                         \
    /* normalization/group.c */                                                                    \
    F(group_normalization)                                                                         \
    /* normalization/sample.c */                                                                   \
    F(layer_normalization) F(rms_normalization) F(unit_normalization)                              \
    /* pooling/adaptive.c */                                                                       \
    F(adaptive_average_pooling1d) F(adaptive_average_pooling2d) F(adaptive_average_pooling3d)      \
    F(adaptive_max_pooling1d) F(adaptive_max_pooling2d) F(adaptive_max_pooling3d)                  \
    /* pooling/average.c */                                                                        \
    F(average_pooling1d) F(average_pooling2d) F(average_pooling3d)                                 \
    /* pooling/global.c */                                                                         \
    F(global_average_pooling1d) F(global_average_pooling2d) F(global_average_pooling3d)            \
    F(global_max_pooling1d) F(global_max_pooling2d) F(global_max_pooling3d)                        \
    /* pooling/max.c */                                                                            \
    F(max_pooling1d) F(max_pooling2d) F(max_pooling3d)                                             \
    /* regularization/dropout.c */                                                                 \
    F(dropout)                                                                                     \
    /* sequential.c */                                                                             \
    F(sequential)                                                                                  \
    /* models/functional.c */                                                                      \
    F(functional)
/* clang-format on */

#define GT_DECLARE_LAYER(name) extern const gt_LayerClass gt_layer_class_##name;
GT_LAYERS(GT_DECLARE_LAYER)

/* All built-in classes of layers; count gets how many. Static storage. */
GT_API const gt_LayerClass *const *gt_layer_classes(int *count);
/* The built-in class of that name, "dense"; NULL without an error if there is none. */
GT_API const gt_LayerClass *gt_layer_class_find(const char *name);

GT_END

#endif
