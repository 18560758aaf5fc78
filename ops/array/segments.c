/* Reductions over rows that share a number. Each fills the result with what leaves the first row as it is, then goes through
 * the rows in order. Leans on lookup.c, kernels/lookups.h. */
#include "ops/array/segments.h"
#include "kernels/lookup_index.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"
#include "ops/array/sorting.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

#include <math.h>
#include <string.h>

#define SEGMENT_OPTIONS(F, S)                                                                      \
    F(S, int64_t, segments, 1, "rows of the result; -1: as many as input 3 has")
GT_OPTIONS(SegmentOptions, SEGMENT_OPTIONS);
GT_OPTION_TYPE(SegmentOptions, SEGMENT_OPTIONS);

static gt_Status segment_shape(gt_ShapeRule *rule)
{
    const SegmentOptions *options = rule->options;
    const gt_Spec *x = rule->input[0], *ids = rule->input[1];
    const gt_Spec *like = rule->inputs > 2 ? rule->input[2] : NULL;
    int64_t segments = like && like->rank > 0 ? like->dims[0] : options->segments;
    char a[160], b[160];
    if (!gt_takes(x, GT_TAKES_NUMBER) || !gt_takes_indices(ids))
        return gt_status();
    if (x->rank < 1 || ids->rank != 1 || ids->dims[0] != x->dims[0])
        return gt_fail(GT_INVALID, "expected x (n, ...) and ids (n) (got %s and %s)",
                       gt_dims_text(x, a, sizeof a),
                       gt_dims_text(ids, b, sizeof b));
    if (segments < 0)
        return gt_fail(GT_INVALID, "segments must be >= 0 (got %lld)", (long long)segments);
    rule->output[0] = *x;
    rule->output[0].dims[0] = segments;
    return GT_OK;
}

/* The job; y is filled with these numbers before: of floats, int32, int64 and uint8. */
static gt_SegmentJob *lower_segments(const gt_ShapeRule *rule, gt_Lowering *lowering,
                                     gt_TileKernelId kernel, double real, int64_t i32, int64_t i64,
                                     int64_t u8)
{
    const gt_Spec *out = &rule->output[0], *ids = rule->input[1];
    int64_t whole = out->dtype == GT_INT32 ? i32 : out->dtype == GT_INT64 ? i64 : u8;
    gt_Along view = gt_along(out, 0);
    int y = rule->inputs;
    gt_lower_indices(rule, lowering, 1, -view.count, view.count);
    gt_lower_fill(lowering, out->dtype, y, out->size,
                  gt_dtype_is_float(out->dtype) ? real
                  : out->dtype == GT_INT64      ? 0
                                                : (double)whole);
    if (out->dtype == GT_INT64) /* more digits than a double has */
        ((gt_FillJob *)(void *)(lowering->job + lowering->launch[0].job))->pattern =
            (uint64_t)whole;
    int64_t tiles = (view.inner + GT_SEGMENT_STRIP - 1) / GT_SEGMENT_STRIP;
    gt_SegmentJob *job = gt_lower_launch(lowering, kernel, tiles, sizeof *job);
    job->type = (uint8_t)gt_loop_type(ids->dtype);
    job->loop = (uint8_t)gt_loop_type(out->dtype);
    job->y = (uint8_t)y;
    job->n = ids->size;
    job->columns = view.inner;
    job->segments = view.count;
    return job;
}

static gt_Status segment_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    int64_t segments = rule->output[0].dims[0];
    int64_t id = gt_integer(at[1], (uint8_t)gt_loop_type(rule->input[1]->dtype), position);
    return gt_fail(GT_INVALID, "id %lld of row %lld is not one of %lld segments", (long long)id,
                   (long long)position, (long long)segments);
}

/* Where a row goes follows from its id: no mask could say what became of padding. */
static gt_Status segment_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, 0);
}

/* ---- the largest, the smallest ---- */

static void segment_max_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_segments(rule, lowering, GT_TILES_segment_max, -INFINITY, INT32_MIN, INT64_MIN, 0);
}

