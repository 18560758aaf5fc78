/* For the files of this folder. Private to it. */
#ifndef GT_TRAIN_CALLBACKS_KIT_H
#define GT_TRAIN_CALLBACKS_KIT_H

#include "train/callback_run.h"
#include "train/callbacks/monitor.h"

/* State number `state`, of those that the class names. */
static inline double gt_recall(const gt_CallbackArgs *in, int state)
{
    return *(const double *)gt_tensor_data(in->states[state]);
}
void gt_remember(const gt_CallbackArgs *in, int state, double value);
/* The states of the class as they were at first, unless the run is resumed. */
void gt_forget(const gt_CallbackArgs *in);

/* A line for the progress, if `verbose`. */
void gt_callback_say(const gt_CallbackArgs *in, int verbose, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Is `value` better than `best`, by more than min_delta? NaN stands for none: any number is better. An error where nobody
 * says which way is better. */
bool gt_monitor_better(const gt_CallbackArgs *in, const char *monitor, gt_MonitorMode mode,
                       double min_delta, double value, double best);
/* The number that is watched; where there is none, a warning that lists what there is, and false. */
bool gt_monitor_read(const gt_CallbackArgs *in, const char *monitor, double *value);
/* Raises what is wrong with the two options. */
gt_Status gt_monitor_check(const char *monitor, gt_MonitorMode mode);

/* The optimizer of the model; NULL with an error if there is none. */
gt_Optimizer *gt_callback_optimizer(const gt_CallbackArgs *in);
/* Adds the learning rate to what is logged, as Keras's callbacks that change it do. */
gt_Status gt_log_learning_rate(const gt_CallbackArgs *in);

#define gt_callback_is_given(option) ((option) != GT_NONE)

#endif
