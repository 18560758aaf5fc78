/* Arithmetic: records, kernels and gradient rules of ops/arithmetic.h. */
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/kit.h"
#include "ops/math.h"

#define KERNEL(name, arity, LOOP)                                                                  \
    static gt_Status name##_run(const gt_Kernel *kernel)                                           \
    {                                                                                              \
        return gt_run_##arity(kernel, kernel->context->kernels->arity[GT_LOOP_##LOOP]);            \
    }

/* ---- two operands ---- */

KERNEL(add, binary, ADD)
KERNEL(subtract, binary, SUBTRACT)
KERNEL(multiply, binary, MULTIPLY)
KERNEL(divide, binary, DIVIDE)
KERNEL(floor_divide, binary, FLOOR_DIVIDE)
KERNEL(mod, binary, MOD)
KERNEL(power, binary, POWER)
KERNEL(maximum, binary, MAXIMUM)
KERNEL(minimum, binary, MINIMUM)

#define BINARY(op, text, types, saves, more, first, second, ...)                                   \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_ELEMENTWISE | (more),                                                       \
        .inputs_min = 2,                                                                           \
        .inputs_max = 2,                                                                           \
        .outputs = 1,                                                                              \
        .saves_inputs = saves,                                                                     \
        .shape = gt_shape_binary_##types,                                                          \
        .run = op##_run,                                                                           \
        .samples = (const gt_Sample[]){{.inputs = 2, .input = {first(2, 3), second(2, 3)}},        \
                                       {.inputs = 2, .input = {first(2, 1, 3), second(4, 1)}},     \
                                       GT_SAMPLES_END},                                            \
        __VA_ARGS__}

#define ANY(...)      GT_REAL(-2, 2, __VA_ARGS__)
#define POSITIVE(...) GT_REAL(0.5, 2, __VA_ARGS__)
#define APART(...)    GT_DISTINCT(-2, 2, __VA_ARGS__)

static gt_Status add_gradient(gt_GradientRule *rule)
{
    for (int i = 0; i < 2; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i, gt_unbroadcast(gt_upstream(rule, 0), gt_input_spec(rule, i)));
    return gt_status();
}
BINARY(add, "a + b", number, 0, GT_OP_MAY_REUSE | GT_OP_LINEAR, ANY, ANY, .gradient = add_gradient);
GT_DEFINE_BINARY(add)

static gt_Status subtract_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(up, gt_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_negative(gt_unbroadcast(up, gt_input_spec(rule, 1))));
    return gt_status();
}
BINARY(subtract, "a - b", number, 0, GT_OP_MAY_REUSE | GT_OP_LINEAR, ANY, ANY,
       .gradient = subtract_gradient);
GT_DEFINE_BINARY(subtract)

static gt_Status multiply_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    for (int i = 0; i < 2; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i,
                    gt_unbroadcast(gt_multiply(up, gt_input(rule, 1 - i)), gt_input_spec(rule, i)));
    return gt_status();
}
BINARY(multiply, "a b", number, 3, GT_OP_MAY_REUSE, ANY, ANY, .gradient = multiply_gradient);
GT_DEFINE_BINARY(multiply)

/* d(a/b) = da / b - db (a/b) / b */
static gt_Status divide_gradient(gt_GradientRule *rule)
{
    gt_Tensor *scaled = gt_divide(gt_upstream(rule, 0), gt_input(rule, 1));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(scaled, gt_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(scaled, gt_output(rule, 0))),
                               gt_input_spec(rule, 1)));
    return gt_status();
}
BINARY(divide, "a / b", float, 2, GT_OP_MAY_REUSE, ANY, POSITIVE, .saves_outputs = 1,
       .gradient = divide_gradient);

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
    gt_Tensor *scaled = gt_divide_no_nan(gt_upstream(rule, 0), gt_input(rule, 1));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(scaled, gt_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(scaled, gt_output(rule, 0))),
                               gt_input_spec(rule, 1)));
    return gt_status();
}
BINARY(divide_no_nan, "a / b, 0 where b = 0", float, 2, 0, ANY, POSITIVE, .saves_outputs = 1,
       .gradient = divide_no_nan_gradient);
gt_Tensor *gt_divide_no_nan_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return gt_binary(here, &gt_op_divide_no_nan, as_float(here, a), b);
}
gt_Tensor *(gt_divide_no_nan)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide_no_nan_at(NULL, a, gt_operand_tensor(b));
}

BINARY(floor_divide, "floor(a / b)", number, 0, GT_OP_NOT_DIFFERENTIABLE, ANY, POSITIVE,
       .why_not = "it is constant between its jumps");
