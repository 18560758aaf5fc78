/* Rows: steps in a row that work row by row run together, some rows at a time. What is between them stays in a worker's scratch
 * memory, in the caches, and has no place in the block; of arguments and outputs each row is met once.
 *
 *     s = x * w;  n = sum(s, axis 1);  y = s / n          x (30000, 3): for every 512 rows   multiply   sum   divide
 *
 * A launch works row by row if it is cut into tiles whose results come of the same rows of its operands, or of operands that are
 * the same for all rows: element-wise loops and chains, reductions and softmax within rows, slices, concatenations and joins along
 * axes further in, broadcasts. How many rows it has follows from its job; the rows of a group are their greatest common divisor, so
 * that a row of the group is some whole rows of each. The pass cuts the jobs anew, tile t of each for rows [t, t + 1) * count.
 * Bits do not depend on tiles (law 20), so they stay as they are.
 *
 * No step of a group reads whole what another one of it writes. The steps are a wave: what they touch outside of scratch memory
 * lives through all of it. With numeric checks on each step is looked at, and the pass does nothing. Leans on the jobs in kernels/,
 * place.h. */
#include "core/assert.h"
#include "kernels/activation.h"
#include "kernels/chain.h"
#include "kernels/copies.h"
#include "kernels/matrix.h"
#include "kernels/reduction.h"
#include "plan/program.h"

enum {
    FEWEST = 64,        /* rows that a group must have */
    ROOM = 224 * 1024,  /* bytes of scratch memory that a tile may take */
    WORTH = 256 * 1024, /* bytes that must become scratch memory, or the group is not worth it */
    UNIT = 16           /* a tile has a multiple of so many rows, where there is room */
};

/* ---- one launch ---- */

/* How a launch works along rows: how many it has, and which operands are not cut along them. */
typedef struct Cut {
    int64_t rows; /* 0: it does not work row by row */
    uint64_t whole;
} Cut;

static Cut cut_of_walk(const gt_Broadcast *walk)
{
    Cut cut = {walk->rank > 1 && walk->chunks > 1 ? 0 : walk->dims[0], 0};
    for (int i = 0; i < walk->inputs; i++)
        if (walk->stride[i][0] == 0)
            cut.whole |= UINT64_C(1) << i;
    return cut;
}

static Cut cut_of_chain(const gt_ChainJob *job)
{
    Cut cut = {job->head >= 0 || job->steps == 0
                   ? 0
                   : job->size / (job->width == job->size ? 1 : job->width),
               0};
    for (int32_t s = 0; s < job->steps; s++)
        for (int i = 0; i < job->step[s].operands; i++) {
            const gt_ChainOperand *operand = &job->step[s].operand[i];
            const int at = operand->repeat ? operand->repeat - 1 : operand->from;
            if (at < GT_CHAIN_OPERANDS &&
                (operand->way == GT_CHAIN_ROW || operand->way == GT_CHAIN_ONE))
                cut.whole |= UINT64_C(1) << at;
        }
    return cut;
}

/* Only where the outermost axis is kept. */
static Cut cut_of_reduction(const gt_ReductionJob *job)
{
    const gt_Walk *kept = &job->kept;
    if (job->round == GT_REDUCTION_WHOLE && job->reduced == 1)
        return (Cut){job->outputs, 0};
    if (job->round != GT_REDUCTION_WHOLE || job->parts != 1 || kept->rank == 0 ||
        kept->stride[0] * kept->dims[0] !=
            kept->count * job->passes.count * job->rows * job->columns)
        return (Cut){0, 0};
    return (Cut){kept->dims[0], 0};
}

/* The outermost axis goes through all of y, and through all of x or nowhere. */
static Cut cut_of_copy(const gt_CopyJob *job, int64_t of_x, int64_t of_y)
{
    const int64_t n = job->dims[0], step = job->stride_x[0];
    if (job->x != 0 || job->plane || job->outer == 0 || (job->rank > 1 && job->chunks > 1) ||
        job->stride_y[0] * n != of_y || (step != 0 && step * n != of_x))
        return (Cut){0, 0};
    return (Cut){n, step == 0};
}

