/* Adam (Kingma and Ba 2015), its variant amsgrad (Reddi et al. 2018), and AdamW (Loshchilov and
 * Hutter 2019), which is Adam with weight decay. */
#ifndef GT_OPTIM_ADAM_H
#define GT_OPTIM_ADAM_H

#include "optim/optimizer.h"

GT_BEGIN

#define GT_ADAM_LIST_(F, S, decay)                                                                 \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, beta_1, 0.9, "memory of the mean, in [0, 1)")                                     \
    F(S, double, beta_2, 0.999, "memory of the mean square, in [0, 1)")                            \
    F(S, double, epsilon, 1e-7, "added to the root of the mean square")                            \
    F(S, bool, amsgrad, false, "divides by the largest mean square so far")                        \
    GT_OPTIMIZER_COMMON(F, S, decay)

#define gt_Adam_OPTIONS(F, S) GT_ADAM_LIST_(F, S, GT_NONE)
GT_OPTIONS(gt_Adam_options, gt_Adam_OPTIONS);

/* gt_Adam(1e-3, .beta_1 = 0.8): steps along a running mean of the gradients, divided by the root of a running mean of their
 * squares. With t the number of the step, from 1,
 *     m += (g - m)(1 - beta_1),  v += (g^2 - v)(1 - beta_2)
 *     w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)
 * Slots: momentum, velocity, and velocity_hat (the largest v so far, in place of v) if amsgrad. */
#define gt_Adam(...) gt_Adam_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Adam, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Adam_at(const char *here, const gt_Adam_options *options);

#define gt_AdamW_OPTIONS(F, S) GT_ADAM_LIST_(F, S, 0.004)
GT_OPTIONS(gt_AdamW_options, gt_AdamW_OPTIONS);

/* gt_AdamW(1e-3, .weight_decay = 0.01): gt_Adam with a weight decay, 0.004 unless said. */
#define gt_AdamW(...)                                                                              \
    gt_AdamW_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_AdamW, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_AdamW_at(const char *here, const gt_AdamW_options *options);

GT_END

#endif
