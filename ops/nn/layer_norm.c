/* Layer normalization: J. L. Ba, J. R. Kiros, G. E. Hinton, Layer Normalization (2016), and root mean square normalization:
 * B. Zhang, R. Sennrich (2019), of the last axes. One operation forward and one backward, each of which goes once over memory:
 * a row stays in the cache while it is read again. The gradient of the gradient is that of its formula. Leans on kernels/norm.h.
 *
 * With y = (x - mean) / L before gamma and beta, L = sqrt(variance + epsilon), a = g gamma, means over a row, sums over the rows:
 *
 *     x' = (a - mean a - y mean(a y)) / L,   gamma' = sum g y,   beta' = sum g
 *
 * Without the means of x and of a that is the root mean square one. */
#include "ops/nn/layer_norm.h"
#include "kernels/kernels.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/masks.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduction.h"
#include "ops/nn/formula.h"

#include <string.h>

#define NORM_OPTIONS(F, S)                                                                         \
    F(S, int32_t, axes, 1, "how many of the last axes are normalized")                             \
    F(S, bool, centered, true, "the mean is taken off")                                            \
    F(S, double, epsilon, 1e-3, "added to the mean square")
GT_OPTIONS(LayerNormOptions, NORM_OPTIONS);
GT_OPTION_TYPE(LayerNormOptions, NORM_OPTIONS);

enum { X, GAMMA, BETA, INPUTS, G = BETA, GRADIENT_INPUTS };

static int first_axis(const gt_ShapeRule *rule)
{
    return rule->input[X]->rank - ((const LayerNormOptions *)rule->options)->axes;
}

/* Elements of x before or behind the first axis that is normalized. */
static int64_t extent(const gt_Spec *x, int from, int to)
{
    int64_t n = 1;
    for (int d = from; d < to; d++)
        n *= x->dims[d];
    return n;
}

static gt_Status check(const gt_ShapeRule *rule, int weights)
{
    const gt_Spec *x = rule->input[X];
    char s[200], t[200];
    if (!gt_takes(x, GT_TAKES_FLOAT))
        return gt_status();
    const int32_t axes = ((const LayerNormOptions *)rule->options)->axes;
    if (axes < 1 || axes > x->rank)
        return gt_fail(GT_INVALID, "axes must be >= 1 and at most the rank of x (got %d, x is %s)", (int)axes,
                       gt_spec_text(x, s, sizeof s));
    for (int i = GAMMA; i < weights; i++) {
        const gt_Spec *weight = rule->input[i];
        bool fits =
            !weight || (weight->dtype == x->dtype && weight->rank + first_axis(rule) == x->rank);
        for (int d = 0; weight && fits && d < weight->rank; d++)
            fits = weight->dims[d] == x->dims[first_axis(rule) + d];
        if (!fits)
            return gt_fail(GT_INVALID, "a weight must be like a row of %s (got %s)",
                           gt_spec_text(x, s, sizeof s), gt_spec_text(weight, t, sizeof t));
    }
    return GT_OK;
}

static gt_NormJob job_of(const gt_ShapeRule *rule)
{
    const LayerNormOptions *options = rule->options;
    const gt_Spec *x = rule->input[X];
    gt_NormJob job = {.wide_type = x->dtype == GT_FLOAT64,
                      .centered = options->centered,
                      .rows = extent(x, 0, first_axis(rule)),
                      .n = extent(x, first_axis(rule), x->rank),
                      .epsilon = options->epsilon};
    job.group = job.n < GT_NORM_ELEMENTS ? GT_NORM_ELEMENTS / (job.n ? job.n : 1) : 1;
    job.group = job.group < GT_NORM_ROWS ? job.group : GT_NORM_ROWS;
    job.blocks = (job.rows + job.group - 1) / job.group;
    return job;
}

static void launch(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles,
                   const gt_NormJob *job)
{
    *(gt_NormJob *)gt_lower_launch(lowering, kernel, tiles, sizeof *job) = *job;
}

/* ---- layer_norm_gradient: (x, gamma, g) -> x', gamma', beta' ---- */

static gt_Status gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[X];
    if (check(rule, BETA) != GT_OK)
        return gt_status();
    if (!gt_spec_equal(x, rule->input[G]))
        return gt_fail(GT_INVALID, "what arrives must be like x");
    rule->output[0] = *x;
    for (int i = 1; i < 3; i++)
        rule->output[i] =
            (gt_Spec){.dtype = x->dtype, .rank = 1, .dims = {extent(x, first_axis(rule), x->rank)}};
    return GT_OK;
}

static void gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_NormJob job = job_of(rule);
    gt_lower_temporary(lowering, rule,
                       (2 * (size_t)job.blocks * (size_t)job.n + 1) * sizeof(double));
    launch(lowering, GT_TILES_norm_gradient, job.blocks, &job);
    gt_lower_scratch(lowering, GT_NORM_SCRATCH(job.n));
    launch(lowering, GT_TILES_norm_gradient_end,
           (2 * job.n + GT_NORM_COLUMNS - 1) / GT_NORM_COLUMNS, &job);
}

static gt_Tensor *sum_of_rows(gt_Tensor *x, int64_t n)
{
    return gt_sum(gt_reshape(x, gt_shape(n ? -1 : 0, n)), .axis = 0);
}

