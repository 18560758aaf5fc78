/* Losses as values: the operations of ops/nn/loss.c with their options inside the value. */
#include "train/loss.h"
#include "core/values.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/masking.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"
#include "ops/nn/ctc.h"
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
GT_OPTION_TYPE(gt_compute_loss_options, gt_compute_loss_OPTIONS);
GT_OPTION_TYPE(gt_BinaryFocalCrossentropy_options, gt_BinaryFocalCrossentropy_OPTIONS);
GT_OPTION_TYPE(gt_CategoricalFocalCrossentropy_options, gt_CategoricalFocalCrossentropy_OPTIONS);
GT_OPTION_TYPE(gt_CategoricalGeneralizedCrossEntropy_options,
               gt_CategoricalGeneralizedCrossEntropy_OPTIONS);
GT_OPTION_TYPE(gt_Circle_options, gt_Circle_OPTIONS);
GT_OPTION_TYPE(gt_Dice_options, gt_Dice_OPTIONS);
GT_OPTION_TYPE(gt_Tversky_options, gt_Tversky_OPTIONS);
GT_OPTION_TYPE(gt_Crossentropy_options, gt_Crossentropy_OPTIONS);

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

gt_Loss gt_loss_make(const gt_LossClass *type, const void *options)
{
    gt_Loss self = {.type = type};
    GT_TAKE_OPTIONS(&self, options);
    return self;
}

/* The option of that name, of `size` bytes; NULL: the class has none. */
static const void *option(const gt_Loss *self, const char *name, size_t size)
{
    const gt_Field *field = self->type->options ? self->type->options->fields : NULL;
    for (; field && field->name; field++)
        if (strcmp(field->name, name) == 0 && field->size == size)
            return (const char *)self->options + field->offset;
    return NULL;
}

static gt_Reduction reduction_of(const gt_Loss *self)
{
    gt_Reduction reduction = GT_REDUCTION_MEAN;
    const void *given = option(self, "reduction", sizeof reduction);
    if (given)
        memcpy(&reduction, given, sizeof reduction);
    return reduction;
}

static gt_Status check_reduction(const gt_Loss *self)
{
    gt_Reduction reduction = reduction_of(self);
    if (reduction == GT_REDUCTION_MEAN || reduction == GT_REDUCTION_SUM ||
        reduction == GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT)
        return GT_OK;
    return gt_fail(GT_INVALID, "the reduction of a loss must be mean, sum or the mean by weights");
}

