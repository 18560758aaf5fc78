/* Any bytes as the JSON file that tells gradtape train: options are taken, or what is wrong is told, once. */
#include "cli/options.c" /* of the command, which is no library */

#include "cli/json.c"
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>

static int told;

int fail(const char *format, ...)
{
    char text[4096];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    told++;
    return 1;
}

static struct {
    bool flag;
    const char *text, *model;
    int64_t count;
    double rate;
    WordList words;
} into;

static const Option options[] = {
    {"flag", 0, OPTION_FLAG, &into.flag, NULL, ""},
    {"the-text", 0, OPTION_TEXT, &into.text, "T", ""},
    {"model", 0, OPTION_JSON, &into.model, "M", ""},
    {"count", 0, OPTION_INTEGER, &into.count, "N", ""},
    {"rate", 0, OPTION_NUMBER, &into.rate, "R", ""},
    {"words", 0, OPTION_LIST, &into.words, "W", ""},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static void fuzz_one(const uint8_t *data, size_t size)
{
    const char *table = NULL;
    memset(&into, 0, sizeof into);
    memset(given, 0, sizeof given);
    told = 0;
    command_name = "train";
    bool read = options_read_file(options, fuzz_file(data, size), "table", &table);
    if (read != (told == 0) || told > 1)
        fuzz_stop("a file is refused without a word, or with two");
    if (read && (options_has(options, &into.text) != (into.text != NULL) ||
                 options_has(options, &into.model) != (into.model != NULL)))
        fuzz_stop("an option is given and has no value");
    for (int i = 0; i < into.words.count; i++)
        free((void *)(uintptr_t)into.words.words[i]);
    free((void *)(uintptr_t)into.text);
    free((void *)(uintptr_t)into.model);
    free((void *)(uintptr_t)table);
}
