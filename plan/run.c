/* Running a plan. Before the first step: memory for everything that may fail for want of it, and the address of every
 * base. Then the steps one after the other; each looks up its operands, base plus offset.
 *
 * Interrupts are not asked for once variables change: a run happens as a whole or not at all, save for an effect whose own
 * kernel fails. Leans on core/launch.h. */
#include "plan/data.h"
#include "core/assert.h"

#include <string.h>
#include <time.h>

/* A run that is going on. */
typedef struct Run {
    gt_Plan *plan;
    const uintptr_t *base;
    const gt_KernelTable *kernels;
    const gt_PlanStep *group; /* the first step of the group of rows that is at work */
    gt_Kernel kernel; /* of the steps that have `run`; filled anew for each, but for the context */
} Run;

static inline void *address(const Run *run, gt_Ref ref)
{
    return (void *)(run->base[gt_ref_base(ref)] + gt_ref_offset(ref)); /* NOLINT */
}

/* ---- steps ---- */

static gt_Status check_step(const Run *run, const gt_PlanStep *step, void *const *at)
{
    const gt_Plan *plan = run->plan;
    const gt_PlanCheck *check = &plan->checks[step->check];
    int64_t bad = gt_check_kernel(check->check)(plan->jobs + check->job, at, 0, check->tiles);
    if (bad < 0)
        return GT_OK;
    gt_ShapeRule rule;
    gt_graph_rule(plan->graph, &plan->graph->nodes[step->node], &rule);
    return step->operation->complain(&rule, at, bad);
}

static inline gt_Status run_launches(const Run *run, const gt_PlanStep *step)
{
    const gt_Plan *plan = run->plan;
    void *at[GT_MAX_INPUTS + GT_MAX_OUTPUTS + GT_MAX_TEMPORARIES];
    const gt_Ref *ref = plan->refs + step->ref;
    for (int32_t i = 0; i < step->operands; i++)
        at[i] = address(run, ref[i]);
    if (step->check >= 0 && check_step(run, step, at) != GT_OK)
        return gt_context_status(plan->context);
    gt_Status status = GT_OK;
    for (int32_t i = step->launch; i < step->launch + step->launches && status == GT_OK; i++) {
        const gt_Launch *launch = &plan->launches[i];
        status = gt_launch_tiles(plan->context, launch, plan->jobs + launch->job, at);
    }
    return status;
}

static gt_Status run_kernel(Run *run, const gt_PlanStep *step)
{
    const gt_Plan *plan = run->plan;
    const gt_Ref *ref = plan->refs + step->ref;
    const int32_t *value = plan->values + step->ref;
    const gt_GraphValue *values = plan->graph->values;
    gt_Kernel *kernel = &run->kernel;
    kernel->operation = step->operation;
    kernel->options = step->options;
    kernel->inputs = step->inputs;
    kernel->outputs = step->outputs;
    for (int32_t i = 0; i < step->inputs; i++, ref++, value++) {
        kernel->input_spec[i] = *value < 0 ? NULL : &values[*value].spec;
        kernel->input[i] = address(run, *ref);
    }
    for (int32_t i = 0; i < step->outputs; i++, ref++, value++) {
        kernel->output_spec[i] = &values[*value].spec;
        kernel->output[i] = address(run, *ref);
    }
    return step->operation->run(kernel);
}

static gt_Status run_control(const Run *run, const gt_PlanStep *step)
{
    const gt_Ref *ref = run->plan->refs + step->ref;
    gt_ControlKernel *control = &run->plan->controls[step->control].kernel;
    for (int32_t i = 0; i < step->inputs; i++)
        control->input[i] = address(run, *ref++);
    for (int32_t i = 0; i < step->outputs; i++)
        control->output[i] = address(run, *ref++);
    control->scratch = address(run, *ref);
    return step->operation->run(&control->kernel);
}

static gt_Status run_copy(const Run *run, const gt_PlanStep *step)
{
    const gt_Ref *ref = run->plan->refs + step->ref;
    if (step->bytes)
        memcpy(address(run, ref[1]), address(run, ref[0]), step->bytes);
    return GT_OK;
}

static gt_Status run_step(Run *run, const gt_PlanStep *step)
{
    if (step->lowered)
        return run_launches(run, step);
    if (!step->operation)
        return run_copy(run, step);
    return step->control >= 0 ? run_control(run, step) : run_kernel(run, step);
}

/* Effects are checked by what computed the new value, control flow inside of its bodies. */
static gt_Status check_outputs(const Run *run, const gt_PlanStep *step)
{
    const gt_Plan *plan = run->plan;
    int32_t first = step->ref + step->inputs;
    gt_Status status = GT_OK;
    if (!step->operation || step->operation->flags & (GT_OP_EFFECT | GT_OP_CONTROL))
        return GT_OK;
    for (int32_t i = first; i < first + step->outputs && status == GT_OK; i++)
        status = gt_check_finite(plan->context, NULL, step->operation,
                                 &plan->graph->values[plan->values[i]].spec,
                                 address(run, plan->refs[i]));
    return status;
}

