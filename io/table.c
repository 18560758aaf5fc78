/* Tables as they come: surveyed, then read. Leans on csv_rows.c for the text and on number.c for the numbers in it. */
#include "io/table.h"
#include "core/inside.h"
#include "core/text.h"
#include "io/csv_rows.h"
#include "io/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is known of one field of the file, over all rows but the first. */
typedef struct Survey {
    int64_t numbers, integers, texts;
    int64_t line; /* of the first text */
    char excerpt[GT_EXCERPT];
    int64_t commas; /* texts that are numbers if a comma is their point */
    bool date;    /* that text is one */
    bool repeats; /* what stands in the first row comes again */
} Survey;

typedef struct Reading {
    gt_Csv csv;
    const gt_TableOptions *options;
    gt_Table *table;
    gt_Words first; /* the fields of the first row */
    Survey *survey;
    int32_t surveyed, survey_capacity;
    int64_t rows;       /* below the first */
    int64_t seen;       /* fields of this row that were seen before its window was cut */
    bool first_is_row;  /* of the table; else it is a header, or of another kind */
    int32_t *column_of; /* of each field: the table's column; -1: none */
    int64_t row;        /* of the table, that is being read */
    bool dropped;       /* something is missing in it */
    gt_Bytes scratch;   /* a field without its doubled quotes */
} Reading;

/* ---- holding ---- */

static size_t numbers_bytes(const gt_Table *table)
{
    return (size_t)table->capacity * sizeof(double);
}

void gt_table_give_up_numbers(gt_Table *table)
{
    for (int32_t i = 0; i < table->count; i++) {
        gt_release_unpooled(table->context, table->columns[i].numbers, numbers_bytes(table));
        table->columns[i].numbers = NULL;
        gt_builder_close(table->context, &table->columns[i].strings);
    }
}

gt_Table *gt_table_new(gt_Context *context)
{
    gt_Table *table = gt_allocate_zeroed(context, sizeof *table);
    if (table)
        table->context = context;
    return table;
}

void gt_table_release(gt_Table *table)
{
    if (!table)
        return;
    gt_Context *context = table->context;
    gt_table_give_up_numbers(table);
    for (int32_t i = 0; i < table->count; i++)
        gt_words_close(context, &table->columns[i].words);
    gt_words_close(context, &table->names);
    gt_words_close(context, &table->classes);
    gt_words_close(context, &table->form.na);
    gt_release(context, table->columns, (size_t)table->column_capacity * sizeof *table->columns);
    gt_release(context, table, sizeof *table);
}

/* ---- what a field is ---- */

typedef enum What { IS_MISSING, IS_NUMBER, IS_INTEGER, IS_NO_NUMBER, IS_TEXT } What;

/* The field as the text it stands for. False: the error is raised. */
static bool text_of(Reading *r, const gt_CsvField *field, const char **text, size_t *size)
{
    *text = field->text;
    *size = field->size;
    if (!field->quotes)
        return true;
    r->scratch.size = 0;
    if (!gt_bytes_reserve(r->csv.context, &r->scratch, field->size + 1))
        return false;
    size_t n = 0;
    for (size_t i = 0; i < field->size; i++) {
        r->scratch.data[n++] = field->text[i];
        i += field->text[i] == r->csv.quote;
    }
    r->scratch.data[n] = 0;
    *text = r->scratch.data;
    *size = n;
    return true;
}

static bool parse(const Reading *r, const char *text, size_t size, double *number)
{
    char point[64];
    gt_CsvField field = {.text = text, .size = size};
    if (gt_csv_infinity(&field, number))
        return true;
    if (r->options->decimal == '.')
        return gt_parse_decimal(text, size, number);
    if (size >= sizeof point || memchr(text, '.', size))
        return false;
    for (size_t i = 0; i < size; i++)
        point[i] = text[i] == r->options->decimal ? '.' : text[i];
    point[size] = 0;
    return gt_parse_decimal(point, size, number);
}

