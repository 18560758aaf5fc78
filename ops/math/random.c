/* Random draws: records and gradient rules of ops/math/random.h. Input 0 of every draw is the generator's state,
 * {seed, counter}; the counter moves on by an effect of its own. The kernels are kernels/draw.c. */
#include "ops/math/random.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "kernels/draw.h"
#include "ops/kit.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"

#include <math.h>
#include <string.h>

/* ---- generators ---- */

static gt_Variable *new_generator(gt_Context *context, uint64_t seed)
{
    const gt_Spec spec = {GT_INT64, 1, 2, {2}};
    const uint64_t state[2] = {seed, 0};
    gt_Variable *generator = gt_variable_zeros(context, &spec, "generator", false);
    if (generator)
        memcpy(gt_variable_memory(context, generator, true), state, sizeof state);
    return generator;
}

gt_Variable *gt_generator_at(const char *here, uint64_t seed)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (gt_tracing(context)) {
        gt_raise(context, GT_STATE, here, "generator",
                 "a generator cannot be made inside a traced function; make it before");
        return NULL;
    }
    gt_Variable *generator = new_generator(context, seed);
    if (generator)
        gt_variable_give(generator);
    return generator;
}

gt_Variable *gt_default_generator_at(const char *here)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "default_generator");
    if (!gt_context_generator(context))
        gt_context_take_generator(context, new_generator(context, gt_context_seed(context)));
    gt_site_leave(&site);
    return gt_context_generator(context);
}

static bool takes_state(const gt_ShapeRule *rule)
{
    const gt_Spec *state = rule->input[0];
    char text[200];
    if (state->dtype == GT_INT64 && state->rank == 1 && state->size == 2)
        return true;
    gt_fail(GT_INVALID, "a generator must be int64 (2,), made by gt_generator (got %s)",
            gt_spec_text(state, text, sizeof text));
    return false;
}

/* Nothing that is drawn depends on a mask; a state has none. */
static gt_Status draw_mask(gt_MaskRule *rule)
{
    return rule->input[0] ? gt_mask_refuse(rule, 0, 0) : GT_OK;
}

static gt_Status advance_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return takes_state(rule) ? GT_OK : gt_status();
}

static void advance_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    (void)rule;
    gt_lower_launch(lowering, GT_TILES_advance, 1, 0);
}

#define STATE GT_WHOLE(GT_INT64, 0, 1000, 2)
const gt_Operation gt_op_generator_advance = {
    GT_RECORD("generator_advance", "{seed, counter + 1}", 1, 1),
    .why_not = "the state of a generator is not a number to differentiate",
    .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL,
    .shape = advance_shape,
    .lower = advance_lower,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(STATE)}),
};

/* Draws from the generator, NULL: the context's, and moves it on; x NULL: the draw needs no input.
 */
static gt_Tensor *draw(const char *here, const gt_Operation *operation, const void *options,
                       gt_Variable *generator, gt_Tensor *x)
{
    if (!generator)
        generator = gt_default_generator();
    gt_Tensor *input[2] = {generator, x};
    gt_Tensor *drawn = gt_apply_one_at(here, operation, options, x ? 2 : 1, input);
    if (!drawn || gt_apply_at(here, &gt_op_generator_advance, NULL, 1, &generator, NULL) != GT_OK)
        return NULL;
    return drawn;
}

/* ---- uniform, normal, truncated normal: two numbers say which ---- */

/* Of a draw with an input 1, shape and dtype are that one's. */
#define DRAW_OPTIONS(F, S)                                                                         \
    F(S, gt_Shape, shape, GT_NO_SIZES, "of the result")                                            \
    F(S, gt_DType, dtype, GT_FLOAT32, "float32 or float64")                                        \
    F(S, double, a, 0, "the lower bound, or the mean")                                             \
    F(S, double, b, 1, "the upper bound, or the standard deviation")
GT_OPTIONS(DrawOptions, DRAW_OPTIONS);
GT_OPTION_TYPE(DrawOptions, DRAW_OPTIONS);

static gt_Status draw_shape(gt_ShapeRule *rule, gt_DType dtype, gt_Shape shape)
{
    if (!takes_state(rule))
        return gt_status();
    if (!gt_spec_set(&rule->output[0], dtype, shape))
        return gt_fail(GT_INVALID, "the shape is invalid or too large");
    return GT_OK;
}

