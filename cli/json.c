/* Values are skipped, not kept: a question walks the text again. */
#include "cli/json.h"

#include <string.h>

#define DEEPEST 2000
#define WIDTH   100 /* of a list in one line */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* Each skip_* returns what follows the thing, NULL with *wrong set where it is none. */

static const char *fail_at(const char *at, const char **wrong)
{
    *wrong = at;
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static const char *skip_string(const char *at, const char *end, const char **wrong)
{
    if (at == end || *at != '"')
        return fail_at(at, wrong);
    for (at++; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < ' ')
            return fail_at(at, wrong);
        if (*at != '\\')
            continue;
        if (++at == end || !strchr("\"\\/bfnrtu", *at))
            return fail_at(at, wrong);
        for (int i = 0; *at == 'u' && i < 4; i++)
            if (end - at <= i + 1 || hex_digit(at[i + 1]) < 0)
                return fail_at(at, wrong);
    }
    return at < end ? at + 1 : fail_at(end, wrong);
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static const char *skip_number(const char *at, const char *end, const char **wrong)
{
    const char *first = at + (at < end && *at == '-'), *digits = skip_digits(first, end);
    if (digits == first || (*first == '0' && digits > first + 1))
        return fail_at(at, wrong);
    if (digits < end && *digits == '.') {
        first = digits + 1;
        digits = skip_digits(first, end);
        if (digits == first)
            return fail_at(digits, wrong);
    }
    if (digits < end && (*digits == 'e' || *digits == 'E')) {
        first = digits + 1;
        first += first < end && (*first == '+' || *first == '-');
        digits = skip_digits(first, end);
        if (digits == first)
            return fail_at(digits, wrong);
    }
    return digits;
}

static const char *skip_value(const char *at, const char *end, int depth, const char **wrong);

/* What stands between brackets; a member's name and colon as well. */
static const char *skip_list(const char *at, const char *end, int depth, const char **wrong)
{
    const bool object = *at == '{';
    const char close = object ? '}' : ']';
    if (depth == DEEPEST)
        return fail_at(at, wrong);
    at = skip_blanks(at + 1, end);
    if (at < end && *at == close)
        return at + 1;
    while (at) {
        if (object) {
            at = skip_string(at, end, wrong);
            at = at ? skip_blanks(at, end) : NULL;
            if (!at || at == end || *at != ':')
                return at ? fail_at(at, wrong) : NULL;
            at = skip_blanks(at + 1, end);
        }
        at = skip_value(at, end, depth + 1, wrong);
        at = at ? skip_blanks(at, end) : NULL;
        if (at && at < end && *at == close)
            return at + 1;
        if (at && (at == end || *at != ','))
            return fail_at(at, wrong);
        at = at ? skip_blanks(at + 1, end) : NULL;
    }
    return NULL;
}

static const char *skip_value(const char *at, const char *end, int depth, const char **wrong)
{
    static const char *const words[] = {"true", "false", "null"};
    if (at == end)
        return fail_at(at, wrong);
    if (*at == '{' || *at == '[')
        return skip_list(at, end, depth, wrong);
    if (*at == '"')
        return skip_string(at, end, wrong);
    for (int i = 0; i < 3; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(end - at) >= size && memcmp(at, words[i], size) == 0)
            return at + size;
    }
    return skip_number(at, end, wrong);
}

Json json_of(const char *text, size_t size, size_t *wrong)
{
    const char *end = text + size, *place = text, *first = skip_blanks(text, end);
    const char *last = skip_value(first, end, 0, &place);
    if (last && skip_blanks(last, end) == end)
        return (Json){first, (size_t)(last - first)};
    *wrong = (size_t)((last ? skip_blanks(last, end) : place) - text);
    return (Json){NULL, 0};
}

/* ---- parts of a value that is one ---- */

static bool is_list(Json value)
{
    return value.text && (*value.text == '{' || *value.text == '[');
}

