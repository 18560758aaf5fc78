/* The effects that change a variable as a whole. Those of optimizers are in ops/update/. */
#include "ops/array/assign.h"
#include "ops/kit.h"

#include <string.h>

static gt_Status assign_shape(gt_ShapeRule *rule)
{
    const gt_Spec *variable = rule->input[0], *value = rule->input[1];
    char wanted[200], got[200];
    rule->output[0] = *variable;
    bool fits = value->dtype == variable->dtype &&
                (value->rank == 0 || gt_shape_equal(gt_spec_shape(value), gt_spec_shape(variable)));
    if (!fits)
        return gt_fail(GT_INVALID, "the variable is %s, the value %s",
                       gt_spec_text(variable, wanted, sizeof wanted),
                       gt_spec_text(value, got, sizeof got));
    return GT_OK;
}

static gt_Status update(const gt_Kernel *kernel, gt_BinaryLoop *loop)
{
    int64_t n = kernel->output_spec[0]->size;
    loop(n, kernel->output[0], 1, kernel->input[1], kernel->input_spec[1]->size == n,
         kernel->output[0]);
    return GT_OK;
}

static gt_Status assign_run(const gt_Kernel *kernel)
{
    size_t element = gt_dtype_size(kernel->output_spec[0]->dtype);
    int64_t n = kernel->output_spec[0]->size;
    if (kernel->input_spec[1]->size == n) {
        if (n)
            memmove(kernel->output[0], kernel->input[1], (size_t)n * element);
        return GT_OK;
    }
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)kernel->output[0] + (size_t)i * element, kernel->input[1], element);
    return GT_OK;
}

static gt_Status number_shape(gt_ShapeRule *rule)
{
    return gt_takes(rule->input[0], GT_TAKES_NUMBER) ? assign_shape(rule) : gt_status();
}

static gt_Status assign_add_run(const gt_Kernel *kernel)
{
    int type = gt_loop_type(kernel->output_spec[0]->dtype);
    return update(kernel, kernel->context->kernels->binary[GT_LOOP_ADD][type]);
}

static gt_Status assign_sub_run(const gt_Kernel *kernel)
{
    int type = gt_loop_type(kernel->output_spec[0]->dtype);
    return update(kernel, kernel->context->kernels->binary[GT_LOOP_SUBTRACT][type]);
}

#define EFFECT(op, text, rule, more)                                                               \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE | (more),                                 \
        .why_not = "a change of state has no gradient; compute with the value instead",            \
        .inputs_min = 2,                                                                           \
        .inputs_max = 2,                                                                           \
        .outputs = 1,                                                                              \
        .shape = rule,                                                                             \
        .run = op##_run,                                                                           \
        .samples = (const gt_Sample[]){                                                            \
            {.inputs = 2, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3), GT_REAL(-2, 2, 2, 3))},         \
            GT_SAMPLES_END}};                                                                      \
    gt_Status gt_##op##_at(const char *here, gt_Variable *variable, gt_Operand value)              \
    {                                                                                              \
        return change(here, &gt_op_##op, variable, value);                                         \
    }

static gt_Status change(const char *here, const gt_Operation *operation, gt_Variable *variable,
                        gt_Operand value)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Slot *slot = gt_variable_check(context, here, operation->name, variable);
    gt_Scope *scope = slot ? gt_scope_open(context) : NULL;
    if (!scope)
        return context->status;
    if (value.is_number)
        value.tensor = gt_scalar_at(here, value.number, slot->value->spec.dtype);
    gt_apply_at(here, operation, NULL, 2, (gt_Tensor *[]){variable, value.tensor}, NULL);
    gt_scope_close(context);
    return context->status;
}

EFFECT(assign, "variable = value", assign_shape, GT_OP_HALF)
EFFECT(assign_add, "variable += value", number_shape, 0)
EFFECT(assign_sub, "variable -= value", number_shape, 0)
