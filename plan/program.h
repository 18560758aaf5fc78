/* A program: a traced graph on its way to a plan, and the passes that work on it. Each pass is a function from program to
 * program, in a file of passes/. They run in this order:
 *
 *   fold       operations on constants are computed now                             values of the graph
 *   algebra    x * 1, -(-x), a transposition of a factor and the like               facts[].same, nodes
 *   duplicates the same operation on the same values is done once                   facts[].same
 *   joins      a sum of paddings becomes one operation that writes each part in its place    nodes
 *   pools      a convolution, its bias, relu and maxima become one step, and their gradient      nodes, values
 *   losses     a cross-entropy and its gradient become one operation                nodes, values
 *   dead       marks what an output or an effect needs                              facts[].marks
 *   views      a view is no step: a place inside the memory of its source            facts[].root, offset
 *   order      the nodes in the order of their running; effects last                 items, commit_item
 *   versions   memory of values, shadows of variables, copies for late readers       cells, steps
 *   in place   what is assigned to a variable is computed where that is        facts[].cell, steps, commit_step
 *   aliases    lives of memory; an output takes over the memory of an input          cells[].same
 *   chains     element-wise steps in a row become one, behind a product or a convolution too     steps, nodes
 *   lower      operations become launches, which may need temporary memory           steps[].launches
 *   rows       steps that work row by row run together, some rows at a time     steps[].group, cells[].base
 *   waves      neighbours that do not depend on each other run together; lives are counted in these     steps[].wave
 *   placing    what is left gets a place in the block                                cells[].piece.offset
 *
 * Private to plan/. */
#ifndef GT_PLAN_PROGRAM_H
#define GT_PLAN_PROGRAM_H

#include "plan/data.h"
#include "plan/place.h"

#define GT_NEVER INT32_MAX /* a step that does not come */

/* A piece of memory: in the block, or a base. */
typedef struct gt_Cell {
    gt_Piece piece;
    int32_t base; /* GT_BASE_BLOCK, or one that is not the plan's */
    int32_t same; /* the cell whose memory it took over; -1: none */
    int32_t read; /* the last step that reads it (aliases); -1: none does */
    size_t tile;  /* of scratch memory of a group (rows): the bytes of a tile */
    bool gone;    /* nobody reads or writes it any more (chains) */
} gt_Cell;

typedef struct gt_Place {
    int32_t cell; /* -1: none */
    size_t offset;
} gt_Place;

enum {
    GT_MARK_NEEDED = 1, /* an output or an effect comes of it */
    GT_MARK_FEEDS = 2,  /* an operation that is no effect comes of it */
    GT_MARK_SOON = 4    /* what is not put off reads it (order) */
};

/* All that passes know of a graph value. */
typedef struct gt_ValueFact {
    int32_t
        same; /* a value before it that has the same bits and stands for it; itself if there is none */
    int32_t root;   /* whose memory it looks at; itself for all but views */
    size_t offset;  /* bytes into that */
    int32_t cell;   /* of a root */
    int32_t output; /* the cell of the first output of the function that it is; -1: none */
    int32_t number; /* of a variable and its versions: which variable */
    int32_t over;   /* of a variable's version: the item that overwrites it */
    int32_t copy;   /* of a version: the cell of the copy that late readers get; -1: none needed */
    unsigned marks; /* GT_MARK_NEEDED, GT_MARK_FEEDS, GT_MARK_SOON */
} gt_ValueFact;

typedef struct gt_ProgramStep {
    int32_t node, item;    /* node -1: a copy */
    int32_t value;         /* of a copy: the value whose spec it has */
    gt_Place from, to;     /* of a copy */
    int32_t control, room; /* of control flow: which one, and the cell of its memory; -1: none */
    bool lowered;          /* it has launches: */
    int32_t launch, launches, check, temporaries;
    int32_t temporary[GT_MAX_TEMPORARIES]; /* cells */
    int32_t group; /* the number of the group of rows that it belongs to; 0: none */
    int32_t wave;
} gt_ProgramStep;

/* A variable's place among the bases, and the cell of its shadow (-1: effects work in place). */
typedef struct gt_ProgramVariable {
    int32_t initial; /* the value of the graph that it has before the first step */
    int32_t cell, shadow;
    bool shadow_filled;
} gt_ProgramVariable;

typedef struct gt_Program {
    gt_Context *context;
    gt_Graph *graph;
    gt_Plan *plan;       /* in the making: counts, variables, launches */
    gt_ValueFact *facts; /* one a value of the graph */
    int32_t fact_capacity;
    gt_ProgramVariable *variables;
    int32_t *items;                             /* nodes in the order of their running */
    int32_t item_count, item_room, commit_item; /* room: for the nodes before passes added some */
    gt_Cell *cells;
    int32_t cell_count, cell_capacity;
    gt_ProgramStep *steps;
    int32_t step_count, step_capacity, wave_count;
    int32_t commit_step;
    int32_t *outputs_cell; /* the cell of every output of the function */
} gt_Program;

/* ---- the passes ---- */

gt_Status gt_pass_fold(gt_Program *program);
gt_Status gt_pass_algebra(gt_Program *program);
gt_Status gt_pass_duplicates(gt_Program *program);
gt_Status gt_pass_joins(gt_Program *program);
gt_Status gt_pass_pools(gt_Program *program);
gt_Status gt_pass_losses(gt_Program *program);
gt_Status gt_pass_dead(gt_Program *program);
gt_Status gt_pass_views(gt_Program *program);
gt_Status gt_pass_order(gt_Program *program);
gt_Status gt_pass_versions(gt_Program *program);
gt_Status gt_pass_in_place(gt_Program *program);
gt_Status gt_pass_aliases(gt_Program *program);
gt_Status gt_pass_chains(gt_Program *program);
gt_Status gt_pass_lower(gt_Program *program);
gt_Status gt_pass_rows(gt_Program *program);
gt_Status gt_pass_waves(gt_Program *program);
gt_Status gt_pass_placing(gt_Program *program);

