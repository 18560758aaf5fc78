/* Datasets from tables: the columns of a gt_Table become x, y and weights. */
#include "train/data/csv.h"
#include "core/inside.h"
#include "io/csv_rows.h"
#include "train/data/names.h"
#include "train/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_from_csv_options, gt_dataset_from_csv_OPTIONS);

/* The list `names` has no NULL in it. */
static bool check_names(gt_Context *context, const char *option, gt_Names names)
{
    for (int32_t i = 0; names.items && names.items[i] != GT_LIST_END; i++)
        if (!names.items[i]) {
            gt_raise(context, GT_INVALID, NULL, NULL, "name %d of %s is NULL", (int)i, option);
            return false;
        }
    return true;
}

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
    else if (options->skip_rows < 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "skip_rows must be >= 0 (got %lld)", (long long)options->skip_rows);
    else if (options->limit < 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "limit must be >= 0 (got %lld)", (long long)options->limit);
    else if (options->max_categories < 1)
        gt_raise(context, GT_INVALID, NULL, NULL, "max_categories must be >= 1 (got %d)", (int)options->max_categories);
    else if ((unsigned)options->missing > GT_MISSING_MEDIAN)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "unknown missing %d; a number that stands for what is missing is given as "
                 ".missing = GT_MISSING_VALUE, .missing_value = ...",
                 (int)options->missing);
    else if ((unsigned)options->header > GT_HEADER_NO)
        gt_raise(context, GT_INVALID, NULL, NULL, "unknown header %d", (int)options->header);
    else if (!isfinite(options->scale) || options->scale == 0)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "scale must be finite and not 0 (got %g); in C 1 / 16 is 0, and 1.0 / 16 is not",
                 options->scale);
    else if (options->one_hot != false && options->one_hot != true)
        gt_raise(context, GT_INVALID, NULL, NULL, "one_hot must be true or false (got %d)",
                 options->one_hot);
    return gt_context_status(context) == GT_OK &&
           check_names(context, "columns", options->columns) &&
           check_names(context, "without", options->without) &&
           check_names(context, "categories", options->categories) &&
           check_names(context, "text", options->text) && check_names(context, "na", options->na);
}

/* ---- like another table ---- */

/* What is known of the table that this one is to be like; NULL: nothing, with an error raised if there should be. */
static const gt_DataNames *find_like(gt_Context *context, const gt_dataset_from_csv_options *options)
{
    const gt_DataNames *like = NULL;
    if (options->like && options->model)
        gt_raise(context, GT_INVALID, NULL, NULL, "give like or model, not both");
    else if (options->model)
        like = gt_model_table(context, options->model);
    else if (options->like && gt_dataset_check(context, NULL, NULL, options->like)) {
        like = gt_dataset_names(options->like);
        if (!like || !like->table)
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "like must be a dataset that was read from a table");
    }
    return gt_context_status(context) == GT_OK ? like : NULL;
}

/* Which columns there are is no longer open then. */
static bool check_like(gt_Context *context, const gt_dataset_from_csv_options *options)
{
    const char *option = options->columns.items      ? "columns"
                         : options->without.items    ? "without"
                         : options->categories.items ? "categories"
                         : options->weight           ? "weight"
                         : options->text.items       ? "text"
                                                     : NULL;
    if (option)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s cannot be given with %s: it is as in the table that this one is to be like",
                 option, options->like ? "like" : "model");
    return !option;
}

/* What is not given is as it was for the other table. To leave out rows must be said each time: what belongs to the rows of
 * the file would no longer fit. */
static void take_over(gt_dataset_from_csv_options *options, const gt_DataNames *like)
{
    static const gt_TableForm usual = {.quote = '"', .decimal = '.', .missing = GT_MISSING_ERROR};
    const gt_TableForm *form = like ? &like->table->form : &usual;
    if (options->delimiter == 0)
        options->delimiter = form->delimiter;
    if (options->quote == GT_CHAR_NONE)
        options->quote = form->quote;
    if (options->decimal == GT_CHAR_NONE)
        options->decimal = form->decimal;
    if (options->header == GT_HEADER_AUTO)
        options->header = form->header;
    if (options->skip_rows == -1)
        options->skip_rows = form->skip_rows;
    if (options->missing == GT_MISSING_INHERIT) {
        bool drops = form->missing == GT_MISSING_DROP;
        options->missing = drops ? GT_MISSING_ERROR : form->missing;
        options->missing_value = form->missing_value;
    }
    if (options->one_hot == GT_INHERIT)
        options->one_hot = like && like->one_hot;
    if (isnan(options->scale))
        options->scale = like ? like->scale : 1;
    if (options->dtype == GT_DTYPE_NONE)
        options->dtype = like ? like->dtype : GT_FLOAT32;
    if (options->label_dtype == GT_DTYPE_NONE && like)
        options->label_dtype = like->label_dtype;
}

/* The options as the reader of tables wants them; `number` has room for the label's. */
static gt_TableOptions table_options(const gt_dataset_from_csv_options *options,
                                     const gt_DataNames *like, char number[16])
{
    bool labelled = options->label || options->label_column != GT_NONE;
    snprintf(number, 16, "%d", (int)options->label_column);
    return (gt_TableOptions){
        .delimiter = options->delimiter,
        .quote = options->quote,
        .decimal = options->decimal,
        .header = options->header,
        .skip_rows = options->skip_rows,
        .limit = options->limit,
        .columns = options->columns,
        .without = options->without,
        .categories = options->categories,
        .texts = options->text,
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
        .label_optional = !options->label,
    };
}

/* ---- tensors ---- */

