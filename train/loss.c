/* Losses as values: the operations of ops/nn/loss.c with their options inside the value. */
#include "train/loss.h"
#include "ops/array/reshaping.h"
#include "train/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

GT_OPTION_TYPE(gt_MeanSquaredError_options, gt_MeanSquaredError_OPTIONS);
GT_OPTION_TYPE(gt_Huber_options, gt_Huber_OPTIONS);
GT_OPTION_TYPE(gt_CosineSimilarity_options, gt_CosineSimilarity_OPTIONS);
GT_OPTION_TYPE(gt_BinaryCrossentropy_options, gt_BinaryCrossentropy_OPTIONS);
GT_OPTION_TYPE(gt_CategoricalCrossentropy_options, gt_CategoricalCrossentropy_OPTIONS);
GT_OPTION_TYPE(gt_SparseCategoricalCrossentropy_options, gt_SparseCategoricalCrossentropy_OPTIONS);

/* ---- the built-in ones ---- */

/* One of them has a last axis of length 1 that the other lacks: the other gets one if it is a list,
 * else that axis goes. So labels (n) count as (n, 1), as for Keras's classes. */
static void bring_together(gt_Tensor **y_true, gt_Tensor **y_pred)
{
    if (!*y_true || !*y_pred)
        return;
    gt_Shape labels = gt_tensor_shape(*y_true), predicted = gt_tensor_shape(*y_pred);
    if (gt_status() != GT_OK || abs(labels.rank - predicted.rank) != 1)
        return;
    bool more_labels = labels.rank > predicted.rank;
    gt_Tensor **longer = more_labels ? y_true : y_pred, **shorter = more_labels ? y_pred : y_true;
    gt_Shape shape = more_labels ? labels : predicted;
    if (gt_last(shape) != 1)
        return;
    if (shape.rank == 2)
        *shorter = gt_expand_dims(*shorter, -1);
    else
        *longer = gt_squeeze(*longer, .axis = -1);
}

static gt_Loss made(const gt_LossClass *type, const void *given)
{
    gt_Loss self = {.type = type};
    gt_options_take(type->options, self.options, given);
    return self;
}

static gt_Status check_reduction(const gt_Loss *self)
{
    const gt_OptionType *type = self->type->options;
    gt_Reduction reduction = GT_REDUCTION_MEAN;
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, "reduction") == 0)
            memcpy(&reduction, (const char *)self->options + field->offset, sizeof reduction);
    if (reduction == GT_REDUCTION_MEAN || reduction == GT_REDUCTION_SUM)
        return GT_OK;
    return gt_fail(GT_INVALID, "the reduction of a loss must be mean or sum");
}

/* The options of the value are the first of the function's, and say by their size that the rest
 * is not given. */
#define LOSS(symbol, Name, Type)                                                                   \
    static gt_Tensor *symbol##_compute(const gt_Loss *self, gt_Tensor *y_true, gt_Tensor *y_pred)  \
    {                                                                                              \
        bring_together(&y_true, &y_pred);                                                          \
        return gt_##symbol##_at(NULL, y_true, y_pred, (const void *)self->options);                \
    }                                                                                              \
    static const gt_LossClass symbol##_class = {.mark = GT_MARK,                                   \
                                                .size = sizeof(gt_LossClass),                      \
                                                .name = #symbol,                                   \
                                                .options = &Type##_type,                           \
                                                .check = check_reduction,                          \
                                                .compute = symbol##_compute};                      \
    static_assert(sizeof(Type) <= sizeof((gt_Loss){0}.options), "the options fit");                \
    gt_Loss gt_##Name##_of(const Type *options)                                                    \
    {                                                                                              \
        return made(&symbol##_class, options);                                                     \
    }

LOSS(mean_squared_error, MeanSquaredError, gt_MeanSquaredError_options)
LOSS(mean_absolute_error, MeanAbsoluteError, gt_MeanSquaredError_options)
LOSS(mean_absolute_percentage_error, MeanAbsolutePercentageError, gt_MeanSquaredError_options)
LOSS(mean_squared_logarithmic_error, MeanSquaredLogarithmicError, gt_MeanSquaredError_options)
LOSS(log_cosh, LogCosh, gt_MeanSquaredError_options)
LOSS(hinge, Hinge, gt_MeanSquaredError_options)
LOSS(squared_hinge, SquaredHinge, gt_MeanSquaredError_options)
LOSS(categorical_hinge, CategoricalHinge, gt_MeanSquaredError_options)
LOSS(kl_divergence, KLDivergence, gt_MeanSquaredError_options)
LOSS(poisson, Poisson, gt_MeanSquaredError_options)
LOSS(huber, Huber, gt_Huber_options)
LOSS(cosine_similarity, CosineSimilarity, gt_CosineSimilarity_options)
LOSS(binary_crossentropy, BinaryCrossentropy, gt_BinaryCrossentropy_options)
LOSS(categorical_crossentropy, CategoricalCrossentropy, gt_CategoricalCrossentropy_options)
LOSS(sparse_categorical_crossentropy, SparseCategoricalCrossentropy,
     gt_SparseCategoricalCrossentropy_options)

/* ---- one's own ---- */

/* The function stands among the options. */
static gt_LossFunction function_of(const gt_Loss *self)
{
    gt_LossFunction function;
    memcpy(&function, self->options, sizeof function);
    return function;
}

static gt_Status check_function(const gt_Loss *self)
{
    if (!function_of(self))
        return gt_fail(GT_INVALID, "the function of the loss is NULL");
    return gt_check_function("the function of the loss", (uintptr_t)function_of(self));
}

static gt_Tensor *compute_function(const gt_Loss *self, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    return function_of(self)(self->context, y_true, y_pred);
}

static const gt_LossClass function_class = {.mark = GT_MARK,
                                            .size = sizeof function_class,
                                            .name = "loss",
                                            .check = check_function,
                                            .compute = compute_function};

gt_Loss gt_loss(gt_LossFunction function, const void *context)
{
    gt_Loss self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

/* ---- using them ---- */

gt_Status gt_loss_check(const gt_Loss *self)
{
    if (!self->type)
        return GT_OK;
    if (!gt_is_class(self->type) || !self->type->name || !self->type->compute)
        return gt_fail(
            GT_INVALID,
            "the loss must be a value such as gt_MeanSquaredError() (got a number, a string "
            "or a function)");
    return self->type->check ? self->type->check(self) : GT_OK;
}

gt_Tensor *gt_loss_compute(const gt_Loss *self, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Tensor *value = self->type->compute(self, y_true, y_pred);
    if (gt_status() != GT_OK)
        return NULL;
    if (!value || gt_size(value) != 1) {
        gt_fail(GT_INVALID, "%s: a loss must be a scalar", self->type->name);
        return NULL;
    }
    return gt_reshape(value, gt_shape());
}
