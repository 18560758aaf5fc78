/* Order: records, kernels and compositions of ops/array/sorting.h. */
#include "ops/array/sorting.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"

#include <string.h>

GT_OPTION_TYPE(gt_sort_options, gt_sort_OPTIONS);
GT_OPTION_TYPE(gt_quantile_options, gt_quantile_OPTIONS);
GT_OPTION_TYPE(gt_searchsorted_options, gt_searchsorted_OPTIONS);
GT_OPTION_TYPE(gt_bincount_options, gt_bincount_OPTIONS);
GT_OPTION_TYPE(gt_histogram_options, gt_histogram_OPTIONS);

/* ---- sort: rows of the last axis, of which the first `keep` stay ---- */

#define ROW_SORT_OPTIONS(F, S)                                                                     \
    F(S, bool, descending, false, "the largest first")                                             \
    F(S, int64_t, keep, GT_INHERIT, "how many; GT_INHERIT: all")
GT_OPTIONS(RowSortOptions, ROW_SORT_OPTIONS);
GT_OPTION_TYPE(RowSortOptions, ROW_SORT_OPTIONS);

/* A number with its place: what is moved when a row is sorted. */
#define GT_KEYS(F)                                                                                 \
    F(float, f32)                                                                                  \
    F(double, f64)                                                                                 \
    F(int32_t, i32)                                                                                \
    F(int64_t, i64)                                                                                \
    F(uint8_t, u8)

/* Is b to stand before a, though it comes after it? Merges of runs of 1, 2, 4, ... numbers. NaN is
 * the largest. */
#define GT_SORT_ROW(type, suffix)                                                                  \
    typedef struct Key_##suffix {                                                                  \
        type x;                                                                                    \
        int32_t at;                                                                                \
    } Key_##suffix;                                                                                \
    static bool less_##suffix(type a, type b)                                                      \
    {                                                                                              \
        return a < b || (b != b && a == a);                                                        \
    }                                                                                              \
    static void sort_row_##suffix(int64_t n, int64_t keep, bool descending, const void *row,       \
                                  void *values, int32_t *indices, void *scratch)                   \
    {                                                                                              \
        Key_##suffix *from = scratch, *to = from + n;                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            from[i] = (Key_##suffix){((const type *)row)[i], (int32_t)i};                          \
        for (int64_t run = 1; run < n; run *= 2) {                                                 \
            for (int64_t start = 0; start < n; start += 2 * run) {                                 \
                int64_t a = start, middle = start + run < n ? start + run : n;                     \
                int64_t b = middle, end = middle + run < n ? middle + run : n;                     \
                for (int64_t i = start; i < end; i++) {                                            \
                    bool second = b < end;                                                         \
                    if (second && a < middle)                                                      \
                        second = descending ? less_##suffix(from[a].x, from[b].x)                  \
                                            : less_##suffix(from[b].x, from[a].x);                 \
                    to[i] = second ? from[b++] : from[a++];                                        \
                }                                                                                  \
            }                                                                                      \
            Key_##suffix *swap = from;                                                             \
            from = to;                                                                             \
            to = swap;                                                                             \
        }                                                                                          \
        for (int64_t i = 0; i < keep; i++) {                                                       \
            ((type *)values)[i] = from[i].x;                                                       \
            indices[i] = from[i].at;                                                               \
        }                                                                                          \
    }
GT_KEYS(GT_SORT_ROW)

typedef void SortRow(int64_t n, int64_t keep, bool descending, const void *row, void *values,
                     int32_t *indices, void *scratch);

static SortRow *row_sorter(gt_DType dtype)
{
    return dtype == GT_FLOAT32   ? sort_row_f32
           : dtype == GT_FLOAT64 ? sort_row_f64
           : dtype == GT_INT32   ? sort_row_i32
           : dtype == GT_INT64   ? sort_row_i64
                                 : sort_row_u8;
}

static gt_Status sort_shape(gt_ShapeRule *rule)
{
    const RowSortOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    char text[160];
    if (!gt_takes(in, GT_TAKES_ANY))
        return gt_status();
    gt_shape_text(gt_spec_shape(in), text, sizeof text);
    if (in->rank < 1)
        return gt_fail(GT_INVALID, "a scalar has no axis to sort along");
    int64_t n = in->dims[in->rank - 1];
    int64_t keep = options->keep == GT_INHERIT ? n : options->keep;
    if (n > INT32_MAX)
        return gt_fail(GT_INVALID, "the last axis of %s is longer than an int32 can count", text);
    if (keep < 0 || keep > n)
        return gt_fail(GT_INVALID, "there are no %lld largest along the last axis of %s",
                       (long long)keep, text);
    rule->output[0] = rule->output[1] = *in;
    rule->output[0].dims[in->rank - 1] = rule->output[1].dims[in->rank - 1] = keep;
    rule->output[1].dtype = GT_INT32;
    rule->scratch = 2 * (size_t)n * sizeof(Key_f64);
    return GT_OK;
}

