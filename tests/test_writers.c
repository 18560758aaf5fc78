/* Every writer of the library on a disk that is full, breaks or cannot be written to: after every n-th byte, at every call of the
 * system in turn. The message names the file and the reason, the file that was there before is whole, nothing is left over, and
 * what is tried again works.
 *
 * The calls are those of this program: it defines write and its kin, which the library in it finds first. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "../io/events.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok()   cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define SILENT .verbose = GT_VERBOSITY_SILENT

/* ---- the disk ---- */

typedef enum Kind { WRITE, SYNC, RENAME, CREATE, KINDS } Kind;

static struct {
    bool on;
    int64_t room;      /* bytes that can still be written; -1: any number */
    int64_t fails;     /* the call that fails, from 0; -1: none */
    int64_t calls;     /* so far */
    int error;         /* of the call that fails */
    int failed[KINDS]; /* how many calls of a kind did */
} disk = {.room = -1, .fails = -1};

static void disk_is(int64_t room, int64_t fails, int error)
{
    disk.on = room >= 0 || fails >= 0;
    disk.room = room;
    disk.fails = fails;
    disk.calls = 0;
    disk.error = error;
}

static bool fails_now(Kind kind)
{
    if (!disk.on || disk.calls++ != disk.fails)
        return false;
    if (disk.error == 0)
        raise(SIGKILL);
    disk.failed[kind]++;
    errno = disk.error;
    return true;
}

ssize_t write(int file, const void *data, size_t size)
{
    if (disk.on && disk.calls == disk.fails && disk.error == 0) /* half of it is there then */
        syscall(SYS_write, file, data, size / 2);
    if (fails_now(WRITE))
        return -1;
    if (disk.on && disk.room >= 0 && file > 2) {
        if (disk.room == 0) {
            disk.failed[WRITE]++;
            errno = ENOSPC;
            return -1;
        }
        if ((int64_t)size > disk.room) /* a short write comes first */
            size = (size_t)disk.room;
        disk.room -= (int64_t)size;
    }
    return syscall(SYS_write, file, data, size);
}

int fsync(int file)
{
    (void)file; /* thousands of times here: as if it were done */
    return fails_now(SYNC) ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    return fails_now(RENAME) ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return flags & O_CREAT && fails_now(CREATE) ? -1 : openat(AT_FDCWD, path, flags, mode);
}

/* ---- a folder ---- */

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/gradtape-writers-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int next;
    char *into = path[next++ % 4];
    snprintf(into, sizeof path[0], "%s/%s", folder, name);
    return into;
}

static void empty_folder(bool itself)
{
    char command[300];
    snprintf(command, sizeof command, itself ? "rm -rf %s" : "rm -rf %s/*", folder);
    cr_assert_eq(system(command), 0);
}

static int count_files(const char *path)
{
    DIR *list = opendir(path);
    int count = 0;
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (list)
        closedir(list);
    return count;
}

typedef struct Content {
    size_t size;
    char bytes[1 << 16];
} Content;

/* Size 0: it is not there. */
static void read_file(const char *path, Content *content)
{
    FILE *file = fopen(path, "rb");
    content->size = file ? fread(content->bytes, 1, sizeof content->bytes, file) : 0;
    cr_assert(content->size < sizeof content->bytes);
    if (file)
        fclose(file);
}

static bool same(const Content *a, const Content *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* ---- what is written ---- */

typedef struct Things {
    gt_Layer *model;
    gt_Dataset *rows;
    gt_History *history;
    gt_Tensor *numbers;
} Things;

/* `version` 0 and 1 are of the same kind and differ in every writer's file. */
static Things things(int version)
{
    static const float x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 0, 1};
    Things made;
    made.model =
        gt_Sequential(gt_Dense(2 + version, .kernel_initializer = gt_Ones()),
                      gt_Dense(1, .kernel_initializer = gt_Ones(), .use_bias = version == 1));
    gt_build(made.model, gt_shape(1, 2), GT_FLOAT32);
    gt_compile(made.model, .optimizer = gt_Adam(0.1), .loss = gt_MeanSquaredError());
    made.rows =
        gt_dataset_from_tensors(gt_from_data(x, gt_shape(3, 2), GT_FLOAT32),
                                gt_from_data(y, gt_shape(3, 1), GT_FLOAT32), .batch_size = 2);
    made.history = gt_fit(made.model, made.rows, .epochs = 2 + version, SILENT);
    made.numbers =
        version ? gt_array(gt_shape(2, 2), 1, 2, 3, 4) : gt_array(gt_shape(3), -1, 0.5, 7);
    ok();
    return made;
}

