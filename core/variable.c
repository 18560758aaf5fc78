/* Variables: a slot that no scope owns, a value whose bytes stay at one address, and a leaf record
 * that stands for the variable on every tape. Leans on tensor.c and tape.c. */
#include "core/fact.h"
#include "core/trace.h"

#include <string.h>

GT_OPTION_TYPE(gt_variable_options, gt_variable_OPTIONS);

void gt_variable_info_free(gt_Context *context, gt_VariableInfo *info)
{
    gt_release(context, info->constraint_payload, info->constraint_bytes);
    gt_release(context, info->name, info->name_bytes);
    gt_release(context, info, sizeof *info);
}

gt_Slot *gt_variable_make(gt_Context *context, const gt_Spec *spec, const char *name,
                          bool trainable)
{
    if (!name)
        name = "variable";
    gt_VariableInfo *info = gt_allocate_zeroed(context, sizeof *info);
    if (!info)
        return NULL;
    info->name_bytes = strlen(name) + 1;
    info->name = gt_allocate(context, info->name_bytes);
    gt_Buffer *buffer = info->name ? gt_buffer_new(context, gt_spec_bytes(spec)) : NULL;
    gt_Value *value = buffer ? gt_value_new(context, spec, buffer, 0) : NULL;
    gt_Slot *slot = value ? gt_slot_new(context, value) : NULL;
    if (!slot) {
        if (value)
            gt_value_release(value, true);
        else
            gt_buffer_release(context, buffer);
        gt_variable_info_free(context, info);
        return NULL;
    }
    memcpy(info->name, name, info->name_bytes);
    memset(buffer->data, 0, buffer->bytes);
    info->serial = ++context->variable_serial;
    info->references = 1;
    info->trainable = info->created_trainable = trainable;
    info->leaf.context = context;
    info->leaf.variable = slot;
    info->leaf.references = 2; /* the slot, the value */
    value->record = &info->leaf;
    slot->variable = info;
    context->memory.variables++;
    gt_context_hold(context);
    return slot;
}

/* The leaf outlives the variable while a tape still holds one of its values. */
static void free_variable(gt_Context *context, gt_Slot *slot)
{
    gt_VariableInfo *info = slot->variable;
    info->leaf.variable = NULL; /* the lists of tapes leave it out from here on */
    context->memory.variables--;
    gt_slot_free(context, slot);
    gt_record_release(&info->leaf);
    gt_context_drop(context);
}

/* ---- first numbers ---- */

gt_Variable *gt_variable_late(gt_Context *context, const gt_Spec *spec, const char *name,
                              bool trainable, gt_VariableFill fill, void *owner)
{
    gt_Slot *slot = gt_variable_make(context, spec, name, trainable);
    gt_Late *late = slot ? gt_allocate_zeroed(context, sizeof *late) : NULL;
    if (!late) {
        if (slot)
            free_variable(context, slot);
        return NULL;
    }
    late->context = context;
    late->spec = *spec;
    late->bytes = sizeof *late;
    late->fill = fill;
    late->owner = owner;
    late->slot = slot;
    gt_Buffer *buffer = slot->value->buffer;
    gt_release(context, buffer->data, buffer->bytes);
    buffer->data = NULL;
    buffer->late = late;
    return gt_slot_handle(slot);
}

bool gt_variable_is_late(const gt_Variable *variable)
{
    return gt_slot_raw(variable)->value->buffer->late != NULL;
}

/* Runs eagerly, unseen by traces, tapes and listeners. */
static gt_Status fill_late(gt_Context *context, const gt_Late *late, void *data)
{
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return context->status;
    gt_Trace *trace = gt_trace_suspend(context);
    uint64_t recording = gt_tape_quiet(context);
    gt_Listener *listener = gt_listener_pause(context);
    gt_Status status = late->fill(late->owner, gt_slot_handle(late->slot), &late->spec, data);
    if (status != GT_OK && context->status == GT_OK)
        gt_raise(context, status, NULL, NULL, "the first numbers of variable %s could not be made",
                 late->slot->variable->name);
    gt_scope_unwind(context, scope);
    gt_scope_close(context);
    gt_listener_resume(context, listener);
    gt_tape_unquiet(context, recording);
    gt_trace_resume(context, trace);
    return context->status;
}

