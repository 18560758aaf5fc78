/* Losses. Each takes y_true and y_pred, works out one loss a sample (Keras: the mean over the last
 * axis), and reduces those as `.reduction` says: by default to their mean, a scalar that
 * gt_minimize takes. The two must have the same shape; they are never broadcast against each other.
 * y_true may be of any type and is brought to y_pred's, which is a float type.
 *
 * `from_logits` says that y_pred are logits: scores before softmax or sigmoid. Giving it the output
 * of softmax or sigmoid is an error. Without it y_pred must be probabilities: a number outside of
 * [0, 1] by more than 1e-5 is an error that names its row. The output of softmax and sigmoid, and
 * views of it (gt_reshape, gt_expand_dims, gt_squeeze, gt_identity, gt_stop_gradient, leading
 * slices), know the logits that they were made of, and the loss computes from these: so it is exact
 * where a probability rounds to 0 or 1, and the same number whether a tape watches or not, in a
 * traced function, in gt_fit and in gt_evaluate. What enters or leaves a gt_function or a loop is
 * known by its numbers alone. Other probabilities are kept within [1e-7, 1 - 1e-7].
 */
#ifndef GT_OPS_LOSS_H
#define GT_OPS_LOSS_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* The losses of the samples become their mean, their sum, or stay a tensor. */
typedef enum gt_Reduction {
    GT_REDUCTION_MEAN = 0,
    GT_REDUCTION_SUM = 1,
    GT_REDUCTION_NONE = 2,
    GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT =
        3 /* divided by the sum of the weights; without weights the mean */
} gt_Reduction;

/* Common to all lists. A loss as a value (train/loss.h: gt_Huber) has the options of the first list
 * of a pair, its function (gt_huber) those of the second, with weights besides. `sample_weight`
 * multiplies the losses before they are reduced; the mean still divides by their number. Its
 * dimensions are the leading ones of the losses, each equal or 1: weights of shape (batch) serve
 * losses of shape (batch, time). */
#define GT_REDUCED(F, S)                                                                           \
    F(S, gt_Reduction, reduction, GT_REDUCTION_MEAN,                                               \
      "mean, sum, weighted mean or none of the samples' losses")
#define GT_WEIGHTED(F, S)                                                                          \
    F(S, gt_Tensor *, sample_weight, NULL, "a factor for every sample; NULL: 1")

#define gt_MeanSquaredError_OPTIONS(F, S)   GT_REDUCED(F, S)
#define gt_mean_squared_error_OPTIONS(F, S) gt_MeanSquaredError_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_mean_squared_error_options, gt_mean_squared_error_OPTIONS);
typedef gt_mean_squared_error_options gt_mean_absolute_error_options,
    gt_mean_absolute_percentage_error_options, gt_mean_squared_logarithmic_error_options,
    gt_log_cosh_options, gt_hinge_options, gt_squared_hinge_options, gt_categorical_hinge_options,
    gt_kl_divergence_options, gt_poisson_options;

#define GT_DECLARE_LOSS(name, Options)                                                             \
    GT_API gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *y_true, gt_Tensor *y_pred,       \
                                     const Options *options);                                      \
    GT_API gt_Tensor *(gt_##name)(gt_Tensor * y_true, gt_Tensor * y_pred)

#define GT_LOSS_(function, ...)                                                                    \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                               \
             GT_KEYWORDS(gt_mean_squared_error, GT_AFTER_2(__VA_ARGS__)))
/* (y_pred - y_true)^2 */
#define gt_mean_squared_error(...) GT_LOSS_(gt_mean_squared_error_at, __VA_ARGS__)
GT_DECLARE_LOSS(mean_squared_error, gt_mean_squared_error_options);
/* |y_pred - y_true| */
#define gt_mean_absolute_error(...) GT_LOSS_(gt_mean_absolute_error_at, __VA_ARGS__)
GT_DECLARE_LOSS(mean_absolute_error, gt_mean_squared_error_options);
/* 100 |y_pred - y_true| / |y_true|, which is at least 1e-7: percent */
#define gt_mean_absolute_percentage_error(...)                                                     \
    GT_LOSS_(gt_mean_absolute_percentage_error_at, __VA_ARGS__)
GT_DECLARE_LOSS(mean_absolute_percentage_error, gt_mean_squared_error_options);
/* (log(1 + y_pred) - log(1 + y_true))^2 of what is at least 1e-7 */
#define gt_mean_squared_logarithmic_error(...)                                                     \
    GT_LOSS_(gt_mean_squared_logarithmic_error_at, __VA_ARGS__)
GT_DECLARE_LOSS(mean_squared_logarithmic_error, gt_mean_squared_error_options);
/* log(cosh(y_pred - y_true)) */
#define gt_log_cosh(...) GT_LOSS_(gt_log_cosh_at, __VA_ARGS__)
GT_DECLARE_LOSS(log_cosh, gt_mean_squared_error_options);

/* e^2 / 2 of the error e = y_pred - y_true as far as |e| <= delta, delta |e| - delta^2 / 2
 * beyond. */
#define gt_Huber_OPTIONS(F, S)                                                                     \
    F(S, double, delta, 1, "where the parabola goes over into lines, above 0")                     \
    GT_REDUCED(F, S)
