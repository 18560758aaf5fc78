/* Pooling: records and gradient rules of ops/nn/pooling.h. Averaging is linear: its gradient is the
 * record of its transpose, whose gradient is averaging again. Of max_pool, the gradient scatters to
 * where the maxima stand in x (max_pool_gradient), and that one's gradient gathers from there
 * (max_pool_gather); both look for the maxima anew, which costs less than to remember them.
 *
 *     x (2, 5, 4, 1), pool_size (3, 3), strides (2, 1), same: a border of one pixel all around;
 *     y (2, 3, 4, 1), whose position (0, 0, 0) is the maximum of x at rows 0 and 1, columns 0 and 1
 *
 * Leans on window.c. */
#include "ops/nn/pooling.h"
#include "core/inside.h"
#include "ops/array/creation.h"
#include "ops/kit.h"
#include "ops/nn/window.h"

#include <string.h>

/* Of all five records. `extent`: the spatial size of the image, where the inputs do not tell. */
#define POOL_OPTIONS(F, S)                                                                         \
    F(S, gt_Shape, pool_size, GT_NO_SIZES, "size of the window")                                   \
    F(S, gt_Shape, strides, GT_NO_SIZES, "steps of the window; none: its size")                    \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    F(S, gt_Shape, extent, GT_NO_SIZES, "spatial size of the image")
GT_OPTIONS(PoolOptions, POOL_OPTIONS);
GT_OPTION_TYPE(PoolOptions, POOL_OPTIONS);

#define TILE 65536 /* numbers that a tile reads, about */

/* ---- sizes ---- */

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The job of pooling x, for all kernels; false with an error raised if the window does not fit. */
static bool plan(gt_PoolJob *job, const PoolOptions *options, const gt_Spec *x)
{
    const gt_Shape dense = {GT_MARK, 0, {0}};
    const gt_Shape *strides = options->strides.rank ? &options->strides : &options->pool_size;
    const gt_SlidingWindow *w = &job->window;
    int64_t size[GT_SPATIAL];
    int rank = x->rank - 2;
    if (!gt_window_takes(x) ||
        !gt_window_numbers(&options->pool_size, rank, 0, "pool sizes", size) ||
        !gt_window_set(&job->window, rank, x->dims + 1, size, strides, &dense, options->padding))
        return false;
    if (options->padding == GT_PADDING_CAUSAL || w->taps > INT32_MAX) {
        gt_fail(GT_INVALID, options->padding == GT_PADDING_CAUSAL
                                ? "padding must be valid or same (got causal)"
                                : "the window is too large");
        return false;
    }
    job->images = x->dims[0];
    job->channels = x->dims[x->rank - 1];
    job->rows = job->images * w->outputs;
    /* A tile reads about TILE elements: `reads` of them for each position. */
    int64_t reads = job->channels < TILE ? job->channels * (w->taps < TILE ? w->taps : TILE) : TILE;
    job->tile_rows = reads > 0 && reads < TILE ? TILE / reads : 1;
    job->type = (uint8_t)gt_loop_type(x->dtype);
    job->element = (uint8_t)gt_dtype_size(x->dtype);
    job->tap_bytes = gt_aligned((size_t)w->taps * sizeof(int64_t));
    job->four = w->taps == 4 && w->inside;
    job->covers = job->four;
    for (int d = 0; d < GT_SPATIAL; d++) {
        job->four = job->four && w->stride[d] >= w->size[d];
        job->covers =
            job->covers && w->stride[d] == w->size[d] && w->out[d] * w->size[d] == w->in[d];
    }
    job->together = most(1, GT_POOL_TOGETHER / most(1, job->channels));
    return true;
}

bool gt_pool_plan(gt_PoolJob *job, const void *options, const gt_Spec *x)
{
    memset(job, 0, sizeof *job);
    return plan(job, options, x);
}

/* The launch of pooling x, tile by tile of the result or, with `images`, image by image. `more`:
 * bytes of scratch for each channel. */
