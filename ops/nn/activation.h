/* Activation functions. Each can be called, gt_relu(x), and passed to a layer, `.activation =
 * gt_relu`. All accept float32 and float64; names and formulas are Keras's. */
#ifndef GT_OPS_ACTIVATION_H
#define GT_OPS_ACTIVATION_H

#include <math.h>

#include "ops/math/math.h"

GT_BEGIN

/* An activation as layers accept it: any operation of one tensor. */
typedef gt_Tensor *(*gt_TensorFunction)(gt_Tensor *x);

/* An activation with options: the plain function has the defaults. */
#define GT_DECLARE_ACTIVATION(name, Options)                                                       \
    GT_API gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x, const Options *options);      \
    GT_API gt_Tensor *(gt_##name)(gt_Tensor * x)

/* max(x, 0); its slope at 0 is 0, at max_value still 1 (as gt_clip's). With options:
 *     max_value                        x >= max_value
 *     x                                threshold < x < max_value
 *     negative_slope (x - threshold)   x <= threshold */
#define gt_relu_OPTIONS(F, S)                                                                      \
    F(S, double, negative_slope, 0, "slope below the threshold")                                   \
    F(S, double, max_value, INFINITY, "the largest value, >= 0; infinity: no limit")               \
    F(S, double, threshold, 0, "below it the negative slope holds")
GT_OPTIONS(gt_relu_options, gt_relu_OPTIONS);
#define gt_relu(...)                                                                               \
    gt_relu_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_relu, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(relu, gt_relu_options);

/* min(max(x, 0), 6), gt_relu with that max_value */
GT_DECLARE_UNARY(relu6);
#define gt_relu6(x) gt_relu6_at(GT_HERE, x)

/* x where x > 0, else negative_slope x; so is its slope. */
#define gt_leaky_relu_OPTIONS(F, S)                                                                \
    F(S, double, negative_slope, 0.2, "slope below 0; the layer's default is 0.3")
GT_OPTIONS(gt_leaky_relu_options, gt_leaky_relu_OPTIONS);
#define gt_leaky_relu(...)                                                                         \
    gt_leaky_relu_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_leaky_relu, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(leaky_relu, gt_leaky_relu_options);

/* x where x > 0, else alpha (e^x - 1). */
#define gt_elu_OPTIONS(F, S) F(S, double, alpha, 1, "minus the limit at -infinity")
GT_OPTIONS(gt_elu_options, gt_elu_OPTIONS);
#define gt_elu(...)                                                                                \
    gt_elu_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_elu, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(elu, gt_elu_options);
/* 1.0507... elu(x, 1.6732...): keeps mean 0 and variance 1 (Klambauer et al. 2017). */
GT_DECLARE_UNARY(selu);
#define gt_selu(x) gt_selu_at(GT_HERE, x)

/* 1 / (1 + e^-x), a probability: losses with from_logits = true refuse it. log of it, and
 * min(max(x + 3, 0), 6) / 6. */
GT_DECLARE_UNARY(sigmoid);
#define gt_sigmoid(x) gt_sigmoid_at(GT_HERE, x)
GT_DECLARE_UNARY(log_sigmoid);
#define gt_log_sigmoid(x) gt_log_sigmoid_at(GT_HERE, x)
GT_DECLARE_UNARY(hard_sigmoid);
#define gt_hard_sigmoid(x) gt_hard_sigmoid_at(GT_HERE, x)

/* x sigmoid(x), also called swish; x hard_sigmoid(x); x tanh(softplus(x)). */
GT_DECLARE_UNARY(silu);
#define gt_silu(x) gt_silu_at(GT_HERE, x)
GT_DECLARE_UNARY(hard_silu);
#define gt_hard_silu(x) gt_hard_silu_at(GT_HERE, x)
GT_DECLARE_UNARY(mish);
#define gt_mish(x) gt_mish_at(GT_HERE, x)

/* x times the normal distribution function at x. The approximate form, Keras's `ops.gelu`, is
 * x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). The exact one is what Keras means by
 * activation="gelu": pass gt_gelu_exact to a layer for that. */
#define gt_gelu_OPTIONS(F, S) F(S, bool, approximate, true, "by tanh; false: by erfc")
GT_OPTIONS(gt_gelu_options, gt_gelu_OPTIONS);
#define gt_gelu(...)                                                                               \
    gt_gelu_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_gelu, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(gelu, gt_gelu_options);
GT_DECLARE_UNARY(gelu_exact);
#define gt_gelu_exact(x) gt_gelu_exact_at(GT_HERE, x)

/* log(1 + e^x), without overflow; x / (1 + |x|). */
GT_DECLARE_UNARY(softplus);
#define gt_softplus(x) gt_softplus_at(GT_HERE, x)
GT_DECLARE_UNARY(softsign);
#define gt_softsign(x) gt_softsign_at(GT_HERE, x)

/* x; e^x. */
GT_DECLARE_UNARY(linear);
#define gt_linear(x) gt_linear_at(GT_HERE, x)
GT_DECLARE_UNARY(exponential);
#define gt_exponential(x) gt_exponential_at(GT_HERE, x)

/* max(x, 0) + alpha (e^(min(x, 0) / alpha) - 1): as elu, with the slope 1 at 0 for every alpha. */
#define gt_celu_OPTIONS(F, S) F(S, double, alpha, 1, "minus the limit at -infinity; not 0")
GT_OPTIONS(gt_celu_options, gt_celu_OPTIONS);
#define gt_celu(...)                                                                               \
    gt_celu_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_celu, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(celu, gt_celu_options);

/* a sigmoid(b) of the two halves a, b of x along an axis, whose size must be even (Dauphin et al.
 * 2017). */
#define gt_glu_OPTIONS(F, S) F(S, int32_t, axis, -1, "which is halved; negative: from the end")
GT_OPTIONS(gt_glu_options, gt_glu_OPTIONS);
#define gt_glu(...)                                                                                \
    gt_glu_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_glu, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(glu, gt_glu_options);

/* min(max(x, -1), 1), with the slope 1 at both ends, as gt_clip's; x - tanh(x). */
GT_DECLARE_UNARY(hard_tanh);
#define gt_hard_tanh(x) gt_hard_tanh_at(GT_HERE, x)
GT_DECLARE_UNARY(tanh_shrink);
#define gt_tanh_shrink(x) gt_tanh_shrink_at(GT_HERE, x)

/* 0 where |x| <= threshold. Elsewhere hard_shrink is x, soft_shrink is nearer to 0 by the
 * threshold. */
#define gt_hard_shrink_OPTIONS(F, S)                                                               \
    F(S, double, threshold, 0.5, "half the width of what becomes 0, >= 0")
GT_OPTIONS(gt_hard_shrink_options, gt_hard_shrink_OPTIONS);
typedef gt_hard_shrink_options gt_soft_shrink_options;
#define gt_hard_shrink(...)                                                                        \
    gt_hard_shrink_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_hard_shrink, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(hard_shrink, gt_hard_shrink_options);
#define gt_soft_shrink(...)                                                                        \
    gt_soft_shrink_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_hard_shrink, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(soft_shrink, gt_hard_shrink_options);
/* x where x > threshold, else the default value. */
#define gt_threshold(x, threshold, default_value)                                                  \
    gt_threshold_at(GT_HERE, x, threshold, default_value)
GT_API gt_Tensor *gt_threshold_at(const char *here, gt_Tensor *x, double threshold,
                                  double default_value);

/* (x + sqrt(x^2 + b)) / 2: near max(x, 0) without exponentials (Barron 2021). */
#define gt_squareplus_OPTIONS(F, S) F(S, double, b, 4, "the larger, the rounder; >= 0")
GT_OPTIONS(gt_squareplus_options, gt_squareplus_OPTIONS);
#define gt_squareplus(...)                                                                         \
    gt_squareplus_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_squareplus, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(squareplus, gt_squareplus_options);

/* 0 below -1, x above 1, (x + 1)^2 / 4 between; and its slope: 0, 1, (x + 1) / 2, itself flat at
 * both ends. */
GT_DECLARE_UNARY(sparse_plus);
#define gt_sparse_plus(x) gt_sparse_plus_at(GT_HERE, x)
GT_DECLARE_UNARY(sparse_sigmoid);
#define gt_sparse_sigmoid(x) gt_sparse_sigmoid_at(GT_HERE, x)

/* e^x over its sum along an axis, a probability: losses with from_logits = true refuse it, and
 * others compute from x. For that the handle, like that of gt_sigmoid, holds the numbers of x as
 * long as it lives. And the logarithm of that. */
#define gt_softmax_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, -1, "along which it sums to 1; negative: from the end")
GT_OPTIONS(gt_softmax_options, gt_softmax_OPTIONS);
typedef gt_softmax_options gt_log_softmax_options;
#define gt_softmax(...)                                                                            \
    gt_softmax_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_softmax, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(softmax, gt_softmax_options);
#define gt_log_softmax(...)                                                                        \
    gt_log_softmax_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_softmax, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(log_softmax, gt_softmax_options);

/* The point of the simplex (not negative, with the sum 1 along an axis) next to x: max(x - t, 0),
 * with many zeros (Martins and Astudillo 2016). Keras 3.15's function is another one where several
 * numbers stay: its t adds up running sums, and the result has no sum of 1. */
typedef gt_softmax_options gt_sparsemax_options;
#define gt_sparsemax(...)                                                                          \
    gt_sparsemax_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                \
                    GT_KEYWORDS(gt_softmax, GT_AFTER_1(__VA_ARGS__)))
GT_DECLARE_ACTIVATION(sparsemax, gt_softmax_options);

GT_END

#endif
