/* gt_softmax and gt_log_softmax along one axis: records and gradient rules; and gt_sparsemax. The tensor is seen as
 * outer x n x inner, n along the axis: x (2, 3, 4) along axis 1 is 2 x 3 x 4. Rows that lie
 * together (inner 1) are worked on in place, several a tile; others are transposed to rows in
 * scratch memory, a few columns a tile, and back. */
#include "ops/nn/softmax.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/sorting.h"
#include "ops/kit.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"

GT_OPTION_TYPE(gt_softmax_options, gt_softmax_OPTIONS);

enum { COLUMNS = 64 }; /* of a tile, where rows do not lie together */

static gt_Status softmax_shape(gt_ShapeRule *rule)
{
    const gt_softmax_options *options = rule->options;
    return gt_axis(options->axis, rule->input[0]->rank) < 0 ? gt_status() : gt_shape_float(rule);
}

void gt_lower_softmax(gt_Lowering *lowering, gt_TileKernelId kernel, const gt_Spec *x, int axis,
                      int32_t from, int32_t to)
{
    const int32_t number = lowering->launches;
    gt_SoftmaxJob *job = gt_lower_launch(lowering, kernel, 0, sizeof *job);
    *job = (gt_SoftmaxJob){.type = (uint8_t)gt_loop_type(x->dtype),
                           .element = (uint8_t)gt_dtype_size(x->dtype),
                           .from = from,
                           .to = to,
                           .outer = 1,
                           .n = x->dims[axis],
                           .inner = 1};
    for (int d = 0; d < axis; d++)
        job->outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        job->inner *= x->dims[d];
    if (x->size == 0)
        return;
    if (job->inner == 1) {
        job->block = job->n < GT_TILE_ELEMENTS ? GT_TILE_ELEMENTS / job->n : 1;
        job->blocks = (job->outer + job->block - 1) / job->block;
        lowering->launch[number].tiles = job->blocks;
    } else {
        job->block = job->inner < COLUMNS ? job->inner : COLUMNS;
        job->blocks = (job->inner + job->block - 1) / job->block;
        lowering->launch[number].tiles = job->outer * job->blocks;
        gt_lower_scratch(lowering, 2 * (size_t)job->n * (size_t)job->block * job->element);
    }
}

static void lower_along(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_TileKernelId kernel)
{
    const gt_softmax_options *options = rule->options;
    const gt_Spec *x = rule->input[0];
    gt_lower_softmax(lowering, kernel, x, gt_axis(options->axis, x->rank), 0, 1);
}

static void softmax_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_along(rule, lowering, GT_TILES_softmax);
}

static void log_softmax_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_along(rule, lowering, GT_TILES_log_softmax);
}

/* Rows along the axis are worked on one by one: the axes before it do not meet. */
static gt_Status softmax_mask(gt_MaskRule *rule)
{
    const gt_softmax_options *options = rule->shape->options;
    return gt_mask_rows(rule, gt_axis(options->axis, rule->shape->input[0]->rank));
}

/* y (g - sum(g y)) */
static gt_Status softmax_rule(gt_GradientRule *rule)
{
    const gt_softmax_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    gt_Tensor *mean = gt_sum(gt_multiply(up, y), .axis = options->axis, .keepdims = true);
    return gt_give(rule, 0, gt_multiply(y, gt_subtract(up, mean)));
}

/* g - e^y sum(g) */
static gt_Status log_softmax_rule(gt_GradientRule *rule)
{
    const gt_softmax_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    gt_Tensor *total = gt_sum(up, .axis = options->axis, .keepdims = true);
    return gt_give(rule, 0, gt_subtract(up, gt_multiply(gt_exp(y), total)));
}

#define ALONG(axis, ...)                                                                           \
    {                                                                                              \
        .inputs = 1, .input = GT_INPUTS(GT_ANY(__VA_ARGS__)),                                      \
        .options = &GT_VALUES(gt_softmax_options, axis)                                            \
    }

const gt_Operation gt_op_softmax = {
    GT_RECORD("softmax", "e^x / sum(e^x)", 1, 1),
    .flags = GT_OP_MAY_REUSE | GT_OP_PROBABILITY,
    .options = &gt_softmax_options_type,
    .saves_outputs = 1,
    .shape = softmax_shape,
    .lower = softmax_lower,
    .gradient = softmax_rule,
    .mask = softmax_mask,
    .samples = GT_SAMPLES(ALONG(-1, 2, 3), ALONG(1, 2, 3, 4), ALONG(-2, 3, 2)),
};
GT_DEFINE_OPTIONS(softmax, gt_softmax_options, x)

const gt_Operation gt_op_log_softmax = {
    GT_RECORD("log_softmax", "x - log(sum(e^x))", 1, 1),
    .flags = GT_OP_MAY_REUSE,
    .options = &gt_softmax_options_type,
    .saves_outputs = 1,
    .shape = softmax_shape,
    .lower = log_softmax_lower,
    .gradient = log_softmax_rule,
    .mask = softmax_mask,
    .samples = GT_SAMPLES(ALONG(-1, 2, 3), ALONG(1, 2, 3, 4), ALONG(-2, 3, 2)),
};
GT_DEFINE_OPTIONS(log_softmax, gt_softmax_options, x)

/* ---- sparsemax ---- */

/* With the numbers in descending order and their running sums s_k, the first k numbers are those that stay if
 * x_k > (s_k - 1) / k, and t is (s_k - 1) / k for the last such k. */
static gt_Tensor *sparsemax(gt_Tensor *x, const gt_softmax_options *given)
{
    gt_softmax_options options;
    GT_TAKE(gt_softmax_options, &options, given);
    int axis = options.axis;
    x = gt_as_float(x);
    gt_Tensor *down = gt_sort(x, .axis = axis, .descending = true);
    gt_Tensor *k = gt_cumsum(gt_ones_like(x), .axis = axis);
    gt_Tensor *bound = gt_divide(gt_subtract(gt_cumsum(down, .axis = axis), 1), k);
    gt_Tensor *stays = gt_greater(down, bound);
    gt_Tensor *sum = gt_sum(gt_where(stays, down, 0), .axis = axis, .keepdims = true);
    gt_Tensor *count = gt_sum(gt_cast(stays, gt_dtype(x)), .axis = axis, .keepdims = true);
    return gt_relu(gt_subtract(x, gt_divide(gt_subtract(sum, 1), count)));
}
GT_COMPOSED_OPTIONS(sparsemax, sparsemax, gt_softmax_options)
