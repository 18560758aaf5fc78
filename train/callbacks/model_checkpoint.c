/* ModelCheckpoint. A name is put together from its pattern, a file written, and one that is too old removed: the names of
 * those that stay are bytes in a state, so that a run that is resumed still knows them. */
#include "train/callbacks/model_checkpoint.h"
#include "core/text.h"
#include "io/file.h"
#include "io/number.h"
#include "models/weights.h"
#include "train/callbacks/kit.h"
#include "train/model_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

GT_OPTION_TYPE(gt_ModelCheckpoint_options, gt_ModelCheckpoint_OPTIONS);

/* FILES: uint8 (max_to_keep + 1, LONGEST), the oldest first. If the list is full, its first file is to be removed, or was: a
 * run's file is written with the new list in it before an old file goes, so that there is always one that can be read. */
enum { BEST, BATCHES, FILES };
static const gt_CallbackState numbers[] = {{"best", NAN}, {"batches", 0}, {NULL, 0}};
#define LONGEST 1024

/* ---- names ---- */

/* The number of that name; false: there is none. */
static bool number_called(const gt_CallbackArgs *in, const char *name, double *value)
{
    if (strcmp(name, "epoch") == 0)
        *value = (double)in->epoch + 1;
    else if (strcmp(name, "batch") == 0 && in->batch >= 0)
        *value = (double)in->batch + 1;
    else
        return gt_logged(in, name, value);
    return true;
}

/* The number as "02d", ".4f" and the like say; "" for a format that is none of these: a 0, a width of up to two digits, a
 * point and up to two digits, one of dfeg, all of which may be left out. */
static void put_number(char *into, size_t size, const char *format, double value)
{
    char text[GT_NUMBER_TEXT], how[16];
    size_t width = strspn(format, "0123456789"), point = format[width] == '.';
    size_t digits = point ? strspn(format + width + 1, "0123456789") : 0;
    char type = format[width + point + digits];
    bool known = width <= 3 && digits <= 2 && (!type || (strchr("dfeg", type) && !format[width + point + digits + 1]));
    *into = 0;
    if (!*format)
        gt_text(into, size, "%s", gt_number_text(value, false, text));
    else if (known && type == 'd' && !point) {
        snprintf(how, sizeof how, "%%%.*s.0f", (int)width, format); /* any size, also infinity */
        gt_text(into, size, how, trunc(value) + 0.0); /* no -0 */
    } else if (known && type != 'd') {
        snprintf(how, sizeof how, "%%%.*s%c", (int)(width + point + digits), format, type ? type : 'g');
        gt_text(into, size, how, value);
    }
}

/* "{NAME:FORMAT}" at `at`; returns what follows it, NULL with the error raised. */
static const char *put_field(const gt_CallbackArgs *in, const char *at, char *into, size_t size)
{
    char name[96] = "", format[16] = "";
    size_t length = strcspn(++at, ":}"), more = at[length] == ':' ? strcspn(at + length, "}") : 0;
    double value;
    if (length < sizeof name)
        memcpy(name, at, length);
    memcpy(format, at + length + 1, more == 0 ? 0 : more < sizeof format ? more - 1 : sizeof format - 1);
    *into = 0;
    if (!number_called(in, name, &value))
        gt_fail(GT_INVALID, "{%s} in the file's name is not logged at this hook", name);
    else
        put_number(into, size, format, value);
    if (gt_status() == GT_OK && !*into)
        gt_fail(GT_INVALID, "unknown format \"%s\" in the file's name; expected something like 02d or .4f",
                format);
    return gt_status() == GT_OK ? at + length + more + 1 : NULL;
}

static gt_Status put_name(const gt_CallbackArgs *in, const char *pattern, char path[LONGEST])
{
    char field[512]; /* the longest number is -1e308 with all its digits and 99 more */
    size_t used = 0;
    while (*pattern && used < LONGEST) {
        bool doubled = (*pattern == '{' || *pattern == '}') && pattern[1] == *pattern;
        if (*pattern != '{' || doubled) {
            path[used++] = *pattern;
            pattern += doubled ? 2 : 1;
            continue;
        }
        pattern = put_field(in, pattern, field, sizeof field);
        if (!pattern)
            return gt_status();
        size_t length = strlen(field);
        memcpy(path + used, field, length < LONGEST - used ? length : 0);
        used += length;
    }
    if (used >= LONGEST)
        return gt_fail(GT_INVALID, "the file's name is longer than %d bytes", LONGEST - 1);
    path[used] = 0;
    return gt_status();
}

static gt_Status check(const void *given)
{
    const gt_ModelCheckpoint_options *options = given;
    if (!options->filepath || !*options->filepath)
        return gt_fail(GT_INVALID, "filepath is %s", options->filepath ? "empty" : "NULL");
    for (const char *at = options->filepath; *at; at++) {
        if (*at == '{' && at[1] == '{') {
            at++;
            continue;
        }
        if (*at == '{' && !(at = strchr(at, '}')))
            return gt_fail(GT_INVALID, "filepath has a { without a }: %s", options->filepath);
    }
    if (options->save_freq < 0 || options->max_to_keep < 0)
        return gt_fail(GT_INVALID, "save_freq and max_to_keep must be >= 0 (got %lld and %d)",
                       (long long)options->save_freq, (int)options->max_to_keep);
    if (options->save_weights_only && options->save_run)
        return gt_fail(GT_INVALID, "save_weights_only and save_run exclude each other");
    return gt_monitor_check(options->monitor, options->mode);
}

/* ---- files ---- */

