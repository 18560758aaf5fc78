/* What the files of metrics share. Not installed. */
#ifndef GT_TRAIN_METRICS_KIT_H
#define GT_TRAIN_METRICS_KIT_H

#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/axes.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "train/internal.h"
#include "train/metric.h"

/* Every class begins with these: its name, the function gt_NAME, which is also Keras's class, and its option list. */
#define GT_METRIC_RECORD(text, Name, Options, better)                                              \
    .size = sizeof(gt_MetricClass), .name = text, .options = &gt_##Options##_options_type,         \
    .function = #Name, .keras = #Name, .direction = GT_METRIC_DIRECTION_##better
/* gt_NAME_at for a class of that symbol. */
#define GT_METRIC(Name, Options, symbol)                                                           \
    gt_Metric *gt_##Name##_at(const char *here, const gt_##Options##_options *options)             \
    {                                                                                              \
        return gt_metric_make_at(here, &gt_metric_class_##symbol, options);                        \
    }

/* Labels and predictions (n) and (n, 1) are brought together; an error if their shapes differ otherwise. */
gt_Status gt_metric_bring_together(gt_Tensor **y_true, gt_Tensor **y_pred);
/* The weights of the values, float64 of their shape; 1 each where there are none. */
gt_Tensor *gt_metric_weights(const gt_MetricUpdate *update, gt_Tensor *values);

/* All built-in classes, each in the file of its subject. */
/* clang-format off */
#define GT_METRIC_CLASSES(F)                                                                       \
    F(accuracy) F(auc) F(binary_accuracy) F(binary_iou) F(categorical_accuracy)                    \
    F(concordance_correlation) F(cosine_similarity) F(equality_accuracy) F(f1_score)               \
    F(false_negatives) F(false_positives) F(fbeta_score) F(iou) F(mean) F(mean_iou)                \
    F(one_hot_iou) F(one_hot_mean_iou) F(pearson_correlation) F(precision)                         \
    F(precision_at_recall) F(r2_score) F(recall) F(recall_at_precision)                            \
    F(root_mean_squared_error) F(sensitivity_at_specificity) F(sparse_categorical_accuracy)        \
    F(sparse_top_k_categorical_accuracy) F(specificity_at_sensitivity) F(sum)                      \
    F(top_k_categorical_accuracy) F(true_negatives) F(true_positives)
/* clang-format on */
#define GT_DECLARE_METRIC(symbol) extern const gt_MetricClass gt_metric_class_##symbol;
GT_METRIC_CLASSES(GT_DECLARE_METRIC)

#endif
