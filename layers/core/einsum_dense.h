/* EinsumDense: a product with a kernel by subscripts. */
#ifndef GT_LAYERS_CORE_EINSUM_DENSE_H
#define GT_LAYERS_CORE_EINSUM_DENSE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_EinsumDense_OPTIONS(F, S)                                                               \
    F(S, const char *, equation, NULL, "subscripts of x, the kernel and the result; required")     \
    F(S, gt_Shape, output_shape, GT_NO_SIZES,                                                      \
      "of the result but for the batch and what \"...\" stands for; -1: as in x; required")        \
    GT_ACTIVATION(F, S)                                                                            \
    F(S, const char *, bias_axes, NULL, "letters of the result that the bias has; NULL: no bias")  \
    F(S, gt_Initializer, kernel_initializer, GT_NOT_GIVEN, "not given: glorot_uniform")            \
    F(S, gt_Initializer, bias_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Regularizer, kernel_regularizer, GT_NOT_GIVEN, "penalty on the kernel")                \
    F(S, gt_Regularizer, bias_regularizer, GT_NOT_GIVEN, "penalty on the bias")                    \
    F(S, gt_Constraint, kernel_constraint, GT_NOT_GIVEN, "of the kernel")                          \
    F(S, gt_Constraint, bias_constraint, GT_NOT_GIVEN, "of the bias")                              \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_EinsumDense_options, gt_EinsumDense_OPTIONS);

/* gt_EinsumDense("abc,cd->abd", gt_shape(-1, 64), .bias_axes = "d"): activation(einsum(equation,
 * x, kernel) + bias). The equation is "X,K->Y", "...X,K->...Y" or "X...,K->Y..." with letters in
 * X, K and Y; the first axis of x is the batch. Sizes of the kernel's letters come from x or from
 * output_shape. The bias has the axes of Y from its first letter on, with size 1 where bias_axes
 * has no letter. Glorot's, He's and LeCun's default fans are those of the letters that are
 * summed, and of the others. Weights: kernel, bias. */
#define gt_EinsumDense(...)                                                                        \
    gt_EinsumDense_at(GT_HERE, GT_KEYWORDS_2(gt_EinsumDense, equation, output_shape, __VA_ARGS__))
GT_API gt_Layer *gt_EinsumDense_at(const char *here, const gt_EinsumDense_options *options);

GT_END

#endif
