/* Metrics: numbers about predictions, gathered over the batches of an epoch.
 * What a metric gathers is in variables, so it is updated inside compiled steps. A metric of one's
 * own is a gt_MetricClass. */
#ifndef GT_TRAIN_METRIC_H
#define GT_TRAIN_METRIC_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "train/loss.h"

GT_BEGIN

typedef struct gt_Metric gt_Metric;

#define GT_MAX_METRIC_STATES 4
#define GT_MAX_METRICS       16 /* of one model */

typedef struct gt_MetricUpdate {
    const void *instance;       /* the struct that gt_metric_new was given; a copy of it */
    gt_Variable *const *states; /* float64 */
    gt_Tensor *y_true, *y_pred; /* without masks */
    gt_Tensor *sample_weight;   /* of the leading axes of the values; padding weighs 0. NULL: all weigh 1 */
    gt_Tensor *mask;            /* of y_pred; it is part of the weight. NULL: none */
    gt_Tensor *given_weight;    /* sample_weight without the mask */
} gt_MetricUpdate;

typedef struct gt_MetricClass {
    uint32_t size;    /* of this struct */
    const char *name; /* "accuracy": the metric's name if none is given */
    size_t instance;  /* bytes of the struct that gt_metric_new copies; may be 0 */
    int32_t states;   /* how many variables, 1 to GT_MAX_METRIC_STATES; float64, zeros at first */
    /* The shape of a state; NULL: all are scalars. */
    gt_Shape (*shape)(const void *instance, int state);
    /* Adds a batch to the states, with operations: gt_metric_add_mean, gt_assign_add. */
    gt_Status (*update)(const gt_MetricUpdate *update);
    /* The number so far. NULL: state 0 / state 1, and 0 before the first batch. */
    double (*result)(const void *instance, gt_Variable *const *states);
} gt_MetricClass;

/* A new metric, floating: gt_compile takes it over; else gt_metric_free, or it goes with the
 * context. The class must outlive it. `name` is copied; NULL: that of the class. */
#define gt_metric_new(...) gt_metric_new_at(GT_HERE, __VA_ARGS__)
GT_API gt_Metric *gt_metric_new_at(const char *here, const gt_MetricClass *type, const char *name,
                                   const void *instance);
/* Which output of the model, and which of the labels, the metric is about; 0 at first. Built-in metrics have an option for
 * it. Returns the metric. */
#define gt_metric_set_output(metric, output) gt_metric_set_output_at(GT_HERE, metric, output)
GT_API gt_Metric *gt_metric_set_output_at(const char *here, gt_Metric *metric, int output);

/* For `update` of metrics that are a mean: state 0 += sum of the values, of any shape and type, each times its weight,
 * state 1 += the sum of the weights, which is how many there are where all weigh 1. */
#define gt_metric_add_mean(...) gt_metric_add_mean_at(GT_HERE, __VA_ARGS__)
GT_API gt_Status gt_metric_add_mean_at(const char *here, const gt_MetricUpdate *update,
                                       gt_Tensor *values);

#define gt_metric_update_OPTIONS(F, S)                                                             \
    F(S, gt_Tensor *, sample_weight, NULL, "a factor for every sample, or step; NULL: 1")
