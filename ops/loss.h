/* Losses. Each takes y_true and y_pred, works out one loss a sample (Keras: the mean over the last
 * axis), and reduces those as `.reduction` says: by default to their mean, a scalar that
 * gt_minimize takes. The two must have the same shape; they are never broadcast against each other.
 * y_true may be of any type and is brought to y_pred's, which is a float type.
 *
 * `from_logits` says that y_pred are logits: scores before softmax or sigmoid. Giving it the output
 * of softmax or sigmoid is an error. Without it, y_pred are probabilities; where they come from a
 * softmax or sigmoid that the tape still knows, its input is used, which is exact where the
 * probability itself is rounded to 0 or 1; other probabilities are kept within [1e-7, 1 - 1e-7]. */
#ifndef GT_OPS_LOSS_H
#define GT_OPS_LOSS_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* What becomes of the losses of the samples: their mean, their sum, or the tensor as it is. */
typedef enum gt_Reduction { GT_MEAN = 0, GT_SUM = 1, GT_NO_REDUCTION = 2 } gt_Reduction;

/* `sample_weight` multiplies the losses before they are reduced; the mean still divides by their
 * number. Its dimensions are the leading ones of the losses, each equal or 1: weights of shape
 * (batch) serve losses of shape (batch, time). */
#define GT_LOSS_COMMON(F)                                                                          \
    F(gt_Reduction, reduction, GT_MEAN, "mean, sum or none of the samples' losses")                \
    F(gt_Tensor *, sample_weight, NULL, "a factor for every sample; NULL: 1")

#define GT_LOSS_OPTIONS(F)                                                                         \
    F(uint32_t, size, (uint32_t)sizeof(gt_LossOptions), "for ABI growth")                          \
    GT_LOSS_COMMON(F)
typedef struct gt_LossOptions gt_LossOptions;
struct gt_LossOptions {
    GT_LOSS_OPTIONS(GT_MEMBER)
};

#define GT_DECLARE_LOSS(name, Options)                                                             \
    GT_API gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *y_true, gt_Tensor *y_pred,       \
                                     const Options *options);                                      \
    GT_API gt_Tensor *(gt_##name)(gt_Tensor * y_true, gt_Tensor * y_pred)

/* (y_pred - y_true)^2 */
#define gt_mean_squared_error(...)                                                                 \
    gt_mean_squared_error_at(                                                                      \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(mean_squared_error, gt_LossOptions);
/* |y_pred - y_true| */
#define gt_mean_absolute_error(...)                                                                \
    gt_mean_absolute_error_at(                                                                     \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_LossOptions, GT_LOSS_OPTIONS, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(mean_absolute_error, gt_LossOptions);

/* -(y log p + (1 - y) log(1 - p)), y of (0, 1) made y (1 - s) + s / 2 by a label smoothing of s. */
#define GT_BINARY_CROSSENTROPY_OPTIONS(F)                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_BinaryCrossentropyOptions), "for ABI growth")            \
    F(bool, from_logits, false, "y_pred are scores before sigmoid")                                \
    F(double, label_smoothing, 0, "how far labels are drawn towards 1/2, in [0, 1]")               \
    GT_LOSS_COMMON(F)
typedef struct gt_BinaryCrossentropyOptions gt_BinaryCrossentropyOptions;
struct gt_BinaryCrossentropyOptions {
    GT_BINARY_CROSSENTROPY_OPTIONS(GT_MEMBER)
};
#define gt_binary_crossentropy(...)                                                                \
    gt_binary_crossentropy_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),              \
                              GT_KEYWORDS(gt_BinaryCrossentropyOptions,                            \
                                          GT_BINARY_CROSSENTROPY_OPTIONS,                          \
                                          GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(binary_crossentropy, gt_BinaryCrossentropyOptions);

/* -sum y log p over the classes, which are along `axis`: one loss a sample. Probabilities are
 * divided by their sum first. A label smoothing of s makes y of C classes y (1 - s) + s / C. */
#define GT_CATEGORICAL_CROSSENTROPY_OPTIONS(F)                                                     \
    F(uint32_t, size, (uint32_t)sizeof(gt_CategoricalCrossentropyOptions), "for ABI growth")       \
    F(bool, from_logits, false, "y_pred are scores before softmax")                                \
    F(double, label_smoothing, 0, "how far labels are drawn towards 1/C, in [0, 1]")               \
    F(int32_t, axis, -1, "along which the classes are; negative: from the end")                    \
    GT_LOSS_COMMON(F)
typedef struct gt_CategoricalCrossentropyOptions gt_CategoricalCrossentropyOptions;
struct gt_CategoricalCrossentropyOptions {
    GT_CATEGORICAL_CROSSENTROPY_OPTIONS(GT_MEMBER)
};
#define gt_categorical_crossentropy(...)                                                           \
    gt_categorical_crossentropy_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),         \
                                   GT_KEYWORDS(gt_CategoricalCrossentropyOptions,                  \
                                               GT_CATEGORICAL_CROSSENTROPY_OPTIONS,                \
                                               GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(categorical_crossentropy, gt_CategoricalCrossentropyOptions);

/* -log p of the class that the label names; y_pred is (..., classes), the labels (...) are integers
 * from 0, or (..., 1). A label out of range is an error that names it. Samples labelled
 * `ignore_class` have loss 0 and do not count in the mean. */
#define GT_SPARSE_CATEGORICAL_CROSSENTROPY_OPTIONS(F)                                              \
    F(uint32_t, size, (uint32_t)sizeof(gt_SparseCategoricalCrossentropyOptions), "for ABI growth") \
    F(bool, from_logits, false, "y_pred are scores before softmax")                                \
    F(int64_t, ignore_class, GT_NONE, "a label that stands for no class")                          \
    GT_LOSS_COMMON(F)
typedef struct gt_SparseCategoricalCrossentropyOptions gt_SparseCategoricalCrossentropyOptions;
struct gt_SparseCategoricalCrossentropyOptions {
    GT_SPARSE_CATEGORICAL_CROSSENTROPY_OPTIONS(GT_MEMBER)
};
#define gt_sparse_categorical_crossentropy(...)                                                    \
    gt_sparse_categorical_crossentropy_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),  \
                                          GT_KEYWORDS(gt_SparseCategoricalCrossentropyOptions,     \
                                                      GT_SPARSE_CATEGORICAL_CROSSENTROPY_OPTIONS,  \
                                                      GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(sparse_categorical_crossentropy, gt_SparseCategoricalCrossentropyOptions);

GT_END

#endif
