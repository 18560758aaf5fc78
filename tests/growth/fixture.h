/* An option struct that grows: with GROWN it has one more field, which lies in what was padding before. Each of
 * the four pairs of a program and a library must understand each other (tests/meson.build). */
#ifndef GT_TESTS_GROWTH_FIXTURE_H
#define GT_TESTS_GROWTH_FIXTURE_H

#include "core/keyword.h"

GT_BEGIN

#ifdef GROWN
#define GT_GROWN(F, S) F(S, bool, later, true, "appended in a later version")
#else
#define GT_GROWN(F, S)
#endif
#define fixture_OPTIONS(F, S)                                                                      \
    F(S, double, first, 0.5, "one field")                                                          \
    F(S, bool, second, false, "the last field of the first version; padding follows")              \
    GT_GROWN(F, S)
GT_OPTIONS(fixture_options, fixture_OPTIONS);

/* What the library understood: first, 10 if second, 100 if later (of a library without it: 0). */
#define fixture(...) fixture_at(GT_HERE, GT_KEYWORDS_MAYBE_1(fixture, first, __VA_ARGS__))
double fixture_at(const char *here, const fixture_options *options);

GT_END

#endif
