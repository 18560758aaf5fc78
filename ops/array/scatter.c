/* Adding at indices: scatter_add, and scatter_add_along_axis, the gradients of take and take_along_axis.
 *
 * A float32 place that gets more than GT_MANY numbers adds them up in double: a sum of a million would else stand still at 2^24.
 * Of scatter_add there are at most indices / GT_MANY such places, so that their sums fit into a little scratch memory; which
 * places they are depends on the numbers, and is found by a launch of its own before the work is cut:
 *
 *     indices 5, 0, 5, ..., 5 (40 of them), count 1000     launch `crowds`: place 5 is crowd 0, all others -1
 *                                                          launch `scatter_add`: strips of columns; place 5 in double
 *
 * Where there are no more places than that (count <= indices / GT_MANY), all are crowded and the first launch falls away.
 * Leans on lookup.c. */
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"

/* ---- scatter_add ---- */

GT_OPTION_TYPE(gt_ScatterOptions, GT_SCATTER_OPTIONS);
GT_OPTION_TYPE(gt_take_options, gt_take_OPTIONS);

/* The shape of the result; false with an error raised if it cannot be. */
static bool scattered_shape(const gt_ShapeRule *rule, gt_Spec *out)
{
    const gt_ScatterOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *updates = rule->input[1];
    const gt_Spec *like = rule->inputs > 2 ? rule->input[2] : NULL;
    gt_Shape shape = options->shape;
    char text[160];
    int axis = shape.rank > GT_MAX_RANK ? -1 : gt_axis(options->axis, shape.rank);
    if (axis < 0) {
        gt_fail(GT_INVALID, "the shape is invalid or too large");
        return false;
    }
    for (int d = 0; d < shape.rank; d++) {
        int own = d > axis ? d + indices->rank - 1 : d;
        if (shape.dims[d] == -1 && d == axis && like && like->rank > 0)
            shape.dims[d] = like->dims[0];
        else if (shape.dims[d] == -1 && d != axis && own < updates->rank)
            shape.dims[d] = updates->dims[own];
    }
    if (gt_spec_set(out, updates->dtype, shape))
        return true;
    gt_fail(GT_INVALID, "%s cannot be the shape of the result",
            gt_shape_text(shape, text, sizeof text));
    return false;
}

static gt_Status scatter_add_shape(gt_ShapeRule *rule)
{
    const gt_ScatterOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *updates = rule->input[1];
    gt_Spec *out = &rule->output[0];
    if (!gt_takes_indices(indices) || !gt_takes(updates, GT_TAKES_NUMBER) ||
        !scattered_shape(rule, out))
        return gt_status();
    return gt_fits_indices(out, indices, gt_axis(options->axis, out->rank), updates) ? GT_OK
                                                                                     : gt_status();
}

/* The table of crowded places is temporary memory, their sums are a worker's scratch. */
static void scatter_add_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_ScatterOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *out = &rule->output[0];
    gt_Along view = gt_along(out, gt_axis(options->axis, out->rank));
    gt_lower_indices(rule, lowering, 0, options->from_end ? -view.count : 0, view.count);
    int64_t most = out->dtype == GT_FLOAT32 ? indices->size / GT_MANY : 0;
    gt_ScatterJob job = {.type = (uint8_t)gt_loop_type(indices->dtype),
                         .element = (uint8_t)gt_dtype_size(out->dtype),
                         .loop = (uint8_t)gt_loop_type(out->dtype),
                         .y = (uint8_t)rule->inputs};
    int64_t tiles = gt_lower_strips(&job.cut, view, indices->size);
    if (indices->size > GT_MANY && most > 0) {
        if (view.count <= most) {
            job.crowded = view.count;
        } else {
            size_t table = sizeof(int64_t) + (size_t)view.count * (sizeof(int32_t) + 1);
            job.crowd = (uint8_t)gt_lower_temporary(lowering, rule, table);
            *(gt_ScatterJob *)gt_lower_launch(lowering, GT_TILES_crowds, 1, sizeof job) = job;
        }
    }
    *(gt_ScatterJob *)gt_lower_launch(lowering, GT_TILES_scatter_add, tiles, sizeof job) = job;
    gt_lower_scratch(lowering, (size_t)(most * job.cut.width) * sizeof(double));
}