bool gt_variable_fill(gt_Buffer *buffer)
{
    gt_Late *late = buffer->late;
    gt_Context *context = gt_enter();
    if (!context)
        return false;
    if (late->context != context || !late->owner) {
        gt_raise(context, GT_STATE, NULL, NULL,
                 late->owner ? "a variable has no numbers yet, and only its own context gives it "
                               "some: call the layer there first"
                             : "a variable has no numbers: its layer was freed before they were drawn");
        return false;
    }
    void *data = gt_allocate_zeroed(context, buffer->bytes);
    if (!data)
        return false;
    if (fill_late(context, late, data) != GT_OK || buffer->late != late) {
        gt_release(context, data, buffer->bytes);
        return buffer->data != NULL;
    }
    buffer->data = data;
    buffer->late = NULL;
    gt_late_free(late);
    return true;
}

void gt_variable_disown(gt_Variable *variable)
{
    gt_Slot *slot = gt_slot_raw(variable);
    gt_Late *late = slot->value->buffer->late;
    if (!late)
        return;
    if (slot->variable->references > 1 && gt_context() == late->context)
        gt_value_data(slot->value);
    late = slot->value->buffer->late;
    if (late)
        late->owner = NULL;
}

/* All of it is going to be overwritten: nothing is drawn, unless somebody holds the old value. */
static gt_Status skip_fill(gt_Context *context, gt_Slot *slot)
{
    gt_Value *value = slot->value;
    gt_Buffer *buffer = value->buffer;
    if (!buffer->late || value->references > 1 || buffer->references > 1)
        return context->status;
    void *data = gt_allocate_zeroed(context, buffer->bytes);
    if (!data)
        return context->status;
    gt_late_free(buffer->late);
    buffer->late = NULL;
    buffer->data = data;
    return GT_OK;
}

gt_Slot *gt_variable_check(gt_Context *context, const char *here, const char *operation,
                           const gt_Tensor *variable)
{
    gt_Slot *slot = gt_slot_check(context, here, operation, "the variable", variable);
    if (slot && !slot->variable) {
        gt_raise_kind(context, here, operation, NULL, "variable", variable);
        return NULL;
    }
    if (slot && slot->value->context != context) {
        gt_raise(context, GT_STATE, here, operation, "variable %s belongs to another context",
                 slot->variable->name);
        return NULL;
    }
    return slot;
}

void gt_variable_retain(gt_Variable *variable)
{
    gt_slot_raw(variable)->variable->references++;
}

void gt_variable_release(gt_Variable *variable)
{
    gt_Slot *slot = gt_slot_find(variable);
    if (slot && slot->variable && --slot->variable->references == 0)
        free_variable(slot->value->context, slot);
}

void gt_variable_give(gt_Variable *variable)
{
    gt_slot_raw(variable)->variable->callers = true;
}

/* Others that hold it keep it, however often that is called. */
static void give_up(gt_Slot *slot)
{
    gt_VariableInfo *info = slot->variable;
    gt_Context *context = info->callers ? NULL : gt_context();
    if (context)
        gt_raise(context, GT_STALE, NULL, "variable_free",
                 "variable %s was freed before, or is not the caller's: others hold it", info->name);
    if (!info->callers)
        return;
    info->callers = false;
    gt_variable_release(gt_slot_handle(slot));
}

void gt_variable_free(gt_Variable *variable)
{
    gt_Slot *slot = gt_slot_find(variable);
    if (slot && slot->variable) {
        give_up(slot);
        return;
    }
    uint64_t kind = gt_kind_of(variable);
    bool freed = !slot && (kind == GT_WORD_TENSOR || kind == GT_WORD_GONE);
    gt_Context *context = variable && !freed ? gt_context() : NULL;
    if (context)
        gt_raise_kind(context, NULL, "variable_free", NULL, "variable", variable);
}

