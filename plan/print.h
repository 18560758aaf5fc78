/* A plan as text. Private to plan/. */
#ifndef GT_PLAN_PRINT_H
#define GT_PLAN_PRINT_H

#include "plan/data.h"
#include "plan/function.h"

/* A text that grows. */
typedef struct gt_PlanText {
    gt_Context *context;
    char *text; /* ends with 0; NULL: empty */
    size_t used, capacity;
} gt_PlanText;

/* Adds to the text; a failure is pending afterwards. */
void gt_plan_put(gt_PlanText *into, const char *text);
void gt_plan_format(gt_PlanText *into, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void gt_plan_text_close(gt_PlanText *text);

/* Adds the plan, and the plans of its bodies (print.c, json.c, dot.c). */
gt_Status gt_plan_print(const gt_Plan *plan, gt_PlanFormat format, gt_PlanText *into);
void gt_plan_print_json(const gt_Plan *plan, gt_PlanText *into);
void gt_plan_print_dot(const gt_Plan *plan, gt_PlanText *into);

/* The plan that was used last; NULL with an error raised as `operation` if there is none (function.c). */
const gt_Plan *gt_function_plan(const char *here, const char *operation, gt_Function *function);
/* The value whose numbers a value has: through all views (dot.c). */
int32_t gt_plan_source(const gt_Graph *graph, int32_t value);

/* ---- what the formats share ---- */

#define GT_BASE_NAME 160
/* The name of a base that is not the block: "in0", "out0", "const0", or of a variable its own. */
const char *gt_base_name(const gt_Plan *plan, int32_t base, char text[GT_BASE_NAME]);
/* A place: "@64" in the block, "in0", "in0+12", "-" for none. */
const char *gt_ref_name(const gt_Plan *plan, gt_Ref ref, char text[GT_BASE_NAME + 24]);
/* The part that body i of a step of control flow plays: "round", "condition", "if true", "if false". */
const char *gt_body_name(const gt_PlanStep *step, int i);

#endif
