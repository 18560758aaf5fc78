/* gt_recompute: tapes see one operation that remembers its inputs alone, and whose gradient runs the
 * function again.
 *
 * Eagerly the second run is the user's function once more, with every variable as the first run found
 * it. Inside a traced function the first run is traced into a graph of its own, a node that the plan
 * puts in place; its gradient writes that graph down again (ops/traced_control.c). So the plan holds
 * nothing of the piece between the two. Leans on core/body.c and gradient.c. */
#include "autodiff/custom.h"
#include "autodiff/gradient.h"
#include "autodiff/probe.h"
#include "core/graph.h"
#include "core/inside.h"
#include "ops/cast.h"
#include "ops/choice.h"
#include "ops/creation.h"
#include "ops/traced_control.h"

#undef GT_HERE
#define GT_HERE ((const char *)0)

#define GT_STRUCT gt_RecomputeOptions
GT_OPTION_TYPE(gt_RecomputeOptions, GT_RECOMPUTE_OPTIONS);
#undef GT_STRUCT

/* What a record remembers of the call. */
#define CALL_OPTIONS(F)                                                                            \
    F(uint32_t, size, (uint32_t)sizeof(Call), "for ABI growth")                                    \
    F(gt_FunctionBody, function, NULL, "what is recomputed")                                       \
    F(void *, user, NULL, "what it is passed")                                                     \
    F(int32_t, inputs, 0, "without the variables that the function reads")                         \
    F(int32_t, outputs, 1, "")                                                                     \
    F(bool, inside, false, "the call of a layer")                                                  \
    F(bool, training, false, "of that call")                                                       \
    F(uint64_t, layer, 0, "its identity")
typedef struct Call {
    CALL_OPTIONS(GT_MEMBER)
} Call;
#define GT_STRUCT Call
GT_OPTION_TYPE(Call, CALL_OPTIONS);
#undef GT_STRUCT

/* The variable that an input of the record is the value of; NULL: none, or freed since. */
static gt_Slot *variable_of(const gt_Value *value)
{
    return value->record && !value->record->operation ? value->record->variable : NULL;
}

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

/* What the function is called with, and what the tape of the second run watches: a variable that is
 * given twice only once. */
static gt_Status prepare(Replay *replay)
{
    gt_GradientRule *rule = replay->rule;
    gt_Context *context = rule->context;
    gt_Map met = {0};
    for (int i = 0; i < gt_rule_inputs(rule) && context->status == GT_OK; i++) {
        gt_Slot *slot = variable_of(rule->record->input[i]);
        rule->before[i] = NULL; /* the sum over this piece is made on its own */
        replay->input[i] = slot ? gt_slot_handle(slot) : gt_input(rule, i);
        if (!slot && gt_wants(rule, i))
            replay->input[i] = gt_identity(replay->input[i]);
        uint64_t key = gt_map_pointer(replay->input[i]);
        if (gt_wants(rule, i) && gt_map_find(&met, key) < 0 && gt_map_add(context, &met, key, i))
            replay->source[replay->sources++] = replay->input[i];
    }
    gt_map_close(context, &met);
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
    if (!call->inside)
        return true;
    gt_Object *layer = gt_object_find(context, call->layer);
    if (!layer) {
        gt_raise(context, GT_STALE, NULL, "recompute",
                 "the layer that called it was freed before the gradient was asked for, or belongs "
                 "to another context");
        return false;
    }
    *frame = (gt_CallFrame){NULL, layer, layer->kind->name, context->scope, call->training};
    return true;
}

/* Runs the function as it ran then, and asks for the gradients; NULL where there is none. */
static gt_Status run_again(Replay *replay)
{
    gt_Context *context = replay->rule->context;
    gt_Tensors sources = {replay->sources, replay->source};
    gt_Value *result[GT_MAX_OUTPUTS];
    gt_Tape *tape = gt_probe_tape(NULL, sources, false);
    gt_CallFrame frame = {0};
    const gt_CallFrame *caller = context->frame;
    if (same_frame(context, replay->call, &frame))
        context->frame = replay->call->inside ? &frame : NULL;
    gt_Listener listener; /* plans would not notice that the variables are others */
    gt_listener_begin(context, &listener);
    go_back(replay);
    if (context->status == GT_OK &&
        gt_body_run(context, "recompute", replay->call->function, replay->call->user, replay->input,
                    replay->call->outputs, result) == GT_OK &&
        take_targets(replay, result) == GT_OK)
        gt_gradients(tape, ((gt_Tensors){replay->targets, replay->target}), sources,
                     replay->gradient, .unconnected = GT_UNCONNECTED_NONE,
                     .output_gradients = replay->upstream);
    return_to_now(replay);
    context->frame = caller;
    gt_listener_end(context, &listener);
    gt_listener_close(context, &listener);
    gt_tape_end(tape);
    return context->status;
}

/* A variable that is given twice has its gradient at the first place. */
static gt_Status recompute_rule(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    int32_t inputs = gt_rule_inputs(rule);
    size_t bytes = 4 * (size_t)inputs * sizeof(void *);
    void **lists = gt_allocate_zeroed(context, bytes);
    if (!lists)
        return context->status;
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
    return context->status;
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
    if (!gt_reserve(context, (void **)&run->input, run->inputs, &run->capacity,
                    sizeof *run->input) ||
        (value->record &&
         !gt_map_add(context, &run->known, gt_map_pointer(value->record), run->inputs)))
        return context->status;
    gt_value_retain(value, true);
    run->input[run->inputs++] = value;
    return GT_OK;
}