static gt_Status draw_float_shape(gt_ShapeRule *rule, const DrawOptions *options)
{
    const gt_Spec *like = rule->inputs > 1 ? rule->input[1] : NULL;
    gt_DType dtype = like ? like->dtype : options->dtype;
    if (dtype != GT_FLOAT32 && dtype != GT_FLOAT64)
        return gt_fail(GT_INVALID, "dtype %s is not supported; expected float32 and float64",
                       gt_dtype_name(dtype));
    return draw_shape(rule, dtype, like ? gt_spec_shape(like) : options->shape);
}

static gt_Status uniform_shape(gt_ShapeRule *rule)
{
    const DrawOptions *options = rule->options;
    if (!(options->a <= options->b) || isinf(options->a) || isinf(options->b))
        return gt_fail(GT_INVALID, "low must not exceed high, and both be finite (low %g, high %g)",
                       options->a, options->b);
    return draw_float_shape(rule, options);
}

static gt_Status normal_shape(gt_ShapeRule *rule)
{
    const DrawOptions *options = rule->options;
    if (!(options->b >= 0) || isinf(options->b) || !isfinite(options->a))
        return gt_fail(GT_INVALID,
                       "mean must be finite, stddev finite and >= 0 (got mean %g, stddev %g)",
                       options->a, options->b);
    return draw_float_shape(rule, options);
}

static void lower_draw(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_DrawKind kind,
                       double scale, double shift)
{
    const gt_Spec *out = &rule->output[0];
    gt_DrawJob *job =
        gt_lower_launch(lowering, GT_TILES_draw, gt_element_tiles(out->size), sizeof *job);
    job->kind = (int32_t)kind;
    job->type = gt_loop_type(out->dtype);
    job->place = rule->inputs;
    job->size = out->size;
    job->scale = scale;
    job->shift = shift;
}

static void uniform_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const DrawOptions *options = rule->options;
    lower_draw(rule, lowering, GT_DRAW_UNIFORM,
               options->a == 0 && options->b == 1 ? 1 : options->b - options->a, options->a);
}

static void normal_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const DrawOptions *options = rule->options;
    lower_draw(rule, lowering, GT_DRAW_NORMAL, options->b, options->a);
}

static void truncated_normal_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const DrawOptions *options = rule->options;
    lower_draw(rule, lowering, GT_DRAW_TRUNCATED_NORMAL, options->b, options->a);
}

/* Nothing depends on the numbers, or the mask, of the tensor whose shape a draw has. */
#define DRAW_SAMPLES                                                                               \
    GT_SAMPLES({.inputs = 1,                                                                       \
                .input = GT_INPUTS(STATE),                                                         \
                .options = &GT_VALUES(DrawOptions, {GT_MARK, 2, {2, 3}}, GT_FLOAT32, -1, 2)},      \
               {.inputs = 2,                                                                       \
                .input = GT_INPUTS(STATE, GT_ANY(2, 3)),                                           \
                .options = &GT_VALUES(DrawOptions, {GT_MARK, 0, {0}}, GT_FLOAT32, 0.5, 3)})
const gt_Operation gt_op_uniform = {
    GT_RECORD("uniform", "a + (b - a) u, u evenly from [0, 1)", 1, 2),
    .why_not = "a draw depends on nothing but its generator",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &DrawOptions_type,
    .shape = uniform_shape,
    .lower = uniform_lower,
    .mask = draw_mask,
    .samples = DRAW_SAMPLES,
};

const gt_Operation gt_op_normal = {
    GT_RECORD("normal", "a + b z, z normal", 1, 2),
    .why_not = "a draw depends on nothing but its generator",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &DrawOptions_type,
    .shape = normal_shape,
    .lower = normal_lower,
    .mask = draw_mask,
    .samples = DRAW_SAMPLES,
};

const gt_Operation gt_op_truncated_normal = {
    GT_RECORD("truncated_normal", "a + b z, z normal, |z| <= 2", 1, 2),
    .why_not = "a draw depends on nothing but its generator",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &DrawOptions_type,
    .shape = normal_shape,
    .lower = truncated_normal_lower,
    .mask = draw_mask,
    .samples = DRAW_SAMPLES,
};

