/* What a model knows of the data it was fitted on: what the numbers of classes stand for, and how its table was read. An object
 * that the model holds. */
#include "core/strings_inside.h"
#include "train/data/recipe.h"
#include "train/model_parts.h"
#include "train/texts.h"

#include <string.h>

typedef struct ModelData {
    gt_Object object;
    gt_Words classes;
    gt_DataNames *table; /* held; NULL: not known */
    bool mapped;         /* gt_dataset_map made other columns of that */
} ModelData;

static void destroy(gt_Object *object)
{
    ModelData *self = (ModelData *)object;
    gt_words_close(object->context, &self->classes);
    gt_names_release(self->table);
}

static const gt_ObjectKind kind = {"what a model knows of its data", destroy, false};

static ModelData *data_of(const gt_LayerState *model)
{
    return (ModelData *)model->data;
}

static int class_count(const gt_LayerState *model)
{
    return model->data ? data_of(model)->classes.count : 0;
}

/* That of the model, or a new one; NULL with an error raised. */
static ModelData *own_data(gt_Context *context, gt_LayerState *model)
{
    if (!model->data) {
        model->data = gt_object_new(context, &kind, sizeof(ModelData));
        if (model->data)
            gt_object_sink(model->data);
    }
    return data_of(model);
}

/* ---- names of classes ---- */

/* The model has these from here on, which are taken over; after a failure those of before. */
static gt_Status keep_classes(gt_Context *context, gt_LayerState *model, gt_Words *classes)
{
    ModelData *self = gt_context_status(context) == GT_OK ? own_data(context, model) : NULL;
    if (self) {
        gt_words_close(context, &self->classes);
        self->classes = *classes;
    } else {
        gt_words_close(context, classes);
    }
    return gt_context_status(context);
}

/* Of class `i`, "" behind the last one. */
static const char *class_text(const gt_Words *classes, int32_t i)
{
    return i < classes->count ? gt_words_text(classes, i) : "";
}

static gt_Status check_classes(const gt_LayerState *model, const gt_Words *wanted)
{
    const gt_Words *has = &data_of(model)->classes;
    for (int32_t i = 0; i < wanted->count || i < has->count; i++)
        if (i >= wanted->count || i >= has->count || strcmp(class_text(wanted, i), class_text(has, i)) != 0)
            return gt_fail(GT_INVALID,
                           "class %d is \"%s\" of %d in the dataset, and \"%s\" of %d in the model: read the data "
                           "with .model or .like, or say gt_set_class_names",
                           (int)i, class_text(wanted, i), (int)wanted->count, class_text(has, i), (int)has->count);
    return GT_OK;
}

static gt_Status take_classes(gt_Context *context, gt_LayerState *model, const gt_Words *from)
{
    gt_Words classes = {0};
    if (from->count == 0)
        return GT_OK;
    if (class_count(model) > 0)
        return check_classes(model, from);
    for (int32_t i = 0; i < from->count; i++)
        if (!gt_words_append(context, &classes, gt_words_text(from, i), gt_words_size(from, i)))
            break;
    return keep_classes(context, model, &classes);
}

bool gt_class_names_put(gt_ConfigWriter *writer, const gt_LayerState *model)
{
    bool done = gt_config_key(writer, "classes") && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < class_count(model); i++) {
        const gt_Words *classes = &data_of(model)->classes;
        const gt_Piece name = {gt_words_text(classes, i), gt_words_size(classes, i)};
        done = gt_config_next(writer) && gt_config_put_piece(writer, name);
    }
    return done && gt_config_close(writer, ']');
}

gt_Status gt_class_names_read(gt_Context *context, const char *what, const gt_JsonValue *list,
                              gt_LayerState *model)
{
    gt_Words classes = {0};
    gt_TextBuilder builder = {0};
    gt_ConfigReader reader = {.context = context, .what = what};
    bool done = true;
    const gt_JsonValue *at = list && list->kind == GT_JSON_ARRAY ? gt_json_first(list) : NULL;
    for (; done && at; at = gt_json_next(list, at))
        done = gt_config_read_piece(&reader, at, &builder);
    const gt_Text text = gt_builder_text(&builder);
    for (int64_t i = 0; done && i < text.count; i++) {
        gt_Piece name = gt_text_piece(&text, i);
        done = gt_words_append(context, &classes, name.at, name.length);
    }
    gt_builder_close(context, &builder);
    return keep_classes(context, model, &classes);
}

