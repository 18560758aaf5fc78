/* A plan as data: what the runner, the printer and the profiler read alike. Nothing in it points into a run: a step names
 * its operands by references, a base and an offset, and the addresses of the bases are looked up at each run.
 *
 *   base 0             no memory: an absent input, an output that nobody reads
 *   base 1             the plan's own block: intermediates, temporaries, small constants
 *   base 2             scratch memory of the worker that runs some rows of a group of steps (passes/rows.c)
 *   then               arguments, outputs, variables, large constants, in this order
 *
 * y = exp(x) * w for an argument x and a variable w is
 *
 *     bases   1 block    3 argument 0    4 output 0    5 variable w
 *     steps   exp (3+0) -> (1+0)    multiply (1+0, 5+0) -> (4+0)
 *
 * Private to plan/. */
#ifndef GT_PLAN_DATA_H
#define GT_PLAN_DATA_H

#include "core/launch.h"
#include "ops/control/node.h"
#include "plan/plan.h"

enum { GT_WAVE_STEPS = 32, GT_WAVE_OPERANDS = 320 }; /* of one wave, at most */

enum { GT_BASE_NONE, GT_BASE_BLOCK, GT_BASE_ROWS, GT_BASE_FIRST };

/* 8 bytes: 24 bits for the base, 40 for the bytes behind its address. */
typedef struct gt_Ref {
    uint64_t bits;
} gt_Ref;

#define GT_REF_OFFSET_BITS 40
#define GT_REF_MOST_BASES  ((int32_t)1 << 24)
#define GT_REF_MOST_BYTES  ((size_t)1 << GT_REF_OFFSET_BITS)

static inline gt_Ref gt_ref(int32_t base, size_t offset)
{
    return (gt_Ref){(uint64_t)base << GT_REF_OFFSET_BITS | (uint64_t)offset};
}
static inline int32_t gt_ref_base(gt_Ref ref)
{
    return (int32_t)(ref.bits >> GT_REF_OFFSET_BITS);
}
static inline size_t gt_ref_offset(gt_Ref ref)
{
    return (size_t)(ref.bits & (GT_REF_MOST_BYTES - 1));
}

/* A place in scratch memory: its offset, and the bytes of a tile, which it has for each tile that is run. */
#define GT_ROWS_BITS 20
#define GT_ROWS_MOST ((size_t)1 << GT_ROWS_BITS)
static inline gt_Ref gt_ref_rows(size_t offset, size_t tile)
{
    return gt_ref(GT_BASE_ROWS, tile << GT_ROWS_BITS | offset);
}
static inline size_t gt_ref_rows_offset(gt_Ref ref)
{
    return (size_t)(ref.bits & (GT_ROWS_MOST - 1));
}
static inline size_t gt_ref_rows_tile(gt_Ref ref)
{
    return gt_ref_offset(ref) >> GT_ROWS_BITS;
}

/* Steps that run together, `count` of their `rows` rows at a time: tile after tile of each of them. */
typedef struct gt_PlanGroup {
    int32_t steps;
    int64_t rows, count, tiles;
    size_t bytes; /* of scratch memory, in front of that of the launches */
} gt_PlanGroup;

/* One operation, or a copy of bytes. */
typedef struct gt_PlanStep {
    int32_t
        ref; /* the first of its references: inputs, outputs, temporaries or the memory of control flow */
    int32_t operands; /* how many these are */
    bool lowered;     /* it has launches, perhaps none; else `run` */
    int32_t
        together; /* this step and those after it that are of its wave: any order of them gives the same, or they are a group */
    int32_t group;                 /* among the plan's: the one that begins here; -1: none */
    int32_t launch, launches;      /* among the plan's */
    int32_t check;                 /* among the plan's; -1: none */
    gt_StepSite site;              /* for messages */
    const gt_Operation *operation; /* NULL: a copy */
    const void *options;
    int32_t node; /* of the graph; -1: a copy */
    int32_t inputs, outputs, temporaries;
    int32_t control; /* among the plan's; -1: it is no control flow */
    size_t bytes;    /* of a copy */
} gt_PlanStep;

