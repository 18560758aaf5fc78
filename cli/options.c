#include "cli/command.h"
#include "cli/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST_OPTIONS 64
#define LONGEST      (1 << 16) /* of a text in a file, an architecture aside */

static const char *command_name;
static bool given[MOST_OPTIONS]; /* by its place in the table */

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

/* Adds copies, which stay as long as the program runs, of the words between commas. False: there is no room for them. */
static bool add_words(WordList *list, const char *text)
{
    for (size_t size; *text; text += size + (text[size] == ',')) {
        size = strcspn(text, ",");
        char *word = size > 0 ? malloc(size + 1) : NULL;
        if (word) {
            memcpy(word, text, size);
            word[size] = 0;
        }
        if (size > 0 && (!word || !list_add(list, word))) {
            free(word);
            return false;
        }
    }
    return true;
}

/* False: the text is no value of the option. */
static bool parse_value(const Option *option, char *text)
{
    char *end = text;
    errno = 0;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)option->into = true;
        return true;
    case OPTION_TEXT:
    case OPTION_JSON:
        *(const char **)option->into = text;
        return true;
    case OPTION_LIST:
        return false;
    case OPTION_INTEGER:
        *(int64_t *)option->into = strtoll(text, &end, 10);
        break;
    case OPTION_NUMBER:
        *(double *)option->into = strtod(text, &end);
        if (!isfinite(*(double *)option->into))
            errno = ERANGE;
        break;
    }
    return end != text && !*end && !errno;
}

static bool read_value(const Option *option, char *text)
{
    if (option->kind == OPTION_LIST && !text[strspn(text, ",")])
        return refuse("--%s expects %s, not nothing", option->name, option->value);
    if (option->kind == OPTION_LIST)
        return add_words(option->into, text) || refuse("--%s has too many words%s", option->name, "");
    return parse_value(option, text) ||
           refuse(option->kind == OPTION_INTEGER ? "--%s expects an integer (got \"%s\")"
                                                 : "--%s expects a number (got \"%s\")",
                  option->name, text);
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
        given[option - table] = true;
    }
    return found == expected || refuse("expected %s%s", names, "");
}

bool options_has(const Option *table, const void *into)
{
    for (const Option *option = table; option->name; option++)
        if (option->into == into)
            return given[option - table];
    return false;
}

/* ---- a file ---- */

