/* PReLU: a slope below 0 that is trained. */
#ifndef GT_LAYERS_CORE_PRELU_H
#define GT_LAYERS_CORE_PRELU_H

#include "layers/layer.h"

GT_BEGIN

#define gt_PReLU_OPTIONS(F, S)                                                                     \
    F(S, gt_Initializer, alpha_initializer, GT_NOT_GIVEN, "not given: zeros")                      \
    F(S, gt_Regularizer, alpha_regularizer, GT_NOT_GIVEN, "penalty on alpha")                      \
    F(S, gt_Constraint, alpha_constraint, GT_NOT_GIVEN, "of alpha")                                \
    F(S, gt_Axes, shared_axes, GT_NO_SIZES,                                                        \
      "along which alpha is the same, from 1 on; none: of no axis")                                \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_PReLU_options, gt_PReLU_OPTIONS);
/* gt_PReLU(), gt_PReLU(.shared_axes = gt_axes(1, 2)): x where x > 0, else alpha x; alpha is
 * trained (He et al. 2015). Weight: alpha, of the shape of a row of x, with size 1 along shared
 * axes. Of images (batch, height, width, channels) axes 1 and 2 are usually shared; axes whose
 * size may change must be. */
#define gt_PReLU(...) gt_PReLU_at(GT_HERE, GT_KEYWORDS(gt_PReLU, __VA_ARGS__))
GT_API gt_Layer *gt_PReLU_at(const char *here, const gt_PReLU_options *options);

GT_END

#endif
