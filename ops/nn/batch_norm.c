/* Batch normalization in training: S. Ioffe, C. Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing
 * Internal Covariate Shift (2015). Of the operations that it would be made of, each of which goes over all of x, two are made: one
 * forward, which reads x twice, and one backward, which reads x and g twice. Leans on kernels/batch.h.
 *
 * With d = x - mean, r = (variance + epsilon)^(-1/2), sums over the n rows:
 *
 *     y = d r gamma + beta
 *     beta' = sum g,  gamma' = r sum g d,  x' = gamma r (g - sum g / n - d r^2 sum g d / n) */
#include "ops/nn/batch_norm.h"
#include "kernels/kernels.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

#define NORM_OPTIONS(F, S) F(S, double, epsilon, 1e-3, "added to the variance")
GT_OPTIONS(NormOptions, NORM_OPTIONS);
GT_OPTION_TYPE(NormOptions, NORM_OPTIONS);

static int64_t channels_of(const gt_Spec *x)
{
    return x->dims[x->rank - 1];
}

static int64_t rows_of(const gt_Spec *x)
{
    return gt_reduced_count(x, (1u << (x->rank - 1)) - 1);
}

/* One number of the type of x for each channel, or nothing. */
static gt_Status check_channels(const gt_ShapeRule *rule, int input)
{
    const gt_Spec *x = rule->input[0], *given = rule->input[input];
    char s[160], t[160];
    if (!given ||
        (given->dtype == x->dtype && given->rank == 1 && given->dims[0] == channels_of(x)))
        return GT_OK;
    return gt_fail(GT_INVALID, "input %d must be a number for each channel of %s (got %s)",
                   input + 1, gt_spec_text(x, t, sizeof t), gt_spec_text(given, s, sizeof s));
}

/* Outputs: one like x, two with a number for each channel; inputs from 1 up to `end` have such numbers. */
static gt_Status channel_shapes(gt_ShapeRule *rule, int end)
{
    const gt_Spec *x = rule->input[0];
    for (int i = 1; i < end; i++)
        if (check_channels(rule, i) != GT_OK)
            return gt_status();
    rule->output[0] = *x;
    for (int i = 1; i < 3; i++)
        rule->output[i] = (gt_Spec){.dtype = x->dtype, .rank = 1, .dims = {channels_of(x)}};
    return GT_OK;
}

static gt_BatchJob job_of(const gt_ShapeRule *rule)
{
    const NormOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    gt_BatchJob job = {.wide_type = x->dtype == GT_FLOAT64,
                       .channels = channels_of(x),
                       .rows = rows_of(x),
                       .epsilon = options->epsilon,
                       .more = -1};
    job.side = job.channels < GT_BATCH_WIDE ? GT_BATCH_WIDE / (job.channels ? job.channels : 1) : 1;
    job.wide = job.side * job.channels;
    job.group = job.wide < GT_BATCH_ELEMENTS ? GT_BATCH_ELEMENTS / (job.wide ? job.wide : 1) : 1;
    job.group *= job.side;
    job.blocks = (job.rows + job.group - 1) / job.group;
    return job;
}

static void launch(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles,
                   const gt_BatchJob *given)
{
    gt_BatchJob *job = gt_lower_launch(lowering, kernel, tiles, sizeof *job);
    *job = *given;
    gt_lower_scratch(lowering, GT_BATCH_SCRATCH(job->wide));
}

/* Parts of the blocks, and `numbers` a channel: the last two places in `at`. */
static void make_room(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_BatchJob *job,
                      int numbers)
{
    size_t channels = (size_t)job->channels;
    gt_lower_temporary(lowering, rule, (2 * (size_t)job->blocks * channels + 1) * sizeof(double));
    gt_lower_temporary(lowering, rule, ((size_t)numbers * channels + 1) * sizeof(double));
}

/* ---- batch_norm_gradient: (x, mean, variance, gamma, g) -> x', gamma', beta' ---- */

static gt_Status gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    if (!gt_takes(x, GT_TAKES_FLOAT) || x->rank == 0 || !gt_spec_equal(x, rule->input[4]))
        return gt_fail(GT_INVALID, "x and its gradient must be floats of one shape");
    return channel_shapes(rule, 4);
}

