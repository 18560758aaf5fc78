/* Sums, means, products, extremes, all and any over axes: records and gradient rules of ops/math/reduce.h. How they are
 * lowered is in reduction.c. */
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduction.h"

#include <math.h>

GT_OPTION_TYPE(gt_sum_options, gt_sum_OPTIONS);

/* ---- shapes, launches, masks ---- */

/* A count of more than INT32_MAX is int64. */
static gt_DType sum_type(gt_DType dtype, int64_t count)
{
    if (dtype == GT_BOOL)
        return count > INT32_MAX ? GT_INT64 : GT_INT32;
    return dtype == GT_UINT8 ? GT_INT32 : dtype;
}

static bool reduced_bits(const gt_ShapeRule *rule, uint32_t *bits)
{
    const gt_sum_options *options = rule->options;
    return gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, bits);
}

static gt_Status reduce_shape(gt_ShapeRule *rule, unsigned types, bool sums)
{
    const gt_sum_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    uint32_t bits;
    if (!gt_takes(in, types) || !reduced_bits(rule, &bits))
        return gt_status();
    rule->output[0].dtype = sums ? sum_type(in->dtype, gt_reduced_count(in, bits)) : in->dtype;
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

static gt_Status sum_shape(gt_ShapeRule *rule)
{
    return reduce_shape(rule, GT_TAKES_ANY, true);
}

static gt_Status prod_shape(gt_ShapeRule *rule)
{
    return reduce_shape(rule, GT_TAKES_NUMBER, false);
}

static gt_Status mean_shape(gt_ShapeRule *rule)
{
    return reduce_shape(rule, GT_TAKES_FLOAT, false);
}

static gt_Status all_shape(gt_ShapeRule *rule)
{
    return reduce_shape(rule, GT_TAKES_BOOL, false);
}

static void lower(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_ReduceLoopId loop, bool mean)
{
    const gt_Finish finish = {.mean = mean, .scale = 1, .empty = (double)NAN};
    uint32_t bits = 0;
    reduced_bits(rule, &bits);
    gt_reduction_lower(rule, lowering, loop, bits, &finish);
}

static void sum_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower(rule, lowering, GT_LOOP_SUM, false);
}

static void mean_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower(rule, lowering, GT_LOOP_SUM, true);
}

static void prod_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower(rule, lowering, GT_LOOP_PROD, false);
}

static gt_Status reduce_mask(gt_MaskRule *rule)
{
    uint32_t bits = 0;
    return reduced_bits(rule->shape, &bits) ? gt_reduction_mask(rule, bits) : gt_status();
}

/* ---- for gradient rules ---- */

static uint32_t rule_bits(gt_GradientRule *rule)
{
    const gt_sum_options *options = gt_rule_options(rule);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, gt_rule_input_spec(rule, 0)->rank, &bits);
    return bits;
}

static gt_Tensor *with_kept_axes(gt_GradientRule *rule, gt_Tensor *result)
{
    return gt_reduction_spread(rule, rule_bits(rule), result);
}

static bool in_order(const gt_Axes *perm)
{
    for (int i = 0; i < perm->count; i++)
        if (perm->axis[i] != i)
            return false;
    return true;
}

/* ---- sum, mean, prod, all, any ---- */

/* The usual samples, of inputs of the kind that a macro of a shape makes. */
#define SAMPLES(INPUT)                                                                             \
    GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(INPUT(2, 3, 2))},                                  \
               {.inputs = 1, .input = GT_INPUTS(INPUT(3, 4)), GT_OVER(gt_sum, .axis = 0)},         \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(INPUT(3, 4)),                                                   \
                GT_OVER(gt_sum, .axis = -1, .keepdims = true)},                                    \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(INPUT(2, 3, 2, 2)),                                             \
                GT_OVER(gt_sum, .axes = {GT_MARK, 2, {0, -2}})},                                   \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(INPUT(2, 3)),                                                   \
                GT_OVER(gt_sum, .axes = {GT_MARK, 0, {0}})})
#define FLAG(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)

static gt_Status sum_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = with_kept_axes(rule, gt_upstream(rule, 0));
    return gt_give(rule, 0, gt_broadcast_to(up, gt_spec_shape(gt_rule_input_spec(rule, 0))));
}
const gt_Operation gt_op_sum = {
    GT_RECORD("sum", "sum of x over axes", 1, 1),
    .flags = GT_OP_LINEAR,
    .options = &gt_sum_options_type,
    .shape = sum_shape,
    .lower = sum_lower,
    .gradient = sum_gradient,
    .mask = reduce_mask,
    .samples = SAMPLES(GT_ANY),
};
GT_DEFINE_OPTIONS(sum, gt_sum_options, x)

