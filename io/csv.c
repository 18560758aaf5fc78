/* CSV (RFC 4180, numbers only). The text goes through a window that holds a row at least, and
 * twice: once to count rows and find ragged ones, once to read the numbers into a tensor that has
 * the right size from the start. So a file takes no memory but for its tensor and its longest row;
 * what cannot be read twice, a pipe, is kept as it arrives. Leans on file.c and number.c. */
#include "io/csv.h"
#include "io/file.h"
#include "io/number.h"
#include "core/assert.h"
#include "core/inside.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define ROWS_BETWEEN_POLLS 4096
#ifdef GT_SMALL_PIECES /* so that a fuzzer's small files are cut into some */
#define PIECE ((size_t)16)
#else
#define PIECE ((size_t)64 * 1024)
#endif

typedef struct Csv {
    gt_Context *context;
    const char *path;
    const gt_load_csv_options *options;
    gt_FileReader reader;
    gt_Bytes window;      /* a part of the text, with a 0 behind it */
    const char *at, *end; /* in the window */
    bool ended;           /* the end of the window is that of the file */
    bool whole;           /* the window keeps all of the text: it cannot be read again */
    bool cut;             /* the row that was tried goes on behind the window */
    int64_t line;         /* where `at` is, from 1 */
    int64_t column;       /* the field that was read last, from 1 */
    int64_t fields;       /* in every row; 0 before the first one was seen */
    int64_t first, count; /* the columns that are taken */
} Csv;

/* A field without its blanks and quotes, and whether its row ends with it. */
typedef struct Field {
    const char *text;
    size_t size;
    bool last;
} Field;

static bool fail_here(const Csv *csv, const char *what)
{
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s:%lld:%lld: %s", csv->path,
             (long long)csv->line, (long long)csv->column, what);
    return false;
}

/* ---- the window ---- */

/* Reads on behind the window; what lies before `from`, where `at` is then, may go. */
static bool refill(Csv *csv, const char *from)
{
    gt_Bytes *window = &csv->window;
    if (!csv->whole && window->size > 0) {
        window->size = (size_t)(csv->end - from);
        memmove(window->data, from, window->size);
        from = window->data;
    }
    size_t offset = window->size > 0 ? (size_t)(from - window->data) : 0;
    if (!gt_bytes_reserve(csv->context, window, PIECE + 1))
        return false;
    GT_ASSERT(window->capacity > window->size + 1);
    size_t room = window->capacity - window->size - 1;
    int64_t n = gt_file_read(&csv->reader, window->data + window->size, room);
    if (n < 0)
        return false;
    window->size += (size_t)n;
    window->data[window->size] = 0;
    csv->ended = (size_t)n < room;
    csv->at = window->data + offset;
    csv->end = window->data + window->size;
    return true;
}

/* Whether what was read up to `at` would read the same with more text behind the window. */
static bool certain(Csv *csv)
{
    csv->cut = !csv->ended && csv->end - csv->at < 2;
    return !csv->cut;
}

/* ---- rows and fields ---- */

static bool blank(const Csv *csv, char c)
{
    return (c == ' ' || c == '\t') && c != csv->options->delimiter;
}

static void skip_blanks(Csv *csv)
{
    while (csv->at < csv->end && blank(csv, *csv->at))
        csv->at++;
}

