/* Squares over axes, and the length of a vector: two operations that functions of other files are made of. */
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduction.h"

#include <math.h>

/* ---- squares ---- */

GT_OPTION_TYPE(gt_SquaresOptions, GT_SQUARES_OPTIONS);

static gt_Status squares_shape(gt_ShapeRule *rule)
{
    const gt_SquaresOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    uint32_t bits;
    if (!gt_takes(in, GT_TAKES_FLOAT) ||
        !gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits))
        return gt_status();
    rule->output[0].dtype = in->dtype;
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

static void squares_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_SquaresOptions *options = rule->options;
    gt_Finish finish = {.mean = options->mean, .scale = options->scale, .empty = (double)NAN};
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, &bits);
    gt_reduction_lower(rule, lowering, GT_LOOP_SQUARES, bits, &finish);
}

/* 2 scale x, divided by n for a mean. */
static gt_Status squares_gradient(gt_GradientRule *rule)
{
    const gt_SquaresOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits);
    double scale =
        options->mean ? options->scale / (double)gt_reduced_count(in, bits) : options->scale;
    gt_Tensor *up = gt_multiply(gt_reduction_spread(rule, bits, gt_upstream(rule, 0)), 2 * scale);
    return gt_give(rule, 0, gt_multiply(gt_rule_input(rule, 0), up));
}

static gt_Status squares_mask(gt_MaskRule *rule)
{
    const gt_SquaresOptions *options = rule->shape->options;
    uint32_t bits = 0;
    bool good = gt_axis_or_axes(options->axis, &options->axes, rule->shape->input[0]->rank, &bits);
    return good ? gt_reduction_mask(rule, bits) : gt_status();
}

#define SQUARES(...)                                                                               \
    .options = &(const gt_SquaresOptions)                                                          \
    {                                                                                              \
        GT_PRESETS(gt_SquaresOptions, GT_SQUARES_OPTIONS) __VA_ARGS__                              \
    }
const gt_Operation gt_op_squares = {
    GT_RECORD("squares", "sum or mean of x^2 over axes, scaled", 1, 1),
    .flags = GT_OP_INTERNAL,
    .options = &gt_SquaresOptions_type,
    .saves_inputs = 1,
    .shape = squares_shape,
    .lower = squares_lower,
    .mask = squares_mask,
    .gradient = squares_gradient,
    .samples = GT_SAMPLES(
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 2))},
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 4)), SQUARES(.axis = 0, .mean = true)},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)),
         SQUARES(.axes = {GT_MARK, 2, {0, -2}}, .keepdims = true, .scale = 0.25)}),
};

gt_Tensor *gt_squares(gt_Tensor *x, const gt_SquaresOptions *options)
{
    return gt_apply_one_at(NULL, &gt_op_squares, options, 1, &x);
}

/* ---- length ---- */

GT_OPTION_TYPE(gt_LengthOptions, GT_LENGTH_OPTIONS);

static gt_Status length_shape(gt_ShapeRule *rule)
{
    const gt_LengthOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    uint32_t bits;
    if (!gt_takes(in, GT_TAKES_FLOAT) ||
        !gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits))
        return gt_status();
    if (!(options->epsilon >= 0 && options->floor >= 0))
        return gt_fail(GT_INVALID, "epsilon must be >= 0 (got %g)",
                       options->epsilon >= 0 ? options->floor : options->epsilon);
    rule->output[0].dtype = options->wide ? GT_FLOAT64 : in->dtype;
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

static void length_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_LengthOptions *options = rule->options;
    gt_Finish finish = {options->mean, 1, true, options->epsilon, options->floor, (double)NAN};
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, &bits);
    gt_reduction_lower(rule, lowering, GT_LOOP_SQUARES, bits, &finish);
}

/* x / length, divided by n for a mean; 0 where the floor is. */
static gt_Status length_gradient(gt_GradientRule *rule)
{
    const gt_LengthOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0), *out = gt_rule_output_spec(rule, 0);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits);
    gt_Tensor *x = gt_rule_input(rule, 0),
              *length = gt_reduction_spread(rule, bits, gt_rule_output(rule, 0));
    gt_Tensor *up = gt_reduction_spread(rule, bits, gt_upstream(rule, 0));
    if (options->floor > 0)
        up = gt_where(gt_greater(length, options->floor), up, 0);
    if (options->mean)
        up = gt_divide(up, (double)gt_reduced_count(in, bits));
    x = gt_multiply(gt_divide(gt_narrowed(x, out->dtype), length), up);
    return gt_give(rule, 0, gt_narrowed(x, in->dtype));
}

static gt_Status length_mask(gt_MaskRule *rule)
{
    const gt_LengthOptions *options = rule->shape->options;
    uint32_t bits = 0;
    bool good = gt_axis_or_axes(options->axis, &options->axes, rule->shape->input[0]->rank, &bits);
    return good ? gt_reduction_mask(rule, bits) : gt_status();
}

#define LENGTH(...)                                                                                \
    .options = &(const gt_LengthOptions)                                                           \
    {                                                                                              \
        GT_PRESETS(gt_LengthOptions, GT_LENGTH_OPTIONS) __VA_ARGS__                                \
    }
const gt_Operation gt_op_length = {
    GT_RECORD("length", "sqrt(sum or mean of x^2 over axes)", 1, 1),
    .flags = GT_OP_INTERNAL,
    .options = &gt_LengthOptions_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = length_shape,
    .lower = length_lower,
    .mask = length_mask,
    .gradient = length_gradient,
    .samples =
        GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 2))},
                   {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 4)), LENGTH(.axis = 0, .mean = true)},
                   {.inputs = 1,
                    .input = GT_INPUTS(GT_ANY(3, 4)),
                    LENGTH(.axis = -1, .keepdims = true, .mean = true, .epsilon = 0.5)},
                   {.inputs = 1,
                    .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)),
                    LENGTH(.axes = {GT_MARK, 2, {0, -2}}, .floor = 0.125, .wide = true)}),
};

gt_Tensor *gt_length(gt_Tensor *x, const gt_LengthOptions *options)
{
    return gt_apply_one_at(NULL, &gt_op_length, options, 1, &x);
}
