/* The table that a model knows, as train/data/recipe.h writes it, in words. */
#include "cli/schema.h"
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#define NAMES 24 /* columns of the names of columns */

/* A string; in quotes where blanks would hide where it ends. */
static void put_text(FILE *file, Json value)
{
    char text[1024];
    if (!json_string(value, text, sizeof text))
        fwrite(value.text, 1, value.size, file); /* a long one */
    else if (!*text || text[strcspn(text, " \"\n\t")])
        print_quoted(file, text);
    else
        fputs(text, file);
}

static int count_of(Json list)
{
    Json item;
    int count = 0;
    for (const char *at = NULL; json_next(list, &at, NULL, &item);)
        count++;
    return count;
}

static void put_list(FILE *file, Json list)
{
    Json item;
    for (const char *at = NULL; json_next(list, &at, NULL, &item);) {
        fputc(' ', file);
        put_text(file, item);
    }
}

static bool is(Json value, const char *text)
{
    return value.text && value.size == strlen(text) && memcmp(value.text, text, value.size) == 0;
}

static double number_of(Json value)
{
    char text[64];
    return json_raw(value, text, sizeof text) ? strtod(text, NULL) : 0;
}

/* ---- columns ---- */

static void put_values(FILE *file, Json column, Json role)
{
    Json categories = json_find(column, "categories"), fill = json_find(column, "fill");
    bool label = is(role, "\"label\"");
    fputs(label ? "the label, which evaluate needs: " : is(role, "\"weight\"") ? "the weight of a row: " : "", file);
    if (is(role, "\"text\"")) {
        fputs("text", file);
    } else if (categories.text) {
        fprintf(file, "one of %d:", count_of(categories));
        put_list(file, categories);
    } else {
        fputs("a number", file);
        if (fill.text)
            fprintf(file, ", %.6g where it is empty", number_of(fill));
    }
}

static void print_name(FILE *file, Json column, bool named)
{
    char text[256] = "";
    int width = 0;
    if (named && !json_string(json_find(column, "name"), text, sizeof text))
        put_text(file, json_find(column, "name"));
    else if (!named)
        snprintf(text, sizeof text, "%.0f", number_of(json_find(column, "field")));
    for (const char *c = text; *c; c++)
        width += (*c & 0xc0) != 0x80; /* characters, not bytes */
    fprintf(file, "    %s%*s", text, width < NAMES ? NAMES - width : 1, "");
}

static void print_column(FILE *file, Json column, bool named)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return;
    put_values(memory, column, json_find(column, "role"));
    fputc('\n', memory);
    if (fclose(memory) == 0) {
        print_name(file, column, named);
        print_wrapped(file, text, NAMES + 4);
    }
    free(text);
}

/* ---- how it is written ---- */

static void print_form(FILE *file, Json table)
{
    Json na = json_find(table, "na"), delimiter = json_find(table, "delimiter");
    double skipped = number_of(json_find(table, "skip_rows"));
    fprintf(file, "  the point of numbers is %s\n", is(json_find(table, "decimal"), "\",\"") ? "a comma" : ".");
    if (delimiter.text && delimiter.size > 2) {
        fputs("  between the fields stands ", file);
        put_text(file, delimiter);
        fputc('\n', file);
    }
    if (count_of(na) > 0) {
        fputs("  an empty cell is also", file);
        put_list(file, na);
        fputc('\n', file);
    }
    if (skipped > 0)
        fprintf(file, "  lines before the first row: %.0f\n", skipped);
}

void schema_print(FILE *file, Json table)
{
    Json column;
    bool named = is(json_find(table, "named"), "true");
    fputs("a table for it\n", file);
    print_form(file, table);
    fputs(named ? "  columns, found by their names in the header\n" : "  columns, found by their places from 0 on\n", file);
    for (const char *at = NULL; json_next(json_find(table, "columns"), &at, NULL, &column);)
        print_column(file, column, named);
}

static void put_classes_of(FILE *file, const char *what, Json list, const char *member)
{
    Json item, name;
    bool first = true;
    for (const char *at = NULL; json_next(list, &at, NULL, &item);) {
        Json given = member ? json_find(item, member) : item;
        name = json_find(given.text ? given : json_find(item, "loss"), "class");
        if (!name.text)
            continue;
        if (first)
            fprintf(file, "  %-10s", what);
        fputc(' ', file);
        put_text(file, name);
        first = false;
    }
    if (!first)
        fputc('\n', file);
}

void training_print(FILE *file, Json training)
{
    Json classes = json_find(training, "classes"), optimizer = json_find(json_find(training, "optimizer"), "class");
    if (count_of(classes) > 0) {
        fprintf(file, "%d classes:", count_of(classes));
        put_list(file, classes);
        fputc('\n', file);
    }
    if (!optimizer.text)
        return;
    fputs("compiled with\n  optimizer  ", file);
    put_text(file, optimizer);
    fputc('\n', file);
    put_classes_of(file, "losses", json_find(training, "losses"), NULL);
    put_classes_of(file, "metrics", json_find(training, "metrics"), "metric");
}
