/* The model as TensorBoard's graph: a GraphDef with a node for each operation of its trace, named after the layer that
 * applied it, for each input and for each variable. The numbers of fields are those of TensorFlow's graph.proto, node_def.proto,
 * attr_value.proto. */
#include "core/graph.h"
#include "train/callbacks/tensorboard_events.h"

#include <stdio.h>
#include <string.h>

enum { GRAPH_NODE = 1, GRAPH_VERSIONS = 4 };
enum { NODE_NAME = 1, NODE_OPERATION, NODE_INPUT, NODE_ATTRIBUTE = 5 };
enum { ENTRY_KEY = 1, ENTRY_VALUE };
enum { VALUE_LIST = 1, LIST_SHAPE = 7, SHAPE_SIZE = 2, SIZE_NUMBER = 1 };
#define LONGEST 1200

/* What the model computes for inputs like those it was built for; NULL with the error raised. */
static gt_Graph *trace(gt_Context *context, const gt_LayerState *state)
{
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    gt_Tensor *inputs[GT_MAX_INPUTS];
    if (trace && gt_scope_open(context)) {
        for (int32_t i = 0; i < state->built_for_count; i++) {
            gt_Spec spec = state->built_for[i];
            for (int j = 0; j < spec.rank; j++)
                spec.dims[j] = spec.dims[j] < 0 ? 1 : spec.dims[j]; /* any size */
            inputs[i] = gt_spec_resize(&spec) ? gt_trace_input(context, &spec) : NULL;
        }
        gt_call(state->layer, inputs[0], .more = {state->built_for_count > 1 ? inputs + 1 : NULL, state->built_for_count - 1});
        gt_scope_close(context);
    }
    if (trace)
        gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    if (gt_context_status(context) == GT_OK)
        return graph;
    gt_graph_free(graph);
    return NULL;
}

/* Unique: the path of the layer, the operation, and the number of the node. */
static const char *name_of(const gt_Graph *graph, gt_Layer *model, int32_t value, char name[LONGEST])
{
    const gt_GraphValue *of = &graph->values[value];
    const char *path = of->variable ? gt_variable_path(model, of->variable) : "";
    if (of->kind == GT_GRAPH_VARIABLE && *path)
        snprintf(name, LONGEST, "%s/%s", gt_layer_name(model), path);
    else if (of->kind == GT_GRAPH_INPUT)
        snprintf(name, LONGEST, "input_%d", (int)of->index);
    else if (of->kind == GT_GRAPH_RESULT) {
        const gt_GraphNode *node = &graph->nodes[of->node];
        snprintf(name, LONGEST, "%s%s%s_%d", node->path ? node->path : "", node->path ? "/" : "",
                 node->operation->name, (int)of->node);
    } else
        snprintf(name, LONGEST, "constant_%d", (int)value);
    return name;
}

/* TensorBoard writes the shape on the edges that leave the node. */
static void put_shape(gt_Proto *out, const gt_Spec *spec)
{
    size_t attribute = gt_proto_open(out, NODE_ATTRIBUTE);
    gt_proto_text(out, ENTRY_KEY, "_output_shapes");
    size_t value = gt_proto_open(out, ENTRY_VALUE), list = gt_proto_open(out, VALUE_LIST);
    size_t shape = gt_proto_open(out, LIST_SHAPE);
    for (int i = 0; i < spec->rank; i++) {
        size_t size = gt_proto_open(out, SHAPE_SIZE);
        gt_proto_integer(out, SIZE_NUMBER, spec->dims[i]);
        gt_proto_close(out, size);
    }
    gt_proto_close(out, shape);
    gt_proto_close(out, list);
    gt_proto_close(out, value);
    gt_proto_close(out, attribute);
}

static void put_node(gt_Proto *out, const gt_Graph *graph, gt_Layer *model, int32_t value,
                     const char *operation, const gt_GraphNode *node)
{
    char name[LONGEST];
    size_t at = gt_proto_open(out, GRAPH_NODE);
    gt_proto_text(out, NODE_NAME, name_of(graph, model, value, name));
    gt_proto_text(out, NODE_OPERATION, operation);
    for (int32_t i = 0; node && i < node->inputs; i++)
        if (node->input[i] >= 0)
            gt_proto_text(out, NODE_INPUT, name_of(graph, model, node->input[i], name));
    put_shape(out, &graph->values[value].spec);
    gt_proto_close(out, at);
}

gt_Status gt_put_model_graph(gt_Proto *out, const gt_LayerState *state)
{
    gt_Context *context = out->context;
    gt_Graph *graph = state->built_for_count > 0 ? trace(context, state) : NULL;
    for (int32_t i = 0; graph && i < graph->value_count; i++) {
        const gt_GraphValue *value = &graph->values[i];
        if (value->kind == GT_GRAPH_RESULT && value->index == 0)
            put_node(out, graph, state->layer, i, graph->nodes[value->node].operation->name,
                     &graph->nodes[value->node]);
        else if (value->kind == GT_GRAPH_VARIABLE)
            put_node(out, graph, state->layer, i, "Variable", NULL);
        else if (value->kind != GT_GRAPH_RESULT)
            put_node(out, graph, state->layer, i, value->kind == GT_GRAPH_INPUT ? "Placeholder" : "Const", NULL);
    }
    size_t at = gt_proto_open(out, GRAPH_VERSIONS);
    gt_proto_integer(out, 1, 1);
    gt_proto_close(out, at);
    gt_graph_free(graph);
    return gt_context_status(context);
}
