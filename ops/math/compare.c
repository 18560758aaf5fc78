/* Comparisons, logic and gt_where: records, kernels and gradient rules of ops/math/compare.h. */
#include "ops/math/compare.h"
#include "ops/array/cast.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

#include <math.h>

/* ---- comparisons ---- */

#define COMPARISON(op, LOOP, text)                                                                 \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        return gt_run_binary(kernel, kernel->context->kernels->compare[GT_LOOP_##LOOP]);           \
    }                                                                                              \
    GT_BINARY_RECORD(op, text, number, 0, GT_OP_NOT_DIFFERENTIABLE, GT_ANY, GT_ANY,                \
                     .shape = gt_shape_compare, .why_not = "it is true or false");                 \
    GT_DEFINE_BINARY(op)

COMPARISON(equal, EQUAL, "a = b")
COMPARISON(not_equal, NOT_EQUAL, "a != b")
COMPARISON(less, LESS, "a < b")
COMPARISON(less_equal, LESS_EQUAL, "a <= b")
COMPARISON(greater, GREATER, "a > b")
COMPARISON(greater_equal, GREATER_EQUAL, "a >= b")

/* ---- logic: of bytes that are 0 or 1, by loops that exist ---- */

static gt_Status logic_shape(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_BOOL);
}

static gt_Tensor *as_bool(const char *here, const gt_Operation *operation, const char *what,
                          gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, operation->name, what, x) : NULL;
    return slot && slot->value->spec.dtype != GT_BOOL ? gt_cast_at(here, x, GT_BOOL) : x;
}

static gt_Tensor *logic(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b)
{
    if (b.is_number)
        b = gt_operand_tensor(gt_scalar_at(here, b.number != 0, GT_BOOL));
    gt_Tensor *pair[2] = {as_bool(here, operation, "input 1", a),
                          as_bool(here, operation, "input 2", b.tensor)};
    return gt_apply_one_at(here, operation, NULL, 2, pair);
}

#define TRUTH(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
#define LOGIC(op, table, LOOP, TYPE, text)                                                         \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        gt_BinaryLoop *const loops[GT_LOOP_TYPES] = {                                              \
            [GT_LOOP_BOOL] = kernel->context->kernels->table[GT_LOOP_##LOOP][GT_LOOP_##TYPE]};     \
        return gt_run_binary(kernel, loops);                                                       \
    }                                                                                              \
    GT_BINARY_RECORD(op, text, number, 0, GT_OP_NOT_DIFFERENTIABLE, TRUTH, TRUTH,                  \
                     .shape = logic_shape, .why_not = "it is true or false");                      \
    gt_Tensor *gt_##op##_at(const char *here, gt_Tensor *a, gt_Operand b)                          \
    {                                                                                              \
        return logic(here, &gt_op_##op, a, b);                                                     \
    }                                                                                              \
    gt_Tensor *(gt_##op)(gt_Tensor * a, gt_Tensor * b)                                             \
    {                                                                                              \
        return gt_##op##_at(NULL, a, gt_operand_tensor(b));                                        \
    }

LOGIC(logical_and, binary, MINIMUM, U8, "a and b")
LOGIC(logical_or, binary, MAXIMUM, U8, "a or b")
LOGIC(logical_xor, compare, NOT_EQUAL, BOOL, "either a or b")

/* ---- of one operand ---- */

static gt_Status to_bool_shape(gt_ShapeRule *rule)
{
    gt_Status status = gt_shape_float(rule);
    rule->output[0].dtype = GT_BOOL;
    return status;
}

static void logical_not_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const uint8_t *x = (const uint8_t *)kernel->input[0] + first;
    uint8_t *y = (uint8_t *)kernel->output[0] + first;
    for (int64_t i = 0; i < n; i++)
        y[i] = !x[i];
}

#define CLASSIFY(op, test)                                                                         \
    static void op##_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)                      \
    {                                                                                              \
        uint8_t *y = (uint8_t *)kernel->output[0] + first;                                         \
        if (kernel->input_spec[0]->dtype == GT_FLOAT32) {                                          \
            const float *x = (const float *)kernel->input[0] + first;                              \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = (uint8_t)(test(x[i]) != 0);                                                 \
        } else {                                                                                   \
            const double *x = (const double *)kernel->input[0] + first;                            \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = (uint8_t)(test(x[i]) != 0);                                                 \
        }                                                                                          \
    }
CLASSIFY(isnan, isnan)
CLASSIFY(isinf, isinf)
CLASSIFY(isfinite, isfinite)

#define TEST(op, text, shape_rule, sample)                                                         \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        return gt_run_chunks(kernel, op##_chunk);                                                  \
    }                                                                                              \
    GT_UNARY_RECORD(op, text, float, 0, 0, GT_OP_NOT_DIFFERENTIABLE, sample(2, 3),                 \
                    .shape = shape_rule, .why_not = "it is true or false");

TEST(logical_not, "not x", logic_shape, TRUTH)
gt_Tensor *gt_logical_not_at(const char *here, gt_Tensor *x)
{
    x = as_bool(here, &gt_op_logical_not, "input 1", x);
    return gt_apply_one_at(here, &gt_op_logical_not, NULL, 1, &x);
}
gt_Tensor *(gt_logical_not)(gt_Tensor *x)
{
    return gt_logical_not_at(NULL, x);
}

