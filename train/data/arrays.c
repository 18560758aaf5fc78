/* Datasets of tensors in memory: rows are copied by number, or seen where they are when they lie one after the other. */
#include "train/data/inside.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_from_tensors_options, gt_dataset_from_tensors_OPTIONS);

/* The columns of a dataset, held; a weight may be NULL. */
typedef struct Table {
    gt_Context *context;
    gt_Value *side[SIDES][GT_MAX_COLUMNS];
    int32_t count[SIDES];
    int64_t rows;
} Table;

/* ---- the class ---- */

static int64_t count_table(void *self)
{
    return ((const Table *)self)->rows;
}

static gt_Tensor *take(gt_Context *context, const gt_Value *value, const int64_t *rows,
                       int64_t count, bool run)
{
    return run ? gt_rows_view(context, value, rows[0], count)
               : gt_rows_gather(context, value, rows, count);
}

static gt_Status take_text(const Table *table, const int64_t *rows, int64_t count, bool run,
                           gt_Batch *batch, int32_t part)
{
    gt_Context *context = table->context;
    gt_Batch whole = {.text_count = batch->text_count};
    gt_Value *bytes = table->side[TEXT][part], *offsets = table->side[TEXT][part + 1];
    if (run)
        return gt_batch_view_text(context, bytes, offsets, rows[0], count, batch, part);
    whole.texts[part] = gt_value_handle(bytes);
    whole.texts[part + 1] = gt_value_handle(offsets);
    if (gt_context_status(context) == GT_OK)
        gt_batch_gather_text(context, &whole, rows, count, batch, part);
    for (int32_t i = part; i < part + 2; i++)
        if (whole.texts[i])
            gt_tensor_free(context, whole.texts[i]);
    return gt_context_status(context);
}

static gt_Status fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    const Table *table = self;
    gt_Context *context = table->context;
    bool run = true;
    for (int64_t i = 1; i < count && run; i++)
        run = rows[i] == rows[0] + i;
    batch->x_count = table->count[X];
    batch->y_count = table->count[Y];
    batch->text_count = table->count[TEXT] / 2;
    for (int32_t i = 0; i < table->count[TEXT] && gt_context_status(context) == GT_OK; i += 2)
        take_text(table, rows, count, run, batch, i);
    for (int side = 0; side < TEXT; side++)
        for (int32_t i = 0; i < table->count[side] && gt_context_status(context) == GT_OK; i++) {
            const gt_Value *value = table->side[side][i];
            bool shared = side == WEIGHT && i > 0 && value == table->side[side][0];
            if (value)
                gt_batch_side(batch, side)[i] =
                    shared ? batch->weights[0] : take(context, value, rows, count, run);
        }
    return gt_context_status(context);
}

static void destroy(void *self)
{
    Table *table = self;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < table->count[side]; i++)
            if (table->side[side][i])
                gt_value_release(table->side[side][i], true);
    gt_release(table->context, table, sizeof *table);
}

static const gt_DatasetClass tensors_class = {.size = sizeof tensors_class,
                                              .name = "dataset_from_tensors",
                                              .count = count_table,
                                              .fetch = fetch,
                                              .destroy = destroy};

/* ---- making one ---- */

/* The rows of a tensor; -1 with an error if it has none that can be counted. */
static int64_t count_rows(gt_Context *context, const char *what, const gt_Value *value)
{
    if (gt_value_is_symbol(value))
        gt_raise(context, GT_STATE, NULL, NULL,
                 "%s must have elements (got a tensor of a traced function)", what);
    else if (gt_value_spec(value)->rank < 1)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s must have at least 1 dimension, the rows (got a scalar)", what);
    else if (gt_value_data(value) || gt_context_status(context) == GT_OK)
        return gt_value_spec(value)->dims[0];
    return -1;
}

/* The value behind a handle, to be held: so not another context's. */
static gt_Value *own_value(gt_Context *context, const char *here, const char *what,
                           const gt_Tensor *tensor)
{
    if (!gt_tensor_check(context, here, "dataset_from_tensors", what, tensor))
        return NULL;
    gt_Value *value = gt_tensor_value(tensor);
    if (gt_value_context(value) == context)
        return value;
    gt_raise(context, GT_STATE, here, "dataset_from_tensors",
             "%s is variable %s of another context", what, gt_variable_label(tensor));
    return NULL;
}

