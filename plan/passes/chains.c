/* Chains: element-wise steps that follow one another and have results of one size become one step, which takes them together
 * block by block; what only the chain reads stays in a worker's scratch memory and has no place in the plan.
 *
 *     h = conv(x, k);  t = h + b;  y = relu(t)        conv+add+relu (x, k, b) -> h, y        t is nowhere
 *
 * The step in front may be the head of a chain, if its kernel's tiles write one stretch of its result each (gt_Launch.span):
 * convolutions, products cut by rows. The chain then follows tile by tile, while the tile is in the cache. What a convolution or
 * a product can do itself while its sums are in registers, adding a bias, the former relu too, it does; so does a batch norm, which
 * adds another one as large.
 *
 * The loops are those of the single steps (kernels/chain.c), so the bits are the same. The steps of a chain are neighbours, so
 * that nothing comes between them that writes what one of them reads. Each reads of a result of the chain only the elements
 * that it computes itself; what goes along with the result in another way (a row, a column, one number) is from outside.
 * With numeric checks on there are no chains: each step is looked at. The pass comes after the aliases, which may let a result
 * take over the memory of an operand: that is element by element too. Leans on plan/chain.h, ops/tiles.h. */
#include "core/assert.h"
#include "kernels/chain.h"
#include "ops/lowering.h"
#include "ops/table.h"
#include "ops/tiles.h"
#include "plan/chain.h"
#include "plan/program.h"

#include <string.h>

/* ---- one step ---- */

/* The kind, loop and type of an element-wise step; false if it is none. */
static bool loop_of(const gt_Program *program, const gt_GraphNode *node, gt_ChainStep *step)
{
    const gt_Operation *operation = node->operation;
    const gt_GraphValue *values = program->graph->values;
    const bool selects = operation == &gt_op_where;
    if (gt_overwrites(node) || node->outputs != 1 ||
        (!selects &&
         (operation->loop.kind == GT_LOOP_KIND_NONE || operation->lower != gt_lower_loop)))
        return false;
    int type = gt_loop_type(values[node->input[selects]].spec.dtype);
    if (type < 0)
        return false;
    const size_t bytes = gt_dtype_size(values[node->output[0]].spec.dtype);
    *step = (gt_ChainStep){
        .kind = (uint8_t)(selects                                       ? GT_CHAIN_SELECT
                          : operation->loop.kind == GT_LOOP_KIND_UNARY  ? GT_CHAIN_UNARY
                          : operation->loop.kind == GT_LOOP_KIND_BINARY ? GT_CHAIN_BINARY
                                                                        : GT_CHAIN_COMPARE),
        .type = (uint8_t)type,
        .operands = (uint8_t)node->inputs,
        .loop = (uint8_t)(selects ? gt_move_index(bytes) : operation->loop.id),
        .result.bytes = (uint8_t)bytes};
    for (int i = 0; i < node->inputs; i++)
        step->operand[i].bytes = (uint8_t)gt_dtype_size(values[node->input[i]].spec.dtype);
    return true;
}

/* How the operands go along with the result, whose rows are as wide as `width` gets; false if otherwise. */
static bool ways_of(const gt_Program *program, const gt_GraphNode *node, gt_ChainStep *step,
                    int64_t *width)
{
    const gt_GraphValue *values = program->graph->values;
    const int64_t size = values[node->output[0]].spec.size;
    const gt_Spec *input[3];
    gt_Broadcast walk;
    bool all = true; /* operands have the shape of the result: most do */
    for (int i = 0; i < node->inputs; i++) {
        input[i] = &values[node->input[i]].spec;
        all &= input[i]->size == size;
        step->operand[i].way = GT_CHAIN_FULL;
    }
    *width = size;
    if (all)
        return true;
    gt_broadcast_plan(&walk, &values[node->output[0]].spec, node->inputs, input);
    *width = walk.dims[walk.rank - 1];
    if (walk.rank > 2)
        return false;
    for (int i = 0; i < node->inputs; i++) {
        const int64_t *stride = walk.stride[i];
        bool steps = stride[walk.rank - 1] != 0, rows = walk.rank == 2 && stride[0] != 0;
        bool whole = input[i]->size == size;
        step->operand[i].way = (uint8_t)(whole   ? GT_CHAIN_FULL
                                         : steps ? GT_CHAIN_ROW
                                         : rows  ? GT_CHAIN_COLUMN
                                                 : GT_CHAIN_ONE);
    }
    return true;
}