static What what_is(const Reading *r, const char *text, size_t size)
{
    int64_t integer;
    double number;
    gt_CsvField field = {.text = text, .size = size};
    if (size == 0 || gt_words_find(&r->table->form.na, text, size) >= 0)
        return IS_MISSING;
    if (gt_parse_integer(text, size, &integer))
        return IS_INTEGER;
    if (parse(r, text, size, &number))
        return IS_NUMBER;
    /* missing among numbers, but a text as good as any other among texts: NA is a country */
    static const char *const words[] = {"na", "n/a", "nan", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (gt_csv_says(&field, words[i]))
            return IS_NO_NUMBER;
    return IS_TEXT;
}

/* 3,14, which is a number with .decimal = ','. */
static bool has_comma_for_point(const Reading *r, const char *text, size_t size)
{
    char point[64];
    double number;
    const char *comma = memchr(text, ',', size);
    if (r->options->decimal != '.' || !comma || size >= sizeof point || memchr(text, '.', size))
        return false;
    memcpy(point, text, size);
    point[comma - text] = '.';
    point[size] = 0;
    return gt_parse_decimal(point, size, &number);
}

static size_t digits(const char *text, size_t size)
{
    size_t n = 0;
    while (n < size && gt_is_digit(text[n]))
        n++;
    return n;
}

/* 2024-01-31, 31.1.2024, 1/31/24, with a time behind or not; 12:30. */
static bool is_date(const char *text, size_t size)
{
    size_t n = digits(text, size), at = n;
    if (n < 1 || n > 4 || n == size)
        return false;
    char between = text[at++];
    size_t m = digits(text + at, size - at);
    if (m < 1 || m > 2)
        return false;
    at += m;
    if (between == ':')
        return n <= 2 && m == 2;
    if (!strchr("-/.", between) || at == size || text[at++] != between)
        return false;
    n = digits(text + at, size - at);
    at += n;
    return n >= 1 && n <= 4 && (at == size || text[at] == ' ' || text[at] == 'T');
}

/* ---- the survey ---- */

static bool new_field(const Reading *r)
{
    return r->csv.column > r->seen;
}

static bool keep_first(gt_Csv *csv, const gt_CsvField *field, void *user)
{
    Reading *r = user;
    const char *text;
    size_t size;
    if (!new_field(r))
        return true;
    r->seen = csv->column;
    return text_of(r, field, &text, &size) && gt_words_append(csv->context, &r->first, text, size);
}

static void note(Survey *survey, What what, const char *text, size_t size, int64_t line)
{
    survey->numbers += what == IS_NUMBER || what == IS_INTEGER;
    survey->integers += what == IS_INTEGER;
    survey->texts += what == IS_TEXT;
    if (what != IS_TEXT || (survey->line && survey->texts > 1))
        return;
    survey->line = line;
    survey->date = is_date(text, size);
    gt_excerpt(survey->excerpt, text, size);
}

static bool survey_field(gt_Csv *csv, const gt_CsvField *field, void *user)
{
    Reading *r = user;
    const char *text;
    size_t size;
    if (!new_field(r))
        return true;
    r->seen = csv->column;
    int32_t i = (int32_t)csv->column - 1;
    if (i == r->surveyed) {
        if (!gt_reserve(csv->context, (void **)&r->survey, i, &r->survey_capacity,
                        sizeof *r->survey))
            return false;
        r->survey[r->surveyed++] = (Survey){0};
    }
    if (!text_of(r, field, &text, &size))
        return false;
    Survey *survey = &r->survey[i];
    What what = what_is(r, text, size);
    note(survey, what, text, size, csv->line);
    survey->commas += what == IS_TEXT && has_comma_for_point(r, text, size);
    survey->repeats =
        survey->repeats || (i < r->first.count && gt_words_size(&r->first, i) == size &&
                            memcmp(gt_words_text(&r->first, i), text, size) == 0);
    return true;
}

static bool survey_rows(Reading *r)
{
    gt_Csv *csv = &r->csv;
    r->seen = 0;
    bool any = gt_csv_next_row(csv);
    if (any && !gt_csv_read_row(csv, true, keep_first, r))
        return false;
    csv->fields = 0; /* the first row may be of another kind */
    for (r->rows = 0; any && gt_csv_next_row(csv); r->rows++) {
        r->seen = 0;
        if (!gt_csv_read_row(csv, false, survey_field, r) || !gt_csv_poll(csv, r->rows + 1))
            return false;
    }
    if (gt_context_status(csv->context) != GT_OK)
        return false;
    if (r->rows == 0)
        csv->fields = r->first.count;
    while (r->surveyed < csv->fields) {
        if (!gt_reserve(csv->context, (void **)&r->survey, r->surveyed, &r->survey_capacity,
                        sizeof *r->survey))
            return false;
        r->survey[r->surveyed++] = (Survey){0};
    }
    if (any)
        return true;
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: has no rows", csv->path);
    return false;
}

/* ---- the first row ---- */

static What first_is(const Reading *r, int32_t i)
{
    return what_is(r, gt_words_text(&r->first, i), gt_words_size(&r->first, i));
}

static bool first_says(const Reading *r, int32_t i, int64_t number)
{
    int64_t value;
    return i < r->first.count &&
           gt_parse_integer(gt_words_text(&r->first, i), gt_words_size(&r->first, i), &value) &&
           value == number;
}

/* Does the first row say how many rows and columns follow, and then what the classes are called? So begin the tables that
 * come with scikit-learn: "150,4,setosa,versicolor,virginica". */
static bool counts_first(const Reading *r)
{
    if (r->rows == 0 || !first_says(r, 0, r->rows) || !first_says(r, 1, r->csv.fields - 1))
        return false;
    for (int32_t i = 2; i < r->first.count; i++)
        if (first_is(r, i) != IS_TEXT)
            return false;
    return r->first.count > 2 || r->first.count != r->csv.fields;
}

static bool has_name(const gt_Words *names, const char *name)
{
    for (int32_t i = 0; i < names->count; i++)
        if (strcmp(gt_words_text(names, i), name) == 0)
            return true;
    return false;
}

/* Is the first row made of names that are known: those of the table that this one is to be like? */
static bool has_known_names(const Reading *r)
{
    const gt_Table *like = r->options->like;
    bool all = like && like->named && r->first.count > 0;
    for (int32_t i = 0; all && i < r->first.count; i++)
        all = has_name(&like->names, gt_words_text(&r->first, i));
    return all;
}

/* The only row: a header if it is text, and the options name a field of it, or want labels beside other columns. */
static bool is_lonely_header(const Reading *r)
{
    const gt_TableOptions *options = r->options;
    bool all = r->rows == 0 && !options->like, named = options->label && has_name(&r->first, options->label);
    for (int32_t i = 0; all && i < r->first.count; i++)
        all = first_is(r, i) == IS_TEXT;
    for (int i = 0; options->texts.items && options->texts.items[i] != GT_LIST_END; i++)
        named = named || has_name(&r->first, options->texts.items[i]);
    return all && (named || (options->label && !options->texts.items && r->first.count > 1));
}

/* It is one if it is text where the column below is numbers; if the column has other text too, all of the row must be text
 * that does not come again in its column. So must it where no column is one of numbers. */
static bool first_is_header(const Reading *r)
{
    bool all_new_text = r->rows > 0, numbers = false, among_numbers = false;
    if (r->options->header != GT_HEADER_AUTO)
        return r->options->header == GT_HEADER_YES;
    if (has_known_names(r) || is_lonely_header(r))
        return true;
    for (int32_t i = 0; i < r->first.count && i < r->surveyed; i++) {
        const Survey *below = &r->survey[i];
        bool text = first_is(r, i) == IS_TEXT;
        if (text && below->texts == 0 && below->numbers > 0)
            return true;
        all_new_text = all_new_text && text && !below->repeats;
        among_numbers = among_numbers || below->numbers > below->texts;
        numbers = numbers || below->numbers > 0;
    }
    return all_new_text && (among_numbers || !numbers);
}

static bool keep_names(Reading *r, int32_t missing)
{
    gt_Context *context = r->csv.context;
    r->table->named = true;
    for (int32_t i = 0; i < r->csv.fields; i++) {
        bool there = i >= missing && i - missing < r->first.count;
        const char *text = there ? gt_words_text(&r->first, i - missing) : "";
        if (!gt_words_append(context, &r->table->names, text, strlen(text)))
            return false;
    }
    return true;
}

static bool keep_classes(Reading *r)
{
    for (int32_t i = 2; i < r->first.count; i++)
        if (!gt_words_append(r->csv.context, &r->table->classes, gt_words_text(&r->first, i),
                             gt_words_size(&r->first, i)))
            return false;
    return true;
}

/* Decides what the first row is. Afterwards r->rows are all rows of the table. */
static bool judge_first(Reading *r)
{
    int32_t fields = (int32_t)r->csv.fields, first = r->first.count;
    bool named = false;
    if (r->options->header == GT_HEADER_AUTO && counts_first(r)) {
        if (!keep_classes(r))
            return false;
    } else if (first == fields || (first == fields - 1 && first_is_header(r))) {
        named = first_is_header(r); /* one name fewer: of R, whose rows have names that have none */
        if (named && !keep_names(r, fields - first))
            return false;
        r->first_is_row = !named;
    } else {
        gt_raise(
            r->csv.context, GT_FORMAT, NULL, NULL,
            "%s:%lld:%d: the first row has %d fields and the rows below have %d; .skip_rows = %lld "
            "passes over it",
            r->csv.path, (long long)r->options->skip_rows + 1, (int)first, (int)first, (int)fields,
            (long long)r->options->skip_rows + 1);
        return false;
    }
    for (int32_t i = 0; r->first_is_row && i < fields; i++) {
        const char *text = gt_words_text(&r->first, i);
        note(&r->survey[i], first_is(r, i), text, gt_words_size(&r->first, i),
             r->options->skip_rows + 1);
    }
    r->rows += r->first_is_row;
    if (r->rows > 0)
        return true;
    gt_raise(r->csv.context, GT_FORMAT, NULL, NULL, "%s: a header and no rows", r->csv.path);
    return false;
}

/* ---- which columns ---- */

/* What messages call a field: its name, or its number as options say it. */
static const char *field_name(const Reading *r, int64_t field, char text[GT_EXCERPT + 16])
{
    const gt_Words *names = &r->table->names;
    char name[GT_EXCERPT];
    if (r->table->named && gt_words_size(names, (int32_t)field) > 0)
        gt_text(text, GT_EXCERPT + 16, "column \"%s\"",
                gt_excerpt(name, gt_words_text(names, (int32_t)field),
                           gt_words_size(names, (int32_t)field)));
    else
        gt_text(text, GT_EXCERPT + 16, "column \"%lld\"", (long long)field);
    return text;
}

/* The names of the file, as far as there is room. */
static const char *names_text(const Reading *r, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int32_t i = 0; i < r->table->names.count && used + GT_EXCERPT + 8 < size; i++) {
        char name[GT_EXCERPT];
        gt_excerpt(name, gt_words_text(&r->table->names, i), gt_words_size(&r->table->names, i));
        used += (size_t)gt_text(text + used, size - used, "%s\"%s\"", i ? ", " : "", name);
        if (i + 1 < r->table->names.count && used + GT_EXCERPT + 8 >= size)
            gt_text(text + used, size - used, ", ...");
    }
    return text;
}

