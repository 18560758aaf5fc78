/* Bodies as graphs. What a body reads of the trace around it is captured and becomes an argument; a
 * variable that it changes is a value like others inside and a result. So the graph is a function
 * without state, which can be written down again: that is how gradients of control flow are made.
 * Leans on core/graph.c. */
#include "ops/control/traced_body.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/kit.h"

#include <stdlib.h>
#include <string.h>

void *gt_list_new(gt_Context *context, int64_t count, size_t element)
{
    return gt_allocate_zeroed(context, (size_t)(count + 1) * element);
}

void gt_list_free(gt_Context *context, void *list, int64_t count, size_t element)
{
    gt_release(context, list, (size_t)(count + 1) * element);
}

/* ---- tracing bodies ---- */

static gt_Status add_change(gt_Context *context, gt_TraceChange **list, int32_t *count,
                            int32_t *capacity, gt_TraceChange change)
{
    if (gt_reserve(context, (void **)list, *count, capacity, sizeof **list))
        (*list)[(*count)++] = change;
    return gt_context_status(context);
}

/* What the body computed and changed, as symbols of its graph. */
static gt_Status take_results(gt_Context *context, gt_TracedBody *body, gt_Value *const *result)
{
    gt_TraceChange change;
    for (int32_t i = 0; i < body->results; i++)
        if ((body->result[i] = gt_trace_symbol(context, result[i])) < 0)
            return gt_context_status(context);
    for (int32_t at = 0; gt_trace_next_change(body->trace, &at, &change);)
        add_change(context, &body->changes, &body->change_count, &body->change_capacity, change);
    return gt_context_status(context);
}

static gt_Status call_body(gt_Bodies *draft, gt_TracedBody *body)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->inputs.count + body->arguments;
    gt_Tensor **input = gt_list_new(context, inputs, sizeof *input);
    gt_Value **result = gt_list_new(context, body->results, sizeof *result);
    body->result = gt_list_new(context, body->results, sizeof *body->result);
    if (gt_context_status(context) == GT_OK && gt_scope_open(context)) {
        if (draft->inputs.count)
            memcpy(input, draft->inputs.items, (size_t)draft->inputs.count * sizeof *input);
        for (int32_t i = draft->inputs.count; i < inputs; i++)
            input[i] = gt_trace_input(context, &draft->arguments[i - draft->inputs.count]);
        if (gt_context_status(context) == GT_OK &&
            gt_body_run(context, NULL, body->function, draft->user, input, body->results, result) ==
                GT_OK)
            take_results(context, body, result);
        gt_scope_close(context);
    }
    if (result)
        gt_values_release(result, body->results);
    gt_list_free(context, result, body->results, sizeof *result);
    gt_list_free(context, input, inputs, sizeof *input);
    return gt_context_status(context);
}

/* The tapes outside see the node, not what is in it. */
gt_Status gt_bodies_trace(gt_Bodies *draft, gt_TracedBody *body)
{
    gt_Context *context = draft->context;
    uint64_t hushed = gt_tape_quiet(context);
    body->trace = gt_trace_begin_body(context, &draft->captures, &body->graph);
    if (body->trace) {
        call_body(draft, body);
        gt_trace_end(context, body->trace);
    }
    gt_tape_unquiet(context, hushed);
    for (int32_t i = 0; i < body->change_count && gt_context_status(context) == GT_OK; i++) {
        uint64_t variable = gt_map_pointer(body->changes[i].variable);
        if (gt_map_find(&draft->state_of, variable) < 0 &&
            gt_map_add(context, &draft->state_of, variable, draft->state_count))
            add_change(context, &draft->states, &draft->state_count, &draft->state_capacity,
                       body->changes[i]);
    }
    return gt_context_status(context);
}

/* ---- their order ---- */

/* A walk back through one body: what is still to be looked at, the operand that comes next on top. */
typedef struct Search {
    gt_Context *context;
    const gt_Graph *graph;
    bool *met; /* one a node */
    int32_t *stack;
    int32_t depth, capacity;
} Search;

static bool push(Search *search, int32_t value)
{
    if (!gt_reserve(search->context, (void **)&search->stack, search->depth, &search->capacity,
                    sizeof *search->stack))
        return false;
    search->stack[search->depth++] = value;
    return true;
}

