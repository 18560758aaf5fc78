/* The two nodes of control flow: tracing their bodies, running them, and their gradients.
 *
 *   cond   inputs   predicate, captures
 *          outputs  results, changed variables
 *   loop   inputs   loop variables, changed variables, xs, go, captures
 *          outputs  loop variables, changed variables, ys, a stack of each of the loop and changed
 *                   variables as it was before every round, the number of rounds
 *
 * Between rounds the loop variables are in the outputs and in a second set by turns. The gradient
 * of a branch is a branch of gradients; that of a loop goes backwards over the stacks, computes
 * every round again and pulls the gradients back through it. So it is control flow again, and has a
 * gradient in its turn. Leans on core/graph.c. */
#include "ops/traced_control.h"
#include "ops/arithmetic.h"
#include "ops/assign.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/creation.h"
#include "ops/kit.h"
#include "ops/reshaping.h"

#include <string.h>

#define GT_STRUCT gt_Control
GT_OPTION_TYPE(gt_Control, GT_CONTROL_OPTIONS);
#undef GT_STRUCT

static void *list_new(gt_Context *context, int64_t count, size_t element)
{
    return gt_allocate_zeroed(context, (size_t)(count + 1) * element);
}

static void list_free(gt_Context *context, void *list, int64_t count, size_t element)
{
    gt_release(context, list, (size_t)(count + 1) * element);
}

/* ---- tracing bodies ---- */

/* A variable that a body changes. */
typedef struct Change {
    gt_Variable *variable;
    int32_t argument; /* the old value */
    int32_t symbol;   /* the new one */
} Change;

typedef struct Body {
    gt_FunctionBody function;
    int32_t arguments; /* how many it gets of those that have no handle outside */
    int32_t results;
    gt_Graph *graph;
    int32_t *result; /* symbols */
    Change *changes;
    int32_t change_count, change_capacity;
} Body;

/* A node on its way: the first body, and the second if there is one. */
typedef struct Draft {
    gt_Context *context;
    void *user;
    gt_Tensors inputs;        /* what bodies get first */
    const gt_Spec *arguments; /* what they get then */
    Body body[2];
    gt_Captures captures;
    Change *states; /* what any of the bodies changes */
    int32_t state_count, state_capacity;
    gt_Map state_of; /* variable -> which of the states */
    int32_t *number; /* of a loop: the input of the node that each argument is */
    bool *used;      /* one an argument */
    int32_t number_count, used_count;
} Draft;

static gt_Status add_change(gt_Context *context, Change **list, int32_t *count, int32_t *capacity,
                            Change change)
{
    if (gt_reserve(context, (void **)list, *count, capacity, sizeof **list))
        (*list)[(*count)++] = change;
    return context->status;
}

/* What the body computed and changed, as symbols of its graph. */
static gt_Status take_results(gt_Context *context, Body *body, gt_Value *const *result)
{
    const gt_Trace *trace = context->trace;
    for (int32_t i = 0; i < body->results; i++)
        if ((body->result[i] = gt_trace_symbol(context, result[i])) < 0)
            return context->status;
    for (int32_t i = 0; i < trace->variable_count && context->status == GT_OK; i++) {
        const gt_TraceVariable *of = &trace->variables[i];
        int32_t now = gt_slot_raw(of->variable)->variable->symbolic->symbol;
        if (now != of->first)
            add_change(context, &body->changes, &body->change_count, &body->change_capacity,
                       (Change){of->variable, body->graph->values[of->first].index, now});
    }
    return context->status;
}

static gt_Status call_body(Draft *draft, Body *body)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->inputs.count + body->arguments;
    gt_Tensor **input = list_new(context, inputs, sizeof *input);
    gt_Value **result = list_new(context, body->results, sizeof *result);
    body->result = list_new(context, body->results, sizeof *body->result);
    if (context->status == GT_OK && gt_scope_open(context)) {
        if (draft->inputs.count)
            memcpy(input, draft->inputs.items, (size_t)draft->inputs.count * sizeof *input);
        for (int32_t i = draft->inputs.count; i < inputs; i++)
            input[i] = gt_trace_input(context, &draft->arguments[i - draft->inputs.count]);
        if (context->status == GT_OK && gt_body_run(context, NULL, body->function, draft->user,
                                                    input, body->results, result) == GT_OK)
            take_results(context, body, result);
        gt_scope_close(context);
    }
    if (result)
        gt_values_release(result, body->results);
    list_free(context, result, body->results, sizeof *result);
    list_free(context, input, inputs, sizeof *input);
    return context->status;
}

/* The tapes outside see the node, not what is in it. */
static gt_Status trace_body(Draft *draft, Body *body)
{
    gt_Context *context = draft->context;
    gt_Trace trace;
    uint64_t hushed = gt_tape_quiet(context);
    if (gt_trace_begin_body(context, &trace, &draft->captures) == GT_OK) {
        body->graph = trace.graph;
        call_body(draft, body);
        gt_trace_end(context, &trace);
    }
    gt_tape_unquiet(context, hushed);
    for (int32_t i = 0; i < body->change_count && context->status == GT_OK; i++) {
        uint64_t variable = gt_map_pointer(body->changes[i].variable);
        if (gt_map_find(&draft->state_of, variable) < 0 &&
            gt_map_add(context, &draft->state_of, variable, draft->state_count))
            add_change(context, &draft->states, &draft->state_count, &draft->state_capacity,
                       body->changes[i]);
    }
    return context->status;
}

