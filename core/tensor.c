/* Handles, values, buffers and scopes. Freeing is iterative: a long chain of records must not
 * become a deep recursion. Leans on memory.c, tape.c for what a record lets go of. */
#include "core/structs.h"
#include "kernels/half.h"

#include <math.h>
#include <string.h>

#define SLAB_SLOTS 1024
#define FREE_FLOOR 1024 /* free slots to have before one is reused: reuse is first-in first-out */

/* ---- buffers ---- */

gt_Buffer *gt_buffer_wrap(gt_Context *context, const void *data, size_t bytes)
{
    gt_Buffer *buffer = gt_allocate(context, sizeof *buffer);
    if (!buffer)
        return NULL;
    *buffer = (gt_Buffer){.bytes = bytes, .references = 1, .borrowed = true};
    memcpy(&buffer->data, &data, sizeof data); /* borrowed memory is never written */
    return buffer;
}

/* Blocks of up to 256 bytes waste nothing when both are cut to 64. */
#define INSIDE_HEAD ((size_t)GT_ALIGNMENT)
#define INSIDE_MOST (256 - INSIDE_HEAD)

_Static_assert(sizeof(gt_Buffer) <= GT_ALIGNMENT, "the data begin at a line of the cache");

gt_Buffer *gt_buffer_new(gt_Context *context, size_t bytes)
{
    if (bytes > INSIDE_MOST)
        return gt_buffer_apart(context, bytes);
    gt_Buffer *buffer = gt_allocate(context, INSIDE_HEAD + bytes);
    if (buffer)
        *buffer = (gt_Buffer){
            .data = (char *)buffer + INSIDE_HEAD, .bytes = bytes, .references = 1, .inside = true};
    return buffer;
}

gt_Buffer *gt_buffer_apart(gt_Context *context, size_t bytes)
{
    void *data = gt_allocate(context, bytes);
    if (!data)
        return NULL;
    gt_Buffer *buffer = gt_buffer_wrap(context, data, bytes);
    if (!buffer) {
        gt_release(context, data, bytes);
        return NULL;
    }
    buffer->borrowed = false;
    return buffer;
}

void gt_buffer_release(gt_Context *context, gt_Buffer *buffer)
{
    if (!buffer || --buffer->references > 0)
        return;
    if (buffer->late)
        gt_late_free(buffer->late);
    else if (!buffer->borrowed && !buffer->inside)
        gt_release(context, buffer->data, buffer->bytes);
    gt_buffer_release(context, buffer->block);
    gt_release(context, buffer, buffer->inside ? INSIDE_HEAD + buffer->bytes : sizeof *buffer);
}

/* ---- values ---- */

gt_Value *gt_value_new(gt_Context *context, const gt_Spec *spec, gt_Buffer *buffer, size_t offset)
{
    gt_Value *value = gt_allocate(context, sizeof *value);
    if (!value)
        return NULL;
    value->spec = *spec; /* field by field: this is on the path of every operation */
    value->context = context;
    value->buffer = buffer;
    value->offset = offset;
    value->record = NULL;
    value->node = NULL;
    value->mask = NULL;
    value->references = value->data_references = 1;
    value->symbol = -1;
    value->trace = 0;
    value->index = 0;
    return value;
}

void gt_value_retain(gt_Value *value, bool data)
{
    value->references++;
    if (data)
        value->data_references++;
}

/* What dies while a dying value's record lets go is queued behind it instead of recursed into; the
 * buffer field, empty by then, links the queue. */
void gt_value_release(gt_Value *value, bool data)
{
    gt_Context *context = value->context;
    if (data && --value->data_references == 0) {
        gt_buffer_release(context, value->buffer);
        value->buffer = NULL;
    }
    if (--value->references > 0)
        return;
    gt_buffer_release(context, value->buffer);
    value->buffer = NULL;
    if (context->dying) {
        value->buffer = context->dying->buffer;
        context->dying->buffer = (gt_Buffer *)(void *)value;
        return;
    }
    context->dying = value;
    while (context->dying) {
        gt_Value *head = context->dying;
        gt_Record *record = head->record;
        if (record && record->operation && record->output[head->index].value == head)
            record->output[head->index].value = NULL;
        if (record)
            gt_record_release(record);
        if (head->mask)
            gt_value_release(head->mask, true);
        if (head->node)
            gt_node_release(head->node);
        context->dying = (gt_Value *)(void *)head->buffer;
        gt_release(context, head, sizeof *head);
    }
}

