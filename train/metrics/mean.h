/* Means of values and of losses. */
#ifndef GT_TRAIN_METRICS_MEAN_H
#define GT_TRAIN_METRICS_MEAN_H

#include "train/metric.h"

GT_BEGIN

#define gt_Mean_OPTIONS(F, S) GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_Mean_options, gt_Mean_OPTIONS);
typedef gt_Mean_options gt_Sum_options, gt_LossMetric_options, gt_MeanMetric_options,
    gt_RootMeanSquaredError_options;

/* The mean of y_pred; y_true may be NULL: gt_metric_update(mean, NULL, values). */
#define gt_Mean(...) gt_Mean_at(GT_HERE, GT_KEYWORDS(gt_Mean, __VA_ARGS__))
GT_API gt_Metric *gt_Mean_at(const char *here, const gt_Mean_options *options);
/* Their sum. */
#define gt_Sum(...) gt_Sum_at(GT_HERE, GT_KEYWORDS(gt_Mean, __VA_ARGS__))
GT_API gt_Metric *gt_Sum_at(const char *here, const gt_Mean_options *options);
/* The root of the mean of (y_pred - y_true)^2 over all elements. */
#define gt_RootMeanSquaredError(...)                                                               \
    gt_RootMeanSquaredError_at(GT_HERE, GT_KEYWORDS(gt_Mean, __VA_ARGS__))
GT_API gt_Metric *gt_RootMeanSquaredError_at(const char *here, const gt_Mean_options *options);
/* gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae"): the losses of the samples, each times its weight, over the sum of the
 * weights, as Keras's metrics of that name. A loss that is one number for the whole batch (a sum, gt_Dice) counts as often
 * as the batch has rows. */
#define gt_LossMetric(...)                                                                         \
    gt_LossMetric_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_Mean, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Metric *gt_LossMetric_at(const char *here, gt_Loss loss, const gt_Mean_options *options);
/* gt_MeanMetric(function, .name = "error"): the mean of what a function of one's own makes of labels and predictions, a number
 * for each sample or step, weighted as samples are (Keras's MeanMetricWrapper). */
typedef gt_Tensor *(*gt_MetricFunction)(gt_Tensor *y_true, gt_Tensor *y_pred);
#define gt_MeanMetric(...)                                                                         \
    gt_MeanMetric_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_Mean, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Metric *gt_MeanMetric_at(const char *here, gt_MetricFunction function,
                                   const gt_Mean_options *options);

GT_END

#endif