/* The field of that name, or of that number from 0, negative from the end; -1 with the error raised. */
static int64_t find_field(Reading *r, const char *name)
{
    char names[300];
    int64_t found = -1, number;
    size_t size = strlen(name);
    gt_Context *context = r->csv.context;
    for (int32_t i = 0; i < r->table->names.count; i++) {
        if (gt_words_size(&r->table->names, i) != size ||
            memcmp(gt_words_text(&r->table->names, i), name, size) != 0)
            continue;
        if (found >= 0) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "%s: two columns are called \"%s\"; name the one that is meant by its number, "
                     "%lld or %d",
                     r->csv.path, name, (long long)found, (int)i);
            return -1;
        }
        found = i;
    }
    if (found >= 0)
        return found;
    if (gt_parse_integer(name, size, &number)) {
        found = number < 0 ? number + r->csv.fields : number;
        if (found >= 0 && found < r->csv.fields)
            return found;
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: column %s is out of range: it has %lld columns", r->csv.path, name,
                 (long long)r->csv.fields);
    } else if (r->table->named) {
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: has no column \"%s\": expected one of %s",
                 r->csv.path, name, names_text(r, names, sizeof names));
    } else {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: has no column \"%s\": it has no header; name columns by their numbers, \"0\" "
                 "to \"%lld\"",
                 r->csv.path, name, (long long)r->csv.fields - 1);
    }
    return -1;
}