/* ---- a group of steps ---- */

#define COUNTED_BACK                                                                               \
    (GT_CHAIN_OPERANDS - 1) /* outputs follow inputs, whose number is not known at first */

typedef struct Member {
    gt_ChainStep step;
    int32_t value; /* its result */
    int64_t width; /* of its rows; the size: it has no rows */
    /* Where operands and the result are: input i, or COUNTED_BACK - output i, or -1 - slot. */
    int at[3], result;
    int repeats[3]; /* the slot of a narrow row; -1: it is none */
    int by[3];      /* the member that made the operand; -1: it is from outside */
    bool whole[3];  /* the operand is read just where the chain is */
    int last;       /* the last member that reads the result; itself: none does */
    bool stays;     /* the result is read behind the chain too, or is where others look for it */
} Member;

typedef struct Group {
    gt_Program *program;
    int32_t *
        writer; /* of each cell: the first member of a group that wrote there, as a step; -1: none */
    bool far;   /* variables and arguments are more than the caches hold */
    int32_t first, members; /* the first step that is a member; behind it the others */
    int32_t head;           /* the step in front; -1: none */
    int64_t size, width;
    Member member[GT_CHAIN_STEPS];
    /* the step that it becomes */
    gt_ChainOptions options;
    int32_t inputs, outputs;
    int32_t input[GT_CHAIN_OPERANDS], output[GT_MAX_OUTPUTS];
    int32_t slots;
    bool taken[GT_CHAIN_SLOTS];
} Group;

static const gt_GraphNode *node_of(const Group *group, int32_t step)
{
    const gt_Program *program = group->program;
    return &program->graph->nodes[program->steps[step].node];
}

/* Which member made what is in the cell; -1: none. */
static int32_t made_by(const Group *group, int32_t cell)
{
    const int32_t m = group->writer[cell] - group->first;
    return m >= 0 && m < group->members ? m : -1;
}

/* Does a step read the output of the head, which is the first one of the chain, as input i? */
static bool reads_head(const Group *group, int32_t step, int i)
{
    const gt_Program *program = group->program;
    return group->head >= 0 && gt_step_input(program, &program->steps[step], i).cell ==
                                   program->facts[node_of(group, group->head)->output[0]].cell;
}

/* The next step joins the group, if it can. */
static bool add_member(Group *group, int32_t s)
{
    const gt_Program *program = group->program;
    if (group->members == GT_CHAIN_STEPS || s >= program->step_count ||
        program->steps[s].node < 0 || program->steps[s].control >= 0 ||
        (s == program->commit_step && group->members > 0))
        return false;
    const gt_GraphNode *node = node_of(group, s);
    Member *member = &group->member[group->members];
    int64_t size = program->graph->values[node->output[0]].spec.size;
    if (size < 1 || (group->members && size != group->size) ||
        !loop_of(program, node, &member->step) ||
        !ways_of(program, node, &member->step, &member->width))
        return false;
    bool rows = member->width != size;
    if (rows && group->members && group->width != group->size && group->width != member->width)
        return false;
    for (int i = 0; i < node->inputs; i++) {
        const gt_Place place = gt_step_input(program, &program->steps[s], i);
        member->whole[i] = member->step.operand[i].way == GT_CHAIN_FULL && place.offset == 0;
        member->by[i] = made_by(group, place.cell);
        if (member->by[i] >= 0 && !member->whole[i])
            return false;
    }
    if (!group->members || rows)
        group->width = member->width;
    group->size = size;
    member->value = node->output[0];
    const int32_t cell = program->facts[member->value].cell;
    if (made_by(group, cell) < 0)
        group->writer[cell] = s;
    group->members++;
    return true;
}