GT_DEFINE_BINARY(floor_divide)

/* d(a - b floor(a/b)) = da - db floor(a/b) */
static gt_Status mod_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(up, gt_input_spec(rule, 0)));
    if (gt_wants(rule, 1)) {
        gt_Tensor *times = gt_floor_divide(gt_input(rule, 0), gt_input(rule, 1));
        gt_give(rule, 1,
                gt_unbroadcast(gt_negative(gt_multiply(up, times)), gt_input_spec(rule, 1)));
    }
    return gt_status();
}
#define SMALL(...) GT_REAL(0.1, 0.4, __VA_ARGS__)
BINARY(mod, "a - b floor(a / b)", number, 3, 0, SMALL, POSITIVE, .gradient = mod_gradient);
GT_DEFINE_BINARY(mod)

/* da: b a^(b-1). db: a^b log a, taken as 0 where a <= 0. */
static gt_Status power_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *a = gt_input(rule, 0), *b = gt_input(rule, 1);
    if (gt_wants(rule, 0)) {
        gt_Tensor *slope = gt_multiply(b, gt_power(a, gt_subtract(b, 1)));
        gt_give(rule, 0, gt_unbroadcast(gt_multiply(up, slope), gt_input_spec(rule, 0)));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *one = gt_scalar(1, gt_dtype(a));
        gt_Tensor *log = gt_log(gt_where(gt_greater(a, 0), a, one));
        gt_give(rule, 1,
                gt_unbroadcast(gt_multiply(up, gt_multiply(gt_output(rule, 0), log)),
                               gt_input_spec(rule, 1)));
    }
    return gt_status();
}
BINARY(power, "a^b", float, 3, 0, POSITIVE, ANY, .saves_outputs = 1, .gradient = power_gradient);
GT_DEFINE_BINARY(power)

/* At a tie everything goes to a (contract 4.1). */
static gt_Status extremum_gradient(gt_GradientRule *rule)
{
    bool max = rule->record->operation == &gt_op_maximum;
    gt_Tensor *up = gt_upstream(rule, 0), *a = gt_input(rule, 0), *b = gt_input(rule, 1);
    gt_Tensor *first = max ? gt_greater_equal(a, b) : gt_less_equal(a, b);
    gt_Tensor *zero = gt_scalar(0, gt_dtype(up));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_unbroadcast(gt_where(first, up, zero), gt_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_unbroadcast(gt_where(first, zero, up), gt_input_spec(rule, 1)));
    return gt_status();
}
BINARY(maximum, "max(a, b)", number, 3, GT_OP_MAY_REUSE, APART, ANY, .gradient = extremum_gradient);
GT_DEFINE_BINARY(maximum)
BINARY(minimum, "min(a, b)", number, 3, GT_OP_MAY_REUSE, APART, ANY, .gradient = extremum_gradient);
GT_DEFINE_BINARY(minimum)

/* ---- one operand ---- */

KERNEL(negative, unary, NEGATIVE)
KERNEL(abs, unary, ABS)
KERNEL(sign, unary, SIGN)
KERNEL(square, unary, SQUARE)
KERNEL(sqrt, unary, SQRT)
KERNEL(rsqrt, unary, RSQRT)
KERNEL(reciprocal, unary, RECIPROCAL)

#define UNARY(op, text, types, in, out, more, sample, ...)                                         \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_ELEMENTWISE | (more),                                                       \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .saves_inputs = in,                                                                        \
        .saves_outputs = out,                                                                      \
        .shape = gt_shape_##types,                                                                 \
        .run = op##_run,                                                                           \
        .samples = (const gt_Sample[]){{.inputs = 1, .input = {sample}}, GT_SAMPLES_END},          \
        __VA_ARGS__};                                                                              \
    GT_DEFINE_UNARY(op)

static gt_Status negative_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_negative(gt_upstream(rule, 0)));
}
UNARY(negative, "-x", number, 0, 0, GT_OP_MAY_REUSE | GT_OP_LINEAR, GT_REAL(-2, 2, 2, 3),
      .gradient = negative_gradient)

static gt_Status abs_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_sign(gt_input(rule, 0))));
}
UNARY(abs, "|x|", number, 1, 0, GT_OP_MAY_REUSE, GT_REAL_GAP(-2, 2, 4, 2, 3),
      .gradient = abs_gradient)

UNARY(sign, "-1, 0 or 1", number, 0, 0, GT_OP_NOT_DIFFERENTIABLE, GT_REAL(-2, 2, 2, 3),
      .why_not = "it is constant between its jumps")

