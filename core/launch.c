/* Lowering: from a call whose shapes are known to launches, as data. Leans on threads.c for running them. */
#include "core/launch.h"
#include "core/assert.h"
#include "core/structs.h"

static void *add_job(gt_Lowering *lowering, size_t bytes, uint32_t *at)
{
    *at = (lowering->job_bytes + 15u) & ~15u;
    lowering->job_bytes = *at + (uint32_t)bytes;
    GT_ASSERT(lowering->job_bytes <= GT_JOB_BYTES);
    return lowering->job + *at;
}

void *gt_lower_launch(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles, size_t bytes)
{
    GT_ASSERT(lowering->launches < GT_MAX_LAUNCHES);
    gt_Launch *launch = &lowering->launch[lowering->launches++];
    *launch = (gt_Launch){.kernel = (uint16_t)kernel, .tiles = tiles};
    return add_job(lowering, bytes, &launch->job);
}

void gt_lower_again(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles)
{
    GT_ASSERT(lowering->launches > 0 && lowering->launches < GT_MAX_LAUNCHES);
    const uint32_t job = lowering->launch[lowering->launches - 1].job;
    lowering->launch[lowering->launches++] =
        (gt_Launch){.kernel = (uint16_t)kernel, .tiles = tiles, .job = job};
}

void *gt_lower_check(gt_Lowering *lowering, gt_CheckKernelId check, int64_t tiles, size_t bytes)
{
    GT_ASSERT(lowering->check == GT_CHECK_none);
    lowering->check = check;
    lowering->check_tiles = tiles;
    return add_job(lowering, bytes, &lowering->check_job);
}

void gt_lower_span(gt_Lowering *lowering, int64_t span)
{
    lowering->launch[lowering->launches - 1].span = span;
}

void gt_lower_scratch(gt_Lowering *lowering, size_t bytes)
{
    lowering->launch[lowering->launches - 1].scratch = bytes;
}

int32_t gt_lower_temporary(gt_Lowering *lowering, const gt_ShapeRule *rule, size_t bytes)
{
    GT_ASSERT(lowering->temporaries < GT_MAX_TEMPORARIES);
    lowering->temporary[lowering->temporaries] = bytes;
    return rule->inputs + rule->outputs + lowering->temporaries++;
}

static bool has_elements(const gt_ShapeRule *rule)
{
    for (int32_t i = 0; i < rule->outputs; i++)
        if (rule->output[i].size > 0)
            return true;
    return false;
}

/* The job bytes are not cleared: only those that a job takes are read. */
void gt_lower(const gt_ShapeRule *rule, const gt_KernelTable *target, gt_Lowering *lowering)
{
    lowering->target = target;
    lowering->launches = lowering->temporaries = 0;
    lowering->job_bytes = 0;
    lowering->check = GT_CHECK_none;
    rule->operation->lower(rule, lowering);
    if (!has_elements(rule))
        lowering->launches = lowering->temporaries = 0;
}

size_t gt_lowering_scratch(const gt_Lowering *lowering)
{
    size_t most = 0;
    for (int32_t i = 0; i < lowering->launches; i++)
        most = lowering->launch[i].scratch > most ? lowering->launch[i].scratch : most;
    return most;
}

gt_CheckKernel *gt_check_kernel(gt_CheckKernelId check)
{
    return gt_check_kernels[check];
}

gt_Status gt_launch_check(gt_Context *context, const gt_ShapeRule *rule,
                          const gt_Lowering *lowering, void *const *at)
{
    gt_CheckKernel *check = gt_check_kernel(lowering->check);
    int64_t bad = check(lowering->job + lowering->check_job, at, 0, lowering->check_tiles);
    if (bad >= 0)
        rule->operation->complain(rule, at, bad);
    return context->status;
}
