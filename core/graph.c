/* Writing the traced graph down, and comparing two of them. Leans on tensor.c and variable.c. */
#include "core/graph.h"
#include "core/structs.h"

#include <stdio.h>
#include <string.h>

/* ---- graphs ---- */

gt_Graph *gt_graph_new(gt_Context *context)
{
    gt_Graph *graph = gt_allocate_zeroed(context, sizeof *graph);
    if (graph)
        graph->context = context;
    return graph;
}

void gt_graph_free_node(gt_Context *context, const gt_GraphNode *node)
{
    if (node->options)
        gt_release(context, node->options, node->operation->options->size);
    gt_release(context, node->input, (size_t)(node->inputs + node->outputs) * sizeof *node->input);
}

void gt_graph_free(gt_Graph *graph)
{
    if (!graph)
        return;
    gt_Context *context = graph->context;
    for (int32_t i = 0; i < graph->value_count; i++) {
        if (graph->values[i].constant)
            gt_value_release(graph->values[i].constant, true);
        if (graph->values[i].variable)
            gt_variable_free(graph->values[i].variable);
    }
    for (int32_t i = 0; i < graph->node_count; i++)
        gt_graph_free_node(context, &graph->nodes[i]);
    for (int32_t i = 0; i < graph->body_count; i++)
        gt_graph_free(graph->bodies[i]);
    gt_release(context, graph->bodies, (size_t)graph->body_capacity * sizeof *graph->bodies);
    gt_release(context, graph->values, (size_t)graph->value_capacity * sizeof *graph->values);
    gt_release(context, graph->nodes, (size_t)graph->node_capacity * sizeof *graph->nodes);
    gt_release(context, graph->output, (size_t)graph->outputs * sizeof *graph->output);
    gt_map_close(context, &graph->arguments);
    gt_release(context, graph, sizeof *graph);
}

int32_t gt_graph_add(gt_Graph *graph, gt_GraphValue value)
{
    if (!gt_reserve(graph->context, (void **)&graph->values, graph->value_count,
                    &graph->value_capacity, sizeof *graph->values))
        return -1;
    if (value.variable)
        gt_variable_retain(value.variable);
    if (value.constant)
        gt_value_retain(value.constant, true);
    graph->values[graph->value_count] = value;
    return graph->value_count++;
}

int32_t gt_graph_input(gt_Graph *graph, int32_t index, const gt_Spec *spec)
{
    int32_t known = gt_map_find(&graph->arguments, (uint64_t)index);
    if (known >= 0)
        return known;
    int32_t made = gt_graph_add(
        graph, (gt_GraphValue){.spec = *spec, .kind = GT_GRAPH_INPUT, .node = -1, .index = index});
    bool added = made >= 0 && gt_map_add(graph->context, &graph->arguments, (uint64_t)index, made);
    return added ? made : -1;
}

gt_Status gt_graph_prune(gt_Graph *graph, bool *used)
{
    gt_Context *context = graph->context;
    bool *needed = gt_allocate_zeroed(context, (size_t)graph->value_count * sizeof *needed);
    if (!needed)
        return context->status;
    for (int32_t i = 0; i < graph->outputs; i++)
        needed[graph->output[i]] = true;
    for (int32_t n = graph->node_count - 1; n >= 0; n--) {
        gt_GraphNode *node = &graph->nodes[n];
        bool any = false;
        for (int32_t i = 0; i < node->outputs; i++)
            any |= needed[node->output[i]];
        for (int32_t i = 0; any && i < node->inputs; i++)
            if (node->input[i] >= 0)
                needed[node->input[i]] = true;
        if (!any) {
            gt_graph_free_node(context, node);
            *node = (gt_GraphNode){0};
        }
    }
    int32_t kept = 0;
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (!node->operation)
            continue;
        for (int32_t i = 0; i < node->outputs; i++)
            graph->values[node->output[i]].node = kept;
        graph->nodes[kept++] = *node;
    }
    graph->node_count = kept;
    for (int32_t i = 0; i < graph->value_count; i++)
        if (needed[i] && graph->values[i].kind == GT_GRAPH_INPUT)
            used[graph->values[i].index] = true;
    gt_release(context, needed, (size_t)graph->value_count * sizeof *needed);
    gt_map_close(context, &graph->arguments);
    return GT_OK;
}

bool gt_options_equal(const gt_OptionType *type, const void *a, const void *b)
{
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
        const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
        if (strcmp(field->type, "gt_Shape") == 0) {
            gt_Shape p, q; /* what is beyond the rank does not count, and may hold anything */
            memcpy(&p, x, sizeof p);
            memcpy(&q, y, sizeof q);
            bool is_shape = gt_shape_equal(p, p);
            if (is_shape ? !gt_shape_equal(p, q) : memcmp(x, y, field->size) != 0)
                return false;
        } else if (strcmp(field->type, "gt_Axes") == 0) {
            gt_Axes p, q; /* the same */
            memcpy(&p, x, sizeof p);
            memcpy(&q, y, sizeof q);
            size_t named =
                p.count > 0 && p.count <= GT_MAX_RANK ? (size_t)p.count * sizeof *p.axis : 0;
            if (p.count != q.count || memcmp(p.axis, q.axis, named) != 0)
                return false;
        } else if (strcmp(field->type, "void *") != 0 && memcmp(x, y, field->size) != 0) {
            return false; /* where the user's own things are may change from run to run */
        }
    }
    return true;
}