/* The first input and output of the step have so many elements. */
static Cut cut_of(const gt_Launch *launch, const void *job, int64_t of_x, int64_t of_y)
{
    switch (launch->kernel) {
    case GT_TILES_unary:
        return (Cut){((const gt_UnaryJob *)job)->size, 0};
    case GT_TILES_binary:
    case GT_TILES_compare:
        return cut_of_walk(&((const gt_BinaryJob *)job)->walk);
    case GT_TILES_select:
        return cut_of_walk(&((const gt_SelectJob *)job)->walk);
    case GT_TILES_cross:
        return cut_of_walk(&((const gt_CrossJob *)job)->walk);
    case GT_TILES_chain:
        return cut_of_chain(job);
    case GT_TILES_reduce:
        return cut_of_reduction(job);
    case GT_TILES_logsumexp: {
        const gt_LogsumexpJob *l = job;
        return (Cut){l->contiguous ? l->outputs : 0, 0};
    }
    case GT_TILES_softmax:
    case GT_TILES_log_softmax: {
        const gt_SoftmaxJob *s = job;
        return (Cut){s->inner == 1 && s->from == 0 && s->to == 1 ? s->outer : 0, 0};
    }
    case GT_TILES_copy:
        return cut_of_copy(job, of_x, of_y);
    case GT_TILES_concatenate: {
        const gt_ConcatenateJob *c = job;
        return (Cut){c->chunks == 1 ? c->outer : 0, 0};
    }
    case GT_TILES_join:
        return (Cut){((const gt_JoinJob *)job)->rows, ((const gt_JoinJob *)job)->one_row};
    default:
        return (Cut){0, 0};
    }
}

static void cut_walk(gt_Broadcast *walk, int64_t rows, int64_t tiles)
{
    walk->tiles = tiles;
    if (walk->rank == 1) {
        walk->chunk = rows;
        walk->chunks = tiles;
        walk->rows = 1;
    } else {
        walk->chunk = walk->inner;
        walk->chunks = 1;
        walk->rows = walk->outer / walk->dims[0] * rows;
    }
}

/* Cuts it into tiles of so many of its rows, where it has `all`. */
static void cut_anew(gt_Launch *launch, void *job, int64_t all, int64_t rows, int64_t tiles)
{
    launch->tiles = tiles;
    launch->span = 0;
    switch (launch->kernel) {
    case GT_TILES_unary:
        ((gt_UnaryJob *)job)->tile = rows;
        return;
    case GT_TILES_binary:
    case GT_TILES_compare:
        cut_walk(&((gt_BinaryJob *)job)->walk, rows, tiles);
        return;
    case GT_TILES_select:
        cut_walk(&((gt_SelectJob *)job)->walk, rows, tiles);
        return;
    case GT_TILES_cross:
        cut_walk(&((gt_CrossJob *)job)->walk, rows, tiles);
        return;
    case GT_TILES_chain:
        ((gt_ChainJob *)job)->tile = ((gt_ChainJob *)job)->size / all * rows;
        return;
    case GT_TILES_reduce: {
        gt_ReductionJob *r = job;
        if (r->reduced == 1) { /* a column an element */
            r->width = rows;
            r->strips = tiles;
            r->group = 1;
            return;
        }
        r->group = r->kept.count / all * r->strips * rows;
        return;
    }
    case GT_TILES_logsumexp:
        ((gt_LogsumexpJob *)job)->group = rows;
        return;
    case GT_TILES_softmax:
    case GT_TILES_log_softmax:
        ((gt_SoftmaxJob *)job)->block = rows;
        return;
    case GT_TILES_copy: {
        gt_CopyJob *c = job;
        c->chunk = c->rank == 1 ? rows : c->dims[c->rank - 1];
        c->chunks = c->rank == 1 ? tiles : 1;
        c->rows = c->rank == 1 ? 1 : c->outer / all * rows;
        return;
    }
    case GT_TILES_concatenate:
        ((gt_ConcatenateJob *)job)->rows = rows;
        return;
    default:
        GT_ASSERT(launch->kernel == GT_TILES_join);
        ((gt_JoinJob *)job)->block = rows;
    }
}

/* ---- a group ---- */

typedef struct Group {
    gt_Program *program;
    int32_t *written,
        *whole; /* of each root: the last group of which a step writes it, reads it otherwise than by rows */
    int32_t number;         /* of the try, from 1 on */
    int32_t first, end;     /* its steps */
    int64_t rows, most;     /* how many it has; the bytes of the largest operand that is cut */
    int32_t count, *inside; /* the roots that become scratch memory */
    gt_Piece *pieces, **placed;
} Group;

/* The rows in which the step can be cut; none if it is of another kind. */
static Cut cut_of_step(const gt_Program *program, const gt_ProgramStep *step)
{
    const gt_Plan *plan = program->plan;
    const gt_GraphNode *node = gt_step_node(program, step);
    const gt_GraphValue *values = program->graph->values;
    if (!node || !step->lowered || step->launches != 1 || step->check >= 0 || step->temporaries ||
        step->control >= 0 || gt_overwrites(node) || node->inputs < 1)
        return (Cut){0, 0};
    const gt_Launch *launch = &plan->launches[step->launch];
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i] < 0)
            return (Cut){0, 0};
    if (launch->alone || launch->tiles < 1)
        return (Cut){0, 0};
    return cut_of(launch, plan->jobs + launch->job, values[node->input[0]].spec.size,
                  values[node->output[0]].spec.size);
}

