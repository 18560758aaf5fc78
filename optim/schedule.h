/* Learning rates that change with the step. A schedule is a small value, given to an optimizer:
 *
 *     gt_Adam(.schedule = gt_ExponentialDecay(1e-3, .decay_steps = 1000, .decay_rate = 0.9))
 *
 * It is computed by operations from the optimizer's own count, so a traced step needs nobody outside to move it on. Formulas
 * and names are Keras's (keras.optimizers.schedules). */
#ifndef GT_OPTIM_SCHEDULE_H
#define GT_OPTIM_SCHEDULE_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

typedef struct gt_ScheduleClass gt_ScheduleClass;
/* A schedule: its class, and what the class works with. GT_NOT_GIVEN is none. */
typedef struct gt_Schedule {
    const gt_ScheduleClass *type;
    void *context;
    uint64_t options[32]; /* of the class, by value */
} gt_Schedule;

/* p below is step / decay_steps, and the whole part of it with .staircase. */
#define GT_DECAY(F, S)                                                                             \
    F(S, double, initial_learning_rate, 0, "the rate of step 0; required")                         \
    F(S, double, decay_steps, 0, "steps of one decay; required, > 0")

#define gt_ExponentialDecay_OPTIONS(F, S)                                                          \
    GT_DECAY(F, S)                                                                                 \
    F(S, double, decay_rate, 0, "the factor of decay_steps; required")                             \
    F(S, bool, staircase, false, "all at once every decay_steps")
GT_OPTIONS(gt_ExponentialDecay_options, gt_ExponentialDecay_OPTIONS);
/* The rate falls by one factor in equal times: initial decay_rate^p. */
#define gt_ExponentialDecay(...)                                                                   \
    gt_ExponentialDecay_of(GT_KEYWORDS_1(gt_ExponentialDecay, initial_learning_rate, __VA_ARGS__))
GT_API gt_Schedule gt_ExponentialDecay_of(const gt_ExponentialDecay_options *options);

#define gt_InverseTimeDecay_OPTIONS(F, S)                                                          \
    GT_DECAY(F, S)                                                                                 \
    F(S, double, decay_rate, 0, "how fast; required")                                              \
    F(S, bool, staircase, false, "all at once every decay_steps")
GT_OPTIONS(gt_InverseTimeDecay_options, gt_InverseTimeDecay_OPTIONS);
/* The rate falls as one over the steps: initial / (1 + decay_rate p). */
#define gt_InverseTimeDecay(...)                                                                   \
    gt_InverseTimeDecay_of(GT_KEYWORDS_1(gt_InverseTimeDecay, initial_learning_rate, __VA_ARGS__))
GT_API gt_Schedule gt_InverseTimeDecay_of(const gt_InverseTimeDecay_options *options);

#define gt_PolynomialDecay_OPTIONS(F, S)                                                           \
    GT_DECAY(F, S)                                                                                 \
    F(S, double, end_learning_rate, 0.0001, "the rate after decay_steps")                          \
    F(S, double, power, 1, "1: a straight line")                                                   \
    F(S, bool, cycle, false, "goes on beyond decay_steps, with the next multiple of them")
GT_OPTIONS(gt_PolynomialDecay_options, gt_PolynomialDecay_OPTIONS);
/* The rate goes to another one, on a straight line or a power of it: (initial - end) (1 - p)^power + end, with p at most 1. */
#define gt_PolynomialDecay(...)                                                                    \
    gt_PolynomialDecay_of(GT_KEYWORDS_1(gt_PolynomialDecay, initial_learning_rate, __VA_ARGS__))
GT_API gt_Schedule gt_PolynomialDecay_of(const gt_PolynomialDecay_options *options);

#define gt_CosineDecay_OPTIONS(F, S)                                                               \
    GT_DECAY(F, S)                                                                                 \
    F(S, double, alpha, 0, "the part of the rate that stays at the end")                           \
    F(S, double, warmup_target, GT_NONE,                                                           \
      "the rate that a warm-up ends with; not given: no warm-up")                                  \
    F(S, double, warmup_steps, 0,                                                                  \
      "steps from the initial rate to warmup_target, on a straight line")
GT_OPTIONS(gt_CosineDecay_options, gt_CosineDecay_OPTIONS);
/* Half a wave of a cosine, with a warm-up if wanted: rate ((1 - alpha)(1 + cos(pi p)) / 2 + alpha), with p at most 1
 * (Loshchilov and Hutter 2016). The rate is the initial one; with a warm-up it is warmup_target, and steps count from the end
 * of that. */
