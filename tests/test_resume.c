/* Trainings that end before their end: refused in the middle of any batch, killed at any moment, out of room on the disk.
 * Whatever goes on from a backup ends with the bits of a training that nobody disturbed.
 *
 *     GT_KILLS=200 ./tests/test_resume      kills 200 processes instead of 12 */
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../core/inside.h"
#include "../gradtape.h"
#include "../io/file.h"
#include "leaks.h"
#include "same_bytes.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define SILENT .verbose = GT_VERBOSITY_SILENT

enum { ROWS = 50, WIDTH = 4, CLASSES = 3, EPOCHS = 4, BATCHES = 4 };

/* ---- folders ---- */

static char folder[64]; /* a new one in each test */

static void make_folder(void)
{
    strcpy(folder, "/tmp/gradtape-resume-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static const char *in_folder(const char *name)
{
    static char path[8][256];
    static int next;
    char *into = path[next++ % 8];
    snprintf(into, sizeof path[0], "%s/%s", folder, name);
    return into;
}

static void remove_folder(const char *path)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", path);
    cr_assert_eq(system(command), 0);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Files in a folder whose names end so; "": all. */
static int count_files(const char *path, const char *end)
{
    DIR *list = opendir(path);
    int count = 0;
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        size_t length = strlen(entry->d_name), tail = strlen(end);
        count += entry->d_name[0] != '.' && length >= tail && strcmp(entry->d_name + length - tail, end) == 0;
    }
    if (list)
        closedir(list);
    return count;
}

/* ---- a training with everything that remembers something ---- */

static gt_Dataset *rows(void)
{
    float x[ROWS * WIDTH];
    int32_t y[ROWS];
    uint32_t seed = 7;
    for (int i = 0; i < ROWS; i++) {
        float sum = 0;
        for (int k = 0; k < WIDTH; k++) {
            seed = seed * 1664525u + 1013904223u;
            x[i * WIDTH + k] = (float)(seed >> 8) / (1 << 23) - 1;
            sum += x[i * WIDTH + k] * (float)(k - 2);
        }
        y[i] = sum < -0.5f ? 0 : sum < 0.5f ? 1 : 2;
    }
    return gt_dataset_from_tensors(gt_from_data(x, gt_shape(ROWS, WIDTH), GT_FLOAT32),
                                   gt_from_data(y, gt_shape(ROWS), GT_INT32), .batch_size = 13);
}

static gt_Layer *classifier(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(8, .activation = gt_tanh), gt_Dropout(0.25), gt_Dense(CLASSES));
    gt_build(model, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_compile(model, .optimizer = gt_Adam(0.05, .use_ema = true),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_SparseCategoricalAccuracy()));
    return model;
}

/* Fails when the training has seen that many batches; NULL: never. */
typedef struct End {
    int64_t batches;
} End;

static gt_Status end_here(void *context, const gt_CallbackArgs *in)
{
    const End *end = context;
    if (gt_optimizer_iterations(gt_compiled_optimizer(in->model)) >= end->batches)
        return gt_fail(GT_INTERRUPTED, "it ends here");
    return gt_status();
}

static gt_Status draw(void *context, const gt_CallbackArgs *in)
{
    (void)context, (void)in;
    gt_uniform(gt_shape(3)); /* the default generator is part of the run */
    return gt_status();
}