/* Tiles are groups of rows. */
typedef struct SortJob {
    SortRow *sorter;
    int64_t rows, n, keep, group;
} SortJob;

static void sort_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    const SortJob *job = argument;
    const RowSortOptions *options = kernel->options;
    size_t element = gt_dtype_size(kernel->input_spec[0]->dtype);
    int64_t end = last * job->group < job->rows ? last * job->group : job->rows;
    for (int64_t row = first * job->group; row < end; row++)
        job->sorter(job->n, job->keep, options->descending,
                    (const char *)kernel->input[0] + (size_t)(row * job->n) * element,
                    (char *)kernel->output[0] + (size_t)(row * job->keep) * element,
                    (int32_t *)kernel->output[1] + row * job->keep, scratch);
}

static gt_Status sort_run(const gt_Kernel *kernel)
{
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    if (out->size == 0)
        return GT_OK;
    SortJob job = {row_sorter(in->dtype), 1, in->dims[in->rank - 1], out->dims[out->rank - 1], 1};
    job.rows = in->size / job.n;
    job.group = job.n < 4096 ? 4096 / job.n : 1;
    return gt_for_tiles(kernel, (job.rows + job.group - 1) / job.group, sort_tiles, &job);
}

static gt_Status sort_gradient(gt_GradientRule *rule)
{
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Tensor *up = gt_upstream(rule, 0);
    if (!up)
        return gt_status();
    return gt_give(
        rule, 0,
        gt_scatter_add_along_axis(gt_rule_output(rule, 1), up, -1, in->dims[in->rank - 1]));
}

const gt_Operation gt_op_sort = {
    .size = sizeof(gt_Operation),
    .name = "sort",
    .formula = "the last axis of x in order, and where its numbers were",
    .flags = GT_OP_LINEAR,
    .options = &RowSortOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .saves_outputs = 2,
    .shape = sort_shape,
    .run = sort_run,
    .gradient = sort_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_APART(2, 5))},
                                   {.inputs = 1,
                                    .input = GT_INPUTS(GT_APART(3, 4)),
                                    .options = &GT_VALUES(RowSortOptions, true, 2)},
                                   GT_SAMPLES_END},
};

static gt_TopK sorted_rows(gt_Tensor *x, bool descending, int64_t keep)
{
    RowSortOptions options = GT_VALUES(RowSortOptions, descending, keep);
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_sort, &options, 1, &x, out);
    return (gt_TopK){out[0], out[1]};
}

/* Sorts along the axis of the options; the one of the results that is asked for. */
static gt_Tensor *sorted(gt_Tensor *x, const gt_sort_options *given, bool places)
{
    gt_sort_options options = GT_TAKE(gt_sort_options, given);
    if (options.axis == GT_NONE) {
        x = gt_ravel(x);
        options.axis = -1;
    }
    int rank = gt_rank(x);
    int axis = gt_status() == GT_OK ? gt_axis(options.axis, rank) : -1;
    if (axis < 0)
        return NULL;
    bool last = axis == rank - 1;
    gt_TopK rows = sorted_rows(last ? x : gt_swapaxes(x, axis, -1), options.descending, GT_INHERIT);
    gt_Tensor *result = places ? rows.indices : rows.values;
    return last ? result : gt_swapaxes(result, axis, -1);
}

static gt_Tensor *sort(gt_Tensor *x, const gt_sort_options *options)
{
    return sorted(x, options, false);
}
GT_COMPOSED_OPTIONS(sort, sort, gt_sort_options)

static gt_Tensor *argsort(gt_Tensor *x, const gt_sort_options *options)
{
    return sorted(x, options, true);
}
GT_COMPOSED_OPTIONS(argsort, argsort, gt_sort_options)

static gt_TopK top_k(gt_Tensor *x, int64_t k)
{
    if (k < 0) {
        gt_fail(GT_INVALID, "there are no %lld largest", (long long)k);
        return (gt_TopK){NULL, NULL};
    }
    return sorted_rows(x, true, k);
}
GT_COMPOSED_BY(gt_TopK, top_k, top_k, (const char *here, gt_Tensor *x, int64_t k), (x, k))