GT_OPTION_TYPE(gt_uniform_options, gt_uniform_OPTIONS);
gt_Tensor *gt_uniform_at(const char *here, gt_Shape shape, const gt_uniform_options *given)
{
    gt_uniform_options options;
    GT_TAKE(gt_uniform_options, &options, given);
    return draw(here, &gt_op_uniform,
                &GT_VALUES(DrawOptions, shape, options.dtype, options.low, options.high),
                options.generator, NULL);
}

GT_OPTION_TYPE(gt_normal_options, gt_normal_OPTIONS);
gt_Tensor *gt_normal_at(const char *here, gt_Shape shape, const gt_normal_options *given)
{
    gt_normal_options options;
    GT_TAKE(gt_normal_options, &options, given);
    return draw(here, options.truncated ? &gt_op_truncated_normal : &gt_op_normal,
                &GT_VALUES(DrawOptions, shape, options.dtype, options.mean, options.stddev),
                options.generator, NULL);
}

/* A draw in the shape and dtype of x, a handle that is looked at first. */
static gt_Tensor *draw_like(const char *here, const char *name, const gt_Operation *operation,
                            double a, double b, gt_Variable *generator, gt_Tensor *x)
{
    gt_Site site = gt_site_enter(here, name);
    gt_Tensor *y =
        site.context && gt_tensor_check(site.context, here, name, "input 1", x)
            ? draw(here, operation, &GT_VALUES(DrawOptions, GT_SCALAR_SHAPE, GT_FLOAT32, a, b),
                   generator, x)
            : NULL;
    gt_site_leave(&site);
    return y;
}

GT_OPTION_TYPE(gt_uniform_like_options, gt_uniform_like_OPTIONS);
gt_Tensor *gt_uniform_like_at(const char *here, gt_Tensor *x, const gt_uniform_like_options *given)
{
    gt_uniform_like_options options;
    GT_TAKE(gt_uniform_like_options, &options, given);
    return draw_like(here, "uniform_like", &gt_op_uniform, options.low, options.high,
                     options.generator, x);
}

GT_OPTION_TYPE(gt_normal_like_options, gt_normal_like_OPTIONS);
gt_Tensor *gt_normal_like_at(const char *here, gt_Tensor *x, const gt_normal_like_options *given)
{
    gt_normal_like_options options;
    GT_TAKE(gt_normal_like_options, &options, given);
    return draw_like(here, "normal_like",
                     options.truncated ? &gt_op_truncated_normal : &gt_op_normal, options.mean,
                     options.stddev, options.generator, x);
}

/* ---- integers ---- */

#define INTEGERS_OPTIONS(F, S)                                                                     \
    F(S, gt_Shape, shape, GT_NO_SIZES, "of the result")                                            \
    F(S, gt_DType, dtype, GT_INT32, "int32, int64 or uint8")                                       \
    F(S, int64_t, low, 0, "the lower bound")                                                       \
    F(S, int64_t, high, 1, "the upper bound, not reached")                                         \
    F(S, int32_t, axis, GT_NONE, "in place of a shape: as many as input 1 has along this axis")
GT_OPTIONS(IntegersOptions, INTEGERS_OPTIONS);
GT_OPTION_TYPE(IntegersOptions, INTEGERS_OPTIONS);
GT_OPTION_TYPE(gt_random_integers_options, gt_random_integers_OPTIONS);

static gt_Status random_integers_shape(gt_ShapeRule *rule)
{
    const IntegersOptions *options = rule->options;
    bool fits;
    switch (options->dtype) {
    case GT_INT32:
        fits = options->low >= INT32_MIN && options->high <= (int64_t)INT32_MAX + 1;
        break;
    case GT_INT64:
        fits = true;
        break;
    case GT_UINT8:
        fits = options->low >= 0 && options->high <= UINT8_MAX + 1;
        break;
    default:
        return gt_fail(GT_INVALID, "dtype %s is not supported; expected int32, int64 and uint8",
                       gt_dtype_name(options->dtype));
    }
    if (options->low >= options->high || !fits)
        return gt_fail(
            GT_INVALID, "low must be below high, and the range one of %s (low %lld, high %lld)",
            gt_dtype_name(options->dtype), (long long)options->low, (long long)options->high);
    if (options->axis == GT_NONE || rule->inputs < 2)
        return draw_shape(rule, options->dtype, options->shape);
    int axis = gt_axis(options->axis, rule->input[1]->rank);
    return axis < 0 ? gt_status()
                    : draw_shape(rule, options->dtype, gt_shape(rule->input[1]->dims[axis]));
}