/* The whole program: from nothing, or from what its backup says, to the file `result`. */
static gt_Status program(const char *result, int64_t save_freq, bool double_checkpoint, const End *end)
{
    static const End never = {INT64_MAX};
    gt_context_free(NULL);
    gt_set_seed(5);
    gt_Layer *model = classifier();
    gt_Dataset *data = rows(), *validation = rows();
    gt_Callback *early = gt_EarlyStopping(.patience = 1, .restore_best_weights = true);
    gt_Callback *plateau = gt_ReduceLROnPlateau(.monitor = "loss", .factor = 0.5, .patience = 0, .min_delta = 0.2);
    gt_fit(model, data, .validation = validation, .epochs = EPOCHS, SILENT,
           .callbacks = gt_callbacks(
               gt_BackupAndRestore(in_folder("backup"), .save_freq = save_freq, .double_checkpoint = double_checkpoint),
               early, plateau, gt_CSVLogger(in_folder("log.csv")),
               gt_ModelCheckpoint(in_folder("models/{epoch:02d}.model"), .max_to_keep = 2),
               gt_LambdaCallback(.on_train_batch_begin = end_here, .on_epoch_end = draw,
                                 .context = (void *)(uintptr_t)(end ? end : &never))));
    if (gt_status() == GT_OK)
        gt_save_checkpoint(result, model, .dataset = data);
    return gt_status();
}

static void check_files(const char *what)
{
    cr_assert(!same_bytes(in_folder("none"), in_folder("none")));
    cr_assert(same_bytes(in_folder("log.csv"), in_folder("expected.csv")), "%s: log.csv differs", what);
    cr_assert_eq(access(in_folder("backup"), F_OK), -1, "%s: the backup is left", what);
    cr_assert_eq(count_files(in_folder("models"), ".model"), 2, "%s: models", what);
    cr_assert_eq(count_files(in_folder("models"), ""), 2, "%s: leftovers", what);
    cr_assert_eq(rename(in_folder("models/04.model"), in_folder("again.model")), 0, "%s", what);
    cr_assert(same_bytes(in_folder("again.model"), in_folder("expected.model")), "%s: the last model differs", what);
    remove_folder(in_folder("models"));
    unlink(in_folder("log.csv"));
}

/* What a training gives that nobody disturbs. */
static void expect(int64_t save_freq)
{
    make_folder();
    program(in_folder("expected"), save_freq, false, NULL);
    ok();
    cr_assert_eq(rename(in_folder("log.csv"), in_folder("expected.csv")), 0);
    cr_assert_eq(rename(in_folder("models/04.model"), in_folder("expected.model")), 0);
    remove_folder(in_folder("models"));
    cr_assert_eq(access(in_folder("backup"), F_OK), -1);
}

Test(resume, after_any_batch)
{
    char what[80];
    for (int64_t save_freq = 0; save_freq <= 3; save_freq++) {
        expect(save_freq); /* the batches since the last backup are in the result, too */
        for (int64_t batches = 0; batches < EPOCHS * BATCHES; batches++) {
            End end = {batches};
            snprintf(what, sizeof what, "saved every %d batches, ended after %d", (int)save_freq, (int)batches);
            program(in_folder("result"), save_freq, batches % 2 == 1, &end);
            cr_assert_eq(gt_status(), GT_INTERRUPTED, "%s: %s", what, gt_error_message());
            gt_error_clear();
            program(in_folder("result"), save_freq, batches % 2 == 1, NULL);
            ok();
            cr_assert(same_bytes(in_folder("result"), in_folder("expected")), "%s: the result differs", what);
            check_files(what);
        }
        gt_context_free(NULL);
        remove_folder(folder);
    }
}

static gt_Tensor *some_pass(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_squeeze(gt_greater(gt_slice(batch->x, gt_shape(0, 0), gt_shape(-1, 1)), -0.5), .axis = 1);
}

/* Streams, whose rows are counted by going through them, and one that never ends. */
static gt_Dataset *stream(int kind)
{
    gt_Dataset *passed = gt_dataset_filter(rows(), some_pass, NULL);
    gt_Dataset *mixed = gt_dataset_shuffle(passed, 10, .seed = 2);
    return gt_dataset_batch(kind ? gt_dataset_repeat(mixed, -1) : mixed, 7);
}

