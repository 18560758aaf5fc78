/* Running an operation: check the inputs, ask the shape rule, run the kernel or write the node
 * down, record. Every operation of every mode goes through gt_apply. Leans on tensor.c, tape.c,
 * graph.c. */
#include "core/launch.h"
#include "core/trace.h"

#include <math.h>
#include <string.h>

int gt_loop_type(gt_DType dtype)
{
    static const int8_t types[GT_DTYPE_COUNT] = {
        [GT_FLOAT32] = 1 + GT_LOOP_F32, [GT_FLOAT64] = 1 + GT_LOOP_F64,
        [GT_INT32] = 1 + GT_LOOP_I32,   [GT_INT64] = 1 + GT_LOOP_I64,
        [GT_UINT8] = 1 + GT_LOOP_U8,    [GT_BOOL] = 1 + GT_LOOP_BOOL,
    };
    return (unsigned)dtype < GT_DTYPE_COUNT ? types[dtype] - 1 : -1;
}

int gt_half_type(gt_DType dtype)
{
    return dtype == GT_FLOAT16 ? GT_HALF_F16 : dtype == GT_BFLOAT16 ? GT_HALF_BF16 : -1;
}

bool gt_storable(gt_DType dtype)
{
    return gt_loop_type(dtype) >= 0 || gt_half_type(dtype) >= 0;
}

/* One call on its way. */
typedef struct Call {
    gt_Context *context;
    const gt_Operation *operation;
    const void *options;
    const char *here;
    int inputs;
    bool symbolic;
    bool masked;  /* an input has a mask, or the operation gives one */
    bool drawn;   /* an input is a symbol of a functional model */
    int64_t view; /* where the output begins in input 0, in elements; -1: it is no view */
    gt_Slot *slot[GT_MAX_INPUTS];
    gt_Value *value[GT_MAX_INPUTS];
    gt_ShapeRule rule;
} Call;

static const char *name_of_input(int i)
{
    static const char names[][8] = {"input 1", "input 2", "input 3", "input 4", "input 5",
                                    "input 6", "input 7", "input 8", "input 9"};
    return i < 9 ? names[i] : "one of the inputs";
}

static gt_Status check_inputs(Call *call, gt_Tensor *const *input)
{
    gt_Context *context = call->context;
    const gt_Operation *operation = call->operation;
    if (call->inputs < operation->inputs_min || call->inputs > operation->inputs_max)
        return gt_raise(context, GT_INVALID, call->here, operation->name,
                        "%d inputs; it takes %d to %d", call->inputs, operation->inputs_min,
                        operation->inputs_max);
    for (int i = 0; i < call->inputs; i++) {
        call->slot[i] = NULL;
        call->value[i] = NULL;
        call->rule.input[i] = NULL;
        if (!input[i] && operation->optional_inputs >> i & 1)
            continue;
        gt_Slot *slot =
            gt_slot_check(context, call->here, operation->name, name_of_input(i), input[i]);
        if (!slot)
            return context->status;
        call->slot[i] = slot;
        call->value[i] = slot->value;
        if (slot->variable && !(call->value[i] = gt_variable_read(context, slot)))
            return context->status;
        if (context->listener && !slot->variable)
            gt_listener_hear_tensor(context, slot->value);
        if (call->value[i]->symbol >= 0 && !gt_trace_knows(context, call->value[i]))
            return gt_raise(context, GT_STALE, call->here, operation->name,
                            "a tensor of a traced function was used outside of it");
        call->symbolic |= gt_trace_takes(context, call->value[i]);
        call->masked |= call->value[i]->mask != NULL;
        call->drawn |= call->value[i]->node != NULL;
        call->rule.input[i] = &call->value[i]->spec;
        if (gt_half_type(slot->value->spec.dtype) >= 0 && !(operation->flags & GT_OP_HALF)) {
            char text[200];
            return gt_raise(context, GT_INVALID, call->here, operation->name,
                            "%s is %s, a type to store numbers in; gt_cast it to float32",
                            name_of_input(i), gt_spec_text(&slot->value->spec, text, sizeof text));
        }
    }
    return context->status;
}

