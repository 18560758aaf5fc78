/* Order along an axis: sort, argsort, top_k, in_top_k. Leans on kernels/orders.h. */
#include "ops/array/sorting.h"
#include "ops/array/indexing.h"
#include "ops/array/order.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_sort_options, gt_sort_OPTIONS);

/* ---- the record: rows of the last axis, of which the first `keep` stay ---- */

#define ROW_SORT_OPTIONS(F, S)                                                                     \
    F(S, bool, descending, false, "the largest first")                                             \
    F(S, int64_t, keep, GT_INHERIT, "how many; GT_INHERIT: all")
GT_OPTIONS(RowSortOptions, ROW_SORT_OPTIONS);
GT_OPTION_TYPE(RowSortOptions, ROW_SORT_OPTIONS);

static gt_Status sort_shape(gt_ShapeRule *rule)
{
    const RowSortOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    char text[160];
    if (!gt_takes(in, GT_TAKES_ANY))
        return gt_status();
    if (in->rank < 1)
        return gt_fail(GT_INVALID, "a scalar has no axis to sort along");
    int64_t n = in->dims[in->rank - 1];
    int64_t keep = options->keep == GT_INHERIT ? n : options->keep;
    if (n > INT32_MAX)
        return gt_fail(GT_INVALID, "the last axis of %s is longer than an int32 can count",
                       gt_dims_text(in, text, sizeof text));
    if (keep < 0 || keep > n)
        return gt_fail(GT_INVALID,
                       "k must be from 0 to %lld, the length of the last axis (got %lld)",
                       (long long)n, (long long)keep);
    rule->output[0] = rule->output[1] = *in;
    rule->output[0].dims[in->rank - 1] = rule->output[1].dims[in->rank - 1] = keep;
    rule->output[1].dtype = GT_INT32;
    return GT_OK;
}

/* Tiles are groups of rows. */
static void sort_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const RowSortOptions *options = rule->options;
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    if (out->size == 0)
        return;
    gt_SortJob *job = gt_lower_launch(lowering, GT_TILES_sort, 0, sizeof *job);
    job->loop = (uint8_t)gt_loop_type(in->dtype);
    job->descending = options->descending;
    job->n = in->dims[in->rank - 1];
    job->keep = out->dims[out->rank - 1];
    job->rows = in->size / job->n;
    job->group = job->n < 4096 ? 4096 / job->n : 1;
    lowering->launch[0].tiles = (job->rows + job->group - 1) / job->group;
    gt_lower_scratch(lowering, 2 * (size_t)job->n * sizeof(gt_SortKey));
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

/* Rows do not meet; along the last axis a mask cannot follow the numbers. */
static gt_Status sort_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->input[0]->rank - 1);
}

const gt_Operation gt_op_sort = {
    GT_RECORD_OUTPUTS("sort", "the last axis of x in order, and where its numbers were", 1, 1, 2),
    .flags = GT_OP_LINEAR,
    .options = &RowSortOptions_type,
    .saves_outputs = 2,
    .shape = sort_shape,
    .lower = sort_lower,
    .gradient = sort_gradient,
    .mask = sort_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_APART(2, 5))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_APART(3, 4)),
                           .options = &GT_VALUES(RowSortOptions, true, 2)}),
};

/* ---- the functions ---- */

gt_TopK gt_sorted_rows(gt_Tensor *x, bool descending, int64_t keep)
{
    RowSortOptions options = GT_VALUES(RowSortOptions, descending, keep);
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_sort, &options, 1, &x, out);
    return (gt_TopK){out[0], out[1]};
}

/* Sorts along the axis of the options; the one of the results that is asked for. */
static gt_Tensor *sorted(gt_Tensor *x, const gt_sort_options *given, bool places)
{
    gt_sort_options options;
    GT_TAKE(gt_sort_options, &options, given);
    if (options.axis == GT_NONE) {
        x = gt_ravel(x);
        options.axis = -1;
    }
    int rank = gt_rank(x);
    int axis = gt_status() == GT_OK ? gt_axis(options.axis, rank) : -1;
    if (axis < 0)
        return NULL;
    bool last = axis == rank - 1;
    gt_TopK rows =
        gt_sorted_rows(last ? x : gt_swapaxes(x, axis, -1), options.descending, GT_INHERIT);
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
    if (k < 0) { /* -1 would mean all of them */
        gt_fail(GT_INVALID, "k must not be negative (got %lld)", (long long)k);
        return (gt_TopK){NULL, NULL};
    }
    return gt_sorted_rows(x, true, k);
}
GT_COMPOSED_BY(gt_TopK, top_k, top_k, (const char *here, gt_Tensor *x, int64_t k), (x, k))

static gt_Tensor *in_top_k(gt_Tensor *targets, gt_Tensor *predictions, int64_t k)
{
    gt_Spec t = gt_spec(targets), p = gt_spec(predictions);
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (t.rank != 1 || p.rank != 2 || t.dims[0] != p.dims[0]) {
        gt_fail(GT_INVALID, "expected targets (n) and predictions (n, classes) (got %s and %s)",
                gt_dims_text(&t, a, sizeof a),
                gt_dims_text(&p, b, sizeof b));
        return NULL;
    }
    gt_Tensor *own = gt_take_along_axis(predictions, gt_expand_dims(targets, -1), .axis = 1);
    gt_Tensor *better = gt_count_nonzero(gt_greater(predictions, own), .axis = 1);
    return gt_logical_and(gt_less(better, (double)k), gt_isfinite(gt_squeeze(own, .axis = 1)));
}
GT_COMPOSED(in_top_k, (const char *here, gt_Tensor *targets, gt_Tensor *predictions, int64_t k),
            (targets, predictions, k))