static void drop(const Things *made)
{
    gt_history_free(made->history);
    gt_layer_free(made->model);
    gt_dataset_free(made->rows);
}

static void write_tensors(const Things *made, const char *path)
{
    gt_save_tensors(path, gt_named_tensors({"numbers", made->numbers}),
                    .metadata = gt_metadata({"a", "b"}));
}

static void write_weights(const Things *made, const char *path)
{
    gt_save_weights(made->model, path);
}

static void write_model(const Things *made, const char *path)
{
    gt_save_model(made->model, path);
}

static void write_run(const Things *made, const char *path)
{
    gt_save_checkpoint(path, made->model, .dataset = made->rows);
}

static void write_npy(const Things *made, const char *path)
{
    gt_save_npy(path, made->numbers);
}

static void write_npz(const Things *made, const char *path)
{
    gt_save_npz(path, gt_named_tensors({"a", made->numbers}, {"b", made->numbers}));
}

static void write_npz_packed(const Things *made, const char *path)
{
    gt_save_npz(path, gt_named_tensors({"a", made->numbers}, {"b", made->numbers}),
                .compressed = true);
}

static void write_csv(const Things *made, const char *path)
{
    gt_save_csv(path, made->numbers);
}

static void write_history(const Things *made, const char *path)
{
    gt_save_history(path, made->history);
}

static void write_model_picture(const Things *made, const char *path)
{
    gt_save_picture(gt_plot_model(made->model, .show_shapes = true), path);
}

static void write_curves(const Things *made, const char *path)
{
    gt_save_picture(gt_plot_history(made->history), path);
}

static const struct {
    const char *name, *file;
    void (*write)(const Things *made, const char *path);
} writers[] = {
    {"gt_save_tensors", "a.safetensors", write_tensors},
    {"gt_save_weights", "w.safetensors", write_weights},
    {"gt_save_model", "m.gradtape", write_model},
    {"gt_save_checkpoint", "run.safetensors", write_run},
    {"gt_save_npy", "a.npy", write_npy},
    {"gt_save_npz", "a.npz", write_npz},
    {"gt_save_npz, compressed", "packed.npz", write_npz_packed},
    {"gt_save_csv", "a.csv", write_csv},
    {"gt_save_history, CSV", "history.csv", write_history},
    {"gt_save_history, JSON", "history.json", write_history},
    {"gt_save_picture, DOT", "model.dot", write_model_picture},
    {"gt_save_picture, SVG", "curves.svg", write_curves},
};
#define WRITERS ((int)(sizeof writers / sizeof *writers))

/* Failed as it is to: the file and the reason are named, the old file (none, if empty) is whole and alone. */
static void check_failure(const char *name, const char *path, const char *reason,
                          const Content *old, int64_t n)
{
    static Content now;
    cr_assert_eq(gt_status(), GT_IO, "%s, %lld: %d %s", name, (long long)n, (int)gt_status(),
                 gt_error_message());
    cr_assert(strstr(gt_error_message(), path) && strstr(gt_error_message(), reason),
              "%s, %lld: %s", name, (long long)n, gt_error_message());
    gt_error_clear();
    read_file(path, &now);
    cr_assert(same(&now, old), "%s, %lld: the old file is another", name, (long long)n);
    cr_assert_eq(count_files(folder), old->size > 0, "%s, %lld: something is left over", name,
                 (long long)n);
}

