/* Tapes and the records they hold. A record is one block: itself, its options, its inputs, its outputs. Tapes are 64 bits;
 * a record carries the bits of the tapes that have it, and a tape's end takes its bit off every record that is left.
 *
 * Nothing holds a record but its output values, and a record holds its inputs: what nobody can ask a gradient of is freed
 * while the tape records. For y = sin(x), z = y * 2, with x watched:
 *
 *     z (value) -> record multiply -> y (value) -> record sin -> x (value) -> leaf
 *
 * and when the handle of z goes, both records go. Records are in a ring by age, so that a tape that ends visits only those
 * that are younger than its oldest. Leans on tensor.c and variable.c. */
#include "core/trace.h"

#include <stdlib.h>
#include <string.h>

GT_OPTION_TYPE(gt_tape_begin_options, gt_tape_begin_OPTIONS);

#define BIT(n) ((uint64_t)1 << (n))

/* ---- records ---- */

static size_t align_up(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

/* Where the parts of a record's block begin. */
typedef struct Layout {
    size_t options, input, output, bytes;
} Layout;

static Layout layout_of(const gt_Operation *operation, int inputs, int outputs)
{
    Layout at;
    at.options = align_up(sizeof(gt_Record));
    at.input =
        at.options + align_up(operation && operation->options ? operation->options->size : 0);
    at.output = at.input + align_up((size_t)inputs * sizeof(gt_Value *));
    at.bytes = at.output + (size_t)outputs * sizeof(gt_RecordOutput);
    return at;
}

/* The output belongs to the record from here on, and the record to it. A rule that reads it later needs the buffer. */
static void take_output(gt_Record *record, int i, gt_Value *value)
{
    gt_RecordOutput *into = &record->output[i];
    *into = (gt_RecordOutput){.spec = value->spec,
                              .value = value,
                              .offset = value->offset,
                              .symbol = value->symbol,
                              .trace = value->trace};
    if (record->operation && gt_saves_output(record->operation, i) && value->buffer) {
        into->buffer = value->buffer;
        into->buffer->references++;
    }
    value->record = record;
    value->index = (uint16_t)i;
}

/* Puts the record at the young end of the ring. */
static void link_record(gt_Context *context, gt_Record *record)
{
    record->serial = ++context->record_serial;
    record->next = &context->records;
    record->previous = context->records.previous;
    record->previous->next = record->next->previous = record;
    context->memory.records++;
}

gt_Record *gt_record_new(gt_Context *context, const gt_Operation *operation, const void *options,
                         int inputs, gt_Value *const *input, int outputs, gt_Value *const *output,
                         uint64_t tapes, const char *here)
{
    Layout at = layout_of(operation, inputs, outputs);
    gt_Record *record = gt_allocate(context, at.bytes);
    if (!record)
        return NULL;
    record->operation = operation;
    record->context = context;
    record->tapes = tapes;
    record->leaves = 0;
    record->here = here;
    record->bytes = at.bytes;
    record->inputs = (uint16_t)inputs;
    record->outputs = (uint16_t)outputs;
    record->references = (uint32_t)outputs;
    record->variable = NULL;
    record->stripped = false;
    record->options = (char *)record + at.options;
    record->input = (gt_Value **)((char *)record + at.input);
    record->output = (gt_RecordOutput *)((char *)record + at.output);
    if (operation && operation->options)
        memcpy(record->options, options, operation->options->size);
    for (int i = 0; i < inputs; i++) {
        record->input[i] = input[i];
        if (input[i])
            gt_value_retain(input[i], gt_saves_input(operation, i));
    }
    for (int i = 0; i < outputs; i++)
        take_output(record, i, output[i]);
    link_record(context, record);
    return record;
}

/* Lets go of inputs and saved numbers. */
static void strip_record(gt_Record *record)
{
    if (record->stripped)
        return;
    record->stripped = true;
    for (int i = 0; i < record->inputs; i++) {
        gt_Value *value = record->input[i];
        record->input[i] = NULL;
        if (value)
            gt_value_release(value, gt_saves_input(record->operation, i));
    }
    for (int i = 0; i < record->outputs; i++) {
        gt_buffer_release(record->context, record->output[i].buffer);
        record->output[i].buffer = NULL;
    }
}

void gt_record_release(gt_Record *record)
{
    if (--record->references > 0)
        return;
    gt_Context *context = record->context;
    if (!record->next) { /* a variable's leaf: the block is the variable's */
        gt_VariableInfo *info =
            (gt_VariableInfo *)((char *)record - offsetof(gt_VariableInfo, leaf));
        gt_variable_info_free(context, info);
        return;
    }
    record->previous->next = record->next;
    record->next->previous = record->previous;
    context->memory.records--;
    strip_record(record);
    gt_release(context, record, record->bytes);
}

/* ---- tapes ---- */

int gt_tape_bit(const gt_Context *context, const gt_TapeSlot *tape)
{
    return (int)(tape - context->tape);
}

/* Works out which tapes record and which watch variables by themselves, from the stack of tapes. */
static void update_masks(gt_Context *context)
{
    context->recording = context->auto_watching = 0;
    for (int bit = context->innermost_tape; bit >= 0; bit = context->tape[bit].below) {
        const gt_TapeSlot *tape = &context->tape[bit];
        if (tape->paused || context->hushed & BIT(bit))
            continue;
        context->recording |= BIT(bit);
        if (tape->watch_accessed)
            context->auto_watching |= BIT(bit);
    }
}

void gt_tape_set_paused(gt_Context *context, gt_TapeSlot *tape, bool paused)
{
    tape->paused = paused;
    update_masks(context);
}

uint64_t gt_tape_hush(gt_Context *context, uint64_t tapes)
{
    uint64_t hushed = context->hushed;
    context->hushed |= tapes;
    update_masks(context);
    return hushed;
}

uint64_t gt_tape_quiet(gt_Context *context)
{
    return gt_tape_hush(context, UINT64_MAX);
}

void gt_tape_unquiet(gt_Context *context, uint64_t hushed)
{
    context->hushed = hushed;
    update_masks(context);
}

gt_TapeSlot *gt_tape_check(gt_Context *context, const char *here, const char *operation,
                           const gt_Tape *tape)
{
    if (gt_word_of(tape) != GT_WORD_TAPE) {
        gt_raise_kind(context, here, operation, NULL, "tape", tape);
        return NULL;
    }
    for (int bit = context->innermost_tape; bit >= 0; bit = context->tape[bit].below)
        if (context->tape[bit].handle == (uintptr_t)tape) {
            if (!context->trace || !(context->trace->tapes & BIT(bit)))
                return &context->tape[bit];
            gt_raise(context, GT_UNSUPPORTED, here, operation,
                     "this tape began outside of the branch or loop; inside a traced function it "
                     "sees that as one operation and can be used around it alone");
            return NULL;
        }
    gt_raise(context, GT_STALE, here, operation, "this tape ended, or belongs to another context");
    return NULL;
}

/* ---- what a gradient walk asks ---- */

bool gt_tape_is_persistent(const gt_TapeSlot *tape)
{
    return tape->persistent;
}

bool gt_tape_is_used(const gt_TapeSlot *tape)
{
    return tape->used;
}

uint64_t gt_tape_ask(gt_Context *context, const gt_TapeSlot *tape)
{
    return gt_tape_hush(context, tape->persistent ? 0 : BIT(gt_tape_bit(context, tape)));
}

void gt_tape_answered(gt_Context *context, gt_TapeSlot *tape)
{
    if (tape->persistent)
        return;
    tape->used = true;
    gt_tape_forget_records(context, tape);
    gt_tape_set_paused(context, tape, true);
}

void gt_tape_pass(const gt_Context *context, const gt_TapeSlot *tape, gt_Record *record)
{
    if (!tape->persistent && record->tapes == BIT(gt_tape_bit(context, tape)))
        strip_record(record);
}

/* A tape that has a record knows all outputs of it; one that only watches an output knows that one, and nothing
 * behind it. */
gt_TapePoint gt_tape_point(const gt_Context *context, const gt_TapeSlot *tape,
                           const gt_Value *value)
{
    uint64_t bit = BIT(gt_tape_bit(context, tape));
    gt_Record *record = value->record;
    if (!(gt_tapes_of(value) & bit))
        return (gt_TapePoint){0};
    bool recorded = record->tapes & bit;
    return (gt_TapePoint){.record = record,
                          .key = recorded ? (const void *)record : &record->output[value->index],
                          .leaf = !recorded || !record->operation,
                          .output = value->index};
}

bool gt_gradient_passes(const gt_Context *context, const gt_Value *value)
{
    const gt_Record *record = value->record;
    if (!record || !gt_dtype_is_float(value->spec.dtype))
        return false;
    bool cut = record->operation && record->operation->flags & GT_OP_NOT_DIFFERENTIABLE;
    uint64_t watching = gt_tapes_of(value) & ~record->tapes;
    return context->recording & (cut ? watching : watching | record->tapes);
}

bool gt_tape_would_watch(gt_Context *context, const gt_Variable *variable)
{
    const gt_VariableInfo *info = gt_slot_raw(variable)->variable;
    if (info->stand_in)
        return gt_tapes_of(gt_slot_raw(variable)->value) & context->recording;
    return info->leaf.tapes & context->recording ||
           (context->auto_watching && gt_ask_trainable(context, variable));
}

bool gt_tape_watch_read(gt_Context *context, gt_Value *value)
{
    gt_Variable *variable = gt_value_variable(value);
    if (!variable)
        return false;
    uint64_t asking = context->auto_watching & ~value->record->tapes;
    if (asking && gt_ask_trainable(context, variable))
        gt_tape_watch_leaf(context, value->record, asking);
    return true;
}

gt_Status gt_record_call(gt_Context *context, const gt_Operation *operation, const void *options,
                         int32_t inputs, gt_Value *const *input, int32_t outputs,
                         gt_Value *const *output)
{
    uint64_t tapes = 0;
    for (int32_t i = 0; i < inputs; i++)
        if (input[i])
            tapes |= gt_tapes_of(input[i]);
    tapes &= context->recording;
    if (inputs > UINT16_MAX)
        return gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                        "at most %d inputs and variables are possible (got %d)", UINT16_MAX,
                        (int)inputs);
    if (tapes)
        gt_record_new(context, operation, options, inputs, input, outputs, output, tapes,
                      context->here);
    return context->status;
}

