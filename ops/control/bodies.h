/* The bodies of control flow in a traced function, traced into graphs of their own. Private. */
#ifndef GT_OPS_BODIES_H
#define GT_OPS_BODIES_H

#include "ops/control/node.h"

typedef struct gt_TracedBody {
    gt_FunctionBody function;
    int32_t arguments; /* how many of gt_Bodies.arguments it gets */
    int32_t results;
    gt_Trace *trace; /* while it is traced */
    gt_Graph *graph;
    int32_t *result; /* symbols */
    gt_TraceChange *changes;
    int32_t change_count, change_capacity;
} gt_TracedBody;

/* A node in the making: the first body, and the second if there is one. */
typedef struct gt_Bodies {
    gt_Context *context;
    void *user;
    gt_Tensors inputs;        /* the first arguments of each body: handles from outside */
    const gt_Spec *arguments; /* the next ones: symbols of the body */
    gt_TracedBody body[2];
    gt_Captures captures;
    gt_TraceChange *states; /* the variables that any of the bodies changes */
    int32_t state_count, state_capacity;
    gt_Map state_of; /* variable -> which of the states */
    int32_t *number; /* of a loop: the input of the node that each argument is */
    bool *used;      /* one an argument */
    int32_t number_count, used_count;
} gt_Bodies;

/* Traces one of the bodies. The tapes outside see the node, not what is in it. */
gt_Status gt_bodies_trace(gt_Bodies *draft, gt_TracedBody *body);
/* After all of them are traced: orders captures and changed variables by walking back from the results, operand by
 * operand, so that nothing depends on the order in which C evaluated the arguments of calls. */
gt_Status gt_bodies_order(gt_Bodies *draft);
const gt_Spec *gt_body_result_spec(const gt_TracedBody *body, int32_t i);
/* A body returns its first results, the variables that are changed, then the other results. A body
 * that leaves a variable unchanged returns its old value. */
gt_Status gt_bodies_set_outputs(gt_Bodies *draft, gt_TracedBody *body, int32_t first,
                                bool with_states);
/* Finds out which arguments the bodies use, and drops the nodes that nobody needs. */
gt_Status gt_bodies_prune(gt_Bodies *draft, int32_t arguments);
/* A captured value as an input of the node. Tapes that watch variables by themselves learn of a variable's. */
gt_Value *gt_bodies_captured(const gt_Bodies *draft, int32_t i);
/* Writes the node down, gives out its results and assigns what was changed: the outputs from
 * `first` on. */
gt_Status gt_bodies_finish(gt_Bodies *draft, gt_GraphNode *like, const gt_Control *options,
                           gt_Value *const *input, const gt_Spec *spec, int32_t first,
                           gt_Tensor **output);
void gt_bodies_close(gt_Bodies *draft);

/* The lists of a node: its inputs, the specs of its outputs and handles to these. */
typedef struct gt_NodeLists {
    gt_Value **input;
    gt_Spec *spec;
    gt_Tensor **output;
} gt_NodeLists;

bool gt_node_lists_open(gt_Context *context, gt_NodeLists *lists, int32_t inputs, int32_t outputs);
void gt_node_lists_close(gt_Context *context, gt_NodeLists *lists, int32_t inputs, int32_t outputs);

#endif
