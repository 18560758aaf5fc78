/* Random draws: records, kernels and gradient rules of ops/math/random.h. Input 0 of every draw is the
 * generator's state, {seed, counter}; the counter moves on by an effect of its own. */
#include "ops/math/random.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"

#include <math.h>
#include <string.h>

/* ---- generators ---- */

static gt_Variable *new_generator(gt_Context *context, uint64_t seed)
{
    const gt_Spec spec = {GT_INT64, 1, 2, {2}};
    gt_Slot *slot = gt_variable_make(context, &spec, "generator", false);
    if (!slot)
        return NULL;
    const uint64_t state[2] = {seed, 0};
    memcpy(gt_value_data(slot->value), state, sizeof state);
    return gt_slot_handle(slot);
}

gt_Variable *gt_generator_at(const char *here, uint64_t seed)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (context->trace) {
        gt_raise(context, GT_STATE, here, "generator",
                 "a generator cannot be made inside a traced function; make it before");
        return NULL;
    }
    return new_generator(context, seed);
}

gt_Variable *gt_default_generator_at(const char *here)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "default_generator");
    if (!context->generator) {
        context->generator = new_generator(context, context->seed);
        if (context->generator)
            gt_context_drop(context); /* what is the context's own does not keep it */
    }
    gt_site_leave(site);
    return context->generator;
}

static bool takes_state(const gt_ShapeRule *rule)
{
    const gt_Spec *state = rule->input[0];
    char text[200];
    if (state->dtype == GT_INT64 && state->rank == 1 && state->size == 2)
        return true;
    gt_fail(GT_INVALID, "a generator is int64 (2,), made by gt_generator; this is %s",
            gt_spec_text(state, text, sizeof text));
    return false;
}

/* Neighbouring seeds must give streams that have nothing in common: the finaliser of splitmix64
 * (Steele, Lea, Flood 2014). */
static uint64_t mixed(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

/* The stream of this draw; `attempt` numbers independent ones. */
static gt_PhiloxKey stream(const gt_Kernel *kernel, uint64_t attempt)
{
    const int64_t *state = kernel->input[0];
    return (gt_PhiloxKey){mixed(mixed((uint64_t)state[0]) + attempt), (uint64_t)state[1]};
}

static gt_Status advance_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return takes_state(rule) ? GT_OK : gt_status();
}

static gt_Status advance_run(const gt_Kernel *kernel)
{
    const int64_t *before = kernel->input[0];
    int64_t *after = kernel->output[0];
    after[0] = before[0];
    after[1] = (int64_t)((uint64_t)before[1] + 1);
    return GT_OK;
}

#define STATE GT_WHOLE(GT_INT64, 0, 1000, 2)
const gt_Operation gt_op_generator_advance = {
    GT_RECORD("generator_advance", "{seed, counter + 1}", 1, 1),
    .why_not = "the state of a generator is not a number to differentiate",
    .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL,
    .shape = advance_shape,
    .run = advance_run,
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
    if (options->dtype != GT_FLOAT32 && options->dtype != GT_FLOAT64)
        return gt_fail(GT_INVALID, "dtype %s is not supported; expected float32 and float64",
                       gt_dtype_name(options->dtype));
    return draw_shape(rule, options->dtype, options->shape);
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

/* y = y scale + shift */
static void scale_and_shift(gt_DType dtype, int64_t n, void *y, double scale, double shift)
{
    if (dtype == GT_FLOAT32) {
        float *to = y, by = (float)scale, plus = (float)shift;
        for (int64_t i = 0; i < n; i++)
            to[i] = to[i] * by + plus;
    } else {
        double *to = y;
        for (int64_t i = 0; i < n; i++)
            to[i] = to[i] * scale + shift;
    }
}

static void *chunk_of(const gt_Kernel *kernel, int64_t first)
{
    return (char *)kernel->output[0] + (size_t)first * gt_dtype_size(kernel->output_spec[0]->dtype);
}

static void uniform_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const DrawOptions *options = kernel->options;
    void *y = chunk_of(kernel, first);
    kernel->context->kernels->random_uniform[gt_loop_type(options->dtype)](stream(kernel, 0), first,
                                                                           n, y);
    if (options->a != 0 || options->b != 1)
        scale_and_shift(options->dtype, n, y, options->b - options->a, options->a);
}

