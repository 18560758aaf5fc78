/* What the other rooms may ask of core, by functions: handles, values, records, tapes, scopes, traces. The
 * structs behind these names are core's alone (core/structs.h). Not installed.
 *
 *   handle   gt_Tensor *: owned by a scope, or by whoever owns the variable
 *   value    spec, numbers (or a symbol of the traced graph) and the record that made it
 *   record   one operation that ran under a tape; owned by its output values
 */
#ifndef GT_CORE_INSIDE_H
#define GT_CORE_INSIDE_H

#include "core/internal.h"

/* ---- the context ---- */

/* The pending error; GT_OK: none. */
gt_Status gt_context_status(const gt_Context *context);
/* The inner loops for this processor. */
const gt_KernelTable *gt_context_kernels(const gt_Context *context);
int gt_context_threads(const gt_Context *context);
uint64_t gt_context_seed(const gt_Context *context);
gt_Blas *gt_context_blas(gt_Context *context);
/* The scratch memory of worker 0, as large as the running operation's shape rule asked for. */
void *gt_context_scratch(gt_Context *context);
/* Where the state of the default generator is kept; NULL until somebody draws from it. */
gt_Variable **gt_context_generator(gt_Context *context);
bool gt_context_checks_numerics(const gt_Context *context);
/* The object that was made after `previous`, or the first one for NULL; NULL at the end. */
gt_Object *gt_context_next_object(const gt_Context *context, const gt_Object *previous);

/* The call site that library code without one of its own reports. Returns the one before. */
const char *gt_context_set_here(gt_Context *context, const char *here);
/* The name of the operation that is running, for messages. Returns the one before. */
const char *gt_context_set_applying(gt_Context *context, const char *name);
/* The operation whose gradient rule is running, for messages. Returns the one before. */
const gt_Operation *gt_context_set_differentiating(gt_Context *context,
                                                   const gt_Operation *operation);
/* The interrupt function does not see what runs from here on. Returns what gt_context_resume wants. */
typedef struct gt_Interrupt {
    bool (*function)(void *user);
} gt_Interrupt;
gt_Interrupt gt_context_defer_interrupt(gt_Context *context);
void gt_context_resume_interrupt(gt_Context *context, gt_Interrupt interrupt);

/* The layers that are being called, innermost first; NULL: none. */
const gt_CallFrame *gt_context_frame(const gt_Context *context);
/* Makes another one the innermost, and returns the one before. */
const gt_CallFrame *gt_context_set_frame(gt_Context *context, const gt_CallFrame *frame);

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
/* A handle of the innermost scope to a value, which gets one more reference. NULL on failure. */
gt_Tensor *gt_value_handle(gt_Value *value);
/* Frees what a live handle stands for, before its scope ends. */
void gt_tensor_free(gt_Context *context, gt_Tensor *tensor);

const gt_Spec *gt_value_spec(const gt_Value *value);
gt_Context *gt_value_context(const gt_Value *value);
/* Is it a symbol of the traced graph, without numbers? */
bool gt_value_is_symbol(const gt_Value *value);
/* Another value with the same numbers, or from byte `offset` of them on; NULL on failure. */
gt_Value *gt_value_alias(gt_Context *context, const gt_Value *value, const gt_Spec *spec,
                         size_t offset);
/* The variable that this value is or was the value of; NULL: none. */
gt_Variable *gt_value_variable(const gt_Value *value);

/* ---- variables: for handles that are known to be variables ---- */

const char *gt_variable_label(const gt_Variable *variable);
bool gt_variable_is_trainable(const gt_Variable *variable);

/* ---- scopes ---- */

gt_Scope *gt_scope_innermost(const gt_Context *context);
/* New handles go to this scope, which is open. Returns the one before. */
gt_Scope *gt_scope_switch(gt_Context *context, gt_Scope *scope);
gt_Scope *gt_scope_parent(const gt_Scope *scope);

/* ---- tapes and records ---- */

/* The tapes that record now, and those that watch variables by themselves, by bit. */
uint64_t gt_tape_recording(const gt_Context *context);
uint64_t gt_tape_auto_watching(const gt_Context *context);
/* What made a value or watches it; NULL: nothing. */
gt_Record *gt_value_record(const gt_Value *value);
/* The tapes that have the value's record or watch the value, by bit; 0: none. */
uint64_t gt_value_tapes(const gt_Value *value);
/* NULL for a leaf, that is a watched tensor. */
const gt_Operation *gt_record_operation(const gt_Record *record);
const void *gt_record_options(const gt_Record *record);
const char *gt_record_here(const gt_Record *record);
uint64_t gt_record_tapes(const gt_Record *record);
int gt_record_inputs(const gt_Record *record);
int gt_record_outputs(const gt_Record *record);
gt_Value *gt_record_input(const gt_Record *record, int i); /* NULL: absent */
const gt_Spec *gt_record_output_spec(const gt_Record *record, int i);
/* Which output of its record a value is. */
int gt_value_index(const gt_Value *value);
void gt_record_retain(gt_Record *record);

/* ---- traces ---- */

/* Is a function being traced? */
bool gt_tracing(const gt_Context *context);
/* Is the body of control flow being traced, inside such a trace? */
bool gt_tracing_body(const gt_Context *context);

/* ---- for layers, optimizers and training ---- */

/* A number that no walk over layers and variables has had. */
uint64_t gt_context_new_visit(gt_Context *context);
/* How often a layer of the context got or lost a weight or a child; and one time more. */
uint64_t gt_context_structure(const gt_Context *context);
void gt_context_count_structure(gt_Context *context);
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
/* Makes its bytes its own before they are overwritten at gt_tensor_data: whoever holds the old value
 * keeps the old bytes, at another address. */
gt_Status gt_variable_claim(gt_Context *context, gt_Variable *variable);
/* One that was made trainable is so unless it is frozen; another never is. */
void gt_variable_freeze(gt_Variable *variable, bool frozen);
/* Is the variable met for the first time on this walk (gt_context_new_visit)? */
bool gt_variable_visit(gt_Variable *variable, uint64_t visit);

/* Does somebody listen to what is read and overwritten? */
bool gt_listening(const gt_Context *context);
/* Nobody hears what happens until gt_listener_resume, which wants what this returns. */
gt_Listener *gt_listener_pause(gt_Context *context);
void gt_listener_resume(gt_Context *context, gt_Listener *listener);

/* ---- rules ---- */

const gt_Operation *gt_rule_operation(const gt_GradientRule *rule);
gt_Context *gt_rule_context(const gt_GradientRule *rule);

#endif
