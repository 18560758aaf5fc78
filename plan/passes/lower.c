/* Lowering: a step whose operation has `lower` becomes launches, with job bytes that name no address, and perhaps a check
 * that looks at the numbers first. Temporaries get cells that live as long as their step runs. Steps of other operations
 * keep `run`. Leans on core/launch.c. */
#include "plan/program.h"

#include <string.h>

/* Room for more bytes of jobs; it doubles. */
static gt_Status reserve_jobs(gt_Plan *plan, size_t bytes)
{
    if (plan->job_bytes + bytes <= plan->job_capacity)
        return GT_OK;
    size_t capacity = plan->job_capacity ? 2 * plan->job_capacity : 4 * GT_JOB_BYTES;
    unsigned char *grown = gt_allocate(plan->context, capacity);
    if (!grown)
        return gt_context_status(plan->context);
    if (plan->job_bytes)
        memcpy(grown, plan->jobs, plan->job_bytes);
    gt_release(plan->context, plan->jobs, plan->job_capacity);
    plan->jobs = grown;
    plan->job_capacity = capacity;
    return GT_OK;
}

/* Moves a lowering into the plan: its launches and its check count their jobs from the first job byte of the plan. */
static gt_Status keep_launches(gt_Plan *plan, gt_ProgramStep *step, const gt_Lowering *lowering)
{
    gt_Context *context = plan->context;
    plan->job_bytes = (plan->job_bytes + 15) & ~(size_t)15;
    /* One more: a job without bytes has an address too. */
    if (reserve_jobs(plan, lowering->job_bytes + 1) != GT_OK)
        return gt_context_status(context);
    step->launch = plan->launch_count;
    step->launches = lowering->launches;
    step->check = -1;
    for (int32_t i = 0; i < lowering->launches; i++) {
        if (!gt_reserve(context, (void **)&plan->launches, plan->launch_count,
                        &plan->launch_capacity, sizeof *plan->launches))
            return gt_context_status(context);
        gt_Launch *launch = &plan->launches[plan->launch_count++];
        *launch = lowering->launch[i];
        launch->job += (uint32_t)plan->job_bytes;
        plan->scratch = launch->scratch > plan->scratch ? launch->scratch : plan->scratch;
    }
    if (lowering->check != GT_CHECK_none) {
        if (!gt_reserve(context, (void **)&plan->checks, plan->check_count, &plan->check_capacity,
                        sizeof *plan->checks))
            return gt_context_status(context);
        step->check = plan->check_count;
        plan->checks[plan->check_count++] = (gt_PlanCheck){
            lowering->check, plan->job_bytes + lowering->check_job, lowering->check_tiles};
    }
    memcpy(plan->jobs + plan->job_bytes, lowering->job, lowering->job_bytes);
    plan->job_bytes += lowering->job_bytes;
    return GT_OK;
}

gt_Status gt_pass_lower(gt_Program *program)
{
    gt_Plan *plan = program->plan;
    gt_Context *context = program->context;
    for (int32_t s = 0; s < program->step_count; s++) {
        gt_ProgramStep *step = &program->steps[s];
        const gt_GraphNode *node = step->node < 0 ? NULL : &program->graph->nodes[step->node];
        if (!node || !node->operation->lower)
            continue;
        gt_ShapeRule rule;
        gt_graph_rule(program->graph, node, &rule);
        gt_Lowering lowering;
        gt_lower(&rule, gt_context_kernels(context), &lowering);
        step->lowered = true;
        if (keep_launches(plan, step, &lowering) != GT_OK)
            return gt_context_status(context);
        step->temporaries = lowering.temporaries;
        for (int32_t i = 0; i < lowering.temporaries; i++) {
            int32_t cell = step->temporary[i] =
                gt_cell_new(program, lowering.temporary[i], GT_BASE_BLOCK);
            if (cell < 0)
                return gt_context_status(context);
            program->cells[cell].piece.first = program->cells[cell].piece.last = s;
        }
    }
    return GT_OK;
}
