/* Functions of a whole tensor or an axis that are made of reductions: variance, counts, those that pass over NaN, weighted
 * means, differences, integrals. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduction.h"

#include <math.h>

GT_OPTION_TYPE(gt_sum_options, gt_sum_OPTIONS);

/* x without its mean. */
static gt_Tensor *centered(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    gt_sum_options kept;
    GT_TAKE(gt_sum_options, &kept, options);
    kept.keepdims = true;
    return gt_subtract(x, gt_mean_at(NULL, x, &kept));
}

static gt_Tensor *variance(gt_Tensor *x, const gt_sum_options *given)
{
    gt_sum_options options;
    GT_TAKE(gt_sum_options, &options, given);
    return GT_SQUARES(centered(x, given), .axis = options.axis, .axes = options.axes,
                      .keepdims = options.keepdims, .mean = true);
}
GT_COMPOSED_REDUCTION(variance)

static gt_Tensor *std(gt_Tensor *x, const gt_sum_options *given)
{
    gt_sum_options options;
    GT_TAKE(gt_sum_options, &options, given);
    return GT_LENGTH(centered(x, given), .axis = options.axis, .axes = options.axes,
                     .keepdims = options.keepdims, .mean = true);
}
GT_COMPOSED_REDUCTION(std)

static gt_Tensor *count_nonzero(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_sum_at(NULL, gt_reduction_truth(NULL, "count_nonzero", x), options);
}
GT_COMPOSED_REDUCTION(count_nonzero)

/* ---- without NaN ---- */

/* x with that number in place of NaN. */
static gt_Tensor *filled(gt_Tensor *x, double number)
{
    return gt_where(gt_isnan(x), gt_scalar(number, gt_dtype(x)), x);
}

static gt_Tensor *nansum(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_sum_at(NULL, filled(gt_as_float(x), 0), options);
}
GT_COMPOSED_REDUCTION(nansum)

/* How many numbers count, in the type of x. */
static gt_Tensor *count_numbers(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_sum_at(NULL, gt_cast(gt_logical_not(gt_isnan(x)), gt_dtype(x)), options);
}

static gt_Tensor *nanmean(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    return gt_divide(gt_sum_at(NULL, filled(x, 0), options), count_numbers(x, options));
}
GT_COMPOSED_REDUCTION(nanmean)

static gt_Tensor *with_nan(gt_Tensor *result, gt_Tensor *counts)
{
    return gt_where(gt_equal(counts, 0), gt_scalar((double)NAN, gt_dtype(result)), result);
}

static gt_Tensor *extreme(const gt_Operation *operation, gt_Tensor *x, const gt_sum_options *given)
{
    gt_sum_options options;
    GT_TAKE(gt_sum_options, &options, given);
    gt_max_options over =
        GT_VALUES(gt_max_options, options.axis, options.axes, options.keepdims, (double)NAN);
    return gt_apply_one_at(NULL, operation, &over, 1, &x);
}

static gt_Tensor *nanmax(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    gt_Tensor *numbers = filled(x, (double)-INFINITY);
    return with_nan(extreme(&gt_op_max, numbers, options), count_numbers(x, options));
}
GT_COMPOSED_REDUCTION(nanmax)

static gt_Tensor *nanmin(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    gt_Tensor *numbers = filled(x, (double)INFINITY);
    return with_nan(extreme(&gt_op_min, numbers, options), count_numbers(x, options));
}
GT_COMPOSED_REDUCTION(nanmin)

static gt_Tensor *ptp(gt_Tensor *x, const gt_sum_options *options)
{
    gt_Tensor *largest = extreme(&gt_op_max, x, options);
    return gt_subtract(largest, extreme(&gt_op_min, x, options));
}
GT_COMPOSED_REDUCTION(ptp)

/* ---- weights, differences, integrals ---- */

