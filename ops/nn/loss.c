/* Losses: the functions of ops/nn/loss.h, made of operations. Each brings y_true to y_pred's dtype,
 * works out one loss a sample and reduces those. The cross-entropies are fused (crossentropy.c)
 * where logits are known (probability.c). Formulas and the constant 1e-7 are Keras's. */
#include "ops/nn/loss.h"
#include "core/inside.h"
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/nn/crossentropy.h"
#include "ops/nn/loss_inside.h"
#include "ops/nn/normalization.h"
#include "ops/nn/probability.h"
#include "ops/math/reduce.h"
#include "ops/math/reduction.h"
#include "ops/array/reshaping.h"

#include <math.h>

/* ---- what the losses have in common ---- */

GT_OPTION_TYPE(gt_mean_squared_error_options, gt_mean_squared_error_OPTIONS);
GT_OPTION_TYPE(gt_huber_options, gt_huber_OPTIONS);
GT_OPTION_TYPE(gt_cosine_similarity_options, gt_cosine_similarity_OPTIONS);
GT_OPTION_TYPE(gt_binary_crossentropy_options, gt_binary_crossentropy_OPTIONS);
GT_OPTION_TYPE(gt_categorical_crossentropy_options, gt_categorical_crossentropy_OPTIONS);
GT_OPTION_TYPE(gt_sparse_categorical_crossentropy_options,
               gt_sparse_categorical_crossentropy_OPTIONS);

/* Shape and type of an argument; NULL with an error raised for a bad handle. */
static const gt_Spec *spec_of(const gt_Tensor *tensor, const char *what)
{
    gt_Context *context = gt_enter();
    return context ? gt_tensor_check(context, NULL, NULL, what, tensor) : NULL;
}

static const gt_Spec *predictions(const gt_Tensor *y_pred)
{
    const gt_Spec *spec = spec_of(y_pred, "y_pred");
    if (spec && !gt_dtype_is_float(spec->dtype)) {
        gt_fail(GT_INVALID, "y_pred must be float32 or float64 (got %s)",
                gt_dtype_name(spec->dtype));
        return NULL;
    }
    return spec;
}

/* y_true of the type of y_pred; nothing is broadcast (n, n) behind the caller's back. */
gt_Tensor *gt_loss_targets(gt_Tensor *y_true, const gt_Tensor *y_pred)
{
    const gt_Spec *predicted = predictions(y_pred);
    const gt_Spec *spec = predicted ? spec_of(y_true, "y_true") : NULL;
    char a[160], b[160];
    if (!spec)
        return NULL;
    if (!gt_dims_equal(spec, predicted)) {
        gt_fail(GT_INVALID, "y_true and y_pred must have the same shape (got %s and %s)%s",
                gt_dims_text(spec, a, sizeof a),
                gt_dims_text(predicted, b, sizeof b),
                spec->size == predicted->size ? ": gt_reshape one of them" : "");
        return NULL;
    }
    if (gt_dtype_is_float(spec->dtype) && spec->dtype != predicted->dtype) {
        gt_fail(GT_INVALID,
                "y_true and y_pred must have the same dtype (got %s and %s): gt_cast one of them",
                gt_dtype_name(spec->dtype), gt_dtype_name(predicted->dtype));
        return NULL;
    }
    return spec->dtype == predicted->dtype ? y_true : gt_cast(y_true, predicted->dtype);
}

/* y (1 - s) + share; the share of one class, s over their number, is a number or a scalar of y's
 * type. */
gt_Tensor *gt_loss_smoothed(gt_Tensor *y_true, double smoothing, gt_Operand share)
{
    if (smoothing == 0)
        return y_true;
    if (!(smoothing >= 0 && smoothing <= 1)) {
        gt_fail(GT_INVALID, "label_smoothing must be in [0, 1] (got %g)", smoothing);
        return NULL;
    }
    return gt_add_at(NULL, gt_multiply(y_true, 1 - smoothing), share);
}

/* smoothing over the number of classes along the axis. They are counted, so that a traced graph may
 * have another number. */
gt_Tensor *gt_loss_share(gt_Tensor *y_true, double smoothing, int axis)
{
    const gt_Spec spec = gt_spec(y_true);
    if (gt_status() != GT_OK || spec.size == 0)
        return gt_zeros_like(y_true);
    gt_Shape begin = {.mark = GT_MARK, .rank = spec.rank}, size = begin;
    for (int d = 0; d < spec.rank; d++)
        size.dims[d] = d == axis ? -1 : 1;
    gt_Tensor *one = gt_ones_like(gt_slice(y_true, begin, size), .dtype = GT_FLOAT64);
    return gt_cast(gt_divide(gt_scalar(smoothing, GT_FLOAT64), gt_sum(one)), spec.dtype);
}