static void normal_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const DrawOptions *options = kernel->options;
    void *y = chunk_of(kernel, first);
    kernel->context->kernels->random_normal[gt_loop_type(options->dtype)](stream(kernel, 0), first,
                                                                          n, y);
    if (options->a != 0 || options->b != 1)
        scale_and_shift(options->dtype, n, y, options->b, options->a);
}

/* Every attempt is a stream of its own, and element i takes the first that has a number within 2 at
 * place i. One number in 22 is drawn again, so a piece of 512 needs three or four attempts; after
 * 64 (not in the age of the universe) zeros would do. */
enum { TRUNCATED_PIECE = 512, TRUNCATED_ATTEMPTS = 64 };

#define TRUNCATED(type)                                                                            \
    static void truncated_##type(const gt_Kernel *kernel, gt_RandomLoop *normal, int64_t first,    \
                                 int64_t n, type *y)                                               \
    {                                                                                              \
        type again[TRUNCATED_PIECE];                                                               \
        normal(stream(kernel, 0), first, n, y);                                                    \
        for (uint64_t attempt = 1; attempt <= TRUNCATED_ATTEMPTS; attempt++) {                     \
            int64_t outside = 0;                                                                   \
            for (int64_t i = 0; i < n; i++)                                                        \
                outside += !(y[i] >= -2 && y[i] <= 2);                                             \
            if (outside == 0)                                                                      \
                return;                                                                            \
            normal(stream(kernel, attempt), first, n, again);                                      \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = y[i] >= -2 && y[i] <= 2        ? y[i]                                       \
                       : attempt < TRUNCATED_ATTEMPTS ? again[i]                                   \
                                                      : 0;                                         \
        }                                                                                          \
    }
TRUNCATED(float)
TRUNCATED(double)

static void truncated_normal_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const DrawOptions *options = kernel->options;
    gt_RandomLoop *normal = kernel->context->kernels->random_normal[gt_loop_type(options->dtype)];
    for (int64_t at = first; at < first + n; at += TRUNCATED_PIECE) {
        int64_t count = first + n - at < TRUNCATED_PIECE ? first + n - at : TRUNCATED_PIECE;
        if (options->dtype == GT_FLOAT32)
            truncated_float(kernel, normal, at, count, chunk_of(kernel, at));
        else
            truncated_double(kernel, normal, at, count, chunk_of(kernel, at));
    }
    if (options->a != 0 || options->b != 1)
        scale_and_shift(options->dtype, n, chunk_of(kernel, first), options->b, options->a);
}

#define DRAW(op, text, shape_rule)                                                                 \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        return gt_run_chunks(kernel, op##_chunk);                                                  \
    }                                                                                              \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .why_not = "a draw depends on nothing but its generator",                                  \
        .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,                                          \
        .options = &DrawOptions_type,                                                              \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = shape_rule,                                                                       \
        .run = op##_run,                                                                           \
        .samples = GT_SAMPLES(                                                                     \
            {.inputs = 1,                                                                          \
             .input = GT_INPUTS(STATE),                                                            \
             .options = &GT_VALUES(DrawOptions, {GT_MARK, 2, {2, 3}}, GT_FLOAT32, -1, 2)},         \
            GT_SAMPLES_END),                                                                       \
    }

DRAW(uniform, "a + (b - a) u, u evenly from [0, 1)", uniform_shape);
DRAW(normal, "a + b z, z normal", normal_shape);
DRAW(truncated_normal, "a + b z, z normal, |z| <= 2", normal_shape);

GT_OPTION_TYPE(gt_uniform_options, gt_uniform_OPTIONS);
gt_Tensor *gt_uniform_at(const char *here, gt_Shape shape, const gt_uniform_options *given)
{
    gt_uniform_options options = GT_TAKE(gt_uniform_options, given);
    return draw(here, &gt_op_uniform,
                &GT_VALUES(DrawOptions, shape, options.dtype, options.low, options.high),
                options.generator, NULL);
}

GT_OPTION_TYPE(gt_normal_options, gt_normal_OPTIONS);
gt_Tensor *gt_normal_at(const char *here, gt_Shape shape, const gt_normal_options *given)
{
    gt_normal_options options = GT_TAKE(gt_normal_options, given);
    return draw(here, options.truncated ? &gt_op_truncated_normal : &gt_op_normal,
                &GT_VALUES(DrawOptions, shape, options.dtype, options.mean, options.stddev),
                options.generator, NULL);
}