static void random_integers_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const IntegersOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    gt_DrawIntegersJob *job =
        gt_lower_launch(lowering, GT_TILES_draw_integers, gt_element_tiles(out->size), sizeof *job);
    job->type = gt_loop_type(out->dtype);
    job->place = rule->inputs;
    job->size = out->size;
    job->low = (uint64_t)options->low;
    job->range = (uint64_t)options->high - (uint64_t)options->low;
}

const gt_Operation gt_op_random_integers = {
    GT_RECORD("random_integers", "integers evenly from [low, high)", 1, 2),
    .why_not = "its result is an integer",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &IntegersOptions_type,
    .shape = random_integers_shape,
    .lower = random_integers_lower,
    .mask = draw_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1,
         .input = GT_INPUTS(STATE),
         .options = &GT_VALUES(IntegersOptions, {GT_MARK, 2, {2, 3}}, GT_INT32, -2, 5, GT_NONE)},
        {.inputs = 2,
         .input = GT_INPUTS(STATE, GT_ANY(2, 3)),
         .options = &GT_VALUES(IntegersOptions, {GT_MARK, 0, {0}}, GT_UINT8, 0, 9, -1)}),
};

gt_Tensor *gt_random_integers_at(const char *here, gt_Shape shape, int64_t low, int64_t high,
                                 const gt_random_integers_options *given)
{
    gt_random_integers_options options;
    GT_TAKE(gt_random_integers_options, &options, given);
    return draw(here, &gt_op_random_integers,
                &GT_VALUES(IntegersOptions, shape, options.dtype, low, high, GT_NONE),
                options.generator, NULL);
}

/* ---- categories ---- */

#define SAMPLE_OPTIONS(F, S)                                                                       \
    F(S, int64_t, samples, 1, "how many are drawn for each row")                                   \
    F(S, gt_DType, dtype, GT_INT32, "int32 or int64")
GT_OPTIONS(SampleOptions, SAMPLE_OPTIONS);
GT_OPTION_TYPE(SampleOptions, SAMPLE_OPTIONS);
GT_OPTION_TYPE(gt_categorical_options, gt_categorical_OPTIONS);

static gt_Status categorical_shape(gt_ShapeRule *rule)
{
    const SampleOptions *options = rule->options;
    const gt_Spec *logits = rule->input[1];
    char text[160];
    if (!takes_state(rule) || !gt_takes(logits, GT_TAKES_FLOAT))
        return gt_status();
    if (options->dtype != GT_INT32 && options->dtype != GT_INT64)
        return gt_fail(GT_INVALID, "dtype %s is not supported; expected int32 and int64",
                       gt_dtype_name(options->dtype));
    if (logits->rank != 2 || logits->dims[1] < 1 || logits->dims[1] > INT32_MAX ||
        options->samples < 0)
        return gt_fail(
            GT_INVALID,
            "logits must have shape (rows, classes), samples must be >= 0 (got %s, %lld)",
            gt_dims_text(logits, text, sizeof text), (long long)options->samples);
    return draw_shape(rule, options->dtype, gt_shape(logits->dims[0], options->samples));
}

static void describe_classes(gt_DrawClassesJob *job, const gt_ShapeRule *rule)
{
    const SampleOptions *options = rule->options;
    const gt_Spec *logits = rule->input[1];
    job->logits = gt_loop_type(logits->dtype);
    job->type = gt_loop_type(options->dtype);
    job->rows = logits->dims[0];
    job->classes = logits->dims[1];
    job->samples = options->samples;
}