TEST(isnan, "x is NaN", to_bool_shape, GT_ANY)
GT_DEFINE_UNARY(isnan)
TEST(isinf, "x is infinite", to_bool_shape, GT_ANY)
GT_DEFINE_UNARY(isinf)
TEST(isfinite, "x is a number", to_bool_shape, GT_ANY)
GT_DEFINE_UNARY(isfinite)

/* ---- where ---- */

static gt_Status where_shape(gt_ShapeRule *rule)
{
    if (!gt_takes(rule->input[0], GT_TAKES_BOOL))
        return gt_status();
    return gt_shape_broadcast(rule, 1, GT_TAKES_ANY);
}

static void where_body(const gt_Kernel *kernel, const void *argument, const gt_Broadcast *plan,
                       int64_t n, const int64_t *offset, int64_t output)
{
    gt_SelectLoop *const *loop = argument;
    size_t size = gt_dtype_size(kernel->output_spec[0]->dtype);
    int inner = plan->rank - 1;
    (*loop)(n, (const uint8_t *)kernel->input[0] + offset[0], plan->stride[0][inner],
            (const char *)kernel->input[1] + (size_t)offset[1] * size, plan->stride[1][inner],
            (const char *)kernel->input[2] + (size_t)offset[2] * size, plan->stride[2][inner],
            (char *)kernel->output[0] + (size_t)output * size);
}

static gt_Status where_run(const gt_Kernel *kernel)
{
    const gt_Spec *out = kernel->output_spec[0];
    gt_SelectLoop *loop =
        kernel->context->kernels->select[gt_move_index(gt_dtype_size(out->dtype))];
    gt_Broadcast plan;
    gt_broadcast_plan(&plan, out, 3, kernel->input_spec);
    return gt_broadcast_run(kernel, &plan, where_body, &loop);
}

static gt_Status where_gradient(gt_GradientRule *rule)
{
    gt_Tensor *condition = gt_rule_input(rule, 0), *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_unbroadcast(gt_where(condition, up, 0), gt_rule_input_spec(rule, 1)));
    if (gt_wants(rule, 2)) {
        gt_Tensor *zero = gt_scalar(0, gt_rule_output_spec(rule, 0)->dtype);
        gt_give(rule, 2,
                gt_unbroadcast(gt_where(condition, zero, up), gt_rule_input_spec(rule, 2)));
    }
    return gt_status();
}

const gt_Operation gt_op_where = {
    .size = sizeof(gt_Operation),
    .name = "where",
    .formula = "a where c, else b",
    .flags = GT_OP_ELEMENTWISE | GT_OP_LINEAR | GT_OP_HALF,
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = where_shape,
    .run = where_run,
    .gradient = where_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 3, .input = GT_INPUTS(TRUTH(2, 3), GT_ANY(2, 3), GT_ANY(2, 3))},
            {.inputs = 3, .input = GT_INPUTS(TRUTH(2, 1, 3), GT_ANY(4, 1), GT_REAL_SCALAR(-2, 2))},
            GT_SAMPLES_END},
};

gt_Tensor *gt_where_at(const char *here, gt_Tensor *condition, gt_Tensor *a, gt_Operand b)
{
    gt_Tensor *input[3] = {as_bool(here, &gt_op_where, "the condition", condition)};
    if (!gt_operands(here, &gt_op_where, a, b, input + 1))
        return NULL;
    return gt_apply_one_at(here, &gt_op_where, NULL, 3, input);
}
gt_Tensor *(gt_where)(gt_Tensor *condition, gt_Tensor *a, gt_Tensor *b)
{
    return gt_where_at(NULL, condition, a, gt_operand_tensor(b));
}

/* ---- made of others ---- */

/* 1 / -0 is -inf */
static gt_Tensor *signbit_of(gt_Tensor *x)
{
    gt_Tensor *below = gt_less(x, 0);
    if (!gt_dtype_is_float(gt_dtype(x)))
        return below;
    return gt_logical_or(below, gt_equal(gt_reciprocal(x), -INFINITY));
}
GT_COMPOSED_UNARY(signbit, signbit_of)

GT_OPTION_TYPE(gt_isclose_options, gt_isclose_OPTIONS);

/* An infinite b is close to nothing but itself. */
static gt_Tensor *isclose(gt_Tensor *a, gt_Operand other, const gt_isclose_options *given)
{
    gt_isclose_options options = GT_TAKE(gt_isclose_options, given);
    a = gt_as_float(a);
    gt_Tensor *b = gt_as_float(gt_operand_of(a, other));
    gt_Tensor *room = gt_add(gt_multiply(gt_abs(b), options.rtol), options.atol);
    gt_Tensor *near = gt_less_equal(gt_abs(gt_subtract(a, b)), room);
    near = gt_logical_or(gt_logical_and(near, gt_isfinite(b)), gt_equal(a, b));
    return options.equal_nan ? gt_logical_or(near, gt_logical_and(gt_isnan(a), gt_isnan(b))) : near;
}
GT_COMPOSED(isclose,
            (const char *here, gt_Tensor *a, gt_Operand b, const gt_isclose_options *options),
            (a, b, options))

static gt_Tensor *allclose(gt_Tensor *a, gt_Operand b, const gt_isclose_options *options)
{
    return gt_all(isclose(a, b, options));
}
GT_COMPOSED(allclose,
            (const char *here, gt_Tensor *a, gt_Operand b, const gt_isclose_options *options),
            (a, b, options))