static gt_Status check_shapes(Call *call)
{
    gt_Context *context = call->context;
    gt_ShapeRule *rule = &call->rule;
    const gt_Operation *operation = call->operation;
    rule->operation = operation;
    rule->options = call->options;
    rule->inputs = call->inputs;
    rule->outputs = operation->outputs;
    rule->scratch = 0;
    rule->output[0] = (gt_Spec){0}; /* by itself: a memset of unknown length is a call */
    for (int i = 1; i < operation->outputs; i++)
        rule->output[i] = (gt_Spec){0};
    gt_Status status = operation->shape(rule);
    if (context->status != GT_OK)
        return context->status;
    if (status != GT_OK)
        return gt_raise(context, status, call->here, operation->name, "the shape rule failed");
    for (int i = 0; i < rule->outputs; i++) {
        char text[160];
        if (!gt_spec_resize(&rule->output[i]))
            return gt_raise(context, GT_INVALID, call->here, operation->name,
                            "the result %s would be too large",
                            gt_dims_text(&rule->output[i], text, sizeof text));
    }
    call->view = gt_view_offset(rule);
    return GT_OK;
}

int64_t gt_view_offset(const gt_ShapeRule *rule)
{
    const gt_Operation *operation = rule->operation;
    if (!(operation->flags & GT_OP_VIEW))
        return -1;
    return operation->view_offset ? operation->view_offset(rule) : 0;
}

gt_Status gt_check_numerics(bool on)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    context->check_numerics = on;
    return GT_OK;
}

/* The first element that is infinite or not a number; -1: none. */
static int64_t first_strange(const gt_Spec *spec, const void *data)
{
    if (spec->dtype == GT_FLOAT32) {
        for (int64_t i = 0; i < spec->size; i++)
            if (!isfinite(((const float *)data)[i]))
                return i;
    } else if (gt_dtype_is_float(spec->dtype)) {
        for (int64_t i = 0; i < spec->size; i++)
            if (!isfinite(gt_number_fetch(spec->dtype, data, i)))
                return i;
    }
    return -1;
}

gt_Status gt_check_finite(gt_Context *context, const char *here, const gt_Operation *operation,
                          const gt_Spec *spec, const void *data)
{
    int64_t at = first_strange(spec, data);
    char text[200];
    if (at < 0)
        return GT_OK;
    return gt_raise(context, GT_NUMERIC, here, operation->name,
                    "element %lld of the result, %s, is %s", (long long)at,
                    gt_spec_text(spec, text, sizeof text),
                    isnan(gt_number_fetch(spec->dtype, data, at)) ? "not a number" : "infinite");
}

static gt_Status check_numbers(Call *call, gt_Value *const *output)
{
    gt_Status status = GT_OK;
    for (int i = 0; i < call->rule.outputs && status == GT_OK; i++)
        if (!output[i]->buffer->late)
            status = gt_check_finite(call->context, call->here, call->operation, &output[i]->spec,
                                     gt_value_numbers(output[i]));
    return status;
}

/* Temporaries are there while it runs. */
static gt_Status run_launches(Call *call, const gt_Lowering *lowering, void **at)
{
    gt_Context *context = call->context;
    if (lowering->launches == 1 && !lowering->temporaries && !lowering->launch->scratch) /* most */
        return gt_launch_tiles(context, lowering->launch, lowering->job + lowering->launch->job,
                               at);
    void **temporary = at + call->rule.inputs + call->rule.outputs;
    size_t scratch = gt_lowering_scratch(lowering);
    if (scratch && gt_scratch_reserve(context, scratch) != GT_OK)
        return context->status;
    int32_t made = 0;
    while (made < lowering->temporaries &&
           (temporary[made] = gt_allocate(context, lowering->temporary[made])))
        made++;
    for (int32_t i = 0; i < lowering->launches && context->status == GT_OK; i++)
        gt_launch_tiles(context, &lowering->launch[i], lowering->job + lowering->launch[i].job, at);
    while (made-- > 0)
        gt_release(context, temporary[made], lowering->temporary[made]);
    return context->status;
}