/* ---- integers ---- */

#define INTEGERS_OPTIONS(F, S)                                                                     \
    F(S, gt_Shape, shape, GT_NO_SIZES, "of the result")                                            \
    F(S, gt_DType, dtype, GT_INT32, "int32, int64 or uint8")                                       \
    F(S, int64_t, low, 0, "the lower bound")                                                       \
    F(S, int64_t, high, 1, "the upper bound, not reached")
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
    return draw_shape(rule, options->dtype, options->shape);
}

/* The remainder of 64 random bits: numbers differ in probability by less than range / 2^64. */
static void random_integers_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    enum { PIECE = 512 };
    const IntegersOptions *options = kernel->options;
    uint64_t bits[PIECE], low = (uint64_t)options->low;
    uint64_t range = (uint64_t)options->high - low;
    for (int64_t done = 0; done < n; done += PIECE) {
        int64_t count = n - done < PIECE ? n - done : PIECE;
        void *y = chunk_of(kernel, first + done);
        kernel->context->kernels->random_bits(stream(kernel, 0), first + done, count, bits);
        for (int64_t i = 0; i < count; i++) {
            int64_t number = (int64_t)(low + bits[i] % range);
            if (options->dtype == GT_INT64)
                ((int64_t *)y)[i] = number;
            else if (options->dtype == GT_INT32)
                ((int32_t *)y)[i] = (int32_t)number;
            else
                ((uint8_t *)y)[i] = (uint8_t)number;
        }
    }
}

static gt_Status random_integers_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, random_integers_chunk);
}

const gt_Operation gt_op_random_integers = {
    GT_RECORD("random_integers", "whole numbers evenly from [low, high)", 1, 1),
    .why_not = "its result is an integer",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &IntegersOptions_type,
    .shape = random_integers_shape,
    .run = random_integers_run,
    .samples =
        GT_SAMPLES({.inputs = 1,
                    .input = GT_INPUTS(STATE),
                    .options = &GT_VALUES(IntegersOptions, {GT_MARK, 2, {2, 3}}, GT_INT32, -2, 5)}),
};

gt_Tensor *gt_random_integers_at(const char *here, gt_Shape shape, int64_t low, int64_t high,
                                 const gt_random_integers_options *given)
{
    gt_random_integers_options options = GT_TAKE(gt_random_integers_options, given);
    return draw(here, &gt_op_random_integers,
                &GT_VALUES(IntegersOptions, shape, options.dtype, low, high), options.generator,
                NULL);
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
        return gt_fail(GT_INVALID,
                       "%lld classes cannot be drawn by logits of shape %s, which is "
                       "to be (rows, classes)",
                       (long long)options->samples,
                       gt_shape_text(gt_spec_shape(logits), text, sizeof text));
    rule->scratch = (size_t)logits->dims[1] * sizeof(double);
    return draw_shape(rule, options->dtype, gt_shape(logits->dims[0], options->samples));
}

/* The running sums of e^(logit - the largest); the last is what they come to. NaN if there is none.
 */
static double distribution(const gt_Kernel *kernel, int64_t row, double *sums)
{
    int64_t classes = kernel->input_spec[1]->dims[1];
    const float *narrow = (const float *)kernel->input[1] + row * classes;
    const double *wide = (const double *)kernel->input[1] + row * classes;
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < classes; i++) {
        sums[i] = kernel->input_spec[1]->dtype == GT_FLOAT32 ? (double)narrow[i] : wide[i];
        most = sums[i] > most ? sums[i] : most;
    }
    for (int64_t i = 0; i < classes; i++)
        sums[i] = sum += exp(sums[i] - most);
    return sum;
}

/* The first class whose sum is above the number: none of probability 0, which adds nothing. */
static int64_t class_of(const double *sums, int64_t classes, double number)
{
    int64_t low = 0, high = classes - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sums[middle] > number)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Row r takes the numbers r samples, ... of the stream. */
