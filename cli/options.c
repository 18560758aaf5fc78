#include "cli/options.h"
#include "core/keyword.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *command_name;

static bool refuse(const char *format, const char *a, const char *b)
{
    fprintf(stderr, "gradtape %s: ", command_name);
    fprintf(stderr, format, a, b);
    fprintf(stderr, "\nTry 'gradtape help %s'.\n", command_name);
    return false;
}

gt_Names names_of(const WordList *list)
{
    return (gt_Names){list->count > 0 ? list->words : NULL};
}

bool list_add(WordList *list, const char *word)
{
    if (list->count == MAX_LIST)
        return false;
    list->words[list->count++] = word;
    list->words[list->count] = GT_LIST_END;
    return true;
}

/* Cuts the words out of the argument, which stays as long as the program runs. */
static bool read_list(WordList *list, char *text, const char *name)
{
    for (char *word = text; word;) {
        char *comma = strchr(word, ',');
        if (comma)
            *comma = 0;
        if (*word && !list_add(list, word))
            return refuse("--%s has too many words%s", name, "");
        word = comma ? comma + 1 : NULL;
    }
    return true;
}

static bool read_value(const Option *option, char *text)
{
    char *end = text;
    errno = 0;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)option->into = true;
        return true;
    case OPTION_TEXT:
        *(const char **)option->into = text;
        return true;
    case OPTION_LIST:
        return read_list(option->into, text, option->name);
    case OPTION_INTEGER:
        *(int64_t *)option->into = strtoll(text, &end, 10);
        break;
    case OPTION_NUMBER:
        *(double *)option->into = strtod(text, &end);
        if (!isfinite(*(double *)option->into))
            errno = ERANGE;
        break;
    }
    if (end == text || *end || errno)
        return refuse(option->kind == OPTION_INTEGER ? "--%s expects an integer (got \"%s\")"
                                                     : "--%s expects a number (got \"%s\")",
                      option->name, text);
    return true;
}

/* The option that `text` names, as "--label", "--label=x" or "-l"; *value: what stands behind '='. */
static const Option *find(const Option *table, char *text, char **value)
{
    size_t size = strcspn(text, "=");
    *value = text[size] ? text + size + 1 : NULL;
    for (const Option *option = table; option->name; option++) {
        if (text[1] == '-' && strlen(option->name) == size - 2 &&
            memcmp(option->name, text + 2, size - 2) == 0)
            return option;
        if (text[1] != '-' && option->letter == text[1] && !text[2])
            return option;
    }
    return NULL;
}

bool options_read(const char *command, const Option *table, const char *names, int count,
                  char **arguments, const char **operands, int expected)
{
    int found = 0;
    bool only_operands = false;
    command_name = command;
    for (int i = 0; i < count; i++) {
        char *text = arguments[i], *value;
        if (only_operands || text[0] != '-' || !text[1]) {
            if (found == expected)
                return refuse("unexpected \"%s\": it expects %s", text,
                              *names ? names : "no operand");
            operands[found++] = text;
            continue;
        }
        if (strcmp(text, "--") == 0) {
            only_operands = true;
            continue;
        }
        const Option *option = find(table, text, &value);
        if (!option)
            return refuse("unknown option %s%s", text, "");
        if (option->kind == OPTION_FLAG && value)
            return refuse("--%s takes no value (got \"%s\")", option->name, value);
        if (option->kind != OPTION_FLAG && !value && i + 1 == count)
            return refuse("--%s expects %s behind it", option->name, option->value);
        if (!read_value(option, option->kind == OPTION_FLAG || value ? value : arguments[++i]))
            return false;
    }
    return found == expected || refuse("expected %s%s", names, "");
}

static void print_default(FILE *file, const Option *option)
{
    if (option->kind == OPTION_INTEGER && *(int64_t *)option->into >= 0)
        fprintf(file, " (%lld)", (long long)*(int64_t *)option->into);
    else if (option->kind == OPTION_NUMBER && *(double *)option->into >= 0)
        fprintf(file, " (%g)", *(double *)option->into);
    else if (option->kind == OPTION_TEXT && *(const char **)option->into)
        fprintf(file, " (%s)", *(const char **)option->into);
}

void options_print(FILE *file, const Option *table)
{
    for (const Option *option = table; option->name; option++) {
        char left[64], letter[8] = "    ";
        if (option->letter)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        fprintf(file, "  %-26s %s", left, option->help);
        print_default(file, option);
        fputc('\n', file);
    }
}
