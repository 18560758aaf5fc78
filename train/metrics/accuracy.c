/* How many predictions are right. */
#include "train/metrics/accuracy.h"
#include "train/metrics/kit.h"

GT_OPTION_TYPE(gt_Accuracy_options, gt_Accuracy_OPTIONS);
GT_OPTION_TYPE(gt_CategoricalAccuracy_options, gt_CategoricalAccuracy_OPTIONS);
GT_OPTION_TYPE(gt_TopKCategoricalAccuracy_options, gt_TopKCategoricalAccuracy_OPTIONS);

/* Labels as integers of the shape of the class numbers, (...) for (..., 1). */
static gt_Tensor *class_numbers(gt_Tensor *y_true, gt_Tensor *classes)
{
    gt_Shape shape = gt_tensor_shape(classes), given = gt_tensor_shape(y_true);
    if (given.rank == shape.rank + 1 && gt_last(given) == 1)
        y_true = gt_reshape(y_true, shape);
    return gt_cast(y_true, GT_INT32);
}

static gt_Status check_same_shape(gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Shape a = gt_tensor_shape(y_true), b = gt_tensor_shape(y_pred);
    char a_text[160], b_text[160];
    if (gt_status() == GT_OK && !gt_shape_equal(a, b))
        gt_fail(GT_INVALID, "the shapes of labels and predictions do not match: %s and %s",
                gt_shape_text(a, a_text, sizeof a_text), gt_shape_text(b, b_text, sizeof b_text));
    return gt_status();
}

static gt_Status update_sparse(const gt_MetricUpdate *update)
{
    gt_Tensor *predicted = gt_argmax(update->y_pred, .axis = -1);
    gt_Tensor *labels = class_numbers(update->y_true, predicted);
    if (check_same_shape(labels, predicted) != GT_OK)
        return gt_status();
    return gt_metric_add_mean(update, gt_equal(predicted, labels));
}

static gt_Status update_categorical(const gt_MetricUpdate *update)
{
    if (check_same_shape(update->y_true, update->y_pred) != GT_OK)
        return gt_status();
    return gt_metric_add_mean(update, gt_equal(gt_argmax(update->y_pred, .axis = -1),
                                               gt_argmax(update->y_true, .axis = -1)));
}

/* Labels (n) and predictions (n, 1), or the other way round, are brought together. */
static gt_Status update_binary(const gt_MetricUpdate *update)
{
    const gt_Accuracy_options *self = update->instance;
    gt_Shape shape = gt_tensor_shape(update->y_pred), given = gt_tensor_shape(update->y_true);
    gt_Tensor *labels = update->y_true;
    bool column = (given.rank == shape.rank + 1 && gt_last(given) == 1) ||
                  (shape.rank == given.rank + 1 && gt_last(shape) == 1);
    if (column && gt_size(labels) == gt_size(update->y_pred))
        labels = gt_reshape(labels, shape);
    if (check_same_shape(labels, update->y_pred) != GT_OK)
        return gt_status();
    gt_Tensor *predicted = gt_cast(gt_greater(update->y_pred, self->threshold), GT_FLOAT64);
    return gt_metric_add_mean(update, gt_equal(predicted, gt_cast(labels, GT_FLOAT64)));
}

/* As Keras chooses for "accuracy". */
static gt_Status update_accuracy(const gt_MetricUpdate *update)
{
    gt_Shape labels = gt_tensor_shape(update->y_true), shape = gt_tensor_shape(update->y_pred);
    if (gt_status() != GT_OK)
        return gt_status();
    if (shape.rank < 2 || gt_last(shape) == 1)
        return update_binary(update);
    if (labels.rank < shape.rank || gt_last(labels) == 1)
        return update_sparse(update);
    return update_categorical(update);
}