/* The outputs of a late result are not there yet, so that it is only checked. */
static gt_Status run_lowered(Call *call, gt_Value *const *output, const gt_Lowering *lowering)
{
    gt_Context *context = call->context;
    void *at[GT_MAX_INPUTS + GT_MAX_OUTPUTS + GT_MAX_TEMPORARIES];
    int32_t inputs = call->inputs, outputs = call->rule.outputs;
    bool late = false;
    for (int32_t i = 0; i < inputs; i++)
        at[i] = call->value[i] ? gt_value_numbers(call->value[i]) : NULL;
    for (int32_t i = 0; i < outputs; i++) {
        late |= output[i]->buffer->late != NULL;
        at[inputs + i] = late ? NULL : gt_value_numbers(output[i]);
    }
    if (context->status != GT_OK) /* an input was late and could not be computed */
        return context->status;
    if (lowering->check != GT_CHECK_none &&
        gt_launch_check(context, &call->rule, lowering, at) != GT_OK)
        return context->status;
    return late ? GT_OK : run_launches(call, lowering, at);
}

static gt_Status run_function(Call *call, gt_Value *const *output)
{
    gt_Context *context = call->context;
    gt_Kernel kernel;
    kernel.operation = call->operation;
    kernel.options = call->options;
    kernel.inputs = call->inputs;
    kernel.outputs = call->rule.outputs;
    kernel.context = context;
    for (int i = 0; i < call->inputs; i++) {
        kernel.input_spec[i] = call->value[i] ? &call->value[i]->spec : NULL;
        kernel.input[i] = call->value[i] ? gt_value_numbers(call->value[i]) : NULL;
    }
    for (int i = 0; i < call->rule.outputs; i++) {
        kernel.output_spec[i] = &output[i]->spec;
        kernel.output[i] = output[i]->buffer->late ? NULL : gt_value_numbers(output[i]);
    }
    if (context->status != GT_OK) /* an input was late and could not be computed */
        return context->status;
    if (call->rule.scratch && gt_scratch_reserve(context, call->rule.scratch) != GT_OK)
        return context->status;
    gt_Status status = call->operation->run(&kernel);
    if (status != GT_OK && context->status == GT_OK)
        gt_raise(context, status, call->here, call->operation->name, "the kernel failed");
    return context->status;
}

static gt_Status run_either(Call *call, gt_Value *const *output)
{
    if (!call->operation->lower)
        return run_function(call, output);
    gt_Lowering lowering;
    gt_lower(&call->rule, call->context->kernels, &lowering);
    return run_lowered(call, output, &lowering);
}

/* A reproducible context does not depend on the floating-point mode of the host. */
static gt_Status run_kernel(Call *call, gt_Value *const *output)
{
    if (!call->context->reproducible)
        return run_either(call, output);
    gt_FloatMode mode = gt_float_mode_exact();
    run_either(call, output);
    gt_float_mode_restore(mode);
    return call->context->status;
}

/* A trace is refused like a call, before a plan has changed anything. */
static gt_Status check_foreign_code(const Call *call)
{
    const gt_Context *context = call->context;
    if (!(call->operation->flags & GT_OP_FOREIGN_CODE) || !context->reproducible ||
        context->allows_foreign_code)
        return GT_OK;
    return gt_raise(
        call->context, GT_UNSUPPORTED, call->here, call->operation->name,
        "LAPACK and C functions from outside the library do not give the same bits everywhere, "
        "and this context is reproducible; .allow_foreign_code = true of gt_context_create "
        "permits them");
}

static gt_Status trace_call(Call *call, gt_Slot *const *overwritten, int32_t *symbols)
{
    gt_GraphNode node = {.operation = call->operation,
                         .here = call->here,
                         .inputs = call->inputs,
                         .outputs = call->rule.outputs,
                         .scratch = call->rule.scratch};
    return gt_trace_node(call->context, &node, call->options, call->value, call->rule.output,
                         overwritten, symbols);
}

/* Which of the first `count` inputs is this variable; -1: none. */
static int find_slot(const Call *call, const gt_Slot *slot, int count)
{
    int i = count - 1;
    while (i >= 0 && call->slot[i] != slot)
        i--;
    return i;
}