static void gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_BatchJob job = job_of(rule);
    make_room(rule, lowering, &job, 3);
    launch(lowering, GT_TILES_batch_slopes, job.blocks, &job);
    launch(lowering, GT_TILES_batch_slopes_end, 1, &job);
    launch(lowering, GT_TILES_batch_gradient, job.blocks, &job);
}

static gt_Tensor *sum_of_rows(gt_Tensor *x)
{
    return gt_sum(gt_reshape(x, gt_shape(-1, gt_last(gt_tensor_shape(x)))), .axis = 0);
}

static gt_Tensor *times(gt_Tensor *x, gt_Tensor *factor)
{
    return factor ? gt_multiply(x, factor) : x;
}

/* Derivatives of sum u x' + sum to_gamma gamma' + sum to_beta beta', where u, to_gamma, to_beta are what arrives at the three
 * results. With the sums over the rows U = sum u, D = sum u d, V = sum u g, G = sum g, S = sum g d it is, channel by channel,
 *
 *     gamma r (V - U G / n - r^2 D S / n) + to_gamma r S + to_beta G
 *
 * d, g and u are like x, everything else has one number a channel. */
static gt_Status gradient_gradient(gt_GradientRule *rule)
{
    const NormOptions *options = gt_rule_options(rule);
    const gt_Spec *spec = gt_rule_input_spec(rule, 0);
    const double n = (double)rows_of(spec);
    gt_Tensor *gamma = gt_rule_input(rule, 3), *g = gt_rule_input(rule, 4);
    gt_Tensor *d = gt_subtract(gt_rule_input(rule, 0), gt_rule_input(rule, 1));
    gt_Tensor *r = gt_rsqrt(gt_add(gt_rule_input(rule, 2), options->epsilon));
    gt_Tensor *u = gt_upstream(rule, 0), *to_gamma = gt_upstream(rule, 1),
              *to_beta = gt_upstream(rule, 2);
    gt_Tensor *S = sum_of_rows(gt_multiply(g, d));
    gt_Tensor *to_g = to_beta ? gt_add(gt_constant_like(g, 0), to_beta) : NULL, *to_d = NULL;
    gt_Tensor *from_x = NULL; /* V - U G / n - r^2 D S / n, of which gamma r is the factor */
    gt_Tensor *slope = to_gamma ? gt_multiply(r, to_gamma) : NULL; /* of S */
    gt_Tensor *r_given = to_gamma ? gt_multiply(to_gamma, S) : NULL;
    if (u) {
        gt_Tensor *U = sum_of_rows(u), *D = sum_of_rows(gt_multiply(u, d));
        gt_Tensor *V = sum_of_rows(gt_multiply(u, g)), *G = sum_of_rows(g);
        gt_Tensor *square = gt_divide(gt_square(r), n);
        gt_Tensor *scale = times(r, gamma), *last = gt_multiply(square, gt_multiply(D, S));
        gt_Tensor *most = gt_subtract(V, gt_multiply(gt_divide(U, n), G));
        from_x = gt_subtract(most, last);
        slope = gt_sum_of_given(slope, gt_negative(gt_multiply(scale, gt_multiply(square, D))));
        to_g = gt_sum_of_given(to_g, gt_multiply(gt_subtract(u, gt_divide(U, n)), scale));
        to_d = gt_multiply(u, gt_negative(gt_multiply(scale, gt_multiply(square, S))));
        r_given = gt_sum_of_given(r_given, times(gt_subtract(most, gt_multiply(last, 3)), gamma));
    }
    if (slope) {
        to_g = gt_sum_of_given(to_g, gt_multiply(d, slope));
        to_d = gt_sum_of_given(to_d, gt_multiply(g, slope));
    }
    to_d = to_d ? to_d : gt_constant_like(d, 0);
    to_g = to_g ? to_g : gt_constant_like(g, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, to_d);
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_negative(sum_of_rows(to_d)));
    if (gt_wants(rule, 2)) /* r' = -r^3 / 2 */
        gt_give(rule, 2,
                r_given ? gt_multiply(r_given, gt_multiply(gt_multiply(gt_square(r), r), -0.5))
                        : gt_constant_like(r, 0));
    if (gt_wants(rule, 3))
        gt_give(rule, 3, from_x ? gt_multiply(from_x, r) : gt_constant_like(r, 0));
    if (gt_wants(rule, 4))
        gt_give(rule, 4, to_g);
    return gt_status();
}

