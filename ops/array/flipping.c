/* Other orders along axes: flip, roll, rot90 and their relatives. Leans on ops/copies.h. */
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"

/* ---- flip ---- */

GT_OPTION_TYPE(gt_flip_options, gt_flip_OPTIONS);

static gt_Status flip_shape(gt_ShapeRule *rule)
{
    const gt_flip_options *options = rule->options;
    uint32_t bits;
    rule->output[0] = *rule->input[0];
    gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, &bits);
    return gt_status();
}

static void flip_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_flip_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    int64_t stride[GT_MAX_RANK];
    uint32_t bits;
    gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits);
    gt_strides(in, stride);
    gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
    for (int d = 0; d < in->rank; d++) {
        bool flips = bits >> d & 1;
        job->from += flips ? (in->dims[d] - 1) * stride[d] : 0;
        gt_copy_axis(job, in->dims[d], flips ? -stride[d] : stride[d], stride[d]);
    }
    gt_copy_end(lowering, job);
}

static gt_Status flip_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_flip_at(NULL, gt_upstream(rule, 0), gt_rule_options(rule)));
}

/* The mask flipped along those of its axes that x is flipped along. */
static gt_Status flip_mask(gt_MaskRule *rule)
{
    const gt_flip_options *options = rule->shape->options;
    gt_Axes own = gt_axes();
    uint32_t bits;
    gt_axis_or_axes(options->axis, &options->axes, rule->shape->input[0]->rank, &bits);
    for (int d = 0; d < gt_mask_axes(rule, 0); d++)
        if (bits >> d & 1)
            own.axis[own.count++] = d;
    return gt_mask_join(rule, 0, gt_flip(rule->input[0], .axes = own));
}

const gt_Operation gt_op_flip = {
    GT_RECORD("flip", "x backwards along axes", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_flip_options_type,
    .shape = flip_shape,
    .lower = flip_lower,
    .gradient = flip_gradient,
    .mask = flip_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                           .options = &GT_VALUES(gt_flip_options, 1, {GT_MARK, -1, {0}})}),
};

gt_Tensor *gt_flip_at(const char *here, gt_Tensor *x, const gt_flip_options *options)
{
    return gt_apply_one_at(here, &gt_op_flip, options, 1, &x);
}
gt_Tensor *(gt_flip)(gt_Tensor *x)
{
    return gt_flip_at(NULL, x, NULL);
}

/* ---- roll ---- */

#define ROLL_OPTIONS(F, S)                                                                         \
    F(S, int32_t, axis, GT_NONE, "along this axis; GT_NONE: of x flattened")                       \
    F(S, int64_t, shift, 0, "by so many places")
GT_OPTIONS(RollOptions, ROLL_OPTIONS);
GT_OPTION_TYPE(RollOptions, ROLL_OPTIONS);
GT_OPTION_TYPE(gt_roll_options, gt_roll_OPTIONS);

static gt_Status roll_shape(gt_ShapeRule *rule)
{
    const RollOptions *options = rule->options;
    rule->output[0] = *rule->input[0];
    if (options->axis != GT_NONE)
        gt_axis(options->axis, rule->input[0]->rank);
    return gt_status();
}

/* What goes in front, the last `front` places of each row, then the rest. */
static void roll_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const RollOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    bool flat = options->axis == GT_NONE;
    int axis = flat ? 0 : gt_axis(options->axis, in->rank);
    int64_t outer = 1, count = flat ? in->size : in->dims[axis], inner = 1;
    for (int d = 0; d < in->rank && !flat; d++)
        *(d < axis ? &outer : &inner) *= d == axis ? 1 : in->dims[d];
    int64_t front = count ? options->shift % count : 0, row = count * inner;
    front = (front < 0 ? front + count : front) * inner;
    for (int part = 0; part < 2; part++) {
        int64_t length = part == 0 ? front : row - front;
        if (length == 0)
            continue;
        gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
        job->from = part == 0 ? row - front : 0;
        job->to = part == 0 ? 0 : front;
        gt_copy_axis(job, outer, row, row);
        gt_copy_axis(job, length, 1, 1);
        gt_copy_end(lowering, job);
    }
}