static void lower_pool(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_TileKernelId kernel,
                       const gt_Spec *x, bool images, size_t more)
{
    gt_PoolJob *job = gt_lower_launch(lowering, kernel, 0, sizeof *job);
    memset(job, 0, sizeof *job);
    plan(job, rule->options, x);
    lowering->launch[0].tiles =
        images ? job->images : (job->rows + job->tile_rows - 1) / job->tile_rows;
    gt_lower_span(lowering, (images ? job->window.inputs : job->tile_rows) * job->channels);
    const size_t bytes = job->tap_bytes + (size_t)job->channels * more;
    gt_lower_scratch(lowering,
                     job->four && bytes < GT_POOL_SCRATCH(job) ? GT_POOL_SCRATCH(job) : bytes);
}

/* The spec of x, recovered from the options and the spec of the result. */
static bool image_of(gt_PoolJob *job, const PoolOptions *options, const gt_Spec *up, gt_Spec *x)
{
    char s[160], t[160];
    gt_Spec y;
    int rank = up->rank - 2;
    if (!gt_window_takes(up))
        return false;
    if (options->extent.rank != rank) {
        gt_fail(GT_INVALID, "shape %s is not that of a result of pooling",
                gt_dims_text(up, s, sizeof s));
        return false;
    }
    *x = *up;
    memcpy(x->dims + 1, options->extent.dims, (size_t)rank * sizeof(int64_t));
    if (!gt_spec_resize(x)) {
        gt_fail(GT_INVALID, "the result is too large (%s)",
                gt_dims_text(x, s, sizeof s));
        return false;
    }
    if (!plan(job, options, x))
        return false;
    gt_window_output(&job->window, x, job->channels, &y);
    if (gt_dims_equal(&y, up))
        return true;
    gt_fail(GT_INVALID, "the result of pooling must be %s (got %s)",
            gt_dims_text(&y, t, sizeof t),
            gt_dims_text(up, s, sizeof s));
    return false;
}

static gt_Status pool_shape(gt_ShapeRule *rule)
{
    gt_PoolJob job;
    if (!plan(&job, rule->options, rule->input[0]))
        return gt_status();
    gt_window_output(&job.window, rule->input[0], job.channels, &rule->output[0]);
    return GT_OK;
}

/* ---- average_pool and its transpose ---- */

/* Scratch: the sums in double of a window with many positions, and the part that is added to
 * them. */
static void average_pool_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_pool(rule, lowering, GT_TILES_average_pool, rule->input[0], false,
               sizeof(double) + sizeof(float));
}

static gt_Status average_pool_gradient_shape(gt_ShapeRule *rule)
{
    gt_PoolJob job;
    return image_of(&job, rule->options, rule->input[0], &rule->output[0]) ? GT_OK : gt_status();
}

static void average_pool_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_pool(rule, lowering, GT_TILES_average_pool_gradient, &rule->output[0], true,
               sizeof(double));
}

/* ---- max_pool, scattering to the maxima, gathering from them ---- */

static void max_pool_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_pool(rule, lowering, GT_TILES_max_pool, rule->input[0], false, sizeof(int64_t));
}

/* Is input 1 of x's type and of that shape? */
static bool second_fits(const gt_ShapeRule *rule, gt_Shape expected)
{
    const gt_Spec *x = rule->input[0], *second = rule->input[1];
    char s[160], t[200];
    if (second->dtype == x->dtype && gt_shape_equal(gt_spec_shape(second), expected))
        return true;
    gt_fail(GT_INVALID, "input 2 must be %s %s (got %s)", gt_dtype_name(x->dtype),
            gt_shape_text(expected, s, sizeof s), gt_spec_text(second, t, sizeof t));
    return false;
}

static gt_Status max_pool_gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    gt_PoolJob job;
    gt_Spec y = {0};
    if (!plan(&job, rule->options, x))
        return gt_status();
    gt_window_output(&job.window, x, job.channels, &y);
    rule->output[0] = *x;
    return second_fits(rule, gt_spec_shape(&y)) ? GT_OK : gt_status();
}

/* Scratch of all: where the maximum of each channel stands; of these two: it. */
static void max_pool_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_pool(rule, lowering, GT_TILES_max_pool_gradient, rule->input[0], true,
               sizeof(double) + sizeof(int64_t));
}

