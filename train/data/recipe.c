/* How a table was read, as JSON both ways. Leans on names.c for what follows from it. */
#include "train/data/recipe.h"

#include <math.h>
#include <string.h>

#define MOST_FIELDS (1 << 20) /* of a table in a file that may be damaged */

static const char *const headers[] = {"auto", "yes", "no", NULL};
static const char *const gaps[] = {"error", "drop", "value", "mean", "median", NULL};
static const char *const roles[] = {"x", "label", "weight", "text", NULL};

/* ---- writing ---- */

static bool put_character(gt_ConfigWriter *writer, const char *key, char c)
{
    return gt_config_key(writer, key) && gt_config_put_piece(writer, (gt_Piece){&c, c != 0});
}

static bool put_word(gt_ConfigWriter *writer, const char *key, const char *word)
{
    return gt_config_key(writer, key) && gt_config_put_string(writer, word);
}

static bool put_integer(gt_ConfigWriter *writer, const char *key, int64_t number)
{
    return gt_config_key(writer, key) && gt_config_put_integer(writer, number);
}

static bool put_number(gt_ConfigWriter *writer, const char *key, double number)
{
    return gt_config_key(writer, key) && gt_config_put_number(writer, number);
}

static bool put_flag(gt_ConfigWriter *writer, const char *key, bool flag)
{
    return gt_config_key(writer, key) && gt_config_put(writer, flag ? "true" : "false");
}

static bool put_dtype(gt_ConfigWriter *writer, const char *key, gt_DType dtype)
{
    return gt_config_key(writer, key) && gt_config_put_dtype(writer, dtype);
}

static gt_Piece word_piece(const gt_Words *words, int32_t i)
{
    return (gt_Piece){gt_words_text(words, i), gt_words_size(words, i)};
}

static bool put_words(gt_ConfigWriter *writer, const char *key, const gt_Words *words)
{
    bool done = gt_config_key(writer, key) && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < words->count; i++)
        done = gt_config_next(writer) && gt_config_put_piece(writer, word_piece(words, i));
    return done && gt_config_close(writer, ']');
}

static bool put_form(gt_ConfigWriter *writer, const gt_TableForm *form)
{
    return put_character(writer, "delimiter", form->delimiter) &&
           put_character(writer, "quote", form->quote) &&
           put_character(writer, "decimal", form->decimal) &&
           put_word(writer, "header", headers[form->header]) &&
           put_integer(writer, "skip_rows", form->skip_rows) &&
           put_word(writer, "missing", gaps[form->missing]) &&
           put_number(writer, "missing_value", form->missing_value) &&
           put_words(writer, "na", &form->na);
}

static bool put_column(gt_ConfigWriter *writer, const gt_Table *table, const gt_TableColumn *column)
{
    bool done = gt_config_next(writer) && gt_config_open(writer, '{');
    if (done && table->named)
        done = gt_config_key(writer, "name") &&
               gt_config_put_piece(writer, word_piece(&table->names, (int32_t)column->field));
    done = done && put_integer(writer, "field", column->field) &&
           put_word(writer, "role", roles[column->role]);
    if (done && column->text)
        done = put_words(writer, "categories", &column->words);
    if (done && !column->text)
        done = put_flag(writer, "integers", column->integers);
    if (done && !isnan(column->fill))
        done = put_number(writer, "fill", column->fill);
    return done && gt_config_close(writer, '}');
}

bool gt_recipe_put(gt_ConfigWriter *writer, const gt_DataNames *names)
{
    const gt_Table *table = names->table;
    bool done = put_form(writer, &table->form) && put_flag(writer, "one_hot", names->one_hot) &&
                put_number(writer, "scale", names->scale) &&
                put_dtype(writer, "dtype", names->dtype) &&
                put_dtype(writer, "label_dtype", names->label_dtype) &&
                put_flag(writer, "named", table->named) && gt_config_key(writer, "columns") &&
                gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < table->count; i++)
        done = put_column(writer, table, &table->columns[i]);
    return done && gt_config_close(writer, ']') && put_words(writer, "classes", &table->classes);
}

/* ---- reading ---- */

static bool lacks(gt_ConfigReader *reader, const char *key, const char *what)
{
    return gt_config_fail(reader, "what it says of its table: \"%s\" must be %s", key, what);
}

