/* From a traced graph to steps that run one after the other. In this order:
 *
 *   calls     become the nodes of their bodies (inline.c)
 *   needed    what no output and no effect needs is dropped
 *   views     a view is no step: a place inside the memory it looks at
 *   order     effects come last, so that whatever can fail has run before a variable changes. Where
 *             an operation needs the new value of a variable (random state, a step count), the
 *             effect works on a shadow of the variable, which is copied back at the very end
 *   versions  every effect makes a new version of its variable at the same address. Whoever reads
 *             an older version later than that gets a copy, made just before
 *   memory    the life of every piece of memory, from its first step to its last; an element-wise
 *             operation takes over the memory of an input that ends there. Now operations are
 *             lowered to launches, which may need temporary memory. The rest is packed into one
 *             block (place.c)
 *   kernels   filled in but for the pointers that change: arguments, outputs, large constants. A
 *             run patches those that moved.
 *
 * The bodies of control flow have plans of their own, with blocks of their own, made with the plan
 * around them. They know no variables: an effect in a body works on a copy of what it changes.
 *
 * Interrupts are not asked for once variables change: a run happens as a whole or not at all, save
 * for an effect whose own kernel fails. Leans on core. */
#include "plan/plan.h"
#include "plan/inline.h"
#include "core/internal.h"
#include "core/launch.h"
#include "plan/place.h"

#include <string.h>

#define SMALL 4096      /* constants up to this many bytes are copied into the block */
#define NEVER INT32_MAX /* a step that does not come */

/* ---- what a plan is ---- */

typedef struct Step {
    gt_Status (*run)(const gt_Kernel *kernel); /* NULL: it has launches */
    const gt_Kernel *kernel;
    const char *here, *name;
    int32_t first, launches; /* among the plan's */
    int32_t check;           /* among the plan's; -1: none */
    void **at;               /* inputs, outputs, temporaries */
} Step;

/* What looks at the numbers before a step runs. */
typedef struct PlanCheck {
    gt_CheckKernel *check;
    size_t job; /* among the plan's job bytes */
    int64_t tiles;
    int32_t node; /* of the graph */
} PlanCheck;

/* Memory that is not the plan's: an argument, an output, a variable, a constant. */
typedef struct Base {
    void *at;
    int32_t first, count; /* its patches */
} Base;

/* A pointer of a kernel to such memory: one of the two. */
typedef struct Patch {
    const void **input;
    void **output;
    size_t offset;
} Patch;

/* The kernel of a step of control flow, with its lists in one block. */
typedef struct Control {
    gt_ControlKernel kernel;
    void **lists;
    size_t bytes;
} Control;

typedef struct PlanVariable {
    gt_Slot *slot;
    bool overwritten;
} PlanVariable;

typedef struct PlanOutput {
    gt_Spec spec;
    const gt_Operation *probability; /* that made it; NULL: none is known */
} PlanOutput;

typedef struct Live {
    const double *number;
    gt_DType dtype;
    void *into;
} Live;

struct gt_Plan {
    gt_Context *context;
    gt_Graph *graph;
    Step *steps;
    gt_Kernel *kernels;
    int32_t step_count;
    gt_Launch *launches; /* `job` counts from the first of the plan's job bytes */
    int32_t launch_count, launch_capacity;
    PlanCheck *checks;
    int32_t check_count, check_capacity;
    unsigned char *jobs;
    size_t job_bytes, job_capacity;
    void **at; /* of all steps with launches */
    int32_t at_count;
    int32_t commit; /* the first step that changes a variable */
    Control *controls;
    int32_t control_count;
    gt_Plan **bodies; /* those that were made for this one */
    int32_t body_count, body_capacity;
    Base *bases; /* arguments, outputs, variables, constants */
    int32_t inputs, outputs, variable_count, constant_count, base_count;
    Patch *patches;
    int32_t patch_count;
    PlanOutput *output;
    PlanVariable *variables;
    gt_Value **constants; /* those that are not in the block; the graph holds them */
    Live *live;
    int32_t live_count;
    char *block;
    size_t block_bytes, scratch;
    gt_PlanStats stats;
};

/* ---- what is known while it is made ---- */

/* A piece of memory: in the block, or a base. */
typedef struct Cell {
    gt_Piece piece;
    int32_t base; /* -1: in the block */
    int32_t same; /* the cell whose memory it took over; -1: none */
} Cell;

typedef struct Place {
    int32_t cell;
    size_t offset; /* bytes */
} Place;

/* What is known of a graph value. */
typedef struct Fact {
    int32_t root;   /* whose memory it looks at; itself for all but views */
    size_t offset;  /* bytes into that */
    int32_t cell;   /* of a root */
    int32_t output; /* the cell of the first output of the function that it is; -1: none */
    int32_t number; /* of a variable and its versions: which variable */
    int32_t over;   /* of a variable's version: the item that overwrites it */
    int32_t copy;   /* of a version: the cell of the copy that late readers get; -1: none needed */
    unsigned marks; /* NEEDED, FEEDS */
} Fact;

enum {
    NEEDED = 1, /* an output or an effect comes of it */
    FEEDS = 2   /* an operation that is no effect comes of it */
};

typedef struct DraftStep {
    int32_t node, item;    /* node -1: a copy */
    int32_t value;         /* whose spec a copy has */
    Place from, to;        /* of a copy */
    int32_t control, room; /* of control flow: which one, and the cell of its memory; -1: none */
    bool lowered;          /* it has launches: */
    int32_t first, launches, check, temporaries;
    int32_t temporary[GT_MAX_TEMPORARIES]; /* cells */
} DraftStep;

/* A variable's place among the bases, and the cell of its shadow (-1: effects work in place). */
typedef struct DraftVariable {
    int32_t value, cell, shadow;
    bool shadow_filled;
} DraftVariable;

