/* Lion (Chen et al. 2023): steps of one length, along the sign of a mean of gradients. */
#ifndef GT_OPTIM_LION_H
#define GT_OPTIM_LION_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Lion_OPTIONS(F, S)                                                                      \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, beta_1, 0.9, "how much of the mean is in the sign, in (0, 1]")                    \
    F(S, double, beta_2, 0.99, "memory of the mean, in [0, 1)")                                    \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Lion_options, gt_Lion_OPTIONS);

/* gt_Lion(1e-4): steps of one length, along the sign of a mean of the gradients.
 *     w -= lr sign(beta_1 m + (1 - beta_1) g),  then m = beta_2 m + (1 - beta_2) g
 * Slot: momentum. */
#define gt_Lion(...) gt_Lion_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Lion, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Lion_at(const char *here, const gt_Lion_options *options);

GT_END

#endif
