/* Adam (Kingma and Ba 2015), its variant amsgrad (Reddi et al. 2018), and AdamW (Loshchilov and
 * Hutter 2019), which is Adam with weight decay. */
#ifndef GT_OPTIM_ADAM_H
#define GT_OPTIM_ADAM_H

#include "optim/optimizer.h"

GT_BEGIN

#define GT_ADAM_LIST_(F, Type, decay)                                                              \
    F(uint32_t, size, (uint32_t)sizeof(Type), "for ABI growth")                                    \
    F(double, learning_rate, 0.001, "length of a step")                                            \
    F(double, beta_1, 0.9, "memory of the mean, in [0, 1)")                                        \
    F(double, beta_2, 0.999, "memory of the mean square, in [0, 1)")                               \
    F(double, epsilon, 1e-7, "added to the root of the mean square")                               \
    F(bool, amsgrad, false, "divides by the largest mean square so far")                           \
    GT_OPTIMIZER_OPTIONS(F, decay)

#define GT_ADAM_OPTIONS(F) GT_ADAM_LIST_(F, gt_AdamOptions, GT_NONE)
typedef struct gt_AdamOptions gt_AdamOptions;
struct gt_AdamOptions {
    GT_ADAM_OPTIONS(GT_MEMBER)
};

/* gt_adam(1e-3, .beta_1 = 0.8): with t the number of the step, from 1,
 *     m += (g - m)(1 - beta_1),  v += (g^2 - v)(1 - beta_2)
 *     w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)
 * Slots: momentum, velocity, and velocity_hat (the largest v so far, in place of v) if amsgrad. */
#define gt_adam(...)                                                                               \
    gt_adam_new(GT_HERE, GT_RATE_FIRST_(gt_AdamOptions, GT_ADAM_OPTIONS, __VA_ARGS__))
GT_API gt_Optimizer *gt_adam_new(const char *here, const gt_AdamOptions *options);

#define GT_ADAMW_OPTIONS(F) GT_ADAM_LIST_(F, gt_AdamWOptions, 0.004)
typedef struct gt_AdamWOptions gt_AdamWOptions;
struct gt_AdamWOptions {
    GT_ADAMW_OPTIONS(GT_MEMBER)
};

/* gt_adamw(1e-3, .weight_decay = 0.01): gt_adam that must have a weight decay, 0.004 unless said.
 */
#define gt_adamw(...)                                                                              \
    gt_adamw_new(GT_HERE, GT_RATE_FIRST_(gt_AdamWOptions, GT_ADAMW_OPTIONS, __VA_ARGS__))
GT_API gt_Optimizer *gt_adamw_new(const char *here, const gt_AdamWOptions *options);

GT_END

#endif
