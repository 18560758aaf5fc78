/* The nodes of control flow in the traced graph: their options, and the kernel that runs them. Their records have no mask
 * rule: a body may do anything with padding, so masks enter it with the values that it captures. Private. */
#ifndef GT_OPS_CONTROL_NODE_H
#define GT_OPS_CONTROL_NODE_H

#include "core/graph.h"

typedef enum gt_ControlKind {
    GT_CONTROL_BRANCH,
    GT_CONTROL_LOOP,
    GT_CONTROL_CALL /* the first body, once: a plan puts it in place of the node */
} gt_ControlKind;

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

/* The kernel of control flow. Lists have any length, so those of gt_Kernel are empty. */
typedef struct gt_ControlKernel {
    gt_Kernel kernel; /* operation, options, context */
    const gt_Spec **input_spec;
    const void **input; /* NULL: absent */
    void **output;      /* NULL: nobody reads it */
    void *scratch;
    const void **argument; /* room for the inputs and outputs of a body */
    void **result;
    /* Runs one of the bodies; `body` are those of the options, as who runs the node has prepared them. */
    gt_Status (*run_body)(void *body, const void *const *input, void *const *output);
    void *body[2];
} gt_ControlKernel;

#endif