typedef struct Draft {
    gt_Context *context;
    gt_Graph *graph;
    gt_Plan *plan;
    Fact *facts;
    DraftVariable *variables;
    int32_t *items; /* nodes in the order of their running */
    int32_t item_count, commit_item;
    Cell *cells;
    int32_t cell_count, cell_capacity;
    DraftStep *steps;
    int32_t step_count, step_capacity;
    int32_t commit_step;
    int32_t *outputs_cell; /* the cell of every output */
    gt_Piece **packed;     /* what is in the block */
} Draft;

/* Does the node change a variable? In a body, and in a piece that is written down again, it changes a
 * copy. */
static bool is_effect(const Draft *draft, const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_EFFECT && !draft->graph->inner &&
           draft->graph->values[node->output[0]].variable;
}

static bool overwrites(const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_EFFECT;
}

static bool is_control(const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_CONTROL;
}

static bool is_view(const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_VIEW;
}

static void *array(gt_Context *context, int32_t count, size_t element)
{
    return gt_allocate_zeroed(context, (size_t)(count ? count : 1) * element);
}

static void drop(gt_Context *context, void *block, int32_t count, size_t element)
{
    gt_release(context, block, (size_t)(count ? count : 1) * element);
}

/* ---- needed, views, order ---- */

/* What is true of any output of a node. */
static unsigned marks_of(const Draft *draft, const gt_GraphNode *node)
{
    unsigned marks = is_effect(draft, node) ? NEEDED : 0;
    for (int i = 0; i < node->outputs; i++)
        marks |= draft->facts[node->output[i]].marks;
    return marks;
}

/* Backwards: what is needed, and what operations are made of that are no effects. An effect whose
 * new value such an operation needs has to run among them, and what it reads itself before it. */
static void mark(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    for (int32_t i = 0; i < graph->outputs; i++)
        draft->facts[graph->output[i]].marks |= NEEDED;
    for (int32_t n = graph->node_count - 1; n >= 0; n--) {
        const gt_GraphNode *node = &graph->nodes[n];
        unsigned marks = marks_of(draft, node);
        if (!is_effect(draft, node) && !is_view(node) && marks)
            marks |= FEEDS;
        for (int i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0)
                draft->facts[node->input[i]].marks |= marks;
    }
}

/* The shape rule's answer for a node, as it was when the node was written down. */
static gt_ShapeRule rule_of(const gt_Graph *graph, const gt_GraphNode *node)
{
    gt_ShapeRule rule = {.operation = node->operation,
                         .options = node->options,
                         .inputs = node->inputs,
                         .outputs = node->outputs};
    for (int i = 0; i < node->inputs; i++)
        rule.input[i] = node->input[i] < 0 ? NULL : &graph->values[node->input[i]].spec;
    for (int i = 0; i < node->outputs; i++)
        rule.output[i] = graph->values[node->output[i]].spec;
    return rule;
}

static gt_Status find_views(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    for (int32_t i = 0; i < graph->value_count; i++) {
        draft->facts[i].root = i;
        draft->facts[i].cell = draft->facts[i].copy = draft->facts[i].output = -1;
        draft->facts[i].over = NEVER;
    }
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (!is_view(node))
            continue;
        gt_ShapeRule rule = rule_of(graph, node);
        int64_t elements = node->operation->view_offset ? node->operation->view_offset(&rule) : 0;
        if (gt_context_status(draft->context) != GT_OK)
            return gt_context_status(draft->context);
        const Fact *source = &draft->facts[node->input[0]];
        Fact *fact = &draft->facts[node->output[0]];
        fact->root = source->root;
        fact->offset = source->offset + (size_t)elements * gt_dtype_size(rule.output[0].dtype);
    }
    return GT_OK;
}

/* First what changes nothing outside, then what does; both as traced. */
static void order(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    for (int late = 0; late < 2; late++) {
        draft->commit_item = late ? draft->item_count : 0;
        for (int32_t n = 0; n < graph->node_count; n++) {
            const gt_GraphNode *node = &graph->nodes[n];
            unsigned marks = marks_of(draft, node);
            bool waits = is_effect(draft, node) && !(marks & FEEDS);
            if (marks && !is_view(node) && waits == (late == 1))
                draft->items[draft->item_count++] = n;
        }
    }
}

/* ---- memory, before it has places ---- */

static int32_t new_cell(Draft *draft, size_t bytes, int32_t base)
{
    if (!gt_reserve(draft->context, (void **)&draft->cells, draft->cell_count,
                    &draft->cell_capacity, sizeof *draft->cells))
        return -1;
    draft->cells[draft->cell_count] =
        (Cell){.piece = {.bytes = bytes, .first = NEVER, .last = -1}, .base = base, .same = -1};
    return draft->cell_count++;
}

static bool in_block(const gt_GraphValue *value)
{
    return gt_spec_bytes(&value->spec) <= SMALL || value->constant->buffer->borrowed;
}

/* Results get theirs with the effects known; see result_cells. */
static gt_Status source_cells(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    gt_Plan *plan = draft->plan;
    int32_t variables = 0, constants = 0;
    int32_t first_variable = plan->inputs + plan->outputs;
    for (int32_t i = 0; i < graph->outputs; i++) {
        const gt_Spec *spec = &graph->values[graph->output[i]].spec;
        draft->outputs_cell[i] = new_cell(draft, gt_spec_bytes(spec), plan->inputs + i);
        Fact *fact = &draft->facts[graph->output[i]];
        if (fact->output < 0)
            fact->output = draft->outputs_cell[i];
    }
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *value = &graph->values[i];
        size_t bytes = gt_spec_bytes(&value->spec);
        int32_t base = -1;
        switch (value->kind) {
        case GT_GRAPH_RESULT:
            continue;
        case GT_GRAPH_INPUT:
            base = value->index;
            break;
        case GT_GRAPH_VARIABLE:
            base = first_variable + variables;
            break;
        case GT_GRAPH_CONSTANT:
            if (!in_block(value)) {
                plan->constants[constants] = value->constant;
                base = first_variable + plan->variable_count + constants++;
            }
            break;
        case GT_GRAPH_LIVE:
            break;
        }
        int32_t cell = draft->facts[i].cell = new_cell(draft, bytes, base);
        if (cell < 0)
            return gt_context_status(draft->context);
        if (base < 0) { /* holds its bytes from before the first step; a constant for good */
            draft->cells[cell].piece.first = 0;
            draft->cells[cell].piece.last = value->kind == GT_GRAPH_CONSTANT ? NEVER : 0;
        }
        if (value->kind == GT_GRAPH_VARIABLE) {
            draft->facts[i].number = variables;
            draft->variables[variables++] = (DraftVariable){i, cell, -1, false};
        }
    }
    return gt_context_status(draft->context);
}

