/* Running sums and products along an axis, and the recurrence that the gradient of a running product is made of. */
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduction.h"

GT_OPTION_TYPE(gt_cumsum_options, gt_cumsum_OPTIONS);

static gt_Status cumulative_shape(gt_ShapeRule *rule)
{
    const gt_cumsum_options *options = rule->options;
    gt_AxisView view;
    if (!gt_axis_view(rule->input[0], options->axis, &view) || gt_shape_number(rule) != GT_OK)
        return gt_status();
    if (options->axis == GT_NONE) {
        rule->output[0].rank = 1;
        rule->output[0].dims[0] = rule->input[0]->size;
    }
    return GT_OK;
}

/* A tile has whole columns: each element comes from the one before. */
static void lower(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_RunningKind kind, int axis,
                  bool exclusive, bool reverse)
{
    const gt_Spec *in = rule->input[0];
    gt_AxisView view = {1, 1, 1};
    gt_axis_view(in, axis, &view);
    gt_RunningJob *job = gt_lower_launch(lowering, GT_TILES_running, 0, sizeof *job);
    if (in->size == 0)
        return;
    job->kind = (uint8_t)kind;
    job->type = (uint8_t)gt_loop_type(in->dtype);
    job->element = (uint8_t)gt_dtype_size(in->dtype);
    job->reverse = reverse;
    job->exclusive = exclusive;
    job->outer = view.outer;
    job->count = view.count;
    job->inner = view.inner;
    job->width = GT_TILE_ELEMENTS / view.count > 64 ? GT_TILE_ELEMENTS / view.count : 64;
    if (job->width > view.inner)
        job->width = view.inner;
    job->strips = (view.inner + job->width - 1) / job->width;
    int64_t work = job->width * view.count, strips = view.outer * job->strips;
    job->group = work < GT_TILE_ELEMENTS ? GT_TILE_ELEMENTS / work : 1;
    lowering->launch[0].tiles = (strips + job->group - 1) / job->group;
}

static void cumsum_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_cumsum_options *options = rule->options;
    lower(rule, lowering, GT_RUNNING_SUM, options->axis, options->exclusive, options->reverse);
}

static void cumprod_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_cumsum_options *options = rule->options;
    lower(rule, lowering, GT_RUNNING_PRODUCT, options->axis, options->exclusive, options->reverse);
}

static gt_Status cumulative_mask(gt_MaskRule *rule)
{
    const gt_cumsum_options *options = rule->shape->options;
    int rank = rule->shape->input[0]->rank;
    return gt_mask_rows(rule, options->axis == GT_NONE ? 0 : gt_axis(options->axis, rank));
}

static gt_Status cumsum_gradient(gt_GradientRule *rule)
{
    const gt_cumsum_options *options = gt_rule_options(rule);
    gt_Tensor *back = gt_cumsum(gt_upstream(rule, 0), .axis = options->axis,
                                .exclusive = options->exclusive, .reverse = !options->reverse);
    return gt_give(rule, 0, gt_reshape(back, gt_spec_shape(gt_rule_input_spec(rule, 0))));
}

gt_Tensor *gt_neighbour(gt_Tensor *x, int axis, bool later)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || spec.size == 0)
        return x;
    gt_Shape begin = {GT_MARK, spec.rank, {0}}, before = begin, after = begin,
             size = gt_spec_shape(&spec);
    axis = gt_axis(axis, spec.rank);
    size.dims[axis] -= 1;
    begin.dims[axis] = after.dims[axis] = later;
    before.dims[axis] = !later;
    return gt_pad(gt_slice(x, begin, size), before, after);
}

/* With h[k] = g[k] + x[k+1] h[k+1], which runs backwards, the gradient is h[k] times the product of
 * the factors before k: right where factors are 0. Exclusive: g[k+1] in place of g[k]. In double, for
 * either may be beyond float where their product is not. */
static gt_Status cumprod_gradient(gt_GradientRule *rule)
{
    const gt_cumsum_options *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_input(rule, 0), *up = gt_upstream(rule, 0);
    gt_Shape shape = gt_spec_shape(gt_rule_input_spec(rule, 0));
    int axis = options->axis;
    bool reverse = options->reverse;
    if (axis == GT_NONE) {
        x = gt_ravel(x);
        axis = 0;
    }
    x = gt_narrowed(x, GT_FLOAT64);
    up = gt_narrowed(up, GT_FLOAT64);
    if (options->exclusive)
        up = gt_neighbour(up, axis, !reverse);
    gt_Tensor *h = gt_linear_recurrence(gt_neighbour(x, axis, !reverse), up, axis, !reverse);
    gt_Tensor *before = gt_cumprod(x, .axis = axis, .exclusive = true, .reverse = reverse);
    gt_Tensor *slope = gt_narrowed(gt_multiply(before, h), gt_rule_input_spec(rule, 0)->dtype);
    return gt_give(rule, 0, gt_reshape(slope, shape));
}

