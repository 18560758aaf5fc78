/* The traced graph: what an operation would have computed, written down. There is one tracer;
 * plans, functional models, summaries, files and emitted C start from here. Sizes are concrete. */
#ifndef GT_CORE_GRAPH_H
#define GT_CORE_GRAPH_H

#include "core/internal.h"

typedef enum gt_GraphKind {
    GT_GRAPH_INPUT,    /* an argument of the function */
    GT_GRAPH_CONSTANT, /* a tensor from outside, or computed without any input */
    GT_GRAPH_VARIABLE, /* a variable as it is when the function starts */
    GT_GRAPH_LIVE,     /* a C number read at every run */
    GT_GRAPH_RESULT    /* an output of a node */
} gt_GraphKind;

typedef struct gt_GraphValue {
    gt_Spec spec;
    gt_GraphKind kind;
    gt_Value *constant;    /* CONSTANT: held */
    gt_Variable *variable; /* VARIABLE: which; RESULT: which one an effect overwrites; held */
    const double *live;    /* LIVE: where the number is */
    int32_t node;          /* RESULT */
    int32_t index;         /* INPUT: which argument; RESULT: which output */
} gt_GraphValue;

typedef struct gt_GraphNode {
    const gt_Operation *operation;
    void *options; /* owned; NULL if the operation has none */
    const char *here;
    int32_t *input; /* values; -1: absent */
    int32_t inputs, outputs;
    int32_t output[GT_MAX_OUTPUTS];
    size_t scratch;
} gt_GraphNode;

typedef struct gt_Graph {
    gt_Context *context;
    gt_GraphValue *values;
    gt_GraphNode *nodes;
    int32_t value_count, value_capacity, node_count, node_capacity;
    int32_t inputs;  /* values 0 .. inputs-1 */
    int32_t *output; /* values that the function returns */
    int32_t outputs;
} gt_Graph;

struct gt_Trace {
    gt_Graph *graph;
    gt_Variable **variables; /* those with a symbolic value */
    int32_t variable_count, variable_capacity;
};

/* Starts a trace; from here on operations on symbols and variables are written down. `graph` is
 * empty. */
gt_Status gt_trace_begin(gt_Context *context, gt_Trace *trace, gt_Graph *graph);
void gt_trace_end(gt_Context *context, gt_Trace *trace);
/* Builds of layers run eagerly inside a trace: suspend and resume. */
gt_Trace *gt_trace_suspend(gt_Context *context);
void gt_trace_resume(gt_Context *context, gt_Trace *trace);

/* A symbolic handle for the next argument of the function. */
gt_Tensor *gt_trace_input(gt_Context *context, const gt_Spec *spec);
/* The value of a variable at this point of the trace. */
gt_Value *gt_trace_variable(gt_Context *context, gt_Slot *slot);
/* The number of a value in the graph; a concrete one is captured. -1 on failure. */
int32_t gt_trace_symbol(gt_Context *context, gt_Value *value);
/* Writes down one node; `symbols` gets its outputs. */
gt_Status gt_trace_node(gt_Context *context, const gt_Operation *operation, const void *options,
                        const char *here, int inputs, gt_Value *const *input,
                        const gt_ShapeRule *rule, gt_Slot *const *overwritten, int32_t *symbols);
gt_Value *gt_trace_value(gt_Context *context, const gt_Spec *spec, int32_t symbol);

gt_Graph *gt_graph_new(gt_Context *context);
void gt_graph_free(gt_Graph *graph);
/* Do two graphs say the same? If not, `difference` says where. */
bool gt_graph_equal(const gt_Graph *a, const gt_Graph *b, char *difference, size_t size);

#endif