/* ---- what they share (program.c) ---- */

/* Opens a program for a plan whose graph has no calls; counts what the bases are. Close it also if that fails. */
gt_Status gt_program_open(gt_Program *program, gt_Plan *plan);
/* Runs all passes. */
gt_Status gt_program_run(gt_Program *program);
void gt_program_close(gt_Program *program);

static inline bool gt_overwrites(const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_EFFECT;
}
/* Does the node change a variable? In a body, and in a piece that is written down again, it changes a copy. */
bool gt_changes_variable(const gt_Program *program,
                         const gt_GraphNode *node); /* of one that overwrites */
static inline bool gt_is_effect(const gt_Program *program, const gt_GraphNode *node)
{
    return gt_overwrites(node) && gt_changes_variable(program, node);
}
static inline bool gt_is_control(const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_CONTROL;
}

/* The value that stands for this one in the end. */
static inline int32_t gt_value_same(const gt_Program *program, int32_t value)
{
    while (program->facts[value].same != value)
        value = program->facts[value].same;
    return value;
}
/* The value that input i of a node stands for in the end; -1: the input is absent. */
static inline int32_t gt_node_reads(const gt_Program *program, const gt_GraphNode *node, int i)
{
    return node->input[i] < 0 ? -1 : gt_value_same(program, node->input[i]);
}
/* The node that makes a value, through values that stand for others; NULL: it is no result. */
static inline gt_GraphNode *gt_value_maker(const gt_Program *program, int32_t value)
{
    const gt_GraphValue *of = &program->graph->values[gt_value_same(program, value)];
    return of->kind == GT_GRAPH_RESULT ? &program->graph->nodes[of->node] : NULL;
}
/* How often each value is read, by the nodes that are left and as an output of the function; NULL on failure. */
int32_t *gt_program_uses(const gt_Program *program);
/* A new value of the graph, with its fact; -1 on failure. */
int32_t gt_program_value(gt_Program *program, gt_GraphValue value);
/* A constant whose rows, along its first axis, all have the same bytes, as a new value of one row; -1: it is none, it is small as it
 * is, or there is no memory. */
int32_t gt_program_row(gt_Program *program, int32_t value);
/* The node becomes a call of another operation, which reads and makes these values; options are copied. On failure it stays. */
gt_Status gt_program_become(const gt_Program *program, gt_GraphNode *node,
                            const gt_Operation *operation, const void *options, const char *name,
                            int32_t inputs, int32_t outputs, const int32_t *values);
/* Is nothing left to compute: is each output a constant by now, or another value? */
bool gt_node_is_gone(const gt_Program *program, const gt_GraphNode *node);
/* May a pass compute it at another time, or once instead of twice? Its outputs depend on its inputs and options alone, and
 * it does nothing besides. */
bool gt_node_is_pure(const gt_Program *program, const gt_GraphNode *node);

/* The node of a step; NULL: it is a copy. */
static inline const gt_GraphNode *gt_step_node(const gt_Program *program,
                                               const gt_ProgramStep *step)
{
    return step->node < 0 ? NULL : &program->graph->nodes[step->node];
}
/* How many references a step has: inputs, outputs, temporaries, the memory of control flow. */
int32_t gt_step_operands(const gt_Program *program, const gt_ProgramStep *step);
/* Is the node's output a part of its first input as it is? It has no memory of its own, then, and no step. */
bool gt_looks_at(const gt_Graph *graph, const gt_GraphNode *node); /* of one with GT_OP_VIEW */
static inline bool gt_is_view(const gt_Graph *graph, const gt_GraphNode *node)
{
    return node->operation->flags & GT_OP_VIEW && gt_looks_at(graph, node);
}
/* The marks of a node: those of its outputs, and NEEDED of an effect. */
unsigned gt_node_marks(const gt_Program *program, const gt_GraphNode *node);
/* A new cell; -1 on failure. */
int32_t gt_cell_new(gt_Program *program, size_t bytes, int32_t base);
/* The cell whose memory a cell has. */
int32_t gt_cell_shared(const gt_Program *program, int32_t cell);
/* Steps are fewer: step i is number now[i], and `now` has one entry more, for the end. Cells that are gone have no memory, but
 * for those whose memory others took over. */
void gt_program_renumber(gt_Program *program, const int32_t *now, int32_t steps);
/* Is a constant copied into the block, because it is small or its user may change it? */
bool gt_constant_in_block(const gt_GraphValue *of);
/* Where a reader at this item finds a value: in the copy, if it comes too late for the version that it reads. So does an
 * operation that reads, behind the inputs that it overwrites, one of them or a view of one. */
static inline gt_Place gt_value_place(const gt_Program *program, int32_t value, int32_t item)
{
    const gt_ValueFact *fact = &program->facts[value], *root = &program->facts[fact->root];
    const bool late = root->copy >= 0 && root->over <= item;
    return (gt_Place){late ? root->copy : root->cell, fact->offset};
}
/* Where input and output i of a step are; an effect's first inputs are the memory that it overwrites. */
gt_Place gt_step_input(const gt_Program *program, const gt_ProgramStep *step, int i);
gt_Place gt_step_output(const gt_Program *program, const gt_ProgramStep *step, int i);

#endif
