/* Positions of the largest and the smallest elements: argmax, argmin, and those that pass over NaN. */
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/math/compare.h"
#include "ops/math/reduction.h"

GT_OPTION_TYPE(gt_argmax_options, gt_argmax_OPTIONS);

static gt_Status arg_shape(gt_ShapeRule *rule)
{
    const gt_argmax_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_AxisView view;
    if (!gt_takes(in, GT_TAKES_ANY) || !gt_axis_view(in, options->axis, &view))
        return gt_status();
    if (view.count == 0 && view.outer * view.inner > 0)
        return gt_reduction_refuse_empty(in);
    if (view.count > INT32_MAX)
        return gt_fail(GT_INVALID, "an axis must have at most 2^31 - 1 elements (got %lld)",
                       (long long)view.count);
    uint32_t bits =
        options->axis == GT_NONE ? (1u << in->rank) - 1 : 1u << gt_axis(options->axis, in->rank);
    rule->output[0].dtype = GT_INT32;
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

static void lower(const gt_ShapeRule *rule, gt_Lowering *lowering, bool largest)
{
    const gt_argmax_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_AxisView view = {1, 1, 1};
    gt_axis_view(in, options->axis, &view);
    int64_t strips = (view.inner + GT_ARG_STRIP - 1) / GT_ARG_STRIP;
    gt_TileKernelId kernel = view.inner == 1 ? GT_TILES_arg_rows : GT_TILES_arg_columns;
    gt_ArgJob *job = gt_lower_launch(lowering, kernel, view.outer * strips, sizeof *job);
    job->type = (uint8_t)gt_loop_type(in->dtype);
    job->element = (uint8_t)gt_dtype_size(in->dtype);
    job->largest = largest;
    job->outer = view.outer;
    job->count = view.count;
    job->inner = view.inner;
    job->strips = strips;
}

static void argmax_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower(rule, lowering, true);
}

static void argmin_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower(rule, lowering, false);
}

static gt_Status arg_mask(gt_MaskRule *rule)
{
    const gt_argmax_options *options = rule->shape->options;
    int rank = rule->shape->input[0]->rank;
    return gt_mask_rows(rule, options->axis == GT_NONE ? 0 : gt_axis(options->axis, rank));
}

#define SAMPLES                                                                                    \
    GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_APART(3, 4))},                                  \
               {.inputs = 1, .input = GT_INPUTS(GT_APART(2, 4)), GT_OVER(gt_argmax, .axis = -1)},  \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_APART(3, 4)),                                                \
                GT_OVER(gt_argmax, .axis = 0, .keepdims = true)})
const gt_Operation gt_op_argmax = {
    GT_RECORD("argmax", "position of the largest x", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is a position, an integer",
    .options = &gt_argmax_options_type,
    .shape = arg_shape,
    .lower = argmax_lower,
    .mask = arg_mask,
    .samples = SAMPLES,
};
GT_DEFINE_OPTIONS(argmax, gt_argmax_options, x)

const gt_Operation gt_op_argmin = {
    GT_RECORD("argmin", "position of the smallest x", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is a position, an integer",
    .options = &gt_argmax_options_type,
    .shape = arg_shape,
    .lower = argmin_lower,
    .mask = arg_mask,
    .samples = SAMPLES,
};
GT_DEFINE_OPTIONS(argmin, gt_argmax_options, x)

/* ---- without NaN ---- */

/* The first number that equals the best one, which a NaN in its place does not; -1 if none does. */
static gt_Tensor *nanarg(gt_Tensor *x, const gt_argmax_options *given, bool largest)
{
    gt_argmax_options options;
    GT_TAKE(gt_argmax_options, &options, given);
    x = gt_as_float(x);
    gt_Tensor *best = largest ? gt_nanmax(x, .axis = options.axis, .keepdims = true)
                              : gt_nanmin(x, .axis = options.axis, .keepdims = true);
    gt_Tensor *none = gt_isnan(options.keepdims          ? best
                               : options.axis == GT_NONE ? gt_reshape(best, gt_shape())
                                                         : gt_squeeze(best, .axis = options.axis));
    gt_Tensor *index = gt_argmax_at(NULL, gt_cast(gt_equal(x, best), GT_UINT8), &options);
    return gt_where(none, gt_scalar(-1, GT_INT32), index);
}

static gt_Tensor *nanargmax(gt_Tensor *x, const gt_argmax_options *options)
{
    return nanarg(x, options, true);
}
GT_COMPOSED_OPTIONS(nanargmax, nanargmax, gt_argmax_options)

static gt_Tensor *nanargmin(gt_Tensor *x, const gt_argmax_options *options)
{
    return nanarg(x, options, false);
}
GT_COMPOSED_OPTIONS(nanargmin, nanargmin, gt_argmax_options)
