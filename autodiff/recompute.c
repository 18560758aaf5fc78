/* gt_recompute: tapes see one operation that remembers its inputs alone, and whose gradient runs the
 * function again.
 *
 * Eagerly the second run is the user's function once more, with every variable as the first run found
 * it. Inside a traced function the first run is traced into a graph of its own, a node that the plan
 * puts in place; its gradient writes that graph down again (ops/control/call.c). So the plan holds
 * nothing of the piece between the two. Leans on core/body.c and gradient.c. */
#include "autodiff/custom.h"
#include "autodiff/gradient.h"
#include "autodiff/probe.h"
#include "core/inside.h"
#include "ops/array/cast.h"
#include "ops/control/choice.h"
#include "ops/array/creation.h"
#include "ops/control/traced_control.h"

GT_OPTION_TYPE(gt_recompute_options, gt_recompute_OPTIONS);

/* The options of a record: the call. */
#define CALL_OPTIONS(F, S)                                                                         \
    F(S, gt_FunctionBody, function, NULL, "the function to recompute")                             \
    F(S, void *, user, NULL, "its context")                                                        \
    F(S, int32_t, inputs, 0, "without the variables that the function reads")                      \
    F(S, int32_t, outputs, 1, "")                                                                  \
    F(S, bool, inside, false, "the call of a layer")                                               \
    F(S, bool, training, false, "of that call")                                                    \
    F(S, uint64_t, layer, 0, "its identity")
GT_OPTIONS(Call, CALL_OPTIONS);
GT_OPTION_TYPE(Call, CALL_OPTIONS);

/* ---- again ---- */

/* The second run: variables hold what they held then, and `now` keeps what they hold now. Lists have
 * one an input. */
typedef struct Replay {
    gt_GradientRule *rule;
    const Call *call;
    gt_Value **now;       /* held */
    gt_Tensor **input;    /* what the function gets, then the other variables */
    gt_Tensor **source;   /* those whose gradient is wanted */
    gt_Tensor **gradient; /* theirs */
    gt_Tensor *target[GT_MAX_OUTPUTS], *upstream[GT_MAX_OUTPUTS];
    int32_t sources, targets;
} Replay;

static gt_Value *input_of(const Replay *replay, int i)
{
    return gt_record_view(replay->rule->record).input[i];
}

static void go_back(Replay *replay)
{
    for (int i = 0; i < gt_rule_inputs(replay->rule); i++) {
        gt_Value *then = input_of(replay, i);
        gt_Variable *variable = gt_value_variable(then);
        if (!variable)
            continue;
        gt_value_retain(then, true);
        replay->now[i] = gt_variable_exchange(variable, then);
    }
}

/* In the reverse order: a variable may be there twice. */
static void return_to_now(Replay *replay)
{
    for (int i = gt_rule_inputs(replay->rule) - 1; i >= 0; i--) {
        gt_Variable *variable = gt_value_variable(input_of(replay, i));
        if (variable && replay->now[i])
            gt_value_release(gt_variable_exchange(variable, replay->now[i]), true);
    }
}

/* Makes the list that the function is called with, and that of the sources, in which a variable that is given twice
 * is once. */
static gt_Status prepare(Replay *replay)
{
    gt_GradientRule *rule = replay->rule;
    gt_Context *context = rule->context;
    gt_Map met = {0};
    for (int i = 0; i < gt_rule_inputs(rule) && gt_context_status(context) == GT_OK; i++) {
        gt_Variable *variable = gt_value_variable(input_of(replay, i));
        rule->before[i] = NULL; /* the sum over this piece is made on its own */
        replay->input[i] = variable ? variable : gt_rule_input(rule, i);
        if (!variable && gt_wants(rule, i))
            replay->input[i] = gt_identity(replay->input[i]);
        uint64_t key = gt_map_pointer(replay->input[i]);
        if (gt_wants(rule, i) && gt_map_find(&met, key) < 0 && gt_map_add(context, &met, key, i))
            replay->source[replay->sources++] = replay->input[i];
    }
    gt_map_close(context, &met);
    return gt_context_status(context);
}

