/* The effects that change a variable as a whole; those of optimizers are in ops/update/. Leans on ops/copies.h, kernels/launch.h. */
#include "ops/array/assign.h"
#include "ops/kit.h"

static gt_Status assign_shape(gt_ShapeRule *rule)
{
    const gt_Spec *variable = rule->input[0], *value = rule->input[1];
    char wanted[200], got[200];
    rule->output[0] = *variable;
    bool fits = value->dtype == variable->dtype &&
                (value->rank == 0 || gt_dims_equal(value, variable));
    if (!fits)
        return gt_fail(GT_INVALID, "the variable is %s, the value %s",
                       gt_spec_text(variable, wanted, sizeof wanted),
                       gt_spec_text(value, got, sizeof got));
    return GT_OK;
}

static gt_Status number_shape(gt_ShapeRule *rule)
{
    return gt_takes(rule->input[0], GT_TAKES_NUMBER) ? assign_shape(rule) : gt_status();
}

/* A single number goes to every element. */
static void assign_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *out = &rule->output[0];
    gt_CopyJob *job = gt_lower_copy(lowering, out->dtype, 1, 2);
    gt_copy_axis(job, out->size, rule->input[1]->size == out->size, 1);
    gt_copy_end(lowering, job);
}

const gt_Operation gt_op_assign = {
    GT_RECORD("assign", "variable = value", 2, 2),
    .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF | GT_OP_OVERWRITES,
    .why_not = "a change of state has no gradient; compute with the value instead",
    .shape = assign_shape,
    .lower = assign_lower,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))}),
};

const gt_Operation gt_op_assign_add = {
    GT_RECORD("assign_add", "variable += value", 2, 2),
    .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "a change of state has no gradient; compute with the value instead",
    .shape = number_shape,
    GT_LOOP(BINARY, ADD),
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))}),
};

const gt_Operation gt_op_assign_sub = {
    GT_RECORD("assign_sub", "variable -= value", 2, 2),
    .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "a change of state has no gradient; compute with the value instead",
    .shape = number_shape,
    GT_LOOP(BINARY, SUBTRACT),
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))}),
};

static gt_Status change(const char *here, const gt_Operation *operation, gt_Variable *variable,
                        gt_Operand value)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    const gt_Spec *spec = gt_variable_spec(context, here, operation->name, variable);
    gt_Scope *scope = spec ? gt_scope_open(context) : NULL;
    if (!scope)
        return gt_context_status(context);
    if (gt_operand_is_number(value))
        value.tensor = gt_scalar_at(here, value.number, spec->dtype);
    gt_apply_at(here, operation, NULL, 2, (gt_Tensor *[]){variable, value.tensor}, NULL);
    gt_scope_close(context);
    return gt_context_status(context);
}

gt_Status gt_assign_at(const char *here, gt_Variable *variable, gt_Operand value)
{
    return change(here, &gt_op_assign, variable, value);
}

gt_Status gt_assign_add_at(const char *here, gt_Variable *variable, gt_Operand value)
{
    return change(here, &gt_op_assign_add, variable, value);
}

gt_Status gt_assign_sub_at(const char *here, gt_Variable *variable, gt_Operand value)
{
    return change(here, &gt_op_assign_sub, variable, value);
}
