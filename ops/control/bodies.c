/* Bodies as graphs. A body reads the trace around it by captures, which become its arguments; a variable that it changes
 * is a value like others inside, and one of its results. So the graph is a function without state, which can be written
 * down again with other arguments (replay.c): that is how gradients of control flow are made.
 *
 * Order of calls for one node, by loop.c, branch.c and call.c:
 *
 *   gt_bodies_trace        each body, into a graph of its own
 *   gt_bodies_order        captures and changed variables get their order (bodies_order.c)
 *   gt_bodies_set_outputs  each body: what it returns
 *   gt_bodies_prune        nodes that nobody needs go; `used` says which arguments are left
 *   gt_bodies_finish       the node is written down, its results are handed out, changed variables are assigned
 *   gt_bodies_close        also after a failure
 *
 * A branch that adds x to the variable v, and returns v * 2 or x, has two bodies with the arguments 0: v, 1: x. The first
 * returns (1: v * 2, change: v + x); the second one leaves v as it is and returns (x, v). Leans on core/graph.h. */
#include "ops/control/bodies.h"
#include "core/assert.h"
#include "ops/array/assign.h"
#include "ops/control/lists.h"

#include <string.h>

/* ---- tracing bodies ---- */

static gt_Status add_change(gt_Context *context, gt_TraceChange **list, int32_t *count,
                            int32_t *capacity, gt_TraceChange change)
{
    if (gt_reserve(context, (void **)list, *count, capacity, sizeof **list))
        (*list)[(*count)++] = change;
    return gt_context_status(context);
}

/* Writes down the results and the changes of a body, as symbols of its graph. */
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

/* Runs the user's function under the trace of the body: with the handles from outside first, then with symbols for the
 * arguments. Afterwards the body knows the symbols of its results and its changes; its handles are gone. */
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

/* Tapes that are open do not see the operations of the body: they see the node. A variable that any of the bodies changes
 * becomes a state of the node once. */
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

/* ---- what they return ---- */

const gt_Spec *gt_body_result_spec(const gt_TracedBody *body, int32_t i)
{
    return &body->graph->values[body->result[i]].spec;
}

static const gt_Spec *spec_of_state(const gt_Bodies *draft, int32_t k)
{
    return gt_value_spec(draft->captures.value[draft->states[k].argument - draft->captures.first]);
}

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

/* An argument that no body needs is left out of the node; `used` says so. */
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

gt_Value *gt_bodies_captured(const gt_Bodies *draft, int32_t i)
{
    GT_ASSERT(i >= 0 && i < draft->captures.count);
    gt_Value *value = draft->captures.value[i];
    gt_tape_watch_read(draft->context, value);
    return value;
}

/* In a scope of its own, for the handles to changed variables; those of the results move out. Assignments come after the
 * node, so the trace around sees each changed variable once, with its last value. */
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
