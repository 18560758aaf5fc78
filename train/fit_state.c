/* What stays of a gt_fit in the compiled model: where it is, its history, its callbacks. A checkpoint holds it, and a gt_fit
 * with .resume goes on from it. */
#include "train/callback_run.h"

void gt_fit_keep_history(gt_FitState *fit, gt_History *history)
{
    if (history)
        gt_object_sink(gt_history_object(history));
    if (fit->history)
        gt_object_release(gt_history_object(fit->history));
    fit->history = history;
}

gt_Status gt_fit_keep_callbacks(gt_Context *context, gt_FitState *fit, gt_Callback *const *items,
                                int32_t count)
{
    gt_Callback **copy = count ? gt_allocate(context, (size_t)count * sizeof *copy) : NULL;
    if (count && !copy)
        return gt_context_status(context);
    for (int32_t i = 0; i < count; i++) {
        copy[i] = items[i];
        copy[i]->object.references++;
    }
    for (int32_t i = 0; i < fit->callback_count; i++)
        gt_object_release(&fit->callbacks[i]->object);
    gt_release(context, fit->callbacks, (size_t)fit->callback_count * sizeof *copy);
    fit->callbacks = copy;
    fit->callback_count = count;
    return gt_context_status(context);
}

void gt_fit_restart(gt_FitState *fit, int64_t epoch)
{
    gt_fit_keep_history(fit, NULL);
    fit->begun = true;
    fit->epoch = epoch;
    fit->batch = 0;
    fit->stopped = false;
}

void gt_fit_close(gt_Context *context, gt_FitState *fit)
{
    gt_fit_keep_history(fit, NULL);
    gt_fit_keep_callbacks(context, fit, NULL, 0);
}
