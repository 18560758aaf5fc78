/* Collecting the records behind the targets.
 *
 * Order of calls: gt_walk_collect, once; then gt_walk_find as often as needed; gt_walk_close, also
 * after a failure.
 *
 * The walk is depth first and takes inputs in the order of the operands, never in the order in which records were
 * made: C evaluates the arguments of a call in any order, and sums of gradients must not depend on that. It is
 * iterative, because tapes may be long: a node stays on the stack while what lies behind it is visited, and goes from
 * there to the end of the order. Both are lists through the nodes. A node that is met again before its turn moves to the
 * top of the stack. Leaves have no rule and stay out. For z = y * sin(y), y = exp(x), z being the target and x watched:
 *
 *     stack           order
 *     z
 *     z sin y         inputs of z, the last one pushed first, so y comes off the stack first
 *     z sin           y
 *     z               y sin            y, met again behind sin, is open already
 *                     y sin z          gradients flow from the last to the first
 *
 * Leans on core/tape.c. */
#include "autodiff/walk.h"
#include "core/assert.h"

/* ---- points of the tape and their nodes ---- */

static int32_t node_at(const gt_Walk *walk, gt_TapePoint point)
{
    return point.record ? gt_map_find(&walk->numbers, gt_map_pointer(point.key)) : -1;
}

static gt_WalkLink link_to(const gt_Walk *walk, int32_t number, gt_TapePoint point)
{
    const gt_WalkNode *node = &walk->nodes[number];
    return (gt_WalkLink){number, node->leaf ? node->gradients : node->gradients + point.output};
}

gt_WalkLink gt_walk_find(const gt_Walk *walk, const gt_Value *value)
{
    gt_TapePoint point = gt_tape_point(walk->context, walk->tape, value);
    int32_t number = node_at(walk, point);
    return number < 0 ? (gt_WalkLink){-1, -1} : link_to(walk, number, point);
}

/* A gradient passes through an operation that has one and that makes floats. */
static bool passes(gt_TapePoint point, const gt_RecordView *view)
{
    if (point.leaf || view->operation->flags & GT_OP_NOT_DIFFERENTIABLE)
        return false;
    for (int32_t i = 0; i < view->outputs; i++)
        if (gt_dtype_is_float(gt_record_output_spec(point.record, i)->dtype))
            return true;
    return false;
}

/* The node of a point, new if there is none yet. -1 on failure. */
static int32_t add_node(gt_Walk *walk, gt_TapePoint point)
{
    int32_t found = node_at(walk, point);
    if (found >= 0)
        return found;
    if (!gt_reserve(walk->context, (void **)&walk->nodes, walk->count, &walk->capacity,
                    sizeof *walk->nodes) ||
        !gt_map_add(walk->context, &walk->numbers, gt_map_pointer(point.key), walk->count))
        return -1;
    gt_RecordView view = gt_record_view(point.record);
    walk->nodes[walk->count] = (gt_WalkNode){.record = point.record,
                                             .view = view,
                                             .leaf = point.leaf,
                                             .passes = passes(point, &view),
                                             .gradients = walk->gradient_count};
    walk->gradient_count += point.leaf ? 1 : view.outputs;
    gt_record_retain(point.record);
    return walk->count++;
}

/* ---- collecting ---- */

/* Takes the node out of the list that it is in. */
static void unlink(gt_Walk *walk, const gt_WalkNode *node)
{
    if (node->before >= 0)
        walk->nodes[node->before].behind = node->behind;
    if (node->behind >= 0)
        walk->nodes[node->behind].before = node->before;
}

/* Puts it behind the last one of a list, which it becomes. */
static void append(gt_Walk *walk, int32_t number, int32_t *last)
{
    gt_WalkNode *node = &walk->nodes[number];
    node->before = *last;
    node->behind = -1;
    if (*last >= 0)
        walk->nodes[*last].behind = number;
    *last = number;
}

/* Puts the node of a value on top of the stack, unless its inputs were visited. The link says which it is; the tape need not
 * know the value. */
static gt_Status push(gt_Walk *walk, const gt_Value *value, gt_WalkLink *link)
{
    gt_TapePoint point = gt_tape_point(walk->context, walk->tape, value);
    if (!point.record)
        return GT_OK;
    int32_t number = add_node(walk, point);
    if (number < 0)
        return gt_context_status(walk->context);
    gt_WalkNode *node = &walk->nodes[number];
    *link = link_to(walk, number, point);
    if (node->leaf || node->open || number == walk->top)
        return GT_OK;
    if (node->stacked)
        unlink(walk, node);
    node->stacked = true;
    append(walk, number, &walk->top);
    return GT_OK;
}

/* Everything behind the top of the stack is in the order: now it follows. */
static void pop(gt_Walk *walk)
{
    const int32_t number = walk->top;
    const gt_WalkNode *node = &walk->nodes[number];
    walk->top = node->before;
    unlink(walk, node);
    if (walk->last < 0)
        walk->first = number;
    append(walk, number, &walk->last);
    walk->chosen |= (node->view.operation->flags & GT_OP_CHOICE) != 0;
}

/* Pushes the inputs of the top of the stack, the last one first. */
static gt_Status open_top(gt_Walk *walk, bool through)
{
    gt_Context *context = walk->context;
    gt_WalkNode *node = &walk->nodes[walk->top];
    node->open = true;
    if (!(through || node->passes))
        return GT_OK;
    const gt_RecordView view = node->view; /* nodes move while more are added */
    const int32_t links = node->links = walk->link_count;
    while (walk->link_capacity - links < view.inputs)
        if (!gt_reserve(context, (void **)&walk->links, walk->link_capacity, &walk->link_capacity,
                        sizeof *walk->links))
            return gt_context_status(context);
    walk->link_count += view.inputs;
    for (int32_t i = view.inputs - 1; i >= 0; i--) {
        const gt_Value *value = view.input[i];
        gt_WalkLink *link = &walk->links[links + i];
        link->node = -1;
        if (!value || !(through || gt_dtype_is_float(gt_value_spec(value)->dtype)))
            continue;
        if (push(walk, value, link) != GT_OK)
            return gt_context_status(context);
    }
    return GT_OK;
}

gt_Status gt_walk_collect(gt_Walk *walk, int targets, gt_Value *const *target, bool through)
{
    gt_Status status = GT_OK;
    gt_WalkLink link;
    walk->first = walk->last = walk->top = -1;
    for (int t = targets - 1; t >= 0 && status == GT_OK; t--)
        status = push(walk, target[t], &link);
    while (walk->top >= 0 && status == GT_OK) {
        if (walk->nodes[walk->top].open)
            pop(walk);
        else
            status = open_top(walk, through);
    }
    return status;
}

void gt_walk_close(gt_Walk *walk)
{
    gt_Context *context = walk->context;
    if (walk->gradients)
        gt_values_release(walk->gradients, walk->gradient_count);
    gt_release(context, walk->gradients, (size_t)walk->gradient_count * sizeof *walk->gradients);
    for (int32_t i = 0; i < walk->count; i++)
        gt_record_release(walk->nodes[i].record);
    gt_release(context, walk->nodes, (size_t)walk->capacity * sizeof *walk->nodes);
    gt_release(context, walk->links, (size_t)walk->link_capacity * sizeof *walk->links);
    gt_map_close(context, &walk->numbers);
}
