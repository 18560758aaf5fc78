/* Losses as values: what gt_compile and gt_LossMetric take. gt_Huber(.delta = 2) has the options
 * of the function gt_huber (ops/nn/loss.h) but for sample_weight, and its formula; its reduction
 * is mean, sum or the mean by weights. */
#ifndef GT_TRAIN_LOSS_H
#define GT_TRAIN_LOSS_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/nn/circle.h"
#include "ops/nn/focal.h"
#include "ops/nn/loss.h"
#include "ops/nn/overlap.h"

GT_BEGIN

typedef struct gt_LossClass gt_LossClass;
/* A loss: its class, and what the class works with. GT_NOT_GIVEN is none. */
typedef struct gt_Loss {
    const gt_LossClass *type;
    const void *context;
    uint64_t options[12]; /* of the class */
} gt_Loss;

/* ---- with one option, the reduction ---- */

GT_OPTIONS(gt_MeanSquaredError_options, gt_MeanSquaredError_OPTIONS);
typedef gt_MeanSquaredError_options gt_MeanAbsoluteError_options,
    gt_MeanAbsolutePercentageError_options, gt_MeanSquaredLogarithmicError_options,
    gt_LogCosh_options, gt_Hinge_options, gt_SquaredHinge_options, gt_CategoricalHinge_options,
    gt_KLDivergence_options, gt_Poisson_options;
#define GT_REDUCED_(...)          GT_KEYWORDS(gt_MeanSquaredError, __VA_ARGS__)
/* (y_pred - y_true)^2: gt_mean_squared_error. */
#define gt_MeanSquaredError(...) gt_MeanSquaredError_of(GT_REDUCED_(__VA_ARGS__))
/* |y_pred - y_true|: gt_mean_absolute_error. */
#define gt_MeanAbsoluteError(...) gt_MeanAbsoluteError_of(GT_REDUCED_(__VA_ARGS__))
/* 100 |y_pred - y_true| / |y_true|: gt_mean_absolute_percentage_error. */
#define gt_MeanAbsolutePercentageError(...)                                                        \
    gt_MeanAbsolutePercentageError_of(GT_REDUCED_(__VA_ARGS__))
/* (log(1 + y_pred) - log(1 + y_true))^2: gt_mean_squared_logarithmic_error. */
#define gt_MeanSquaredLogarithmicError(...)                                                        \
    gt_MeanSquaredLogarithmicError_of(GT_REDUCED_(__VA_ARGS__))
/* log(cosh(y_pred - y_true)): gt_log_cosh. */
#define gt_LogCosh(...) gt_LogCosh_of(GT_REDUCED_(__VA_ARGS__))
/* max(1 - y_true y_pred, 0): gt_hinge. */
#define gt_Hinge(...) gt_Hinge_of(GT_REDUCED_(__VA_ARGS__))
/* max(1 - y_true y_pred, 0)^2: gt_squared_hinge. */
#define gt_SquaredHinge(...) gt_SquaredHinge_of(GT_REDUCED_(__VA_ARGS__))
/* By how much the best wrong class comes near the right one: gt_categorical_hinge. */
#define gt_CategoricalHinge(...) gt_CategoricalHinge_of(GT_REDUCED_(__VA_ARGS__))
/* The sum of y log(y / p) over the last axis: gt_kl_divergence. */
#define gt_KLDivergence(...) gt_KLDivergence_of(GT_REDUCED_(__VA_ARGS__))
/* p - y log p: gt_poisson. */
#define gt_Poisson(...) gt_Poisson_of(GT_REDUCED_(__VA_ARGS__))
GT_API gt_Loss gt_MeanSquaredError_of(const gt_MeanSquaredError_options *options);
GT_API gt_Loss gt_MeanAbsoluteError_of(const gt_MeanAbsoluteError_options *options);
GT_API gt_Loss
gt_MeanAbsolutePercentageError_of(const gt_MeanAbsolutePercentageError_options *options);
GT_API gt_Loss
gt_MeanSquaredLogarithmicError_of(const gt_MeanSquaredLogarithmicError_options *options);
GT_API gt_Loss gt_LogCosh_of(const gt_LogCosh_options *options);
GT_API gt_Loss gt_Hinge_of(const gt_Hinge_options *options);
GT_API gt_Loss gt_SquaredHinge_of(const gt_SquaredHinge_options *options);
GT_API gt_Loss gt_CategoricalHinge_of(const gt_CategoricalHinge_options *options);
GT_API gt_Loss gt_KLDivergence_of(const gt_KLDivergence_options *options);
GT_API gt_Loss gt_Poisson_of(const gt_Poisson_options *options);

