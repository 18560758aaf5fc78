/* Batch normalization in training: S. Ioffe, C. Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing
 * Internal Covariate Shift (2015), and group normalization: Y. Wu, K. He, Group Normalization (2018), of channels that are the last
 * axis. Of the operations that they would be made of, each of which goes over all of x, two are made: one forward, which reads x
 * twice, and one backward, which reads x and g twice. The gradient of the gradient is that of its formula. Groups keep their size,
 * sqrt(variance + epsilon), where batch normalization keeps the variance. Leans on kernels/batch.h.
 *
 * With d = x - mean, r = (variance + epsilon)^(-1/2), a = g gamma, means over what mean and variance are of, sums over all rows:
 *
 *     y = d r gamma + beta
 *     beta' = sum g,  gamma' = sum r g d,  x' = r (a - mean a - d r^2 mean(a d)) */
#include "ops/nn/batch_norm.h"
#include "kernels/kernels.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/masks.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduction.h"
#include "ops/nn/formula.h"

#define NORM_OPTIONS(F, S)                                                                         \
    F(S, double, epsilon, 1e-3, "added to the variance")                                           \
    F(S, int64_t, groups, 0,                                                                       \
      "of channels, of each sample by itself; 0: each channel, of all samples together")
GT_OPTIONS(NormOptions, NORM_OPTIONS);
GT_OPTION_TYPE(NormOptions, NORM_OPTIONS);

enum { X, MEAN, VARIANCE, GAMMA, G, GRADIENT_INPUTS };

/* x as (samples, rows, channels), channels in groups. */
typedef struct Sizes {
    int64_t samples, rows, channels, groups;
} Sizes;

static Sizes sizes_of(const gt_Spec *x, const NormOptions *options)
{
    const bool apart = options->groups > 0;
    Sizes sizes = {apart ? x->dims[0] : 1, 1, x->dims[x->rank - 1], options->groups};
    for (int d = apart; d < x->rank - 1; d++)
        sizes.rows *= x->dims[d];
    if (!apart)
        sizes.groups = sizes.channels;
    return sizes;
}

/* x must be floats with an axis of channels, with as many groups of them as the options say, and for these one of samples. */
static gt_Status check_x(const gt_ShapeRule *rule)
{
    const NormOptions *options = rule->options;
    const gt_Spec *x = rule->input[X];
    char s[160];
    if (!gt_takes(x, GT_TAKES_FLOAT))
        return gt_status();
    if (x->rank > (options->groups > 0) && options->groups >= 0 &&
        (options->groups == 0 || x->dims[x->rank - 1] % options->groups == 0))
        return GT_OK;
    return gt_fail(GT_INVALID, "x must have an axis of channels in %lld groups (got %s)",
                   (long long)options->groups, gt_spec_text(x, s, sizeof s));
}

/* (channels), or for groups (samples, groups). */
static gt_Spec of_moments(const gt_ShapeRule *rule)
{
    const NormOptions *options = rule->options;
    const gt_Spec *x = rule->input[X];
    const Sizes sizes = sizes_of(x, options);
    gt_Spec spec = {.dtype = x->dtype, .rank = options->groups > 0 ? 2 : 1, .dims = {sizes.groups}};
    if (options->groups > 0) {
        spec.dims[0] = sizes.samples;
        spec.dims[1] = sizes.groups;
    }
    return spec;
}

static gt_Spec of_channels(const gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[X];
    return (gt_Spec){.dtype = x->dtype, .rank = 1, .dims = {x->dims[x->rank - 1]}};
}

/* An input is like `wanted`, or not given. */
static gt_Status check_like(const gt_ShapeRule *rule, int input, gt_Spec wanted)
{
    const gt_Spec *given = rule->input[input];
    char s[160], t[160];
    if (!given || gt_spec_equal(given, &wanted))
        return GT_OK;
    return gt_fail(GT_INVALID, "input %d must be %s (got %s)", input + 1,
                   gt_spec_text(&wanted, t, sizeof t), gt_spec_text(given, s, sizeof s));
}

static gt_BatchJob job_of(const gt_ShapeRule *rule)
{
    const NormOptions *options = rule->options;
    const gt_Spec *x = rule->input[X];
    const Sizes sizes = sizes_of(x, options);
    gt_BatchJob job = {.wide_type = x->dtype == GT_FLOAT64,
                       .sizes = options->groups > 0,
                       .samples = sizes.samples,
                       .rows = sizes.rows,
                       .channels = sizes.channels,
                       .groups = sizes.groups,
                       .epsilon = options->epsilon,
                       .more = -1};
    job.side = job.channels < GT_BATCH_WIDE ? GT_BATCH_WIDE / (job.channels ? job.channels : 1) : 1;
    job.wide = job.side * job.channels;
    job.group = job.wide < GT_BATCH_ELEMENTS ? GT_BATCH_ELEMENTS / (job.wide ? job.wide : 1) : 1;
    job.group *= job.side;
    job.blocks = job.channels ? (job.rows + job.group - 1) / job.group : 0;
    return job;
}

