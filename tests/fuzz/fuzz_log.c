/* Any bytes as the file that a gt_CSVLogger goes on with; the first byte is the separator. A header that it would write is one
 * that it reads. */
#include "train/callbacks/csv_logger.c" /* the function is its own */

#include "tests/fuzz/fuzz.h"

static void read_columns(const char *path, const char *separator, Columns *columns)
{
    gt_CSVLogger_options options = {
        GT_PRESETS(gt_CSVLogger_options, gt_CSVLogger_OPTIONS).filename = path,
        .separator = separator, .append = true};
    memset(columns, 0, sizeof *columns);
    if (check(&options) == GT_OK)
        read_header(&options, columns);
    gt_error_clear();
    if (columns->count < 0 || columns->count > MOST_COLUMNS)
        fuzz_stop("too many columns");
    for (int32_t i = 0; i < columns->count; i++)
        if (!memchr(columns->name[i], 0, sizeof columns->name[i]))
            fuzz_stop("a name does not end");
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    static Columns read, again;
    char separator[2] = {(char)fuzz_byte(&data, &size), 0};
    gt_Bytes text = {0};
    read_columns(fuzz_file(data, size), separator, &read);
    if (fuzz_works(put_header(gt_context(), &text, separator[0], &read)))
        read_columns(fuzz_file((const uint8_t *)text.data, text.size), separator, &again);
    else
        again = read;
    gt_bytes_release(gt_context(), &text);
    if (read.count != again.count || memcmp(read.name, again.name, sizeof read.name) != 0)
        fuzz_stop("a header was written and reads differently");
}
