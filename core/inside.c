/* The short answers that other rooms get about core's structs. */
#include "core/trace.h"

/* ---- the context ---- */

gt_Status gt_context_status(const gt_Context *context)
{
    return context->status;
}

const char *gt_context_message(const gt_Context *context)
{
    return context->message;
}

char *gt_context_text(gt_Context *context, size_t *size)
{
    *size = sizeof context->info;
    return context->info;
}

const gt_KernelTable *gt_context_kernels(const gt_Context *context)
{
    return context->kernels;
}

uint64_t gt_context_seed(const gt_Context *context)
{
    return context->seed;
}

gt_Blas *gt_context_blas(gt_Context *context)
{
    return &context->blas;
}

gt_Variable *gt_context_generator(const gt_Context *context)
{
    return context->generator;
}

void gt_context_take_generator(gt_Context *context, gt_Variable *state)
{
    context->generator = state;
    if (state)
        gt_context_drop(context);
}

bool gt_context_checks_numerics(const gt_Context *context)
{
    return context->check_numerics;
}

const char *gt_context_here(const gt_Context *context)
{
    return context->here;
}

const gt_Status *gt_context_status_place(const gt_Context *context)
{
    return &context->status;
}

const gt_StepSite **gt_context_step_place(gt_Context *context)
{
    return &context->step;
}

uint64_t gt_context_choices(const gt_Context *context)
{
    return context->choices;
}

void gt_context_choose(gt_Context *context)
{
    context->choices++;
}

int32_t gt_context_operations(const gt_Context *context)
{
    return context->operation_count;
}

void gt_context_forget_operations(gt_Context *context, int32_t count)
{
    context->operation_count = count;
}

const char *gt_context_set_here(gt_Context *context, const char *here)
{
    const char *before = context->here;
    context->here = here;
    return before;
}

const gt_Operation *gt_context_set_differentiating(gt_Context *context,
                                                   const gt_Operation *operation)
{
    const gt_Operation *before = context->differentiating;
    context->differentiating = operation;
    return before;
}

gt_Interrupt gt_context_defer_interrupt(gt_Context *context)
{
    gt_Interrupt interrupt = {context->interrupted};
    context->interrupted = NULL;
    return interrupt;
}

void gt_context_resume_interrupt(gt_Context *context, gt_Interrupt interrupt)
{
    context->interrupted = interrupt.function;
}

const gt_CallFrame *gt_context_frame(const gt_Context *context)
{
    return context->frame;
}

struct gt_Lookups *gt_context_lookups(const gt_Context *context)
{
    return context->lookups;
}

void gt_context_set_lookups(gt_Context *context, struct gt_Lookups *lookups)
{
    context->lookups = lookups;
}

const gt_CallFrame *gt_context_set_frame(gt_Context *context, const gt_CallFrame *frame)
{
    const gt_CallFrame *before = context->frame;
    context->frame = frame;
    return before;
}

/* ---- handles, values ---- */

const gt_Spec *gt_tensor_check(gt_Context *context, const char *here, const char *operation,
                               const char *what, const gt_Tensor *tensor)
{
    gt_Slot *slot = gt_slot_check(context, here, operation, what, tensor);
    return slot ? &slot->value->spec : NULL;
}

const gt_Spec *gt_variable_spec(gt_Context *context, const char *here, const char *operation,
                                const gt_Tensor *variable)
{
    gt_Slot *slot = gt_variable_check(context, here, operation, variable);
    return slot ? &slot->value->spec : NULL;
}

const gt_Spec *gt_tensor_spec(const gt_Tensor *tensor)
{
    return &gt_slot_raw(tensor)->value->spec;
}

gt_Value *gt_tensor_value(const gt_Tensor *tensor)
{
    return gt_slot_raw(tensor)->value;
}

gt_Value *gt_value_of(gt_Context *context, const char *here, const char *operation,
                      const char *what, const gt_Tensor *tensor)
{
    gt_Slot *slot = gt_slot_check(context, here, operation, what, tensor);
    if (!slot)
        return NULL;
    return slot->variable && context->trace ? gt_trace_variable(context, slot) : slot->value;
}

gt_Value *gt_value_hold(gt_Context *context, const char *here, const char *operation,
                        const char *what, const gt_Tensor *tensor)
{
    gt_Slot *slot = gt_slot_check(context, here, operation, what, tensor);
    gt_Value *value = !slot             ? NULL
                      : !slot->variable ? slot->value
                                        : gt_variable_read(context, slot);
    if (!value)
        return NULL;
    if (value->context != context) {
        gt_foreign_variable(context, slot);
        return NULL;
    }
    gt_value_retain(value, true);
    return value;
}

