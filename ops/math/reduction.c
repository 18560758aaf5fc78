/* Reductions over axes: how they are cut into work, and what their records share. See reduction.h. */
#include "ops/math/reduction.h"

#include "core/assert.h"
#include "core/inside.h"
#include "ops/array/cast.h"

#include <string.h>

#define PIECE  65536 /* elements that make a piece of work worth giving away */
#define PIECES 64    /* pieces that are enough for every number of threads */

static void walk_add(gt_Walk *walk, int64_t dim, int64_t stride)
{
    memmove(walk->dims + 1, walk->dims, (size_t)walk->rank * sizeof *walk->dims);
    memmove(walk->stride + 1, walk->stride, (size_t)walk->rank * sizeof *walk->stride);
    walk->rank++;
    walk->dims[0] = dim;
    walk->stride[0] = stride;
    walk->count *= dim;
}

/* Neighbouring axes that are both kept, or both reduced, become one; axes of size 1 go. The number of those that are
 * left, in `dims`. */
static int join_axes(const gt_Spec *x, uint32_t bits, int64_t *dims, bool *reduced)
{
    int rank = 0;
    for (int d = 0; d < x->rank; d++) {
        bool reduces = bits >> d & 1;
        if (x->dims[d] == 1)
            continue;
        if (rank > 0 && reduced[rank - 1] == reduces)
            dims[rank - 1] *= x->dims[d];
        else
            dims[rank++] = x->dims[d];
        reduced[rank - 1] = reduces;
    }
    return rank;
}

/* Rows, columns, what is outside of them, and how all that is cut. x has elements. */
static void cut(gt_ReductionJob *job, const gt_Spec *x, uint32_t bits)
{
    int64_t dims[GT_MAX_RANK];
    bool reduced[GT_MAX_RANK];
    int rank = join_axes(x, bits, dims, reduced);
    job->kept.count = job->passes.count = 1;
    job->kept.rank = job->passes.rank = 0;
    job->columns = job->rows = 1;
    if (rank > 0 && !reduced[rank - 1])
        job->columns = dims[--rank];
    job->stride = job->columns;
    if (rank > 0)
        job->rows = dims[--rank];
    int64_t step = job->rows * job->columns;
    while (rank-- > 0) {
        walk_add(reduced[rank] ? &job->passes : &job->kept, dims[rank], step);
        step *= dims[rank];
    }
    GT_ASSERT(step == x->size);
    job->width = PIECE / job->rows > 256 ? PIECE / job->rows : 256;
    if (job->width > job->columns)
        job->width = job->columns;
    job->strips = (job->columns + job->width - 1) / job->width;
    job->block = job->rows;
    job->blocks = 1;
    if (x->size >= 2 * PIECE && job->kept.count * job->passes.count * job->strips < PIECES) {
        job->block = PIECE / job->columns > 128 ? PIECE / job->columns : 128;
        job->blocks = (job->rows + job->block - 1) / job->block;
    }
    job->parts = job->passes.count * job->blocks;
}

_Static_assert(2 * sizeof(gt_ReductionJob) + 16 <= GT_JOB_BYTES, "two rounds fit");

/* The launch that was added last works on `pieces` pieces of `work` elements each. */
static void set_round(gt_Lowering *lowering, gt_ReductionJob *job, gt_ReductionRound round,
                      int64_t pieces, int64_t work)
{
    job->round = (uint8_t)round;
    job->group = work < GT_TILE_ELEMENTS ? GT_TILE_ELEMENTS / (work > 0 ? work : 1) : 1;
    lowering->launch[lowering->launches - 1].tiles = (pieces + job->group - 1) / job->group;
}

static size_t waiting_size(const gt_ReductionJob *job, gt_DType to)
{
    if (job->counts)
        return gt_dtype_size(to);
    if (!job->wide)
        return job->element;
    return job->loop == GT_LOOP_PROD ? sizeof(gt_Scaled) : sizeof(double);
}

