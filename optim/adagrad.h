/* Adagrad (Duchi, Hazan and Singer 2011): steps divided by the root of the sum of all squared gradients. */
#ifndef GT_OPTIM_ADAGRAD_H
#define GT_OPTIM_ADAGRAD_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Adagrad_OPTIONS(F, S)                                                                   \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, initial_accumulator_value, 0.1, "what the sums start as, >= 0")                   \
    F(S, double, epsilon, 1e-7, "added to the sum, inside the root")                               \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Adagrad_options, gt_Adagrad_OPTIONS);

/* gt_Adagrad(0.1): steps divided by the root of the sum of all squared gradients so far.
 *     a += g^2,  w -= lr g / sqrt(a + epsilon)
 * Slot: accumulator. */
#define gt_Adagrad(...)                                                                            \
    gt_Adagrad_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Adagrad, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Adagrad_at(const char *here, const gt_Adagrad_options *options);

GT_END

#endif
