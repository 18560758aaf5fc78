/* From a traced graph to a plan, and back to nothing.
 *
 *   gt_plan_new   calls become the nodes of their bodies (inline.c); the passes run (program.h); the program is written
 *                 down: steps with their references, lists for control flow, outputs, constants and live numbers
 *   gt_plan_run   run.c
 *   gt_plan_free  the plan, the plans of its bodies, its graph
 *
 * The bodies of control flow have plans of their own, with blocks of their own, made with the plan around them. They know
 * no variables: an effect in a body works on a copy of what it changes. Leans on program.c. */
#include "plan/plan.h"
#include "core/assert.h"
#include "plan/inline.h"
#include "plan/program.h"

#include <string.h>

/* ---- steps and references ---- */

/* Cells have their places by now. */
static gt_Ref ref_to(const gt_Program *program, gt_Place place)
{
    if (place.cell < 0)
        return gt_ref(GT_BASE_NONE, 0);
    const gt_Cell *cell = &program->cells[gt_cell_shared(program, place.cell)];
    if (cell->base == GT_BASE_ROWS)
        return gt_ref_rows(cell->piece.offset, cell->tile);
    size_t offset = cell->base == GT_BASE_BLOCK ? cell->piece.offset + place.offset : place.offset;
    GT_ASSERT(offset < GT_REF_MOST_BYTES);
    return gt_ref(cell->base, offset);
}

static void add_ref(gt_Plan *plan, gt_Ref ref, int32_t value)
{
    plan->refs[plan->ref_count] = ref;
    plan->values[plan->ref_count++] = value;
}

static void write_copy(const gt_Program *program, const gt_ProgramStep *from, gt_PlanStep *step)
{
    const gt_Spec *spec = &program->graph->values[from->value].spec;
    *step = (gt_PlanStep){.site = {.name = "copy"},
                          .node = -1,
                          .ref = program->plan->ref_count,
                          .operands = 2,
                          .inputs = 1,
                          .outputs = 1,
                          .check = -1,
                          .control = -1,
                          .bytes = gt_spec_bytes(spec)};
    add_ref(program->plan, ref_to(program, from->from), from->value);
    add_ref(program->plan, ref_to(program, from->to), from->value);
}

static void write_step(const gt_Program *program, const gt_ProgramStep *from, gt_PlanStep *step)
{
    gt_Plan *plan = program->plan;
    const gt_GraphNode *node = gt_step_node(program, from);
    const char *here = node->at_call ? NULL : node->here; /* an error is then at the call that runs the plan */
    *step = (gt_PlanStep){.operation = node->operation,
                          .options = node->options,
                          .site = {here, node->name ? node->name : node->operation->name,
                                   node->path, node->gradient_of},
                          .node = from->node,
                          .ref = plan->ref_count,
                          .inputs = node->inputs,
                          .outputs = node->outputs,
                          .temporaries = from->temporaries,
                          .operands = gt_step_operands(program, from),
                          .launch = from->launch,
                          .launches = from->launches,
                          .lowered = from->lowered,
                          .check = from->lowered ? from->check : -1,
                          .control = from->control};
    for (int i = 0; i < node->inputs; i++) {
        bool there = node->input[i] >= 0;
        add_ref(plan, there ? ref_to(program, gt_step_input(program, from, i)) : gt_ref(0, 0),
                node->input[i]);
    }
    for (int i = 0; i < node->outputs; i++)
        add_ref(plan, ref_to(program, gt_step_output(program, from, i)), node->output[i]);
    for (int i = 0; i < from->temporaries; i++)
        add_ref(plan, ref_to(program, (gt_Place){from->temporary[i], 0}), -1);
    if (from->control >= 0)
        add_ref(plan, ref_to(program, (gt_Place){from->room, 0}), -1);
}

/* How many steps each one is handed to the threads with: those of its wave that follow, unless all are too small to wake
 * anybody for; of a group of rows, which runs as one, always. */