static const gt_Spec *spec_of_result(const Body *body, int32_t i)
{
    return &body->graph->values[body->result[i]].spec;
}

static const gt_Spec *spec_of_state(const Draft *draft, int32_t k)
{
    return &draft->captures.value[draft->states[k].argument - draft->captures.first]->spec;
}

/* A body returns its first results, the variables that are changed, then the other results. One
 * that changes a variable not passes its value on. */
static gt_Status set_outputs(Draft *draft, Body *body, int32_t first, bool with_states)
{
    gt_Context *context = draft->context;
    gt_Graph *graph = body->graph;
    int32_t states = with_states ? draft->state_count : 0;
    graph->output = gt_allocate(context, (size_t)(body->results + states) * sizeof *graph->output);
    if (!graph->output)
        return context->status;
    graph->outputs = body->results + states;
    for (int32_t i = 0; i < body->results; i++)
        graph->output[i < first ? i : i + states] = body->result[i];
    for (int32_t k = 0; k < states; k++)
        graph->output[first + k] = -1;
    for (int32_t i = 0; states && i < body->change_count; i++) {
        const Change *change = &body->changes[i];
        int32_t k = gt_map_find(&draft->state_of, gt_map_pointer(change->variable));
        graph->output[first + k] = change->symbol;
    }
    for (int32_t k = 0; k < states; k++) {
        int32_t *symbol = &graph->output[first + k];
        if (*symbol < 0)
            *symbol = gt_graph_input(graph, draft->states[k].argument, spec_of_state(draft, k));
        if (*symbol < 0)
            return context->status;
    }
    return GT_OK;
}

/* Which arguments the bodies use; the nodes that nobody needs go. */
static gt_Status prune(Draft *draft, int32_t arguments)
{
    draft->used = list_new(draft->context, arguments, sizeof *draft->used);
    draft->used_count = arguments;
    for (int i = 0; i < 2 && draft->context->status == GT_OK; i++)
        if (draft->body[i].graph) {
            draft->body[i].graph->inputs = arguments;
            gt_graph_prune(draft->body[i].graph, draft->used);
        }
    return draft->context->status;
}

/* A captured value as an input of the node; a variable among them is read by that. */
static gt_Value *captured(const Draft *draft, int32_t i)
{
    gt_Context *context = draft->context;
    gt_Value *value = draft->captures.value[i];
    const gt_Record *record = value->record;
    if (record && !record->operation && record->variable && record->variable->variable->trainable)
        gt_tape_watch_leaf(context, value->record, context->auto_watching & ~record->tapes);
    return value;
}

/* Writes the node down, gives out its results and assigns what was changed: the outputs from
 * `first` on. */
static gt_Status finish(Draft *draft, gt_GraphNode *like, const gt_Control *options,
                        gt_Value *const *input, const gt_Spec *spec, int32_t first,
                        gt_Tensor **output)
{
    gt_Context *context = draft->context;
    gt_Scope *outer = context->scope;
    if (!gt_scope_open(context))
        return context->status;
    gt_trace_apply(context, like, options, input, spec, output);
    for (int32_t k = 0; k < draft->state_count && context->status == GT_OK; k++)
        gt_assign_at(NULL, draft->states[k].variable, gt_operand_tensor(output[first + k]));
    for (int32_t i = 0; i < like->outputs && context->status == GT_OK; i++)
        gt_scope_move(output[i], outer);
    gt_scope_unwind(context, outer);
    return context->status;
}

static void close_draft(Draft *draft)
{
    gt_Context *context = draft->context;
    for (int i = 0; i < 2; i++) {
        const Body *body = &draft->body[i];
        list_free(context, body->result, body->results, sizeof *body->result);
        gt_release(context, body->changes, (size_t)body->change_capacity * sizeof *body->changes);
    }
    gt_release(context, draft->states, (size_t)draft->state_capacity * sizeof *draft->states);
    gt_map_close(context, &draft->state_of);
    list_free(context, draft->number, draft->number_count, sizeof *draft->number);
    list_free(context, draft->used, draft->used_count, sizeof *draft->used);
    gt_captures_close(context, &draft->captures);
}

/* The lists of a node: its inputs and what is known of its outputs. */
typedef struct Lists {
    gt_Value **input;
    gt_Spec *spec;
    gt_Tensor **output;
} Lists;

static bool lists_open(gt_Context *context, Lists *lists, int32_t inputs, int32_t outputs)
{
    lists->input = list_new(context, inputs, sizeof *lists->input);
    lists->spec = list_new(context, outputs, sizeof *lists->spec);
    lists->output = list_new(context, outputs, sizeof *lists->output);
    return context->status == GT_OK;
}

static void lists_close(gt_Context *context, Lists *lists, int32_t inputs, int32_t outputs)
{
    list_free(context, lists->input, inputs, sizeof *lists->input);
    list_free(context, lists->spec, outputs, sizeof *lists->spec);
    list_free(context, lists->output, outputs, sizeof *lists->output);
}

/* Is the number not 0, as a flag. NaN is true, as in C. */
static gt_Tensor *as_flag(gt_Tensor *number)
{
    if (gt_half_type(gt_dtype(number)) >= 0)
        number = gt_cast(number, GT_FLOAT32);
    return gt_dtype(number) == GT_BOOL ? number : gt_not_equal(number, 0);
}

