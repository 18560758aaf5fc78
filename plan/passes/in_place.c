/* In place: what is going to be assigned to a variable is computed where the variable is, and the assignment goes. So an
 * optimizer that is made of operations moves each element once, as one with a kernel of its own does:
 *
 *     v' = 0.9 v + g^2;  w' = w - g / sqrt(v')       v' (block), w' (block) | v = v', w = w'        before: commit behind w'
 *                                                    | v' (at v), w' (at w)                         after: commit in front of v'
 *
 * Variables must not change while something can still fail, so the commit moves up, in front of the first of these steps, over
 * steps that cannot fail: launches without a check. An element of the old value may be read for the last time by the step that
 * overwrites it, at the same place, since element-wise loops allow that. Where somebody reads the old value later, or the new
 * one after another change, the assignment stays.
 *
 * With numeric checks on every step is looked at before a variable changes, so all stay. Leans on program.c. */
#include "core/launch.h"
#include "ops/lowering.h"
#include "ops/table.h"
#include "plan/program.h"

typedef struct Places {
    gt_Program *program;
    int32_t *maker;  /* of each value of the graph: the step that makes it; -1: none */
    int32_t *before; /* of each cell: the last step before the commit that reads it; -1: none */
    int32_t *last;   /* the last step at all */
    int32_t *effect; /* the first step from the commit on that reads or writes it; -1: none */
    bool *gone;      /* of each step */
    int32_t safe;    /* from here to the commit no step can fail, as far as was asked */
    int32_t first;   /* the first step that is in place now */
} Places;

static bool may_fail(const gt_Program *program, const gt_ProgramStep *step)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    gt_Lowering lowering;
    if (!node)
        return false;
    if (step->control >= 0 || !node->operation->lower)
        return true;
    gt_ShapeRule rule;
    gt_graph_rule(program->graph, node, &rule);
    gt_lower(&rule, gt_context_kernels(program->context), &lowering);
    return lowering.check != GT_CHECK_none;
}

/* Can no step from this one to the commit fail? */
static bool is_safe(Places *self, int32_t from)
{
    const gt_Program *program = self->program;
    while (self->safe > from && !may_fail(program, &program->steps[self->safe - 1]))
        self->safe--;
    return self->safe <= from;
}

static bool is_elementwise(const gt_Program *program, const gt_ProgramStep *step)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    return node && step->control < 0 && !gt_overwrites(node) && node->outputs == 1 &&
           (node->operation == &gt_op_where || (node->operation->loop.kind != GT_LOOP_KIND_NONE &&
                                                node->operation->lower == gt_lower_loop));
}

static int32_t inputs_of(const gt_Program *program, const gt_ProgramStep *step)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    return node ? node->inputs : 1;
}

static bool has_input(const gt_Program *program, const gt_ProgramStep *step, int32_t i)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    return !node || node->input[i] >= 0;
}

static void note_effect(Places *self, int32_t cell, int32_t s)
{
    if (cell >= 0 && self->effect[cell] < 0)
        self->effect[cell] = s;
}

static void note_steps(Places *self)
{
    const gt_Program *program = self->program;
    for (int32_t s = 0; s < program->step_count; s++) {
        const gt_ProgramStep *step = &program->steps[s];
        const gt_GraphNode *node = gt_step_node(program, step);
        for (int32_t i = 0; i < inputs_of(program, step); i++)
            if (has_input(program, step, i)) {
                const int32_t cell = gt_step_input(program, step, i).cell;
                self->last[cell] = s;
                if (s < program->commit_step)
                    self->before[cell] = s;
                else
                    note_effect(self, cell, s);
            }
        if (s >= program->commit_step)
            note_effect(self, gt_step_output(program, step, 0).cell, s);
        for (int32_t i = 0; node && i < node->outputs; i++)
            self->maker[node->output[i]] = s;
    }
}

/* Does the step that makes the new value read of the old one just the element that it overwrites? */
static bool reads_as_it_writes(const gt_Program *program, int32_t s, int32_t cell)
{
    const gt_ProgramStep *step = &program->steps[s];
    const gt_GraphNode *node = gt_step_node(program, step);
    const gt_Spec *out = &program->graph->values[node->output[0]].spec;
    for (int32_t i = 0; i < node->inputs; i++) {
        const gt_Place place = gt_step_input(program, step, i);
        const gt_Spec *spec = &program->graph->values[node->input[i]].spec;
        if (place.cell == cell &&
            (place.offset != 0 || spec->size != out->size || spec->dtype != out->dtype))
            return false;
    }
    return true;
}