/* The options of the value are the first of the function's; the weights stand behind them. */
#define LOSS(symbol, Name, Type, Function, short_names)                                            \
    static gt_Tensor *symbol##_compute(const gt_Loss *self, const gt_LossArgs *in)                 \
    {                                                                                              \
        Function options;                                                                          \
        gt_Tensor *y_true = in->y_true, *y_pred = in->y_pred;                                      \
        memset(&options, 0, sizeof options);                                                       \
        memcpy(&options, self->options, offsetof(Type, end));                                      \
        options.size.bytes = (uint32_t)offsetof(Function, end);                                    \
        options.sample_weight = in->sample_weight;                                                 \
        bring_together(&y_true, &y_pred);                                                          \
        return gt_##symbol##_at(NULL, y_true, y_pred, &options);                                   \
    }                                                                                              \
    static const gt_LossClass symbol##_class = {.mark = GT_MARK,                                   \
                                                .size = sizeof(gt_LossClass),                      \
                                                .name = #symbol,                                   \
                                                .options = &Type##_type,                           \
                                                .check = check_reduction,                          \
                                                .compute = symbol##_compute,                       \
                                                .function = #Name,                                 \
                                                .keras = #Name,                                    \
                                                .aliases = short_names};                           \
    static_assert(sizeof(Type) <= sizeof((gt_Loss){0}.options), "the options fit");                \
    gt_Loss gt_##Name##_of(const Type *options)                                                    \
    {                                                                                              \
        return gt_loss_make(&symbol##_class, options);                                             \
    }

LOSS(mean_squared_error, MeanSquaredError, gt_MeanSquaredError_options,
     gt_mean_squared_error_options, "mse MSE")
LOSS(mean_absolute_error, MeanAbsoluteError, gt_MeanSquaredError_options,
     gt_mean_squared_error_options, "mae MAE")
LOSS(mean_absolute_percentage_error, MeanAbsolutePercentageError, gt_MeanSquaredError_options,
     gt_mean_squared_error_options, "mape MAPE")
LOSS(mean_squared_logarithmic_error, MeanSquaredLogarithmicError, gt_MeanSquaredError_options,
     gt_mean_squared_error_options, "msle MSLE")
LOSS(log_cosh, LogCosh, gt_MeanSquaredError_options, gt_mean_squared_error_options, "logcosh")
LOSS(hinge, Hinge, gt_MeanSquaredError_options, gt_mean_squared_error_options, NULL)
LOSS(squared_hinge, SquaredHinge, gt_MeanSquaredError_options, gt_mean_squared_error_options, NULL)
LOSS(categorical_hinge, CategoricalHinge, gt_MeanSquaredError_options,
     gt_mean_squared_error_options, NULL)
LOSS(kl_divergence, KLDivergence, gt_MeanSquaredError_options, gt_mean_squared_error_options,
     "kld KLD")
LOSS(poisson, Poisson, gt_MeanSquaredError_options, gt_mean_squared_error_options, NULL)
LOSS(huber, Huber, gt_Huber_options, gt_huber_options, NULL)
LOSS(cosine_similarity, CosineSimilarity, gt_CosineSimilarity_options, gt_cosine_similarity_options,
     NULL)
LOSS(binary_crossentropy, BinaryCrossentropy, gt_BinaryCrossentropy_options,
     gt_binary_crossentropy_options, "bce BCE")
LOSS(categorical_crossentropy, CategoricalCrossentropy, gt_CategoricalCrossentropy_options,
     gt_categorical_crossentropy_options, NULL)
LOSS(sparse_categorical_crossentropy, SparseCategoricalCrossentropy,
     gt_SparseCategoricalCrossentropy_options, gt_sparse_categorical_crossentropy_options, NULL)
LOSS(binary_focal_crossentropy, BinaryFocalCrossentropy, gt_BinaryFocalCrossentropy_options,
     gt_binary_focal_crossentropy_options, NULL)
LOSS(categorical_focal_crossentropy, CategoricalFocalCrossentropy,
     gt_CategoricalFocalCrossentropy_options, gt_categorical_focal_crossentropy_options, NULL)
LOSS(categorical_generalized_cross_entropy, CategoricalGeneralizedCrossEntropy,
     gt_CategoricalGeneralizedCrossEntropy_options,
     gt_categorical_generalized_cross_entropy_options, NULL)
LOSS(circle, Circle, gt_Circle_options, gt_circle_options, NULL)
LOSS(dice, Dice, gt_Dice_options, gt_dice_options, NULL)
LOSS(tversky, Tversky, gt_Tversky_options, gt_tversky_options, NULL)

/* ---- sequences ---- */

static gt_Tensor *ctc_compute(const gt_Loss *self, const gt_LossArgs *in)
{
    gt_Shape shape = gt_tensor_shape(in->y_pred);
    const gt_Reduction reduction = reduction_of(self);
    if (in->mask && gt_rank(in->mask) != 1)
        gt_fail(GT_INVALID, "ctc weighs whole sequences, and y_pred has a mask: see gt_unmask");
    else if (gt_status() == GT_OK && shape.rank != 3)
        gt_fail(GT_INVALID, "ctc: y_pred must be (batch, steps, classes)");
    if (gt_status() != GT_OK)
        return NULL;
    gt_Tensor *counts = gt_cast(gt_not_equal(in->y_true, 0), GT_INT32);
    gt_Tensor *lengths = gt_cast(gt_sum(counts, .axis = -1), GT_INT32);
    gt_Tensor *steps = gt_full(gt_shape(shape.dims[0]), (double)shape.dims[1], .dtype = GT_INT32);
    gt_Tensor *each = gt_ctc_loss(in->y_true, in->y_pred, lengths, steps);
    if (in->sample_weight)
        each = gt_multiply(each, in->sample_weight);
    if (reduction == GT_REDUCTION_NONE)
        return each;
    if (reduction == GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT && in->sample_weight)
        return gt_divide_no_nan(gt_sum(each), gt_sum(in->sample_weight));
    return reduction == GT_REDUCTION_SUM ? gt_sum(each) : gt_mean(each);
}

static const gt_LossClass ctc_class = {.mark = GT_MARK,
                                       .size = sizeof(gt_LossClass),
                                       .name = "ctc",
                                       .options = &gt_MeanSquaredError_options_type,
                                       .check = check_reduction,
                                       .compute = ctc_compute,
                                       .function = "CTC",
                                       .keras = "CTC"};

gt_Loss gt_CTC_of(const gt_CTC_options *options)
{
    return gt_loss_make(&ctc_class, options);
}

/* ---- the crossentropy that fits the shapes ---- */

static gt_Tensor *crossentropy_compute(const gt_Loss *self, const gt_LossArgs *in)
{
    gt_Crossentropy_options options;
    memcpy(&options, self->options, sizeof options);
    gt_Shape labels = gt_tensor_shape(in->y_true), shape = gt_tensor_shape(in->y_pred);
    if (gt_status() != GT_OK)
        return NULL;
    gt_Loss chosen;
    if (shape.rank < 2 || gt_last(shape) == 1)
        chosen = gt_BinaryCrossentropy(.from_logits = options.from_logits,
                                       .reduction = options.reduction);
    else if (labels.rank < shape.rank || gt_last(labels) == 1)
        chosen = gt_SparseCategoricalCrossentropy(.from_logits = options.from_logits,
                                                  .reduction = options.reduction);
    else
        chosen = gt_CategoricalCrossentropy(.from_logits = options.from_logits,
                                            .reduction = options.reduction);
    return chosen.type->compute(&chosen, in);
}

static const gt_LossClass crossentropy_class = {.mark = GT_MARK,
                                                .size = sizeof(gt_LossClass),
                                                .name = "crossentropy",
                                                .options = &gt_Crossentropy_options_type,
                                                .check = check_reduction,
                                                .compute = crossentropy_compute,
                                                .function = "Crossentropy",
                                                .aliases = "ce"};

gt_Loss gt_Crossentropy_of(const gt_Crossentropy_options *options)
{
    return gt_loss_make(&crossentropy_class, options);
}

static const gt_LossClass *const table[] = {
    &binary_crossentropy_class,
    &binary_focal_crossentropy_class,
    &categorical_crossentropy_class,
    &categorical_focal_crossentropy_class,
    &categorical_generalized_cross_entropy_class,
    &categorical_hinge_class,
    &circle_class,
    &cosine_similarity_class,
    &crossentropy_class,
    &ctc_class,
    &dice_class,
    &hinge_class,
    &huber_class,
    &kl_divergence_class,
    &log_cosh_class,
    &mean_absolute_error_class,
    &mean_absolute_percentage_error_class,
    &mean_squared_error_class,
    &mean_squared_logarithmic_error_class,
    &poisson_class,
    &sparse_categorical_crossentropy_class,
    &squared_hinge_class,
    &tversky_class,
};

const gt_LossClass *const *gt_loss_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_LossClass *gt_loss_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, table[i]->aliases))
            return table[i];
    return NULL;
}

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

