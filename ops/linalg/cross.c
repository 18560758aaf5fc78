/* The vector product c = a x b: c[i] = a[i + 1] b[i + 2] - a[i + 2] b[i + 1], indices modulo 3.
 *
 * Example: a (5, 3, 4) and b (3, 1) with .axis = -2 have the vectors a[i, :, j] and b[:, 0]. Without that axis they
 * broadcast as (5, 4) and (1): 20 vectors, of which those of b are one. */
#include "ops/linalg/cross.h"
#include "ops/kit.h"
#include "ops/linalg/matrix.h"
#include "ops/masks.h"
#include "ops/operand.h"

GT_OPTION_TYPE(gt_cross_options, gt_cross_OPTIONS);

/* The axis of the vectors in the result; -1 with an error raised. */
static int axis_of_vectors(const gt_cross_options *options, const gt_Spec *a, const gt_Spec *b)
{
    char text[160];
    int rank = a->rank > b->rank ? a->rank : b->rank;
    int in_a = gt_axis(options->axis, a->rank);
    int in_b = in_a < 0 ? -1 : gt_axis(options->axis, b->rank);
    if (in_b < 0)
        return -1;
    if (a->dims[in_a] != 3 || b->dims[in_b] != 3) {
        gt_fail(GT_INVALID, "expected vectors of 3 (got shape %s)",
                gt_dims_text(a->dims[in_a] != 3 ? a : b, text, sizeof text));
        return -1;
    }
    if (a->rank - in_a != b->rank - in_b) {
        gt_fail(
            GT_INVALID,
            "the axis must be the same in a and b, counted from the last (got %d of %d, %d of %d)",
            in_a, a->rank, in_b, b->rank);
        return -1;
    }
    return in_a + rank - a->rank;
}

static gt_Status cross_shape(gt_ShapeRule *rule)
{
    if (axis_of_vectors(rule->options, rule->input[0], rule->input[1]) < 0)
        return gt_status();
    return gt_shape_broadcast(rule, 0, GT_TAKES_NUMBER);
}

static void cross_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *spec[3] = {rule->input[0], rule->input[1], &rule->output[0]};
    int axis = axis_of_vectors(rule->options, spec[0], spec[1]), rank = spec[2]->rank;
    gt_CrossJob *job = gt_lower_launch(lowering, GT_TILES_cross, 1, sizeof *job);
    job->type = (uint8_t)gt_loop_type(spec[2]->dtype);
    gt_Broadcast *walk = &job->walk;
    walk->inputs = 3;
    walk->rank = 0;
    for (int d = 0; d < rank; d++)
        if (d != axis)
            walk->dims[walk->rank++] = spec[2]->dims[d];
    for (int i = 0; i < 3; i++) {
        int64_t step = 1;
        for (int d = rank - 1, k = walk->rank - 1; d >= 0; d--) {
            int64_t dim = gt_axis_of(spec[i], rank, d);
            if (d == axis)
                job->along[i] = step;
            else
                walk->stride[i][k--] = dim == 1 ? 0 : step;
            step *= dim;
        }
    }
    if (walk->rank == 0) {
        walk->rank = 1;
        walk->dims[0] = 1;
        walk->stride[0][0] = walk->stride[1][0] = walk->stride[2][0] = 0;
    }
    gt_broadcast_cut(walk, GT_TILE_ELEMENTS / 4);
    lowering->launch[lowering->launches - 1].tiles = walk->tiles;
}

static gt_Tensor *product(gt_Tensor *a, gt_Tensor *b, const gt_cross_options *options)
{
    return gt_apply_one_at(NULL, &gt_op_cross, options, 2, (gt_Tensor *[]){a, b});
}

/* g . (a x b) is a . (b x g) and b . (g x a). */
static gt_Status cross_gradient(gt_GradientRule *rule)
{
    /* counted from the last, it is the axis of the result, too */
    gt_cross_options options = *(const gt_cross_options *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    if (options.axis >= 0)
        options.axis -= gt_rule_input_spec(rule, 0)->rank;
    if (gt_wants(rule, 0))
        gt_give(rule, 0,
                gt_unbroadcast(product(gt_rule_input(rule, 1), up, &options),
                               gt_rule_input_spec(rule, 0)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_unbroadcast(product(up, gt_rule_input(rule, 0), &options),
                               gt_rule_input_spec(rule, 1)));
    return gt_status();
}

/* An element depends on all of its vectors: masks over the axes before those stay. */
static gt_Status cross_mask(gt_MaskRule *rule)
{
    const gt_ShapeRule *shape = rule->shape;
    int behind =
        shape->output[0].rank - axis_of_vectors(shape->options, shape->input[0], shape->input[1]);
    for (int i = 0; i < 2; i++)
        if (gt_mask_axes(rule, i) > shape->input[i]->rank - behind)
            return gt_mask_refuse(rule, i, shape->input[i]->rank - behind);
    return gt_mask_keep(rule);
}

#define ALONG(axis) .options = &GT_VALUES(gt_cross_options, axis)
const gt_Operation gt_op_cross = {
    GT_RECORD("cross", "a[i + 1] b[i + 2] - a[i + 2] b[i + 1], indices modulo 3", 2, 2),
    .options = &gt_cross_options_type,
    .saves_inputs = 3,
    .shape = cross_shape,
    .lower = cross_lower,
    .gradient = cross_gradient,
    .mask = cross_mask,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(3, 1)), ALONG(-2)},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(3, 2), GT_ANY(3, 2)), ALONG(0)},
                   {.inputs = 2, .input = GT_INPUTS(GT_ANY(3), GT_ANY(2, 2, 3))}),
};

gt_Tensor *gt_cross_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                       const gt_cross_options *options)
{
    gt_Tensor *pair[2];
    if (!gt_operands(here, &gt_op_cross, a, gt_operand_tensor(b), pair))
        return NULL;
    return gt_apply_one_at(here, &gt_op_cross, options, 2, pair);
}
