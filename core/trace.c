/* Tracing: operations on symbols and variables are written down as nodes of a graph. What a value is in the graph
 * is its symbol, a number that is good for one trace, which its serial names. Leans on graph.c, tensor.c and
 * variable.c. */
#include "core/trace.h"

#include <string.h>

/* Makes it the trace that runs. */
static gt_Trace *start(gt_Context *context, gt_Trace like)
{
    gt_Trace *trace = gt_allocate(context, sizeof *trace);
    if (!trace)
        return NULL;
    *trace = like;
    trace->outer = context->trace;
    trace->here = context->trace ? context->trace->here : context->here;
    trace->serial = (uint32_t)++context->trace_serial;
    context->trace = trace;
    return trace;
}

gt_Trace *gt_trace_begin(gt_Context *context, gt_Graph *graph, gt_Facts *facts)
{
    if (!context->trace)
        return start(context, (gt_Trace){.graph = graph, .facts = facts, .frame = context->frame});
    gt_raise(context, GT_STATE, NULL, "function",
             "a traced function cannot be traced inside another one");
    return NULL;
}

void gt_trace_try(gt_Trace *trace)
{
    trace->trial = true;
}

bool gt_trace_tries(const gt_Context *context)
{
    return context->trace && context->trace->trial;
}

static uint64_t open_tapes(const gt_Context *context)
{
    uint64_t tapes = 0;
    for (int bit = context->innermost_tape; bit >= 0; bit = context->tape[bit].below)
        tapes |= (uint64_t)1 << bit;
    return tapes;
}

gt_Trace *gt_trace_begin_body(gt_Context *context, gt_Captures *captures, gt_Graph **graph)
{
    gt_Graph *around = context->trace->graph;
    if (!gt_reserve(context, (void **)&around->bodies, around->body_count, &around->body_capacity,
                    sizeof *around->bodies))
        return NULL;
    *graph = gt_graph_new(context);
    if (!*graph)
        return NULL;
    (*graph)->inner = true;
    around->bodies[around->body_count++] = *graph;
    return start(context,
                 (gt_Trace){.graph = *graph, .captures = captures, .tapes = open_tapes(context)});
}

void gt_captures_close(gt_Context *context, gt_Captures *captures)
{
    gt_values_release(captures->value, captures->count);
    gt_release(context, captures->value, (size_t)captures->capacity * sizeof *captures->value);
    gt_map_close(context, &captures->known);
    *captures = (gt_Captures){0};
}

bool gt_trace_called_from(const gt_Context *context, const gt_CallFrame *frame)
{
    const gt_Trace *trace = context->trace;
    while (trace && trace->outer)
        trace = trace->outer;
    return trace && trace->frame == frame;
}

bool gt_trace_knows(const gt_Context *context, const gt_Value *value)
{
    for (const gt_Trace *trace = context->trace; trace; trace = trace->outer)
        if (trace->serial == value->trace)
            return true;
    return false;
}

gt_Trace *gt_trace_suspend(gt_Context *context)
{
    gt_Trace *trace = context->trace;
    context->trace = NULL;
    return trace;
}

void gt_trace_resume(gt_Context *context, gt_Trace *trace)
{
    context->trace = trace;
}

void gt_trace_end(gt_Context *context, gt_Trace *trace)
{
    for (int32_t i = 0; i < trace->variable_count; i++) {
        gt_VariableInfo *info = gt_slot_raw(trace->variables[i].variable)->variable;
        gt_value_release(info->symbolic, true);
        info->symbolic = trace->variables[i].around;
        gt_variable_release(trace->variables[i].variable);
    }
    gt_release(context, trace->variables,
               (size_t)trace->variable_capacity * sizeof *trace->variables);
    gt_map_close(context, &trace->constants);
    if (!trace->outer)
        gt_map_close(context, &trace->graph->arguments);
    context->trace = trace->outer;
    gt_release(context, trace, sizeof *trace);
}

bool gt_trace_next_change(const gt_Trace *trace, int32_t *at, gt_TraceChange *change)
{
    while (*at < trace->variable_count) {
        const gt_TraceVariable *of = &trace->variables[(*at)++];
        int32_t now = gt_slot_raw(of->variable)->variable->symbolic->symbol;
        if (now == of->first)
            continue;
        *change = (gt_TraceChange){of->variable, trace->graph->values[of->first].index, now};
        return true;
    }
    return false;
}

gt_Value *gt_trace_value(gt_Context *context, const gt_Spec *spec, int32_t symbol)
{
    gt_Value *value = symbol < 0 ? NULL : gt_value_new(context, spec, NULL, 0);
    if (value) {
        value->symbol = symbol;
        value->trace = context->trace->serial;
    }
    return value;
}

gt_Tensor *gt_trace_input(gt_Context *context, const gt_Spec *spec)
{
    gt_Graph *graph = context->trace->graph;
    int32_t symbol = gt_graph_input(graph, graph->inputs, spec);
    gt_Value *value = gt_trace_value(context, spec, symbol);
    if (!value)
        return NULL;
    graph->inputs++;
    return gt_handle_new(context, value);
}

