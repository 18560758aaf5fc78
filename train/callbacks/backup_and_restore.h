/* BackupAndRestore: a training that was killed goes on where it was. */
#ifndef GT_TRAIN_CALLBACKS_BACKUP_AND_RESTORE_H
#define GT_TRAIN_CALLBACKS_BACKUP_AND_RESTORE_H

#include "train/callback.h"

GT_BEGIN

#define gt_BackupAndRestore_OPTIONS(F, S)                                                          \
    F(S, const char *, backup_dir, NULL, "the folder of the backups, of this training alone")      \
    F(S, int64_t, save_freq, 0, "after so many batches; 0: after each epoch")                      \
    F(S, bool, double_checkpoint, false, "keeps the backup before the last one, too")              \
    F(S, bool, delete_checkpoint, true, "the folder is removed when the training is finished")
GT_OPTIONS(gt_BackupAndRestore_options, gt_BackupAndRestore_OPTIONS);

/* gt_BackupAndRestore("backup"): the same program, started again after it was killed, trains on from the last backup, and
 * ends with the bits that it would have ended with: weights, history, what the other callbacks remember. A backup is the
 * file latest.safetensors of gt_save_checkpoint, written whole or not at all; where it cannot be read previous.safetensors
 * is, if there is one. What a killed process left in the folder is removed. */
#define gt_BackupAndRestore(...)                                                                   \
    gt_BackupAndRestore_at(GT_HERE, GT_KEYWORDS_1(gt_BackupAndRestore, backup_dir, __VA_ARGS__))
GT_API gt_Callback *gt_BackupAndRestore_at(const char *here,
                                           const gt_BackupAndRestore_options *options);

GT_END

#endif
