/* RMSprop (Tieleman and Hinton 2012): steps divided by the root of a running mean of squared gradients. */
#ifndef GT_OPTIM_RMSPROP_H
#define GT_OPTIM_RMSPROP_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_RMSprop_OPTIONS(F, S)                                                                   \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, rho, 0.9, "memory of the mean square, in [0, 1)")                                 \
    F(S, double, momentum, 0.0, "in [0, 1]; 0: none")                                              \
    F(S, double, epsilon, 1e-7, "added to the mean square, inside the root")                       \
    F(S, bool, centered, false, "divides by the variance instead")                                 \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_RMSprop_options, gt_RMSprop_OPTIONS);

/* gt_RMSprop(1e-3, .rho = 0.9): steps divided by the root of a running mean of squared gradients.
 *     v = rho v + (1 - rho) g^2,  w -= lr g / sqrt(v + epsilon)
 * Centered: a = rho a + (1 - rho) g,
 * and v - a^2 in place of v. With momentum m = mu m + lr g / sqrt(...) and w -= m. Slots: velocity, then momentum if it is
 * not 0, then average_gradient if centered. */
#define gt_RMSprop(...)                                                                            \
    gt_RMSprop_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_RMSprop, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_RMSprop_at(const char *here, const gt_RMSprop_options *options);

GT_END

#endif
