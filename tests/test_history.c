/* The history of a gt_fit as numbers, CSV and JSON; the bar on terminals of several widths; warnings under it
 * (keras-contract 3.17). */
#define _XOPEN_SOURCE 700
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#undef GT_HERE
#define GT_HERE "test"
#define ok()    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)

/* w is 1 and becomes .9 times what it was with every row: losses of the epochs .905, .5937... */
static gt_Layer *line(gt_Metric *metric)
{
    gt_Layer *model = gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Ones()));
    gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError(), .metrics = gt_metrics(metric));
    return model;
}

static gt_Dataset *ones_to_zeros(int64_t rows)
{
    return gt_dataset_from_tensors(gt_ones(gt_shape(rows, 1)), gt_zeros(gt_shape(rows, 1)), .batch_size = 1);
}

/* ---- the history ---- */

/* fit returns History: `history` (name -> list), `epoch`; val_ before the names of the validation. */
Test(history, numbers_by_name)
{
    gt_Layer *model = line(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae"));
    gt_Dataset *rows = ones_to_zeros(2);
    gt_History *history = gt_fit(model, rows, .epochs = 5, .initial_epoch = 2, .validation = rows, .validation_freq = 2,
                                 .verbose = GT_VERBOSITY_SILENT);
    ok();
    static const char *const names[] = {"loss", "mae", "val_loss", "val_mae"};
    cr_assert(gt_history_name_count(history) == 4 && gt_history_epoch_count(history) == 3);
    for (int i = 0; i < 4; i++)
        cr_assert_str_eq(gt_history_name(history, i), names[i]);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(gt_history_epoch(history, i), 2 + i);
    gt_Tensor *losses = gt_history_values(history, "loss"), *val = gt_history_values(history, "val_loss");
    ok();
    cr_assert(gt_dtype(losses) == GT_FLOAT64 && gt_size(losses) == 3);
    for (int i = 0; i < 3; i++) {
        double value = gt_history_get(history, "val_loss", i), same = gt_element(val, i);
        cr_assert(gt_element(losses, i) == gt_history_get(history, "loss", i));
        cr_assert(i == 1 ? value == same && isfinite(value) : isnan(value) && isnan(same), "epoch %d", i);
    }
    cr_assert(fabs(gt_element(losses, 0) - 0.905) < 1e-6 && fabs(gt_history_get(history, "val_loss", 1) - 0.43046721) < 1e-6);
    refused(gt_history_values(history, "f1"), GT_INVALID, "it has loss, mae, val_loss, val_mae");
    refused(gt_history_epoch(history, 3), GT_INVALID, "epoch 3 is out of range: the history has 3 epochs");
    refused(gt_history_get(history, "loss", -4), GT_INVALID, "epoch -4 is out of range");
    refused(gt_history_name(history, 4), GT_INVALID, "index 4 is out of range");
    gt_history_free(history);
    refused(gt_history_csv(history), GT_STALE, "freed");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A metric whose last value is as bad as one can be, under a name that CSV and JSON must quote. */
static gt_Status count_batches(const gt_MetricUpdate *update)
{
    return gt_assign_add(update->states[0], 1);
}

static gt_Status count_then_fail(const gt_MetricUpdate *update)
{
    gt_Tensor *before = gt_multiply(update->states[0], 1);
    gt_Tensor *none = gt_log(gt_subtract(gt_scalar(2, GT_FLOAT64), before));
    count_batches(update);
    return gt_assign_add(update->states[1], none);
}

static const gt_MetricClass bad_class = {
    .size = sizeof(gt_MetricClass), .name = "say \"a, b\"", .states = 2, .update = count_then_fail};

Test(history, csv_and_json)
{
    gt_Layer *model = line(gt_metric_new(&bad_class, NULL, NULL));
    gt_Dataset *rows = ones_to_zeros(2);
    gt_History *history = gt_fit(model, rows, .epochs = 2, .validation = rows, .validation_freq = 2, .verbose = GT_VERBOSITY_SILENT);
    ok();
    const char *csv = gt_history_csv(history);
    cr_assert(csv && strncmp(csv, "epoch,loss,\"say \"\"a, b\"\"\",val_loss,\"val_say \"\"a, b\"\"\"\n0,", 53) == 0, "%s", csv);
    /* Numbers read back as the same bits; where there is none the cell is empty. */
    double loss = strtod(strchr(csv, '\n') + 3, NULL);
    cr_assert(loss == gt_history_get(history, "loss", 0), "%s", csv);
    cr_assert(strstr(csv, ",,\n1,"), "%s", csv);
    char *kept = strdup(csv);
    const char *json = gt_history_json(history);
    cr_assert(json && strncmp(json, "{\"epoch\": [0, 1], \"loss\": [", 27) == 0, "%s", json);
    cr_assert(strstr(json, "\"val_loss\": [null, ") && strstr(json, "\"say \\\"a, b\\\"\": ["), "%s", json);
    cr_assert(strtod(strstr(json, "\"loss\": [") + 9, NULL) == loss, "%s", json);
    char *kept_json = strdup(json);

    char folder[] = "/tmp/gradtape-history-XXXXXX", path[64];
    cr_assert(mkdtemp(folder) != NULL);
    static const char *const ends[] = {"run.csv", "run.json", "run"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, ends[i]);
        gt_save_history(path, history);
        ok();
        char text[1024];
        FILE *file = fopen(path, "rb");
        cr_assert(file != NULL);
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        cr_assert_str_eq(text, i == 1 ? kept_json : kept);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/none/run.csv", folder);
    refused(gt_save_history(path, history), GT_IO, "none/run.csv");
    refused(gt_save_history(NULL, history), GT_INVALID, "path is NULL");
    refused(gt_save_history(path, NULL), GT_INVALID, "NULL");
    rmdir(folder);
    free(kept);
    free(kept_json);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- the bar ---- */

/* A chroot may have none. Asked before anything is made, which would be lost. */
static void need_a_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave = -1;
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
        slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0)
        cr_skip_test("there are no pseudo-terminals here");
    close(slave);
    close(master);
}

/* What gt_fit prints to a terminal of so many columns. */
static void print_to(int columns, bool colour, char *text, size_t size, gt_Layer *model, gt_Dataset *rows, int epochs)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY), before = dup(STDERR_FILENO);
    struct winsize shape = {.ws_col = (unsigned short)columns, .ws_row = 24};
    cr_assert(slave >= 0 && before >= 0 && ioctl(slave, TIOCSWINSZ, &shape) == 0);
    setenv("TERM", "xterm", 1);
    if (colour)
        unsetenv("NO_COLOR");
    else
        setenv("NO_COLOR", "1", 1);
    fflush(stderr);
    dup2(slave, STDERR_FILENO);
    gt_fit(model, rows, .epochs = epochs, .validation = rows);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    fcntl(master, F_SETFL, O_NONBLOCK);
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(master, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = 0;
    close(slave);
    close(master);
    ok();
}