static gt_Status mean_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = with_kept_axes(rule, gt_upstream(rule, 0));
    const int64_t count = gt_reduced_count(gt_rule_input_spec(rule, 0), rule_bits(rule));
    if (count != 1)
        up = gt_divide(up, (double)count);
    return gt_give(rule, 0, gt_broadcast_to(up, gt_spec_shape(gt_rule_input_spec(rule, 0))));
}
const gt_Operation gt_op_mean = {
    GT_RECORD("mean", "mean of x over axes", 1, 1),
    .flags = GT_OP_LINEAR,
    .options = &gt_sum_options_type,
    .shape = mean_shape,
    .lower = mean_lower,
    .gradient = mean_gradient,
    .mask = reduce_mask,
    .samples = SAMPLES(GT_ANY),
};
GT_DEFINE_OPTIONS(mean, gt_sum_options, gt_reduction_input(here, "mean", x, GT_FLOAT32, GT_FLOAT32))

/* The product of the others, without dividing, since factors may be 0: those before times those
 * after, in double, for either may be beyond float where the product of both is not. */
static gt_Status prod_gradient(gt_GradientRule *rule)
{
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Axes perm = gt_reduced_last(in->rank, rule_bits(rule)), back = perm;
    gt_Spec moved = *in;
    for (int i = 0; i < perm.count; i++) {
        moved.dims[i] = in->dims[perm.axis[i]];
        back.axis[perm.axis[i]] = i;
    }
    gt_Tensor *x = gt_rule_input(rule, 0), *up = gt_upstream(rule, 0);
    if (!in_order(&perm))
        x = gt_transpose(x, .perm = perm);
    gt_Shape rows =
        gt_shape(gt_rule_output_spec(rule, 0)->size, gt_reduced_count(in, rule_bits(rule)));
    x = gt_narrowed(gt_reshape(x, rows), GT_FLOAT64);
    up = gt_narrowed(up, GT_FLOAT64);
    gt_Tensor *others = gt_multiply(gt_cumprod(x, .axis = 1, .exclusive = true),
                                    gt_cumprod(x, .axis = 1, .exclusive = true, .reverse = true));
    gt_Tensor *slope = gt_multiply(others, gt_reshape(up, gt_shape(rows.dims[0], 1)));
    slope = gt_narrowed(gt_reshape(slope, gt_spec_shape(&moved)), in->dtype);
    return gt_give(rule, 0, in_order(&perm) ? slope : gt_transpose(slope, .perm = back));
}
const gt_Operation gt_op_prod = {
    GT_RECORD("prod", "product of x over axes", 1, 1),
    .options = &gt_sum_options_type,
    .saves_inputs = 1,
    .shape = prod_shape,
    .lower = prod_lower,
    .gradient = prod_gradient,
    .mask = reduce_mask,
    .samples = SAMPLES(GT_ANY),
};
GT_DEFINE_OPTIONS(prod, gt_sum_options,
                  gt_reduction_input(here, "prod", x, GT_INT32, GT_DTYPE_NONE))

/* bool is 0 or 1 in a byte: all is the product, any the largest. */
static void any_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower(rule, lowering, GT_LOOP_MAX, false);
}
const gt_Operation gt_op_all = {
    GT_RECORD("all", "is every x true, over axes", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .options = &gt_sum_options_type,
    .shape = all_shape,
    .lower = prod_lower,
    .mask = reduce_mask,
    .samples = SAMPLES(FLAG),
};
GT_DEFINE_OPTIONS(all, gt_sum_options, gt_reduction_truth(here, "all", x))

const gt_Operation gt_op_any = {
    GT_RECORD("any", "is any x true, over axes", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .options = &gt_sum_options_type,
    .shape = all_shape,
    .lower = any_lower,
    .mask = reduce_mask,
    .samples = SAMPLES(FLAG),
};
GT_DEFINE_OPTIONS(any, gt_sum_options, gt_reduction_truth(here, "any", x))

/* ---- max, min ---- */

GT_OPTION_TYPE(gt_max_options, gt_max_OPTIONS);

static bool extreme_bits(const gt_ShapeRule *rule, uint32_t *bits)
{
    const gt_max_options *options = rule->options;
    return gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, bits);
}

/* Nothing has no largest element: it gives `initial`, without which that is an error. */
static gt_Status max_shape(gt_ShapeRule *rule)
{
    const gt_max_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    uint32_t bits;
    if (!gt_takes(in, GT_TAKES_NUMBER) || !extreme_bits(rule, &bits))
        return gt_status();
    out->dtype = in->dtype;
    gt_reduced_shape(in, bits, options->keepdims, out);
    bool wanted = in->size == 0;
    for (int d = 0; d < out->rank; d++)
        wanted &= out->dims[d] != 0;
    if (wanted && isnan(options->initial))
        return gt_reduction_refuse_empty(in);
    if (wanted && !gt_number_fits(in->dtype, options->initial))
        return gt_fail(GT_INVALID, "initial must be a number of type %s (got %g)",
                       gt_dtype_name(in->dtype), options->initial);
    return GT_OK;
}

static void lower_extreme(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_ReduceLoopId loop)
{
    const gt_max_options *options = rule->options;
    const gt_Finish finish = {.scale = 1, .empty = options->initial};
    uint32_t bits = 0;
    extreme_bits(rule, &bits);
    gt_reduction_lower(rule, lowering, loop, bits, &finish);
}

static void max_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_extreme(rule, lowering, GT_LOOP_MAX);
}