/* ---- replaying a body ---- */

static gt_Status replay_source(gt_Context *context, const gt_GraphValue *of,
                               gt_Tensor *const *argument, gt_Tensor **value)
{
    switch (of->kind) {
    case GT_GRAPH_INPUT:
        *value = argument[of->index];
        break;
    case GT_GRAPH_CONSTANT:
        gt_value_retain(of->constant, true);
        *value = gt_handle_new(context, of->constant);
        break;
    case GT_GRAPH_LIVE:
        *value = gt_live_at(NULL, of->live, of->spec.dtype);
        break;
    default:
        break; /* a result comes with its node */
    }
    return context->status;
}

/* A new version of a variable is the same source to tapes as the old one. */
static void share_record(gt_Value *made, const gt_Value *old)
{
    if (!old->record || made->record)
        return;
    made->record = old->record;
    made->index = old->index;
    made->record->references++;
}

/* Control flow, and effects on what is no variable here. */
static gt_Status replay_apart(gt_Context *context, const gt_Graph *graph, const gt_GraphNode *node,
                              gt_Tensor *const *value, gt_Tensor **output)
{
    Lists lists;
    if (lists_open(context, &lists, node->inputs, node->outputs)) {
        for (int32_t i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                lists.input[i] = gt_slot_raw(value[node->input[i]])->value;
        for (int32_t i = 0; i < node->outputs; i++)
            lists.spec[i] = graph->values[node->output[i]].spec;
        gt_trace_apply(context, node, node->options, lists.input, lists.spec, output);
        bool effect = node->operation->flags & GT_OP_EFFECT;
        for (int32_t i = 0; effect && i < node->outputs && context->status == GT_OK; i++)
            share_record(gt_slot_raw(output[i])->value, lists.input[i]);
    }
    lists_close(context, &lists, node->inputs, node->outputs);
    return context->status;
}

static gt_Status replay_node(gt_Context *context, const gt_Graph *graph, const gt_GraphNode *node,
                             gt_Tensor **value)
{
    gt_Tensor *input[GT_MAX_INPUTS];
    gt_Tensor **output = list_new(context, node->outputs, sizeof *output);
    if (!output)
        return context->status;
    if (node->operation->flags & (GT_OP_CONTROL | GT_OP_EFFECT)) {
        replay_apart(context, graph, node, value, output);
    } else {
        for (int32_t i = 0; i < node->inputs; i++)
            input[i] = node->input[i] < 0 ? NULL : value[node->input[i]];
        gt_apply(node->here, node->operation, node->options, node->inputs, input, output);
    }
    for (int32_t i = 0; i < node->outputs; i++)
        value[node->output[i]] = output[i];
    list_free(context, output, node->outputs, sizeof *output);
    return context->status;
}

/* Writes a body down once more, with other arguments. */
static gt_Status replay(gt_Context *context, const gt_Graph *graph, gt_Tensor *const *argument,
                        gt_Tensor **result)
{
    gt_Tensor **value = list_new(context, graph->value_count, sizeof *value);
    for (int32_t i = 0; i < graph->value_count && context->status == GT_OK; i++)
        replay_source(context, &graph->values[i], argument, &value[i]);
    for (int32_t n = 0; n < graph->node_count && context->status == GT_OK; n++)
        replay_node(context, graph, &graph->nodes[n], value);
    for (int32_t i = 0; i < graph->outputs && context->status == GT_OK; i++)
        result[i] = value[graph->output[i]];
    list_free(context, value, graph->value_count, sizeof *value);
    return context->status;
}

/* Gradients through one run of a body. The lists have room for all that there could be. */
typedef struct Pull {
    gt_GradientRule *rule;
    const gt_Control *control;
    gt_Tape *tape;
    gt_Tensor **argument, **result;
    gt_Tensor **source, **target, **upstream;
    int32_t sources, targets;
} Pull;

static int32_t pull_room(const gt_GradientRule *rule)
{
    return rule->record->inputs + rule->record->outputs;
}

static bool pull_open(Pull *pull)
{
    gt_Context *context = pull->rule->context;
    int64_t room = pull_room(pull->rule);
    gt_Tensor **block = list_new(context, 5 * room, sizeof *block);
    pull->sources = pull->targets = 0;
    pull->argument = block;
    pull->tape = NULL;
    if (!block)
        return false;
    pull->result = block + room;
    pull->source = block + 2 * room;
    pull->target = block + 3 * room;
    pull->upstream = block + 4 * room;
    pull->tape = gt_tape_begin(.watch_accessed_variables = false);
    return context->status == GT_OK;
}

static void pull_source(Pull *pull, gt_Tensor *source)
{
    if (gt_watch(pull->tape, source) == GT_OK)
        pull->source[pull->sources++] = source;
}

static void pull_target(Pull *pull, gt_Tensor *target, gt_Tensor *upstream)
{
    pull->target[pull->targets] = target;
    pull->upstream[pull->targets++] = upstream;
}

/* Argument number `at`, which input number `input` goes to: a source if it is wanted. */
static void pull_input(Pull *pull, int32_t at, int32_t input)
{
    gt_Tensor *given = gt_input(pull->rule, input);
    pull->argument[at] = given;
    if (given && gt_wants(pull->rule, input))
        pull_source(pull, pull->argument[at] = gt_identity(given));
}

/* The gradient of this input starts with what came from elsewhere. */
static void pull_before(Pull *pull, int32_t at, int32_t input)
{
    gt_Tensor *before = pull->rule->before[input];
    if (before)
        pull_target(pull, pull->argument[at], before);
}

/* `gradients` gets one a source. */
static gt_Status pull_close(Pull *pull, gt_Tensor **gradients)
{
    gt_Context *context = pull->rule->context;
    if (context->status == GT_OK)
        pull->rule->pull_back(pull->tape, (gt_Tensors){pull->targets, pull->target}, pull->upstream,
                              (gt_Tensors){pull->sources, pull->source}, gradients);
    gt_tape_end(pull->tape);
    list_free(context, pull->argument, 5 * (int64_t)pull_room(pull->rule), sizeof *pull->argument);
    return context->status;
}

static bool is_float(const gt_Spec *spec)
{
    return gt_dtype_is_float(spec->dtype);
}

/* ---- choosing ---- */

static gt_Status cond_run(const gt_Kernel *kernel)
{
    const gt_ControlKernel *self = (const gt_ControlKernel *)(const void *)kernel;
    const gt_Control *control = kernel->options;
    const gt_Graph *taken = *(const uint8_t *)self->input[0] ? control->first : control->second;
    return taken->run(taken->plan, self->input + 1, self->output);
}

static gt_Status pull_branch(Pull *pull, const gt_Graph *graph, gt_Tensor **gradients)
{
    gt_GradientRule *rule = pull->rule;
    if (pull_open(pull)) {
        for (int32_t i = 1; i < gt_rule_inputs(rule); i++) {
            pull_input(pull, i - 1, i);
            pull_before(pull, i - 1, i);
        }
        if (replay(rule->context, graph, pull->argument, pull->result) == GT_OK)
            for (int32_t i = 0; i < rule->record->outputs; i++)
                if (gt_upstream(rule, i))
                    pull_target(pull, pull->result[i], gt_upstream(rule, i));
    }
    return pull_close(pull, gradients);
}

static gt_Status pull_yes(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    Pull *pull = user;
    (void)inputs;
    return pull_branch(pull, pull->control->first, gradients);
}

static gt_Status pull_no(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    Pull *pull = user;
    (void)inputs;
    return pull_branch(pull, pull->control->second, gradients);
}

static gt_Status cond_gradient(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    Pull pull = {.rule = rule, .control = gt_rule_options(rule)};
    int32_t inputs = gt_rule_inputs(rule), wanted = 0;
    for (int32_t i = 0; i < inputs; i++)
        wanted += gt_wants(rule, i);
    gt_Tensor **gradient = list_new(context, wanted, sizeof *gradient);
    if (gradient && gt_traced_cond(context, gt_input(rule, 0), pull_yes, pull_no, &pull,
                                   (gt_Tensors){0}, wanted, gradient) == GT_OK)
        for (int32_t i = 0, k = 0; i < inputs; i++)
            if (gt_wants(rule, i))
                gt_give(rule, i, gradient[k++]);
    list_free(context, gradient, wanted, sizeof *gradient);
    return context->status;
}

static const gt_Operation cond = {
    .size = sizeof(gt_Operation),
    .name = "cond",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .run = cond_run,
    .gradient = cond_gradient,
};

static gt_Status check_branches(const Draft *draft)
{
    char a[200], b[200];
    for (int32_t i = 0; i < draft->body[0].results; i++) {
        const gt_Spec *yes = spec_of_result(&draft->body[0], i),
                      *no = spec_of_result(&draft->body[1], i);
        if (!gt_spec_equal(yes, no))
            return gt_raise(draft->context, GT_INVALID, NULL, NULL,
                            "output %d is %s in one branch and %s in the other", (int)i + 1,
                            gt_spec_text(yes, a, sizeof a), gt_spec_text(no, b, sizeof b));
    }
    return GT_OK;
}

static gt_Status apply_cond(Draft *draft, gt_Tensor *flag, gt_Tensor **result)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->captures.count + 1, results = draft->body[0].results;
    const gt_Graph *graph = draft->body[0].graph;
    const gt_Control options = {
        .size = sizeof options, .first = draft->body[0].graph, .second = draft->body[1].graph};
    gt_GraphNode like = {.operation = &cond,
                         .inputs = inputs,
                         .outputs = graph->outputs,
                         .required = graph->outputs};
    Lists lists;
    if (lists_open(context, &lists, inputs, graph->outputs)) {
        lists.input[0] = gt_slot_raw(flag)->value;
        for (int32_t i = 1; i < inputs; i++)
            lists.input[i] = draft->used[i - 1] ? captured(draft, i - 1) : NULL;
        for (int32_t i = 0; i < graph->outputs; i++)
            lists.spec[i] = graph->values[graph->output[i]].spec;
        if (finish(draft, &like, &options, lists.input, lists.spec, results, lists.output) ==
                GT_OK &&
            results)
            memcpy(result, lists.output, (size_t)results * sizeof *result);
    }
    lists_close(context, &lists, inputs, graph->outputs);
    return context->status;
}