/* ---- slots ---- */

static void push_free_slot(gt_Context *context, gt_Slot *slot)
{
    slot->next = NULL;
    if (context->free_last)
        context->free_last->next = slot;
    else
        context->free_first = slot;
    context->free_last = slot;
    context->free_slots++;
}

static bool more_slots(gt_Context *context)
{
    gt_Slot *slots = gt_allocate_zeroed(context, SLAB_SLOTS * sizeof *slots);
    if (!slots)
        return false;
    for (int i = 0; i < SLAB_SLOTS; i++)
        push_free_slot(context, &slots[i]);
    return true;
}

gt_Slot *gt_slot_new(gt_Context *context, gt_Value *value)
{
    if (context->free_slots < FREE_FLOOR && !more_slots(context))
        return NULL;
    gt_Slot *slot = context->free_first;
    context->free_first = slot->next;
    if (!context->free_first)
        context->free_last = NULL;
    context->free_slots--;
    context->memory.handles++;
    uint32_t generation = slot->generation;
    *slot = (gt_Slot){.word = GT_WORD_TENSOR | (generation & GT_HANDLE_MASK),
                      .value = value,
                      .generation = generation};
    return slot;
}

static void leave_scope(gt_Slot *slot)
{
    gt_Scope *scope = slot->scope;
    if (!scope)
        return;
    if (slot->previous)
        slot->previous->next = slot->next;
    else
        scope->first = slot->next;
    if (slot->next)
        slot->next->previous = slot->previous;
    else
        scope->last = slot->previous;
    slot->scope = NULL;
}

static void join_scope(gt_Scope *scope, gt_Slot *slot)
{
    slot->scope = scope;
    slot->next = NULL;
    slot->previous = scope->last;
    if (scope->last)
        scope->last->next = slot;
    else
        scope->first = slot;
    scope->last = slot;
}

void gt_slot_free(gt_Context *context, gt_Slot *slot)
{
    leave_scope(slot);
    gt_Value *value = slot->value;
    gt_Origin *origin = slot->origin;
    slot->value = NULL;
    slot->variable = NULL;
    slot->origin = NULL;
    slot->generation++;
    slot->word = GT_WORD_GONE;
    context->memory.handles--;
    push_free_slot(context, slot);
    gt_value_release(value, true);
    if (origin)
        gt_origin_release(context, origin);
}

gt_Tensor *gt_handle_new(gt_Context *context, gt_Value *value)
{
    gt_Slot *slot = gt_slot_new(context, value);
    if (!slot) {
        gt_value_release(value, true);
        return NULL;
    }
    join_scope(context->scope, slot);
    return gt_slot_handle(slot);
}

gt_Slot *gt_slot_refuse(gt_Context *context, const char *here, const char *operation,
                        const char *what, const gt_Tensor *tensor)
{
    uint64_t kind = gt_kind_of(tensor);
    if (kind != GT_WORD_TENSOR && kind != GT_WORD_GONE)
        gt_raise_kind(context, here, operation, what, "tensor", tensor);
    else if (gt_slot_find(tensor))
        gt_raise(context, GT_STATE, here, operation, "%s is a tensor of another context", what);
    else
        gt_raise(context, GT_STALE, here, operation,
                 "%s was used after its scope or tape ended, or after its variable was freed",
                 what);
    return NULL;
}

/* ---- scopes ---- */

gt_Scope *gt_scope_open(gt_Context *context)
{
    gt_Scope *scope = gt_allocate_zeroed(context, sizeof *scope);
    if (!scope)
        return NULL;
    scope->word = GT_WORD_SCOPE;
    scope->parent = context->scope;
    scope->handle = (uintptr_t)scope | (++context->scope_serial & GT_HANDLE_MASK);
    context->scope = scope;
    return scope;
}

void gt_scope_clear(gt_Context *context)
{
    const gt_Scope *scope = context->scope;
    while (scope->first)
        gt_slot_free(context, scope->first);
}

void gt_scope_close(gt_Context *context)
{
    gt_Scope *scope = context->scope;
    gt_scope_clear(context);
    context->scope = scope->parent;
    scope->word = 0;
    gt_release(context, scope, sizeof *scope);
}

