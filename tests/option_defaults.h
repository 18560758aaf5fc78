/* Defaults of option lists beside those that Keras's get_config says, for the tests of optimizers, losses and metrics. */
#ifndef GT_TESTS_OPTION_DEFAULTS_H
#define GT_TESTS_OPTION_DEFAULTS_H

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "../gradtape.h"

typedef struct OptionDefault {
    const char *keras, *option;
    double value; /* NAN: None */
} OptionDefault;

/* A number among the defaults; false: there is none of that name. */
static bool default_of(const gt_OptionType *type, const char *name, double *value)
{
    for (const gt_Field *field = type->fields; field->name; field++) {
        const void *at = (const char *)type->defaults + field->offset;
        if (strcmp(field->name, name) != 0)
            continue;
        if (strcmp(field->type, "double") == 0)
            *value = *(const double *)at;
        else if (strcmp(field->type, "bool") == 0)
            *value = *(const bool *)at;
        else if (strcmp(field->type, "int64_t") == 0)
            *value = (double)*(const int64_t *)at;
        else if (strcmp(field->type, "gt_Numbers") == 0)
            *value = ((const gt_Numbers *)at)->count;
        else if (strcmp(field->type, "gt_Axes") == 0)
            *value = ((const gt_Axes *)at)->count;
        else if (field->size == sizeof(int32_t)) /* or an enumeration */
            *value = *(const int32_t *)at;
        else
            return false;
        return true;
    }
    return false;
}

/* Keras rounds some of its own to float32. What is None there is GT_NONE here, or -1 or 0 where the list says so. */
static void check_default(const gt_OptionType *type, const OptionDefault *expected)
{
    double value = 0;
    if (!default_of(type, expected->option, &value)) {
        cr_expect(false, "%s has no option %s", expected->keras, expected->option);
        return;
    }
    bool same = isnan(expected->value) ? value == GT_NONE || value == -1 || value == 0
                                       : fabs(value - expected->value) <= 1e-7 * fabs(value);
    cr_expect(same, "%s: %s is %g, not %g", expected->keras, expected->option, value, expected->value);
}

#endif
