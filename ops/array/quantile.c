/* Quantiles: quantile, percentile, median. Leans on sorting.c. */
#include "ops/array/cast.h"
#include "ops/array/get_item.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"
#include "ops/array/order.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_quantile_options, gt_quantile_OPTIONS);

/* x with the axes of `bits` flattened to one, the last, and sorted along it. */
static gt_Tensor *sorted_over(gt_Tensor *x, int rank, uint32_t bits)
{
    gt_Axes perm = gt_reduced_last(rank, bits);
    int kept = 0;
    bool moved = false;
    for (int d = 0; d < rank; d++) {
        kept += !(bits >> d & 1);
        moved |= perm.axis[d] != d;
    }
    x = gt_merge_axes(moved ? gt_transpose(x, .perm = perm) : x, kept, rank - kept);
    return gt_sorted_rows(x, false, GT_INHERIT).values;
}

/* The place from which a quantile is taken, by its method. Only the linear one has a slope in q. */
static gt_Tensor *place_taken(gt_Tensor *at, gt_QuantileMethod method)
{
    switch (method) {
    case GT_QUANTILE_METHOD_LINEAR:
        return at;
    case GT_QUANTILE_METHOD_LOWER:
        return gt_stop_gradient(gt_floor(at));
    case GT_QUANTILE_METHOD_HIGHER:
        return gt_stop_gradient(gt_ceil(at));
    case GT_QUANTILE_METHOD_MIDPOINT:
        return gt_stop_gradient(gt_multiply(gt_add(gt_floor(at), gt_ceil(at)), 0.5));
    case GT_QUANTILE_METHOD_NEAREST:
        return gt_stop_gradient(gt_round(at));
    default:
        gt_fail(GT_INVALID, "unknown method of quantiles %d", (int)method);
        return NULL;
    }
}

/* Between element floor(p) of each sorted row and the next, for p = q (n - 1). All that depends on n is read from the row, so
 * that a traced call fits any length; a row of one element has no next one, and gives its element as it is. */
static gt_Tensor *interpolated(gt_Tensor *row, gt_Tensor *q, gt_QuantileMethod method)
{
    gt_DType dtype = gt_dtype(row);
    gt_Tensor *at = gt_multiply(gt_cast(q, dtype), gt_extent(row, gt_axes(-1), -1, dtype));
    at = place_taken(at, method);
    gt_Tensor *most = gt_extent_within(row, gt_axes(-1), -2, 0, INT64_MAX, dtype);
    gt_Tensor *lower = gt_minimum(gt_maximum(gt_floor(at), 0), most);
    gt_Tensor *index = gt_cast(lower, GT_INT64);
    gt_Tensor *step = gt_extent_within(row, gt_axes(-1), -1, 0, 1, GT_INT64);
    gt_Tensor *several = gt_extent_within(row, gt_axes(-1), -1, 0, 1, GT_BOOL);
    gt_Tensor *a = gt_take(row, index, .axis = -1);
    gt_Tensor *b = gt_take(row, gt_add(index, step), .axis = -1);
    gt_Tensor *t = gt_subtract(at, gt_stop_gradient(lower));
    gt_Tensor *way = gt_where(several, gt_subtract(b, a), 0);
    return gt_where(several, gt_add(a, gt_multiply(way, t)), a);
}

/* The last number of a sorted row is NaN if any is, and so is the result then. */
static gt_Tensor *quantile(gt_Tensor *x, gt_Tensor *q, const gt_quantile_options *given)
{
    gt_quantile_options options;
    GT_TAKE(gt_quantile_options, &options, given);
    x = gt_as_float(x);
    gt_Spec in = gt_spec(x), asked = gt_spec(q);
    uint32_t bits;
    char text[160];
    if (gt_status() != GT_OK || !gt_axis_or_axes(options.axis, &options.axes, in.rank, &bits))
        return NULL;
    if (asked.rank > 1) {
        gt_fail(GT_INVALID, "q must be a number or a vector (got shape %s)",
                gt_dims_text(&asked, text, sizeof text));
        return NULL;
    }
    if (gt_reduced_count(&in, bits) == 0) {
        gt_fail(GT_INVALID, "cannot take a quantile of an empty axis; the shape is %s",
                gt_dims_text(&in, text, sizeof text));
        return NULL;
    }
    gt_Tensor *row = sorted_over(x, in.rank, bits);
    gt_Tensor *result = interpolated(row, q, options.method);
    gt_Tensor *last = gt_range_of(row, -1, -1, GT_ABSENT);
    if (asked.rank == 0)
        last = gt_squeeze(last, .axis = -1);
    result = gt_where(gt_isnan(last), last, result);
    if (asked.rank == 1)
        result = gt_moveaxis(result, -1, 0);
    for (int d = 0; options.keepdims && d < in.rank; d++)
        if (bits >> d & 1)
            result = gt_expand_dims(result, d + asked.rank);
    return result;
}

/* q as a tensor of the floats that x gives. */
static gt_Tensor *fraction(gt_Tensor *x, gt_Operand q)
{
    gt_DType dtype = gt_dtype(x);
    return gt_operand_is_number(q) ? gt_scalar(q.number, gt_dtype_is_float(dtype) ? dtype : GT_FLOAT32)
                       : gt_as_float(q.tensor);
}
GT_COMPOSED(quantile,
            (const char *here, gt_Tensor *x, gt_Operand q, const gt_quantile_options *options),
            (x, fraction(x, q), options))

static gt_Tensor *percentile(gt_Tensor *x, gt_Operand q, const gt_quantile_options *options)
{
    return quantile(x, gt_divide(fraction(x, q), 100), options);
}
GT_COMPOSED(percentile,
            (const char *here, gt_Tensor *x, gt_Operand q, const gt_quantile_options *options),
            (x, q, options))

static gt_Tensor *median(gt_Tensor *x, const gt_quantile_options *options)
{
    return gt_quantile_at(NULL, x, gt_operand_number(0.5), options);
}
GT_COMPOSED_OPTIONS(median, median, gt_quantile_options)
