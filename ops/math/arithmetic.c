/* Arithmetic: records, kernels and gradient rules of ops/math/arithmetic.h. */
#include "ops/math/arithmetic.h"
#include "core/inside.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/kit.h"
#include "ops/math/math.h"

/* ---- two operands ---- */

GT_LOOP_KERNEL(subtract, binary, SUBTRACT)
GT_LOOP_KERNEL(multiply, binary, MULTIPLY)
GT_LOOP_KERNEL(divide, binary, DIVIDE)
GT_LOOP_KERNEL(floor_divide, binary, FLOOR_DIVIDE)
GT_LOOP_KERNEL(mod, binary, MOD)
GT_LOOP_KERNEL(power, binary, POWER)
GT_LOOP_KERNEL(maximum, binary, MAXIMUM)
GT_LOOP_KERNEL(minimum, binary, MINIMUM)

static gt_Status add_gradient(gt_GradientRule *rule)
{
    for (int i = 0; i < 2; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i, gt_unbroadcast(gt_upstream(rule, 0), gt_rule_input_spec(rule, i)));
    return gt_status();
}
const gt_Operation gt_op_add = {
    GT_RECORD("add", "a + b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_LINEAR,
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, ADD),
    .gradient = add_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(add)

static gt_Status subtract_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(up, gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_negative(gt_unbroadcast(up, gt_rule_input_spec(rule, 1))));
    return gt_status();
}
GT_BINARY_RECORD(subtract, "a - b", number, 0, GT_OP_MAY_REUSE | GT_OP_LINEAR, GT_ANY, GT_ANY,
                 .gradient = subtract_gradient);
GT_DEFINE_BINARY(subtract)

static gt_Status multiply_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    for (int i = 0; i < 2; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i,
                    gt_unbroadcast(gt_multiply(up, gt_rule_input(rule, 1 - i)),
                                   gt_rule_input_spec(rule, i)));
    return gt_status();
}
GT_BINARY_RECORD(multiply, "a b", number, 3, GT_OP_MAY_REUSE, GT_ANY, GT_ANY,
                 .gradient = multiply_gradient);
GT_DEFINE_BINARY(multiply)

/* d(a/b) = da / b - db (a/b) / b */
static gt_Status divide_gradient(gt_GradientRule *rule)
{
    gt_Tensor *scaled = gt_divide(gt_upstream(rule, 0), gt_rule_input(rule, 1));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(scaled, gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(scaled, gt_rule_output(rule, 0))),
                               gt_rule_input_spec(rule, 1)));
    return gt_status();
}
GT_BINARY_RECORD(divide, "a / b", float, 2, GT_OP_MAY_REUSE, GT_ANY, GT_POSITIVE,
                 .saves_outputs = 1, .gradient = divide_gradient);

/* Whole numbers divide as float32 (contract 4.4). */
static gt_Tensor *as_float(const char *here, gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, "divide", "input 1", x) : NULL;
    if (!slot || gt_dtype_is_float(slot->value->spec.dtype))
        return x;
    return gt_cast_at(here, x, GT_FLOAT32);
}

gt_Tensor *gt_divide_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return gt_binary(here, &gt_op_divide, as_float(here, a), b);
}
gt_Tensor *(gt_divide)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide_at(NULL, a, gt_operand_tensor(b));
}

static void divide_no_nan_body(const gt_Kernel *kernel, const void *argument,
                               const gt_Broadcast *plan, int64_t n, const int64_t *offset,
                               int64_t output)
{
    (void)argument;
    int64_t sa = plan->stride[0][plan->rank - 1], sb = plan->stride[1][plan->rank - 1];
    if (kernel->output_spec[0]->dtype == GT_FLOAT32) {
        const float *a = (const float *)kernel->input[0] + offset[0];
        const float *b = (const float *)kernel->input[1] + offset[1];
        float *y = (float *)kernel->output[0] + output;
        for (int64_t i = 0; i < n; i++)
            y[i] = b[i * sb] == 0 ? 0 : a[i * sa] / b[i * sb];
    } else {
        const double *a = (const double *)kernel->input[0] + offset[0];
        const double *b = (const double *)kernel->input[1] + offset[1];
        double *y = (double *)kernel->output[0] + output;
        for (int64_t i = 0; i < n; i++)
            y[i] = b[i * sb] == 0 ? 0 : a[i * sa] / b[i * sb];
    }
}

