/* Versions: every effect makes a new version of its variable at the same address. Three passes over the items:
 *
 *   cells    every root gets memory: a base, or a cell that the block will hold. An effect before the commit gives its
 *            variable a shadow in the block; its versions are there from then on
 *   copies   a reader that comes after its version was overwritten gets a copy, made just before
 *   steps    items become steps, with these copies before them; outputs that were not computed in their place are copied
 *            there, and shadows are copied back to the variables at the very end
 *
 *     a = v;  v += 1;  return a + v       effect: before the commit, since a + v needs the new version
 *     cells    v 0 (base)    shadow 1 (block)    result 2 (output)
 *     steps    copy v -> shadow;  add to the shadow;  add (v, shadow) -> result;  copy shadow -> v
 *
 * In a body there are no variables: an effect overwrites a copy of its input. Leans on program.c. */
#include "plan/program.h"
#include "core/assert.h"

/* ---- cells ---- */

/* Cells of outputs, arguments, variables, constants and live numbers; those of results follow when effects are known. Two
 * outputs of the function that are one value have two cells: the value is computed in the first one and copied to the other.
 * What is in the block without being computed, constants and live numbers, lives from before the first step. */
static gt_Status source_cells(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    gt_Plan *plan = program->plan;
    int32_t variables = 0, constants = 0;
    for (int32_t i = 0; i < graph->outputs; i++) {
        const gt_Spec *spec = &graph->values[graph->output[i]].spec;
        program->outputs_cell[i] =
            gt_cell_new(program, gt_spec_bytes(spec), gt_plan_output_base(plan, i));
        gt_ValueFact *fact = &program->facts[gt_value_same(program, graph->output[i])];
        if (fact->output < 0)
            fact->output = program->outputs_cell[i];
    }
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *of = &graph->values[i];
        size_t bytes = gt_spec_bytes(&of->spec);
        int32_t base = GT_BASE_BLOCK;
        switch (of->kind) {
        case GT_GRAPH_RESULT:
            continue;
        case GT_GRAPH_INPUT:
            base = gt_plan_input_base(of->index);
            break;
        case GT_GRAPH_VARIABLE:
            base = gt_plan_variable_base(plan, variables);
            break;
        case GT_GRAPH_CONSTANT:
            if (!program->facts[i].marks || program->facts[i].same != i) /* nobody needs it */
                continue;
            if (!gt_constant_in_block(of))
                base = gt_plan_constant_base(plan, constants++);
            break;
        case GT_GRAPH_LIVE:
            break;
        }
        int32_t cell = program->facts[i].cell = gt_cell_new(program, bytes, base);
        if (cell < 0)
            return gt_context_status(program->context);
        /* It holds its bytes from before the first step; a constant for good. */
        if (base == GT_BASE_BLOCK) {
            program->cells[cell].piece.first = 0;
            program->cells[cell].piece.last = of->kind == GT_GRAPH_CONSTANT ? GT_NEVER : 0;
        }
        if (of->kind == GT_GRAPH_VARIABLE) {
            program->facts[i].number = variables;
            program->variables[variables++] = (gt_ProgramVariable){i, cell, -1, false};
        }
    }
    plan->constant_count = constants;
    return gt_context_status(program->context);
}

/* The cell of an effect's new value: that of the variable, or of its shadow, which the first effect before the commit makes.
 * The old version is overwritten at this item, unless the effect is the first one and works on a shadow: then the old value
 * stays where it is until the end of the run. */