gt_Status gt_traced_cond(gt_Context *context, gt_Tensor *predicate, gt_FunctionBody yes,
                         gt_FunctionBody no, void *user, gt_Tensors inputs, int32_t outputs,
                         gt_Tensor **result)
{
    Draft draft = {
        .context = context,
        .user = user,
        .inputs = inputs,
        .body = {{.function = yes, .results = outputs}, {.function = no, .results = outputs}}};
    gt_Tensor *flag = as_flag(predicate);
    if (flag && trace_body(&draft, &draft.body[0]) == GT_OK &&
        trace_body(&draft, &draft.body[1]) == GT_OK && check_branches(&draft) == GT_OK &&
        set_outputs(&draft, &draft.body[0], outputs, true) == GT_OK &&
        set_outputs(&draft, &draft.body[1], outputs, true) == GT_OK &&
        prune(&draft, draft.captures.count) == GT_OK)
        apply_cond(&draft, flag, result);
    close_draft(&draft);
    return context->status;
}

/* ---- loops ---- */

static size_t padded(size_t bytes)
{
    return (bytes + GT_ALIGNMENT - 1) & ~(size_t)(GT_ALIGNMENT - 1);
}

static const gt_Spec *carry_spec(const gt_Control *control, int32_t j)
{
    return &control->first->values[control->first->output[j]].spec;
}