/* Full after every n-th byte, with an old file and without. */
Test(writers, every_byte)
{
    static Content old, wanted, now, none;
    Things before = things(0), after = things(1);
    int64_t failures = 0;
    make_folder();
    for (int i = 0; i < WRITERS; i++)
        for (int there = 0; there < 2; there++) {
            const char *path = in_folder(writers[i].file), *name = writers[i].name;
            writers[i].write(&after, path);
            ok();
            read_file(path, &wanted);
            unlink(path);
            if (there)
                writers[i].write(&before, path);
            ok();
            read_file(path, &old);
            cr_assert(!same(&old, &wanted), "%s: the two files are the same", name);
            const int64_t step = there || wanted.size < 2000 ? 1 : 17;
            for (int64_t room = 0; room < (int64_t)wanted.size; room += step, failures++) {
                disk_is(room, -1, 0);
                writers[i].write(&after, path);
                disk_is(-1, -1, 0);
                check_failure(name, path, "cannot be written: No space left on device",
                              there ? &old : &none, room);
            }
            disk_is((int64_t)wanted.size, -1, 0); /* just room enough */
            writers[i].write(&after, path);
            disk_is(-1, -1, 0);
            ok();
            read_file(path, &now);
            cr_assert(same(&now, &wanted), "%s: the new file is another", name);
            empty_folder(false);
        }
    printf("%lld times the disk was full, in %d writers\n", (long long)failures, WRITERS);
    cr_assert(failures > 10000);
    drop(&before);
    drop(&after);
    empty_folder(true);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Each call of the system fails in turn: a folder that is read-only, a disk that breaks, a rename that is refused. */
Test(writers, every_call)
{
    static const int errors[] = {EIO, EROFS, EDQUOT};
    static const char *const reasons[] = {"Input/output error", "Read-only file system",
                                          "Disk quota exceeded"};
    static Content old, wanted, now;
    Things before = things(0), after = things(1);
    int64_t failures = 0;
    make_folder();
    memset(disk.failed, 0, sizeof disk.failed);
    for (int i = 0; i < WRITERS; i++) {
        const char *path = in_folder(writers[i].file), *name = writers[i].name;
        writers[i].write(&after, path);
        read_file(path, &wanted);
        for (int64_t fails = 0;; fails++, failures++) {
            writers[i].write(&before, path);
            ok();
            read_file(path, &old);
            disk_is(-1, fails, errors[fails % 3]);
            writers[i].write(&after, path);
            bool all = disk.calls <= fails;
            disk_is(-1, -1, 0);
            if (all)
                break;
            read_file(path, &now);
            /* Only the folder could not be flushed: the new file is in place, and told. */
            bool late = same(&now, &wanted) && strstr(gt_error_message(), "was written, but");
            check_failure(name, path, reasons[fails % 3], late ? &wanted : &old, fails);
        }
        ok();
        read_file(path, &now);
        cr_assert(same(&now, &wanted), "%s: the new file is another", name);
        empty_folder(false);
    }
    printf("%lld calls failed: %d of write, %d of fsync, %d of rename, %d of open\n",
           (long long)failures, disk.failed[WRITE], disk.failed[SYNC], disk.failed[RENAME],
           disk.failed[CREATE]);
    for (Kind kind = WRITE; kind < KINDS; kind++)
        cr_assert(disk.failed[kind] >= WRITERS);
    drop(&before);
    drop(&after);
    empty_folder(true);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- files that grow ---- */

/* A training with a callback, from the same beginning each time. True: it ended as it should. */
static bool train(gt_Callback *callback, int epochs)
{
    static const float x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 0, 1};
    gt_Layer *model = gt_Sequential(gt_Dense(2, .kernel_initializer = gt_Ones()),
                                    gt_Dense(1, .kernel_initializer = gt_Ones()));
    gt_build(model, gt_shape(1, 2), GT_FLOAT32);
    gt_compile(model, .optimizer = gt_SGD(0.01), .loss = gt_MeanSquaredError());
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *rows =
        gt_dataset_from_tensors(gt_from_data(x, gt_shape(3, 2), GT_FLOAT32),
                                gt_from_data(y, gt_shape(3, 1), GT_FLOAT32), .batch_size = 2);
    gt_History *history =
        gt_fit(model, rows, .epochs = epochs, SILENT, .callbacks = gt_callbacks(callback));
    gt_history_free(history);
    gt_dataset_free(rows);
    gt_scope_end(scope);
    gt_layer_free(model);
    return history != NULL;
}

static void check_full(const char *path)
{
    cr_assert_eq(gt_status(), GT_IO, "%s", gt_error_message());
    cr_assert(strstr(gt_error_message(), path) &&
                  strstr(gt_error_message(), "No space left on device"),
              "%s", gt_error_message());
    gt_error_clear();
}

/* Whole rows, of the epochs that had room. */
Test(writers, rows_of_a_log)
{
    static Content wanted, now;
    make_folder();
    const char *path = in_folder("log.csv");
    cr_assert(train(gt_CSVLogger(path), 4));
    read_file(path, &wanted);
    for (int64_t room = 0; room < (int64_t)wanted.size; room++) {
        disk_is(room, -1, 0);
        bool done = train(gt_CSVLogger(path), 4);
        disk_is(-1, -1, 0);
        cr_assert(!done);
        check_full(path);
        read_file(path, &now);
        cr_assert(now.size <= (size_t)room && memcmp(now.bytes, wanted.bytes, now.size) == 0, "%d",
                  (int)room);
        cr_assert(now.size == 0 || now.bytes[now.size - 1] == '\n', "%d: a row is cut short",
                  (int)room);
    }
    /* A file of another program that ends within a line: rows begin on one of their own. */
    FILE *file = fopen(path, "w");
    fputs("epoch,loss\n7,0.1", file);
    fclose(file);
    cr_assert(train(gt_CSVLogger(path, .append = true), 1));
    read_file(path, &now);
    cr_assert(strncmp(now.bytes, "epoch,loss\n7,0.1\n0,", 19) == 0, "%.*s", (int)now.size,
              now.bytes);
    empty_folder(true);
    gt_context_free(NULL);
    assert_no_leaks();
}

static uint64_t little(const char *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return number;
}

/* How many records the file of events has; -1 if one of them is not whole. */
static int count_records(const Content *file)
{
    int count = 0;
    for (size_t at = 0; at < file->size; count++) {
        if (file->size - at < 16)
            return -1;
        uint64_t size = little(file->bytes + at, 8);
        if (size > file->size - at - 16 ||
            little(file->bytes + at + 8, 4) != gt_masked_crc32c(file->bytes + at, 8) ||
            little(file->bytes + at + 12 + size, 4) !=
                gt_masked_crc32c(file->bytes + at + 12, size))
            return -1;
        at += size + 16;
    }
    return count;
}

static const char *only_file(const char *path)
{
    static char name[600];
    DIR *list = opendir(path);
    int count = 0;
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            count++;
        }
    if (list)
        closedir(list);
    return count == 1 ? name : NULL;
}

