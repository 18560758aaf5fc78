/* A plan as text. Private to plan/. */
#ifndef GT_PLAN_PRINT_H
#define GT_PLAN_PRINT_H

#include "plan/plan.h"

/* A text that grows. */
typedef struct gt_PlanText {
    char *text; /* ends with 0; NULL: empty */
    size_t used, capacity;
} gt_PlanText;

/* Adds the plan, and the plans of its bodies. */
gt_Status gt_plan_print(const gt_Plan *plan, gt_PlanText *into);
void gt_plan_text_close(gt_Context *context, gt_PlanText *text);

#endif