/* The memory between rounds: a second set of loop variables, what the condition makes of those that
 * it changes, and its flag. */
static size_t loop_scratch(const gt_Control *control)
{
    size_t bytes = GT_ALIGNMENT;
    for (int32_t j = 0; j < control->carries; j++)
        bytes += padded(gt_spec_bytes(carry_spec(control, j)));
    int32_t changed = control->second ? control->second->outputs - 1 : 0;
    for (int32_t j = control->carries - changed; j < control->carries; j++)
        bytes += padded(gt_spec_bytes(carry_spec(control, j)));
    return bytes;
}

static void copy(void *to, const void *from, size_t bytes)
{
    if (bytes && to != from)
        memcpy(to, from, bytes);
}

/* The present loop variables go to the stacks, those that somebody reads. */
static void stack_carries(const gt_ControlKernel *self, const gt_Control *control, int64_t element)
{
    for (int32_t j = 0; j < control->carries && control->length >= 0; j++) {
        size_t bytes = gt_spec_bytes(carry_spec(control, j));
        char *stack = self->output[control->carries + control->ys + j];
        if (stack)
            copy(stack + (size_t)element * bytes, self->argument[j], bytes);
    }
}

/* One round: from the present loop variables to the set of outputs or to the second one. */
static gt_Status loop_round(const gt_ControlKernel *self, const gt_Control *control,
                            int64_t element, bool into_outputs)
{
    const gt_Graph *body = control->first;
    char *second = self->scratch;
    for (int32_t j = 0; j < control->carries; j++) {
        self->result[j] = into_outputs ? self->output[j] : second;
        second += padded(gt_spec_bytes(carry_spec(control, j)));
    }
    for (int32_t i = control->carries; i < control->carries + control->xs; i++) {
        if (!self->input[i])
            continue;
        size_t bytes = gt_spec_bytes(self->input_spec[i]) / (size_t)control->length;
        self->argument[i] = (const char *)self->input[i] + (size_t)element * bytes;
    }
    for (int32_t i = control->carries; i < control->carries + control->ys; i++)
        self->result[i] =
            (char *)self->output[i] + (size_t)element * gt_spec_bytes(carry_spec(control, i));
    gt_Status status = body->run(body->plan, self->argument, self->result);
    for (int32_t j = 0; j < control->carries; j++)
        self->argument[j] = self->result[j];
    return status;
}

/* Is there another round? The variables that the condition changes go where the last round left
 * them. */
static gt_Status loop_condition(const gt_ControlKernel *self, const gt_Control *control,
                                bool in_outputs, bool *more)
{
    const gt_Graph *condition = control->second;
    int32_t unchanged = control->carries - (condition->outputs - 1);
    char *second = self->scratch, *made = second;
    for (int32_t j = 0; j < control->carries; j++)
        made += padded(gt_spec_bytes(carry_spec(control, j)));
    for (int32_t i = 0; i < condition->outputs; i++) {
        self->result[i] = made;
        made +=
            i == 0 ? GT_ALIGNMENT : padded(gt_spec_bytes(carry_spec(control, unchanged + i - 1)));
    }
    gt_Status status = condition->run(condition->plan, self->argument, self->result);
    for (int32_t j = 0; j < control->carries; j++) {
        size_t bytes = gt_spec_bytes(carry_spec(control, j));
        if (j >= unchanged)
            copy(in_outputs ? self->output[j] : second, self->result[1 + j - unchanged], bytes);
        second += padded(bytes);
    }
    *more = *(const uint8_t *)self->result[0];
    return status;
}

