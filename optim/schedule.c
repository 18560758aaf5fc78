/* Schedules: rates made of operations on the step, in float64. Formulas: Keras 3, optimizers/schedules. */
#include "optim/schedule.h"
#include "core/values.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "optim/internal.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_ExponentialDecay_options, gt_ExponentialDecay_OPTIONS);
GT_OPTION_TYPE(gt_InverseTimeDecay_options, gt_InverseTimeDecay_OPTIONS);
GT_OPTION_TYPE(gt_PolynomialDecay_options, gt_PolynomialDecay_OPTIONS);
GT_OPTION_TYPE(gt_CosineDecay_options, gt_CosineDecay_OPTIONS);
GT_OPTION_TYPE(gt_CosineDecayRestarts_options, gt_CosineDecayRestarts_OPTIONS);
GT_OPTION_TYPE(gt_PiecewiseConstantDecay_options, gt_PiecewiseConstantDecay_OPTIONS);

#define GT_SCHEDULE_RECORD(text, Function, line)                                                   \
    .mark = GT_MARK, .size = sizeof(gt_ScheduleClass), .name = text,                               \
    .options = &gt_##Function##_options_type, .function = #Function, .keras = #Function,           \
    .summary = line

static gt_Status check_finite(const char *name, double number)
{
    return isfinite(number) ? GT_OK
                            : gt_fail(GT_INVALID, "%s must be finite (got %g)", name, number);
}

static gt_Status check_steps(const char *name, double steps)
{
    return isfinite(steps) && steps > 0
               ? GT_OK
               : gt_fail(GT_INVALID, "%s must be finite and > 0 (got %g)", name, steps);
}

/* step / steps, or the whole part of it. */
static gt_Tensor *part_of(gt_Tensor *step, double steps, bool staircase)
{
    gt_Tensor *part = gt_divide(step, steps);
    return staircase ? gt_floor(part) : part;
}

/* (1 - alpha)(1 + cos(pi part)) / 2 + alpha */
static gt_Tensor *cosine(gt_Tensor *part, double alpha)
{
    const double pi = 3.14159265358979323846;
    gt_Tensor *falls = gt_multiply(gt_add(gt_cos(gt_multiply(part, pi)), 1), 0.5);
    return gt_add(gt_multiply(falls, 1 - alpha), alpha);
}

/* ---- ExponentialDecay ---- */

static gt_Status exponential_check(const gt_Schedule *self)
{
    gt_ExponentialDecay_options o = GT_OPTIONS_OF(gt_ExponentialDecay_options, self);
    check_finite("initial_learning_rate", o.initial_learning_rate);
    check_steps("decay_steps", o.decay_steps);
    return isfinite(o.decay_rate) && o.decay_rate > 0
               ? gt_status()
               : gt_fail(GT_INVALID, "decay_rate must be finite and > 0 (got %g)", o.decay_rate);
}

static gt_Tensor *exponential_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_ExponentialDecay_options o = GT_OPTIONS_OF(gt_ExponentialDecay_options, self);
    gt_Tensor *base = gt_scalar(o.decay_rate, GT_FLOAT64);
    return gt_multiply(gt_power(base, part_of(step, o.decay_steps, o.staircase)),
                       o.initial_learning_rate);
}

static const gt_ScheduleClass exponential_class = {
    GT_SCHEDULE_RECORD("exponential_decay", ExponentialDecay, "initial decay_rate^p"),
    .rate = exponential_rate,
    .check = exponential_check,
};

/* ---- InverseTimeDecay ---- */

static gt_Status inverse_time_check(const gt_Schedule *self)
{
    gt_InverseTimeDecay_options o = GT_OPTIONS_OF(gt_InverseTimeDecay_options, self);
    check_finite("initial_learning_rate", o.initial_learning_rate);
    check_finite("decay_rate", o.decay_rate);
    return check_steps("decay_steps", o.decay_steps);
}

