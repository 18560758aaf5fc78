/* Functions that tapes see as one operation. Their records are like any other; the options carry
 * the functions of the call, and nothing here is ever run by gt_apply. Leans on core/body.c and
 * gradient.c. */
#include "autodiff/custom.h"
#include "autodiff/gradient.h"
#include "autodiff/probe.h"
#include "core/graph.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/creation.h"

#include <string.h>

#undef GT_HERE
#define GT_HERE ((const char *)0)

#define GT_STRUCT gt_CustomGradientOptions
GT_OPTION_TYPE(gt_CustomGradientOptions, GT_CUSTOM_GRADIENT_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_RecomputeOptions
GT_OPTION_TYPE(gt_RecomputeOptions, GT_RECOMPUTE_OPTIONS);
#undef GT_STRUCT

/* ---- what both are ---- */

/* What a record remembers of the call. */
#define CALL_OPTIONS(F)                                                                            \
    F(uint32_t, size, (uint32_t)sizeof(Call), "for ABI growth")                                    \
    F(gt_FunctionBody, function, NULL, "what is recomputed")                                       \
    F(gt_GradientBody, gradient, NULL, "the custom gradient")                                      \
    F(void *, user, NULL, "for both")                                                              \
    F(const char *, name, NULL, "for messages")                                                    \
    F(int32_t, inputs, 0, "without the variables that the function reads")                         \
    F(int32_t, outputs, 1, "with those that are saved")                                            \
    F(gt_Object *, layer, NULL, "that called; not held")                                           \
    F(uint64_t, serial, 0, "of that layer")                                                        \
    F(bool, training, false, "of that call")
typedef struct Call {
    CALL_OPTIONS(GT_MEMBER)
} Call;
#define GT_STRUCT Call
GT_OPTION_TYPE(Call, CALL_OPTIONS);
#undef GT_STRUCT

/* One run of a function whose insides no tape sees. */
typedef struct Run {
    gt_Context *context;
    const gt_Operation *operation;
    Call call;
    gt_Tensors given;
    int32_t inputs;                   /* of the record */
    gt_Value *input[GT_MAX_INPUTS];   /* held */
    gt_Value *output[GT_MAX_OUTPUTS]; /* held */
} Run;

static gt_Status check(const Run *run, gt_Tensor *const *outputs, int32_t wanted)
{
    gt_Context *context = run->context;
    if (run->given.count < 1 || run->given.count > GT_MAX_INPUTS || !run->given.items)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%d inputs; 1 to %d are possible",
                        (int)run->given.count, GT_MAX_INPUTS);
    if (wanted < 1 || run->call.outputs < wanted || run->call.outputs > GT_MAX_OUTPUTS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%d outputs; 1 to %d are possible",
                        (int)run->call.outputs, GT_MAX_OUTPUTS);
    if (!outputs)
        return gt_raise(context, GT_INVALID, NULL, NULL, "there is no place for the outputs");
    return GT_OK;
}

/* A value of its own with the same numbers, so that its gradient ends at the new record. */
static gt_Value *alias(gt_Context *context, gt_Value *value)
{
    gt_Value *copy = gt_value_new(context, &value->spec, value->buffer, value->offset);
    if (copy && value->buffer)
        value->buffer->references++;
    if (copy) {
        copy->symbol = value->symbol;
        copy->trace = value->trace;
    }
    return copy;
}

static gt_Status hold_inputs(Run *run)
{
    for (int32_t i = 0; i < run->given.count; i++) {
        gt_Value *value =
            gt_value_read(run->context, NULL, NULL, "input", i + 1, run->given.items[i]);
        if (!value)
            return run->context->status;
        gt_value_retain(value, true);
        run->input[run->inputs++] = value;
    }
    return GT_OK;
}

static bool has_input(const Run *run, const gt_Record *record)
{
    for (int32_t i = 0; i < run->inputs; i++)
        if (run->input[i]->record == record)
            return true;
    return false;
}

/* Runs the function without the tapes; its results get values of their own. */
static gt_Status run_hidden(Run *run, gt_Listener *listener)
{
    gt_Context *context = run->context;
    uint64_t hushed = gt_tape_quiet(context);
    gt_listener_begin(context, listener);
    gt_body_run(context, NULL, run->call.function, run->call.user, run->given.items,
                run->call.outputs, run->output);
    gt_listener_end(context, listener);
    gt_tape_unquiet(context, hushed);
    for (int32_t i = 0; i < run->call.outputs && context->status == GT_OK; i++) {
        gt_Value *own = alias(context, run->output[i]);
        if (!own)
            break;
        gt_value_release(run->output[i], true);
        run->output[i] = own;
    }
    return context->status;
}