/* What is stacked has no numbers where there was no round; only loops of as many rounds read it. */
static gt_Status loop_run(const gt_Kernel *kernel)
{
    const gt_ControlKernel *self = (const gt_ControlKernel *)(const void *)kernel;
    const gt_Control *control = kernel->options;
    gt_Context *context = kernel->context;
    const void *go = self->input[control->carries + control->xs];
    int64_t rounds = control->length, count = 0;
    if (control->counted)
        memcpy(&rounds, go, sizeof rounds);
    bool more = control->second ? *(const uint8_t *)go : true;
    memcpy(self->argument, self->input, (size_t)control->first->inputs * sizeof *self->argument);
    /* The last round ends in the outputs, if it is known which one it is. */
    bool into_outputs = control->second || rounds % 2 == 1;
    for (; more && (rounds < 0 || count < rounds); count++) {
        if (gt_interrupted(context))
            return gt_raise(context, GT_INTERRUPTED, NULL, kernel->operation->name,
                            "interrupted between two rounds");
        int64_t element = control->reverse ? rounds - 1 - count : count;
        stack_carries(self, control, element);
        gt_Status status = loop_round(self, control, element, into_outputs);
        if (status == GT_OK && control->second && (rounds < 0 || count + 1 < rounds))
            status = loop_condition(self, control, into_outputs, &more);
        if (status != GT_OK)
            return status;
        into_outputs = !into_outputs;
    }
    for (int32_t j = 0; j < control->carries; j++)
        copy(self->output[j], self->argument[j], gt_spec_bytes(carry_spec(control, j)));
    if (control->length >= 0 && self->output[2 * control->carries + control->ys])
        memcpy(self->output[2 * control->carries + control->ys], &count, sizeof count);
    return GT_OK;
}

/* Where things are among the inputs of a loop: first the loop variables that gradients flow
 * through, then the variables that it changes, xs, `go`, captures. The gradient of a changed
 * variable is, as that of a captured value, the sum over all rounds: what an assignment overwrites
 * has no part in it. */
static int32_t flowing(const gt_Control *control)
{
    return control->carries - control->states;
}

static bool is_summed(const gt_GradientRule *rule, const gt_Control *control, int32_t i)
{
    return gt_wants(rule, i) &&
           (i >= control->carries + control->xs || (i >= flowing(control) && i < control->carries));
}

/* The body of the loop backwards. It gets the gradients of the loop variables after this round, the
 * sums so far, the loop variables before it, elements of xs, gradients of what was stacked. It
 * makes the gradients before this round, the sums, gradients of the elements of xs. */
static gt_Status pull_round(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    Pull *pull = user;
    gt_GradientRule *rule = pull->rule;
    gt_Context *context = rule->context;
    const gt_Control *control = pull->control;
    const gt_Graph *body = control->first;
    int32_t n = control->carries, count = gt_rule_inputs(rule);
    if (!pull_open(pull))
        return pull_close(pull, NULL);
    gt_Tensor *const *gradient = inputs;
    for (int32_t j = 0; j < flowing(control); j++)
        inputs += is_float(gt_input_spec(rule, j));
    gt_Tensor *const *sum = inputs;
    for (int32_t i = 0; i < count; i++)
        inputs += is_summed(rule, control, i);
    for (int32_t j = 0; j < n; j++) {
        gt_Tensor *carry = gt_reshape(*inputs++, gt_spec_shape(gt_input_spec(rule, j)));
        pull->argument[j] = carry;
        if (j < flowing(control) ? is_float(gt_input_spec(rule, j)) : gt_wants(rule, j))
            pull_source(pull, carry);
    }
    for (int32_t i = n + control->xs + 1; i < count; i++)
        pull_input(pull, i, i);
    for (int32_t i = 0; i < count; i++)
        if (is_summed(rule, control, i))
            pull_target(pull, pull->argument[i], *sum++);
    for (int32_t i = n; i < n + control->xs; i++) {
        if (!rule->record->input[i])
            continue;
        pull->argument[i] = *inputs++;
        if (gt_wants(rule, i))
            pull_source(pull, pull->argument[i]);
    }
    if (replay(context, body, pull->argument, pull->result) == GT_OK) {
        for (int32_t i = n; i < n + control->ys; i++)
            if (gt_upstream(rule, i))
                pull_target(pull, pull->result[i], *inputs++);
        for (int32_t j = 0; j < n; j++)
            if (gt_upstream(rule, n + control->ys + j))
                pull_target(pull, pull->argument[j],
                            gt_reshape(*inputs++, gt_spec_shape(gt_input_spec(rule, j))));
        for (int32_t j = 0; j < flowing(control); j++)
            if (is_float(gt_input_spec(rule, j)))
                pull_target(pull, pull->result[j], *gradient++);
    }
    return pull_close(pull, gradients);
}

static gt_Tensor *zeros_of(const gt_Spec *spec)
{
    return gt_zeros_of(gt_spec_shape(spec), .dtype = spec->dtype);
}