static gt_Tensor *inverse_time_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_InverseTimeDecay_options o = GT_OPTIONS_OF(gt_InverseTimeDecay_options, self);
    gt_Tensor *part = part_of(step, o.decay_steps, o.staircase);
    return gt_divide(gt_scalar(o.initial_learning_rate, GT_FLOAT64),
                     gt_add(gt_multiply(part, o.decay_rate), 1));
}

static const gt_ScheduleClass inverse_time_class = {
    GT_SCHEDULE_RECORD("inverse_time_decay", InverseTimeDecay, "initial / (1 + decay_rate p)"),
    .rate = inverse_time_rate,
    .check = inverse_time_check,
};

/* ---- PolynomialDecay ---- */

static gt_Status polynomial_check(const gt_Schedule *self)
{
    gt_PolynomialDecay_options o = GT_OPTIONS_OF(gt_PolynomialDecay_options, self);
    check_finite("initial_learning_rate", o.initial_learning_rate);
    check_finite("end_learning_rate", o.end_learning_rate);
    check_finite("power", o.power);
    return check_steps("decay_steps", o.decay_steps);
}

/* With .cycle the steps of the decay are the next multiple that is not before the step. */
static gt_Tensor *polynomial_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_PolynomialDecay_options o = GT_OPTIONS_OF(gt_PolynomialDecay_options, self);
    gt_Tensor *part = gt_minimum(gt_divide(step, o.decay_steps), 1);
    if (o.cycle) {
        gt_Tensor *times = gt_maximum(gt_ceil(gt_divide(step, o.decay_steps)), 1);
        part = gt_divide(step, gt_multiply(times, o.decay_steps));
    }
    gt_Tensor *left = gt_power(gt_subtract(gt_scalar(1, GT_FLOAT64), part), o.power);
    return gt_add(gt_multiply(left, o.initial_learning_rate - o.end_learning_rate),
                  o.end_learning_rate);
}

static const gt_ScheduleClass polynomial_class = {
    GT_SCHEDULE_RECORD("polynomial_decay", PolynomialDecay, "(initial - end) (1 - p)^power + end"),
    .rate = polynomial_rate,
    .check = polynomial_check,
};

/* ---- CosineDecay ---- */

static gt_Status cosine_check(const gt_Schedule *self)
{
    gt_CosineDecay_options o = GT_OPTIONS_OF(gt_CosineDecay_options, self);
    const bool warms = o.warmup_target != GT_NONE;
    check_finite("initial_learning_rate", o.initial_learning_rate);
    check_finite("alpha", o.alpha);
    if (warms) {
        check_finite("warmup_target", o.warmup_target);
        check_steps("warmup_steps", o.warmup_steps);
    } else if (o.warmup_steps != 0) {
        return gt_fail(GT_INVALID, "warmup_steps come with a warmup_target");
    }
    return check_steps("decay_steps", o.decay_steps);
}

static gt_Tensor *cosine_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_CosineDecay_options o = GT_OPTIONS_OF(gt_CosineDecay_options, self);
    const bool warms = o.warmup_target != GT_NONE;
    gt_Tensor *after = warms ? gt_subtract(step, o.warmup_steps) : step;
    gt_Tensor *part = gt_minimum(gt_divide(after, o.decay_steps), 1);
    gt_Tensor *decays =
        gt_multiply(cosine(part, o.alpha), warms ? o.warmup_target : o.initial_learning_rate);
    if (!warms)
        return decays;
    gt_Tensor *rises =
        gt_multiply(gt_divide(step, o.warmup_steps), o.warmup_target - o.initial_learning_rate);
    return gt_where(gt_less(step, o.warmup_steps), gt_add(rises, o.initial_learning_rate), decays);
}

static const gt_ScheduleClass cosine_class = {
    GT_SCHEDULE_RECORD("cosine_decay", CosineDecay,
                       "half a cosine, after a warm-up if there is one"),
    .rate = cosine_rate,
    .check = cosine_check,
};

/* ---- CosineDecayRestarts ---- */

