/* The order of what bodies captured. They met it in the order in which C evaluated the arguments of calls, which is
 * another one with another compiler; and a gradient walk orders by the inputs of nodes. So once all bodies of a node are
 * traced their captures are numbered anew, by walking back from the results, operand by operand:
 *
 *   1. captures that the results are made of, result by result
 *   2. old values of variables that are changed, in the order of 1, else in the order in which variables were made
 *   3. captures that the new values of these variables are made of
 *   4. the rest, which no body needs
 *
 * A body that returns (a + b, c) and met c first, then b, then a, gets the captures a, b, c. */
#include "ops/control/bodies.h"
#include "ops/control/lists.h"

#include <stdlib.h>
#include <string.h>

/* A walk back through one body. On the stack are values that it has not looked at yet, the next operand on top. */
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

/* Gives a place to each capture that the value is made of, unless it has one. */
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

/* A changed variable and its key: the place of its old value, else the order of making. */
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
        list[k] =
            (StatePlace){*state, at < 0 ? INT32_MAX : at, gt_variable_serial(state->variable)};
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

/* Captures that the changed variables of a body are made of, state by state. */
static gt_Status place_changes(gt_Bodies *draft, int b, Search *search, int32_t *place,
                               int32_t *next)
{
    gt_Context *context = draft->context;
    const gt_TracedBody *body = &draft->body[b];
    int32_t *symbol = gt_list_new(context, draft->state_count, sizeof *symbol);
    if (!symbol)
        return gt_context_status(context);
    for (int32_t k = 0; k < draft->state_count; k++)
        symbol[k] = -1;
    for (int32_t i = 0; i < body->change_count; i++)
        symbol[gt_map_find(&draft->state_of, gt_map_pointer(body->changes[i].variable))] =
            body->changes[i].symbol;
    for (int32_t k = 0; k < draft->state_count && gt_context_status(context) == GT_OK; k++)
        if (symbol[k] >= 0)
            place_captures(search, symbol[k], draft->captures.first, place, next);
    gt_list_free(context, symbol, draft->state_count, sizeof *symbol);
    return gt_context_status(context);
}

/* The four groups of the head comment, one after the other. */
static gt_Status find_places(gt_Bodies *draft, Search *search, int32_t *place)
{
    gt_Context *context = draft->context;
    int32_t first = draft->captures.first, next = 0;
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
    for (int b = 0; b < 2; b++)
        if (place_changes(draft, b, &search[b], place, &next) != GT_OK)
            return gt_context_status(context);
    for (int32_t i = 0; i < draft->captures.count; i++)
        if (place[i] < 0)
            place[i] = next++;
    return GT_OK;
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
