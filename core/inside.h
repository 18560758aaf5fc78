/* The questions that other rooms may ask core, as functions: memory, errors, the context, handles, values, records,
 * tapes, scopes, traces. The structs behind these names are core's alone (core/structs.h). Not installed.
 *
 *   handle   gt_Tensor *: owned by a scope, or by whoever owns the variable
 *   value    spec, numbers (or a symbol of the traced graph) and the record that made it
 *   record   one operation that ran under a tape; owned by its output values
 *
 * The traced graph is data that every room may read: core/graph.h. */
#ifndef GT_CORE_INSIDE_H
#define GT_CORE_INSIDE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"
#include "core/blas.h"
#include "core/body.h"
#include "core/context.h"
#include "core/kind.h"
#include "core/map.h"
#include "core/mask.h"
#include "core/object.h"
#include "core/operation.h"
#include "core/tape.h"
#include "core/tensor.h"
#include "core/variable.h"

typedef struct gt_Value gt_Value;
typedef struct gt_Record gt_Record;
typedef struct gt_Slot gt_Slot;
typedef struct gt_TapeSlot gt_TapeSlot;
typedef struct gt_Trace gt_Trace;

/* ---- memory: every block is 64-byte aligned and given back with its size ---- */

#define GT_ALIGNMENT 64
/* The size, rounded up so that what follows is aligned too. */
static inline size_t gt_aligned(size_t bytes)
{
    return (bytes + GT_ALIGNMENT - 1) & ~(size_t)(GT_ALIGNMENT - 1);
}

/* NULL with GT_NO_MEMORY raised on failure. */
void *gt_allocate(gt_Context *context, size_t bytes);
void *gt_allocate_zeroed(gt_Context *context, size_t bytes);
void gt_release(gt_Context *context, void *block, size_t bytes);
/* The same without the pool: large blocks that live for one call. */
void *gt_allocate_unpooled(gt_Context *context, size_t bytes);
void gt_release_unpooled(gt_Context *context, void *block, size_t bytes);
/* A growing array: makes room for one more element. */
bool gt_reserve(gt_Context *context, void **array, int32_t count, int32_t *capacity,
                size_t element);

/* ---- errors ---- */

/* Raises an error as `operation`: "here: operation: message, in path". */
gt_Status gt_raise(gt_Context *context, gt_Status status, const char *here, const char *operation,
                   const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 5, 6)))
#endif
    ;

