/* The circle loss, for embeddings (Sun et al. 2020). Options and errors: ops/nn/loss.h. */
#ifndef GT_OPS_CIRCLE_H
#define GT_OPS_CIRCLE_H

#include "ops/nn/loss.h"

GT_BEGIN

/* One loss a sample, from integer labels (batch) and embeddings (batch, features) of length 1: small where those of one class
 * are close and the others are not. The mean is over the samples whose loss is above 0, as in Keras. */
#define gt_Circle_OPTIONS(F, S)                                                                    \
    F(S, double, gamma, 80, "the scale")                                                           \
    F(S, double, margin, 0.4, "how far apart classes are kept")                                    \
    F(S, bool, remove_diagonal, true, "a sample is not compared with itself")                      \
    GT_REDUCED(F, S)
#define gt_circle_OPTIONS(F, S) gt_Circle_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_circle_options, gt_circle_OPTIONS);
#define gt_circle(...)                                                                             \
    gt_circle_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                           \
                 GT_KEYWORDS(gt_circle, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(circle, gt_circle_options);

GT_END

#endif
