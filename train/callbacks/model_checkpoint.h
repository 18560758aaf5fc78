/* ModelCheckpoint: saves the model while it is trained. */
#ifndef GT_TRAIN_CALLBACKS_MODEL_CHECKPOINT_H
#define GT_TRAIN_CALLBACKS_MODEL_CHECKPOINT_H

#include "train/callback.h"
#include "train/callbacks/monitor.h"

GT_BEGIN

#define gt_ModelCheckpoint_OPTIONS(F, S)                                                           \
    F(S, const char *, filepath, NULL, "where; {epoch}, {batch}, {val_loss:.2f} in it are filled in") \
    F(S, const char *, monitor, "val_loss", "the number that is watched, for save_best_only")      \
    F(S, int32_t, verbose, 0, "1: says so")                                                        \
    F(S, bool, save_best_only, false, "only where that number is better than ever")                \
    F(S, bool, save_weights_only, false, "for gt_load_weights; else the model, for gt_load_model") \
    F(S, gt_MonitorMode, mode, GT_MONITOR_MODE_AUTO, "which way is better")                        \
    F(S, int64_t, save_freq, 0, "after so many batches; 0: after each epoch")                      \
    F(S, double, initial_value_threshold, GT_NONE, "the first one must be better than this")       \
    F(S, bool, save_run, false, "all that gt_load_checkpoint resumes the run from")                \
    F(S, int32_t, max_to_keep, 0, "files; older ones of this callback are removed. 0: all stay")
GT_OPTIONS(gt_ModelCheckpoint_options, gt_ModelCheckpoint_OPTIONS);

/* gt_ModelCheckpoint("saved/{epoch:02d}-{val_loss:.2f}.gradtape", .save_best_only = true): {NAME} or {NAME:FORMAT} is a
 * number that is logged, the epoch or the batch, both from 1; FORMAT is as in Python: [0][width][.digits][d|e|f|g]; "{{" is
 * a brace. Folders are made. A file appears whole or not at all. With save_freq it is the numbers of the epoch so far that
 * are logged. Where the number that is watched is not logged, that is a warning, and the file is written. Remembers best,
 * batches since the last file, and with max_to_keep the names of its files. */
#define gt_ModelCheckpoint(...)                                                                    \
    gt_ModelCheckpoint_at(GT_HERE, GT_KEYWORDS_1(gt_ModelCheckpoint, filepath, __VA_ARGS__))
GT_API gt_Callback *gt_ModelCheckpoint_at(const char *here, const gt_ModelCheckpoint_options *options);

GT_END

#endif
