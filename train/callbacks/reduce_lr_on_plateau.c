/* ReduceLROnPlateau. */
#include "train/callbacks/reduce_lr_on_plateau.h"
#include "train/callbacks/kit.h"

#include <math.h>

GT_OPTION_TYPE(gt_ReduceLROnPlateau_options, gt_ReduceLROnPlateau_OPTIONS);

enum { WAIT, BEST, COOLDOWN };
static const gt_CallbackState numbers[] = {{"wait", 0}, {"best", NAN}, {"cooldown", 0}, {NULL, 0}};

static gt_Status check(const void *given)
{
    const gt_ReduceLROnPlateau_options *options = given;
    if (!(options->factor < 1))
        return gt_fail(GT_INVALID, "factor must be below 1 (got %g)", options->factor);
    if (options->patience < 0 || options->cooldown < 0)
        return gt_fail(GT_INVALID, "patience and cooldown must be >= 0 (got %d and %d)",
                       (int)options->patience, (int)options->cooldown);
    return gt_monitor_check(options->monitor, options->mode);
}

/* False: the rate is as small as it may be. */
static bool reduce(const gt_CallbackArgs *in, const gt_ReduceLROnPlateau_options *options)
{
    gt_Optimizer *optimizer = gt_callback_optimizer(in);
    double rate = optimizer ? gt_optimizer_learning_rate(optimizer) : 0;
    /* Compared as float32, as Keras does: 0.1 that came from there is not above a min_lr of 0.1. */
    if (!(rate > (double)(float)options->min_lr))
        return false;
    rate = fmax(rate * options->factor, options->min_lr);
    gt_callback_say(in, options->verbose,
                    "Epoch %lld: ReduceLROnPlateau reducing learning rate to %g.",
                    (long long)in->epoch + 1, rate);
    return gt_optimizer_set_learning_rate(optimizer, rate) == GT_OK;
}

static gt_Status end_epoch(const gt_CallbackArgs *in)
{
    const gt_ReduceLROnPlateau_options *options = in->options;
    double value;
    if (gt_log_learning_rate(in) != GT_OK || !gt_monitor_read(in, options->monitor, &value))
        return gt_status();
    if (gt_recall(in, COOLDOWN) > 0) {
        gt_remember(in, COOLDOWN, gt_recall(in, COOLDOWN) - 1);
        gt_remember(in, WAIT, 0);
    }
    if (gt_monitor_better(in, options->monitor, options->mode, options->min_delta, value,
                          gt_recall(in, BEST))) {
        gt_remember(in, BEST, value);
        gt_remember(in, WAIT, 0);
    } else if (gt_status() == GT_OK && gt_recall(in, COOLDOWN) == 0) {
        gt_remember(in, WAIT, gt_recall(in, WAIT) + 1);
        if (gt_recall(in, WAIT) >= options->patience && reduce(in, options)) {
            gt_remember(in, COOLDOWN, options->cooldown);
            gt_remember(in, WAIT, 0);
        }
    }
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    if (in->hook == GT_HOOK_EPOCH_END)
        return end_epoch(in);
    gt_forget(in);
    return gt_status();
}

const gt_CallbackClass gt_callback_class_reduce_lr_on_plateau = {
    .size = sizeof(gt_CallbackClass),
    .name = "reduce_lr_on_plateau",
    .function = "ReduceLROnPlateau",
    .keras = "ReduceLROnPlateau",
    .summary = "a smaller learning rate when a number gets no better",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_EPOCH_END),
    .options = &gt_ReduceLROnPlateau_options_type,
    .states = numbers,
    .check = check,
    .on = on};

gt_Callback *gt_ReduceLROnPlateau_at(const char *here, const gt_ReduceLROnPlateau_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_reduce_lr_on_plateau, options);
}