static void segment_min_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_segments(rule, lowering, GT_TILES_segment_min, INFINITY, INT32_MAX, INT64_MAX, UINT8_MAX);
}

/* The rows that equal their segment's result share its gradient. */
static gt_Status segment_max_gradient(gt_GradientRule *rule)
{
    gt_Tensor *x = gt_rule_input(rule, 0), *ids = gt_rule_input(rule, 1);
    if (!gt_wants(rule, 0))
        return gt_status();
    int64_t segments = gt_rule_output_spec(rule, 0)->dims[0];
    gt_Tensor *best = gt_equal(x, gt_take(gt_rule_output(rule, 0), ids));
    best = gt_cast(best, gt_rule_input_spec(rule, 0)->dtype);
    gt_Tensor *ties = gt_segment_sum(best, ids, segments);
    gt_Tensor *share = gt_divide_no_nan(gt_upstream(rule, 0), ties);
    return gt_give(rule, 0, gt_multiply(best, gt_take(share, ids)));
}

const gt_Operation gt_op_segment_max = {
    GT_RECORD("segment_max", "the largest of the rows of each segment", 2, 3),
    .options = &SegmentOptions_type,
    .optional_inputs = 4,
    .saves_inputs = 3,
    .saves_outputs = 1,
    .shape = segment_shape,
    .lower = segment_max_lower,
    .complain = segment_complain,
    .gradient = segment_max_gradient,
    .mask = segment_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_APART(5, 2), GT_WHOLE(GT_INT32, 0, 2, 5)),
                           .options = &GT_VALUES(SegmentOptions, 2)},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_APART(6), GT_WHOLE(GT_INT64, -2, 2, 6)),
                           .options = &GT_VALUES(SegmentOptions, 2)}),
};

const gt_Operation gt_op_segment_min = {
    GT_RECORD("segment_min", "the smallest of the rows of each segment", 2, 3),
    .options = &SegmentOptions_type,
    .optional_inputs = 4,
    .saves_inputs = 3,
    .saves_outputs = 1,
    .shape = segment_shape,
    .lower = segment_min_lower,
    .complain = segment_complain,
    .gradient = segment_max_gradient,
    .mask = segment_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_APART(5, 2), GT_WHOLE(GT_INT32, 0, 2, 5)),
                           .options = &GT_VALUES(SegmentOptions, 2)},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_APART(6), GT_WHOLE(GT_INT64, -2, 2, 6)),
                           .options = &GT_VALUES(SegmentOptions, 2)}),
};

/* ---- the product ---- */

/* Products of floats wait as gt_Scaled, of a strip for all segments: they neither overflow nor underflow on their way. */
static void segment_prod_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_SegmentJob *job = lower_segments(rule, lowering, GT_TILES_segment_prod, 1, 1, 1, 1);
    int64_t width = job->columns < GT_SEGMENT_STRIP ? job->columns : GT_SEGMENT_STRIP;
    if (gt_dtype_is_float(rule->output[0].dtype))
        gt_lower_scratch(lowering, (size_t)(job->segments * width) * sizeof(gt_Scaled));
}

/* For rows sorted by segment: the product of those of the same segment before each (or after, if
 * `later`). It starts anew, at 1, where the segment changes; sorted ids are 1 and more, so that the
 * 0 beyond the ends is another one. */
static gt_Tensor *product_beside(gt_Tensor *x, gt_Tensor *sorted, bool later)
{
    gt_Shape along = gt_tensor_shape(sorted);
    for (int rank = gt_rank(x); along.rank < rank;)
        along.dims[along.rank++] = 1;
    gt_Tensor *goes_on = gt_reshape(gt_equal(sorted, gt_neighbour(sorted, 0, later)), along);
    gt_Tensor *zero = gt_zeros(gt_tensor_shape(x), .dtype = gt_dtype(x));
    return gt_linear_recurrence(gt_where(goes_on, gt_neighbour(x, 0, later), zero),
                                gt_where(goes_on, zero, 1), 0, later);
}

/* The product of the others, without dividing, since factors may be 0: those before times those
 * after, in double, for either may be beyond float where the product of both is not. */