static bool add_column(Reading *r, int64_t field, gt_TableRole role)
{
    gt_Table *table = r->table;
    char name[GT_EXCERPT + 16];
    if (r->column_of[field] >= 0) {
        gt_raise(r->csv.context, GT_INVALID, NULL, NULL, "%s: %s is named twice", r->csv.path,
                 field_name(r, field, name));
        return false;
    }
    const Survey *survey = &r->survey[field];
    r->column_of[field] = table->count;
    table->columns[table->count++] = (gt_TableColumn){
        .role = role,
        .field = field,
        .text = role != GT_TABLE_TEXT && survey->texts > 0 && survey->numbers <= survey->texts,
        .integers = survey->integers == survey->numbers,
        .fill = NAN,
    };
    return true;
}

/* Marks the fields of a list with `mark`. */
static bool mark_fields(Reading *r, gt_Names names, bool *marks)
{
    for (int i = 0; names.items && names.items[i] != GT_LIST_END; i++) {
        int64_t field = find_field(r, names.items[i]);
        if (field < 0)
            return false;
        marks[field] = true;
    }
    return true;
}

static bool add_inputs(Reading *r, const bool *without)
{
    gt_Names columns = r->options->columns;
    for (int i = 0; columns.items && columns.items[i] != GT_LIST_END; i++) {
        int64_t field = find_field(r, columns.items[i]);
        if (field < 0 || !add_column(r, field, GT_TABLE_X))
            return false;
    }
    for (int64_t field = 0; !columns.items && field < r->csv.fields; field++)
        if (!without[field] && !add_column(r, field, GT_TABLE_X))
            return false;
    return true;
}

/* Columns of text are none of x. */
static bool add_texts(Reading *r)
{
    gt_Names texts = r->options->texts;
    for (int i = 0; texts.items && texts.items[i] != GT_LIST_END; i++) {
        int64_t field = find_field(r, texts.items[i]);
        if (field < 0 || !add_column(r, field, GT_TABLE_TEXT))
            return false;
    }
    return true;
}

/* A column is named as an input or left out, not both. */
static bool check_inputs(Reading *r, const bool *without)
{
    gt_Names columns = r->options->columns;
    char name[GT_EXCERPT + 16];
    for (int i = 0; columns.items && columns.items[i] != GT_LIST_END; i++) {
        int64_t field = find_field(r, columns.items[i]);
        if (field >= 0 && without[field])
            gt_raise(r->csv.context, GT_INVALID, NULL, NULL, "%s: %s is named in .columns and in .without", r->csv.path,
                     field_name(r, field, name));
    }
    return gt_context_status(r->csv.context) == GT_OK;
}

/* The columns that the options name. */
static bool choose_by_options(Reading *r, bool *without, bool *categories)
{
    const gt_TableOptions *options = r->options;
    int64_t label = options->label ? find_field(r, options->label) : -1;
    int64_t weight = options->weight && gt_context_status(r->csv.context) == GT_OK
                         ? find_field(r, options->weight)
                         : -1;
    if (gt_context_status(r->csv.context) != GT_OK || !mark_fields(r, options->without, without) ||
        !check_inputs(r, without) || !mark_fields(r, options->categories, categories) ||
        !mark_fields(r, options->texts, without))
        return false;
    if (label >= 0)
        without[label] = true;
    if (label != r->csv.fields - 1) /* the classes that a first row names are those of the last column */
        gt_words_close(r->csv.context, &r->table->classes);
    if (weight >= 0)
        without[weight] = true;
    if (!add_inputs(r, without) || !add_texts(r))
        return false;
    if (r->table->count == 0) {
        gt_raise(
            r->csv.context, GT_INVALID, NULL, NULL,
            "%s: no column is left for x beside labels and weights: the table has %lld column%s; "
            ".delimiter says what stands between columns, .label_column = GT_NONE is for a table "
            "without labels",
            r->csv.path, (long long)r->csv.fields, r->csv.fields == 1 ? "" : "s");
        return false;
    }
    if ((label >= 0 && !add_column(r, label, GT_TABLE_LABEL)) ||
        (weight >= 0 && !add_column(r, weight, GT_TABLE_WEIGHT)))
        return false;
    for (int32_t i = 0; i < r->table->count; i++)
        if (r->table->columns[i].role != GT_TABLE_TEXT)
            r->table->columns[i].text |= categories[r->table->columns[i].field];
    return true;
}

