/* JSON (RFC 8259), read strictly: UTF-8 is checked, a key comes once in its object, whole numbers
 * are exact 64-bit integers, nothing follows the value. Two limits beyond the standard: nesting
 * stops at GT_JSON_DEPTH, and the character U+0000 is refused, so that every string is a C string.
 * Leans on core for memory and errors. */
#ifndef GT_IO_JSON_H
#define GT_IO_JSON_H

#include "io/file.h"

#define GT_JSON_DEPTH 64

typedef enum gt_JsonKind {
    GT_JSON_NULL,
    GT_JSON_FALSE,
    GT_JSON_TRUE,
    GT_JSON_INTEGER, /* written without fraction and exponent */
    GT_JSON_NUMBER,  /* any other */
    GT_JSON_STRING,
    GT_JSON_ARRAY,
    GT_JSON_OBJECT
} gt_JsonKind;

/* A value; those of an array or object hang on `first`, in the order of the text. */
typedef struct gt_JsonValue {
    gt_JsonKind kind;
    uint32_t count;   /* of the elements of an array or object */
    const char *name; /* in an object: its key */
    union {
        int64_t integer;
        double number;
        const char *string;
        struct gt_JsonValue *first;
    };
    struct gt_JsonValue *next; /* in its array or object */
} gt_JsonValue;

typedef struct gt_Json {
    gt_JsonValue *values; /* values[0] is the whole */
    size_t capacity;
} gt_Json;

/* Reads `text`, which a 0 byte follows. Its strings stay in the text, which is changed and must
 * outlive them. False: the error, which starts with `where`, is raised. */
bool gt_json_read(gt_Context *context, const char *where, char *text, size_t size, gt_Json *json);
void gt_json_release(gt_Context *context, gt_Json *json);

/* The member of that name; NULL if there is none, or if this is no object. */
const gt_JsonValue *gt_json_member(const gt_JsonValue *object, const char *name);
const char *gt_json_kind_text(gt_JsonKind kind); /* "a string", "an object" */

/* Bytes of the well-formed UTF-8 sequence (Unicode 15, table 3-7) at `at`, of which `size` bytes
 * are there; 0 if it is none. */
size_t gt_utf8_length(const char *at, size_t size);

/* Writing: text put together at the end of `out`. False: no memory, raised. */
bool gt_json_put(gt_Context *context, gt_Bytes *out, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* A string with its quotes. It must be UTF-8. */
bool gt_json_put_string(gt_Context *context, gt_Bytes *out, const char *string);

#endif