/* ---- its operands ---- */

/* The number of an input of the chain; -1: there are too many. */
static int add_input(Group *group, int32_t value)
{
    for (int32_t i = 0; i < group->inputs; i++)
        if (group->input[i] == value)
            return i;
    if (group->inputs == GT_CHAIN_OPERANDS - GT_MAX_OUTPUTS)
        return -1;
    group->input[group->inputs] = value;
    return group->inputs++;
}

static int take_slot(Group *group)
{
    int slot = 0;
    while (slot < GT_CHAIN_SLOTS && group->taken[slot])
        slot++;
    if (slot == GT_CHAIN_SLOTS)
        return -1;
    group->taken[slot] = true;
    group->slots = slot >= group->slots ? slot + 1 : group->slots;
    return slot;
}

static void find_last_readers(Group *group)
{
    for (int32_t m = 0; m < group->members; m++) {
        group->member[m].last = m;
        for (int i = 0; i < group->member[m].step.operands; i++)
            if (group->member[m].by[i] >= 0)
                group->member[group->member[m].by[i]].last = m;
    }
}

/* The operands of member m; false if there are too many. */
static bool place_operands(Group *group, int32_t m)
{
    Member *member = &group->member[m];
    const gt_GraphNode *node = node_of(group, group->first + m);
    for (int i = 0; i < node->inputs; i++) {
        int by = member->by[i];
        member->at[i] = reads_head(group, group->first + m, i) ? COUNTED_BACK
                        : by < 0                               ? add_input(group, node->input[i])
                                                               : group->member[by].result;
        if (member->at[i] < 0 && by < 0)
            return false;
    }
    return true;
}

/* Narrow rows are repeated before the first block is begun, so their slots are theirs from the start to the end. */
static bool place_rows(Group *group)
{
    for (int32_t m = 0; m < group->members; m++)
        for (int i = 0; i < group->member[m].step.operands; i++) {
            bool narrow = group->member[m].step.operand[i].way == GT_CHAIN_ROW &&
                          group->width <= GT_CHAIN_NARROW;
            group->member[m].repeats[i] = narrow ? take_slot(group) : -1;
            if (narrow && group->member[m].repeats[i] < 0)
                return false;
        }
    return true;
}

static bool place_result(Group *group, int32_t m)
{
    Member *member = &group->member[m];
    if (member->stays) {
        if (group->outputs == GT_MAX_OUTPUTS)
            return false;
        group->output[group->outputs] = member->value;
        member->result = COUNTED_BACK - group->outputs++;
        return true;
    }
    int slot = take_slot(group);
    member->result = -1 - slot;
    return slot >= 0;
}

static void free_slot(Group *group, int32_t of, int32_t m)
{
    if (group->member[of].result < 0 && group->member[of].last == m)
        group->taken[-1 - group->member[of].result] = false;
}

/* Slots whose results nobody reads from here on are free for the next member. */
static void free_slots(Group *group, int32_t m)
{
    const Member *member = &group->member[m];
    for (int i = 0; i < member->step.operands; i++)
        if (member->by[i] >= 0)
            free_slot(group, member->by[i], m);
    free_slot(group, m, m);
}

/* ---- its job ---- */

/* Once all inputs are known: where an operand lies, and how it steps. */
static void write_operand(const Group *group, gt_ChainOperand *operand, int at, int repeats)
{
    bool slot = at < 0 || repeats >= 0, full = operand->way == GT_CHAIN_FULL;
    int place = at <= COUNTED_BACK - GT_MAX_OUTPUTS ? at : group->inputs + COUNTED_BACK - at;
    operand->from = (uint8_t)(repeats >= 0 ? GT_CHAIN_OPERANDS + repeats
                              : at < 0     ? GT_CHAIN_OPERANDS - 1 - at
                                           : place);
    operand->repeat = (uint8_t)(repeats >= 0 ? place + 1 : 0);
    operand->advance = slot || !full ? 0 : operand->bytes;
    operand->along = full || operand->way == GT_CHAIN_ROW;
}