static gt_Status effect_cells(gt_Program *program, int32_t item)
{
    const gt_GraphNode *node = &program->graph->nodes[program->items[item]];
    bool early = item < program->commit_item;
    for (int i = 0; i < node->outputs; i++) {
        const gt_GraphValue *of = &program->graph->values[node->output[i]];
        int32_t index = program->facts[node->input[i]].number;
        gt_ProgramVariable *variable = &program->variables[index];
        program->facts[node->output[i]].number = index;
        program->plan->variables[index].overwritten = true;
        bool first = node->input[i] == variable->initial;
        if (early && variable->shadow < 0) {
            variable->shadow = gt_cell_new(program, gt_spec_bytes(&of->spec), GT_BASE_BLOCK);
            if (variable->shadow < 0)
                return gt_context_status(program->context);
        }
        bool shadowed = variable->shadow >= 0;
        program->facts[node->output[i]].cell = shadowed ? variable->shadow : variable->cell;
        if (!(first && shadowed)) /* a shadow leaves the old value where it is */
            program->facts[node->input[i]].over = item;
    }
    return GT_OK;
}

/* Cells of results: an output of the function is written straight to its place. Control flow has results that need no
 * memory if nobody reads them (the stacks of a loop). */
static gt_Status result_cells(gt_Program *program)
{
    for (int32_t item = 0; item < program->item_count; item++) {
        const gt_GraphNode *node = &program->graph->nodes[program->items[item]];
        if (gt_is_effect(program, node)) {
            if (effect_cells(program, item) != GT_OK)
                return gt_context_status(program->context);
            continue;
        }
        for (int i = 0; i < node->outputs; i++) {
            if (gt_is_control(node) && i >= node->required &&
                !program->facts[node->output[i]].marks)
                continue;
            gt_ValueFact *fact = &program->facts[node->output[i]];
            size_t bytes = gt_spec_bytes(&program->graph->values[node->output[i]].spec);
            fact->cell = fact->output; /* written straight there */
            if (fact->cell < 0 && (fact->cell = gt_cell_new(program, bytes, GT_BASE_BLOCK)) < 0)
                return gt_context_status(program->context);
        }
    }
    return GT_OK;
}

/* ---- copies ---- */

/* After this the version has a copy if this reader needs one; all late readers share it. */
static gt_Status need_copy(gt_Program *program, int32_t value, int32_t item)
{
    int32_t root = program->facts[value].root;
    gt_ValueFact *fact = &program->facts[root];
    if (fact->over <= item && fact->copy < 0)
        fact->copy =
            gt_cell_new(program, gt_spec_bytes(&program->graph->values[root].spec), GT_BASE_BLOCK);
    return gt_context_status(program->context);
}

static gt_Status find_copies(gt_Program *program)
{
    bool any = false;
    for (int32_t i = 0; i < program->plan->variable_count; i++)
        any |= program->plan->variables[i].overwritten;
    if (!any)
        return GT_OK;
    for (int32_t item = 0; item < program->item_count; item++) {
        const gt_GraphNode *node = &program->graph->nodes[program->items[item]];
        for (int i = gt_is_effect(program, node) ? node->outputs : 0; i < node->inputs; i++)
            if (node->input[i] >= 0 && need_copy(program, node->input[i], item) != GT_OK)
                return gt_context_status(program->context);
    }
    for (int32_t i = 0; i < program->graph->outputs; i++)
        if (need_copy(program, program->graph->output[i], program->item_count) != GT_OK)
            return gt_context_status(program->context);
    return GT_OK;
}

/* ---- steps ---- */

/* A step of this node; -1: it will be a copy. NULL on failure. */
static gt_ProgramStep *add_step(gt_Program *program, int32_t node)
{
    if (!gt_reserve(program->context, (void **)&program->steps, program->step_count,
                    &program->step_capacity, sizeof *program->steps))
        return NULL;
    gt_ProgramStep *step = &program->steps[program->step_count++];
    *step = (gt_ProgramStep){.node = node, .control = -1, .room = -1};
    return step;
}

/* A step that copies the bytes of a value from a place to a cell. */
static void add_copy(gt_Program *program, int32_t value, gt_Place from, int32_t to)
{
    gt_ProgramStep *step = add_step(program, -1);
    if (!step)
        return;
    step->value = value;
    step->from = from;
    step->to = (gt_Place){to, 0};
}

