/* Reductions: records, kernels and gradient rules of ops/math/reduce.h. */
#include "ops/math/reduce.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduction.h"
#include "ops/array/reshaping.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_sum_options, gt_sum_OPTIONS);

static gt_Status run(const gt_Kernel *kernel, gt_ReduceLoopId loop, const gt_sum_options *options,
                     const gt_Finish *finish)
{
    uint32_t bits;
    if (!gt_axis_or_axes(options->axis, &options->axes, kernel->input_spec[0]->rank, &bits))
        return gt_status();
    return gt_reduction_run(kernel, loop, bits, finish);
}

/* ---- shapes ---- */

/* A count of more than INT32_MAX is int64. */
static gt_DType sum_type(gt_DType dtype, int64_t count)
{
    if (dtype == GT_BOOL)
        return count > INT32_MAX ? GT_INT64 : GT_INT32;
    return dtype == GT_UINT8 ? GT_INT32 : dtype;
}

static gt_Status reduce_shape(gt_ShapeRule *rule, unsigned types, bool sums)
{
    const gt_sum_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    uint32_t bits;
    if (!gt_takes(in, types) || !gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits))
        return gt_status();
    rule->output[0].dtype = sums ? sum_type(in->dtype, gt_reduced_count(in, bits)) : in->dtype;
    rule->scratch = gt_reduction_scratch(in, bits, rule->output[0].dtype);
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

static gt_Status nothing_to_choose(const gt_Spec *in)
{
    char text[160];
    return gt_fail(GT_INVALID, "cannot reduce an empty axis; the shape is %s",
                   gt_shape_text(gt_spec_shape(in), text, sizeof text));
}

static gt_Status max_shape(gt_ShapeRule *rule)
{
    gt_Status status = reduce_shape(rule, GT_TAKES_NUMBER, false);
    const gt_Spec *out = &rule->output[0];
    bool wanted = rule->input[0]->size == 0;
    for (int d = 0; d < out->rank; d++)
        wanted &= out->dims[d] != 0;
    return status == GT_OK && wanted ? nothing_to_choose(rule->input[0]) : status;
}

/* ---- for gradient rules ---- */

static uint32_t rule_bits(gt_GradientRule *rule)
{
    const gt_sum_options *options = gt_rule_options(rule);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, gt_rule_input_spec(rule, 0)->rank, &bits);
    return bits;
}

/* A result of the reduction over the axes of `bits`, in a shape that broadcasts to its input. */
static gt_Tensor *spread(gt_GradientRule *rule, uint32_t bits, gt_Tensor *result)
{
    gt_Spec kept = {0};
    gt_reduced_shape(gt_rule_input_spec(rule, 0), bits, true, &kept);
    return gt_reshape(result, gt_spec_shape(&kept));
}

static gt_Tensor *with_kept_axes(gt_GradientRule *rule, gt_Tensor *result)
{
    return spread(rule, rule_bits(rule), result);
}

static bool in_order(const gt_Axes *perm)
{
    for (int i = 0; i < perm->count; i++)
        if (perm->axis[i] != i)
            return false;
    return true;
}

/* ---- sum, mean, prod, max, min, all, any ---- */

#define AXES(...)                                                                                  \
    .options = &(const gt_sum_options)                                                             \
    {                                                                                              \
        GT_PRESETS(gt_sum_options, gt_sum_OPTIONS) __VA_ARGS__                                     \
    }
#define SAMPLES(INPUT)                                                                             \
    (const gt_Sample[])                                                                            \
    {                                                                                              \
        {.inputs = 1, .input = GT_INPUTS(INPUT(2, 3, 2))},                                         \
            {.inputs = 1, .input = GT_INPUTS(INPUT(3, 4)), AXES(.axis = 0)},                       \
            {.inputs = 1, .input = GT_INPUTS(INPUT(3, 4)), AXES(.axis = -1, .keepdims = true)},    \
            {.inputs = 1,                                                                          \
             .input = GT_INPUTS(INPUT(2, 3, 2, 2)),                                                \
             AXES(.axes = {GT_MARK, 2, {0, -2}})},                                                 \
            {.inputs = 1, .input = GT_INPUTS(INPUT(2, 3)), AXES(.axes = {GT_MARK, 0, {0}})},       \
            GT_SAMPLES_END                                                                         \
    }
#define REAL(...)     GT_REAL(-2, 2, __VA_ARGS__)
#define DISTINCT(...) GT_DISTINCT(-2, 2, __VA_ARGS__)
#define FLAG(...)     GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)

#define REDUCTION(op, text, LOOP, divides, rule, more, INPUT, ...)                                 \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        gt_Finish finish = {.mean = divides, .scale = 1};                                          \
        return run(kernel, GT_LOOP_##LOOP, kernel->options, &finish);                              \
    }                                                                                              \
    const gt_Operation gt_op_##op = {.size = sizeof(gt_Operation),                                 \
                                     .name = #op,                                                  \
                                     .formula = text,                                              \
                                     .flags = more,                                                \
                                     .options = &gt_sum_options_type,                              \
                                     .inputs_min = 1,                                              \
                                     .inputs_max = 1,                                              \
                                     .outputs = 1,                                                 \
                                     .shape = rule,                                                \
                                     .run = op##_run,                                              \
                                     .samples = SAMPLES(INPUT),                                    \
                                     __VA_ARGS__};

static gt_Status sum_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = with_kept_axes(rule, gt_upstream(rule, 0));
    return gt_give(rule, 0, gt_broadcast_to(up, gt_spec_shape(gt_rule_input_spec(rule, 0))));
}
REDUCTION(sum, "sum of x over axes", SUM, false, sum_shape, GT_OP_LINEAR, REAL,
          .gradient = sum_gradient)

static gt_Status mean_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = with_kept_axes(rule, gt_upstream(rule, 0));
    up = gt_divide(up, (double)gt_reduced_count(gt_rule_input_spec(rule, 0), rule_bits(rule)));
    return gt_give(rule, 0, gt_broadcast_to(up, gt_spec_shape(gt_rule_input_spec(rule, 0))));
}
REDUCTION(mean, "mean of x over axes", SUM, true, mean_shape, GT_OP_LINEAR, REAL,
          .gradient = mean_gradient)

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
REDUCTION(prod, "product of x over axes", PROD, false, prod_shape, 0, REAL, .saves_inputs = 1,
          .gradient = prod_gradient)

