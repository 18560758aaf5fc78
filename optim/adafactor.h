/* Adafactor (Shazeer and Stern 2018): mean squares of matrices kept as rows and columns. */
#ifndef GT_OPTIM_ADAFACTOR_H
#define GT_OPTIM_ADAFACTOR_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Adafactor_OPTIONS(F, S)                                                                 \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, beta_2_decay, -0.8, "the memory of step t is 1 - t^beta_2_decay; < 0")            \
    F(S, double, epsilon_1, 1e-30, "added to squared gradients")                                   \
    F(S, double, epsilon_2, 1e-3, "the least size that a variable counts as")                      \
    F(S, double, clip_threshold, 1, "steps whose root mean square is larger are shortened to it")  \
    F(S, bool, relative_step, true,                                                                \
      "steps shrink as 1 / sqrt(t) at least; a schedule alone decides otherwise")                  \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_Adafactor_options, gt_Adafactor_OPTIONS);

/* gt_Adafactor(1e-3): for large matrices, whose mean squares it keeps as one row and one column. With rms(x) the root of the
 * mean of x^2 and t the number of the step, from 1:
 *     rho = min(lr, 1 / sqrt(t)),  alpha = max(epsilon_2, rms(w)) rho,  b = 1 - t^beta_2_decay,  s = g^2 + epsilon_1
 *     of matrices (the last two axes): r = b r + (1 - b) mean(s, rows), c likewise of columns, v = r c / mean(r)
 *     of others: v = b v + (1 - b) s
 *     u = g / sqrt(v),  w -= alpha u / max(1, rms(u) / clip_threshold)
 * Slots: row, column and velocity; those that a variable does not need are one number. */
#define gt_Adafactor(...)                                                                          \
    gt_Adafactor_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Adafactor, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Adafactor_at(const char *here, const gt_Adafactor_options *options);

GT_END

#endif