/* The time that a step took, in all runs since profiling began. */
typedef struct gt_PlanTime {
    int64_t nanoseconds, runs;
} gt_PlanTime;

/* A kernel that looks at the numbers before a step runs. */
typedef struct gt_PlanCheck {
    gt_CheckKernelId check;
    size_t job; /* among the plan's job bytes */
    int64_t tiles;
} gt_PlanCheck;

/* The lists that a step of control flow works on, filled at each run; in one block. */
typedef struct gt_PlanControl {
    gt_ControlKernel kernel;
    void **lists;
    size_t bytes;
} gt_PlanControl;

typedef struct gt_PlanVariable {
    gt_Variable *variable; /* the graph holds it */
    bool overwritten;
} gt_PlanVariable;

typedef struct gt_PlanOutput {
    gt_Spec spec;
    const gt_Operation *probability; /* that made it; NULL: none is known */
} gt_PlanOutput;

/* A C number that is read at every run. */
typedef struct gt_PlanLive {
    const double *number;
    gt_DType dtype;
    size_t offset; /* in the block */
} gt_PlanLive;

struct gt_Plan {
    gt_Context *context;
    gt_Graph *graph; /* what it was made from: specs, options, constants */
    gt_PlanStep *steps;
    int32_t step_count;
    int32_t commit;  /* the first step that changes a variable */
    gt_Ref *refs;    /* of all steps */
    int32_t *values; /* the value of the graph that each reference is to; -1: none */
    int32_t ref_count, ref_room;
    gt_Launch *launches; /* `job` counts from the first of the plan's job bytes */
    int32_t launch_count, launch_capacity;
    gt_PlanCheck *checks;
    int32_t check_count, check_capacity;
    unsigned char *jobs;
    size_t job_bytes, job_capacity;
    gt_PlanGroup *groups;
    int32_t group_count, group_capacity;
    gt_PlanControl *controls;
    int32_t control_count;
    gt_Plan **bodies; /* those that were made for this one */
    int32_t body_count, body_capacity;
    gt_Map known_bodies; /* graph -> which of them */
    int32_t inputs, outputs, variable_count, constant_count, base_count;
    gt_PlanOutput *output;
    gt_PlanVariable *variables;
    int32_t *constants; /* values of the graph: those that are not in the block */
    gt_PlanLive *live;
    int32_t live_count;
    char *block;
    size_t block_bytes, scratch;
    gt_PlanStats stats;
    uintptr_t *base;    /* of the run that is going on: the address of each base */
    gt_PlanTime *times; /* one a step, while the function is profiled; else NULL */
};

/* Zeroed arrays that are never empty. */
static inline void *gt_plan_array(gt_Context *context, int32_t count, size_t element)
{
    return gt_allocate_zeroed(context, (size_t)(count ? count : 1) * element);
}
static inline void gt_plan_drop(gt_Context *context, void *block, int32_t count, size_t element)
{
    gt_release(context, block, (size_t)(count ? count : 1) * element);
}

static inline int32_t gt_plan_input_base(int32_t i)
{
    return GT_BASE_FIRST + i;
}
static inline int32_t gt_plan_output_base(const gt_Plan *plan, int32_t i)
{
    return GT_BASE_FIRST + plan->inputs + i;
}
static inline int32_t gt_plan_variable_base(const gt_Plan *plan, int32_t i)
{
    return GT_BASE_FIRST + plan->inputs + plan->outputs + i;
}
static inline int32_t gt_plan_constant_base(const gt_Plan *plan, int32_t i)
{
    return GT_BASE_FIRST + plan->inputs + plan->outputs + plan->variable_count + i;
}

/* Runs the plan of a body on memory that the plan around it has made room for (run.c). */
gt_Status gt_plan_run_body(void *plan, const void *const *input, void *const *output);

#endif