/* Which memory an effect's new value is in: the variable's, or its shadow. */
static gt_Status effect_cells(Draft *draft, int32_t item)
{
    const gt_GraphNode *node = &draft->graph->nodes[draft->items[item]];
    bool early = item < draft->commit_item;
    for (int i = 0; i < node->outputs; i++) {
        const gt_GraphValue *value = &draft->graph->values[node->output[i]];
        int32_t index = draft->facts[node->input[i]].number;
        DraftVariable *variable = &draft->variables[index];
        draft->facts[node->output[i]].number = index;
        draft->plan->variables[index].overwritten = true;
        bool first = node->input[i] == variable->value;
        if (early && variable->shadow < 0) {
            variable->shadow = new_cell(draft, gt_spec_bytes(&value->spec), -1);
            if (variable->shadow < 0)
                return gt_context_status(draft->context);
        }
        bool shadowed = variable->shadow >= 0;
        draft->facts[node->output[i]].cell = shadowed ? variable->shadow : variable->cell;
        if (!(first && shadowed)) /* a shadow leaves the old value where it is */
            draft->facts[node->input[i]].over = item;
    }
    return GT_OK;
}

static gt_Status result_cells(Draft *draft)
{
    for (int32_t item = 0; item < draft->item_count; item++) {
        const gt_GraphNode *node = &draft->graph->nodes[draft->items[item]];
        if (is_effect(draft, node)) {
            if (effect_cells(draft, item) != GT_OK)
                return gt_context_status(draft->context);
            continue;
        }
        for (int i = 0; i < node->outputs; i++) {
            if (is_control(node) && i >= node->required && !draft->facts[node->output[i]].marks)
                continue;
            Fact *fact = &draft->facts[node->output[i]];
            size_t bytes = gt_spec_bytes(&draft->graph->values[node->output[i]].spec);
            fact->cell = fact->output; /* written straight there */
            if (fact->cell < 0 && (fact->cell = new_cell(draft, bytes, -1)) < 0)
                return gt_context_status(draft->context);
        }
    }
    return GT_OK;
}

/* ---- versions ---- */

/* Does a reader at this item come too late for the version it reads? A view of what its own
 * operation overwrites also does. */
static bool comes_late(const Draft *draft, int32_t value, int32_t item)
{
    int32_t root = draft->facts[value].root, over = draft->facts[root].over;
    return over < item || (over == item && value != root);
}

static gt_Status need_copy(Draft *draft, int32_t value, int32_t item)
{
    int32_t root = draft->facts[value].root;
    Fact *fact = &draft->facts[root];
    if (fact->copy < 0 && comes_late(draft, value, item))
        fact->copy = new_cell(draft, gt_spec_bytes(&draft->graph->values[root].spec), -1);
    return gt_context_status(draft->context);
}

static gt_Status find_copies(Draft *draft)
{
    for (int32_t item = 0; item < draft->item_count; item++) {
        const gt_GraphNode *node = &draft->graph->nodes[draft->items[item]];
        for (int i = 0; i < node->inputs; i++)
            if (node->input[i] >= 0 && need_copy(draft, node->input[i], item) != GT_OK)
                return gt_context_status(draft->context);
    }
    for (int32_t i = 0; i < draft->graph->outputs; i++)
        if (need_copy(draft, draft->graph->output[i], draft->item_count) != GT_OK)
            return gt_context_status(draft->context);
    return GT_OK;
}

/* Where a reader at this item finds a value. */
static Place place_of(const Draft *draft, int32_t value, int32_t item)
{
    const Fact *fact = &draft->facts[value], *root = &draft->facts[fact->root];
    bool late = root->copy >= 0 && comes_late(draft, value, item);
    return (Place){late ? root->copy : root->cell, fact->offset};
}

/* ---- steps ---- */

static gt_Status add_step(Draft *draft, DraftStep step)
{
    if (gt_reserve(draft->context, (void **)&draft->steps, draft->step_count, &draft->step_capacity,
                   sizeof *draft->steps))
        draft->steps[draft->step_count++] = step;
    return gt_context_status(draft->context);
}

static gt_Status add_copy(Draft *draft, int32_t value, Place from, int32_t to)
{
    return add_step(
        draft,
        (DraftStep){
            .node = -1, .value = value, .from = from, .to = {to, 0}, .control = -1, .room = -1});
}

static gt_Status add_node(Draft *draft, int32_t item)
{
    const gt_GraphNode *node = &draft->graph->nodes[draft->items[item]];
    DraftStep step = {.node = draft->items[item], .item = item, .control = -1, .room = -1};
    if (is_control(node)) {
        step.control = draft->plan->control_count++;
        if (node->scratch)
            step.room = new_cell(draft, node->scratch, -1);
    }
    return add_step(draft, step);
}

/* In a body: what is overwritten is a copy, made just before. */
static gt_Status emit_change(Draft *draft, int32_t item)
{
    const gt_GraphNode *node = &draft->graph->nodes[draft->items[item]];
    for (int i = 0; i < node->outputs; i++)
        add_copy(draft, node->input[i], place_of(draft, node->input[i], item),
                 draft->facts[node->output[i]].cell);
    return add_node(draft, item);
}

