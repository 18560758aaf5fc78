/* LearningRateScheduler. */
#include "train/callbacks/learning_rate_scheduler.h"
#include "train/callbacks/kit.h"

#include <math.h>

GT_OPTION_TYPE(gt_LearningRateScheduler_options, gt_LearningRateScheduler_OPTIONS);

static gt_Status check(const void *given)
{
    const gt_LearningRateScheduler_options *options = given;
    if (!options->schedule)
        return gt_fail(GT_INVALID, "schedule is NULL: the function of the epoch must be given");
    return gt_check_function("schedule", (uintptr_t)options->schedule);
}

static gt_Status begin_epoch(const gt_CallbackArgs *in)
{
    const gt_LearningRateScheduler_options *options = in->options;
    gt_Optimizer *optimizer = gt_callback_optimizer(in);
    if (!optimizer)
        return gt_status();
    double rate = options->schedule(options->context, in->epoch, gt_optimizer_learning_rate(optimizer));
    if (!isfinite(rate))
        return gt_fail(GT_INVALID, "the learning rate of epoch %lld must be finite (got %g)",
                       (long long)in->epoch, rate);
    gt_callback_say(in, options->verbose,
                    "Epoch %lld: LearningRateScheduler setting learning rate to %g.",
                    (long long)in->epoch + 1, rate);
    return gt_optimizer_set_learning_rate(optimizer, rate);
}

static gt_Status on(const gt_CallbackArgs *in)
{
    return in->hook == GT_HOOK_EPOCH_BEGIN ? begin_epoch(in) : gt_log_learning_rate(in);
}

const gt_CallbackClass gt_callback_class_learning_rate_scheduler = {
    .size = sizeof(gt_CallbackClass),
    .name = "learning_rate_scheduler",
    .function = "LearningRateScheduler",
    .keras = "LearningRateScheduler",
    .summary = "a learning rate for each epoch, by a function",
    .hooks = GT_HOOK_BIT(GT_HOOK_EPOCH_BEGIN) | GT_HOOK_BIT(GT_HOOK_EPOCH_END),
    .options = &gt_LearningRateScheduler_options_type,
    .check = check,
    .on = on};

gt_Callback *gt_LearningRateScheduler_at(const char *here,
                                         const gt_LearningRateScheduler_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_learning_rate_scheduler, options);
}