Test(resume, streams)
{
    make_folder();
    for (int kind = 0; kind < 2; kind++)
        for (int64_t batches = -1; batches < 14; batches += 2) {
            End end = {batches < 0 ? INT64_MAX : batches};
            for (int part = batches < 0; part < 2; part++) {
                gt_context_free(NULL);
                gt_set_seed(5);
                gt_Layer *model = classifier();
                gt_Dataset *data = stream(kind);
                gt_fit(model, data, .epochs = 3, .steps_per_epoch = kind ? 7 : -1, SILENT,
                       .callbacks = gt_callbacks(gt_BackupAndRestore(in_folder("backup"), .save_freq = 1),
                                                 gt_LambdaCallback(.on_train_batch_begin = end_here, .context = &end)));
                if (part == 0) {
                    cr_assert_eq(gt_status(), GT_INTERRUPTED, "%s", gt_error_message());
                    gt_error_clear();
                    end.batches = INT64_MAX;
                    continue;
                }
                gt_save_checkpoint(in_folder(batches < 0 ? "a" : "b"), model, .dataset = data);
                ok();
                cr_assert(batches < 0 || same_bytes(in_folder("a"), in_folder("b")), "kind %d, batch %d", kind, (int)batches);
            }
        }
    gt_context_free(NULL);
    remove_folder(folder);
}

static gt_Status count_up(void *context, const gt_CallbackArgs *in)
{
    (void)in;
    ++*(int *)context;
    return gt_status();
}

/* A run that was interrupted goes on in the same process, whatever was evaluated in between. */
Test(resume, in_the_same_process)
{
    make_folder();
    double last[2];
    for (int stop = 0; stop < 2; stop++) {
        End end = {stop ? 6 : INT64_MAX};
        gt_context_free(NULL);
        gt_set_seed(5);
        gt_Layer *model = classifier();
        gt_Dataset *data = rows();
        int begun = 0;
        gt_Callback *count = gt_LambdaCallback(.on_epoch_begin = count_up, .context = &begun);
        gt_History *history = gt_fit(model, data, .epochs = 3, SILENT,
                                     .callbacks = gt_callbacks(count, gt_LambdaCallback(.on_train_batch_begin = end_here, .context = &end)));
        if (stop) {
            cr_assert(history == NULL && gt_status() == GT_INTERRUPTED);
            gt_error_clear();
            gt_evaluate(model, data);
            history = gt_fit(model, data, .epochs = 3, .resume = true, SILENT, .callbacks = gt_callbacks(count));
        }
        ok();
        cr_assert_eq(begun, 3, "%d epochs began", begun);
        cr_assert_eq(gt_history_epoch_count(history), 3);
        last[stop] = gt_history_get(history, "loss", 1) + gt_history_get(history, "loss", 0);
        gt_save_weights(model, in_folder(stop ? "b" : "a"));
        ok();
    }
    cr_assert_eq(last[0], last[1], "%.17g %.17g", last[0], last[1]);
    cr_assert(same_bytes(in_folder("a"), in_folder("b")));
    gt_context_free(NULL);
    remove_folder(folder);
}

static volatile sig_atomic_t signalled;

static gt_Status signal_here(void *context, const gt_CallbackArgs *in)
{
    (void)in;
    if (++*(int *)context == 6)
        signalled = 1;
    return gt_status();
}

/* .stop, which a signal handler sets: the history has what there is of the epoch, the backup is kept, and the run goes on
 * with the next batch, in this process and in the next. */
