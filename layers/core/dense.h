/* The densely connected layer. */
#ifndef GT_LAYERS_CORE_DENSE_H
#define GT_LAYERS_CORE_DENSE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Dense_OPTIONS(F, S)                                                                     \
    F(S, int64_t, units, 0, "width of the output; required, > 0")                                  \
    GT_ACTIVATION(F, S)                                                                            \
    F(S, bool, use_bias, true, "adds a bias of shape (units)")                                     \
    F(S, gt_Initializer, kernel_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")            \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, kernel_regularizer, GT_NOT_GIVEN, "penalty on the kernel")                \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, kernel_constraint, GT_NOT_GIVEN, "of the kernel")                          \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Dense_options, gt_Dense_OPTIONS);

/* gt_Dense(128, .activation = gt_relu): y = activation(x kernel + bias) on the last axis of x,
 * which has at least two. Weights: kernel (in, units), bias (units). */
#define gt_Dense(...) gt_Dense_at(GT_HERE, GT_KEYWORDS_1(gt_Dense, units, __VA_ARGS__))
GT_API gt_Layer *gt_Dense_at(const char *here, const gt_Dense_options *options);

GT_END

#endif