/* Of shape (batch) or longer, made to broadcast to the losses from the left. */
static gt_Tensor *weights(gt_Tensor *weight, const gt_Tensor *losses)
{
    const gt_Spec *loss = spec_of(losses, "the losses");
    const gt_Spec *spec = loss ? spec_of(weight, "sample_weight") : NULL;
    char a[160], b[160];
    if (!spec)
        return NULL;
    const int more = loss->rank - spec->rank;
    bool fits = more >= 0;
    for (int d = 0; fits && d < spec->rank; d++)
        fits = spec->dims[d] == loss->dims[d] || spec->dims[d] == 1;
    if (!fits) {
        gt_fail(GT_INVALID, "sample_weight must fit losses %s (got %s)",
                gt_dims_text(loss, b, sizeof b),
                gt_dims_text(spec, a, sizeof a));
        return NULL;
    }
    if (!gt_dtype_is_float(spec->dtype))
        weight = gt_cast(weight, loss->dtype);
    for (int d = 0; d < more; d++)
        weight = gt_expand_dims(weight, -1);
    return weight;
}

/* One loss a sample to what the caller asked for. `count`: what the mean divides by; NULL: how many
 * there are. */
gt_Tensor *gt_loss_reduced(gt_Tensor *losses, gt_Reduction reduction, gt_Tensor *weight,
                           gt_Tensor *count)
{
    gt_Tensor *sample = weight ? weights(weight, losses) : NULL;
    if (weight)
        losses = gt_multiply(losses, sample);
    switch (reduction) {
    case GT_REDUCTION_NONE:
        return losses;
    case GT_REDUCTION_SUM:
        return gt_sum(losses);
    case GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT:
        if (weight)
            count = gt_sum(gt_multiply(gt_ones_like(losses), sample));
        /* fall through */
    case GT_REDUCTION_MEAN:
        return count ? gt_divide_no_nan(gt_sum(losses), count) : gt_mean(losses);
    }
    gt_fail(GT_INVALID, "unknown reduction %d", (int)reduction);
    return NULL;
}

/* The mean over the last axis first; the mean of means of equally many is the mean. */
gt_Tensor *gt_loss_reduced_entries(gt_Tensor *entries, gt_Reduction reduction, gt_Tensor *weight)
{
    const bool plain =
        reduction == GT_REDUCTION_MEAN || reduction == GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT;
    if ((!plain || weight) && gt_rank(entries) > 0)
        entries = gt_mean(entries, .axis = -1);
    return gt_loss_reduced(entries, reduction, weight, NULL);
}

gt_Tensor *gt_loss_reduced_along(gt_Tensor *entries, int axis, gt_Reduction reduction,
                                 gt_Tensor *weight)
{
    const int rank = gt_rank(entries);
    if (axis == -1 || rank < 0)
        return gt_loss_reduced_entries(entries, reduction, weight);
    if (gt_axis(axis, rank) < 0)
        return NULL;
    return gt_loss_reduced(gt_mean(entries, .axis = axis), reduction, weight, NULL);
}

/* The same for squares of entries. */
static gt_Tensor *reduced_squares(gt_Tensor *entries, gt_Reduction reduction, gt_Tensor *weight)
{
    if ((reduction == GT_REDUCTION_MEAN || reduction == GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT) &&
        !weight)
        return GT_SQUARES(entries, .mean = true);
    entries =
        gt_rank(entries) > 0 ? GT_SQUARES(entries, .axis = -1, .mean = true) : gt_square(entries);
    return gt_loss_reduced(entries, reduction, weight, NULL);
}

/* ---- the losses ---- */

static gt_Tensor *mean_squared_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                     const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    return reduced_squares(gt_subtract(y_pred, t), options->reduction, options->sample_weight);
}
GT_LOSS(mean_squared_error, gt_mean_squared_error_options)

static gt_Tensor *mean_absolute_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                      const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    return gt_loss_reduced_entries(gt_abs(gt_subtract(y_pred, t)), options->reduction,
                                   options->sample_weight);
}
GT_LOSS(mean_absolute_error, gt_mean_squared_error_options)