#define EPSILON(number) .options = &GT_VALUES(NormOptions, number)
const gt_Operation gt_op_batch_norm_gradient = {
    GT_RECORD_OUTPUTS("batch_norm_gradient",
                      "gamma r (g - sum g / n - d r^2 sum g d / n), r sum g d, sum g", 5, 5, 3),
    .flags = GT_OP_INTERNAL,
    .options = &NormOptions_type,
    .optional_inputs = 1u << 3,
    .saves_inputs = 31,
    .shape = gradient_shape,
    .lower = gradient_lower,
    .gradient = gradient_gradient,
    .samples = GT_SAMPLES(
        {.inputs = 5,
         .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(3), GT_POSITIVE(3), GT_ANY(3), GT_ANY(4, 3)),
         EPSILON(0.1)},
        {.inputs = 5,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2), GT_POSITIVE(2), GT_ANY(2), GT_ANY(2, 3, 2)),
         EPSILON(0.001)}),
};

/* ---- batch_norm: (x, gamma, beta) -> y, mean, variance ---- */

static gt_Status norm_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    if (!gt_takes(x, GT_TAKES_FLOAT))
        return gt_status();
    if (x->rank == 0)
        return gt_fail(GT_INVALID, "x must have an axis of channels");
    return channel_shapes(rule, 3);
}

static void norm_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_BatchJob job = job_of(rule);
    make_room(rule, lowering, &job, 2);
    launch(lowering, GT_TILES_batch_moments, job.blocks, &job);
    launch(lowering, GT_TILES_batch_moments_end, 1, &job);
    launch(lowering, GT_TILES_batch_scale, job.blocks, &job);
    gt_lower_span(lowering, job.group * job.channels);
}

/* What arrives at the mean goes to every row, at the variance 2 d / n times. */
static gt_Status norm_gradient(gt_GradientRule *rule)
{
    const gt_Spec *spec = gt_rule_input_spec(rule, 0);
    const double n = (double)rows_of(spec);
    gt_Tensor *x = gt_rule_input(rule, 0), *mean = gt_rule_output(rule, 1);
    gt_Tensor *to_mean = gt_upstream(rule, 1), *to_variance = gt_upstream(rule, 2);
    gt_Tensor *in[] = {x, mean, gt_rule_output(rule, 2), gt_rule_input(rule, 1),
                       gt_upstream(rule, 0)};
    gt_Tensor *given[3] = {NULL, NULL, NULL};
    if (in[4])
        gt_apply(&gt_op_batch_norm_gradient, gt_rule_options(rule), 5, in, given);
    if (to_variance) {
        gt_Tensor *d = gt_multiply(gt_subtract(x, mean), 2 / n);
        given[0] = gt_sum_of_given(given[0], gt_multiply(d, to_variance));
    }
    if (to_mean)
        given[0] =
            gt_sum_of_given(given[0] ? given[0] : gt_constant_like(x, 0), gt_divide(to_mean, n));
    if (gt_wants(rule, 0))
        gt_give(rule, 0, given[0]);
    for (int i = 1; i < 3; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i, given[i] ? given[i] : gt_constant_like(mean, 0));
    return gt_status();
}

const gt_Operation gt_op_batch_norm = {
    GT_RECORD_OUTPUTS("batch_norm",
                      "(x - mean) / sqrt(variance + epsilon) gamma + beta, mean, variance", 3, 3,
                      3),
    .flags = GT_OP_INTERNAL,
    .options = &NormOptions_type,
    .optional_inputs = 6,
    .saves_inputs = 3,
    .saves_outputs = 6,
    .shape = norm_shape,
    .lower = norm_lower,
    .gradient = norm_gradient,
    .samples = GT_SAMPLES(
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(3), GT_ANY(3)), EPSILON(0.1)},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(2, 3, 2, 2), GT_ANY(2), GT_ANY(2)), EPSILON(0.001)},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(5, 1), GT_ANY(1), GT_ANY(1)), EPSILON(0.1)}),
};

gt_BatchNorm gt_batch_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, double epsilon)
{
    gt_Tensor *in[] = {x, gamma, beta}, *out[3] = {NULL, NULL, NULL};
    gt_apply(&gt_op_batch_norm, &GT_VALUES(NormOptions, epsilon), 3, in, out);
    return (gt_BatchNorm){out[0], out[1], out[2]};
}