static gt_Status record(Run *run)
{
    gt_Context *context = run->context;
    uint64_t tapes = 0;
    for (int32_t i = 0; i < run->inputs; i++)
        tapes |= gt_tapes_of(run->input[i]);
    tapes &= context->recording;
    if (tapes)
        gt_record_new(context, run->operation, &run->call, run->inputs, run->input,
                      run->call.outputs, run->output, tapes, context->here);
    return context->status;
}

/* In the body of control flow a custom gradient is a node too (custom_shape). */
static gt_Status write_node(Run *run, gt_Tensor **outputs, int32_t wanted)
{
    gt_Context *context = run->context;
    gt_Tensor *input[GT_MAX_INPUTS], *result[GT_MAX_OUTPUTS];
    int32_t inputs = run->inputs, results = run->call.outputs;
    if (inputs + results > GT_MAX_INPUTS)
        return gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                        "%d inputs and %d outputs; in a branch or loop of a traced function %d "
                        "together are possible",
                        (int)inputs, (int)results, GT_MAX_INPUTS);
    if (gt_values_give(context, run->input, inputs, input) != GT_OK ||
        gt_values_give(context, run->output, results, result) != GT_OK)
        return context->status;
    for (int32_t i = 0; i < results; i++)
        input[inputs + i] = gt_stop_gradient(result[i]);
    if (gt_apply(NULL, run->operation, &run->call, inputs + results, input, result) == GT_OK)
        memcpy(outputs, result, (size_t)wanted * sizeof *outputs);
    return context->status;
}

/* The first `wanted` outputs become handles; those that are saved live on in the record. */
static gt_Status finish(Run *run, gt_Tensor **outputs, int32_t wanted)
{
    gt_Context *context = run->context;
    bool body = run->operation->run && context->trace && context->trace->outer;
    if (context->status == GT_OK && body)
        write_node(run, outputs, wanted);
    else if (context->status == GT_OK && record(run) == GT_OK)
        gt_values_give(context, run->output, wanted, outputs);
    gt_values_release(run->output, GT_MAX_OUTPUTS);
    gt_values_release(run->input, run->inputs);
    return context->status;
}

static gt_Context *enter(gt_Tensor **outputs, int32_t wanted)
{
    for (int32_t i = 0; outputs && i < wanted && i < GT_MAX_OUTPUTS; i++)
        outputs[i] = NULL;
    return gt_enter();
}

/* ---- custom gradients ---- */

static gt_Status custom_rule(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    const Call *call = gt_rule_options(rule);
    gt_Site site = gt_site_enter(NULL, call->name);
    gt_Status status = call->gradient(call->user, rule);
    if (status != GT_OK)
        gt_raise(context, status, NULL, NULL, "its gradient function failed");
    for (int i = 0; i < gt_rule_inputs(rule) && context->status == GT_OK; i++)
        if (gt_wants(rule, i) && !rule->given[i])
            gt_raise(context, GT_STATE, NULL, NULL,
                     "its gradient function gives input %d nothing; each of its %d inputs that "
                     "gt_wants needs a gradient",
                     i, (int)call->inputs);
    gt_site_leave(site);
    return context->status;
}

/* In the body of control flow the record is a node, because gradients of a body are those of its
 * nodes: behind the inputs come the results, cut off, which it passes on. */
static gt_Status custom_shape(gt_ShapeRule *rule)
{
    const Call *call = rule->options;
    for (int i = 0; i < rule->outputs; i++)
        rule->output[i] = i < call->outputs ? *rule->input[call->inputs + i]
                                            : (gt_Spec){.dtype = GT_FLOAT32, .rank = 1};
    return GT_OK;
}

static gt_Status custom_run(const gt_Kernel *kernel)
{
    const Call *call = kernel->options;
    for (int i = 0; i < call->outputs; i++) {
        size_t bytes = gt_spec_bytes(kernel->output_spec[i]);
        if (bytes)
            memcpy(kernel->output[i], kernel->input[call->inputs + i], bytes);
    }
    return GT_OK;
}

