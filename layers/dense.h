/* The densely connected layer. */
#ifndef GT_LAYERS_DENSE_H
#define GT_LAYERS_DENSE_H

#include "layers/layer.h"

GT_BEGIN

#define GT_DENSE_OPTIONS(F)                                                                        \
    F(uint32_t, size, (uint32_t)sizeof(gt_DenseOptions), "for ABI growth")                         \
    F(int64_t, units, 0, "width of the output; required, > 0")                                     \
    F(gt_Activation, activation, NULL, "any operation of one tensor, e.g. gt_relu")                \
    F(bool, use_bias, true, "adds a bias of shape (units)")                                        \
    F(gt_Initializer, kernel_initializer, GT_INITIALIZER(GT_INITIALIZER_DEFAULT),                  \
      "not given: glorot_uniform")                                                                 \
    F(gt_Initializer, bias_initializer, GT_INITIALIZER(GT_INITIALIZER_CONSTANT),                   \
      "not given: zeros")                                                                          \
    F(gt_Regularizer, kernel_regularizer, {0}, "penalty on the kernel")                            \
    F(gt_Regularizer, bias_regularizer, {0}, "penalty on the bias")                                \
    F(gt_Regularizer, activity_regularizer, {0}, "penalty on the output, over the batch size")     \
    GT_LAYER_OPTIONS(F)
typedef struct gt_DenseOptions gt_DenseOptions;
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
struct gt_DenseOptions {
    GT_DENSE_OPTIONS(GT_MEMBER)
};
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

/* gt_dense(128, .activation = gt_relu): y = activation(x kernel + bias) on the last axis of x,
 * which has at least two. Weights: kernel (in, units), bias (units). */
#define gt_dense(...)                                                                              \
    gt_dense_new(GT_HERE, GT_KEYWORDS(gt_DenseOptions, GT_DENSE_OPTIONS, .units = __VA_ARGS__))
GT_API gt_Layer *gt_dense_new(const char *here, const gt_DenseOptions *options);

GT_END

#endif
