/* Aliases: how long each piece of memory lives, from its first step to its last, and which output is written over an
 * input. An operation that may reuse its input takes over the memory of input 0 if that ends here, has the same size and
 * is in the block:
 *
 *     a = x * 2;  b = a + 1;  c = b * b       a lives in steps 0-1, b in 1-2; b takes over the memory of a, c that of b
 *
 * Lowering comes after this, since a kernel may depend on it. Leans on program.c. */
#include "plan/program.h"

static void touch(gt_Program *program, gt_Place place, int32_t step)
{
    if (place.cell < 0)
        return; /* an output that nobody reads */
    gt_Piece *piece = &program->cells[place.cell].piece;
    if (step < piece->first)
        piece->first = step;
    if (step > piece->last)
        piece->last = step;
}

static void find_lives(gt_Program *program)
{
    for (int32_t s = 0; s < program->step_count; s++) {
        const gt_ProgramStep *step = &program->steps[s];
        const gt_GraphNode *node = step->node < 0 ? NULL : &program->graph->nodes[step->node];
        for (int i = 0; i < (node ? node->inputs : 1); i++)
            if (!node || node->input[i] >= 0) {
                const gt_Place place = gt_step_input(program, step, i);
                touch(program, place, s);
                program->cells[place.cell].read = s;
            }
        for (int i = 0; i < (node ? node->outputs : 1); i++)
            touch(program, gt_step_output(program, step, i), s);
        touch(program, (gt_Place){step->room, 0}, s);
    }
}

/* The cell of input 0 that output 0 may be written over; -1: it may not. Its memory must end here and be of the same size, and what
 * else looks at it must look at the same element at a time, which only element-wise operations do. */
static int32_t may_take_over(const gt_Program *program, int32_t s)
{
    const gt_ProgramStep *step = &program->steps[s];
    if (step->node < 0)
        return -1;
    const gt_GraphNode *node = &program->graph->nodes[step->node];
    if (!(node->operation->flags & GT_OP_MAY_REUSE) || gt_overwrites(node) || node->inputs < 1 ||
        node->input[0] < 0)
        return -1;
    const gt_Spec *out = &program->graph->values[node->output[0]].spec;
    gt_Place first = gt_step_input(program, step, 0);
    int32_t mine = gt_cell_shared(program, first.cell);
    const gt_Cell *cell = &program->cells[mine];
    if (cell->base != GT_BASE_BLOCK || cell->piece.last != s ||
        cell->piece.bytes != gt_spec_bytes(out) ||
        program->cells[program->facts[node->output[0]].cell].base != GT_BASE_BLOCK)
        return -1;
    for (int i = 0; i < node->inputs; i++) {
        if (node->input[i] < 0)
            continue;
        const gt_Spec *spec = &program->graph->values[node->input[i]].spec;
        gt_Place place = i > 0 ? gt_step_input(program, step, i) : first;
        if ((i == 0 || gt_cell_shared(program, place.cell) == mine) &&
            ((i > 0 && !(node->operation->flags & GT_OP_ELEMENTWISE)) || place.offset != 0 ||
             spec->size != out->size || spec->dtype != out->dtype))
            return -1;
    }
    return mine;
}

/* In the order of the steps, so that the cells of a chain end in one: the cell whose memory is taken over lives as long as
 * the one that took it. */
static void take_over(gt_Program *program)
{
    for (int32_t s = 0; s < program->step_count; s++) {
        const int32_t from = may_take_over(program, s);
        if (from < 0)
            continue;
        int32_t to = gt_step_output(program, &program->steps[s], 0).cell;
        program->cells[to].same = from;
        if (program->cells[to].piece.last > program->cells[from].piece.last)
            program->cells[from].piece.last = program->cells[to].piece.last;
    }
}

gt_Status gt_pass_aliases(gt_Program *program)
{
    find_lives(program);
    take_over(program);
    return GT_OK;
}