void gt_scope_unwind(gt_Context *context, gt_Scope *outer)
{
    while (context->scope != outer && context->scope->parent) {
        gt_TapeSlot *tape = context->scope->tape;
        if (tape) {
            while (tape->handle)
                gt_tape_end_at(NULL, (gt_Tape *)context->tape[context->innermost_tape].handle);
        } else {
            gt_scope_close(context);
        }
    }
}

gt_Tensor *gt_scope_keep(gt_Context *context, gt_Tensor *tensor)
{
    if (!tensor)
        return NULL;
    gt_Slot *slot = gt_slot_find(tensor);
    if (slot && slot->scope == context->scope && context->scope->parent) {
        leave_scope(slot);
        join_scope(context->scope->parent, slot);
    }
    return tensor;
}

void gt_scope_move(gt_Tensor *tensor, gt_Scope *scope)
{
    gt_Slot *slot = gt_slot_raw(tensor);
    if (!slot->scope || slot->scope == scope)
        return;
    leave_scope(slot);
    join_scope(scope, slot);
}

gt_Scope *gt_scope_begin_at(const char *here)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    (void)here;
    gt_Scope *scope = gt_scope_open(context);
    return scope ? (gt_Scope *)scope->handle : NULL;
}

gt_Status gt_scope_end_at(const char *here, gt_Scope *scope)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    if (!scope)
        return context->status;
    uint64_t word = gt_word_of(scope); /* of one that ended nothing is known */
    if (!gt_is_address(scope) || (gt_is_word(word) && word != GT_WORD_SCOPE))
        return gt_raise_kind(context, here, "scope_end", NULL, "scope", scope);
    if ((uintptr_t)scope != context->scope->handle || !context->scope->parent)
        return gt_raise(context, GT_STATE, here, "scope_end",
                        context->scope->parent ? "this scope is not the innermost one; scopes end "
                                                 "in the reverse order of their beginning"
                                               : "no scope is open");
    if (context->scope->tape)
        return gt_raise(context, GT_STATE, here, "scope_end",
                        "the innermost scope is a tape's; end it with gt_tape_end");
    gt_scope_close(context);
    return context->status;
}

gt_Tensor *gt_keep_at(const char *here, gt_Tensor *tensor)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_slot_check(context, here, "keep", "the tensor", tensor))
        return NULL;
    if (!context->scope->parent && !gt_slot_raw(tensor)->variable) {
        gt_raise(context, GT_STATE, here, "keep", "no scope is open to keep it from");
        return NULL;
    }
    return gt_scope_keep(context, tensor);
}

/* ---- making tensors ---- */

static bool make_spec(gt_Context *context, const char *here, const char *operation, gt_Spec *spec,
                      gt_Shape shape, gt_DType dtype)
{
    char text[160];
    memset(spec, 0, sizeof *spec);
    if (!gt_storable(dtype))
        gt_raise(context, GT_UNSUPPORTED, here, operation, "tensors of type %s are not supported",
                 gt_dtype_name(dtype));
    else if (shape.rank < 0)
        gt_raise(context, GT_INVALID, here, operation, "the shape has more than %d dimensions",
                 GT_MAX_RANK);
    else if (!gt_spec_set(spec, dtype, shape))
        gt_raise(context, GT_INVALID, here, operation,
                 "the shape %s is negative somewhere or too large",
                 gt_shape_text(shape, text, sizeof text));
    else
        return true;
    return false;
}

gt_Tensor *gt_tensor_new(gt_Context *context, const gt_Spec *spec, void **data)
{
    gt_Buffer *buffer = gt_buffer_new(context, gt_spec_bytes(spec));
    if (!buffer)
        return NULL;
    gt_Value *value = gt_value_new(context, spec, buffer, 0);
    if (!value) {
        gt_buffer_release(context, buffer);
        return NULL;
    }
    *data = buffer->data;
    return gt_handle_new(context, value);
}

gt_Tensor *gt_from_data_at(const char *here, const void *data, gt_Shape shape, gt_DType dtype)
{
    gt_Context *context = gt_enter();
    gt_Spec spec;
    void *into;
    if (!context || !make_spec(context, here, "from_data", &spec, shape, dtype))
        return NULL;
    if (!data && spec.size > 0) {
        gt_raise(context, GT_INVALID, here, "from_data", "the data is NULL");
        return NULL;
    }
    gt_Tensor *tensor = gt_tensor_new(context, &spec, &into);
    if (tensor && spec.size > 0)
        memcpy(into, data, gt_spec_bytes(&spec));
    return tensor;
}