static bool copy_words(gt_Context *context, gt_Words *to, const gt_Words *from)
{
    for (int32_t i = 0; i < from->count; i++)
        if (gt_words_add(context, to, gt_words_text(from, i), gt_words_size(from, i)) < 0)
            return false;
    return true;
}

/* Is there a label, or a weight, like that of the other table? */
static bool has_column(const Reading *r, const gt_Table *like, const gt_TableColumn *column)
{
    if (!like->named || !r->table->named)
        return column->field < r->csv.fields;
    return has_name(&r->table->names, gt_words_text(&like->names, (int32_t)column->field));
}

static bool is_left_out(const Reading *r, const gt_Table *like, const gt_TableColumn *column)
{
    const gt_TableOptions *options = r->options;
    if (column->role == GT_TABLE_LABEL && options->unlabelled)
        return true;
    bool optional = column->role == GT_TABLE_LABEL || column->role == GT_TABLE_WEIGHT;
    return optional && options->label_optional && !has_column(r, like, column);
}

/* The field that has the name, or else the place, of a column of the other table. */
static int64_t same_field(Reading *r, const gt_Table *like, const gt_TableColumn *column)
{
    if (like->named && r->table->named)
        return find_field(r, gt_words_text(&like->names, (int32_t)column->field));
    if (column->field < r->csv.fields)
        return column->field;
    gt_raise(r->csv.context, GT_FORMAT, NULL, NULL,
             "%s: it has %lld columns, and the table that it is to be like has more", r->csv.path,
             (long long)r->csv.fields);
    return -1;
}

/* The columns of another table. */
static bool choose_like(Reading *r)
{
    const gt_Table *like = r->options->like;
    for (int32_t i = 0; i < like->count; i++) {
        const gt_TableColumn *from = &like->columns[i];
        if (is_left_out(r, like, from)) {
            bool classes = from->role == GT_TABLE_LABEL && r->table->classes.count == 0;
            if (classes && !copy_words(r->csv.context, &r->table->classes, &from->words))
                return false;
            continue;
        }
        int64_t field = same_field(r, like, from);
        if (field < 0 || !add_column(r, field, from->role))
            return false;
        gt_TableColumn *column = &r->table->columns[r->table->count - 1];
        column->text = from->text;
        column->integers = from->integers && column->integers;
        column->fill = from->fill;
        if (!copy_words(r->csv.context, &column->words, &from->words))
            return false;
    }
    return r->table->classes.count > 0 ||
           copy_words(r->csv.context, &r->table->classes, &like->classes);
}

/* A column of text that is none: the error names the first field of that kind. `others`: it stands for more of them. */
static bool refuse_column(Reading *r, const gt_TableColumn *column, const char *others,
                          const char *reason)
{
    char name[GT_EXCERPT + 16];
    const Survey *survey = &r->survey[column->field];
    gt_raise(r->csv.context, GT_FORMAT, NULL, NULL, "%s:%lld:%lld: \"%s\"%s in %s %s", r->csv.path,
             (long long)survey->line, (long long)column->field + 1, survey->excerpt, others,
             field_name(r, column->field, name), reason);
    return false;
}

static bool refuse_dates(Reading *r)
{
    for (int32_t i = 0; i < r->table->count; i++) {
        const gt_TableColumn *column = &r->table->columns[i];
        if (column->text && r->survey[column->field].date)
            return refuse_column(
                r, column, "",
                "is a date or a time, and a model needs numbers: write year, month, day or hours "
                "as columns of their own, or leave it out with .without");
    }
    return true;
}

/* As categories, decimal commas would be taken in silence, and mean nothing. */
static bool refuse_commas(Reading *r, const bool *categories)
{
    for (int32_t i = 0; i < r->table->count; i++) {
        const gt_TableColumn *column = &r->table->columns[i];
        const Survey *survey = &r->survey[column->field];
        if (column->text && !categories[column->field] && survey->commas * 2 > survey->texts)
            return refuse_column(r, column, " and others",
                                 "look like numbers with a decimal comma: .decimal = ',' reads "
                                 "them, .categories has them as categories");
    }
    return true;
}

/* Numbers of categories weigh nothing. */
static bool refuse_text_weights(Reading *r)
{
    char name[GT_EXCERPT + 16];
    for (int32_t i = 0; i < r->table->count; i++) {
        const gt_TableColumn *column = &r->table->columns[i];
        if (column->role != GT_TABLE_WEIGHT || !column->text)
            continue;
        gt_raise(r->csv.context, GT_FORMAT, NULL, NULL, "%s: weights must be numbers (%s is text)", r->csv.path,
                 field_name(r, column->field, name));
        return false;
    }
    return true;
}

