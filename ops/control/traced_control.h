/* Control flow on numbers that are not known yet, in a traced function: one node each, with bodies
 * of its own (core/graph.h). A branch runs only if it is taken; a loop makes as many rounds as the
 * numbers ask for. Bodies capture what they read, and the variables that they change are assigned
 * behind the node. Private. */
#ifndef GT_OPS_TRACED_CONTROL_H
#define GT_OPS_TRACED_CONTROL_H

#include "ops/control/node.h"

#define GT_NOT_AN_INPUT                                                                            \
    "the function reads a tensor that a tape watches, which is not among its inputs and would "    \
    "get no gradient; gt_stop_gradient makes it a constant"

/* The predicate as a flag: is the number not 0? NaN counts as true, as in C. NULL on failure. */
gt_Tensor *gt_control_flag(gt_Tensor *number);

/* `yes` if the predicate, of one element, is not 0, else `no`; both get `inputs`. `result` gets
 * handles of the innermost scope. */
gt_Status gt_traced_cond(gt_Context *context, gt_Tensor *predicate, gt_FunctionBody yes,
                         gt_FunctionBody no, void *user, gt_Tensors inputs, int32_t outputs,
                         gt_Tensor **result);

/* `body` once, with `inputs`, as a piece that the plan puts in the place of the node. Tapes see one operation that holds
 * its inputs alone; its gradient writes the piece down again. */
gt_Status gt_traced_call(gt_Context *context, gt_FunctionBody body, void *user, gt_Tensors inputs,
                         int32_t outputs, gt_Tensor **result);

/* A loop. It runs as long as `condition` says, and `go` is its answer for the first loop variables; without a condition
 * `go`, an int64 scalar, is the number of rounds; without both `length` is. */
typedef struct gt_TracedLoop {
    gt_FunctionBody body;      /* of the loop variables and an element of each of xs: the next loop
                                  variables, then ys */
    gt_FunctionBody condition; /* of the loop variables: one number; NULL: none */
    void *user;
    gt_Tensors carries; /* the loop variables before the first round */
    gt_Tensors xs;      /* `length` elements each */
    int32_t ys;
    int64_t length; /* at most so many rounds; -1: no limit, and no gradient */
    bool reverse;   /* from the last element of xs, of those that there are rounds for */
    gt_Tensor *go;
} gt_TracedLoop;
/* `last` gets the last loop variables, `ys` the stacked outputs. */
gt_Status gt_traced_loop(gt_Context *context, const gt_TracedLoop *loop, gt_Tensor **last,
                         gt_Tensor **ys);

#endif