static gt_Tensor *compute_function(const gt_Loss *self, const gt_LossArgs *in)
{
    return function_of(self)(self->context, in->y_true, in->y_pred);
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

/* Samples of such a shape that a label of ignore_class does not take out, bool; NULL: the loss takes none out. */
static gt_Tensor *counted(const gt_Loss *self, gt_Tensor *y_true, gt_Shape shape)
{
    int64_t ignored = GT_NONE;
    const void *given = option(self, "ignore_class", sizeof ignored);
    if (given)
        memcpy(&ignored, given, sizeof ignored);
    if (ignored == GT_NONE || gt_status() != GT_OK)
        return NULL;
    return gt_not_equal(gt_reshape(y_true, shape), (double)ignored);
}

static gt_Tensor *to_rank(gt_Tensor *x, int rank)
{
    for (int more = rank - gt_rank(x); more > 0; more--)
        x = gt_expand_dims(x, -1);
    return x;
}

/* Padding weighs nothing; where the loss is the mean of all, the steps that count weigh so much that all together weigh
 * what all steps would (Keras's apply_mask), those that the loss counts itself. */
static gt_Tensor *masked_weight(const gt_Loss *self, const gt_LossArgs *in)
{
    const gt_DType dtype = gt_dtype(in->y_pred) == GT_FLOAT64 ? GT_FLOAT64 : GT_FLOAT32;
    gt_Tensor *counts = gt_cast(in->mask, dtype), *weight = in->sample_weight;
    if (reduction_of(self) == GT_REDUCTION_MEAN) {
        gt_Shape rows = gt_tensor_shape(in->y_pred);
        rows.rank -= rows.rank > 0;
        gt_Tensor *kept = counted(self, in->y_true, rows), *all = gt_ones_like(counts);
        if (kept) {
            all = gt_cast(kept, dtype);
            counts = gt_multiply(all, to_rank(counts, rows.rank));
        }
        counts = gt_multiply(counts, gt_divide_no_nan(gt_sum(all), gt_sum(counts)));
    }
    if (!weight)
        return counts;
    weight = to_rank(gt_cast(weight, dtype), gt_rank(counts));
    return gt_multiply(to_rank(counts, gt_rank(weight)), weight);
}

/* The weighted mean of what a loss of one's own gave for the samples. */
static gt_Tensor *mean_of(const gt_Loss *self, gt_Tensor *value, gt_Tensor *weight)
{
    if (weight && gt_rank(value) < gt_rank(weight)) {
        gt_fail(
            GT_INVALID,
            "%s: a loss that gives one number cannot be weighted or masked: give a loss a sample",
            self->type->name);
        return NULL;
    }
    for (int more = weight ? gt_rank(value) - gt_rank(weight) : 0; more > 0; more--)
        weight = gt_expand_dims(weight, -1);
    return gt_mean(weight ? gt_multiply(value, gt_cast(weight, gt_dtype(value))) : value);
}

gt_Tensor *gt_loss_compute(const gt_Loss *self, gt_Tensor *y_true, gt_Tensor *y_pred,
                           gt_Tensor *sample_weight)
{
    gt_LossArgs in = {.size = sizeof in, .y_true = y_true, .y_pred = y_pred};
    in.sample_weight = sample_weight;
    if (gt_is_masked(y_pred)) {
        in.mask = gt_mask(y_pred);
        in.y_pred = gt_unmask(y_pred);
    }
    if (y_true && gt_is_masked(y_true))
        in.y_true = gt_unmask(y_true);
    if (in.mask)
        in.sample_weight = masked_weight(self, &in);
    if (in.sample_weight && y_pred)
        in.sample_weight = gt_cast(in.sample_weight, gt_dtype(y_pred));
    gt_Tensor *value = gt_status() == GT_OK ? self->type->compute(self, &in) : NULL;
    if (gt_status() == GT_OK && !value)
        gt_fail(GT_INVALID, "%s: the loss is NULL", self->type->name);
    if (gt_status() == GT_OK && (gt_size(value) != 1 || self->type == &function_class))
        value = mean_of(self, value, in.sample_weight);
    return gt_status() == GT_OK ? gt_reshape(value, gt_shape()) : NULL;
}

gt_Tensor *gt_loss_values(const gt_Loss *self, gt_Tensor *y_true, gt_Tensor *y_pred,
                          gt_Tensor **counts)
{
    gt_Loss each = *self;
    gt_Reduction reduction = reduction_of(self);
    void *given = (void *)(uintptr_t)option(&each, "reduction", sizeof reduction);
    bool of_some = self->type == &circle_class; /* samples without a partner do not count */
    if (reduction == GT_REDUCTION_SUM || of_some || (self->type->options && !given))
        return NULL;
    if (given)
        memcpy(given, &(gt_Reduction){GT_REDUCTION_NONE}, sizeof reduction);
    gt_LossArgs in = {.size = sizeof in, .y_true = y_true, .y_pred = y_pred};
    gt_Tensor *values = gt_status() == GT_OK ? each.type->compute(&each, &in) : NULL;
    if (gt_status() == GT_OK && !values)
        gt_fail(GT_INVALID, "%s: the loss is NULL", self->type->name);
    *counts = gt_status() == GT_OK ? counted(self, y_true, gt_tensor_shape(values)) : NULL;
    return gt_status() == GT_OK ? values : NULL;
}

gt_Tensor *gt_compute_loss_at(const char *here, gt_Loss loss, gt_Tensor *y_true, gt_Tensor *y_pred,
                              const gt_compute_loss_options *given)
{
    gt_compute_loss_options options;
    GT_TAKE(gt_compute_loss_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "compute_loss");
    gt_Tensor *value = NULL;
    if (!loss.type)
        gt_fail(GT_INVALID, "a loss such as gt_MeanSquaredError() is needed (got none)");
    else if (gt_loss_check(&loss) == GT_OK)
        value = gt_loss_compute(&loss, y_true, y_pred, options.sample_weight);
    gt_site_leave(&site);
    return value;
}