char *options_text(const char *path, size_t *size)
{
    char piece[4096], *text = NULL;
    FILE *file = fopen(path, "rb"), *memory = file ? open_memstream(&text, size) : NULL;
    if (!memory) {
        fail("%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        fwrite(piece, 1, n, memory);
    bool bad = ferror(file) != 0;
    fclose(file);
    if (fclose(memory) == 0 && !bad)
        return text;
    free(text);
    fail("%s: cannot be read: %s", path, strerror(bad ? EISDIR : ENOMEM));
    return NULL;
}

static bool refuse_at(const char *path, const char *text, const char *at, const char *what)
{
    int line = 1, column = 1;
    for (const char *c = text; c < at; c++) {
        line += *c == '\n';
        column = *c == '\n' ? 1 : column + 1;
    }
    fail("%s:%d:%d: %s", path, line, column, what);
    return false;
}

static bool same_name(const char *option, const char *member)
{
    while (*option && (*option == *member || (*option == '-' && *member == '_'))) {
        option++;
        member++;
    }
    return !*option && !*member;
}

/* A string's text, or a number as it stands; in memory that stays. NULL: it is neither. */
static char *text_of(Json value)
{
    char text[LONGEST];
    bool number = value.text && strchr("-0123456789", *value.text);
    if (number ? !json_raw(value, text, sizeof text) : !json_string(value, text, sizeof text))
        return NULL;
    char *copy = malloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

/* A list, or the words of one text as on a command line. What is wrong with it; NULL: nothing. */
static const char *take_list(WordList *list, Json value)
{
    Json item;
    if (*value.text != '[') {
        char *text = text_of(value);
        if (!text)
            return "must be a list, such as [\"a\", \"b\"]";
        const bool fits = add_words(list, text);
        free(text);
        return fits ? NULL : "is too long";
    }
    for (const char *at = NULL; json_next(value, &at, NULL, &item);) {
        char *word = text_of(item);
        if (!word)
            return "must be a list of texts or numbers";
        if (!list_add(list, word)) {
            free(word);
            return "is too long";
        }
    }
    return NULL;
}

/* Options are kept as a command line has them: words. What is wrong with one, to be said behind its name; NULL: nothing. */
static const char *take_member(const Option *option, Json value)
{
    if (option->kind == OPTION_FLAG) {
        *(bool *)option->into = *value.text == 't';
        return strchr("tf", *value.text) ? NULL : "must be true or false";
    }
    if (option->kind == OPTION_LIST)
        return take_list(option->into, value);
    if (option->kind == OPTION_JSON && strchr("{[", *value.text)) {
        char *copy = malloc(value.size + 1);
        if (copy && json_raw(value, copy, value.size + 1))
            *(const char **)option->into = copy;
        return copy ? NULL : "does not fit into memory";
    }
    char *text = text_of(value);
    bool number = option->kind == OPTION_INTEGER || option->kind == OPTION_NUMBER;
    bool good = text && parse_value(option, text);
    if (number)
        free(text); /* others point into it */
    return good                             ? NULL
           : option->kind == OPTION_INTEGER ? "must be an integer"
           : number                         ? "must be a number"
                                            : "must be text";
}

static bool refuse_name(const Option *table, const char *operand, const char *path,
                        const char *text, const char *at, const char *name)
{
    char what[2048];
    int used = snprintf(what, sizeof what, "unknown \"%.60s\"; expected \"%s\"", name, operand);
    for (const Option *option = table; option->name && used < (int)sizeof what; option++)
        used += snprintf(what + used, sizeof what - (size_t)used, ", \"%s\"", option->name);
    return refuse_at(path, text, at, what);
}

static bool refuse_value(const char *path, const char *text, const char *at, const char *name, const char *what)
{
    char message[512];
    snprintf(message, sizeof message, "\"%.255s\" %s", name, what);
    return refuse_at(path, text, at, message);
}

static bool read_members(const Option *table, const char *path, const char *text, Json whole,
                         const char *operand, const char **value)
{
    Json key, item;
    for (const char *at = NULL; json_next(whole, &at, &key, &item);) {
        char name[256] = "";
        const char *what = NULL;
        const Option *option = table;
        json_string(key, name, sizeof name);
        while (option->name && !same_name(option->name, name))
            option++;
        if (strcmp(name, operand) == 0)
            what = *value ? "comes twice" : (*value = text_of(item)) ? NULL : "must be text";
        else if (!option->name)
            return refuse_name(table, operand, path, text, key.text, name);
        else if (!given[option - table])
            what = take_member(option, item);
        if (what)
            return refuse_value(path, text, item.text, name, what);
        given[option - table] = given[option - table] || option->name;
    }
    return true;
}

bool options_read_file(const Option *table, const char *path, const char *operand,
                       const char **value)
{
    size_t size = 0, wrong = 0;
    char *text = options_text(path, &size);
    Json whole = text ? json_of(text, size, &wrong) : (Json){NULL, 0};
    *value = NULL;
    bool good = whole.text && *whole.text == '{';
    if (text && !good)
        refuse_at(path, text, whole.text ? whole.text : text + wrong,
                  whole.text ? "expected an object" : "this is no JSON");
    good = good && read_members(table, path, text, whole, operand, value);
    free(text);
    return good;
}

/* ---- help ---- */

const char *options_default(const Option *option, char text[64])
{
    text[0] = 0;
    if (option->kind == OPTION_INTEGER && *(int64_t *)option->into >= 0)
        snprintf(text, 64, " (%lld)", (long long)*(int64_t *)option->into);
    else if (option->kind == OPTION_NUMBER && *(double *)option->into >= 0)
        snprintf(text, 64, " (%g)", *(double *)option->into);
    else if ((option->kind == OPTION_TEXT || option->kind == OPTION_JSON) &&
             *(const char **)option->into)
        snprintf(text, 64, " (%s)", *(const char **)option->into);
    return text;
}

static int terminal_width(void)
{
    struct winsize size = {.ws_col = 0};
    int width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    return width < 40 ? 40 : width > 100 ? 100 : width;
}

void print_wrapped(FILE *file, const char *text, int indent)
{
    const int width = terminal_width();
    int column = indent;
    while (*text) {
        size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " \n");
        bool fits = column + (int)(blanks + word) <= width;
        if (column > indent && !fits) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
            blanks = 0;
            text += strspn(text, " ");
        }
        fwrite(text, 1, blanks + word, file);
        column += (int)(blanks + word);
        text += blanks + word;
        if (*text != '\n')
            continue;
        bool ends = text[1] == '\n' || !text[1], kept = strncmp(text + 1, "  ", 2) == 0;
        size_t lines = ends ? strspn(text, "\n") : 1;
        for (size_t i = 0; (ends || kept) && i < lines; i++)
            fputc('\n', file);
        text += lines;
        if (ends || kept) {
            fprintf(file, "%*s", *text && !kept ? indent : 0, "");
            column = indent;
        } else if (column < width) {
            fputc(' ', file);
            column++;
        }
        if (kept) {
            size_t line = strcspn(text, "\n");
            fwrite(text, 1, line, file);
            text += line;
        }
    }
}

void options_print(FILE *file, const Option *table)
{
    enum { HELP = 29 }; /* the column of what an option is */
    for (const Option *option = table; option->name; option++) {
        char left[64], value[64], letter[8] = "    ", text[512];
        if (option->letter)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        snprintf(text, sizeof text, "%s%s\n", option->help, options_default(option, value));
        fprintf(file, "  %-26s ", left);
        print_wrapped(file, text, HELP);
    }
}