static gt_Status emit_effect(Draft *draft, int32_t item)
{
    const gt_GraphNode *node = &draft->graph->nodes[draft->items[item]];
    for (int i = 0; i < node->outputs; i++) {
        const Fact *old = &draft->facts[node->input[i]];
        DraftVariable *variable = &draft->variables[old->number];
        if (old->copy >= 0)
            add_copy(draft, node->input[i], (Place){old->cell, 0}, old->copy);
        if (variable->shadow >= 0 && !variable->shadow_filled) {
            add_copy(draft, variable->value, (Place){variable->cell, 0}, variable->shadow);
            variable->shadow_filled = true;
        }
    }
    return add_node(draft, item);
}

static gt_Status emit(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    for (int32_t item = 0; item < draft->item_count; item++) {
        if (item == draft->commit_item)
            draft->commit_step = draft->step_count;
        const gt_GraphNode *node = &graph->nodes[draft->items[item]];
        if (is_effect(draft, node))
            emit_effect(draft, item);
        else if (overwrites(node))
            emit_change(draft, item);
        else
            add_node(draft, item);
    }
    if (draft->commit_item == draft->item_count)
        draft->commit_step = draft->step_count;
    for (int32_t i = 0; i < graph->outputs; i++) {
        Place from = place_of(draft, graph->output[i], draft->item_count);
        if (from.cell != draft->outputs_cell[i])
            add_copy(draft, graph->output[i], from, draft->outputs_cell[i]);
    }
    for (int32_t i = 0; i < draft->plan->variable_count; i++) {
        const DraftVariable *variable = &draft->variables[i];
        if (variable->shadow >= 0)
            add_copy(draft, variable->value, (Place){variable->shadow, 0}, variable->cell);
    }
    return gt_context_status(draft->context);
}

/* Input i of a step; for effects the first inputs are the memory that is overwritten. */
static Place input_place(const Draft *draft, const DraftStep *step, int i)
{
    if (step->node < 0)
        return step->from;
    const gt_GraphNode *node = &draft->graph->nodes[step->node];
    if (overwrites(node) && i < node->outputs)
        return (Place){draft->facts[node->output[i]].cell, 0};
    return place_of(draft, node->input[i], step->item);
}

static Place output_place(const Draft *draft, const DraftStep *step, int i)
{
    if (step->node < 0)
        return step->to;
    return (Place){draft->facts[draft->graph->nodes[step->node].output[i]].cell, 0};
}

/* ---- lives, and where everything goes ---- */

static void touch(Draft *draft, Place place, int32_t step)
{
    if (place.cell < 0)
        return; /* an output that nobody reads */
    gt_Piece *piece = &draft->cells[place.cell].piece;
    if (step < piece->first)
        piece->first = step;
    if (step > piece->last)
        piece->last = step;
}

static void find_lives(Draft *draft)
{
    for (int32_t s = 0; s < draft->step_count; s++) {
        const DraftStep *step = &draft->steps[s];
        const gt_GraphNode *node = step->node < 0 ? NULL : &draft->graph->nodes[step->node];
        for (int i = 0; i < (node ? node->inputs : 1); i++)
            if (!node || node->input[i] >= 0)
                touch(draft, input_place(draft, step, i), s);
        for (int i = 0; i < (node ? node->outputs : 1); i++)
            touch(draft, output_place(draft, step, i), s);
        touch(draft, (Place){step->room, 0}, s);
    }
}

static int32_t shared(const Draft *draft, int32_t cell)
{
    while (draft->cells[cell].same >= 0)
        cell = draft->cells[cell].same;
    return cell;
}

/* May output 0 be written over input 0? Its memory must end here and be of the same size, and what
 * else looks at it must look at the same element at a time. */
static bool may_take_over(const Draft *draft, int32_t s)
{
    const DraftStep *step = &draft->steps[s];
    if (step->node < 0)
        return false;
    const gt_GraphNode *node = &draft->graph->nodes[step->node];
    if (!(node->operation->flags & GT_OP_MAY_REUSE) || overwrites(node) || node->inputs < 1 ||
        node->input[0] < 0)
        return false;
    const gt_Spec *out = &draft->graph->values[node->output[0]].spec;
    Place first = input_place(draft, step, 0);
    int32_t mine = shared(draft, first.cell);
    const Cell *cell = &draft->cells[mine];
    if (cell->base >= 0 || cell->piece.last != s || cell->piece.bytes != gt_spec_bytes(out) ||
        draft->cells[draft->facts[node->output[0]].cell].base >= 0)
        return false;
    for (int i = 0; i < node->inputs; i++) {
        if (node->input[i] < 0)
            continue;
        const gt_Spec *spec = &draft->graph->values[node->input[i]].spec;
        Place place = input_place(draft, step, i);
        if (shared(draft, place.cell) == mine &&
            (place.offset != 0 || spec->size != out->size || spec->dtype != out->dtype))
            return false;
    }
    return true;
}

static void take_over(Draft *draft)
{
    for (int32_t s = 0; s < draft->step_count; s++) {
        if (!may_take_over(draft, s))
            continue;
        int32_t from = shared(draft, input_place(draft, &draft->steps[s], 0).cell);
        int32_t to = output_place(draft, &draft->steps[s], 0).cell;
        draft->cells[to].same = from;
        if (draft->cells[to].piece.last > draft->cells[from].piece.last)
            draft->cells[from].piece.last = draft->cells[to].piece.last;
    }
}

/* What has no base and is alive gets its place in the block. */
static gt_Status pack(Draft *draft)
{
    gt_Plan *plan = draft->plan;
    int32_t count = 0;
    for (int32_t i = 0; i < draft->cell_count; i++) {
        Cell *cell = &draft->cells[i];
        if (cell->base >= 0 || cell->piece.last < 0)
            continue;
        plan->stats.naive += (int64_t)gt_piece_bytes(&cell->piece);
        if (cell->same < 0 && cell->piece.bytes > 0)
            draft->packed[count++] = &cell->piece;
    }
    gt_place(draft->context, draft->packed, count, draft->step_count, &plan->block_bytes);
    if (plan->block_bytes == 0)
        plan->block_bytes = GT_ALIGNMENT; /* empty tensors have an address too */
    return gt_context_status(draft->context);
}

/* ---- lowering ---- */

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