Test(resume, after_a_signal)
{
    make_folder();
    double last[3];
    for (int how = 0; how < 3; how++) {
        int batches = how ? 0 : 100;
        gt_context_free(NULL);
        gt_set_seed(5);
        gt_Layer *model = classifier();
        gt_Dataset *data = rows();
        gt_Callback *early = gt_EarlyStopping(.monitor = "loss", .patience = 9, .restore_best_weights = true),
                    *count = gt_LambdaCallback(.on_train_batch_end = signal_here, .context = &batches);
        gt_History *history =
            gt_fit(model, data, .epochs = 3, SILENT, .validation = data, .stop = &signalled,
                   .callbacks = gt_callbacks(gt_BackupAndRestore(in_folder("backup")), early, count));
        ok();
        if (how) {
            cr_assert_eq(gt_history_epoch_count(history), 2);
            cr_assert(isnan(gt_history_get(history, "val_loss", 1)) && exists(in_folder("backup/latest.safetensors")));
            signalled = 0;
            if (how == 2) {
                gt_context_free(NULL);
                gt_set_seed(5);
                model = classifier();
                data = rows();
                early = gt_EarlyStopping(.monitor = "loss", .patience = 9, .restore_best_weights = true);
                count = gt_LambdaCallback(.on_train_batch_end = signal_here, .context = &batches);
            } else
                remove_folder(in_folder("backup"));
            history = gt_fit(model, data, .epochs = 3, SILENT, .validation = data, .stop = &signalled, .resume = how == 1,
                             .callbacks = gt_callbacks(gt_BackupAndRestore(in_folder("backup")), early, count));
            ok();
        }
        cr_assert_eq(gt_history_epoch_count(history), 3);
        last[how] = gt_history_get(history, "val_loss", 1);
        gt_save_weights(model, in_folder(how ? "b" : "a"));
        ok();
        cr_assert(how == 0 || same_bytes(in_folder("a"), in_folder("b")), "%d", how);
        cr_assert_eq(last[how], last[0]);
    }
    gt_context_free(NULL);
    remove_folder(folder);
}

/* Killed when a callback had ended the training, and the backup was written, but gt_fit not done: it stays ended. */
static gt_Status stop_at_second(void *context, const gt_CallbackArgs *in)
{
    (void)context;
    return in->epoch == 1 ? gt_stop(in) : gt_status();
}

static bool dies;
static gt_Status die(const gt_CallbackArgs *in)
{
    return dies && in->epoch == 1 ? gt_fail(GT_INTERRUPTED, "killed") : gt_status();
}
static const gt_CallbackClass dying[] = {
    {.size = sizeof(gt_CallbackClass), .name = "dying", .hooks = GT_HOOK_BIT(GT_HOOK_EPOCH_END), .on = die, .outer = 2},
    {.size = sizeof(gt_CallbackClass), .name = "dying", .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END), .on = die, .outer = 2}};

Test(resume, ended_and_killed)
{
    make_folder();
    for (int batch = 0; batch < 2; batch++)
        for (int killed = 0; killed < 2; killed++) {
            gt_History *history = NULL;
            for (dies = killed; !history; dies = false) {
                gt_error_clear();
                gt_context_free(NULL);
                gt_set_seed(5);
                gt_Layer *model = classifier();
                gt_Callback *stopper = batch ? gt_LambdaCallback(.on_train_batch_end = stop_at_second)
                                             : gt_LambdaCallback(.on_epoch_end = stop_at_second);
                history = gt_fit(model, rows(), .epochs = 4, SILENT,
                                 .callbacks = gt_callbacks(gt_BackupAndRestore(in_folder("backup"), .save_freq = batch),
                                                           gt_callback_new(&dying[batch], NULL), stopper));
                if (!history)
                    cr_assert_eq(gt_status(), GT_INTERRUPTED, "%s", gt_error_message());
                else
                    gt_save_weights(model, in_folder(killed ? "b" : "a"));
            }
            ok();
            cr_assert_eq(gt_history_epoch_count(history), 2, "%d %d", batch, killed);
            cr_assert(!killed || same_bytes(in_folder("a"), in_folder("b")));
        }
    gt_context_free(NULL);
    remove_folder(folder);
}