static void min_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_extreme(rule, lowering, GT_LOOP_MIN);
}

static gt_Status extreme_mask(gt_MaskRule *rule)
{
    uint32_t bits = 0;
    return extreme_bits(rule->shape, &bits) ? gt_reduction_mask(rule, bits) : gt_status();
}

/* Equal ones share equally (contract 4.1). */
static gt_Status max_gradient(gt_GradientRule *rule)
{
    const gt_max_options *options = gt_rule_options(rule);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, gt_rule_input_spec(rule, 0)->rank, &bits);
    gt_Tensor *x = gt_rule_input(rule, 0);
    gt_Tensor *up = gt_reduction_spread(rule, bits, gt_upstream(rule, 0));
    gt_Tensor *best = gt_equal(x, gt_reduction_spread(rule, bits, gt_rule_output(rule, 0)));
    if (gt_reduced_count(gt_rule_input_spec(rule, 0), bits) == 1) /* nothing to share; NaN, as below, for NaN */
        return gt_give(rule, 0, gt_where(best, up, (double)NAN));
    best = gt_cast(best, gt_rule_input_spec(rule, 0)->dtype);
    gt_Tensor *ties = gt_sum(best, .axis = options->axis, .axes = options->axes, .keepdims = true);
    return gt_give(rule, 0, gt_multiply(best, gt_divide(up, ties)));
}

#define EXTREMES                                                                                   \
    GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_APART(2, 3, 2))},                               \
               {.inputs = 1, .input = GT_INPUTS(GT_APART(3, 4)), GT_OVER(gt_max, .axis = 0)},      \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_APART(3, 4)),                                                \
                GT_OVER(gt_max, .axis = -1, .keepdims = true)},                                    \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_APART(2, 3, 2, 2)),                                          \
                GT_OVER(gt_max, .axes = {GT_MARK, 2, {0, -2}})},                                   \
               {.inputs = 1,                                                                       \
                .input = GT_INPUTS(GT_APART(2, 3)),                                                \
                GT_OVER(gt_max, .axes = {GT_MARK, 0, {0}})})
const gt_Operation gt_op_max = {
    GT_RECORD("max", "largest of x over axes", 1, 1),
    .options = &gt_max_options_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = max_shape,
    .lower = max_lower,
    .gradient = max_gradient,
    .mask = extreme_mask,
    .samples = EXTREMES,
};
const gt_Operation gt_op_min = {
    GT_RECORD("min", "smallest of x over axes", 1, 1),
    .options = &gt_max_options_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = max_shape,
    .lower = min_lower,
    .gradient = max_gradient,
    .mask = extreme_mask,
    .samples = EXTREMES,
};

static gt_Tensor *max(gt_Tensor *x, const gt_max_options *given)
{
    gt_max_options options;
    GT_TAKE(gt_max_options, &options, given);
    x = gt_apply_one_at(NULL, &gt_op_max, &options, 1, &x);
    return isnan(options.initial) ? x : gt_maximum(x, options.initial);
}
GT_COMPOSED_OPTIONS(max, max, gt_max_options)

static gt_Tensor *min(gt_Tensor *x, const gt_max_options *given)
{
    gt_max_options options;
    GT_TAKE(gt_max_options, &options, given);
    x = gt_apply_one_at(NULL, &gt_op_min, &options, 1, &x);
    return isnan(options.initial) ? x : gt_minimum(x, options.initial);
}
GT_COMPOSED_OPTIONS(min, min, gt_max_options)
