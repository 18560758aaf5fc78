/* gradtape: trains models on tables, and looks into files, at a terminal. */
#include "cli/manual.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const Command *const commands[] = {&train_command, &predict_command, &evaluate_command,
                                          &info_command,  &summary_command, &plot_command,
                                          &diff_command,  &bench_command,   &export_command};
#define COMMANDS (sizeof commands / sizeof *commands)

static const Command *current;

/* ---- messages ---- */

/* The library's errors name options of C; here they are called otherwise. Longer ones come first. */
static const char *const spellings[][2] = {
    {".decimal = ',' reads them, .categories has them as categories",
     "--decimal , reads them, --categories NAME has them as categories"},
    {"with .decimal = ',' its comma is a point", "with --decimal , its comma is a point"},
    {"it holds tensors and no model: make the model, and gt_load_weights", "it holds tensors and no model"},
    {"is not compiled: gt_compile(model, .optimizer = ..., .loss = ...) comes before gt_evaluate",
     "has no loss: it was saved without what it was compiled with, and can predict alone"},
    {".missing says what becomes of it: GT_MISSING_DROP, GT_MISSING_VALUE, GT_MISSING_MEAN or GT_MISSING_MEDIAN",
     "--missing says what becomes of it: drop, mean or median"},
    {".missing = GT_MISSING_DROP", "--missing drop"},
    {"; .delimiter says what stands between numbers", ""},
    {".delimiter says what stands between columns, .label_column = GT_NONE is for a table without labels",
     "is the last one that of the labels?"},
    {".skip_rows = ", "--skip-rows "},
    {".max_categories", "--max-categories"},
    {".columns", "--columns"},
    {".without", "--without"},
    {"the text: ", ""},
};

/* What the library gives as a list of names is a word behind the option. */
#define NA_BEGINS ".na = gt_names("

static void print_error(FILE *file, const char *text)
{
    while (*text) {
        size_t i = 0, count = sizeof spellings / sizeof *spellings;
        if (strncmp(text, NA_BEGINS, strlen(NA_BEGINS)) == 0) {
            const char *word = text + strlen(NA_BEGINS), *end = strrchr(word, ')');
            fprintf(file, "--na %.*s", (int)(end ? end - word : (ptrdiff_t)strlen(word)), word);
            text = end ? end + 1 : word + strlen(word);
            continue;
        }
        while (i < count && strncmp(text, spellings[i][0], strlen(spellings[i][0])) != 0)
            i++;
        if (i < count) {
            fputs(spellings[i][1], file);
            text += strlen(spellings[i][0]);
        } else {
            fputc(*text++, file);
        }
    }
    fputc('\n', file);
}

/* Without the function of the library that it begins with. */
static const char *library_message(void)
{
    const char *text = gt_error_message();
    size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    return word > 0 && strncmp(text + word, ": ", 2) == 0 ? text + word + 2 : text;
}

void print_raised(FILE *file)
{
    print_error(file, library_message());
}

static void say(const char *format, va_list list)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, list);
    fprintf(stderr, current ? "gradtape %s: " : "gradtape: ", current ? current->name : "");
    print_error(stderr, text);
}

int fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(format, list);
    va_end(list);
    return EXIT_FAILURE;
}

int misuse(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(format, list);
    va_end(list);
    return EXIT_USAGE;
}

bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

void print_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

int finish_output(FILE *file, const char *path)
{
    bool bad = fflush(file) != 0 || ferror(file);
    return bad ? fail("%s: cannot be written: %s", path, strerror(errno)) : EXIT_SUCCESS;
}

static void warn(void *user, const char *message)
{
    (void)user;
    fprintf(stderr, "gradtape %s: warning: ", current->name);
    print_error(stderr, message);
}

/* ---- help ---- */

static void print_commands(FILE *file)
{
    fputs("Usage: gradtape COMMAND [OPTIONS] ...\n\n", file);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-9s %-12s %s\n", commands[i]->name, commands[i]->operands,
                commands[i]->summary);
    fputs("\n'gradtape help COMMAND' says more; 'gradtape --version' says which version this is.\n"
          "A first try: gradtape train my.csv --label species\n",
          file);
}

static int print_help(const Command *command)
{
    printf("Usage: gradtape %s [OPTIONS] %s\n\n%s.\n\n", command->name, command->operands,
           command->summary);
    print_wrapped(stdout, command->more, 0);
    putchar('\n');
    if (command->options->name) {
        puts("Options, with what they are when not given:");
        options_print(stdout, command->options);
    }
    return finish_output(stdout, "standard output");
}

static const Command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    fprintf(stderr, "gradtape: unknown command \"%s\"\n\n", name);
    print_commands(stderr);
    return NULL;
}

static bool wants_help(int count, char **arguments)
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0)
            return true;
    return false;
}

static int help(int count, char **arguments)
{
    if (count > 2 && strcmp(arguments[2], "--man") == 0) {
        manual_print(commands, COMMANDS);
        return finish_output(stdout, "standard output");
    }
    if (count > 2 && strcmp(arguments[2], "--bash") == 0) {
        completions_print(commands, COMMANDS);
        return finish_output(stdout, "standard output");
    }
    if (count > 2) {
        current = find(arguments[2]);
        return current ? print_help(current) : EXIT_USAGE;
    }
    print_commands(stdout);
    return finish_output(stdout, "standard output");
}

/* ---- running ---- */

static int run(int count, char **arguments)
{
    const char *operands[4] = {NULL};
    if (!options_read(current->name, current->options, current->operands, count, arguments,
                      operands, current->operand_count))
        return EXIT_USAGE;
    for (int i = 0; i < current->operand_count; i++)
        output_spares(operands[i]);
    gt_set_warning(warn, NULL);
    int status = current->run(operands);
    if (gt_status() != GT_OK && status != EXIT_USAGE) {
        fprintf(stderr, "gradtape %s: ", current->name);
        print_raised(stderr);
        return EXIT_FAILURE;
    }
    return status;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    const char *name = arguments[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(count, arguments);
    if (strcmp(name, "--version") == 0) {
        printf("gradtape %s\n", gt_version());
        return finish_output(stdout, "standard output");
    }
    current = find(name);
    if (!current)
        return EXIT_USAGE;
    if (wants_help(count - 2, arguments + 2))
        return print_help(current);
    int status = run(count - 2, arguments + 2);
    gt_context_free(gt_context());
    return status;
}