/* What a process left that was killed while it wrote a model is removed by the one that writes it again. */
Test(resume, leftovers)
{
    int status;
    make_folder();
    cr_assert_eq(mkdir(in_folder("models"), 0777), 0);
    pid_t child = fork();
    if (child == 0) {
        gt_FileWriter writer;
        gt_file_create(gt_context(), &writer, in_folder("models/01.model"));
        _exit(0);
    }
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    cr_assert_eq(count_files(in_folder("models"), ".part"), 1);
    gt_fit(classifier(), rows(), SILENT, .callbacks = gt_callbacks(gt_ModelCheckpoint(in_folder("models/{epoch:02d}.model"))));
    ok();
    cr_assert_eq(count_files(in_folder("models"), ""), 1);
    gt_context_free(NULL);
    remove_folder(folder);
}

/* By hand: gt_save_checkpoint where it stopped, gt_load_checkpoint with callbacks, and .resume. */
Test(resume, by_hand)
{
    make_folder();
    for (int stop = 0; stop < 2; stop++) {
        End end = {stop ? 6 : INT64_MAX};
        gt_context_free(NULL);
        gt_set_seed(5);
        gt_Layer *model = classifier();
        gt_Dataset *data = rows();
        gt_Callback *early = gt_EarlyStopping(.monitor = "loss", .patience = 9, .restore_best_weights = true);
        gt_fit(model, data, .epochs = 3, SILENT,
               .callbacks = gt_callbacks(early, gt_LambdaCallback(.on_train_batch_begin = end_here, .context = &end)));
        gt_error_clear();
        if (stop) {
            gt_save_checkpoint(in_folder("run"), model, .dataset = data);
            ok();
            gt_context_free(NULL);
            gt_set_seed(99);
            model = classifier();
            data = rows();
            cr_assert_eq(gt_load_checkpoint(in_folder("run"), model, .dataset = data), GT_INVALID);
            cr_assert(strstr(gt_error_message(), "callbacks/early_stopping/wait is in the file only") ||
                          strstr(gt_error_message(), "must have"), "%s", gt_error_message());
            gt_error_clear();
            gt_context_free(NULL);
            gt_set_seed(5);
            model = classifier();
            data = rows();
            early = gt_EarlyStopping(.monitor = "loss", .patience = 9, .restore_best_weights = true);
            gt_load_checkpoint(in_folder("run"), model, .dataset = data, .callbacks = gt_callbacks(early));
            ok();
            gt_TensorFile *file = gt_open_tensors(in_folder("run"));
            const char *names[] = {"fit/position", "fit/history/loss", "metrics/loss/0", "callbacks/early_stopping/best",
                                   "callbacks/early_stopping/weights/dense/kernel", "generator", "dataset/position",
                                   "optimizer/dense/kernel/average"};
            for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                cr_assert(gt_tensor_file_find(file, names[i]) >= 0, "%s", names[i]);
            gt_tensor_file_free(file);
            gt_History *history = gt_fit(model, data, .epochs = 3, .resume = true, SILENT, .callbacks = gt_callbacks(early));
            ok();
            cr_assert_eq(gt_history_epoch_count(history), 3);
        }
        gt_save_checkpoint(in_folder(stop ? "b" : "a"), model, .dataset = data);
        ok();
    }
    cr_assert(same_bytes(in_folder("a"), in_folder("b")));
    gt_context_free(NULL);
    remove_folder(folder);
}

/* A checkpoint may come from anywhere, and what stands beside it may have changed. */
static void put_in_place(const char *path, const char *from, const char *to)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path, "r+b");
    size_t size = fread(bytes, 1, sizeof bytes, file), length = strlen(from), count = 0;
    cr_assert(size < sizeof bytes && length == strlen(to));
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, from, length) == 0) {
            memcpy(bytes + i, to, length);
            count++;
        }
    cr_assert(count > 0, "%s is not in the file", from);
    rewind(file);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