static void categorical_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                              void *scratch)
{
    enum { PIECE = 512 };
    (void)argument;
    const SampleOptions *options = kernel->options;
    int64_t classes = kernel->input_spec[1]->dims[1], samples = options->samples;
    double *sums = scratch, uniform[PIECE];
    for (int64_t row = first; row < last; row++) {
        double total = distribution(kernel, row, sums);
        for (int64_t done = 0; done < samples; done += PIECE) {
            int64_t count = samples - done < PIECE ? samples - done : PIECE;
            int64_t at = row * samples + done;
            kernel->context->kernels->random_uniform[GT_LOOP_F64](stream(kernel, 0), at, count,
                                                                  uniform);
            for (int64_t i = 0; i < count; i++) {
                int64_t drawn = class_of(sums, classes, uniform[i] * total);
                if (options->dtype == GT_INT64)
                    ((int64_t *)kernel->output[0])[at + i] = drawn;
                else
                    ((int32_t *)kernel->output[0])[at + i] = (int32_t)drawn;
            }
        }
    }
}

/* Is every logit less than inf and some more than -inf in every row? */
static gt_Status check_logits(const gt_Kernel *kernel)
{
    const gt_Spec *spec = kernel->input_spec[1];
    for (int64_t row = 0; row < spec->dims[0]; row++) {
        bool possible = false, bad = false;
        for (int64_t i = row * spec->dims[1]; i < (row + 1) * spec->dims[1]; i++) {
            double x = spec->dtype == GT_FLOAT32 ? (double)((const float *)kernel->input[1])[i]
                                                 : ((const double *)kernel->input[1])[i];
            possible = possible || x > -INFINITY;
            bad = bad || !(x < INFINITY);
        }
        if (bad || !possible)
            return gt_fail(GT_INVALID, "row %lld of the logits %s", (long long)row,
                           bad ? "has one that is inf or NaN"
                               : "is -inf only: no class is possible");
    }
    return GT_OK;
}

static gt_Status categorical_run(const gt_Kernel *kernel)
{
    return check_logits(kernel) != GT_OK
               ? gt_status()
               : gt_for_tiles(kernel, kernel->input_spec[1]->dims[0], categorical_tiles, NULL);
}

const gt_Operation gt_op_categorical = {
    GT_RECORD("categorical", "classes drawn with the probabilities softmax(logits)", 2, 2),
    .why_not = "its result is an integer",
    .flags = GT_OP_RANDOM | GT_OP_NOT_DIFFERENTIABLE,
    .options = &SampleOptions_type,
    .shape = categorical_shape,
    .run = categorical_run,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(STATE, GT_ANY(2, 3)),
                           .options = &GT_VALUES(SampleOptions, 4, GT_INT32)}),
};

static gt_Tensor *categorical(gt_Tensor *logits, int64_t samples,
                              const gt_categorical_options *given)
{
    gt_categorical_options options = GT_TAKE(gt_categorical_options, given);
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
    gt_shuffle_options options = GT_TAKE(gt_shuffle_options, given);
    gt_Spec spec = gt_spec(x);
    int axis = gt_status() == GT_OK ? gt_axis(options.axis, spec.rank) : -1;
    if (axis < 0)
        return NULL;
    gt_Tensor *keys = gt_random_integers(gt_shape(spec.dims[axis]), INT64_MIN, INT64_MAX,
                                         .dtype = GT_INT64, .generator = options.generator);
    return gt_take(x, gt_argsort(keys), .axis = axis);
}
GT_COMPOSED_OPTIONS(shuffle, shuffle, gt_shuffle_options)

/* ---- dropout ---- */

#define DROPOUT_OPTIONS(F, S) F(S, double, rate, 0.5, "probability of becoming 0")
GT_OPTIONS(DropoutOptions, DROPOUT_OPTIONS);
GT_OPTION_TYPE(DropoutOptions, DROPOUT_OPTIONS);
GT_OPTION_TYPE(gt_dropout_options, gt_dropout_OPTIONS);

static gt_Status dropout_shape(gt_ShapeRule *rule)
{
    const DropoutOptions *options = rule->options;
    if (!(options->rate >= 0 && options->rate <= 1))
        return gt_fail(GT_INVALID, "rate %g is not in [0, 1]", options->rate);
    if (!takes_state(rule) || !gt_takes(rule->input[1], GT_TAKES_FLOAT))
        return gt_status();
    rule->output[0] = *rule->input[1];
    return GT_OK;
}

