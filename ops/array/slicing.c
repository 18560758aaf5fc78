/* A block of a tensor: slice, and slice_update, which replaces one. Other descriptions of blocks are in parts.c and
 * get_item.c. Leans on block.c. */
#include "ops/array/block.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"

#include <string.h>

/* ---- slice ---- */

#define SLICE_OPTIONS(F, S)                                                                        \
    F(S, gt_Shape, begin, GT_SCALAR_SHAPE, "where the block starts")                               \
    F(S, gt_Shape, extent, GT_SCALAR_SHAPE, "how large it is; -1: to the end")
GT_OPTIONS(SliceOptions, SLICE_OPTIONS);
GT_OPTION_TYPE(SliceOptions, SLICE_OPTIONS);

/* False if x has no such block; nothing is raised. */
static bool slice_block(const gt_Spec *in, const gt_Shape *begin, const gt_Shape *extent,
                        gt_Block *block)
{
    if (begin->rank != in->rank || extent->rank != in->rank)
        return false;
    for (int d = 0; d < in->rank; d++) {
        int64_t start = begin->dims[d], length = extent->dims[d];
        if (start < 0 || start > in->dims[d])
            return false;
        length = length == -1 ? in->dims[d] - start : length;
        if (length < 0 || length > in->dims[d] - start)
            return false;
        block->start[d] = start;
        block->step[d] = 1;
        block->extent[d] = length;
    }
    return true;
}

static gt_Status no_block(const gt_Spec *in, const gt_Shape *begin, const gt_Shape *extent)
{
    char a[160], b[160], x[160];
    return gt_fail(GT_INVALID, "%s has no block of size %s at %s",
                   gt_dims_text(in, x, sizeof x),
                   gt_shape_text(*extent, b, sizeof b), gt_shape_text(*begin, a, sizeof a));
}

static gt_Status slice_shape(gt_ShapeRule *rule)
{
    const SliceOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Block block;
    if (!slice_block(in, &options->begin, &options->extent, &block))
        return no_block(in, &options->begin, &options->extent);
    rule->output[0].dtype = in->dtype;
    rule->output[0].rank = in->rank;
    for (int d = 0; d < in->rank; d++)
        rule->output[0].dims[d] = block.extent[d];
    return GT_OK;
}

/* The block, once the shape rule has said how large it is. */
static void slice_of(const gt_ShapeRule *rule, gt_Block *block)
{
    const SliceOptions *options = rule->options;
    for (int d = 0; d < rule->output[0].rank; d++) {
        block->start[d] = options->begin.dims[d];
        block->step[d] = 1;
        block->extent[d] = rule->output[0].dims[d];
    }
}

static int64_t slice_offset(const gt_ShapeRule *rule)
{
    gt_Block block;
    slice_of(rule, &block);
    return gt_block_offset(rule->input[0], &block);
}

static void slice_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_Block block;
    slice_of(rule, &block);
    gt_block_lower(rule, lowering, &block);
}

static gt_Status slice_gradient(gt_GradientRule *rule)
{
    const SliceOptions *options = gt_rule_options(rule);
    gt_Block block = gt_block_whole(gt_rule_input_spec(rule, 0));
    slice_block(gt_rule_input_spec(rule, 0), &options->begin, &options->extent, &block);
    return gt_block_give(rule, &block, gt_upstream(rule, 0));
}

/* The same block of the mask, along the axes that it has. */
static gt_Status slice_mask(gt_MaskRule *rule)
{
    const SliceOptions *options = rule->shape->options;
    gt_Shape begin = options->begin, extent = options->extent;
    begin.rank = extent.rank = gt_mask_axes(rule, 0);
    return gt_mask_join(rule, 0, gt_slice(rule->input[0], begin, extent));
}

const gt_Operation gt_op_slice = {
    GT_RECORD("slice", "a block of x", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF | GT_OP_VIEW | GT_OP_CARRIES,
    .options = &SliceOptions_type,
    .shape = slice_shape,
    .view_offset = slice_offset,
    .lower = slice_lower,
    .gradient = slice_gradient,
    .mask = slice_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 4)),
         .options = &GT_VALUES(SliceOptions, {GT_MARK, 2, {1, 1}}, {GT_MARK, 2, {2, 2}})},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 2)),
         .options = &GT_VALUES(SliceOptions, {GT_MARK, 2, {1, 0}}, {GT_MARK, 2, {2, -1}})},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 3)),
         .options = &GT_VALUES(SliceOptions, {GT_MARK, 3, {0, 2, 0}}, {GT_MARK, 3, {-1, -1, 2}})}),
};