/* Equal ones share equally (contract 4.1). */
static gt_Status max_gradient(gt_GradientRule *rule)
{
    const gt_sum_options *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_input(rule, 0), *up = with_kept_axes(rule, gt_upstream(rule, 0));
    gt_Tensor *best = gt_equal(x, with_kept_axes(rule, gt_rule_output(rule, 0)));
    best = gt_cast(best, gt_rule_input_spec(rule, 0)->dtype);
    gt_Tensor *ties = gt_sum(best, .axis = options->axis, .axes = options->axes, .keepdims = true);
    return gt_give(rule, 0, gt_multiply(best, gt_divide(up, ties)));
}
REDUCTION(max, "largest of x over axes", MAX, false, max_shape, 0, DISTINCT, .saves_inputs = 1,
          .saves_outputs = 1, .gradient = max_gradient)
REDUCTION(min, "smallest of x over axes", MIN, false, max_shape, 0, DISTINCT, .saves_inputs = 1,
          .saves_outputs = 1, .gradient = max_gradient)

/* bool is 0 or 1 in a byte: all is the product, any the largest. */
REDUCTION(all, "is every x true, over axes", PROD, false, all_shape, GT_OP_NOT_DIFFERENTIABLE, FLAG,
          .why_not = "it is true or false")
REDUCTION(any, "is any x true, over axes", MAX, false, all_shape, GT_OP_NOT_DIFFERENTIABLE, FLAG,
          .why_not = "it is true or false")

/* ---- squares, and the length of a vector ---- */

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
    rule->scratch = gt_reduction_scratch(in, bits, rule->output[0].dtype);
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

static gt_Status squares_run(const gt_Kernel *kernel)
{
    const gt_SquaresOptions *options = kernel->options;
    gt_Finish finish = {.mean = options->mean, .scale = options->scale};
    uint32_t bits;
    if (!gt_axis_or_axes(options->axis, &options->axes, kernel->input_spec[0]->rank, &bits))
        return gt_status();
    return gt_reduction_run(kernel, GT_LOOP_SQUARES, bits, &finish);
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
    gt_Tensor *up = gt_multiply(spread(rule, bits, gt_upstream(rule, 0)), 2 * scale);
    return gt_give(rule, 0, gt_multiply(gt_rule_input(rule, 0), up));
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
    .run = squares_run,
    .gradient = squares_gradient,
    .samples =
        GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(REAL(2, 3, 2))},
                   {.inputs = 1, .input = GT_INPUTS(REAL(3, 4)), SQUARES(.axis = 0, .mean = true)},
                   {.inputs = 1,
                    .input = GT_INPUTS(REAL(2, 3, 2, 2)),
                    SQUARES(.axes = {GT_MARK, 2, {0, -2}}, .keepdims = true, .scale = 0.25)}),
};

gt_Tensor *gt_squares(gt_Tensor *x, const gt_SquaresOptions *options)
{
    return gt_apply_one_at(NULL, &gt_op_squares, options, 1, &x);
}

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
    rule->scratch = gt_reduction_scratch(in, bits, rule->output[0].dtype);
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

static gt_Status length_run(const gt_Kernel *kernel)
{
    const gt_LengthOptions *options = kernel->options;
    gt_Finish finish = {options->mean, 1, true, options->epsilon, options->floor};
    uint32_t bits;
    if (!gt_axis_or_axes(options->axis, &options->axes, kernel->input_spec[0]->rank, &bits))
        return gt_status();
    return gt_reduction_run(kernel, GT_LOOP_SQUARES, bits, &finish);
}

/* x / length, divided by n for a mean; 0 where the floor is. */
static gt_Status length_gradient(gt_GradientRule *rule)
{
    const gt_LengthOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0), *out = gt_rule_output_spec(rule, 0);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits);
    gt_Tensor *x = gt_rule_input(rule, 0), *length = spread(rule, bits, gt_rule_output(rule, 0));
    gt_Tensor *up = spread(rule, bits, gt_upstream(rule, 0));
    if (options->floor > 0)
        up = gt_where(gt_greater(length, options->floor), up, 0);
    if (options->mean)
        up = gt_divide(up, (double)gt_reduced_count(in, bits));
    x = gt_multiply(gt_divide(gt_narrowed(x, out->dtype), length), up);
    return gt_give(rule, 0, gt_narrowed(x, in->dtype));
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
    .run = length_run,
    .gradient = length_gradient,
    .samples =
        GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(REAL(2, 3, 2))},
                   {.inputs = 1, .input = GT_INPUTS(REAL(3, 4)), LENGTH(.axis = 0, .mean = true)},
                   {.inputs = 1,
                    .input = GT_INPUTS(REAL(3, 4)),
                    LENGTH(.axis = -1, .keepdims = true, .mean = true, .epsilon = 0.5)},
                   {.inputs = 1,
                    .input = GT_INPUTS(REAL(2, 3, 2, 2)),
                    LENGTH(.axes = {GT_MARK, 2, {0, -2}}, .floor = 0.125, .wide = true)}),
};

gt_Tensor *gt_length(gt_Tensor *x, const gt_LengthOptions *options)
{
    return gt_apply_one_at(NULL, &gt_op_length, options, 1, &x);
}

/* ---- the functions ---- */

/* x in the type that `operation` computes with: its own, or `small` for bool and uint8, `whole` for
 * larger integers (GT_DTYPE_NONE: no change). */
static gt_Tensor *widened(const char *here, const char *operation, gt_Tensor *x, gt_DType small,
                          gt_DType whole)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, operation, "input 1", x) : NULL;
    if (!slot || gt_dtype_is_float(slot->value->spec.dtype))
        return x;
    gt_DType type = slot->value->spec.dtype;
    gt_DType wanted = type == GT_BOOL || type == GT_UINT8 ? small : whole;
    return wanted == GT_DTYPE_NONE || wanted == type ? x : gt_cast_at(here, x, wanted);
}