static bool read_flag(gt_ConfigReader *reader, const gt_JsonValue *object, const char *key, bool *flag)
{
    const gt_JsonValue *value = gt_json_member(object, key);
    if (!value || (value->kind != GT_JSON_TRUE && value->kind != GT_JSON_FALSE))
        return lacks(reader, key, "true or false");
    *flag = value->kind == GT_JSON_TRUE;
    return true;
}

static bool read_double(gt_ConfigReader *reader, const gt_JsonValue *object, const char *key,
                        double *number)
{
    const gt_JsonValue *value = gt_json_member(object, key);
    return (value && gt_config_read_number(value, number)) || lacks(reader, key, "a number");
}

/* Which of the words it is. */
static bool read_choice(gt_ConfigReader *reader, const gt_JsonValue *object, const char *key,
                        const char *const *words, int *choice)
{
    const char *text = gt_config_text(object, key);
    for (*choice = 0; text && words[*choice]; ++*choice)
        if (strcmp(text, words[*choice]) == 0)
            return true;
    return lacks(reader, key, "a word that this version knows");
}

/* What a dtype of x may be, or none where that is allowed. */
static bool read_dtype(gt_ConfigReader *reader, const gt_JsonValue *object, const char *key,
                       bool may_lack, gt_DType *dtype)
{
    const gt_JsonValue *value = gt_json_member(object, key);
    *dtype = gt_config_read_dtype(value);
    bool none = may_lack && value && value->kind == GT_JSON_NULL;
    return none || gt_loop_type(*dtype) >= 0 || lacks(reader, key, "a dtype");
}

/* The texts of a list, in their order; of a list to be found in, each once. */
static bool read_words(gt_ConfigReader *reader, const gt_JsonValue *object, const char *key,
                       bool found, gt_Words *words)
{
    gt_Context *context = reader->context;
    const gt_JsonValue *list = gt_json_member(object, key);
    gt_TextBuilder builder = {0};
    bool done = (list && list->kind == GT_JSON_ARRAY) || lacks(reader, key, "a list of texts");
    for (const gt_JsonValue *at = done ? gt_json_first(list) : NULL; done && at;
         at = gt_json_next(list, at))
        done = gt_config_read_piece(reader, at, &builder);
    const gt_Text text = gt_builder_text(&builder);
    for (int32_t i = 0; done && i < text.count; i++) {
        gt_Piece piece = gt_text_piece(&text, i);
        bool zero = piece.length > 0 && memchr(piece.at, 0, piece.length);
        done = !zero && (found ? gt_words_add(context, words, piece.at, piece.length) == i
                               : gt_words_append(context, words, piece.at, piece.length));
        if (!done && gt_context_status(context) == GT_OK)
            lacks(reader, key, "texts without zeros, each once");
    }
    gt_builder_close(context, &builder);
    return done;
}

static bool read_character(gt_ConfigReader *reader, const gt_JsonValue *object, const char *key, char *c)
{
    const gt_JsonValue *value = gt_json_member(object, key);
    gt_TextBuilder builder = {0};
    bool done = (value && gt_config_read_piece(reader, value, &builder) && builder.size <= 1) ||
                lacks(reader, key, "one character or none");
    *c = done && builder.size == 1 ? builder.bytes[0] : 0;
    gt_builder_close(reader->context, &builder);
    return done;
}

static bool read_form(gt_ConfigReader *reader, const gt_JsonValue *object, gt_TableForm *form)
{
    int header = 0, missing = 0;
    if (!read_character(reader, object, "delimiter", &form->delimiter) ||
        !read_character(reader, object, "quote", &form->quote) ||
        !read_character(reader, object, "decimal", &form->decimal) ||
        !read_choice(reader, object, "header", headers, &header) ||
        !read_choice(reader, object, "missing", gaps, &missing) ||
        !read_double(reader, object, "missing_value", &form->missing_value))
        return false;
    form->header = (gt_Header)header;
    form->missing = (gt_Missing)missing;
    form->skip_rows = gt_config_integer(object, "skip_rows", -1);
    return (form->skip_rows >= 0 || lacks(reader, "skip_rows", "a count")) &&
           read_words(reader, object, "na", true, &form->na);
}