/* Gives the captures that a value is made of their places, as far as they have none. */
static gt_Status place_captures(Search *search, int32_t value, int32_t first, int32_t *place,
                                int32_t *next)
{
    const gt_Graph *graph = search->graph;
    bool ok = push(search, value);
    while (ok && search->depth > 0) {
        const gt_GraphValue *at = &graph->values[search->stack[--search->depth]];
        if (at->kind == GT_GRAPH_INPUT && at->index >= first && place[at->index - first] < 0)
            place[at->index - first] = (*next)++;
        if (at->kind != GT_GRAPH_RESULT || search->met[at->node])
            continue;
        search->met[at->node] = true;
        const gt_GraphNode *node = &graph->nodes[at->node];
        for (int32_t i = node->inputs - 1; i >= 0 && ok; i--)
            ok = node->input[i] < 0 || push(search, node->input[i]);
    }
    return gt_context_status(search->context);
}

/* A changed variable and where it comes: where its old value is, else in the order of making. */
typedef struct StatePlace {
    gt_TraceChange state;
    int32_t place;
    uint64_t serial;
} StatePlace;

static int by_place(const void *a, const void *b)
{
    const StatePlace *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return (x->serial > y->serial) - (x->serial < y->serial);
}

static gt_Status sort_states(gt_Bodies *draft, const int32_t *place)
{
    gt_Context *context = draft->context;
    StatePlace *list = gt_list_new(context, draft->state_count, sizeof *list);
    if (!list)
        return gt_context_status(context);
    for (int32_t k = 0; k < draft->state_count; k++) {
        const gt_TraceChange *state = &draft->states[k];
        int32_t at = place[state->argument - draft->captures.first];
        list[k] = (StatePlace){*state, at < 0 ? INT32_MAX : at,
                               gt_slot_raw(state->variable)->variable->serial};
    }
    qsort(list, (size_t)draft->state_count, sizeof *list, by_place);
    gt_map_close(context, &draft->state_of);
    for (int32_t k = 0; k < draft->state_count; k++) {
        draft->states[k] = list[k].state;
        gt_map_add(context, &draft->state_of, gt_map_pointer(list[k].state.variable), k);
    }
    gt_list_free(context, list, draft->state_count, sizeof *list);
    return gt_context_status(context);
}

/* First what the results are made of, then what the changed variables are, then what nobody needs. */
static gt_Status find_places(gt_Bodies *draft, Search *search, int32_t *place)
{
    gt_Context *context = draft->context;
    int32_t first = draft->captures.first, count = draft->captures.count, next = 0;
    for (int b = 0; b < 2; b++)
        for (int32_t i = 0; draft->body[b].graph && i < draft->body[b].results; i++)
            if (place_captures(&search[b], draft->body[b].result[i], first, place, &next) != GT_OK)
                return gt_context_status(context);
    if (sort_states(draft, place) != GT_OK)
        return gt_context_status(context);
    for (int32_t k = 0; k < draft->state_count; k++) {
        int32_t *at = &place[draft->states[k].argument - first];
        if (*at < 0)
            *at = next++;
    }
    for (int b = 0; b < 2; b++) {
        const gt_TracedBody *body = &draft->body[b];
        int32_t *symbol = gt_list_new(context, draft->state_count, sizeof *symbol);
        for (int32_t k = 0; symbol && k < draft->state_count; k++)
            symbol[k] = -1;
        for (int32_t i = 0; symbol && i < body->change_count; i++)
            symbol[gt_map_find(&draft->state_of, gt_map_pointer(body->changes[i].variable))] =
                body->changes[i].symbol;
        for (int32_t k = 0; symbol && k < draft->state_count; k++)
            if (symbol[k] >= 0)
                place_captures(&search[b], symbol[k], first, place, &next);
        gt_list_free(context, symbol, draft->state_count, sizeof *symbol);
    }
    for (int32_t i = 0; i < count; i++)
        if (place[i] < 0)
            place[i] = next++;
    return gt_context_status(context);
}

