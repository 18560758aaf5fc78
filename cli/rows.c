/* Tables, IDX and NPZ files as tensors, and the choice between classes and numbers. */
#include "cli/rows.h"
#include "cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CLASSES 30 /* different integers that are taken for classes; more are numbers */

/* ---- kinds ---- */

RowsKind rows_kind(const char *path)
{
    if (ends_with(path, ".npz"))
        return ROWS_NPZ;
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    return strstr(name, "-ubyte") || strstr(name, "idx") ? ROWS_IDX : ROWS_CSV;
}

/* ---- labels ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The different numbers in order, malloc()ed; *integers: all of them are. NULL without memory, told. */
static double *distinct(gt_Tensor *y, int64_t *count, bool *integers)
{
    int64_t rows = gt_size(y), n = 0;
    double *numbers = malloc((size_t)(rows > 0 ? rows : 1) * sizeof *numbers);
    if (!numbers) {
        fail("no memory for %lld labels", (long long)rows);
        return NULL;
    }
    *integers = true;
    for (int64_t i = 0; i < rows; i++) {
        numbers[i] = gt_element(y, i);
        *integers = *integers && floor(numbers[i]) == numbers[i];
    }
    qsort(numbers, (size_t)rows, sizeof *numbers, compare);
    for (int64_t i = 0; i < rows; i++)
        if (n == 0 || numbers[n - 1] != numbers[i])
            numbers[n++] = numbers[i];
    *count = n;
    return numbers;
}

/* Integers that are few, and come again and again, are classes. */
static bool look_like_classes(int64_t different, bool integers, int64_t rows)
{
    return integers && different <= MOST_CLASSES && (different <= 2 || different * 3 <= rows);
}

static char *name_of_number(double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", number);
    return table_copy(text);
}

static gt_Tensor *as_numbers(gt_Tensor *y)
{
    return gt_reshape(gt_cast(y, GT_FLOAT32), gt_shape(-1, 1));
}

/* Labels from numbers: y as classes 0, 1, ..., called by their numbers, or as it is. */
static bool use_numbers(gt_Tensor *labels, Task task, Rows *rows)
{
    int64_t count = 0;
    bool integers = false;
    double *values = labels ? distinct(labels, &count, &integers) : NULL;
    if (!values)
        return false;
    bool classes = task == TASK_CLASSES ||
                   (task == TASK_AUTO && look_like_classes(count, integers, gt_size(labels)));
    rows->task = classes ? TASK_CLASSES : TASK_NUMBERS;
    bool ok = true;
    for (int64_t i = 0; classes && ok && i < count; i++)
        if (!list_add(&rows->classes, name_of_number(values[i]))) {
            fail("%lld different labels are more than the %d classes that there may be",
                 (long long)count, MAX_LIST);
            ok = false;
        }
    free(values);
    return ok &&
           (rows->y = classes ? table_classes(labels, &rows->classes) : as_numbers(labels)) != NULL;
}

static bool use_names(gt_Strings labels, Rows *rows)
{
    rows->task = TASK_CLASSES;
    return table_name_classes(labels, &rows->classes) &&
           (rows->y = table_classes_of_text(labels, &rows->classes)) != NULL;
}

bool rows_same_count(const Rows *rows, const char *path, gt_Tensor *y)
{
    if (!y)
        return false;
    int64_t labels = gt_tensor_shape(y).dims[0];
    if (labels == rows->count)
        return true;
    fail("%s has %lld labels for %lld rows", path, (long long)labels, (long long)rows->count);
    return false;
}

/* A second file, of labels alone. */
static bool read_labels(const char *path, Task task, Rows *rows)
{
    gt_Tensor *numbers = NULL;
    gt_Strings text = {0};
    if (!table_load_labels(path, &numbers, &text))
        return false;
    if (!numbers && task == TASK_NUMBERS)
        return fail("%s: labels are text, hence classes: --task numbers does not fit", path), false;
    if (!numbers)
        return use_names(text, rows) && rows_same_count(rows, path, rows->y);
    return rows_same_count(rows, path, numbers) && use_numbers(numbers, task, rows);
}

/* ---- CSV ---- */

bool rows_missing(const char *word, gt_Missing *missing)
{
    static const char *const words[] = {"error", "drop", NULL, "mean", "median"};
    for (int i = 0; i < 5; i++)
        if (words[i] && strcmp(word, words[i]) == 0) {
            *missing = (gt_Missing)i;
            return true;
        }
    return false;
}