static const gt_Operation custom_gradient = {
    .size = sizeof(gt_Operation),
    .name = "custom_gradient",
    .flags = GT_OP_INTERNAL | GT_OP_HALF,
    .options = &Call_type,
    .inputs_min = 1,
    .inputs_max = GT_MAX_INPUTS,
    .outputs = GT_MAX_OUTPUTS,
    .saves_inputs = UINT64_MAX,
    .saves_outputs = UINT32_MAX,
    .shape = custom_shape,
    .run = custom_run,
    .gradient = custom_rule,
};

/* What a tape would watch must be an input: as in TensorFlow, not a silent nothing. */
static gt_Status check_variables(const Run *run, const gt_Listener *listener)
{
    gt_Context *context = run->context;
    for (int32_t i = 0; i < listener->count; i++) {
        const gt_Record *leaf = listener->heard[i]->record;
        const gt_Slot *slot = leaf->variable;
        if (!slot || has_input(run, leaf))
            continue;
        uint64_t tapes = leaf->tapes & context->recording;
        if (slot->variable->trainable)
            tapes |= context->auto_watching;
        if (tapes)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "the function reads variable %s, which is not among its inputs and "
                            "would get no gradient",
                            slot->variable->name);
    }
    return GT_OK;
}

gt_Status gt_custom_gradient_at(const char *here, gt_FunctionBody function,
                                gt_GradientBody gradient, void *user, gt_Tensors inputs,
                                gt_Tensor **outputs, const gt_CustomGradientOptions *given)
{
    gt_CustomGradientOptions options;
    gt_options_fill(&gt_CustomGradientOptions_type, &options, given);
    gt_Context *context = enter(outputs, options.outputs);
    if (!context)
        return gt_status();
    const char *name = options.name ? options.name : custom_gradient.name;
    gt_Site site = gt_site_enter(here, name);
    Run run = {.context = context,
               .operation = &custom_gradient,
               .call = {.size = sizeof(Call),
                        .function = function,
                        .gradient = gradient,
                        .user = user,
                        .name = name,
                        .inputs = inputs.count,
                        .outputs = options.saved < 0 ? -1 : options.outputs + options.saved},
               .given = inputs};
    gt_Listener listener = {0};
    if (!gradient)
        gt_raise(context, GT_INVALID, NULL, NULL, "the gradient function is NULL");
    else if (check(&run, outputs, options.outputs) == GT_OK && hold_inputs(&run) == GT_OK &&
             run_hidden(&run, &listener) == GT_OK)
        check_variables(&run, &listener);
    gt_listener_close(context, &listener);
    finish(&run, outputs, options.outputs);
    gt_site_leave(site);
    return context->status;
}

static gt_Status pass(void *user, gt_GradientRule *rule)
{
    (void)user;
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

gt_Tensor *gt_grad_pass_through_at(const char *here, gt_FunctionBody function, void *user,
                                   gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_custom_gradient_at(
        here, function, pass, user, (gt_Tensors){1, &x}, &y,
        &(gt_CustomGradientOptions){sizeof(gt_CustomGradientOptions), 1, 0, "grad_pass_through"});
    gt_Context *context = gt_enter();
    if (!context || !y)
        return NULL;
    const gt_Spec *to = &gt_slot_raw(y)->value->spec, *from = &gt_slot_raw(x)->value->spec;
    char a[200], b[200];
    if (gt_spec_equal(to, from))
        return y;
    gt_raise(context, GT_INVALID, here, "grad_pass_through",
             "the function makes %s of %s; both must have one shape and type",
             gt_spec_text(to, a, sizeof a), gt_spec_text(from, b, sizeof b));
    return NULL;
}

/* The bounds go with the record as outputs that are saved. */
static gt_Status clip_forward(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const double *bounds = user;
    outputs[0] = inputs[0];
    for (int i = 0; i < 2; i++)
        outputs[i + 1] = gt_scalar(bounds[i], gt_dtype(inputs[0]));
    return gt_status();
}

static gt_Status clip_backward(void *user, gt_GradientRule *rule)
{
    (void)user;
    gt_Tensor *above = gt_maximum(gt_upstream(rule, 0), gt_output(rule, 1));
    return gt_give(rule, 0, gt_minimum(above, gt_output(rule, 2)));
}

gt_Tensor *gt_clip_gradient_at(const char *here, gt_Tensor *x, double low, double high)
{
    gt_Tensor *y = NULL;
    double bounds[2] = {low, high};
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!(low <= high)) {
        gt_raise(context, GT_INVALID, here, "clip_gradient", "low = %g is not below high = %g", low,
                 high);
        return NULL;
    }
    gt_custom_gradient_at(
        here, clip_forward, clip_backward, bounds, (gt_Tensors){1, &x}, &y,
        &(gt_CustomGradientOptions){sizeof(gt_CustomGradientOptions), 1, 2, "clip_gradient"});
    return y;
}

