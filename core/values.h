/* What initializers, regularizers, constraints and schedules share: each is a struct with its class and, behind it, the
 * options of that class by value, so that values are compared, printed and saved by the fields of the option list.
 * Private to the library. */
#ifndef GT_CORE_VALUES_H
#define GT_CORE_VALUES_H

#include "core/inside.h"

/* Do the options of its class fit into a value? */
#define GT_OPTIONS_FIT(self)                                                                       \
    (!(self)->type->options || (self)->type->options->size <= sizeof(self)->options)
/* The value gets the options that were given, over the defaults of its class. One whose class is none, or has
 * options that do not fit, stays without: its check says so where it is used. */
#define GT_TAKE_OPTIONS(self, given)                                                               \
    do {                                                                                           \
        if (gt_is_class((self)->type) && (self)->type->options && GT_OPTIONS_FIT(self))            \
            gt_options_take((self)->type->options, (self)->options, given);                        \
    } while (0)
/* Raises the error that they do not fit. */
gt_Status gt_options_too_large(const char *what, size_t bytes, size_t room);
/* Is this one of the names of a class: ours, Keras's, or an alias? Each may be NULL. */
bool gt_value_is_named(const char *text, const char *name, const char *keras, const char *aliases);

#endif
