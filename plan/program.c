/* Functions that passes share: opening and closing a program, cells, places of operands. Leans on core/graph.h. */
#include "plan/program.h"
#include "core/assert.h"

#include <string.h>

#define SMALL 4096 /* constants up to this many bytes are copied into the block */

/* ---- opening and closing ---- */

static gt_Status count_sources(gt_Plan *plan)
{
    const gt_Graph *graph = plan->graph;
    plan->inputs = graph->inputs;
    plan->outputs = graph->outputs;
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *of = &graph->values[i];
        if (of->kind == GT_GRAPH_RESULT)
            continue;
        plan->variable_count += of->kind == GT_GRAPH_VARIABLE;
        plan->live_count += of->kind == GT_GRAPH_LIVE;
        plan->constant_count += of->kind == GT_GRAPH_CONSTANT && !gt_constant_in_block(of);
    }
    int64_t bases = (int64_t)GT_BASE_FIRST + plan->inputs + plan->outputs + plan->variable_count +
                    plan->constant_count;
    plan->base_count = bases < GT_REF_MOST_BASES ? (int32_t)bases : 0;
    if (bases < GT_REF_MOST_BASES)
        return GT_OK;
    return gt_raise(
        plan->context, GT_UNSUPPORTED, NULL, "function",
        "at most %d arguments, outputs, variables and constants are possible (got %lld)",
        (int)(GT_REF_MOST_BASES - GT_BASE_FIRST - 1), (long long)(bases - GT_BASE_FIRST));
}

gt_Status gt_program_open(gt_Program *program, gt_Plan *plan)
{
    gt_Context *context = plan->context;
    *program = (gt_Program){.context = context,
                            .graph = plan->graph,
                            .plan = plan,
                            .item_room = plan->graph->node_count};
    if (count_sources(plan) != GT_OK)
        return gt_context_status(context);
    const gt_Graph *graph = plan->graph;
    plan->variables = gt_plan_array(context, plan->variable_count, sizeof *plan->variables);
    program->facts = gt_plan_array(context, graph->value_count, sizeof *program->facts);
    program->fact_capacity = graph->value_count ? graph->value_count : 1;
    program->variables = gt_plan_array(context, plan->variable_count, sizeof *program->variables);
    program->items = gt_plan_array(context, program->item_room, sizeof *program->items);
    program->outputs_cell = gt_plan_array(context, graph->outputs, sizeof *program->outputs_cell);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    for (int32_t i = 0; i < graph->value_count; i++)
        program->facts[i].same = i;
    for (int32_t i = 0, k = 0; i < graph->value_count; i++)
        if (graph->values[i].kind == GT_GRAPH_VARIABLE)
            plan->variables[k++].variable = graph->values[i].variable;
    return GT_OK;
}

gt_Status gt_program_run(gt_Program *program)
{
    static gt_Status (*const passes[])(gt_Program * program) = {
        gt_pass_fold,     gt_pass_algebra, gt_pass_duplicates, gt_pass_joins,    gt_pass_pools,
        gt_pass_losses,   gt_pass_dead,    gt_pass_views,      gt_pass_order,    gt_pass_versions,
        gt_pass_in_place, gt_pass_aliases, gt_pass_chains,     gt_pass_lower,    gt_pass_rows,
        gt_pass_waves,    gt_pass_placing,
    };
    gt_Status status = GT_OK;
    for (size_t i = 0; i < sizeof passes / sizeof *passes && status == GT_OK; i++)
        status = passes[i](program);
    return status;
}

void gt_program_close(gt_Program *program)
{
    gt_Context *context = program->context;
    const gt_Graph *graph = program->graph;
    gt_plan_drop(context, program->facts, program->fact_capacity, sizeof *program->facts);
    gt_plan_drop(context, program->variables, program->plan->variable_count,
                 sizeof *program->variables);
    gt_plan_drop(context, program->items, program->item_room, sizeof *program->items);
    gt_plan_drop(context, program->outputs_cell, graph->outputs, sizeof *program->outputs_cell);
    gt_release(context, program->cells, (size_t)program->cell_capacity * sizeof *program->cells);
    gt_release(context, program->steps, (size_t)program->step_capacity * sizeof *program->steps);
}

int32_t *gt_program_uses(const gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    int32_t *uses = gt_plan_array(program->context, graph->value_count, sizeof *uses);
    if (!uses)
        return NULL;
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (gt_node_is_gone(program, node))
            continue;
        for (int32_t i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                uses[gt_node_reads(program, node, i)]++;
    }
    for (int32_t i = 0; i < graph->outputs; i++)
        uses[gt_value_same(program, graph->output[i])]++;
    return uses;
}

int32_t gt_program_value(gt_Program *program, gt_GraphValue value)
{
    const int32_t count = program->graph->value_count;
    if (!gt_reserve(program->context, (void **)&program->facts, count, &program->fact_capacity,
                    sizeof *program->facts) ||
        gt_graph_add(program->graph, &value) < 0)
        return -1;
    program->facts[count] = (gt_ValueFact){.same = count};
    return count;
}

int32_t gt_program_row(gt_Program *program, int32_t value)
{
    const gt_GraphValue *of = &program->graph->values[gt_value_same(program, value)];
    if (of->kind != GT_GRAPH_CONSTANT || gt_constant_in_block(of) || of->spec.rank < 2)
        return -1;
    gt_GraphValue row = *of;
    const size_t bytes = gt_spec_bytes(&row.spec);
    const size_t one = bytes / (size_t)row.spec.dims[0];
    const char *data = gt_value_data(row.constant);
    row.spec.size /= row.spec.dims[0];
    row.spec.dims[0] = 1;
    if (!gt_constant_in_block(&row) || memcmp(data, data + one, bytes - one) != 0)
        return -1;
    return gt_program_value(program, row);
}