static void write_waves(const gt_Program *program)
{
    gt_PlanStep *steps = program->plan->steps;
    int32_t count = 0;
    bool shared = false; /* is one of them cut into tiles? */
    for (int32_t s = program->step_count - 1; s >= 0; s--) {
        const gt_ProgramStep *from = &program->steps[s];
        const bool last = s == program->step_count - 1 || from->wave != from[1].wave;
        count = last ? 1 : count + 1;
        shared = (!last && shared) || from->group ||
                 (from->launches == 1 && program->plan->launches[from->launch].tiles > 1);
        steps[s].together = shared ? count : 1;
    }
}

/* Room for all references is made before the first is written. */
static gt_Status write_steps(const gt_Program *program)
{
    gt_Plan *plan = program->plan;
    gt_Context *context = plan->context;
    int64_t refs = 0;
    for (int32_t s = 0; s < program->step_count; s++)
        refs += gt_step_operands(program, &program->steps[s]);
    if (refs > INT32_MAX || plan->block_bytes >= GT_REF_MOST_BYTES)
        return gt_raise(context, GT_UNSUPPORTED, NULL, "function", "the plan is too large");
    plan->step_count = program->step_count;
    plan->commit = program->commit_step;
    plan->ref_room = (int32_t)refs;
    plan->steps = gt_plan_array(context, plan->step_count, sizeof *plan->steps);
    plan->refs = gt_plan_array(context, plan->ref_room, sizeof *plan->refs);
    plan->values = gt_plan_array(context, plan->ref_room, sizeof *plan->values);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    for (int32_t s = 0, group = 0; s < program->step_count; s++) {
        const gt_ProgramStep *from = &program->steps[s];
        if (from->node < 0)
            write_copy(program, from, &plan->steps[s]);
        else
            write_step(program, from, &plan->steps[s]);
        const bool begins = from->group && (s == 0 || from[-1].group != from->group);
        plan->steps[s].group = begins ? group++ : -1;
    }
    write_waves(program);
    GT_ASSERT(plan->ref_count == plan->ref_room);
    return GT_OK;
}

/* ---- control flow ---- */

/* The plan of a body; of one that another step runs too, that one. NULL on failure. */
static gt_Plan *plan_of_body(gt_Plan *plan, gt_Graph *graph)
{
    gt_Context *context = plan->context;
    int32_t known = gt_map_find(&plan->known_bodies, gt_map_pointer(graph));
    if (known >= 0)
        return plan->bodies[known];
    if (!gt_reserve(context, (void **)&plan->bodies, plan->body_count, &plan->body_capacity,
                    sizeof *plan->bodies) ||
        !gt_map_add(context, &plan->known_bodies, gt_map_pointer(graph), plan->body_count))
        return NULL;
    gt_Plan *body = gt_plan_new(graph);
    if (!body)
        return NULL;
    plan->bodies[plan->body_count++] = body;
    plan->stats.bytes += body->stats.bytes;
    plan->stats.naive += body->stats.naive;
    return body;
}

/* Plans the bodies of one step, and makes the lists that it works on. */
static gt_Status open_control(gt_Plan *plan, gt_PlanControl *control, const gt_PlanStep *step)
{
    const gt_Control *options = step->options;
    gt_Graph *bodies[2] = {options->first, options->second};
    gt_ControlKernel *kernel = &control->kernel;
    int32_t arguments = 0, results = 0;
    for (int i = 0; i < 2 && bodies[i]; i++) {
        gt_Plan *body = plan_of_body(plan, bodies[i]);
        if (!body)
            return gt_context_status(plan->context);
        kernel->body[i] = body;
        arguments = body->inputs > arguments ? body->inputs : arguments;
        results = body->outputs > results ? body->outputs : results;
        plan->scratch = body->scratch > plan->scratch ? body->scratch : plan->scratch;
    }
    control->bytes =
        (size_t)(2 * step->inputs + step->outputs + arguments + results) * sizeof(void *);
    control->lists = gt_allocate_zeroed(plan->context, control->bytes);
    if (!control->lists)
        return gt_context_status(plan->context);
    kernel->run_body = gt_plan_run_body;
    kernel->kernel.operation = step->operation;
    kernel->kernel.options = step->options;
    kernel->kernel.context = plan->context;
    kernel->input_spec = (const gt_Spec **)control->lists;
    kernel->input = (const void **)(control->lists + step->inputs);
    kernel->argument = kernel->input + step->inputs;
    kernel->output = control->lists + 2 * step->inputs + arguments;
    kernel->result = kernel->output + step->outputs;
    for (int32_t i = 0; i < step->inputs; i++) {
        int32_t value = plan->values[step->ref + i];
        kernel->input_spec[i] = value < 0 ? NULL : &plan->graph->values[value].spec;
    }
    return GT_OK;
}

