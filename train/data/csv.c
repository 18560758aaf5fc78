/* Datasets from tables: the columns of a gt_Table become x, y and weights. */
#include "train/data/csv.h"
#include "core/inside.h"
#include "io/csv_rows.h"
#include "train/data/names.h"
#include "train/internal.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_from_csv_options, gt_dataset_from_csv_OPTIONS);

static bool check(gt_Context *context, const gt_dataset_from_csv_options *options)
{
    if (options->dtype != GT_FLOAT32 && options->dtype != GT_FLOAT64)
        gt_raise(context, GT_INVALID, NULL, NULL, "dtype must be float32 or float64 (got %s)",
                 gt_dtype_name(options->dtype));
    else if (options->label_dtype != GT_DTYPE_NONE && gt_loop_type(options->label_dtype) < 0)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "label_dtype %s is not supported; expected a type that operations compute in",
                 gt_dtype_name(options->label_dtype));
    else if (options->delimiter && !gt_csv_good_delimiter(options->delimiter))
        gt_raise(context, GT_INVALID, NULL, NULL, GT_CSV_DELIMITER, (int)options->delimiter);
    else if (options->decimal != '.' && (options->decimal != ',' || options->delimiter == ','))
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "decimal must be '.', or ',' where the delimiter is another (got code %d)",
                 (int)options->decimal);
    else if (options->skip_rows < 0 || options->limit < 0 || options->max_categories < 1)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "skip_rows, limit and max_categories must be >= 0, 0 and 1 (got %lld, %lld, %d)",
                 (long long)options->skip_rows, (long long)options->limit,
                 (int)options->max_categories);
    else if ((unsigned)options->missing > GT_MISSING_MEDIAN)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "unknown missing %d; a number that stands for what is missing is given as "
                 ".missing = GT_MISSING_VALUE, .missing_value = ...",
                 (int)options->missing);
    else if ((unsigned)options->header > GT_HEADER_NO)
        gt_raise(context, GT_INVALID, NULL, NULL, "unknown header %d", (int)options->header);
    return gt_context_status(context) == GT_OK;
}

/* The options as the reader of tables wants them; `number` has room for the label's. */
static bool table_options(gt_Context *context, const gt_dataset_from_csv_options *options,
                          char number[16], gt_TableOptions *to)
{
    const gt_DataNames *like = NULL;
    if (options->like) {
        if (!gt_dataset_check(context, NULL, NULL, options->like))
            return false;
        like = gt_dataset_names(options->like);
        if (!like || !like->table) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "like must be a dataset that was read from a table");
            return false;
        }
    }
    snprintf(number, 16, "%d", (int)options->label_column);
    bool labelled = options->label || options->label_column != GT_NONE;
    *to = (gt_TableOptions){
        .delimiter = options->delimiter,
        .quote = options->quote,
        .decimal = options->decimal,
        .header = options->header,
        .skip_rows = options->skip_rows,
        .limit = options->limit,
        .columns = options->columns,
        .without = options->without,
        .categories = options->categories,
        .na = options->na,
        .label = options->label ? options->label
                 : labelled     ? number
                                : NULL,
        .weight = options->weight,
        .missing = options->missing,
        .missing_value = options->missing_value,
        .max_categories = options->max_categories,
        .single = options->dtype == GT_FLOAT32,
        .like = like ? like->table : NULL,
        .unlabelled = !labelled,
    };
    return true;
}

static const gt_TableColumn *find_role(const gt_Table *table, gt_TableRole role)
{
    for (int32_t i = 0; i < table->count; i++)
        if (table->columns[i].role == role)
            return &table->columns[i];
    return NULL;
}

/* How many columns of x a column of the table becomes. */
static int32_t width_of(const gt_TableColumn *column, bool one_hot)
{
    return column->role != GT_TABLE_X ? 0 : column->text && one_hot ? column->words.count : 1;
}

static gt_Tensor *make_x(gt_Context *context, const gt_Table *table,
                         const gt_dataset_from_csv_options *options)
{
    void *data;
    gt_Spec spec = {0};
    int64_t width = 0, first = 0;
    for (int32_t i = 0; i < table->count; i++)
        width += width_of(&table->columns[i], options->one_hot);
    if (!gt_spec_set(&spec, options->dtype, gt_shape(table->rows, width))) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the table is too large for a tensor");
        return NULL;
    }
    gt_Tensor *x = gt_tensor_new(context, &spec, &data);
    for (int32_t i = 0; x && i < table->count; i++) {
        const gt_TableColumn *column = &table->columns[i];
        int32_t wide = width_of(column, options->one_hot);
        bool spread = column->text && options->one_hot;
        for (int64_t row = 0; row < table->rows; row++)
            for (int32_t k = 0; k < wide; k++)
                gt_number_store(spec.dtype, data, row * width + first + k,
                                spread         ? column->numbers[row] == k
                                : column->text ? column->numbers[row]
                                               : column->numbers[row] * options->scale);
        first += wide;
    }
    return x;
}

/* int32 where every label is one. */
static gt_DType label_dtype(const gt_Table *table, const gt_TableColumn *label,
                            const gt_dataset_from_csv_options *options)
{
    if (options->label_dtype != GT_DTYPE_NONE)
        return options->label_dtype;
    bool integers = label->text || label->integers;
    for (int64_t row = 0; integers && row < table->rows; row++)
        integers = gt_number_fits(GT_INT32, label->numbers[row]);
    return integers ? GT_INT32 : options->dtype;
}