/* What errors call a column: "x", "y", "x 2", "sample_weight 1". */
static const char *name_of(int side, int32_t i, int32_t count, char text[32])
{
    static const char *const names[SIDES] = {"x", "y", "sample_weight", "text"};
    if (count > 1)
        snprintf(text, 32, "%s %d", names[side], (int)i + 1);
    return count > 1 ? text : names[side];
}

static gt_Status check_texts(gt_Context *context, const Table *table, int64_t rows)
{
    for (int32_t i = 1; i < table->count[TEXT] && rows >= 0; i += 2) {
        int64_t count = gt_value_spec(table->side[TEXT][i])->dims[0] - 1;
        if (count != rows)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "x and text %d must have the same number of rows (got %lld and %lld)",
                            (int)i / 2, (long long)rows, (long long)count);
    }
    return gt_context_status(context);
}

/* All columns have as many rows as the first. */
static int64_t check_rows(gt_Context *context, const Table *table)
{
    char x_text[160], text[160], name[32];
    const gt_Value *x = table->side[X][0];
    int64_t rows = x ? count_rows(context, name_of(X, 0, table->count[X], name), x)
                     : gt_value_spec(table->side[TEXT][1])->dims[0] - 1;
    if (check_texts(context, table, rows) != GT_OK)
        return -1;
    for (int side = 0; side < TEXT && rows >= 0; side++)
        for (int32_t i = 0; i < table->count[side] && rows >= 0; i++) {
            const gt_Value *value = table->side[side][i];
            const char *what = name_of(side, i, table->count[side], name);
            int64_t count = value ? count_rows(context, what, value) : rows;
            if (count < 0)
                return -1;
            if (count == rows)
                continue;
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "%s and %s must have the same number of rows (got %lld and %lld: %s and %s)",
                     x ? "x" : "text", what, (long long)rows, (long long)count,
                     x ? gt_spec_text(gt_value_spec(x), x_text, sizeof x_text) : "text",
                     gt_spec_text(gt_value_spec(value), text, sizeof text));
            return -1;
        }
    if (rows == 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s must have at least 1 row (got %s)",
                 x ? "x" : "text", x ? gt_spec_text(gt_value_spec(x), x_text, sizeof x_text) : "none");
    return rows;
}

/* Holds the columns. */
static gt_Dataset *make(gt_Context *context, const Table *table,
                        const gt_dataset_from_tensors_options *options)
{
    int64_t rows = check_rows(context, table);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    Table *self = gt_self_new(context, sizeof *self);
    if (!self)
        return NULL;
    *self = *table;
    self->context = context;
    self->rows = rows;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < table->count[side]; i++)
            if (table->side[side][i])
                gt_value_retain(table->side[side][i], true);
    const gt_dataset_of_options batches =
        GT_VALUES(gt_dataset_of_options, options->batch_size, options->shuffle, options->seed,
                  options->drop_remainder);
    gt_Dataset *dataset = gt_dataset_make(context, &tensors_class, self, true, NULL, &batches);
    if (dataset)
        dataset->direct = true;
    return dataset;
}

static void add_text(Table *table, gt_Strings text)
{
    table->side[TEXT][table->count[TEXT]++] = gt_tensor_value(text.bytes);
    table->side[TEXT][table->count[TEXT]++] = gt_tensor_value(text.offsets);
}

gt_Dataset *gt_dataset_of_columns(gt_Context *context, gt_Tensor *x, gt_Tensor *y,
                                  gt_Tensor *weight, const gt_Strings *texts, int32_t text_count,
                                  const gt_dataset_from_tensors_options *batches)
{
    Table table = {.count = {x != NULL, y != NULL, weight && y}};
    table.side[X][0] = x ? gt_tensor_value(x) : NULL;
    for (int32_t i = 0; i < text_count; i++)
        add_text(&table, texts[i]);
    table.side[Y][0] = y ? gt_tensor_value(y) : NULL;
    table.side[WEIGHT][0] = weight && y ? gt_tensor_value(weight) : NULL;
    return make(context, &table, batches);
}