static gt_Status square_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_multiply(gt_upstream(rule, 0), gt_multiply(gt_input(rule, 0), 2)));
}
UNARY(square, "x^2", number, 1, 0, GT_OP_MAY_REUSE, GT_REAL(-2, 2, 2, 3),
      .gradient = square_gradient)

/* 1 / (2 sqrt x) */
static gt_Status sqrt_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   gt_divide(gt_multiply(gt_upstream(rule, 0), 0.5), gt_output(rule, 0)));
}
UNARY(sqrt, "sqrt(x)", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
      .gradient = sqrt_gradient)

/* -y^3 / 2 */
static gt_Status rsqrt_gradient(gt_GradientRule *rule)
{
    gt_Tensor *y = gt_output(rule, 0);
    gt_Tensor *cube = gt_multiply(y, gt_square(y));
    return gt_give(rule, 0, gt_multiply(gt_multiply(gt_upstream(rule, 0), cube), -0.5));
}
UNARY(rsqrt, "1 / sqrt(x)", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
      .gradient = rsqrt_gradient)

/* -y^2 */
static gt_Status reciprocal_gradient(gt_GradientRule *rule)
{
    return gt_give(
        rule, 0,
        gt_negative(gt_multiply(gt_upstream(rule, 0), gt_square(gt_output(rule, 0)))));
}
UNARY(reciprocal, "1 / x", float, 0, 1, GT_OP_MAY_REUSE, GT_REAL(0.5, 2, 2, 3),
      .gradient = reciprocal_gradient)

/* ---- clip ---- */

typedef struct ClipOptions {
    uint32_t size;
    double low, high;
} ClipOptions;
#define CLIP_OPTIONS(F)                                                                            \
    F(uint32_t, size, (uint32_t)sizeof(ClipOptions), "for ABI growth")                             \
    F(double, low, 0, "the lower bound")                                                           \
    F(double, high, 1, "the upper bound")
#define GT_STRUCT ClipOptions
GT_OPTION_TYPE(ClipOptions, CLIP_OPTIONS);
#undef GT_STRUCT

static gt_Status clip_shape(gt_ShapeRule *rule)
{
    const ClipOptions *options = rule->options;
    if (!(options->low <= options->high))
        return gt_fail(GT_INVALID, "the lower bound %g is not below the upper bound %g",
                       options->low, options->high);
    return gt_shape_float(rule);
}

static void clip_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    (void)argument;
    (void)scratch;
    const ClipOptions *options = kernel->options;
    int64_t size = kernel->output_spec[0]->size;
    int64_t begin = first * GT_CHUNK, end = last * GT_CHUNK < size ? last * GT_CHUNK : size;
    if (kernel->output_spec[0]->dtype == GT_FLOAT32) {
        const float *x = kernel->input[0], low = (float)options->low, high = (float)options->high;
        float *y = kernel->output[0];
        for (int64_t i = begin; i < end; i++)
            y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
    } else {
        const double *x = kernel->input[0], low = options->low, high = options->high;
        double *y = kernel->output[0];
        for (int64_t i = begin; i < end; i++)
            y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
    }
}

static gt_Status clip_run(const gt_Kernel *kernel)
{
    return gt_for_tiles(kernel, (kernel->output_spec[0]->size + GT_CHUNK - 1) / GT_CHUNK,
                        clip_tiles, NULL);
}

/* Inside means inside the closed range (contract 4.1); the bounds are of the tensor's type. */
static gt_Status clip_gradient(gt_GradientRule *rule)
{
    const ClipOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_input(rule, 0), *up = gt_upstream(rule, 0);
    gt_Tensor *inside = gt_multiply(gt_cast(gt_greater_equal(x, options->low), gt_dtype(x)),
                                    gt_cast(gt_less_equal(x, options->high), gt_dtype(x)));
    return gt_give(rule, 0, gt_multiply(up, inside));
}

const gt_Operation gt_op_clip = {
    .size = sizeof(gt_Operation),
    .name = "clip",
    .formula = "min(max(x, low), high)",
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .options = GT_STRUCT_TYPE(ClipOptions),
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = clip_shape,
    .run = clip_run,
    .gradient = clip_gradient,
    .samples =
        (const gt_Sample[]){{.inputs = 1, .input = {GT_REAL_GAP(-2, 3, 1, 2, 5)}}, GT_SAMPLES_END},
};

gt_Tensor *gt_clip_at(const char *here, gt_Tensor *x, double low, double high)
{
    return gt_apply_one(here, &gt_op_clip, &(ClipOptions){sizeof(ClipOptions), low, high}, 1, &x);
}
