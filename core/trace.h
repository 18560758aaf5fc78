/* The struct of a trace, for core alone; other rooms use core/graph.h. */
#ifndef GT_CORE_TRACE_H
#define GT_CORE_TRACE_H

#include "core/graph.h"
#include "core/structs.h"

/* A variable with a symbolic value. */
typedef struct gt_TraceVariable {
    gt_Variable *variable; /* held */
    gt_Value *around;      /* its value in the trace around this one; NULL: none */
    int32_t first;         /* its symbol before it was changed */
} gt_TraceVariable;

struct gt_Trace {
    gt_Graph *graph;
    gt_Map constants;          /* the number of each in the graph */
    gt_Facts *facts;           /* what was asked, in the bodies too: of the outermost trace */
    const gt_CallFrame *frame; /* that was the innermost when it began */
    const char *here;          /* where the call was that it began in; NULL: not known */
    gt_Trace *outer;           /* NULL: not a body's */
    bool trial;                /* it finds shapes and is thrown away: text may be a symbol */
    gt_Captures *captures;     /* of a body */
    uint64_t tapes;            /* that were open before it began */
    uint32_t serial;
    gt_TraceVariable *variables;
    int32_t variable_count, variable_capacity;
};

/* Is the value a symbol of a trace that runs? */
bool gt_trace_knows(const gt_Context *context, const gt_Value *value);
/* Is an operation on this value written down, not run? In a body that is so for tensors too that a
 * tape around it may watch. */
static inline bool gt_trace_takes(const gt_Context *context, const gt_Value *value)
{
    return value->symbol >= 0 || (context->trace && context->trace->outer && gt_tapes_of(value));
}
/* The value of a variable at this point of the trace. */
gt_Value *gt_trace_variable(gt_Context *context, gt_Slot *slot);
/* Writes this node down, completed by options, lists and call site; `symbols` gets its outputs. */
gt_Status gt_trace_node(gt_Context *context, gt_GraphNode *node, const void *options,
                        gt_Value *const *input, const gt_Spec *output, gt_Slot *const *overwritten,
                        int32_t *symbols);
gt_Value *gt_trace_value(gt_Context *context, const gt_Spec *spec, int32_t symbol);

#endif
