/* F scores: precision and recall in one number. */
#ifndef GT_TRAIN_METRICS_F_SCORE_H
#define GT_TRAIN_METRICS_F_SCORE_H

#include "train/metric.h"

GT_BEGIN

/* How the numbers of the classes become one. */
typedef enum gt_Averaging {
    GT_AVERAGING_NONE,     /* a number for each class */
    GT_AVERAGING_MICRO,    /* all classes count together */
    GT_AVERAGING_MACRO,    /* the mean of the classes */
    GT_AVERAGING_WEIGHTED, /* weighted by how often each class is there */
} gt_Averaging;
#define gt_FBetaScore_OPTIONS(F, S)                                                                \
    F(S, gt_Averaging, average, GT_AVERAGING_NONE, "of the classes")                               \
    F(S, double, beta, 1, "how much more recall counts; > 0")                                      \
    F(S, double, threshold, GT_NONE,                                                               \
      "in (0, 1]: predictions above it are a yes; not given: the largest")                         \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_FBetaScore_options, gt_FBetaScore_OPTIONS);
#define gt_F1Score_OPTIONS(F, S)                                                                   \
    F(S, gt_Averaging, average, GT_AVERAGING_NONE, "of the classes")                               \
    F(S, double, threshold, GT_NONE,                                                               \
      "in (0, 1]: predictions above it are a yes; not given: the largest")                         \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_F1Score_options, gt_F1Score_OPTIONS);
/* (1 + beta^2) precision recall / (beta^2 precision + recall) of each class, with Keras's 1e-7 in each denominator; labels and
 * predictions (batch, classes). */
#define gt_FBetaScore(...) gt_FBetaScore_at(GT_HERE, GT_KEYWORDS(gt_FBetaScore, __VA_ARGS__))
GT_API gt_Metric *gt_FBetaScore_at(const char *here, const gt_FBetaScore_options *options);
/* The same with beta 1. */
#define gt_F1Score(...) gt_F1Score_at(GT_HERE, GT_KEYWORDS(gt_F1Score, __VA_ARGS__))
GT_API gt_Metric *gt_F1Score_at(const char *here, const gt_F1Score_options *options);

GT_END

#endif
