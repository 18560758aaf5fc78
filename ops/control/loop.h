/* The node of a loop: what its files share. Inputs and outputs stand in this order, n being the loop variables together
 * with the variables that the loop changes (`carries`, of which the last `states` are these variables):
 *
 *   inputs    n carries, xs, go, captures
 *   outputs   n carries, ys; and if the number of rounds is limited: n stacks of the carries before each round, the count
 *
 * `go` is the condition of the first round, or the number of rounds. Private. */
#ifndef GT_OPS_LOOP_H
#define GT_OPS_LOOP_H

#include "ops/control/node.h"

/* The spec of carry j, or for j >= n of the element of a stacked output. */
static inline const gt_Spec *gt_loop_spec(const gt_Control *control, int32_t j)
{
    return &control->first->values[control->first->output[j]].spec;
}

/* How many carries gradients flow through from round to round: the loop variables, without changed variables, whose
 * gradient is a sum over all rounds. */
static inline int32_t gt_loop_flowing(const gt_Control *control)
{
    return control->carries - control->states;
}

/* Inputs. */
static inline int32_t gt_loop_go(const gt_Control *control)
{
    return control->carries + control->xs;
}

/* Outputs. */
static inline int32_t gt_loop_stack(const gt_Control *control, int32_t j)
{
    return control->carries + control->ys + j;
}
static inline int32_t gt_loop_count(const gt_Control *control)
{
    return 2 * control->carries + control->ys;
}

/* Bytes of the memory between rounds (loop_run.c). */
size_t gt_loop_scratch(const gt_Control *control);
gt_Status gt_loop_run(const gt_Kernel *kernel);
gt_Status gt_loop_gradient(gt_GradientRule *rule);

#endif