static bool has_symbol(const gt_Trace *trace, const gt_VariableInfo *info)
{
    return info->symbolic && info->symbolic->trace == trace->serial;
}

/* Gives a variable the symbol of what it holds now; tapes see the same leaf as ever. */
static gt_Value *set_symbolic(gt_Context *context, gt_Slot *slot, int32_t symbol)
{
    gt_VariableInfo *info = slot->variable;
    gt_Trace *trace = context->trace;
    gt_Value *value = gt_trace_value(context, &slot->value->spec, symbol);
    if (!value)
        return NULL;
    if (!info->stand_in) {
        value->record = &info->leaf;
        info->leaf.references++;
    }
    if (has_symbol(trace, info)) {
        gt_value_release(info->symbolic, true);
    } else {
        if (!gt_reserve(context, (void **)&trace->variables, trace->variable_count,
                        &trace->variable_capacity, sizeof *trace->variables)) {
            gt_value_release(value, true);
            return NULL;
        }
        trace->variables[trace->variable_count++] =
            (gt_TraceVariable){gt_slot_handle(slot), info->symbolic, symbol};
        info->references++;
    }
    info->symbolic = value;
    return value;
}

static bool same_source(const gt_Value *a, const gt_Value *b)
{
    return a == b || (a->symbol >= 0 && a->symbol == b->symbol && a->trace == b->trace &&
                      a->record == b->record && a->index == b->index);
}

/* A value of a trace around the body becomes one of the body's arguments. What a variable holds is another
 * argument than a tensor with the same numbers: the body may change the one and not the other. */
static int32_t capture(gt_Context *context, gt_Value *value, const gt_Slot *variable)
{
    gt_Captures *captures = context->trace->captures;
    uint64_t key = variable            ? gt_map_pointer(variable)
                   : value->symbol < 0 ? gt_map_pointer(value)
                                       : (uint64_t)value->trace << 32 | (uint32_t)value->symbol;
    int32_t at = -1, i;
    while ((i = gt_map_next(&captures->known, key, &at)) >= 0 &&
           !same_source(captures->value[i], value))
        ;
    if (i < 0) {
        i = captures->count;
        if (!gt_reserve(context, (void **)&captures->value, i, &captures->capacity,
                        sizeof *captures->value) ||
            !gt_map_add(context, &captures->known, key, i))
            return -1;
        gt_value_retain(value, true);
        captures->value[captures->count++] = value;
    }
    return gt_graph_input(context->trace->graph, captures->first + i, &value->spec);
}

/* The value that the variable has in the trace around this one. */
static gt_Value *variable_around(gt_Context *context, gt_Slot *slot)
{
    gt_Trace *trace = context->trace;
    context->trace = trace->outer;
    gt_Value *value = gt_trace_variable(context, slot);
    context->trace = trace;
    return value;
}

gt_Value *gt_trace_variable(gt_Context *context, gt_Slot *slot)
{
    if (gt_stands_in_here(context, slot))
        return slot->value;
    if (has_symbol(context->trace, slot->variable))
        return slot->variable->symbolic;
    int32_t symbol;
    if (context->trace->outer) {
        gt_Value *around = variable_around(context, slot);
        symbol = around ? capture(context, around, slot) : -1;
    } else {
        symbol =
            gt_graph_add(context->trace->graph, &(gt_GraphValue){.spec = slot->value->spec,
                                                                 .kind = GT_GRAPH_VARIABLE,
                                                                 .variable = gt_slot_handle(slot),
                                                                 .node = -1});
    }
    return symbol < 0 ? NULL : set_symbolic(context, slot, symbol);
}

int32_t gt_trace_symbol(gt_Context *context, gt_Value *value)
{
    gt_Graph *graph = context->trace->graph;
    if (value->symbol >= 0 && value->trace == context->trace->serial)
        return value->symbol;
    if (value->symbol >= 0 && !gt_trace_knows(context, value)) {
        gt_raise(context, GT_STALE, NULL, NULL, "a tensor of another traced function was used");
        return -1;
    }
    if (gt_trace_takes(context, value))
        return capture(context, value, NULL);
    int32_t known = gt_map_find(&context->trace->constants, gt_map_pointer(value));
    if (known >= 0)
        return known;
    if (!gt_value_data(value) && context->status != GT_OK)
        return -1;
    int32_t made = gt_graph_add(
        graph, &(gt_GraphValue){
                   .spec = value->spec, .kind = GT_GRAPH_CONSTANT, .constant = value, .node = -1});
    bool added =
        made >= 0 && gt_map_add(context, &context->trace->constants, gt_map_pointer(value), made);
    return added ? made : -1;
}

static gt_Tensor *live_tensor(gt_Context *context, const double *number, gt_DType dtype)
{
    gt_Spec spec = {.dtype = dtype, .size = 1};
    int32_t symbol = gt_graph_add(
        context->trace->graph,
        &(gt_GraphValue){.spec = spec, .kind = GT_GRAPH_LIVE, .live = number, .node = -1});
    gt_Value *value = gt_trace_value(context, &spec, symbol);
    return value ? gt_handle_new(context, value) : NULL;
}

