/* log(sum(exp(x))) over axes, without overflow. */
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduction.h"

GT_OPTION_TYPE(gt_sum_options, gt_sum_OPTIONS);

static bool reduced_bits(const gt_ShapeRule *rule, uint32_t *bits)
{
    const gt_sum_options *options = rule->options;
    return gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, bits);
}

static gt_Status logsumexp_shape(gt_ShapeRule *rule)
{
    const gt_sum_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    uint32_t bits;
    if (!gt_takes(in, GT_TAKES_FLOAT) || !reduced_bits(rule, &bits))
        return gt_status();
    rule->output[0].dtype = in->dtype;
    gt_reduced_shape(in, bits, options->keepdims, &rule->output[0]);
    return GT_OK;
}

/* The walk over the axes of `bits`, neighbours joined. */
static void walk_over(gt_Walk *walk, const gt_Spec *x, uint32_t bits)
{
    int64_t stride[GT_MAX_RANK];
    gt_strides(x, stride);
    walk->rank = 0;
    walk->count = 1;
    for (int d = 0; d < x->rank; d++) {
        if (!(bits >> d & 1) || x->dims[d] == 1)
            continue;
        int last = walk->rank - 1;
        walk->count *= x->dims[d];
        if (last >= 0 && walk->stride[last] == stride[d] * x->dims[d]) {
            walk->dims[last] *= x->dims[d];
            walk->stride[last] = stride[d];
        } else {
            walk->dims[++last] = x->dims[d];
            walk->stride[last] = stride[d];
            walk->rank++;
        }
    }
}

#define LANES 16 /* elements of the result that are gathered together, where they are not rows */

static void logsumexp_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    uint32_t bits = 0, all = (1u << in->rank) - 1;
    reduced_bits(rule, &bits);
    gt_LogsumexpJob *job = gt_lower_launch(lowering, GT_TILES_logsumexp, 1, sizeof *job);
    job->type = gt_loop_type(in->dtype);
    job->columns = gt_reduced_count(in, bits);
    job->outputs = out->size;
    job->group = job->columns < GT_TILE_ELEMENTS
                     ? GT_TILE_ELEMENTS / (job->columns > 0 ? job->columns : 1)
                     : 1;
    walk_over(&job->kept, in, all & ~bits);
    walk_over(&job->reduced, in, bits);
    job->contiguous =
        job->columns <= 1 ||
        (job->reduced.rank == 1 && job->reduced.stride[0] == 1 &&
         (job->kept.rank == 0 || (job->kept.rank == 1 && job->kept.stride[0] == job->columns)));
    lowering->launch[0].tiles = (out->size + job->group - 1) / job->group;
    if (job->contiguous)
        return;
    job->lanes = GT_TILE_ELEMENTS / job->columns;
    job->lanes = job->lanes < 1 ? 1 : job->lanes > LANES ? LANES : job->lanes;
    gt_lower_scratch(lowering, (size_t)(job->lanes * job->columns) * gt_dtype_size(in->dtype));
}

static gt_Status logsumexp_mask(gt_MaskRule *rule)
{
    uint32_t bits = 0;
    return reduced_bits(rule->shape, &bits) ? gt_reduction_mask(rule, bits) : gt_status();
}

/* exp(x - y): the softmax. Where all is -inf, y is raised to the lowest number, and the gradient is
 * 0. */
static gt_Status logsumexp_gradient(gt_GradientRule *rule)
{
    const gt_sum_options *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    uint32_t bits = 0;
    gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits);
    double lowest =
        in->dtype == GT_FLOAT32 ? -3.40282346638528859812e+38 : -1.79769313486231570815e+308;
    gt_Tensor *y = gt_maximum(gt_rule_output(rule, 0), lowest);
    gt_Tensor *softmax =
        gt_exp(gt_subtract(gt_rule_input(rule, 0), gt_reduction_spread(rule, bits, y)));
    gt_Tensor *up = gt_reduction_spread(rule, bits, gt_upstream(rule, 0));
    return gt_give(rule, 0, gt_multiply(up, softmax));
}

const gt_Operation gt_op_logsumexp = {
    GT_RECORD("logsumexp", "log(sum of exp(x) over axes)", 1, 1),
    .options = &gt_sum_options_type,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = logsumexp_shape,
    .lower = logsumexp_lower,
    .gradient = logsumexp_gradient,
    .mask = logsumexp_mask,
    .samples =
        GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 4)), GT_OVER(gt_sum, .axis = -1)},
                   {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3, 2))},
                   {.inputs = 1, .input = GT_INPUTS(GT_ANY(4, 3)), GT_OVER(gt_sum, .axis = 0)},
                   {.inputs = 1,
                    .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)),
                    GT_OVER(gt_sum, .axes = {GT_MARK, 2, {0, -2}}, .keepdims = true)}),
};
GT_DEFINE_OPTIONS(logsumexp, gt_sum_options, x)