GT_OPTIONS(gt_metric_update_options, gt_metric_update_OPTIONS);
/* gt_metric_update(accuracy, y_true, y_pred): adds a batch. Steps that the mask of y_pred leaves out do not count. */
#define gt_metric_update(metric, y_true, ...)                                                      \
    gt_metric_update_at(GT_HERE, metric, y_true, GT_FIRST(__VA_ARGS__),                            \
                        GT_KEYWORDS(gt_metric_update, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_metric_update_at(const char *here, gt_Metric *metric, gt_Tensor *y_true,
                                     gt_Tensor *y_pred, const gt_metric_update_options *options);
#define gt_metric_result(metric) gt_metric_result_at(GT_HERE, metric)
GT_API double gt_metric_result_at(const char *here, const gt_Metric *metric); /* NaN on failure */
#define gt_metric_reset(metric) gt_metric_reset_at(GT_HERE, metric)
GT_API gt_Status gt_metric_reset_at(const char *here, gt_Metric *metric);
#define gt_metric_name(metric) gt_metric_name_at(GT_HERE, metric)
GT_API const char *gt_metric_name_at(const char *here, const gt_Metric *metric);
/* The state, to be saved. */
#define gt_metric_variables(metric) gt_metric_variables_at(GT_HERE, metric)
GT_API gt_Tensors gt_metric_variables_at(const char *here, const gt_Metric *metric);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_metric_free(gt_Metric *metric);

/* A few metrics in order: gt_metrics(a, b). It borrows the array. */
typedef struct gt_Metrics {
    gt_Metric *const *items;
    int32_t count;
} gt_Metrics;
/* From an array that ends with GT_LIST_END. */
GT_API gt_Metrics gt_metrics_list(gt_Metric *const *items);

/* Options that every metric has. */
#define GT_METRIC_COMMON(F, S)                                                                     \
    F(S, const char *, name, NULL, "copied; NULL: that of the metric")                             \
    F(S, int32_t, output, 0, "of the model's outputs, for a model with several")

#define gt_Mean_OPTIONS(F, S) GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_Mean_options, gt_Mean_OPTIONS);
typedef gt_Mean_options gt_CategoricalAccuracy_options, gt_SparseCategoricalAccuracy_options,
    gt_LossMetric_options;

#define gt_Accuracy_OPTIONS(F, S)                                                                  \
    F(S, double, threshold, 0.5,                                                                   \
      "binary: a prediction above it is a 1; 0 for scores before sigmoid")                         \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_Accuracy_options, gt_Accuracy_OPTIONS);
typedef gt_Accuracy_options gt_BinaryAccuracy_options;

/* The mean of y_pred; y_true may be NULL: gt_metric_update(mean, NULL, values). */
#define gt_Mean(...) gt_Mean_at(GT_HERE, GT_KEYWORDS(gt_Mean, __VA_ARGS__))
GT_API gt_Metric *gt_Mean_at(const char *here, const gt_Mean_options *options);

/* How many predictions are right, chosen by shapes: predictions (..., 1) or of rank 1 are binary;
 * labels of fewer dimensions than the predictions, or (..., 1), name classes (sparse categorical);
 * labels like the predictions are categorical. */
#define gt_Accuracy(...) gt_Accuracy_at(GT_HERE, GT_KEYWORDS(gt_Accuracy, __VA_ARGS__))
GT_API gt_Metric *gt_Accuracy_at(const char *here, const gt_Accuracy_options *options);
/* (y_pred > threshold) == y_true, over all elements. */
#define gt_BinaryAccuracy(...) gt_BinaryAccuracy_at(GT_HERE, GT_KEYWORDS(gt_Accuracy, __VA_ARGS__))
GT_API gt_Metric *gt_BinaryAccuracy_at(const char *here, const gt_Accuracy_options *options);
/* argmax y_pred == argmax y_true, over the last axis. */
#define gt_CategoricalAccuracy(...)                                                                \
    gt_CategoricalAccuracy_at(GT_HERE, GT_KEYWORDS(gt_Mean, __VA_ARGS__))
GT_API gt_Metric *gt_CategoricalAccuracy_at(const char *here, const gt_Mean_options *options);
/* argmax y_pred == y_true: y_pred (..., classes), labels (...) or (..., 1). */
#define gt_SparseCategoricalAccuracy(...)                                                          \
    gt_SparseCategoricalAccuracy_at(GT_HERE, GT_KEYWORDS(gt_Mean, __VA_ARGS__))
GT_API gt_Metric *gt_SparseCategoricalAccuracy_at(const char *here, const gt_Mean_options *options);
#define gt_CosineSimilarityMetric_OPTIONS(F, S)                                                    \
    F(S, int32_t, axis, -1, "along which the vectors are; negative: from the end")                 \
    GT_METRIC_COMMON(F, S)
GT_OPTIONS(gt_CosineSimilarityMetric_options, gt_CosineSimilarityMetric_OPTIONS);
/* The mean cosine of the angle between y_true and y_pred, 0 where one of them is 0: minus the loss
 * gt_CosineSimilarity. */
#define gt_CosineSimilarityMetric(...)                                                             \
    gt_CosineSimilarityMetric_at(GT_HERE, GT_KEYWORDS(gt_CosineSimilarityMetric, __VA_ARGS__))
GT_API gt_Metric *gt_CosineSimilarityMetric_at(const char *here,
                                               const gt_CosineSimilarityMetric_options *options);
/* gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae"): the mean of a loss, weighted by the
 * sizes of the batches. */
#define gt_LossMetric(...)                                                                         \
    gt_LossMetric_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_Mean, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Metric *gt_LossMetric_at(const char *here, gt_Loss loss, const gt_Mean_options *options);

GT_END

#ifdef __cplusplus
#include <cstddef>
template <std::size_t N> struct gt_MetricArray {
    gt_Metric *items[N];
    operator gt_Metrics() const
    {
        gt_Metrics list = {items, static_cast<int32_t>(N)};
        return list;
    }
};
/* Lives to the end of the full expression. */
template <class... T> inline gt_MetricArray<sizeof...(T)> gt_metrics(T... t)
{
    return gt_MetricArray<sizeof...(T)>{{t...}};
}
#else
/* gt_metrics(gt_Accuracy(), gt_Mean()): lives as long as the block it is written in. */
#define gt_metrics(...) gt_metrics_list((gt_Metric *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)})
#endif

#endif
