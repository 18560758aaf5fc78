/* Writing a body down again, and pulling gradients back through one run of it. Private. */
#ifndef GT_OPS_REPLAY_H
#define GT_OPS_REPLAY_H

#include "ops/control/node.h"

/* Writes the nodes of a body down where the trace is now, with these arguments. */
gt_Status gt_replay(gt_Context *context, const gt_Graph *graph, gt_Tensor *const *argument,
                    gt_Tensor **result);

/* The rule without the wishes that no gradient can fulfil, whatever the numbers. False with an error raised on failure;
 * close it in any case. */
bool gt_rule_narrow(const gt_GradientRule *rule, gt_GradientRule *narrowed);
void gt_rule_narrow_close(const gt_GradientRule *narrowed);

/* Gradients through one run of a body. The lists have room for all that there can be. */
typedef struct gt_Pull {
    gt_GradientRule *rule;
    const gt_Control *control;
    gt_Tape *tape;
    gt_Tensor **argument, **result;
    gt_Tensor **source, **target, **upstream;
    int32_t sources, targets;
} gt_Pull;

/* Makes the lists and begins the tape. Close it also if that fails. */
bool gt_pull_open(gt_Pull *pull);
void gt_pull_source(gt_Pull *pull, gt_Tensor *source);
void gt_pull_target(gt_Pull *pull, gt_Tensor *target, gt_Tensor *upstream);
/* Argument number `at` is input number `input` of the record: a source if its gradient is wanted. */
void gt_pull_input(gt_Pull *pull, int32_t at, int32_t input);
/* The gradient of this input starts with the sum that arrived from elsewhere. */
void gt_pull_before(gt_Pull *pull, int32_t at, int32_t input);
/* Ends the tape; `gradients` gets one a source, NULL where there is none unless `zeros`. */
gt_Status gt_pull_close(gt_Pull *pull, gt_Tensor **gradients, bool zeros);

#endif