gt_Tensor *gt_live_at(const char *here, const double *number, gt_DType dtype)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!number || (dtype != GT_FLOAT32 && dtype != GT_FLOAT64)) {
        gt_raise(context, GT_INVALID, here, "live", "%s",
                 number ? "the type must be float32 or float64" : "the number is NULL");
        return NULL;
    }
    return context->trace ? live_tensor(context, number, dtype)
                          : gt_scalar_at(here, *number, dtype);
}

/* The lists and the copy of the options that a node owns; false on failure, when nothing is owned. */
static bool open_node(gt_Context *context, gt_GraphNode *node, const void *options)
{
    const gt_OptionType *type = node->operation->options;
    char path[512];
    gt_Graph *graph = context->trace->graph;
    const char *at = context->frame ? gt_frame_path(context->frame, path, sizeof path) : node->path;
    node->path = at ? gt_graph_path(graph, at) : NULL;
    node->options = type ? gt_allocate(context, type->size) : NULL;
    node->input =
        gt_allocate(context, (size_t)(node->inputs + node->outputs) * sizeof *node->input);
    if (context->status != GT_OK) {
        gt_graph_free_node(context, node);
        return false;
    }
    node->output = node->input + node->inputs;
    if (type)
        memcpy(node->options, options, type->size);
    return true;
}

/* Are the numbers of its inputs read? Those of input 0 of a view are not. */
static bool reads_numbers(const gt_GraphNode *node, gt_Value *const *input, const gt_Spec *output)
{
    if (!(node->operation->flags & GT_OP_VIEW))
        return true;
    gt_ShapeRule rule;
    rule.operation = node->operation;
    rule.options = node->options;
    rule.inputs = node->inputs;
    rule.outputs = node->outputs;
    for (int32_t i = 0; i < node->inputs; i++)
        rule.input[i] = input[i] ? gt_value_spec(input[i]) : NULL;
    rule.output[0] = output[0];
    return gt_view_offset(&rule) < 0;
}

/* The numbers of the inputs. An operation that reads a late one has it computed. */
static gt_Status number_inputs(gt_Context *context, gt_GraphNode *node, gt_Value *const *input,
                               const gt_Spec *output)
{
    bool reads = reads_numbers(node, input, output);
    for (int32_t i = 0; i < node->inputs; i++) {
        if (input[i] && reads)
            gt_value_numbers(input[i]);
        node->input[i] = input[i] ? gt_trace_symbol(context, input[i]) : -1;
        if (input[i] && node->input[i] < 0)
            return context->status;
    }
    return GT_OK;
}

/* A value for each output; an effect's outputs say which variables they overwrite. */
static gt_Status number_outputs(gt_Context *context, gt_GraphNode *node, const gt_Spec *output,
                                gt_Slot *const *overwritten, int32_t *symbols)
{
    gt_Graph *graph = context->trace->graph;
    for (int32_t i = 0; i < node->outputs; i++) {
        bool changes = overwritten && !gt_stands_in_here(context, overwritten[i]);
        if (!gt_reserve(context, (void **)&graph->values, graph->value_count,
                        &graph->value_capacity, sizeof *graph->values))
            return context->status;
        /* Written there, not added by gt_graph_add: most values are these. */
        gt_GraphValue *value = &graph->values[graph->value_count];
        value->spec = output[i];
        value->kind = GT_GRAPH_RESULT;
        value->constant = NULL;
        value->variable = changes ? gt_slot_handle(overwritten[i]) : NULL;
        value->live = NULL;
        value->node = graph->node_count;
        value->index = i;
        if (changes)
            gt_variable_retain(value->variable);
        node->output[i] = symbols[i] = graph->value_count++;
    }
    return GT_OK;
}

gt_Status gt_trace_node(gt_Context *context, gt_GraphNode *node, const void *options,
                        gt_Value *const *input, const gt_Spec *output, gt_Slot *const *overwritten,
                        int32_t *symbols)
{
    gt_Graph *graph = context->trace->graph;
    node->at_call = !node->here && context->here == context->trace->here;
    if (!node->here)
        node->here = context->here;
    if (context->differentiating)
        node->gradient_of = context->differentiating;
    if (!open_node(context, node, options))
        return context->status;
    if (number_inputs(context, node, input, output) != GT_OK ||
        number_outputs(context, node, output, overwritten, symbols) != GT_OK ||
        !gt_reserve(context, (void **)&graph->nodes, graph->node_count, &graph->node_capacity,
                    sizeof *graph->nodes)) {
        gt_graph_free_node(context, node);
        return context->status;
    }
    graph->nodes[graph->node_count++] = *node;
    for (int32_t i = 0; overwritten && i < node->outputs && context->status == GT_OK; i++) {
        if (gt_stands_in_here(context, overwritten[i]))
            gt_stand_in_change(context, overwritten[i], symbols[i]);
        else
            set_symbolic(context, overwritten[i], symbols[i]);
    }
    return context->status;
}
