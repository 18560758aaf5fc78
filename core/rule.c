/* What a gradient rule sees of its record. Leans on tensor.c. */
#include "core/structs.h"

bool gt_wants(const gt_GradientRule *rule, int input)
{
    return input >= 0 && input < rule->record->inputs && rule->wants[input];
}

gt_Tensor *gt_rule_input_at(const char *here, gt_GradientRule *rule, int input)
{
    gt_Context *context = rule->context;
    const gt_Record *record = rule->record;
    if (context->status != GT_OK)
        return NULL;
    if (input < 0 || input >= record->inputs || !gt_saves_input(record->operation, input)) {
        gt_raise(context, GT_STATE, here, record->operation->name,
                 "its gradient rule reads input %d, which it does not declare", input);
        return NULL;
    }
    gt_Value *value = record->input[input];
    if (!value)
        return NULL;
    gt_value_retain(value, true);
    return gt_handle_new(context, value);
}

/* The output's own value if it still lives, else a new one with the saved numbers. */
gt_Tensor *gt_rule_output_at(const char *here, gt_GradientRule *rule, int output)
{
    gt_Context *context = rule->context;
    gt_Record *record = rule->record;
    if (context->status != GT_OK)
        return NULL;
    if (output < 0 || output >= record->outputs || !gt_saves_output(record->operation, output)) {
        gt_raise(context, GT_STATE, here, record->operation->name,
                 "its gradient rule reads output %d, which it does not declare", output);
        return NULL;
    }
    gt_RecordOutput *saved = &record->output[output];
    if (saved->value) {
        if (!saved->value->buffer && saved->buffer) {
            saved->value->buffer = saved->buffer;
            saved->buffer->references++;
        }
        gt_value_retain(saved->value, true);
        return gt_handle_new(context, saved->value);
    }
    gt_Value *value = gt_value_new(context, &saved->spec, saved->buffer, saved->offset);
    if (!value)
        return NULL;
    if (saved->buffer)
        saved->buffer->references++;
    value->symbol = saved->symbol;
    value->trace = saved->trace;
    value->record = record;
    value->index = (uint16_t)output;
    record->references++;
    saved->value = value;
    return gt_handle_new(context, value);
}

const gt_Spec *gt_rule_input_spec(const gt_GradientRule *rule, int input)
{
    static const gt_Spec none;
    const gt_Record *record = rule->record;
    return input >= 0 && input < record->inputs && record->input[input]
               ? &record->input[input]->spec
               : &none;
}

const gt_Spec *gt_rule_output_spec(const gt_GradientRule *rule, int output)
{
    static const gt_Spec none;
    return output >= 0 && output < rule->record->outputs ? &rule->record->output[output].spec
                                                         : &none;
}

gt_Tensor *gt_upstream(gt_GradientRule *rule, int output)
{
    return output >= 0 && output < rule->record->outputs ? rule->upstream[output] : NULL;
}

const void *gt_rule_options(const gt_GradientRule *rule)
{
    return rule->record->operation->options ? rule->record->options : NULL;
}

int gt_rule_inputs(const gt_GradientRule *rule)
{
    return rule->record->inputs;
}

gt_Status gt_give_at(const char *here, gt_GradientRule *rule, int input, gt_Tensor *gradient)
{
    gt_Context *context = rule->context;
    const gt_Record *record = rule->record;
    char wanted[200], got[200];
    if (context->status != GT_OK)
        return context->status;
    if (input < 0 || input >= record->inputs || !record->input[input])
        return gt_raise(context, GT_STATE, here, record->operation->name,
                        "its gradient rule gives a gradient to input %d, which is not there",
                        input);
    if (rule->given[input])
        return gt_raise(context, GT_STATE, here, record->operation->name,
                        "its gradient rule gives input %d a gradient twice", input);
    gt_Slot *slot = gt_slot_check(context, here, record->operation->name, "a gradient", gradient);
    if (!slot)
        return context->status;
    if (!gt_spec_equal(&slot->value->spec, &record->input[input]->spec))
        return gt_raise(context, GT_STATE, here, record->operation->name,
                        "its gradient rule gives input %d a gradient of %s, not of %s", input,
                        gt_spec_text(&slot->value->spec, got, sizeof got),
                        gt_spec_text(&record->input[input]->spec, wanted, sizeof wanted));
    rule->given[input] = gradient;
    return GT_OK;
}
