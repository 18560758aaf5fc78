/* Any text as a number: the value is the one that the C library reads, and the shortest text of a
 * number reads as the same number. */
#include "tests/fuzz/fuzz.h"
#include "io/number.h"

#include <errno.h>
#include <math.h>

static void decimal(const char *text, size_t size)
{
    double number = 0;
    if (!gt_parse_decimal(text, size, &number))
        return;
    char *end, again[GT_NUMBER_TEXT];
    double expected = strtod(text, &end);
    if (*end || memcmp(&number, &expected, sizeof number) != 0)
        fuzz_stop("a decimal number is not what strtod reads");
    for (int single = 0; single < 2; single++) {
        double value = single ? (double)(float)number : number, back = 0;
        gt_number_text(value, single, again);
        if (isinf(value))
            continue;
        if (strlen(again) >= GT_NUMBER_TEXT || !gt_parse_decimal(again, strlen(again), &back))
            fuzz_stop("a number's text does not read");
        if (single ? (float)back != (float)value : back != value)
            fuzz_stop("a number's text reads as another number");
    }
}

static void integer(const char *text, size_t size)
{
    int64_t number = 0;
    char *end;
    errno = 0;
    long long expected = strtoll(text, &end, 10);
    bool legal = size > 0 && strspn(text, "+-0123456789") == size && !*end && errno == 0;
    if (gt_parse_integer(text, size, &number) != legal || (legal && number != expected))
        fuzz_stop("an integer is not what strtoll reads");
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    decimal(text, strlen(text));
    integer(text, strlen(text));
    free(text);
}
