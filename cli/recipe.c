/* How rows were read, as text for the model's file: lines "key value", an empty line, and for a table a small one like it:
 *
 *     kind csv
 *     header yes
 *     label 2
 *     categories 1,2
 *
 *     age,sex,survived
 *     28,female,no
 *     28,male,yes
 *
 * It has the columns of the table that the model was trained on, every category and every class at least once, and in each
 * cell of a column of numbers the number that stands for a missing one. A table that is read with .like = this one is read
 * as that one was: columns found by their names, or their places, categories numbered the same. */
#include "cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FIELDS 4096

/* A column of the table. */
typedef struct Column {
    int categories; /* 0: numbers */
    int place;      /* in the file; where it has a header in this small table */
    double fill;
} Column;

typedef struct Recipe {
    const Reading *reading;
    const Rows *rows;
    Column columns[MAX_FIELDS];
    int count, fields, label; /* label: its place, -1: none in the table */
    bool named;
    FILE *file;
} Recipe;

/* ---- the columns ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(gt_Tensor *x, int64_t rows, int64_t width, int column)
{
    double *numbers = malloc((size_t)rows * sizeof *numbers), result = 0;
    for (int64_t i = 0; numbers && i < rows; i++)
        numbers[i] = gt_element(x, i * width + column);
    if (numbers) {
        qsort(numbers, (size_t)rows, sizeof *numbers, compare);
        result = (numbers[(rows - 1) / 2] + numbers[rows / 2]) / 2;
    }
    free(numbers);
    return result;
}

static bool find_columns(Recipe *recipe)
{
    gt_Dataset *table = recipe->rows->table;
    gt_Batch all; /* with the numbers of categories in a column each */
    recipe->count = recipe->rows->columns;
    if (recipe->count > MAX_FIELDS) {
        fail("%s has more than %d columns", recipe->reading->path, MAX_FIELDS);
        return false;
    }
    gt_dataset_seek(table, (gt_DatasetPosition){0, 0});
    if (!gt_dataset_next(table, &all))
        return false;
    for (int i = 0; i < recipe->count; i++) {
        Column *column = &recipe->columns[i];
        column->categories = gt_dataset_category_count(table, i);
        if (column->categories == 0)
            column->fill = median(all.x, all.size, recipe->count, i);
        recipe->named = recipe->named || gt_dataset_column_name(table, i)[0];
    }
    return gt_status() == GT_OK;
}

static bool place_of(const char *text, int fields, int *place)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end)
        return false;
    *place = (int)(number < 0 ? number + fields : number);
    return *place >= 0 && *place < fields;
}

/* Without a header columns are found by their places in the file. */
static bool find_places(Recipe *recipe)
{
    const Reading *reading = recipe->reading;
    bool used[MAX_FIELDS] = {false}, labelled = !reading->labels;
    int next = 0, place;
    recipe->label = -1;
    recipe->fields = recipe->count + labelled;
    if (recipe->named) {
        for (int i = 0; i < recipe->count; i++)
            recipe->columns[i].place = i;
        recipe->label = labelled ? recipe->count : -1;
        return true;
    }
    recipe->fields =
        reading->columns.count > 0 ? MAX_FIELDS : recipe->fields + reading->without.count;
    if (recipe->fields > MAX_FIELDS)
        return false;
    if (labelled &&
        place_of(reading->label ? reading->label : "-1", recipe->fields, &recipe->label))
        used[recipe->label] = true;
    for (int i = 0; i < reading->without.count; i++)
        if (place_of(reading->without.words[i], recipe->fields, &place))
            used[place] = true;
    for (int i = 0; i < recipe->count; i++) {
        while (next < recipe->fields && used[next])
            next++;
        place = next++;
        if (reading->columns.count > 0 &&
            (!place_of(reading->columns.words[i], recipe->fields, &place) ||
             strchr(reading->columns.words[i], '-') || (labelled && !reading->label))) {
            fail("%s has no header: with --columns, name columns and label by their numbers from 0",
                 reading->path);
            return false;
        }
        recipe->columns[i].place = place;
    }
    if (reading->columns.count == 0)
        return true;
    recipe->fields = recipe->label + 1;
    for (int i = 0; i < recipe->count; i++)
        if (recipe->columns[i].place >= recipe->fields)
            recipe->fields = recipe->columns[i].place + 1;
    return true;
}

/* ---- writing ---- */

static const Column *column_at(const Recipe *recipe, int place)
{
    for (int i = 0; i < recipe->count; i++)
        if (recipe->columns[i].place == place)
            return &recipe->columns[i];
    return NULL;
}

static void put_cell(const Recipe *recipe, int place, int row)
{
    const Rows *rows = recipe->rows;
    const Column *column = column_at(recipe, place);
    if (place == recipe->label && rows->numbered)
        fprintf(recipe->file, "%d", row % rows->classes.count);
    else if (place == recipe->label && rows->task == TASK_CLASSES)
        print_quoted(recipe->file, rows->classes.words[row % rows->classes.count]);
    else if (column && column->categories > 0)
        print_quoted(recipe->file,
                 gt_dataset_category_name(rows->table, (int)(column - recipe->columns),
                                          row % column->categories));
    else
        fprintf(recipe->file, "%.9g", column ? column->fill : 0.5);
}

