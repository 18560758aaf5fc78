/* Losses as values, and metrics: numbers about predictions, gathered over the batches of an epoch.
 * What a metric gathers is in variables, so it is updated inside compiled steps. A metric of one's
 * own is a gt_MetricClass. */
#ifndef GT_TRAIN_METRIC_H
#define GT_TRAIN_METRIC_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/loss.h"

GT_BEGIN

/* ---- a loss as a value ---- */

/* What is to be made small: a scalar from labels and predictions. */
typedef gt_Tensor *(*gt_LossFunction)(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred);

/* Its first member is a pointer that only the functions below set, so that a text, a function or a
 * number in its place is noticed. */
struct gt_LossMark;
typedef struct gt_Loss {
    const struct gt_LossMark *mark;
    const char *name;         /* for messages */
    gt_LossFunction function; /* NULL: no loss */
    const void *context;      /* what the function gets; NULL: the options below */
    uint64_t options[8];
} gt_Loss;
#define GT_NO_LOSS                                                                                 \
    {                                                                                              \
        NULL, NULL, NULL, NULL,                                                                    \
        {                                                                                          \
            0, 0, 0, 0, 0, 0, 0, 0                                                                 \
        }                                                                                          \
    }

/* gt_loss(gt_sparse_categorical_crossentropy, .from_logits = true): an operation of ops/loss.h with
 * its keywords, but for sample_weight; its reduction is mean or sum. Unlike the operation it accepts
 * labels (n), integers or floats, for predictions (n, 1), and the other way round; of more
 * dimensions, a last axis of length 1 that only one of them has goes. */
#define gt_loss(...)              gt_loss_of_(GT_FIRST(__VA_ARGS__), GT_AFTER_1(__VA_ARGS__))
#define gt_loss_of_(name, ...)    gt_loss_paste_(name, __VA_ARGS__)
#define gt_loss_paste_(name, ...) name##_loss(__VA_ARGS__)
/* Any C function. The context must outlive the models that are compiled with it. */
GT_API gt_Loss gt_loss_function(gt_LossFunction function, const void *context);

#define gt_mean_squared_error_loss(...)                                                            \
    gt_mean_squared_error_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_mean_squared_error_as_loss(const gt_LossOptions *options);
#define gt_mean_absolute_error_loss(...)                                                           \
    gt_mean_absolute_error_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_mean_absolute_error_as_loss(const gt_LossOptions *options);