static gt_Status max_pool_gather_shape(gt_ShapeRule *rule)
{
    return second_fits(rule, gt_spec_shape(rule->input[0])) ? pool_shape(rule) : gt_status();
}

static void max_pool_gather_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_pool(rule, lowering, GT_TILES_max_pool_gather, rule->input[0], false,
               sizeof(double) + sizeof(int64_t));
}

/* ---- gradient rules ---- */

static gt_Tensor *max_pool_pair(const gt_Operation *operation, const PoolOptions *options,
                                gt_Tensor *x, gt_Tensor *second)
{
    gt_Tensor *inputs[2] = {x, second};
    return gt_apply_one_at(NULL, operation, options, 2, inputs);
}

/* The gradient of the maxima goes where they stand. */
static gt_Status max_pool_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   max_pool_pair(&gt_op_max_pool_gradient, gt_rule_options(rule),
                                 gt_rule_input(rule, 0), gt_upstream(rule, 0)));
}

/* Which number is the largest does not change with x: no gradient there but zero. */
static gt_Status transposed(gt_GradientRule *rule, const gt_Operation *operation)
{
    gt_Tensor *x = gt_rule_input(rule, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_zeros_like(x));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, max_pool_pair(operation, gt_rule_options(rule), x, gt_upstream(rule, 0)));
    return gt_status();
}

static gt_Status max_pool_gradient_rule(gt_GradientRule *rule)
{
    return transposed(rule, &gt_op_max_pool_gather);
}

static gt_Status max_pool_gather_rule(gt_GradientRule *rule)
{
    return transposed(rule, &gt_op_max_pool_gradient);
}

/* The transpose, which must be told the size of the image: several sizes are averaged to the
 * same. */
static gt_Status average_pool_rule(gt_GradientRule *rule)
{
    const gt_Spec *x = gt_rule_input_spec(rule, 0);
    PoolOptions options = *(const PoolOptions *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    options.extent = gt_shape_of(x->rank - 2, x->dims + 1);
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_average_pool_gradient, &options, 1, &up));
}

static gt_Status average_pool_gradient_rule(gt_GradientRule *rule)
{
    PoolOptions options = *(const PoolOptions *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    options.extent = (gt_Shape){GT_MARK, 0, {0}};
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_average_pool, &options, 1, &up));
}

/* ---- records ---- */

#define REAL(...) GT_REAL(-2, 2, __VA_ARGS__)
#define SIZE(...) .pool_size = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define STEP(...) .strides = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define SAME      .padding = GT_PADDING_SAME
#define POOL(count, a, b, ...)                                                                     \
    {                                                                                              \
        .inputs = count, .input = GT_INPUTS(a, b), .options = &(const PoolOptions)                 \
        {                                                                                          \
            GT_PRESETS(PoolOptions, POOL_OPTIONS) __VA_ARGS__                                      \
        }                                                                                          \
    }
#define NONE                                                                                       \
    {                                                                                              \
        0                                                                                          \
    }
static gt_Status pool_mask(gt_MaskRule *rule)
{
    gt_PoolJob job;
    if (!plan(&job, rule->shape->options, rule->shape->input[0]))
        return gt_status();
    return gt_window_mask(rule, &job.window);
}

const gt_Operation gt_op_max_pool = {
    GT_RECORD("max_pool", "the largest number of each window", 1, 1),
    .options = &PoolOptions_type,
    .saves_inputs = 1,
    .shape = pool_shape,
    .lower = max_pool_lower,
    .gradient = max_pool_rule,
    .mask = pool_mask,
    .samples = GT_SAMPLES(POOL(1, GT_APART(2, 4, 4, 2), NONE, SIZE(2, 2), STEP(2, 2)),
                          POOL(1, GT_APART(1, 5, 4, 1), NONE, SIZE(3, 3), STEP(2, 1), SAME),
                          POOL(1, GT_APART(2, 7, 2), NONE, SIZE(3), STEP(2)),
                          POOL(1, GT_APART(1, 3, 2, 3, 2), NONE, SIZE(2), STEP(1), SAME)),
};