static gt_Status divide_no_nan_run(const gt_Kernel *kernel)
{
    gt_Broadcast plan;
    gt_broadcast_plan(&plan, kernel->output_spec[0], 2, kernel->input_spec);
    return gt_broadcast_run(kernel, &plan, divide_no_nan_body, NULL);
}

static gt_Status divide_no_nan_gradient(gt_GradientRule *rule)
{
    gt_Tensor *scaled = gt_divide_no_nan(gt_upstream(rule, 0), gt_rule_input(rule, 1));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(scaled, gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(scaled, gt_rule_output(rule, 0))),
                               gt_rule_input_spec(rule, 1)));
    return gt_status();
}
GT_BINARY_RECORD(divide_no_nan, "a / b, 0 where b = 0", float, 2, 0, GT_ANY, GT_POSITIVE,
                 .saves_outputs = 1, .gradient = divide_no_nan_gradient);
gt_Tensor *gt_divide_no_nan_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return gt_binary(here, &gt_op_divide_no_nan, as_float(here, a), b);
}
gt_Tensor *(gt_divide_no_nan)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide_no_nan_at(NULL, a, gt_operand_tensor(b));
}

GT_BINARY_RECORD(floor_divide, "floor(a / b)", number, 0, GT_OP_NOT_DIFFERENTIABLE, GT_ANY,
                 GT_POSITIVE, .why_not = "it is constant between its jumps");
GT_DEFINE_BINARY(floor_divide)

/* d(a - b floor(a/b)) = da - db floor(a/b) */
static gt_Status mod_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(up, gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1)) {
        gt_Tensor *times = gt_floor_divide(gt_rule_input(rule, 0), gt_rule_input(rule, 1));
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(up, times)), gt_rule_input_spec(rule, 1)));
    }
    return gt_status();
}
/* Twice the divisor and more, but never three times. */
#define MOD_A(...) GT_REAL(3.1, 3.4, __VA_ARGS__)
#define MOD_B(...) GT_REAL(1.2, 1.5, __VA_ARGS__)
GT_BINARY_RECORD(mod, "a - b floor(a / b)", number, 3, 0, MOD_A, MOD_B, .gradient = mod_gradient);
GT_DEFINE_BINARY(mod)

/* b a^(b-1). At 0^0 there is none: of the numbers that b times infinity would be, 0. */
static gt_Tensor *power_slope(gt_Tensor *a, gt_Tensor *b)
{
    gt_Tensor *constant = gt_logical_and(gt_equal(a, 0), gt_equal(b, 0));
    a = gt_where(constant, gt_scalar(1, gt_dtype(a)), a);
    return gt_multiply(b, gt_power(a, gt_subtract(b, 1)));
}

/* da: b a^(b-1). db: a^b log a, and 0 where a <= 0, as a^b is a number there for integers b alone:
 * there b is a constant, for derivatives of any order, whichever input comes first. What is
 * computed for a > 0 alone has a base of 1 elsewhere, or its own derivatives would be 0 times
 * infinity. */
static gt_Status power_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *a = gt_rule_input(rule, 0), *b = gt_rule_input(rule, 1);
    gt_Tensor *positive = gt_greater(a, 0),
              *above = gt_where(positive, a, gt_scalar(1, gt_dtype(a)));
    if (gt_wants(rule, 0)) {
        gt_Tensor *slope = power_slope(a, gt_stop_gradient(b));
        if (gt_value_record(gt_record_input(rule->record, 1))) /* some tape knows b */
            slope = (gt_where)(positive, power_slope(above, b), slope);
        gt_give(rule, 0, gt_unbroadcast(gt_multiply(up, slope), gt_rule_input_spec(rule, 0)));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *slope = gt_multiply(up, gt_multiply(gt_power(above, b), gt_log(above)));
        gt_give(rule, 1, gt_unbroadcast(slope, gt_rule_input_spec(rule, 1)));
    }
    return gt_status();
}
GT_BINARY_RECORD(power, "a^b", float, 3, 0, GT_POSITIVE, GT_ANY, .gradient = power_gradient);
GT_DEFINE_BINARY(power)

