/* Graphs as data: making, pruning and comparing them. Leans on tensor.c. */
#include "core/graph.h"
#include "core/assert.h"

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
            gt_variable_release(graph->values[i].variable);
    }
    for (int32_t i = 0; i < graph->node_count; i++)
        gt_graph_free_node(context, &graph->nodes[i]);
    for (int32_t i = 0; i < graph->body_count; i++)
        gt_graph_free(graph->bodies[i]);
    for (int32_t i = 0; i < graph->path_count; i++)
        gt_release(context, graph->paths[i], strlen(graph->paths[i]) + 1);
    gt_release(context, graph->paths, (size_t)graph->path_capacity * sizeof *graph->paths);
    gt_release(context, graph->bodies, (size_t)graph->body_capacity * sizeof *graph->bodies);
    gt_release(context, graph->values, (size_t)graph->value_capacity * sizeof *graph->values);
    gt_release(context, graph->nodes, (size_t)graph->node_capacity * sizeof *graph->nodes);
    gt_release(context, graph->output, (size_t)graph->outputs * sizeof *graph->output);
    gt_map_close(context, &graph->arguments);
    gt_release(context, graph, sizeof *graph);
}

gt_Status gt_graph_reserve(gt_Graph *graph, int32_t values, int32_t nodes)
{
    gt_Context *context = graph->context;
    graph->values = gt_allocate(context, (size_t)values * sizeof *graph->values);
    graph->value_capacity = graph->values ? values : 0;
    graph->nodes = gt_allocate(context, (size_t)nodes * sizeof *graph->nodes);
    graph->node_capacity = graph->nodes ? nodes : 0;
    return gt_context_status(context);
}

int32_t gt_graph_add(gt_Graph *graph, const gt_GraphValue *value)
{
    if (!gt_reserve(graph->context, (void **)&graph->values, graph->value_count,
                    &graph->value_capacity, sizeof *graph->values))
        return -1;
    if (value->variable)
        gt_variable_retain(value->variable);
    if (value->constant)
        gt_value_retain(value->constant, true);
    graph->values[graph->value_count] = *value;
    return graph->value_count++;
}

int32_t gt_graph_input(gt_Graph *graph, int32_t index, const gt_Spec *spec)
{
    int32_t known = gt_map_find(&graph->arguments, (uint64_t)index);
    if (known >= 0)
        return known;
    int32_t made = gt_graph_add(
        graph, &(gt_GraphValue){.spec = *spec, .kind = GT_GRAPH_INPUT, .node = -1, .index = index});
    bool added = made >= 0 && gt_map_add(graph->context, &graph->arguments, (uint64_t)index, made);
    return added ? made : -1;
}

const char *gt_graph_path(gt_Graph *graph, const char *path)
{
    const char *last = graph->path_count ? graph->paths[graph->path_count - 1] : NULL;
    if (last && strcmp(last, path) == 0)
        return last;
    size_t bytes = strlen(path) + 1;
    if (!gt_reserve(graph->context, (void **)&graph->paths, graph->path_count,
                    &graph->path_capacity, sizeof *graph->paths))
        return NULL;
    char *copy = gt_allocate(graph->context, bytes);
    if (copy)
        graph->paths[graph->path_count++] = memcpy(copy, path, bytes);
    return copy;
}

void gt_graph_rule(const gt_Graph *graph, const gt_GraphNode *node, gt_ShapeRule *rule)
{
    GT_ASSERT(node->inputs <= GT_MAX_INPUTS && node->outputs <= GT_MAX_OUTPUTS);
    rule->operation = node->operation;
    rule->options = node->options;
    rule->inputs = node->inputs;
    rule->outputs = node->outputs;
    rule->scratch = 0;
    for (int i = 0; i < node->inputs; i++)
        rule->input[i] = node->input[i] < 0 ? NULL : &graph->values[node->input[i]].spec;
    for (int i = 0; i < node->outputs; i++)
        rule->output[i] = graph->values[node->output[i]].spec;
}

gt_Status gt_graph_prune(gt_Graph *graph, bool *used)
{
    gt_Context *context = graph->context;
    bool *needed = gt_allocate_zeroed(context, (size_t)graph->value_count * sizeof *needed);
    if (!needed)
        return gt_context_status(context);
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

static const char body_type[] = "gt_Graph *";

bool gt_options_equal(const gt_OptionType *type, const void *a, const void *b, bool addresses)
{
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
        const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
        if (field->size == sizeof(gt_Shape) && strcmp(field->type, "gt_Shape") == 0) {
            gt_Shape p, q; /* beyond the rank, and in the padding, there may be anything */
            memcpy(&p, x, sizeof p);
            memcpy(&q, y, sizeof q);
            bool is_shape = gt_shape_equal(p, p);
            if (is_shape ? !gt_shape_equal(p, q) : p.rank != q.rank)
                return false;
        } else if (field->size == sizeof(gt_Axes) && strcmp(field->type, "gt_Axes") == 0) {
            gt_Axes p, q; /* the same */
            memcpy(&p, x, sizeof p);
            memcpy(&q, y, sizeof q);
            size_t named =
                p.count > 0 && p.count <= GT_MAX_RANK ? (size_t)p.count * sizeof *p.axis : 0;
            if (p.count != q.count || memcmp(p.axis, q.axis, named) != 0)
                return false;
        } else if (memcmp(x, y, field->size) != 0 &&
                   (addresses ||
                    (strcmp(field->type, "void *") != 0 && strcmp(field->type, body_type) != 0))) {
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

/* The bodies of two nodes of control flow, which are among their options. */
static bool same_bodies(const gt_GraphNode *a, const gt_GraphNode *b, char *difference, size_t size)
{
    for (const gt_Field *field = a->operation->options->fields; field->name; field++) {
        if (strcmp(field->type, body_type) != 0)
            continue;
        const gt_Graph *x, *y;
        memcpy(&x, (const char *)a->options + field->offset, sizeof x);
        memcpy(&y, (const char *)b->options + field->offset, sizeof y);
        if (!x != !y) {
            snprintf(difference, size, "%s has the body %s only once", a->operation->name,
                     field->name);
            return false;
        }
        if (x && !gt_graph_equal(x, y, difference, size))
            return false;
    }
    return true;
}

bool gt_graph_equal(const gt_Graph *a, const gt_Graph *b, char *difference, size_t size)
{
    int32_t nodes = a->node_count < b->node_count ? a->node_count : b->node_count;
    for (int32_t i = 0; i < nodes; i++) {
        const gt_GraphNode *x = &a->nodes[i], *y = &b->nodes[i];
        bool same = x->operation == y->operation && x->inputs == y->inputs &&
                    x->outputs == y->outputs &&
                    gt_options_equal(x->operation->options, x->options, y->options, false);
        for (int32_t k = 0; same && k < x->inputs; k++)
            same = x->input[k] == y->input[k];
        if (!same) {
            snprintf(difference, size, "%s at %s, then %s at %s", x->operation->name,
                     x->here ? x->here : "?", y->operation->name, y->here ? y->here : "?");
            return false;
        }
        if (x->operation->flags & GT_OP_CONTROL && !same_bodies(x, y, difference, size))
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
