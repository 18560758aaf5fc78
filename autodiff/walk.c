/* Collecting the records behind the targets.
 *
 * Order of calls: gt_walk_collect, once; then gt_walk_find and gt_walk_place as often as needed; gt_walk_close, also
 * after a failure.
 *
 * The walk is depth first and takes inputs in the order of the operands, never in the order in which records were
 * made: C evaluates the arguments of a call in any order, and sums of gradients must not depend on that. It is
 * iterative, because tapes may be long: a node stays on the stack while what lies behind it is visited, and goes from
 * there to the end of the order. For z = x * sin(x), z being the target and x watched:
 *
 *     stack           order
 *     z
 *     z sin x         inputs of z, the last one pushed first, so x comes off the stack first
 *     z sin           x
 *     z               x sin            x, met again behind sin, is open already
 *                     x sin z          gradients flow from the last to the first
 *
 * Leans on core/tape.c. */
#include "autodiff/walk.h"
#include "core/assert.h"

/* ---- points of the tape and their nodes ---- */

static int32_t node_at(const gt_Walk *walk, gt_TapePoint point)
{
    return point.record ? gt_map_find(&walk->numbers, gt_map_pointer(point.key)) : -1;
}

static gt_TapePoint point_of(const gt_Walk *walk, const gt_Value *value)
{
    return gt_tape_point(walk->context, walk->tape, value);
}

int32_t gt_walk_find(const gt_Walk *walk, const gt_Value *value)
{
    return node_at(walk, point_of(walk, value));
}

bool gt_walk_needs(const gt_Walk *walk, const gt_Value *value)
{
    int32_t node = value ? gt_walk_find(walk, value) : -1;
    return node >= 0 && walk->nodes[node].needed;
}

gt_Value **gt_walk_place(const gt_Walk *walk, const gt_Value *value)
{
    gt_TapePoint point = point_of(walk, value);
    int32_t number = node_at(walk, point);
    if (number < 0)
        return NULL;
    const gt_WalkNode *node = &walk->nodes[number];
    return &walk->gradients[node->leaf ? node->gradients : node->gradients + point.output];
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

/* Puts the node of a value on the stack, unless the tape does not know it or its inputs were visited. */
static gt_Status push(gt_Walk *walk, const gt_Value *value)
{
    gt_TapePoint point = point_of(walk, value);
    if (!point.record)
        return GT_OK;
    int32_t node = add_node(walk, point);
    if (node < 0)
        return gt_context_status(walk->context);
    if (walk->nodes[node].open)
        return GT_OK;
    if (!gt_reserve(walk->context, (void **)&walk->stack, walk->depth, &walk->stack_capacity,
                    sizeof *walk->stack))
        return gt_context_status(walk->context);
    walk->stack[walk->depth++] = node;
    return GT_OK;
}

/* Everything behind the top of the stack is in the order: now it follows. A node may be on the stack twice. */
static gt_Status pop(gt_Walk *walk)
{
    GT_ASSERT(walk->depth > 0);
    int32_t number = walk->stack[--walk->depth];
    gt_WalkNode *node = &walk->nodes[number];
    if (node->ordered)
        return GT_OK;
    node->ordered = true;
    if (!gt_reserve(walk->context, (void **)&walk->order, walk->order_count, &walk->order_capacity,
                    sizeof *walk->order))
        return gt_context_status(walk->context);
    walk->order[walk->order_count++] = number;
    walk->chosen |= !node->leaf && node->view.operation->flags & GT_OP_CHOICE;
    return GT_OK;
}

/* Pushes the inputs of the top of the stack, the last one first. */
static gt_Status open_top(gt_Walk *walk, bool through)
{
    gt_WalkNode *node = &walk->nodes[walk->stack[walk->depth - 1]];
    node->open = true;
    if (node->leaf || !(through || node->passes))
        return GT_OK;
    gt_RecordView view = node->view; /* nodes move while more are added */
    for (int32_t i = view.inputs - 1; i >= 0; i--) {
        const gt_Value *value = view.input[i];
        if (!value || !(through || gt_dtype_is_float(gt_value_spec(value)->dtype)))
            continue;
        if (push(walk, value) != GT_OK)
            return gt_context_status(walk->context);
    }
    return GT_OK;
}

gt_Status gt_walk_collect(gt_Walk *walk, int targets, gt_Value *const *target, bool through)
{
    gt_Status status = GT_OK;
    for (int t = targets - 1; t >= 0 && status == GT_OK; t--)
        status = push(walk, target[t]);
    while (walk->depth > 0 && status == GT_OK) {
        bool open = walk->nodes[walk->stack[walk->depth - 1]].open;
        status = open ? pop(walk) : open_top(walk, through);
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
    gt_release(context, walk->order, (size_t)walk->order_capacity * sizeof *walk->order);
    gt_release(context, walk->stack, (size_t)walk->stack_capacity * sizeof *walk->stack);
    gt_map_close(context, &walk->numbers);
}