static gt_Status loop_gradient(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    const gt_Control *control = gt_rule_options(rule);
    int32_t n = control->carries, count = gt_rule_inputs(rule), room = pull_room(rule);
    if (control->length < 0)
        return gt_raise(context, GT_UNSUPPORTED, NULL, "while_loop",
                        "a gradient needs the loop variables of every round, and memory for them: "
                        "give .maximum_iterations");
    Pull pull = {.rule = rule, .control = control};
    gt_Tensor **carry = list_new(context, 4 * (int64_t)room, sizeof *carry);
    if (!carry)
        return context->status;
    gt_Tensor **x = carry + room, **last = x + room, **y = last + room;
    gt_TracedLoop loop = {
        .body = pull_round, .user = &pull, .length = control->length, .reverse = !control->reverse};
    int32_t carries = 0, xs = 0;
    for (int32_t j = 0; j < flowing(control); j++)
        if (is_float(gt_input_spec(rule, j)))
            carry[carries++] =
                gt_upstream(rule, j) ? gt_upstream(rule, j) : zeros_of(gt_input_spec(rule, j));
    for (int32_t i = 0; i < count; i++) {
        if (is_summed(rule, control, i))
            carry[carries++] = rule->before[i] ? rule->before[i] : zeros_of(gt_input_spec(rule, i));
        else
            rule->before[i] = NULL;
    }
    for (int32_t j = 0; j < n; j++)
        x[xs++] = gt_output(rule, n + control->ys + j);
    for (int32_t i = n; i < n + control->xs; i++) {
        if (rule->record->input[i])
            x[xs++] = gt_input(rule, i);
        loop.ys += gt_wants(rule, i);
    }
    for (int32_t i = n; i < 2 * n + control->ys; i++)
        if (gt_upstream(rule, i))
            x[xs++] = gt_upstream(rule, i);
    if (control->second || control->counted)
        loop.go = gt_output(rule, 2 * n + control->ys);
    loop.carries = (gt_Tensors){carries, carry};
    loop.xs = (gt_Tensors){xs, x};
    if (context->status == GT_OK && gt_traced_loop(context, &loop, last, y) == GT_OK) {
        for (int32_t j = 0; j < flowing(control); j++) {
            if (gt_wants(rule, j))
                gt_give(rule, j, *last);
            last += is_float(gt_input_spec(rule, j));
        }
        for (int32_t i = 0; i < count; i++)
            if (is_summed(rule, control, i))
                gt_give(rule, i, *last++);
        for (int32_t i = n; i < n + control->xs; i++)
            if (gt_wants(rule, i))
                gt_give(rule, i, *y++);
    }
    list_free(context, carry, 4 * (int64_t)room, sizeof *carry);
    return context->status;
}

static const gt_Operation loop_operation = {
    .size = sizeof(gt_Operation),
    .name = "loop",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .saves_outputs = UINT32_MAX,
    .run = loop_run,
    .gradient = loop_gradient,
};

static gt_Status trace_round(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const gt_TracedLoop *loop = user;
    return loop->body(loop->user, inputs, outputs);
}

static gt_Status trace_condition(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const gt_TracedLoop *loop = user;
    gt_Status status = loop->condition(loop->user, inputs, outputs);
    gt_Spec spec = status == GT_OK ? gt_spec(outputs[0]) : (gt_Spec){0};
    char text[200];
    if (status != GT_OK || gt_status() != GT_OK)
        return status;
    if (spec.size != 1)
        return gt_fail(GT_INVALID, "the condition is %s; it must have one element",
                       gt_spec_text(&spec, text, sizeof text));
    outputs[0] = as_flag(outputs[0]);
    return gt_status();
}

static gt_Status check_carries(const Draft *draft, int32_t count)
{
    char a[200], b[200];
    for (int32_t i = 0; i < count; i++) {
        const gt_Spec *now = &draft->arguments[i], *next = spec_of_result(&draft->body[0], i);
        if (!gt_spec_equal(now, next))
            return gt_raise(draft->context, GT_INVALID, NULL, NULL,
                            "loop variable %d was %s and became %s; shape and type must stay",
                            (int)i + 1, gt_spec_text(now, a, sizeof a),
                            gt_spec_text(next, b, sizeof b));
    }
    return GT_OK;
}

/* Which number each argument of the bodies has as input of the node: the changed variables among the
 * captures come behind the loop variables, `go` comes before the other captures. */
static gt_Status number_arguments(Draft *draft, int32_t carries)
{
    int32_t count = draft->captures.first + draft->captures.count;
    draft->number = list_new(draft->context, count, sizeof *draft->number);
    if (!draft->number)
        return draft->context->status;
    draft->number_count = count;
    for (int32_t i = 0; i < count; i++)
        draft->number[i] = i < carries ? i : -1;
    for (int32_t k = 0; k < draft->state_count; k++)
        draft->number[draft->states[k].argument] = carries + k;
    int32_t next = carries + draft->state_count;
    for (int32_t i = 0; i < count; i++) {
        next += i == draft->captures.first; /* that is the place of `go` */
        if (draft->number[i] < 0)
            draft->number[i] = next++;
    }
    return GT_OK;
}

static void renumber(const Draft *draft)
{
    for (int b = 0; b < 2; b++) {
        gt_Graph *graph = draft->body[b].graph;
        for (int32_t i = 0; graph && i < graph->value_count; i++)
            if (graph->values[i].kind == GT_GRAPH_INPUT)
                graph->values[i].index = draft->number[graph->values[i].index];
    }
}

/* `length` of these, one behind the other. */
static bool stacked(gt_Context *context, gt_Spec *spec, int64_t length, const gt_Spec *of,
                    bool flat)
{
    gt_Shape shape = {.rank = flat ? 2 : of->rank + 1, .dims = {length, of->size}};
    if (!flat && shape.rank <= GT_MAX_RANK)
        memcpy(shape.dims + 1, of->dims, (size_t)of->rank * sizeof *shape.dims);
    if (shape.rank <= GT_MAX_RANK && gt_spec_set(spec, of->dtype, shape))
        return true;
    char text[200];
    gt_raise(context, GT_INVALID, NULL, NULL, "%lld rounds of %s are too many to stack",
             (long long)length, gt_spec_text(of, text, sizeof text));
    return false;
}

