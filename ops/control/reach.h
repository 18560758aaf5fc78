/* The ways that gradients can take through the bodies of control flow. Private. */
#ifndef GT_OPS_REACH_H
#define GT_OPS_REACH_H

#include "ops/control/node.h"

/* Marks the inputs of a node of control flow that gradients of its marked outputs come to, with any
 * numbers. Lists have one an input and one an output of the node. */
gt_Status gt_reach_back(gt_Context *context, const gt_Control *control, const bool *output,
                        bool *input);
/* Marks the loop variables and ys of a loop, in this order and without the variables that it changes, if numbers choose on
 * the way to them. */
gt_Status gt_reach_choices(gt_Context *context, const gt_Control *control, bool *output);

#endif
