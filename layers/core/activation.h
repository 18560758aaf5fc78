/* Activation: a function of one tensor as a layer. */
#ifndef GT_LAYERS_CORE_ACTIVATION_H
#define GT_LAYERS_CORE_ACTIVATION_H

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

GT_END

#endif
