/* CSVLogger. The file is opened for each row and closed again, so that a training that ends in any way leaves whole rows.
 * What the header says is memory, and read again from the file by a run that is resumed. */
#define _FILE_OFFSET_BITS 64

#include "train/callbacks/csv_logger.h"
#include "core/text.h"
#include "io/csv_rows.h"
#include "io/json.h"
#include "io/number.h"
#include "train/callbacks/kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

GT_OPTION_TYPE(gt_CSVLogger_options, gt_CSVLogger_OPTIONS);

enum { BYTES }; /* of the file, after its last row */
static const gt_CallbackState numbers[] = {{"bytes", 0}, {NULL, 0}};

#define MOST_COLUMNS (2 * GT_MAX_LOGS)
typedef struct Columns {
    int32_t count; /* 0: not known yet */
    bool header;   /* is to be written */
    bool broken;   /* the file ends within a line */
    char name[MOST_COLUMNS][96];
} Columns;

static gt_Status check(const void *given)
{
    const gt_CSVLogger_options *options = given;
    if (!options->filename || !*options->filename)
        return gt_fail(GT_INVALID, "filename is %s", options->filename ? "empty" : "NULL");
    if (!options->separator || strlen(options->separator) != 1)
        return gt_fail(GT_INVALID, "separator must be one character");
    if (!gt_csv_good_delimiter(options->separator[0]))
        return gt_fail(GT_INVALID, GT_CSV_DELIMITER, (int)options->separator[0]);
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
    columns->broken = line[0] && fseek(file, -1, SEEK_END) == 0 && fgetc(file) != '\n';
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
    struct stat now; /* a log that lost its end is not filled up with zeros */
    bool longer = in->resumed && gt_recall(in, BYTES) > 0 && stat(options->filename, &now) == 0 &&
                  (double)now.st_size > gt_recall(in, BYTES);
    if (longer && truncate(options->filename, (off_t)gt_recall(in, BYTES)) != 0)
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

static bool put_header(gt_Context *context, gt_Bytes *out, char separator, const Columns *columns)
{
    bool done = gt_json_put(context, out, "epoch");
    for (int32_t i = 0; i < columns->count && done; i++)
        done = gt_json_put(context, out, "%c%s", separator, columns->name[i]);
    return done && gt_json_put(context, out, "\n");
}

static bool put_row(const gt_CallbackArgs *in, gt_Bytes *out, char separator, const Columns *columns)
{
    char text[GT_NUMBER_TEXT];
    double value;
    bool done = gt_json_put(in->run->context, out, "%lld", (long long)in->epoch);
    for (int32_t i = 0; i < columns->count && done; i++) {
        bool there = gt_logged(in, columns->name[i], &value);
        done = gt_json_put(in->run->context, out, "%c%s", separator, there ? gt_number_text(value, false, text) : "NA");
    }
    return done && gt_json_put(in->run->context, out, "\n");
}

/* All of it or nothing: a row that is cut short by a full disk would be the beginning of the next one. */
static gt_Status append(const gt_CallbackArgs *in, const gt_Bytes *rows)
{
    const gt_CSVLogger_options *options = in->options;
    gt_Context *context = in->run->context;
    int64_t bytes = 0;
    int descriptor = open(options->filename, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return failed(options, "cannot be opened");
    if (gt_file_append(context, options->filename, descriptor, rows->data, rows->size, &bytes))
        gt_remember(in, BYTES, (double)bytes);
    if (close(descriptor) != 0 && gt_context_status(context) == GT_OK)
        return failed(options, "cannot be written");
    return gt_context_status(context);
}

static gt_Status end_epoch(const gt_CallbackArgs *in)
{
    const gt_CSVLogger_options *options = in->options;
    gt_Context *context = in->run->context;
    Columns *columns = in->memory;
    gt_Bytes rows = {0};
    bool done = true;
    if (columns->count == 0)
        choose_columns(in, columns);
    if (columns->broken)
        done = gt_json_put(context, &rows, "\n");
    if (columns->header)
        done = done && put_header(context, &rows, options->separator[0], columns);
    if (done && put_row(in, &rows, options->separator[0], columns) && append(in, &rows) == GT_OK)
        columns->header = columns->broken = false;
    gt_bytes_release(context, &rows);
    return gt_status();
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