gt_Variable *gt_variable_at(const char *here, gt_Tensor *initial, const gt_variable_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_variable_options options;
    GT_TAKE(gt_variable_options, &options, given);
    gt_Slot *source = gt_slot_check(context, here, "variable", "the initial value", initial);
    const void *numbers = source ? gt_value_data(source->value) : NULL;
    if (context->status != GT_OK)
        return NULL;
    if (context->trace) {
        gt_raise(context, GT_STATE, here, "variable",
                 "a variable cannot be made inside a traced function; make it before");
        return NULL;
    }
    if (options.name && strchr(options.name, '/')) {
        gt_raise(context, GT_INVALID, here, "variable", "the name \"%s\" has a '/'", options.name);
        return NULL;
    }
    bool trainable = options.trainable && gt_dtype_is_float(source->value->spec.dtype);
    gt_Slot *slot = gt_variable_make(context, &source->value->spec, options.name, trainable);
    if (!slot)
        return NULL;
    memcpy(gt_value_data(slot->value), numbers, gt_spec_bytes(&slot->value->spec));
    slot->variable->callers = true;
    return gt_slot_handle(slot);
}

bool gt_is_variable(const gt_Tensor *tensor)
{
    const gt_Slot *slot = gt_slot_find(tensor);
    return slot && slot->variable;
}

const char *gt_variable_name_at(const char *here, const gt_Variable *variable)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_variable_check(context, here, "variable_name", variable) : NULL;
    return slot ? slot->variable->name : "";
}

bool gt_variable_trainable_at(const char *here, const gt_Variable *variable)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot =
        context ? gt_variable_check(context, here, "variable_trainable", variable) : NULL;
    return slot && gt_ask_trainable(context, variable);
}

gt_Status gt_variable_set_trainable_at(const char *here, gt_Variable *variable, bool trainable)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Slot *slot = gt_variable_check(context, here, "variable_set_trainable", variable);
    if (!slot)
        return context->status;
    if (trainable && !gt_dtype_is_float(slot->value->spec.dtype))
        return gt_raise(context, GT_INVALID, here, "variable_set_trainable",
                        "variable %s is %s: only floats can be trained", slot->variable->name,
                        gt_dtype_name(slot->value->spec.dtype));
    gt_decide_trainable(context, variable);
    slot->variable->trainable = trainable;
    return context->status;
}

gt_Status gt_variable_constrain(gt_Context *context, gt_Variable *variable,
                                gt_VariableConstraint *function, const void *payload, size_t bytes)
{
    gt_VariableInfo *info = gt_slot_raw(variable)->variable;
    if (context->trace)
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "variable %s cannot get a constraint inside a traced function; set it before",
                        info->name);
    void *copy = function && bytes ? gt_allocate(context, bytes) : NULL;
    if (function && bytes && !copy)
        return context->status;
    if (copy)
        memcpy(copy, payload, bytes);
    gt_release(context, info->constraint_payload, info->constraint_bytes);
    info->constraint = function;
    info->constraint_payload = copy;
    info->constraint_bytes = copy ? bytes : 0;
    info->constraint_version++;
    return GT_OK;
}

bool gt_variable_is_constrained(gt_Context *context, const gt_Variable *variable)
{
    gt_ask_constraint(context, variable);
    return gt_slot_raw(variable)->variable->constraint;
}

gt_Tensor *gt_variable_constrained(gt_Variable *variable)
{
    const gt_VariableInfo *info = gt_slot_raw(variable)->variable;
    return info->constraint(info->constraint_payload, variable);
}

gt_Status gt_foreign_variable(gt_Context *context, const gt_Slot *slot)
{
    return gt_raise(context, GT_STATE, NULL, NULL,
                    "variable %s belongs to another context: it can be read, but neither on a tape "
                    "nor in a traced function",
                    slot->variable->name);
}