/* ---- beginning, ending, watching ---- */

gt_TapesAside gt_tapes_put_aside(gt_Context *context)
{
    gt_TapesAside aside = {context->innermost_tape, context->recording, context->auto_watching};
    context->innermost_tape = -1;
    context->recording = context->auto_watching = 0;
    return aside;
}

void gt_tapes_put_back(gt_Context *context, gt_TapesAside aside)
{
    context->innermost_tape = aside.innermost;
    context->recording = aside.recording;
    context->auto_watching = aside.auto_watching;
}

gt_Tape *gt_tape_begin_at(const char *here, const gt_tape_begin_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_tape_begin_options options;
    GT_TAKE(gt_tape_begin_options, &options, given);
    int bit = context->last_tape;
    for (int tried = 0;;
         tried++) { /* round-robin, so that a stale handle stays detectable as long as possible */
        bit = (bit + 1) % GT_MAX_TAPES;
        if (!context->tape[bit].handle)
            break;
        if (tried == GT_MAX_TAPES) {
            gt_raise(context, GT_STATE, here, "tape_begin",
                     "at most %d tapes can be open at a time", GT_MAX_TAPES);
            return NULL;
        }
    }
    gt_TapeSlot *tape = &context->tape[bit];
    gt_Scope *scope = NULL;
    if (context->innermost_tape < 0 && !(scope = gt_scope_open(context)))
        return NULL;
    *tape = (gt_TapeSlot){.word = GT_WORD_TAPE,
                          .scope = scope,
                          .below = context->innermost_tape,
                          .oldest = context->record_serial + 1,
                          .generation = tape->generation + 1,
                          .persistent = options.persistent,
                          .watch_accessed = options.watch_accessed_variables};
    tape->handle = (uintptr_t)tape | (tape->generation & GT_HANDLE_MASK);
    if (scope)
        scope->tape = tape;
    context->innermost_tape = context->last_tape = bit;
    context->hushed &= ~BIT(bit);
    update_masks(context);
    return (gt_Tape *)tape->handle;
}

