/* Rows for a model that is read from a file. How a table was read the library keeps in there (gt_set_table); of IDX and NPZ
 * files the names of the arrays are kept beside it, as lines: "npz", "x", "y", or "idx". */
#include "cli/table.h"

#include <string.h>

const char *rows_recipe(const Reading *reading, const Rows *rows)
{
    static char text[512];
    int size = rows->kind == ROWS_NPZ ? snprintf(text, sizeof text, "npz\n%s\n%s", reading->x,
                                                 reading->label ? reading->label : "y")
                                      : snprintf(text, sizeof text, "idx");
    if (rows->kind == ROWS_CSV)
        return "csv";
    if (size < (int)sizeof text)
        return text;
    fail("the names of the arrays are too long");
    return NULL;
}

/* The lines of a recipe. */
typedef struct Known {
    RowsKind kind;
    const char *x, *y; /* CSV: x is "named" where the table had a header, else NULL */
} Known;

static bool parse(const char *recipe, Known *known)
{
    char *kind = table_copy(recipe), *x = kind ? strchr(kind, '\n') : NULL, *y = x ? strchr(x + 1, '\n') : NULL;
    if (x)
        *x++ = 0;
    if (y)
        *y++ = 0;
    *known = (Known){.kind = ROWS_CSV, .x = x, .y = y};
    if (kind && strcmp(kind, "npz") == 0 && x && y)
        known->kind = ROWS_NPZ;
    else if (kind && strcmp(kind, "idx") == 0)
        known->kind = ROWS_IDX;
    else if (!kind || strcmp(kind, "csv") != 0)
        return fail("what the model's file says of its rows cannot be read"), false;
    return true;
}

/* Columns that have no names are taken by their places. */
static void warn_without_header(const char *path, const Rows *rows)
{
    int count = gt_dataset_column_count(rows->table);
    for (int k = 0; k < count; k++)
        if (gt_dataset_column_name(rows->table, k)[0] && gt_dataset_column_name(rows->table, k)[0] != '=')
            return;
    for (int k = 0; rows->texts[k].name; k++)
        if (rows->texts[k].name[0])
            return;
    fail("warning: %s has no header, as the model's table had: its columns are taken for those of that table, in their "
         "places",
         path);
}

bool good_decimal(const char *text)
{
    return strcmp(text, ".") == 0 || strcmp(text, ",") == 0;
}

bool likeness_sound(const Likeness *how)
{
    gt_Missing missing;
    const char *wrong = how->missing && !rows_missing(how->missing, &missing) ? MISSING_WORDS
                        : how->decimal && !good_decimal(how->decimal)         ? DECIMAL_WORDS
                        : how->skip_rows < -1                                 ? "--skip-rows must not be negative"
                                                                              : NULL;
    return !wrong || (misuse("%s", wrong), false);
}

/* A gap is filled as in the table that the model was trained on, or with the mean that a column had there: predictions stay
 * beside their rows, unless it is said that rows are left out. */
static bool read_csv_like(gt_Layer *model, const Likeness *how, bool labelled, Rows *rows)
{
    gt_Missing missing = GT_MISSING_MEAN;
    if (how->missing)
        rows_missing(how->missing, &missing);
    rows->table = gt_dataset_from_csv(how->path, .model = model, .label_column = labelled ? -1 : GT_NONE,
                                      .missing = missing, .na = names_of(&how->na), .skip_rows = how->skip_rows,
                                      .decimal = how->decimal ? how->decimal[0] : GT_CHAR_NONE, .shuffle = false,
                                      .batch_size = ALL_ROWS);
    if (!rows->table || !table_take(rows->table, rows))
        return false;
    if (labelled && !rows->y)
        fail("%s has no column of labels, as the model's table had: --labels names a file of them", how->path);
    return !labelled || rows->y;
}

static bool take_classes(const gt_Layer *model, Rows *rows)
{
    int count = gt_class_count(model);
    rows->task = count > 0 ? TASK_CLASSES : TASK_NUMBERS;
    for (int i = 0; i < count; i++)
        if (!list_add(&rows->classes, table_copy(gt_class_name(model, i))))
            return fail("the model has more than %d classes", MAX_LIST), false;
    return count >= 0;
}

static bool labels_like(const char *path, gt_Tensor *numbers, gt_Strings text, Rows *rows)
{
    if (rows->task == TASK_NUMBERS && !numbers)
        return fail("%s: the labels must be numbers", path), false;
    rows->y = rows->task == TASK_NUMBERS ? gt_reshape(gt_cast(numbers, GT_FLOAT32), gt_shape(-1, 1))
              : numbers                  ? table_classes(numbers, &rows->classes)
                                         : table_classes_of_text(text, &rows->classes);
    return rows_same_count(rows, path, rows->y);
}

static bool read_labels_like(const Known *known, const char *path, const char *labels, Rows *rows)
{
    gt_Tensor *numbers = NULL;
    gt_Strings text = {0};
    if (!labels && known->kind == ROWS_IDX)
        return fail("%s has inputs alone: --labels names the file of the labels", path), false;
    if (!labels)
        numbers = gt_load_npz(path, known->y);
    return (labels ? table_load_labels(labels, &numbers, &text) : numbers != NULL) &&
           labels_like(labels ? labels : path, numbers, text, rows);
}

bool rows_read_like(gt_Layer *model, const char *recipe, const Likeness *how, Rows *rows)
{
    Known known;
    *rows = (Rows){0};
    if (!parse(recipe, &known) || !take_classes(model, rows))
        return false;
    rows->kind = known.kind;
    bool within = how->labelled && !how->labels && known.kind == ROWS_CSV; /* the labels are in the same file */
    if (known.kind == ROWS_CSV ? !read_csv_like(model, how, within, rows)
                               : !rows_read_inputs(known.kind, how->path, known.x, rows))
        return false;
    if (known.kind == ROWS_CSV && known.x)
        warn_without_header(how->path, rows);
    return !how->labelled || within || read_labels_like(&known, how->path, how->labels, rows);
}

gt_Dataset *rows_dataset(const Rows *rows)
{
    gt_Tensor *weight[] = {rows->weight};
    bool weighs = rows->weight && rows->y;
    return gt_dataset_from_tensors(rows->x, rows->y, .shuffle = false, .batch_size = 256,
                                   .text = {rows->texts[0].name ? rows->texts : NULL},
                                   .sample_weight = {weight, weighs});
}