static gt_Status build(const gt_CallbackArgs *in)
{
    const gt_ModelCheckpoint_options *options = in->options;
    gt_Spec spec = {.dtype = GT_UINT8, .rank = 2, .dims = {(int64_t)options->max_to_keep + 1, LONGEST}};
    if (options->max_to_keep > 0)
        gt_callback_add_state(in->callback, "files", spec);
    return gt_status();
}

/* The file is the youngest of the list now. */
static gt_Status add_file(const gt_CallbackArgs *in, const char *path, size_t most)
{
    char *names = gt_variable_memory(in->run->context, in->states[FILES], true);
    size_t count = 0;
    if (!names)
        return gt_status();
    for (size_t i = names[most * LONGEST] ? 1 : 0; i <= most && names[i * LONGEST]; i++)
        if (strncmp(names + i * LONGEST, path, LONGEST) != 0)
            memmove(names + count++ * LONGEST, names + i * LONGEST, LONGEST);
    memset(names + count * LONGEST, 0, (most + 1 - count) * LONGEST);
    memcpy(names + count * LONGEST, path, strlen(path));
    return gt_status();
}

/* Could the pattern have made this name? The list may come out of a file, which is no reason to remove any other one. */
static bool is_ours(const char *pattern, const char *name)
{
    const size_t begin = strcspn(pattern, "{}"), length = strlen(name);
    const char *last = strrchr(pattern, '}'), *end = last ? last + 1 : pattern + begin;
    return length >= begin + strlen(end) && strncmp(name, pattern, begin) == 0 &&
           strcmp(name + length - strlen(end), end) == 0 && !strstr(name + begin, "..");
}

static void remove_oldest(const gt_CallbackArgs *in, const char *pattern, size_t most)
{
    const char *names = gt_tensor_data(in->states[FILES]);
    char name[LONGEST];
    memcpy(name, names, LONGEST);
    name[LONGEST - 1] = 0;
    if (names[most * LONGEST] && is_ours(pattern, name))
        unlink(name);
}

static gt_Status write_file(const gt_CallbackArgs *in, const gt_ModelCheckpoint_options *options,
                            const char *path)
{
    const size_t most = (size_t)options->max_to_keep;
    if (gt_make_folders(in->run->context, path) != GT_OK)
        return gt_status();
    gt_file_sweep(path);
    if (most > 0 && options->save_run)
        add_file(in, path, most);
    if (options->save_run)
        gt_checkpoint_write(in->run, path);
    else if (options->save_weights_only)
        gt_save_weights(in->model, path);
    else
        gt_save_model(in->model, path);
    if (most > 0 && !options->save_run && gt_status() == GT_OK)
        add_file(in, path, most);
    if (most > 0 && gt_status() == GT_OK)
        remove_oldest(in, options->filepath, most);
    return gt_status();
}

/* Is there something to save? */
static bool due(const gt_CallbackArgs *in, const gt_ModelCheckpoint_options *options, const char *path)
{
    double value, best = gt_recall(in, BEST);
    if (!options->save_best_only || !gt_monitor_read(in, options->monitor, &value))
        return true;
    if (isnan(best) && gt_callback_is_given(options->initial_value_threshold))
        best = options->initial_value_threshold;
    if (gt_monitor_better(in, options->monitor, options->mode, 0, value, best)) {
        gt_callback_say(in, options->verbose,
                        "Epoch %lld: %s improved from %.5f to %.5f, saving model to %s",
                        (long long)in->epoch + 1, options->monitor, best, value, path);
        gt_remember(in, BEST, value);
        return true;
    }
    gt_callback_say(in, options->verbose, "Epoch %lld: %s did not improve from %.5f",
                    (long long)in->epoch + 1, options->monitor, best);
    return false;
}

static gt_Status save(const gt_CallbackArgs *in, const gt_ModelCheckpoint_options *options)
{
    char path[LONGEST];
    if (put_name(in, options->filepath, path) != GT_OK || !due(in, options, path) ||
        write_file(in, options, path) != GT_OK)
        return gt_status();
    if (!options->save_best_only)
        gt_callback_say(in, options->verbose, "Epoch %lld: saving model to %s",
                        (long long)in->epoch + 1, path);
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_ModelCheckpoint_options *options = in->options;
    if (in->hook == GT_HOOK_TRAIN_BEGIN) {
        if (in->resumed && options->max_to_keep > 0) /* the run that was killed may not have come to it */
            remove_oldest(in, options->filepath, (size_t)options->max_to_keep);
        return gt_status();
    }
    if (in->hook == GT_HOOK_EPOCH_END)
        return options->save_freq == 0 ? save(in, options) : gt_status();
    if (options->save_freq == 0)
        return gt_status();
    gt_remember(in, BATCHES, gt_recall(in, BATCHES) + 1);
    if (gt_recall(in, BATCHES) < (double)options->save_freq)
        return gt_status();
    gt_remember(in, BATCHES, 0);
    return save(in, options);
}

const gt_CallbackClass gt_callback_class_model_checkpoint = {
    .size = sizeof(gt_CallbackClass),
    .name = "model_checkpoint",
    .function = "ModelCheckpoint",
    .keras = "ModelCheckpoint",
    .summary = "saves the model while it is trained",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END) |
             GT_HOOK_BIT(GT_HOOK_EPOCH_END),
    .options = &gt_ModelCheckpoint_options_type,
    .states = numbers,
    .check = check,
    .build = build,
    .on = on,
    .outer = 1};

gt_Callback *gt_ModelCheckpoint_at(const char *here, const gt_ModelCheckpoint_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_model_checkpoint, options);
}
