/* Searching and counting: searchsorted, digitize, isin, bincount, histogram. Leans on kernels/orders.h, scatter.c. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_searchsorted_options, gt_searchsorted_OPTIONS);
GT_OPTION_TYPE(gt_bincount_options, gt_bincount_OPTIONS);
GT_OPTION_TYPE(gt_histogram_options, gt_histogram_OPTIONS);

/* ---- searching ---- */

static gt_Status searchsorted_shape(gt_ShapeRule *rule)
{
    const gt_Spec *sorted_spec = rule->input[0], *values = rule->input[1];
    char text[160];
    if (!gt_takes(sorted_spec, GT_TAKES_ANY))
        return gt_status();
    if (sorted_spec->rank != 1)
        return gt_fail(GT_INVALID, "expected a sorted vector (got shape %s)",
                       gt_dims_text(sorted_spec, text, sizeof text));
    if (sorted_spec->dtype != values->dtype)
        return gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them",
                       gt_dtype_name(sorted_spec->dtype), gt_dtype_name(values->dtype));
    if (sorted_spec->size > INT32_MAX)
        return gt_fail(GT_INVALID, "the vector is longer than an int32 can count");
    rule->output[0] = *values;
    rule->output[0].dtype = GT_INT32;
    return GT_OK;
}

static void searchsorted_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_searchsorted_options *options = rule->options;
    int64_t size = rule->output[0].size;
    int64_t tiles = (size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
    gt_SearchJob *job = gt_lower_launch(lowering, GT_TILES_search, tiles, sizeof *job);
    job->loop = (uint8_t)gt_loop_type(rule->input[0]->dtype);
    job->right = options->right;
    job->n = rule->input[0]->size;
    job->size = size;
}

/* The mask of the values. Any element of the sorted vector counts for all of them. */
static gt_Status searchsorted_mask(gt_MaskRule *rule)
{
    if (rule->input[0])
        return gt_mask_refuse(rule, 0, 0);
    return gt_mask_join(rule, 0, rule->input[1]);
}

const gt_Operation gt_op_searchsorted = {
    GT_RECORD("searchsorted", "where x would go into a sorted vector", 2, 2),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is an integer",
    .options = &gt_searchsorted_options_type,
    .shape = searchsorted_shape,
    .lower = searchsorted_lower,
    .mask = searchsorted_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_REAL(-1, 1, 2), GT_ANY(2, 3))}),
};

static gt_Tensor *searchsorted(gt_Tensor *row, gt_Tensor *values,
                               const gt_searchsorted_options *options)
{
    gt_Tensor *pair[2];
    if (!gt_operands(NULL, &gt_op_searchsorted, row, gt_operand_tensor(values), pair))
        return NULL;
    return gt_apply_one_at(NULL, &gt_op_searchsorted, options, 2, pair);
}
GT_COMPOSED(searchsorted,
            (const char *here, gt_Tensor *row, gt_Tensor *values,
             const gt_searchsorted_options *options),
            (row, values, options))

static gt_Tensor *digitize(gt_Tensor *x, gt_Tensor *bins, const gt_searchsorted_options *given)
{
    gt_searchsorted_options options;
    GT_TAKE(gt_searchsorted_options, &options, given);
    options.right = !options.right;
    return searchsorted(bins, x, &options);
}
GT_COMPOSED(digitize,
            (const char *here, gt_Tensor *x, gt_Tensor *bins,
             const gt_searchsorted_options *options),
            (x, bins, options))

static gt_Tensor *isin(gt_Tensor *x, gt_Tensor *test)
{
    return gt_any(gt_equal(gt_expand_dims(x, -1), gt_ravel(test)), .axis = -1);
}
GT_COMPOSED(isin, (const char *here, gt_Tensor *x, gt_Tensor *test), (x, test))

/* ---- counting ---- */

static gt_Tensor *bincount(gt_Tensor *x, const gt_bincount_options *given)
{
    gt_bincount_options options;
    GT_TAKE(gt_bincount_options, &options, given);
    gt_Spec in = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (!gt_dtype_is_integer(in.dtype)) {
        gt_fail(GT_INVALID, "expected integers (got %s)", gt_dtype_name(in.dtype));
        return NULL;
    }
    if (options.length == GT_INHERIT) {
        double most = in.size ? gt_item(gt_max(x)) : -1;
        if (gt_status() != GT_OK)
            return NULL;
        options.length = most > 0  ? (int64_t)most + 1
                         : in.size ? 1
                                   : 0; /* all negative: that is said below */
    }
    if (options.length < 0) {
        gt_fail(GT_INVALID, "length must not be negative (got %lld)", (long long)options.length);
        return NULL;
    }
    gt_Tensor *weights = options.weights;
    if (!weights)
        weights = gt_ones_like(x, .dtype = GT_INT32);
    return gt_scatter_count(gt_ravel(x), gt_ravel(weights), options.length);
}
GT_COMPOSED(bincount, (const char *here, gt_Tensor *x, const gt_bincount_options *options),
            (x, options))

static gt_Histogram histogram(gt_Tensor *x, const gt_histogram_options *given)
{
    gt_histogram_options options;
    GT_TAKE(gt_histogram_options, &options, given);
    gt_Histogram result = {NULL, NULL};
    x = gt_ravel(gt_as_float(x));
    gt_Spec in = gt_spec(x);
    if (gt_status() != GT_OK)
        return result;
    bool found = options.low == options.high;
    if (options.bins < 1 || options.bins > INT32_MAX || !(options.low <= options.high) ||
        (found && in.size == 0)) {
        gt_fail(GT_INVALID, "%lld bins from %g to %g are not possible for %lld numbers",
                (long long)options.bins, options.low, options.high, (long long)in.size);
        return result;
    }
    gt_Tensor *low = found ? gt_min(x) : gt_scalar(options.low, in.dtype);
    gt_Tensor *high = found ? gt_max(x) : gt_scalar(options.high, in.dtype);
    if (found) { /* all equal: half a unit on each side */
        gt_Tensor *widen = gt_cast(gt_equal(low, high), in.dtype);
        low = gt_subtract(low, gt_multiply(widen, 0.5));
        high = gt_add(high, gt_multiply(widen, 0.5));
    }
    gt_Tensor *steps = gt_arange(0, (double)options.bins, 1, .dtype = in.dtype);
    gt_Tensor *width = gt_divide(gt_subtract(high, low), (double)options.bins);
    gt_Tensor *edges = gt_add(low, gt_multiply(width, steps));
    edges = gt_concatenate(gt_tensors(edges, gt_reshape(high, gt_shape(1))));
    gt_Tensor *bin = gt_subtract(gt_searchsorted(edges, x, .right = true), 1);
    gt_Tensor *inside = gt_logical_and(gt_greater_equal(x, low), gt_less_equal(x, high));
    bin = gt_maximum(gt_minimum(bin, (double)(options.bins - 1)), 0);
    result.counts = gt_scatter_add(bin, gt_cast(inside, GT_INT32), gt_shape(options.bins));
    result.edges = gt_status() == GT_OK ? edges : NULL;
    return result;
}
GT_COMPOSED_BY(gt_Histogram, histogram, histogram,
               (const char *here, gt_Tensor *x, const gt_histogram_options *options), (x, options))