bool json_next(Json list, const char **at, Json *name, Json *item)
{
    const char *wrong = NULL, *end = list.text + list.size;
    if (!is_list(list))
        return false;
    const char *first = skip_blanks(*at ? *at : list.text + 1, end);
    if (*first == ',')
        first = skip_blanks(first + 1, end);
    if (*first == '}' || *first == ']')
        return false;
    if (*list.text == '{') {
        const char *after = skip_string(first, end, &wrong);
        if (name)
            *name = (Json){first, (size_t)(after - first)};
        first = skip_blanks(skip_blanks(after, end) + 1, end); /* behind the colon */
    }
    *at = skip_value(first, end, 0, &wrong);
    *item = (Json){first, (size_t)(*at - first)};
    return true;
}

Json json_find(Json object, const char *name)
{
    char text[256];
    Json key, item;
    for (const char *at = NULL; json_next(object, &at, &key, &item);)
        if (*object.text == '{' && json_string(key, text, sizeof text) && strcmp(text, name) == 0)
            return item;
    return (Json){NULL, 0};
}

bool json_raw(Json value, char *into, size_t size)
{
    if (!value.text || value.size >= size)
        return false;
    memcpy(into, value.text, value.size);
    into[value.size] = 0;
    return true;
}

static unsigned code_unit(const char *digits)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++)
        code = code << 4 | (unsigned)hex_digit(digits[i]);
    return code;
}

/* The character of "\uXXXX", of two of them where it takes a pair; *at ends on the last digit. 0: it is none. */
static unsigned code_point(const char **at)
{
    unsigned code = code_unit(*at + 1);
    *at += 4;
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code > 0xdbff || (*at)[1] != '\\' || (*at)[2] != 'u')
        return 0;
    unsigned low = code_unit(*at + 3);
    *at += 6;
    return low < 0xdc00 || low > 0xdfff ? 0 : 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static size_t put_utf8(char into[4], unsigned code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; code >>= 6)
        into[i] = (char)(0x80 | (code & 0x3f));
    into[0] = (char)(leads[size - 1] | code);
    return size;
}

bool json_string(Json value, char *into, size_t size)
{
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    size_t used = 0;
    into[0] = 0;
    if (!value.text || *value.text != '"')
        return false;
    for (const char *at = value.text + 1; at < value.text + value.size - 1; at++) {
        char bytes[4] = {*at};
        size_t count = 1;
        if (*at == '\\') {
            const char *found = strchr(escapes, *++at);
            unsigned code = *at == 'u' ? code_point(&at)
                                       : (unsigned char)(found ? meanings[found - escapes] : *at);
            if (code == 0) {
                into[0] = 0;
                return false;
            }
            count = put_utf8(bytes, code);
        }
        if (used + count >= size) {
            into[0] = 0;
            return false;
        }
        memcpy(into + used, bytes, count);
        used += count;
    }
    into[used] = 0;
    return true;
}

/* ---- printing ---- */

static void put(FILE *file, Json value)
{
    fwrite(value.text, 1, value.size, file);
}

/* Characters of the value in one line; above WIDTH: too many. */
static size_t width_of(Json value)
{
    Json name = {NULL, 0}, item;
    size_t width = 2;
    if (!is_list(value))
        return value.size;
    for (const char *at = NULL; width <= WIDTH && json_next(value, &at, &name, &item);)
        width += width_of(item) + 2 + (*value.text == '{' ? name.size + 2 : 0);
    return width;
}

static void print_value(FILE *file, Json value, int indent)
{
    Json name, item;
    if (!is_list(value)) {
        put(file, value);
        return;
    }
    const bool object = *value.text == '{', line = width_of(value) <= WIDTH;
    int count = 0;
    fputc(*value.text, file);
    for (const char *at = NULL; json_next(value, &at, &name, &item); count++) {
        fputs(count == 0 ? "" : line ? ", " : ",", file);
        if (!line)
            fprintf(file, "\n%*s", indent + 2, "");
        if (object) {
            put(file, name);
            fputs(": ", file);
        }
        print_value(file, item, indent + 2);
    }
    if (!line && count > 0)
        fprintf(file, "\n%*s", indent, "");
    fputc(object ? '}' : ']', file);
}

void json_print(FILE *file, Json value)
{
    print_value(file, value, 0);
    fputc('\n', file);
}