static void launch(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles,
                   const gt_BatchJob *given)
{
    gt_BatchJob *job = gt_lower_launch(lowering, kernel, tiles, sizeof *job);
    *job = *given;
    gt_lower_scratch(lowering, GT_BATCH_SCRATCH(job->wide));
}

/* Parts of the blocks, and `numbers` a channel of each sample: the last two places in `at`. */
static void make_room(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_BatchJob *job,
                      int numbers)
{
    const size_t channels = (size_t)(job->samples * job->channels);
    gt_lower_temporary(lowering, rule, (2 * (size_t)job->blocks * channels + 1) * sizeof(double));
    gt_lower_temporary(lowering, rule, ((size_t)numbers * channels + 1) * sizeof(double));
}

/* ---- in primitives ---- */

/* (samples, rows, groups, channels of a group) */
static gt_Tensor *in_groups(gt_Tensor *x, Sizes sizes)
{
    const int64_t width = sizes.groups ? sizes.channels / sizes.groups : 1;
    return gt_reshape(x, gt_shape(sizes.samples, sizes.rows, sizes.groups, width));
}

/* A number for each group, so that it goes with in_groups. */
static gt_Tensor *of_groups(gt_Tensor *numbers, Sizes sizes)
{
    return gt_reshape(numbers, gt_shape(sizes.samples, 1, sizes.groups, 1));
}

static gt_Tensor *mean_of_group(gt_Tensor *x)
{
    return gt_mean(x, .axes = gt_axes(1, 3), .keepdims = true);
}

static gt_Tensor *sum_of_rows(gt_Tensor *x)
{
    return gt_reshape(gt_sum(x, .axes = gt_axes(0, 1)), gt_shape(-1));
}

/* ---- batch_norm_gradient: (x, mean, variance, gamma, g) -> x', gamma', beta' ---- */

static gt_Status gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[X];
    if (check_x(rule) != GT_OK || check_like(rule, MEAN, of_moments(rule)) != GT_OK ||
        check_like(rule, VARIANCE, of_moments(rule)) != GT_OK ||
        check_like(rule, GAMMA, of_channels(rule)) != GT_OK || check_like(rule, G, *x) != GT_OK)
        return gt_status();
    rule->output[0] = *x;
    rule->output[1] = rule->output[2] = of_channels(rule);
    return GT_OK;
}

static void gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_BatchJob job = job_of(rule);
    make_room(rule, lowering, &job, 4);
    launch(lowering, GT_TILES_batch_slopes, job.samples * job.blocks, &job);
    launch(lowering, GT_TILES_batch_slopes_end, 1, &job);
    launch(lowering, GT_TILES_batch_gradient, job.samples * job.blocks, &job);
}

static gt_Status gradient_formula(const void *given, gt_Tensor *const *in, gt_Tensor **out)
{
    const NormOptions *options = given;
    const gt_Spec spec = gt_spec(in[X]);
    const Sizes sizes = sizes_of(&spec, options);
    gt_Tensor *g = in_groups(in[G], sizes), *a = g;
    gt_Tensor *d = gt_subtract(in_groups(in[X], sizes), of_groups(in[MEAN], sizes));
    gt_Tensor *r = of_groups(options->groups > 0 ? gt_reciprocal(in[VARIANCE])
                                                 : gt_rsqrt(gt_add(in[VARIANCE], options->epsilon)),
                             sizes);
    if (in[GAMMA])
        a = gt_multiply(a, gt_reshape(in[GAMMA], gt_shape(sizes.groups, -1)));
    gt_Tensor *along = gt_multiply(gt_square(r), mean_of_group(gt_multiply(a, d)));
    gt_Tensor *rest = gt_subtract(gt_subtract(a, mean_of_group(a)), gt_multiply(d, along));
    out[0] = gt_reshape(gt_multiply(rest, r), gt_shape_open(gt_spec_shape(&spec)));
    out[1] = sum_of_rows(gt_multiply(gt_multiply(g, d), r));
    out[2] = sum_of_rows(g);
    return gt_status();
}

static gt_Status gradient_gradient(gt_GradientRule *rule)
{
    return gt_rule_by_formula(rule, gradient_formula);
}

#define HOW(...) .options = &GT_VALUES(NormOptions, __VA_ARGS__)
const gt_Operation gt_op_batch_norm_gradient = {
    GT_RECORD_OUTPUTS("batch_norm_gradient",
                      "r (a - mean a - d r^2 mean(a d)), sum r g d, sum g, a = g gamma",
                      GRADIENT_INPUTS, GRADIENT_INPUTS, 3),
    .flags = GT_OP_INTERNAL,
    .options = &NormOptions_type,
    .optional_inputs = 1u << GAMMA,
    .saves_inputs = 31,
    .shape = gradient_shape,
    .lower = gradient_lower,
    .gradient = gradient_gradient,
    .samples = GT_SAMPLES(
        {.inputs = GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(3), GT_POSITIVE(3), GT_ANY(3), GT_ANY(4, 3)),
         HOW(0.1, 0)},
        {.inputs = GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2), GT_POSITIVE(2), GT_ANY(2), GT_ANY(2, 3, 2)),
         HOW(0.001, 0)},
        {.inputs = GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 2, 4), GT_ANY(2, 2), GT_POSITIVE(2, 2), GT_ANY(4),
                            GT_ANY(2, 2, 4)),
         HOW(0.1, 2)}),
};

