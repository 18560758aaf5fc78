/* BackupAndRestore: gt_save_checkpoint into a folder of its own, and gt_load_checkpoint when a training begins. */
#include "train/callbacks/backup_and_restore.h"
#include "io/file.h"
#include "train/callbacks/kit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

GT_OPTION_TYPE(gt_BackupAndRestore_options, gt_BackupAndRestore_OPTIONS);

enum { BATCHES }; /* since the last backup */
static const gt_CallbackState numbers[] = {{"batches", 0}, {NULL, 0}};
#define LONGEST 1024

static gt_Status check(const void *given)
{
    const gt_BackupAndRestore_options *options = given;
    if (!options->backup_dir || !*options->backup_dir)
        return gt_fail(GT_INVALID, "backup_dir is %s", options->backup_dir ? "empty" : "NULL");
    if (strlen(options->backup_dir) + 32 > LONGEST)
        return gt_fail(GT_INVALID, "backup_dir is longer than %d bytes", LONGEST - 32);
    if (options->save_freq < 0)
        return gt_fail(GT_INVALID, "save_freq must be >= 0 (got %lld)", (long long)options->save_freq);
    return GT_OK;
}

/* The last backup, and the one before. */
static const char *latest(const gt_CallbackArgs *in, char path[LONGEST])
{
    const gt_BackupAndRestore_options *options = in->options;
    snprintf(path, LONGEST, "%s/latest.safetensors", options->backup_dir);
    return path;
}

static const char *previous(const gt_CallbackArgs *in, char path[LONGEST])
{
    const gt_BackupAndRestore_options *options = in->options;
    snprintf(path, LONGEST, "%s/previous.safetensors", options->backup_dir);
    return path;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static gt_Status restore(const gt_CallbackArgs *in)
{
    char path[LONGEST], before[LONGEST];
    latest(in, path);
    previous(in, before);
    gt_file_sweep(path);
    if (gt_make_folders(in->run->context, path) != GT_OK) /* sooner than after the first epoch */
        return gt_status();
    if (!exists(path) && !exists(before)) {
        gt_forget(in);
        return gt_status();
    }
    if (exists(path) && (gt_checkpoint_resume(in->run, path) == GT_OK || !exists(before)))
        return gt_status();
    /* The last one cannot be read: that is told where the one before can. */
    char why[400];
    snprintf(why, sizeof why, "%s", gt_context_message(in->run->context));
    gt_error_clear();
    if (gt_checkpoint_resume(in->run, before) == GT_OK)
        gt_warn(in->run->context, NULL, "backup_and_restore", "goes on from %s: %s", before,
                *why ? why : "the last backup is not there");
    return gt_status();
}

static gt_Status back_up(const gt_CallbackArgs *in)
{
    const gt_BackupAndRestore_options *options = in->options;
    char path[LONGEST], before[LONGEST];
    if (gt_make_folders(in->run->context, latest(in, path)) != GT_OK)
        return gt_status();
    if (options->double_checkpoint && exists(path)) {
        unlink(previous(in, before));
        if (link(path, before) != 0) /* a file system without links */
            rename(path, before);
    }
    return gt_checkpoint_write(in->run, path);
}

static gt_Status end(const gt_CallbackArgs *in)
{
    const gt_BackupAndRestore_options *options = in->options;
    char path[LONGEST];
    if (in->interrupted)
        return back_up(in);
    if (!options->delete_checkpoint)
        return gt_status();
    unlink(latest(in, path));
    gt_file_sweep(path);
    unlink(previous(in, path));
    rmdir(options->backup_dir); /* stays if there is more in it */
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_BackupAndRestore_options *options = in->options;
    if (in->hook == GT_HOOK_TRAIN_BEGIN)
        return restore(in);
    if (in->hook == GT_HOOK_TRAIN_END)
        return end(in);
    if (in->hook == GT_HOOK_EPOCH_END)
        return options->save_freq == 0 ? back_up(in) : gt_status();
    if (options->save_freq == 0)
        return gt_status();
    double batches = gt_recall(in, BATCHES) + 1;
    gt_remember(in, BATCHES, batches >= (double)options->save_freq ? 0 : batches);
    return batches >= (double)options->save_freq ? back_up(in) : gt_status();
}

const gt_CallbackClass gt_callback_class_backup_and_restore = {
    .size = sizeof(gt_CallbackClass),
    .name = "backup_and_restore",
    .function = "BackupAndRestore",
    .keras = "BackupAndRestore",
    .summary = "a training that was killed goes on where it was",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END) |
             GT_HOOK_BIT(GT_HOOK_EPOCH_END) | GT_HOOK_BIT(GT_HOOK_TRAIN_END),
    .options = &gt_BackupAndRestore_options_type,
    .states = numbers,
    .check = check,
    .on = on,
    .outer = 2};

gt_Callback *gt_BackupAndRestore_at(const char *here, const gt_BackupAndRestore_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_backup_and_restore, options);
}
