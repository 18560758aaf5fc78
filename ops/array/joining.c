/* Joining: concatenate, and stack, hstack, vstack, dstack, column_stack, which give the tensors more axes first. Leans on
 * reshape.c. */
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"

#include <string.h>

GT_OPTION_TYPE(gt_concatenate_options, gt_concatenate_OPTIONS);

static gt_Status concatenate_shape(gt_ShapeRule *rule)
{
    const gt_concatenate_options *options = rule->options;
    const gt_Spec *first = rule->input[0];
    gt_Spec *out = &rule->output[0];
    char a[200], b[200];
    *out = *first;
    int axis = gt_axis(options->axis, first->rank);
    if (axis < 0)
        return gt_status();
    for (int i = 1; i < rule->inputs; i++) {
        const gt_Spec *next = rule->input[i];
        bool fits = next->dtype == first->dtype && next->rank == first->rank;
        for (int d = 0; fits && d < next->rank; d++)
            fits = d == axis || next->dims[d] == first->dims[d];
        if (!fits)
            return gt_fail(GT_INVALID, "%s does not continue %s along axis %d",
                           gt_spec_text(next, a, sizeof a), gt_spec_text(first, b, sizeof b), axis);
        if (next->dims[axis] > INT64_MAX - out->dims[axis])
            return gt_fail(GT_INVALID, "the result would be too large");
        out->dims[axis] += next->dims[axis];
    }
    return GT_OK;
}

/* A row of the result is what lies behind one index of the axes in front. */
static void concatenate_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_concatenate_options *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    int axis = gt_axis(options->axis, out->rank);
    int64_t outer = 1, inner = 1, width = 0;
    gt_ConcatenateJob *job = gt_lower_launch(lowering, GT_TILES_concatenate, 0, sizeof *job);
    for (int d = 0; d < out->rank; d++)
        *(d < axis ? &outer : &inner) *= d == axis ? 1 : out->dims[d];
    for (int i = 0; i < rule->inputs; i++)
        job->end[i] = width += rule->input[i]->dims[axis] * inner;
    job->element = (uint8_t)gt_dtype_size(out->dtype);
    job->inputs = rule->inputs;
    job->outer = outer;
    job->width = width;
    job->chunk = width < GT_TILE_ELEMENTS ? width : GT_TILE_ELEMENTS;
    job->chunks = width ? (width + job->chunk - 1) / job->chunk : 0;
    job->rows = width && job->chunks == 1 ? GT_TILE_ELEMENTS / width : 1;
    lowering->launch[0].tiles =
        job->chunks == 1 ? (outer + job->rows - 1) / job->rows : outer * job->chunks;
}

static gt_Status concatenate_gradient(gt_GradientRule *rule)
{
    const gt_concatenate_options *options = gt_rule_options(rule);
    int rank = gt_rule_input_spec(rule, 0)->rank, axis = gt_axis(options->axis, rank);
    gt_Shape begin = {GT_MARK, rank, {0}};
    for (int i = 0; i < gt_rule_inputs(rule); i++) {
        gt_Shape size = gt_spec_shape(gt_rule_input_spec(rule, i));
        if (gt_wants(rule, i))
            gt_give(rule, i, gt_slice(gt_upstream(rule, 0), begin, size));
        begin.dims[axis] += size.dims[axis];
    }
    return gt_status();
}

/* Where the masks have the axis they are joined as the tensors are, with ones for a tensor that has none. Where they end in
 * front of it, an element counts if it does in every tensor. */
static gt_Status concatenate_mask(gt_MaskRule *rule)
{
    const gt_concatenate_options *options = rule->shape->options;
    int axis = gt_axis(options->axis, rule->shape->output[0].rank), axes = 0;
    for (int i = 0; i < rule->shape->inputs; i++)
        axes = gt_mask_axes(rule, i) > axes ? gt_mask_axes(rule, i) : axes;
    if (axes <= axis)
        return gt_mask_rows(rule, axes);
    gt_Tensor *mask[GT_MAX_INPUTS];
    for (int i = 0; i < rule->shape->inputs; i++)
        mask[i] = gt_mask_over(rule, i, axes);
    return gt_mask_join(rule, 0,
                        gt_concatenate(((gt_Tensors){mask, rule->shape->inputs}), .axis = axis));
}

