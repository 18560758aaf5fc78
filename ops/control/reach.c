/* Reachability in the graphs of bodies. A gradient passes through an operation that has one, between floats, as it does on
 * a tape (autodiff/walk.c). So a source that is unconnected eagerly is found to be unconnected here too, although a tape
 * sees the whole node as one operation.
 *
 * A loop is walked backwards, round by round. The marks on its loop variables repeat after a few rounds, with a period of
 * 1 or more; once the period is known the rest of the rounds is skipped. Where numbers decide how many rounds there are,
 * the marks of every possible number of rounds count. For (a, b) = (b, c) in each round, and a marked at the end:
 *
 *     after round   k: a      k - 1: b      k - 2: c      k - 3: none, and so on
 *
 * Leans on core/graph.h. */
#include "ops/control/reach.h"
#include "core/assert.h"
#include "ops/control/lists.h"

#include <string.h>

static bool is_float(const gt_Graph *graph, int32_t value)
{
    return value >= 0 && gt_dtype_is_float(graph->values[value].spec.dtype);
}

static bool *flags_new(gt_Context *context, int64_t count)
{
    return gt_list_new(context, count, sizeof(bool));
}

static void flags_free(gt_Context *context, bool *flags, int64_t count)
{
    gt_list_free(context, flags, count, sizeof(bool));
}

/* ---- back ---- */

static gt_Status back_through_control(gt_Context *context, const gt_GraphNode *node, bool *value)
{
    bool *output = flags_new(context, node->outputs), *input = flags_new(context, node->inputs);
    if (output && input) {
        for (int32_t i = 0; i < node->outputs; i++)
            output[i] = value[node->output[i]];
        if (gt_reach_back(context, node->options, output, input) == GT_OK)
            for (int32_t i = 0; i < node->inputs; i++)
                if (node->input[i] >= 0)
                    value[node->input[i]] |= input[i];
    }
    flags_free(context, output, node->outputs);
    flags_free(context, input, node->inputs);
    return gt_context_status(context);
}

/* From the outputs of a node to its inputs. The new version of a variable is the same source to tapes
 * as the old one. */
static gt_Status back_through_node(gt_Context *context, const gt_Graph *graph,
                                   const gt_GraphNode *node, bool *value)
{
    bool any = false, effect = node->operation->flags & GT_OP_EFFECT;
    for (int32_t i = 0; i < node->outputs; i++) {
        any |= value[node->output[i]];
        if (effect)
            value[node->input[i]] |= value[node->output[i]];
    }
    if (!any || effect || node->operation->flags & GT_OP_NOT_DIFFERENTIABLE)
        return GT_OK;
    if (node->operation->flags & GT_OP_CONTROL)
        return back_through_control(context, node, value);
    for (int32_t i = 0; i < node->inputs; i++)
        if (is_float(graph, node->input[i]))
            value[node->input[i]] = true;
    return GT_OK;
}

/* From the marked results of a body to its arguments, whose marks are added. */
static gt_Status back_through_body(gt_Context *context, const gt_Graph *graph, const bool *result,
                                   bool *argument)
{
    bool *value = flags_new(context, graph->value_count);
    if (!value)
        return gt_context_status(context);
    for (int32_t i = 0; i < graph->outputs; i++)
        value[graph->output[i]] |= result[i] && is_float(graph, graph->output[i]);
    for (int32_t n = graph->node_count - 1; n >= 0 && gt_context_status(context) == GT_OK; n--)
        back_through_node(context, graph, &graph->nodes[n], value);
    for (int32_t i = 0; i < graph->value_count; i++)
        if (graph->values[i].kind == GT_GRAPH_INPUT && is_float(graph, i))
            argument[graph->values[i].index] |= value[i];
    flags_free(context, value, graph->value_count);
    return gt_context_status(context);
}

/* A loop on the way back. Gradients flow from round to round through its first `flowing` carries; the old values of
 * changed variables are read in every round. */
typedef struct Loop {
    gt_Context *context;
    const gt_Control *control;
    const bool *output;
    int32_t flowing, arguments;
    bool *result;   /* marks after a round: carries, then ys */
    bool *argument; /* marks before it */
    bool *earlier;  /* marks after an earlier round, to find the period */
} Loop;

/* One round: the marks of the loop variables after it become those before it. */
static gt_Status back_a_round(const Loop *loop, bool *input)
{
    const gt_Control *control = loop->control;
    memset(loop->argument, 0, (size_t)loop->arguments);
    if (back_through_body(loop->context, control->first, loop->result, loop->argument) != GT_OK)
        return gt_context_status(loop->context);
    const bool *stack = loop->output + control->carries + control->ys;
    for (int32_t j = 0; j < control->carries && control->length >= 0; j++)
        loop->argument[j] |= stack[j];
    for (int32_t i = loop->flowing; i < loop->arguments; i++)
        input[i] |= loop->argument[i];
    memcpy(loop->result, loop->argument, (size_t)loop->flowing);
    return GT_OK;
}