/* May the operation overwrite these variables? */
static gt_Status check_effect(const Call *call)
{
    gt_Context *context = call->context;
    for (int i = 0; i < call->rule.outputs; i++) {
        gt_Slot *slot = call->slot[i];
        if (!slot || !slot->variable)
            return gt_raise(context, GT_INVALID, call->here, call->operation->name,
                            "input %d is a tensor; only a variable can be changed", i + 1);
        if (slot->value->context != context)
            return gt_raise(context, GT_STATE, call->here, call->operation->name,
                            "variable %s belongs to another context", slot->variable->name);
        if (!gt_spec_equal(&call->rule.output[i], &slot->value->spec))
            return gt_raise(context, GT_INVALID, call->here, call->operation->name,
                            "the new value does not have the variable's shape and type");
        if (find_slot(call, slot, i) >= 0)
            return gt_raise(
                context, GT_INVALID, call->here, call->operation->name,
                "inputs %d and %d are both variable %s; it cannot be changed twice at once",
                find_slot(call, slot, i) + 1, i + 1, slot->variable->name);
    }
    return GT_OK;
}

/* The variables are made the call's own before anything is written: no half update. An input behind them that is one
 * of these variables has its old value: that is held, and so gets bytes of its own. */
static gt_Status apply_effect(Call *call)
{
    gt_Context *context = call->context;
    gt_Value *output[GT_MAX_OUTPUTS];
    int outputs = call->rule.outputs;
    if (check_effect(call) != GT_OK)
        return context->status;
    if (context->trace) {
        int32_t symbols[GT_MAX_OUTPUTS];
        return trace_call(call, call->slot, symbols);
    }
    uint64_t old = 0; /* by bit: inputs that are held */
    for (int i = outputs; i < call->inputs; i++)
        if (call->slot[i] && find_slot(call, call->slot[i], outputs) >= 0) {
            gt_value_retain(call->value[i], true);
            old |= (uint64_t)1 << i;
        }
    for (int i = 0; i < outputs && context->status == GT_OK; i++)
        gt_variable_own(context, call->slot[i], call->operation->flags & GT_OP_OVERWRITES);
    for (int i = 0; i < call->inputs; i++)
        if (call->slot[i] &&
            !(old >> i & 1)) { /* another value now, perhaps, and the old one freed */
            call->value[i] = call->slot[i]->value;
            call->rule.input[i] = &call->value[i]->spec;
        }
    for (int i = 0; i < outputs; i++)
        output[i] = call->slot[i]->value;
    if (context->status == GT_OK)
        run_kernel(call, output);
    for (int i = outputs; i < call->inputs; i++)
        if (old >> i & 1)
            gt_value_release(call->value[i], true);
    return context->status;
}

/* ---- late results ---- */

void gt_late_free(gt_Late *late)
{
    for (int i = 0; i < late->inputs; i++)
        gt_value_release(late->input[i], true);
    gt_release(late->context, late, late->bytes);
}

/* May the kernel wait? What another context's variable holds cannot be held. */
static bool is_late(const Call *call)
{
    if (!(call->operation->flags & GT_OP_LATE) || call->rule.outputs != 1)
        return false;
    for (int i = 0; i < call->inputs; i++)
        if (!call->value[i] || call->value[i]->context != call->context)
            return false;
    return true;
}

static gt_Buffer *late_buffer(Call *call)
{
    gt_Context *context = call->context;
    size_t at = sizeof(gt_Late) + (size_t)call->inputs * sizeof(gt_Value *);
    at = (at + 15) & ~(size_t)15;
    size_t bytes = at + (call->operation->options ? call->operation->options->size : 0);
    gt_Late *late = gt_allocate(context, bytes);
    gt_Buffer *buffer =
        late ? gt_buffer_wrap(context, NULL, gt_spec_bytes(&call->rule.output[0])) : NULL;
    if (!buffer) {
        gt_release(context, late, bytes);
        return NULL;
    }
    *late = (gt_Late){.context = context,
                      .operation = call->operation,
                      .options = (char *)late + at,
                      .spec = call->rule.output[0],
                      .scratch = call->rule.scratch,
                      .bytes = bytes,
                      .inputs = call->inputs,
                      .symbolic = call->symbolic};
    if (bytes > at)
        memcpy((char *)late + at, call->options, bytes - at);
    for (int i = 0; i < call->inputs; i++) {
        late->input[i] = call->value[i];
        gt_value_retain(call->value[i], true);
    }
    buffer->borrowed = false;
    buffer->late = late;
    return buffer;
}