/* At a tie everything goes to a (contract 4.1). */
static gt_Status extremum_gradient(gt_GradientRule *rule)
{
    bool max = rule->record->operation == &gt_op_maximum;
    gt_Tensor *up = gt_upstream(rule, 0), *a = gt_rule_input(rule, 0), *b = gt_rule_input(rule, 1);
    gt_Tensor *first = max ? gt_greater_equal(a, b) : gt_less_equal(a, b);
    gt_Tensor *zero = gt_scalar(0, gt_dtype(up));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(gt_where(first, up, zero), gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_unbroadcast(gt_where(first, zero, up), gt_rule_input_spec(rule, 1)));
    return gt_status();
}
GT_BINARY_RECORD(maximum, "max(a, b)", number, 3, GT_OP_MAY_REUSE, GT_APART, GT_ANY,
                 .gradient = extremum_gradient);
GT_DEFINE_BINARY(maximum)
GT_BINARY_RECORD(minimum, "min(a, b)", number, 3, GT_OP_MAY_REUSE, GT_APART, GT_ANY,
                 .gradient = extremum_gradient);
GT_DEFINE_BINARY(minimum)

/* ---- one operand ---- */

GT_LOOP_KERNEL(negative, unary, NEGATIVE)
GT_LOOP_KERNEL(abs, unary, ABS)
GT_LOOP_KERNEL(sign, unary, SIGN)
GT_LOOP_KERNEL(square, unary, SQUARE)
GT_LOOP_KERNEL(sqrt, unary, SQRT)
GT_LOOP_KERNEL(rsqrt, unary, RSQRT)
GT_LOOP_KERNEL(reciprocal, unary, RECIPROCAL)

static gt_Status negative_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_negative(gt_upstream(rule, 0)));
}
GT_UNARY_RECORD(negative, "-x", number, 0, 0, GT_OP_MAY_REUSE | GT_OP_LINEAR, GT_REAL(-2, 2, 2, 3),
                .gradient = negative_gradient);
GT_DEFINE_UNARY(negative)

static gt_Status abs_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_sign(gt_rule_input(rule, 0))));
}
GT_UNARY_RECORD(abs, "|x|", number, 1, 0, GT_OP_MAY_REUSE, GT_REAL_GAP(-2, 2, 4, 2, 3),
                .gradient = abs_gradient);
GT_DEFINE_UNARY(abs)

GT_UNARY_RECORD(sign, "-1, 0 or 1", number, 0, 0, GT_OP_NOT_DIFFERENTIABLE, GT_REAL(-2, 2, 2, 3),
                .why_not = "it is constant between its jumps");
GT_DEFINE_UNARY(sign)

static gt_Status square_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_multiply(gt_upstream(rule, 0), gt_multiply(gt_rule_input(rule, 0), 2)));
}
GT_UNARY_RECORD(square, "x^2", number, 1, 0, GT_OP_MAY_REUSE, GT_REAL(-2, 2, 2, 3),
                .gradient = square_gradient);
GT_DEFINE_UNARY(square)

/* 1 / (2 sqrt x) */
static gt_Status sqrt_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_divide(gt_multiply(gt_upstream(rule, 0), 0.5), gt_rule_output(rule, 0)));
}
GT_UNARY_RECORD(sqrt, "sqrt(x)", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
                .gradient = sqrt_gradient);
GT_DEFINE_UNARY(sqrt)

