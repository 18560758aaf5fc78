/* ReduceLROnPlateau: a smaller learning rate when a number gets no better. */
#ifndef GT_TRAIN_CALLBACKS_REDUCE_LR_ON_PLATEAU_H
#define GT_TRAIN_CALLBACKS_REDUCE_LR_ON_PLATEAU_H

#include "train/callback.h"
#include "train/callbacks/monitor.h"

GT_BEGIN

#define gt_ReduceLROnPlateau_OPTIONS(F, S)                                                         \
    F(S, const char *, monitor, "val_loss", "the number that is watched, at the end of each epoch") \
    F(S, double, factor, 0.1, "of the learning rate, below 1")                                     \
    F(S, int32_t, patience, 10, "epochs without progress, after which it is reduced")              \
    F(S, int32_t, verbose, 0, "1: says so")                                                        \
    F(S, gt_MonitorMode, mode, GT_MONITOR_MODE_AUTO, "which way is better")                        \
    F(S, double, min_delta, 1e-4, "less than this is no progress")                                 \
    F(S, int32_t, cooldown, 0, "epochs after a reduction that do not count")                       \
    F(S, double, min_lr, 0, "the rate stays above")
GT_OPTIONS(gt_ReduceLROnPlateau_options, gt_ReduceLROnPlateau_OPTIONS);

/* gt_ReduceLROnPlateau(.patience = 5): as Keras's. The rate is logged as learning_rate. Remembers wait, best and cooldown. */
#define gt_ReduceLROnPlateau(...) gt_ReduceLROnPlateau_at(GT_HERE, GT_KEYWORDS(gt_ReduceLROnPlateau, __VA_ARGS__))
GT_API gt_Callback *gt_ReduceLROnPlateau_at(const char *here, const gt_ReduceLROnPlateau_options *options);

GT_END

#endif
