/* Losses of 16-bit networks, scaled so that their gradients are not lost among the small numbers of float16 (Micikevicius et
 * al. 2018).
 *
 *     gt_Optimizer *optimizer = gt_LossScaleOptimizer(gt_Adam(1e-3));
 *     ...
 *     gt_Tensor *scaled = gt_scale_loss(optimizer, loss);          while the tape records
 *     gt_minimize(optimizer, tape, scaled, variables);
 *
 * gt_fit does this by itself; gt_compile scales the loss of a model whose policy is gt_mixed_float16(). */
#ifndef GT_OPTIM_LOSS_SCALE_H
#define GT_OPTIM_LOSS_SCALE_H

#include "core/tensor.h"
#include "optim/optimizer.h"

GT_BEGIN

#define gt_LossScaleOptimizer_OPTIONS(F, S)                                                        \
    F(S, double, initial_scale, 32768, "the factor at first, > 0")                                 \
    F(S, int64_t, dynamic_growth_steps, 2000, "steps in a row with finite gradients that double it")
GT_OPTIONS(gt_LossScaleOptimizer_options, gt_LossScaleOptimizer_OPTIONS);
/* The optimizer itself, which from now on divides gradients by a scale of its own, the state variable `loss_scale`. Where a
 * gradient is not finite the step is left out, and the scale is halved. Before the optimizer is built. NULL on failure, and
 * then `inner` is freed if nobody else has it. */
#define gt_LossScaleOptimizer(...)                                                                 \
    gt_LossScaleOptimizer_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                       \
                             GT_KEYWORDS(gt_LossScaleOptimizer, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Optimizer *gt_LossScaleOptimizer_at(const char *here, gt_Optimizer *inner,
                                              const gt_LossScaleOptimizer_options *options);

/* The loss times the optimizer's scale, or times its loss_scale_factor; the loss itself if it has neither. */
#define gt_scale_loss(optimizer, loss) gt_scale_loss_at(GT_HERE, optimizer, loss)
GT_API gt_Tensor *gt_scale_loss_at(const char *here, gt_Optimizer *optimizer, gt_Tensor *loss);
/* The scale now, 1 if there is none; NaN on failure, and inside a traced function. */
#define gt_optimizer_loss_scale(optimizer) gt_optimizer_loss_scale_at(GT_HERE, optimizer)
GT_API double gt_optimizer_loss_scale_at(const char *here, const gt_Optimizer *optimizer);

GT_END

#endif
