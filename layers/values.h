/* What initializers, regularizers and constraints share: each is a struct with its class and, behind it, the
 * options of that class by value, so that values are compared, printed and saved by the fields of the option list.
 * Not installed. Leans on core. */
#ifndef GT_LAYERS_VALUES_H
#define GT_LAYERS_VALUES_H

#include "core/assert.h"
#include "core/inside.h"

#include <string.h>

/* The options of a value, which are of type S. */
#define GT_OPTIONS_OF(S, self) (*(const S *)memcpy(&(S){.end = 0}, (self)->options, sizeof(S)))
/* `self` gets the options that were given, over the defaults of its class. */
#define GT_TAKE_OPTIONS(self, given)                                                               \
    do {                                                                                           \
        const gt_OptionType *taken_ = (self)->type->options;                                       \
        GT_ASSERT(!taken_ || taken_->size <= sizeof(self)->options);                               \
        if (taken_)                                                                                \
            gt_options_take(taken_, (self)->options, given);                                       \
    } while (0)
/* Is this one of the names of a class: ours, Keras's, or an alias? Each may be NULL. */
bool gt_value_is_named(const char *text, const char *name, const char *keras, const char *aliases);

#endif