static gt_Status scatter_add_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    const gt_ScatterOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    int axis = gt_axis(options->axis, out->rank);
    int64_t count = out->dims[axis];
    return gt_complain_index(rule, at, 0, position, axis, options->from_end ? -count : 0, count);
}

static gt_Status scatter_add_gradient(gt_GradientRule *rule)
{
    const gt_ScatterOptions *options = gt_rule_options(rule);
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_take(gt_upstream(rule, 0), gt_rule_input(rule, 0), .axis = options->axis));
    return gt_status();
}

/* Updates in front of the axis stay where they are; along it they are added up. */
static gt_Status scatter_add_mask(gt_MaskRule *rule)
{
    const gt_ScatterOptions *options = rule->shape->options;
    int axis = gt_axis(options->axis, rule->shape->output[0].rank);
    if (rule->input[0])
        return gt_mask_refuse(rule, 0, 0);
    rule->input[2] = NULL; /* only its shape is read */
    return gt_mask_rows(rule, axis);
}

const gt_Operation gt_op_scatter_add = {
    GT_RECORD("scatter_add", "zeros with updates added at the indices of an axis", 2, 3),
    .flags = GT_OP_LINEAR | GT_OP_LATE,
    .options = &gt_ScatterOptions_type,
    .optional_inputs = 4,
    .saves_inputs = 1,
    .shape = scatter_add_shape,
    .lower = scatter_add_lower,
    .complain = scatter_add_complain,
    .gradient = scatter_add_gradient,
    .mask = scatter_add_mask,
    .samples =
        GT_SAMPLES({.inputs = 2,
                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 4), GT_ANY(4, 2)),
                    .options = &GT_VALUES(gt_ScatterOptions, 0, {GT_MARK, 2, {3, 2}}, true)},
                   {.inputs = 2,
                    .input = GT_INPUTS(GT_WHOLE(GT_INT64, -3, 3, 2), GT_ANY(2, 2)),
                    .options = &GT_VALUES(gt_ScatterOptions, -1, {GT_MARK, 2, {2, 3}}, true)},
                   {.inputs = 2,
                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 2, 40), GT_ANY(40)),
                    .options = &GT_VALUES(gt_ScatterOptions, 0, {GT_MARK, 1, {3}}, false)}),
};

static gt_Tensor *scatter_add(gt_Tensor *indices, gt_Tensor *updates, gt_Shape shape,
                              const gt_take_options *given)
{
    gt_take_options options;
    GT_TAKE(gt_take_options, &options, given);
    bool flat = options.axis == GT_NONE;
    gt_Spec spec;
    if (!gt_spec_set(&spec, GT_FLOAT64, shape)) {
        gt_fail(GT_INVALID, "the shape is invalid or too large");
        return NULL;
    }
    gt_ScatterOptions all = GT_VALUES(gt_ScatterOptions, flat ? 0 : options.axis,
                                      flat ? gt_shape(spec.size) : shape, true);
    gt_Tensor *y =
        gt_apply_one_at(NULL, &gt_op_scatter_add, &all, 2, (gt_Tensor *[]){indices, updates});
    return flat ? gt_reshape(y, shape) : y;
}
GT_COMPOSED(scatter_add,
            (const char *here, gt_Tensor *indices, gt_Tensor *updates, gt_Shape shape,
             const gt_take_options *options),
            (indices, updates, shape, options))

gt_Tensor *gt_scatter_count(gt_Tensor *indices, gt_Tensor *updates, int64_t length)
{
    const gt_ScatterOptions options = GT_VALUES(gt_ScatterOptions, 0, gt_shape(length), false);
    return gt_apply_one_at(NULL, &gt_op_scatter_add, &options, 2,
                           (gt_Tensor *[]){indices, updates});
}