#define gt_mean_absolute_percentage_error_loss(...)                                                \
    gt_mean_absolute_percentage_error_as_loss(                                                     \
        GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_mean_absolute_percentage_error_as_loss(const gt_LossOptions *options);
#define gt_mean_squared_logarithmic_error_loss(...)                                                \
    gt_mean_squared_logarithmic_error_as_loss(                                                     \
        GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_mean_squared_logarithmic_error_as_loss(const gt_LossOptions *options);
#define gt_log_cosh_loss(...)                                                                      \
    gt_log_cosh_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_log_cosh_as_loss(const gt_LossOptions *options);
#define gt_hinge_loss(...)                                                                         \
    gt_hinge_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_hinge_as_loss(const gt_LossOptions *options);
#define gt_squared_hinge_loss(...)                                                                 \
    gt_squared_hinge_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_squared_hinge_as_loss(const gt_LossOptions *options);
#define gt_categorical_hinge_loss(...)                                                             \
    gt_categorical_hinge_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_categorical_hinge_as_loss(const gt_LossOptions *options);
#define gt_kl_divergence_loss(...)                                                                 \
    gt_kl_divergence_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_kl_divergence_as_loss(const gt_LossOptions *options);
#define gt_poisson_loss(...)                                                                       \
    gt_poisson_as_loss(GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_poisson_as_loss(const gt_LossOptions *options);
#define gt_huber_loss(...)                                                                         \
    gt_huber_as_loss(GT_KEYWORDS(gt_HuberOptions, GT_HUBER_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_huber_as_loss(const gt_HuberOptions *options);
#define gt_cosine_similarity_loss(...)                                                             \
    gt_cosine_similarity_as_loss(                                                                  \
        GT_KEYWORDS(gt_CosineSimilarityOptions, GT_COSINE_SIMILARITY_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_cosine_similarity_as_loss(const gt_CosineSimilarityOptions *options);
#define gt_binary_crossentropy_loss(...)                                                           \
    gt_binary_crossentropy_as_loss(                                                                \
        GT_KEYWORDS(gt_BinaryCrossentropyOptions, GT_BINARY_CROSSENTROPY_OPTIONS, __VA_ARGS__))
GT_API gt_Loss gt_binary_crossentropy_as_loss(const gt_BinaryCrossentropyOptions *options);
#define gt_categorical_crossentropy_loss(...)                                                      \
    gt_categorical_crossentropy_as_loss(GT_KEYWORDS(                                               \
        gt_CategoricalCrossentropyOptions, GT_CATEGORICAL_CROSSENTROPY_OPTIONS, __VA_ARGS__))
GT_API gt_Loss
gt_categorical_crossentropy_as_loss(const gt_CategoricalCrossentropyOptions *options);
#define gt_sparse_categorical_crossentropy_loss(...)                                               \
    gt_sparse_categorical_crossentropy_as_loss(                                                    \
        GT_KEYWORDS(gt_SparseCategoricalCrossentropyOptions,                                       \
                    GT_SPARSE_CATEGORICAL_CROSSENTROPY_OPTIONS, __VA_ARGS__))
GT_API gt_Loss
gt_sparse_categorical_crossentropy_as_loss(const gt_SparseCategoricalCrossentropyOptions *options);

/* ---- metrics ---- */

typedef struct gt_Metric gt_Metric;

#define GT_MAX_METRIC_STATES 4
#define GT_MAX_METRICS       16 /* of one model */

typedef struct gt_MetricUpdate {
    const void *instance;       /* the struct that gt_metric_new was given; a copy of it */
    gt_Variable *const *states; /* float64 */
    gt_Tensor *y_true, *y_pred;
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
GT_API gt_Metric *gt_metric_new(const char *here, const gt_MetricClass *type, const char *name,
                                const void *instance);
/* For `update` of metrics that are a mean: state 0 += sum of the values, of any shape and type,
 * state 1 += how many there are. */
GT_API gt_Status gt_metric_add_mean(const gt_MetricUpdate *update, gt_Tensor *values);

#define gt_metric_update(metric, y_true, y_pred)                                                   \
    gt_metric_update_at(GT_HERE, metric, y_true, y_pred)
GT_API gt_Status gt_metric_update_at(const char *here, gt_Metric *metric, gt_Tensor *y_true,
                                     gt_Tensor *y_pred);
GT_API double gt_metric_result(const gt_Metric *metric); /* NaN on failure */
GT_API gt_Status gt_metric_reset(gt_Metric *metric);
GT_API const char *gt_metric_name(const gt_Metric *metric);
/* The state, to be saved. */
GT_API gt_Tensors gt_metric_variables(const gt_Metric *metric);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_metric_free(gt_Metric *metric);

/* A few metrics in order: gt_metrics(a, b). It borrows the array. */
typedef struct gt_Metrics {
    gt_Metric *const *items;
    int32_t count;
} gt_Metrics;
#define GT_NO_METRICS                                                                              \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

#define GT_METRIC_OPTIONS(F)                                                                       \
    F(uint32_t, size, (uint32_t)sizeof(gt_MetricOptions), "for ABI growth")                        \
    F(const char *, name, NULL, "copied; NULL: that of the metric")
typedef struct gt_MetricOptions gt_MetricOptions;
struct gt_MetricOptions {
    GT_METRIC_OPTIONS(GT_MEMBER)
};

#define GT_ACCURACY_OPTIONS(F)                                                                     \
    F(uint32_t, size, (uint32_t)sizeof(gt_AccuracyOptions), "for ABI growth")                      \
    F(double, threshold, 0.5, "binary: a prediction above it is a 1; 0 for scores before sigmoid") \
    F(const char *, name, NULL, "copied; NULL: that of the metric")
typedef struct gt_AccuracyOptions gt_AccuracyOptions;
struct gt_AccuracyOptions {
    GT_ACCURACY_OPTIONS(GT_MEMBER)
};

/* The mean of y_pred; y_true may be NULL: gt_metric_update(mean, NULL, values). */
#define gt_mean_metric(...)                                                                        \
    gt_mean_metric_new(GT_HERE, GT_KEYWORDS(gt_MetricOptions, GT_METRIC_OPTIONS, __VA_ARGS__))
GT_API gt_Metric *gt_mean_metric_new(const char *here, const gt_MetricOptions *options);

/* How many predictions are right, chosen by shapes: predictions (..., 1) or of rank 1 are binary;
 * labels of fewer dimensions than the predictions, or (..., 1), name classes (sparse categorical);
 * labels like the predictions are categorical. */
#define gt_accuracy(...)                                                                           \
    gt_accuracy_new(GT_HERE, GT_KEYWORDS(gt_AccuracyOptions, GT_ACCURACY_OPTIONS, __VA_ARGS__))
GT_API gt_Metric *gt_accuracy_new(const char *here, const gt_AccuracyOptions *options);
/* (y_pred > threshold) == y_true, over all elements. */
#define gt_binary_accuracy(...)                                                                    \
    gt_binary_accuracy_new(GT_HERE,                                                                \
                           GT_KEYWORDS(gt_AccuracyOptions, GT_ACCURACY_OPTIONS, __VA_ARGS__))
GT_API gt_Metric *gt_binary_accuracy_new(const char *here, const gt_AccuracyOptions *options);
/* argmax y_pred == argmax y_true, over the last axis. */
#define gt_categorical_accuracy(...)                                                               \
    gt_categorical_accuracy_new(GT_HERE,                                                           \
                                GT_KEYWORDS(gt_MetricOptions, GT_METRIC_OPTIONS, __VA_ARGS__))
GT_API gt_Metric *gt_categorical_accuracy_new(const char *here, const gt_MetricOptions *options);
/* argmax y_pred == y_true: y_pred (..., classes), labels (...) or (..., 1). */
#define gt_sparse_categorical_accuracy(...)                                                        \
    gt_sparse_categorical_accuracy_new(                                                            \
        GT_HERE, GT_KEYWORDS(gt_MetricOptions, GT_METRIC_OPTIONS, __VA_ARGS__))
GT_API gt_Metric *gt_sparse_categorical_accuracy_new(const char *here,
                                                     const gt_MetricOptions *options);
/* gt_loss_metric(gt_loss(gt_mean_absolute_error), .name = "mae"): the mean of a loss, weighted by
 * the sizes of the batches. */
#define gt_loss_metric(...)                                                                        \
    gt_loss_metric_new(GT_HERE, GT_FIRST(__VA_ARGS__),                                             \
                       GT_KEYWORDS(gt_MetricOptions, GT_METRIC_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Metric *gt_loss_metric_new(const char *here, gt_Loss loss,
                                     const gt_MetricOptions *options);

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
/* gt_metrics(gt_accuracy(), gt_mean_metric()): lives as long as the block it is written in. */
#define gt_metrics(...)                                                                            \
    ((gt_Metrics){(gt_Metric *const[]){NULL, __VA_ARGS__} + 1,                                     \
                  (int32_t)(sizeof((gt_Metric *const[]){NULL, __VA_ARGS__}) / sizeof(void *)) -    \
                      1})
#endif

#endif