/* One column as (rows), or where it is floats as (rows, 1). */
static gt_Tensor *make_column(gt_Context *context, const char *path, const gt_Table *table,
                              const gt_TableColumn *column, gt_DType dtype, bool matrix)
{
    void *data;
    gt_Spec spec = {0};
    gt_spec_set(&spec, dtype, matrix ? gt_shape(table->rows, 1) : gt_shape(table->rows));
    gt_Tensor *tensor = gt_tensor_new(context, &spec, &data);
    for (int64_t row = 0; tensor && row < table->rows; row++) {
        double number = column->numbers[row];
        if (!gt_dtype_is_float(dtype) && !gt_number_fits(dtype, number)) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "%s: row %lld: the label %g is out of the range of %s", path,
                     (long long)row + 1, number, gt_dtype_name(dtype));
            return NULL;
        }
        gt_number_store(dtype, data, row, number);
    }
    return tensor;
}

/* ---- names ---- */

static bool add_names(gt_DataNames *names, int32_t i, bool one_hot)
{
    const gt_Table *table = names->table;
    const gt_TableColumn *column = &table->columns[i];
    bool named = table->named && column->field < table->names.count;
    const char *name = named ? gt_words_text(&table->names, (int32_t)column->field) : "";
    for (int32_t k = 0; k < width_of(column, one_hot); k++) {
        char text[256];
        size_t size = (size_t)snprintf(text, sizeof text, column->text && one_hot ? "%s=%s" : "%s",
                                       name, column->text ? gt_words_text(&column->words, k) : "");
        names->column_of[names->columns.count] = i;
        if (!gt_words_append(names->context, &names->columns, text,
                             size < sizeof text ? size : sizeof text - 1))
            return false;
    }
    return true;
}

static bool copy_classes(gt_DataNames *names, const gt_Words *from)
{
    for (int32_t i = 0; i < from->count; i++)
        if (!gt_words_append(names->context, &names->classes, gt_words_text(from, i),
                             gt_words_size(from, i)))
            return false;
    return true;
}

/* Takes the table over, also when it fails. */
static gt_DataNames *make_names(gt_Context *context, gt_Table *table, bool one_hot)
{
    gt_DataNames *names = gt_names_new(context);
    if (!names) {
        gt_table_release(table);
        return NULL;
    }
    names->table = table;
    names->one_hot = one_hot;
    int32_t width = 0;
    for (int32_t i = 0; i < table->count; i++)
        width += width_of(&table->columns[i], one_hot);
    names->column_of = gt_allocate(context, (size_t)width * sizeof *names->column_of);
    names->width = width;
    bool ok = names->column_of != NULL;
    for (int32_t i = 0; ok && i < table->count; i++)
        ok = add_names(names, i, one_hot);
    const gt_TableColumn *label = find_role(table, GT_TABLE_LABEL);
    ok = ok && copy_classes(names, label && label->text ? &label->words : &table->classes);
    if (ok)
        return names;
    gt_names_release(names);
    return NULL;
}

static gt_Dataset *from_table(gt_Context *context, const char *path, gt_Table *table,
                              const gt_dataset_from_csv_options *options)
{
    const gt_TableColumn *label = find_role(table, GT_TABLE_LABEL),
                         *weight = find_role(table, GT_TABLE_WEIGHT);
    gt_Tensor *x = make_x(context, table, options), *y = NULL, *w = NULL;
    gt_Dataset *self = NULL;
    if (x && label) {
        gt_DType dtype = label_dtype(table, label, options);
        y = make_column(context, path, table, label, dtype, gt_dtype_is_float(dtype));
    }
    if (x && weight)
        w = make_column(context, path, table, weight, options->dtype, false);
    gt_table_give_up_numbers(table);
    const gt_dataset_from_tensors_options batches = {.batch_size = options->batch_size,
                                                     .shuffle = options->shuffle,
                                                     .seed = options->seed,
                                                     .drop_remainder = options->drop_remainder};
    if (gt_context_status(context) == GT_OK)
        self = gt_dataset_of_columns(context, x, y, w, &batches);
    gt_DataNames *names = make_names(context, table, options->one_hot);
    if (self && names) {
        gt_dataset_set_names(self, names);
        return self;
    }
    gt_names_release(names);
    gt_dataset_free(self);
    return NULL;
}

gt_Dataset *gt_dataset_from_csv_at(const char *here, const char *path,
                                   const gt_dataset_from_csv_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_dataset_from_csv_options options = GT_TAKE(gt_dataset_from_csv_options, given);
    gt_Site site = gt_site_enter(here, "dataset_from_csv");
    char number[16];
    gt_TableOptions table_as;
    gt_Dataset *self = NULL;
    if (check(context, &options) && table_options(context, &options, number, &table_as) &&
        gt_scope_open(context)) {
        gt_Table *table = gt_table_read(context, path, &table_as);
        if (table)
            self = from_table(context, path, table, &options);
        gt_scope_close(context);
    }
    gt_site_leave(site);
    return self;
}