static gt_Status add_columns(gt_Context *context, const char *here, Table *table, int side,
                             gt_Tensors list)
{
    char name[32];
    if (list.count < 0 || list.count > GT_MAX_COLUMNS - table->count[side] ||
        (list.count > 0 && !list.items))
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "there may be at most %d of each: inputs, labels, weights", GT_MAX_COLUMNS);
    for (int32_t i = 0; i < list.count && gt_context_status(context) == GT_OK; i++) {
        int32_t at = table->count[side]++;
        bool absent = side == WEIGHT && !list.items[i];
        table->side[side][at] =
            absent
                ? NULL
                : own_value(context, here, name_of(side, at, GT_MAX_COLUMNS, name), list.items[i]);
    }
    return gt_context_status(context);
}

static gt_Status gather_texts(gt_Context *context, const char *here, const gt_NamedText *named,
                              Table *table)
{
    static const char operation[] = "dataset_from_tensors";
    for (; named && named->name; named++) {
        gt_Text text;
        if (table->count[TEXT] == 2 * GT_MAX_TEXTS)
            return gt_raise(context, GT_INVALID, here, operation,
                            "there may be at most %d columns of text", GT_MAX_TEXTS);
        if (!gt_text_read(context, here, operation, named->name, &named->text, &text) ||
            !own_value(context, here, named->name, named->text.bytes) ||
            !own_value(context, here, named->name, named->text.offsets))
            return gt_context_status(context);
        if (text.symbol || text.shape.rank != 1)
            return gt_raise(context, GT_INVALID, here, operation,
                            "text \"%s\" must be a column, a string a row", named->name);
        add_text(table, named->text);
    }
    return gt_context_status(context);
}

/* x and y, and the columns among the options. */
static gt_Status gather_table(gt_Context *context, const char *here, gt_Tensor *x, gt_Tensor *y,
                              const gt_dataset_from_tensors_options *options, Table *table)
{
    gt_Value *x_value = x || !options->text.items ? own_value(context, here, "x", x) : NULL;
    bool good = gt_context_status(context) == GT_OK;
    gt_Value *y_value = good && y ? own_value(context, here, "y", y) : NULL;
    if (gt_context_status(context) != GT_OK ||
        gather_texts(context, here, options->text.items, table) != GT_OK)
        return gt_context_status(context);
    if (!x && options->more_x.count > 0)
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "more_x comes after x, which is NULL");
    table->side[X][0] = x_value;
    table->side[Y][0] = y_value;
    table->count[X] = x != NULL;
    table->count[Y] = y != NULL;
    if (!y && options->more_y.count > 0)
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "more_y comes after y, which is NULL");
    add_columns(context, here, table, X, options->more_x);
    add_columns(context, here, table, Y, options->more_y);
    add_columns(context, here, table, WEIGHT, options->sample_weight);
    int32_t weights = table->count[WEIGHT], labels = table->count[Y];
    if (weights > 0 && weights != labels && weights != 1)
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "sample_weight must be one list of weights, or one for each of the %d "
                        "labels (got %d)",
                        (int)labels, (int)weights);
    for (; gt_context_status(context) == GT_OK && weights == 1 && table->count[WEIGHT] < labels;
         table->count[WEIGHT]++)
        table->side[WEIGHT][table->count[WEIGHT]] = table->side[WEIGHT][0];
    return gt_context_status(context);
}

static bool name_texts(gt_Context *context, gt_Dataset *self, const gt_NamedText *named)
{
    gt_DataNames *names = gt_names_new(context);
    bool done = names != NULL;
    for (; done && named->name; named++)
        done = gt_words_append(context, &names->texts, named->name, strlen(named->name));
    if (done)
        gt_dataset_set_names(self, names);
    else
        gt_names_release(names);
    return done;
}

gt_Dataset *gt_dataset_from_tensors_at(const char *here, gt_Tensor *x, gt_Tensor *y,
                                       const gt_dataset_from_tensors_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_dataset_from_tensors_options options;
    GT_TAKE(gt_dataset_from_tensors_options, &options, given);
    Table table = {.count = {0}};
    if (gather_table(context, here, x, y, &options, &table) != GT_OK)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_from_tensors");
    gt_Dataset *self = make(context, &table, &options);
    if (self && options.text.items && !name_texts(context, self, options.text.items)) {
        gt_dataset_free(self);
        self = NULL;
    }
    gt_site_leave(&site);
    return self;
}