static gt_Status segment_prod_gradient(gt_GradientRule *rule)
{
    gt_Tensor *x = gt_rule_input(rule, 0), *ids = gt_rule_input(rule, 1);
    if (!gt_wants(rule, 0))
        return gt_status();
    double segments = (double)gt_rule_output_spec(rule, 0)->dims[0];
    gt_Tensor *from_1 = gt_add(gt_cast(ids, GT_INT64), 1);
    from_1 = gt_where(gt_less(from_1, 1), gt_add(from_1, segments), from_1);
    gt_Tensor *order = gt_argsort(from_1);
    gt_Tensor *rows = gt_narrowed(gt_take(x, order), GT_FLOAT64), *sorted = gt_take(from_1, order);
    gt_Tensor *others =
        gt_multiply(product_beside(rows, sorted, false), product_beside(rows, sorted, true));
    others = gt_take(others, gt_argsort(order));
    gt_Tensor *up = gt_narrowed(gt_take(gt_upstream(rule, 0), ids), GT_FLOAT64);
    return gt_give(rule, 0,
                   gt_narrowed(gt_multiply(others, up), gt_rule_input_spec(rule, 0)->dtype));
}

const gt_Operation gt_op_segment_prod = {
    GT_RECORD("segment_prod", "the product of the rows of each segment", 2, 3),
    .options = &SegmentOptions_type,
    .optional_inputs = 4,
    .saves_inputs = 3,
    .shape = segment_shape,
    .lower = segment_prod_lower,
    .complain = segment_complain,
    .gradient = segment_prod_gradient,
    .mask = segment_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_APART(5, 2), GT_WHOLE(GT_INT32, 0, 2, 5)),
                           .options = &GT_VALUES(SegmentOptions, 2)},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_APART(6), GT_WHOLE(GT_INT64, -2, 2, 6)),
                           .options = &GT_VALUES(SegmentOptions, 2)}),
};

/* ---- the functions ---- */

gt_Tensor *gt_segments_like(const gt_Operation *operation, gt_Tensor *x, gt_Tensor *ids,
                            gt_Tensor *like)
{
    SegmentOptions options = GT_VALUES(SegmentOptions, -1);
    return gt_apply_one_at(NULL, operation, &options, 3,
                           (gt_Tensor *[]){x, ids, gt_stop_gradient(like)});
}

static gt_Tensor *apply(const char *here, const gt_Operation *operation, gt_Tensor *x,
                        gt_Tensor *ids, int64_t segments)
{
    SegmentOptions options = GT_VALUES(SegmentOptions, segments);
    return gt_apply_one_at(here, operation, &options, 2, (gt_Tensor *[]){x, ids});
}

gt_Tensor *gt_segment_max_at(const char *here, gt_Tensor *x, gt_Tensor *ids, int64_t segments)
{
    return apply(here, &gt_op_segment_max, x, ids, segments);
}

gt_Tensor *gt_segment_min_at(const char *here, gt_Tensor *x, gt_Tensor *ids, int64_t segments)
{
    return apply(here, &gt_op_segment_min, x, ids, segments);
}

gt_Tensor *gt_segment_prod_at(const char *here, gt_Tensor *x, gt_Tensor *ids, int64_t segments)
{
    return apply(here, &gt_op_segment_prod, x, ids, segments);
}

/* A scatter_add along axis 0, whose result is rows until somebody reads it. */
static gt_Tensor *segment_sum(gt_Tensor *x, gt_Tensor *ids, int64_t segments)
{
    int rank = gt_rank(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (rank < 1) {
        gt_fail(GT_INVALID, "a scalar has no rows");
        return NULL;
    }
    if (segments < 0) {
        gt_fail(GT_INVALID, "segments must be >= 0 (got %lld)", (long long)segments);
        return NULL;
    }
    return gt_scatter_rows(ids, x, segments, NULL);
}
GT_COMPOSED(segment_sum, (const char *here, gt_Tensor *x, gt_Tensor *ids, int64_t segments),
            (x, ids, segments))