/* ---- recomputing ---- */

/* The variable that an input of the record is the value of; NULL: none, or freed since. */
static gt_Slot *variable_of(const gt_Value *value)
{
    return value->record && !value->record->operation ? value->record->variable : NULL;
}

/* A replay: the variables hold what they held then, and `now` keeps what they hold now. */
typedef struct Replay {
    gt_GradientRule *rule;
    const Call *call;
    gt_Value *now[GT_MAX_INPUTS];       /* held */
    gt_Tensor *input[GT_MAX_INPUTS];    /* what the function gets, then the other variables */
    gt_Tensor *source[GT_MAX_INPUTS];   /* those whose gradient is wanted */
    gt_Tensor *gradient[GT_MAX_INPUTS]; /* theirs */
    int place[GT_MAX_INPUTS];           /* which inputs they are */
    gt_Tensor *target[GT_MAX_OUTPUTS], *upstream[GT_MAX_OUTPUTS];
    int32_t sources, targets;
} Replay;

static void go_back(Replay *replay)
{
    const gt_Record *record = replay->rule->record;
    for (int i = 0; i < record->inputs; i++) {
        gt_Slot *slot = variable_of(record->input[i]);
        if (!slot)
            continue;
        replay->now[i] = slot->value;
        slot->value = record->input[i];
        gt_value_retain(slot->value, true);
    }
}

/* In the reverse order: a variable may be there twice. */
static void return_to_now(Replay *replay)
{
    const gt_Record *record = replay->rule->record;
    for (int i = record->inputs - 1; i >= 0; i--) {
        gt_Slot *slot = variable_of(record->input[i]);
        if (!slot || !replay->now[i])
            continue;
        gt_value_release(slot->value, true);
        slot->value = replay->now[i];
    }
}

/* What the function is called with, and what the tape of the replay watches. */
static gt_Status prepare(Replay *replay)
{
    gt_GradientRule *rule = replay->rule;
    gt_Context *context = rule->context;
    for (int i = 0; i < gt_rule_inputs(rule); i++) {
        gt_Slot *slot = variable_of(rule->record->input[i]);
        replay->input[i] = slot ? gt_slot_handle(slot) : gt_input(rule, i);
        if (!slot && gt_wants(rule, i))
            replay->input[i] = gt_identity(replay->input[i]);
        if (!gt_wants(rule, i))
            continue;
        replay->place[replay->sources] = i;
        replay->source[replay->sources++] = replay->input[i];
    }
    return context->status;
}

/* The outputs that a gradient arrived at. */
static gt_Status take_targets(Replay *replay, gt_Value **result)
{
    gt_GradientRule *rule = replay->rule;
    gt_Context *context = rule->context;
    gt_Tensor *output[GT_MAX_OUTPUTS] = {0};
    if (gt_values_give(context, result, replay->call->outputs, output) != GT_OK)
        return context->status;
    for (int i = 0; i < replay->call->outputs; i++) {
        char a[200], b[200];
        const gt_Spec *then = gt_output_spec(rule, i),
                      *again = &gt_slot_raw(output[i])->value->spec;
        if (!gt_spec_equal(then, again))
            return gt_raise(context, GT_STATE, NULL, "recompute",
                            "output %d was %s and is %s when it is computed again; the function "
                            "must do the same both times",
                            i + 1, gt_spec_text(then, a, sizeof a),
                            gt_spec_text(again, b, sizeof b));
        if (!gt_upstream(rule, i) || !gt_dtype_is_float(then->dtype))
            continue;
        replay->target[replay->targets] = output[i];
        replay->upstream[replay->targets++] = gt_upstream(rule, i);
    }
    return GT_OK;
}

/* The layer that was being called then, for children that inherit from it; false if it was freed. */
static bool same_frame(gt_Context *context, const Call *call, gt_CallFrame *frame)
{
    if (!call->layer)
        return true;
    for (gt_Object *object = context->objects.next; object != &context->objects;
         object = object->next)
        if (object == call->layer && object->serial == call->serial) {
            *frame =
                (gt_CallFrame){NULL, object, object->kind->name, context->scope, call->training};
            return true;
        }
    gt_raise(context, GT_STALE, NULL, "recompute",
             "the layer that called it was freed before the gradient was asked for");
    return false;
}