static bool choose_columns(Reading *r)
{
    gt_Context *context = r->csv.context;
    gt_Table *table = r->table;
    size_t fields = (size_t)r->csv.fields;
    int32_t most = r->options->like ? r->options->like->count : (int32_t)fields;
    bool *marks = gt_allocate_zeroed(context, 2 * fields * sizeof *marks);
    table->columns = gt_allocate_zeroed(context, (size_t)most * sizeof *table->columns);
    table->column_capacity = most;
    r->column_of = gt_allocate(context, fields * sizeof *r->column_of);
    bool ok = marks && table->columns && r->column_of;
    for (size_t i = 0; ok && i < fields; i++)
        r->column_of[i] = -1;
    if (ok)
        ok = r->options->like
                 ? choose_like(r)
                 : choose_by_options(r, marks, marks + fields) && refuse_commas(r, marks + fields);
    gt_release(context, marks, 2 * fields * sizeof *marks);
    return ok && refuse_text_weights(r) && refuse_dates(r);
}

/* ---- reading ---- */

static bool fail_missing(Reading *r, const gt_TableColumn *column)
{
    char name[GT_EXCERPT + 16];
    field_name(r, column->field, name);
    if (column->role != GT_TABLE_X)
        return gt_csv_fail(&r->csv,
                           "a %s is missing (%s); .missing = GT_MISSING_DROP leaves such rows out",
                           column->role == GT_TABLE_LABEL ? "label" : "weight", name);
    return gt_csv_fail(&r->csv,
                       "a value is missing (%s); .missing says what becomes of it: "
                       "GT_MISSING_DROP, GT_MISSING_VALUE, "
                       "GT_MISSING_MEAN or GT_MISSING_MEDIAN",
                       name);
}

/* The number of a category; -1 with the error raised. */
static int32_t category(Reading *r, gt_TableColumn *column, const char *text, size_t size)
{
    char name[GT_EXCERPT + 16], excerpt[GT_EXCERPT];
    const gt_TableOptions *options = r->options;
    int32_t i = gt_words_find(&column->words, text, size);
    if (i >= 0)
        return i;
    if (options->like) {
        gt_csv_fail(&r->csv,
                    "\"%s\" in %s is new: it is none of the %d categories of the table that this "
                    "one is to be like",
                    gt_excerpt(excerpt, text, size), field_name(r, column->field, name),
                    (int)column->words.count);
        return -1;
    }
    if (column->words.count < options->max_categories)
        return gt_words_add(r->csv.context, &column->words, text, size);
    gt_csv_fail(&r->csv,
                "%s has more than %d different texts: expected categories; .without leaves it out, "
                "and .max_categories allows more",
                field_name(r, column->field, name), (int)options->max_categories);
    return -1;
}

static bool read_missing(Reading *r, gt_TableColumn *column, double *number)
{
    gt_Missing missing = r->options->missing;
    if (missing == GT_MISSING_ERROR || (column->role != GT_TABLE_X && missing != GT_MISSING_DROP))
        return fail_missing(r, column);
    *number = NAN;
    r->dropped |= missing == GT_MISSING_DROP;
    if (!column->text || missing == GT_MISSING_DROP)
        return true;
    int32_t i = category(r, column, "", 0); /* one like the others */
    *number = i;
    return i >= 0;
}

static bool fail_number(Reading *r, const gt_TableColumn *column, const char *text, size_t size)
{
    char name[GT_EXCERPT + 16], excerpt[GT_EXCERPT];
    const Survey *survey = &r->survey[column->field];
    gt_excerpt(excerpt, text, size);
    field_name(r, column->field, name);
    if (has_comma_for_point(r, text, size))
        return gt_csv_fail(&r->csv,
                           "\"%s\" in %s is not a number; with .decimal = ',' its comma is a point",
                           excerpt, name);
    if (r->options->like)
        return gt_csv_fail(&r->csv,
                           "\"%s\" in %s is not a number, as that column is in the table that this "
                           "one is to be like",
                           excerpt, name);
    return gt_csv_fail(
        &r->csv,
        "\"%s\" in %s is not a number, and %lld other values of it are; if it stands for a "
        "missing value: .na = "
        "gt_names(\"%s\")",
        excerpt, name, (long long)survey->numbers, excerpt);
}

/* A model computes with finite numbers. */
static bool fits(const Reading *r, const gt_TableColumn *column, const char *text, size_t size, double number)
{
    char name[GT_EXCERPT + 16], excerpt[GT_EXCERPT];
    double infinite;
    const gt_CsvField field = {.text = text, .size = size};
    bool single = r->options->single;
    if (!isinf(single ? (double)(float)number : number))
        return true;
    gt_excerpt(excerpt, text, size);
    if (!gt_csv_infinity(&field, &infinite))
        return gt_csv_fail(&r->csv, "\"%s\" is too large for %s", excerpt, single ? "float32" : "float64");
    return gt_csv_fail(&r->csv,
                       "\"%s\" in %s is no finite number; if it stands for a missing value: .na = gt_names(\"%s\")",
                       excerpt, field_name(r, column->field, name), excerpt);
}

