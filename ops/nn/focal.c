/* Losses that weigh samples by how well they are predicted. Where logits are known (probability.c) logarithms come from them,
 * so that they are exact where a probability rounds to 0 or 1. Formulas are Keras's. */
#include "ops/nn/focal.h"
#include "core/inside.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"
#include "ops/nn/crossentropy.h"
#include "ops/nn/loss_inside.h"
#include "ops/nn/probability.h"

GT_OPTION_TYPE(gt_binary_focal_crossentropy_options, gt_binary_focal_crossentropy_OPTIONS);
GT_OPTION_TYPE(gt_categorical_focal_crossentropy_options,
               gt_categorical_focal_crossentropy_OPTIONS);
GT_OPTION_TYPE(gt_categorical_generalized_cross_entropy_options,
               gt_categorical_generalized_cross_entropy_OPTIONS);

static gt_Tensor *complement(gt_Tensor *x)
{
    return gt_add(gt_negative(x), 1);
}

static gt_Status check_gamma(double gamma)
{
    return gamma >= 0 ? GT_OK : gt_fail(GT_INVALID, "gamma must be >= 0 (got %g)", gamma);
}

static gt_Tensor *binary_focal_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                            const gt_binary_focal_crossentropy_options *options)
{
    if (check_gamma(options->gamma) != GT_OK)
        return NULL;
    gt_Tensor *t = gt_loss_smoothed(gt_loss_targets(y_true, y_pred), options->label_smoothing,
                                    gt_operand(options->label_smoothing / 2));
    gt_Tensor *x = gt_logits_of(y_pred, options->from_logits, &gt_op_sigmoid, 0), *p, *entries;
    if (x) {
        p = gt_sigmoid(x);
        entries = gt_sigmoid_crossentropy(t, x);
    } else {
        p = gt_probabilities(y_pred, GT_SCORES_OF_SIGMOID);
        gt_Tensor *q = gt_clip(p, GT_LOSS_EPSILON, 1 - GT_LOSS_EPSILON);
        gt_Tensor *yes = gt_multiply(t, gt_log(q));
        entries = gt_negative(gt_add(yes, gt_multiply(complement(t), gt_log1p(gt_negative(q)))));
    }
    gt_Tensor *missed = gt_add(gt_multiply(t, complement(p)), gt_multiply(complement(t), p));
    entries = gt_multiply(gt_power(missed, options->gamma), entries);
    if (options->apply_class_balancing)
        entries = gt_multiply(entries, gt_add(gt_multiply(t, options->alpha),
                                              gt_multiply(complement(t), 1 - options->alpha)));
    return gt_loss_reduced_along(entries, options->axis, options->reduction,
                                 options->sample_weight);
}
GT_LOSS(binary_focal_crossentropy, gt_binary_focal_crossentropy_options)

static gt_Tensor *
categorical_focal_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                               const gt_categorical_focal_crossentropy_options *options)
{
    gt_Tensor *t = gt_loss_names_classes(y_true, y_pred) ? NULL : gt_loss_targets(y_true, y_pred);
    int axis = t ? gt_axis(options->axis, gt_rank(y_pred)) : -1;
    if (axis < 0 || check_gamma(options->gamma) != GT_OK)
        return NULL;
    if (options->label_smoothing != 0)
        t = gt_loss_smoothed(t, options->label_smoothing,
                             gt_operand(gt_loss_share(t, options->label_smoothing, axis)));
    gt_Tensor *x = gt_logits_of(y_pred, options->from_logits, &gt_op_softmax, axis), *p, *log_p;
    if (x) {
        p = gt_softmax(x, .axis = axis);
        log_p = gt_log_softmax(x, .axis = axis);
    } else {
        p = gt_probabilities(y_pred, GT_SCORES_OF_SOFTMAX);
        p = gt_divide(p, gt_sum(p, .axis = axis, .keepdims = true));
        p = gt_clip(p, GT_LOSS_EPSILON, 1 - GT_LOSS_EPSILON);
        log_p = gt_log(p);
    }
    gt_Tensor *weight = gt_multiply(gt_power(complement(p), options->gamma), -options->alpha);
    gt_Tensor *losses = gt_sum(gt_multiply(weight, gt_multiply(t, log_p)), .axis = axis);
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(categorical_focal_crossentropy, gt_categorical_focal_crossentropy_options)

static gt_Tensor *categorical_generalized_cross_entropy(
    gt_Tensor *y_true, gt_Tensor *y_pred,
    const gt_categorical_generalized_cross_entropy_options *options)
{
    gt_Tensor *labels = gt_loss_labels(y_true, y_pred);
    if (!labels)
        return NULL;
    if (!(options->q > 0 && options->q < 1)) {
        gt_fail(GT_INVALID, "q must be between 0 and 1 (got %g)", options->q);
        return NULL;
    }
    gt_Tensor *all = gt_probabilities(y_pred, GT_SCORES_WITHOUT_LOGITS);
    gt_Tensor *p = gt_take_along_axis(all, gt_expand_dims(labels, -1), .axis = -1);
    gt_Tensor *losses =
        gt_divide(complement(gt_power(gt_squeeze(p, .axis = -1), options->q)), options->q);
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(categorical_generalized_cross_entropy, gt_categorical_generalized_cross_entropy_options)
