/* LAMB (You et al. 2020): Adam whose steps are scaled by the norm of each variable, for large batches. */
#ifndef GT_OPTIM_LAMB_H
#define GT_OPTIM_LAMB_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Lamb_OPTIONS(F, S)                                                                      \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, beta_1, 0.9, "memory of the mean, in [0, 1)")                                     \
    F(S, double, beta_2, 0.999, "memory of the mean square, in [0, 1)")                            \
    F(S, double, epsilon, 1e-7, "added to the root of the mean square")                            \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Lamb_options, gt_Lamb_OPTIONS);

/* gt_Lamb(1e-3): Adam whose steps are scaled by the norm of each variable, for large batches. With t the number of the step,
 * from 1, and m and v those of gt_Adam:
 *     u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon),  w -= lr |w| / |u| u, and lr u where a norm is 0
 * Slots: momentum, velocity. */
#define gt_Lamb(...) gt_Lamb_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Lamb, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Lamb_at(const char *here, const gt_Lamb_options *options);

GT_END

#endif
