/* Blocks of tensors, and `spread`, the transpose of reading one. Leans on ops/copies.h. */
#include "ops/array/block.h"
#include "ops/array/get_item.h"

#include <string.h>

gt_Block gt_block_whole(const gt_Spec *in)
{
    gt_Block block = {.start = {0}};
    for (int d = 0; d < in->rank; d++) {
        block.step[d] = 1;
        block.extent[d] = in->dims[d];
    }
    return block;
}

/* A block is contiguous if its leading extents are 1, the next is arbitrary and the rest span x. */
int64_t gt_block_offset(const gt_Spec *in, const gt_Block *block)
{
    int64_t stride[GT_MAX_RANK], offset = 0;
    int d = 0;
    bool empty = false;
    gt_strides(in, stride);
    for (int i = 0; i < in->rank; i++) {
        empty |= block->extent[i] == 0;
        offset += block->start[i] * stride[i];
    }
    while (d < in->rank && block->extent[d] == 1)
        d++;
    if (d < in->rank && block->extent[d] > 1 && block->step[d] != 1)
        return -1;
    for (d++; d < in->rank; d++)
        if (block->extent[d] != in->dims[d] || (block->extent[d] > 1 && block->step[d] != 1))
            return -1;
    return empty ? 0 : offset;
}

/* Walks the block in a tensor of spec `whole`, and a dense array of its extents beside it. */
static void lower_walk(gt_Lowering *lowering, const gt_Spec *whole, const gt_Block *block, int from,
                       int to, bool reads)
{
    int64_t stride[GT_MAX_RANK], dense = 1, at[GT_MAX_RANK], start = 0;
    gt_strides(whole, stride);
    for (int d = whole->rank - 1; d >= 0; d--) {
        at[d] = dense;
        dense *= block->extent[d];
        start += block->start[d] * stride[d];
    }
    if (dense == 0)
        return;
    gt_CopyJob *job = gt_lower_copy(lowering, whole->dtype, from, to);
    *(reads ? &job->from : &job->to) = start;
    for (int d = 0; d < whole->rank; d++) {
        int64_t step = block->step[d] * stride[d];
        gt_copy_axis(job, block->extent[d], reads ? step : at[d], reads ? at[d] : step);
    }
    gt_copy_end(lowering, job);
}

void gt_block_lower(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_Block *block)
{
    lower_walk(lowering, rule->input[0], block, 0, rule->inputs, true);
}

/* ---- spread: zeros with x where a block is ---- */

#define SPREAD_OPTIONS(F, S)                                                                       \
    F(S, gt_Shape, shape, GT_SCALAR_SHAPE, "the shape of the result")                              \
    F(S, gt_Shape, start, GT_SCALAR_SHAPE, "where the block starts")                               \
    F(S, gt_Shape, step, GT_SCALAR_SHAPE, "by which steps it continues")
GT_OPTIONS(SpreadOptions, SPREAD_OPTIONS);
GT_OPTION_TYPE(SpreadOptions, SPREAD_OPTIONS);

/* Do `count` places, from `start` in steps of `step`, lie in [0, length)? */
static bool lies_in(int64_t start, int64_t step, int64_t count, int64_t length)
{
    if (count == 0)
        return true;
    if (start < 0 || start >= length)
        return false;
    int64_t room = step < 0 ? start : length - 1 - start;
    return count == 1 || (step <= room / (count - 1) && step >= -(room / (count - 1)));
}

/* False with an error raised if x is not such a block. */
static bool spread_block(const gt_ShapeRule *rule, gt_Block *block)
{
    const SpreadOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    bool fits = options->shape.rank == in->rank && options->start.rank == in->rank &&
                options->step.rank == in->rank;
    for (int d = 0; fits && d < in->rank; d++) {
        block->start[d] = options->start.dims[d];
        block->step[d] = options->step.dims[d];
        block->extent[d] = in->dims[d];
        fits = lies_in(block->start[d], block->step[d], in->dims[d], options->shape.dims[d]);
    }
    if (!fits)
        gt_fail(GT_INVALID, "x must be a block of the result");
    return fits;
}

static gt_Status spread_shape(gt_ShapeRule *rule)
{
    const SpreadOptions *options = rule->options;
    gt_Block block;
    if (!gt_spec_set(&rule->output[0], rule->input[0]->dtype, options->shape))
        return gt_fail(GT_INVALID, "the shape is invalid or too large");
    return spread_block(rule, &block) ? GT_OK : gt_status();
}

static void spread_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_Block block;
    gt_lower_fill(lowering, rule->output[0].dtype, rule->inputs, rule->output[0].size, 0);
    if (spread_block(rule, &block))
        lower_walk(lowering, &rule->output[0], &block, 0, rule->inputs, false);
}

static gt_Status spread_gradient(gt_GradientRule *rule)
{
    const SpreadOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_GetItemOptions block = {GT_SIZE(gt_GetItemOptions), .start = options->start,
                               .stop = options->start, .step = options->step};
    for (int d = 0; d < in->rank;
         d++) { /* behind the last element; in front of all there is no number for it */
        int64_t stop = options->start.dims[d] + options->step.dims[d] * in->dims[d];
        block.stop.dims[d] = stop < 0 ? GT_ABSENT : stop;
    }
    return gt_give(rule, 0, gt_get_block(gt_upstream(rule, 0), &block));
}

const gt_Operation gt_op_spread = {
    GT_RECORD("spread", "zeros with x where a block is", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF | GT_OP_INTERNAL,
    .options = &SpreadOptions_type,
    .shape = spread_shape,
    .lower = spread_lower,
    .gradient = spread_gradient,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(SpreadOptions, {GT_MARK, 2, {4, 5}},
                                                 {GT_MARK, 2, {3, 0}}, {GT_MARK, 2, {-2, 2}})}),
};

gt_Status gt_block_give(gt_GradientRule *rule, const gt_Block *block, gt_Tensor *up)
{
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Shape shape = gt_spec_shape(in), before = shape, after = shape, step = shape;
    bool steps = false;
    for (int d = 0; d < in->rank; d++) {
        before.dims[d] = block->start[d];
        after.dims[d] -= block->start[d] + block->extent[d];
        step.dims[d] = block->step[d];
        steps |= block->extent[d] > 1 && block->step[d] != 1;
    }
    if (!steps)
        return gt_give(rule, 0, gt_pad(up, before, after));
    SpreadOptions options = GT_VALUES(SpreadOptions, shape, before, step);
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_spread, &options, 1, &up));
}
