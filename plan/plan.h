/* A traced graph made ready to run again and again: dead nodes gone, every intermediate at a fixed
 * place in one block, kernels prepared. Private. */
#ifndef GT_PLAN_PLAN_H
#define GT_PLAN_PLAN_H

#include "ops/control/node.h"

typedef struct gt_Plan gt_Plan;

typedef struct gt_PlanStats {
    int32_t operations; /* kernels of a run */
    int32_t copies;     /* moves of bytes besides */
    int64_t bytes;      /* of the block that holds intermediates and constants */
    int64_t naive;      /* what they would take without sharing memory */
} gt_PlanStats;

/* Takes over the graph, also when it fails, unless it is a body's. NULL with an error raised on failure. */
gt_Plan *gt_plan_new(gt_Graph *graph);
void gt_plan_free(gt_Plan *plan);
/* Does the plan read a variable that a recording tape watches, or would watch by itself? */
bool gt_plan_watched(const gt_Plan *plan);
/* Runs it. `input` are the arguments, held by the caller; `output`, all NULL before, gets new
 * handles of the innermost scope. If it fails no output is left, and no variable was changed unless
 * an effect itself failed (see plan.c). */
gt_Status gt_plan_run(gt_Plan *plan, gt_Value *const *input, gt_Tensor **output);
gt_PlanStats gt_plan_stats(const gt_Plan *plan);
/* From here on runs note the time of each step, from zero on; or no longer. */
gt_Status gt_plan_profile(gt_Plan *plan, bool on);

#endif