static gt_Tensor *in_top_k(gt_Tensor *targets, gt_Tensor *predictions, int64_t k)
{
    gt_Spec t = gt_spec(targets), p = gt_spec(predictions);
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (t.rank != 1 || p.rank != 2 || t.dims[0] != p.dims[0]) {
        gt_fail(GT_INVALID, "it takes targets (n) and predictions (n, classes), not %s and %s",
                gt_shape_text(gt_spec_shape(&t), a, sizeof a),
                gt_shape_text(gt_spec_shape(&p), b, sizeof b));
        return NULL;
    }
    gt_Tensor *own = gt_take_along_axis(predictions, gt_expand_dims(targets, -1), .axis = 1);
    gt_Tensor *better = gt_count_nonzero(gt_greater(predictions, own), .axis = 1);
    return gt_logical_and(gt_less(better, (double)k), gt_isfinite(gt_squeeze(own, .axis = 1)));
}
GT_COMPOSED(in_top_k, (const char *here, gt_Tensor *targets, gt_Tensor *predictions, int64_t k),
            (targets, predictions, k))

/* ---- quantiles ---- */

/* x with the axes of `bits` flattened to one, the last, and sorted along it. */
static gt_Tensor *sorted_over(gt_Tensor *x, const gt_Spec *in, uint32_t bits)
{
    gt_Axes perm = gt_reduced_last(in->rank, bits);
    gt_Spec kept = {0};
    gt_reduced_shape(in, bits, false, &kept);
    gt_Shape shape = gt_spec_shape(&kept);
    shape.dims[shape.rank++] = gt_reduced_count(in, bits);
    if (shape.rank > GT_MAX_RANK) /* nothing is reduced, of GT_MAX_RANK axes */
        shape.rank = -1;
    return sorted_rows(gt_reshape(gt_transpose(x, .perm = perm), shape), false, GT_INHERIT).values;
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
        gt_fail(GT_INVALID, "%d is no method of quantiles", (int)method);
        return NULL;
    }
}

/* Between the numbers at floor(q (n - 1)) and the next; the last number is NaN if any is. */
static gt_Tensor *quantile(gt_Tensor *x, gt_Tensor *q, const gt_quantile_options *given)
{
    gt_quantile_options options = GT_TAKE(gt_quantile_options, given);
    x = gt_as_float(x);
    gt_Spec in = gt_spec(x), asked = gt_spec(q);
    uint32_t bits;
    char text[160];
    if (gt_status() != GT_OK || !gt_axis_or_axes(options.axis, &options.axes, in.rank, &bits))
        return NULL;
    if (asked.rank > 1) {
        gt_fail(GT_INVALID, "q is a number or a vector, not of shape %s",
                gt_shape_text(gt_spec_shape(&asked), text, sizeof text));
        return NULL;
    }
    int64_t n = gt_reduced_count(&in, bits);
    if (n == 0) {
        gt_fail(GT_INVALID, "cannot take a quantile of an empty axis; the shape is %s",
                gt_shape_text(gt_spec_shape(&in), text, sizeof text));
        return NULL;
    }
    gt_Tensor *row = sorted_over(x, &in, bits);
    gt_Tensor *at = gt_multiply(gt_cast(q, in.dtype), (double)(n - 1));
    at = place_taken(at, options.method);
    gt_Tensor *lower = gt_clip(gt_floor(at), 0, n > 1 ? (double)(n - 2) : 0);
    gt_Tensor *index = gt_cast(lower, GT_INT64);
    gt_Tensor *a = gt_take(row, index, .axis = -1);
    gt_Tensor *result = a;
    if (n > 1) {
        gt_Tensor *b = gt_take(row, gt_add(index, 1), .axis = -1);
        gt_Tensor *t = gt_subtract(at, gt_stop_gradient(lower));
        result = gt_add(a, gt_multiply(gt_subtract(b, a), t));
    }
    gt_Shape extent = gt_tensor_shape(row), begin = {GT_MARK, extent.rank, {0}};
    begin.dims[extent.rank > 0 ? extent.rank - 1 : 0] = n - 1;
    extent.dims[extent.rank > 0 ? extent.rank - 1 : 0] = 1;
    gt_Tensor *last = gt_slice(row, begin, extent);
    if (asked.rank == 0)
        last = gt_squeeze(last, .axis = -1);
    result = gt_where(gt_isnan(last), last, result);
    if (asked.rank == 1)
        result = gt_moveaxis(result, -1, 0);
    if (!options.keepdims)
        return result;
    gt_Spec kept = {0};
    gt_reduced_shape(&in, bits, true, &kept);
    gt_Shape shape = gt_spec_shape(&kept);
    if (asked.rank == 1 && shape.rank < GT_MAX_RANK) {
        memmove(shape.dims + 1, shape.dims, (size_t)shape.rank * sizeof *shape.dims);
        shape.dims[0] = asked.dims[0];
    }
    shape.rank += asked.rank;
    return gt_reshape(result, shape);
}

