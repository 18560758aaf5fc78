/* Pooling: the largest number, or the mean, of each window of an image (batch, spatial...,
 * channels), one to three spatial axes, channel by channel. Floats only. */
#ifndef GT_OPS_POOLING_H
#define GT_OPS_POOLING_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

#define gt_max_pool_OPTIONS(F, S)                                                                  \
    F(S, gt_Shape, strides, GT_NO_SIZES, "steps of the window; none: its size")                    \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")
GT_OPTIONS(gt_max_pool_options, gt_max_pool_OPTIONS);
typedef gt_max_pool_options gt_average_pool_options;

/* gt_max_pool(x, gt_shape(2, 2)), gt_max_pool(x, gt_shape(3), .strides = gt_shape(2), .padding =
 * GT_PADDING_SAME): the window's size is one number for all spatial axes or one for each. NaN if
 * there is one in the window. The gradient goes to the first of equal numbers (TensorFlow; gt_max
 * shares). */
#define gt_max_pool(x, ...)                                                                        \
    gt_max_pool_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                              \
                   GT_KEYWORDS(gt_max_pool, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_max_pool_at(const char *here, gt_Tensor *x, gt_Shape pool_size,
                                 const gt_max_pool_options *options);
/* The mean; where the window reaches into the padding, of the numbers that are there. */
#define gt_average_pool(x, ...)                                                                    \
    gt_average_pool_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                          \
                       GT_KEYWORDS(gt_max_pool, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_average_pool_at(const char *here, gt_Tensor *x, gt_Shape pool_size,
                                     const gt_max_pool_options *options);

/* gt_adaptive_max_pool(x, gt_shape(7, 7)): windows that cover the image evenly and give it that size; of
 * an axis from `in` to `out`, window i goes from i in / out, rounded down, to (i + 1) in / out, rounded
 * up. One number for all spatial axes or one for each. */
#define gt_adaptive_max_pool(x, output_size) gt_adaptive_max_pool_at(GT_HERE, x, output_size)
GT_API gt_Tensor *gt_adaptive_max_pool_at(const char *here, gt_Tensor *x, gt_Shape output_size);
#define gt_adaptive_average_pool(x, output_size)                                                   \
    gt_adaptive_average_pool_at(GT_HERE, x, output_size)
GT_API gt_Tensor *gt_adaptive_average_pool_at(const char *here, gt_Tensor *x, gt_Shape output_size);

GT_END

#endif