static void forget_watched(gt_Context *context, gt_TapeSlot *tape)
{
    for (int i = 0; i < tape->watched_count; i++) {
        tape->watched[i]->tapes &= ~BIT(gt_tape_bit(context, tape));
        gt_record_release(tape->watched[i]);
    }
    tape->watched_count = 0;
    gt_release(context, tape->list, (size_t)tape->list_count * sizeof *tape->list);
    tape->list = NULL;
    tape->list_count = 0;
}

/* From the youngest record to the oldest that the tape may hold: those of the tapes around it, which
 * are older, cost nothing. */
void gt_tape_forget_records(gt_Context *context, gt_TapeSlot *tape)
{
    uint64_t bit = BIT(gt_tape_bit(context, tape));
    /* Stripping frees records; a marker of our own keeps the place in the ring. */
    gt_Record mark = {0}, *record = context->records.previous;
    while (record != &context->records && record->serial >= tape->oldest) {
        mark.next = record;
        mark.previous = record->previous;
        mark.previous->next = record->previous = &mark;
        for (int i = 0; record->leaves & bit && i < record->outputs; i++)
            record->output[i].watched &= ~bit;
        record->leaves &= ~bit;
        if (record->tapes & bit) {
            record->tapes &= ~bit;
            if (record->tapes == 0)
                strip_record(record);
        }
        record = mark.previous;
        mark.previous->next = mark.next;
        mark.next->previous = mark.previous;
    }
    tape->oldest = context->record_serial + 1;
}