Test(writers, records_of_events)
{
    static Content wanted, now;
    make_folder();
    const char *board = in_folder("board"), *train_folder = in_folder("board/train");
    cr_assert(train(gt_TensorBoard(board, .histogram_freq = 1, .update_freq = 1), 3));
    read_file(only_file(train_folder), &wanted);
    int all = count_records(&wanted);
    cr_assert(all > 6);
    for (int64_t room = 0; room < (int64_t)wanted.size; room += 7) {
        empty_folder(false);
        disk_is(room, -1, 0);
        bool done = train(gt_TensorBoard(board, .histogram_freq = 1, .update_freq = 1), 3);
        disk_is(-1, -1, 0);
        if (done) /* times have no fixed length in it */
            break;
        check_full("events.out.tfevents");
        const char *path = only_file(train_folder);
        cr_assert(path || count_files(train_folder) == 0);
        if (!path)
            continue;
        read_file(path, &now);
        int records = count_records(&now);
        cr_assert(records > 0 && records < all, "%d bytes: %d records of %d", (int)room, records,
                  all);
    }
    empty_folder(true);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- checkpoints ---- */

/* Whatever byte the disk is full after, there is a checkpoint that can be read, once there was one. */
static void check_checkpoints(gt_Callback *(*make)(void), const char *const *names, bool run)
{
    static Content all;
    int64_t size = 0;
    for (int64_t room = -1; room < size; room += room < 0 ? 1 : 97) {
        empty_folder(false);
        disk_is(room < 0 ? INT64_MAX : room, -1, 0);
        bool done = train(make(), 4);
        if (room < 0)
            size = INT64_MAX - disk.room;
        disk_is(-1, -1, 0);
        cr_assert(done == (room < 0), "%lld: %s", (long long)room, gt_error_message());
        if (room < 0)
            continue;
        check_full(folder);
        int readable = 0, files = 0;
        for (int i = 0; names[i]; i++) {
            const char *path = in_folder(names[i]);
            read_file(path, &all);
            if (all.size == 0)
                continue;
            gt_TensorFile *file = gt_open_tensors(path);
            readable += file && (!run || gt_tensor_file_find(file, "fit/position") >= 0);
            files++;
            ok();
            gt_tensor_file_free(file);
        }
        cr_assert(readable == files, "%lld: a file is damaged", (long long)room);
        cr_assert(files > 0 || room < size / 2, "%lld: there is no checkpoint", (long long)room);
    }
    cr_assert(size > 1000);
}

static gt_Callback *one_run(void)
{
    return gt_ModelCheckpoint(in_folder("{epoch}.run"), .save_run = true, .max_to_keep = 1);
}

static gt_Callback *two_models(void)
{
    return gt_ModelCheckpoint(in_folder("{epoch}.run"), .max_to_keep = 2);
}

static gt_Callback *backup(void)
{
    return gt_BackupAndRestore(folder, .delete_checkpoint = false, .save_freq = 1);
}

static gt_Callback *two_backups(void)
{
    return gt_BackupAndRestore(folder, .delete_checkpoint = false, .double_checkpoint = true);
}

Test(writers, checkpoints)
{
    static const char *const models[] = {"1.run", "2.run", "3.run", "4.run", NULL};
    static const char *const backups[] = {"latest.safetensors", "previous.safetensors", NULL};
    make_folder();
    check_checkpoints(one_run, models, true);
    check_checkpoints(two_models, models, false);
    check_checkpoints(backup, backups, true);
    check_checkpoints(two_backups, backups, true);
    empty_folder(true);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- killed ---- */

/* A training that goes on where a backup or the run of a ModelCheckpoint is, to a file of its weights. */
static void program(void)
{
    static const float x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 0, 1};
    gt_context_free(NULL);
    gt_Layer *model = gt_Sequential(gt_Dense(2, .kernel_initializer = gt_Ones()), gt_Dropout(0.5, .seed = 1),
                                    gt_Dense(1, .kernel_initializer = gt_Ones()));
    gt_build(model, gt_shape(1, 2), GT_FLOAT32);
    gt_compile(model, .optimizer = gt_Adam(0.01), .loss = gt_MeanSquaredError());
    gt_Dataset *rows = gt_dataset_from_tensors(gt_from_data(x, gt_shape(3, 2), GT_FLOAT32),
                                               gt_from_data(y, gt_shape(3, 1), GT_FLOAT32), .batch_size = 2);
    gt_fit(model, rows, .epochs = 3, SILENT,
           .callbacks = gt_callbacks(gt_BackupAndRestore(in_folder("backup"), .save_freq = 1),
                                     gt_ModelCheckpoint(in_folder("{epoch}.run"), .save_run = true, .max_to_keep = 1),
                                     gt_CSVLogger(in_folder("log.csv"))));
    gt_save_weights(model, in_folder("weights"));
}

/* In a process of its own, which is killed at its call number `fails`; -1: never. True: it was. */
static bool run_program(int64_t fails)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        disk_is(-1, fails, 0);
        program();
        _exit(gt_status() == GT_OK ? 0 : 1);
    }
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0, "call %lld: status %d",
              (long long)fails, status);
    return WIFSIGNALED(status);
}