static void write_step(Group *group, int32_t m)
{
    gt_ChainJob *job = &group->options.job;
    const Member *member = &group->member[m];
    gt_ChainStep *step = &job->step[job->steps++];
    *step = member->step;
    step->result.way = GT_CHAIN_FULL;
    write_operand(group, &step->result, member->result, -1);
    for (int i = 0; i < step->operands; i++) {
        gt_ChainOperand *operand = &step->operand[i];
        write_operand(group, operand, member->at[i], member->repeats[i]);
        job->repeats += operand->repeat != 0;
        step->by_rows |=
            operand->way == GT_CHAIN_COLUMN || (operand->way == GT_CHAIN_ROW && !operand->repeat);
    }
}

/* The head's inputs, and its output, which comes first. */
static bool place_head(Group *group)
{
    const gt_GraphNode *node = group->head < 0 ? NULL : node_of(group, group->head);
    group->inputs = group->outputs = group->slots = 0;
    memset(group->taken, 0, sizeof group->taken);
    memset(&group->options, 0, sizeof group->options);
    group->options.size = sizeof group->options;
    group->options.job.head = -1;
    if (!node)
        return true;
    group->options.head = node->operation;
    group->options.head_options = node->options;
    group->options.head_inputs = node->inputs;
    for (int i = 0; i < node->inputs; i++) {
        int at = node->input[i] < 0 ? -1 : add_input(group, node->input[i]);
        if (at < 0)
            return false;
        group->options.job.head_at[i] = (int8_t)at;
    }
    group->options.head_outputs = node->outputs;
    for (int i = 0; i < node->outputs; i++)
        group->output[group->outputs++] = node->output[i];
    const int32_t cell = group->program->facts[node->output[0]].cell;
    group->options.head_only_here =
        group->program->cells[cell].base == GT_BASE_BLOCK &&
        group->program->cells[cell].read < group->first + group->members;
    return true;
}

/* A result may have taken over memory that an operand lies in. The head and rows read more of an operand than the elements
 * at which the chain is: they must not read what it writes. */
static bool keeps_apart(Group *group)
{
    const gt_Program *program = group->program;
    int32_t roots[GT_CHAIN_STEPS]; /* of the results that are written; -1: it is not */
    for (int32_t m = 0; m < group->members; m++) {
        const int32_t number = program->facts[group->member[m].value].cell;
        const gt_Cell *cell = &program->cells[number];
        group->member[m].stays =
            cell->base != GT_BASE_BLOCK || cell->read >= group->first + group->members;
        roots[m] = group->member[m].stays ? gt_cell_shared(program, number) : -1;
    }
    for (int32_t m = group->head < 0 ? 0 : -1; m < group->members; m++) {
        const int32_t s = m < 0 ? group->head : group->first + m;
        const gt_GraphNode *node = node_of(group, s);
        for (int i = 0; i < node->inputs; i++) {
            if (m >= 0 && group->member[m].whole[i])
                continue;
            int32_t cell = gt_step_input(program, &program->steps[s], i).cell;
            int32_t root = gt_cell_shared(program, cell);
            for (int32_t k = m + 1; k < group->members; k++)
                if (roots[k] == root)
                    return false;
        }
    }
    return true;
}