static bool at_line_end(const Csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

/* Over what ends a line. */
static void skip_line_end(Csv *csv)
{
    csv->at += csv->at < csv->end && *csv->at == '\r';
    csv->at += csv->at < csv->end && *csv->at == '\n';
    csv->line++;
}

/* A field between quotes is taken as it is: no number has a quote in it, doubled or not. */
static bool quoted_field(Csv *csv, Field *field)
{
    int64_t lines = 0;
    const char *at = csv->at + 1;
    for (; at < csv->end; at++) {
        lines += *at == '\n';
        if (*at == '"' && (at + 1 == csv->end || at[1] != '"'))
            break;
        at += *at == '"';
    }
    if (at >= csv->end) {
        csv->cut = !csv->ended;
        return !csv->cut && fail_here(csv, "the quotes around this field are never closed");
    }
    *field = (Field){csv->at + 1, (size_t)(at - csv->at - 1), false};
    csv->at = at + 1;
    csv->line += lines;
    skip_blanks(csv);
    return at_line_end(csv) || *csv->at == csv->options->delimiter ||
           fail_here(csv, "something follows the quotes of this field");
}

static void plain_field(Csv *csv, Field *field)
{
    const char *start = csv->at;
    while (csv->at < csv->end && *csv->at != csv->options->delimiter && !at_line_end(csv))
        csv->at++;
    *field = (Field){start, (size_t)(csv->at - start), false};
}

static bool next_field(Csv *csv, Field *field)
{
    csv->column++;
    skip_blanks(csv);
    if (csv->at < csv->end && *csv->at == '"') {
        if (!quoted_field(csv, field))
            return false;
    } else {
        plain_field(csv, field);
    }
    if (!certain(csv))
        return false;
    while (field->size > 0 && blank(csv, field->text[0])) {
        field->text++;
        field->size--;
    }
    while (field->size > 0 && blank(csv, field->text[field->size - 1]))
        field->size--;
    field->last = at_line_end(csv);
    if (!field->last)
        csv->at++; /* the delimiter */
    return true;
}

/* Is there another row? Blank lines end the file, and nothing may follow them. */
static bool next_row(Csv *csv)
{
    int64_t line = csv->line;
    bool blank_line = false;
    csv->column = 0;
    for (;;) {
        const char *start = csv->at;
        skip_blanks(csv);
        bool over = csv->at == csv->end, line_end = at_line_end(csv);
        if (!csv->ended && csv->end - csv->at < 2) {
            if (!refill(csv, start))
                return false;
            continue;
        }
        if (over)
            return false;
        if (!line_end) {
            csv->at = start;
            break;
        }
        skip_line_end(csv);
        blank_line = true;
    }
    if (!blank_line)
        return true;
    csv->line = line;
    return fail_here(csv, "a blank line between the rows");
}

/* To the start of the next line. */
static bool skip_line(Csv *csv)
{
    const char *newline;
    while (!(newline = memchr(csv->at, '\n', (size_t)(csv->end - csv->at))) && !csv->ended)
        if (!refill(csv, csv->end))
            return false;
    csv->at = newline ? newline + 1 : csv->end;
    csv->line++;
    return true;
}

/* ---- from the beginning ---- */

/* Does a line in the window end in CR alone, and none in LF? What is quoted does not count. */
static bool ends_lines_in_cr(const Csv *csv)
{
    bool quoted = false, found = false;
    for (const char *at = csv->at; at < csv->end; at++) {
        if (*at == '\n')
            return false;
        quoted ^= *at == '"';
        found |= *at == '\r' && !quoted && at + 1 < csv->end;
    }
    return found;
}

/* Names what is text and still not readable here. */
static bool check_text(const Csv *csv)
{
    const char *what = NULL;
    size_t size = (size_t)(csv->end - csv->at);
    if (size >= 2 && (memcmp(csv->at, "\xff\xfe", 2) == 0 || memcmp(csv->at, "\xfe\xff", 2) == 0))
        what = "is UTF-16 (Unicode) text; save it as UTF-8";
    else if (memchr(csv->at, 0, size))
        what = "holds zero bytes: expected text in UTF-8 or ASCII, not UTF-16 or a binary file";
    else if (ends_lines_in_cr(csv))
        what = "its lines end in CR alone (as on old Macintoshes); save it with LF or CRLF";
    if (what)
        gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: %s", csv->path, what);
    return !what;
}

/* To the first row, from the beginning of the text. */
static bool begin(Csv *csv)
{
    if (!csv->whole) {
        csv->window.size = 0;
        if (!refill(csv, csv->end))
            return false;
    }
    csv->at = csv->window.data;
    if (!check_text(csv))
        return false;
    if (csv->window.size >= 3 && memcmp(csv->at, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3; /* the byte order mark that some programs write */
    csv->line = 1;
    for (int64_t i = 0; i < csv->options->skip_rows && !(csv->ended && csv->at == csv->end); i++)
        if (!skip_line(csv))
            return false;
    return true;
}

static bool begin_again(Csv *csv)
{
    if (!csv->whole && !gt_file_rewind(&csv->reader))
        return false;
    return begin(csv);
}

/* ---- numbers ---- */

static bool says(const Field *field, const char *lower)
{
    size_t i = 0;
    for (; i < field->size && lower[i]; i++)
        if ((field->text[i] | 0x20) != lower[i])
            return false;
    return i == field->size && !lower[i];
}

static bool infinity_word(const Field *field, double *number)
{
    bool sign = field->size > 0 && (field->text[0] == '-' || field->text[0] == '+');
    Field word = {field->text + sign, field->size - sign, false};
    *number = sign && field->text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return says(&word, "inf") || says(&word, "infinity");
}

static bool fail_number(const Csv *csv, const Field *field, const char *what)
{
    char text[GT_EXCERPT];
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s:%lld:%lld: \"%s\" %s %s", csv->path,
             (long long)csv->line, (long long)csv->column,
             gt_excerpt(text, field->text, field->size), what, gt_dtype_name(csv->options->dtype));
    return false;
}

static bool missing_word(const Field *field)
{
    return field->size == 0 || says(field, "na") || says(field, "nan");
}

static bool store_float(const Csv *csv, const Field *field, void *data, int64_t i)
{
    double number;
    if (missing_word(field)) {
        if (isinf(csv->options->missing))
            return fail_here(csv, "a number is missing; .missing = 0, or any other, stands for it");
        number = csv->options->missing;
    } else if (!infinity_word(field, &number)) {
        if (!gt_parse_decimal(field->text, field->size, &number))
            return fail_number(csv, field, "is not a number, and the tensor is");
        if (isinf(csv->options->dtype == GT_FLOAT32 ? (double)(float)number : number))
            return fail_number(csv, field, "is too large for");
    }
    if (csv->options->dtype == GT_FLOAT32)
        ((float *)data)[i] = (float)number;
    else
        ((double *)data)[i] = number;
    return true;
}

static void integer_range(gt_DType dtype, int64_t *least, int64_t *most)
{
    *least = dtype == GT_INT32 ? INT32_MIN : dtype == GT_INT64 ? INT64_MIN : 0;
    *most = dtype == GT_INT32   ? INT32_MAX
            : dtype == GT_INT64 ? INT64_MAX
            : dtype == GT_UINT8 ? UINT8_MAX
                                : 1;
}

static bool store_integer(const Csv *csv, const Field *field, void *data, int64_t i)
{
    int64_t number, least, most;
    gt_DType dtype = csv->options->dtype;
    integer_range(dtype, &least, &most);
    if (missing_word(field)) {
        if (isinf(csv->options->missing))
            return fail_here(csv, "a number is missing; .missing = 0, or any other, stands for it");
        number = (int64_t)csv->options->missing;
    } else if (!gt_parse_integer(field->text, field->size, &number)) {
        return fail_number(csv, field, "is not an integer of 64 bits, and the tensor is");
    }
    if (number < least || number > most)
        return fail_number(csv, field, "is out of the range of");
    if (dtype == GT_INT64)
        ((int64_t *)data)[i] = number;
    else if (dtype == GT_INT32)
        ((int32_t *)data)[i] = (int32_t)number;
    else
        ((uint8_t *)data)[i] = (uint8_t)number;
    return true;
}

/* ---- rows, counted and read ---- */

static bool poll(const Csv *csv, int64_t row)
{
    if (row % ROWS_BETWEEN_POLLS != 0 || !gt_interrupted(csv->context))
        return true;
    gt_raise(csv->context, GT_INTERRUPTED, NULL, NULL, "%s: interrupted", csv->path);
    return false;
}

/* Does something with a field of the columns that are taken; it may fail. */
typedef bool FieldAction(const Csv *csv, const Field *field, void *data, int64_t i);

/* The row in the window; `action` gets what is taken of it, as elements from i on. NULL: it is
 * counted. */
static bool try_row(Csv *csv, FieldAction *action, void *data, int64_t i)
{
    Field field;
    int64_t line = csv->line;
    csv->column = 0;
    do {
        if (!next_field(csv, &field))
            return false;
        bool wanted = csv->column > csv->first && csv->column <= csv->first + csv->count;
        if (action && wanted && !action(csv, &field, data, i++))
            return false;
    } while (!field.last);
    skip_line_end(csv);
    if (csv->fields == 0)
        csv->fields = csv->column;
    if (csv->column == csv->fields)
        return true;
    gt_raise(csv->context, GT_FORMAT, NULL, NULL,
             "%s:%lld:%lld: expected %lld fields, as in the rows before (got %lld)", csv->path,
             (long long)line, (long long)csv->column, (long long)csv->fields,
             (long long)csv->column);
    return false;
}

/* The same for a row that may go on behind the window: then it is tried again, from its start. */
static bool read_row(Csv *csv, FieldAction *action, void *data, int64_t i)
{
    for (;;) {
        const char *start = csv->at;
        int64_t line = csv->line;
        csv->cut = false;
        if (try_row(csv, action, data, i))
            return true;
        if (!csv->cut)
            return false;
        csv->line = line;
        if (!refill(csv, start))
            return false;
    }
}

static bool choose_columns(Csv *csv)
{
    gt_Columns columns = csv->options->columns;
    csv->first = columns.first < 0 ? columns.first + csv->fields : columns.first;
    csv->count = columns.count < 0 ? csv->fields - csv->first : columns.count;
    if (csv->first >= 0 && csv->count > 0 && csv->first + csv->count <= csv->fields)
        return true;
    gt_raise(csv->context, GT_INVALID, NULL, NULL,
             "%s: columns %d, %d (first, count) are out of range: it has %lld", csv->path,
             (int)columns.first, (int)columns.count, (long long)csv->fields);
    return false;
}

static bool count_rows(Csv *csv, int64_t *rows)
{
    for (*rows = 0; next_row(csv); ++*rows)
        if (!read_row(csv, NULL, NULL, 0) || !poll(csv, *rows + 1))
            return false;
    if (gt_context_status(csv->context) != GT_OK)
        return false;
    if (*rows > 0)
        return choose_columns(csv);
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: has no rows", csv->path);
    return false;
}

/* A first row with text in it is likely to be a header, whatever else is wrong with it. */
static bool refuse_text(const Csv *csv, const Field *field, void *data, int64_t i)
{
    char text[GT_EXCERPT];
    double number;
    (void)data, (void)i;
    if (missing_word(field) || infinity_word(field, &number) ||
        gt_parse_decimal(field->text, field->size, &number))
        return true;
    gt_raise(csv->context, GT_FORMAT, NULL, NULL,
             "%s:%lld:%lld: \"%s\" is not a number; if this line is a header, .skip_rows = %lld "
             "skips it",
             csv->path, (long long)csv->line, (long long)csv->column,
             gt_excerpt(text, field->text, field->size), (long long)csv->line);
    return false;
}

static bool read_numbers(Csv *csv, int64_t rows, void *data)
{
    FieldAction *store = gt_dtype_is_float(csv->options->dtype) ? store_float : store_integer;
    for (int64_t row = 0; row < rows; row++) {
        if (!poll(csv, row))
            return false;
        if (next_row(csv) && read_row(csv, store, data, row * csv->count))
            continue;
        gt_raise(csv->context, GT_IO, NULL, NULL, "%s: changed while it was read", csv->path);
        return false;
    }
    return true;
}

/* ---- reading ---- */

#define DELIMITER                                                                                  \
    "the delimiter must be printable or a tab, and no letter, digit, quote, point or sign (got "   \
    "code "                                                                                        \
    "%d)"

static bool good_delimiter(char c)
{
    return c == '\t' ||
           (c >= ' ' && c <= '~' && !gt_is_digit(c) && !gt_is_letter(c) && !strchr("\"+-.", c));
}

static bool check_options(gt_Context *context, const gt_load_csv_options *options)
{
    if (!good_delimiter(options->delimiter))
        gt_raise(context, GT_INVALID, NULL, NULL, DELIMITER, (int)options->delimiter);
    else if (gt_loop_type(options->dtype) < 0)
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                 "dtype must be one that operations compute in (got %s); gt_cast what was read",
                 gt_dtype_name(options->dtype));
    else if (options->skip_rows < 0 || options->limit < 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s must be >= 0 (got %lld)",
                 options->skip_rows < 0 ? "skip_rows" : "limit",
                 (long long)(options->skip_rows < 0 ? options->skip_rows : options->limit));
    else if (!isinf(options->missing) && !gt_number_fits(options->dtype, options->missing))
        gt_raise(context, GT_INVALID, NULL, NULL, "missing must be a number of dtype %s (got %g)",
                 gt_dtype_name(options->dtype), options->missing);
    else
        return true;
    return false;
}

static gt_Tensor *read_table(Csv *csv)
{
    gt_Spec spec = {0};
    void *data;
    int64_t rows;
    if (!begin(csv) || !count_rows(csv, &rows) || !begin_again(csv) || !next_row(csv) ||
        !read_row(csv, refuse_text, NULL, 0))
        return NULL;
    if (!gt_spec_set(&spec, csv->options->dtype, gt_shape(rows, csv->count))) {
        gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: is too large for a tensor", csv->path);
        return NULL;
    }
    gt_Tensor *tensor = gt_tensor_new(csv->context, &spec, &data);
    if (!tensor || (begin_again(csv) && read_numbers(csv, rows, data)))
        return tensor;
    gt_tensor_free(csv->context, tensor);
    return NULL;
}

static gt_Tensor *read_csv(gt_Context *context, const char *path,
                           const gt_load_csv_options *options)
{
    Csv csv = {.context = context, .path = path, .options = options};
    if (!check_options(context, options) ||
        !gt_file_open(context, &csv.reader, path, options->limit))
        return NULL;
    csv.whole = !csv.reader.rewinds;
    gt_Tensor *tensor = NULL;
    if (!csv.whole || refill(&csv, csv.end))
        tensor = read_table(&csv);
    gt_bytes_release(context, &csv.window);
    gt_file_close(&csv.reader);
    return tensor;
}

GT_OPTION_TYPE(gt_load_csv_options, gt_load_csv_OPTIONS);

gt_Tensor *gt_load_csv_at(const char *here, const char *path, const gt_load_csv_options *given)
{
    gt_load_csv_options options = GT_TAKE(gt_load_csv_options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_csv");
    gt_Tensor *tensor = read_csv(context, path, &options);
    gt_site_leave(site);
    return tensor;
}

/* ---- writing ---- */

static const char *element_text(gt_DType dtype, const void *data, int64_t i,
                                char text[GT_NUMBER_TEXT])
{
    switch (dtype) {
    case GT_FLOAT32:
        return gt_number_text((double)((const float *)data)[i], true, text);
    case GT_FLOAT64:
        return gt_number_text(((const double *)data)[i], false, text);
    case GT_INT32:
        snprintf(text, GT_NUMBER_TEXT, "%lld", (long long)((const int32_t *)data)[i]);
        return text;
    case GT_INT64:
        snprintf(text, GT_NUMBER_TEXT, "%lld", (long long)((const int64_t *)data)[i]);
        return text;
    default:
        snprintf(text, GT_NUMBER_TEXT, "%u", (unsigned)((const uint8_t *)data)[i]);
        return text;
    }
}

static bool put_text(gt_FileWriter *writer, gt_Bytes *out, const char *text, char after)
{
    size_t size = strlen(text);
    if (!gt_bytes_reserve(writer->context, out, size + 1))
        return false;
    memcpy(out->data + out->size, text, size);
    out->data[out->size + size] = after;
    out->size += size + 1;
    if (out->size < PIECE)
        return true;
    bool ok = gt_file_write(writer, out->data, out->size);
    out->size = 0;
    return ok;
}

static bool put_rows(gt_FileWriter *writer, gt_Bytes *out, const gt_Tensor *tensor,
                     const gt_save_csv_options *options)
{
    char text[GT_NUMBER_TEXT];
    const gt_Spec *spec = gt_tensor_spec(tensor);
    const void *data = gt_tensor_data(tensor);
    int64_t columns = spec->rank == 2 ? spec->dims[1] : 1;
    bool ok = !options->header || put_text(writer, out, options->header, '\n');
    for (int64_t i = 0; ok && i < spec->size; i++)
        ok = put_text(writer, out, element_text(spec->dtype, data, i, text),
                      (i + 1) % columns == 0 ? '\n' : options->delimiter);
    return ok && gt_file_write(writer, out->data, out->size);
}

static void write_csv(gt_Context *context, const char *path, const gt_Tensor *tensor,
                      const gt_save_csv_options *options)
{
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, "the tensor", tensor);
    if (!spec || (!gt_data_at(NULL, tensor) && gt_context_status(context) != GT_OK))
        return;
    if (spec->rank < 1 || spec->rank > 2) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "expected a tensor of 1 or 2 dimensions (got %d); reshape it", (int)spec->rank);
        return;
    }
    if (gt_loop_type(spec->dtype) < 0) {
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL, "dtype %s is not supported; gt_cast it first",
                 gt_dtype_name(spec->dtype));
        return;
    }
    if (!good_delimiter(options->delimiter)) {
        gt_raise(context, GT_INVALID, NULL, NULL, DELIMITER, (int)options->delimiter);
        return;
    }
    gt_FileWriter writer;
    gt_Bytes out = {0};
    if (!gt_file_create(context, &writer, path))
        return;
    if (put_rows(&writer, &out, tensor, options))
        gt_file_commit(&writer);
    else
        gt_file_discard(&writer);
    gt_bytes_release(context, &out);
}

GT_OPTION_TYPE(gt_save_csv_options, gt_save_csv_OPTIONS);

gt_Status gt_save_csv_at(const char *here, const char *path, const gt_Tensor *tensor,
                         const gt_save_csv_options *given)
{
    gt_save_csv_options options = GT_TAKE(gt_save_csv_options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_csv");
    write_csv(context, path, tensor, &options);
    gt_site_leave(site);
    return gt_context_status(context);
}
