/* Schedule-free AdamW (Defazio et al. 2024): an average of the iterates in place of a schedule. */
#ifndef GT_OPTIM_SCHEDULE_FREE_H
#define GT_OPTIM_SCHEDULE_FREE_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_ScheduleFreeAdamW_OPTIONS(F, S)                                                         \
    F(S, double, learning_rate, 0.0025, "length of a step")                                        \
    F(S, double, beta_1, 0.9, "how much of the average is in the variable, in (0, 1)")             \
    F(S, double, beta_2, 0.999, "memory of the mean square, in [0, 1)")                            \
    F(S, double, epsilon, 1e-8, "added to the root of the mean square")                            \
    F(S, int64_t, warmup_steps, 0, "steps in which the learning rate grows linearly to its value") \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_ScheduleFreeAdamW_options, gt_ScheduleFreeAdamW_OPTIONS);

/* gt_ScheduleFreeAdamW(0.0025): AdamW with an average of the iterates in place of a schedule. With t the number of the step,
 * from 1, and z = w at first:
 *     x = (w - (1 - beta_1) z) / beta_1                  the average so far
 *     v += (g^2 - v)(1 - beta_2)
 *     z -= lr min(t / warmup_steps, 1) g / (sqrt(v / (1 - beta_2^t)) + epsilon)
 *     x += (z - x) / t
 *     w = (1 - beta_1) z + beta_1 x
 * As in Keras the variable stays w, where gradients are taken, also for evaluation. Slots: momentum (z), velocity (v). */
#define gt_ScheduleFreeAdamW(...)                                                                  \
    gt_ScheduleFreeAdamW_at(GT_HERE,                                                               \
                            GT_KEYWORDS_MAYBE_1(gt_ScheduleFreeAdamW, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_ScheduleFreeAdamW_at(const char *here,
                                             const gt_ScheduleFreeAdamW_options *options);

GT_END

#endif
