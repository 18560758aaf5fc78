/* Adamax (Kingma and Ba 2015): Adam with the largest gradient in place of the mean square. */
#ifndef GT_OPTIM_ADAMAX_H
#define GT_OPTIM_ADAMAX_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Adamax_OPTIONS(F, S)                                                                    \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, beta_1, 0.9, "memory of the mean, in [0, 1)")                                     \
    F(S, double, beta_2, 0.999, "memory of the largest gradient, in [0, 1)")                       \
    F(S, double, epsilon, 1e-7, "added to the largest gradient")                                   \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Adamax_options, gt_Adamax_OPTIONS);

/* gt_Adamax(1e-3): Adam with the largest gradient of late in place of the mean square. With t the number of the step, from 1,
 *     m += (g - m)(1 - beta_1),  u = max(beta_2 u, |g|),  w -= lr m / ((1 - beta_1^t)(u + epsilon))
 * Slots: momentum (m), norm (u). */
#define gt_Adamax(...)                                                                             \
    gt_Adamax_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Adamax, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Adamax_at(const char *here, const gt_Adamax_options *options);

GT_END

#endif