gt_Tensor *gt_from_buffer_at(const char *here, const void *data, gt_Shape shape, gt_DType dtype)
{
    gt_Context *context = gt_enter();
    gt_Spec spec;
    if (!context || !make_spec(context, here, "from_buffer", &spec, shape, dtype))
        return NULL;
    if (!data && spec.size > 0) {
        gt_raise(context, GT_INVALID, here, "from_buffer", "the data is NULL");
        return NULL;
    }
    if ((uintptr_t)data % gt_dtype_size(dtype) != 0) {
        gt_raise(context, GT_INVALID, here, "from_buffer", "the data is not aligned for %s",
                 gt_dtype_name(dtype));
        return NULL;
    }
    gt_Buffer *buffer = gt_buffer_wrap(context, data, gt_spec_bytes(&spec));
    gt_Value *value = buffer ? gt_value_new(context, &spec, buffer, 0) : NULL;
    if (!value) {
        gt_buffer_release(context, buffer);
        return NULL;
    }
    return gt_handle_new(context, value);
}

void gt_number_store(gt_DType dtype, void *data, int64_t i, double number)
{
    switch (dtype) {
    case GT_FLOAT32:
        ((float *)data)[i] = (float)number;
        break;
    case GT_FLOAT64:
        ((double *)data)[i] = number;
        break;
    case GT_INT32:
        ((int32_t *)data)[i] = (int32_t)number;
        break;
    case GT_INT64:
        ((int64_t *)data)[i] = (int64_t)number;
        break;
    case GT_UINT8:
        ((uint8_t *)data)[i] = (uint8_t)number;
        break;
    case GT_FLOAT16:
        ((uint16_t *)data)[i] = gt_to_f16(gt_to_odd(number));
        break;
    case GT_BFLOAT16:
        ((uint16_t *)data)[i] = gt_to_bf16(gt_to_odd(number));
        break;
    default:
        ((uint8_t *)data)[i] = number != 0;
        break;
    }
}

double gt_number_fetch(gt_DType dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case GT_FLOAT32:
        return (double)((const float *)data)[i];
    case GT_FLOAT64:
        return ((const double *)data)[i];
    case GT_INT32:
        return ((const int32_t *)data)[i];
    case GT_INT64:
        return (double)((const int64_t *)data)[i];
    case GT_FLOAT16:
        return (double)gt_from_f16(((const uint16_t *)data)[i]);
    case GT_BFLOAT16:
        return (double)gt_from_bf16(((const uint16_t *)data)[i]);
    default:
        return ((const uint8_t *)data)[i];
    }
}

bool gt_number_fits(gt_DType dtype, double number)
{
    switch (dtype) {
    case GT_INT32:
        return number >= -2147483648.0 && number <= 2147483647.0 && floor(number) == number;
    case GT_INT64:
        return number >= -9223372036854775808.0 && number < 9223372036854775808.0 &&
               floor(number) == number;
    case GT_UINT8:
        return number >= 0 && number <= 255 && floor(number) == number;
    case GT_BOOL:
        return number == 0 || number == 1;
    default:
        return true;
    }
}

gt_Tensors gt_tensors_list(gt_Tensor *const *items)
{
    int32_t count = 0;
    while (items[count] != GT_LIST_END)
        count++;
    return (gt_Tensors){count ? items : NULL, count};
}

gt_Tensor *gt_array_at(const char *here, gt_Shape shape, gt_DType dtype, const double *values)
{
    int64_t count = 0;
    while (values[count] != GT_NUMBERS_END)
        count++;
    return gt_from_values_at(here, shape, dtype, count, values);
}