gt_Tensor *gt_scatter_rows(gt_Tensor *ids, gt_Tensor *x, int64_t rows, gt_Tensor *like)
{
    gt_ScatterOptions options = GT_VALUES(gt_ScatterOptions, 0, {GT_MARK, gt_rank(x), {0}}, true);
    for (int d = 0; d < options.shape.rank; d++)
        options.shape.dims[d] = d == 0 && !like ? rows : -1;
    like = like ? gt_stop_gradient(like) : NULL;
    return gt_apply_one_at(NULL, &gt_op_scatter_add, &options, like ? 3 : 2,
                           (gt_Tensor *[]){ids, x, like});
}

/* ---- scatter_add_along_axis ---- */

#define ADD_ALONG_OPTIONS(F, S)                                                                    \
    F(S, int32_t, axis, -1, "along this axis")                                                     \
    F(S, int64_t, count, 0, "length of that axis of the result")
GT_OPTIONS(AddAlongOptions, ADD_ALONG_OPTIONS);
GT_OPTION_TYPE(AddAlongOptions, ADD_ALONG_OPTIONS);

static gt_Status add_along_shape(gt_ShapeRule *rule)
{
    const AddAlongOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *updates = rule->input[1];
    int axis = gt_axis(options->axis, updates->rank);
    if (axis < 0 || !gt_takes_indices(indices) || !gt_takes(updates, GT_TAKES_NUMBER))
        return gt_status();
    if (!gt_dims_equal(indices, updates))
        return gt_fail(GT_INVALID, "indices and updates differ in shape");
    rule->output[0] = *updates;
    rule->output[0].dims[axis] = options->count;
    return GT_OK;
}

static void add_along_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const AddAlongOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *out = &rule->output[0];
    int axis = gt_axis(options->axis, out->rank);
    gt_Along view = gt_along(out, axis);
    gt_lower_indices(rule, lowering, 0, -view.count, view.count);
    gt_AddAlongJob *job = gt_lower_launch(lowering, GT_TILES_add_along, 0, sizeof *job);
    job->type = (uint8_t)gt_loop_type(indices->dtype);
    job->loop = (uint8_t)gt_loop_type(out->dtype);
    job->wide = out->dtype == GT_FLOAT32 && indices->dims[axis] > GT_MANY;
    lowering->launch[0].tiles = gt_lower_strips(&job->cut, view, indices->dims[axis]);
    if (job->wide)
        gt_lower_scratch(lowering, (size_t)(view.count * job->cut.width) * sizeof(double));
}

static gt_Status add_along_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    const AddAlongOptions *options = rule->options;
    int axis = gt_axis(options->axis, rule->output[0].rank);
    return gt_complain_index(rule, at, 0, position, axis, -options->count, options->count);
}

static gt_Status add_along_gradient(gt_GradientRule *rule)
{
    const AddAlongOptions *options = gt_rule_options(rule);
    return gt_give(
        rule, 1,
        gt_take_along_axis(gt_upstream(rule, 0), gt_rule_input(rule, 0), .axis = options->axis));
}

const gt_Operation gt_op_scatter_add_along_axis = {
    GT_RECORD("scatter_add_along_axis", "y[i, indices[i, j]] += x[i, j]", 2, 2),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &AddAlongOptions_type,
    .saves_inputs = 1,
    .shape = add_along_shape,
    .lower = add_along_lower,
    .complain = add_along_complain,
    .gradient = add_along_gradient,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 2, 4), GT_ANY(2, 4)),
                           .options = &GT_VALUES(AddAlongOptions, -1, 3)},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, -2, 2, 20, 2), GT_ANY(20, 2)),
                           .options = &GT_VALUES(AddAlongOptions, 0, 2)}),
};

gt_Tensor *gt_scatter_add_along_axis(gt_Tensor *indices, gt_Tensor *updates, int axis,
                                     int64_t count)
{
    AddAlongOptions options = GT_VALUES(AddAlongOptions, axis, count);
    return gt_apply_one_at(NULL, &gt_op_scatter_add_along_axis, &options, 2,
                           (gt_Tensor *[]){indices, updates});
}