static gt_Status update_equal(const gt_MetricUpdate *update)
{
    gt_Tensor *y_true = update->y_true, *y_pred = update->y_pred;
    if (gt_metric_bring_together(&y_true, &y_pred) != GT_OK)
        return gt_status();
    return gt_metric_add_mean(update,
                              gt_equal(gt_cast(y_pred, GT_FLOAT64), gt_cast(y_true, GT_FLOAT64)));
}

/* ---- among the best ---- */

static gt_Status check_k(const void *given)
{
    const gt_TopKCategoricalAccuracy_options *options = given;
    return options->k > 0 ? GT_OK : gt_fail(GT_INVALID, "k must be > 0 (got %d)", (int)options->k);
}

/* Fewer than k scores are larger than that of the class (...), and it is finite, as in Keras's in_top_k. */
static gt_Status add_top_k(const gt_MetricUpdate *update, gt_Tensor *classes)
{
    const gt_TopKCategoricalAccuracy_options *options = update->instance;
    gt_Tensor *column = gt_expand_dims(classes, -1);
    gt_Tensor *own = gt_take_along_axis(update->y_pred, column, .axis = -1);
    gt_Tensor *larger = gt_sum(gt_cast(gt_greater(update->y_pred, own), GT_FLOAT64), .axis = -1);
    gt_Tensor *is_finite = gt_isfinite(gt_squeeze(own, .axis = -1));
    return gt_metric_add_mean(update, gt_logical_and(gt_less(larger, options->k), is_finite));
}

static gt_Status update_top_k(const gt_MetricUpdate *update)
{
    if (check_same_shape(update->y_true, update->y_pred) != GT_OK)
        return gt_status();
    return add_top_k(update, gt_argmax(update->y_true, .axis = -1));
}

static gt_Status update_sparse_top_k(const gt_MetricUpdate *update)
{
    gt_Tensor *best = gt_argmax(update->y_pred, .axis = -1);
    gt_Tensor *labels = class_numbers(update->y_true, best);
    if (check_same_shape(labels, best) != GT_OK)
        return gt_status();
    return add_top_k(update, labels);
}

#define ACCURACY(symbol, Name, Options, function, check_options)                                   \
    const gt_MetricClass gt_metric_class_##symbol = {                                              \
        GT_METRIC_RECORD(#symbol, Name, Options, UP),                                              \
        .states = 2,                                                                               \
        .update = function,                                                                        \
        .check = check_options,                                                                    \
    };                                                                                             \
    GT_METRIC(Name, Options, symbol)

const gt_MetricClass gt_metric_class_accuracy = {
    .size = sizeof(gt_MetricClass),
    .name = "accuracy",
    .options = &gt_Accuracy_options_type,
    .function = "Accuracy",
    .direction = GT_METRIC_DIRECTION_UP,
    .states = 2,
    .update = update_accuracy,
};
GT_METRIC(Accuracy, Accuracy, accuracy)
const gt_MetricClass gt_metric_class_equality_accuracy = {
    .size = sizeof(gt_MetricClass),
    .name = "equality_accuracy",
    .options = &gt_CategoricalAccuracy_options_type,
    .function = "EqualityAccuracy",
    .keras = "Accuracy",
    .direction = GT_METRIC_DIRECTION_UP,
    .states = 2,
    .update = update_equal,
};
GT_METRIC(EqualityAccuracy, CategoricalAccuracy, equality_accuracy)
ACCURACY(binary_accuracy, BinaryAccuracy, Accuracy, update_binary, NULL)
ACCURACY(categorical_accuracy, CategoricalAccuracy, CategoricalAccuracy, update_categorical, NULL)
ACCURACY(sparse_categorical_accuracy, SparseCategoricalAccuracy, CategoricalAccuracy, update_sparse,
         NULL)
ACCURACY(top_k_categorical_accuracy, TopKCategoricalAccuracy, TopKCategoricalAccuracy, update_top_k,
         check_k)
ACCURACY(sparse_top_k_categorical_accuracy, SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
         update_sparse_top_k, check_k)
