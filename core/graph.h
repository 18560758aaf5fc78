/* The traced graph: what an operation would have computed, written down. There is one tracer;
 * plans, functional models, summaries, files and emitted C start from here. Sizes are concrete.
 *
 * Control flow is one node, whose bodies are graphs of their own. Bodies are traced inside the
 * trace around them, and what they read of it - symbols, variables, tensors under a tape - they
 * capture: it becomes an input of the node. So a body's graph has no variables: a variable that it
 * changes is a value like others inside, an output of the node, and is assigned by the trace around
 * it. */
#ifndef GT_CORE_GRAPH_H
#define GT_CORE_GRAPH_H

#include "core/fact.h"
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
    int32_t *input;  /* values; -1: absent */
    int32_t *output; /* values; in the block of the inputs */
    int32_t inputs, outputs;
    int32_t
        required;   /* of control flow: outputs from here on have no memory if nobody reads them */
    size_t scratch; /* of a worker; of control flow: memory besides the outputs, between rounds */
} gt_GraphNode;

struct gt_Plan;

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
    bool inner; /* a body of control flow. Who plans the graph around it makes it run: */
    struct gt_Plan *plan;
    gt_Status (*run)(struct gt_Plan *plan, const void *const *input, void *const *output);
} gt_Graph;

typedef enum gt_ControlKind {
    GT_CONTROL_BRANCH,
    GT_CONTROL_LOOP,
    GT_CONTROL_CALL /* the first body, once: a plan puts it in place of the node */
} gt_ControlKind;

/* The options of control flow (ops/control/traced_control.c). Plans know no more of it than this. */
#define GT_CONTROL_OPTIONS(F, S)                                                                   \
    F(S, gt_ControlKind, kind, GT_CONTROL_BRANCH, "what its bodies are")                           \
    F(S, gt_Graph *, first, NULL, "the branch if the predicate is not 0, or the body of a loop")   \
    F(S, gt_Graph *, second, NULL, "the other branch; the condition of a loop, or NULL")           \
    F(S, int32_t, carries, 0, "loop variables, and variables that it changes")                     \
    F(S, int32_t, states, 0, "how many of these are variables")                                    \
    F(S, int32_t, xs, 0, "what a loop goes along")                                                 \
    F(S, int32_t, ys, 0, "what a loop stacks")                                                     \
    F(S, int64_t, length, -1, "rounds, at most if they are counted otherwise; -1: no limit")       \
    F(S, bool, reverse, false, "from the last element of xs to the first")                         \
    F(S, bool, counted, false, "an input says how many rounds")
GT_OPTIONS(gt_Control, GT_CONTROL_OPTIONS);

/* What the kernel of control flow sees. Lists have any length, so those of gt_Kernel are empty. */
typedef struct gt_ControlKernel {
    gt_Kernel kernel; /* operation, options, context */
    const gt_Spec **input_spec;
    const void **input; /* NULL: absent */
    void **output;      /* NULL: nobody reads it */
    void *scratch;
    const void **argument; /* room for the inputs and outputs of a body */
    void **result;
} gt_ControlKernel;

/* What the bodies of one node read of the traces around them. */
typedef struct gt_Captures {
    gt_Value **value;               /* held */
    int32_t first, count, capacity; /* value[i] is argument number first + i of every body */
    gt_Map known;                   /* which i a value is */
} gt_Captures;

/* A variable with a symbolic value. */
typedef struct gt_TraceVariable {
    gt_Variable *variable; /* held */
    gt_Value *around;      /* its value in the trace around this one; NULL: none */
    int32_t first;         /* its symbol before it was changed */
} gt_TraceVariable;

struct gt_Trace {
    gt_Graph *graph;
    gt_Map constants;          /* the number of each in the graph */
    gt_Facts facts;            /* what was asked, in the bodies too: of the outermost trace */
    const gt_CallFrame *frame; /* that was the innermost when it began */
    gt_Trace *outer;           /* NULL: not a body's */
    gt_Captures *captures;     /* of a body */
    uint64_t tapes;            /* that were open before it began */
    uint32_t serial;
    gt_TraceVariable *variables;
    int32_t variable_count, variable_capacity;
};