/* ---- with others ---- */

GT_OPTIONS(gt_Huber_options, gt_Huber_OPTIONS);
/* Squared near 0, linear beyond delta: gt_huber. */
#define gt_Huber(...) gt_Huber_of(GT_KEYWORDS(gt_Huber, __VA_ARGS__))
GT_API gt_Loss gt_Huber_of(const gt_Huber_options *options);
GT_OPTIONS(gt_CosineSimilarity_options, gt_CosineSimilarity_OPTIONS);
/* Minus the cosine of the angle between y_true and y_pred: gt_cosine_similarity. */
#define gt_CosineSimilarity(...)                                                                   \
    gt_CosineSimilarity_of(GT_KEYWORDS(gt_CosineSimilarity, __VA_ARGS__))
GT_API gt_Loss gt_CosineSimilarity_of(const gt_CosineSimilarity_options *options);
GT_OPTIONS(gt_BinaryCrossentropy_options, gt_BinaryCrossentropy_OPTIONS);
/* Of probabilities, or logits, of a yes: gt_binary_crossentropy. */
#define gt_BinaryCrossentropy(...)                                                                 \
    gt_BinaryCrossentropy_of(GT_KEYWORDS(gt_BinaryCrossentropy, __VA_ARGS__))
GT_API gt_Loss gt_BinaryCrossentropy_of(const gt_BinaryCrossentropy_options *options);
GT_OPTIONS(gt_CategoricalCrossentropy_options, gt_CategoricalCrossentropy_OPTIONS);
/* -sum y log p, with labels that are probabilities of classes: gt_categorical_crossentropy. */
#define gt_CategoricalCrossentropy(...)                                                            \
    gt_CategoricalCrossentropy_of(GT_KEYWORDS(gt_CategoricalCrossentropy, __VA_ARGS__))
GT_API gt_Loss gt_CategoricalCrossentropy_of(const gt_CategoricalCrossentropy_options *options);
GT_OPTIONS(gt_SparseCategoricalCrossentropy_options, gt_SparseCategoricalCrossentropy_OPTIONS);
/* -log p of the class that the label names: gt_sparse_categorical_crossentropy. */
#define gt_SparseCategoricalCrossentropy(...)                                                      \
    gt_SparseCategoricalCrossentropy_of(GT_KEYWORDS(gt_SparseCategoricalCrossentropy, __VA_ARGS__))
GT_API gt_Loss
gt_SparseCategoricalCrossentropy_of(const gt_SparseCategoricalCrossentropy_options *options);
GT_OPTIONS(gt_BinaryFocalCrossentropy_options, gt_BinaryFocalCrossentropy_OPTIONS);
/* The binary cross-entropy, less of what is known already: gt_binary_focal_crossentropy. */
#define gt_BinaryFocalCrossentropy(...)                                                            \
    gt_BinaryFocalCrossentropy_of(GT_KEYWORDS(gt_BinaryFocalCrossentropy, __VA_ARGS__))