GT_OPTION_TYPE(gt_average_options, gt_average_OPTIONS);
GT_OPTION_TYPE(gt_diff_options, gt_diff_OPTIONS);
GT_OPTION_TYPE(gt_trapezoid_options, gt_trapezoid_OPTIONS);

/* A vector along an axis, in a shape that broadcasts to tensors of that rank. */
static gt_Tensor *laid_along(gt_Tensor *vector, int rank, int axis)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = rank};
    axis = gt_axis(axis, rank);
    for (int d = 0; d < rank; d++)
        shape.dims[d] = d == axis ? -1 : 1;
    return axis < 0 ? NULL : gt_reshape(vector, shape);
}

static bool weights_fit(gt_Shape weights, gt_Shape x)
{
    char a[160], b[160];
    bool fit = weights.rank <= x.rank;
    for (int d = 1; fit && d <= weights.rank; d++)
        fit = weights.dims[weights.rank - d] == 1 ||
              weights.dims[weights.rank - d] == x.dims[x.rank - d];
    if (!fit && gt_status() == GT_OK)
        gt_fail(GT_INVALID, "weights %s do not broadcast to x %s",
                gt_shape_text(weights, a, sizeof a), gt_shape_text(x, b, sizeof b));
    return fit;
}

static gt_Tensor *average(gt_Tensor *x, const gt_average_options *given)
{
    gt_average_options options;
    GT_TAKE(gt_average_options, &options, given);
    gt_Tensor *weights = options.weights;
    if (!weights)
        return gt_mean(x, .axis = options.axis);
    x = gt_as_float(x);
    weights = gt_as_float(weights);
    int rank = gt_rank(x);
    if (gt_rank(weights) == 1 && rank > 1 && options.axis != GT_NONE)
        weights = laid_along(weights, rank, options.axis);
    if (!weights_fit(gt_tensor_shape(weights), gt_tensor_shape(x)))
        return NULL;
    weights = gt_multiply(weights, gt_ones_like(x));
    return gt_divide(gt_sum(gt_multiply(x, weights), .axis = options.axis),
                     gt_sum(weights, .axis = options.axis));
}
GT_COMPOSED_OPTIONS(average, average, gt_average_options)

/* Each element and the one before it along an axis: their difference, or their sum. */
static gt_Tensor *neighbours(gt_Tensor *x, int axis, bool differ)
{
    gt_Tensor *later = gt_item_along(x, axis, "1:"), *before = gt_item_along(x, axis, ":-1");
    return differ ? gt_subtract(later, before) : gt_add(later, before);
}

static gt_Tensor *diff(gt_Tensor *x, const gt_diff_options *given)
{
    gt_diff_options options;
    GT_TAKE(gt_diff_options, &options, given);
    if (gt_axis(options.axis, gt_rank(x)) < 0)
        return NULL;
    if (options.n < 0) {
        gt_fail(GT_INVALID, "n must be >= 0 (got %d)", options.n);
        return NULL;
    }
    for (int i = 0; i < options.n && gt_status() == GT_OK; i++)
        x = neighbours(x, options.axis, true);
    return x;
}
GT_COMPOSED_OPTIONS(diff, diff, gt_diff_options)

static gt_Tensor *trapezoid(gt_Tensor *y, const gt_trapezoid_options *given)
{
    gt_trapezoid_options options;
    GT_TAKE(gt_trapezoid_options, &options, given);
    int axis = options.axis, rank = gt_rank(y);
    if (gt_axis(axis, rank) < 0)
        return NULL;
    gt_Tensor *twice = neighbours(y, axis, false);
    if (!options.x)
        return gt_multiply(gt_sum(twice, .axis = axis), options.dx / 2);
    gt_Tensor *width = gt_rank(options.x) == 1 ? laid_along(gt_diff(options.x), rank, axis)
                                               : gt_diff(options.x, .axis = axis);
    return gt_multiply(gt_sum(gt_multiply(twice, width), .axis = axis), 0.5);
}
GT_COMPOSED_OPTIONS(trapezoid, trapezoid, gt_trapezoid_options)