/* Capture i becomes number place[i], everywhere. */
static gt_Status apply_places(gt_Bodies *draft, const int32_t *place)
{
    gt_Context *context = draft->context;
    gt_Captures *captures = &draft->captures;
    int32_t first = captures->first;
    gt_Value **value = gt_list_new(context, captures->count, sizeof *value);
    if (!value)
        return gt_context_status(context);
    for (int32_t i = 0; i < captures->count; i++)
        value[place[i]] = captures->value[i];
    if (captures->count)
        memcpy(captures->value, value, (size_t)captures->count * sizeof *value);
    gt_list_free(context, value, captures->count, sizeof *value);
    for (int32_t k = 0; k < draft->state_count; k++)
        draft->states[k].argument = first + place[draft->states[k].argument - first];
    for (int b = 0; b < 2; b++) {
        gt_Graph *graph = draft->body[b].graph;
        if (graph)
            gt_map_close(context, &graph->arguments);
        for (int32_t v = 0; graph && v < graph->value_count; v++) {
            gt_GraphValue *at = &graph->values[v];
            if (at->kind != GT_GRAPH_INPUT)
                continue;
            if (at->index >= first)
                at->index = first + place[at->index - first];
            if (!gt_map_add(context, &graph->arguments, (uint64_t)at->index, v))
                return gt_context_status(context);
        }
    }
    return GT_OK;
}

gt_Status gt_bodies_order(gt_Bodies *draft)
{
    gt_Context *context = draft->context;
    int32_t count = draft->captures.count;
    int32_t *place = gt_list_new(context, count, sizeof *place);
    Search search[2] = {{0}, {0}};
    for (int b = 0; b < 2; b++) {
        search[b] = (Search){.context = context, .graph = draft->body[b].graph};
        if (search[b].graph)
            search[b].met = gt_list_new(context, search[b].graph->node_count, sizeof(bool));
    }
    for (int32_t i = 0; place && i < count; i++)
        place[i] = -1;
    if (gt_context_status(context) == GT_OK && find_places(draft, search, place) == GT_OK)
        apply_places(draft, place);
    for (int b = 0; b < 2; b++) {
        gt_release(context, search[b].stack, (size_t)search[b].capacity * sizeof(int32_t));
        if (search[b].met)
            gt_list_free(context, search[b].met, search[b].graph->node_count, sizeof(bool));
    }
    gt_list_free(context, place, count, sizeof *place);
    return gt_context_status(context);
}

/* ---- what they return ---- */

const gt_Spec *gt_body_result_spec(const gt_TracedBody *body, int32_t i)
{
    return &body->graph->values[body->result[i]].spec;
}

static const gt_Spec *spec_of_state(const gt_Bodies *draft, int32_t k)
{
    return &draft->captures.value[draft->states[k].argument - draft->captures.first]->spec;
}

/* A body returns its first results, the variables that are changed, then the other results. One
 * that changes a variable not passes its value on. */
gt_Status gt_bodies_set_outputs(gt_Bodies *draft, gt_TracedBody *body, int32_t first,
                                bool with_states)
{
    gt_Context *context = draft->context;
    gt_Graph *graph = body->graph;
    int32_t states = with_states ? draft->state_count : 0;
    graph->output = gt_allocate(context, (size_t)(body->results + states) * sizeof *graph->output);
    if (!graph->output)
        return gt_context_status(context);
    graph->outputs = body->results + states;
    for (int32_t i = 0; i < body->results; i++)
        graph->output[i < first ? i : i + states] = body->result[i];
    for (int32_t k = 0; k < states; k++)
        graph->output[first + k] = -1;
    for (int32_t i = 0; states && i < body->change_count; i++) {
        const gt_TraceChange *change = &body->changes[i];
        int32_t k = gt_map_find(&draft->state_of, gt_map_pointer(change->variable));
        graph->output[first + k] = change->symbol;
    }
    for (int32_t k = 0; k < states; k++) {
        int32_t *symbol = &graph->output[first + k];
        if (*symbol < 0)
            *symbol = gt_graph_input(graph, draft->states[k].argument, spec_of_state(draft, k));
        if (*symbol < 0)
            return gt_context_status(context);
    }
    return GT_OK;
}