#define SAMPLES                                                                                    \
    GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},                                    \
               {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 4, 2)), GT_OVER(gt_cumsum, .axis = 1)},  \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_ANY(4, 2)),                                                  \
                GT_OVER(gt_cumsum, .axis = 0, .exclusive = true)},                                 \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_ANY(2, 4)),                                                  \
                GT_OVER(gt_cumsum, .axis = -1, .reverse = true)},                                  \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_ANY(2, 4)),                                                  \
                GT_OVER(gt_cumsum, .axis = 1, .exclusive = true, .reverse = true)})
const gt_Operation gt_op_cumsum = {
    GT_RECORD("cumsum", "running sum of x", 1, 1),
    .flags = GT_OP_LINEAR,
    .options = &gt_cumsum_options_type,
    .shape = cumulative_shape,
    .lower = cumsum_lower,
    .gradient = cumsum_gradient,
    .mask = cumulative_mask,
    .samples = SAMPLES,
};
GT_DEFINE_OPTIONS(cumsum, gt_cumsum_options,
                  gt_reduction_input(here, "cumsum", x, GT_INT32, GT_DTYPE_NONE))

const gt_Operation gt_op_cumprod = {
    GT_RECORD("cumprod", "running product of x", 1, 1),
    .options = &gt_cumsum_options_type,
    .saves_inputs = 1,
    .shape = cumulative_shape,
    .lower = cumprod_lower,
    .gradient = cumprod_gradient,
    .mask = cumulative_mask,
    .samples = SAMPLES,
};
GT_DEFINE_OPTIONS(cumprod, gt_cumsum_options,
                  gt_reduction_input(here, "cumprod", x, GT_INT32, GT_DTYPE_NONE))

/* ---- y[i] = b[i] + a[i] y[i-1]: what the gradient of a running product is made of ---- */

#define RECURRENCE_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, bool, reverse, false, "y[i+1] in place of y[i-1]")
GT_OPTIONS(RecurrenceOptions, RECURRENCE_OPTIONS);
GT_OPTION_TYPE(RecurrenceOptions, RECURRENCE_OPTIONS);

gt_Tensor *gt_linear_recurrence(gt_Tensor *a, gt_Tensor *b, int axis, bool reverse)
{
    RecurrenceOptions options = GT_VALUES(RecurrenceOptions, axis, reverse);
    return gt_apply_one_at(NULL, &gt_op_linear_recurrence, &options, 2, (gt_Tensor *[]){a, b});
}

static gt_Status recurrence_shape(gt_ShapeRule *rule)
{
    const RecurrenceOptions *options = rule->options;
    if (!gt_spec_equal(rule->input[0], rule->input[1]))
        return gt_fail(GT_INVALID, "the factors and the terms differ in shape or type");
    return gt_axis(options->axis, rule->input[0]->rank) < 0 ? gt_status() : gt_shape_float(rule);
}

static void recurrence_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const RecurrenceOptions *options = rule->options;
    lower(rule, lowering, GT_RUNNING_RECURRENCE, options->axis, false, options->reverse);
}

/* The terms get l[i] = u[i] + a[i+1] l[i+1], the factors l[i] y[i-1]. */
static gt_Status recurrence_gradient(gt_GradientRule *rule)
{
    const RecurrenceOptions *options = gt_rule_options(rule);
    int axis = options->axis;
    bool reverse = options->reverse;
    gt_Tensor *next = gt_neighbour(gt_rule_input(rule, 0), axis, !reverse);
    gt_Tensor *l = gt_linear_recurrence(next, gt_upstream(rule, 0), axis, !reverse);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_multiply(l, gt_neighbour(gt_rule_output(rule, 0), axis, reverse)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, l);
    return gt_status();
}

const gt_Operation gt_op_linear_recurrence = {
    GT_RECORD("linear_recurrence", "y[i] = b[i] + a[i] y[i-1]", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &RecurrenceOptions_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = recurrence_shape,
    .lower = recurrence_lower,
    .gradient = recurrence_gradient,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(4, 2), GT_ANY(4, 2))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(2, 4), GT_ANY(2, 4)),
                           .options = &GT_VALUES(RecurrenceOptions, -1, true)}),
};