static gt_Status keep_launches(gt_Plan *plan, DraftStep *step, const gt_Lowering *lowering)
{
    gt_Context *context = plan->context;
    plan->job_bytes = (plan->job_bytes + 15) & ~(size_t)15;
    if (reserve_jobs(plan, lowering->job_bytes) != GT_OK)
        return gt_context_status(context);
    step->first = plan->launch_count;
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
        plan->checks[plan->check_count++] =
            (PlanCheck){gt_check_kernel(lowering->check), plan->job_bytes + lowering->check_job,
                        lowering->check_tiles, step->node};
    }
    memcpy(plan->jobs + plan->job_bytes, lowering->job, lowering->job_bytes);
    plan->job_bytes += lowering->job_bytes;
    return GT_OK;
}

/* After it is known which output takes over which input: launches, and cells for temporaries, which live as long
 * as their step runs. */
static gt_Status lower_steps(Draft *draft)
{
    gt_Plan *plan = draft->plan;
    gt_Context *context = draft->context;
    for (int32_t s = 0; s < draft->step_count; s++) {
        DraftStep *step = &draft->steps[s];
        const gt_GraphNode *node = step->node < 0 ? NULL : &draft->graph->nodes[step->node];
        if (!node || !node->operation->lower)
            continue;
        gt_ShapeRule rule = rule_of(draft->graph, node);
        gt_Lowering lowering;
        gt_lower(&rule, context->kernels, &lowering);
        if (lowering.run)
            continue;
        step->lowered = true;
        if (keep_launches(plan, step, &lowering) != GT_OK)
            return gt_context_status(context);
        step->temporaries = lowering.temporaries;
        plan->at_count += node->inputs + node->outputs + lowering.temporaries;
        for (int32_t i = 0; i < lowering.temporaries; i++) {
            int32_t cell = step->temporary[i] = new_cell(draft, lowering.temporary[i], -1);
            if (cell < 0)
                return gt_context_status(context);
            draft->cells[cell].piece.first = draft->cells[cell].piece.last = s;
        }
    }
    return GT_OK;
}

/* ---- kernels ---- */

static gt_Status copy_run(const gt_Kernel *kernel)
{
    size_t bytes = gt_spec_bytes(kernel->output_spec[0]);
    if (bytes)
        memcpy(kernel->output[0], kernel->input[0], bytes);
    return GT_OK;
}

static const gt_Operation copy_operation = {.size = sizeof(gt_Operation),
                                            .name = "copy",
                                            .flags = GT_OP_INTERNAL,
                                            .inputs_min = 1,
                                            .inputs_max = 1,
                                            .outputs = 1,
                                            .run = copy_run};

/* The address of a place in the block. A base's is not known yet: the patch of the pointer, one of
 * the two, is counted, or, once there is room, written down. */
static void *address(Draft *draft, Place place, const void **input, void **output)
{
    gt_Plan *plan = draft->plan;
    if (place.cell < 0)
        return NULL;
    const Cell *cell = &draft->cells[shared(draft, place.cell)];
    if (cell->base < 0)
        return plan->block + cell->piece.offset + place.offset;
    Base *base = &plan->bases[cell->base];
    if (plan->patches)
        plan->patches[base->first + base->count] = (Patch){input, output, place.offset};
    base->count++;
    return NULL;
}

/* Control flow: the same with lists of any length. */
static void fill_control(Draft *draft, int32_t s)
{
    const DraftStep *step = &draft->steps[s];
    const gt_GraphNode *node = &draft->graph->nodes[step->node];
    gt_ControlKernel *control = &draft->plan->controls[step->control].kernel;
    control->kernel.operation = node->operation;
    control->kernel.options = node->options;
    control->kernel.context = draft->context;
    for (int i = 0; i < node->inputs; i++) {
        if (node->input[i] < 0)
            continue;
        control->input_spec[i] = &draft->graph->values[node->input[i]].spec;
        control->input[i] = address(draft, input_place(draft, step, i), &control->input[i], NULL);
    }
    for (int i = 0; i < node->outputs; i++)
        control->output[i] =
            address(draft, output_place(draft, step, i), NULL, &control->output[i]);
    control->scratch = address(draft, (Place){step->room, 0}, NULL, &control->scratch);
    draft->plan->steps[s] = (Step){.run = node->operation->run,
                                   .kernel = &control->kernel,
                                   .here = node->here,
                                   .name = node->operation->name};
}

/* The pointers of a step with launches. */
static void fill_launches(Draft *draft, int32_t s, void **at)
{
    const DraftStep *step = &draft->steps[s];
    const gt_GraphNode *node = &draft->graph->nodes[step->node];
    draft->plan->steps[s] = (Step){.here = node->here,
                                   .name = node->operation->name,
                                   .first = step->first,
                                   .launches = step->launches,
                                   .check = step->check,
                                   .at = at};
    for (int i = 0; i < node->inputs; i++, at++)
        *at = node->input[i] < 0 ? NULL : address(draft, input_place(draft, step, i), NULL, at);
    for (int i = 0; i < node->outputs; i++, at++)
        *at = address(draft, output_place(draft, step, i), NULL, at);
    for (int i = 0; i < step->temporaries; i++, at++)
        *at = address(draft, (Place){step->temporary[i], 0}, NULL, at);
}

static void fill_kernel(Draft *draft, int32_t s)
{
    const DraftStep *step = &draft->steps[s];
    const gt_Graph *graph = draft->graph;
    const gt_GraphNode *node = step->node < 0 ? NULL : &graph->nodes[step->node];
    if (step->control >= 0) {
        fill_control(draft, s);
        return;
    }
    gt_Kernel *kernel = &draft->plan->kernels[s];
    kernel->operation = node ? node->operation : &copy_operation;
    kernel->options = node ? node->options : NULL;
    kernel->inputs = node ? node->inputs : 1;
    kernel->outputs = node ? node->outputs : 1;
    kernel->context = draft->context;
    for (int i = 0; i < kernel->inputs; i++) {
        int32_t value = node ? node->input[i] : step->value;
        if (value < 0)
            continue;
        kernel->input_spec[i] = &graph->values[value].spec;
        kernel->input[i] = address(draft, input_place(draft, step, i), &kernel->input[i], NULL);
    }
    for (int i = 0; i < kernel->outputs; i++) {
        kernel->output_spec[i] = &graph->values[node ? node->output[i] : step->value].spec;
        kernel->output[i] = address(draft, output_place(draft, step, i), NULL, &kernel->output[i]);
    }
    draft->plan->steps[s] = (Step){.run = kernel->operation->run,
                                   .kernel = kernel,
                                   .here = node ? node->here : NULL,
                                   .name = kernel->operation->name};
}

