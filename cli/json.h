/* JSON as spans of its text: what train is told by a file, and architectures printed for people. */
#ifndef GT_CLI_JSON_H
#define GT_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A value, from its first character to its last. Text NULL: there is none. */
typedef struct Json {
    const char *text;
    size_t size;
} Json;

/* The one value of a text. None: *wrong is the first place where it is no JSON (RFC 8259), or nested too deeply. */
Json json_of(const char *text, size_t size, size_t *wrong);

/* Goes through the members of an object or the elements of an array of json_of: *at is NULL before the first. `name`, which may be
 * NULL, is a member's, a string. False: there are no more, or the value is no list. */
bool json_next(Json list, const char **at, Json *name, Json *item);
/* The member of that name; none: there is none. */
Json json_find(Json object, const char *name);
/* A string, decoded. False, and an empty text: it is none, has a zero in it, or does not fit. */
bool json_string(Json value, char *into, size_t size);
/* Any value as it stands, for what parses it. False: it does not fit. */
bool json_raw(Json value, char *into, size_t size);

/* One member or element a line; short lists in one. */
void json_print(FILE *file, Json value);

#endif
