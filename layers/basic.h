/* Layers without weights: activation, dropout, flatten, reshape, a function as a layer. */
#ifndef GT_LAYERS_BASIC_H
#define GT_LAYERS_BASIC_H

#include "layers/layer.h"

GT_BEGIN

#define GT_ACTIVATION_OPTIONS(F)                                                                   \
    F(uint32_t, size, (uint32_t)sizeof(gt_ActivationOptions), "for ABI growth")                    \
    F(gt_Activation, function, NULL, "the operation; required")                                    \
    GT_LAYER_OPTIONS(F)
typedef struct gt_ActivationOptions gt_ActivationOptions;
struct gt_ActivationOptions {
    GT_ACTIVATION_OPTIONS(GT_MEMBER)
};
/* gt_activation(gt_tanh) */
#define gt_activation(...)                                                                         \
    gt_activation_new(GT_HERE, GT_KEYWORDS(gt_ActivationOptions, GT_ACTIVATION_OPTIONS,            \
                                           .function = __VA_ARGS__))
GT_API gt_Layer *gt_activation_new(const char *here, const gt_ActivationOptions *options);

#define GT_DROPOUT_OPTIONS(F)                                                                      \
    F(uint32_t, size, (uint32_t)sizeof(gt_DropoutOptions), "for ABI growth")                       \
    F(double, rate, 0, "how many are dropped, 0 to 1; required")                                   \
    F(int64_t, seed, -1, "-1: from the context's seed and the layer's path")                       \
    GT_LAYER_OPTIONS(F)
typedef struct gt_DropoutOptions gt_DropoutOptions;
struct gt_DropoutOptions {
    GT_DROPOUT_OPTIONS(GT_MEMBER)
};
/* gt_dropout(0.2): in training only, keeps 1 - rate and scales by 1 / (1 - rate). Its generator
 * state is a variable of the layer, saved with it. */
#define gt_dropout(...)                                                                            \
    gt_dropout_new(GT_HERE, GT_KEYWORDS(gt_DropoutOptions, GT_DROPOUT_OPTIONS, .rate = __VA_ARGS__))
GT_API gt_Layer *gt_dropout_new(const char *here, const gt_DropoutOptions *options);

#define GT_FLATTEN_OPTIONS(F)                                                                      \
    F(uint32_t, size, (uint32_t)sizeof(gt_FlattenOptions), "for ABI growth")                       \
    GT_LAYER_OPTIONS(F)
typedef struct gt_FlattenOptions gt_FlattenOptions;
struct gt_FlattenOptions {
    GT_FLATTEN_OPTIONS(GT_MEMBER)
};
/* gt_flatten(): (batch, ...) -> (batch, everything else) */
#define gt_flatten(...)                                                                            \
    gt_flatten_new(GT_HERE, GT_KEYWORDS(gt_FlattenOptions, GT_FLATTEN_OPTIONS, __VA_ARGS__))
GT_API gt_Layer *gt_flatten_new(const char *here, const gt_FlattenOptions *options);

#define GT_RESHAPE_LAYER_OPTIONS(F)                                                                \
    F(uint32_t, size, (uint32_t)sizeof(gt_ReshapeLayerOptions), "for ABI growth")                  \
    F(gt_Shape, target, {0}, "the shape after the batch axis, one -1 allowed; required")           \
    GT_LAYER_OPTIONS(F)
typedef struct gt_ReshapeLayerOptions gt_ReshapeLayerOptions;
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
struct gt_ReshapeLayerOptions {
    GT_RESHAPE_LAYER_OPTIONS(GT_MEMBER)
};
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
/* gt_reshape_layer(gt_shape(28, 28)): (batch, ...) -> (batch, 28, 28) */
#define gt_reshape_layer(...)                                                                      \
    gt_reshape_layer_new(GT_HERE, GT_KEYWORDS(gt_ReshapeLayerOptions, GT_RESHAPE_LAYER_OPTIONS,    \
                                              .target = __VA_ARGS__))
GT_API gt_Layer *gt_reshape_layer_new(const char *here, const gt_ReshapeLayerOptions *options);

/* Any function of tensors, without weights. */
typedef gt_Tensor *(*gt_LambdaFunction)(void *context, gt_CallArgs in);
#define GT_LAMBDA_OPTIONS(F)                                                                       \
    F(uint32_t, size, (uint32_t)sizeof(gt_LambdaOptions), "for ABI growth")                        \
    F(gt_LambdaFunction, function, NULL, "what it computes; required")                             \
    F(void *, context, NULL, "handed to the function")                                             \
    GT_LAYER_OPTIONS(F)
typedef struct gt_LambdaOptions gt_LambdaOptions;
struct gt_LambdaOptions {
    GT_LAMBDA_OPTIONS(GT_MEMBER)
};
/* gt_lambda(function, .context = numbers) */
#define gt_lambda(...)                                                                             \
    gt_lambda_new(GT_HERE,                                                                         \
                  GT_KEYWORDS(gt_LambdaOptions, GT_LAMBDA_OPTIONS, .function = __VA_ARGS__))
GT_API gt_Layer *gt_lambda_new(const char *here, const gt_LambdaOptions *options);

GT_END

#endif
