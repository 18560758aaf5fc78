/* Gradient descent, with or without momentum. */
#ifndef GT_OPTIM_SGD_H
#define GT_OPTIM_SGD_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_SGD_OPTIONS(F, S)                                                                       \
    F(S, double, learning_rate, 0.01, "length of a step")                                          \
    F(S, double, momentum, 0.0, "in [0, 1]; 0: none")                                              \
    F(S, bool, nesterov, false, "looks ahead along the momentum")                                  \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_SGD_options, gt_SGD_OPTIONS);

/* gt_SGD(0.01, .momentum = 0.9): steps down the gradient, with or without momentum.
 *     w -= lr g;  with momentum m = mu m - lr g and w += m, with nesterov w += mu m - lr g
 * Slot: momentum, if it is not 0. Without momentum, weight decay and gradient accumulation a gradient that is rows (gt_rows)
 * changes only those rows. */
#define gt_SGD(...) gt_SGD_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_SGD, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_SGD_at(const char *here, const gt_SGD_options *options);

GT_END

#endif