static gt_Status recompute_rule(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    Replay replay = {.rule = rule, .call = gt_rule_options(rule)};
    gt_Value *result[GT_MAX_OUTPUTS];
    if (prepare(&replay) != GT_OK)
        return context->status;
    gt_Tensors sources = {replay.sources, replay.source};
    gt_Tape *tape = gt_probe_tape(NULL, sources, false);
    gt_CallFrame frame = {0};
    const gt_CallFrame *caller = context->frame;
    if (same_frame(context, replay.call, &frame))
        context->frame = frame.layer ? &frame : NULL;
    gt_Listener listener; /* plans would not notice that the variables are others */
    gt_listener_begin(context, &listener);
    go_back(&replay);
    if (context->status == GT_OK &&
        gt_body_run(context, "recompute", replay.call->function, replay.call->user, replay.input,
                    replay.call->outputs, result) == GT_OK &&
        take_targets(&replay, result) == GT_OK)
        gt_gradients(tape, ((gt_Tensors){replay.targets, replay.target}), sources, replay.gradient,
                     .unconnected = GT_UNCONNECTED_ZERO, .output_gradients = replay.upstream);
    return_to_now(&replay);
    context->frame = caller;
    gt_listener_end(context, &listener);
    gt_listener_close(context, &listener);
    gt_tape_end(tape);
    for (int i = 0; i < replay.sources && context->status == GT_OK; i++) {
        bool before = false; /* a variable given twice has its whole gradient at the first place */
        for (int k = 0; k < i; k++)
            before |= replay.source[k] == replay.source[i];
        gt_give(rule, replay.place[i],
                before ? gt_zeros_like(replay.source[i]) : replay.gradient[i]);
    }
    return context->status;
}

static const gt_Operation recompute = {
    .size = sizeof(gt_Operation),
    .name = "recompute",
    .flags = GT_OP_INTERNAL | GT_OP_HALF,
    .options = &Call_type,
    .inputs_min = 1,
    .inputs_max = GT_MAX_INPUTS,
    .outputs = GT_MAX_OUTPUTS,
    .saves_inputs = UINT64_MAX,
    .gradient = recompute_rule,
};

/* The variables become inputs of the record, and the tapes that watch by themselves watch them. */
static gt_Status add_variables(Run *run, const gt_Listener *listener)
{
    gt_Context *context = run->context;
    for (int32_t i = 0; i < listener->count; i++) {
        gt_Value *value = listener->heard[i];
        gt_Slot *slot = variable_of(value);
        if (!slot || has_input(run, value->record))
            continue;
        if (run->inputs == GT_MAX_INPUTS)
            return gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                            "the function has more than %d inputs and variables; recompute "
                            "smaller pieces",
                            GT_MAX_INPUTS);
        if (slot->variable->trainable)
            gt_tape_watch_variable(context, slot, context->auto_watching & ~value->record->tapes);
        gt_value_retain(value, true);
        run->input[run->inputs++] = value;
    }
    return context->status;
}

gt_Status gt_recompute_at(const char *here, gt_FunctionBody function, void *user, gt_Tensors inputs,
                          gt_Tensor **outputs, const gt_RecomputeOptions *given)
{
    gt_RecomputeOptions options;
    gt_options_fill(&gt_RecomputeOptions_type, &options, given);
    gt_Context *context = enter(outputs, options.outputs);
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, recompute.name);
    Run run = {.context = context,
               .operation = &recompute,
               .call = {.size = sizeof(Call),
                        .function = function,
                        .user = user,
                        .name = recompute.name,
                        .inputs = inputs.count,
                        .outputs = options.outputs},
               .given = inputs};
    if (context->frame) {
        run.call.layer = context->frame->layer;
        run.call.serial = context->frame->layer->serial;
        run.call.training = context->frame->training;
    }
    gt_Listener listener = {0};
    if (check(&run, outputs, options.outputs) == GT_OK) {
        if (context->trace)
            gt_body_run(context, NULL, function, user, inputs.items, options.outputs, run.output);
        else if (hold_inputs(&run) == GT_OK && run_hidden(&run, &listener) == GT_OK)
            add_variables(&run, &listener);
    }
    gt_listener_close(context, &listener);
    finish(&run, outputs, options.outputs);
    gt_site_leave(site);
    return context->status;
}
