/* Writing the traced graph down, and comparing two of them. Leans on tensor.c and variable.c. */
#include "core/graph.h"

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
    for (int32_t i = 0; i < graph->node_count; i++) {
        gt_GraphNode *node = &graph->nodes[i];
        if (node->options)
            gt_release(context, node->options, node->operation->options->size);
        gt_release(context, node->input, (size_t)node->inputs * sizeof *node->input);
    }
    gt_release(context, graph->values, (size_t)graph->value_capacity * sizeof *graph->values);
    gt_release(context, graph->nodes, (size_t)graph->node_capacity * sizeof *graph->nodes);
    gt_release(context, graph->output, (size_t)graph->outputs * sizeof *graph->output);
    gt_release(context, graph, sizeof *graph);
}

static int32_t add_value(gt_Graph *graph, gt_GraphValue value)
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

bool gt_options_equal(const gt_OptionType *type, const void *a, const void *b)
{
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
        const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
        if (strcmp(field->type, "gt_Shape") == 0) {
            gt_Shape p, q; /* what is beyond the rank does not count either */
            memcpy(&p, x, sizeof p);
            memcpy(&q, y, sizeof q);
            if (!gt_shape_equal(p, q))
                return false;
        } else if (memcmp(x, y, field->size) != 0) {
            return false;
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

bool gt_graph_equal(const gt_Graph *a, const gt_Graph *b, char *difference, size_t size)
{
    int32_t nodes = a->node_count < b->node_count ? a->node_count : b->node_count;
    for (int32_t i = 0; i < nodes; i++) {
        const gt_GraphNode *x = &a->nodes[i], *y = &b->nodes[i];
        bool same = x->operation == y->operation && x->inputs == y->inputs &&
                    x->outputs == y->outputs &&
                    gt_options_equal(x->operation->options, x->options, y->options);
        for (int32_t k = 0; same && k < x->inputs; k++)
            same = x->input[k] == y->input[k];
        if (!same) {
            snprintf(difference, size, "%s at %s, then %s at %s", x->operation->name,
                     x->here ? x->here : "?", y->operation->name, y->here ? y->here : "?");
            return false;
        }
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
    bool same = a->value_count == b->value_count && a->outputs == b->outputs;
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
    *trace = (gt_Trace){.graph = graph};
    context->trace = trace;
    context->trace_serial++;
    return GT_OK;
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
        gt_VariableInfo *info = gt_slot_raw(trace->variables[i])->variable;
        gt_value_release(info->symbolic, true);
        info->symbolic = NULL;
        gt_variable_free(trace->variables[i]);
    }
    gt_release(context, trace->variables,
               (size_t)trace->variable_capacity * sizeof *trace->variables);
    context->trace = NULL;
}

gt_Value *gt_trace_value(gt_Context *context, const gt_Spec *spec, int32_t symbol)
{
    gt_Value *value = symbol < 0 ? NULL : gt_value_new(context, spec, NULL, 0);
    if (value) {
        value->symbol = symbol;
        value->trace = (uint32_t)context->trace_serial;
    }
    return value;
}

gt_Tensor *gt_trace_input(gt_Context *context, const gt_Spec *spec)
{
    gt_Graph *graph = context->trace->graph;
    int32_t symbol = add_value(
        graph,
        (gt_GraphValue){.spec = *spec, .kind = GT_GRAPH_INPUT, .node = -1, .index = graph->inputs});
    gt_Value *value = gt_trace_value(context, spec, symbol);
    if (!value)
        return NULL;
    graph->inputs++;
    return gt_handle_new(context, value);
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
    if (info->symbolic) {
        gt_value_release(info->symbolic, true);
    } else {
        if (!gt_reserve(context, (void **)&trace->variables, trace->variable_count,
                        &trace->variable_capacity, sizeof *trace->variables)) {
            gt_value_release(value, true);
            return NULL;
        }
        trace->variables[trace->variable_count++] = gt_slot_handle(slot);
        info->references++;
    }
    info->symbolic = value;
    return value;
}

gt_Value *gt_trace_variable(gt_Context *context, gt_Slot *slot)
{
    if (slot->variable->symbolic)
        return slot->variable->symbolic;
    int32_t symbol =
        add_value(context->trace->graph, (gt_GraphValue){.spec = slot->value->spec,
                                                         .kind = GT_GRAPH_VARIABLE,
                                                         .variable = gt_slot_handle(slot),
                                                         .node = -1});
    return symbol < 0 ? NULL : set_symbolic(context, slot, symbol);
}

int32_t gt_trace_symbol(gt_Context *context, gt_Value *value)
{
    gt_Graph *graph = context->trace->graph;
    if (value->symbol >= 0) {
        if (value->trace == (uint32_t)context->trace_serial)
            return value->symbol;
        gt_raise(context, GT_STALE, NULL, NULL, "a tensor of another traced function was used");
        return -1;
    }
    for (int32_t i = graph->value_count - 1; i >= 0; i--)
        if (graph->values[i].constant == value)
            return i;
    if (!gt_value_data(value) && context->status != GT_OK)
        return -1;
    return add_value(
        graph, (gt_GraphValue){
                   .spec = value->spec, .kind = GT_GRAPH_CONSTANT, .constant = value, .node = -1});
}

static gt_Tensor *live_tensor(gt_Context *context, const double *number, gt_DType dtype)
{
    gt_Spec spec = {.dtype = dtype, .size = 1};
    int32_t symbol =
        add_value(context->trace->graph,
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

gt_Status gt_trace_node(gt_Context *context, const gt_Operation *operation, const void *options,
                        const char *here, int inputs, gt_Value *const *input,
                        const gt_ShapeRule *rule, gt_Slot *const *overwritten, int32_t *symbols)
{
    gt_Graph *graph = context->trace->graph;
    gt_GraphNode node = {.operation = operation,
                         .here = here ? here : context->here,
                         .inputs = inputs,
                         .outputs = rule->outputs,
                         .scratch = rule->scratch};
    node.input = gt_allocate(context, (size_t)inputs * sizeof *node.input);
    if (!node.input)
        return context->status;
    if (operation->options) {
        node.options = gt_allocate(context, operation->options->size);
        if (!node.options)
            goto failed;
        memcpy(node.options, options, operation->options->size);
    }
    for (int i = 0; i < inputs; i++) {
        if (input[i] && !(operation->flags & GT_OP_VIEW))
            gt_value_data(input[i]); /* a late one is read */
        node.input[i] = input[i] ? gt_trace_symbol(context, input[i]) : -1;
        if (input[i] && node.input[i] < 0)
            goto failed;
    }
    for (int i = 0; i < rule->outputs; i++) {
        node.output[i] = symbols[i] = add_value(
            graph, (gt_GraphValue){.spec = rule->output[i],
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
    for (int i = 0; overwritten && i < rule->outputs; i++)
        if (!set_symbolic(context, overwritten[i], symbols[i]))
            return context->status;
    return GT_OK;
failed:
    if (node.options)
        gt_release(context, node.options, operation->options->size);
    gt_release(context, node.input, (size_t)inputs * sizeof *node.input);
    return context->status;
}