Test(resume, foreign_files)
{
    make_folder();
    for (int again = 0; again < 2; again++) {
        gt_context_free(NULL);
        gt_set_seed(5);
        gt_Layer *model = classifier();
        gt_Dataset *data = rows();
        char pattern[160];
        snprintf(pattern, sizeof pattern, "%s", in_folder("m-{epoch}"));
        gt_Callback *keep = gt_ModelCheckpoint(pattern, .max_to_keep = 1), *log = gt_CSVLogger(in_folder("log.csv"));
        if (again) {
            gt_load_checkpoint(in_folder("run"), model, .dataset = data, .callbacks = gt_callbacks(keep, log));
            ok();
        }
        gt_fit(model, data, .epochs = again ? 3 : 2, .resume = again, SILENT, .callbacks = gt_callbacks(keep, log));
        ok();
        if (!again) {
            char old[160], mine[160];
            gt_save_checkpoint(in_folder("run"), model, .dataset = data);
            ok();
            snprintf(old, sizeof old, "%s", in_folder("m-1"));
            snprintf(mine, sizeof mine, "%s", in_folder("abc"));
            put_in_place(in_folder("run"), old, mine);
            fclose(fopen(mine, "w"));
            cr_assert_eq(truncate(in_folder("log.csv"), 20), 0);
        }
    }
    cr_assert(access(in_folder("abc"), F_OK) == 0, "a file that the pattern cannot have made is not removed");
    cr_assert(access(in_folder("m-3"), F_OK) == 0 && access(in_folder("m-2"), F_OK) != 0);
    char text[400] = "";
    FILE *file = fopen(in_folder("log.csv"), "r");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    cr_assert(size > 20 && strlen(text) == size, "a log that lost its end has no zeros");
    gt_context_free(NULL);
    remove_folder(folder);
}

/* ---- killed ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static pid_t start(const char *result)
{
    pid_t child = fork();
    if (child == 0)
        _exit(program(result, 1, true, NULL) == GT_OK ? 0 : 1);
    return child;
}

Test(resume, killed_at_any_moment, .timeout = 600)
{
    const char *asked = getenv("GT_KILLS");
    int wanted = asked ? atoi(asked) : 12, kills = 0, writing = 0, left = 0, status;
    unsigned random = 12345;
    expect(1);
    double began = seconds();
    cr_assert(waitpid(start(in_folder("result")), &status, 0) > 0 && status == 0);
    double length = seconds() - began;
    check_files("not killed");
    while (kills < wanted) {
        pid_t child = start(in_folder("result"));
        random = random * 1664525u + 1013904223u;
        struct timespec pause = {0, (long)(fmin(0.9, length * (random >> 8) / (1 << 24)) * 1e9)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        cr_assert(waitpid(child, &status, 0) > 0);
        int parts = count_files(folder, ".part") + count_files(in_folder("backup"), ".part") +
                    count_files(in_folder("models"), ".part");
        if (WIFSIGNALED(status)) {
            kills++;
            writing += parts > left; /* a file was being written */
            left = parts;
            continue;
        }
        left = 0;
        cr_assert_eq(status, 0, "the program failed after %d kills", kills);
        cr_assert(same_bytes(in_folder("result"), in_folder("expected")), "after %d kills", kills);
        check_files("killed");
    }
    cr_assert(waitpid(start(in_folder("result")), &status, 0) > 0 && status == 0);
    cr_assert(same_bytes(in_folder("result"), in_folder("expected")), "after %d kills", kills);
    check_files("killed, and left alone at last");
    fprintf(stderr, "%d kills, %d of them while a file was written\n", kills, writing);
    remove_folder(folder);
}

/* ---- no room ---- */

static void limit(rlim_t bytes)
{
    static struct rlimit before;
    struct rlimit now;
    if (before.rlim_cur == 0)
        getrlimit(RLIMIT_FSIZE, &before);
    now = (struct rlimit){bytes ? bytes : before.rlim_cur, before.rlim_max};
    signal(SIGXFSZ, bytes ? SIG_IGN : SIG_DFL);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &now), 0);
}

