/* The bodies of control flow in a traced function: tracing them into graphs of their own, writing such
 * a graph down once more with other arguments, and pulling gradients back through one run of it.
 * Private. */
#ifndef GT_OPS_TRACED_BODY_H
#define GT_OPS_TRACED_BODY_H

#include "ops/control/node.h"

/* Lists of `count` elements, all zero. */
void *gt_list_new(gt_Context *context, int64_t count, size_t element);
void gt_list_free(gt_Context *context, void *list, int64_t count, size_t element);

/* ---- tracing ---- */

typedef struct gt_TracedBody {
    gt_FunctionBody function;
    int32_t arguments; /* how many it gets of those that have no handle outside */
    int32_t results;
    gt_Trace *trace; /* while it is traced */
    gt_Graph *graph;
    int32_t *result; /* symbols */
    gt_TraceChange *changes;
    int32_t change_count, change_capacity;
} gt_TracedBody;

/* A node on its way: the first body, and the second if there is one. */
typedef struct gt_Bodies {
    gt_Context *context;
    void *user;
    gt_Tensors inputs;        /* what bodies get first */
    const gt_Spec *arguments; /* what they get then */
    gt_TracedBody body[2];
    gt_Captures captures;
    gt_TraceChange *states; /* what any of the bodies changes */
    int32_t state_count, state_capacity;
    gt_Map state_of; /* variable -> which of the states */
    int32_t *number; /* of a loop: the input of the node that each argument is */
    bool *used;      /* one an argument */
    int32_t number_count, used_count;
} gt_Bodies;

/* Traces one of the bodies. The tapes outside see the node, not what is in it. */
gt_Status gt_bodies_trace(gt_Bodies *draft, gt_TracedBody *body);
/* After all of them are traced: orders what they captured, and what they change, by walking back from
 * the results, operand by operand. They were met in the order in which C evaluated the arguments of
 * calls, which is another one with another compiler, and a gradient walk orders by the inputs. */
gt_Status gt_bodies_order(gt_Bodies *draft);
const gt_Spec *gt_body_result_spec(const gt_TracedBody *body, int32_t i);
/* A body returns its first results, the variables that are changed, then the other results. A body
 * that leaves a variable unchanged returns its old value. */
gt_Status gt_bodies_set_outputs(gt_Bodies *draft, gt_TracedBody *body, int32_t first,
                                bool with_states);
/* Finds out which arguments the bodies use, and drops the nodes that nobody needs. */
gt_Status gt_bodies_prune(gt_Bodies *draft, int32_t arguments);
/* A captured value as an input of the node; a variable among them is read by that. */
gt_Value *gt_bodies_captured(const gt_Bodies *draft, int32_t i);
/* Writes the node down, gives out its results and assigns what was changed: the outputs from
 * `first` on. */
gt_Status gt_bodies_finish(gt_Bodies *draft, gt_GraphNode *like, const gt_Control *options,
                           gt_Value *const *input, const gt_Spec *spec, int32_t first,
                           gt_Tensor **output);
void gt_bodies_close(gt_Bodies *draft);

/* The lists of a node: its inputs and what is known of its outputs. */
typedef struct gt_NodeLists {
    gt_Value **input;
    gt_Spec *spec;
    gt_Tensor **output;
} gt_NodeLists;

bool gt_node_lists_open(gt_Context *context, gt_NodeLists *lists, int32_t inputs, int32_t outputs);
void gt_node_lists_close(gt_Context *context, gt_NodeLists *lists, int32_t inputs, int32_t outputs);

/* ---- once more ---- */

/* Writes the nodes of a body down where the trace is now, with these arguments. */
gt_Status gt_replay(gt_Context *context, const gt_Graph *graph, gt_Tensor *const *argument,
                    gt_Tensor **result);

/* Gradients through one run of a body. The lists have room for all that there could be. */
typedef struct gt_Pull {
    gt_GradientRule *rule;
    const gt_Control *control;
    gt_Tape *tape;
    gt_Tensor **argument, **result;
    gt_Tensor **source, **target, **upstream;
    int32_t sources, targets;
} gt_Pull;

/* How many of anything there can be. */
int32_t gt_pull_room(const gt_GradientRule *rule);
/* Makes the lists and begins the tape. Close it also if that fails. */
bool gt_pull_open(gt_Pull *pull);
void gt_pull_source(gt_Pull *pull, gt_Tensor *source);
void gt_pull_target(gt_Pull *pull, gt_Tensor *target, gt_Tensor *upstream);
/* Argument number `at`, which input number `input` goes to: a source if it is wanted. */
void gt_pull_input(gt_Pull *pull, int32_t at, int32_t input);
/* The gradient of this input starts with what came from elsewhere. */
void gt_pull_before(gt_Pull *pull, int32_t at, int32_t input);
/* Ends the tape; `gradients` gets one a source, NULL where there is none unless `zeros`. */
gt_Status gt_pull_close(gt_Pull *pull, gt_Tensor **gradients, bool zeros);

#endif