gt_Value *gt_variable_read(gt_Context *context, gt_Slot *slot)
{
    gt_VariableInfo *info = slot->variable;
    if (slot->value->context != context) {
        if (!context->trace)
            return slot->value;
        gt_foreign_variable(context, slot);
        return NULL;
    }
    if (info->stand_in) { /* a tensor like others: no tape looks for it by itself */
        if (context->listener)
            gt_listener_hear_tensor(context, slot->value);
        return context->trace ? gt_trace_variable(context, slot) : slot->value;
    }
    uint64_t asking = context->auto_watching & ~info->leaf.tapes;
    if (asking && gt_ask_trainable(context, gt_slot_handle(slot)))
        gt_tape_watch_leaf(context, &info->leaf, asking);
    if (context->listener)
        gt_listener_hear(context, slot);
    return context->trace ? gt_trace_variable(context, slot) : slot->value;
}

/* ---- listeners ---- */

void gt_listener_begin(gt_Context *context, gt_Listener *listener)
{
    *listener = (gt_Listener){.outer = context->listener, .tapes = context->recording};
    context->listener = listener;
}

void gt_listener_end(gt_Context *context, gt_Listener *listener)
{
    context->listener = listener->outer;
}

void gt_listener_close(gt_Context *context, gt_Listener *listener)
{
    gt_values_release(listener->heard, listener->count);
    gt_release(context, listener->heard, (size_t)listener->capacity * sizeof *listener->heard);
    gt_map_close(context, &listener->known);
    *listener = (gt_Listener){0};
}

static bool hear(gt_Context *context, gt_Listener *listener, const void *what, gt_Value *value)
{
    uint64_t key = gt_map_pointer(what);
    if (gt_map_find(&listener->known, key) >= 0)
        return true;
    if (!gt_reserve(context, (void **)&listener->heard, listener->count, &listener->capacity,
                    sizeof *listener->heard) ||
        !gt_map_add(context, &listener->known, key, listener->count))
        return false;
    gt_value_retain(value, true);
    listener->heard[listener->count++] = value;
    return true;
}

/* A value's record tells which variable it is of, whatever the variable holds by now. */
void gt_listener_hear(gt_Context *context, gt_Slot *slot)
{
    for (gt_Listener *listener = context->listener; listener; listener = listener->outer)
        if (!hear(context, listener, &slot->variable->leaf, slot->value))
            return;
}

void gt_listener_hear_tensor(gt_Context *context, gt_Value *value)
{
    for (gt_Listener *listener = context->listener; listener; listener = listener->outer)
        if (gt_tapes_of(value) & listener->tapes && !hear(context, listener, value, value))
            return;
}

/* The address stays with the variable, the old bytes move to those who still hold them (law 3). */
gt_Status gt_variable_own(gt_Context *context, gt_Slot *slot, bool whole)
{
    if (slot->variable->stand_in)
        return gt_stand_in_own(context, slot);
    if (context->listener)
        gt_listener_hear(context, slot);
    gt_Value *value = slot->value;
    if (value->buffer->late && whole && skip_fill(context, slot) != GT_OK)
        return context->status;
    if (value->buffer->late && !gt_value_data(value))
        return context->status;
    if (value->references == 1 && value->buffer->references == 1)
        return GT_OK;
    gt_Buffer *old = value->buffer;
    gt_Buffer *fresh = gt_buffer_new(context, old->bytes);
    gt_Value *mine = fresh ? gt_value_new(context, &value->spec, fresh, 0) : NULL;
    if (!mine) {
        gt_buffer_release(context, fresh);
        return context->status;
    }
    memcpy(fresh->data, old->data, old->bytes);
    gt_Buffer address = *old; /* the address, and whose memory it is */
    old->data = fresh->data;
    old->block = fresh->block;
    old->borrowed = fresh->borrowed;
    fresh->data = address.data;
    fresh->block = address.block;
    fresh->borrowed = address.borrowed;
    mine->record = value->record;
    mine->record->references++;
    slot->value = mine;
    gt_value_release(value, true);
    return GT_OK;
}