static gt_Status open_controls(gt_Plan *plan)
{
    plan->controls = gt_plan_array(plan->context, plan->control_count, sizeof *plan->controls);
    if (!plan->controls)
        return gt_context_status(plan->context);
    for (int32_t s = 0; s < plan->step_count; s++) {
        const gt_PlanStep *step = &plan->steps[s];
        if (step->control >= 0 && open_control(plan, &plan->controls[step->control], step) != GT_OK)
            return gt_context_status(plan->context);
    }
    return GT_OK;
}

/* ---- the rest ---- */

/* The operation that made the probabilities that a value is or is a view of; NULL: there is none. */
static const gt_Operation *probability_of(const gt_Graph *graph, int32_t value)
{
    while (value >= 0 && graph->values[value].kind == GT_GRAPH_RESULT) {
        const gt_GraphNode *node = &graph->nodes[graph->values[value].node];
        if (node->operation->flags & GT_OP_PROBABILITY)
            return node->operation;
        value = node->operation->flags & GT_OP_CARRIES ? node->input[0] : -1;
    }
    return NULL;
}

/* Constants of the block are copied there; the others and live numbers are looked up at each run. */
static void write_sources(const gt_Program *program)
{
    gt_Plan *plan = program->plan;
    const gt_Graph *graph = plan->graph;
    int32_t live = 0, constants = 0;
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *of = &graph->values[i];
        if ((of->kind != GT_GRAPH_LIVE && of->kind != GT_GRAPH_CONSTANT) ||
            program->facts[i].cell < 0) /* nobody needs it */
            continue;
        const gt_Cell *cell = &program->cells[program->facts[i].cell];
        if (of->kind == GT_GRAPH_LIVE)
            plan->live[live++] = (gt_PlanLive){of->live, of->spec.dtype, cell->piece.offset};
        else if (cell->base != GT_BASE_BLOCK)
            plan->constants[constants++] = i;
        else if (of->spec.size > 0)
            memcpy(plan->block + cell->piece.offset, gt_value_data(of->constant),
                   gt_spec_bytes(&of->spec));
    }
}

static gt_Status write_memory(const gt_Program *program)
{
    gt_Plan *plan = program->plan;
    const gt_Graph *graph = plan->graph;
    gt_Context *context = plan->context;
    plan->base = gt_plan_array(context, plan->base_count, sizeof *plan->base);
    plan->output = gt_plan_array(context, plan->outputs, sizeof *plan->output);
    plan->constants = gt_plan_array(context, plan->constant_count, sizeof *plan->constants);
    plan->live = gt_plan_array(context, plan->live_count, sizeof *plan->live);
    plan->block = gt_allocate(context, plan->block_bytes);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    plan->base[GT_BASE_BLOCK] = (uintptr_t)plan->block;
    for (int32_t i = 0; i < plan->outputs; i++)
        plan->output[i] = (gt_PlanOutput){graph->values[graph->output[i]].spec,
                                          probability_of(graph, graph->output[i])};
    write_sources(program);
    return gt_context_status(context);
}

/* Scratch memory of the steps that have `run`, and the numbers that users ask for. */
static void sum_up(const gt_Program *program)
{
    gt_Plan *plan = program->plan;
    plan->stats.bytes = (int64_t)plan->block_bytes;
    for (int32_t s = 0; s < program->step_count; s++) {
        const gt_ProgramStep *step = &program->steps[s];
        const gt_GraphNode *node = gt_step_node(program, step);
        if (node && step->control < 0 && node->scratch > plan->scratch)
            plan->scratch = node->scratch;
        plan->stats.operations += node != NULL;
        plan->stats.copies += node == NULL;
    }
}