/* A text that is missing is "", which is no gap, unless rows with something missing are left out. */
static bool read_string(Reading *r, gt_TableColumn *column, const char *text, size_t size)
{
    gt_Context *context = r->csv.context;
    bool missing = what_is(r, text, size) == IS_MISSING;
    if (!new_field(r))
        return true;
    r->seen = r->csv.column;
    r->dropped |= missing && r->options->missing == GT_MISSING_DROP;
    return gt_builder_put(context, &column->strings, text, missing ? 0 : size) &&
           gt_builder_end(context, &column->strings);
}

/* The texts of a row that is left out, of which the builders have one too many. */
static void drop_strings(Reading *r)
{
    for (int32_t i = 0; i < r->table->count; i++) {
        gt_TextBuilder *strings = &r->table->columns[i].strings;
        if (strings->count > r->row) {
            strings->count = r->row;
            strings->size = strings->offsets[r->row];
        }
    }
}

static bool read_field(gt_Csv *csv, const gt_CsvField *field, void *user)
{
    Reading *r = user;
    const char *text;
    size_t size;
    if (csv->column > csv->fields || r->column_of[csv->column - 1] < 0)
        return true;
    gt_TableColumn *column = &r->table->columns[r->column_of[csv->column - 1]];
    if (!text_of(r, field, &text, &size))
        return false;
    if (column->role == GT_TABLE_TEXT)
        return read_string(r, column, text, size);
    double *number = &column->numbers[r->row];
    What what = what_is(r, text, size);
    if (what == IS_MISSING || (what == IS_NO_NUMBER && !column->text))
        return read_missing(r, column, number);
    if (column->text) {
        int32_t i = category(r, column, text, size);
        *number = i;
        return i >= 0;
    }
    if (!parse(r, text, size, number))
        return fail_number(r, column, text, size);
    return fits(r, column, text, size, *number);
}

/* To the first row of the table. */
static bool first_row(Reading *r)
{
    gt_Csv *csv = &r->csv;
    return gt_csv_begin(csv) &&
           (r->first_is_row || (gt_csv_next_row(csv) && gt_csv_read_row(csv, true, NULL, NULL)));
}

static bool read_rows(Reading *r)
{
    gt_Csv *csv = &r->csv;
    gt_Table *table = r->table;
    if (!first_row(r))
        return false;
    table->capacity = r->rows;
    for (int32_t i = 0; i < table->count; i++)
        if (table->columns[i].role != GT_TABLE_TEXT &&
            !(table->columns[i].numbers = gt_allocate_unpooled(csv->context, numbers_bytes(table))))
            return false;
    for (int64_t row = 0; row < r->rows; row++) {
        r->dropped = false;
        r->seen = 0;
        if (!gt_csv_poll(csv, row))
            return false;
        if (!gt_csv_next_row(csv) || !gt_csv_read_row(csv, false, read_field, r)) {
            gt_raise(csv->context, GT_IO, NULL, NULL, "%s: changed while it was read", csv->path);
            return false;
        }
        if (r->dropped)
            drop_strings(r);
        else
            r->row++;
    }
    table->rows = r->row;
    if (table->rows > 0)
        return true;
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: something is missing in every row",
             csv->path);
    return false;
}

/* ---- what was missing, and categories in order ---- */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Those of the numbers that are there; NaN: none is. */
static double mean_of(const gt_Table *table, const gt_TableColumn *column)
{
    int64_t count = 0;
    double sum = 0;
    for (int64_t i = 0; i < table->rows; i++)
        if (!isnan(column->numbers[i])) {
            sum += column->numbers[i];
            count++;
        }
    return count > 0 ? sum / (double)count : NAN;
}

static bool find_median(const gt_Table *table, const gt_TableColumn *column, double *median)
{
    int64_t count = 0;
    double *there = gt_allocate_unpooled(table->context, numbers_bytes(table));
    if (!there)
        return false;
    for (int64_t i = 0; i < table->rows; i++)
        if (!isnan(column->numbers[i]))
            there[count++] = column->numbers[i];
    qsort(there, (size_t)count, sizeof *there, compare_numbers);
    *median = count > 0 ? (there[(count - 1) / 2] + there[count / 2]) / 2 : NAN;
    gt_release_unpooled(table->context, there, numbers_bytes(table));
    return true;
}

/* What stands for a missing number of the column. Where nothing is to, its mean: a table that is like this one may have gaps
 * all the same. False: no memory. */
static bool find_fill(const Reading *r, gt_TableColumn *column)
{
    gt_Missing missing = r->options->missing;
    if (missing == GT_MISSING_MEDIAN)
        return find_median(r->table, column, &column->fill);
    column->fill = missing == GT_MISSING_VALUE ? r->options->missing_value : mean_of(r->table, column);
    return true;
}

static bool fill_column(Reading *r, gt_TableColumn *column)
{
    char name[GT_EXCERPT + 16];
    for (int64_t i = 0; i < r->table->rows; i++) {
        if (!isnan(column->numbers[i]))
            continue;
        if (isnan(column->fill)) {
            gt_raise(r->csv.context, GT_FORMAT, NULL, NULL,
                     "%s: %s has no value that could stand for the missing ones", r->csv.path,
                     field_name(r, column->field, name));
            return false;
        }
        column->numbers[i] = column->fill;
    }
    return true;
}

