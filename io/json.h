/* JSON (RFC 8259), read strictly: UTF-8 is checked, a key comes once in its object, integers are
 * exact in 64 bits, nothing follows the value. Two limits beyond the standard: nesting
 * stops at GT_JSON_DEPTH, and the character U+0000 is refused, so that every string is a C string.
 * Leans on core for memory and errors. */
#ifndef GT_IO_JSON_H
#define GT_IO_JSON_H

#include "core/text.h"
#include "io/file.h"

#define GT_JSON_DEPTH 640 /* layers are nested 200 deep at most (layers/internal.h), each in up to three lists */

typedef enum gt_JsonKind {
    GT_JSON_NULL,
    GT_JSON_FALSE,
    GT_JSON_TRUE,
    GT_JSON_INTEGER, /* written without fraction and exponent */
    GT_JSON_NUMBER,  /* any other */
    GT_JSON_STRING,
    GT_JSON_KEY, /* the name of the member that follows it */
    GT_JSON_ARRAY,
    GT_JSON_OBJECT
} gt_JsonKind;

/* A value, 16 bytes. Values lie in one block in the order of the text: behind an array or object
 * come its elements with all that is in them, behind the key of a member its value. */
typedef struct gt_JsonValue {
    gt_JsonKind kind;
    uint32_t span; /* values up to the end of this one: itself and all that is in it */
    union {
        int64_t integer;
        double number;
        const char *string; /* of a key, too */
        int64_t count;      /* of the elements of an array or object */
    };
} gt_JsonValue;

typedef struct gt_Json {
    gt_JsonValue *values; /* values[0] is the whole */
    size_t capacity;
} gt_Json;

/* Reads `text`, which a 0 byte follows. Its strings stay in the text, which is changed and must
 * outlive them. Takes memory for the values once all of the text is known to be JSON. False: the
 * error, which starts with `where`, is raised. */
bool gt_json_read(gt_Context *context, const char *where, char *text, size_t size, gt_Json *json);
void gt_json_release(gt_Context *context, gt_Json *json);

/* The first element of an array or object, then the one after `element`; NULL: there is none. */
const gt_JsonValue *gt_json_first(const gt_JsonValue *list);
const gt_JsonValue *gt_json_next(const gt_JsonValue *list, const gt_JsonValue *element);
/* The key of a member of an object. */
const char *gt_json_name(const gt_JsonValue *member);
/* The member of that name; NULL if there is none, or if this is no object. */
const gt_JsonValue *gt_json_member(const gt_JsonValue *object, const char *name);

/* Writing: text put together at the end of `out`. False: no memory, raised. */
bool gt_json_put(gt_Context *context, gt_Bytes *out, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* A string with its quotes. It must be UTF-8. */
bool gt_json_put_string(gt_Context *context, gt_Bytes *out, const char *string);

#endif