gt_Tensor *gt_from_values_at(const char *here, gt_Shape shape, gt_DType dtype, int64_t count,
                             const double *values)
{
    gt_Context *context = gt_enter();
    gt_Spec spec;
    void *data;
    char text[160];
    if (!context || !make_spec(context, here, "array", &spec, shape, dtype))
        return NULL;
    if (spec.size != count || (count > 0 && !values)) {
        gt_raise(context, GT_INVALID, here, "array", "%lld numbers for the shape %s",
                 (long long)count, gt_shape_text(shape, text, sizeof text));
        return NULL;
    }
    for (int64_t i = 0; i < count; i++)
        if (!gt_number_fits(dtype, values[i])) {
            gt_raise(context, GT_INVALID, here, "array", "%g is not a number of type %s", values[i],
                     gt_dtype_name(dtype));
            return NULL;
        }
    gt_Tensor *tensor = gt_tensor_new(context, &spec, &data);
    for (int64_t i = 0; tensor && i < count; i++)
        gt_number_store(dtype, data, i, values[i]);
    return tensor;
}

gt_Tensor *gt_scalar_at(const char *here, double value, gt_DType dtype)
{
    return gt_from_values_at(here, gt_shape(), dtype, 1, &value);
}

/* ---- looking at them ---- */

static const gt_Value *look(const char *here, const char *operation, const gt_Tensor *tensor)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Slot *slot = gt_slot_check(context, here, operation, "the tensor", tensor);
    return slot ? slot->value : NULL;
}

gt_Spec gt_spec_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Spec none = {0};
    const gt_Value *value = look(here, "spec", tensor);
    return value ? value->spec : none;
}

gt_Shape gt_tensor_shape_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Shape none = {.mark = GT_MARK, .rank = -1};
    const gt_Value *value = look(here, "tensor_shape", tensor);
    return value ? gt_spec_shape(&value->spec) : none;
}

int gt_rank_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Value *value = look(here, "rank", tensor);
    return value ? value->spec.rank : -1;
}

int64_t gt_size_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Value *value = look(here, "size", tensor);
    return value ? value->spec.size : -1;
}

gt_DType gt_dtype_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Value *value = look(here, "dtype", tensor);
    return value ? value->spec.dtype : GT_DTYPE_NONE;
}

static const gt_Value *read_value(const char *here, const char *operation, const gt_Tensor *tensor)
{
    const gt_Value *value = look(here, operation, tensor);
    if (!value)
        return NULL;
    gt_Context *context = gt_context();
    gt_Slot *slot = gt_slot_raw(tensor);
    if (slot->variable && context->listener)
        gt_listener_hear(context, slot);
    if (value->symbol >= 0 || (context->trace && slot->variable)) {
        gt_raise(context, GT_STATE, here, operation,
                 "inside a traced function this tensor has no number yet; compute with operations "
                 "(gt_where, gt_cond), or return it");
        return NULL;
    }
    return gt_value_data(value) || context->status == GT_OK ? value : NULL;
}

const void *gt_data_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Value *value = read_value(here, "data", tensor);
    return value ? gt_value_data(value) : NULL;
}

const void *gt_data_of_at(const char *here, const gt_Tensor *tensor, gt_DType dtype)
{
    const gt_Value *value = read_value(here, "data", tensor);
    if (!value)
        return NULL;
    if (value->spec.dtype != dtype) {
        gt_raise(gt_context(), GT_INVALID, here, "data", "the tensor is %s, not %s",
                 gt_dtype_name(value->spec.dtype), gt_dtype_name(dtype));
        return NULL;
    }
    return gt_value_data(value);
}

double gt_element_at(const char *here, const gt_Tensor *tensor, int64_t index)
{
    const gt_Value *value = read_value(here, "element", tensor);
    if (!value)
        return NAN;
    if (index < 0 || index >= value->spec.size) {
        gt_raise(gt_context(), GT_INVALID, here, "element",
                 "index %lld is out of range: the tensor has %lld element%s", (long long)index,
                 (long long)value->spec.size, value->spec.size == 1 ? "" : "s");
        return NAN;
    }
    return gt_number_fetch(value->spec.dtype, gt_value_data(value), index);
}

double gt_item_at(const char *here, const gt_Tensor *tensor)
{
    const gt_Value *value = read_value(here, "item", tensor);
    char text[160];
    if (!value)
        return NAN;
    if (value->spec.size != 1) {
        gt_raise(gt_context(), GT_INVALID, here, "item", "a tensor of shape %s is not one number",
                 gt_dims_text(&value->spec, text, sizeof text));
        return NAN;
    }
    return gt_number_fetch(value->spec.dtype, gt_value_data(value), 0);
}
