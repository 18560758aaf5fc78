/* Looking up along an axis: take, take_along_axis. Their gradients are in scatter.c. Leans on lookup.c. */
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"

/* ---- take ---- */

GT_OPTION_TYPE(gt_take_options, gt_take_OPTIONS);

#define TAKE_OPTIONS(F, S)                                                                         \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, int64_t, length, GT_INHERIT, "which must have this length; GT_INHERIT: any")
GT_OPTIONS(TakeOptions, TAKE_OPTIONS);
GT_OPTION_TYPE(TakeOptions, TAKE_OPTIONS);

static gt_Status take_shape(gt_ShapeRule *rule)
{
    const TakeOptions *options = rule->options;
    int axis = gt_axis(options->axis, rule->input[0]->rank);
    if (axis < 0 || !gt_takes_indices(rule->input[1]))
        return gt_status();
    if (options->length != GT_INHERIT && options->length != rule->input[0]->dims[axis])
        return gt_fail(GT_INVALID, "%lld numbers for axis %d of length %lld",
                       (long long)options->length, axis, (long long)rule->input[0]->dims[axis]);
    return gt_taken_shape(rule->input[0], rule->input[1], axis, &rule->output[0]);
}

static void take_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const TakeOptions *options = rule->options;
    const gt_Spec *x = rule->input[0], *indices = rule->input[1];
    gt_Along view = gt_along(x, gt_axis(options->axis, x->rank));
    gt_lower_indices(rule, lowering, 1, -view.count, view.count);
    gt_lower_take(lowering, view, x->dtype, 0, 1, indices->dtype, indices->size, 2);
}

static gt_Status take_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    const TakeOptions *options = rule->options;
    int axis = gt_axis(options->axis, rule->input[0]->rank);
    int64_t count = rule->input[0]->dims[axis];
    return gt_complain_index(rule, at, 1, position, axis, -count, count);
}

static gt_Status take_gradient(gt_GradientRule *rule)
{
    const TakeOptions *options = gt_rule_options(rule);
    gt_Shape shape = gt_spec_shape(gt_rule_input_spec(rule, 0));
    gt_Tensor *up = gt_upstream(rule, 0);
    gt_Tensor *sum =
        gt_scatter_add(gt_rule_input(rule, 1), gt_widened(up), shape, .axis = options->axis);
    return gt_give(rule, 0, gt_narrowed(sum, gt_rule_input_spec(rule, 0)->dtype));
}

/* The mask of x, at the same indices if it has the axis; and that of the indices, behind the axes in front of the axis. */
static gt_Status take_mask(gt_MaskRule *rule)
{
    const TakeOptions *options = rule->shape->options;
    int axis = gt_axis(options->axis, rule->shape->input[0]->rank);
    gt_Tensor *mask = rule->input[0], *of_indices = rule->input[1];
    if (mask && gt_mask_axes(rule, 0) > axis) {
        /* Which elements are taken follows from the indices, which a mask rule does not see. */
        return gt_mask_refuse(rule, 0, axis);
    }
    if (mask && gt_mask_join(rule, 0, mask) != GT_OK)
        return gt_status();
    for (int d = 0; of_indices && d < axis; d++)
        of_indices = gt_expand_dims(of_indices, 0);
    return rule->input[1] ? gt_mask_join(rule, 0, of_indices) : gt_status();
}

const gt_Operation gt_op_take = {
    GT_RECORD("take", "x at the indices of an axis", 2, 2),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &TakeOptions_type,
    .saves_inputs = 2,
    .shape = take_shape,
    .lower = take_lower,
    .complain = take_complain,
    .gradient = take_gradient,
    .mask = take_mask,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(3, 2), GT_WHOLE(GT_INT32, 0, 3, 4))},
                   {.inputs = 2,
                    .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_WHOLE(GT_INT64, -3, 3, 2, 2)),
                    .options = &GT_VALUES(TakeOptions, 1, GT_INHERIT)}),
};

gt_Tensor *gt_take_of_length(gt_Tensor *x, gt_Tensor *indices, int axis, int64_t length)
{
    TakeOptions options = GT_VALUES(TakeOptions, axis, length);
    return gt_apply_one_at(NULL, &gt_op_take, &options, 2, (gt_Tensor *[]){x, indices});
}

static gt_Tensor *take(gt_Tensor *x, gt_Tensor *indices, const gt_take_options *given)
{
    gt_take_options options;
    GT_TAKE(gt_take_options, &options, given);
    bool flat = options.axis == GT_NONE;
    return gt_take_of_length(flat ? gt_ravel(x) : x, indices, flat ? 0 : options.axis, GT_INHERIT);
}
GT_COMPOSED(take,
            (const char *here, gt_Tensor *x, gt_Tensor *indices, const gt_take_options *options),
            (x, indices, options))

