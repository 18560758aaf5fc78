/* The library of the fixture, built without and with the later field. */
#include "fixture.h"

GT_OPTION_TYPE(fixture_options, fixture_OPTIONS);

double fixture_at(const char *here, const fixture_options *given)
{
    (void)here;
    fixture_options options;
    GT_TAKE(fixture_options, &options, given);
    double sum = options.first + (options.second ? 10 : 0);
#ifdef GROWN
    sum += options.later ? 100 : 0;
#endif
    return sum;
}
