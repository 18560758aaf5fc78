/* The traced graph: what operations would have computed, written down. There is one tracer; plans, functional
 * models, summaries, files and emitted C start from here. Sizes are concrete.
 *
 * A graph is data: lists of values and of nodes, which name each other by number, nodes in the order in which they
 * were written. Every room may read it; core writes it. For y = exp(x) * x:
 *
 *     values   0 argument 0    1 output 0 of node 0    2 output 0 of node 1
 *     nodes    0 exp (0) -> (1)    1 multiply (1, 0) -> (2)
 *     output   2
 *
 * Control flow is one node, whose bodies are graphs of their own, among its options (fields of type gt_Graph *).
 * Bodies are traced inside the trace around them, and what they read of it - symbols, variables, tensors under a
 * tape - they capture: it becomes an input of the node. So a body's graph has no variables: a variable that it
 * changes is a value like others inside, an output of the node, and is assigned by the trace around it.
 * Private. */
#ifndef GT_CORE_GRAPH_H
#define GT_CORE_GRAPH_H

#include "core/fact.h"
#include "core/inside.h"

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
    void *options;    /* owned; NULL if the operation has none */
    const char *name; /* for people; NULL: the operation's. The graph's */
    const char *here;
    bool at_call; /* `here` is where the function was called that was traced, as by gt_fit: the next call is elsewhere */
    const char *
        path; /* of the layer that was being called, "model/dense_1"; the graph's. NULL: none was */
    const gt_Operation *gradient_of; /* whose gradient rule applied it; NULL: none did */
    int32_t *input;                  /* values; -1: absent */
    int32_t *output;                 /* values; in the block of the inputs */
    int32_t inputs, outputs;
    int32_t
        required; /* of control flow: outputs from here on have no memory if nobody reads them */
    int32_t
        piece; /* 0, or the piece that it is a part of since plan/inline.c: what is computed again stays apart */
    size_t scratch; /* of a worker; of control flow: memory besides the outputs, between rounds */
} gt_GraphNode;

typedef struct gt_Graph {
    gt_Context *context;
    gt_GraphValue *values;
    gt_GraphNode *nodes;
    int32_t value_count, value_capacity, node_count, node_capacity;
    int32_t inputs;   /* arguments; a body need not have a value for each */
    gt_Map arguments; /* the value of each, while it is traced */
    int32_t *output;  /* values that the function returns */
    int32_t outputs;
    struct gt_Graph **bodies; /* of its control flow; owned */
    int32_t body_count, body_capacity;
    char **paths; /* of its nodes; owned */
    int32_t path_count, path_capacity;
    bool inner; /* a body of control flow */
} gt_Graph;

/* ---- graphs ---- */

gt_Graph *gt_graph_new(gt_Context *context);
/* Room in an empty graph for so many values and nodes. */
gt_Status gt_graph_reserve(gt_Graph *graph, int32_t values, int32_t nodes);
void gt_graph_free(gt_Graph *graph);
/* The number of a new value; -1 on failure. Holds what the value says it holds. */
int32_t gt_graph_add(gt_Graph *graph, const gt_GraphValue *value);
/* The value that is argument number `index`, new if there is none. -1 on failure. */
int32_t gt_graph_input(gt_Graph *graph, int32_t index, const gt_Spec *spec);
/* The path as long as the graph lives; that of the node before it if both say the same. NULL on failure. */
const char *gt_graph_path(gt_Graph *graph, const char *path);
/* Frees what a node owns. */
void gt_graph_free_node(gt_Context *context, const gt_GraphNode *node);
/* The shape rule's answer for a node, as it was when the node was written down; of the lists just what there is. */
void gt_graph_rule(const gt_Graph *graph, const gt_GraphNode *node, gt_ShapeRule *rule);
/* Drops the nodes of a body that is traced to its end and whose outputs do not need them. `used`, one
 * an argument, gets marks for those that are left. */
gt_Status gt_graph_prune(gt_Graph *graph, bool *used);
/* Do the options of two nodes say the same? Addresses, of the user's own things too, may change from trace to trace: they
 * are compared if the two are of one trace. */
bool gt_options_equal(const gt_OptionType *type, const void *a, const void *b, bool addresses);
/* Do two graphs say the same? If not, `difference` says where. */
bool gt_graph_equal(const gt_Graph *a, const gt_Graph *b, char *difference, size_t size);

/* ---- tracing ---- */

/* Starts a trace: from here on operations on symbols and variables are written down in `graph`, which is empty.
 * Questions that C code asks meanwhile go to `facts`. NULL with an error raised on failure. */
gt_Trace *gt_trace_begin(gt_Context *context, gt_Graph *graph, gt_Facts *facts);
/* The values that the bodies of one node read of the traces around them. */
typedef struct gt_Captures {
    gt_Value **value;               /* held */
    int32_t first, count, capacity; /* value[i] is argument number first + i of every body */
    gt_Map known;                   /* which i a value is */
} gt_Captures;
/* Starts the trace of a body inside the one that runs. The graph around owns the body's, which `graph` gets. */
gt_Trace *gt_trace_begin_body(gt_Context *context, gt_Captures *captures, gt_Graph **graph);
/* The trace finds shapes and is thrown away: text may be a symbol in it (core/strings_inside.h). Does such a one run? */
void gt_trace_try(gt_Trace *trace);
bool gt_trace_tries(const gt_Context *context);
void gt_trace_end(gt_Context *context, gt_Trace *trace);
void gt_captures_close(gt_Context *context, gt_Captures *captures);

/* A symbolic handle for the next argument of the function. */
gt_Tensor *gt_trace_input(gt_Context *context, const gt_Spec *spec);
/* The number of a value in the graph; a concrete one is captured. -1 on failure. */
int32_t gt_trace_symbol(gt_Context *context, gt_Value *value);
/* A variable that a body changed, so far as it is traced. */
typedef struct gt_TraceChange {
    gt_Variable *variable;
    int32_t argument; /* the old value */
    int32_t symbol;   /* the new one */
} gt_TraceChange;
/* The first of them from number *at on, which moves behind it; begin with 0. False: there is none. */
bool gt_trace_next_change(const gt_Trace *trace, int32_t *at, gt_TraceChange *change);
/* Writes down a node that is not gt_apply's: control flow, or the effect of a body that is traced
 * again. Tapes record what is no effect; `output` gets handles of the innermost scope. */
gt_Status gt_trace_apply(gt_Context *context, const gt_GraphNode *like, const void *options,
                         gt_Value *const *input, const gt_Spec *spec, gt_Tensor **output);

#endif
