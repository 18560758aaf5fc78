/* Metrics that count right and wrong answers beyond thresholds. */
#ifndef GT_TRAIN_METRICS_CONFUSION_H
#define GT_TRAIN_METRICS_CONFUSION_H

#include "train/metric.h"

GT_BEGIN

/* Predictions above a threshold are a yes. Labels and predictions have one shape; (n) and (n, 1) are brought together. */
#define GT_CONFUSION(F, S)                                                                         \
    F(S, gt_Numbers, thresholds, GT_NO_NUMBERS,                                                    \
      "in [0, 1], gt_numbers(0.5, 0.9): a result for each; none: 0.5, and all with top_k")         \
    F(S, int32_t, top_k, 0, "only the k largest scores of the last axis are a yes; 0: all")        \
    F(S, int32_t, class_id, -1, "only this class of the last axis counts; -1: all")                \
    GT_METRIC_COMMON(F, S)
#define gt_TruePositives_OPTIONS(F, S)                                                             \
    F(S, gt_Numbers, thresholds, GT_NO_NUMBERS, "in [0, 1]: a result for each; none: 0.5")         \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_TruePositives_options, gt_TruePositives_OPTIONS);
typedef gt_TruePositives_options gt_FalsePositives_options, gt_TrueNegatives_options,
    gt_FalseNegatives_options;
/* Weights of samples that are a yes and predicted so. */
#define gt_TruePositives(...)                                                                      \
    gt_TruePositives_at(GT_HERE, GT_KEYWORDS(gt_TruePositives, __VA_ARGS__))
GT_API gt_Metric *gt_TruePositives_at(const char *here, const gt_TruePositives_options *options);
/* Predicted a yes, and a no. */
#define gt_FalsePositives(...)                                                                     \
    gt_FalsePositives_at(GT_HERE, GT_KEYWORDS(gt_TruePositives, __VA_ARGS__))
GT_API gt_Metric *gt_FalsePositives_at(const char *here, const gt_TruePositives_options *options);
/* Predicted a no, and a no. */
#define gt_TrueNegatives(...)                                                                      \
    gt_TrueNegatives_at(GT_HERE, GT_KEYWORDS(gt_TruePositives, __VA_ARGS__))
GT_API gt_Metric *gt_TrueNegatives_at(const char *here, const gt_TruePositives_options *options);
/* Predicted a no, and a yes. */
#define gt_FalseNegatives(...)                                                                     \
    gt_FalseNegatives_at(GT_HERE, GT_KEYWORDS(gt_TruePositives, __VA_ARGS__))
GT_API gt_Metric *gt_FalseNegatives_at(const char *here, const gt_TruePositives_options *options);

#define gt_Precision_OPTIONS(F, S) GT_CONFUSION(F, S)
GT_OPTIONS(gt_Precision_options, gt_Precision_OPTIONS);
typedef gt_Precision_options gt_Recall_options;
/* How many of those predicted a yes are one: TP / (TP + FP), 0 where there are none. */
#define gt_Precision(...) gt_Precision_at(GT_HERE, GT_KEYWORDS(gt_Precision, __VA_ARGS__))
GT_API gt_Metric *gt_Precision_at(const char *here, const gt_Precision_options *options);
/* How many of those that are a yes are predicted so: TP / (TP + FN), 0 where there are none. */
#define gt_Recall(...) gt_Recall_at(GT_HERE, GT_KEYWORDS(gt_Precision, __VA_ARGS__))
GT_API gt_Metric *gt_Recall_at(const char *here, const gt_Precision_options *options);

#define gt_SensitivityAtSpecificity_OPTIONS(F, S)                                                  \
    F(S, double, specificity, -1, "in [0, 1]; required")                                           \
    F(S, int32_t, num_thresholds, 200, "from 0 to 1; > 0")                                         \
    F(S, int32_t, class_id, -1, "only this class of the last axis counts; -1: all")                \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_SensitivityAtSpecificity_options, gt_SensitivityAtSpecificity_OPTIONS);
/* The best sensitivity TP / (TP + FN) of a threshold whose specificity TN / (TN + FP) is at least that. */
#define gt_SensitivityAtSpecificity(...)                                                           \
    gt_SensitivityAtSpecificity_at(                                                                \
        GT_HERE, GT_KEYWORDS_1(gt_SensitivityAtSpecificity, specificity, __VA_ARGS__))
GT_API gt_Metric *
gt_SensitivityAtSpecificity_at(const char *here,
                               const gt_SensitivityAtSpecificity_options *options);