#define gt_huber_OPTIONS(F, S) gt_Huber_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_huber_options, gt_huber_OPTIONS);
#define gt_huber(...)                                                                              \
    gt_huber_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                            \
                GT_KEYWORDS(gt_huber, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(huber, gt_huber_options);

/* For the hinges labels are -1 and 1; a y_true of zeros and ones alone is taken as 2 y_true - 1. */
/* max(1 - y_true y_pred, 0); flat at its kink */
#define gt_hinge(...) GT_LOSS_(gt_hinge_at, __VA_ARGS__)
GT_DECLARE_LOSS(hinge, gt_mean_squared_error_options);
/* max(1 - y_true y_pred, 0)^2 */
#define gt_squared_hinge(...) GT_LOSS_(gt_squared_hinge_at, __VA_ARGS__)
GT_DECLARE_LOSS(squared_hinge, gt_mean_squared_error_options);
/* One loss a sample, y_true one-hot along the last axis: max(0, 1 + the best score of another class
 * - the score of the true class), where scores below 0 count as 0 for another. */
#define gt_categorical_hinge(...) GT_LOSS_(gt_categorical_hinge_at, __VA_ARGS__)
GT_DECLARE_LOSS(categorical_hinge, gt_mean_squared_error_options);

/* sum of y log(y / p) over the last axis, both kept within [1e-7, 1]: one loss a sample. A y_pred
 * outside of [0, 1] by more than 1e-5 is an error. */
#define gt_kl_divergence(...) GT_LOSS_(gt_kl_divergence_at, __VA_ARGS__)
GT_DECLARE_LOSS(kl_divergence, gt_mean_squared_error_options);
/* p - y log(p + 1e-7), what is left of the Poisson distribution's -log */
#define gt_poisson(...) GT_LOSS_(gt_poisson_at, __VA_ARGS__)
GT_DECLARE_LOSS(poisson, gt_mean_squared_error_options);

/* Minus the cosine of the angle between y_true and y_pred along `axis`, 0 where one of them is 0:
 * one loss a sample. */
#define gt_CosineSimilarity_OPTIONS(F, S)                                                          \
    F(S, int32_t, axis, -1, "along which the vectors are; negative: from the end")                 \
    GT_REDUCED(F, S)
#define gt_cosine_similarity_OPTIONS(F, S) gt_CosineSimilarity_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_cosine_similarity_options, gt_cosine_similarity_OPTIONS);
#define gt_cosine_similarity(...)                                                                  \
    gt_cosine_similarity_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                \
                            GT_KEYWORDS(gt_cosine_similarity, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(cosine_similarity, gt_cosine_similarity_options);

/* -(y log p + (1 - y) log(1 - p)), y of (0, 1) made y (1 - s) + s / 2 by a label smoothing of s. */
#define gt_BinaryCrossentropy_OPTIONS(F, S)                                                        \
    F(S, bool, from_logits, false, "y_pred are scores before sigmoid")                             \
    F(S, double, label_smoothing, 0, "how far labels are drawn towards 1/2, in [0, 1]")            \
    F(S, int32_t, axis, -1, "over which the mean is the loss of a sample")                         \
    GT_REDUCED(F, S)
#define gt_binary_crossentropy_OPTIONS(F, S) gt_BinaryCrossentropy_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_binary_crossentropy_options, gt_binary_crossentropy_OPTIONS);
#define gt_binary_crossentropy(...)                                                                \
    gt_binary_crossentropy_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),              \
                              GT_KEYWORDS(gt_binary_crossentropy, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(binary_crossentropy, gt_binary_crossentropy_options);

/* -sum y log p over the classes, which are along `axis`: one loss a sample. Probabilities are
 * divided by their sum first. A label smoothing of s makes y of C classes y (1 - s) + s / C. */
#define gt_CategoricalCrossentropy_OPTIONS(F, S)                                                   \
    F(S, bool, from_logits, false, "y_pred are scores before softmax")                             \
    F(S, double, label_smoothing, 0, "how far labels are drawn towards 1/C, in [0, 1]")            \
    F(S, int32_t, axis, -1, "along which the classes are; negative: from the end")                 \
    GT_REDUCED(F, S)
#define gt_categorical_crossentropy_OPTIONS(F, S)                                                  \
    gt_CategoricalCrossentropy_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_categorical_crossentropy_options, gt_categorical_crossentropy_OPTIONS);
#define gt_categorical_crossentropy(...)                                                           \
    gt_categorical_crossentropy_at(                                                                \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_categorical_crossentropy, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(categorical_crossentropy, gt_categorical_crossentropy_options);

/* -log p of the class that the label names; y_pred is (..., classes), the labels (...) are integers
 * from 0, or (..., 1). A label out of range is an error that names it. Samples labelled
 * `ignore_class` have loss 0 and do not count in the mean. */
#define gt_SparseCategoricalCrossentropy_OPTIONS(F, S)                                             \
    F(S, bool, from_logits, false, "y_pred are scores before softmax")                             \
    F(S, int64_t, ignore_class, GT_NONE, "a label that stands for no class")                       \
    GT_REDUCED(F, S)
#define gt_sparse_categorical_crossentropy_OPTIONS(F, S)                                           \
    gt_SparseCategoricalCrossentropy_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_sparse_categorical_crossentropy_options, gt_sparse_categorical_crossentropy_OPTIONS);
#define gt_sparse_categorical_crossentropy(...)                                                    \
    gt_sparse_categorical_crossentropy_at(                                                         \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_sparse_categorical_crossentropy, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(sparse_categorical_crossentropy, gt_sparse_categorical_crossentropy_options);

GT_END

#endif