void *gt_value_data(const gt_Value *value)
{
    return gt_value_numbers(value);
}

bool gt_value_is_borrowed(const gt_Value *value)
{
    return value->buffer && value->buffer->borrowed;
}

gt_Tensor *gt_value_handle(gt_Value *value)
{
    gt_value_retain(value, true);
    return gt_handle_new(value->context, value);
}

void gt_tensor_free(gt_Context *context, gt_Tensor *tensor)
{
    gt_slot_free(context, gt_slot_raw(tensor));
}

const gt_Spec *gt_value_spec(const gt_Value *value)
{
    return &value->spec;
}

gt_Context *gt_value_context(const gt_Value *value)
{
    return value->context;
}

bool gt_value_is_symbol(const gt_Value *value)
{
    return value->symbol >= 0;
}

gt_Value *gt_value_alias(gt_Context *context, const gt_Value *value, const gt_Spec *spec,
                         size_t offset)
{
    gt_Value *alias = gt_value_new(context, spec, value->buffer, value->offset + offset);
    if (!alias)
        return NULL;
    if (value->buffer)
        value->buffer->references++;
    alias->symbol = value->symbol;
    alias->trace = value->trace;
    return alias;
}

const void *gt_value_late(const gt_Value *value, const gt_Operation *operation,
                          gt_Value *input[GT_MAX_INPUTS])
{
    const gt_Late *late = value->buffer ? value->buffer->late : NULL;
    if (!late || late->operation != operation || value->offset != 0 ||
        !gt_spec_equal(&value->spec, &late->spec))
        return NULL;
    for (int i = 0; i < late->inputs; i++)
        input[i] = late->input[i];
    return late->options;
}

gt_Variable *gt_value_variable(const gt_Value *value)
{
    const gt_Record *record = value->record;
    const gt_Slot *slot = record && !record->operation ? record->variable : NULL;
    return slot ? gt_slot_handle(slot) : NULL;
}

/* ---- variables ---- */

const char *gt_variable_label(const gt_Variable *variable)
{
    return gt_slot_raw(variable)->variable->name;
}

bool gt_variable_is_trainable(const gt_Variable *variable)
{
    return gt_slot_raw(variable)->variable->trainable;
}

uint64_t gt_variable_serial(const gt_Variable *variable)
{
    return gt_slot_raw(variable)->variable->serial;
}

void gt_variable_penalize(gt_Variable *variable)
{
    gt_slot_raw(variable)->variable->penalized = true;
}

void gt_variable_take_penalty(const gt_Context *context, gt_Variable *variable)
{
    const gt_Slot *slot = gt_slot_raw(variable);
    if (slot->value->context == context) /* others may compute with it at the same time */
        slot->variable->penalty_taken = true;
}

bool gt_variable_forget_penalty(gt_Variable *variable)
{
    gt_VariableInfo *info = gt_slot_raw(variable)->variable;
    bool forgotten = info->penalized && !info->penalty_taken;
    info->penalty_taken = false;
    return forgotten;
}

void *gt_variable_memory(gt_Context *context, const gt_Variable *variable, bool overwrite)
{
    gt_Slot *slot = gt_slot_raw(variable);
    if (overwrite && gt_variable_own(context, slot, false) != GT_OK)
        return NULL;
    return gt_value_numbers(slot->value);
}

void *gt_variable_replace(gt_Context *context, const gt_Variable *variable)
{
    gt_Slot *slot = gt_slot_raw(variable);
    return gt_variable_own(context, slot, true) == GT_OK ? gt_value_numbers(slot->value) : NULL;
}

gt_Value *gt_variable_exchange(gt_Variable *variable, gt_Value *value)
{
    gt_Slot *slot = gt_slot_raw(variable);
    gt_Value *before = slot->value;
    slot->value = value;
    return before;
}

bool gt_listening(const gt_Context *context)
{
    return context->listener != NULL;
}

gt_Status gt_probability_mark(gt_Context *context, gt_Tensor *tensor, const gt_Operation *operation)
{
    return gt_origin_set(context, gt_slot_raw(tensor), operation, NULL, NULL);
}

/* ---- scopes ---- */

gt_Scope *gt_scope_innermost(const gt_Context *context)
{
    return context->scope;
}

