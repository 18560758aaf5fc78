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
/* The same for a handle that is known to be alive. */
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

/* ---- origins: what a live handle to probabilities knows of how they were made ---- */

/* The operation that made them (GT_OP_PROBABILITY); NULL: these are none, as far as is known. */
const gt_Operation *gt_origin_operation(const gt_Tensor *tensor);
/* The spec of the logits it made them of; NULL: they are not known, and the next three must not be asked. */
const gt_Spec *gt_origin_spec(const gt_Tensor *tensor);
const void *gt_origin_options(const gt_Tensor *tensor); /* of the operation */
int64_t gt_origin_first(const gt_Tensor *tensor);       /* the element of the logits where the view begins */
gt_Tensor *gt_origin_logits(const gt_Tensor *tensor);   /* a handle of the innermost scope; NULL on failure */
/* The recording tapes on which the numbers of the handle come from its logits. */
uint64_t gt_origin_tapes(const gt_Context *context, const gt_Tensor *tensor);

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

/* ---- rules ---- */

const gt_Operation *gt_rule_operation(const gt_GradientRule *rule);
gt_Context *gt_rule_context(const gt_GradientRule *rule);

#endif