static gt_Status run_body(gt_Plan *plan, const void *const *input, void *const *output);

/* The plan of a body, unless another step runs the same one. */
static gt_Status plan_body(gt_Plan *plan, gt_Graph *graph)
{
    if (graph->plan)
        return GT_OK;
    if (!gt_reserve(plan->context, (void **)&plan->bodies, plan->body_count, &plan->body_capacity,
                    sizeof(gt_Plan *)))
        return gt_context_status(plan->context);
    graph->plan = gt_plan_new(graph);
    if (!graph->plan)
        return gt_context_status(plan->context);
    graph->run = run_body;
    plan->bodies[plan->body_count++] = graph->plan;
    plan->stats.bytes += graph->plan->stats.bytes;
    plan->stats.naive += graph->plan->stats.naive;
    return GT_OK;
}

/* The lists of one step of control flow, all NULL, and the plans of what it runs. */
static gt_Status open_control(gt_Plan *plan, Control *control, const gt_GraphNode *node)
{
    const gt_Control *options = node->options;
    gt_Graph *bodies[2] = {options->first, options->second};
    int32_t arguments = 0, results = 0;
    for (int i = 0; i < 2 && bodies[i]; i++) {
        if (plan_body(plan, bodies[i]) != GT_OK)
            return gt_context_status(plan->context);
        arguments = bodies[i]->inputs > arguments ? bodies[i]->inputs : arguments;
        results = bodies[i]->outputs > results ? bodies[i]->outputs : results;
        if (bodies[i]->plan->scratch > plan->scratch)
            plan->scratch = bodies[i]->plan->scratch;
    }
    control->bytes =
        (size_t)(2 * node->inputs + node->outputs + arguments + results) * sizeof(void *);
    control->lists = gt_allocate_zeroed(plan->context, control->bytes);
    if (!control->lists)
        return gt_context_status(plan->context);
    gt_ControlKernel *kernel = &control->kernel;
    kernel->input_spec = (const gt_Spec **)control->lists;
    kernel->input = (const void **)(control->lists + node->inputs);
    kernel->argument = kernel->input + node->inputs;
    kernel->output = control->lists + 2 * node->inputs + arguments;
    kernel->result = kernel->output + node->outputs;
    return GT_OK;
}

static gt_Status open_controls(Draft *draft)
{
    gt_Plan *plan = draft->plan;
    plan->controls = array(draft->context, plan->control_count, sizeof *plan->controls);
    if (!plan->controls)
        return gt_context_status(draft->context);
    for (int32_t s = 0; s < draft->step_count; s++) {
        const DraftStep *step = &draft->steps[s];
        if (step->control >= 0 && open_control(plan, &plan->controls[step->control],
                                               &draft->graph->nodes[step->node]) != GT_OK)
            return gt_context_status(draft->context);
    }
    return GT_OK;
}

static void fill_steps(Draft *draft)
{
    void **at = draft->plan->at;
    for (int32_t s = 0; s < draft->step_count; s++) {
        const DraftStep *step = &draft->steps[s];
        if (!step->lowered) {
            fill_kernel(draft, s);
            continue;
        }
        fill_launches(draft, s, at);
        const gt_GraphNode *node = &draft->graph->nodes[step->node];
        at += node->inputs + node->outputs + step->temporaries;
    }
}

/* Twice: the first time counts the patches of every base. */
static gt_Status fill_kernels(Draft *draft)
{
    gt_Plan *plan = draft->plan;
    gt_Context *context = draft->context;
    plan->steps = gt_allocate(context, (size_t)draft->step_count * sizeof *plan->steps);
    plan->kernels = gt_allocate_zeroed(context, (size_t)draft->step_count * sizeof *plan->kernels);
    plan->block = gt_allocate(context, plan->block_bytes);
    plan->at = array(context, plan->at_count, sizeof *plan->at);
    if (gt_context_status(context) != GT_OK || open_controls(draft) != GT_OK)
        return gt_context_status(context);
    fill_steps(draft);
    int32_t count = 0;
    for (int32_t i = 0; i < plan->base_count; i++) {
        plan->bases[i].first = count;
        count += plan->bases[i].count;
        plan->bases[i].count = 0;
    }
    plan->patches = gt_allocate(context, (size_t)count * sizeof *plan->patches);
    if (!plan->patches)
        return gt_context_status(context);
    plan->patch_count = count;
    fill_steps(draft);
    return GT_OK;
}

static void fill_sources(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    gt_Plan *plan = draft->plan;
    int32_t live = 0;
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *value = &graph->values[i];
        if (value->kind != GT_GRAPH_LIVE && value->kind != GT_GRAPH_CONSTANT)
            continue;
        const Cell *cell = &draft->cells[draft->facts[i].cell];
        void *into = plan->block + cell->piece.offset;
        if (value->kind == GT_GRAPH_LIVE)
            plan->live[live++] = (Live){value->live, value->spec.dtype, into};
        else if (cell->base < 0 && value->spec.size > 0)
            memcpy(into, gt_value_data(value->constant), gt_spec_bytes(&value->spec));
    }
}

/* ---- making one ---- */

static void count_sources(gt_Plan *plan)
{
    const gt_Graph *graph = plan->graph;
    plan->inputs = graph->inputs;
    plan->outputs = graph->outputs;
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *value = &graph->values[i];
        plan->variable_count += value->kind == GT_GRAPH_VARIABLE;
        plan->live_count += value->kind == GT_GRAPH_LIVE;
        plan->constant_count += value->kind == GT_GRAPH_CONSTANT && !in_block(value);
    }
    plan->base_count = plan->inputs + plan->outputs + plan->variable_count + plan->constant_count;
}

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