static gt_Tensor *mean_absolute_percentage_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                                 const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *size = gt_maximum(gt_abs(t), GT_LOSS_EPSILON);
    gt_Tensor *entries = gt_multiply(gt_abs(gt_divide(gt_subtract(y_pred, t), size)), 100);
    return gt_loss_reduced_entries(entries, options->reduction, options->sample_weight);
}
GT_LOSS(mean_absolute_percentage_error, gt_mean_squared_error_options)

static gt_Tensor *mean_squared_logarithmic_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                                 const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *logs = gt_subtract(gt_log1p(gt_maximum(y_pred, GT_LOSS_EPSILON)),
                                  gt_log1p(gt_maximum(t, GT_LOSS_EPSILON)));
    return reduced_squares(logs, options->reduction, options->sample_weight);
}
GT_LOSS(mean_squared_logarithmic_error, gt_mean_squared_error_options)

/* e + softplus(-2 e) - log 2: no overflow, and smooth at 0 in every order. */
static gt_Tensor *log_cosh(gt_Tensor *y_true, gt_Tensor *y_pred,
                           const gt_mean_squared_error_options *options)
{
    gt_Tensor *e = gt_subtract(y_pred, gt_loss_targets(y_true, y_pred));
    gt_Tensor *entries = gt_subtract(gt_add(e, gt_softplus(gt_multiply(e, -2))), log(2));
    return gt_loss_reduced_entries(entries, options->reduction, options->sample_weight);
}
GT_LOSS(log_cosh, gt_mean_squared_error_options)

/* With q = e kept within [-delta, delta]: q (e - q / 2), without |e|, whose second derivative at 0
 * would be lost. */
static gt_Tensor *huber(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_huber_options *options)
{
    if (!(options->delta > 0)) {
        gt_fail(GT_INVALID, "delta must be > 0 (got %g)", options->delta);
        return NULL;
    }
    gt_Tensor *e = gt_subtract(y_pred, gt_loss_targets(y_true, y_pred));
    gt_Tensor *inner = gt_clip(e, -options->delta, options->delta);
    gt_Tensor *entries = gt_multiply(inner, gt_subtract(e, gt_multiply(inner, 0.5)));
    return gt_loss_reduced_entries(entries, options->reduction, options->sample_weight);
}
GT_LOSS(huber, gt_huber_options)

/* max(1 - t p, 0), with labels of zeros and ones made -1 and 1 first, as Keras does. */
static gt_Tensor *margin(gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *binary = gt_all(gt_logical_or(gt_equal(t, 0), gt_equal(t, 1)));
    t = gt_where(binary, gt_subtract(gt_multiply(t, 2), 1), t);
    return gt_relu(gt_add(gt_negative(gt_multiply(t, y_pred)), 1));
}

static gt_Tensor *hinge(gt_Tensor *y_true, gt_Tensor *y_pred,
                        const gt_mean_squared_error_options *options)
{
    return gt_loss_reduced_entries(margin(y_true, y_pred), options->reduction,
                                   options->sample_weight);
}
GT_LOSS(hinge, gt_mean_squared_error_options)

static gt_Tensor *squared_hinge(gt_Tensor *y_true, gt_Tensor *y_pred,
                                const gt_mean_squared_error_options *options)
{
    return reduced_squares(margin(y_true, y_pred), options->reduction, options->sample_weight);
}
GT_LOSS(squared_hinge, gt_mean_squared_error_options)