static int64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static gt_Status run_timed(Run *run, const gt_PlanStep *step)
{
    gt_PlanTime *time = &run->plan->times[step - run->plan->steps];
    int64_t began = nanoseconds_now();
    gt_Status status = run_step(run, step);
    time->nanoseconds += nanoseconds_now() - began;
    time->runs++;
    return status;
}

/* A look at the numbers, or at the clock, at each step. */
static gt_Status run_watched(Run *run, const gt_PlanStep *step, bool checks)
{
    gt_Status status = run->plan->times ? run_timed(run, step) : run_step(run, step);
    return checks && status == GT_OK ? check_outputs(run, step) : status;
}

/* All steps of a wave. */
static gt_Status run_wave(const Run *run, const gt_PlanStep *step)
{
    const gt_Plan *plan = run->plan;
    gt_WaveLaunch launches[GT_WAVE_STEPS];
    void *at[GT_WAVE_OPERANDS], **next = at;
    for (int32_t i = 0; i < step->together; i++) {
        const gt_PlanStep *one = &step[i];
        const gt_Launch *launch = &plan->launches[one->launch];
        launches[i] = (gt_WaveLaunch){launch, plan->jobs + launch->job, next};
        for (int32_t k = 0; k < one->operands; k++)
            *next++ = address(run, plan->refs[one->ref + k]);
    }
    return gt_launch_wave(plan->context, launches, step->together);
}

/* Tiles [first, last) of a group: all steps of one tile, then all of the next. A kernel looks for tile t behind t others; in scratch
 * memory there is one, so that its address there is as if the others were in front of it. */
static void run_rows(const void *given, void *const *unused, int64_t first, int64_t last,
                     void *scratch)
{
    const Run *run = given;
    const gt_Plan *plan = run->plan;
    const gt_PlanGroup *group = &plan->groups[run->group->group];
    void *at[GT_MAX_INPUTS + GT_MAX_OUTPUTS + GT_MAX_TEMPORARIES];
    (void)unused;
    for (int64_t tile = first; tile < last; tile++)
        for (const gt_PlanStep *step = run->group; step < run->group + group->steps; step++) {
            const gt_Launch *launch = &plan->launches[step->launch];
            const gt_Ref *ref = plan->refs + step->ref;
            for (int32_t i = 0; i < step->operands; i++)
                at[i] = gt_ref_base(ref[i]) == GT_BASE_ROWS
                            ? (void *)((uintptr_t)scratch + gt_ref_rows_offset(ref[i]) - /* NOLINT */
                                       (uintptr_t)tile * gt_ref_rows_tile(ref[i]))
                            : address(run, ref[i]);
            const int64_t began = plan->times ? nanoseconds_now() : 0;
            run->kernels->tile[launch->kernel](plan->jobs + launch->job, at, tile, tile + 1,
                                               (char *)scratch + group->bytes);
            if (plan->times)
                plan->times[step - plan->steps].nanoseconds += nanoseconds_now() - began;
        }
}

/* The group that begins with a step; while it is watched on one thread, which notes the times of the steps. */
static gt_Status run_group(Run *run, const gt_PlanStep *step)
{
    const gt_Plan *plan = run->plan;
    const gt_PlanGroup *group = &plan->groups[step->group];
    run->group = step;
    for (int32_t i = 0; plan->times && i < group->steps; i++)
        plan->times[step - plan->steps + i].runs++;
    return gt_launch_function(plan->context, run_rows, run, group->tiles, plan->times != NULL);
}

static gt_Status run_steps(gt_Plan *plan, int32_t first, int32_t last)
{
    gt_Context *context = plan->context;
    Run run;
    run.plan = plan;
    run.base = plan->base;
    run.kernels = gt_context_kernels(context);
    run.kernel.context = context;
    const gt_Status *pending = gt_context_status_place(context);
    const gt_StepSite **site = gt_context_step_place(context), *around = *site;
    const bool checks = gt_context_checks_numerics(context), watched = checks || plan->times;
    const bool shared = gt_launches_are_shared(context) && !watched;
    for (const gt_PlanStep *step = plan->steps + first, *end = plan->steps + last; step < end;) {
        *site = &step->site;
        const bool group = step->group >= 0, wave = group || (shared && step->together > 1);
        gt_Status status = group           ? run_group(&run, step)
                           : watched       ? run_watched(&run, step, checks)
                           : wave          ? run_wave(&run, step)
                           : step->lowered ? run_launches(&run, step)
                                           : run_step(&run, step);
        step += wave ? step->together : 1;
        if (status != GT_OK || *pending != GT_OK) {
            gt_raise(context, status == GT_OK ? GT_INVALID : status, NULL, NULL,
                     "the kernel failed");
            break;
        }
    }
    *site = around;
    return *pending;
}