static void describe(gt_ReductionJob *job, const gt_Spec *in, const gt_Spec *out,
                     gt_ReduceLoopId loop, const gt_Finish *finish)
{
    job->loop = (uint8_t)loop;
    job->from = (uint8_t)gt_loop_type(in->dtype);
    job->to = (uint8_t)gt_loop_type(out->dtype);
    job->element = (uint8_t)gt_dtype_size(in->dtype);
    job->wide = gt_dtype_is_float(in->dtype) && loop != GT_LOOP_MAX && loop != GT_LOOP_MIN;
    job->counts = job->element == 1 && gt_dtype_size(out->dtype) > 1;
    job->waiting = (uint8_t)waiting_size(job, out->dtype);
    job->mean = finish->mean;
    job->root = finish->root;
    job->scale = finish->scale;
    job->epsilon = finish->epsilon;
    job->floor = finish->floor;
    job->empty = finish->empty;
    job->outputs = out->size;
}

void gt_reduction_lower(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_ReduceLoopId loop,
                        uint32_t bits, const gt_Finish *finish)
{
    const gt_Spec *in = rule->input[0];
    gt_ReductionJob *job = gt_lower_launch(lowering, GT_TILES_reduce, 1, sizeof *job);
    describe(job, in, &rule->output[0], loop, finish);
    job->reduced = gt_reduced_count(in, bits);
    if (in->size == 0) {
        job->round = GT_REDUCTION_NOTHING;
        job->rows = job->passes.count = 0;
        job->columns = job->parts = 1;
        job->kept.rank = job->passes.rank = 0;
        return;
    }
    cut(job, in, bits);
    int64_t pieces = job->kept.count * job->strips;
    if (job->parts == 1) {
        set_round(lowering, job, GT_REDUCTION_WHOLE, pieces, job->rows * job->width);
        return;
    }
    gt_lower_temporary(lowering, rule,
                       (size_t)(job->kept.count * job->parts * job->columns) * job->waiting);
    set_round(lowering, job, GT_REDUCTION_PARTIAL, pieces * job->parts, job->block * job->width);
    gt_ReductionJob *second = gt_lower_launch(lowering, GT_TILES_reduce, 1, sizeof *second);
    *second = *job;
    set_round(lowering, second, GT_REDUCTION_LAST, pieces, job->parts * job->width);
}

gt_Status gt_reduction_mask(gt_MaskRule *rule, uint32_t bits)
{
    int first = 0;
    while (first < rule->shape->input[0]->rank && !(bits >> first & 1))
        first++;
    return gt_mask_rows(rule, first);
}

gt_Tensor *gt_reduction_spread(gt_GradientRule *rule, uint32_t bits, gt_Tensor *result)
{
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Spec kept = {0};
    /* Without the first axes, or with all of them, it broadcasts as it is. */
    if ((bits & (bits + 1)) == 0 || gt_rank(result) == in->rank)
        return result;
    gt_reduced_shape(in, bits, true, &kept);
    return gt_reshape(result, gt_spec_shape(&kept));
}

gt_Status gt_reduction_refuse_empty(const gt_Spec *in)
{
    char text[160];
    return gt_fail(GT_INVALID, "cannot reduce an empty axis; the shape is %s",
                   gt_dims_text(in, text, sizeof text));
}

gt_Tensor *gt_reduction_input(const char *here, const char *operation, gt_Tensor *x, gt_DType small,
                              gt_DType whole)
{
    gt_Context *context = gt_enter();
    const gt_Spec *spec = context ? gt_tensor_check(context, here, operation, "input 1", x) : NULL;
    if (!spec || gt_dtype_is_float(spec->dtype))
        return x;
    gt_DType type = spec->dtype, wanted = type == GT_BOOL || type == GT_UINT8 ? small : whole;
    return wanted == GT_DTYPE_NONE || wanted == type ? x : gt_cast_at(here, x, wanted);
}

gt_Tensor *gt_reduction_truth(const char *here, const char *operation, gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    const gt_Spec *spec = context ? gt_tensor_check(context, here, operation, "input 1", x) : NULL;
    return !spec || spec->dtype == GT_BOOL ? x : gt_cast_at(here, x, GT_BOOL);
}

bool gt_axis_view(const gt_Spec *spec, int axis, gt_AxisView *view)
{
    *view = (gt_AxisView){1, spec->size, 1};
    if (axis == GT_NONE)
        return true;
    axis = gt_axis(axis, spec->rank);
    if (axis < 0)
        return false;
    view->count = spec->dims[axis];
    for (int d = 0; d < axis; d++)
        view->outer *= spec->dims[d];
    for (int d = axis + 1; d < spec->rank; d++)
        view->inner *= spec->dims[d];
    return true;
}
