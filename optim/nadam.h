/* Nadam (Dozat 2016): Adam with Nesterov momentum. */
#ifndef GT_OPTIM_NADAM_H
#define GT_OPTIM_NADAM_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Nadam_OPTIONS(F, S)                                                                     \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, beta_1, 0.9, "memory of the mean, in [0, 1)")                                     \
    F(S, double, beta_2, 0.999, "memory of the mean square, in [0, 1)")                            \
    F(S, double, epsilon, 1e-7, "added to the root of the mean square")                            \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Nadam_options, gt_Nadam_OPTIONS);

/* gt_Nadam(1e-3): Adam with Nesterov's momentum. With u_t = beta_1 (1 - 0.96^t / 2), U the product of all of them so far and
 * t the number of the step, from 1:
 *     m += (g - m)(1 - beta_1),  v += (g^2 - v)(1 - beta_2)
 *     w -= lr (u_(t+1) m / (1 - U u_(t+1)) + (1 - u_t) g / (1 - U)) / (sqrt(v / (1 - beta_2^t)) + epsilon)
 * Slots: momentum, velocity. Number: u_product (U). */
#define gt_Nadam(...)                                                                              \
    gt_Nadam_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Nadam, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Nadam_at(const char *here, const gt_Nadam_options *options);

GT_END

#endif