bool gt_buffer_compute(gt_Buffer *buffer)
{
    gt_Late *late = buffer->late;
    if (!late)
        return false;
    if (late->fill)
        return gt_variable_fill(buffer);
    if (!late->operation) {
        gt_raise(late->context, GT_STATE, NULL, NULL,
                 "a symbol of gt_Input has no numbers: make a model, gt_Model, and call it with a "
                 "tensor");
        return false;
    }
    gt_Context *context = late->context;
    const char *applying = context->applying;
    void *data = late->symbolic ? NULL : gt_allocate(context, buffer->bytes);
    if (data) {
        gt_Value value = {.spec = late->spec, .context = context, .buffer = buffer};
        gt_Value *output = &value;
        Call call = {.context = context,
                     .operation = late->operation,
                     .options = late->options,
                     .inputs = late->inputs};
        call.rule.operation = late->operation;
        call.rule.options = late->options;
        call.rule.inputs = late->inputs;
        for (int i = 0; i < late->inputs; i++) {
            call.value[i] = late->input[i];
            call.rule.input[i] = &late->input[i]->spec;
        }
        call.rule.outputs = 1;
        call.rule.output[0] = late->spec;
        call.rule.scratch = late->scratch;
        context->applying = late->operation->name;
        buffer->data = data;
        buffer->late = NULL;
        if (run_kernel(&call, &output) != GT_OK ||
            (context->check_numerics && check_numbers(&call, &output) != GT_OK)) {
            gt_release(context, data, buffer->bytes);
            buffer->data = NULL;
            buffer->late = late;
        }
        context->applying = applying;
    }
    if (buffer->data || late->symbolic) {
        buffer->late = NULL;
        gt_late_free(late);
    }
    return buffer->data;
}

/* A new value for output i: symbolic, a view of input 0, late, or fresh memory. */
static gt_Value *new_output(Call *call, int i, const int32_t *symbols)
{
    gt_Context *context = call->context;
    const gt_Spec *spec = &call->rule.output[i];
    gt_Value *value;
    bool view = call->view >= 0;
    size_t offset = view ? (size_t)call->view * gt_dtype_size(spec->dtype) : 0;
    bool late = is_late(call);
    if (view && call->value[0]->context == context) {
        gt_Value *source = call->value[0];
        value = gt_value_new(context, spec, source->buffer, source->offset + offset);
        if (value && source->buffer)
            source->buffer->references++;
    } else if (call->symbolic && !late) {
        value = gt_value_new(context, spec, NULL, 0);
    } else {
        gt_Buffer *buffer = late ? late_buffer(call) : gt_buffer_new(context, gt_spec_bytes(spec));
        value = buffer ? gt_value_new(context, spec, buffer, 0) : NULL;
        if (!value)
            gt_buffer_release(context, buffer);
        else if (view) /* of another context's variable: a copy */
            memcpy(buffer->data, (char *)gt_value_numbers(call->value[0]) + offset, buffer->bytes);
    }
    if (value && call->symbolic) {
        value->symbol = symbols[i];
        value->trace = context->trace->serial;
    }
    return value;
}

/* A result that is a probability, or a view of one, knows what it was made of. The numbers of
 * another context's variable cannot be held. */
static gt_Status remember_origin(const Call *call, gt_Tensor **output)
{
    gt_Context *context = call->context;
    gt_Slot *slot = gt_slot_raw(*output);
    const gt_Operation *operation = call->operation;
    gt_Value *input = call->inputs > 0 ? call->value[0] : NULL;
    if (operation->flags & GT_OP_PROBABILITY)
        gt_origin_set(context, slot, operation, call->options,
                      input && input->context == context ? input : NULL);
    else if (input && call->slot[0]->origin && call->view >= 0)
        gt_origin_follow(context, slot, call->slot[0], call->view);
    if (context->status != GT_OK) {
        gt_slot_free(context, slot);
        *output = NULL;
    }
    return context->status;
}

