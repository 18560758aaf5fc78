/* Metrics: numbers about predictions, gathered over the batches of an epoch.
 * What a metric gathers is in variables, so it is updated inside compiled steps. A metric of one's
 * own is a gt_MetricClass. */
#ifndef GT_TRAIN_METRIC_H
#define GT_TRAIN_METRIC_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "train/loss.h"

GT_BEGIN

/* Numbers about labels and predictions, gathered batch by batch. */
typedef struct gt_Metric gt_Metric;

#define GT_MAX_METRIC_STATES 6
#define GT_MAX_METRICS       16 /* of one model */

/* What the function of a metric gets for each batch. */
typedef struct gt_MetricUpdate {
    /* The class's option struct, filled in; or the struct that gt_metric_new was given. */
    const void *instance;
    gt_Variable *const *states; /* float64 */
    gt_Tensor *y_true, *y_pred; /* without masks */
    /* Of the leading axes of the values; padding weighs 0. NULL: all weigh 1. */
    gt_Tensor *sample_weight;
    gt_Tensor *mask;         /* of y_pred; it is part of the weight. NULL: none */
    gt_Tensor *given_weight; /* sample_weight without the mask */
} gt_MetricUpdate;

/* Which of two results is the better one. */
typedef enum gt_MetricDirection {
    GT_METRIC_DIRECTION_NONE,
    GT_METRIC_DIRECTION_UP,
    GT_METRIC_DIRECTION_DOWN,
} gt_MetricDirection;

/* The class of a metric: its states, how a batch changes them, and what they give. */
typedef struct gt_MetricClass {
    uint32_t size;    /* of this struct */
    const char *name; /* "accuracy": the metric's name if none is given */
    size_t instance;  /* bytes of the struct that gt_metric_new copies; may be 0 */
    int32_t states;   /* how many variables, 1 to GT_MAX_METRIC_STATES; float64, zeros at first */
    /* The shape of a state for such labels and predictions (y_true NULL: there are none): states are made at the first
     * update, and later ones must agree. Raises what does not fit. NULL: all are scalars. */
    gt_Shape (*shape)(const void *instance, int state, const gt_Spec *y_true,
                      const gt_Spec *y_pred);
    /* Adds a batch to the states, with operations: gt_metric_add_mean, gt_assign_add. */
    gt_Status (*update)(const gt_MetricUpdate *update);
    /* What it is so far, a number or more, by operations. NULL: state 0 / state 1, and 0 before the first batch. */
    gt_Tensor *(*result)(const void *instance, gt_Variable *const *states);
    /* For a class with an option list, see gt_metric_make: those called name and output (GT_METRIC_COMMON) have their
     * effect. NULL: none. */
    const gt_OptionType *options;
    gt_Status (*check)(
        const void *options); /* raises what is wrong with them; NULL: nothing can be */
    const char *function;     /* "AUC": gt_AUC makes it; NULL: another one */
    const char *keras;        /* the name of Keras's class; NULL: it has none */
    gt_MetricDirection direction;
} gt_MetricClass;

/* A new metric, floating: gt_compile takes it over; else gt_metric_free, or it goes with the
 * context. The class must outlive it. `name` is copied; NULL: that of the class. */
#define gt_metric_new(...) gt_metric_new_at(GT_HERE, __VA_ARGS__)
GT_API gt_Metric *gt_metric_new_at(const char *here, const gt_MetricClass *type, const char *name,
                                   const void *instance);
/* The same for a class with an option list; `options` is a struct of its type, or NULL for the defaults. */
#define gt_metric_make(...) gt_metric_make_at(GT_HERE, __VA_ARGS__)
GT_API gt_Metric *gt_metric_make_at(const char *here, const gt_MetricClass *type,
                                    const void *options);
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
/* The number so far, the mean of them where there are several; 0 before the first batch, NaN on failure. */
#define gt_metric_result(metric) gt_metric_result_at(GT_HERE, metric)
GT_API double gt_metric_result_at(const char *here, const gt_Metric *metric);
/* All numbers so far: a number for each threshold, for each class. */
#define gt_metric_values(metric) gt_metric_values_at(GT_HERE, metric)
GT_API gt_Tensor *gt_metric_values_at(const char *here, const gt_Metric *metric);
/* Begins anew. */
#define gt_metric_reset(metric) gt_metric_reset_at(GT_HERE, metric)
GT_API gt_Status gt_metric_reset_at(const char *here, gt_Metric *metric);
/* Its name, as it is shown; "" on failure. */
#define gt_metric_name(metric) gt_metric_name_at(GT_HERE, metric)
GT_API const char *gt_metric_name_at(const char *here, const gt_Metric *metric);
/* The class, to be saved; NULL on failure. */
#define gt_metric_class(metric) gt_metric_class_at(GT_HERE, metric)
GT_API const gt_MetricClass *gt_metric_class_at(const char *here, const gt_Metric *metric);
/* All built-in classes of metrics; count gets how many. Static storage. */
GT_API const gt_MetricClass *const *gt_metric_classes(int *count);
/* The built-in class of that name, ours ("auc") or Keras's ("AUC"); NULL without an error if there is none. */
GT_API const gt_MetricClass *gt_metric_class_find(const char *name);
/* gt_metrics(gt_metric_named("accuracy"), gt_metric_named("mae")): what Keras makes of a string, called by it. "accuracy" and
 * "acc" are gt_Accuracy(); else the metric of that class, ours or Keras's, with the defaults of its options; else the
 * mean of the loss of that name or alias ("mse", "ce"). */
#define gt_metric_named(name) gt_metric_named_at(GT_HERE, name)
GT_API gt_Metric *gt_metric_named_at(const char *here, const char *name);
/* The state, to be saved; nothing before the first update of a metric whose states are shaped by the data. */
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
