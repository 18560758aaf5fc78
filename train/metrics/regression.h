/* How well numbers are predicted. */
#ifndef GT_TRAIN_METRICS_REGRESSION_H
#define GT_TRAIN_METRICS_REGRESSION_H

#include "train/metric.h"

GT_BEGIN

#define gt_CosineSimilarityMetric_OPTIONS(F, S)                                                    \
    F(S, int32_t, axis, -1, "along which the vectors are; negative: from the end")                 \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_CosineSimilarityMetric_options, gt_CosineSimilarityMetric_OPTIONS);
typedef gt_CosineSimilarityMetric_options gt_PearsonCorrelation_options,
    gt_ConcordanceCorrelation_options;
/* The mean cosine of the angle between y_true and y_pred, 0 where one of them is 0: minus the loss
 * gt_CosineSimilarity. */
#define gt_CosineSimilarityMetric(...)                                                             \
    gt_CosineSimilarityMetric_at(GT_HERE, GT_KEYWORDS(gt_CosineSimilarityMetric, __VA_ARGS__))
GT_API gt_Metric *gt_CosineSimilarityMetric_at(const char *here,
                                               const gt_CosineSimilarityMetric_options *options);
/* The mean of Pearson's correlations along the axis. */
#define gt_PearsonCorrelation(...)                                                                 \
    gt_PearsonCorrelation_at(GT_HERE, GT_KEYWORDS(gt_CosineSimilarityMetric, __VA_ARGS__))
GT_API gt_Metric *gt_PearsonCorrelation_at(const char *here,
                                           const gt_CosineSimilarityMetric_options *options);
/* The mean of the concordance correlations (Lin 1989) along the axis. */
#define gt_ConcordanceCorrelation(...)                                                             \
    gt_ConcordanceCorrelation_at(GT_HERE, GT_KEYWORDS(gt_CosineSimilarityMetric, __VA_ARGS__))
GT_API gt_Metric *gt_ConcordanceCorrelation_at(const char *here,
                                               const gt_CosineSimilarityMetric_options *options);

/* How the numbers of the columns become one. */
typedef enum gt_R2Aggregation {
    GT_R2_AGGREGATION_UNIFORM_AVERAGE,
    GT_R2_AGGREGATION_VARIANCE_WEIGHTED_AVERAGE,
    GT_R2_AGGREGATION_NONE, /* a number for each column */
} gt_R2Aggregation;
#define gt_R2Score_OPTIONS(F, S)                                                                   \
    F(S, gt_R2Aggregation, class_aggregation, GT_R2_AGGREGATION_UNIFORM_AVERAGE, "of the columns") \
    F(S, int64_t, num_regressors, 0, "> 0: adjusted for so many of them")                          \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_R2Score_options, gt_R2Score_OPTIONS);
/* 1 - the sum of squared errors over the sum of squared distances from the mean, of each column of (batch, columns); 0 where
 * a column does not vary. With num_regressors = p of n elements: 1 - (1 - R2)(n - 1) / (n - p - 1), where p < n - 1. */
#define gt_R2Score(...) gt_R2Score_at(GT_HERE, GT_KEYWORDS(gt_R2Score, __VA_ARGS__))
GT_API gt_Metric *gt_R2Score_at(const char *here, const gt_R2Score_options *options);

GT_END

#endif