/* Which arguments the bodies use; the nodes that nobody needs go. */
gt_Status gt_bodies_prune(gt_Bodies *draft, int32_t arguments)
{
    draft->used = gt_list_new(draft->context, arguments, sizeof *draft->used);
    draft->used_count = arguments;
    for (int i = 0; i < 2 && gt_context_status(draft->context) == GT_OK; i++)
        if (draft->body[i].graph) {
            draft->body[i].graph->inputs = arguments;
            gt_graph_prune(draft->body[i].graph, draft->used);
        }
    return gt_context_status(draft->context);
}

/* A captured value as an input of the node; a variable among them is read by that. */
gt_Value *gt_bodies_captured(const gt_Bodies *draft, int32_t i)
{
    gt_Context *context = draft->context;
    gt_Value *value = draft->captures.value[i];
    gt_Record *record = value->record;
    if (!record || record->operation || !record->variable)
        return value;
    uint64_t asking = context->auto_watching & ~record->tapes;
    if (asking && gt_ask_trainable(context, gt_slot_handle(record->variable)))
        gt_tape_watch_leaf(context, record, asking);
    return value;
}

/* Writes the node down, gives out its results and assigns what was changed: the outputs from
 * `first` on. */
gt_Status gt_bodies_finish(gt_Bodies *draft, gt_GraphNode *like, const gt_Control *options,
                           gt_Value *const *input, const gt_Spec *spec, int32_t first,
                           gt_Tensor **output)
{
    gt_Context *context = draft->context;
    gt_Scope *outer = gt_scope_innermost(context);
    if (!gt_scope_open(context))
        return gt_context_status(context);
    gt_trace_apply(context, like, options, input, spec, output);
    for (int32_t k = 0; k < draft->state_count && gt_context_status(context) == GT_OK; k++)
        gt_assign_at(NULL, draft->states[k].variable, gt_operand_tensor(output[first + k]));
    for (int32_t i = 0; i < like->outputs && gt_context_status(context) == GT_OK; i++)
        gt_scope_move(output[i], outer);
    gt_scope_unwind(context, outer);
    return gt_context_status(context);
}

void gt_bodies_close(gt_Bodies *draft)
{
    gt_Context *context = draft->context;
    for (int i = 0; i < 2; i++) {
        const gt_TracedBody *body = &draft->body[i];
        gt_list_free(context, body->result, body->results, sizeof *body->result);
        gt_release(context, body->changes, (size_t)body->change_capacity * sizeof *body->changes);
    }
    gt_release(context, draft->states, (size_t)draft->state_capacity * sizeof *draft->states);
    gt_map_close(context, &draft->state_of);
    gt_list_free(context, draft->number, draft->number_count, sizeof *draft->number);
    gt_list_free(context, draft->used, draft->used_count, sizeof *draft->used);
    gt_captures_close(context, &draft->captures);
}

bool gt_node_lists_open(gt_Context *context, gt_NodeLists *lists, int32_t inputs, int32_t outputs)
{
    lists->input = gt_list_new(context, inputs, sizeof *lists->input);
    lists->spec = gt_list_new(context, outputs, sizeof *lists->spec);
    lists->output = gt_list_new(context, outputs, sizeof *lists->output);
    return gt_context_status(context) == GT_OK;
}

void gt_node_lists_close(gt_Context *context, gt_NodeLists *lists, int32_t inputs, int32_t outputs)
{
    gt_list_free(context, lists->input, inputs, sizeof *lists->input);
    gt_list_free(context, lists->spec, outputs, sizeof *lists->spec);
    gt_list_free(context, lists->output, outputs, sizeof *lists->output);
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
    return gt_context_status(context);
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
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, node->inputs, node->outputs)) {
        for (int32_t i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                lists.input[i] = gt_slot_raw(value[node->input[i]])->value;
        for (int32_t i = 0; i < node->outputs; i++)
            lists.spec[i] = graph->values[node->output[i]].spec;
        gt_trace_apply(context, node, node->options, lists.input, lists.spec, output);
        bool effect = node->operation->flags & GT_OP_EFFECT;
        for (int32_t i = 0; effect && i < node->outputs && gt_context_status(context) == GT_OK; i++)
            share_record(gt_slot_raw(output[i])->value, lists.input[i]);
    }
    gt_node_lists_close(context, &lists, node->inputs, node->outputs);
    return gt_context_status(context);
}

