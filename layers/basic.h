/* Layers without weights: activation, dropout, flatten, reshape, a function as a layer. */
#ifndef GT_LAYERS_BASIC_H
#define GT_LAYERS_BASIC_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Activation_OPTIONS(F, S)                                                                \
    F(S, gt_TensorFunction, function, NULL, "the operation; required")                             \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Activation_options, gt_Activation_OPTIONS);
/* gt_Activation(gt_tanh) */
#define gt_Activation(...)                                                                         \
    gt_Activation_at(GT_HERE, GT_KEYWORDS_1(gt_Activation, function, __VA_ARGS__))
GT_API gt_Layer *gt_Activation_at(const char *here, const gt_Activation_options *options);

#define gt_Dropout_OPTIONS(F, S)                                                                   \
    F(S, double, rate, 0, "how many are dropped, 0 to 1; required")                                \
    F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")                    \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Dropout_options, gt_Dropout_OPTIONS);
/* gt_Dropout(0.2): in training only, keeps 1 - rate and scales by 1 / (1 - rate). Its generator
 * state is a variable of the layer, saved with it. */
#define gt_Dropout(...) gt_Dropout_at(GT_HERE, GT_KEYWORDS_1(gt_Dropout, rate, __VA_ARGS__))
GT_API gt_Layer *gt_Dropout_at(const char *here, const gt_Dropout_options *options);

#define gt_Flatten_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Flatten_options, gt_Flatten_OPTIONS);
/* gt_Flatten(): (batch, ...) -> (batch, everything else) */
#define gt_Flatten(...) gt_Flatten_at(GT_HERE, GT_KEYWORDS(gt_Flatten, __VA_ARGS__))
GT_API gt_Layer *gt_Flatten_at(const char *here, const gt_Flatten_options *options);

#define gt_Reshape_OPTIONS(F, S)                                                                   \
    F(S, gt_Shape, target, GT_NO_SIZES,                                                            \
      "the shape after the batch axis, one -1 allowed; required")                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Reshape_options, gt_Reshape_OPTIONS);
/* gt_Reshape(gt_shape(28, 28)): (batch, ...) -> (batch, 28, 28) */
#define gt_Reshape(...) gt_Reshape_at(GT_HERE, GT_KEYWORDS_1(gt_Reshape, target, __VA_ARGS__))
GT_API gt_Layer *gt_Reshape_at(const char *here, const gt_Reshape_options *options);

/* Any function of tensors, without weights. */
typedef gt_Tensor *(*gt_LambdaFunction)(void *context, const gt_CallArgs *in);
#define gt_Lambda_OPTIONS(F, S)                                                                    \
    F(S, gt_LambdaFunction, function, NULL, "what it computes; required")                          \
    F(S, void *, context, NULL, "handed to the function")                                          \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Lambda_options, gt_Lambda_OPTIONS);
/* gt_Lambda(function, .context = numbers) */
#define gt_Lambda(...) gt_Lambda_at(GT_HERE, GT_KEYWORDS_1(gt_Lambda, function, __VA_ARGS__))
GT_API gt_Layer *gt_Lambda_at(const char *here, const gt_Lambda_options *options);

GT_END

#endif
