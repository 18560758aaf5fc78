/* Comparisons, logic and gt_where: records, kernels and gradient rules of ops/math/compare.h. */
#include "ops/math/compare.h"
#include "ops/array/cast.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

#include <math.h>

/* ---- comparisons ---- */

const gt_Operation gt_op_equal = {
    GT_RECORD("equal", "a = b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = gt_shape_compare,
    GT_LOOP(COMPARE, EQUAL),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(equal)

const gt_Operation gt_op_not_equal = {
    GT_RECORD("not_equal", "a != b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = gt_shape_compare,
    GT_LOOP(COMPARE, NOT_EQUAL),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(not_equal)

const gt_Operation gt_op_less = {
    GT_RECORD("less", "a < b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = gt_shape_compare,
    GT_LOOP(COMPARE, LESS),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(less)

const gt_Operation gt_op_less_equal = {
    GT_RECORD("less_equal", "a <= b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = gt_shape_compare,
    GT_LOOP(COMPARE, LESS_EQUAL),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(less_equal)

const gt_Operation gt_op_greater = {
    GT_RECORD("greater", "a > b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = gt_shape_compare,
    GT_LOOP(COMPARE, GREATER),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(greater)

const gt_Operation gt_op_greater_equal = {
    GT_RECORD("greater_equal", "a >= b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = gt_shape_compare,
    GT_LOOP(COMPARE, GREATER_EQUAL),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), GT_ANY(4, 1))}),
};
GT_DEFINE_BINARY(greater_equal)

/* ---- logic: of bytes that are 0 or 1, by loops that exist ---- */

static gt_Status logic_shape(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_BOOL);
}

static gt_Tensor *as_bool(const char *here, const gt_Operation *operation, const char *what,
                          gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    const gt_Spec *spec = context ? gt_tensor_check(context, here, operation->name, what, x) : NULL;
    return spec && spec->dtype != GT_BOOL ? gt_cast_at(here, x, GT_BOOL) : x;
}

static gt_Tensor *logic(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b)
{
    if (gt_operand_is_number(b))
        b = gt_operand_tensor(gt_scalar_at(here, b.number != 0, GT_BOOL));
    gt_Tensor *pair[2] = {as_bool(here, operation, "input 1", a),
                          as_bool(here, operation, "input 2", b.tensor)};
    return gt_apply_one_at(here, operation, NULL, 2, pair);
}

#define TRUTH(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
const gt_Operation gt_op_logical_and = {
    GT_RECORD("logical_and", "a and b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = logic_shape,
    GT_LOOP(BINARY, BITWISE_AND),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(TRUTH(2, 3), TRUTH(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(TRUTH(2, 1, 3), TRUTH(4, 1))}),
};
gt_Tensor *gt_logical_and_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return logic(here, &gt_op_logical_and, a, b);
}
gt_Tensor *(gt_logical_and)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_logical_and_at(NULL, a, gt_operand_tensor(b));
}

const gt_Operation gt_op_logical_or = {
    GT_RECORD("logical_or", "a or b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = logic_shape,
    GT_LOOP(BINARY, BITWISE_OR),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(TRUTH(2, 3), TRUTH(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(TRUTH(2, 1, 3), TRUTH(4, 1))}),
};
gt_Tensor *gt_logical_or_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return logic(here, &gt_op_logical_or, a, b);
}
gt_Tensor *(gt_logical_or)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_logical_or_at(NULL, a, gt_operand_tensor(b));
}

const gt_Operation gt_op_logical_xor = {
    GT_RECORD("logical_xor", "either a or b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = logic_shape,
    GT_LOOP(BINARY, BITWISE_XOR),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(TRUTH(2, 3), TRUTH(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(TRUTH(2, 1, 3), TRUTH(4, 1))}),
};
gt_Tensor *gt_logical_xor_at(const char *here, gt_Tensor *a, gt_Operand b)
{
    return logic(here, &gt_op_logical_xor, a, b);
}
gt_Tensor *(gt_logical_xor)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_logical_xor_at(NULL, a, gt_operand_tensor(b));
}

/* ---- of one operand ---- */

static gt_Status to_bool_shape(gt_ShapeRule *rule)
{
    gt_Status status = gt_shape_float(rule);
    rule->output[0].dtype = GT_BOOL;
    return status;
}

const gt_Operation gt_op_logical_not = {
    GT_RECORD("logical_not", "not x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = logic_shape,
    GT_LOOP(UNARY, LOGICAL_NOT),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(TRUTH(2, 3))}),
};
gt_Tensor *gt_logical_not_at(const char *here, gt_Tensor *x)
{
    x = as_bool(here, &gt_op_logical_not, "input 1", x);
    return gt_apply_one_at(here, &gt_op_logical_not, NULL, 1, &x);
}
gt_Tensor *(gt_logical_not)(gt_Tensor *x)
{
    return gt_logical_not_at(NULL, x);
}

const gt_Operation gt_op_isnan = {
    GT_RECORD("isnan", "x is NaN", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = to_bool_shape,
    GT_LOOP(UNARY, ISNAN),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(isnan)
const gt_Operation gt_op_isinf = {
    GT_RECORD("isinf", "x is infinite", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = to_bool_shape,
    GT_LOOP(UNARY, ISINF),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(isinf)
const gt_Operation gt_op_isfinite = {
    GT_RECORD("isfinite", "x is a number", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is true or false",
    .shape = to_bool_shape,
    GT_LOOP(UNARY, ISFINITE),
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(isfinite)

/* ---- where ---- */

static gt_Status where_shape(gt_ShapeRule *rule)
{
    if (!gt_takes(rule->input[0], GT_TAKES_BOOL))
        return gt_status();
    return gt_shape_broadcast(rule, 1, GT_TAKES_ANY);
}

static void where_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *out = &rule->output[0];
    gt_SelectJob *job = gt_lower_launch(lowering, GT_TILES_select, 1, sizeof *job);
    job->element = (int32_t)gt_dtype_size(out->dtype);
    job->move = gt_move_index(gt_dtype_size(out->dtype));
    gt_broadcast_plan(&job->walk, out, 3, rule->input);
    lowering->launch[0].tiles = job->walk.tiles;
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
    GT_RECORD("where", "a where c, else b", 3, 3),
    .flags = GT_OP_ELEMENTWISE | GT_OP_LINEAR | GT_OP_HALF,
    .saves_inputs = 1,
    .shape = where_shape,
    .lower = where_lower,
    .gradient = where_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES(
        {.inputs = 3, .input = GT_INPUTS(TRUTH(2, 3), GT_ANY(2, 3), GT_ANY(2, 3))},
        {.inputs = 3, .input = GT_INPUTS(TRUTH(2, 1, 3), GT_ANY(4, 1), GT_REAL_SCALAR(-2, 2))}),
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
    gt_isclose_options options;
    GT_TAKE(gt_isclose_options, &options, given);
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
