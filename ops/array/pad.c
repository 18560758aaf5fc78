/* Padding with a number, and with what is there. Leans on ops/copies.h, lookup.c. */
#include "ops/array/creation.h"
#include "ops/array/get_item.h"
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"

#include <math.h>

/* ---- pad: a number around x ---- */

#define PAD_OPTIONS(F, S)                                                                          \
    F(S, gt_Shape, before, GT_SCALAR_SHAPE, "how many more at the start of each axis")             \
    F(S, gt_Shape, after, GT_SCALAR_SHAPE, "how many more at its end")                             \
    F(S, double, value, 0, "what is put there")
GT_OPTIONS(PadOptions, PAD_OPTIONS);
GT_OPTION_TYPE(PadOptions, PAD_OPTIONS);
GT_OPTION_TYPE(gt_pad_options, gt_pad_OPTIONS);

static gt_Status pad_shape(gt_ShapeRule *rule)
{
    const PadOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    const gt_Shape *before = &options->before, *after = &options->after;
    char a[160], b[160], x[160];
    bool fits = before->rank == in->rank && after->rank == in->rank;
    rule->output[0] = *in;
    for (int d = 0; fits && d < in->rank; d++) {
        int64_t *dim = &rule->output[0].dims[d];
        fits = before->dims[d] >= 0 && after->dims[d] >= 0 && before->dims[d] <= INT64_MAX - *dim &&
               after->dims[d] <= INT64_MAX - *dim - before->dims[d];
        *dim += fits ? before->dims[d] + after->dims[d] : 0;
    }
    if (!fits)
        return gt_fail(GT_INVALID, "%s cannot have %s before and %s after it",
                       gt_dims_text(in, x, sizeof x),
                       gt_shape_text(*before, a, sizeof a), gt_shape_text(*after, b, sizeof b));
    if (!gt_number_fits(in->dtype, options->value))
        return gt_fail(GT_INVALID, "%g is not a number of type %s", options->value,
                       gt_dtype_name(in->dtype));
    return GT_OK;
}

/* The number everywhere, then x. */
static void pad_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const PadOptions *options = rule->options;
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    if (in->size != out->size)
        gt_lower_fill(lowering, out->dtype, 1, out->size, options->value);
    if (in->size == 0)
        return;
    gt_strides(in, from);
    gt_strides(out, to);
    gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
    for (int d = 0; d < in->rank; d++) {
        job->to += options->before.dims[d] * to[d];
        gt_copy_axis(job, in->dims[d], from[d], to[d]);
    }
    gt_copy_end(lowering, job);
}

const gt_Shape *gt_zeros_before(const gt_Operation *operation, const void *options)
{
    const PadOptions *pad = options;
    bool zeros = operation == &gt_op_pad && pad->value == 0 && !signbit(pad->value);
    return zeros ? &pad->before : NULL;
}

static gt_Status pad_gradient(gt_GradientRule *rule)
{
    const PadOptions *options = gt_rule_options(rule);
    gt_Shape size = gt_spec_shape(gt_rule_input_spec(rule, 0));
    return gt_give(rule, 0, gt_slice(gt_upstream(rule, 0), options->before, size));
}

/* What is put around x counts. Behind the axes of the mask nothing changes. */
static gt_Status pad_mask(gt_MaskRule *rule)
{
    const PadOptions *options = rule->shape->options;
    gt_Shape before = options->before, after = options->after;
    before.rank = after.rank = gt_mask_axes(rule, 0);
    return gt_mask_join(rule, 0, gt_pad(rule->input[0], before, after, .value = 1));
}

const gt_Operation gt_op_pad = {
    GT_RECORD("pad", "x with a number around it", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &PadOptions_type,
    .shape = pad_shape,
    .lower = pad_lower,
    .gradient = pad_gradient,
    .mask = pad_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .options = &GT_VALUES(PadOptions, {GT_MARK, 2, {1, 0}}, {GT_MARK, 2, {0, 2}}, -1)},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .options = &GT_VALUES(PadOptions, {GT_MARK, 2, {0, 0}}, {GT_MARK, 2, {2, 0}}, 0)}),
};

/* ---- pad_axis: what is there, repeated along one axis ---- */