const gt_Operation gt_op_concatenate = {
    GT_RECORD("concatenate", "one behind the other along an axis", 1, GT_MAX_INPUTS),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_concatenate_options_type,
    .shape = concatenate_shape,
    .lower = concatenate_lower,
    .gradient = concatenate_gradient,
    .mask = concatenate_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(1, 3))},
                          {.inputs = 3,
                           .input = GT_INPUTS(GT_ANY(2, 1, 2), GT_ANY(2, 3, 2), GT_ANY(2, 2, 2)),
                           .options = &GT_VALUES(gt_concatenate_options, -2)}),
};

/* If there are more tensors than one record can take, they are joined in groups, then the groups are joined. */
static gt_Tensor *join(gt_Tensor *const *items, int64_t count, int axis, bool stack)
{
    gt_Tensor *part[GT_MAX_INPUTS];
    int64_t group = 1, parts = 0;
    while (group * GT_MAX_INPUTS < count)
        group *= GT_MAX_INPUTS;
    for (int64_t i = 0; i < count; i += group, parts++) {
        if (group > 1)
            part[parts] = join(items + i, count - i < group ? count - i : group, axis, stack);
        else
            part[parts] = stack ? gt_expand_dims(items[i], axis) : items[i];
    }
    gt_concatenate_options options = GT_VALUES(gt_concatenate_options, axis);
    return gt_apply_one_at(NULL, &gt_op_concatenate, &options, (int)parts, part);
}

static gt_Tensor *joined(gt_Tensors tensors, const gt_concatenate_options *given, bool stack)
{
    gt_concatenate_options options;
    GT_TAKE(gt_concatenate_options, &options, given);
    if (tensors.count < 1 || !tensors.items) {
        gt_fail(GT_INVALID, "there are no tensors to join");
        return NULL;
    }
    return join(tensors.items, tensors.count, options.axis, stack);
}

static gt_Tensor *concatenate(gt_Tensors tensors, const gt_concatenate_options *options)
{
    return joined(tensors, options, false);
}
GT_COMPOSED(concatenate,
            (const char *here, gt_Tensors tensors, const gt_concatenate_options *options),
            (tensors, options))

static gt_Tensor *stack(gt_Tensors tensors, const gt_concatenate_options *options)
{
    return joined(tensors, options, true);
}
GT_COMPOSED(stack, (const char *here, gt_Tensors tensors, const gt_concatenate_options *options),
            (tensors, options))

/* ---- with more axes ---- */

/* Joined along an axis after each tensor was given at least `rank` axes: a vector becomes a row, or, `behind`, a column; other
 * axes are added behind its own. */
static gt_Tensor *joined_with_rank(gt_Tensors tensors, int rank, bool behind, int axis)
{
    gt_Tensor *item[GT_MAX_INPUTS];
    if (tensors.count < 1 || tensors.count > GT_MAX_INPUTS || !tensors.items) {
        gt_fail(GT_INVALID, "expected 1 to %d tensors (got %d)", GT_MAX_INPUTS,
                tensors.items ? tensors.count : 0);
        return NULL;
    }
    for (int i = 0; i < tensors.count; i++) {
        item[i] = tensors.items[i];
        int own = gt_rank(item[i]);
        if (gt_status() != GT_OK)
            return NULL;
        if (own == 0) {
            item[i] = gt_expand_dims(item[i], 0);
            own = 1;
        }
        for (; own < rank; own++)
            item[i] = gt_expand_dims(item[i], !behind && own == 1 ? 0 : own);
    }
    return gt_concatenate(((gt_Tensors){item, tensors.count}), .axis = axis);
}

static gt_Tensor *hstack(gt_Tensors tensors)
{
    bool vectors = tensors.count > 0 && tensors.items && gt_rank(tensors.items[0]) < 2;
    return joined_with_rank(tensors, 1, false, vectors ? 0 : 1);
}
GT_COMPOSED(hstack, (const char *here, gt_Tensors tensors), (tensors))

static gt_Tensor *vstack(gt_Tensors tensors)
{
    return joined_with_rank(tensors, 2, false, 0);
}
GT_COMPOSED(vstack, (const char *here, gt_Tensors tensors), (tensors))

static gt_Tensor *dstack(gt_Tensors tensors)
{
    return joined_with_rank(tensors, 3, false, 2);
}
GT_COMPOSED(dstack, (const char *here, gt_Tensors tensors), (tensors))

static gt_Tensor *column_stack(gt_Tensors tensors)
{
    return joined_with_rank(tensors, 2, true, 1);
}
GT_COMPOSED(column_stack, (const char *here, gt_Tensors tensors), (tensors))