/* `rounds` rounds, then the marks on the first loop variables. `earlier` moves on at every power of two, so a period is
 * found within about three of its lengths. */
static gt_Status back_known_rounds(const Loop *loop, int64_t rounds, bool *input)
{
    size_t bytes = (size_t)loop->flowing;
    int64_t since = 0, power = 1;
    bool found = false;
    memcpy(loop->earlier, loop->result, bytes);
    while (rounds > 0) {
        if (back_a_round(loop, input) != GT_OK)
            return gt_context_status(loop->context);
        rounds--;
        since++;
        if (!found && memcmp(loop->earlier, loop->result, bytes) == 0) {
            rounds %= since;
            found = true;
        } else if (since == power) {
            memcpy(loop->earlier, loop->result, bytes);
            power *= 2;
            since = 0;
        }
    }
    for (int32_t j = 0; j < loop->flowing; j++)
        input[j] |= loop->result[j];
    return GT_OK;
}

/* Any number of rounds, also none: until a round adds no mark. The first round is made in any case, for the ys. */
static gt_Status back_any_rounds(const Loop *loop, bool *input)
{
    bool more = true, began = false;
    while (more) {
        more = false;
        for (int32_t j = 0; j < loop->flowing; j++) {
            more |= loop->result[j] && !input[j];
            input[j] |= loop->result[j];
        }
        if (!more && began)
            break;
        more = began = true;
        if (back_a_round(loop, input) != GT_OK)
            return gt_context_status(loop->context);
    }
    return GT_OK;
}

static gt_Status back_through_loop(gt_Context *context, const gt_Control *control,
                                   const bool *output, bool *input)
{
    int32_t n = control->carries, p = control->ys, count = control->first->inputs;
    Loop loop = {.context = context,
                 .control = control,
                 .output = output,
                 .flowing = n - control->states,
                 .arguments = count,
                 .result = flags_new(context, n + p),
                 .argument = flags_new(context, count),
                 .earlier = flags_new(context, n)};
    if (gt_context_status(context) == GT_OK) {
        memcpy(loop.result, output, (size_t)(n + p));
        memset(loop.result + loop.flowing, 0, (size_t)control->states);
        if (control->second || control->counted)
            back_any_rounds(&loop, input);
        else
            back_known_rounds(&loop, control->length, input);
    }
    flags_free(context, loop.result, n + p);
    flags_free(context, loop.argument, count);
    flags_free(context, loop.earlier, n);
    return gt_context_status(context);
}

gt_Status gt_reach_back(gt_Context *context, const gt_Control *control, const bool *output,
                        bool *input)
{
    switch (control->kind) {
    case GT_CONTROL_BRANCH:
        back_through_body(context, control->first, output, input + 1);
        return back_through_body(context, control->second, output, input + 1);
    case GT_CONTROL_LOOP:
        return back_through_loop(context, control, output, input);
    default:
        return back_through_body(context, control->first, output, input);
    }
}

/* ---- choices ---- */

/* Forwards through one body: which results come from a choice, if these arguments do. */
static void choices_of_body(const gt_Graph *graph, const bool *argument, bool *value, bool *result)
{
    for (int32_t i = 0; i < graph->value_count; i++)
        value[i] = graph->values[i].kind == GT_GRAPH_INPUT && is_float(graph, i) &&
                   argument[graph->values[i].index];
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        bool chosen = node->operation->flags & GT_OP_CHOICE;
        for (int32_t i = 0; i < node->inputs; i++)
            chosen |= node->input[i] >= 0 && value[node->input[i]];
        if (node->operation->flags & (GT_OP_NOT_DIFFERENTIABLE | GT_OP_EFFECT))
            chosen = false; /* a variable is a source */
        for (int32_t i = 0; i < node->outputs; i++)
            value[node->output[i]] = chosen && is_float(graph, node->output[i]);
    }
    for (int32_t i = 0; i < graph->outputs; i++)
        result[i] = value[graph->output[i]];
}

gt_Status gt_reach_choices(gt_Context *context, const gt_Control *control, bool *output)
{
    const gt_Graph *graph = control->first;
    int32_t flowing = control->carries - control->states;
    bool *value = flags_new(context, graph->value_count);
    bool *argument = flags_new(context, graph->inputs),
         *result = flags_new(context, graph->outputs);
    bool more = gt_context_status(context) == GT_OK;
    for (int64_t round = 0; more && round < control->length; round++) {
        choices_of_body(graph, argument, value, result);
        more = false;
        for (int32_t j = 0; j < flowing; j++) {
            more |= result[j] && !argument[j];
            argument[j] |= result[j];
        }
    }
    if (gt_context_status(context) == GT_OK) {
        memcpy(output, argument, (size_t)flowing);
        memcpy(output + flowing, result + control->carries, (size_t)control->ys);
    }
    flags_free(context, value, graph->value_count);
    flags_free(context, argument, graph->inputs);
    flags_free(context, result, graph->outputs);
    return gt_context_status(context);
}
