/* LearningRateScheduler: a learning rate for each epoch, by a function. */
#ifndef GT_TRAIN_CALLBACKS_LEARNING_RATE_SCHEDULER_H
#define GT_TRAIN_CALLBACKS_LEARNING_RATE_SCHEDULER_H

#include "train/callback.h"

GT_BEGIN

/* The learning rate of an epoch, from 0, from the one before; not finite is an error. */
typedef double (*gt_EpochSchedule)(void *context, int64_t epoch, double learning_rate);

#define gt_LearningRateScheduler_OPTIONS(F, S)                                                     \
    F(S, gt_EpochSchedule, schedule, NULL, "the function; required")                               \
    F(S, void *, context, NULL, "what it is called with")                                          \
    F(S, int32_t, verbose, 0, "1: says what the rate is")
GT_OPTIONS(gt_LearningRateScheduler_options, gt_LearningRateScheduler_OPTIONS);

/* gt_LearningRateScheduler(halve): the rate of an epoch is schedule(context, epoch, rate so far). It is logged as
 * learning_rate. A schedule of steps is an option of the optimizer: gt_Schedule. */
#define gt_LearningRateScheduler(...)                                                              \
    gt_LearningRateScheduler_at(GT_HERE, GT_KEYWORDS_1(gt_LearningRateScheduler, schedule, __VA_ARGS__))
GT_API gt_Callback *gt_LearningRateScheduler_at(const char *here, const gt_LearningRateScheduler_options *options);

GT_END

#endif
