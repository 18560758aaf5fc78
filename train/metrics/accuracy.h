/* How many predictions are right. */
#ifndef GT_TRAIN_METRICS_ACCURACY_H
#define GT_TRAIN_METRICS_ACCURACY_H

#include "train/metric.h"

GT_BEGIN

#define gt_Accuracy_OPTIONS(F, S)                                                                  \
    F(S, double, threshold, 0.5,                                                                   \
      "binary: a prediction above it is a 1; 0 for scores before sigmoid")                         \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_Accuracy_options, gt_Accuracy_OPTIONS);
typedef gt_Accuracy_options gt_BinaryAccuracy_options;
#define gt_CategoricalAccuracy_OPTIONS(F, S) GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_CategoricalAccuracy_options, gt_CategoricalAccuracy_OPTIONS);
typedef gt_CategoricalAccuracy_options gt_SparseCategoricalAccuracy_options,
    gt_EqualityAccuracy_options;
#define gt_TopKCategoricalAccuracy_OPTIONS(F, S)                                                   \
    F(S, int32_t, k, 5, "how many scores count; > 0")                                              \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_TopKCategoricalAccuracy_options, gt_TopKCategoricalAccuracy_OPTIONS);
typedef gt_TopKCategoricalAccuracy_options gt_SparseTopKCategoricalAccuracy_options;

/* How many predictions are right, chosen by shapes: predictions (..., 1) or of rank 1 are binary;
 * labels of fewer dimensions than the predictions, or (..., 1), name classes (sparse categorical);
 * labels like the predictions are categorical. This is what Keras's string "accuracy" means. */
#define gt_Accuracy(...) gt_Accuracy_at(GT_HERE, GT_KEYWORDS(gt_Accuracy, __VA_ARGS__))
GT_API gt_Metric *gt_Accuracy_at(const char *here, const gt_Accuracy_options *options);
/* (y_pred > threshold) == y_true, over all elements. */
#define gt_BinaryAccuracy(...) gt_BinaryAccuracy_at(GT_HERE, GT_KEYWORDS(gt_Accuracy, __VA_ARGS__))
GT_API gt_Metric *gt_BinaryAccuracy_at(const char *here, const gt_Accuracy_options *options);
/* argmax y_pred == argmax y_true, over the last axis. */
#define gt_CategoricalAccuracy(...)                                                                \
    gt_CategoricalAccuracy_at(GT_HERE, GT_KEYWORDS(gt_CategoricalAccuracy, __VA_ARGS__))
GT_API gt_Metric *gt_CategoricalAccuracy_at(const char *here,
                                            const gt_CategoricalAccuracy_options *options);
/* argmax y_pred == y_true: y_pred (..., classes), labels (...) or (..., 1). */
#define gt_SparseCategoricalAccuracy(...)                                                          \
    gt_SparseCategoricalAccuracy_at(GT_HERE, GT_KEYWORDS(gt_CategoricalAccuracy, __VA_ARGS__))
GT_API gt_Metric *gt_SparseCategoricalAccuracy_at(const char *here,
                                                  const gt_CategoricalAccuracy_options *options);
/* y_pred == y_true, over all elements: Keras's class Accuracy. */
#define gt_EqualityAccuracy(...)                                                                   \
    gt_EqualityAccuracy_at(GT_HERE, GT_KEYWORDS(gt_CategoricalAccuracy, __VA_ARGS__))
GT_API gt_Metric *gt_EqualityAccuracy_at(const char *here,
                                         const gt_CategoricalAccuracy_options *options);
/* Is the class of the largest label among the k largest scores? Both (..., classes). Scores that are equal count for each. */
#define gt_TopKCategoricalAccuracy(...)                                                            \
    gt_TopKCategoricalAccuracy_at(GT_HERE, GT_KEYWORDS(gt_TopKCategoricalAccuracy, __VA_ARGS__))
GT_API gt_Metric *gt_TopKCategoricalAccuracy_at(const char *here,
                                                const gt_TopKCategoricalAccuracy_options *options);
/* The same for labels that name classes, (...) or (..., 1). */
#define gt_SparseTopKCategoricalAccuracy(...)                                                      \
    gt_SparseTopKCategoricalAccuracy_at(GT_HERE,                                                   \
                                        GT_KEYWORDS(gt_TopKCategoricalAccuracy, __VA_ARGS__))
GT_API gt_Metric *
gt_SparseTopKCategoricalAccuracy_at(const char *here,
                                    const gt_TopKCategoricalAccuracy_options *options);

GT_END

#endif