/* The step whose result can be where the variable is that step s assigns it to; -1: there is none. */
static int32_t find_maker(Places *self, int32_t s)
{
    const gt_Program *program = self->program;
    const gt_ProgramStep *step = &program->steps[s];
    const gt_GraphNode *node = gt_step_node(program, step);
    if (!node || node->operation != &gt_op_assign || !gt_is_effect(program, node))
        return -1;
    const int32_t value = node->input[1], cell = gt_step_output(program, step, 0).cell;
    const gt_ValueFact *fact = &program->facts[value];
    const gt_Spec *spec = &program->graph->values[value].spec;
    if (fact->root != value || fact->output >= 0 || fact->cell < 0 ||
        program->cells[fact->cell].base != GT_BASE_BLOCK ||
        program->cells[cell].base == GT_BASE_BLOCK ||
        spec->size != program->graph->values[node->output[0]].spec.size)
        return -1;
    const int32_t maker = self->maker[value];
    if (maker < 0 || maker >= program->commit_step ||
        !is_elementwise(program, &program->steps[maker]) || self->last[fact->cell] != s ||
        self->before[cell] > maker ||
        self->effect[cell] < s || /* an effect before this one has to do with it */
        !reads_as_it_writes(program, maker, cell) || !is_safe(self, maker))
        return -1;
    return maker;
}

/* From the new commit on: the steps that lead there too, so that a chain is not cut in two. */
static void move_commit(Places *self)
{
    gt_Program *program = self->program;
    int32_t commit = self->first;
    while (commit > 0 && is_elementwise(program, &program->steps[commit - 1]) &&
           is_safe(self, commit - 1))
        commit--;
    program->commit_step = commit;
}

static void place_all(Places *self, int32_t *now)
{
    gt_Program *program = self->program;
    const int32_t count = program->step_count, commit = program->commit_step;
    int32_t kept = 0;
    self->first = self->safe = commit;
    for (int32_t s = commit; s < count; s++) {
        const int32_t maker = find_maker(self, s);
        if (maker < 0)
            continue;
        const gt_GraphNode *node = gt_step_node(program, &program->steps[s]);
        program->facts[node->input[1]].cell = gt_step_output(program, &program->steps[s], 0).cell;
        self->gone[s] = true;
        self->first = maker < self->first ? maker : self->first;
    }
    if (self->first == commit)
        return;
    move_commit(self);
    for (int32_t s = 0; s < count; s++) {
        now[s] = kept;
        if (!self->gone[s])
            program->steps[kept++] = program->steps[s];
    }
    now[count] = kept;
    gt_program_renumber(program, now, kept);
}

/* Is a variable assigned to at all? */
static bool has_assignments(const gt_Program *program)
{
    for (int32_t s = program->commit_step; s < program->step_count; s++) {
        const gt_GraphNode *node = gt_step_node(program, &program->steps[s]);
        if (node && node->operation == &gt_op_assign)
            return true;
    }
    return false;
}

gt_Status gt_pass_in_place(gt_Program *program)
{
    gt_Context *context = program->context;
    const int32_t values = program->graph->value_count, cells = program->cell_count,
                  steps = program->step_count;
    if (gt_context_checks_numerics(context) || program->graph->inner || !has_assignments(program))
        return GT_OK;
    const int32_t count = values + 3 * cells + steps + 1;
    int32_t *lists = gt_plan_array(context, count, sizeof *lists);
    bool *gone = gt_plan_array(context, steps, sizeof *gone);
    if (lists && gone) {
        Places self = {.program = program,
                       .maker = lists,
                       .before = lists + values,
                       .last = lists + values + cells,
                       .effect = lists + values + 2 * cells,
                       .gone = gone};
        for (int32_t i = 0; i < values + 3 * cells; i++)
            lists[i] = -1;
        note_steps(&self);
        place_all(&self, lists + values + 3 * cells);
    }
    gt_plan_drop(context, gone, steps, sizeof *gone);
    gt_plan_drop(context, lists, count, sizeof *lists);
    return gt_context_status(context);
}