static gt_Status restarts_check(const gt_Schedule *self)
{
    gt_CosineDecayRestarts_options o = GT_OPTIONS_OF(gt_CosineDecayRestarts_options, self);
    check_finite("initial_learning_rate", o.initial_learning_rate);
    check_finite("m_mul", o.m_mul);
    check_finite("alpha", o.alpha);
    if (!(isfinite(o.t_mul) && o.t_mul >= 1))
        return gt_fail(GT_INVALID, "t_mul must be finite and >= 1 (got %g)", o.t_mul);
    return check_steps("first_decay_steps", o.first_decay_steps);
}

/* The period that a step is in, and how far in it: with t = t_mul periods have the lengths 1, t, t^2, ... and the first k
 * of them together (1 - t^k) / (1 - t). */
static gt_Tensor *restarts_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_CosineDecayRestarts_options o = GT_OPTIONS_OF(gt_CosineDecayRestarts_options, self);
    const double t = o.t_mul;
    gt_Tensor *part = gt_divide(step, o.first_decay_steps), *period = gt_floor(part);
    if (t == 1) {
        part = gt_subtract(part, period);
    } else {
        gt_Tensor *reached = gt_log(gt_add(gt_multiply(part, t - 1), 1));
        period = gt_floor(gt_divide(reached, log(t)));
        gt_Tensor *length = gt_power(gt_scalar(t, GT_FLOAT64), period);
        gt_Tensor *before = gt_divide(gt_subtract(length, 1), t - 1);
        part = gt_divide(gt_subtract(part, before), length);
    }
    gt_Tensor *factor = gt_power(gt_scalar(o.m_mul, GT_FLOAT64), period);
    /* The factor is inside the cosine's part, so that alpha is of the initial rate, as in Keras. */
    gt_Tensor *falls = gt_multiply(cosine(part, 0), gt_multiply(factor, 1 - o.alpha));
    return gt_multiply(gt_add(falls, o.alpha), o.initial_learning_rate);
}

static const gt_ScheduleClass restarts_class = {
    GT_SCHEDULE_RECORD("cosine_decay_restarts", CosineDecayRestarts,
                       "half a cosine, again and again"),
    .rate = restarts_rate,
    .check = restarts_check,
};

/* ---- PiecewiseConstantDecay ---- */

static gt_Status piecewise_check(const gt_Schedule *self)
{
    gt_PiecewiseConstantDecay_options o = GT_OPTIONS_OF(gt_PiecewiseConstantDecay_options, self);
    const int count = (int)o.boundaries.count;
    if (count < 1 || count >= GT_MAX_NUMBERS || o.values.count != count + 1)
        return gt_fail(GT_INVALID,
                       "it takes 1 to %d boundaries, and one value more (got %d and %d)",
                       GT_MAX_NUMBERS - 1, count, (int)o.values.count);
    for (int i = 0; i <= count; i++) {
        check_finite("a value", o.values.value[i]);
        if (i < count && !(isfinite(o.boundaries.value[i]) &&
                           (i == 0 || o.boundaries.value[i] > o.boundaries.value[i - 1])))
            return gt_fail(GT_INVALID, "boundaries must rise (number %d does not)", i);
    }
    return gt_status();
}

static gt_Tensor *piecewise_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_PiecewiseConstantDecay_options o = GT_OPTIONS_OF(gt_PiecewiseConstantDecay_options, self);
    const int count = (int)o.boundaries.count;
    gt_Tensor *rate = gt_scalar(o.values.value[count], GT_FLOAT64);
    for (int i = count - 1; i >= 0; i--)
        rate = gt_where(gt_less_equal(step, o.boundaries.value[i]),
                        gt_scalar(o.values.value[i], GT_FLOAT64), rate);
    return rate;
}

static const gt_ScheduleClass piecewise_class = {
    GT_SCHEDULE_RECORD("piecewise_constant_decay", PiecewiseConstantDecay,
                       "a rate for each stretch of steps"),
    .rate = piecewise_rate,
    .check = piecewise_check,
};

/* ---- one's own ---- */

/* The function stands among the options. */
static gt_ScheduleFunction function_of(const gt_Schedule *self)
{
    gt_ScheduleFunction function;
    memcpy(&function, self->options, sizeof function);
    return function;
}