gt_Status gt_program_become(const gt_Program *program, gt_GraphNode *node,
                            const gt_Operation *operation, const void *options, const char *name,
                            int32_t inputs, int32_t outputs, const int32_t *values)
{
    gt_Context *context = program->context;
    const size_t bytes = (size_t)(inputs + outputs) * sizeof *values,
                 options_bytes = operation->options->size;
    int32_t *lists = gt_allocate(context, bytes);
    void *copy = gt_allocate(context, options_bytes);
    if (!lists || !copy) {
        gt_release(context, lists, bytes);
        gt_release(context, copy, options_bytes);
        return gt_context_status(context);
    }
    memcpy(lists, values, bytes);
    memcpy(copy, options, options_bytes);
    gt_graph_free_node(context, node);
    node->operation = operation;
    node->options = copy;
    node->name = name;
    node->input = lists;
    node->output = lists + inputs;
    node->inputs = inputs;
    node->outputs = outputs;
    node->scratch = 0;
    return GT_OK;
}

/* ---- nodes ---- */

bool gt_changes_variable(const gt_Program *program, const gt_GraphNode *node)
{
    return !program->graph->inner && program->graph->values[node->output[0]].variable;
}

int32_t gt_step_operands(const gt_Program *program, const gt_ProgramStep *step)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    return node ? node->inputs + node->outputs + step->temporaries + (step->control >= 0) : 2;
}

bool gt_looks_at(const gt_Graph *graph, const gt_GraphNode *node)
{
    gt_ShapeRule rule;
    gt_graph_rule(graph, node, &rule);
    return gt_view_offset(&rule) >= 0;
}

bool gt_node_is_gone(const gt_Program *program, const gt_GraphNode *node)
{
    for (int32_t i = 0; i < node->outputs; i++) {
        int32_t value = node->output[i];
        if (program->facts[value].same == value &&
            program->graph->values[value].kind == GT_GRAPH_RESULT)
            return false;
    }
    return node->outputs > 0;
}

bool gt_node_is_pure(const gt_Program *program, const gt_GraphNode *node)
{
    const unsigned impure = GT_OP_RANDOM | GT_OP_EFFECT | GT_OP_CONTROL | GT_OP_CHOICE;
    if (node->operation->flags & impure)
        return false;
    return node->operation->lower || gt_is_view(program->graph, node);
}

unsigned gt_node_marks(const gt_Program *program, const gt_GraphNode *node)
{
    unsigned marks = gt_is_effect(program, node) ? GT_MARK_NEEDED : 0;
    for (int i = 0; i < node->outputs; i++)
        marks |= program->facts[node->output[i]].marks;
    return marks;
}

/* ---- cells and places ---- */

int32_t gt_cell_new(gt_Program *program, size_t bytes, int32_t base)
{
    if (!gt_reserve(program->context, (void **)&program->cells, program->cell_count,
                    &program->cell_capacity, sizeof *program->cells))
        return -1;
    program->cells[program->cell_count] =
        (gt_Cell){.piece = {.bytes = bytes, .first = GT_NEVER, .last = -1},
                  .base = base,
                  .same = -1,
                  .read = -1};
    return program->cell_count++;
}

int32_t gt_cell_shared(const gt_Program *program, int32_t cell)
{
    while (program->cells[cell].same >= 0)
        cell = program->cells[cell].same;
    return cell;
}

void gt_program_renumber(gt_Program *program, const int32_t *now, int32_t steps)
{
    for (int32_t i = 0; i < program->cell_count; i++) {
        gt_Piece *piece = &program->cells[i].piece;
        if (piece->last < 0)
            continue;
        piece->first = now[piece->first];
        piece->last = piece->last == GT_NEVER ? GT_NEVER : now[piece->last];
    }
    for (int32_t i = program->cell_count - 1; i >= 0;
         i--) { /* what took over a cell is behind it */
        gt_Cell *cell = &program->cells[i];
        if (!cell->gone && cell->same >= 0 && cell->piece.last >= 0)
            program->cells[gt_cell_shared(program, i)].gone = false;
    }
    for (int32_t i = 0; i < program->cell_count; i++)
        if (program->cells[i].gone)
            program->cells[i].piece.last = -1;
    program->commit_step = now[program->commit_step];
    program->step_count = steps;
}

bool gt_constant_in_block(const gt_GraphValue *of)
{
    return gt_spec_bytes(&of->spec) <= SMALL || gt_value_is_borrowed(of->constant);
}

gt_Place gt_step_input(const gt_Program *program, const gt_ProgramStep *step, int i)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    if (!node)
        return step->from;
    GT_ASSERT(i < node->inputs && node->input[i] >= 0);
    if (gt_overwrites(node) && i < node->outputs)
        return (gt_Place){program->facts[node->output[i]].cell, 0};
    return gt_value_place(program, node->input[i], step->item);
}

gt_Place gt_step_output(const gt_Program *program, const gt_ProgramStep *step, int i)
{
    const gt_GraphNode *node = gt_step_node(program, step);
    return node ? (gt_Place){program->facts[node->output[i]].cell, 0} : step->to;
}