static gt_Dataset *open_csv(const Reading *reading, gt_Missing missing, const WordList *categories,
                            gt_DType labels)
{
    bool labelled = !reading->labels;
    return gt_dataset_from_csv(
        reading->path, .label = labelled ? reading->label : NULL,
        .label_column = labelled ? -1 : GT_NONE, .label_dtype = labels,
        .columns = names_of(&reading->columns), .without = names_of(&reading->without),
        .categories = names_of(categories), .na = names_of(&reading->na), .missing = missing,
        .decimal = reading->decimal[0], .skip_rows = reading->skip_rows,
        .max_categories = (int32_t)(reading->max_categories < INT32_MAX ? reading->max_categories : INT32_MAX), .shuffle = false,
        .batch_size = ALL_ROWS);
}

/* The rows as a model gets them: a column of 0 and 1 for each category. */
static bool spread_categories(const Reading *reading, gt_Missing missing, gt_DType labels,
                              Rows *rows)
{
    gt_Dataset *spread = gt_dataset_from_csv(
        reading->path, .like = rows->table, .label_column = reading->labels ? GT_NONE : -1,
        .label_dtype = labels, .missing = missing, .one_hot = true, .shuffle = false, .batch_size = ALL_ROWS);
    rows->columns = (int)gt_dataset_x(rows->table).dims[1];
    rows->spread = spread;
    return spread && table_take(spread, rows);
}

static bool keep_class_names(Rows *rows)
{
    int count = gt_dataset_class_count(rows->table);
    for (int i = 0; i < count; i++)
        if (!list_add(&rows->classes, gt_dataset_class_name(rows->table, i))) {
            fail("the label column has %d different texts; a model has at most %d classes", count,
                 MAX_LIST);
            return false;
        }
    return true;
}

/* Are the labels of the table classes? Raises or tells what is wrong. */
static bool choose_task(const Reading *reading, Rows *rows)
{
    int64_t count = 0;
    bool integers = false;
    rows->task = reading->task;
    if (reading->task != TASK_AUTO)
        return true;
    if (gt_dataset_class_count(rows->table) > 0) {
        rows->task = TASK_CLASSES;
        return true;
    }
    double *values = distinct(rows->y, &count, &integers);
    rows->task =
        values && look_like_classes(count, integers, rows->count) ? TASK_CLASSES : TASK_NUMBERS;
    free(values);
    return values != NULL;
}

static bool read_csv(const Reading *reading, Rows *rows)
{
    gt_Missing missing;
    WordList categories = reading->categories;
    if (!rows_missing(reading->missing, &missing))
        return false;
    rows->table = open_csv(reading, missing, &categories, GT_DTYPE_NONE);
    if (!rows->table || !table_take(rows->table, rows))
        return false;
    if (reading->labels)
        return spread_categories(reading, missing, GT_DTYPE_NONE, rows) &&
               read_labels(reading->labels, reading->task, rows);
    if (!choose_task(reading, rows))
        return false;
    /* Once more, now that it is known what the labels are. */
    bool named = gt_dataset_class_count(rows->table) > 0;
    gt_DType labels = rows->task == TASK_NUMBERS ? GT_FLOAT32 : GT_DTYPE_NONE;
    if (rows->task == TASK_CLASSES && !named)
        list_add(&categories, reading->label ? reading->label : "-1");
    if (rows->task == TASK_NUMBERS || !named) {
        gt_dataset_free(rows->table);
        rows->table = open_csv(reading, missing, &categories, labels);
    }
    if (!rows->table || !spread_categories(reading, missing, labels, rows))
        return false;
    return rows->task == TASK_NUMBERS || keep_class_names(rows);
}

/* ---- all of it ---- */

bool rows_read_inputs(RowsKind kind, const char *path, const char *x, Rows *rows)
{
    rows->x = kind == ROWS_NPZ ? gt_load_npz(path, x) : gt_load_idx(path);
    if (rows->x && gt_rank(rows->x) < 2) {
        fail("%s: inputs must have two dimensions or more, rows first", path);
        return false;
    }
    if (rows->x && !gt_dtype_is_float(gt_dtype(rows->x)))
        rows->x = gt_cast(rows->x, GT_FLOAT32);
    if (rows->x)
        rows->count = gt_tensor_shape(rows->x).dims[0];
    return rows->x != NULL;
}

bool rows_read(const Reading *reading, Rows *rows)
{
    *rows = (Rows){.kind = rows_kind(reading->path)};
    if (rows->kind == ROWS_CSV)
        return read_csv(reading, rows);
    if (!rows_read_inputs(rows->kind, reading->path, reading->x, rows))
        return false;
    if (reading->labels)
        return read_labels(reading->labels, reading->task, rows);
    if (rows->kind == ROWS_IDX) {
        fail("%s has inputs alone: --labels names the file of the labels", reading->path);
        return false;
    }
    gt_Tensor *y = gt_load_npz(reading->path, reading->label ? reading->label : "y");
    return rows_same_count(rows, reading->path, y) && use_numbers(y, reading->task, rows);
}