static int64_t common(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Is all of a piece of memory this value, so that its rows are those of whoever else has it all? */
static bool is_all(const gt_Program *program, gt_Place place, int32_t value)
{
    return program->cells[gt_cell_shared(program, place.cell)].piece.bytes ==
           gt_spec_bytes(&program->graph->values[value].spec);
}

/* May the step join the group: does it read whole nothing that the group writes, and write nothing that the group reads whole? */
static bool is_apart(const Group *group, const gt_ProgramStep *step, uint64_t whole)
{
    const gt_Program *program = group->program;
    const gt_GraphNode *node = gt_step_node(program, step);
    for (int i = 0; i < node->inputs; i++) {
        const gt_Place place = gt_step_input(program, step, i);
        const int32_t root = gt_cell_shared(program, place.cell);
        const bool by_rows = !(whole >> i & 1) && is_all(program, place, node->input[i]);
        if (!by_rows && group->written[root] == group->number)
            return false;
        for (int k = 0; k < node->outputs && !by_rows; k++) {
            const int32_t to = gt_step_output(program, step, k).cell;
            if (to >= 0 && gt_cell_shared(program, to) == root)
                return false;
        }
    }
    for (int i = 0; i < node->outputs; i++) {
        const gt_Place place = gt_step_output(program, step, i);
        if (place.cell < 0 || !is_all(program, place, node->output[i]) ||
            group->whole[gt_cell_shared(program, place.cell)] == group->number)
            return false;
    }
    return true;
}

static void note(Group *group, const gt_ProgramStep *step, uint64_t whole)
{
    const gt_Program *program = group->program;
    const gt_GraphNode *node = gt_step_node(program, step);
    for (int i = 0; i < node->inputs; i++) {
        const gt_Place place = gt_step_input(program, step, i);
        if (whole >> i & 1 || !is_all(program, place, node->input[i]))
            group->whole[gt_cell_shared(program, place.cell)] = group->number;
    }
    for (int i = 0; i < node->outputs; i++)
        group->written[gt_cell_shared(program, gt_step_output(program, step, i).cell)] =
            group->number;
}

/* The bytes of the largest operand that is cut. */
static int64_t most_of(const gt_Program *program, const gt_GraphNode *node, uint64_t whole)
{
    int64_t most = 0;
    for (int i = 0; i < node->inputs + node->outputs; i++) {
        const int32_t value = i < node->inputs ? node->input[i] : node->output[i - node->inputs];
        const int64_t bytes = (int64_t)gt_spec_bytes(&program->graph->values[value].spec);
        if (!(i < node->inputs && whole >> i & 1) && bytes > most)
            most = bytes;
    }
    return most;
}

/* The step behind the group joins it, if it can. */
static bool add_step(Group *group)
{
    const gt_Program *program = group->program;
    if (group->end == program->step_count ||
        (group->end == program->commit_step && group->end > group->first))
        return false;
    const gt_ProgramStep *step = &program->steps[group->end];
    const Cut cut = cut_of_step(program, step);
    const int64_t rows = common(group->rows, cut.rows);
    if (cut.rows < FEWEST || rows < FEWEST)
        return false;
    const int64_t most = most_of(program, gt_step_node(program, step), cut.whole);
    const int64_t larger = most > group->most ? most : group->most;
    if (larger / rows > ROOM / UNIT || !is_apart(group, step, cut.whole))
        return false;
    note(group, step, cut.whole);
    group->rows = rows;
    group->most = larger;
    group->end++;
    return true;
}

/* ---- its memory ---- */

/* Does the memory of a root live within the group? */
static bool is_inside(const Group *group, int32_t root)
{
    const gt_Cell *cell = &group->program->cells[root];
    return cell->base == GT_BASE_BLOCK && cell->piece.first >= group->first &&
           cell->piece.last < group->end;
}

/* Lists the roots that become scratch memory, and adds up the bytes of all that is made there. */
static int64_t find_inside(Group *group)
{
    const gt_Program *program = group->program;
    int64_t bytes = 0;
    group->count = 0;
    for (int32_t s = group->first; s < group->end; s++) {
        const gt_GraphNode *node = gt_step_node(program, &program->steps[s]);
        for (int i = 0; i < node->outputs; i++) {
            const int32_t root =
                gt_cell_shared(program, gt_step_output(program, &program->steps[s], i).cell);
            if (!is_inside(group, root))
                continue;
            bytes += (int64_t)program->cells[root].piece.bytes;
            if (group->written[root] == group->number) { /* once */
                group->written[root] = 0;
                group->inside[group->count++] = root;
            }
        }
    }
    return bytes;
}

/* Places for tiles of so many rows; the bytes of all, 0 on failure. */
static size_t place_inside(const Group *group, int64_t rows)
{
    gt_Program *program = group->program;
    size_t bytes = 0;
    for (int32_t i = 0; i < group->count; i++) {
        gt_Cell *cell = &program->cells[group->inside[i]];
        gt_Piece *piece = &group->pieces[i];
        cell->tile = cell->piece.bytes / (size_t)group->rows * (size_t)rows;
        *piece = (gt_Piece){.bytes = cell->tile,
                            .first = cell->piece.first - group->first,
                            .last = cell->piece.last - group->first};
        group->placed[i] = piece;
    }
    if (gt_place(program->context, group->placed, group->count, group->end - group->first,
                 &bytes) != GT_OK)
        return 0;
    return bytes;
}

/* ---- the plan ---- */

static gt_Status become_group(Group *group, int64_t rows, size_t bytes)
{
    gt_Program *program = group->program;
    gt_Plan *plan = program->plan;
    const int64_t tiles = (group->rows + rows - 1) / rows;
    size_t scratch = 0;
    if (!gt_reserve(program->context, (void **)&plan->groups, plan->group_count,
                    &plan->group_capacity, sizeof *plan->groups))
        return gt_context_status(program->context);
    for (int32_t i = 0; i < group->count; i++) {
        gt_Cell *cell = &program->cells[group->inside[i]];
        plan->stats.naive += (int64_t)gt_piece_bytes(&cell->piece);
        cell->piece.offset = group->pieces[i].offset;
        cell->base = GT_BASE_ROWS;
    }
    for (int32_t s = group->first; s < group->end; s++) {
        gt_ProgramStep *step = &program->steps[s];
        gt_Launch *launch = &plan->launches[step->launch];
        const int64_t all = cut_of_step(program, step).rows;
        cut_anew(launch, plan->jobs + launch->job, all, all / group->rows * rows, tiles);
        scratch = launch->scratch > scratch ? launch->scratch : scratch;
        step->group = group->number;
    }
    plan->groups[plan->group_count++] = (gt_PlanGroup){.steps = group->end - group->first,
                                                       .rows = group->rows,
                                                       .count = rows,
                                                       .tiles = tiles,
                                                       .bytes = bytes};
    plan->scratch = bytes + scratch > plan->scratch ? bytes + scratch : plan->scratch;
    return GT_OK;
}

/* The longest group from a step on; it is left as it is where little would become scratch memory. */
static gt_Status find_group(Group *group, int32_t first)
{
    group->first = group->end = first;
    group->rows = group->most = 0;
    group->number++;
    while (add_step(group))
        ;
    if (group->end - first < 2 || find_inside(group) < WORTH)
        return GT_OK;
    size_t bytes = place_inside(group, UNIT);
    int64_t rows = bytes ? (int64_t)(ROOM / bytes) * UNIT : 0;
    rows = rows < UNIT ? UNIT : rows;
    if (rows > group->rows)
        rows = group->rows;
    if (rows != UNIT && bytes)
        bytes = place_inside(group, rows);
    return bytes && bytes < GT_ROWS_MOST ? become_group(group, rows, bytes)
                                         : gt_context_status(group->program->context);
}

gt_Status gt_pass_rows(gt_Program *program)
{
    gt_Context *context = program->context;
    const int32_t cells = program->cell_count;
    if (gt_context_checks_numerics(context))
        return GT_OK;
    Group group = {.program = program,
                   .written = gt_plan_array(context, cells, sizeof *group.written),
                   .whole = gt_plan_array(context, cells, sizeof *group.whole),
                   .inside = gt_plan_array(context, cells, sizeof *group.inside),
                   .pieces = gt_plan_array(context, cells, sizeof *group.pieces),
                   .placed = gt_plan_array(context, cells, sizeof *group.placed)};
    if (gt_context_status(context) == GT_OK)
        for (int32_t s = 0; s < program->step_count && find_group(&group, s) == GT_OK;)
            s = s < group.end ? group.end : s + 1;
    gt_plan_drop(context, group.written, cells, sizeof *group.written);
    gt_plan_drop(context, group.whole, cells, sizeof *group.whole);
    gt_plan_drop(context, group.inside, cells, sizeof *group.inside);
    gt_plan_drop(context, group.pieces, cells, sizeof *group.pieces);
    gt_plan_drop(context, group.placed, cells, sizeof *group.placed);
    return gt_context_status(context);
}
