/* FTRL-Proximal (McMahan et al. 2013), for sparse linear models. */
#ifndef GT_OPTIM_FTRL_H
#define GT_OPTIM_FTRL_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Ftrl_OPTIONS(F, S)                                                                      \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, learning_rate_power, -0.5, "of the sum of squares, <= 0; 0: a constant rate")     \
    F(S, double, initial_accumulator_value, 0.1, "what the sums start as, >= 0")                   \
    F(S, double, l1_regularization_strength, 0, ">= 0; makes weights exactly 0")                   \
    F(S, double, l2_regularization_strength, 0, ">= 0")                                            \
    F(S, double, l2_shrinkage_regularization_strength, 0, ">= 0; on the weights of before")        \
    F(S, double, beta, 0, "added to the roots: slower at first")                                   \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Ftrl_options, gt_Ftrl_OPTIONS);

/* gt_Ftrl(0.1, .l1_regularization_strength = 0.01): for linear models of sparse data, whose weights it can hold at exactly 0.
 * With p = -learning_rate_power and k = l2 + beta / (2 lr):
 *     b = a + g^2,  z += g + 2 shrinkage w - (b^p - a^p) / lr w,  w = (clip(z, -l1, l1) - z) / (b^p / lr + 2 k),  a = b
 * Slots: accumulator (a), linear (z). */
#define gt_Ftrl(...) gt_Ftrl_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Ftrl, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Ftrl_at(const char *here, const gt_Ftrl_options *options);

GT_END

#endif
