/* Any text as the name of the files of a gt_ModelCheckpoint. A name that is made is no longer than it may be, and is the
 * pattern itself where that has no braces. */
#include "train/callbacks/model_checkpoint.c" /* the function is its own */

#include "tests/fuzz/fuzz.h"

static void fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), path[LONGEST + 1];
    gt_CallbackRun run = {.context = gt_context()};
    gt_CallbackArgs in = {.run = &run, .epoch = 4, .batch = -1};
    gt_ModelCheckpoint_options options = {
        GT_PRESETS(gt_ModelCheckpoint_options, gt_ModelCheckpoint_OPTIONS).filepath = text};
    run.logs.count = 2;
    run.logs.names[0] = "loss";
    run.logs.values[0] = 0.0123456789;
    run.logs.names[1] = "val_loss";
    run.logs.values[1] = -1e300;
    if (*text && fuzz_either(check(&options) == GT_OK)) {
        memset(path, '#', sizeof path);
        if (fuzz_either(put_name(&in, text, path) == GT_OK)) {
            if (!memchr(path, 0, LONGEST) || path[LONGEST] != '#')
                fuzz_stop("a name is too long");
            if (!strpbrk(text, "{}") && strcmp(text, path) != 0)
                fuzz_stop("a name is not what it was");
        }
    }
    free(text);
}