gt_Status gt_tape_end_at(const char *here, gt_Tape *handle)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    if (!handle)
        return context->status;
    gt_TapeSlot *tape = gt_tape_check(context, here, "tape_end", handle);
    if (!tape)
        return context->status;
    if (gt_tape_bit(context, tape) != context->innermost_tape)
        return gt_raise(context, GT_STATE, here, "tape_end",
                        "this tape is not the innermost one; tapes end in the reverse order of "
                        "their beginning");
    if (tape->scope && tape->scope != context->scope)
        return gt_raise(context, GT_STATE, here, "tape_end",
                        "a scope that was opened inside this tape is still open");
    if (tape->scope)
        gt_scope_close(context);
    forget_watched(context, tape);
    gt_release(context, tape->watched, (size_t)tape->watched_capacity * sizeof *tape->watched);
    tape->watched = NULL;
    tape->watched_capacity = 0;
    gt_tape_forget_records(context, tape);
    tape->handle = 0;
    context->innermost_tape = tape->below;
    update_masks(context);
    return context->status;
}

void gt_tape_watch_leaf(gt_Context *context, gt_Record *leaf, uint64_t tapes)
{
    for (int bit = 0; tapes; bit++, tapes >>= 1) {
        gt_TapeSlot *tape = &context->tape[bit];
        if (!(tapes & 1) || leaf->tapes & BIT(bit))
            continue;
        if (!gt_reserve(context, (void **)&tape->watched, tape->watched_count,
                        &tape->watched_capacity, sizeof *tape->watched))
            return;
        tape->watched[tape->watched_count++] = leaf;
        leaf->references++;
        leaf->tapes |= BIT(bit);
    }
}