static gt_Status describe_outputs(gt_Context *context, const gt_Control *control, gt_Spec *spec)
{
    int32_t n = control->carries, p = control->ys;
    for (int32_t j = 0; j < n; j++)
        spec[j] = *carry_spec(control, j);
    for (int32_t i = n; i < n + p; i++)
        if (!stacked(context, &spec[i], control->length, carry_spec(control, i), false))
            return context->status;
    if (control->length < 0)
        return GT_OK;
    for (int32_t j = 0; j < n; j++)
        if (!stacked(context, &spec[n + p + j], control->length, carry_spec(control, j), true))
            return context->status;
    spec[2 * n + p] = (gt_Spec){.dtype = GT_INT64, .size = 1};
    return GT_OK;
}

static gt_Value *value_of(gt_Context *context, const char *what, int32_t i, gt_Tensor *tensor)
{
    return gt_value_read(context, NULL, NULL, what, i + 1, tensor);
}

static gt_Status loop_inputs(const Draft *draft, const gt_TracedLoop *loop, gt_Value **input)
{
    gt_Context *context = draft->context;
    int32_t n = loop->carries.count, m = loop->xs.count;
    for (int32_t i = 0; i < n; i++)
        input[i] = value_of(context, "loop variable", i, loop->carries.items[i]);
    for (int32_t i = 0; i < m; i++) {
        int32_t at = draft->number[n + i];
        if (draft->used[at])
            input[at] = value_of(context, "x", i, loop->xs.items[i]);
    }
    if (loop->go)
        input[n + draft->state_count + m] = value_of(context, "go", 0, loop->go);
    for (int32_t i = 0; i < draft->captures.count; i++) {
        int32_t at = draft->number[n + m + i];
        if (draft->used[at] || at < n + draft->state_count)
            input[at] = captured(draft, i);
    }
    return context->status;
}

static gt_Status apply_loop(Draft *draft, const gt_TracedLoop *loop, gt_Tensor **last,
                            gt_Tensor **ys)
{
    gt_Context *context = draft->context;
    int32_t n = loop->carries.count, s = draft->state_count;
    const gt_Control options = {.size = sizeof options,
                                .first = draft->body[0].graph,
                                .second = draft->body[1].graph,
                                .carries = n + s,
                                .states = s,
                                .xs = loop->xs.count,
                                .ys = loop->ys,
                                .length = loop->length,
                                .reverse = loop->reverse,
                                .counted = loop->go && !loop->condition};
    int32_t inputs = draft->used_count, required = n + s + loop->ys;
    gt_GraphNode like = {.operation = &loop_operation,
                         .inputs = inputs,
                         .outputs = loop->length < 0 ? required : required + n + s + 1,
                         .required = required,
                         .scratch = loop_scratch(&options)};
    Lists lists;
    if (lists_open(context, &lists, inputs, like.outputs) &&
        loop_inputs(draft, loop, lists.input) == GT_OK &&
        describe_outputs(context, &options, lists.spec) == GT_OK &&
        finish(draft, &like, &options, lists.input, lists.spec, n, lists.output) == GT_OK) {
        if (n)
            memcpy(last, lists.output, (size_t)n * sizeof *last);
        if (loop->ys)
            memcpy(ys, lists.output + n + s, (size_t)loop->ys * sizeof *ys);
    }
    lists_close(context, &lists, inputs, like.outputs);
    return context->status;
}

/* What a body gets: the loop variables and elements of xs. */
static gt_Status describe_arguments(gt_Context *context, const gt_TracedLoop *loop, gt_Spec *spec)
{
    int32_t n = loop->carries.count;
    for (int32_t i = 0; i < n + loop->xs.count; i++) {
        const gt_Value *value = i < n
                                    ? value_of(context, "loop variable", i, loop->carries.items[i])
                                    : value_of(context, "x", i - n, loop->xs.items[i - n]);
        if (!value)
            return context->status;
        spec[i] = value->spec;
        if (i < n)
            continue;
        spec[i].rank--;
        memmove(spec[i].dims, value->spec.dims + 1, (size_t)spec[i].rank * sizeof *spec[i].dims);
        gt_spec_resize(&spec[i]);
    }
    return GT_OK;
}

gt_Status gt_traced_loop(gt_Context *context, const gt_TracedLoop *loop, gt_Tensor **last,
                         gt_Tensor **ys)
{
    int32_t n = loop->carries.count, m = loop->xs.count;
    gt_TracedLoop self = *loop;
    gt_Spec *arguments = list_new(context, n + m, sizeof *arguments);
    Draft draft = {.context = context,
                   .user = &self,
                   .arguments = arguments,
                   .body = {{.function = trace_round, .arguments = n + m, .results = n + loop->ys},
                            {.function = trace_condition, .arguments = n, .results = 1}},
                   .captures = {.first = n + m}};
    if (arguments && describe_arguments(context, loop, arguments) == GT_OK &&
        trace_body(&draft, &draft.body[0]) == GT_OK && check_carries(&draft, n) == GT_OK &&
        (!loop->condition || trace_body(&draft, &draft.body[1]) == GT_OK) &&
        set_outputs(&draft, &draft.body[0], n, true) == GT_OK &&
        (!loop->condition ||
         set_outputs(&draft, &draft.body[1], 1, draft.body[1].change_count > 0) == GT_OK) &&
        number_arguments(&draft, n) == GT_OK) {
        renumber(&draft);
        if (prune(&draft, n + m + 1 + draft.captures.count) == GT_OK)
            apply_loop(&draft, loop, last, ys);
    }
    close_draft(&draft);
    list_free(context, arguments, n + m, sizeof *arguments);
    return context->status;
}