/* The graph says which step makes a value, for who draws the plan: by now that may be a chain. */
static void name_makers(const gt_Program *program)
{
    gt_Graph *graph = program->graph;
    for (int32_t s = 0; s < program->step_count; s++) {
        const gt_GraphNode *node = gt_step_node(program, &program->steps[s]);
        for (int32_t i = 0; node && i < node->outputs; i++)
            graph->values[node->output[i]].node = program->steps[s].node;
    }
}

static gt_Status write_plan(const gt_Program *program)
{
    sum_up(program);
    if (write_steps(program) != GT_OK || open_controls(program->plan) != GT_OK ||
        write_memory(program) != GT_OK)
        return gt_context_status(program->context);
    name_makers(program);
    return GT_OK;
}

gt_Plan *gt_plan_new(gt_Graph *graph)
{
    gt_Context *context = graph->context;
    gt_Plan *plan = gt_allocate_zeroed(context, sizeof *plan);
    if (!plan) {
        if (!graph->inner)
            gt_graph_free(graph);
        return NULL;
    }
    plan->context = context;
    plan->graph = graph;
    if (gt_inline_calls(graph) == GT_OK) {
        gt_Program program;
        if (gt_program_open(&program, plan) == GT_OK && gt_program_run(&program) == GT_OK)
            write_plan(&program);
        gt_program_close(&program);
    }
    if (gt_context_status(context) == GT_OK)
        return plan;
    gt_plan_free(plan);
    return NULL;
}

void gt_plan_free(gt_Plan *plan)
{
    if (!plan)
        return;
    gt_Context *context = plan->context;
    gt_plan_drop(context, plan->steps, plan->step_count, sizeof *plan->steps);
    gt_plan_drop(context, plan->refs, plan->ref_room, sizeof *plan->refs);
    gt_plan_drop(context, plan->values, plan->ref_room, sizeof *plan->values);
    gt_release(context, plan->launches, (size_t)plan->launch_capacity * sizeof *plan->launches);
    gt_release(context, plan->checks, (size_t)plan->check_capacity * sizeof *plan->checks);
    gt_release(context, plan->jobs, plan->job_capacity);
    gt_release(context, plan->groups, (size_t)plan->group_capacity * sizeof *plan->groups);
    gt_release(context, plan->block, plan->block_bytes);
    gt_plan_drop(context, plan->base, plan->base_count, sizeof *plan->base);
    gt_plan_drop(context, plan->output, plan->outputs, sizeof *plan->output);
    gt_plan_drop(context, plan->variables, plan->variable_count, sizeof *plan->variables);
    gt_plan_drop(context, plan->constants, plan->constant_count, sizeof *plan->constants);
    gt_plan_drop(context, plan->live, plan->live_count, sizeof *plan->live);
    if (plan->times)
        gt_plan_drop(context, plan->times, plan->step_count, sizeof *plan->times);
    for (int32_t i = 0; plan->controls && i < plan->control_count; i++)
        gt_release(context, plan->controls[i].lists, plan->controls[i].bytes);
    gt_plan_drop(context, plan->controls, plan->control_count, sizeof *plan->controls);
    for (int32_t i = 0; i < plan->body_count; i++)
        gt_plan_free(plan->bodies[i]);
    gt_release(context, plan->bodies, (size_t)plan->body_capacity * sizeof *plan->bodies);
    gt_map_close(context, &plan->known_bodies);
    if (!plan->graph->inner)
        gt_graph_free(plan->graph);
    gt_release(context, plan, sizeof *plan);
}

gt_Status gt_plan_profile(gt_Plan *plan, bool on)
{
    gt_Status status = GT_OK;
    if (plan->times)
        gt_plan_drop(plan->context, plan->times, plan->step_count, sizeof *plan->times);
    plan->times = on ? gt_plan_array(plan->context, plan->step_count, sizeof *plan->times) : NULL;
    if (on && !plan->times)
        return gt_context_status(plan->context);
    for (int32_t i = 0; i < plan->body_count && status == GT_OK; i++)
        status = gt_plan_profile(plan->bodies[i], on);
    return status;
}

gt_PlanStats gt_plan_stats(const gt_Plan *plan)
{
    return plan->stats;
}
