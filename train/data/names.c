/* Names of columns, categories and classes, and the questions about them. */
#include "train/data/names.h"
#include "core/inside.h"
#include "train/internal.h"

#include <stdio.h>
#include <string.h>

gt_DataNames *gt_names_new(gt_Context *context)
{
    gt_DataNames *names = gt_allocate_zeroed(context, sizeof *names);
    if (names) {
        names->context = context;
        names->references = 1;
    }
    return names;
}

gt_DataNames *gt_names_hold(gt_DataNames *names)
{
    if (names)
        names->references++;
    return names;
}

void gt_names_release(gt_DataNames *names)
{
    if (!names || --names->references > 0)
        return;
    gt_Context *context = names->context;
    gt_release(context, names->column_of, (size_t)names->width * sizeof *names->column_of);
    gt_words_close(context, &names->columns);
    gt_words_close(context, &names->classes);
    gt_words_close(context, &names->texts);
    gt_table_release(names->table);
    gt_release(context, names, sizeof *names);
}

/* ---- tables ---- */

const gt_TableColumn *gt_table_role(const gt_Table *table, gt_TableRole role)
{
    for (int32_t i = 0; i < table->count; i++)
        if (table->columns[i].role == role)
            return &table->columns[i];
    return NULL;
}

int32_t gt_column_width(const gt_TableColumn *column, bool one_hot)
{
    return column->role != GT_TABLE_X ? 0 : column->text && one_hot ? column->words.count : 1;
}

static bool add_names(gt_DataNames *names, int32_t i)
{
    const gt_Table *table = names->table;
    const gt_TableColumn *column = &table->columns[i];
    bool spread = column->text && names->one_hot;
    bool named = table->named && column->field < table->names.count;
    const char *name = named ? gt_words_text(&table->names, (int32_t)column->field) : "";
    for (int32_t k = 0; k < gt_column_width(column, names->one_hot); k++) {
        char text[256];
        size_t size = (size_t)snprintf(text, sizeof text, spread ? "%s=%s" : "%s", name,
                                       spread ? gt_words_text(&column->words, k) : "");
        names->column_of[names->columns.count] = i;
        if (!gt_words_append(names->context, &names->columns, text,
                             size < sizeof text ? size : sizeof text - 1))
            return false;
    }
    return true;
}

static bool add_text(gt_DataNames *names, const gt_TableColumn *column)
{
    const gt_Words *of = &names->table->names;
    bool named = names->table->named && column->field < of->count;
    const char *name = named ? gt_words_text(of, (int32_t)column->field) : "";
    return gt_words_append(names->context, &names->texts, name, strlen(name));
}

static bool copy_classes(gt_DataNames *names, const gt_Words *from)
{
    for (int32_t i = 0; i < from->count; i++)
        if (!gt_words_append(names->context, &names->classes, gt_words_text(from, i),
                             gt_words_size(from, i)))
            return false;
    return true;
}

bool gt_names_of_table(gt_DataNames *names)
{
    const gt_Table *table = names->table;
    for (int32_t i = 0; i < table->count; i++)
        names->width += gt_column_width(&table->columns[i], names->one_hot);
    bool ok = true;
    if (names->width > 0) {
        names->column_of = gt_allocate(names->context, (size_t)names->width * sizeof *names->column_of);
        ok = names->column_of != NULL;
        names->width = ok ? names->width : 0;
    }
    for (int32_t i = 0; ok && i < table->count; i++)
        ok = add_names(names, i);
    for (int32_t i = 0; ok && i < table->count; i++)
        if (table->columns[i].role == GT_TABLE_TEXT)
            ok = add_text(names, &table->columns[i]);
    const gt_TableColumn *label = gt_table_role(table, GT_TABLE_LABEL);
    if (label && label->text)
        return ok && copy_classes(names, &label->words);
    bool numbers = label && gt_dtype_is_float(names->label_dtype);
    return ok && (numbers || copy_classes(names, &table->classes));
}

/* ---- questions ---- */

/* The names of a dataset; NULL with an error raised on failure, and without one if it has none. */
static const gt_DataNames *look(const char *here, const char *operation, const gt_Dataset *dataset)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_dataset_check(context, here, operation, dataset))
        return NULL;
    return gt_dataset_names(dataset);
}

/* Text number `index` of a list of `what`; "" with an error raised. */
static const char *pick(const char *here, const char *operation, const char *what,
                        const gt_Words *words, int index)
{
    int32_t count = words ? words->count : 0;
    if (index >= 0 && index < count)
        return gt_words_text(words, index);
    gt_raise(gt_context(), GT_INVALID, here, operation,
             "index %d is out of range: the dataset has names for %d %s", index, (int)count, what);
    return "";
}

/* The names of the columns of x; NULL with an error raised on failure, and without one if they have none. */
static const gt_DataNames *look_at_columns(const char *here, const char *operation, const gt_Dataset *dataset)
{
    const gt_DataNames *names = look(here, operation, dataset);
    if (!names)
        return NULL;
    gt_Site site = gt_site_enter(here, operation);
    bool kept = gt_dataset_keeps_columns(dataset);
    gt_site_leave(&site);
    return kept ? names : NULL;
}

int gt_dataset_class_count_at(const char *here, const gt_Dataset *dataset)
{
    const gt_DataNames *names = look(here, "dataset_class_count", dataset);
    return gt_status() != GT_OK ? -1 : names ? names->classes.count : 0;
}

const char *gt_dataset_class_name_at(const char *here, const gt_Dataset *dataset, int index)
{
    static const char operation[] = "dataset_class_name";
    const gt_DataNames *names = look(here, operation, dataset);
    return gt_status() != GT_OK
               ? ""
               : pick(here, operation, "classes", names ? &names->classes : NULL, index);
}

int gt_dataset_column_count_at(const char *here, const gt_Dataset *dataset)
{
    const gt_DataNames *names = look_at_columns(here, "dataset_column_count", dataset);
    return gt_status() != GT_OK ? -1 : names ? names->columns.count : 0;
}

const char *gt_dataset_column_name_at(const char *here, const gt_Dataset *dataset, int column)
{
    static const char operation[] = "dataset_column_name";
    const gt_DataNames *names = look_at_columns(here, operation, dataset);
    return gt_status() != GT_OK
               ? ""
               : pick(here, operation, "columns", names ? &names->columns : NULL, column);
}

/* The categories of a column of x; NULL with an error raised on failure, and without one if it has none. */
static const gt_Words *categories(const char *here, const char *operation,
                                  const gt_Dataset *dataset, int column)
{
    const gt_DataNames *names = look_at_columns(here, operation, dataset);
    if (gt_status() == GT_OK)
        pick(here, operation, "columns", names ? &names->columns : NULL, column);
    if (gt_status() != GT_OK || !names->table || names->one_hot)
        return NULL;
    const gt_TableColumn *of = &names->table->columns[names->column_of[column]];
    return of->text ? &of->words : NULL;
}

int gt_dataset_category_count_at(const char *here, const gt_Dataset *dataset, int column)
{
    const gt_Words *words = categories(here, "dataset_category_count", dataset, column);
    return gt_status() != GT_OK ? -1 : words ? words->count : 0;
}

const char *gt_dataset_category_name_at(const char *here, const gt_Dataset *dataset, int column,
                                        int index)
{
    static const char operation[] = "dataset_category_name";
    const gt_Words *words = categories(here, operation, dataset, column);
    return gt_status() != GT_OK ? "" : pick(here, operation, "categories", words, index);
}
