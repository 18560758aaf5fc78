/* The same numbers in another shape: reshape, ravel, expand_dims, squeeze, and two that other operations are made of. All of them are
 * views: row-major order stays. Leans on ops/copies.h, for a view that has to be copied. */
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"

#include <string.h>

/* All of them: the gradient in the shape of x. */
static gt_Status view_gradient(gt_GradientRule *rule)
{
    gt_Shape shape = gt_spec_shape(gt_rule_input_spec(rule, 0));
    return gt_give(rule, 0, gt_reshape(gt_upstream(rule, 0), shape));
}

/* All of them: the leading axes of the output that hold what the leading axes of the mask do, if there are such. The mask (2,
 * 3) of x (2, 3, 4) becomes (6) for an output (6, 4); of an output (2, 12) no axes hold it. */
static gt_Status view_mask(gt_MaskRule *rule)
{
    const gt_Spec *out = &rule->shape->output[0];
    gt_Tensor *mask = rule->input[0];
    if (!mask)
        return GT_OK;
    const gt_Spec *spec = gt_tensor_spec(mask);
    int64_t size = 1;
    int axes = 0;
    while (axes < out->rank && size < spec->size)
        size *= out->dims[axes++];
    if (size != spec->size)
        return gt_mask_refuse(rule, 0, spec->rank - 1);
    gt_Shape shape = gt_spec_shape(out);
    shape.rank = axes;
    if (axes > 0 && size > 0)
        shape.dims[0] = -1; /* the batch, whatever its length is at a run */
    return gt_mask_join(rule, 0, gt_reshape(mask, shape));
}

/* ---- reshape ---- */

#define RESHAPE_OPTIONS(F, S)                                                                      \
    F(S, gt_Shape, shape, GT_SCALAR_SHAPE, "the shape of the result behind the axes that stay")    \
    gt_reshape_OPTIONS(F, S)
GT_OPTIONS(ReshapeOptions, RESHAPE_OPTIONS);
GT_OPTION_TYPE(ReshapeOptions, RESHAPE_OPTIONS);
GT_OPTION_TYPE(gt_reshape_options, gt_reshape_OPTIONS);

static gt_Status reshape_shape(gt_ShapeRule *rule)
{
    const ReshapeOptions *options = rule->options;
    const gt_Shape *wanted = &options->shape;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    char from[160], to[160];
    int keep = options->keep, open = -1;
    int64_t rest = 1; /* elements of x behind the axes that stay */
    if (keep < 0 || keep > in->rank)
        return gt_fail(GT_INVALID, "keep must be from 0 to the rank %d (got %d)", in->rank, keep);
    if (wanted->rank < 0 || wanted->rank > GT_MAX_RANK - keep)
        return gt_fail(GT_INVALID, "the new shape has more than %d dimensions", GT_MAX_RANK);
    for (int d = keep; d < in->rank; d++)
        rest *= in->dims[d];
    out->dtype = in->dtype;
    out->rank = wanted->rank;
    for (int d = 0; d < wanted->rank; d++) {
        out->dims[d] = wanted->dims[d];
        if (wanted->dims[d] == -1 && open >= 0)
            return gt_fail(GT_INVALID, "only one dimension may be -1, not as in %s",
                           gt_shape_text(*wanted, to, sizeof to));
        if (wanted->dims[d] == -1)
            open = d;
    }
    if (open >= 0)
        out->dims[open] = 1;
    bool fits = gt_spec_resize(out);
    if (fits && open >= 0) {
        fits = out->size > 0 && rest % out->size == 0;
        out->dims[open] = fits ? rest / out->size : 1;
        fits = fits && gt_spec_resize(out);
    }
    if (!fits || out->size != rest)
        return gt_fail(GT_INVALID, "%s cannot become %s%s: the number of elements differs",
                       gt_dims_text(in, from, sizeof from),
                       gt_shape_text(*wanted, to, sizeof to),
                       keep ? " behind the axes that stay" : "");
    memmove(out->dims + keep, out->dims, (size_t)out->rank * sizeof *out->dims);
    memcpy(out->dims, in->dims, (size_t)keep * sizeof *out->dims);
    out->rank = (uint8_t)(out->rank + keep);
    return GT_OK;
}