/* The outputs that a gradient arrived at. */
static gt_Status take_targets(Replay *replay, gt_Value **result)
{
    gt_GradientRule *rule = replay->rule;
    gt_Context *context = rule->context;
    gt_Tensor *output[GT_MAX_OUTPUTS] = {0};
    if (gt_values_give(context, result, replay->call->outputs, output) != GT_OK)
        return gt_context_status(context);
    for (int i = 0; i < replay->call->outputs; i++) {
        char a[200], b[200];
        const gt_Spec *then = gt_rule_output_spec(rule, i), *again = gt_tensor_spec(output[i]);
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
    if (!call->inside)
        return true;
    gt_Object *layer = gt_object_find(context, call->layer);
    if (!layer) {
        gt_raise(context, GT_STALE, NULL, "recompute",
                 "the layer that called it was freed before the gradient was asked for, or belongs "
                 "to another context");
        return false;
    }
    *frame = (gt_CallFrame){.layer = layer,
                            .name = layer->kind->name,
                            .scope = gt_scope_innermost(context),
                            .training = call->training};
    return true;
}

/* Runs the function as it ran then, and asks for the gradients; NULL where there is none. */
static gt_Status run_again(Replay *replay)
{
    gt_Context *context = replay->rule->context;
    gt_Tensors sources = {replay->source, replay->sources};
    gt_Value *result[GT_MAX_OUTPUTS];
    gt_Tape *tape = gt_probe_tape(NULL, sources, false);
    gt_CallFrame frame = {0};
    const gt_CallFrame *caller = gt_context_frame(context);
    if (same_frame(context, replay->call, &frame))
        gt_context_set_frame(context, replay->call->inside ? &frame : NULL);
    gt_Listener listener; /* plans would not notice that the variables are others */
    gt_listener_begin(context, &listener);
    listener.tapes = 0;
    go_back(replay);
    if (gt_context_status(context) == GT_OK &&
        gt_body_run(context, "recompute", replay->call->function, replay->call->user, replay->input,
                    replay->call->outputs, result) == GT_OK &&
        take_targets(replay, result) == GT_OK)
        gt_gradients(tape, ((gt_Tensors){replay->target, replay->targets}), sources,
                     replay->gradient, .unconnected = GT_UNCONNECTED_NONE,
                     .output_gradients = replay->upstream);
    return_to_now(replay);
    gt_context_set_frame(context, caller);
    gt_listener_end(context, &listener);
    gt_listener_close(context, &listener);
    gt_tape_end(tape);
    return gt_context_status(context);
}

/* A variable that is given twice has its gradient at the first place. */
static gt_Status recompute_rule(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    int32_t inputs = gt_rule_inputs(rule);
    size_t bytes = 4 * (size_t)inputs * sizeof(void *);
    void **lists = gt_allocate_zeroed(context, bytes);
    if (!lists)
        return gt_context_status(context);
    Replay replay = {.rule = rule,
                     .call = gt_rule_options(rule),
                     .now = (gt_Value **)lists,
                     .input = (gt_Tensor **)lists + inputs,
                     .source = (gt_Tensor **)lists + 2 * inputs,
                     .gradient = (gt_Tensor **)lists + 3 * inputs};
    if (prepare(&replay) == GT_OK && run_again(&replay) == GT_OK)
        for (int32_t i = 0, k = 0; i < inputs && k < replay.sources; i++) {
            if (!gt_wants(rule, i) || replay.input[i] != replay.source[k])
                continue;
            if (replay.gradient[k])
                gt_give(rule, i, replay.gradient[k]);
            k++;
        }
    gt_release(context, lists, bytes);
    return gt_context_status(context);
}

static const gt_Operation recompute = {
    .size = sizeof(gt_Operation),
    .name = "recompute",
    .flags = GT_OP_INTERNAL | GT_OP_HALF | GT_OP_CONTROL,
    .options = &Call_type,
    .saves_inputs = UINT64_MAX,
    .gradient = recompute_rule,
};

/* ---- the first run ---- */

typedef struct Run {
    gt_Context *context;
    Call call;
    gt_Value **input; /* held: what was given, then the variables that the function reads */
    int32_t inputs, capacity;
    gt_Map known;                     /* the record of each that has one */
    gt_Value *output[GT_MAX_OUTPUTS]; /* held */
} Run;

static gt_Status add_input(Run *run, gt_Value *value)
{
    gt_Context *context = run->context;
    const gt_Record *record = gt_value_record(value);
    if (!gt_reserve(context, (void **)&run->input, run->inputs, &run->capacity,
                    sizeof *run->input) ||
        (record && !gt_map_add(context, &run->known, gt_map_pointer(record), run->inputs)))
        return gt_context_status(context);
    gt_value_retain(value, true);
    run->input[run->inputs++] = value;
    return GT_OK;
}

/* The variables become inputs of the record, and the tapes that watch by themselves watch them. Any
 * other tensor with a gradient has to be an input already. */
static gt_Status add_variables(Run *run, const gt_Listener *listener)
{
    gt_Context *context = run->context;
    for (int32_t i = 0; i < listener->count && gt_context_status(context) == GT_OK; i++) {
        gt_Value *value = listener->heard[i];
        if (gt_map_find(&run->known, gt_map_pointer(gt_value_record(value))) >= 0)
            continue;
        if (gt_tape_watch_read(context, value))
            add_input(run, value);
        else if (gt_gradient_passes(context, value))
            return gt_raise(context, GT_INVALID, NULL, NULL, GT_NOT_AN_INPUT);
    }
    return gt_context_status(context);
}

/* The layer whose call this is a part of. One of another context cannot be held or found again. */
static void remember_layer(Run *run)
{
    const gt_CallFrame *frame = gt_context_frame(run->context);
    if (!frame)
        return;
    run->call.inside = true;
    run->call.training = frame->training;
    if (frame->layer->context == run->context)
        run->call.layer = gt_object_identity(frame->layer);
}

static gt_Status run_eagerly(Run *run, gt_Tensors inputs, gt_Tensor **outputs)
{
    gt_Context *context = run->context;
    gt_Listener listener = {0};
    remember_layer(run);
    for (int32_t i = 0; i < inputs.count && gt_context_status(context) == GT_OK; i++) {
        gt_Value *value = gt_value_read(context, NULL, NULL, "input", i + 1, inputs.items[i]);
        if (value)
            add_input(run, value);
    }
    if (gt_context_status(context) == GT_OK &&
        gt_run_hidden(context, run->call.function, run->call.user, inputs.items, run->call.outputs,
                      run->output, &listener) == GT_OK &&
        add_variables(run, &listener) == GT_OK &&
        gt_record_call(context, &recompute, &run->call, run->inputs, run->input, run->call.outputs,
                       run->output) == GT_OK)
        gt_values_give(context, run->output, run->call.outputs, outputs);
    gt_listener_close(context, &listener);
    gt_values_release(run->output, GT_MAX_OUTPUTS);
    gt_values_release(run->input, run->inputs);
    gt_release(context, run->input, (size_t)run->capacity * sizeof *run->input);
    gt_map_close(context, &run->known);
    return gt_context_status(context);
}

/* The function gets tensors of its own, of which nothing more is known than when it is run again: what
 * probabilities were made of is not among its inputs. So what it reads of the caller's is seen. */
static gt_Status own_inputs(gt_Context *context, gt_Tensors inputs, gt_Tensor **own)
{
    for (int32_t i = 0; i < inputs.count && gt_context_status(context) == GT_OK; i++) {
        bool known = gt_is_variable(inputs.items[i]) || !gt_tape_recording(context);
        own[i] = known ? inputs.items[i] : gt_identity(inputs.items[i]);
        own[i] = gt_origin_hidden(context, own[i]);
    }
    return gt_context_status(context);
}

gt_Status gt_recompute_at(const char *here, gt_FunctionBody function, void *user, gt_Tensors inputs,
                          gt_Tensor **outputs, const gt_recompute_options *given)
{
    gt_recompute_options options;
    GT_TAKE(gt_recompute_options, &options, given);
    int32_t n = options.outputs;
    for (int32_t i = 0; outputs && i < n && i < GT_MAX_OUTPUTS; i++)
        outputs[i] = NULL;
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, recompute.name);
    gt_Tensor *own[GT_MAX_INPUTS];
    if (gt_stands_in(context) && !gt_tracing(context))
        gt_fail(GT_UNSUPPORTED, "a layer that recomputes cannot be called by gt_stateless_call, unless a function is "
                                "traced: when it runs again the values are gone");
    else if (gt_check_call(context, inputs, n, outputs) == GT_OK &&
        own_inputs(context, inputs, own) == GT_OK) {
        gt_Tensors list = {own, inputs.count};
        uint64_t choices = gt_context_choices(context);
        Run run = {.context = context,
                   .call = {.size = GT_SIZE(Call),
                            .function = function,
                            .user = user,
                            .inputs = inputs.count,
                            .outputs = n}};
        if (gt_tracing(context))
            gt_traced_call(context, function, user, list, n, outputs);
        else
            run_eagerly(&run, list, outputs);
        if (gt_context_choices(context) != choices)
            gt_mark_choice(context, outputs, n);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}