/* q as a tensor of the floats that x gives. */
static gt_Tensor *fraction(gt_Tensor *x, gt_Operand q)
{
    gt_DType dtype = gt_dtype(x);
    return q.is_number ? gt_scalar(q.number, gt_dtype_is_float(dtype) ? dtype : GT_FLOAT32)
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

/* ---- searching ---- */

static gt_Status searchsorted_shape(gt_ShapeRule *rule)
{
    const gt_Spec *sorted_spec = rule->input[0], *values = rule->input[1];
    char text[160];
    if (!gt_takes(sorted_spec, GT_TAKES_ANY))
        return gt_status();
    if (sorted_spec->rank != 1)
        return gt_fail(GT_INVALID, "what is searched is a sorted vector, not of shape %s",
                       gt_shape_text(gt_spec_shape(sorted_spec), text, sizeof text));
    if (sorted_spec->dtype != values->dtype)
        return gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them",
                       gt_dtype_name(sorted_spec->dtype), gt_dtype_name(values->dtype));
    if (sorted_spec->size > INT32_MAX)
        return gt_fail(GT_INVALID, "the vector is longer than an int32 can count");
    rule->output[0] = *values;
    rule->output[0].dtype = GT_INT32;
    return GT_OK;
}

#define GT_SEARCH_LOOP(type, suffix)                                                               \
    static void search_##suffix(const gt_Kernel *kernel, int64_t first, int64_t n)                 \
    {                                                                                              \
        const type *row = kernel->input[0], *x = (const type *)kernel->input[1] + first;           \
        int32_t *y = (int32_t *)kernel->output[0] + first;                                         \
        bool right = ((const gt_searchsorted_options *)kernel->options)->right;                    \
        for (int64_t i = 0; i < n; i++) {                                                          \
            int64_t low = 0, high = kernel->input_spec[0]->size;                                   \
            while (low < high) {                                                                   \
                int64_t middle = low + (high - low) / 2;                                           \
                if (right ? !less_##suffix(x[i], row[middle]) : less_##suffix(row[middle], x[i]))  \
                    low = middle + 1;                                                              \
                else                                                                               \
                    high = middle;                                                                 \
            }                                                                                      \
            y[i] = (int32_t)low;                                                                   \
        }                                                                                          \
    }
GT_KEYS(GT_SEARCH_LOOP)

static gt_Status searchsorted_run(const gt_Kernel *kernel)
{
    gt_DType dtype = kernel->input_spec[0]->dtype;
    return gt_run_chunks(kernel, dtype == GT_FLOAT32   ? search_f32
                                 : dtype == GT_FLOAT64 ? search_f64
                                 : dtype == GT_INT32   ? search_i32
                                 : dtype == GT_INT64   ? search_i64
                                                       : search_u8);
}

const gt_Operation gt_op_searchsorted = {
    .size = sizeof(gt_Operation),
    .name = "searchsorted",
    .formula = "where x would go into a sorted vector",
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is an integer",
    .options = &gt_searchsorted_options_type,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .shape = searchsorted_shape,
    .run = searchsorted_run,
    .samples =
        (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 1), GT_ANY(2, 3))},
                            GT_SAMPLES_END},
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
    gt_searchsorted_options options = GT_TAKE(gt_searchsorted_options, given);
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
    gt_bincount_options options = GT_TAKE(gt_bincount_options, given);
    gt_Spec in = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (!gt_dtype_is_integer(in.dtype)) {
        gt_fail(GT_INVALID, "what is counted are integers, not %s", gt_dtype_name(in.dtype));
        return NULL;
    }
    if (options.length == GT_INHERIT) {
        int64_t most = in.size ? (int64_t)gt_item(gt_max(x)) : -1;
        options.length = most > 0  ? most + 1
                         : in.size ? 1
                                   : 0; /* all negative: that is said below */
    }
    if (options.length < 0) {
        gt_fail(GT_INVALID, "length must not be negative (got %lld)", (long long)options.length);
        return NULL;
    }
    gt_Tensor *weights = options.weights;
    if (!weights)
        weights = gt_ones(gt_shape(in.size), .dtype = GT_INT32);
    return gt_scatter_count(gt_ravel(x), gt_ravel(weights), options.length);
}
GT_COMPOSED(bincount, (const char *here, gt_Tensor *x, const gt_bincount_options *options),
            (x, options))

static gt_Histogram histogram(gt_Tensor *x, const gt_histogram_options *given)
{
    gt_histogram_options options = GT_TAKE(gt_histogram_options, given);
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