#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%d %s", (int)gt_status(), gt_error_message());          \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)

/* The error says what file and why; the backup before it, and the model before it, are whole. */
Test(resume, disk_full)
{
    static const End after_two_epochs = {2 * BATCHES};
    expect(0);
    program(in_folder("result"), 0, true, &after_two_epochs);
    gt_error_clear();
    cr_assert_eq(count_files(in_folder("backup"), ""), 2);
    cr_assert_eq(rename(in_folder("log.csv"), in_folder("log.full")), 0);
    cr_assert_eq(mkdir(in_folder("log.csv"), 0777), 0); /* no file can be written there */
    refused(program(in_folder("result"), 0, true, NULL), GT_IO, "csv_logger at train_begin");
    cr_assert_eq(rmdir(in_folder("log.csv")), 0);
    cr_assert_eq(rename(in_folder("log.full"), in_folder("log.csv")), 0);
    limit(1500);
    refused(program(in_folder("result"), 0, true, NULL), GT_IO, "cannot be written: File too large");
    limit(0);
    cr_assert_eq(count_files(in_folder("backup"), ".part") + count_files(in_folder("models"), ".part"), 0);
    program(in_folder("result"), 0, true, NULL);
    ok();
    cr_assert(same_bytes(in_folder("result"), in_folder("expected")));
    check_files("after a full disk");
    gt_context_free(NULL);
    remove_folder(folder);
}

/* A backup that was damaged: the one before it, with a warning; without one an error that names the file. */
Test(resume, damaged_backup)
{
    static const End after_two_epochs = {2 * BATCHES};
    for (int more = 0; more < 2; more++) {
        expect(0);
        program(in_folder("result"), 0, more != 0, &after_two_epochs);
        gt_error_clear();
        cr_assert_eq(truncate(in_folder("backup/latest.safetensors"), 1000), 0);
        if (more) {
            program(in_folder("result"), 0, true, NULL);
            ok();
            cr_assert(gt_warnings().count > 0 && strstr(gt_warnings().items[0], "goes on from"));
            cr_assert(same_bytes(in_folder("result"), in_folder("expected")));
        } else {
            refused(program(in_folder("result"), 0, false, NULL), GT_FORMAT, "latest.safetensors");
        }
        gt_context_free(NULL);
        remove_folder(folder);
    }
}

Test(resume, bad_places)
{
    gt_Layer *model = classifier();
    gt_Dataset *data = rows();
    make_folder();
    FILE *file = fopen(in_folder("file"), "w");
    fclose(file);
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_BackupAndRestore(in_folder("file/backup")))), GT_IO,
            "the folder cannot be made: Not a directory");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_ModelCheckpoint("/proc/gradtape/a.model"))), GT_IO,
            "/proc/gradtape");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_CSVLogger("/nowhere/log.csv"))), GT_IO,
            "/nowhere/log.csv: cannot be opened");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_CSVLogger("/dev/full"))), GT_IO,
            "/dev/full: cannot be written: No space left");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_ModelCheckpoint("{val_loss}.model"))), GT_INVALID,
            "{val_loss} in the file's name is not logged");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_ModelCheckpoint("{epoch:02x}.model"))), GT_INVALID,
            "unknown format \"02x\"");
    static const char *const formats[] = {"4..f", ".f.", "9999f", ".123f", ".3d", "-5d", "4ff", "0000000000000000000d"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char name[64];
        snprintf(name, sizeof name, "{epoch:%s}.model", formats[i]);
        refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_ModelCheckpoint(name))), GT_INVALID, "unknown format");
    }
    char wide[1200] = "";
    for (int i = 0; i < 8; i++)
        strcat(wide, "{epoch:99d}{epoch:99d}");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_ModelCheckpoint(wide))), GT_INVALID,
            "longer than 1023 bytes");
    refused(gt_CSVLogger("a", .separator = "e"), GT_INVALID, "delimiter must be printable");
    refused(gt_ModelCheckpoint("{epoch"), GT_INVALID, "a { without a }");
    refused(gt_ModelCheckpoint(NULL), GT_INVALID, "filepath is NULL");
    refused(gt_ModelCheckpoint("a", .save_weights_only = true, .save_run = true), GT_INVALID, "exclude");
    refused(gt_BackupAndRestore(""), GT_INVALID, "backup_dir is empty");
    refused(gt_CSVLogger(NULL), GT_INVALID, "filename is NULL");
    refused(gt_CSVLogger("a", .separator = ", "), GT_INVALID, "one character");
    gt_context_free(NULL);
    remove_folder(folder);
}