gt_Status gt_variable_set_at(const char *here, gt_Variable *variable, const void *data,
                             size_t bytes)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Slot *slot = gt_variable_check(context, here, "variable_set", variable);
    if (!slot)
        return context->status;
    size_t wanted = gt_spec_bytes(&slot->value->spec);
    if (bytes != wanted || (!data && wanted))
        return gt_raise(context, GT_INVALID, here, "variable_set",
                        "%zu bytes for variable %s, which holds %zu", data ? bytes : 0,
                        slot->variable->name, wanted);
    if (context->trace)
        return gt_raise(context, GT_STATE, here, "variable_set",
                        "inside a traced function use gt_assign");
    if (gt_variable_own(context, slot, true) != GT_OK)
        return context->status;
    if (wanted)
        memcpy(gt_value_data(slot->value), data, wanted);
    return GT_OK;
}

/* ---- packing ---- */

GT_OPTION_TYPE(gt_pack_options, gt_pack_OPTIONS);

int64_t gt_packed_bytes(gt_Context *context, const char *here, const char *operation,
                        gt_Tensors variables)
{
    int64_t bytes = 0;
    uint64_t visit = ++context->visit;
    gt_DType dtype = GT_DTYPE_NONE;
    if (variables.count < 1 || !variables.items) {
        gt_raise(context, GT_INVALID, here, operation, "there are no variables in the list");
        return -1;
    }
    for (int32_t i = 0; i < variables.count; i++) {
        gt_Slot *slot = gt_variable_check(context, here, operation, variables.items[i]);
        if (!slot)
            return -1;
        const gt_Spec *spec = &slot->value->spec;
        if (dtype == GT_DTYPE_NONE)
            dtype = spec->dtype;
        if (spec->dtype != dtype) {
            gt_raise(context, GT_INVALID, here, operation,
                     "variable %s is %s, those before it are %s; a block has one type",
                     slot->variable->name, gt_dtype_name(spec->dtype), gt_dtype_name(dtype));
            return -1;
        }
        if (slot->variable->visit == visit) {
            gt_raise(context, GT_INVALID, here, operation, "variable %s is twice in the list",
                     slot->variable->name);
            return -1;
        }
        slot->variable->visit = visit;
        bytes += (int64_t)gt_spec_bytes(spec);
    }
    return bytes;
}

/* Nothing may fail once the first variable has moved, so each is made its own, and gets the buffer
 * that will point into the block, before. */
void *gt_pack_at(const char *here, gt_Tensors variables, const gt_pack_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_pack_options options;
    GT_TAKE(gt_pack_options, &options, given);
    int64_t bytes = gt_packed_bytes(context, here, "pack", variables);
    if (bytes < 0)
        return NULL;
    if (options.memory && options.bytes < (size_t)bytes) {
        gt_raise(context, GT_INVALID, here, "pack", "the memory has %zu bytes, %lld are needed",
                 options.bytes, (long long)bytes);
        return NULL;
    }
    gt_Buffer *block = options.memory ? gt_buffer_wrap(context, options.memory, (size_t)bytes)
                                      : gt_buffer_new(context, (size_t)bytes);
    for (int32_t i = 0; block && i < variables.count; i++)
        if (gt_variable_own(context, gt_slot_raw(variables.items[i]), false) != GT_OK)
            break;
    if (context->status != GT_OK) {
        gt_buffer_release(context, block);
        return NULL;
    }
    char *at = block->data;
    for (int32_t i = 0; i < variables.count; i++) {
        gt_Buffer *buffer = gt_slot_raw(variables.items[i])->value->buffer;
        if (buffer->bytes)
            memcpy(at, buffer->data, buffer->bytes);
        if (!buffer->borrowed)
            gt_release(context, buffer->data, buffer->bytes);
        gt_buffer_release(context, buffer->block);
        buffer->data = at;
        buffer->borrowed = true;
        buffer->block = block;
        block->references++;
        at += buffer->bytes;
    }
    void *data = block->data;
    gt_buffer_release(context, block);
    return data;
}
