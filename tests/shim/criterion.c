/* The runner of tests/shim/criterion/criterion.h. Arguments: `--filter SUITE/NAME` or a bare
 * SUITE/NAME or SUITE, where `*` stands for anything; `--xml=FILE` writes the counts the way Criterion
 * does; `--list`. What else Criterion takes is accepted and has no effect. The last line is
 * `N passed, N failed`, with `, N skipped` when there were any. */
#include <criterion/criterion.h>

#include <stdarg.h>

typedef enum Outcome { PASSED, LEFT, SKIPPED } Outcome;

static shim_Test *first_test;
static jmp_buf leave_test;
static int failures; /* of the running test; threads add to it */

void shim_register(shim_Test *test)
{
    /* By name: constructors run in an order that depends on the linker. */
    shim_Test **place = &first_test;
    while (*place != NULL) {
        int order = strcmp((*place)->suite, test->suite);
        if (order == 0)
            order = strcmp((*place)->name, test->name);
        if (order > 0)
            break;
        place = &(*place)->next;
    }
    test->next = *place;
    *place = test;
}

void shim_leave(void)
{
    longjmp(leave_test, LEFT);
}

void shim_skip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    longjmp(leave_test, SKIPPED);
}

void shim_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    char message[4096] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
    fprintf(stderr, "%s:%d: %s%s%s\n", file, line, condition, message[0] ? ": " : "", message);
}

static bool matches(const char *pattern, const char *text)
{
    if (*pattern == '*')
        return matches(pattern + 1, text) || (*text != '\0' && matches(pattern, text + 1));
    if (*pattern == '\0' || *text == '\0')
        return *pattern == *text;
    return (*pattern == '?' || *pattern == *text) && matches(pattern + 1, text + 1);
}

static bool selected(const shim_Test *test, const char *filter)
{
    char name[512];
    if (filter == NULL)
        return true;
    snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
    return matches(filter, name) || matches(filter, test->suite);
}

static Outcome run(const shim_Test *test)
{
    /* volatile: a local that changes between setjmp and longjmp would be lost otherwise. */
    volatile int outcome = setjmp(leave_test);
    if (outcome == PASSED) {
        if (test->init != NULL)
            test->init();
        test->body();
        if (test->fini != NULL)
            test->fini();
    }
    return (Outcome)outcome;
}

int main(int count, char **arguments)
{
    const char *filter = NULL;
    const char *xml = NULL;
    bool list = false;
    for (int i = 1; i < count; i++) {
        if (strncmp(arguments[i], "--xml=", 6) == 0)
            xml = arguments[i] + 6;
        else if (strncmp(arguments[i], "--filter=", 9) == 0)
            filter = arguments[i] + 9;
        else if (strcmp(arguments[i], "--filter") == 0 && i + 1 < count)
            filter = arguments[++i];
        else if (strcmp(arguments[i], "--timeout") == 0 && i + 1 < count)
            i++;
        else if (strcmp(arguments[i], "--list") == 0)
            list = true;
        else if (arguments[i][0] != '-')
            filter = arguments[i];
    }

    int passed = 0, failed = 0, skipped = 0;
    for (const shim_Test *test = first_test; test != NULL; test = test->next) {
        if (test->disabled || !selected(test, filter))
            continue;
        if (list) {
            printf("%s/%s\n", test->suite, test->name);
            continue;
        }
        fflush(stdout);
        failures = 0;
        Outcome outcome = run(test);
        if (failures > 0) {
            failed++;
            fprintf(stderr, "FAILED %s/%s\n", test->suite, test->name);
        } else if (outcome == SKIPPED) {
            skipped++;
        } else {
            passed++;
        }
    }
    if (list)
        return 0;

    if (xml != NULL) {
        FILE *file = fopen(xml, "w");
        if (file == NULL) {
            perror(xml);
            return 2;
        }
        fprintf(file,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites name=\"shim\" tests=\"%d\" failures=\"%d\" errors=\"0\" "
                "disabled=\"%d\">\n</testsuites>\n",
                passed + failed + skipped, failed, skipped);
        if (fclose(file) != 0) {
            perror(xml);
            return 2;
        }
    }
    printf("%d passed, %d failed", passed, failed);
    if (skipped > 0)
        printf(", %d skipped", skipped);
    printf("\n");
    return failed > 0 ? 1 : 0;
}