static void put_words(const Recipe *recipe, const char *key, const WordList *words)
{
    for (int i = 0; i < words->count; i++)
        fprintf(recipe->file, "%s %s\n", key, words->words[i]);
}

static void put_table(const Recipe *recipe)
{
    int rows = recipe->rows->classes.count > 1 ? recipe->rows->classes.count : 1;
    for (int i = 0; i < recipe->count; i++)
        if (recipe->columns[i].categories > rows)
            rows = recipe->columns[i].categories;
    fputc('\n', recipe->file);
    for (int row = recipe->named ? -1 : 0; row < rows; row++)
        for (int place = 0; place < recipe->fields; place++) {
            const Column *column = column_at(recipe, place);
            if (row >= 0)
                put_cell(recipe, place, row);
            else
                print_quoted(recipe->file, column
                                           ? gt_dataset_column_name(recipe->rows->table,
                                                                    (int)(column - recipe->columns))
                                           : recipe->rows->label_name);
            fputc(place + 1 < recipe->fields ? ',' : '\n', recipe->file);
        }
}

static bool put_csv(Recipe *recipe)
{
    if (!find_columns(recipe) || !find_places(recipe))
        return false;
    fprintf(recipe->file, "header %s\n", recipe->named ? "yes" : "no");
    if (recipe->label >= 0)
        fprintf(recipe->file, "label %d\n", recipe->label);
    fprintf(recipe->file, "decimal %s\nskip_rows %lld\n", recipe->reading->decimal,
            (long long)recipe->reading->skip_rows);
    put_words(recipe, "na", &recipe->reading->na);
    for (int i = 0; i < recipe->count; i++)
        fprintf(recipe->file, "column %d\n", recipe->columns[i].place);
    for (int i = 0; i < recipe->count; i++)
        if (recipe->columns[i].categories > 0)
            fprintf(recipe->file, "category %d\n", recipe->columns[i].place);
    if (recipe->label >= 0 && recipe->rows->task == TASK_CLASSES && !recipe->rows->numbered)
        fprintf(recipe->file, "category %d\n", recipe->label);
    put_table(recipe);
    return true;
}

char *rows_recipe(const Reading *reading, const Rows *rows)
{
    static const char *const kinds[] = {"csv", "idx", "npz"};
    static Recipe recipe; /* large */
    char *text = NULL;
    size_t size = 0;
    recipe = (Recipe){.reading = reading, .rows = rows, .file = open_memstream(&text, &size)};
    if (!recipe.file) {
        fail("no memory");
        return NULL;
    }
    fprintf(recipe.file, "kind %s\ntask %s\n", kinds[rows->kind],
            rows->task == TASK_CLASSES ? "classes" : "numbers");
    if (rows->kind == ROWS_NPZ)
        fprintf(recipe.file, "x %s\ny %s\n", reading->x, reading->label ? reading->label : "y");
    bool ok = true,
         listed = reading->labels || rows->kind != ROWS_CSV; /* else the small table has them */
    for (int i = 0; listed && i < rows->classes.count; i++)
        ok = ok && !strchr(rows->classes.words[i], '\n');
    if (!ok)
        fail("the name of a class must be a single line");
    if (listed)
        put_words(&recipe, "class", &rows->classes);
    ok = ok && (rows->kind != ROWS_CSV || put_csv(&recipe));
    if (fclose(recipe.file) == 0 && ok)
        return text;
    free(text);
    return NULL;
}

/* ---- reading ---- */

typedef struct Known {
    char *text; /* that the words stand in */
    RowsKind kind;
    Task task;
    const char *x, *y, *label, *decimal;
    int64_t skip_rows;
    bool header;
    WordList na, columns, categories, classes;
    const char *table; /* the small one */
} Known;

static bool take_line(Known *known, const char *key, const char *value)
{
    if (strcmp(key, "kind") == 0)
        known->kind = strcmp(value, "idx") == 0   ? ROWS_IDX
                      : strcmp(value, "npz") == 0 ? ROWS_NPZ
                                                  : ROWS_CSV;
    else if (strcmp(key, "task") == 0)
        known->task = strcmp(value, "classes") == 0 ? TASK_CLASSES : TASK_NUMBERS;
    else if (strcmp(key, "x") == 0)
        known->x = value;
    else if (strcmp(key, "y") == 0)
        known->y = value;
    else if (strcmp(key, "label") == 0)
        known->label = value;
    else if (strcmp(key, "decimal") == 0)
        known->decimal = value;
    else if (strcmp(key, "skip_rows") == 0)
        known->skip_rows = strtoll(value, NULL, 10);
    else if (strcmp(key, "header") == 0)
        known->header = strcmp(value, "yes") == 0;
    else if (strcmp(key, "na") == 0)
        return list_add(&known->na, value);
    else if (strcmp(key, "column") == 0)
        return list_add(&known->columns, value);
    else if (strcmp(key, "category") == 0)
        return list_add(&known->categories, value);
    else if (strcmp(key, "class") == 0)
        return list_add(&known->classes, value);
    else
        return false;
    return true;
}

