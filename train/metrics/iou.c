/* Intersection over union, from a confusion matrix: row t, column p has the weights of samples of class t taken for p. */
#include "train/metrics/iou.h"
#include "ops/linalg/diagonal.h"
#include "ops/array/sorting.h"
#include "train/metrics/kit.h"

GT_OPTION_TYPE(gt_IoU_options, gt_IoU_OPTIONS);
GT_OPTION_TYPE(gt_OneHotIoU_options, gt_OneHotIoU_OPTIONS);
GT_OPTION_TYPE(gt_BinaryIoU_options, gt_BinaryIoU_OPTIONS);

static gt_Status check_targets(int64_t classes, const gt_Axes *targets)
{
    if (!(classes > 0 && classes <= INT32_MAX))
        return gt_fail(GT_INVALID, "num_classes must be > 0 (got %lld)", (long long)classes);
    for (int i = 0; i < targets->count; i++)
        if (targets->axis[i] < 0 || targets->axis[i] >= classes)
            return gt_fail(GT_INVALID, "target_class_ids must be below %lld (got %d)",
                           (long long)classes, (int)targets->axis[i]);
    return targets->count == 0 ? gt_fail(GT_INVALID, "target_class_ids names no class") : GT_OK;
}

static gt_Tensor *is_class(gt_Tensor *numbers, int64_t classes)
{
    return gt_logical_and(gt_greater_equal(numbers, 0), gt_less(numbers, (double)classes));
}

/* Weights of samples whose labels and predictions, vectors of integers, are classes; the others go to a place behind the
 * matrix. */
static gt_Status count(const gt_MetricUpdate *update, gt_Tensor *t, gt_Tensor *p, gt_Tensor *weight,
                       int64_t classes)
{
    const int64_t all = classes * classes;
    gt_Tensor *known = gt_logical_and(is_class(t, classes), is_class(p, classes));
    gt_Tensor *place = gt_where(known, gt_add(gt_multiply(t, (double)classes), p), (double)all);
    gt_Tensor *sums = gt_bincount(place, .weights = weight, .length = all + 1);
    return gt_assign_add(update->states[0], gt_reshape(gt_slice(sums, gt_shape(0), gt_shape(all)),
                                                       gt_shape(classes, classes)));
}

static gt_Tensor *flat(gt_Tensor *x)
{
    return gt_reshape(x, gt_shape(-1));
}

/* The mean over the classes that are there, with Keras's 1e-7 below. */
static gt_Tensor *mean_of(gt_Variable *const *states, const gt_Axes *targets)
{
    gt_Tensor *matrix = states[0], *right = gt_diagonal(matrix);
    gt_Tensor *all =
        gt_subtract(gt_add(gt_sum(matrix, .axis = 0), gt_sum(matrix, .axis = 1)), right);
    if (targets->count > 0) {
        int64_t ids[GT_MAX_RANK];
        for (int i = 0; i < targets->count; i++)
            ids[i] = targets->axis[i];
        gt_Tensor *which = gt_from_data(ids, gt_shape(targets->count), GT_INT64);
        right = gt_take(right, which, .axis = 0);
        all = gt_take(all, which, .axis = 0);
    }
    gt_Tensor *there = gt_cast(gt_greater(all, 1e-9), GT_FLOAT64);
    gt_Tensor *each = gt_multiply(gt_divide(right, gt_add(all, 1e-7)), there);
    return gt_divide(gt_sum(each), gt_add(gt_sum(there), 1e-7));
}

/* ---- of any number of classes: gt_OneHotIoU_options has the fields of gt_IoU_options, at the same places ---- */

static gt_Status iou_check(const void *given)
{
    const gt_IoU_options *options = given;
    return check_targets(options->num_classes, &options->target_class_ids);
}