/* The same uniform float32 decides in both types. */
static void dropout_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    enum { PIECE = 512 };
    const DropoutOptions *options = kernel->options;
    float uniform[PIECE], rate = (float)options->rate;
    double scale = options->rate < 1 ? 1 / (1 - options->rate) : 0;
    for (int64_t at = first; at < first + n; at += PIECE) {
        int64_t count = first + n - at < PIECE ? first + n - at : PIECE;
        kernel->context->kernels->random_uniform[GT_LOOP_F32](stream(kernel, 0), at, count,
                                                              uniform);
        if (kernel->output_spec[0]->dtype == GT_FLOAT32) {
            const float *x = (const float *)kernel->input[1] + at;
            float *y = (float *)kernel->output[0] + at, factor = (float)scale;
            for (int64_t i = 0; i < count; i++)
                y[i] = uniform[i] >= rate ? x[i] * factor : 0;
        } else {
            const double *x = (const double *)kernel->input[1] + at;
            double *y = (double *)kernel->output[0] + at;
            for (int64_t i = 0; i < count; i++)
                y[i] = uniform[i] >= rate ? x[i] * scale : 0;
        }
    }
}

static gt_Status dropout_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, dropout_chunk);
}

/* The state draws the same mask again: two numbers are saved instead of it. */
static gt_Status dropout_gradient(gt_GradientRule *rule)
{
    if (!gt_wants(rule, 1))
        return GT_OK;
    gt_Tensor *input[2] = {gt_rule_input(rule, 0), gt_upstream(rule, 0)};
    return gt_give(rule, 1,
                   gt_apply_one_at(NULL, rule->record->operation, gt_rule_options(rule), 2, input));
}

const gt_Operation gt_op_dropout = {
    GT_RECORD("dropout", "0 with probability rate, else x / (1 - rate)", 2, 2),
    .flags = GT_OP_RANDOM | GT_OP_LINEAR,
    .options = &DropoutOptions_type,
    .saves_inputs = 1,
    .shape = dropout_shape,
    .run = dropout_run,
    .gradient = dropout_gradient,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(STATE, GT_ANY(2, 3))},
                          {.inputs = 2,
                           .input = GT_INPUTS(STATE, GT_ANY(4)),
                           .options = &GT_VALUES(DropoutOptions, 0.2)}),
};

/* One factor, 0 or 1 / (1 - rate), for all elements of x along the noise's dimensions of 1. */
static gt_Tensor *noise(const gt_Spec *x, const DropoutOptions *record, gt_Shape shape,
                        gt_Variable *generator)
{
    char a[160], b[160];
    bool fits = shape.rank == x->rank;
    for (int d = 0; fits && d < x->rank; d++) {
        if (shape.dims[d] == -1)
            shape.dims[d] = x->dims[d];
        fits = shape.dims[d] == x->dims[d] || shape.dims[d] == 1;
    }
    if (!fits) {
        gt_fail(GT_INVALID, "noise_shape %s does not broadcast to x %s",
                gt_shape_text(shape, a, sizeof a), gt_shape_text(gt_spec_shape(x), b, sizeof b));
        return NULL;
    }
    gt_Tensor *ones = gt_broadcast_to(gt_scalar(1, x->dtype), shape);
    return draw(NULL, &gt_op_dropout, record, generator, ones);
}

gt_Tensor *gt_dropout_at(const char *here, gt_Tensor *x, double rate,
                         const gt_dropout_options *given)
{
    gt_dropout_options options = GT_TAKE(gt_dropout_options, given);
    const DropoutOptions record = GT_VALUES(DropoutOptions, rate);
    if (rate == 0)
        return gt_identity_at(here, x);
    gt_Site site = gt_site_enter(here, "dropout");
    gt_Slot *slot =
        site.context ? gt_slot_check(site.context, here, "dropout", "input 1", x) : NULL;
    gt_Tensor *y = NULL;
    if (slot && options.noise_shape.rank < 0) {
        y = draw(here, &gt_op_dropout, &record, options.generator, x);
    } else if (slot) {
        gt_Tensor *mask =
            noise(&slot->value->spec, &record, options.noise_shape, options.generator);
        y = mask ? gt_multiply(x, mask) : NULL;
    }
    gt_site_leave(site);
    return y;
}
