/* Adadelta (Zeiler 2012): steps scaled by the ratio of running means of squared steps and gradients. */
#ifndef GT_OPTIM_ADADELTA_H
#define GT_OPTIM_ADADELTA_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Adadelta_OPTIONS(F, S)                                                                  \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, rho, 0.95, "memory of the means, in [0, 1)")                                      \
    F(S, double, epsilon, 1e-7, "added to the means, inside the roots")                            \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Adadelta_options, gt_Adadelta_OPTIONS);

/* gt_Adadelta(1): steps scaled by the ratio of running means of squared steps and squared gradients.
 *     a = rho a + (1 - rho) g^2,  s = -sqrt(d + epsilon) / sqrt(a + epsilon) g,  d = rho d + (1 - rho) s^2,  w += lr s
 * Slots: accumulated_grad (a), accumulated_delta_var (d). */
#define gt_Adadelta(...)                                                                           \
    gt_Adadelta_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Adadelta, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Adadelta_at(const char *here, const gt_Adadelta_options *options);

GT_END

#endif