static gt_Shape iou_shape(const void *given, int state, const gt_Spec *y_true,
                          const gt_Spec *y_pred)
{
    (void)state, (void)y_true, (void)y_pred;
    const gt_IoU_options *options = given;
    return gt_shape(options->num_classes, options->num_classes);
}

static gt_Tensor *classes_of(gt_Tensor *x, bool sparse, int axis)
{
    return gt_cast(sparse ? x : gt_argmax(x, .axis = axis), GT_INT64);
}

static gt_Status iou_update(const gt_MetricUpdate *update)
{
    const gt_IoU_options *options = update->instance;
    gt_Tensor *t = classes_of(update->y_true, options->sparse_y_true, options->axis);
    gt_Tensor *p = classes_of(update->y_pred, options->sparse_y_pred, options->axis);
    if (gt_status() != GT_OK || gt_metric_bring_together(&t, &p) != GT_OK)
        return gt_status();
    gt_Tensor *weight = gt_metric_weights(update, t);
    if (options->ignore_class != GT_NONE)
        weight = gt_multiply(weight,
                             gt_cast(gt_not_equal(t, (double)options->ignore_class), GT_FLOAT64));
    return count(update, flat(t), flat(p), flat(weight), options->num_classes);
}

static gt_Tensor *iou_result(const void *given, gt_Variable *const *states)
{
    const gt_IoU_options *options = given;
    return mean_of(states, &options->target_class_ids);
}

static gt_Tensor *mean_iou_result(const void *given, gt_Variable *const *states)
{
    (void)given;
    const gt_Axes all = GT_ALL_AXES;
    return mean_of(states, &all);
}

#define IOU(symbol, Name, Options, function)                                                       \
    const gt_MetricClass gt_metric_class_##symbol = {                                              \
        GT_METRIC_RECORD(#symbol, Name, Options, UP),                                              \
        .states = 1,                                                                               \
        .shape = iou_shape,                                                                        \
        .check = iou_check,                                                                        \
        .update = iou_update,                                                                      \
        .result = function,                                                                        \
    };                                                                                             \
    GT_METRIC(Name, Options, symbol)

IOU(iou, IoU, IoU, iou_result)
IOU(mean_iou, MeanIoU, IoU, mean_iou_result)
IOU(one_hot_iou, OneHotIoU, OneHotIoU, iou_result)
IOU(one_hot_mean_iou, OneHotMeanIoU, OneHotIoU, mean_iou_result)

/* ---- of 0 and 1 ---- */

static gt_Status binary_check(const void *given)
{
    const gt_BinaryIoU_options *options = given;
    return check_targets(2, &options->target_class_ids);
}

static gt_Shape binary_shape(const void *given, int state, const gt_Spec *y_true,
                             const gt_Spec *y_pred)
{
    (void)given, (void)state, (void)y_true, (void)y_pred;
    return gt_shape(2, 2);
}

static gt_Status binary_update(const gt_MetricUpdate *update)
{
    const gt_BinaryIoU_options *options = update->instance;
    gt_Tensor *t = gt_cast(update->y_true, GT_INT64);
    gt_Tensor *p = gt_cast(gt_greater_equal(update->y_pred, options->threshold), GT_INT64);
    if (gt_status() != GT_OK || gt_metric_bring_together(&t, &p) != GT_OK)
        return gt_status();
    return count(update, flat(t), flat(p), flat(gt_metric_weights(update, t)), 2);
}

static gt_Tensor *binary_result(const void *given, gt_Variable *const *states)
{
    const gt_BinaryIoU_options *options = given;
    return mean_of(states, &options->target_class_ids);
}

const gt_MetricClass gt_metric_class_binary_iou = {
    GT_METRIC_RECORD("binary_iou", BinaryIoU, BinaryIoU, UP),
    .states = 1,
    .shape = binary_shape,
    .check = binary_check,
    .update = binary_update,
    .result = binary_result,
};
GT_METRIC(BinaryIoU, BinaryIoU, binary_iou)