/* ---- batch_norm: (x, gamma, beta) -> y, mean, variance ---- */

static gt_Status norm_shape(gt_ShapeRule *rule)
{
    if (check_x(rule) != GT_OK || check_like(rule, 1, of_channels(rule)) != GT_OK ||
        check_like(rule, 2, of_channels(rule)) != GT_OK)
        return gt_status();
    rule->output[0] = *rule->input[X];
    rule->output[1] = rule->output[2] = of_moments(rule);
    return GT_OK;
}

static void norm_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_BatchJob job = job_of(rule);
    make_room(rule, lowering, &job, 2);
    launch(lowering, GT_TILES_batch_moments, job.samples * job.blocks, &job);
    launch(lowering, GT_TILES_batch_moments_end, job.samples, &job);
    launch(lowering, GT_TILES_batch_scale, job.samples * job.blocks, &job);
    if (job.samples == 1 || job.rows % job.group == 0)
        gt_lower_span(lowering, job.group * job.channels);
}

/* What arrives at the mean goes to all that it is of, at the variance 2 d / n times, at the size d / (n size) times. */
static gt_Status norm_gradient(gt_GradientRule *rule)
{
    const gt_Spec *spec = gt_rule_input_spec(rule, X);
    const Sizes sizes = sizes_of(spec, gt_rule_options(rule));
    const double n = (double)(sizes.rows * (sizes.groups ? sizes.channels / sizes.groups : 0));
    const bool apart = ((const NormOptions *)gt_rule_options(rule))->groups > 0;
    gt_Tensor *x = gt_rule_input(rule, X), *mean = gt_rule_output(rule, 1);
    gt_Tensor *to_mean = gt_upstream(rule, 1), *to_variance = gt_upstream(rule, 2), *more = NULL;
    gt_Tensor *in[] = {x, mean, gt_rule_output(rule, 2), gt_rule_input(rule, 1),
                       gt_upstream(rule, 0)};
    gt_Tensor *given[3] = {NULL, NULL, NULL};
    if (in[G])
        gt_apply(&gt_op_batch_norm_gradient, gt_rule_options(rule), GRADIENT_INPUTS, in, given);
    if (to_variance) {
        gt_Tensor *d = gt_subtract(in_groups(x, sizes), of_groups(mean, sizes));
        to_variance = apart ? gt_divide(to_variance, gt_multiply(in[VARIANCE], n))
                            : gt_multiply(to_variance, 2 / n);
        more = gt_multiply(d, of_groups(to_variance, sizes));
    }
    if (to_mean)
        more = gt_add(more ? more : gt_constant_like(in_groups(x, sizes), 0),
                      of_groups(gt_divide(to_mean, n), sizes));
    if (more)
        given[0] = gt_sum_of_given(given[0], gt_reshape(more, gt_shape_open(gt_spec_shape(spec))));
    if (gt_wants(rule, X))
        gt_give(rule, X, given[0]);
    for (int i = 1; i < 3; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i,
                    given[i] ? given[i] : sum_of_rows(gt_constant_like(in_groups(x, sizes), 0)));
    return gt_status();
}

/* Groups are of a sample, channels of all samples. */
static gt_Status norm_mask(gt_MaskRule *rule)
{
    for (int i = 1; i < rule->shape->inputs; i++)
        if (gt_mask_axes(rule, i) > 0)
            return gt_mask_refuse(rule, i, 0);
    return gt_mask_rows(rule, ((const NormOptions *)rule->shape->options)->groups > 0);
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
    .mask = norm_mask,
    .samples = GT_SAMPLES(
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(3), GT_ANY(3)), HOW(0.1, 0)},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(2, 3, 2, 2), GT_ANY(2), GT_ANY(2)), HOW(0.001, 0)},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(5, 1), GT_ANY(1), GT_ANY(1)), HOW(0.1, 0)},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(4), GT_ANY(4)), HOW(0.1, 2)}),
};

gt_BatchNorm gt_batch_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, double epsilon)
{
    gt_Tensor *in[] = {x, gamma, beta}, *out[3] = {NULL, NULL, NULL};
    gt_apply(&gt_op_batch_norm, &GT_VALUES(NormOptions, epsilon, 0), 3, in, out);
    return (gt_BatchNorm){out[0], out[1], out[2]};
}

gt_Tensor *gt_group_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, int64_t groups,
                         double epsilon)
{
    gt_Tensor *in[] = {x, gamma, beta}, *out[3] = {NULL, NULL, NULL};
    gt_apply(&gt_op_batch_norm, &GT_VALUES(NormOptions, epsilon, groups), 3, in, out);
    return out[0];
}