static void categorical_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *logits = rule->input[1];
    gt_DrawClassesJob *job =
        gt_lower_check(lowering, GT_CHECK_logits, logits->dims[0], sizeof *job);
    describe_classes(job, rule);
    job = gt_lower_launch(lowering, GT_TILES_draw_classes, logits->dims[0], sizeof *job);
    describe_classes(job, rule);
    gt_lower_scratch(lowering, (size_t)logits->dims[1] * sizeof(double));
}

static gt_Status categorical_complain(const gt_ShapeRule *rule, void *const *at, int64_t row)
{
    const gt_Spec *logits = rule->input[1];
    bool bad = false;
    for (int64_t i = row * logits->dims[1]; i < (row + 1) * logits->dims[1]; i++)
        bad |= !(gt_number_fetch(logits->dtype, at[1], i) < INFINITY);
    return gt_fail(GT_INVALID, "row %lld of the logits %s", (long long)row,
                   bad ? "has one that is inf or NaN" : "is -inf only: no class is possible");
}

/* Rows are drawn from one by one. */
static gt_Status categorical_mask(gt_MaskRule *rule)
{
    return rule->input[0] ? gt_mask_refuse(rule, 0, 0) : gt_mask_rows(rule, 1);
}

const gt_Operation gt_op_categorical = {
    GT_RECORD("categorical", "classes drawn with the probabilities softmax(logits)", 2, 2),
    .why_not = "its result is an integer",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &SampleOptions_type,
    .shape = categorical_shape,
    .lower = categorical_lower,
    .complain = categorical_complain,
    .mask = categorical_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(STATE, GT_ANY(2, 3)),
                           .options = &GT_VALUES(SampleOptions, 4, GT_INT32)}),
};

static gt_Tensor *categorical(gt_Tensor *logits, int64_t samples,
                              const gt_categorical_options *given)
{
    gt_categorical_options options;
    GT_TAKE(gt_categorical_options, &options, given);
    const SampleOptions record = GT_VALUES(SampleOptions, samples, options.dtype);
    if (gt_rank(logits) < 0 || gt_want_logits(logits, "the first argument") != GT_OK)
        return NULL;
    return draw(NULL, &gt_op_categorical, &record, options.generator, logits);
}
GT_COMPOSED(categorical,
            (const char *here, gt_Tensor *logits, int64_t samples,
             const gt_categorical_options *options),
            (logits, samples, options))

/* ---- orders ---- */

GT_OPTION_TYPE(gt_shuffle_options, gt_shuffle_OPTIONS);

/* Sorted by random keys of 64 bits: of a million keys two are equal once in 4e7 times. */
static gt_Tensor *shuffle(gt_Tensor *x, const gt_shuffle_options *given)
{
    gt_shuffle_options options;
    GT_TAKE(gt_shuffle_options, &options, given);
    if (gt_axis(options.axis, gt_rank(x)) < 0)
        return NULL;
    const IntegersOptions keys =
        GT_VALUES(IntegersOptions, GT_NO_SIZES, GT_INT64, INT64_MIN, INT64_MAX, options.axis);
    gt_Tensor *key = draw(NULL, &gt_op_random_integers, &keys, options.generator, x);
    return key ? gt_take(x, gt_argsort(key), .axis = options.axis) : NULL;
}
GT_COMPOSED_OPTIONS(shuffle, shuffle, gt_shuffle_options)

/* ---- dropout ---- */

#define DROPOUT_OPTIONS(F, S)                                                                      \
    F(S, double, rate, 0.5, "probability of becoming 0")                                           \
    F(S, gt_Shape, noise_shape, GT_NO_SHAPE, "one draw for all along axes of 1; -1: as x")
GT_OPTIONS(DropoutOptions, DROPOUT_OPTIONS);
GT_OPTION_TYPE(DropoutOptions, DROPOUT_OPTIONS);
GT_OPTION_TYPE(gt_dropout_options, gt_dropout_OPTIONS);

/* The noise has the sizes of x, or 1. */
static bool noise_fits(const gt_ShapeRule *rule, gt_Spec *noise)
{
    const gt_Shape *shape = &((const DropoutOptions *)rule->options)->noise_shape;
    const gt_Spec *x = rule->input[1];
    *noise = *x;
    if (shape->rank < 0)
        return true;
    bool fits = shape->rank == x->rank;
    for (int d = 0; fits && d < x->rank; d++) {
        noise->dims[d] = shape->dims[d] == -1 ? x->dims[d] : shape->dims[d];
        fits = noise->dims[d] == x->dims[d] || noise->dims[d] == 1;
    }
    return fits;
}

