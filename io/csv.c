/* CSV (RFC 4180, numbers only). The text is read twice: once to count rows and find ragged ones, once to read the numbers into
 * a tensor that has the right size from the start. Leans on csv_rows.c and number.c. */
#include "io/csv.h"
#include "io/csv_rows.h"
#include "io/number.h"
#include "io/table.h"
#include "core/inside.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define PIECE ((size_t)64 * 1024) /* that is written at once */

/* A table that is being read into a tensor. */
typedef struct Load {
    gt_Csv csv;
    const gt_load_csv_options *options;
    int64_t first, count; /* the columns that are taken */
    void *data;
    int64_t i; /* the row's first element */
} Load;

/* ---- numbers ---- */

static bool fail_number(const Load *load, const gt_CsvField *field, const char *what)
{
    char text[GT_EXCERPT];
    return gt_csv_fail(&load->csv, "\"%s\" %s %s", gt_excerpt(text, field->text, field->size), what,
                       gt_dtype_name(load->options->dtype));
}

static bool fail_missing(const Load *load)
{
    return gt_csv_fail(&load->csv,
                       "a number is missing; .missing = 0, or any other, stands for it");
}

static bool store_float(Load *load, const gt_CsvField *field, int64_t i)
{
    double number;
    bool single = load->options->dtype == GT_FLOAT32;
    if (gt_csv_missing(field)) {
        if (isinf(load->options->missing))
            return fail_missing(load);
        number = load->options->missing;
    } else if (!gt_csv_infinity(field, &number)) {
        if (!gt_parse_decimal(field->text, field->size, &number))
            return fail_number(load, field, "is not a number, and the tensor is");
        if (isinf(single ? (double)(float)number : number))
            return fail_number(load, field, "is too large for");
    }
    if (single)
        ((float *)load->data)[i] = (float)number;
    else
        ((double *)load->data)[i] = number;
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

static bool store_integer(Load *load, const gt_CsvField *field, int64_t i)
{
    int64_t number, least, most;
    gt_DType dtype = load->options->dtype;
    integer_range(dtype, &least, &most);
    if (gt_csv_missing(field)) {
        if (isinf(load->options->missing))
            return fail_missing(load);
        number = (int64_t)load->options->missing;
    } else if (!gt_parse_integer(field->text, field->size, &number)) {
        return fail_number(load, field, "is not an integer of 64 bits, and the tensor is");
    }
    if (number < least || number > most)
        return fail_number(load, field, "is out of the range of");
    if (dtype == GT_INT64)
        ((int64_t *)load->data)[i] = number;
    else if (dtype == GT_INT32)
        ((int32_t *)load->data)[i] = (int32_t)number;
    else
        ((uint8_t *)load->data)[i] = (uint8_t)number;
    return true;
}

static bool store(gt_Csv *csv, const gt_CsvField *field, void *user)
{
    Load *load = user;
    int64_t column = csv->column - 1 - load->first;
    if (column < 0 || column >= load->count)
        return true;
    return gt_dtype_is_float(load->options->dtype) ? store_float(load, field, load->i + column)
                                                   : store_integer(load, field, load->i + column);
}

/* ---- rows, counted and read ---- */

static bool choose_columns(Load *load)
{
    gt_Columns columns = load->options->columns;
    int64_t fields = load->csv.fields;
    load->first = columns.first < 0 ? columns.first + fields : columns.first;
    load->count = columns.count < 0 ? fields - load->first : columns.count;
    if (load->first >= 0 && load->count > 0 && load->first + load->count <= fields)
        return true;
    gt_raise(load->csv.context, GT_INVALID, NULL, NULL,
             "%s: columns %d, %d (first, count) are out of range: it has %lld", load->csv.path,
             (int)columns.first, (int)columns.count, (long long)fields);
    return false;
}

static bool count_rows(Load *load, int64_t *rows)
{
    gt_Csv *csv = &load->csv;
    for (*rows = 0; gt_csv_next_row(csv); ++*rows)
        if (!gt_csv_read_row(csv, false, NULL, NULL) || !gt_csv_poll(csv, *rows + 1))
            return false;
    if (gt_context_status(csv->context) != GT_OK)
        return false;
    if (*rows > 0)
        return choose_columns(load);
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: has no rows", csv->path);
    return false;
}

/* "59 2 32.1": numbers in one field. */
static bool has_another_delimiter(const gt_CsvField *field)
{
    size_t n = 0;
    double number;
    while (n < field->size && !memchr(" ;,\t|", field->text[n], 5))
        n++;
    return n > 0 && n < field->size && gt_parse_decimal(field->text, n, &number);
}

/* A first row with text in it is likely to be a header, whatever else is wrong with it. */
static bool refuse_text(gt_Csv *csv, const gt_CsvField *field, void *user)
{
    char text[GT_EXCERPT];
    double number;
    const Load *load = user;
    int64_t column = csv->column - 1 - load->first;
    if (column < 0 || column >= load->count || gt_csv_missing(field) ||
        gt_csv_infinity(field, &number) || gt_parse_decimal(field->text, field->size, &number))
        return true;
    return gt_csv_fail(
        csv, "\"%s\" is not a number; if this line is a header, .skip_rows = %lld skips it%s",
        gt_excerpt(text, field->text, field->size), (long long)csv->line,
        has_another_delimiter(field) ? "; .delimiter says what stands between numbers" : "");
}

static bool read_numbers(Load *load, int64_t rows)
{
    gt_Csv *csv = &load->csv;
    for (int64_t row = 0; row < rows; row++) {
        load->i = row * load->count;
        if (!gt_csv_poll(csv, row))
            return false;
        if (gt_csv_next_row(csv) && gt_csv_read_row(csv, false, store, load))
            continue;
        gt_raise(csv->context, GT_IO, NULL, NULL, "%s: changed while it was read", csv->path);
        return false;
    }
    return true;
}

/* ---- reading ---- */

static bool check_options(gt_Context *context, const gt_load_csv_options *options)
{
    if (!gt_csv_good_delimiter(options->delimiter))
        gt_raise(context, GT_INVALID, NULL, NULL, GT_CSV_DELIMITER, (int)options->delimiter);
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

static gt_Tensor *read_table(Load *load)
{
    gt_Csv *csv = &load->csv;
    gt_Spec spec = {0};
    int64_t rows;
    if (!count_rows(load, &rows) || !gt_csv_begin(csv) || !gt_csv_next_row(csv) ||
        !gt_csv_read_row(csv, false, refuse_text, load))
        return NULL;
    if (!gt_spec_set(&spec, load->options->dtype, gt_shape(rows, load->count))) {
        gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: is too large for a tensor", csv->path);
        return NULL;
    }
    gt_Tensor *tensor = gt_tensor_new(csv->context, &spec, &load->data);
    if (!tensor || (gt_csv_begin(csv) && read_numbers(load, rows)))
        return tensor;
    gt_tensor_free(csv->context, tensor);
    return NULL;
}

static gt_Tensor *read_csv(gt_Context *context, const char *path,
                           const gt_load_csv_options *options)
{
    Load load = {.csv = {.context = context,
                         .path = path,
                         .delimiter = options->delimiter,
                         .quote = '"',
                         .skip_rows = options->skip_rows},
                 .options = options};
    if (!check_options(context, options))
        return NULL;
    gt_Tensor *tensor = gt_csv_open(&load.csv, options->limit, 0) ? read_table(&load) : NULL;
    gt_csv_close(&load.csv);
    return tensor;
}

GT_OPTION_TYPE(gt_load_csv_options, gt_load_csv_OPTIONS);

gt_Tensor *gt_load_csv_at(const char *here, const char *path, const gt_load_csv_options *given)
{
    gt_load_csv_options options;
    GT_TAKE(gt_load_csv_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_csv");
    gt_Tensor *tensor = read_csv(context, path, &options);
    gt_site_leave(&site);
    return tensor;
}

/* ---- text ---- */

GT_OPTION_TYPE(gt_load_csv_strings_options, gt_load_csv_strings_OPTIONS);

gt_Strings gt_load_csv_strings_at(const char *here, const char *path, const char *column,
                                  const gt_load_csv_strings_options *given)
{
    gt_load_csv_strings_options options;
    GT_TAKE(gt_load_csv_strings_options, &options, given);
    gt_Strings strings = {NULL, NULL, 0};
    gt_Context *context = gt_enter();
    if (!context)
        return strings;
    gt_Site site = gt_site_enter(here, "load_csv_strings");
    gt_TextBuilder builder = {0};
    const gt_TableOptions table = {.delimiter = options.delimiter,
                                   .quote = options.quote,
                                   .decimal = '.',
                                   .header = options.header,
                                   .skip_rows = options.skip_rows,
                                   .limit = options.limit};
    if (!column)
        gt_raise(context, GT_INVALID, NULL, NULL, "the column is NULL");
    else if (options.delimiter && !gt_csv_good_delimiter(options.delimiter))
        gt_raise(context, GT_INVALID, NULL, NULL, GT_CSV_DELIMITER, (int)options.delimiter);
    else if (options.skip_rows < 0 || options.limit < 0)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "skip_rows and limit must be >= 0 (got %lld and %lld)",
                 (long long)options.skip_rows, (long long)options.limit);
    else if (gt_table_strings(context, path, &table, column, &builder))
        strings = gt_builder_strings(context, &builder);
    gt_builder_close(context, &builder);
    gt_site_leave(&site);
    return strings;
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
    if (!gt_csv_good_delimiter(options->delimiter)) {
        gt_raise(context, GT_INVALID, NULL, NULL, GT_CSV_DELIMITER, (int)options->delimiter);
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
    gt_save_csv_options options;
    GT_TAKE(gt_save_csv_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_csv");
    write_csv(context, path, tensor, &options);
    gt_site_leave(&site);
    return gt_context_status(context);
}