/* While the body of a branch or loop is traced, operations on constants run at once; but nobody knows yet whether the body
 * will. Where numbers are wrong for one, it is written down like any other, and is an error when it runs. */
static bool fails_later(const Call *call)
{
    gt_Status status = call->context->status;
    return gt_tracing_body(call->context) && (status == GT_INVALID || status == GT_NUMERIC);
}

static gt_Status apply_values(Call *call, gt_Tensor **outputs)
{
    gt_Context *context = call->context;
    gt_Value *output[GT_MAX_OUTPUTS];
    int32_t symbols[GT_MAX_OUTPUTS];
    int made = 0;
    if (call->symbolic && trace_call(call, NULL, symbols) != GT_OK)
        return context->status;
    for (; made < call->rule.outputs; made++)
        if (!(output[made] = new_output(call, made, symbols)))
            goto failed;
    if (!call->symbolic && call->view < 0 &&
        (run_kernel(call, output) != GT_OK ||
         (context->check_numerics && check_numbers(call, output) != GT_OK))) {
        if (!fails_later(call))
            goto failed;
        while (made > 0)
            gt_value_release(output[--made], true);
        gt_error_clear();
        call->symbolic = true;
        return apply_values(call, outputs);
    }
    uint64_t tapes = 0;
    for (int i = 0; i < call->inputs; i++)
        if (call->value[i] && call->value[i]->record && call->value[i]->context == context)
            tapes |= gt_tapes_of(call->value[i]);
    tapes &= context->recording;
    if (call->operation->flags & GT_OP_CHOICE)
        tapes = context->recording;
    for (int i = 0; tapes && i < call->inputs; i++)
        if (call->value[i] && call->value[i]->context != context) {
            gt_foreign_variable(context, call->slot[i]);
            goto failed;
        }
    if (tapes && !gt_record_new(context, call->operation, call->options, call->inputs, call->value,
                                made, output, tapes, call->here ? call->here : context->here))
        goto failed;
    for (int i = 0; i < made; i++)
        if (!(outputs[i] = gt_handle_new(context, output[i]))) {
            for (int k = i + 1; k < made; k++)
                gt_value_release(output[k], true);
            return context->status;
        }
    return call->operation->flags & (GT_OP_PROBABILITY | GT_OP_CARRIES)
               ? remember_origin(call, outputs)
               : GT_OK;
failed:
    while (made > 0)
        gt_value_release(output[--made], true);
    return context->status;
}

gt_Status gt_trace_apply(gt_Context *context, const gt_GraphNode *like, const void *options,
                         gt_Value *const *input, const gt_Spec *spec, gt_Tensor **output)
{
    int32_t outputs = like->outputs;
    size_t bytes = (size_t)outputs * (sizeof(gt_Value *) + sizeof(int32_t));
    gt_Value **value = gt_allocate_zeroed(context, bytes);
    if (!value)
        return context->status;
    int32_t *symbols = (int32_t *)(void *)(value + outputs);
    gt_GraphNode node = *like;
    uint64_t tapes = 0;
    if (like->inputs > UINT16_MAX || outputs > UINT16_MAX)
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL, "%d inputs and %d outputs are too many",
                 (int)like->inputs, (int)outputs);
    else
        gt_trace_node(context, &node, options, input, spec, NULL, symbols);
    for (int32_t i = 0; i < outputs && context->status == GT_OK; i++)
        value[i] = gt_trace_value(context, &spec[i], symbols[i]);
    for (int32_t i = 0; i < like->inputs; i++)
        if (input[i])
            tapes |= gt_tapes_of(input[i]);
    tapes &= context->recording;
    if (context->status == GT_OK && tapes && !(like->operation->flags & GT_OP_EFFECT))
        gt_record_new(context, like->operation, options, like->inputs, input, outputs, value, tapes,
                      like->here ? like->here : context->here);
    if (context->status == GT_OK)
        gt_values_give(context, value, outputs, output);
    gt_values_release(value, outputs);
    gt_release(context, value, bytes);
    return context->status;
}

static gt_Status draw_call(Call *call, gt_Tensor *const *input, gt_Tensor **outputs)
{
    call->rule.operation = call->operation;
    call->rule.options = call->options;
    call->rule.inputs = call->inputs;
    return gt_draw_operation(call->context, call->here, &call->rule, call->value, input, outputs);
}