#define FUNCTION(op, small, whole)                                                                 \
    GT_DEFINE_OPTIONS(op, gt_sum_options, widened(here, #op, x, small, whole))

GT_DEFINE_OPTIONS(sum, gt_sum_options, x)
FUNCTION(mean, GT_FLOAT32, GT_FLOAT32)
FUNCTION(prod, GT_INT32, GT_DTYPE_NONE)

GT_OPTION_TYPE(gt_max_options, gt_max_OPTIONS);

static gt_Tensor *extremum(gt_Tensor *x, const gt_max_options *given, bool largest)
{
    gt_max_options options = GT_TAKE(gt_max_options, given);
    gt_sum_options over = GT_VALUES(gt_sum_options, options.axis, options.axes, options.keepdims);
    double initial = options.initial;
    if (!isnan(initial)) {
        gt_Spec in = gt_spec(x), out;
        uint32_t bits;
        if (gt_status() != GT_OK || !gt_axis_or_axes(over.axis, &over.axes, in.rank, &bits))
            return NULL;
        if (gt_reduced_count(&in, bits) == 0) {
            gt_reduced_shape(&in, bits, over.keepdims, &out);
            return gt_full(gt_spec_shape(&out), initial, .dtype = in.dtype);
        }
    }
    x = gt_apply_one_at(NULL, largest ? &gt_op_max : &gt_op_min, &over, 1, &x);
    return isnan(initial) ? x : largest ? gt_maximum(x, initial) : gt_minimum(x, initial);
}
static gt_Tensor *max(gt_Tensor *x, const gt_max_options *options)
{
    return extremum(x, options, true);
}
GT_COMPOSED_OPTIONS(max, max, gt_max_options)
static gt_Tensor *min(gt_Tensor *x, const gt_max_options *options)
{
    return extremum(x, options, false);
}
GT_COMPOSED_OPTIONS(min, min, gt_max_options)

/* x as what is not 0. */
static gt_Tensor *truth(const char *here, const char *operation, gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, operation, "input 1", x) : NULL;
    return !slot || slot->value->spec.dtype == GT_BOOL ? x : gt_cast_at(here, x, GT_BOOL);
}

#define TRUTH_FUNCTION(op) GT_DEFINE_OPTIONS(op, gt_sum_options, truth(here, #op, x))
TRUTH_FUNCTION(all)
TRUTH_FUNCTION(any)

/* gt_NAME made of the static function NAME. */
#define COMPOSED(op)                                                                               \
    GT_COMPOSED(op, (const char *here, gt_Tensor *x, const gt_sum_options *options), (x, options)) \
    gt_Tensor *(gt_##op)(gt_Tensor * x)                                                            \
    {                                                                                              \
        return gt_##op##_at(NULL, x, NULL);                                                        \
    }

/* x without its mean. */
static gt_Tensor *centered(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    gt_sum_options kept = GT_TAKE(gt_sum_options, options);
    kept.keepdims = true;
    return gt_subtract(x, gt_mean_at(NULL, x, &kept));
}

static gt_Tensor *variance(gt_Tensor *x, const gt_sum_options *given)
{
    gt_sum_options options = GT_TAKE(gt_sum_options, given);
    return GT_SQUARES(centered(x, given), .axis = options.axis, .axes = options.axes,
                      .keepdims = options.keepdims, .mean = true);
}
COMPOSED(variance)

static gt_Tensor *std(gt_Tensor *x, const gt_sum_options *given)
{
    gt_sum_options options = GT_TAKE(gt_sum_options, given);
    return GT_LENGTH(centered(x, given), .axis = options.axis, .axes = options.axes,
                     .keepdims = options.keepdims, .mean = true);
}
COMPOSED(std)

static gt_Tensor *count_nonzero(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_sum_at(NULL, truth(NULL, "count_nonzero", x), options);
}
COMPOSED(count_nonzero)

/* ---- logsumexp: over the last `axes` axes, which the function puts there ---- */

#define LOGSUMEXP_OPTIONS(F, S) F(S, int32_t, axes, 1, "how many of the last axes")
GT_OPTIONS(LogsumexpOptions, LOGSUMEXP_OPTIONS);
GT_OPTION_TYPE(LogsumexpOptions, LOGSUMEXP_OPTIONS);

static gt_Status logsumexp_shape(gt_ShapeRule *rule)
{
    const LogsumexpOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    if (options->axes < 0 || options->axes > in->rank)
        return gt_fail(GT_INVALID, "%d axes of a tensor of rank %d", options->axes, in->rank);
    rule->output[0] = *in;
    rule->output[0].rank -= options->axes;
    return gt_takes(in, GT_TAKES_FLOAT) ? GT_OK : gt_status();
}

typedef struct LogsumexpJob {
    gt_RowsLoop *loop;
    int64_t columns, group;
} LogsumexpJob;

static void logsumexp_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                            void *scratch)
{
    (void)scratch;
    const LogsumexpJob *job = argument;
    const gt_Spec *out = kernel->output_spec[0];
    size_t element = gt_dtype_size(out->dtype);
    int64_t begin = first * job->group;
    int64_t end = last * job->group < out->size ? last * job->group : out->size;
    job->loop(end - begin, job->columns,
              (const char *)kernel->input[0] + (size_t)(begin * job->columns) * element,
              (char *)kernel->output[0] + (size_t)begin * element);
}

static gt_Status logsumexp_run(const gt_Kernel *kernel)
{
    const LogsumexpOptions *options = kernel->options;
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    LogsumexpJob job = {kernel->context->kernels->logsumexp[gt_loop_type(in->dtype)], 1, 1};
    for (int d = in->rank - options->axes; d < in->rank; d++)
        job.columns *= in->dims[d];
    if (job.columns < GT_CHUNK)
        job.group = GT_CHUNK / (job.columns > 0 ? job.columns : 1);
    return gt_for_tiles(kernel, (out->size + job.group - 1) / job.group, logsumexp_tiles, &job);
}

/* exp(x - y): the softmax. Where all is -inf, y is raised to the lowest number, and the gradient is
 * 0. */
static gt_Status logsumexp_gradient(gt_GradientRule *rule)
{
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Spec kept = *in;
    for (int d = gt_rule_output_spec(rule, 0)->rank; d < in->rank; d++)
        kept.dims[d] = 1;
    gt_Shape shape = gt_spec_shape(&kept);
    double lowest =
        in->dtype == GT_FLOAT32 ? -3.40282346638528859812e+38 : -1.79769313486231570815e+308;
    gt_Tensor *y = gt_reshape(gt_maximum(gt_rule_output(rule, 0), lowest), shape);
    gt_Tensor *softmax = gt_exp(gt_subtract(gt_rule_input(rule, 0), y));
    return gt_give(rule, 0, gt_multiply(gt_reshape(gt_upstream(rule, 0), shape), softmax));
}

const gt_Operation gt_op_logsumexp = {
    GT_RECORD("logsumexp", "log(sum of exp(x) over the last axes)", 1, 1),
    .options = &LogsumexpOptions_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = logsumexp_shape,
    .run = logsumexp_run,
    .gradient = logsumexp_gradient,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(REAL(3, 4))},
                          {.inputs = 1,
                           .input = GT_INPUTS(REAL(2, 3, 2)),
                           .options = &GT_VALUES(LogsumexpOptions, 2)}),
};