/* ---- addresses ---- */

/* Large constants may move: a variable's old value does when the variable is overwritten. */
static void take_constants(gt_Plan *plan)
{
    uintptr_t *base = plan->base + gt_plan_constant_base(plan, 0);
    for (int32_t i = 0; i < plan->constant_count; i++)
        base[i] = (uintptr_t)gt_value_data(plan->graph->values[plan->constants[i]].constant);
    for (int32_t i = 0; i < plan->live_count; i++) {
        const gt_PlanLive *live = &plan->live[i];
        void *into = plan->block + live->offset;
        if (live->dtype == GT_FLOAT32)
            *(float *)into = (float)*live->number;
        else
            *(double *)into = *live->number;
    }
}

/* New memory for the outputs. */
static gt_Status take_outputs(gt_Plan *plan, gt_Tensor **output)
{
    gt_Context *context = plan->context;
    for (int32_t i = 0; i < plan->outputs; i++) {
        void *data = NULL;
        output[i] = gt_tensor_new(context, &plan->output[i].spec, &data);
        if (!output[i])
            return gt_context_status(context);
        const gt_Operation *probability = plan->output[i].probability;
        if (probability && gt_probability_mark(context, output[i], probability) != GT_OK)
            return gt_context_status(context);
        plan->base[gt_plan_output_base(plan, i)] = (uintptr_t)data;
    }
    return GT_OK;
}

/* Variables that are overwritten get bytes of their own, or the others are looked up. */
static void take_variables(gt_Plan *plan, bool overwritten)
{
    uintptr_t *base = plan->base + gt_plan_variable_base(plan, 0);
    for (int32_t i = 0; i < plan->variable_count; i++)
        if (plan->variables[i].overwritten == overwritten)
            base[i] = (uintptr_t)gt_variable_memory(plan->context, plan->variables[i].variable,
                                                    overwritten);
}

/* Everything that may fail for want of memory, and every address and number of this run. */
static gt_Status prepare(gt_Plan *plan, gt_Value *const *input, gt_Tensor **output)
{
    gt_Context *context = plan->context;
    take_variables(plan, true);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (plan->scratch && gt_scratch_reserve(context, plan->scratch) != GT_OK)
        return gt_context_status(context);
    /* Only now: making a variable's bytes its own moves those of whoever holds the old value. */
    take_variables(plan, false);
    if (gt_context_status(context) != GT_OK) /* first numbers that could not be drawn */
        return gt_context_status(context);
    for (int32_t i = 0; i < plan->inputs; i++) /* read already: none is late */
        plan->base[gt_plan_input_base(i)] = (uintptr_t)gt_value_data(input[i]);
    if (take_outputs(plan, output) != GT_OK)
        return gt_context_status(context);
    take_constants(plan);
    return GT_OK;
}

/* ---- entry points ---- */

gt_Status gt_plan_run_body(void *body, const void *const *input, void *const *output)
{
    gt_Plan *plan = body;
    for (int32_t i = 0; i < plan->inputs; i++)
        plan->base[gt_plan_input_base(i)] = (uintptr_t)input[i];
    for (int32_t i = 0; i < plan->outputs; i++)
        plan->base[gt_plan_output_base(plan, i)] = (uintptr_t)output[i];
    take_constants(plan);
    GT_ASSERT(plan->variable_count == 0);
    return run_steps(plan, 0, plan->step_count);
}

static gt_Status run_whole(gt_Plan *plan)
{
    gt_Context *context = plan->context;
    if (run_steps(plan, 0, plan->commit) != GT_OK)
        return gt_context_status(context);
    if (gt_interrupted(context))
        return gt_raise(context, GT_INTERRUPTED, NULL, "function", "interrupted");
    gt_Interrupt interrupt = gt_context_defer_interrupt(context);
    run_steps(plan, plan->commit, plan->step_count);
    gt_context_resume_interrupt(context, interrupt);
    return gt_context_status(context);
}

gt_Status gt_plan_run(gt_Plan *plan, gt_Value *const *input, gt_Tensor **output)
{
    gt_Context *context = plan->context;
    if (prepare(plan, input, output) == GT_OK) {
        gt_FloatMode mode = gt_float_mode_begin(context);
        run_whole(plan);
        gt_float_mode_restore(mode);
    }
    for (int32_t i = 0; i < plan->outputs && gt_context_status(context) != GT_OK; i++) {
        if (output[i])
            gt_tensor_free(context, output[i]);
        output[i] = NULL;
    }
    return gt_context_status(context);
}

bool gt_plan_watched(const gt_Plan *plan)
{
    for (int32_t i = 0; i < plan->variable_count; i++)
        if (gt_tape_would_watch(plan->context, plan->variables[i].variable))
            return true;
    return false;
}
