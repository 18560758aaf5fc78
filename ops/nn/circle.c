/* The circle loss: log-sums of weighted cosines between all pairs of a batch. Formulas are Keras's. */
#include "ops/nn/circle.h"
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
#include "ops/linalg/matmul.h"
#include "ops/nn/activation.h"
#include "ops/nn/loss_inside.h"

#include <math.h>

GT_OPTION_TYPE(gt_circle_options, gt_circle_OPTIONS);

static gt_Status check(gt_Tensor *y_true, gt_Tensor *y_pred)
{
    char a[160], b[160];
    const gt_Spec labels = gt_spec(y_true), predicted = gt_spec(y_pred);
    if (gt_status() != GT_OK)
        return gt_status();
    if (!gt_dtype_is_integer(labels.dtype) || labels.rank != 1 ||
        !gt_dtype_is_float(predicted.dtype) || predicted.rank != 2 ||
        predicted.dims[0] != labels.dims[0])
        return gt_fail(
            GT_INVALID,
            "y_true must be integers (batch) and y_pred floats (batch, features) (got %s and %s)",
            gt_spec_text(&labels, a, sizeof a), gt_spec_text(&predicted, b, sizeof b));
    return GT_OK;
}

/* log sum exp(x) over the pairs that count, -inf where none does. */
static gt_Tensor *log_sum(gt_Tensor *x, gt_Tensor *pairs)
{
    gt_Tensor *none = gt_multiply(gt_ones_like(x), (double)-INFINITY);
    return gt_logsumexp(gt_where(pairs, x, none), .axis = 1);
}

static gt_Tensor *circle(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_circle_options *options)
{
    if (check(y_true, y_pred) != GT_OK)
        return NULL;
    const double margin = options->margin;
    gt_Tensor *distance = gt_add(gt_negative(gt_matmul(y_pred, y_pred, .transpose_b = true)), 1);
    distance = gt_maximum(distance, 0);
    gt_Tensor *same = gt_equal(gt_expand_dims(y_true, 1), gt_expand_dims(y_true, 0));
    gt_Tensor *other = gt_logical_not(same);
    if (options->remove_diagonal) {
        gt_Tensor *count = gt_cumsum(gt_ones_like(y_true));
        gt_Tensor *self = gt_equal(gt_expand_dims(count, 1), gt_expand_dims(count, 0));
        same = gt_logical_and(same, gt_logical_not(self));
    }
    gt_Tensor *near = gt_multiply(gt_relu(gt_add(distance, margin)), gt_subtract(distance, margin));
    gt_Tensor *far = gt_multiply(gt_relu(gt_add(gt_negative(distance), 1 + margin)),
                                 gt_add(gt_negative(distance), 1 - margin));
    gt_Tensor *sum = gt_add(log_sum(gt_multiply(near, options->gamma), same),
                            log_sum(gt_multiply(far, options->gamma), other));
    gt_Tensor *losses = gt_softplus(sum);
    gt_Tensor *count = gt_sum(gt_cast(gt_greater(losses, 0), gt_dtype(losses)));
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, count);
}
GT_LOSS(circle, gt_circle_options)