/* Is the last result the only one, of the head's type and where no operand from outside is? */
static bool ends_apart(const Group *group)
{
    const gt_Program *program = group->program;
    const gt_GraphValue *values = program->graph->values;
    const int32_t last = group->members - 1, result = group->member[last].value;
    const int32_t root = gt_cell_shared(program, program->facts[result].cell);
    if (values[result].spec.dtype != values[node_of(group, group->head)->output[0]].spec.dtype)
        return false;
    for (int32_t m = 0; m <= last; m++) {
        const int32_t s = group->first + m;
        if (group->member[m].stays != (m == last))
            return false;
        for (int i = 0; i < node_of(group, s)->inputs; i++)
            if (group->member[m].by[i] < 0 && !reads_head(group, s, i) &&
                gt_cell_shared(program, gt_step_input(program, &program->steps[s], i).cell) == root)
                return false;
    }
    return true;
}

/* Does the chain change variables that come from behind the caches, each element once in a step? Then its steps take turns more often:
 * while one computes, the processor goes on fetching for the others, 1.6 times as fast on an EPYC of 2024. */
static bool is_far(const Group *group)
{
    const gt_Program *program = group->program;
    bool writes = false;
    for (int32_t m = 0; m < group->members; m++)
        writes |= program->cells[program->facts[group->member[m].value].cell].base != GT_BASE_BLOCK;
    return group->far && writes && group->width == group->size;
}

/* Fills in the job; false if something does not fit. */
static bool make_job(Group *group)
{
    gt_ChainJob *job = &group->options.job;
    if (!keeps_apart(group) || !place_head(group) || !place_rows(group))
        return false;
    find_last_readers(group);
    for (int32_t m = 0; m < group->members; m++) {
        if (!place_operands(group, m) || !place_result(group, m))
            return false;
        free_slots(group, m);
    }
    group->options.head_in_place = group->options.head_only_here && ends_apart(group);
    size_t bytes = 1; /* of the largest element */
    for (int32_t m = 0; m < group->members; m++) {
        const gt_ChainStep *step = &group->member[m].step;
        write_step(group, m);
        bytes = step->result.bytes > bytes ? step->result.bytes : bytes;
        for (int i = 0; i < step->operands; i++)
            bytes = step->operand[i].bytes > bytes ? step->operand[i].bytes : bytes;
    }
    for (int32_t i = 0; i < group->options.head_outputs; i++)
        job->head_at[group->options.head_inputs + i] = (int8_t)(group->inputs + i);
    job->size = group->size;
    job->width = group->width;
    job->block = group->width <= GT_CHAIN_BLOCK ? GT_CHAIN_BLOCK / group->width * group->width
                 : is_far(group)                ? GT_CHAIN_FAR_BLOCK
                                                : GT_CHAIN_BLOCK;
    job->tile = job->width > job->block
                    ? GT_TILE_ELEMENTS
                    : (GT_TILE_ELEMENTS + job->block - 1) / job->block * job->block;
    job->slot = (int32_t)gt_aligned((size_t)GT_CHAIN_BLOCK * bytes);
    job->chain_scratch = group->slots * job->slot;
    return true;
}

/* ---- the step that it becomes ---- */

/* "add+relu", or "add+tanh+...": for people. */
static const char *name_of(const Group *group)
{
    char text[96];
    size_t used = 0;
    int32_t first = group->head < 0 ? group->first : group->head;
    for (int32_t s = first; s < group->first + group->members; s++) {
        const char *name = node_of(group, s)->operation->name;
        const size_t length = strlen(name);
        const bool fits = used + length + 6 <= sizeof text;
        if (used)
            text[used++] = '+';
        memcpy(text + used, fits ? name : "...", fits ? length : 3);
        used += fits ? length : 3;
        if (!fits)
            break;
    }
    text[used] = 0;
    return gt_graph_path(group->program->graph, text);
}