static gt_Tensor *logsumexp(gt_Tensor *x, const gt_sum_options *given)
{
    gt_sum_options options = GT_TAKE(gt_sum_options, given);
    gt_Spec in = gt_spec(x), out = {0};
    uint32_t bits;
    if (gt_status() != GT_OK || !gt_axis_or_axes(options.axis, &options.axes, in.rank, &bits))
        return NULL;
    gt_Axes perm = gt_reduced_last(in.rank, bits);
    LogsumexpOptions last = {.size = GT_SIZE(LogsumexpOptions)};
    for (uint32_t rest = bits; rest; rest &= rest - 1)
        last.axes++;
    if (!in_order(&perm))
        x = gt_transpose(x, .perm = perm);
    x = gt_apply_one_at(NULL, &gt_op_logsumexp, &last, 1, &x);
    gt_reduced_shape(&in, bits, options.keepdims, &out);
    return options.keepdims ? gt_reshape(x, gt_spec_shape(&out)) : x;
}
COMPOSED(logsumexp)

/* ---- argmax, argmin ---- */

GT_OPTION_TYPE(gt_argmax_options, gt_argmax_OPTIONS);

/* A tensor seen along one axis, or along all of them: outer x count x inner. */
typedef struct Along {
    int64_t outer, count, inner;
} Along;

static bool along(const gt_Spec *spec, int axis, Along *view)
{
    *view = (Along){1, spec->size, 1};
    if (axis == GT_NONE)
        return true;
    axis = gt_axis(axis, spec->rank);
    if (axis < 0)
        return false;
    view->count = spec->dims[axis];
    for (int d = 0; d < axis; d++)
        view->outer *= spec->dims[d];
    for (int d = axis + 1; d < spec->rank; d++)
        view->inner *= spec->dims[d];
    return true;
}

static gt_Status arg_shape(gt_ShapeRule *rule)
{
    const gt_argmax_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    Along view;
    if (!gt_takes(in, GT_TAKES_ANY) || !along(in, options->axis, &view))
        return gt_status();
    if (view.count == 0 && view.outer * view.inner > 0)
        return nothing_to_choose(in);
    if (view.count > INT32_MAX)
        return gt_fail(GT_INVALID, "%lld numbers are more than an int32 can count",
                       (long long)view.count);
    uint32_t bits =
        options->axis == GT_NONE ? (1u << in->rank) - 1 : 1u << gt_axis(options->axis, in->rank);
    rule->output[0].dtype = GT_INT32;
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

#define GT_STRIP     64   /* columns that are looked through together */
#define GT_STRIP_ROW 4096 /* numbers of a row that are reduced together */

/* The first NaN beats every number and every later one. */
#define GT_ARG_LOOP(type, BETTER)                                                                  \
    {                                                                                              \
        const type *x = (const type *)from;                                                        \
        type best[GT_STRIP];                                                                       \
        memcpy(best, x, (size_t)width * sizeof *x);                                                \
        for (int64_t i = 1; i < view->count; i++)                                                  \
            for (int64_t j = 0; j < width; j++) {                                                  \
                type next = x[i * view->inner + j];                                                \
                if (next BETTER best[j] || (next != next && best[j] == best[j])) {                 \
                    best[j] = next;                                                                \
                    y[j] = (int32_t)i;                                                             \
                }                                                                                  \
            }                                                                                      \
        break;                                                                                     \
    }
/* One row: the reduction of each block, then the place in the best of them. */
#define GT_ARG_ROW(type, BETTER)                                                                   \
    {                                                                                              \
        const type *x = from;                                                                      \
        type best = x[0], next;                                                                    \
        int64_t place = 0;                                                                         \
        for (int64_t i = 0; i < count; i += GT_STRIP_ROW) {                                        \
            reduce(count - i < GT_STRIP_ROW ? count - i : GT_STRIP_ROW, x + i, &next);             \
            if (next BETTER best || (next != next && best == best)) {                              \
                best = next;                                                                       \
                place = i;                                                                         \
            }                                                                                      \
        }                                                                                          \
        return (int32_t)(place + find(count - place, x + place, &best));                           \
    }
#define GT_ARG_LOOPS(name, BETTER)                                                                 \
    static int32_t name##_of_row(gt_DType dtype, gt_ReduceLoop *reduce, gt_FindLoop *find,         \
                                 int64_t count, const void *from)                                  \
    {                                                                                              \
        switch (dtype) {                                                                           \
        case GT_FLOAT32:                                                                           \
            GT_ARG_ROW(float, BETTER)                                                              \
        case GT_FLOAT64:                                                                           \
            GT_ARG_ROW(double, BETTER)                                                             \
        case GT_INT32:                                                                             \
            GT_ARG_ROW(int32_t, BETTER)                                                            \
        case GT_INT64:                                                                             \
            GT_ARG_ROW(int64_t, BETTER)                                                            \
        default:                                                                                   \
            GT_ARG_ROW(uint8_t, BETTER)                                                            \
        }                                                                                          \
    }                                                                                              \
    static void name(gt_DType dtype, const Along *view, int64_t width, const void *from,           \
                     int32_t *y)                                                                   \
    {                                                                                              \
        memset(y, 0, (size_t)width * sizeof *y);                                                   \
        switch (dtype) {                                                                           \
        case GT_FLOAT32:                                                                           \
            GT_ARG_LOOP(float, BETTER)                                                             \
        case GT_FLOAT64:                                                                           \
            GT_ARG_LOOP(double, BETTER)                                                            \
        case GT_INT32:                                                                             \
            GT_ARG_LOOP(int32_t, BETTER)                                                           \
        case GT_INT64:                                                                             \
            GT_ARG_LOOP(int64_t, BETTER)                                                           \
        default:                                                                                   \
            GT_ARG_LOOP(uint8_t, BETTER)                                                           \
        }                                                                                          \
    }
