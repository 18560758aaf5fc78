/* Arithmetic: records, kernels and gradient rules of ops/math/arithmetic.h. */
#include "ops/math/arithmetic.h"
#include "core/inside.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/kit.h"
#include "ops/math/math.h"

/* ---- two operands ---- */

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
const gt_Operation gt_op_subtract = {
    GT_RECORD("subtract", "a - b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_LINEAR,
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, SUBTRACT),
    .gradient = subtract_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
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
const gt_Operation gt_op_multiply = {
    GT_RECORD("multiply", "a b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, MULTIPLY),
    .gradient = multiply_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
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
const gt_Operation gt_op_divide = {
    GT_RECORD("divide", "a / b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 2,
    .saves_outputs = 1,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, DIVIDE),
    .gradient = divide_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_POSITIVE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_POSITIVE(4, 1))}),
};

/* Integers divide as float32 (contract 4.4). */
static gt_Tensor *as_float(const char *here, gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    const gt_Spec *spec = context ? gt_tensor_check(context, here, "divide", "input 1", x) : NULL;
    if (!spec || gt_dtype_is_float(spec->dtype))
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
const gt_Operation gt_op_divide_no_nan = {
    GT_RECORD("divide_no_nan", "a / b, 0 where b = 0", 2, 2),
    .flags = GT_OP_ELEMENTWISE,
    .saves_inputs = 2,
    .saves_outputs = 1,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, DIVIDE_NO_NAN),
    .gradient = divide_no_nan_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_POSITIVE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_POSITIVE(4, 1))}),
};
gt_Tensor *gt_divide_no_nan_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return gt_binary(here, &gt_op_divide_no_nan, as_float(here, a), b);
}
gt_Tensor *(gt_divide_no_nan)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide_no_nan_at(NULL, a, gt_operand_tensor(b));
}

const gt_Operation gt_op_floor_divide = {
    GT_RECORD("floor_divide", "floor(a / b)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is constant between its jumps",
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, FLOOR_DIVIDE),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_POSITIVE(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_POSITIVE(4, 1))}),
};
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
const gt_Operation gt_op_mod = {
    GT_RECORD("mod", "a - b floor(a / b)", 2, 2),
    .flags = GT_OP_ELEMENTWISE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, MOD),
    .gradient = mod_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(MOD_A(2, 3), MOD_B(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(MOD_A(2, 1, 3), MOD_B(4, 1))}),
};
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
const gt_Operation gt_op_power = {
    GT_RECORD("power", "a^b", 2, 2),
    .flags = GT_OP_ELEMENTWISE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, POWER),
    .gradient = power_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_POSITIVE(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_POSITIVE(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(power)

/* At a tie everything goes to a (contract 4.1). */
static gt_Status extremum_gradient(gt_GradientRule *rule)
{
    bool max = gt_rule_operation(rule) == &gt_op_maximum;
    gt_Tensor *up = gt_upstream(rule, 0), *a = gt_rule_input(rule, 0), *b = gt_rule_input(rule, 1);
    gt_Tensor *first = max ? gt_greater_equal(a, b) : gt_less_equal(a, b);
    gt_Tensor *zero = gt_scalar(0, gt_dtype(up));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(gt_where(first, up, zero), gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_unbroadcast(gt_where(first, zero, up), gt_rule_input_spec(rule, 1)));
    return gt_status();
}
const gt_Operation gt_op_maximum = {
    GT_RECORD("maximum", "max(a, b)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, MAXIMUM),
    .gradient = extremum_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_APART(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_APART(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(maximum)
const gt_Operation gt_op_minimum = {
    GT_RECORD("minimum", "min(a, b)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_number,
    GT_LOOP(BINARY, MINIMUM),
    .gradient = extremum_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_APART(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_APART(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(minimum)

/* ---- one operand ---- */

static gt_Status negative_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_negative(gt_upstream(rule, 0)));
}
const gt_Operation gt_op_negative = {
    GT_RECORD("negative", "-x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_LINEAR,
    .shape = gt_shape_number,
    GT_LOOP(UNARY, NEGATIVE),
    .gradient = negative_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(negative)

static gt_Status abs_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_sign(gt_rule_input(rule, 0))));
}
const gt_Operation gt_op_abs = {
    GT_RECORD("abs", "|x|", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_number,
    GT_LOOP(UNARY, ABS),
    .gradient = abs_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 2, 3))}),
};
GT_DEFINE_UNARY(abs)

const gt_Operation gt_op_sign = {
    GT_RECORD("sign", "-1, 0 or 1", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is constant between its jumps",
    .shape = gt_shape_number,
    GT_LOOP(UNARY, SIGN),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(sign)

static gt_Status square_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_multiply(gt_upstream(rule, 0), gt_multiply(gt_rule_input(rule, 0), 2)));
}
const gt_Operation gt_op_square = {
    GT_RECORD("square", "x^2", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_number,
    GT_LOOP(UNARY, SQUARE),
    .gradient = square_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))}),
};
GT_DEFINE_UNARY(square)

/* 1 / (2 sqrt x) */
static gt_Status sqrt_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_divide(gt_multiply(gt_upstream(rule, 0), 0.5), gt_rule_output(rule, 0)));
}
const gt_Operation gt_op_sqrt = {
    GT_RECORD("sqrt", "sqrt(x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, SQRT),
    .gradient = sqrt_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(sqrt)

/* -y^3 / 2, one factor after the other: the cube alone may be beyond the type. */
static gt_Status rsqrt_gradient(gt_GradientRule *rule)
{
    gt_Tensor *y = gt_rule_output(rule, 0), *slope = gt_multiply(gt_upstream(rule, 0), y);
    return gt_give(rule, 0, gt_multiply(gt_multiply(gt_multiply(slope, y), y), -0.5));
}
const gt_Operation gt_op_rsqrt = {
    GT_RECORD("rsqrt", "1 / sqrt(x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, RSQRT),
    .gradient = rsqrt_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
GT_DEFINE_UNARY(rsqrt)

/* -y^2, one factor after the other: the square alone may be beyond the type. */
static gt_Status reciprocal_gradient(gt_GradientRule *rule)
{
    gt_Tensor *y = gt_rule_output(rule, 0), *slope = gt_multiply(gt_upstream(rule, 0), y);
    return gt_give(rule, 0, gt_negative(gt_multiply(slope, y)));
}
const gt_Operation gt_op_reciprocal = {
    GT_RECORD("reciprocal", "1 / x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, RECIPROCAL),
    .gradient = reciprocal_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.5, 2, 2, 3))}),
};
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
        return gt_fail(GT_INVALID, "low must not exceed high (low %g, high %g)", options->low,
                       options->high);
    return gt_shape_float(rule);
}

static void clip_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const ClipOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    gt_ClipJob *job =
        gt_lower_launch(lowering, GT_TILES_clip, gt_element_tiles(out->size), sizeof *job);
    job->type = gt_loop_type(out->dtype);
    job->size = out->size;
    job->low = options->low;
    job->high = options->high;
    gt_lower_span(lowering, GT_TILE_ELEMENTS);
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
    GT_RECORD("clip", "min(max(x, low), high)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .options = &ClipOptions_type,
    .saves_inputs = 1,
    .shape = clip_shape,
    .lower = clip_lower,
    .gradient = clip_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL_GAP(-2, 3, 1, 2, 5))}),
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

/* ---- for gradient rules ---- */

gt_Tensor *gt_sum_of_given(gt_Tensor *x, gt_Tensor *more)
{
    return x && more ? gt_add(x, more) : x ? x : more;
}