#define PAD_AXIS_OPTIONS(F, S)                                                                     \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, int64_t, before, 0, "how many more at its start")                                         \
    F(S, int64_t, after, 0, "how many more at its end")                                            \
    F(S, gt_PadMode, mode, GT_PAD_MODE_EDGE, "what is repeated; not GT_PAD_MODE_CONSTANT")
GT_OPTIONS(PadAxisOptions, PAD_AXIS_OPTIONS);
GT_OPTION_TYPE(PadAxisOptions, PAD_AXIS_OPTIONS);

static gt_Status pad_axis_shape(gt_ShapeRule *rule)
{
    const PadAxisOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    int64_t before = options->before, after = options->after;
    int axis = gt_axis(options->axis, in->rank);
    char text[160];
    rule->output[0] = *in;
    if (axis < 0)
        return gt_status();
    if (options->mode < GT_PAD_MODE_EDGE || options->mode > GT_PAD_MODE_SYMMETRIC)
        return gt_fail(GT_INVALID, "unknown padding mode %d", (int)options->mode);
    if (before < 0 || before > INT32_MAX || after < 0 || after > INT32_MAX ||
        in->dims[axis] > INT64_MAX - before - after || (in->dims[axis] == 0 && before + after > 0))
        return gt_fail(GT_INVALID, "axis %d of %s cannot be repeated %lld before and %lld after it",
                       axis, gt_dims_text(in, text, sizeof text), (long long)before,
                       (long long)after);
    rule->output[0].dims[axis] += before + after;
    return GT_OK;
}

/* A table of the elements that the places of the result fold to, then a lookup. */
static void pad_axis_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const PadAxisOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    int axis = gt_axis(options->axis, in->rank);
    int64_t length = rule->output[0].dims[axis];
    int32_t table = gt_lower_temporary(lowering, rule, (size_t)length * sizeof(int64_t));
    gt_FoldJob *job = gt_lower_launch(lowering, GT_TILES_fold, 1, sizeof *job);
    job->y = (uint8_t)table;
    job->mode = (uint8_t)options->mode;
    job->size = length;
    job->n = in->dims[axis];
    job->before = options->before;
    gt_lower_take(lowering, gt_along(in, axis), in->dtype, 0, table, GT_INT64, length, 1);
}

gt_Tensor *gt_fold_indices(gt_Tensor *indices, int64_t n, gt_PadMode mode)
{
    double most = (double)(n - 1), period = 2 * (double)n;
    switch (mode) {
    case GT_PAD_MODE_EDGE:
        return gt_maximum(gt_minimum(indices, most), 0);
    case GT_PAD_MODE_WRAP:
        return gt_mod(indices, (double)n);
    case GT_PAD_MODE_REFLECT: /* by 0 is 0 */
        indices = gt_mod(indices, 2 * most);
        return gt_minimum(indices, gt_add(gt_negative(indices), 2 * most));
    case GT_PAD_MODE_SYMMETRIC:
        indices = gt_mod(indices, period);
        return gt_minimum(indices, gt_add(gt_negative(indices), period - 1));
    default:
        gt_fail(GT_INVALID, "unknown padding mode %d", (int)mode);
        return NULL;
    }
}

static gt_Status pad_axis_gradient(gt_GradientRule *rule)
{
    const PadAxisOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    int axis = gt_axis(options->axis, in->rank);
    int64_t n = in->dims[axis];
    gt_Tensor *indices =
        gt_arange(-(double)options->before, (double)(n + options->after), 1, .dtype = GT_INT64);
    indices = gt_fold_indices(indices, n, options->mode);
    gt_Tensor *sum =
        gt_scatter_add(indices, gt_widened(gt_upstream(rule, 0)), gt_spec_shape(in), .axis = axis);
    return gt_give(rule, 0, gt_narrowed(sum, in->dtype));
}

/* The mask repeated as x is, if it has the axis. */
static gt_Status pad_axis_mask(gt_MaskRule *rule)
{
    PadAxisOptions options = *(const PadAxisOptions *)rule->shape->options;
    gt_Tensor *mask = rule->input[0];
    options.axis = gt_axis(options.axis, rule->shape->input[0]->rank);
    if (options.axis < gt_mask_axes(rule, 0))
        mask = gt_apply_one_at(NULL, &gt_op_pad_axis, &options, 1, &mask);
    return gt_mask_join(rule, 0, mask);
}

