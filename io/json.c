/* The JSON reader and what writing needs. The text is gone through twice by the same functions:
 * first dry, which finds every fault but keys that come twice, writes nothing and counts the
 * values; then with a block for just as many, decoding strings in place. So no text takes memory
 * for what it only seems to hold. Leans on number.c for numbers. */
#include "io/json.h"
#include "io/number.h"
#include "core/assert.h"
#include "core/inside.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reader {
    gt_Context *context;
    const char *where;
    char *text, *at, *end;
    gt_JsonValue *values; /* NULL: dry */
    size_t used;          /* values so far */
    int depth;
} Reader;

static bool read_value(Reader *reader);

static bool fail_at(const Reader *reader, const char *at, const char *what)
{
    gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: at byte %lld: %s", reader->where,
             (long long)(at - reader->text), what);
    return false;
}

static bool fail(const Reader *reader, const char *what)
{
    return fail_at(reader, reader->at, reader->at < reader->end ? what : "the text is cut short");
}

static void skip_blanks(Reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

static bool take(Reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static void add_value(Reader *reader, gt_JsonValue value)
{
    value.span = 1;
    if (reader->values)
        reader->values[reader->used] = value;
    reader->used++;
}

/* ---- strings ---- */

/* Decoded text goes to where its string is written, which is never past what was read. */
static void put(const Reader *reader, char **to, const char *from, size_t size)
{
    if (reader->values)
        memmove(*to, from, size);
    *to += size;
}

static void put_utf8(const Reader *reader, char **to, uint32_t code)
{
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char head[] = {0, 0xc0, 0xe0, 0xf0};
    char bytes[4] = {(char)(head[more] | code >> (6 * more))};
    for (int i = 1; i <= more; i++)
        bytes[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    put(reader, to, bytes, (size_t)more + 1);
}

static bool read_hex(Reader *reader, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        char c = reader->at < reader->end ? *reader->at : 0;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return fail(reader, "\\u needs four hexadecimal digits");
        *code = *code * 16 + (uint32_t)digit;
    }
    return true;
}

/* Reads on behind a backslash. An escape is never shorter than what it stands for. */
static bool read_escape(Reader *reader, char **to)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char c = reader->at < reader->end ? *reader->at : 0;
    const char *name = c ? strchr(names, c) : NULL;
    if (name) {
        put(reader, to, &means[name - names], 1);
        reader->at++;
        return true;
    }
    if (c != 'u')
        return fail(reader, "there is no such escape");
    uint32_t code, low;
    reader->at++;
    if (!read_hex(reader, &code))
        return false;
    if (code == 0)
        return fail_at(reader, reader->at - 6, "the character U+0000 is not taken");
    if (code >= 0xd800 && code <= 0xdfff) {
        if (code > 0xdbff || reader->end - reader->at < 6 || reader->at[0] != '\\' ||
            reader->at[1] != 'u')
            return fail_at(reader, reader->at - 6, "half of a surrogate pair");
        reader->at += 2;
        if (!read_hex(reader, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail_at(reader, reader->at - 6, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(reader, to, code);
    return true;
}

/* Decodes in place; the closing quote gives way to a 0. `kind`: a string or a key. */
static bool read_string(Reader *reader, gt_JsonKind kind)
{
    char *to = ++reader->at;
    const gt_JsonValue value = {.kind = kind, .string = to};
    while (reader->at < reader->end && *reader->at != '"') {
        if (*reader->at == '\\') {
            reader->at++;
            if (!read_escape(reader, &to))
                return false;
            continue;
        }
        if ((unsigned char)*reader->at < 0x20)
            return fail(reader, "a control character inside a string");
        size_t length = gt_utf8_length(reader->at, (size_t)(reader->end - reader->at));
        if (length == 0)
            return fail(reader, "this is not UTF-8");
        put(reader, &to, reader->at, length);
        reader->at += length;
    }
    if (reader->at == reader->end)
        return fail(reader, NULL);
    reader->at++;
    put(reader, &to, "", 1);
    add_value(reader, value);
    return true;
}

/* ---- numbers and words ---- */

static size_t count_digits(const Reader *reader, const char *at)
{
    size_t n = 0;
    while (at + n < reader->end && at[n] >= '0' && at[n] <= '9')
        n++;
    return n;
}

static bool read_number(Reader *reader)
{
    gt_JsonValue value = {.kind = GT_JSON_INTEGER};
    char *start = reader->at, *at = start + (*start == '-');
    size_t whole = count_digits(reader, at);
    bool ok = whole > 0 && (whole == 1 || *at != '0');
    at += whole;
    if (ok && at < reader->end && *at == '.') {
        size_t n = count_digits(reader, ++at);
        ok = n > 0;
        at += n;
        value.kind = GT_JSON_NUMBER;
    }
    if (ok && at < reader->end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < reader->end && (*at == '+' || *at == '-');
        size_t n = count_digits(reader, at);
        ok = n > 0;
        at += n;
        value.kind = GT_JSON_NUMBER;
    }
    size_t size = (size_t)(at - start);
    if (!ok)
        return fail(reader, "this is not a number");
    if (value.kind == GT_JSON_INTEGER && !gt_parse_integer(start, size, &value.integer))
        return fail(reader, "this integer does not fit into 64 bits");
    if (value.kind == GT_JSON_NUMBER &&
        (!gt_parse_decimal(start, size, &value.number) || isinf(value.number)))
        return fail(reader, "this number is too large");
    reader->at = at;
    add_value(reader, value);
    return true;
}

static bool read_word(Reader *reader)
{
    static const char *const words[] = {"null", "false", "true"}; /* in the order of the kinds */
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(reader->end - reader->at) >= length &&
            memcmp(reader->at, words[i], length) == 0) {
            reader->at += length;
            add_value(reader, (gt_JsonValue){.kind = (gt_JsonKind)i});
            return true;
        }
    }
    return fail(reader, "a value is missing");
}

/* ---- arrays and objects ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool fail_duplicate(const Reader *reader, const char *name)
{
    char text[GT_EXCERPT];
    gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: at byte %lld: the key \"%s\" comes twice",
             reader->where, (long long)(name - reader->text), gt_excerpt(text, name, strlen(name)));
    return false;
}

/* Pairs are compared in small objects; large ones are sorted. */
static bool names_differ(const Reader *reader, const gt_JsonValue *object)
{
    const gt_JsonValue *a = gt_json_first(object);
    if (object->count <= 8) {
        for (; a; a = gt_json_next(object, a))
            for (const gt_JsonValue *b = gt_json_next(object, a); b; b = gt_json_next(object, b))
                if (strcmp(gt_json_name(a), gt_json_name(b)) == 0)
                    return fail_duplicate(reader, gt_json_name(b));
        return true;
    }
    size_t bytes = (size_t)object->count * sizeof(const char *), n = 0;
    const char **sorted = gt_allocate_unpooled(reader->context, bytes);
    if (!sorted)
        return false;
    for (; a; a = gt_json_next(object, a))
        sorted[n++] = gt_json_name(a);
    qsort(sorted, n, sizeof *sorted, by_name);
    bool ok = true;
    for (size_t i = 1; i < n && ok; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            ok = fail_duplicate(reader, sorted[i]);
    gt_release_unpooled(reader->context, sorted, bytes);
    return ok;
}

/* The elements of value number `list`, up to the closing bracket. */
static bool read_elements(Reader *reader, size_t list, char close)
{
    int64_t count = 0;
    reader->at++;
    if (take(reader, close))
        return true;
    do {
        skip_blanks(reader);
        if (close == '}') {
            if (reader->at == reader->end || *reader->at != '"')
                return fail(reader, "a key in double quotes is missing");
            if (!read_string(reader, GT_JSON_KEY))
                return false;
            if (!take(reader, ':'))
                return fail(reader, "a colon is missing");
        }
        if (!read_value(reader))
            return false;
        count++;
    } while (take(reader, ','));
    if (!take(reader, close))
        return fail(reader, close == '}' ? "a comma or } is missing" : "a comma or ] is missing");
    if (!reader->values)
        return true;
    gt_JsonValue *value = &reader->values[list];
    value->count = count;
    value->span = (uint32_t)(reader->used - list);
    return close == ']' || names_differ(reader, value);
}

static bool read_list(Reader *reader, char open)
{
    if (++reader->depth > GT_JSON_DEPTH)
        return fail(reader, "it is nested too deeply");
    size_t list = reader->used;
    add_value(reader, (gt_JsonValue){.kind = open == '{' ? GT_JSON_OBJECT : GT_JSON_ARRAY});
    bool ok = read_elements(reader, list, open == '{' ? '}' : ']');
    reader->depth--;
    return ok;
}

static bool read_value(Reader *reader)
{
    skip_blanks(reader);
    char c = reader->at < reader->end ? *reader->at : 0;
    if (c == '{' || c == '[')
        return read_list(reader, c);
    if (c == '"')
        return read_string(reader, GT_JSON_STRING);
    return c == '-' || gt_is_digit(c) ? read_number(reader) : read_word(reader);
}

/* All of the text; the values go to `values`, or (NULL) are counted. */
static bool read_text(Reader *reader, gt_JsonValue *values)
{
    reader->at = reader->text;
    reader->values = values;
    reader->used = 0;
    bool ok = read_value(reader);
    skip_blanks(reader);
    return ok &&
           (reader->at == reader->end || fail(reader, "something follows the end of the value"));
}

bool gt_json_read(gt_Context *context, const char *where, char *text, size_t size, gt_Json *json)
{
    Reader reader = {.context = context, .where = where, .text = text, .end = text + size};
    *json = (gt_Json){0};
    if (!read_text(&reader, NULL))
        return false;
    json->capacity = reader.used;
    if (reader.used > UINT32_MAX)
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL, "%s: has too many values", where);
    else
        json->values = gt_allocate_unpooled(context, reader.used * sizeof *json->values);
    if (json->values && read_text(&reader, json->values)) {
        GT_ASSERT(reader.used == json->capacity); /* both goes see the same values */
        return true;
    }
    gt_json_release(context, json);
    return false;
}

void gt_json_release(gt_Context *context, gt_Json *json)
{
    gt_release_unpooled(context, json->values, json->capacity * sizeof *json->values);
    *json = (gt_Json){0};
}

const gt_JsonValue *gt_json_first(const gt_JsonValue *list)
{
    if (list->kind < GT_JSON_ARRAY || list->count == 0)
        return NULL;
    return list + 1 + (list->kind == GT_JSON_OBJECT);
}

const gt_JsonValue *gt_json_next(const gt_JsonValue *list, const gt_JsonValue *element)
{
    const gt_JsonValue *next = element + element->span;
    return next == list + list->span ? NULL : next + (list->kind == GT_JSON_OBJECT);
}

const char *gt_json_name(const gt_JsonValue *member)
{
    return member[-1].string;
}

const gt_JsonValue *gt_json_member(const gt_JsonValue *object, const char *name)
{
    if (object->kind != GT_JSON_OBJECT)
        return NULL;
    const gt_JsonValue *member = gt_json_first(object);
    while (member && strcmp(gt_json_name(member), name) != 0)
        member = gt_json_next(object, member);
    return member;
}

/* ---- writing ---- */

bool gt_json_put(gt_Context *context, gt_Bytes *out, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int n = gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof text) {
        gt_raise(context, GT_INVALID, NULL, NULL, "a piece of JSON is too long");
        return false;
    }
    if (!gt_bytes_reserve(context, out, (size_t)n))
        return false;
    memcpy(out->data + out->size, text, (size_t)n);
    out->size += (size_t)n;
    return true;
}

bool gt_json_put_string(gt_Context *context, gt_Bytes *out, const char *string)
{
    size_t size = strlen(string);
    if (size > SIZE_MAX / 16) {
        gt_raise(context, GT_INVALID, NULL, NULL, "a string is too long");
        return false;
    }
    if (!gt_bytes_reserve(context, out, 6 * size + 2)) /* the longest escape is \u001f */
        return false;
    char *to = out->data + out->size;
    *to++ = '"';
    for (const char *at = string; *at; at++) {
        if (*at == '"' || *at == '\\') {
            *to++ = '\\';
            *to++ = *at;
        } else if ((unsigned char)*at < 0x20) {
            to += sprintf(to, "\\u%04x", (unsigned)*at);
        } else {
            *to++ = *at;
        }
    }
    *to++ = '"';
    out->size = (size_t)(to - out->data);
    return true;
}
