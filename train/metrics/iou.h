/* Intersection over union of classes, from a confusion matrix. */
#ifndef GT_TRAIN_METRICS_IOU_H
#define GT_TRAIN_METRICS_IOU_H

#include "train/metric.h"

GT_BEGIN

#define GT_IOU(F, S, sparse)                                                                       \
    F(S, int64_t, num_classes, 0, "how many there are; required, > 0")                             \
    F(S, gt_Axes, target_class_ids, GT_ALL_AXES,                                                   \
      "classes that count, gt_axes(0, 2); all: every one")                                         \
    F(S, int64_t, ignore_class, GT_NONE, "samples with this label do not count")                   \
    F(S, bool, sparse_y_true, sparse, "labels name classes; false: scores of classes")             \
    F(S, bool, sparse_y_pred, sparse, "predictions name classes; false: scores of classes")        \
    F(S, int32_t, axis, -1, "of the classes, where they have scores")                              \
    GT_METRIC_COMMON(F, S)
#define gt_IoU_OPTIONS(F, S) GT_IOU(F, S, true)
GT_OPTIONS(gt_IoU_options, gt_IoU_OPTIONS);
typedef gt_IoU_options gt_MeanIoU_options;
#define gt_OneHotIoU_OPTIONS(F, S) GT_IOU(F, S, false)
GT_OPTIONS(gt_OneHotIoU_options, gt_OneHotIoU_OPTIONS);
typedef gt_OneHotIoU_options gt_OneHotMeanIoU_options;
#define gt_BinaryIoU_OPTIONS(F, S)                                                                 \
    F(S, gt_Axes, target_class_ids, GT_ALL_AXES, "classes that count, 0 and 1; all: both")         \
    F(S, double, threshold, 0.5, "a prediction of at least that is a 1")                           \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_BinaryIoU_options, gt_BinaryIoU_OPTIONS);
/* gt_IoU(3, .target_class_ids = gt_axes(0, 2)): TP / (TP + FP + FN) of each of these classes, and the mean of those that are there.
 * Samples whose label or prediction is no class do not count. */
#define gt_IoU(...) gt_IoU_at(GT_HERE, GT_KEYWORDS_1(gt_IoU, num_classes, __VA_ARGS__))
GT_API gt_Metric *gt_IoU_at(const char *here, const gt_IoU_options *options);
/* The same of all classes. */
#define gt_MeanIoU(...) gt_MeanIoU_at(GT_HERE, GT_KEYWORDS_1(gt_IoU, num_classes, __VA_ARGS__))
GT_API gt_Metric *gt_MeanIoU_at(const char *here, const gt_IoU_options *options);
/* For labels that are one-hot and predictions that are scores. */
#define gt_OneHotIoU(...)                                                                          \
    gt_OneHotIoU_at(GT_HERE, GT_KEYWORDS_1(gt_OneHotIoU, num_classes, __VA_ARGS__))
GT_API gt_Metric *gt_OneHotIoU_at(const char *here, const gt_OneHotIoU_options *options);
#define gt_OneHotMeanIoU(...)                                                                      \
    gt_OneHotMeanIoU_at(GT_HERE, GT_KEYWORDS_1(gt_OneHotIoU, num_classes, __VA_ARGS__))
GT_API gt_Metric *gt_OneHotMeanIoU_at(const char *here, const gt_OneHotIoU_options *options);
/* Of 0 and 1, for predictions that are probabilities. */
#define gt_BinaryIoU(...) gt_BinaryIoU_at(GT_HERE, GT_KEYWORDS(gt_BinaryIoU, __VA_ARGS__))
GT_API gt_Metric *gt_BinaryIoU_at(const char *here, const gt_BinaryIoU_options *options);

GT_END

#endif
