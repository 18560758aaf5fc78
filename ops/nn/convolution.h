/* Convolutions over one, two or three spatial axes: images are (batch, spatial..., channels),
 * kernels (spatial..., channels in, channels out). As in Keras the kernel is not flipped. Floats
 * only; of float16 and bfloat16, the types of operands and results are those of gt_matmul. */
#ifndef GT_OPS_CONVOLUTION_H
#define GT_OPS_CONVOLUTION_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* The border, for windows that reach d (k - 1) + 1 far:
 *     valid    nothing: windows stay inside;  (in - reach) / stride + 1 positions, rounded down
 *     same     zeros around, an odd one at the end;  in / stride positions, rounded up
 *     causal   zeros before the start only, so that nothing reads ahead (one axis);  as many */
typedef enum gt_Padding {
    GT_PADDING_VALID = 0,
    GT_PADDING_SAME = 1,
    GT_PADDING_CAUSAL = 2
} gt_Padding;

/* Strides and dilations: one number for all spatial axes, gt_shape(2), or one for each, gt_shape(2,
 * 1). Strides above 1 together with dilations above 1 are an error. */
#define GT_CONV_COMMON(F, S)                                                                       \
    F(S, gt_Shape, strides, GT_NO_SIZES, "steps of the window; none: 1")                           \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid, same or causal")                           \
    F(S, gt_Shape, dilation, GT_NO_SIZES, "distance of the kernel's elements; none: 1")

#define gt_conv_OPTIONS(F, S)                                                                      \
    GT_CONV_COMMON(F, S)                                                                           \
    F(S, int64_t, groups, 1, "parts of the channels, each with filters of its own")
GT_OPTIONS(gt_conv_options, gt_conv_OPTIONS);
/* gt_conv(x, kernel, .strides = gt_shape(2), .padding = GT_PADDING_SAME): x (batch, spatial...,
 * in), kernel (spatial..., in / groups, out) -> (batch, spatial..., out). */
#define gt_conv(...)                                                                               \
    gt_conv_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                             \
               GT_KEYWORDS(gt_conv, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_conv_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                             const gt_conv_options *options);
GT_API gt_Tensor *(gt_conv)(gt_Tensor *x, gt_Tensor *kernel);

#define gt_depthwise_conv_OPTIONS(F, S) GT_CONV_COMMON(F, S)
GT_OPTIONS(gt_depthwise_conv_options, gt_depthwise_conv_OPTIONS);
typedef gt_depthwise_conv_options gt_separable_conv_options;
/* Each channel by itself, with `multiplier` filters: kernel (spatial..., in, multiplier) -> (batch,
 * spatial..., in multiplier); filter m of channel c gives channel c multiplier + m. */
#define gt_depthwise_conv(...)                                                                     \
    gt_depthwise_conv_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                   \
                         GT_KEYWORDS(gt_depthwise_conv, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_depthwise_conv_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                                       const gt_depthwise_conv_options *options);
GT_API gt_Tensor *(gt_depthwise_conv)(gt_Tensor *x, gt_Tensor *kernel);
/* The same, and then a convolution with a pointwise kernel (1..., in multiplier, out). */
#define gt_separable_conv(...)                                                                     \
    gt_separable_conv_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                   \
                         GT_THIRD(__VA_ARGS__),                                                    \
                         GT_KEYWORDS(gt_depthwise_conv, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_separable_conv_at(const char *here, gt_Tensor *x, gt_Tensor *depthwise_kernel,
                                       gt_Tensor *pointwise_kernel,
                                       const gt_depthwise_conv_options *options);
GT_API gt_Tensor *(gt_separable_conv)(gt_Tensor *x, gt_Tensor *depthwise_kernel,
                                      gt_Tensor *pointwise_kernel);

#define gt_conv_transpose_OPTIONS(F, S)                                                            \
    GT_CONV_COMMON(F, S)                                                                           \
    F(S, gt_Shape, output_padding, GT_NO_SIZES, "added to the size of the result; none: see above")
GT_OPTIONS(gt_conv_transpose_options, gt_conv_transpose_OPTIONS);
/* The transpose of gt_conv, which enlarges images: x (batch, spatial..., in), kernel (spatial...,
 * out, in) -> (batch, spatial..., out). The size of a spatial axis becomes
 *     valid   (in - 1) stride + max(reach, stride),       or with an output padding
 *             (in - 1) stride + reach + output_padding
 *     same    in stride,                                  or with an output padding
 *             (in - 1) stride + reach % 2 + output_padding
 * and must be one that gt_conv would bring back to `in`. */
#define gt_conv_transpose(...)                                                                     \
    gt_conv_transpose_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                   \
                         GT_KEYWORDS(gt_conv_transpose, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_conv_transpose_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                                       const gt_conv_transpose_options *options);
GT_API gt_Tensor *(gt_conv_transpose)(gt_Tensor *x, gt_Tensor *kernel);

GT_END

#endif