static gt_Status describe_sources(gt_Plan *plan)
{
    const gt_Graph *graph = plan->graph;
    gt_Context *context = plan->context;
    plan->bases = array(context, plan->base_count, sizeof *plan->bases);
    plan->output = array(context, plan->outputs, sizeof *plan->output);
    plan->variables = array(context, plan->variable_count, sizeof *plan->variables);
    plan->constants = array(context, plan->constant_count, sizeof *plan->constants);
    plan->live = array(context, plan->live_count, sizeof *plan->live);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    for (int32_t i = 0; i < plan->outputs; i++) {
        int32_t value = graph->output[i];
        plan->output[i] = (PlanOutput){graph->values[value].spec, probability_of(graph, value)};
    }
    int32_t variables = 0;
    for (int32_t i = 0; i < graph->value_count; i++) {
        if (graph->values[i].kind != GT_GRAPH_VARIABLE)
            continue;
        gt_Slot *slot = gt_slot_raw(graph->values[i].variable);
        plan->variables[variables++] = (PlanVariable){slot, false};
    }
    return GT_OK;
}

static gt_Status open_draft(Draft *draft)
{
    const gt_Graph *graph = draft->graph;
    draft->facts = array(draft->context, graph->value_count, sizeof *draft->facts);
    draft->variables = array(draft->context, draft->plan->variable_count, sizeof *draft->variables);
    draft->items = array(draft->context, graph->node_count, sizeof *draft->items);
    draft->outputs_cell = array(draft->context, graph->outputs, sizeof *draft->outputs_cell);
    return gt_context_status(draft->context);
}

static void close_draft(Draft *draft)
{
    gt_Context *context = draft->context;
    drop(context, draft->facts, draft->graph->value_count, sizeof *draft->facts);
    drop(context, draft->variables, draft->plan->variable_count, sizeof *draft->variables);
    drop(context, draft->items, draft->graph->node_count, sizeof *draft->items);
    drop(context, draft->outputs_cell, draft->graph->outputs, sizeof *draft->outputs_cell);
    drop(context, draft->packed, draft->cell_count, sizeof *draft->packed);
    gt_release(context, draft->cells, (size_t)draft->cell_capacity * sizeof *draft->cells);
    gt_release(context, draft->steps, (size_t)draft->step_capacity * sizeof *draft->steps);
}

static gt_Status make_steps(Draft *draft)
{
    if (find_views(draft) != GT_OK)
        return gt_context_status(draft->context);
    mark(draft);
    order(draft);
    if (source_cells(draft) != GT_OK || result_cells(draft) != GT_OK || find_copies(draft) != GT_OK)
        return gt_context_status(draft->context);
    return emit(draft);
}

static gt_Status place_memory(Draft *draft)
{
    gt_Context *context = draft->context;
    find_lives(draft);
    take_over(draft);
    if (lower_steps(draft) != GT_OK)
        return gt_context_status(context);
    draft->packed = array(context, draft->cell_count, sizeof *draft->packed);
    return draft->packed ? pack(draft) : gt_context_status(context);
}

static void finish(Draft *draft)
{
    gt_Plan *plan = draft->plan;
    plan->step_count = draft->step_count;
    plan->commit = draft->commit_step;
    plan->stats.bytes = (int64_t)plan->block_bytes;
    for (int32_t s = 0; s < draft->step_count; s++) {
        int32_t node = draft->steps[s].node;
        if (node >= 0 && draft->steps[s].control < 0 &&
            draft->graph->nodes[node].scratch > plan->scratch)
            plan->scratch = draft->graph->nodes[node].scratch;
        plan->stats.operations += node >= 0;
        plan->stats.copies += node < 0;
    }
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
    if (gt_inline_calls(graph) != GT_OK) {
        gt_plan_free(plan);
        return NULL;
    }
    count_sources(plan);
    Draft draft = {.context = context, .graph = graph, .plan = plan};
    if (describe_sources(plan) == GT_OK && open_draft(&draft) == GT_OK &&
        make_steps(&draft) == GT_OK && place_memory(&draft) == GT_OK) {
        finish(&draft);
        if (fill_kernels(&draft) == GT_OK)
            fill_sources(&draft);
    }
    close_draft(&draft);
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
    gt_release(context, plan->steps, (size_t)plan->step_count * sizeof *plan->steps);
    gt_release(context, plan->kernels, (size_t)plan->step_count * sizeof *plan->kernels);
    gt_release(context, plan->launches, (size_t)plan->launch_capacity * sizeof *plan->launches);
    gt_release(context, plan->checks, (size_t)plan->check_capacity * sizeof *plan->checks);
    gt_release(context, plan->jobs, plan->job_capacity);
    drop(context, plan->at, plan->at_count, sizeof *plan->at);
    gt_release(context, plan->patches, (size_t)plan->patch_count * sizeof *plan->patches);
    gt_release(context, plan->block, plan->block_bytes);
    drop(context, plan->bases, plan->base_count, sizeof *plan->bases);
    drop(context, plan->output, plan->outputs, sizeof *plan->output);
    drop(context, plan->variables, plan->variable_count, sizeof *plan->variables);
    drop(context, plan->constants, plan->constant_count, sizeof *plan->constants);
    drop(context, plan->live, plan->live_count, sizeof *plan->live);
    for (int32_t i = 0; plan->controls && i < plan->control_count; i++)
        gt_release(context, plan->controls[i].lists, plan->controls[i].bytes);
    drop(context, plan->controls, plan->control_count, sizeof *plan->controls);
    for (int32_t i = 0; i < plan->body_count; i++)
        gt_plan_free(plan->bodies[i]);
    gt_release(context, plan->bodies, (size_t)plan->body_capacity * sizeof(gt_Plan *));
    if (!plan->graph->inner)
        gt_graph_free(plan->graph);
    gt_release(context, plan, sizeof *plan);
}