/* The widest line, in columns: characters between line ends and carriage returns, without colours. */
static int widest(const char *text)
{
    int most = 0, now = 0;
    for (; *text; text++) {
        if (*text == '\x1b') {
            text += strcspn(text, "m");
            continue;
        }
        now = *text == '\n' || *text == '\r' ? 0 : now + (((unsigned char)*text & 0xc0) != 0x80);
        most = now > most ? now : most;
    }
    return most;
}

static int strokes(const char *text)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, "\xe2\x94\x81")); at += 3)
        count++;
    return count;
}

/* Epoch i/N only if epochs > 1; 20 strokes where there is room; no line is wider than the terminal, and the last one of an
 * epoch loses no number. */
Test(history, the_bar_fits_the_terminal)
{
    need_a_terminal();
    static char text[4096];
    for (int columns = 40; columns <= 160; columns += 20) {
        gt_Layer *model = line(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mean_absolute_error"));
        gt_Dataset *rows = ones_to_zeros(3);
        print_to(columns, columns % 40 == 20, text, sizeof text, model, rows, 1);
        cr_assert(widest(text) < columns, "%d columns, %d: %s", columns, widest(text), text);
        cr_assert(!strstr(text, "Epoch"), "%s", text);
        const char *last = strstr(text, "3/3"), *next;
        while (last && (next = strstr(last + 1, "3/3")))
            last = next;
        cr_assert(last && strstr(last, " - loss: ") && strstr(last, " - val_mean_absolute_error: "), "%s", text);
        if (columns == 160)
            cr_assert_eq(strokes(last), 20, "%s", last);
        if (columns == 40)
            cr_assert(strstr(text, "\xe2\x80\xa6"), "what is left out while the bar moves: %s", text);
        cr_assert((strchr(text, '\x1b') != NULL) == (columns % 40 == 20), "%s", text);
    }
    gt_Layer *model = line(gt_Mean());
    print_to(80, false, text, sizeof text, model, ones_to_zeros(3), 2);
    cr_assert(strncmp(text, "Epoch 1/2\r\n", 11) == 0 && strstr(text, "Epoch 2/2\r\n"), "%s", text);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What gt_fit warns of stands under the line of its epoch, once. */
Test(history, warnings_under_the_bar)
{
    need_a_terminal();
    static char text[4096];
    gt_Layer *model = line(gt_Mean());
    gt_Dataset *rows = gt_dataset_from_tensors(gt_full(gt_shape(2, 1), NAN), gt_zeros(gt_shape(2, 1)));
    gt_warnings_clear();
    print_to(100, false, text, sizeof text, model, rows, 2);
    const char *first = strstr(text, "warning: "), *second = first ? strstr(first + 1, "warning: ") : NULL;
    cr_assert(first && strncmp(first, "warning: test: fit: epoch 1: the loss of batch 1 is not finite: input 1", 70) == 0, "%s", text);
    cr_assert(second && strstr(second, "fit: epoch 2") && !strstr(second + 1, "warning: "), "%s", text);
    cr_assert(first[-1] == '\n', "%s", text);
    gt_context_free(NULL);
    assert_no_leaks();
}
