/* A program of either version, in C and in C++. Its argument says whether the library that it finds has the
 * later field. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static int failed;

static void check(double got, double wanted, const char *what)
{
    if (got != wanted) {
        printf("%s: %g, not %g\n", what, got, wanted);
        failed = 1;
    }
}

int main(int count, char **argument)
{
    const bool grown = count > 1 && strcmp(argument[1], "grown") == 0;
    const double later = grown ? 100 : 0;
    check(fixture(), 0.5 + later, "no keyword");
    check(fixture(2), 2 + later, "a positional one");
    check(fixture(2, .second = true), 12 + later, "and a keyword");
    check(fixture_at(NULL, NULL), 0.5 + later, "no options");
#ifdef GROWN
    check(fixture(2, .later = false), 2, "the later field, off");
    check(fixture(2, .later = true), 2 + later, "the later field, on");
#else
    /* Bytes behind the last field are not read, whatever they are. */
    for (int byte = 0; byte < 2; byte++) {
        fixture_options options = *GT_KEYWORDS_1(fixture, first, 3);
        options.end = (char)byte;
        check(fixture_at(NULL, &options), 3 + later,
              byte ? "ones behind the end" : "zeros behind the end");
    }
#endif
    return failed;
}
