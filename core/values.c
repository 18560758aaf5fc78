/* Names of the classes of values, and the size of their options. */
#include "core/values.h"

#include <string.h>

/* Is it one of those words, which have one space between? */
static bool is_among(const char *text, const char *words)
{
    size_t length = strlen(text);
    for (const char *at = words; at && *at;) {
        size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, text, length) == 0)
            return true;
        at += at[word] ? word + 1 : word;
    }
    return false;
}

bool gt_value_is_named(const char *text, const char *name, const char *keras, const char *aliases)
{
    return text && *text &&
           (is_among(text, name) || is_among(text, keras) || is_among(text, aliases));
}

gt_Status gt_options_too_large(const char *what, size_t bytes, size_t room)
{
    return gt_fail(GT_INVALID,
                   "%s: options must have at most %zu bytes (those of its class have %zu)", what,
                   room, bytes);
}