static bool read_column(gt_ConfigReader *reader, const gt_JsonValue *object, gt_TableColumn *column)
{
    static const char *const members[] = {"name", "field", "role", "categories", "integers", "fill", NULL};
    int role = 0;
    if (object->kind != GT_JSON_OBJECT)
        return lacks(reader, "columns", "a list of objects");
    if (!gt_config_members(reader, object, members) ||
        !read_choice(reader, object, "role", roles, &role))
        return false;
    *column = (gt_TableColumn){.role = (gt_TableRole)role,
                               .field = gt_config_integer(object, "field", -1),
                               .text = gt_json_member(object, "categories") != NULL,
                               .fill = NAN};
    if (column->field < 0 || column->field >= MOST_FIELDS)
        return lacks(reader, "field", "the place of a column");
    if (gt_json_member(object, "fill") && !read_double(reader, object, "fill", &column->fill))
        return false;
    return column->text ? read_words(reader, object, "categories", true, &column->words)
                        : read_flag(reader, object, "integers", &column->integers);
}

static bool read_name(gt_ConfigReader *reader, const gt_JsonValue *object, gt_TextBuilder *builder)
{
    const gt_JsonValue *name = gt_json_member(object, "name");
    return name ? gt_config_read_piece(reader, name, builder)
                : lacks(reader, "name", "the name of a column");
}

/* The names of all fields up to the last column's. */
static bool place_names(gt_Table *table, const gt_Text *texts)
{
    int64_t fields = 0;
    for (int32_t i = 0; i < table->count; i++)
        if (table->columns[i].field >= fields)
            fields = table->columns[i].field + 1;
    size_t bytes = (size_t)fields * sizeof(int32_t);
    int32_t *column = gt_allocate_zeroed(table->context, bytes); /* of each field, from 1; 0: none */
    for (int32_t i = 0; column && i < table->count; i++)
        column[table->columns[i].field] = i + 1;
    bool done = column != NULL;
    for (int64_t field = 0; done && field < fields; field++) {
        gt_Piece name = column[field] ? gt_text_piece(texts, column[field] - 1) : (gt_Piece){"", 0};
        done = gt_words_append(table->context, &table->names, name.at, name.length);
    }
    gt_release(table->context, column, bytes);
    return done;
}

static bool read_columns(gt_ConfigReader *reader, const gt_JsonValue *object, gt_Table *table)
{
    gt_Context *context = reader->context;
    const gt_JsonValue *list = gt_json_member(object, "columns");
    if (!list || list->kind != GT_JSON_ARRAY || list->count < 1 || list->count > MOST_FIELDS)
        return lacks(reader, "columns", "a list of columns");
    gt_TextBuilder names = {0};
    table->columns = gt_allocate_zeroed(context, (size_t)list->count * sizeof *table->columns);
    table->column_capacity = table->columns ? (int32_t)list->count : 0;
    bool done = table->columns != NULL;
    for (const gt_JsonValue *at = gt_json_first(list); done && at; at = gt_json_next(list, at))
        done = read_column(reader, at, &table->columns[table->count++]) &&
               (!table->named || read_name(reader, at, &names));
    if (done && table->named) {
        const gt_Text texts = gt_builder_text(&names);
        done = place_names(table, &texts);
    }
    gt_builder_close(context, &names);
    return done;
}

static bool read_names(gt_ConfigReader *reader, const gt_JsonValue *object, gt_DataNames *names)
{
    static const char *const members[] = {
        "gradtape", "delimiter", "quote",   "decimal", "header",      "skip_rows", "missing", "missing_value",
        "na",       "one_hot",   "scale",   "dtype",   "label_dtype", "named",     "columns", "classes",
        NULL};
    gt_Table *table = names->table;
    return gt_config_members(reader, object, members) && read_form(reader, object, &table->form) &&
           read_flag(reader, object, "one_hot", &names->one_hot) &&
           read_double(reader, object, "scale", &names->scale) &&
           read_dtype(reader, object, "dtype", false, &names->dtype) &&
           read_dtype(reader, object, "label_dtype", true, &names->label_dtype) &&
           read_flag(reader, object, "named", &table->named) &&
           read_columns(reader, object, table) &&
           read_words(reader, object, "classes", false, &table->classes) && gt_names_of_table(names);
}

gt_DataNames *gt_recipe_read(gt_Context *context, const char *what, const gt_JsonValue *object)
{
    gt_ConfigReader reader = {.context = context, .what = what};
    gt_DataNames *names = gt_names_new(context);
    if (names)
        names->table = gt_table_new(context);
    if (names && names->table && read_names(&reader, object, names))
        return names;
    gt_names_release(names);
    return NULL;
}
