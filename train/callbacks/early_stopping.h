/* EarlyStopping: ends the training when a number gets no better. */
#ifndef GT_TRAIN_CALLBACKS_EARLY_STOPPING_H
#define GT_TRAIN_CALLBACKS_EARLY_STOPPING_H

#include "train/callback.h"
#include "train/callbacks/monitor.h"

GT_BEGIN

#define gt_EarlyStopping_OPTIONS(F, S)                                                             \
    F(S, const char *, monitor, "val_loss", "the number that is watched, at the end of each epoch") \
    F(S, double, min_delta, 0, "less than this is no progress")                                    \
    F(S, int32_t, patience, 0, "epochs without progress, after which it ends")                     \
    F(S, int32_t, verbose, 0, "1: says so")                                                        \
    F(S, gt_MonitorMode, mode, GT_MONITOR_MODE_AUTO, "which way is better")                        \
    F(S, double, baseline, GT_NONE, "what it has to be better than; else epochs count as without") \
    F(S, bool, restore_best_weights, false, "the model ends with the weights of its best epoch")   \
    F(S, int32_t, start_from_epoch, 0, "epochs before this one, from 0, are not watched")
GT_OPTIONS(gt_EarlyStopping_options, gt_EarlyStopping_OPTIONS);

/* gt_EarlyStopping(.patience = 3, .restore_best_weights = true): as Keras's. A number that is not logged is a warning.
 * Remembers wait, best, best_epoch, stopped_epoch (both from 0; 0: it did not stop), and, to restore them, the best
 * weights. They are restored when the training ends, also if it was not this callback that ended it. */
#define gt_EarlyStopping(...)                                                                      \
    gt_EarlyStopping_at(GT_HERE, GT_KEYWORDS(gt_EarlyStopping, __VA_ARGS__))
GT_API gt_Callback *gt_EarlyStopping_at(const char *here, const gt_EarlyStopping_options *options);

GT_END

#endif