static gt_Tensor *make_x(gt_Context *context, const gt_Table *table,
                         const gt_dataset_from_csv_options *options)
{
    void *data;
    gt_Spec spec = {0};
    int64_t width = 0, first = 0;
    for (int32_t i = 0; i < table->count; i++)
        width += gt_column_width(&table->columns[i], options->one_hot);
    if (!gt_spec_set(&spec, options->dtype, gt_shape(table->rows, width))) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the table is too large for a tensor");
        return NULL;
    }
    gt_Tensor *x = gt_tensor_new(context, &spec, &data);
    for (int32_t i = 0; x && i < table->count; i++) {
        const gt_TableColumn *column = &table->columns[i];
        int32_t wide = gt_column_width(column, options->one_hot);
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

/* The numbers of classes are no values. */
static bool check_label(gt_Context *context, const char *path, const gt_Table *table, const gt_TableColumn *label,
                        gt_DType dtype)
{
    char number[24];
    if (!label->text || !gt_dtype_is_float(dtype))
        return true;
    snprintf(number, sizeof number, "%lld", (long long)label->field);
    gt_raise(context, GT_INVALID, NULL, NULL, "%s: labels are text, hence classes (column \"%s\"): they cannot be read as %s",
             path, table->named ? gt_words_text(&table->names, (int32_t)label->field) : number, gt_dtype_name(dtype));
    return false;
}

/* Labels that are numbers of classes: those of a first row, which then may be none after all, or of the table that this one is
 * like, which must be. */
static bool check_classes(gt_Context *context, const char *path, gt_Table *table, const gt_TableColumn *label,
                          const gt_dataset_from_csv_options *options)
{
    const int32_t count = table->classes.count;
    if (count == 0 || label->text || gt_dtype_is_float(options->label_dtype))
        return true;
    for (int64_t row = 0; row < table->rows; row++) {
        const double number = label->numbers[row];
        if (number >= 0 && number < count && number == floor(number))
            continue;
        if (!options->like && !options->model) {
            gt_words_close(context, &table->classes);
            return true;
        }
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: row %lld: the label %g is none of the %d classes, 0 to %d", path,
                 (long long)row + 1, number, (int)count, (int)count - 1);
        return false;
    }
    return true;
}

static bool has_inputs(const gt_Table *table)
{
    return gt_table_role(table, GT_TABLE_X) != NULL;
}

/* The columns of text; how many there are. */
static int32_t make_texts(gt_Context *context, const gt_Table *table, gt_Strings texts[GT_MAX_TEXTS])
{
    int32_t count = 0;
    for (int32_t i = 0; i < table->count && gt_context_status(context) == GT_OK; i++) {
        if (table->columns[i].role != GT_TABLE_TEXT)
            continue;
        if (count == GT_MAX_TEXTS)
            gt_raise(context, GT_INVALID, NULL, NULL, "there may be at most %d columns of text", GT_MAX_TEXTS);
        else
            texts[count++] = gt_builder_strings(context, &table->columns[i].strings);
    }
    return count;
}

/* Takes the table over, also when it fails. */
static gt_DataNames *make_names(gt_Context *context, gt_Table *table,
                                const gt_dataset_from_csv_options *options)
{
    gt_DataNames *names = gt_names_new(context);
    if (!names) {
        gt_table_release(table);
        return NULL;
    }
    names->table = table;
    names->one_hot = options->one_hot;
    names->scale = options->scale;
    names->dtype = options->dtype;
    names->label_dtype = options->label_dtype;
    if (gt_names_of_table(names))
        return names;
    gt_names_release(names);
    return NULL;
}

static gt_Dataset *from_table(gt_Context *context, const char *path, gt_Table *table,
                              const gt_dataset_from_csv_options *options)
{
    const gt_TableColumn *label = gt_table_role(table, GT_TABLE_LABEL),
                         *weight = gt_table_role(table, GT_TABLE_WEIGHT);
    gt_Strings texts[GT_MAX_TEXTS];
    int32_t text_count = make_texts(context, table, texts);
    gt_Tensor *x = has_inputs(table) ? make_x(context, table, options) : NULL, *y = NULL, *w = NULL;
    gt_Dataset *self = NULL;
    bool good = gt_context_status(context) == GT_OK;
    if (good && label) {
        gt_DType dtype = label_dtype(table, label, options);
        if (check_label(context, path, table, label, dtype) && check_classes(context, path, table, label, options))
            y = make_column(context, path, table, label, dtype, gt_dtype_is_float(dtype));
    }
    if (good && weight)
        w = make_column(context, path, table, weight, options->dtype, false);
    gt_table_give_up_numbers(table);
    const gt_dataset_from_tensors_options batches = {.batch_size = options->batch_size,
                                                     .shuffle = options->shuffle,
                                                     .seed = options->seed,
                                                     .drop_remainder = options->drop_remainder};
    if (gt_context_status(context) == GT_OK)
        self = gt_dataset_of_columns(context, x, y, w, texts, text_count, &batches);
    gt_DataNames *names = make_names(context, table, options);
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
    gt_dataset_from_csv_options options;
    GT_TAKE(gt_dataset_from_csv_options, &options, given);
    gt_Site site = gt_site_enter(here, "dataset_from_csv");
    gt_Dataset *self = NULL;
    const gt_DataNames *like = find_like(context, &options);
    take_over(&options, like);
    if (gt_context_status(context) == GT_OK && check(context, &options) &&
        (!like || check_like(context, &options)) && gt_scope_open(context)) {
        char number[16];
        const gt_TableOptions table_as = table_options(&options, like, number);
        gt_Table *table = gt_table_read(context, path, &table_as);
        if (table)
            self = from_table(context, path, table, &options);
        gt_scope_close(context);
    }
    gt_site_leave(&site);
    return self;
}