/* A mask over axes that stay needs no reading of sizes. */
static gt_Status reshape_mask(gt_MaskRule *rule)
{
    const ReshapeOptions *options = rule->shape->options;
    if (gt_mask_axes(rule, 0) <= options->keep)
        return gt_mask_join(rule, 0, rule->input[0]);
    return view_mask(rule);
}

#define RESHAPED(keep, ...)                                                                        \
    .options = &GT_VALUES(ReshapeOptions, GT_SAMPLE_SHAPE(__VA_ARGS__), keep)
const gt_Operation gt_op_reshape = {
    GT_RECORD("reshape", "the numbers of x in another shape", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
    .options = &ReshapeOptions_type,
    .shape = reshape_shape,
    .lower = gt_lower_same,
    .gradient = view_gradient,
    .mask = reshape_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3)), RESHAPED(0, 3, 2)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(4, 3)), RESHAPED(0, 2, -1, 3)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 4)), RESHAPED(1, -1, 2)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 4)), RESHAPED(2, 2, 2)}),
};

gt_Tensor *gt_reshape_at(const char *here, gt_Tensor *x, gt_Shape shape,
                         const gt_reshape_options *given)
{
    gt_reshape_options options;
    GT_TAKE(gt_reshape_options, &options, given);
    ReshapeOptions all = GT_VALUES(ReshapeOptions, shape, options.keep);
    return gt_apply_one_at(here, &gt_op_reshape, &all, 1, &x);
}

gt_Tensor *gt_ravel_at(const char *here, gt_Tensor *x)
{
    return gt_reshape_at(here, x, gt_shape(-1), NULL);
}
gt_Tensor *(gt_ravel)(gt_Tensor *x)
{
    return gt_ravel_at(NULL, x);
}

/* ---- expand_dims ---- */

#define EXPAND_OPTIONS(F, S) F(S, int32_t, axis, 0, "where the new axis stands in the result")
GT_OPTIONS(ExpandOptions, EXPAND_OPTIONS);
GT_OPTION_TYPE(ExpandOptions, EXPAND_OPTIONS);

static gt_Status expand_shape(gt_ShapeRule *rule)
{
    const ExpandOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    int axis = gt_axis(options->axis, in->rank + 1);
    if (axis < 0)
        return gt_status();
    if (in->rank == GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the new shape has more than %d dimensions", GT_MAX_RANK);
    out->dtype = in->dtype;
    for (int d = 0; d <= in->rank; d++)
        out->dims[out->rank++] = d == axis ? 1 : in->dims[d - (d > axis)];
    return GT_OK;
}

const gt_Operation gt_op_expand_dims = {
    GT_RECORD("expand_dims", "x with an axis of size 1 more", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
    .options = &ExpandOptions_type,
    .shape = expand_shape,
    .lower = gt_lower_same,
    .gradient = view_gradient,
    .mask = view_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3)), .options = &GT_VALUES(ExpandOptions, -2)}),
};

gt_Tensor *gt_expand_dims_at(const char *here, gt_Tensor *x, int axis)
{
    ExpandOptions options = GT_VALUES(ExpandOptions, axis);
    return gt_apply_one_at(here, &gt_op_expand_dims, &options, 1, &x);
}

/* ---- squeeze ---- */

GT_OPTION_TYPE(gt_squeeze_options, gt_squeeze_OPTIONS);

static gt_Status squeeze_shape(gt_ShapeRule *rule)
{
    const gt_squeeze_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    uint32_t bits;
    if (!gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits))
        return gt_status();
    bool named = options->axis != GT_NONE || options->axes.count >= 0;
    out->dtype = in->dtype;
    for (int d = 0; d < in->rank; d++) {
        bool goes = bits >> d & 1;
        if (goes && named && in->dims[d] != 1) {
            char text[160];
            return gt_fail(GT_INVALID, "axis %d of %s is not 1", d,
                           gt_dims_text(in, text, sizeof text));
        }
        if (!goes || in->dims[d] != 1)
            out->dims[out->rank++] = in->dims[d];
    }
    return GT_OK;
}

