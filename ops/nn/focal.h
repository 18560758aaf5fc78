/* Losses that weigh samples by how well they are predicted: focal cross-entropies (Lin et al. 2017) look at the hard ones, the
 * generalized one (Zhang and Sabuncu 2018) at the easy ones, for labels that may be wrong. Options and errors: ops/nn/loss.h. */
#ifndef GT_OPS_FOCAL_H
#define GT_OPS_FOCAL_H

#include "ops/nn/loss.h"

GT_BEGIN

/* (1 - q)^gamma times the binary cross-entropy, where q = y p + (1 - y)(1 - p) is the probability of the label. */
#define gt_BinaryFocalCrossentropy_OPTIONS(F, S)                                                   \
    F(S, bool, apply_class_balancing, false, "also times alpha for labels of 1, 1 - alpha for 0")  \
    F(S, double, alpha, 0.25, "the weight of class 1, in [0, 1]")                                  \
    F(S, double, gamma, 2, "how much less easy samples weigh, >= 0")                               \
    F(S, bool, from_logits, false, "y_pred are scores before sigmoid")                             \
    F(S, double, label_smoothing, 0, "how far labels are drawn towards 1/2, in [0, 1]")            \
    F(S, int32_t, axis, -1, "over which the mean is the loss of a sample")                         \
    GT_REDUCED(F, S)
#define gt_binary_focal_crossentropy_OPTIONS(F, S)                                                 \
    gt_BinaryFocalCrossentropy_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_binary_focal_crossentropy_options, gt_binary_focal_crossentropy_OPTIONS);
#define gt_binary_focal_crossentropy(...)                                                          \
    gt_binary_focal_crossentropy_at(                                                               \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_binary_focal_crossentropy, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(binary_focal_crossentropy, gt_binary_focal_crossentropy_options);

/* -alpha sum (1 - p)^gamma y log p over the classes, which are along `axis`: one loss a sample. */
#define gt_CategoricalFocalCrossentropy_OPTIONS(F, S)                                              \
    F(S, double, alpha, 0.25, "a factor of all classes")                                           \
    F(S, double, gamma, 2, "how much less easy samples weigh, >= 0")                               \
    F(S, bool, from_logits, false, "y_pred are scores before softmax")                             \
    F(S, double, label_smoothing, 0, "how far labels are drawn towards 1/C, in [0, 1]")            \
    F(S, int32_t, axis, -1, "along which the classes are; negative: from the end")                 \
    GT_REDUCED(F, S)
#define gt_categorical_focal_crossentropy_OPTIONS(F, S)                                            \
    gt_CategoricalFocalCrossentropy_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_categorical_focal_crossentropy_options, gt_categorical_focal_crossentropy_OPTIONS);
#define gt_categorical_focal_crossentropy(...)                                                     \
    gt_categorical_focal_crossentropy_at(                                                          \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_categorical_focal_crossentropy, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(categorical_focal_crossentropy, gt_categorical_focal_crossentropy_options);

/* (1 - p^q) / q of the probability p of the class that the label names; labels as for gt_sparse_categorical_crossentropy. */
#define gt_CategoricalGeneralizedCrossEntropy_OPTIONS(F, S)                                        \
    F(S, double, q, 0.5, "in (0, 1): near 0 the cross-entropy, near 1 the mean absolute error")    \
    GT_REDUCED(F, S)
#define gt_categorical_generalized_cross_entropy_OPTIONS(F, S)                                     \
    gt_CategoricalGeneralizedCrossEntropy_OPTIONS(F, S) GT_WEIGHTED(F, S)
GT_OPTIONS(gt_categorical_generalized_cross_entropy_options,
           gt_categorical_generalized_cross_entropy_OPTIONS);
#define gt_categorical_generalized_cross_entropy(...)                                              \
    gt_categorical_generalized_cross_entropy_at(                                                   \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_categorical_generalized_cross_entropy, GT_AFTER_2(__VA_ARGS__)))
GT_DECLARE_LOSS(categorical_generalized_cross_entropy,
                gt_categorical_generalized_cross_entropy_options);

GT_END

#endif