static void apply_call(Call *call, gt_Tensor *const *input, gt_Tensor **outputs)
{
    gt_Context *context = call->context;
    if (check_foreign_code(call) != GT_OK || check_inputs(call, input) != GT_OK ||
        (!call->drawn && check_shapes(call) != GT_OK))
        return;
    gt_Status status = call->drawn                             ? draw_call(call, input, outputs)
                       : call->operation->flags & GT_OP_EFFECT ? apply_effect(call)
                                                               : apply_values(call, outputs);
    if (status == GT_OK && call->masked && !context->differentiating &&
        !(call->operation->flags & GT_OP_EFFECT))
        gt_masks_follow(context, call->here, &call->rule, call->value, input, outputs);
}

gt_Status gt_apply_at(const char *here, const gt_Operation *operation, const void *options,
                      int inputs, gt_Tensor *const *input, gt_Tensor **outputs)
{
    gt_Context *context = gt_enter();
    if (!gt_is_address(operation) || (!input && inputs > 0))
        return context ? gt_raise(context, GT_INVALID, here, "apply", "the %s is NULL",
                                  gt_is_address(operation) ? "list of inputs" : "operation")
                       : gt_status();
    if (outputs && operation->outputs > 0)
        outputs[0] = NULL;
    for (int i = 1; outputs && i < operation->outputs; i++)
        outputs[i] = NULL;
    if (!context)
        return gt_status();
#ifdef GT_ASSERTIONS
    const void *runner = atomic_exchange(&context->runner, gt_thread_mark());
#endif
    Call call;
    call.context = context;
    call.operation = operation;
    call.options = options;
    call.here = here;
    call.inputs = inputs;
    call.symbolic = false;
    call.masked = operation->flags & GT_OP_MASKS;
    call.drawn = false;
    _Alignas(16) char full[512];
    const char *applying = context->applying;
    const char *caller = context->here;
    bool step = operation->flags & GT_OP_STEP && context->composing;
    context->applying = step ? context->composing : operation->name;
    if (here)
        context->here = here;
    if (operation->options) {
        if (operation->options->size > sizeof full) {
            gt_raise(context, GT_UNSUPPORTED, here, operation->name, "its options are too large");
            goto done;
        }
        if (!gt_options_whole(operation->options, options))
            call.options = gt_options_take(operation->options, full, options);
        if (context->status != GT_OK)
            goto done;
    }
    apply_call(&call, input, outputs);
done:
    context->applying = applying;
    context->here = caller;
#ifdef GT_ASSERTIONS
    atomic_store(&context->runner, runner);
#endif
    return context->status;
}

gt_Tensor *gt_apply_one_at(const char *here, const gt_Operation *operation, const void *options,
                           int inputs, gt_Tensor *const *input)
{
    gt_Tensor *output = NULL;
    gt_apply_at(here, operation, options, inputs, input, &output);
    return output;
}

const gt_Operation *gt_registered_operation(const char *name)
{
    gt_Context *context = gt_context();
    for (int i = 0; context && name && i < context->operation_count; i++)
        if (strcmp(context->operations[i]->name, name) == 0)
            return context->operations[i];
    return NULL;
}

gt_Status gt_operation_register(gt_Context *context, const char *here,
                                const gt_Operation *operation)
{
    if (!operation || !operation->name || !operation->shape ||
        !(operation->run || operation->lower) || operation->outputs < 1 ||
        operation->outputs > GT_MAX_OUTPUTS || operation->inputs_max > GT_MAX_INPUTS ||
        operation->inputs_min > operation->inputs_max)
        return gt_raise(context, GT_INVALID, here, "register_operation",
                        "an operation needs a name, a shape rule, a kernel, 1 to %d outputs and at "
                        "most %d inputs",
                        GT_MAX_OUTPUTS, GT_MAX_INPUTS);
    if (!gt_reserve(context, (void **)&context->operations, context->operation_count,
                    &context->operation_capacity, sizeof *context->operations))
        return context->status;
    context->operations[context->operation_count++] = operation;
    return GT_OK;
}