const gt_Operation gt_op_max_pool_gradient = {
    GT_RECORD("max_pool_gradient", "b added where the largest numbers of a stand", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &PoolOptions_type,
    .saves_inputs = 1,
    .shape = max_pool_gradient_shape,
    .lower = max_pool_gradient_lower,
    .gradient = max_pool_gradient_rule,
    .samples =
        GT_SAMPLES(POOL(2, GT_APART(2, 4, 4, 2), REAL(2, 2, 2, 2), SIZE(2, 2), STEP(2, 2)),
                   POOL(2, GT_APART(1, 5, 4, 1), REAL(1, 3, 4, 1), SIZE(3, 3), STEP(2, 1), SAME)),
};

const gt_Operation gt_op_max_pool_gather = {
    GT_RECORD("max_pool_gather", "b from where the largest numbers of a stand", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &PoolOptions_type,
    .saves_inputs = 1,
    .shape = max_pool_gather_shape,
    .lower = max_pool_gather_lower,
    .gradient = max_pool_gather_rule,
    .samples =
        GT_SAMPLES(POOL(2, GT_APART(2, 4, 4, 2), REAL(2, 4, 4, 2), SIZE(2, 2), STEP(2, 2)),
                   POOL(2, GT_APART(1, 5, 4, 1), REAL(1, 5, 4, 1), SIZE(3, 3), STEP(2, 1), SAME)),
};

const gt_Operation gt_op_average_pool = {
    GT_RECORD("average_pool", "the mean of each window", 1, 1),
    .flags = GT_OP_LINEAR,
    .options = &PoolOptions_type,
    .shape = pool_shape,
    .lower = average_pool_lower,
    .gradient = average_pool_rule,
    .mask = pool_mask,
    .samples = GT_SAMPLES(POOL(1, REAL(2, 4, 4, 2), NONE, SIZE(2, 2), STEP(2, 2)),
                          POOL(1, REAL(1, 5, 4, 1), NONE, SIZE(3, 3), STEP(2, 1), SAME),
                          POOL(1, REAL(2, 7, 2), NONE, SIZE(3), STEP(2)),
                          POOL(1, REAL(1, 3, 2, 3, 2), NONE, SIZE(2), STEP(1), SAME)),
};

const gt_Operation gt_op_average_pool_gradient = {
    GT_RECORD("average_pool_gradient", "the transpose of average_pool", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &PoolOptions_type,
    .shape = average_pool_gradient_shape,
    .lower = average_pool_gradient_lower,
    .gradient = average_pool_gradient_rule,
    .samples = GT_SAMPLES(
        POOL(1, REAL(2, 2, 2, 2), NONE, SIZE(2, 2), STEP(2, 2), .extent = GT_SAMPLE_SHAPE(4, 4)),
        POOL(1, REAL(1, 3, 4, 1), NONE, SIZE(3, 3), STEP(2, 1), SAME,
             .extent = GT_SAMPLE_SHAPE(5, 4))),
};

/* ---- functions ---- */

GT_OPTION_TYPE(gt_max_pool_options, gt_max_pool_OPTIONS);

static gt_Tensor *pooled(const char *here, const gt_Operation *operation, gt_Tensor *x,
                         gt_Shape pool_size, const gt_max_pool_options *given)
{
    gt_max_pool_options options;
    GT_TAKE(gt_max_pool_options, &options, given);
    PoolOptions all =
        GT_VALUES(PoolOptions, pool_size, options.strides, options.padding, {GT_MARK, 0, {0}});
    return gt_apply_one_at(here, operation, &all, 1, &x);
}

gt_Tensor *gt_max_pool_at(const char *here, gt_Tensor *x, gt_Shape pool_size,
                          const gt_max_pool_options *options)
{
    return pooled(here, &gt_op_max_pool, x, pool_size, options);
}

gt_Tensor *gt_average_pool_at(const char *here, gt_Tensor *x, gt_Shape pool_size,
                              const gt_max_pool_options *options)
{
    return pooled(here, &gt_op_average_pool, x, pool_size, options);
}