static bool same_value(const gt_GraphValue *a, const gt_GraphValue *b)
{
    if (a->kind != b->kind || !gt_spec_equal(&a->spec, &b->spec) || a->variable != b->variable ||
        a->live != b->live || a->index != b->index)
        return false;
    if (a->kind != GT_GRAPH_CONSTANT || a->constant == b->constant)
        return true;
    return memcmp(gt_value_data(a->constant), gt_value_data(b->constant),
                  gt_spec_bytes(&a->spec)) == 0;
}

/* Names a value by the first operation that reads it. */
static void describe_value(const gt_Graph *graph, int32_t value, char *text, size_t size)
{
    static const char *const kinds[] = {"an argument", "a constant", "a variable", "a live number",
                                        "a result"};
    const char *kind = kinds[graph->values[value].kind];
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        for (int32_t k = 0; k < node->inputs; k++)
            if (node->input[k] == value) {
                snprintf(text, size, "%s of %s at %s is not the same", kind, node->operation->name,
                         node->here ? node->here : "?");
                return;
            }
    }
    snprintf(text, size, "%s is not the same", kind);
}

/* The bodies of two nodes of control flow; their pointers do not count. */
static bool same_bodies(const gt_Control *a, const gt_Control *b, char *difference, size_t size)
{
    if (!a->second != !b->second) {
        snprintf(difference, size, "a loop has a condition only once");
        return false;
    }
    return gt_graph_equal(a->first, b->first, difference, size) &&
           (!a->second || gt_graph_equal(a->second, b->second, difference, size));
}

static bool same_options(const gt_GraphNode *a, const gt_GraphNode *b)
{
    if (!(a->operation->flags & GT_OP_CONTROL))
        return gt_options_equal(a->operation->options, a->options, b->options);
    gt_Control x, y;
    memcpy(&x, a->options, sizeof x);
    memcpy(&y, b->options, sizeof y);
    y.first = x.first;
    y.second = x.second;
    return gt_options_equal(a->operation->options, &x, &y);
}

bool gt_graph_equal(const gt_Graph *a, const gt_Graph *b, char *difference, size_t size)
{
    int32_t nodes = a->node_count < b->node_count ? a->node_count : b->node_count;
    for (int32_t i = 0; i < nodes; i++) {
        const gt_GraphNode *x = &a->nodes[i], *y = &b->nodes[i];
        bool same = x->operation == y->operation && x->inputs == y->inputs &&
                    x->outputs == y->outputs && same_options(x, y);
        for (int32_t k = 0; same && k < x->inputs; k++)
            same = x->input[k] == y->input[k];
        if (!same) {
            snprintf(difference, size, "%s at %s, then %s at %s", x->operation->name,
                     x->here ? x->here : "?", y->operation->name, y->here ? y->here : "?");
            return false;
        }
        if (x->operation->flags & GT_OP_CONTROL &&
            !same_bodies(x->options, y->options, difference, size))
            return false;
    }
    if (a->node_count != b->node_count) {
        snprintf(difference, size, "%d operations, then %d", (int)a->node_count,
                 (int)b->node_count);
        return false;
    }
    for (int32_t i = 0; i < a->value_count && i < b->value_count; i++)
        if (!same_value(&a->values[i], &b->values[i])) {
            describe_value(a, i, difference, size);
            return false;
        }
    bool same =
        a->value_count == b->value_count && a->outputs == b->outputs && a->inputs == b->inputs;
    for (int32_t i = 0; same && i < a->outputs; i++)
        same = a->output[i] == b->output[i];
    if (!same)
        snprintf(difference, size, "what is returned is not the same");
    return same;
}

/* ---- tracing ---- */

gt_Status gt_trace_begin(gt_Context *context, gt_Trace *trace, gt_Graph *graph)
{
    if (context->trace)
        return gt_raise(context, GT_STATE, NULL, "function",
                        "a traced function cannot be traced inside another one");
    *trace = (gt_Trace){
        .graph = graph, .frame = context->frame, .serial = (uint32_t)++context->trace_serial};
    context->trace = trace;
    return GT_OK;
}

static uint64_t open_tapes(const gt_Context *context)
{
    uint64_t tapes = 0;
    for (int bit = context->innermost_tape; bit >= 0; bit = context->tape[bit].below)
        tapes |= (uint64_t)1 << bit;
    return tapes;
}