/* ---- no memory ---- */

typedef struct Scarce {
    int64_t asked, fail_at, live;
} Scarce;

static void *scarce_allocate(void *user, size_t size, size_t alignment)
{
    Scarce *scarce = user;
    void *memory = NULL;
    if (scarce->asked++ == scarce->fail_at || posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    scarce->live++;
    return memory;
}

static void scarce_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Scarce *)user)->live--;
    free(memory);
}

/* Callbacks of every kind, a whole model and a run in files. */
static void short_life(void)
{
    gt_Layer *model = classifier(), *loaded = NULL;
    gt_Dataset *data = rows();
    gt_Callback *early = gt_EarlyStopping(.monitor = "loss", .patience = 3, .restore_best_weights = true);
    gt_set_class_names(model, gt_names("a", "b", "c"));
    gt_History *history = gt_fit(
        model, data, .epochs = 1, .validation = data, SILENT,
        .callbacks = gt_callbacks(early, gt_ReduceLROnPlateau(), gt_CSVLogger(in_folder("log.csv")),
                                  gt_ModelCheckpoint(in_folder("{epoch}.model"), .max_to_keep = 1),
                                  gt_BackupAndRestore(in_folder("backup")), gt_SwapEMAWeights(), gt_TerminateOnNaN(),
                                  gt_TensorBoard(in_folder("logs"), .histogram_freq = 1, .write_images = true)));
    gt_save_checkpoint(in_folder("run"), model, .dataset = data);
    gt_load_checkpoint(in_folder("run"), model, .dataset = data);
    gt_save_model(model, in_folder("whole"));
    loaded = gt_load_model(in_folder("whole"));
    gt_fit(loaded, data, .epochs = 2, .resume = true, SILENT);
    gt_Status status = gt_status();
    gt_error_clear();
    gt_history_free(history);
    gt_dataset_free(data);
    gt_layer_free(model);
    gt_layer_free(loaded);
    if (status != GT_OK)
        gt_fail(status, "it failed");
}

Test(resume, no_memory, .timeout = 300)
{
    int64_t tried = 0;
    make_folder();
    gt_context_free(NULL);
    for (bool failed = true; failed; tried++) {
        Scarce scarce = {.fail_at = tried};
        gt_Allocator allocator = {scarce_allocate, scarce_release, &scarce};
        gt_Context *context = gt_context_create(.seed = 11, .allocator = &allocator);
        failed = scarce.asked > tried;
        if (context) {
            gt_context_use(context);
            short_life();
            failed = scarce.asked > tried;
            /* A warning that found no memory is lost, and is no error. */
            cr_assert(gt_status() == (failed ? GT_NO_MEMORY : GT_OK), "allocation %d: %s", (int)tried, gt_error_message());
            gt_context_free(context);
        }
        cr_assert_eq(scarce.live, 0, "allocation %d: memory is lost", (int)tried);
    }
    fprintf(stderr, "%lld allocations failed in turn\n", (long long)tried - 1);
    cr_assert_eq(count_files(folder, ".part") + count_files(in_folder("backup"), ".part"), 0);
    remove_folder(folder);
    assert_no_leaks();
}