#define gt_CosineDecay(...)                                                                        \
    gt_CosineDecay_of(GT_KEYWORDS_1(gt_CosineDecay, initial_learning_rate, __VA_ARGS__))
GT_API gt_Schedule gt_CosineDecay_of(const gt_CosineDecay_options *options);

#define gt_CosineDecayRestarts_OPTIONS(F, S)                                                       \
    F(S, double, initial_learning_rate, 0, "the rate of step 0; required")                         \
    F(S, double, first_decay_steps, 0, "steps of the first period; required, > 0")                 \
    F(S, double, t_mul, 2, "how much longer the next period is; >= 1")                             \
    F(S, double, m_mul, 1, "the factor of the rate that the next period starts with")              \
    F(S, double, alpha, 0, "the part of the rate that stays at the end of a period")
GT_OPTIONS(gt_CosineDecayRestarts_options, gt_CosineDecayRestarts_OPTIONS);
/* A cosine decay that starts again (SGDR, Loshchilov and Hutter 2016). */
#define gt_CosineDecayRestarts(...)                                                                \
    gt_CosineDecayRestarts_of(                                                                     \
        GT_KEYWORDS_1(gt_CosineDecayRestarts, initial_learning_rate, __VA_ARGS__))
GT_API gt_Schedule gt_CosineDecayRestarts_of(const gt_CosineDecayRestarts_options *options);

#define gt_PiecewiseConstantDecay_OPTIONS(F, S)                                                    \
    F(S, gt_Numbers, boundaries, GT_NO_NUMBERS, "steps, rising: gt_numbers(100, 1000); required")  \
    F(S, gt_Numbers, values, GT_NO_NUMBERS, "the rates between them, one more; required")
GT_OPTIONS(gt_PiecewiseConstantDecay_options, gt_PiecewiseConstantDecay_OPTIONS);
/* gt_PiecewiseConstantDecay(.boundaries = gt_numbers(100, 1000), .values = gt_numbers(1e-2, 1e-3, 1e-4)): values[0] up to
 * and with step 100, then values[1], ... */
#define gt_PiecewiseConstantDecay(...)                                                             \
    gt_PiecewiseConstantDecay_of(GT_KEYWORDS(gt_PiecewiseConstantDecay, __VA_ARGS__))
GT_API gt_Schedule gt_PiecewiseConstantDecay_of(const gt_PiecewiseConstantDecay_options *options);

/* One's own: the rate, a scalar, from the step, float64 (), made of operations. */
typedef gt_Tensor *(*gt_ScheduleFunction)(void *context, gt_Tensor *step);
GT_API gt_Schedule gt_schedule(gt_ScheduleFunction function, void *context);

/* A class of schedules, for one that has options and a name to be saved under. */
struct gt_ScheduleClass {
    const gt_Mark *mark;          /* GT_MARK */
    uint32_t size;                /* of this struct */
    const char *name;             /* "exponential_decay": what files say */
    const gt_OptionType *options; /* NULL: none; at most as large as gt_Schedule's */
    /* The rate, a scalar, from the step, float64 (). */
    gt_Tensor *(*rate)(const gt_Schedule *self, gt_Tensor *step);
    /* Raises what is wrong with the options; NULL: nothing can be. */
    gt_Status (*check)(const gt_Schedule *self);
    const char *function; /* "ExponentialDecay": gt_ExponentialDecay makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    const char *summary;  /* one line for the documentation */
};
/* A value of that class; `options` is a struct of its type, or NULL for the defaults. */
GT_API gt_Schedule gt_schedule_make(const gt_ScheduleClass *type, const void *options);

/* The rate of a step, from 0: float64 (), also in a trace, where the step is a tensor. NULL on failure. */
#define gt_schedule_rate(schedule, step) gt_schedule_rate_at(GT_HERE, schedule, step)
GT_API gt_Tensor *gt_schedule_rate_at(const char *here, gt_Schedule schedule, gt_Tensor *step);

/* All built-in classes of schedules; count gets how many. Static storage. */
GT_API const gt_ScheduleClass *const *gt_schedule_classes(int *count);
/* The built-in class of that name, ours ("cosine_decay") or Keras's ("CosineDecay"); NULL without an error if there is none. */
GT_API const gt_ScheduleClass *gt_schedule_class_find(const char *name);

GT_END

#endif