const gt_Operation gt_op_squeeze = {
    GT_RECORD("squeeze", "x without axes of size 1", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_squeeze_options_type,
    .shape = squeeze_shape,
    .lower = gt_lower_same,
    .gradient = view_gradient,
    .mask = view_mask,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 1, 3))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(1, 3, 1)),
                           .options = &GT_VALUES(gt_squeeze_options, -1, {GT_MARK, -1, {0}})}),
};

gt_Tensor *gt_squeeze_at(const char *here, gt_Tensor *x, const gt_squeeze_options *options)
{
    return gt_apply_one_at(here, &gt_op_squeeze, options, 1, &x);
}
gt_Tensor *(gt_squeeze)(gt_Tensor *x)
{
    return gt_squeeze_at(NULL, x, NULL);
}

/* ---- merge_axes, reshape_like ---- */

#define MERGE_OPTIONS(F, S)                                                                        \
    F(S, int32_t, first, 0, "the first of them")                                                   \
    F(S, int32_t, count, 1, "how many become one; 0: a new axis of size 1 stands there")
GT_OPTIONS(MergeOptions, MERGE_OPTIONS);
GT_OPTION_TYPE(MergeOptions, MERGE_OPTIONS);

static gt_Status merge_shape(gt_ShapeRule *rule)
{
    const MergeOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    int first = options->first;
    if (first < 0 || first > in->rank || options->count < 0 || options->count > in->rank - first)
        return gt_fail(GT_INVALID, "there are no %d axes from axis %d on in a tensor of rank %d",
                       options->count, first, in->rank);
    int end = first + options->count;
    if (in->rank - options->count == GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the new shape has more than %d dimensions", GT_MAX_RANK);
    out->dtype = in->dtype;
    for (int d = 0; d < first; d++)
        out->dims[out->rank++] = in->dims[d];
    int64_t *merged = &out->dims[out->rank++];
    *merged = 1;
    for (int d = first; d < end; d++)
        *merged *= in->dims[d];
    for (int d = end; d < in->rank; d++)
        out->dims[out->rank++] = in->dims[d];
    return GT_OK;
}

const gt_Operation gt_op_merge_axes = {
    GT_RECORD("merge_axes", "neighbouring axes of x as one", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF | GT_OP_INTERNAL | GT_OP_STEP,
    .options = &MergeOptions_type,
    .shape = merge_shape,
    .lower = gt_lower_same,
    .gradient = view_gradient,
    .mask = view_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .options = &GT_VALUES(MergeOptions, 1, 2)},
        {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3)), .options = &GT_VALUES(MergeOptions, 2, 0)}),
};

gt_Tensor *gt_merge_axes(gt_Tensor *x, int first, int count)
{
    MergeOptions options = GT_VALUES(MergeOptions, first, count);
    return gt_apply_one_at(NULL, &gt_op_merge_axes, &options, 1, &x);
}

static gt_Status like_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0], *like = rule->input[1];
    char a[160], b[160];
    if (in->size != like->size)
        return gt_fail(GT_INVALID, "%s cannot become %s: the number of elements differs",
                       gt_dims_text(in, a, sizeof a),
                       gt_dims_text(like, b, sizeof b));
    rule->output[0] = *like;
    rule->output[0].dtype = in->dtype;
    return GT_OK;
}

const gt_Operation gt_op_reshape_like = {
    GT_RECORD("reshape_like", "x in the shape of the other", 2, 2),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF | GT_OP_INTERNAL | GT_OP_STEP,
    .shape = like_shape,
    .lower = gt_lower_same,
    .gradient = view_gradient,
    .mask = view_mask,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(6), GT_WHOLE(GT_INT32, 0, 2, 2, 3))}),
};

gt_Tensor *gt_reshape_like(gt_Tensor *x, gt_Tensor *like)
{
    like = gt_stop_gradient(like);
    return gt_apply_one_at(NULL, &gt_op_reshape_like, NULL, 2, (gt_Tensor *[]){x, like});
}
