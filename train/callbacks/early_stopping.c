/* EarlyStopping. The best weights are states beside its numbers: one for each weight of the model. */
#include "train/callbacks/early_stopping.h"
#include "train/callbacks/kit.h"

#include <math.h>
#include <stdio.h>

GT_OPTION_TYPE(gt_EarlyStopping_options, gt_EarlyStopping_OPTIONS);

/* KEPT: are there best weights? */
enum { WAIT, BEST, BEST_EPOCH, STOPPED_EPOCH, KEPT, NUMBERS };
static const gt_CallbackState numbers[] = {{"wait", 0},          {"best", NAN}, {"best_epoch", 0},
                                           {"stopped_epoch", 0}, {"kept", 0},   {NULL, 0}};

static gt_Status check(const void *given)
{
    const gt_EarlyStopping_options *options = given;
    if (options->patience < 0 || options->start_from_epoch < 0)
        return gt_fail(GT_INVALID, "patience and start_from_epoch must be >= 0 (got %d and %d)",
                       (int)options->patience, (int)options->start_from_epoch);
    if (!isfinite(options->min_delta))
        return gt_fail(GT_INVALID, "min_delta must be finite (got %g)", options->min_delta);
    return gt_monitor_check(options->monitor, options->mode);
}

static gt_Status build(const gt_CallbackArgs *in)
{
    const gt_EarlyStopping_options *options = in->options;
    gt_Tensors weights = gt_weights(in->model);
    for (int32_t i = 0; options->restore_best_weights && i < weights.count; i++) {
        char name[2048];
        snprintf(name, sizeof name, "weights/%s", gt_variable_path(in->model, weights.items[i]));
        if (!gt_callback_add_state(in->callback, name, gt_spec(weights.items[i])))
            break;
    }
    return gt_status();
}

static gt_Status copy(gt_Variable *to, const gt_Variable *from)
{
    return gt_variable_set(to, gt_data(from), gt_spec_bytes(gt_tensor_spec(from)));
}

static gt_Status keep_weights(const gt_CallbackArgs *in)
{
    gt_Tensors weights = gt_weights(in->model);
    if (weights.count != in->callback->count - NUMBERS)
        return gt_fail(GT_STATE, "the model got other weights while it was trained");
    for (int32_t i = 0; i < weights.count && gt_status() == GT_OK; i++)
        copy(in->states[NUMBERS + i], weights.items[i]);
    gt_remember(in, KEPT, 1);
    gt_remember(in, BEST_EPOCH, (double)in->epoch);
    return gt_status();
}

static gt_Status restore_weights(const gt_CallbackArgs *in, const gt_EarlyStopping_options *options)
{
    gt_Tensors weights = gt_weights(in->model);
    gt_callback_say(in, options->verbose,
                    "Restoring model weights from the end of the best epoch: %g.",
                    gt_recall(in, BEST_EPOCH) + 1);
    for (int32_t i = 0; i < weights.count && NUMBERS + i < in->callback->count; i++)
        copy(weights.items[i], in->states[NUMBERS + i]);
    return gt_status();
}

static bool better(const gt_CallbackArgs *in, double value, double than)
{
    const gt_EarlyStopping_options *options = in->options;
    return gt_monitor_better(in, options->monitor, options->mode, options->min_delta, value, than);
}

static gt_Status end_epoch(const gt_CallbackArgs *in)
{
    const gt_EarlyStopping_options *options = in->options;
    double value;
    if (!gt_monitor_read(in, options->monitor, &value) || in->epoch < options->start_from_epoch)
        return gt_status();
    if (options->restore_best_weights && gt_recall(in, KEPT) == 0)
        keep_weights(in);
    gt_remember(in, WAIT, gt_recall(in, WAIT) + 1);
    if (better(in, value, gt_recall(in, BEST))) {
        gt_remember(in, BEST, value);
        gt_remember(in, BEST_EPOCH, (double)in->epoch);
        if (options->restore_best_weights)
            keep_weights(in);
        if (!gt_callback_is_given(options->baseline) || better(in, value, options->baseline))
            gt_remember(in, WAIT, 0);
        return gt_status();
    }
    if (gt_status() == GT_OK && gt_recall(in, WAIT) >= options->patience && in->epoch > 0) {
        gt_remember(in, STOPPED_EPOCH, (double)in->epoch);
        gt_stop(in);
    }
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_EarlyStopping_options *options = in->options;
    if (in->hook == GT_HOOK_TRAIN_BEGIN)
        gt_forget(in);
    else if (in->hook == GT_HOOK_EPOCH_END)
        end_epoch(in);
    else {
        if (gt_recall(in, STOPPED_EPOCH) > 0)
            gt_callback_say(in, options->verbose, "Epoch %g: early stopping",
                            gt_recall(in, STOPPED_EPOCH) + 1);
        if (gt_recall(in, KEPT) != 0)
            restore_weights(in, options);
    }
    return gt_status();
}

const gt_CallbackClass gt_callback_class_early_stopping = {
    .size = sizeof(gt_CallbackClass),
    .name = "early_stopping",
    .function = "EarlyStopping",
    .keras = "EarlyStopping",
    .summary = "ends the training when a number gets no better",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_EPOCH_END) |
             GT_HOOK_BIT(GT_HOOK_TRAIN_END),
    .options = &gt_EarlyStopping_options_type,
    .states = numbers,
    .check = check,
    .build = build,
    .on = on};

gt_Callback *gt_EarlyStopping_at(const char *here, const gt_EarlyStopping_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_early_stopping, options);
}