static bool sort_categories(Reading *r, gt_TableColumn *column)
{
    gt_Context *context = r->csv.context;
    size_t words = (size_t)column->words.count + 1;
    int64_t *counts = gt_allocate_zeroed(context, words * sizeof *counts);
    int32_t *place = gt_allocate_zeroed(context, words * sizeof *place);
    bool ok = counts && place;
    for (int64_t i = 0; ok && i < r->table->rows; i++)
        counts[(int32_t)column->numbers[i]]++;
    ok = ok && gt_words_sort(context, &column->words, counts, place);
    for (int64_t i = 0; ok && i < r->table->rows; i++)
        column->numbers[i] = place[(int32_t)column->numbers[i]];
    gt_release(context, counts, words * sizeof *counts);
    gt_release(context, place, words * sizeof *place);
    return ok;
}

/* A value that is said now is none of another table's. */
static bool takes_fill(const Reading *r)
{
    return !r->options->like || r->options->missing == GT_MISSING_VALUE;
}

static bool finish_column(Reading *r, gt_TableColumn *column)
{
    gt_Missing missing = r->options->missing;
    if (column->text)
        return r->options->like || sort_categories(r, column);
    if (column->role != GT_TABLE_X)
        return true;
    if (takes_fill(r) && !find_fill(r, column))
        return false;
    return missing == GT_MISSING_ERROR || missing == GT_MISSING_DROP || fill_column(r, column);
}

static bool finish(Reading *r)
{
    for (int32_t i = 0; i < r->table->count; i++)
        if (!finish_column(r, &r->table->columns[i]))
            return false;
    return true;
}

/* ---- all of it ---- */

static bool keep_form(gt_Context *context, gt_TableForm *form, const gt_TableOptions *options)
{
    *form = (gt_TableForm){.delimiter = options->delimiter,
                           .quote = options->quote,
                           .decimal = options->decimal,
                           .header = options->header,
                           .missing = options->missing,
                           .missing_value = options->missing_value,
                           .skip_rows = options->skip_rows};
    const char *const *na = options->na.items;
    if (!na && options->like)
        return copy_words(context, &form->na, &options->like->form.na);
    for (int32_t i = 0; na && na[i] != GT_LIST_END; i++)
        if (gt_words_add(context, &form->na, na[i], strlen(na[i])) < 0)
            return false;
    return true;
}

static bool begin(Reading *r, gt_Context *context, const char *path, const gt_TableOptions *options)
{
    *r = (Reading){.csv = {.context = context,
                           .path = path,
                           .delimiter = options->delimiter,
                           .quote = options->quote,
                           .skip_rows = options->skip_rows},
                   .options = options};
    r->table = gt_table_new(context);
    return r->table &&
           gt_csv_open(&r->csv, options->limit, options->decimal == ',' ? ',' : 0) &&
           keep_form(context, &r->table->form, options) && survey_rows(r) && judge_first(r);
}

/* Lets all go but the table. */
static void end(Reading *r)
{
    gt_Context *context = r->csv.context;
    gt_words_close(context, &r->first);
    gt_release(context, r->survey, (size_t)r->survey_capacity * sizeof *r->survey);
    gt_release(context, r->column_of, (size_t)r->csv.fields * sizeof *r->column_of);
    gt_bytes_release(context, &r->scratch);
    if (r->table)
        gt_csv_close(&r->csv);
}

gt_Table *gt_table_read(gt_Context *context, const char *path, const gt_TableOptions *options)
{
    Reading r;
    bool ok =
        begin(&r, context, path, options) && choose_columns(&r) && read_rows(&r) && finish(&r);
    end(&r);
    if (ok)
        return r.table;
    gt_table_release(r.table);
    return NULL;
}

/* ---- one column as text ---- */

typedef struct Strings {
    Reading *reading;
    int64_t field;
    gt_TextBuilder *builder;
} Strings;

static bool keep_string(gt_Csv *csv, const gt_CsvField *field, void *user)
{
    Strings *strings = user;
    const char *text;
    size_t size;
    if (csv->column - 1 != strings->field || !new_field(strings->reading))
        return true;
    strings->reading->seen = csv->column;
    return text_of(strings->reading, field, &text, &size) &&
           gt_builder_put(csv->context, strings->builder, text, size) &&
           gt_builder_end(csv->context, strings->builder);
}

bool gt_table_strings(gt_Context *context, const char *path, const gt_TableOptions *options,
                      const char *column, gt_TextBuilder *builder)
{
    Reading r;
    Strings strings = {&r, -1, builder};
    bool ok = begin(&r, context, path, options) && (strings.field = find_field(&r, column)) >= 0 &&
              first_row(&r);
    for (int64_t row = 0; ok && row < r.rows; row++) {
        r.seen = 0;
        ok = gt_csv_poll(&r.csv, row) && gt_csv_next_row(&r.csv) &&
             gt_csv_read_row(&r.csv, false, keep_string, &strings);
    }
    if (!ok)
        gt_raise(context, GT_IO, NULL, NULL, "%s: changed while it was read", path);
    end(&r);
    gt_table_release(r.table);
    return ok;
}