bool gt_plan_watched(const gt_Plan *plan)
{
    for (int32_t i = 0; i < plan->variable_count; i++)
        if (gt_tape_would_watch(plan->context, gt_slot_handle(plan->variables[i].slot)))
            return true;
    return false;
}

gt_PlanStats gt_plan_stats(const gt_Plan *plan)
{
    return plan->stats;
}

/* ---- running ---- */

static void rebase(gt_Plan *plan, Base *base, void *at)
{
    if (at == base->at)
        return;
    base->at = at;
    for (Patch *patch = plan->patches + base->first, *end = patch + base->count; patch < end;
         patch++) {
        if (patch->input)
            *patch->input = (const char *)at + patch->offset;
        else
            *patch->output = (char *)at + patch->offset;
    }
}

static void take_constants(gt_Plan *plan, Base *base)
{
    for (int32_t i = 0; i < plan->constant_count; i++)
        rebase(plan, base++, gt_value_data(plan->constants[i]));
    for (int32_t i = 0; i < plan->live_count; i++) {
        const Live *live = &plan->live[i];
        if (live->dtype == GT_FLOAT32)
            *(float *)live->into = (float)*live->number;
        else
            *(double *)live->into = *live->number;
    }
}

/* Whatever may fail for want of memory, and every pointer and number of this run. */
static gt_Status prepare(gt_Plan *plan, gt_Value *const *input, gt_Tensor **output)
{
    gt_Context *context = plan->context;
    for (int32_t i = 0; i < plan->variable_count; i++)
        if (plan->variables[i].overwritten &&
            gt_variable_own(context, plan->variables[i].slot) != GT_OK)
            return gt_context_status(context);
    if (plan->scratch && gt_scratch_reserve(context, plan->scratch) != GT_OK)
        return gt_context_status(context);
    Base *base = plan->bases;
    for (int32_t i = 0; i < plan->inputs; i++)
        rebase(plan, base++, gt_value_data(input[i])); /* read already: none is late */
    for (int32_t i = 0; i < plan->outputs; i++) {
        void *data = NULL;
        output[i] = gt_tensor_new(context, &plan->output[i].spec, &data);
        if (!output[i])
            return gt_context_status(context);
        const gt_Operation *probability = plan->output[i].probability;
        if (probability &&
            gt_origin_set(context, gt_slot_raw(output[i]), probability, NULL, NULL) != GT_OK)
            return gt_context_status(context);
        rebase(plan, base++, data);
    }
    for (int32_t i = 0; i < plan->variable_count; i++)
        rebase(plan, base++, gt_value_data(plan->variables[i].slot->value));
    take_constants(plan, base);
    return GT_OK;
}

static gt_Status check_step(const gt_Plan *plan, const Step *step)
{
    const PlanCheck *check = &plan->checks[step->check];
    int64_t bad = check->check(plan->jobs + check->job, step->at, 0, check->tiles);
    if (bad < 0)
        return GT_OK;
    const gt_GraphNode *node = &plan->graph->nodes[check->node];
    gt_ShapeRule rule = rule_of(plan->graph, node);
    return node->operation->complain(&rule, step->at, bad);
}

static gt_Status run_launches(const gt_Plan *plan, const Step *step)
{
    gt_Status status = step->check < 0 ? GT_OK : check_step(plan, step);
    const gt_Launch *launch = plan->launches + step->first, *end = launch + step->launches;
    for (; launch < end && status == GT_OK; launch++)
        status = gt_launch_tiles(plan->context, launch, plan->jobs + launch->job, step->at);
    return status;
}

static gt_Status run_steps(gt_Plan *plan, int32_t first, int32_t last)
{
    gt_Context *context = plan->context;
    const char *caller = context->here;
    for (const Step *step = plan->steps + first, *end = plan->steps + last; step < end; step++) {
        context->applying = step->name;
        context->here = step->here ? step->here : caller;
        gt_Status status = step->run ? step->run(step->kernel) : run_launches(plan, step);
        if (status != GT_OK || gt_context_status(context) != GT_OK) {
            gt_raise(context, status == GT_OK ? GT_INVALID : status, NULL, NULL,
                     "the kernel failed");
            break;
        }
    }
    context->here = caller;
    return gt_context_status(context);
}

/* A body on its way: the plan around it has made room for everything. */
static gt_Status run_body(gt_Plan *plan, const void *const *input, void *const *output)
{
    Base *base = plan->bases;
    for (int32_t i = 0; i < plan->inputs; i++)
        rebase(plan, base++, (void *)(uintptr_t)input[i]); /* kernels do not write to inputs */
    for (int32_t i = 0; i < plan->outputs; i++)
        rebase(plan, base++, output[i]);
    take_constants(plan, base);
    return run_steps(plan, 0, plan->step_count);
}

static gt_Status run_whole(gt_Plan *plan)
{
    gt_Context *context = plan->context;
    if (run_steps(plan, 0, plan->commit) != GT_OK)
        return gt_context_status(context);
    if (gt_interrupted(context))
        return gt_raise(context, GT_INTERRUPTED, NULL, "function", "interrupted");
    bool (*interrupted)(void *) = context->interrupted;
    context->interrupted = NULL;
    run_steps(plan, plan->commit, plan->step_count);
    context->interrupted = interrupted;
    return gt_context_status(context);
}

gt_Status gt_plan_run(gt_Plan *plan, gt_Value *const *input, gt_Tensor **output)
{
    gt_Context *context = plan->context;
    if (prepare(plan, input, output) == GT_OK) {
        const char *applying = context->applying;
        gt_FloatMode mode = gt_float_mode_flush();
        run_whole(plan);
        gt_float_mode_restore(mode);
        context->applying = applying;
    }
    for (int32_t i = 0; i < plan->outputs && gt_context_status(context) != GT_OK; i++) {
        if (output[i])
            gt_slot_free(context, gt_slot_raw(output[i]));
        output[i] = NULL;
    }
    return gt_context_status(context);
}