static gt_Tensor *categorical_hinge(gt_Tensor *y_true, gt_Tensor *y_pred,
                                    const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *right = gt_sum(gt_multiply(t, y_pred), .axis = -1);
    gt_Tensor *wrong = gt_max(gt_multiply(gt_add(gt_negative(t), 1), y_pred), .axis = -1);
    gt_Tensor *losses = gt_relu(gt_add(gt_subtract(wrong, right), 1));
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(categorical_hinge, gt_mean_squared_error_options)

static gt_Tensor *kl_divergence(gt_Tensor *y_true, gt_Tensor *y_pred,
                                const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_clip(gt_loss_targets(y_true, y_pred), GT_LOSS_EPSILON, 1);
    gt_Tensor *p = gt_clip(gt_probabilities(y_pred, GT_SCORES_WITHOUT_LOGITS), GT_LOSS_EPSILON, 1);
    gt_Tensor *losses = gt_sum(gt_multiply(t, gt_log(gt_divide(t, p))), .axis = -1);
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(kl_divergence, gt_mean_squared_error_options)

static gt_Tensor *poisson(gt_Tensor *y_true, gt_Tensor *y_pred,
                          const gt_mean_squared_error_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *entries =
        gt_subtract(y_pred, gt_multiply(t, gt_log(gt_add(y_pred, GT_LOSS_EPSILON))));
    return gt_loss_reduced_entries(entries, options->reduction, options->sample_weight);
}
GT_LOSS(poisson, gt_mean_squared_error_options)

static gt_Tensor *cosine_similarity(gt_Tensor *y_true, gt_Tensor *y_pred,
                                    const gt_cosine_similarity_options *options)
{
    gt_Tensor *t = gt_normalize(gt_loss_targets(y_true, y_pred), .axis = options->axis,
                                .epsilon = GT_LOSS_EPSILON);
    gt_Tensor *p = gt_normalize(y_pred, .axis = options->axis, .epsilon = GT_LOSS_EPSILON);
    gt_Tensor *losses = gt_negative(gt_sum(gt_multiply(t, p), .axis = options->axis));
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(cosine_similarity, gt_cosine_similarity_options)

/* Probabilities over one class are 1 whatever the scores are, and nothing is learned. Keras warns of it, too. */
static void warn_of_one_class(const char *loss, const gt_Tensor *y_pred, int axis)
{
    gt_Context *context = gt_enter();
    const gt_Spec *spec = context ? gt_tensor_spec(y_pred) : NULL;
    if (spec && axis >= 0 && axis < spec->rank && spec->dims[axis] == 1)
        gt_warn(context, NULL, loss,
                "y_pred has one class, whose probability is always 1: for a yes or no end the "
                "model with "
                "gt_sigmoid, and compare with gt_binary_crossentropy");
}

static gt_Tensor *binary_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                      const gt_binary_crossentropy_options *options)
{
    gt_Tensor *t = gt_loss_smoothed(gt_loss_targets(y_true, y_pred), options->label_smoothing,
                                    gt_operand(options->label_smoothing / 2));
    gt_Tensor *x = gt_logits_of(y_pred, options->from_logits, &gt_op_sigmoid, 0), *entries;
    if (t && gt_origin_operation(y_pred) == &gt_op_softmax)
        warn_of_one_class("binary_crossentropy", y_pred, gt_rank(y_pred) - 1);
    if (x) {
        entries = gt_sigmoid_crossentropy(t, x);
    } else {
        gt_Tensor *p = gt_clip(gt_probabilities(y_pred, GT_SCORES_OF_SIGMOID), GT_LOSS_EPSILON,
                               1 - GT_LOSS_EPSILON);
        gt_Tensor *not_t = gt_add(gt_negative(t), 1);
        gt_Tensor *yes = gt_multiply(t, gt_log(p));
        gt_Tensor *no = gt_multiply(not_t, gt_log1p(gt_negative(p)));
        entries = gt_negative(gt_add(yes, no));
    }
    return gt_loss_reduced_along(entries, options->axis, options->reduction,
                                 options->sample_weight);
}
GT_LOSS(binary_crossentropy, gt_binary_crossentropy_options)

/* Are the labels integers that name classes, one for each row of y_pred? Raises the error that says
 * so. */
bool gt_loss_names_classes(const gt_Tensor *y_true, const gt_Tensor *y_pred)
{
    const gt_Spec *predicted = predictions(y_pred);
    const gt_Spec *labels = predicted ? spec_of(y_true, "y_true") : NULL;
    char a[160], b[160];
    if (!labels || !gt_dtype_is_integer(labels->dtype) || predicted->size == 0 ||
        predicted->rank == 0 ||
        labels->size != predicted->size / predicted->dims[predicted->rank - 1] ||
        labels->size == predicted->size)
        return false;
    gt_fail(
        GT_INVALID,
        "y_true and y_pred must have the same shape (got %s and %s): gt_one_hot class numbers, or "
        "give them to gt_sparse_categorical_crossentropy",
        gt_dims_text(labels, a, sizeof a),
        gt_dims_text(predicted, b, sizeof b));
    return true;
}

static gt_Tensor *categorical_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                           const gt_categorical_crossentropy_options *options)
{
    gt_Tensor *t = gt_loss_names_classes(y_true, y_pred) ? NULL : gt_loss_targets(y_true, y_pred);
    if (!t)
        return NULL;
    gt_Shape shape = gt_tensor_shape(y_pred);
    int axis = gt_axis(options->axis, shape.rank), last = shape.rank - 1;
    if (axis < 0)
        return NULL;
    warn_of_one_class("categorical_crossentropy", y_pred, axis);
    if (options->label_smoothing != 0)
        t = gt_loss_smoothed(t, options->label_smoothing,
                             gt_operand(gt_loss_share(t, options->label_smoothing, axis)));
    gt_Tensor *x = gt_logits_of(y_pred, options->from_logits, &gt_op_softmax, axis);
    gt_Tensor *losses;
    if (x) {
        if (axis != last) {
            t = gt_moveaxis(t, axis, last);
            x = gt_moveaxis(x, axis, last);
        }
        losses = gt_softmax_crossentropy(t, x);
    } else {
        gt_Tensor *p = gt_probabilities(y_pred, GT_SCORES_OF_SOFTMAX);
        p = gt_divide(p, gt_sum(p, .axis = axis, .keepdims = true));
        gt_Tensor *log_p = gt_log(gt_clip(p, GT_LOSS_EPSILON, 1 - GT_LOSS_EPSILON));
        losses = gt_negative(gt_sum(gt_multiply(t, log_p), .axis = axis));
    }
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(categorical_crossentropy, gt_categorical_crossentropy_options)

/* Labels of the shape of y_pred without its last axis; (..., 1) is taken, too. */
gt_Tensor *gt_loss_labels(gt_Tensor *y_true, const gt_Tensor *y_pred)
{
    const gt_Spec *predicted = predictions(y_pred);
    const gt_Spec *labels = predicted ? spec_of(y_true, "y_true") : NULL;
    char a[160], b[160];
    if (!labels)
        return NULL;
    if (!gt_dtype_is_integer(labels->dtype)) {
        bool shares = gt_dims_equal(labels, predicted);
        gt_fail(GT_INVALID, "y_true must be integers (got %s %s): %s", gt_dtype_name(labels->dtype),
                gt_dims_text(labels, a, sizeof a),
                shares ? "one-hot labels are for categorical_crossentropy" : "gt_cast it");
        return NULL;
    }
    if (predicted->rank == 0) {
        gt_fail(GT_INVALID, "y_pred must have an axis of classes (got a scalar)");
        return NULL;
    }
    gt_Shape shape = gt_spec_shape(labels), rows = gt_spec_shape(predicted);
    rows.rank--;
    if (shape.rank == rows.rank + 1 && shape.dims[rows.rank] == 1)
        shape.rank--;
    if (!gt_shape_equal(shape, rows)) {
        gt_fail(GT_INVALID, "labels for y_pred %s must be %s (got %s)",
                gt_dims_text(predicted, b, sizeof b),
                gt_shape_text(rows, (char[160]){0}, 160),
                gt_dims_text(labels, a, sizeof a));
        return NULL;
    }
    return labels->rank == rows.rank ? y_true : gt_squeeze(y_true, .axis = -1);
}

/* Probabilities become logits by their logarithm, as TensorFlow does. */
static gt_Tensor *
sparse_categorical_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                const gt_sparse_categorical_crossentropy_options *options)
{
    gt_Tensor *labels = gt_loss_labels(y_true, y_pred), *count = NULL;
    gt_Tensor *weight = options->sample_weight;
    if (!labels)
        return NULL;
    warn_of_one_class("sparse_categorical_crossentropy", y_pred, gt_rank(y_pred) - 1);
    if (options->ignore_class != GT_NONE) {
        labels = gt_cast(labels, GT_INT64);
        gt_Tensor *kept =
            gt_cast(gt_not_equal(labels, (double)options->ignore_class), gt_dtype(y_pred));
        if (weight && options->reduction == GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT)
            weight = gt_multiply(weights(weight, kept), kept);
        else
            count = gt_sum(kept);
    }
    gt_Tensor *x = gt_logits_of(y_pred, options->from_logits, &gt_op_softmax, gt_rank(y_pred) - 1);
    if (!x)
        x = gt_log(gt_clip(gt_probabilities(y_pred, GT_SCORES_OF_SOFTMAX), GT_LOSS_EPSILON,
                           1 - GT_LOSS_EPSILON));
    gt_Tensor *losses = gt_sparse_softmax_crossentropy(labels, x, options->ignore_class);
    return gt_loss_reduced(losses, options->reduction, weight, count);
}
GT_LOSS(sparse_categorical_crossentropy, gt_sparse_categorical_crossentropy_options)