GT_API gt_Loss gt_BinaryFocalCrossentropy_of(const gt_BinaryFocalCrossentropy_options *options);
GT_OPTIONS(gt_CategoricalFocalCrossentropy_options, gt_CategoricalFocalCrossentropy_OPTIONS);
/* The categorical one, less of what is known already: gt_categorical_focal_crossentropy. */
#define gt_CategoricalFocalCrossentropy(...)                                                       \
    gt_CategoricalFocalCrossentropy_of(GT_KEYWORDS(gt_CategoricalFocalCrossentropy, __VA_ARGS__))
GT_API gt_Loss
gt_CategoricalFocalCrossentropy_of(const gt_CategoricalFocalCrossentropy_options *options);
GT_OPTIONS(gt_CategoricalGeneralizedCrossEntropy_options,
           gt_CategoricalGeneralizedCrossEntropy_OPTIONS);
/* (1 - p^q) / q of the class that the label names, for labels that may be wrong: gt_categorical_generalized_cross_entropy. */
#define gt_CategoricalGeneralizedCrossEntropy(...)                                                 \
    gt_CategoricalGeneralizedCrossEntropy_of(                                                      \
        GT_KEYWORDS(gt_CategoricalGeneralizedCrossEntropy, __VA_ARGS__))
GT_API gt_Loss gt_CategoricalGeneralizedCrossEntropy_of(
    const gt_CategoricalGeneralizedCrossEntropy_options *options);
GT_OPTIONS(gt_Circle_options, gt_Circle_OPTIONS);
/* Distances of embeddings within a class and between classes: gt_circle. */
#define gt_Circle(...) gt_Circle_of(GT_KEYWORDS(gt_Circle, __VA_ARGS__))
GT_API gt_Loss gt_Circle_of(const gt_Circle_options *options);
GT_OPTIONS(gt_Dice_options, gt_Dice_OPTIONS);
/* How little y and p overlap: gt_dice. */
#define gt_Dice(...) gt_Dice_of(GT_KEYWORDS(gt_Dice, __VA_ARGS__))
GT_API gt_Loss gt_Dice_of(const gt_Dice_options *options);
GT_OPTIONS(gt_Tversky_options, gt_Tversky_OPTIONS);
/* The same, with a weight for what is missed and for what is too much: gt_tversky. */
#define gt_Tversky(...) gt_Tversky_of(GT_KEYWORDS(gt_Tversky, __VA_ARGS__))
GT_API gt_Loss gt_Tversky_of(const gt_Tversky_options *options);

/* gt_ctc_loss (ops/nn/ctc.h) of whole sequences: y_true (batch, labels) of integers, of which those that are not 0 count, and
 * y_pred (batch, steps, classes) of logits, of which class 0 is the blank. A mask of the steps is an error. */
typedef gt_MeanSquaredError_options gt_CTC_options;
#define gt_CTC(...) gt_CTC_of(GT_REDUCED_(__VA_ARGS__))
GT_API gt_Loss gt_CTC_of(const gt_CTC_options *options);

/* What Keras's string "crossentropy" is: the crossentropy that fits the shapes. Predictions (..., 1) or of rank 1 are binary;
 * labels of fewer dimensions than the predictions, or (..., 1), name classes (sparse categorical); labels like the
 * predictions are categorical. */
#define gt_Crossentropy_OPTIONS(F, S)                                                              \
    F(S, bool, from_logits, false, "y_pred are scores before sigmoid or softmax")                  \
    GT_REDUCED(F, S)
GT_OPTIONS(gt_Crossentropy_options, gt_Crossentropy_OPTIONS);
#define gt_Crossentropy(...) gt_Crossentropy_of(GT_KEYWORDS(gt_Crossentropy, __VA_ARGS__))
GT_API gt_Loss gt_Crossentropy_of(const gt_Crossentropy_options *options);

/* One's own, from labels and predictions: the losses of the samples, (batch) or (batch, steps), which are weighted and
 * averaged as the built-in ones are; or a scalar, which cannot be weighted. The context must outlive the models that
 * are compiled with it. */
typedef gt_Tensor *(*gt_LossFunction)(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred);
GT_API gt_Loss gt_loss(gt_LossFunction function, const void *context);