static gt_Status gradient_formula(const void *given, gt_Tensor *const *in, gt_Tensor **out)
{
    const LayerNormOptions *options = given;
    gt_Shape shape = gt_tensor_shape(in[X]), row = {.mark = GT_MARK, .rank = options->axes};
    gt_Axes axes = gt_axes();
    int64_t n = 1;
    for (int d = 0; d < options->axes; d++) {
        axes.axis[axes.count++] = d - options->axes;
        row.dims[d] = shape.dims[shape.rank - options->axes + d];
        n *= row.dims[d];
    }
    gt_Tensor *x = in[X], *a = in[G];
    if (options->centered)
        x = gt_subtract(x, gt_mean(x, .axes = axes, .keepdims = true));
    gt_Tensor *size =
        GT_LENGTH(x, .axes = axes, .keepdims = true, .mean = true, .epsilon = options->epsilon);
    gt_Tensor *y = gt_divide(x, size);
    if (in[GAMMA])
        a = gt_multiply(a, gt_reshape(in[GAMMA], row));
    gt_Tensor *along = gt_mean(gt_multiply(a, y), .axes = axes, .keepdims = true);
    if (options->centered)
        a = gt_subtract(a, gt_mean(a, .axes = axes, .keepdims = true));
    out[0] = gt_divide(gt_subtract(a, gt_multiply(y, along)), size);
    out[1] = sum_of_rows(gt_multiply(in[G], y), n);
    out[2] = sum_of_rows(in[G], n);
    return gt_status();
}

static gt_Status gradient_gradient(gt_GradientRule *rule)
{
    return gt_rule_by_formula(rule, gradient_formula);
}

#define HOW(...) .options = &GT_VALUES(LayerNormOptions, __VA_ARGS__)
const gt_Operation gt_op_layer_norm_gradient = {
    GT_RECORD_OUTPUTS(
        "layer_norm_gradient",
        "(a - mean a - y mean(a y)) / sqrt(variance + epsilon), a = g gamma; sum g y, sum g",
        GRADIENT_INPUTS, GRADIENT_INPUTS, 3),
    .flags = GT_OP_INTERNAL,
    .options = &LayerNormOptions_type,
    .optional_inputs = 1 << GAMMA,
    .saves_inputs = 1 << X | 1 << GAMMA | 1 << G,
    .shape = gradient_shape,
    .lower = gradient_lower,
    .gradient = gradient_gradient,
    .samples = GT_SAMPLES({.inputs = GRADIENT_INPUTS,
                           .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(3), GT_ANY(4, 3)),
                           HOW(1, true, 0.1)},
                          {.inputs = GRADIENT_INPUTS,
                           .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(3, 2), GT_ANY(2, 3, 2)),
                           HOW(2, false, 0.001)}),
};

/* ---- layer_norm: (x, gamma, beta) -> y ---- */

static gt_Status norm_shape(gt_ShapeRule *rule)
{
    if (check(rule, INPUTS) == GT_OK)
        rule->output[0] = *rule->input[X];
    return gt_status();
}

static void norm_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_NormJob job = job_of(rule);
    launch(lowering, GT_TILES_norm, job.blocks, &job);
}

static gt_Status norm_gradient(gt_GradientRule *rule)
{
    gt_Tensor *in[] = {gt_rule_input(rule, X), gt_rule_input(rule, GAMMA), gt_upstream(rule, 0)};
    gt_Tensor *made[3] = {NULL, NULL, NULL};
    if (gt_apply_at(NULL, &gt_op_layer_norm_gradient, gt_rule_options(rule), GRADIENT_INPUTS, in,
                    made) != GT_OK)
        return gt_status();
    for (int i = 0; i < INPUTS; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i,
                    i == X ? made[i]
                           : gt_reshape(made[i], gt_spec_shape(gt_rule_input_spec(rule, i))));
    return gt_status();
}

/* A row of x is mixed, of gamma and beta each element counts where it stands. */
static gt_Status norm_mask(gt_MaskRule *rule)
{
    const int first = first_axis(rule->shape);
    return gt_mask_axes(rule, X) > first ? gt_mask_refuse(rule, X, first) : gt_mask_keep(rule);
}

const gt_Operation gt_op_layer_norm = {
    GT_RECORD("layer_norm", "(x - mean) / sqrt(variance + epsilon) gamma + beta", INPUTS, INPUTS),
    .flags = GT_OP_INTERNAL,
    .options = &LayerNormOptions_type,
    .optional_inputs = 1 << GAMMA | 1 << BETA,
    .saves_inputs = 1 << X | 1 << GAMMA,
    .shape = norm_shape,
    .lower = norm_lower,
    .gradient = norm_gradient,
    .mask = norm_mask,
    .samples = GT_SAMPLES({.inputs = INPUTS,
                           .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(3), GT_ANY(3)),
                           HOW(1, true, 0.1)},
                          {.inputs = INPUTS,
                           .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(3, 2), GT_ANY(3, 2)),
                           HOW(2, false, 0.001)},
                          {.inputs = INPUTS,
                           .input = GT_INPUTS(GT_ANY(5, 1), GT_ANY(1), GT_ANY(1)),
                           HOW(1, true, 0.1)}),
};

/* A weight with as many elements as a row, as a row. */
static gt_Tensor *as_row(gt_Tensor *weight, gt_Tensor *x, int axes)
{
    if (!weight || gt_rank(weight) == axes)
        return weight;
    gt_Shape shape = gt_tensor_shape(x);
    shape.rank = axes;
    memmove(shape.dims, shape.dims + gt_rank(x) - axes, (size_t)axes * sizeof *shape.dims);
    return gt_reshape(weight, gt_shape_open(shape));
}

gt_Tensor *gt_layer_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, int axes, bool centered,
                         double epsilon)
{
    gt_Tensor *in[] = {x, as_row(gamma, x, axes), as_row(beta, x, axes)};
    return gt_apply_one_at(NULL, &gt_op_layer_norm,
                           &GT_VALUES(LayerNormOptions, axes, centered, epsilon), INPUTS, in);
}
