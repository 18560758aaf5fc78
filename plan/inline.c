/* A call becomes the nodes of its body. An argument is the value that the call got; a result of the
 * body is the value that the call made, so nothing behind the call changes:
 *
 *     c = call(a, b)                  d = multiply(a, b)
 *     body: d = multiply(0, 1)   ->   c = sin(d)
 *           return sin(d)
 *
 * An effect in a body works on a copy of what it changes, which plans know by its result being no
 * variable's. The graph of the body stays: other nodes in it have bodies of their own. Leans on
 * core/graph.c. */
#include "plan/inline.h"
#include "ops/table.h"

#include <string.h>

typedef struct Inlining {
    gt_Context *context;
    gt_Graph *graph;
    gt_GraphNode *nodes; /* as they will be */
    int32_t count, capacity;
    int32_t pieces, piece; /* how many calls were met, and which one is being written; 0: none */
} Inlining;

static const gt_Graph *body_of_call(const gt_GraphNode *node)
{
    const gt_Control *control = node->options;
    return node->operation->flags & GT_OP_CONTROL && control->kind == GT_CONTROL_CALL
               ? control->first
               : NULL;
}

/* Takes the node over, also when it fails. */
static gt_Status add_node(Inlining *to, gt_GraphNode node)
{
    if (!gt_reserve(to->context, (void **)&to->nodes, to->count, &to->capacity,
                    sizeof *to->nodes)) {
        gt_graph_free_node(to->context, &node);
        return gt_context_status(to->context);
    }
    for (int32_t i = 0; i < node.outputs; i++) {
        to->graph->values[node.output[i]].node = to->count;
        to->graph->values[node.output[i]].index = i;
    }
    to->nodes[to->count++] = node;
    return GT_OK;
}

/* A node like this one with lists of its own, which are not filled yet. */
static bool copy_node(gt_Context *context, const gt_GraphNode *of, gt_GraphNode *node)
{
    const gt_OptionType *type = of->operation->options;
    *node = *of;
    node->options = NULL;
    node->input = gt_allocate(context, (size_t)(of->inputs + of->outputs) * sizeof *node->input);
    if (!node->input)
        return false;
    node->output = node->input + of->inputs;
    if (!type || (node->options = gt_allocate(context, type->size))) {
        if (type)
            memcpy(node->options, of->options, type->size);
        return true;
    }
    gt_graph_free_node(context, node);
    return false;
}

/* A result that is there already, an argument or a constant, as a value of its own. */
static gt_Status add_view(Inlining *to, int32_t from, int32_t result, const char *here)
{
    static const gt_GraphNode identity = {.operation = &gt_op_identity, .inputs = 1, .outputs = 1};
    gt_GraphNode node;
    if (!copy_node(to->context, &identity, &node))
        return gt_context_status(to->context);
    node.here = here;
    node.piece = to->piece;
    node.input[0] = from;
    node.output[0] = result;
    return add_node(to, node);
}

static gt_Status add_body(Inlining *to, const gt_Graph *body, const int32_t *argument,
                          const int32_t *result, const char *here);

/* One node of a body; `value` says which value of the graph each of the body's is. */
static gt_Status add_copy(Inlining *to, const gt_Graph *body, const gt_GraphNode *of,
                          int32_t *value)
{
    gt_GraphNode node;
    if (!copy_node(to->context, of, &node))
        return gt_context_status(to->context);
    for (int32_t i = 0; i < node.inputs; i++)
        node.input[i] = of->input[i] < 0 ? -1 : value[of->input[i]];
    for (int32_t i = 0; i < node.outputs && gt_context_status(to->context) == GT_OK; i++) {
        int32_t *made = &value[of->output[i]];
        if (*made < 0)
            *made =
                gt_graph_add(to->graph, &(gt_GraphValue){.spec = body->values[of->output[i]].spec,
                                                         .kind = GT_GRAPH_RESULT});
        node.output[i] = *made;
    }
    node.piece = to->piece;
    const gt_Graph *inner = body_of_call(&node);
    if (gt_context_status(to->context) == GT_OK && !inner)
        return add_node(to, node);
    if (gt_context_status(to->context) == GT_OK)
        add_body(to, inner, node.input, node.output, node.here);
    gt_graph_free_node(to->context, &node);
    return gt_context_status(to->context);
}

/* Arguments, constants and live numbers; results that the call returns are the values that it makes. */
static gt_Status map_values(Inlining *to, const gt_Graph *body, const int32_t *argument,
                            const int32_t *result, int32_t *value)
{
    for (int32_t v = 0; v < body->value_count && gt_context_status(to->context) == GT_OK; v++) {
        const gt_GraphValue *of = &body->values[v];
        value[v] = of->kind == GT_GRAPH_RESULT  ? -1
                   : of->kind == GT_GRAPH_INPUT ? argument[of->index]
                                                : gt_graph_add(to->graph, of);
    }
    for (int32_t i = 0; i < body->outputs; i++) {
        int32_t v = body->output[i];
        if (body->values[v].kind == GT_GRAPH_RESULT && value[v] < 0)
            value[v] = result[i];
    }
    return gt_context_status(to->context);
}

static gt_Status add_body(Inlining *to, const gt_Graph *body, const int32_t *argument,
                          const int32_t *result, const char *here)
{
    gt_Context *context = to->context;
    const int32_t around = to->piece;
    size_t bytes = (size_t)body->value_count * sizeof(int32_t);
    int32_t *value = gt_allocate(context, bytes);
    if (!value || map_values(to, body, argument, result, value) != GT_OK) {
        gt_release(context, value, bytes);
        return gt_context_status(context);
    }
    to->piece = ++to->pieces;
    for (int32_t n = 0; n < body->node_count && gt_context_status(context) == GT_OK; n++)
        add_copy(to, body, &body->nodes[n], value);
    for (int32_t i = 0; i < body->outputs && gt_context_status(context) == GT_OK; i++)
        if (value[body->output[i]] != result[i])
            add_view(to, value[body->output[i]], result[i], here);
    to->piece = around;
    gt_release(context, value, bytes);
    return gt_context_status(context);
}

/* The node goes over to the new list, or is replaced. */
static gt_Status move_node(Inlining *to, gt_GraphNode *node)
{
    gt_GraphNode moved = *node;
    const gt_Graph *body = body_of_call(&moved);
    *node = (gt_GraphNode){0};
    if (!body)
        return add_node(to, moved);
    add_body(to, body, moved.input, moved.output, moved.here);
    gt_graph_free_node(to->context, &moved);
    return gt_context_status(to->context);
}

gt_Status gt_inline_calls(gt_Graph *graph)
{
    gt_Context *context = graph->context;
    Inlining to = {.context = context, .graph = graph};
    bool any = false;
    for (int32_t n = 0; n < graph->node_count && !any; n++)
        any = body_of_call(&graph->nodes[n]) != NULL;
    if (!any)
        return GT_OK;
    int32_t moved = 0;
    while (moved < graph->node_count && gt_context_status(context) == GT_OK)
        move_node(&to, &graph->nodes[moved++]);
    for (; moved < graph->node_count; moved++)
        gt_graph_free_node(context, &graph->nodes[moved]);
    gt_release(context, graph->nodes, (size_t)graph->node_capacity * sizeof *graph->nodes);
    graph->nodes = to.nodes;
    graph->node_count = to.count;
    graph->node_capacity = to.capacity;
    return gt_context_status(context);
}