/* ---- take_along_axis ---- */

GT_OPTION_TYPE(gt_take_along_axis_options, gt_take_along_axis_OPTIONS);

static bool agree_off_axis(const gt_Spec *x, const gt_Spec *indices, int axis)
{
    bool fits = x->rank == indices->rank;
    for (int d = 0; fits && d < x->rank; d++)
        fits = d == axis || x->dims[d] == indices->dims[d];
    char a[160], b[160];
    if (!fits)
        gt_fail(GT_INVALID, "indices of shape %s for %s: they may differ in axis %d only",
                gt_dims_text(indices, a, sizeof a),
                gt_dims_text(x, b, sizeof b), axis);
    return fits;
}

static gt_Status along_shape(gt_ShapeRule *rule)
{
    const gt_take_along_axis_options *options = rule->options;
    int axis = gt_axis(options->axis, rule->input[0]->rank);
    if (axis < 0 || !gt_takes_indices(rule->input[1]) ||
        !agree_off_axis(rule->input[0], rule->input[1], axis))
        return gt_status();
    rule->output[0] = *rule->input[1];
    rule->output[0].dtype = rule->input[0]->dtype;
    return GT_OK;
}

static void along_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_take_along_axis_options *options = rule->options;
    const gt_Spec *x = rule->input[0], *indices = rule->input[1];
    int axis = gt_axis(options->axis, x->rank);
    gt_lower_indices(rule, lowering, 1, -x->dims[axis], x->dims[axis]);
    gt_AlongJob *job = gt_lower_launch(lowering, GT_TILES_take_along, 0, sizeof *job);
    job->type = (uint8_t)gt_loop_type(indices->dtype);
    job->element = (uint8_t)gt_dtype_size(x->dtype);
    lowering->launch[0].tiles = gt_lower_strips(&job->cut, gt_along(x, axis), indices->dims[axis]);
}

static gt_Status along_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    const gt_take_along_axis_options *options = rule->options;
    int axis = gt_axis(options->axis, rule->input[0]->rank);
    int64_t count = rule->input[0]->dims[axis];
    return gt_complain_index(rule, at, 1, position, axis, -count, count);
}

static gt_Status along_gradient(gt_GradientRule *rule)
{
    const gt_take_along_axis_options *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    int axis = gt_axis(options->axis, in->rank);
    gt_Tensor *up = gt_widened(gt_upstream(rule, 0));
    gt_Tensor *sum = gt_scatter_add_along_axis(gt_rule_input(rule, 1), up, axis, in->dims[axis]);
    return gt_give(rule, 0, gt_narrowed(sum, in->dtype));
}

/* The result has the shape of the indices, and their mask. A mask of x must end in front of the axis. */
static gt_Status along_mask(gt_MaskRule *rule)
{
    const gt_take_along_axis_options *options = rule->shape->options;
    int axis = gt_axis(options->axis, rule->shape->input[0]->rank);
    if (gt_mask_axes(rule, 0) > axis)
        return gt_mask_refuse(rule, 0, axis);
    for (int i = 0; i < 2; i++)
        if (rule->input[i] && gt_mask_join(rule, 0, rule->input[i]) != GT_OK)
            return gt_status();
    return GT_OK;
}

const gt_Operation gt_op_take_along_axis = {
    GT_RECORD("take_along_axis", "y[i, j] = x[i, indices[i, j]]", 2, 2),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_take_along_axis_options_type,
    .saves_inputs = 2,
    .shape = along_shape,
    .lower = along_lower,
    .complain = along_complain,
    .gradient = along_gradient,
    .mask = along_mask,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_WHOLE(GT_INT32, 0, 3, 2, 4))},
                   {.inputs = 2,
                    .input = GT_INPUTS(GT_ANY(3, 2), GT_WHOLE(GT_INT64, -3, 3, 4, 2)),
                    .options = &GT_VALUES(gt_take_along_axis_options, 0)}),
};

static gt_Tensor *take_along_axis(gt_Tensor *x, gt_Tensor *indices,
                                  const gt_take_along_axis_options *given)
{
    gt_take_along_axis_options options;
    GT_TAKE(gt_take_along_axis_options, &options, given);
    if (options.axis == GT_NONE) {
        x = gt_ravel(x);
        indices = gt_ravel(indices);
        options.axis = 0;
    }
    return gt_apply_one_at(NULL, &gt_op_take_along_axis, &options, 2, (gt_Tensor *[]){x, indices});
}
GT_COMPOSED(take_along_axis,
            (const char *here, gt_Tensor *x, gt_Tensor *indices,
             const gt_take_along_axis_options *options),
            (x, indices, options))