/* Starts a trace; from here on operations on symbols and variables are written down. `graph` is
 * empty. */
gt_Status gt_trace_begin(gt_Context *context, gt_Trace *trace, gt_Graph *graph);
/* Starts the trace of a body inside the one that runs, whose graph owns the new graph. */
gt_Status gt_trace_begin_body(gt_Context *context, gt_Trace *trace, gt_Captures *captures);
void gt_trace_end(gt_Context *context, gt_Trace *trace); /* goes on holding the facts */
void gt_captures_close(gt_Context *context, gt_Captures *captures);
/* Is this layer's call, or NULL, where the function was called that is traced? */
bool gt_trace_called_from(const gt_Context *context, const gt_CallFrame *frame);
/* Is the value a symbol of a trace that runs? */
bool gt_trace_knows(const gt_Context *context, const gt_Value *value);
/* Does a tape that records now have the value, so that a gradient would come to it? */
bool gt_gradient_passes(const gt_Context *context, const gt_Value *value);
#define GT_NOT_AN_INPUT                                                                            \
    "the function reads a tensor that a tape watches, which is not among its inputs and would "    \
    "get "                                                                                         \
    "no gradient; gt_stop_gradient makes it a constant"
/* Is an operation on this value written down, not run? In a body that is so for tensors too that a
 * tape around it may watch. */
bool gt_trace_takes(const gt_Context *context, const gt_Value *value);
/* Builds of layers run eagerly inside a trace: suspend and resume. */
gt_Trace *gt_trace_suspend(gt_Context *context);
void gt_trace_resume(gt_Context *context, gt_Trace *trace);

/* A symbolic handle for the next argument of the function. */
gt_Tensor *gt_trace_input(gt_Context *context, const gt_Spec *spec);
/* The value of a variable at this point of the trace. */
gt_Value *gt_trace_variable(gt_Context *context, gt_Slot *slot);
/* Where output 0 begins in input 0, in elements; -1: it is no view of it. */
int64_t gt_view_offset(const gt_ShapeRule *rule);
/* The number of a value in the graph; a concrete one is captured. -1 on failure. */
int32_t gt_trace_symbol(gt_Context *context, gt_Value *value);
/* Writes down one node like this one, but for options and lists; `symbols` gets its outputs. */
gt_Status gt_trace_node(gt_Context *context, const gt_GraphNode *like, const void *options,
                        gt_Value *const *input, const gt_Spec *output, gt_Slot *const *overwritten,
                        int32_t *symbols);
gt_Value *gt_trace_value(gt_Context *context, const gt_Spec *spec, int32_t symbol);
/* Writes down a node that is not gt_apply's: control flow, or the effect of a body that is traced
 * again. Tapes record what is no effect; `output` gets handles of the innermost scope. */
gt_Status gt_trace_apply(gt_Context *context, const gt_GraphNode *like, const void *options,
                         gt_Value *const *input, const gt_Spec *spec, gt_Tensor **output);

gt_Graph *gt_graph_new(gt_Context *context);
/* The number of a new value; -1 on failure. Holds what the value says it holds. */
int32_t gt_graph_add(gt_Graph *graph, gt_GraphValue value);
void gt_graph_free_node(gt_Context *context, const gt_GraphNode *node); /* what it owns */
void gt_graph_free(gt_Graph *graph);
/* The value that is argument number `index`, new if there is none. -1 on failure. */
int32_t gt_graph_input(gt_Graph *graph, int32_t index, const gt_Spec *spec);
/* Drops the nodes of a body that is traced to its end and whose outputs do not need them. `used`, one
 * an argument, gets marks for those that are left. */
gt_Status gt_graph_prune(gt_Graph *graph, bool *used);
/* Do two graphs say the same? If not, `difference` says where. */
bool gt_graph_equal(const gt_Graph *a, const gt_Graph *b, char *difference, size_t size);

#endif