/* At every call of the system that writes, in the middle of what it writes; twice, for what goes on may be killed as well. */
Test(writers, killed_at_every_call)
{
    static Content weights, log, now;
    int64_t kills = 0, calls = 0;
    make_folder();
    cr_assert(!run_program(-1));
    read_file(in_folder("weights"), &weights);
    read_file(in_folder("log.csv"), &log);
    cr_assert(weights.size > 0 && log.size > 0 && count_files(folder) == 3);
    for (bool killed = true; killed; calls++) {
        empty_folder(false);
        killed = run_program(calls);
        kills += killed && run_program(calls / 2);
        kills += killed;
        if (killed)
            cr_assert(!run_program(-1));
        read_file(in_folder("weights"), &now);
        cr_assert(same(&now, &weights), "killed at call %lld: other weights", (long long)calls);
        read_file(in_folder("log.csv"), &now);
        cr_assert(same(&now, &log), "killed at call %lld: another log", (long long)calls);
        gt_TensorFile *file = gt_open_tensors(in_folder("3.run"));
        cr_assert(file && gt_tensor_file_find(file, "fit/position") >= 0, "%lld: %s", (long long)calls, gt_error_message());
        gt_tensor_file_free(file);
        /* What was begun of the last file is removed by whoever writes it a minute later. */
        char command[300];
        snprintf(command, sizeof command, "rm -f %s/weights.*.part", folder);
        cr_assert(system(command) == 0 && count_files(folder) == 3, "killed at call %lld: something is left over",
                  (long long)calls);
    }
    printf("%lld kills at %lld calls\n", (long long)kills, (long long)calls);
    cr_assert(kills > 60);
    empty_folder(true);
    gt_context_free(NULL);
    assert_no_leaks();
}