#define gt_compute_loss_OPTIONS(F, S)                                                              \
    F(S, gt_Tensor *, sample_weight, NULL,                                                         \
      "of the leading axes of the samples' losses; NULL: all weigh 1")
GT_OPTIONS(gt_compute_loss_options, gt_compute_loss_OPTIONS);
/* gt_compute_loss(gt_Huber(), y, gt_call(model, x)): the scalar that gt_fit would minimize, for a loop of one's own, with
 * a gradient in y_pred (Keras: loss(y_true, y_pred)). The mask that y_pred has is part of the weights, so that padding
 * counts for nothing. Errors: what is no loss, or no labels and predictions for it. */
#define gt_compute_loss(loss, ...)                                                                 \
    gt_compute_loss_at(GT_HERE, loss, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),               \
                       GT_KEYWORDS(gt_compute_loss, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_compute_loss_at(const char *here, gt_Loss loss, gt_Tensor *y_true,
                                     gt_Tensor *y_pred, const gt_compute_loss_options *options);

/* What a loss is computed from. Predictions come without the mask that they may have: it stands beside them, and is part of
 * the weights already, as for Keras's losses: padding weighs nothing, and the rest as much as all would. */
typedef struct gt_LossArgs {
    uint32_t size; /* of this struct */
    gt_Tensor *y_true, *y_pred;
    gt_Tensor *sample_weight; /* of the leading axes of the samples' losses; NULL: all weigh 1 */
    gt_Tensor *mask;          /* bool; NULL: everything counts */
} gt_LossArgs;

/* A class of losses, for one that has options and a name to be saved under. */
struct gt_LossClass {
    const gt_Mark *mark;          /* GT_MARK */
    uint32_t size;                /* of this struct */
    const char *name;             /* "huber" */
    const gt_OptionType *options; /* NULL: none */
    /* Raises what is wrong with a loss, when a model is compiled with it; NULL: nothing can be. */
    gt_Status (*check)(const gt_Loss *self);
    /* A tensor of one number; or losses of the samples, whose weighted mean is taken. */
    gt_Tensor *(*compute)(const gt_Loss *self, const gt_LossArgs *in);
    const char *function; /* "Huber": gt_Huber makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    const char *aliases;  /* other names that Keras accepts, with spaces between; NULL: none */
};
/* A value of that class; `options` is a struct of its type, or NULL for the defaults. */
GT_API gt_Loss gt_loss_make(const gt_LossClass *type, const void *options);
/* All built-in classes of losses; count gets how many. Static storage. */
GT_API const gt_LossClass *const *gt_loss_classes(int *count);
/* The built-in class of that name, ours ("mean_squared_error"), Keras's ("MeanSquaredError") or an alias ("mse"); NULL
 * without an error if there is none. */
GT_API const gt_LossClass *gt_loss_class_find(const char *name);

/* One loss for each output of a model: gt_losses(gt_MeanSquaredError(), gt_BinaryCrossentropy()). It borrows the array. */
typedef struct gt_Losses {
    const gt_Loss *items; /* ends with one whose class is GT_LIST_END */
} gt_Losses;
#define GT_MAX_LOSSES 16

GT_END

#ifdef __cplusplus
#include <initializer_list>
/* Lives to the end of the full expression. */
inline gt_Losses gt_losses_of_(std::initializer_list<gt_Loss> list)
{
    gt_Losses losses = {list.begin()};
    return losses;
}
#define gt_losses(...)                                                                             \
    gt_losses_of_(                                                                                 \
        {__VA_ARGS__, gt_Loss{static_cast<const gt_LossClass *>(GT_LIST_END), nullptr, {0}}})
#else
/* Lives as long as the block it is written in. */
#define gt_losses(...) ((gt_Losses){(const gt_Loss[]){__VA_ARGS__, {.type = GT_LIST_END}}})
#endif

#endif
