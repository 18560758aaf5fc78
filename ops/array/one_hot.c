/* One-hot rows. Leans on ops/copies.h for the zeros. */
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"

#include <string.h>

#define ONE_HOT_OPTIONS(F, S)                                                                      \
    F(S, int32_t, axis, -1, "where the new axis stands in the result")                             \
    F(S, gt_DType, dtype, GT_FLOAT32, "the dtype of the result")                                   \
    F(S, int64_t, depth, 1, "its length")
GT_OPTIONS(OneHotOptions, ONE_HOT_OPTIONS);
GT_OPTION_TYPE(OneHotOptions, ONE_HOT_OPTIONS);
GT_OPTION_TYPE(gt_one_hot_options, gt_one_hot_OPTIONS);

static gt_Status one_hot_shape(gt_ShapeRule *rule)
{
    const OneHotOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    if (!gt_takes_indices(in))
        return gt_status();
    if (in->rank == GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the result would have more than %d dimensions", GT_MAX_RANK);
    if (options->depth < 0)
        return gt_fail(GT_INVALID, "depth must be >= 0 (got %lld)", (long long)options->depth);
    if (gt_loop_type(options->dtype) < 0)
        return gt_fail(GT_INVALID, "dtype %s is not supported; expected floats, integers or bool",
                       gt_dtype_name(options->dtype));
    int axis = gt_axis(options->axis, in->rank + 1);
    if (axis < 0)
        return gt_status();
    out->dtype = options->dtype;
    for (int d = 0; d <= in->rank; d++)
        out->dims[out->rank++] = d == axis ? options->depth : in->dims[d - (d > axis)];
    return GT_OK;
}

/* Zeros, then the ones: an index outside [0, depth) writes none. */
static void one_hot_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const OneHotOptions *options = rule->options;
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    gt_Along view = gt_along(out, gt_axis(options->axis, out->rank));
    gt_lower_fill(lowering, out->dtype, 1, out->size, 0);
    int64_t tiles = (in->size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
    gt_OneHotJob *job = gt_lower_launch(lowering, GT_TILES_one_hot, tiles, sizeof *job);
    job->type = (uint8_t)gt_loop_type(in->dtype);
    job->element = (uint8_t)gt_dtype_size(out->dtype);
    job->count = view.count;
    job->inner = view.inner;
    job->n = in->size;
    job->pattern = gt_number_pattern(out->dtype, 1);
}

/* The mask of the indices, with the new axis if that stands among its own. */
static gt_Status one_hot_mask(gt_MaskRule *rule)
{
    const OneHotOptions *options = rule->shape->options;
    int axis = gt_axis(options->axis, rule->shape->output[0].rank);
    gt_Tensor *mask = rule->input[0];
    if (axis < gt_mask_axes(rule, 0))
        mask = gt_expand_dims(mask, axis);
    return gt_mask_join(rule, 0, mask);
}

const gt_Operation gt_op_one_hot = {
    GT_RECORD("one_hot", "zeros with a 1 at each index", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "its input is integer-valued",
    .options = &OneHotOptions_type,
    .shape = one_hot_shape,
    .lower = one_hot_lower,
    .mask = one_hot_mask,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 4)),
                           .options = &GT_VALUES(OneHotOptions, -1, GT_FLOAT32, 3)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, -1, 4, 2, 3)),
                           .options = &GT_VALUES(OneHotOptions, 1, GT_FLOAT64, 4)}),
};

gt_Tensor *gt_one_hot_at(const char *here, gt_Tensor *indices, int64_t depth,
                         const gt_one_hot_options *given)
{
    gt_one_hot_options options;
    GT_TAKE(gt_one_hot_options, &options, given);
    OneHotOptions all = GT_VALUES(OneHotOptions, options.axis, options.dtype, depth);
    return gt_apply_one_at(here, &gt_op_one_hot, &all, 1, &indices);
}
