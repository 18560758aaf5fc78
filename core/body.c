/* Running a function of the user's in scopes of its own: its temporaries are gone afterwards, also
 * when it fails and leaves scopes and tapes open. Leans on tensor.c and tape.c. */
#include "core/trace.h"

#include <stdio.h>
#include <string.h>

static int open_tapes(const gt_Context *context)
{
    int count = 0;
    for (int bit = context->innermost_tape; bit >= 0; bit = context->tape[bit].below)
        count++;
    return count;
}

static void unwind(gt_Context *context, gt_Scope *outer, int tapes)
{
    gt_scope_unwind(context, outer);
    while (open_tapes(context) > tapes)
        gt_tape_end_at(NULL, (gt_Tape *)context->tape[context->innermost_tape].handle);
}

/* A copy in the innermost scope: nothing of another context is held. */
static gt_Value *copy_foreign(gt_Context *context, const gt_Value *value)
{
    void *data;
    gt_Tensor *copy = gt_tensor_new(context, &value->spec, &data);
    if (!copy)
        return NULL;
    if (value->spec.size > 0)
        memcpy(data, gt_value_data(value), gt_spec_bytes(&value->spec));
    return gt_slot_raw(copy)->value;
}

gt_Value *gt_value_read(gt_Context *context, const char *here, const char *operation,
                        const char *what, int32_t number, gt_Tensor *tensor)
{
    gt_Value *value = gt_value_read_masked(context, here, operation, what, number, tensor);
    bool plain = value && gt_refuse_mask(context, here, operation, what, number, value) == GT_OK;
    return plain ? value : NULL;
}

gt_Value *gt_value_read_masked(gt_Context *context, const char *here, const char *operation,
                               const char *what, int32_t number, gt_Tensor *tensor)
{
    char numbered[48];
    if (number > 0 && !gt_slot_find(tensor)) {
        snprintf(numbered, sizeof numbered, "%s %d", what, (int)number);
        what = numbered;
    }
    gt_Slot *slot = gt_slot_check(context, here, operation, what, tensor);
    if (!slot)
        return NULL;
    gt_Value *value = slot->variable ? gt_variable_read(context, slot) : slot->value;
    if (context->listener && !slot->variable)
        gt_listener_hear_tensor(context, value);
    if (value && value->symbol >= 0 && !gt_trace_knows(context, value)) {
        gt_raise(context, GT_STALE, here, operation,
                 "a tensor of a traced function was used outside of it");
        return NULL;
    }
    if (value && value->node) {
        gt_raise(context, GT_STATE, here, operation,
                 "a symbol of gt_Input has no numbers, which are needed here: put this into a layer, "
                 "gt_Lambda or one of your own");
        return NULL;
    }
    if (value && value->context != context)
        return copy_foreign(context, value);
    if (value)
        gt_value_data(value);
    return context->status == GT_OK ? value : NULL;
}

static gt_Status take_results(gt_Context *context, const char *name, gt_Tensor *const *output,
                              int32_t outputs, gt_Value **result, const gt_Operation **probability)
{
    for (int32_t i = 0; i < outputs; i++) {
        result[i] =
            gt_value_read_masked(context, NULL, name, "the body's output", i + 1, output[i]);
        if (!result[i] || (!probability && gt_refuse_mask(context, NULL, name, "the body's output",
                                                          i + 1, result[i]) != GT_OK)) {
            result[i] = NULL;
            break;
        }
        gt_value_retain(result[i], true);
        const gt_Origin *origin = gt_slot_raw(output[i])->origin;
        if (probability)
            probability[i] = origin ? origin->operation : NULL;
    }
    if (context->status != GT_OK)
        gt_values_release(result, outputs);
    return context->status;
}

gt_Status gt_body_run_telling(gt_Context *context, const char *name, gt_FunctionBody body,
                              void *user, gt_Tensor *const *input, int32_t outputs,
                              gt_Value **result, const gt_Operation **probability)
{
    if (outputs > 0)
        memset(result, 0, (size_t)outputs * sizeof *result);
    if (!body)
        return gt_raise(context, GT_INVALID, NULL, name, "the body is NULL");
    if (!gt_is_address((const void *)(uintptr_t)body))
        return gt_raise_kind(context, NULL, name, "the body", "function",
                             (const void *)(uintptr_t)body);
    size_t bytes = (size_t)outputs * sizeof(gt_Tensor *);
    gt_Tensor **output = gt_allocate_zeroed(context, bytes);
    if (!output)
        return context->status;
    gt_Scope *outer = context->scope;
    int tapes = open_tapes(context);
    /* Two: what the body keeps from the inner one goes with the outer one. */
    if (gt_scope_open(context) && gt_scope_open(context)) {
        gt_Status status = body(user, input, output);
        if (status != GT_OK)
            gt_raise(context, status, NULL, name, "the body failed");
        if (context->status == GT_OK)
            take_results(context, name, output, outputs, result, probability);
    }
    unwind(context, outer, tapes);
    gt_release(context, output, bytes);
    return context->status;
}

gt_Status gt_body_run(gt_Context *context, const char *name, gt_FunctionBody body, void *user,
                      gt_Tensor *const *input, int32_t outputs, gt_Value **result)
{
    return gt_body_run_telling(context, name, body, user, input, outputs, result, NULL);
}

void gt_values_release(gt_Value **values, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (values[i])
            gt_value_release(values[i], true);
        values[i] = NULL;
    }
}

gt_Status gt_values_give(gt_Context *context, gt_Value **values, int32_t count, gt_Tensor **outputs)
{
    for (int32_t i = 0; i < count && context->status == GT_OK; i++) {
        gt_Value *value = values[i];
        values[i] = NULL;
        outputs[i] = gt_handle_new(context, value);
    }
    gt_values_release(values, count);
    for (int32_t i = 0; i < count && context->status != GT_OK; i++) {
        if (outputs[i])
            gt_slot_free(context, gt_slot_raw(outputs[i]));
        outputs[i] = NULL;
    }
    return context->status;
}