gt_Scope *gt_scope_switch(gt_Context *context, gt_Scope *scope)
{
    gt_Scope *before = context->scope;
    context->scope = scope;
    return before;
}

gt_Scope *gt_scope_parent(const gt_Scope *scope)
{
    return scope->parent;
}

/* ---- tapes and records ---- */

uint64_t gt_tape_recording(const gt_Context *context)
{
    return context->recording;
}

gt_Record *gt_value_record(const gt_Value *value)
{
    return value->record;
}

uint64_t gt_value_tapes(const gt_Value *value)
{
    return gt_tapes_of(value);
}

gt_Value *gt_record_input(const gt_Record *record, int i)
{
    return record->input[i];
}

const gt_Spec *gt_record_output_spec(const gt_Record *record, int i)
{
    return &record->output[i].spec;
}

void gt_record_retain(gt_Record *record)
{
    record->references++;
}

gt_RecordView gt_record_view(const gt_Record *record)
{
    return (gt_RecordView){record->operation, record->options, record->here,
                           record->input,     record->inputs,  record->outputs};
}

void gt_value_share_record(gt_Value *made, const gt_Value *old)
{
    if (!old->record || made->record)
        return;
    made->record = old->record;
    made->index = old->index;
    made->record->references++;
}

/* ---- traces ---- */

bool gt_tracing(const gt_Context *context)
{
    return context->trace != NULL;
}

bool gt_tracing_body(const gt_Context *context)
{
    return context->trace && context->trace->outer;
}

/* ---- rules ---- */

const gt_Operation *gt_rule_operation(const gt_GradientRule *rule)
{
    return rule->record->operation;
}

gt_Context *gt_rule_context(const gt_GradientRule *rule)
{
    return rule->context;
}

int gt_rule_outputs(const gt_GradientRule *rule)
{
    return rule->record->outputs;
}

bool gt_rule_has_input(const gt_GradientRule *rule, int input)
{
    return input >= 0 && input < rule->record->inputs && rule->record->input[input];
}

/* ---- for layers, optimizers and training ---- */

uint64_t gt_context_new_visit(gt_Context *context)
{
    return ++context->visit;
}

void *gt_context_copying(const gt_Context *context)
{
    return context->copying;
}

void *gt_context_set_copying(gt_Context *context, void *copying)
{
    void *before = context->copying;
    context->copying = copying;
    return before;
}

uint64_t gt_context_structure(const gt_Context *context)
{
    return context->structure;
}

void gt_context_count_structure(gt_Context *context)
{
    context->structure++;
}

uint32_t gt_context_policy(const gt_Context *context)
{
    return context->policy;
}

void gt_context_set_policy(gt_Context *context, uint32_t policy)
{
    context->policy = policy;
}

uint64_t gt_context_count_call(gt_Context *context)
{
    return ++context->calls;
}

gt_Map *gt_context_callables(gt_Context *context)
{
    return &context->callables;
}

void *gt_tensor_data(const gt_Tensor *tensor)
{
    return gt_value_data(gt_slot_raw(tensor)->value);
}

gt_Ticket gt_tensor_ticket(gt_Tensor *tensor)
{
    return (gt_Ticket){tensor, gt_slot_raw(tensor)->generation};
}

void gt_ticket_free(gt_Context *context, gt_Ticket ticket)
{
    gt_Slot *slot = ticket.tensor ? gt_slot_raw(ticket.tensor) : NULL;
    if (slot && slot->value && slot->generation == ticket.generation)
        gt_slot_free(context, slot);
}

gt_Variable *gt_variable_zeros(gt_Context *context, const gt_Spec *spec, const char *name,
                               bool trainable)
{
    const gt_Slot *slot = gt_variable_make(context, spec, name, trainable);
    return slot ? gt_slot_handle(slot) : NULL;
}

void gt_variable_freeze(gt_Variable *variable, bool frozen)
{
    gt_VariableInfo *info = gt_slot_raw(variable)->variable;
    info->trainable = info->created_trainable && !frozen;
}

bool gt_variable_visit(gt_Variable *variable, uint64_t visit)
{
    gt_VariableInfo *info = gt_slot_raw(variable)->variable;
    bool first = info->visit != visit;
    info->visit = visit;
    return first;
}

gt_Listener *gt_listener_pause(gt_Context *context)
{
    gt_Listener *listener = context->listener;
    context->listener = NULL;
    return listener;
}

void gt_listener_resume(gt_Context *context, gt_Listener *listener)
{
    context->listener = listener;
}