GT_ARG_LOOPS(find_largest, >)
GT_ARG_LOOPS(find_smallest, <)

/* A tile is a strip of columns of one outer position, or a group of rows where inner is 1. */
static void arg_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                      void *scratch)
{
    (void)scratch;
    const Along *view = argument;
    const gt_Spec *in = kernel->input_spec[0];
    bool largest = kernel->operation == &gt_op_argmax;
    int64_t strips = (view->inner + GT_STRIP - 1) / GT_STRIP;
    gt_LoopType type = in->dtype == GT_BOOL ? GT_LOOP_U8 : (gt_LoopType)gt_loop_type(in->dtype);
    gt_ReduceLoop *reduce =
        kernel->context->kernels->reduce[largest ? GT_LOOP_MAX : GT_LOOP_MIN][type];
    gt_FindLoop *find = kernel->context->kernels->find[type];
    for (int64_t tile = first; tile < last; tile++) {
        int64_t outer = tile / strips, column = tile % strips * GT_STRIP;
        int64_t width = view->inner - column < GT_STRIP ? view->inner - column : GT_STRIP;
        const char *x =
            (const char *)kernel->input[0] +
            (size_t)(outer * view->count * view->inner + column) * gt_dtype_size(in->dtype);
        int32_t *y = (int32_t *)kernel->output[0] + outer * view->inner + column;
        if (view->inner == 1)
            *y = (largest ? find_largest_of_row : find_smallest_of_row)(in->dtype, reduce, find,
                                                                        view->count, x);
        else
            (largest ? find_largest : find_smallest)(in->dtype, view, width, x, y);
    }
}

static gt_Status arg_run(const gt_Kernel *kernel)
{
    const gt_argmax_options *options = kernel->options;
    Along view;
    if (!along(kernel->input_spec[0], options->axis, &view))
        return gt_status();
    int64_t strips = (view.inner + GT_STRIP - 1) / GT_STRIP;
    return gt_for_tiles(kernel, view.outer * strips, arg_tiles, &view);
}

#define ARG_AXIS(...)                                                                              \
    .options = &(const gt_argmax_options)                                                          \
    {                                                                                              \
        GT_PRESETS(gt_argmax_options, gt_argmax_OPTIONS) __VA_ARGS__                               \
    }
#define ARG(op, text)                                                                              \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_NOT_DIFFERENTIABLE,                                                         \
        .why_not = "it is a position, an integer",                                                 \
        .options = &gt_argmax_options_type,                                                        \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = arg_shape,                                                                        \
        .run = arg_run,                                                                            \
        .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(DISTINCT(3, 4))},                   \
                              {.inputs = 1,                                                        \
                               .input = GT_INPUTS(DISTINCT(3, 4)),                                 \
                               ARG_AXIS(.axis = 0, .keepdims = true)},                             \
                              GT_SAMPLES_END),                                                     \
    };                                                                                             \
    GT_DEFINE_OPTIONS(op, gt_argmax_options, x)
ARG(argmax, "position of the largest x")
ARG(argmin, "position of the smallest x")

/* ---- running sums and products ---- */

GT_OPTION_TYPE(gt_cumsum_options, gt_cumsum_OPTIONS);

static gt_Status cumulative_shape(gt_ShapeRule *rule)
{
    const gt_cumsum_options *options = rule->options;
    Along view;
    if (!along(rule->input[0], options->axis, &view) || gt_shape_number(rule) != GT_OK)
        return gt_status();
    if (options->axis == GT_NONE) {
        rule->output[0].rank = 1;
        rule->output[0].dims[0] = rule->input[0]->size;
    }
    return GT_OK;
}

/* One row after the other along the axis, `step` apart; each from the one before. Integers wrap. */
typedef struct Scan {
    Along view;
    int64_t width, strips, group;
    bool reverse, exclusive;
} Scan;

#define GT_SCAN_ROWS(type, wide, OP, identity)                                                     \
    {                                                                                              \
        const type *x = (const type *)from;                                                        \
        type *y = to;                                                                              \
        for (int64_t j = 0; j < width; j++)                                                        \
            y[j] = exclusive ? (type)(identity) : x[j];                                            \
        const type *factor = exclusive ? x : x + step;                                             \
        for (int64_t i = 1; i < count; i++, y += step, factor += step)                             \
            for (int64_t j = 0; j < width; j++)                                                    \
                y[step + j] = (type)((wide)y[j] OP(wide) factor[j]);                               \
        break;                                                                                     \
    }
#define GT_SCAN(name, OP, identity)                                                                \
    static void name(gt_DType dtype, int64_t count, int64_t width, int64_t step, bool exclusive,   \
                     const void *from, void *to)                                                   \
    {                                                                                              \
        switch (dtype) {                                                                           \
        case GT_FLOAT32:                                                                           \
            name##_float(count, width, step, exclusive, from, to);                                 \
            break;                                                                                 \
        case GT_FLOAT64:                                                                           \
            name##_double(count, width, step, exclusive, from, to);                                \
            break;                                                                                 \
        case GT_INT32:                                                                             \
            GT_SCAN_ROWS(int32_t, uint32_t, OP, identity)                                          \
        case GT_INT64:                                                                             \
            GT_SCAN_ROWS(int64_t, uint64_t, OP, identity)                                          \
        default:                                                                                   \
            GT_SCAN_ROWS(uint8_t, uint32_t, OP, identity)                                          \
        }                                                                                          \
    }