/* -y^3 / 2, one factor after the other: the cube alone may be beyond the type. */
static gt_Status rsqrt_gradient(gt_GradientRule *rule)
{
    gt_Tensor *y = gt_rule_output(rule, 0), *slope = gt_multiply(gt_upstream(rule, 0), y);
    return gt_give(rule, 0, gt_multiply(gt_multiply(gt_multiply(slope, y), y), -0.5));
}
GT_UNARY_RECORD(rsqrt, "1 / sqrt(x)", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
                .gradient = rsqrt_gradient);
GT_DEFINE_UNARY(rsqrt)

/* -y^2, one factor after the other: the square alone may be beyond the type. */
static gt_Status reciprocal_gradient(gt_GradientRule *rule)
{
    gt_Tensor *y = gt_rule_output(rule, 0), *slope = gt_multiply(gt_upstream(rule, 0), y);
    return gt_give(rule, 0, gt_negative(gt_multiply(slope, y)));
}
GT_UNARY_RECORD(reciprocal, "1 / x", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
                .gradient = reciprocal_gradient);
GT_DEFINE_UNARY(reciprocal)

/* ---- clip ---- */

#define CLIP_OPTIONS(F, S)                                                                         \
    F(S, double, low, 0, "the lower bound")                                                        \
    F(S, double, high, 1, "the upper bound")
GT_OPTIONS(ClipOptions, CLIP_OPTIONS);
GT_OPTION_TYPE(ClipOptions, CLIP_OPTIONS);

static gt_Status clip_shape(gt_ShapeRule *rule)
{
    const ClipOptions *options = rule->options;
    if (!(options->low <= options->high))
        return gt_fail(GT_INVALID, "the lower bound %g is not below the upper bound %g",
                       options->low, options->high);
    return gt_shape_float(rule);
}

static void clip_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const ClipOptions *options = kernel->options;
    if (kernel->output_spec[0]->dtype == GT_FLOAT32) {
        const float *x = (const float *)kernel->input[0] + first;
        float *y = (float *)kernel->output[0] + first;
        float low = (float)options->low, high = (float)options->high;
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
    } else {
        const double *x = (const double *)kernel->input[0] + first;
        double *y = (double *)kernel->output[0] + first;
        double low = options->low, high = options->high;
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
    }
}

static gt_Status clip_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, clip_chunk);
}

/* Inside means inside the closed range (contract 4.1); the bounds are of the tensor's type. */
static gt_Status clip_gradient(gt_GradientRule *rule)
{
    const ClipOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_input(rule, 0), *up = gt_upstream(rule, 0);
    gt_Tensor *inside =
        gt_logical_and(gt_greater_equal(x, options->low), gt_less_equal(x, options->high));
    return gt_give(rule, 0, gt_where(inside, up, 0));
}

const gt_Operation gt_op_clip = {
    .size = sizeof(gt_Operation),
    .name = "clip",
    .formula = "min(max(x, low), high)",
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .options = &ClipOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = clip_shape,
    .run = clip_run,
    .gradient = clip_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 3, 1, 2, 5))},
                                   GT_SAMPLES_END},
};

static gt_Tensor *clip(gt_Tensor *x, double low, double high)
{
    const ClipOptions options = GT_VALUES(ClipOptions, low, high);
    if (x && low <= high && gt_dtype_is_integer(gt_dtype(x)))
        return gt_maximum(gt_minimum(x, high), low);
    return gt_apply_one_at(NULL, &gt_op_clip, &options, 1, &x);
}
GT_COMPOSED(clip, (const char *here, gt_Tensor *x, double low, double high), (x, low, high))

/* ---- fmax, fmin ---- */

/* Each operand, where it is NaN, is replaced by the other one. */
static gt_Tensor *larger_number(gt_Tensor *a, gt_Tensor *b)
{
    return gt_maximum(gt_where(gt_isnan(a), b, a), gt_where(gt_isnan(b), a, b));
}
GT_COMPOSED_BINARY(fmax, larger_number)

static gt_Tensor *smaller_number(gt_Tensor *a, gt_Tensor *b)
{
    return gt_minimum(gt_where(gt_isnan(a), b, a), gt_where(gt_isnan(b), a, b));
}
GT_COMPOSED_BINARY(fmin, smaller_number)