const gt_Operation gt_op_pad_axis = {
    GT_RECORD("pad_axis", "x with its elements repeated before and after an axis", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF | GT_OP_INTERNAL | GT_OP_STEP,
    .options = &PadAxisOptions_type,
    .shape = pad_axis_shape,
    .lower = pad_axis_lower,
    .gradient = pad_axis_gradient,
    .mask = pad_axis_mask,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(PadAxisOptions, 1, 1, 2, GT_PAD_MODE_EDGE)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(3, 2)),
                           .options = &GT_VALUES(PadAxisOptions, 0, 4, 1, GT_PAD_MODE_WRAP)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(3, 2)),
                           .options = &GT_VALUES(PadAxisOptions, 0, 5, 3, GT_PAD_MODE_REFLECT)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(PadAxisOptions, -1, 4, 0, GT_PAD_MODE_SYMMETRIC)}),
};

/* ---- the function ---- */

/* Axis by axis. */
static gt_Tensor *pad_repeating(gt_Tensor *x, gt_Shape before, gt_Shape after, gt_PadMode mode)
{
    gt_Spec in = gt_spec(x);
    char a[160], b[160], text[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (before.rank != in.rank || after.rank != in.rank) {
        gt_fail(GT_INVALID, "%s cannot be repeated %s before and %s after it",
                gt_dims_text(&in, text, sizeof text),
                gt_shape_text(before, a, sizeof a), gt_shape_text(after, b, sizeof b));
        return NULL;
    }
    for (int d = 0; d < in.rank; d++)
        if (before.dims[d] != 0 || after.dims[d] != 0) {
            PadAxisOptions options =
                GT_VALUES(PadAxisOptions, d, before.dims[d], after.dims[d], mode);
            x = gt_apply_one_at(NULL, &gt_op_pad_axis, &options, 1, &x);
        }
    return x;
}

static gt_Tensor *pad(gt_Tensor *x, gt_Shape before, gt_Shape after, const gt_pad_options *given)
{
    gt_pad_options options;
    GT_TAKE(gt_pad_options, &options, given);
    if (options.mode != GT_PAD_MODE_CONSTANT)
        return pad_repeating(x, before, after, options.mode);
    PadOptions all = GT_VALUES(PadOptions, before, after, options.value);
    return gt_apply_one_at(NULL, &gt_op_pad, &all, 1, &x);
}
GT_COMPOSED(pad,
            (const char *here, gt_Tensor *x, gt_Shape before, gt_Shape after,
             const gt_pad_options *options),
            (x, before, after, options))

/* ---- crop ---- */

/* A range [before:-after] of each axis. Ranges are as forgiving as in Python, so what is too much is refused here, of axes whose
 * size is known. */
static gt_Tensor *crop(gt_Tensor *x, gt_Shape before, gt_Shape after)
{
    gt_Spec spec = gt_spec(x);
    char s[160], t[160], u[160];
    if (gt_status() != GT_OK)
        return NULL;
    bool fits = before.rank == spec.rank && after.rank == spec.rank;
    for (int d = 0; fits && d < spec.rank; d++)
        fits = before.dims[d] >= 0 && after.dims[d] >= 0 &&
               (spec.dims[d] < 0 ||
                (before.dims[d] <= spec.dims[d] && after.dims[d] <= spec.dims[d] - before.dims[d]));
    if (!fits) {
        gt_fail(GT_INVALID, "%s and %s cannot be cut off %s", gt_shape_text(before, s, sizeof s),
                gt_shape_text(after, t, sizeof t),
                gt_dims_text(&spec, u, sizeof u));
        return NULL;
    }
    gt_Shape none = {.mark = GT_MARK, .rank = spec.rank}, stop = none;
    for (int d = 0; d < spec.rank; d++) {
        none.dims[d] = GT_ABSENT;
        stop.dims[d] = after.dims[d] > 0 ? -after.dims[d] : GT_ABSENT;
    }
    gt_GetItemOptions options = GT_VALUES(gt_GetItemOptions, before, stop, none, 0, 0);
    return gt_get_block(x, &options);
}
GT_COMPOSED(crop, (const char *here, gt_Tensor *x, gt_Shape before, gt_Shape after),
            (x, before, after))