#define GT_BESIDE 64 /* columns that run beside each other, in double */

/* Running sums of floats go on in double: each is as good as if it were computed alone. Of a single
 * column four are computed at a time, so that one sum need not wait for the one before. */
#define GT_RUNNING_SUM(type)                                                                       \
    static void running_sum_one_##type(int64_t count, int64_t step, double sum, const type *x,     \
                                       type *y)                                                    \
    {                                                                                              \
        int64_t i = 0;                                                                             \
        for (; i + 4 <= count; i += 4, x += 4 * step, y += 4 * step) {                             \
            double a = (double)x[0], b = a + (double)x[step], c = b + (double)x[2 * step];         \
            double d = c + (double)x[3 * step];                                                    \
            y[0] = (type)(sum + a);                                                                \
            y[step] = (type)(sum + b);                                                             \
            y[2 * step] = (type)(sum + c);                                                         \
            y[3 * step] = (type)(sum += d);                                                        \
        }                                                                                          \
        for (; i < count; i++, x += step, y += step)                                               \
            *y = (type)(sum += (double)*x);                                                        \
    }                                                                                              \
    static void running_sum_##type(int64_t count, int64_t width, int64_t step, bool exclusive,     \
                                   const type *from, type *to)                                     \
    {                                                                                              \
        double sum[GT_BESIDE];                                                                     \
        int64_t ahead = exclusive ? 0 : step;                                                      \
        if (width == 1) {                                                                          \
            to[0] = exclusive ? 0 : from[0];                                                       \
            running_sum_one_##type(count - 1, step, (double)to[0], from + ahead, to + step);       \
            return;                                                                                \
        }                                                                                          \
        for (int64_t column = 0; column < width; column += GT_BESIDE) {                            \
            const type *x = from + column + ahead;                                                 \
            type *y = to + column;                                                                 \
            int64_t n = width - column < GT_BESIDE ? width - column : GT_BESIDE;                   \
            for (int64_t j = 0; j < n; j++)                                                        \
                y[j] = (type)(sum[j] = exclusive ? 0 : (double)from[column + j]);                  \
            for (int64_t i = 1; i < count; i++, x += step) {                                       \
                y += step;                                                                         \
                for (int64_t j = 0; j < n; j++)                                                    \
                    y[j] = (type)(sum[j] += (double)x[j]);                                         \
            }                                                                                      \
        }                                                                                          \
    }
GT_RUNNING_SUM(float)
GT_RUNNING_SUM(double)

/* As near to 1 as a float; 0 is, too. */
static inline bool is_near(double x)
{
    return (fabs(x) > 0x1p-150 && fabs(x) < 0x1p150) || x == 0;
}

/* Running products of floats do not overflow or underflow on their way either. `rows` of them are
 * done in one go where no exponent is needed. */
