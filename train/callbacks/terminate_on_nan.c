/* TerminateOnNaN. */
#include "train/callbacks/terminate_on_nan.h"
#include "train/callbacks/kit.h"

#include <math.h>

GT_OPTION_TYPE(gt_TerminateOnNaN_options, gt_TerminateOnNaN_OPTIONS);

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_TerminateOnNaN_options *options = in->options;
    double loss;
    if (!gt_logged(in, "loss", &loss) || isfinite(loss))
        return gt_status();
    if (options->raise_error)
        return gt_fail(GT_INVALID, "the loss is %g after batch %lld of epoch %lld", loss,
                       (long long)in->batch, (long long)in->epoch);
    gt_callback_say(in, 1, "Batch %lld: Invalid loss, terminating training", (long long)in->batch);
    return gt_stop(in);
}

const gt_CallbackClass gt_callback_class_terminate_on_nan = {
    .size = sizeof(gt_CallbackClass),
    .name = "terminate_on_nan",
    .function = "TerminateOnNaN",
    .keras = "TerminateOnNaN",
    .summary = "ends the training when the loss is not finite",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END),
    .options = &gt_TerminateOnNaN_options_type,
    .on = on};

gt_Callback *gt_TerminateOnNaN_at(const char *here, const gt_TerminateOnNaN_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_terminate_on_nan, options);
}