static void add_node(gt_Program *program, int32_t item)
{
    const gt_GraphNode *node = &program->graph->nodes[program->items[item]];
    gt_ProgramStep *step = add_step(program, program->items[item]);
    if (!step)
        return;
    step->item = item;
    if (gt_is_control(node)) {
        step->control = program->plan->control_count++;
        if (node->scratch)
            step->room = gt_cell_new(program, node->scratch, GT_BASE_BLOCK);
    }
}

/* In a body: what is overwritten is a copy, made just before. */
static void write_change(gt_Program *program, int32_t item)
{
    const gt_GraphNode *node = &program->graph->nodes[program->items[item]];
    for (int i = 0; i < node->outputs; i++)
        add_copy(program, node->input[i], gt_value_place(program, node->input[i], item),
                 program->facts[node->output[i]].cell);
    add_node(program, item);
}

/* Before the effect: the copy for late readers of the version that it overwrites, and the first filling of a shadow. */
static void write_effect(gt_Program *program, int32_t item)
{
    const gt_GraphNode *node = &program->graph->nodes[program->items[item]];
    for (int i = 0; i < node->outputs; i++) {
        const gt_ValueFact *old = &program->facts[node->input[i]];
        gt_ProgramVariable *variable = &program->variables[old->number];
        if (old->copy >= 0)
            add_copy(program, node->input[i], (gt_Place){old->cell, 0}, old->copy);
        if (variable->shadow >= 0 && !variable->shadow_filled) {
            add_copy(program, variable->initial, (gt_Place){variable->cell, 0}, variable->shadow);
            variable->shadow_filled = true;
        }
    }
    add_node(program, item);
}

/* All steps: items with the copies that they need before them, then outputs that were computed elsewhere (arguments, variables,
 * views, a value that is two outputs), and shadows back to their variables at the very end. */
static gt_Status write_steps(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    for (int32_t item = 0; item < program->item_count; item++) {
        if (item == program->commit_item)
            program->commit_step = program->step_count;
        const gt_GraphNode *node = &graph->nodes[program->items[item]];
        if (gt_is_effect(program, node))
            write_effect(program, item);
        else if (gt_overwrites(node))
            write_change(program, item);
        else
            add_node(program, item);
    }
    if (program->commit_item == program->item_count)
        program->commit_step = program->step_count;
    for (int32_t i = 0; i < graph->outputs; i++) {
        gt_Place from = gt_value_place(program, graph->output[i], program->item_count);
        if (from.cell != program->outputs_cell[i])
            add_copy(program, graph->output[i], from, program->outputs_cell[i]);
    }
    for (int32_t i = 0; i < program->plan->variable_count; i++) {
        const gt_ProgramVariable *variable = &program->variables[i];
        if (variable->shadow >= 0)
            add_copy(program, variable->initial, (gt_Place){variable->shadow, 0}, variable->cell);
    }
    return gt_context_status(program->context);
}

/* Room for a cell of each value and a step of each item, so that few lists grow. */
static gt_Status make_room(gt_Program *program)
{
    gt_Context *context = program->context;
    const gt_Graph *graph = program->graph;
    const int32_t cells = graph->value_count + graph->outputs,
                  steps = program->item_count + graph->outputs;
    program->cells = gt_allocate(context, (size_t)cells * sizeof *program->cells);
    program->cell_capacity = program->cells ? cells : 0;
    program->steps = gt_allocate(context, (size_t)steps * sizeof *program->steps);
    program->step_capacity = program->steps ? steps : 0;
    return gt_context_status(context);
}

gt_Status gt_pass_versions(gt_Program *program)
{
    if (make_room(program) != GT_OK)
        return gt_context_status(program->context);
    if (source_cells(program) != GT_OK || result_cells(program) != GT_OK ||
        find_copies(program) != GT_OK)
        return gt_context_status(program->context);
    return write_steps(program);
}