static gt_Status dropout_shape(gt_ShapeRule *rule)
{
    const DropoutOptions *options = rule->options;
    gt_Spec noise;
    char a[160], b[160];
    if (!(options->rate >= 0 && options->rate <= 1))
        return gt_fail(GT_INVALID, "rate must be in [0, 1] (got %g)", options->rate);
    if (!takes_state(rule) || !gt_takes(rule->input[1], GT_TAKES_FLOAT))
        return gt_status();
    if (!noise_fits(rule, &noise))
        return gt_fail(GT_INVALID, "noise_shape %s does not broadcast to x %s",
                       gt_shape_text(options->noise_shape, a, sizeof a),
                       gt_dims_text(rule->input[1], b, sizeof b));
    rule->output[0] = *rule->input[1];
    return GT_OK;
}

static void dropout_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const DropoutOptions *options = rule->options;
    const gt_Spec *x = rule->input[1];
    gt_DropoutJob *job =
        gt_lower_launch(lowering, GT_TILES_dropout, gt_element_tiles(x->size), sizeof *job);
    job->type = gt_loop_type(x->dtype);
    job->size = x->size;
    job->rate = (float)options->rate;
    job->scale = options->rate < 1 ? 1 / (1 - options->rate) : 0;
    job->noise = options->noise_shape.rank >= 0;
    if (!job->noise) {
        gt_lower_span(lowering, GT_TILE_ELEMENTS);
        return;
    }
    gt_Spec noise;
    noise_fits(rule, &noise);
    gt_broadcast_plan(&job->walk, x, 2, (const gt_Spec *[]){x, &noise});
    lowering->launch[0].tiles = job->walk.tiles;
}

static gt_Status dropout_mask(gt_MaskRule *rule)
{
    return rule->input[0] ? gt_mask_refuse(rule, 0, 0) : gt_mask_keep(rule);
}

/* The state draws the same noise again: two numbers are saved instead of it. */
static gt_Status dropout_gradient(gt_GradientRule *rule)
{
    if (!gt_wants(rule, 1))
        return GT_OK;
    gt_Tensor *input[2] = {gt_rule_input(rule, 0), gt_upstream(rule, 0)};
    return gt_give(rule, 1, gt_apply_one_at(NULL, &gt_op_dropout, gt_rule_options(rule), 2, input));
}

const gt_Operation gt_op_dropout = {
    GT_RECORD("dropout", "0 with probability rate, else x / (1 - rate)", 2, 2),
    .flags = GT_OP_RANDOM | GT_OP_LINEAR,
    .options = &DropoutOptions_type,
    .saves_inputs = 1,
    .shape = dropout_shape,
    .lower = dropout_lower,
    .gradient = dropout_gradient,
    .mask = dropout_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(STATE, GT_ANY(2, 3))},
                          {.inputs = 2,
                           .input = GT_INPUTS(STATE, GT_ANY(4)),
                           .options = &GT_VALUES(DropoutOptions, 0.2, GT_NO_SHAPE)},
                          {.inputs = 2,
                           .input = GT_INPUTS(STATE, GT_ANY(2, 3, 4)),
                           .options = &GT_VALUES(DropoutOptions, 0.5, {GT_MARK, 3, {-1, 1, 4}})}),
};

gt_Tensor *gt_dropout_at(const char *here, gt_Tensor *x, double rate,
                         const gt_dropout_options *given)
{
    gt_dropout_options options;
    GT_TAKE(gt_dropout_options, &options, given);
    const DropoutOptions record = GT_VALUES(DropoutOptions, rate, options.noise_shape);
    if (rate == 0)
        return gt_identity_at(here, x);
    gt_Site site = gt_site_enter(here, "dropout");
    gt_Tensor *y = site.context && gt_tensor_check(site.context, here, "dropout", "input 1", x)
                       ? draw(here, &gt_op_dropout, &record, options.generator, x)
                       : NULL;
    gt_site_leave(&site);
    return y;
}