gt_Status gt_trace_begin_body(gt_Context *context, gt_Trace *trace, gt_Captures *captures)
{
    gt_Graph *around = context->trace->graph;
    if (!gt_reserve(context, (void **)&around->bodies, around->body_count, &around->body_capacity,
                    sizeof *around->bodies))
        return context->status;
    gt_Graph *graph = gt_graph_new(context);
    if (!graph)
        return context->status;
    graph->inner = true;
    around->bodies[around->body_count++] = graph;
    *trace = (gt_Trace){.graph = graph,
                        .outer = context->trace,
                        .captures = captures,
                        .tapes = open_tapes(context),
                        .serial = (uint32_t)++context->trace_serial};
    context->trace = trace;
    return GT_OK;
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
        gt_variable_free(trace->variables[i].variable);
    }
    gt_release(context, trace->variables,
               (size_t)trace->variable_capacity * sizeof *trace->variables);
    gt_map_close(context, &trace->constants);
    if (!trace->outer)
        gt_map_close(context, &trace->graph->arguments);
    context->trace = trace->outer;
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
    value->record = &info->leaf;
    info->leaf.references++;
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
    if (has_symbol(context->trace, slot->variable))
        return slot->variable->symbolic;
    int32_t symbol;
    if (context->trace->outer) {
        gt_Value *around = variable_around(context, slot);
        symbol = around ? capture(context, around, slot) : -1;
    } else {
        symbol =
            gt_graph_add(context->trace->graph, (gt_GraphValue){.spec = slot->value->spec,
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
        graph, (gt_GraphValue){
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
        (gt_GraphValue){.spec = spec, .kind = GT_GRAPH_LIVE, .live = number, .node = -1});
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

/* Are the numbers of its inputs read? Those of input 0 of a view are not. */
static bool reads_numbers(const gt_GraphNode *node, const void *options, gt_Value *const *input,
                          const gt_Spec *output)
{
    if (!(node->operation->flags & GT_OP_VIEW))
        return true;
    gt_ShapeRule rule = {.operation = node->operation,
                         .options = options,
                         .inputs = node->inputs,
                         .outputs = node->outputs};
    for (int32_t i = 0; i < node->inputs; i++)
        rule.input[i] = input[i] ? gt_value_spec(input[i]) : NULL;
    rule.output[0] = output[0];
    return gt_view_offset(&rule) < 0;
}

gt_Status gt_trace_node(gt_Context *context, const gt_GraphNode *like, const void *options,
                        gt_Value *const *input, const gt_Spec *output, gt_Slot *const *overwritten,
                        int32_t *symbols)
{
    gt_Graph *graph = context->trace->graph;
    const gt_OptionType *type = like->operation->options;
    gt_GraphNode node = *like;
    node.here = like->here ? like->here : context->here;
    node.options = NULL;
    node.input = gt_allocate(context, (size_t)(node.inputs + node.outputs) * sizeof *node.input);
    if (!node.input)
        return context->status;
    node.output = node.input + node.inputs;
    if (type) {
        node.options = gt_allocate(context, type->size);
        if (!node.options)
            goto failed;
        memcpy(node.options, options, type->size);
    }
    bool reads = reads_numbers(&node, options, input, output);
    for (int32_t i = 0; i < node.inputs; i++) {
        if (input[i] && reads)
            gt_value_data(input[i]); /* a late one is computed */
        node.input[i] = input[i] ? gt_trace_symbol(context, input[i]) : -1;
        if (input[i] && node.input[i] < 0)
            goto failed;
    }
    for (int32_t i = 0; i < node.outputs; i++) {
        node.output[i] = symbols[i] = gt_graph_add(
            graph, (gt_GraphValue){.spec = output[i],
                                   .kind = GT_GRAPH_RESULT,
                                   .variable = overwritten ? gt_slot_handle(overwritten[i]) : NULL,
                                   .node = graph->node_count,
                                   .index = i});
        if (symbols[i] < 0)
            goto failed;
    }
    if (!gt_reserve(context, (void **)&graph->nodes, graph->node_count, &graph->node_capacity,
                    sizeof *graph->nodes))
        goto failed;
    graph->nodes[graph->node_count++] = node;
    for (int32_t i = 0; overwritten && i < node.outputs; i++)
        if (!set_symbolic(context, overwritten[i], symbols[i]))
            return context->status;
    return GT_OK;
failed:
    gt_graph_free_node(context, &node);
    return context->status;
}

bool gt_gradient_passes(const gt_Context *context, const gt_Value *value)
{
    const gt_Record *record = value->record;
    if (!record || !gt_dtype_is_float(value->spec.dtype))
        return false;
    bool cut = record->operation && record->operation->flags & GT_OP_NOT_DIFFERENTIABLE;
    uint64_t watching = gt_tapes_of(value) & ~record->tapes;
    return context->recording & (cut ? watching : watching | record->tapes);
}

bool gt_trace_takes(const gt_Context *context, const gt_Value *value)
{
    return value->symbol >= 0 || (context->trace && context->trace->outer && gt_tapes_of(value));
}