static bool check_name(gt_Context *context, const char *here, const char *name, int32_t i)
{
    if (!name)
        gt_raise(context, GT_INVALID, here, "set_class_names", "name %d is NULL", (int)i);
    else if (*name && gt_utf8_length(name, strlen(name)) == 0)
        gt_raise(context, GT_INVALID, here, "set_class_names", "name %d is not UTF-8", (int)i);
    return gt_context_status(context) == GT_OK;
}

gt_Status gt_set_class_names_at(const char *here, gt_Layer *model, gt_Names names)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "set_class_names", model) : NULL;
    if (!state)
        return gt_status();
    gt_Words classes = {0};
    for (int32_t i = 0; names.items && names.items[i] != GT_LIST_END; i++)
        if (!check_name(context, here, names.items[i], i) ||
            !gt_words_append(context, &classes, names.items[i], strlen(names.items[i])))
            break;
    return keep_classes(context, state, &classes);
}

int gt_class_count_at(const char *here, const gt_Layer *model)
{
    gt_Context *context = gt_enter();
    const gt_LayerState *state = context ? gt_layer_check(context, here, "class_count", model) : NULL;
    return state ? class_count(state) : -1;
}

const char *gt_class_name_at(const char *here, const gt_Layer *model, int index)
{
    gt_Context *context = gt_enter();
    const gt_LayerState *state = context ? gt_layer_check(context, here, "class_name", model) : NULL;
    if (state && index >= 0 && index < class_count(state))
        return gt_words_text(&data_of(state)->classes, index);
    if (state)
        gt_raise(context, GT_INVALID, here, "class_name", "index %d is out of range: the model names %d classes",
                 index, class_count(state));
    return "";
}

/* ---- how the table was read ---- */

static bool same_words(const gt_Words *a, const gt_Words *b)
{
    bool same = a->count == b->count;
    for (int32_t i = 0; same && i < a->count; i++)
        same = strcmp(gt_words_text(a, i), gt_words_text(b, i)) == 0;
    return same;
}

static const char *name_of(const gt_Table *table, const gt_TableColumn *column)
{
    return table->named ? gt_words_text(&table->names, (int32_t)column->field) : "";
}

/* The next column of a role; NULL: there is none. */
static const gt_TableColumn *next_column(const gt_Table *table, gt_TableRole role, int32_t *at)
{
    while (*at < table->count && table->columns[*at].role != role)
        ++*at;
    return *at < table->count ? &table->columns[(*at)++] : NULL;
}

/* Column `i` means the same: its name, and the numbers of its categories. */
static gt_Status check_column(const gt_Table *has, const gt_TableColumn *a, const gt_Table *wanted,
                              const gt_TableColumn *b, int i)
{
    const char *name = name_of(wanted, b), *known = name_of(has, a);
    if (has->named && wanted->named && strcmp(name, known) != 0)
        return gt_fail(GT_INVALID, "%s %d is \"%s\", the model's is \"%s\": read the table with .model, or say gt_set_table",
                       a->role == GT_TABLE_TEXT ? "text column" : "column", i, name, known);
    if (a->text != b->text)
        return gt_fail(GT_INVALID,
                       "column %d, \"%s\", is %s, and in the table that the model knows %s: read the data with .model "
                       "or .like, or say gt_set_table",
                       i, name, b->text ? "categories" : "numbers", a->text ? "categories" : "numbers");
    if (a->text && !same_words(&a->words, &b->words))
        return gt_fail(GT_INVALID,
                       "column %d, \"%s\", has other categories than in the table that the model knows: read "
                       "the data with .model or .like, or say gt_set_table",
                       i, name);
    return GT_OK;
}

static gt_Status check_columns(const gt_Table *has, const gt_Table *wanted, gt_TableRole role)
{
    int32_t at = 0, of = 0;
    for (int i = 0;; i++) {
        const gt_TableColumn *a = next_column(has, role, &at), *b = next_column(wanted, role, &of);
        if (!a && !b)
            return GT_OK;
        if (!a || !b)
            return gt_fail(GT_INVALID,
                           "%s %d, \"%s\", is in the %s alone: read the table with .model, or say gt_set_table",
                           role == GT_TABLE_TEXT ? "text column" : "column", i, a ? name_of(has, a) : name_of(wanted, b),
                           a ? "table that the model knows" : "dataset");
        if (check_column(has, a, wanted, b, i) != GT_OK)
            return gt_status();
    }
}

static bool has_categories(const gt_Table *table)
{
    for (int32_t i = 0; i < table->count; i++)
        if (table->columns[i].role == GT_TABLE_X && table->columns[i].text)
            return true;
    return false;
}