/* The variables become inputs of the record, and the tapes that watch by themselves watch them. */
static gt_Status add_variables(Run *run, const gt_Listener *listener)
{
    gt_Context *context = run->context;
    for (int32_t i = 0; i < listener->count && context->status == GT_OK; i++) {
        gt_Value *value = listener->heard[i];
        gt_Slot *slot = variable_of(value);
        if (!slot || gt_map_find(&run->known, gt_map_pointer(value->record)) >= 0)
            continue;
        uint64_t asking = context->auto_watching & ~value->record->tapes;
        if (asking && gt_ask_trainable(context, gt_slot_handle(slot)))
            gt_tape_watch_leaf(context, value->record, asking);
        add_input(run, value);
    }
    return context->status;
}

/* The layer whose call this is a part of. One of another context cannot be held or found again. */
static void remember_layer(Run *run)
{
    const gt_CallFrame *frame = run->context->frame;
    if (!frame)
        return;
    run->call.inside = true;
    run->call.training = frame->training;
    if (frame->layer->context == run->context)
        run->call.layer = gt_object_identity(frame->layer);
}

/* Without the tapes; the results get values of their own, so that their gradients end at the record. */
static gt_Status run_hidden(Run *run, gt_Tensor *const *input, gt_Listener *listener)
{
    gt_Context *context = run->context;
    uint64_t hushed = gt_tape_quiet(context);
    gt_listener_begin(context, listener);
    gt_body_run(context, NULL, run->call.function, run->call.user, input, run->call.outputs,
                run->output);
    gt_listener_end(context, listener);
    gt_tape_unquiet(context, hushed);
    for (int32_t i = 0; i < run->call.outputs && context->status == GT_OK; i++) {
        gt_Value *own = gt_value_alias(context, run->output[i], &run->output[i]->spec, 0);
        if (!own)
            break;
        gt_value_release(run->output[i], true);
        run->output[i] = own;
    }
    return context->status;
}

static gt_Status record_run(Run *run)
{
    gt_Context *context = run->context;
    uint64_t tapes = 0;
    for (int32_t i = 0; i < run->inputs; i++)
        tapes |= gt_tapes_of(run->input[i]);
    tapes &= context->recording;
    if (run->inputs > UINT16_MAX)
        return gt_raise(context, GT_UNSUPPORTED, NULL, NULL, "%d inputs and variables are too many",
                        (int)run->inputs);
    if (tapes)
        gt_record_new(context, &recompute, &run->call, run->inputs, run->input, run->call.outputs,
                      run->output, tapes, context->here);
    return context->status;
}

static gt_Status run_eagerly(Run *run, gt_Tensors inputs, gt_Tensor **outputs)
{
    gt_Context *context = run->context;
    gt_Listener listener = {0};
    remember_layer(run);
    for (int32_t i = 0; i < inputs.count && context->status == GT_OK; i++) {
        gt_Value *value = gt_value_read(context, NULL, NULL, "input", i + 1, inputs.items[i]);
        if (value)
            add_input(run, value);
    }
    if (context->status == GT_OK && run_hidden(run, inputs.items, &listener) == GT_OK &&
        add_variables(run, &listener) == GT_OK && record_run(run) == GT_OK)
        gt_values_give(context, run->output, run->call.outputs, outputs);
    gt_listener_close(context, &listener);
    gt_values_release(run->output, GT_MAX_OUTPUTS);
    gt_values_release(run->input, run->inputs);
    gt_release(context, run->input, (size_t)run->capacity * sizeof *run->input);
    gt_map_close(context, &run->known);
    return context->status;
}

static gt_Status check(gt_Context *context, gt_Tensors inputs, int32_t outputs,
                       gt_Tensor *const *places)
{
    if (inputs.count < 1 || inputs.count > GT_MAX_INPUTS || !inputs.items)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%d inputs; 1 to %d are possible",
                        (int)inputs.count, GT_MAX_INPUTS);
    if (outputs < 1 || outputs > GT_MAX_OUTPUTS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%d outputs; 1 to %d are possible",
                        (int)outputs, GT_MAX_OUTPUTS);
    if (!places)
        return gt_raise(context, GT_INVALID, NULL, NULL, "there is no place for the outputs");
    return GT_OK;
}

/* The function gets inputs of which nothing more is known than when it is run again: what
 * probabilities were made of is not among its inputs. */
static gt_Status hide_origins(gt_Context *context, gt_Tensors inputs, gt_Tensor **hidden)
{
    for (int32_t i = 0; i < inputs.count && context->status == GT_OK; i++)
        hidden[i] = gt_origin_hidden(context, inputs.items[i]);
    return context->status;
}

gt_Status gt_recompute_at(const char *here, gt_FunctionBody function, void *user, gt_Tensors inputs,
                          gt_Tensor **outputs, const gt_RecomputeOptions *given)
{
    gt_RecomputeOptions options;
    gt_options_fill(&gt_RecomputeOptions_type, &options, given);
    int32_t n = options.outputs;
    for (int32_t i = 0; outputs && i < n && i < GT_MAX_OUTPUTS; i++)
        outputs[i] = NULL;
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, recompute.name);
    gt_Tensor *hidden[GT_MAX_INPUTS];
    if (check(context, inputs, n, outputs) == GT_OK &&
        hide_origins(context, inputs, hidden) == GT_OK) {
        gt_Tensors list = {inputs.count, hidden};
        uint64_t choices = context->choices;
        Run run = {.context = context,
                   .call = {.size = sizeof(Call),
                            .function = function,
                            .user = user,
                            .inputs = inputs.count,
                            .outputs = n}};
        if (context->trace)
            gt_traced_call(context, function, user, list, n, outputs);
        else
            run_eagerly(&run, list, outputs);
        if (context->choices != choices)
            gt_mark_choice(context, outputs, n);
    }
    gt_site_leave(site);
    return context->status;
}