/* Keeps a warning of that kind, "flatten", unless there is one from this call site. */
void gt_warn(gt_Context *context, const char *here, const char *kind, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* ---- the context ---- */

/* The current context if no error is pending there, else NULL: the first line of every call. */
gt_Context *gt_enter(void);

/* The site and name that composite operations give to what they are made of. */
typedef struct gt_Site {
    gt_Context *context;
    const char *here, *composing;
} gt_Site;
gt_Site gt_site_enter(const char *here, const char *name);
/* The same for a part of a larger function: messages name both, "fit: auc". They are put into `both`, which outlives the site. */
gt_Site gt_site_enter_part(const char *here, const char *name, char *both, size_t size);
void gt_site_leave(const gt_Site *site);

/* The pending error; GT_OK: none. */
gt_Status gt_context_status(const gt_Context *context);
/* The message of the pending error. */
const char *gt_context_message(const gt_Context *context);
/* Room for a text that the user gets and that is valid until the next call. */
char *gt_context_text(gt_Context *context, size_t *size);
/* The inner loops for this processor. */
const gt_KernelTable *gt_context_kernels(const gt_Context *context);
uint64_t gt_context_seed(const gt_Context *context);
gt_Blas *gt_context_blas(gt_Context *context);
/* Makes every worker's scratch memory at least so large. */
gt_Status gt_scratch_reserve(gt_Context *context, size_t bytes);
/* The state of the default generator; NULL until somebody draws from it. */
gt_Variable *gt_context_generator(const gt_Context *context);
/* Makes it the default generator's state; the context keeps it, and is not kept by it. NULL is passed over. */
void gt_context_take_generator(gt_Context *context, gt_Variable *state);
bool gt_context_checks_numerics(const gt_Context *context);
/* Raises the error for the first element of a result of `operation` that is infinite or not a number, if there is one. */
gt_Status gt_check_finite(gt_Context *context, const char *here, const gt_Operation *operation,
                          const gt_Spec *spec, const void *data);

/* How many operations are registered in the context. */
int32_t gt_context_operations(const gt_Context *context);
/* Forgets those that were registered after the first `count`. */
void gt_context_forget_operations(gt_Context *context, int32_t count);

/* The call site that library code without one of its own reports. */
const char *gt_context_here(const gt_Context *context);
/* Sets it. Returns the one before. */
const char *gt_context_set_here(gt_Context *context, const char *here);
/* The operation whose gradient rule is running, for messages. Returns the one before. */
const gt_Operation *gt_context_set_differentiating(gt_Context *context,
                                                   const gt_Operation *operation);

/* A step of a plan, as messages name it. */
typedef struct gt_StepSite {
    const char *here; /* the call site where it was traced; NULL: not known */
    const char *name; /* of the operation */
    const char *path; /* of the layer that was being called, "model/dense_1"; NULL: none was */
    const gt_Operation *gradient_of; /* whose gradient rule applied it; NULL: none did */
} gt_StepSite;
/* Where the context keeps the pending error, and the step that is running, NULL without one: errors name it unless they
 * say otherwise. A plan looks both up once for a run. */
const gt_Status *gt_context_status_place(const gt_Context *context);
const gt_StepSite **gt_context_step_place(gt_Context *context);

/* Does the caller want to stop? */
bool gt_interrupted(gt_Context *context);
/* The interrupt function does not see what runs from here on. Returns what gt_context_resume wants. */
typedef struct gt_Interrupt {
    bool (*function)(void *user);
} gt_Interrupt;
gt_Interrupt gt_context_defer_interrupt(gt_Context *context);
void gt_context_resume_interrupt(gt_Context *context, gt_Interrupt interrupt);

/* How this thread computes while the library works: denormals are flushed to zero, but in a reproducible context
 * kept. And back to what the caller had. */
typedef struct gt_FloatMode {
    uint64_t saved;
} gt_FloatMode;
gt_FloatMode gt_float_mode_begin(const gt_Context *context);
gt_FloatMode gt_float_mode_flush(void);
void gt_float_mode_restore(gt_FloatMode mode);

/* A layer that is being called or built: what error messages and paths start from. */
typedef struct gt_CallFrame {
    const struct gt_CallFrame *caller;
    gt_Object *layer;
    const char *name; /* in its container */
    gt_Scope *scope;  /* that was open when the outermost call began */
    bool training;
    int32_t depth; /* calls around it */
} gt_CallFrame;
/* The layers that are being called, innermost first; NULL: none. */
const gt_CallFrame *gt_context_frame(const gt_Context *context);
/* Makes another one the innermost, and returns the one before. */
const gt_CallFrame *gt_context_set_frame(gt_Context *context, const gt_CallFrame *frame);
/* What was looked up of text ahead of the trace that runs (layers/lookups.h); NULL: nothing was. */
struct gt_Lookups *gt_context_lookups(const gt_Context *context);
void gt_context_set_lookups(gt_Context *context, struct gt_Lookups *lookups);
/* The names of the layers from the outermost call to this one, "model/dense_1"; cut to `size`. */
char *gt_frame_path(const gt_CallFrame *frame, char *text, size_t size);

/* How many branches and loops were decided by numbers so far; and one more. */
uint64_t gt_context_choices(const gt_Context *context);
void gt_context_choose(gt_Context *context);

/* ---- specs and numbers ---- */

bool gt_spec_set(gt_Spec *spec, gt_DType dtype, gt_Shape shape); /* false: overflow or bad rank */
bool gt_spec_resize(gt_Spec *spec);                              /* size from dims; same */
gt_Shape gt_spec_shape(const gt_Spec *spec);
bool gt_dims_equal(const gt_Spec *a, const gt_Spec *b);
bool gt_spec_equal(const gt_Spec *a, const gt_Spec *b);
static inline size_t gt_spec_bytes(const gt_Spec *spec)
{
    return (size_t)spec->size * gt_dtype_size(spec->dtype);
}
char *gt_dims_text(const gt_Spec *spec, char *text, size_t size); /* "(2, 3)" */
char *gt_spec_text(const gt_Spec *spec, char *text, size_t size); /* "float32 (2, 3)" */
/* Are the caller's options as long as the library's, so that they need no copy? Raises what gt_options_take does. */
bool gt_options_whole(const gt_OptionType *type, const void *given);
/* Can this dtype hold the number? Integers accept integers in their range, bool 0 and 1. */
bool gt_number_fits(gt_DType dtype, double number);
/* data[i] as a double */
double gt_number_fetch(gt_DType dtype, const void *data, int64_t i);
/* data[i] = number */
void gt_number_store(gt_DType dtype, void *data, int64_t i, double number);

/* Where output 0 begins in input 0, in elements, for a call whose shapes are known; -1: it is no view of it. */
int64_t gt_view_offset(const gt_ShapeRule *rule);
int gt_loop_type(gt_DType dtype); /* -1: no loops for it */
int gt_half_type(gt_DType dtype); /* float16, bfloat16; -1: another */
bool gt_storable(gt_DType dtype); /* one or the other: tensors can have it */
/* Where loops that move elements of 1, 2, 4 or 8 bytes have theirs. */
static inline int gt_move_index(size_t element)
{
    return element == 1 ? 0 : element == 2 ? 1 : element == 4 ? 2 : 3;
}

/* ---- handles, values ---- */

/* The spec behind a handle; NULL with an error raised as `operation` for NULL, for stale handles and those
 * of another context. `what` names the argument. It lives as long as the handle. */
const gt_Spec *gt_tensor_check(gt_Context *context, const char *here, const char *operation,
                               const char *what, const gt_Tensor *tensor);
/* The same for what must be a variable of this context. */
const gt_Spec *gt_variable_spec(gt_Context *context, const char *here, const char *operation,
                                const gt_Tensor *variable);
/* The spec of a handle that is known to be alive. */
const gt_Spec *gt_tensor_spec(const gt_Tensor *tensor);
/* The value that a live handle stands for; not held. A variable stands for the one it has now. */
gt_Value *gt_tensor_value(const gt_Tensor *tensor);
/* A new tensor without numbers yet; data gets where they go. */
gt_Tensor *gt_tensor_new(gt_Context *context, const gt_Spec *spec, void **data);
/* A handle of the innermost scope to a value, which gets one more reference. NULL on failure. */
gt_Tensor *gt_value_handle(gt_Value *value);
/* The same, but takes over the caller's reference, also when it fails. */
gt_Tensor *gt_handle_new(gt_Context *context, gt_Value *value);
/* Frees what a live handle stands for, before its scope ends. */
void gt_tensor_free(gt_Context *context, gt_Tensor *tensor);

/* The value behind a handle as an operation reads it: current value of a variable, late results computed.
 * NULL on failure; `what` and, unless it is 0, `number` name the argument of `operation`. Not held. */
gt_Value *gt_value_read(gt_Context *context, const char *here, const char *operation,
                        const char *what, int32_t number, gt_Tensor *tensor);
/* The same. gt_value_read raises an error for a value with a mask, which what follows would lose; this one does not. */
gt_Value *gt_value_read_masked(gt_Context *context, const char *here, const char *operation,
                               const char *what, int32_t number, gt_Tensor *tensor);
/* The value behind a handle as a source or target of gradients: in a trace a variable stands for its symbol.
 * Nothing is read. NULL with an error raised as `operation` on failure. Not held. */
gt_Value *gt_value_of(gt_Context *context, const char *here, const char *operation,
                      const char *what, const gt_Tensor *tensor);
/* The value behind a handle, held: a variable's as a reader gets it, late numbers as late as they were. NULL with an
 * error raised as `operation` on failure, also for the variable of another context. */
gt_Value *gt_value_hold(gt_Context *context, const char *here, const char *operation,
                        const char *what, const gt_Tensor *tensor);
/* One more reference, and one less; `data`: one that needs the numbers. */
void gt_value_retain(gt_Value *value, bool data);
void gt_value_release(gt_Value *value, bool data);
/* Where the numbers are. Those of a late result are computed now; NULL with an error raised if that fails. A
 * late symbol is from here on like any other. */
void *gt_value_data(const gt_Value *value);
const gt_Spec *gt_value_spec(const gt_Value *value);
gt_Context *gt_value_context(const gt_Value *value);
/* Is it a symbol of the traced graph, without numbers? */
bool gt_value_is_symbol(const gt_Value *value);
/* Does the value copy its numbers from memory that its user may change? */
bool gt_value_is_borrowed(const gt_Value *value);
/* Another value with the same numbers, or from byte `offset` of them on; NULL on failure. */
gt_Value *gt_value_alias(gt_Context *context, const gt_Value *value, const gt_Spec *spec,
                         size_t offset);
/* The options of a late result of this operation that nobody has read, seen from its first element on in its own shape; else
 * NULL. `input` gets the values that it waits for, not held. */
const void *gt_value_late(const gt_Value *value, const gt_Operation *operation,
                          gt_Value *input[GT_MAX_INPUTS]);
/* The variable that this value is or was the value of; NULL: none, or freed since. */
gt_Variable *gt_value_variable(const gt_Value *value);
void gt_values_release(gt_Value **values, int32_t count); /* and leaves NULLs */
/* Makes handles of the innermost scope; takes over the values, also when it fails. */
gt_Status gt_values_give(gt_Context *context, gt_Value **values, int32_t count,
                         gt_Tensor **outputs);

/* ---- masks (core/mask.h) ---- */

/* The mask that rides on a value, not held; NULL: none. */
gt_Value *gt_value_mask(const gt_Value *value);
/* Gives it to a value that nobody else has yet. */
void gt_value_set_mask(gt_Value *value, gt_Value *mask);
/* Raises the error for a value that has a mask where it would be lost. */
gt_Status gt_refuse_mask(gt_Context *context, const char *here, const char *operation,
                         const char *what, int32_t number, const gt_Value *value);

/* ---- bodies ---- */

/* Runs a body as part of `name`. `result` gets the values of its outputs, held; NULLs on failure.
 * Temporaries, scopes and tapes that it leaves are gone. */
gt_Status gt_body_run(gt_Context *context, const char *name, gt_FunctionBody body, void *user,
                      gt_Tensor *const *input, int32_t outputs, gt_Value **result);
/* The same, for results that may have masks; `probability` gets, one a result, the operation that made it if it is known to be one. */
gt_Status gt_body_run_telling(gt_Context *context, const char *name, gt_FunctionBody body,
                              void *user, gt_Tensor *const *input, int32_t outputs,
                              gt_Value **result, const gt_Operation **probability);

/* ---- origins: what a live handle to probabilities knows of how they were made ---- */

/* The handle is to probabilities that `operation` made, of which scores is not known. */
gt_Status gt_probability_mark(gt_Context *context, gt_Tensor *tensor,
                              const gt_Operation *operation);
/* The operation that made them (GT_OP_PROBABILITY); NULL: these are none, as far as is known. */
const gt_Operation *gt_origin_operation(const gt_Tensor *tensor);
/* The spec of the logits it made them of; NULL: they are not known, and the next three must not be asked. */
const gt_Spec *gt_origin_spec(const gt_Tensor *tensor);
const void *gt_origin_options(const gt_Tensor *tensor); /* of the operation */
int64_t gt_origin_first(const gt_Tensor *tensor);       /* the element of the logits where the view begins */
gt_Tensor *gt_origin_logits(const gt_Tensor *tensor);   /* a handle of the innermost scope; NULL on failure */
/* The recording tapes on which the numbers of the handle come from its logits. */
uint64_t gt_origin_tapes(const gt_Context *context, const gt_Tensor *tensor);
/* Nobody will ask this handle what it was made of: the logits may go. */
void gt_origin_forget(gt_Context *context, gt_Tensor *tensor);
/* A handle to the same value that knows nothing of its origin: of a tensor that does, a new one. */
gt_Tensor *gt_origin_hidden(gt_Context *context, gt_Tensor *tensor);

/* ---- variables: for handles that are known to be variables ---- */

const char *gt_variable_label(const gt_Variable *variable);
bool gt_variable_is_trainable(const gt_Variable *variable);
/* Variables are numbered in the order in which they are made. */
uint64_t gt_variable_serial(const gt_Variable *variable);
/* A penalty belongs to it, which a layer knows; a loss took it; a step is made: true if no loss did since the step before. */
void gt_variable_penalize(gt_Variable *variable);
void gt_variable_take_penalty(const gt_Context *context, gt_Variable *variable);
bool gt_variable_forget_penalty(gt_Variable *variable);
void gt_variable_retain(gt_Variable *variable);
void gt_variable_release(gt_Variable *variable); /* NULL is ignored */
/* The maker's hold becomes the caller's, which gt_variable_free drops. */
void gt_variable_give(gt_Variable *variable);
/* Where the numbers are. `overwrite`: in memory of the variable's own, because whoever holds the old value
 * keeps the old bytes; NULL with an error raised if there is no memory for that. */
void *gt_variable_memory(gt_Context *context, const gt_Variable *variable, bool overwrite);
/* The same for one whose numbers are all going to be replaced. */
void *gt_variable_replace(gt_Context *context, const gt_Variable *variable);
/* The variable stands for another value, whose reference it takes over. Returns the one before, held. */
gt_Value *gt_variable_exchange(gt_Variable *variable, gt_Value *value);

/* Bytes of all of them together; -1 with an error raised as `operation` if they cannot lie in one block: none, of two types,
 * one of them twice. */
int64_t gt_packed_bytes(gt_Context *context, const char *here, const char *operation,
                        gt_Tensors variables);

/* What a variable's new value is projected to after an update: made of operations, of the same dtype and
 * shape; NULL with an error raised on failure. */
typedef gt_Tensor *gt_VariableConstraint(const void *payload, gt_Tensor *variable);
/* Sets it, in place of the one before; `payload` is copied. A function of NULL takes it away. Raises an error
 * inside a traced function: it is no effect. */
gt_Status gt_variable_constrain(gt_Context *context, gt_Variable *variable,
                                gt_VariableConstraint *function, const void *payload, size_t bytes);
/* Has it one? While a function is traced this is a fact, and so is which. */
bool gt_variable_is_constrained(gt_Context *context, const gt_Variable *variable);
/* The projection of the present value, of a variable that has one. NULL on failure. */
gt_Tensor *gt_variable_constrained(gt_Variable *variable);

/* The variables that a body reads or overwrites, each value as it was then, and each tensor that has been
 * recorded by a tape that recorded when the listener began; held. Begin, run, end; listeners nest and
 * each hears everything. */
typedef struct gt_Listener {
    struct gt_Listener *outer;
    uint64_t tapes;
    gt_Value **heard;
    int32_t count, capacity;
    gt_Map known; /* the leaf of each variable, and each tensor */
} gt_Listener;
void gt_listener_begin(gt_Context *context, gt_Listener *listener);
void gt_listener_end(gt_Context *context, gt_Listener *listener); /* goes on holding */
void gt_listener_close(gt_Context *context, gt_Listener *listener);
bool gt_listening(const gt_Context *context);

/* ---- scopes ---- */

gt_Scope *gt_scope_innermost(const gt_Context *context);
/* New handles go to this scope, which is open. Returns the one before. */
gt_Scope *gt_scope_switch(gt_Context *context, gt_Scope *scope);
gt_Scope *gt_scope_parent(const gt_Scope *scope);
gt_Scope *gt_scope_open(gt_Context *context);
void gt_scope_close(gt_Context *context); /* the innermost */
void gt_scope_clear(gt_Context *context); /* frees what the innermost one owns; it stays open */
/* Closes scopes down to `outer`: whatever a failing callback left open. */
void gt_scope_unwind(gt_Context *context, gt_Scope *outer);
/* Moves a handle to the scope around the innermost one. NULL is passed through. */
gt_Tensor *gt_scope_keep(gt_Context *context, gt_Tensor *tensor);
/* A handle of that scope, or one around it, to what `tensor` stands for. */
void gt_scope_move(gt_Tensor *tensor, gt_Scope *scope);

/* ---- tapes ---- */

/* The tapes that record now, by bit. */
uint64_t gt_tape_recording(const gt_Context *context);
/* Hides what runs next from these tapes, or from every tape that is open (building layers,
 * optimizer state); tapes that begin meanwhile record. Returns what gt_tape_unquiet wants. */
uint64_t gt_tape_hush(gt_Context *context, uint64_t tapes);
uint64_t gt_tape_quiet(gt_Context *context);
void gt_tape_unquiet(gt_Context *context, uint64_t hushed);
/* Puts all tapes aside, so that the next one that begins is the outermost; and back. */
typedef struct gt_TapesAside {
    int32_t innermost;
    uint64_t recording, auto_watching;
} gt_TapesAside;
gt_TapesAside gt_tapes_put_aside(gt_Context *context);
void gt_tapes_put_back(gt_Context *context, gt_TapesAside aside);

/* The open tape behind a handle; NULL with an error raised as `operation` for anything else. */
gt_TapeSlot *gt_tape_check(gt_Context *context, const char *here, const char *operation,
                           const gt_Tape *tape);
/* May it be asked for gradients more than once? Was it asked, and may not be again? */
bool gt_tape_is_persistent(const gt_TapeSlot *tape);
bool gt_tape_is_used(const gt_TapeSlot *tape);
/* A question begins: the tape does not record its own gradient, unless it is persistent. Returns what
 * gt_tape_unquiet wants. */
uint64_t gt_tape_ask(gt_Context *context, const gt_TapeSlot *tape);
/* A question was answered: unless it is persistent the tape forgets its records and does not go on. */
void gt_tape_answered(gt_Context *context, gt_TapeSlot *tape);
/* The walk has passed a record: what it holds goes, unless the tape is persistent or another tape has it. */
void gt_tape_pass(const gt_Context *context, const gt_TapeSlot *tape, gt_Record *record);

/* Where a value comes from, as one tape knows it. */
typedef struct gt_TapePoint {
    gt_Record *record; /* NULL: the tape does not know the value */
    const void
        *key;  /* one for all outputs of an operation that the tape recorded; of a leaf, its own */
    bool leaf; /* a variable, or a tensor that the tape watches: where this tape begins */
    int32_t output; /* which output of the record it is */
} gt_TapePoint;
gt_TapePoint gt_tape_point(const gt_Context *context, const gt_TapeSlot *tape,
                           const gt_Value *value);

/* Would a gradient come to the value: does a tape that records now have it, without a cut? */
bool gt_gradient_passes(const gt_Context *context, const gt_Value *value);
/* Does a tape that records now watch the variable, or would it if the variable were read? */
bool gt_tape_would_watch(gt_Context *context, const gt_Variable *variable);
/* Is this the value of a variable? Then the tapes that watch what is read by themselves watch it. */
bool gt_tape_watch_read(gt_Context *context, gt_Value *value);

/* ---- records ---- */

/* A record as data. The lists live as long as the record is held; inputs are NULL if absent, and all of them
 * once the last tape that has the record is done with it. */
typedef struct gt_RecordView {
    const gt_Operation *operation; /* NULL: a leaf, that is a watched tensor */
    const void *options;
    const char *here; /* the caller's file and line; NULL: not known */
    gt_Value *const *input;
    int32_t inputs, outputs;
} gt_RecordView;
gt_RecordView gt_record_view(const gt_Record *record);
gt_Value *gt_record_input(const gt_Record *record, int i); /* NULL: absent */
const gt_Spec *gt_record_output_spec(const gt_Record *record, int i);
/* One more reference, and one less. */
void gt_record_retain(gt_Record *record);
void gt_record_release(gt_Record *record);
/* The record that made a value or watches it; NULL: none. */
gt_Record *gt_value_record(const gt_Value *value);
/* The tapes that have the value's record or watch the value, by bit; 0: none. */
uint64_t gt_value_tapes(const gt_Value *value);
/* Records a call on every tape that records now and knows one of its inputs. */
gt_Status gt_record_call(gt_Context *context, const gt_Operation *operation, const void *options,
                         int32_t inputs, gt_Value *const *input, int32_t outputs,
                         gt_Value *const *output);
/* To tapes a value is the same source as another one: the new version of a variable. */
void gt_value_share_record(gt_Value *made, const gt_Value *old);

/* ---- traces ---- */

/* Is a function being traced? */
bool gt_tracing(const gt_Context *context);
/* Is the body of control flow being traced, inside such a trace? */
bool gt_tracing_body(const gt_Context *context);
/* Is this layer's call, or NULL, where the function was called that is traced? */
bool gt_trace_called_from(const gt_Context *context, const gt_CallFrame *frame);
/* Builds of layers run eagerly inside a trace: suspend and resume. */
gt_Trace *gt_trace_suspend(gt_Context *context);
void gt_trace_resume(gt_Context *context, gt_Trace *trace);

/* ---- gradient rules ---- */

/* A gradient rule's call, as the walk makes it (autodiff/gradient.c); rules ask by gt_wants and its like. */
struct gt_GradientRule {
    gt_Context *context;
    gt_Record *record;
    const bool *wants;          /* one an input */
    gt_Tensor *const *upstream; /* one an output */
    gt_Tensor **given;          /* one an input */
    gt_Tensor **before; /* of control flow, one an input: the gradient from elsewhere that it
                                   takes into its sum, for the order of eager execution; or NULL */
    /* The walk itself, for rules that differentiate a body: gradients of the targets, one output
     * gradient each, in the sources; where there is no way, zeros or NULL. */
    gt_Status (*pull_back)(gt_Tape *tape, gt_Tensors targets, gt_Tensor *const *upstream,
                           gt_Tensors sources, gt_Tensor **gradients, bool zeros);
};

const gt_Operation *gt_rule_operation(const gt_GradientRule *rule);
gt_Context *gt_rule_context(const gt_GradientRule *rule);
int gt_rule_outputs(const gt_GradientRule *rule);
/* Is input i there? */
bool gt_rule_has_input(const gt_GradientRule *rule, int input);

/* Does the gradient rule read this input or output later? The last bit speaks for all that follow:
 * control flow has more of them than there are bits. */
static inline bool gt_saves_input(const gt_Operation *operation, int i)
{
    return operation->saves_inputs >> (i < 63 ? i : 63) & 1;
}
static inline bool gt_saves_output(const gt_Operation *operation, int i)
{
    return operation->saves_outputs >> (i < 31 ? i : 31) & 1;
}

/* Adds an operation to those of the context, once it is known that its name is free. */
gt_Status gt_operation_register(gt_Context *context, const char *here,
                                const gt_Operation *operation);

/* What users register by name, for files: the address must outlive the context. */
typedef enum gt_RegistrationKind {
    GT_REGISTRATION_KIND_LAYER,   /* a gt_LayerClass */
    GT_REGISTRATION_KIND_FUNCTION, /* a gt_TensorFunction */
    GT_REGISTRATION_KIND_TEXT      /* a gt_TextFunction */
} gt_RegistrationKind;
gt_Status gt_registration_add(gt_Context *context, gt_RegistrationKind kind, const char *name,
                              uintptr_t what);
/* 0: there is none of that name. NULL: it is not registered. */
uintptr_t gt_registration_find(const gt_Context *context, gt_RegistrationKind kind,
                               const char *name);
const char *gt_registration_name(const gt_Context *context, gt_RegistrationKind kind,
                                 uintptr_t what);

/* ---- for layers, optimizers and training ---- */

/* A number that no walk over layers and variables has had. */
uint64_t gt_context_new_visit(gt_Context *context);
/* How often a layer of the context got or lost a weight or a child; and one time more. */
/* What is copied just now, for layers/options.c alone; sets it, and returns what it was. */
void *gt_context_copying(const gt_Context *context);
void *gt_context_set_copying(gt_Context *context, void *copying);
uint64_t gt_context_structure(const gt_Context *context);
void gt_context_count_structure(gt_Context *context);
/* The dtype or policy of layers that have none (layers/layer.h); 0: none. */
uint32_t gt_context_policy(const gt_Context *context);
void gt_context_set_policy(gt_Context *context, uint32_t policy);
/* The number of this call of an outermost layer, from 1. */
uint64_t gt_context_count_call(gt_Context *context);
/* The functions that call layers: code -> object. */
gt_Map *gt_context_callables(gt_Context *context);

/* Where the elements of a live handle are: those of a variable now, late results computed. NULL with an
 * error raised if that fails; NULL for a symbol. */
void *gt_tensor_data(const gt_Tensor *tensor);
/* A handle told from every other that there was or will be: the few bits of a gt_Tensor * come round
 * again. */
typedef struct gt_Ticket {
    gt_Tensor *tensor; /* NULL: none */
    uint32_t generation;
} gt_Ticket;
gt_Ticket gt_tensor_ticket(gt_Tensor *tensor);
/* Frees what the handle stands for, if it is alive. */
void gt_ticket_free(gt_Context *context, gt_Ticket ticket);

/* A new variable of zeros, with one reference. */
gt_Variable *gt_variable_zeros(gt_Context *context, const gt_Spec *spec, const char *name,
                               bool trainable);
/* The same, but its numbers are worked out when somebody reads them, and not at all if they are assigned before: `fill` gets
 * the owner and memory to fill, runs outside of every tape and trace, and is asked again if it fails. */
typedef gt_Status (*gt_VariableFill)(void *owner, gt_Variable *variable, const gt_Spec *spec,
                                     void *data);
gt_Variable *gt_variable_late(gt_Context *context, const gt_Spec *spec, const char *name,
                              bool trainable, gt_VariableFill fill, void *owner);
/* Does it wait for its first numbers? */
bool gt_variable_is_late(const gt_Variable *variable);
/* The owner goes: numbers that are still to come are worked out now, or never. */
void gt_variable_disown(gt_Variable *variable);
/* One that was made trainable is so unless it is frozen; another never is. */
void gt_variable_freeze(gt_Variable *variable, bool frozen);
/* Is the variable met for the first time on this walk (gt_context_new_visit)? */
bool gt_variable_visit(gt_Variable *variable, uint64_t visit);

/* From begin to end the variable holds another value, of its spec; see stand_in.c. Frames nest; `self` stays where it is. */
typedef struct gt_StandIn {
    gt_Variable *variable; /* held */
    gt_Value *own;         /* held: what the variable held before */
    const gt_Trace *trace; /* where it began */
    struct gt_StandIn *around;
} gt_StandIn;
void gt_stand_in_begin(gt_Context *context, gt_StandIn *self, gt_Variable *variable,
                       gt_Value *value); /* takes over the hold on the value */
gt_Value *gt_stand_in_end(gt_Context *context, gt_StandIn *self); /* what it holds by then; held */
/* Does a value stand in for any variable? */
bool gt_stands_in(const gt_Context *context);

/* Nobody hears what happens until gt_listener_resume, which wants what this returns. */
gt_Listener *gt_listener_pause(gt_Context *context);
void gt_listener_resume(gt_Context *context, gt_Listener *listener);

#endif