/* A node of its own in the graph; -1 on failure. */
static int32_t add_node(Group *group)
{
    gt_Program *program = group->program;
    gt_Context *context = program->context;
    gt_Graph *graph = program->graph;
    size_t count = (size_t)(group->inputs + group->outputs);
    const char *name = name_of(group);
    if (!name || !gt_reserve(context, (void **)&graph->nodes, graph->node_count,
                             &graph->node_capacity, sizeof *graph->nodes))
        return -1;
    int32_t *lists = gt_allocate(context, count * sizeof *lists);
    gt_ChainOptions *options = gt_allocate(context, sizeof *options);
    if (!lists || !options) {
        gt_release(context, lists, count * sizeof *lists);
        gt_release(context, options, sizeof *options);
        return -1;
    }
    *options = group->options;
    memcpy(lists, group->input, (size_t)group->inputs * sizeof *lists);
    memcpy(lists + group->inputs, group->output, (size_t)group->outputs * sizeof *lists);
    gt_GraphNode made = *node_of(group, group->first + group->members - 1);
    made.operation = &gt_op_chain;
    made.name = name;
    made.options = options;
    made.input = lists;
    made.output = lists + group->inputs;
    made.inputs = group->inputs;
    made.outputs = group->outputs;
    made.scratch = 0;
    graph->nodes[graph->node_count] = made;
    return graph->node_count++;
}

/* Results that are nowhere have no memory, unless it is the memory that another one took over. */
static void drop_memory(const Group *group)
{
    gt_Program *program = group->program;
    for (int32_t m = 0; m < group->members; m++)
        if (group->member[m].result < 0)
            program->cells[program->facts[group->member[m].value].cell].gone = true;
}

/* ---- the pass ---- */

/* May the step in front be the head? Its tiles must write whole rows of its first output, one stretch each, and the chain read them,
 * and none of its other outputs. */
static bool has_head(const Group *group)
{
    const gt_Program *program = group->program;
    int32_t s = group->first - 1;
    if (s < 0 || program->steps[s].node < 0 || program->steps[s].control >= 0 ||
        group->first == program->commit_step)
        return false;
    const gt_GraphNode *node = node_of(group, s);
    if (!node->operation->lower || gt_overwrites(node) ||
        program->graph->values[node->output[0]].spec.size != group->size)
        return false;
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i] < 0)
            return false;
    int32_t cell = program->facts[node->output[0]].cell;
    bool read = false;
    for (int32_t m = 0; m < group->members; m++)
        for (int i = 0; i < group->member[m].step.operands; i++) {
            gt_Place place = gt_step_input(program, &program->steps[group->first + m], i);
            for (int o = 1; o < node->outputs; o++)
                if (place.cell == program->facts[node->output[o]].cell)
                    return false;
            if (place.cell != cell)
                continue;
            if (place.offset != 0 || group->member[m].step.operand[i].way != GT_CHAIN_FULL)
                return false;
            read = true;
        }
    if (!read)
        return false;
    gt_ShapeRule rule;
    gt_graph_rule(program->graph, node, &rule);
    gt_Lowering lowering;
    gt_lower(&rule, gt_context_kernels(program->context), &lowering);
    if (lowering.launches == 0 || lowering.check != GT_CHECK_none ||
        lowering.job_bytes + (size_t)lowering.launches * (GT_CHAIN_NO_STEPS + 16) +
                sizeof(gt_ChainJob) >
            GT_JOB_BYTES)
        return false;
    const int64_t span = lowering.launch[lowering.launches - 1].span;
    return span > 0 && (group->width == group->size || span % group->width == 0);
}

/* Is the chain worth it? One step is if its operand is repeated in narrow rows, or if it follows a head. */
static bool pays(const Group *group)
{
    if (group->members > 1 || group->head >= 0)
        return true;
    const gt_ChainStep *step = &group->member[0].step;
    for (int i = 0; i < step->operands; i++)
        if (step->operand[i].way == GT_CHAIN_ROW && group->width <= GT_CHAIN_NARROW &&
            group->size >= 4 * group->width)
            return true;
    return false;
}