gt_Tensor *gt_slice_at(const char *here, gt_Tensor *x, gt_Shape begin, gt_Shape size)
{
    SliceOptions options = GT_VALUES(SliceOptions, begin, size);
    return gt_apply_one_at(here, &gt_op_slice, &options, 1, &x);
}

/* ---- slice_update: x with the block at `begin` replaced ---- */

#define UPDATE_OPTIONS(F, S) F(S, gt_Shape, begin, GT_SCALAR_SHAPE, "where the block starts")
GT_OPTIONS(UpdateOptions, UPDATE_OPTIONS);
GT_OPTION_TYPE(UpdateOptions, UPDATE_OPTIONS);

static gt_Status update_shape(gt_ShapeRule *rule)
{
    const UpdateOptions *options = rule->options;
    const gt_Spec *x = rule->input[0], *updates = rule->input[1];
    gt_Shape extent = gt_spec_shape(updates);
    gt_Block block;
    rule->output[0] = *x;
    if (x->dtype != updates->dtype)
        return gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them",
                       gt_dtype_name(x->dtype), gt_dtype_name(updates->dtype));
    return slice_block(x, &options->begin, &extent, &block) ? GT_OK
                                                            : no_block(x, &options->begin, &extent);
}

/* x as a whole, then the block over it. */
static void update_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const UpdateOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0], *updates = rule->input[1];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    gt_CopyJob *job = gt_lower_copy(lowering, out->dtype, 0, 2);
    gt_copy_axis(job, out->size, 1, 1);
    gt_copy_end(lowering, job);
    if (updates->size == 0)
        return;
    gt_strides(updates, from);
    gt_strides(out, to);
    job = gt_lower_copy(lowering, out->dtype, 1, 2);
    for (int d = 0; d < out->rank; d++) {
        job->to += options->begin.dims[d] * to[d];
        gt_copy_axis(job, updates->dims[d], from[d], to[d]);
    }
    gt_copy_end(lowering, job);
}

static gt_Status update_gradient(gt_GradientRule *rule)
{
    const UpdateOptions *options = gt_rule_options(rule);
    const gt_Spec *updates = gt_rule_input_spec(rule, 1);
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0)) {
        gt_Tensor *zeros = gt_zeros(gt_spec_shape(updates), .dtype = updates->dtype);
        gt_give(rule, 0, gt_slice_update(up, options->begin, zeros));
    }
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_slice(up, options->begin, gt_spec_shape(updates)));
    return gt_status();
}

/* The block of the mask is replaced by that of the updates; ones where one of them has none. */
static gt_Status update_mask(gt_MaskRule *rule)
{
    const UpdateOptions *options = rule->shape->options;
    int own = gt_mask_axes(rule, 0), other = gt_mask_axes(rule, 1);
    int axes = own > other ? own : other;
    gt_Shape begin = options->begin;
    /* Behind the axes of the masks the block must span x, or the mask needs those axes as well. */
    for (int d = axes; d < rule->shape->input[0]->rank; d++)
        if (rule->shape->input[1]->dims[d] != rule->shape->input[0]->dims[d])
            axes = d + 1;
    begin.rank = axes;
    return gt_mask_join(
        rule, 0, gt_slice_update(gt_mask_over(rule, 0, axes), begin, gt_mask_over(rule, 1, axes)));
}

const gt_Operation gt_op_slice_update = {
    GT_RECORD("slice_update", "x with a block replaced", 2, 2),
    .flags = GT_OP_LINEAR | GT_OP_HALF | GT_OP_MAY_REUSE,
    .options = &UpdateOptions_type,
    .shape = update_shape,
    .lower = update_lower,
    .gradient = update_gradient,
    .mask = update_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(3, 4), GT_ANY(2, 2)),
                           .options = &GT_VALUES(UpdateOptions, {GT_MARK, 2, {1, 2}})},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(4), GT_ANY(1)),
                           .options = &GT_VALUES(UpdateOptions, {GT_MARK, 1, {3}})}),
};

/* Operands are brought to one dtype, as those of arithmetic are. */
static gt_Tensor *slice_update(gt_Tensor *x, gt_Shape begin, gt_Tensor *updates)
{
    gt_Tensor *pair[2];
    UpdateOptions options = GT_VALUES(UpdateOptions, begin);
    if (!gt_operands(NULL, &gt_op_slice_update, x, gt_operand_tensor(updates), pair))
        return NULL;
    return gt_apply_one_at(NULL, &gt_op_slice_update, &options, 2, pair);
}
GT_COMPOSED(slice_update, (const char *here, gt_Tensor *x, gt_Shape begin, gt_Tensor *updates),
            (x, begin, updates))