#define GT_RUNNING_PRODUCT(type, rows)                                                             \
    static void running_product_one_##type(int64_t count, int64_t step, bool exclusive,            \
                                           const type *x, type *y)                                 \
    {                                                                                              \
        gt_Scaled product = {1, 0};                                                                \
        for (int64_t i = 0; i < count;) {                                                          \
            int64_t end = count - i < 4 ? count : i + 4;                                           \
            double now = product.size;                                                             \
            const type *from = x + i * step;                                                       \
            type *to = y + i * step;                                                               \
            if (product.exponent != 0 || !gt_is_mild(now) || end < i + 4 ||                        \
                (rows == 1 &&                                                                      \
                 !(is_near((double)from[0]) && is_near((double)from[step]) &&                      \
                   is_near((double)from[2 * step]) && is_near((double)from[3 * step])))) {         \
                for (; i < end; i++) {                                                             \
                    gt_Scaled next = gt_times(product, (double)x[i * step]);                       \
                    y[i * step] = (type)gt_plain(exclusive ? product : next);                      \
                    product = next;                                                                \
                }                                                                                  \
                continue;                                                                          \
            }                                                                                      \
            double a = (double)from[0], b = a * (double)from[step];                                \
            double c = b * (double)from[2 * step], d = c * (double)from[3 * step];                 \
            to[0] = (type)(exclusive ? now : now * a);                                             \
            to[step] = (type)(now * (exclusive ? a : b));                                          \
            to[2 * step] = (type)(now * (exclusive ? b : c));                                      \
            to[3 * step] = (type)(now * (exclusive ? c : d));                                      \
            product.size = now * d;                                                                \
            i = end;                                                                               \
        }                                                                                          \
    }                                                                                              \
    static void running_product_##type(int64_t count, int64_t width, int64_t step, bool exclusive, \
                                       const type *from, type *to)                                 \
    {                                                                                              \
        double size[GT_BESIDE];                                                                    \
        int64_t exponent[GT_BESIDE];                                                               \
        for (int64_t column = 0; column < width && width > 1; column += GT_BESIDE) {               \
            const type *x = from + column;                                                         \
            type *y = to + column;                                                                 \
            int64_t n = width - column < GT_BESIDE ? width - column : GT_BESIDE;                   \
            bool mild = true;                                                                      \
            for (int64_t j = 0; j < n; j++) {                                                      \
                size[j] = 1;                                                                       \
                exponent[j] = 0;                                                                   \
            }                                                                                      \
            for (int64_t i = 0; i < count; i++, x += step, y += step) {                            \
                if (i % rows == 0) {                                                               \
                    mild = true;                                                                   \
                    for (int64_t j = 0; j < n; j++)                                                \
                        mild &= exponent[j] == 0 && gt_is_mild(size[j]) &&                         \
                                (rows > 1 || gt_is_mild((double)x[j]));                            \
                }                                                                                  \
                for (int64_t j = 0; j < n && mild; j++) {                                          \
                    double next = size[j] * (double)x[j];                                          \
                    y[j] = (type)(exclusive ? size[j] : next);                                     \
                    size[j] = next;                                                                \
                }                                                                                  \
                for (int64_t j = 0; j < n && !mild; j++) {                                         \
                    gt_Scaled now = {size[j], exponent[j]}, next = gt_times(now, (double)x[j]);    \
                    y[j] = (type)gt_plain(exclusive ? now : next);                                 \
                    size[j] = next.size;                                                           \
                    exponent[j] = next.exponent;                                                   \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        if (width == 1)                                                                            \
            running_product_one_##type(count, step, exclusive, from, to);                          \
    }
GT_RUNNING_PRODUCT(float, 4)
GT_RUNNING_PRODUCT(double, 1)

GT_SCAN(running_sum, +, 0)
GT_SCAN(running_product, *, 1)

/* y[i] = b[i] + a[i] y[i-1], in double */
#define GT_RECUR(type)                                                                             \
    static void recur_##type(int64_t count, int64_t width, int64_t step, const type *a,            \
                             const type *b, type *y)                                               \
    {                                                                                              \
        double now[GT_BESIDE];                                                                     \
        for (int64_t column = 0; column < width; column += GT_BESIDE) {                            \
            int64_t n = width - column < GT_BESIDE ? width - column : GT_BESIDE;                   \
            for (int64_t j = column; j < column + n; j++)                                          \
                y[j] = (type)(now[j - column] = (double)b[j]);                                     \
            for (int64_t i = 1; i < count; i++)                                                    \
                for (int64_t j = 0; j < n; j++) {                                                  \
                    int64_t at = i * step + column + j;                                            \
                    now[j] = (double)b[at] + (double)a[at] * now[j];                               \
                    y[at] = (type)now[j];                                                          \
                }                                                                                  \
        }                                                                                          \
    }
GT_RECUR(float)
GT_RECUR(double)

static void scan_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    (void)scratch;
    const Scan *scan = argument;
    const Along *view = &scan->view;
    gt_DType dtype = kernel->output_spec[0]->dtype;
    int64_t step = scan->reverse ? -view->inner : view->inner;
    int64_t units = view->outer * scan->strips;
    int64_t end = last * scan->group < units ? last * scan->group : units;
    for (int64_t unit = first * scan->group; unit < end; unit++) {
        int64_t column = unit % scan->strips * scan->width;
        int64_t width = view->inner - column < scan->width ? view->inner - column : scan->width;
        int64_t at = unit / scan->strips * view->count * view->inner + column;
        if (scan->reverse)
            at += (view->count - 1) * view->inner;
        size_t offset = (size_t)at * gt_dtype_size(dtype);
        const char *x = (const char *)kernel->input[0] + offset;
        char *y = (char *)kernel->output[0] + offset;
        if (kernel->operation == &gt_op_cumsum)
            running_sum(dtype, view->count, width, step, scan->exclusive, x, y);
        else if (kernel->operation == &gt_op_cumprod)
            running_product(dtype, view->count, width, step, scan->exclusive, x, y);
        else if (dtype == GT_FLOAT32)
            recur_float(view->count, width, step, (const float *)x,
                        (const float *)kernel->input[1] + at, (float *)y);
        else
            recur_double(view->count, width, step, (const double *)x,
                         (const double *)kernel->input[1] + at, (double *)y);
    }
}

static gt_Status run_scan(const gt_Kernel *kernel, int axis, bool exclusive, bool reverse)
{
    const gt_Spec *out = kernel->output_spec[0];
    Scan scan = {.exclusive = exclusive, .reverse = reverse};
    if (!along(out, axis, &scan.view))
        return gt_status();
    if (out->size == 0)
        return GT_OK;
    scan.width = GT_CHUNK / scan.view.count > 64 ? GT_CHUNK / scan.view.count : 64;
    if (scan.width > scan.view.inner)
        scan.width = scan.view.inner;
    scan.strips = (scan.view.inner + scan.width - 1) / scan.width;
    int64_t work = scan.width * scan.view.count;
    scan.group = work < GT_CHUNK ? GT_CHUNK / work : 1;
    int64_t units = scan.view.outer * scan.strips;
    return gt_for_tiles(kernel, (units + scan.group - 1) / scan.group, scan_tiles, &scan);
}

static gt_Status cumulative_run(const gt_Kernel *kernel)
{
    const gt_cumsum_options *options = kernel->options;
    return run_scan(kernel, options->axis, options->exclusive, options->reverse);
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

#define RUNNING(...)                                                                               \
    .options = &(const gt_cumsum_options)                                                          \
    {                                                                                              \
        GT_PRESETS(gt_cumsum_options, gt_cumsum_OPTIONS) __VA_ARGS__                               \
    }
#define CUMULATIVE(op, text, more, ...)                                                            \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = more,                                                                             \
        .options = &gt_cumsum_options_type,                                                        \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = cumulative_shape,                                                                 \
        .run = cumulative_run,                                                                     \
        .gradient = op##_gradient,                                                                 \
        .samples = GT_SAMPLES(                                                                     \
            {.inputs = 1, .input = GT_INPUTS(REAL(2, 3))},                                         \
            {.inputs = 1, .input = GT_INPUTS(REAL(2, 4, 2)), RUNNING(.axis = 1)},                  \
            {.inputs = 1, .input = GT_INPUTS(REAL(4, 2)), RUNNING(.axis = 0, .exclusive = true)},  \
            {.inputs = 1, .input = GT_INPUTS(REAL(2, 4)), RUNNING(.axis = -1, .reverse = true)},   \
            {.inputs = 1,                                                                          \
             .input = GT_INPUTS(REAL(2, 4)),                                                       \
             RUNNING(.axis = 1, .exclusive = true, .reverse = true)},                              \
            GT_SAMPLES_END),                                                                       \
        __VA_ARGS__};                                                                              \
    GT_DEFINE_OPTIONS(op, gt_cumsum_options, widened(here, #op, x, GT_INT32, GT_DTYPE_NONE))
CUMULATIVE(cumsum, "running sum of x", GT_OP_LINEAR, .saves_inputs = 0)
CUMULATIVE(cumprod, "running product of x", 0, .saves_inputs = 1)

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

static gt_Status recurrence_run(const gt_Kernel *kernel)
{
    const RecurrenceOptions *options = kernel->options;
    return run_scan(kernel, options->axis, false, options->reverse);
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
    .run = recurrence_run,
    .gradient = recurrence_gradient,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(REAL(4, 2), REAL(4, 2))},
                          {.inputs = 2,
                           .input = GT_INPUTS(REAL(2, 4), REAL(2, 4)),
                           .options = &GT_VALUES(RecurrenceOptions, -1, true)}),
};

/* ---- without NaN ---- */

/* x with that number in place of NaN. */
static gt_Tensor *filled(gt_Tensor *x, double number)
{
    return gt_where(gt_isnan(x), gt_scalar(number, gt_dtype(x)), x);
}

static gt_Tensor *nansum(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_sum_at(NULL, filled(gt_as_float(x), 0), options);
}
COMPOSED(nansum)

/* How many numbers count, in the type of x. */
static gt_Tensor *count_numbers(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_sum_at(NULL, gt_cast(gt_logical_not(gt_isnan(x)), gt_dtype(x)), options);
}

static gt_Tensor *nanmean(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    return gt_divide(gt_sum_at(NULL, filled(x, 0), options), count_numbers(x, options));
}
COMPOSED(nanmean)

static gt_Tensor *with_nan(gt_Tensor *result, gt_Tensor *counts)
{
    return gt_where(gt_equal(counts, 0), gt_scalar((double)NAN, gt_dtype(result)), result);
}

static gt_Tensor *nanmax(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    gt_Tensor *numbers = filled(x, (double)-INFINITY);
    return with_nan(gt_apply_one_at(NULL, &gt_op_max, options, 1, &numbers),
                    count_numbers(x, options));
}
COMPOSED(nanmax)

static gt_Tensor *nanmin(gt_Tensor *x, const gt_sum_options *options)
{
    x = gt_as_float(x);
    gt_Tensor *numbers = filled(x, (double)INFINITY);
    return with_nan(gt_apply_one_at(NULL, &gt_op_min, options, 1, &numbers),
                    count_numbers(x, options));
}
COMPOSED(nanmin)

/* The first number that equals the best one, which a NaN in its place does not; -1 if none does. */
static gt_Tensor *nanarg(gt_Tensor *x, const gt_argmax_options *given, bool largest)
{
    gt_argmax_options options = GT_TAKE(gt_argmax_options, given);
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

static gt_Tensor *ptp(gt_Tensor *x, const gt_sum_options *options)
{
    return gt_subtract(gt_apply_one_at(NULL, &gt_op_max, options, 1, &x),
                       gt_apply_one_at(NULL, &gt_op_min, options, 1, &x));
}
COMPOSED(ptp)

/* ---- weights, differences, integrals ---- */

GT_OPTION_TYPE(gt_average_options, gt_average_OPTIONS);
GT_OPTION_TYPE(gt_diff_options, gt_diff_OPTIONS);
GT_OPTION_TYPE(gt_trapezoid_options, gt_trapezoid_OPTIONS);

/* A vector along an axis, in a shape that broadcasts to x. */
static gt_Tensor *laid_along(gt_Tensor *vector, const gt_Spec *x, int axis)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = x->rank};
    for (int d = 0; d < x->rank; d++)
        shape.dims[d] = d == axis ? -1 : 1;
    return gt_reshape(vector, shape);
}