gt_Status gt_watch_at(const char *here, gt_Tape *handle, gt_Tensor *tensor)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_TapeSlot *tape = gt_tape_check(context, here, "watch", handle);
    gt_Slot *slot = tape ? gt_slot_check(context, here, "watch", "the tensor", tensor) : NULL;
    if (!slot)
        return context->status;
    gt_Value *value = slot->value;
    if (!gt_dtype_is_float(value->spec.dtype))
        return gt_raise(context, GT_INVALID, here, "watch",
                        "only floats can be watched (got %s)",
                        gt_dtype_name(value->spec.dtype));
    if (value->context != context)
        return gt_raise(context, GT_STATE, here, "watch", "the tensor belongs to another context");
    uint64_t bit = BIT(gt_tape_bit(context, tape));
    gt_Record *record = slot->variable ? &slot->variable->leaf : value->record;
    if (record && !record->next) { /* of a variable, or a value that one had */
        gt_tape_watch_leaf(context, record, bit);
        return context->status;
    }
    if (record && record->serial < tape->oldest)
        tape->oldest = record->serial;
    if (record && !record->operation) {
        record->tapes |= bit;
        return GT_OK;
    }
    if (record) { /* other tapes know its record; this one begins here */
        if (!(record->tapes & bit)) {
            record->output[value->index].watched |= bit;
            record->leaves |= bit;
        }
        return GT_OK;
    }
    return gt_record_new(context, NULL, NULL, 0, NULL, 1, &value, bit, here) ? GT_OK
                                                                             : context->status;
}

static gt_Status set_paused(const char *here, const char *operation, gt_Tape *handle, bool paused)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_TapeSlot *tape = gt_tape_check(context, here, operation, handle);
    if (!tape)
        return context->status;
    if (tape->paused == paused)
        return gt_raise(context, GT_STATE, here, operation, "the tape is %s recording",
                        paused ? "not" : "already");
    if (tape->used)
        return gt_raise(context, GT_STATE, here, operation,
                        "this tape was used for a gradient; gt_tape_reset makes it new");
    gt_tape_set_paused(context, tape, paused);
    return GT_OK;
}

gt_Status gt_tape_pause_at(const char *here, gt_Tape *tape)
{
    return set_paused(here, "tape_pause", tape, true);
}

gt_Status gt_tape_resume_at(const char *here, gt_Tape *tape)
{
    return set_paused(here, "tape_resume", tape, false);
}

gt_Status gt_tape_reset_at(const char *here, gt_Tape *handle)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_TapeSlot *tape = gt_tape_check(context, here, "tape_reset", handle);
    if (!tape)
        return context->status;
    forget_watched(context, tape);
    gt_tape_forget_records(context, tape);
    if (tape->used)
        gt_tape_set_paused(context, tape, false);
    tape->used = false;
    return GT_OK;
}

static int by_serial(const void *a, const void *b)
{
    uint64_t x = gt_slot_raw(*(gt_Variable *const *)a)->variable->serial;
    uint64_t y = gt_slot_raw(*(gt_Variable *const *)b)->variable->serial;
    return (x > y) - (x < y);
}

gt_Tensors gt_watched_variables_at(const char *here, gt_Tape *handle)
{
    gt_Tensors none = {0};
    gt_Context *context = gt_enter();
    gt_TapeSlot *tape = context ? gt_tape_check(context, here, "watched_variables", handle) : NULL;
    if (!tape || tape->watched_count == 0)
        return none;
    gt_Variable **list = gt_allocate(context, (size_t)tape->watched_count * sizeof *list);
    if (!list)
        return none;
    gt_release(context, tape->list, (size_t)tape->list_count * sizeof *tape->list);
    tape->list = list;
    tape->list_count = tape->watched_count;
    int32_t count = 0;
    for (int32_t i = 0; i < tape->watched_count; i++)
        if (tape->watched[i]->variable) /* NULL: it was freed */
            list[count++] = gt_slot_handle(tape->watched[i]->variable);
    qsort(list, (size_t)count, sizeof *list, by_serial);
    return (gt_Tensors){list, count};
}