static gt_Status replay_node(gt_Context *context, const gt_Graph *graph, const gt_GraphNode *node,
                             gt_Tensor **value)
{
    gt_Tensor *input[GT_MAX_INPUTS];
    gt_Tensor **output = gt_list_new(context, node->outputs, sizeof *output);
    if (!output)
        return gt_context_status(context);
    if (node->operation->flags & (GT_OP_CONTROL | GT_OP_EFFECT)) {
        replay_apart(context, graph, node, value, output);
    } else {
        for (int32_t i = 0; i < node->inputs; i++)
            input[i] = node->input[i] < 0 ? NULL : value[node->input[i]];
        gt_apply_at(node->here, node->operation, node->options, node->inputs, input, output);
    }
    for (int32_t i = 0; i < node->outputs; i++)
        value[node->output[i]] = output[i];
    gt_list_free(context, output, node->outputs, sizeof *output);
    return gt_context_status(context);
}

/* Writes a body down once more, with other arguments. */
gt_Status gt_replay(gt_Context *context, const gt_Graph *graph, gt_Tensor *const *argument,
                    gt_Tensor **result)
{
    gt_Tensor **value = gt_list_new(context, graph->value_count, sizeof *value);
    for (int32_t i = 0; i < graph->value_count && gt_context_status(context) == GT_OK; i++)
        replay_source(context, &graph->values[i], argument, &value[i]);
    for (int32_t n = 0; n < graph->node_count && gt_context_status(context) == GT_OK; n++)
        replay_node(context, graph, &graph->nodes[n], value);
    for (int32_t i = 0; i < graph->outputs && gt_context_status(context) == GT_OK; i++)
        result[i] = value[graph->output[i]];
    gt_list_free(context, value, graph->value_count, sizeof *value);
    return gt_context_status(context);
}

int32_t gt_pull_room(const gt_GradientRule *rule)
{
    return rule->record->inputs + rule->record->outputs;
}

bool gt_pull_open(gt_Pull *pull)
{
    gt_Context *context = pull->rule->context;
    int64_t room = gt_pull_room(pull->rule);
    gt_Tensor **block = gt_list_new(context, 5 * room, sizeof *block);
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
    return gt_context_status(context) == GT_OK;
}

void gt_pull_source(gt_Pull *pull, gt_Tensor *source)
{
    if (gt_watch(pull->tape, source) == GT_OK)
        pull->source[pull->sources++] = source;
}

void gt_pull_target(gt_Pull *pull, gt_Tensor *target, gt_Tensor *upstream)
{
    pull->target[pull->targets] = target;
    pull->upstream[pull->targets++] = upstream;
}

/* Argument number `at`, which input number `input` goes to: a source if it is wanted. */
void gt_pull_input(gt_Pull *pull, int32_t at, int32_t input)
{
    gt_Tensor *given = gt_rule_input(pull->rule, input);
    pull->argument[at] = given;
    if (given && gt_wants(pull->rule, input))
        gt_pull_source(pull, pull->argument[at] = gt_identity(given));
}

/* The gradient of this input starts with what came from elsewhere. */
void gt_pull_before(gt_Pull *pull, int32_t at, int32_t input)
{
    gt_Tensor *before = pull->rule->before[input];
    if (before)
        gt_pull_target(pull, pull->argument[at], before);
}

/* `gradients` gets one a source. */
gt_Status gt_pull_close(gt_Pull *pull, gt_Tensor **gradients, bool zeros)
{
    gt_Context *context = pull->rule->context;
    if (gt_context_status(context) == GT_OK)
        pull->rule->pull_back(pull->tape, (gt_Tensors){pull->target, pull->targets}, pull->upstream,
                              (gt_Tensors){pull->source, pull->sources}, gradients, zeros);
    gt_tape_end(pull->tape);
    gt_list_free(context, pull->argument, 5 * (int64_t)gt_pull_room(pull->rule),
                 sizeof *pull->argument);
    return gt_context_status(context);
}