static gt_Tensor *average(gt_Tensor *x, const gt_average_options *given)
{
    gt_average_options options = GT_TAKE(gt_average_options, given);
    gt_Tensor *weights = options.weights;
    if (!weights)
        return gt_mean(x, .axis = options.axis);
    x = gt_as_float(x);
    weights = gt_as_float(weights);
    gt_Spec of_x = gt_spec(x), of_w = gt_spec(weights);
    if (gt_status() != GT_OK)
        return NULL;
    if (of_w.rank == 1 && of_x.rank > 1 && options.axis != GT_NONE) {
        int axis = gt_axis(options.axis, of_x.rank);
        weights = axis < 0 ? NULL : laid_along(weights, &of_x, axis);
    }
    weights = gt_broadcast_to(weights, gt_spec_shape(&of_x));
    return gt_divide(gt_sum(gt_multiply(x, weights), .axis = options.axis),
                     gt_sum(weights, .axis = options.axis));
}
GT_COMPOSED_OPTIONS(average, average, gt_average_options)

/* x without its first (or last) element along an axis. */
static gt_Tensor *without_end(gt_Tensor *x, int axis, bool first)
{
    gt_Shape size = gt_tensor_shape(x), begin = {GT_MARK, size.rank, {0}};
    if (gt_status() != GT_OK)
        return NULL;
    if (size.dims[axis] > 0) {
        size.dims[axis]--;
        begin.dims[axis] = first;
    }
    return gt_slice(x, begin, size);
}

static gt_Tensor *diff(gt_Tensor *x, const gt_diff_options *given)
{
    gt_diff_options options = GT_TAKE(gt_diff_options, given);
    gt_Spec in = gt_spec(x);
    int axis = gt_status() == GT_OK ? gt_axis(options.axis, in.rank) : -1;
    if (axis < 0)
        return NULL;
    if (options.n < 0) {
        gt_fail(GT_INVALID, "n must not be negative (got %d)", options.n);
        return NULL;
    }
    for (int i = 0; i < options.n && gt_status() == GT_OK; i++)
        x = gt_subtract(without_end(x, axis, true), without_end(x, axis, false));
    return x;
}
GT_COMPOSED_OPTIONS(diff, diff, gt_diff_options)

static gt_Tensor *trapezoid(gt_Tensor *y, const gt_trapezoid_options *given)
{
    gt_trapezoid_options options = GT_TAKE(gt_trapezoid_options, given);
    gt_Spec in = gt_spec(y);
    int axis = gt_status() == GT_OK ? gt_axis(options.axis, in.rank) : -1;
    if (axis < 0)
        return NULL;
    gt_Tensor *twice = gt_add(without_end(y, axis, true), without_end(y, axis, false));
    if (!options.x)
        return gt_multiply(gt_sum(twice, .axis = axis), options.dx / 2);
    gt_Tensor *width = gt_rank(options.x) == 1 ? laid_along(gt_diff(options.x), &in, axis)
                                               : gt_diff(options.x, .axis = axis);
    return gt_multiply(gt_sum(gt_multiply(twice, width), .axis = axis), 0.5);
}
GT_COMPOSED_OPTIONS(trapezoid, trapezoid, gt_trapezoid_options)
