/* ActivityRegularization: a penalty on what passes. */
#ifndef GT_LAYERS_REGULARIZATION_ACTIVITY_REGULARIZATION_H
#define GT_LAYERS_REGULARIZATION_ACTIVITY_REGULARIZATION_H

#include "layers/layer.h"

GT_BEGIN

#define gt_ActivityRegularization_OPTIONS(F, S)                                                    \
    F(S, double, l1, 0, "times sum|x|")                                                            \
    F(S, double, l2, 0, "times sum x^2")                                                           \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_ActivityRegularization_options, gt_ActivityRegularization_OPTIONS);
/* gt_ActivityRegularization(.l2 = 1e-4): x as it is; its penalty, divided by the batch, is part of
 * gt_total_loss. Other layers have an option activity_regularizer for that. */
#define gt_ActivityRegularization(...)                                                             \
    gt_ActivityRegularization_at(GT_HERE, GT_KEYWORDS(gt_ActivityRegularization, __VA_ARGS__))
GT_API gt_Layer *gt_ActivityRegularization_at(const char *here,
                                              const gt_ActivityRegularization_options *options);

GT_END

#endif