#define gt_SpecificityAtSensitivity_OPTIONS(F, S)                                                  \
    F(S, double, sensitivity, -1, "in [0, 1]; required")                                           \
    F(S, int32_t, num_thresholds, 200, "from 0 to 1; > 0")                                         \
    F(S, int32_t, class_id, -1, "only this class of the last axis counts; -1: all")                \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_SpecificityAtSensitivity_options, gt_SpecificityAtSensitivity_OPTIONS);
/* The best specificity of a threshold whose sensitivity is at least that. */
#define gt_SpecificityAtSensitivity(...)                                                           \
    gt_SpecificityAtSensitivity_at(                                                                \
        GT_HERE, GT_KEYWORDS_1(gt_SpecificityAtSensitivity, sensitivity, __VA_ARGS__))
GT_API gt_Metric *
gt_SpecificityAtSensitivity_at(const char *here,
                               const gt_SpecificityAtSensitivity_options *options);

#define gt_PrecisionAtRecall_OPTIONS(F, S)                                                         \
    F(S, double, recall, -1, "in [0, 1]; required")                                                \
    F(S, int32_t, num_thresholds, 200, "from 0 to 1; > 0")                                         \
    F(S, int32_t, class_id, -1, "only this class of the last axis counts; -1: all")                \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_PrecisionAtRecall_options, gt_PrecisionAtRecall_OPTIONS);
/* The best precision of a threshold whose recall is at least that. */
#define gt_PrecisionAtRecall(...)                                                                  \
    gt_PrecisionAtRecall_at(GT_HERE, GT_KEYWORDS_1(gt_PrecisionAtRecall, recall, __VA_ARGS__))
GT_API gt_Metric *gt_PrecisionAtRecall_at(const char *here,
                                          const gt_PrecisionAtRecall_options *options);

#define gt_RecallAtPrecision_OPTIONS(F, S)                                                         \
    F(S, double, precision, -1, "in [0, 1]; required")                                             \
    F(S, int32_t, num_thresholds, 200, "from 0 to 1; > 0")                                         \
    F(S, int32_t, class_id, -1, "only this class of the last axis counts; -1: all")                \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_RecallAtPrecision_options, gt_RecallAtPrecision_OPTIONS);
/* The best recall of a threshold whose precision is at least that. */
#define gt_RecallAtPrecision(...)                                                                  \
    gt_RecallAtPrecision_at(GT_HERE, GT_KEYWORDS_1(gt_RecallAtPrecision, precision, __VA_ARGS__))
GT_API gt_Metric *gt_RecallAtPrecision_at(const char *here,
                                          const gt_RecallAtPrecision_options *options);

/* Under which curve: the receiver's (hits over false alarms), precision over recall, or the gains of these two. */
typedef enum gt_AUCCurve { GT_AUC_CURVE_ROC, GT_AUC_CURVE_PR, GT_AUC_CURVE_PRGAIN } gt_AUCCurve;
/* How the area between two thresholds is taken. */
typedef enum gt_AUCSummation {
    GT_AUC_SUMMATION_INTERPOLATION,
    GT_AUC_SUMMATION_MAJORING,
    GT_AUC_SUMMATION_MINORING,
} gt_AUCSummation;
#define gt_AUC_OPTIONS(F, S)                                                                       \
    F(S, int32_t, num_thresholds, 200, "from 0 to 1; > 1")                                         \
    F(S, gt_Numbers, thresholds, GT_NO_NUMBERS,                                                    \
      "in [0, 1], with 0 and 1 besides; none: num_thresholds of them, evenly")                     \
    F(S, bool, multi_label, false, "the mean of the areas of the labels, of (batch, labels)")      \
    F(S, gt_Numbers, label_weights, GT_NO_NUMBERS,                                                 \
      "of the labels along the last axis: in that mean, or of all that counts; none: 1")           \
    F(S, gt_AUCCurve, curve, GT_AUC_CURVE_ROC, "ROC, PR or PRGAIN")                                \
    F(S, gt_AUCSummation, summation_method, GT_AUC_SUMMATION_INTERPOLATION, "of the areas")        \
    F(S, bool, from_logits, false, "y_pred are scores before sigmoid")                             \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_AUC_options, gt_AUC_OPTIONS);
/* The area under a curve of thresholds: ROC is the true positive rate over the false positive rate, PR precision over recall,
 * interpolated as Davis and Goadrich (2006) do, PRGAIN that of Flach and Kull (2015). All elements count together, or those of
 * each label. */
#define gt_AUC(...) gt_AUC_at(GT_HERE, GT_KEYWORDS(gt_AUC, __VA_ARGS__))
GT_API gt_Metric *gt_AUC_at(const char *here, const gt_AUC_options *options);

GT_END

#endif