static gt_Tensor *function_rate(const gt_Schedule *self, gt_Tensor *step)
{
    gt_Tensor *rate = function_of(self)(self->context, step);
    if (!rate)
        gt_fail(GT_INVALID, "the schedule's function returned no tensor");
    return rate;
}

static gt_Status function_check(const gt_Schedule *self)
{
    if (!function_of(self))
        return gt_fail(GT_INVALID, "the schedule's function is NULL");
    return gt_check_function("the schedule's function", (uintptr_t)function_of(self));
}

static const gt_ScheduleClass function_class = {.mark = GT_MARK,
                                                .size = sizeof function_class,
                                                .name = "function",
                                                .rate = function_rate,
                                                .check = function_check};

gt_Schedule gt_schedule(gt_ScheduleFunction function, void *context)
{
    gt_Schedule self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

/* ---- the classes ---- */

gt_Schedule gt_schedule_make(const gt_ScheduleClass *type, const void *options)
{
    gt_Schedule self = {.type = type};
    GT_TAKE_OPTIONS(&self, options);
    return self;
}

gt_Schedule gt_ExponentialDecay_of(const gt_ExponentialDecay_options *options)
{
    return gt_schedule_make(&exponential_class, options);
}

gt_Schedule gt_InverseTimeDecay_of(const gt_InverseTimeDecay_options *options)
{
    return gt_schedule_make(&inverse_time_class, options);
}

gt_Schedule gt_PolynomialDecay_of(const gt_PolynomialDecay_options *options)
{
    return gt_schedule_make(&polynomial_class, options);
}

gt_Schedule gt_CosineDecay_of(const gt_CosineDecay_options *options)
{
    return gt_schedule_make(&cosine_class, options);
}

gt_Schedule gt_CosineDecayRestarts_of(const gt_CosineDecayRestarts_options *options)
{
    return gt_schedule_make(&restarts_class, options);
}

gt_Schedule gt_PiecewiseConstantDecay_of(const gt_PiecewiseConstantDecay_options *options)
{
    return gt_schedule_make(&piecewise_class, options);
}

static const gt_ScheduleClass *const table[] = {&cosine_class,      &restarts_class,
                                                &exponential_class, &inverse_time_class,
                                                &piecewise_class,   &polynomial_class};

const gt_ScheduleClass *const *gt_schedule_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_ScheduleClass *gt_schedule_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, NULL))
            return table[i];
    return NULL;
}

/* ---- rates ---- */

gt_Status gt_schedule_check(const gt_Schedule *schedule)
{
    const gt_ScheduleClass *type = schedule->type;
    if (!type)
        return GT_OK;
    if (!gt_is_class(type) || !type->rate)
        return gt_fail(GT_INVALID,
                       "schedule must be one such as gt_CosineDecay(0.1, .decay_steps = 1000)");
    if (!GT_OPTIONS_FIT(schedule))
        return gt_options_too_large("schedule", type->options->size, sizeof schedule->options);
    return type->check ? type->check(schedule) : GT_OK;
}

gt_Tensor *gt_schedule_at(const gt_Schedule *schedule, gt_Tensor *step)
{
    gt_Tensor *rate = schedule->type->rate(schedule, gt_cast(step, GT_FLOAT64));
    if (rate && gt_rank(rate) != 0) {
        gt_fail(GT_INVALID, "a schedule gives one number (got %d dimensions)", gt_rank(rate));
        return NULL;
    }
    return gt_cast(rate, GT_FLOAT64);
}

gt_Tensor *gt_schedule_rate_at(const char *here, gt_Schedule schedule, gt_Tensor *step)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_tensor_check(context, here, "schedule_rate", "the step", step))
        return NULL;
    gt_Site site = gt_site_enter(here, "schedule_rate");
    gt_Tensor *rate = NULL;
    if (!schedule.type)
        gt_fail(GT_INVALID, "there is no schedule");
    else if (gt_schedule_check(&schedule) == GT_OK)
        rate = gt_schedule_at(&schedule, step);
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK ? rate : NULL;
}