static bool parse(const char *recipe, Known *known)
{
    *known = (Known){.text = table_copy(recipe), .x = "x", .decimal = "."};
    for (char *at = known->text; at && *at;) {
        char *end = strchr(at, '\n');
        if (end == at && *known->decimal && known->columns.count > 0) {
            known->table = at + 1;
            return true;
        }
        char *space = strchr(at, ' ');
        if (!end || !space || space > end)
            break;
        *end = *space = 0;
        if (!take_line(known, at, space + 1))
            break;
        at = end + 1;
        if (!*at && known->kind != ROWS_CSV)
            return true;
    }
    fail("what the model's file says of its table cannot be read");
    return false;
}

/* The small table, in a file of its own for a moment. */
static gt_Dataset *open_small(const Known *known)
{
    char path[1024];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/gradtape-XXXXXX", folder && *folder ? folder : "/tmp");
    int descriptor = mkstemp(path);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (!file) {
        fail("%s: cannot be made: %s", path, strerror(errno));
        return NULL;
    }
    fputs(known->table, file);
    gt_Dataset *small = NULL;
    if (fclose(file) == 0)
        small = gt_dataset_from_csv(
            path, .label = known->label, .label_column = GT_NONE,
            .columns = names_of(&known->columns), .categories = names_of(&known->categories),
            .header = known->header ? GT_HEADER_YES : GT_HEADER_NO, .delimiter = ',',
            .missing = GT_MISSING_MEDIAN, .max_categories = 1 << 20,
            .label_dtype = known->task == TASK_NUMBERS ? GT_FLOAT32 : GT_DTYPE_NONE);
    else
        fail("%s: cannot be written: %s", path, strerror(errno));
    unlink(path);
    return small;
}

static bool read_csv_like(const Known *known, const char *path, bool labelled, Rows *rows)
{
    gt_Dataset *small = open_small(known);
    if (!small)
        return false;
    rows->table = gt_dataset_from_csv(
        path, .like = small, .label_column = labelled ? -1 : GT_NONE, .na = names_of(&known->na),
        .decimal = known->decimal[0], .skip_rows = known->skip_rows, .missing = GT_MISSING_MEDIAN,
        .one_hot = true, .label_dtype = known->task == TASK_NUMBERS ? GT_FLOAT32 : GT_DTYPE_NONE,
        .shuffle = false, .batch_size = ALL_ROWS);
    return rows->table && table_take(rows->table, rows);
}

static bool labels_like(const Known *known, const char *path, gt_Tensor *numbers, gt_Strings text,
                        Rows *rows)
{
    if (known->task == TASK_NUMBERS && !numbers) {
        fail("%s: the labels must be numbers", path);
        return false;
    }
    rows->y = known->task == TASK_NUMBERS
                  ? gt_reshape(gt_cast(numbers, GT_FLOAT32), gt_shape(-1, 1))
              : numbers ? table_classes(numbers, &rows->classes)
                        : table_classes_of_text(text, &rows->classes);
    return rows_same_count(rows, path, rows->y);
}

static bool read_like(const Known *known, const char *path, const char *labels, bool labelled,
                      Rows *rows)
{
    gt_Tensor *numbers = NULL;
    gt_Strings text = {0};
    bool within = labelled && !labels; /* in the same file */
    if (known->kind == ROWS_CSV && within && !known->label) {
        fail("the model was trained with --labels: name the file of the labels here too");
        return false;
    }
    if (known->kind == ROWS_CSV ? !read_csv_like(known, path, within, rows)
                                : !rows_read_inputs(known->kind, path, known->x, rows))
        return false;
    if (!labelled || (within && known->kind == ROWS_CSV))
        return true;
    if (within && known->kind == ROWS_IDX) {
        fail("%s has inputs alone: --labels names the file of the labels", path);
        return false;
    }
    if (within)
        numbers = gt_load_npz(path, known->y ? known->y : "y");
    return (within ? numbers != NULL : table_load_labels(labels, &numbers, &text)) &&
           labels_like(known, labels ? labels : path, numbers, text, rows);
}

bool rows_read_like(const char *recipe, const char *path, const char *labels, bool labelled,
                    Rows *rows)
{
    Known known;
    *rows = (Rows){0};
    bool ok = parse(recipe, &known);
    rows->kind = known.kind;
    rows->task = known.task;
    rows->classes = known.classes; /* their text stays as long as the program */
    return ok && read_like(&known, path, labels, labelled, rows);
}
