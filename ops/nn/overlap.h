/* Losses of segmentations, by how much what is predicted and what is there overlap. Options and errors: ops/nn/loss.h. */
#ifndef GT_OPS_OVERLAP_H
#define GT_OPS_OVERLAP_H

#include "ops/nn/loss.h"

GT_BEGIN

/* 1 - 2 sum(y p) / (sum(y) + sum(p) + 1e-7) (Milletari et al. 2016) */
#define gt_Dice_OPTIONS(F, S)                                                                      \
    F(S, gt_Axes, axes, GT_ALL_AXES, "what is summed over; all: one loss for everything")          \
    GT_REDUCED(F, S)
#define gt_dice_OPTIONS(F, S) gt_Dice_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_dice_options, gt_dice_OPTIONS);
#define gt_dice(...)                                                                               \
    gt_dice_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                             \
               GT_KEYWORDS(gt_dice, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(dice, gt_dice_options);

/* 1 - s / (s + alpha sum(y (1 - p)) + beta sum(p (1 - y)) + 1e-7) with s = sum(y p) (Salehi et al. 2017). Alpha and beta are
 * Keras's, whose false positives are what others call false negatives. */
#define gt_Tversky_OPTIONS(F, S)                                                                   \
    F(S, double, alpha, 0.5, "the weight of what is there and not predicted")                      \
    F(S, double, beta, 0.5, "the weight of what is predicted and not there")                       \
    F(S, gt_Axes, axes, GT_ALL_AXES, "what is summed over; all: one loss for everything")          \
    GT_REDUCED(F, S)
#define gt_tversky_OPTIONS(F, S) gt_Tversky_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_tversky_options, gt_tversky_OPTIONS);
#define gt_tversky(...)                                                                            \
    gt_tversky_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                          \
                  GT_KEYWORDS(gt_tversky, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(tversky, gt_tversky_options);

GT_END

#endif