static gt_Status roll_gradient(gt_GradientRule *rule)
{
    RollOptions options = *(const RollOptions *)gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    bool flat = options.axis == GT_NONE;
    int64_t count = flat ? in->size : in->dims[gt_axis(options.axis, in->rank)];
    gt_Tensor *up = gt_upstream(rule, 0);
    options.shift = count ? -(options.shift % count) : 0;
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_roll, &options, 1, &up));
}

/* The mask rolled along the same axis, if it has it; over all axes of x where x is flattened. */
static gt_Status roll_mask(gt_MaskRule *rule)
{
    RollOptions options = *(const RollOptions *)rule->shape->options;
    int rank = rule->shape->input[0]->rank, axes = gt_mask_axes(rule, 0);
    gt_Tensor *mask = rule->input[0];
    if (options.axis == GT_NONE)
        mask = gt_mask_over(rule, 0, rank);
    else
        options.axis = gt_axis(options.axis, rank);
    if (options.axis < axes)
        mask = gt_apply_one_at(NULL, &gt_op_roll, &options, 1, &mask);
    return gt_mask_join(rule, 0, mask);
}

const gt_Operation gt_op_roll = {
    GT_RECORD("roll", "x with its elements shifted along an axis", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &RollOptions_type,
    .shape = roll_shape,
    .lower = roll_lower,
    .gradient = roll_gradient,
    .mask = roll_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .options = &GT_VALUES(RollOptions, GT_NONE, 2)},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 2)),
         .options = &GT_VALUES(RollOptions, 1, -7)},
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 2)), .options = &GT_VALUES(RollOptions, 0, 1)}),
};

static gt_Tensor *rolled(gt_Tensor *x, int64_t shift, int axis)
{
    RollOptions options = GT_VALUES(RollOptions, axis, shift);
    return gt_apply_one_at(NULL, &gt_op_roll, &options, 1, &x);
}

/* One axis after the other. */
static gt_Tensor *roll(gt_Tensor *x, gt_Integers shift, const gt_roll_options *given)
{
    gt_roll_options options;
    GT_TAKE(gt_roll_options, &options, given);
    if (!gt_axes_valid(&options.axes))
        return NULL;
    if (options.axis != GT_NONE && options.axes.count >= 0) {
        gt_fail(GT_INVALID, "give axis or axes, not both");
        return NULL;
    }
    gt_Axes axes = options.axis == GT_NONE ? options.axes : gt_axes(options.axis);
    int count = axes.count < 0 ? 1 : axes.count;
    if (shift.items && shift.count != count) {
        gt_fail(GT_INVALID, "%lld shifts for %d axes", (long long)shift.count, count);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        x = rolled(x, shift.items ? shift.items[i] : shift.number,
                   axes.count < 0 ? GT_NONE : axes.axis[i]);
    return count ? x : gt_identity(x);
}
GT_COMPOSED(roll,
            (const char *here, gt_Tensor *x, gt_Integers shift, const gt_roll_options *options),
            (x, shift, options))

/* ---- turns ---- */

static gt_Tensor *fliplr(gt_Tensor *x)
{
    return gt_flip(x, .axis = 1);
}
GT_COMPOSED_UNARY(fliplr, fliplr)

static gt_Tensor *flipud(gt_Tensor *x)
{
    return gt_flip(x, .axis = 0);
}
GT_COMPOSED_UNARY(flipud, flipud)

GT_OPTION_TYPE(gt_rot90_options, gt_rot90_OPTIONS);

static gt_Tensor *rot90(gt_Tensor *x, const gt_rot90_options *given)
{
    gt_rot90_options options;
    GT_TAKE(gt_rot90_options, &options, given);
    int rank = gt_rank(x);
    int from = gt_status() == GT_OK ? gt_axis(options.axis1, rank) : -1;
    int to = from < 0 ? -1 : gt_axis(options.axis2, rank);
    if (to < 0)
        return NULL;
    if (from == to) {
        gt_fail(GT_INVALID, "axis1 and axis2 are both %d", from);
        return NULL;
    }
    switch (options.k & 3) {
    case 1:
        return gt_swapaxes(gt_flip(x, .axis = to), from, to);
    case 2:
        return gt_flip(x, .axes = gt_axes(from, to));
    case 3:
        return gt_flip(gt_swapaxes(x, from, to), .axis = to);
    default:
        return gt_identity(x);
    }
}
GT_COMPOSED_OPTIONS(rot90, rot90, gt_rot90_options)