/* Does an element-wise step that is near read, from member `cut` on, what a member before it made? */
static bool crosses(const Group *group, int32_t cut)
{
    const gt_Program *program = group->program;
    int32_t end = group->first + cut + GT_CHAIN_STEPS;
    end = end < program->step_count ? end : program->step_count;
    for (int32_t m = cut; m < group->members; m++)
        for (int i = 0; i < group->member[m].step.operands; i++)
            if (group->member[m].by[i] >= 0 && group->member[m].by[i] < cut)
                return true;
    for (int32_t s = group->first + group->members; s < end; s++) {
        gt_ChainStep step;
        if (program->steps[s].node < 0 || !loop_of(program, node_of(group, s), &step))
            continue;
        for (int i = 0; i < node_of(group, s)->inputs; i++) {
            const int by = made_by(group, gt_step_input(program, &program->steps[s], i).cell);
            if (by >= 0 && by < cut)
                return true;
        }
    }
    return false;
}

/* More steps than a chain may have are cut where nothing is handed over, if there is such a place: between two variables that an
 * optimizer updates rather than in the middle of one, whose intermediate results would go through the memory. */
static void cut_between(Group *group)
{
    int32_t cut = 2;
    while (cut < group->members && crosses(group, cut))
        cut++;
    if (cut < group->members)
        group->members = cut;
}

/* The longest chain from the step on that fits. */
static bool find_group(Group *group, int32_t s)
{
    group->first = s;
    group->members = 0;
    while (add_member(group, s + group->members))
        ;
    if (group->members == GT_CHAIN_STEPS)
        cut_between(group);
    for (; group->members > 0; group->members--) {
        group->head = has_head(group) ? s - 1 : -1;
        if (pays(group) && make_job(group))
            return true;
        group->head = -1;
        if (pays(group) && make_job(group))
            return true;
    }
    return false;
}

/* Is what the plan reads and changes from outside more than the caches hold? */
static bool is_large(const gt_Program *program)
{
    size_t bytes = 0;
    for (int32_t i = 0; i < program->cell_count; i++)
        if (program->cells[i].base != GT_BASE_BLOCK)
            bytes += program->cells[i].piece.bytes;
    return bytes >= GT_CHAIN_FAR;
}

/* Steps [group, end of the group) become one, at place `to` of the list. */
static gt_Status become_step(Group *group, int32_t to)
{
    gt_Program *program = group->program;
    int32_t node = add_node(group);
    if (node < 0)
        return gt_context_status(program->context);
    gt_ProgramStep made = program->steps[group->first + group->members - 1];
    made.node = node;
    program->steps[to] = made;
    drop_memory(group);
    return GT_OK;
}

gt_Status gt_pass_chains(gt_Program *program)
{
    gt_Context *context = program->context;
    const int32_t count = program->step_count;
    if (gt_context_checks_numerics(context))
        return GT_OK;
    size_t bytes = ((size_t)count + 1) * sizeof(int32_t);
    size_t cells = ((size_t)program->cell_count + 1) * sizeof(int32_t);
    int32_t *writer = gt_allocate(context, cells), *now = gt_allocate(context, bytes), kept = 0;
    Group *group = gt_allocate(context, sizeof *group);
    if (writer && now && group) {
        memset(writer, -1, cells);
        group->program = program;
        group->writer = writer;
        group->far = is_large(program);
        /* A step is kept before it is known whether it is a head: then the chain takes its place. */
        for (int32_t s = 0; s < count && gt_context_status(context) == GT_OK;) {
            if (find_group(group, s)) {
                kept -= group->head >= 0;
                if (become_step(group, kept) != GT_OK)
                    break;
                for (int32_t i = group->head >= 0 ? s - 1 : s; i < s + group->members; i++)
                    now[i] = kept;
                s += group->members;
            } else {
                now[s] = kept;
                if (kept < s)
                    program->steps[kept] = program->steps[s];
                s++;
            }
            kept++;
        }
        now[count] = kept;
    }
    if (gt_context_status(context) == GT_OK)
        gt_program_renumber(program, now, kept);
    gt_release(context, group, sizeof *group);
    gt_release(context, now, bytes);
    gt_release(context, writer, cells);
    return gt_context_status(context);
}