/* The inputs are those of the table that the model knows. Where gt_dataset_map made other columns of one of the two tables, their
 * names say nothing of the inputs. Of labels their names are compared as those of classes; columns of text that the model's
 * inputs are called after may come in any order. */
static gt_Status check_table(const gt_LayerState *model, const gt_Dataset *dataset)
{
    const gt_DataNames *has = data_of(model)->table, *wanted = gt_dataset_names(dataset);
    if (has == wanted || gt_dataset_keeps_columns(dataset) == data_of(model)->mapped ||
        check_columns(has->table, wanted->table, GT_TABLE_X) != GT_OK)
        return gt_status();
    if (has->one_hot != wanted->one_hot && has_categories(has->table))
        return gt_fail(GT_INVALID, "the dataset was read %s .one_hot, the model's table %s: read the table with .model",
                       wanted->one_hot ? "with" : "without", has->one_hot ? "with" : "without");
    return gt_texts_named(model, wanted) ? GT_OK : check_columns(has->table, wanted->table, GT_TABLE_TEXT);
}

static gt_Status take_table(gt_Context *context, gt_LayerState *model, const gt_Dataset *dataset)
{
    ModelData *self = own_data(context, model);
    if (!self)
        return gt_context_status(context);
    if (self->table)
        return check_table(model, dataset);
    self->mapped = !gt_dataset_keeps_columns(dataset);
    if (gt_context_status(context) == GT_OK)
        self->table = gt_names_hold(gt_dataset_names(dataset));
    return gt_context_status(context);
}

gt_Status gt_model_take_data(gt_LayerState *model, const gt_Dataset *dataset)
{
    gt_Context *context = gt_context();
    gt_DataNames *names = gt_dataset_names(dataset);
    if (!names || take_classes(context, model, &names->classes) != GT_OK)
        return gt_context_status(context);
    return names->table ? take_table(context, model, dataset) : GT_OK;
}

gt_Status gt_model_check_data(const gt_LayerState *model, const gt_Dataset *dataset)
{
    const gt_DataNames *names = gt_dataset_names(dataset);
    if (gt_status() != GT_OK || !names || !model->data)
        return gt_status();
    if (names->classes.count > 0 && class_count(model) > 0 && check_classes(model, &names->classes) != GT_OK)
        return gt_status();
    return names->table && data_of(model)->table ? check_table(model, dataset) : GT_OK;
}

gt_Status gt_set_table_at(const char *here, gt_Layer *model, gt_Dataset *dataset)
{
    static const char operation[] = "set_table";
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, operation, model) : NULL;
    if (!state || !gt_dataset_check(context, here, operation, dataset))
        return gt_status();
    const gt_DataNames *names = gt_dataset_names(dataset);
    if (!names || !names->table)
        return gt_raise(context, GT_INVALID, here, operation, "the dataset was not read from a table");
    gt_DataNames *before = state->data ? data_of(state)->table : NULL;
    if (before)
        data_of(state)->table = NULL;
    gt_Site site = gt_site_enter(here, operation);
    if (gt_model_take_data(state, dataset) != GT_OK && before) {
        data_of(state)->table = before;
        before = NULL;
    }
    gt_names_release(before);
    gt_site_leave(&site);
    return gt_context_status(context);
}

const gt_DataNames *gt_model_table(gt_Context *context, const gt_Layer *model)
{
    const gt_LayerState *state = gt_layer_check(context, NULL, NULL, model);
    const gt_DataNames *table = state && state->data ? data_of(state)->table : NULL;
    if (state && !table)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "model %s does not know how its table was read: gt_fit on a dataset from a table tells it, or "
                 "gt_set_table(model, dataset)",
                 state->name);
    return table;
}

bool gt_has_table_at(const char *here, const gt_Layer *model)
{
    gt_Context *context = gt_enter();
    const gt_LayerState *state = context ? gt_layer_check(context, here, "has_table", model) : NULL;
    return state && state->data && data_of(state)->table;
}

bool gt_table_put(gt_ConfigWriter *writer, const gt_LayerState *model)
{
    return gt_recipe_put(writer, data_of(model)->table);
}

gt_Status gt_table_take(gt_Context *context, const char *what, const gt_JsonValue *object,
                        gt_LayerState *model)
{
    gt_DataNames *names = gt_recipe_read(context, what, object);
    ModelData *self = names ? own_data(context, model) : NULL;
    if (self)
        self->table = gt_names_hold(names);
    gt_names_release(names);
    return gt_context_status(context);
}
