/* CSVLogger. The file is opened for each row and closed again, so that a training that ends in any way leaves whole rows.
 * What the header says is memory, and read again from the file by a run that is resumed. */
#define _FILE_OFFSET_BITS 64

#include "train/callbacks/csv_logger.h"
#include "core/text.h"
#include "io/number.h"
#include "train/callbacks/kit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

GT_OPTION_TYPE(gt_CSVLogger_options, gt_CSVLogger_OPTIONS);

enum { BYTES }; /* of the file, after its last row */
static const gt_CallbackState numbers[] = {{"bytes", 0}, {NULL, 0}};

#define MOST_COLUMNS (2 * GT_MAX_LOGS)
typedef struct Columns {
    int32_t count; /* 0: not known yet */
    bool header;   /* is to be written */
    char name[MOST_COLUMNS][96];
} Columns;

static gt_Status check(const void *given)
{
    const gt_CSVLogger_options *options = given;
    if (!options->filename || !*options->filename)
        return gt_fail(GT_INVALID, "filename is %s", options->filename ? "empty" : "NULL");
    if (!options->separator || strlen(options->separator) != 1)
        return gt_fail(GT_INVALID, "separator must be one character");
    return GT_OK;
}

static gt_Status failed(const gt_CSVLogger_options *options, const char *what)
{
    char words[GT_SYSTEM_TEXT];
    return gt_fail(GT_IO, "%s: %s: %s", options->filename, what, gt_system_text(words, errno));
}

/* ---- at the begin ---- */

/* The columns that the first line names, "epoch" aside; none for an empty file. */
static void read_header(const gt_CSVLogger_options *options, Columns *columns)
{
    char line[MOST_COLUMNS * 96] = "";
    FILE *file = fopen(options->filename, "r");
    if (file && !fgets(line, sizeof line, file))
        line[0] = 0;
    if (file)
        fclose(file);
    line[strcspn(line, "\r\n")] = 0;
    columns->header = line[0] == 0;
    char *at = strchr(line, options->separator[0]);
    while (at && columns->count < MOST_COLUMNS) {
        size_t length = strcspn(++at, options->separator);
        snprintf(columns->name[columns->count++], sizeof columns->name[0], "%.*s", (int)length, at);
        at = at[length] ? at + length : NULL;
    }
}

static gt_Status begin(const gt_CallbackArgs *in)
{
    const gt_CSVLogger_options *options = in->options;
    Columns *columns = in->memory;
    memset(columns, 0, sizeof *columns);
    bool goes_on = options->append || (in->resumed && gt_recall(in, BYTES) > 0);
    FILE *file = fopen(options->filename, goes_on ? "a" : "w"); /* can it be written? */
    if (!file || fclose(file) != 0)
        return failed(options, "cannot be opened");
    if (in->resumed && gt_recall(in, BYTES) > 0 &&
        truncate(options->filename, (off_t)gt_recall(in, BYTES)) != 0)
        return failed(options, "cannot be cut to the epochs that are done");
    if (!in->resumed)
        gt_remember(in, BYTES, 0);
    columns->header = true;
    if (goes_on)
        read_header(options, columns);
    return gt_status();
}

/* ---- rows ---- */

static void add_column(Columns *columns, const char *prefix, const char *name)
{
    if (columns->count < MOST_COLUMNS)
        snprintf(columns->name[columns->count++], sizeof columns->name[0], "%s%s", prefix, name);
}

/* What is logged, by name; and as val_ again where there is no such number. */
static void choose_columns(const gt_CallbackArgs *in, Columns *columns)
{
    bool validated = false;
    for (int i = 0; i < gt_logged_count(in); i++) {
        add_column(columns, "", gt_logged_name(in, i));
        validated |= strncmp(gt_logged_name(in, i), "val_", 4) == 0;
    }
    for (int32_t i = 1; i < columns->count; i++)
        for (int32_t j = i; j > 0 && strcmp(columns->name[j - 1], columns->name[j]) > 0; j--) {
            char name[sizeof columns->name[0]];
            memcpy(name, columns->name[j], sizeof name);
            memcpy(columns->name[j], columns->name[j - 1], sizeof name);
            memcpy(columns->name[j - 1], name, sizeof name);
        }
    for (int32_t i = 0, count = columns->count; !validated && i < count; i++)
        add_column(columns, "val_", columns->name[i]);
}

static void write_header(FILE *file, char separator, const Columns *columns)
{
    fputs("epoch", file);
    for (int32_t i = 0; i < columns->count; i++)
        fprintf(file, "%c%s", separator, columns->name[i]);
    fputc('\n', file);
}

static void write_row(const gt_CallbackArgs *in, FILE *file, char separator, const Columns *columns)
{
    char text[GT_NUMBER_TEXT];
    double value;
    fprintf(file, "%lld", (long long)in->epoch);
    for (int32_t i = 0; i < columns->count; i++) {
        bool there = gt_logged(in, columns->name[i], &value);
        fprintf(file, "%c%s", separator, there ? gt_number_text(value, false, text) : "NA");
    }
    fputc('\n', file);
}

static gt_Status end_epoch(const gt_CallbackArgs *in)
{
    const gt_CSVLogger_options *options = in->options;
    Columns *columns = in->memory;
    if (columns->count == 0)
        choose_columns(in, columns);
    FILE *file = fopen(options->filename, "a");
    if (!file)
        return failed(options, "cannot be opened");
    if (columns->header)
        write_header(file, options->separator[0], columns);
    columns->header = false;
    write_row(in, file, options->separator[0], columns);
    bool written = fflush(file) == 0 && !ferror(file);
    gt_Status status = written ? GT_OK : failed(options, "cannot be written");
    gt_remember(in, BYTES, (double)ftello(file));
    if (fclose(file) != 0 && written)
        status = failed(options, "cannot be written");
    return status == GT_OK ? gt_status() : status;
}

static gt_Status on(const gt_CallbackArgs *in)
{
    return in->hook == GT_HOOK_TRAIN_BEGIN ? begin(in) : end_epoch(in);
}

const gt_CallbackClass gt_callback_class_csv_logger = {
    .size = sizeof(gt_CallbackClass),
    .name = "csv_logger",
    .function = "CSVLogger",
    .keras = "CSVLogger",
    .summary = "the numbers of each epoch as a row of a CSV file",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_EPOCH_END),
    .options = &gt_CSVLogger_options_type,
    .states = numbers,
    .memory = sizeof(Columns),
    .check = check,
    .on = on};

gt_Callback *gt_CSVLogger_at(const char *here, const gt_CSVLogger_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_csv_logger, options);
}
