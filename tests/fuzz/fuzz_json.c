/* Any bytes as JSON. What is read has the structure that the header promises, and reads the same
 * when it is written again. */
#include "tests/fuzz/fuzz.h"
#include "io/json.h"
#include "io/number.h"

static void check_string(const char *string)
{
    size_t left = strlen(string);
    for (size_t n; left > 0; string += n, left -= n)
        if ((n = gt_utf8_length(string, left)) == 0)
            fuzz_stop("a string is not UTF-8");
}

static void walk(const gt_JsonValue *value, int depth)
{
    if (depth > GT_JSON_DEPTH + 1)
        fuzz_stop("nested too deeply");
    if (value->kind == GT_JSON_STRING)
        check_string(value->string);
    if (value->kind < GT_JSON_ARRAY)
        return;
    int64_t count = 0;
    for (const gt_JsonValue *item = gt_json_first(value); item; count++) {
        if (value->kind == GT_JSON_OBJECT) {
            check_string(gt_json_name(item));
            if (count < 100 && gt_json_member(value, gt_json_name(item)) != item)
                fuzz_stop("a member is not found by its name");
        }
        walk(item, depth + 1);
        item = gt_json_next(value, item);
    }
    if (count != value->count)
        fuzz_stop("the count is wrong");
}

static bool put_value(gt_Bytes *out, const gt_JsonValue *value)
{
    static const char *const words[] = {"null", "false", "true"};
    gt_Context *context = gt_context();
    char text[GT_NUMBER_TEXT];
    if (value->kind <= GT_JSON_TRUE)
        return gt_json_put(context, out, "%s", words[value->kind]);
    if (value->kind == GT_JSON_INTEGER)
        return gt_json_put(context, out, "%lld", (long long)value->integer);
    if (value->kind == GT_JSON_NUMBER) { /* with an exponent, or it would be an integer */
        gt_number_text(value->number, false, text);
        return gt_json_put(context, out, "%s%s", text, strpbrk(text, ".e") ? "" : "e0");
    }
    if (value->kind == GT_JSON_STRING)
        return gt_json_put_string(context, out, value->string);
    bool object = value->kind == GT_JSON_OBJECT;
    bool ok = gt_json_put(context, out, object ? "{" : "[");
    for (const gt_JsonValue *item = gt_json_first(value); ok && item;
         item = gt_json_next(value, item)) {
        ok = item == gt_json_first(value) || gt_json_put(context, out, ",");
        if (ok && object)
            ok = gt_json_put_string(context, out, gt_json_name(item)) &&
                 gt_json_put(context, out, ":");
        ok = ok && put_value(out, item);
    }
    return ok && gt_json_put(context, out, object ? "}" : "]");
}

static bool same(const gt_JsonValue *a, const gt_JsonValue *b)
{
    if (a->kind != b->kind || a->span != b->span)
        return false;
    if (a->kind == GT_JSON_INTEGER)
        return a->integer == b->integer;
    if (a->kind == GT_JSON_NUMBER)
        return a->number == b->number;
    if (a->kind == GT_JSON_STRING)
        return strcmp(a->string, b->string) == 0;
    if (a->kind < GT_JSON_ARRAY)
        return true;
    const gt_JsonValue *x = gt_json_first(a), *y = gt_json_first(b);
    for (; x && y; x = gt_json_next(a, x), y = gt_json_next(b, y))
        if ((a->kind == GT_JSON_OBJECT && strcmp(gt_json_name(x), gt_json_name(y)) != 0) ||
            !same(x, y))
            return false;
    return !x && !y;
}

static void write_and_compare(const gt_JsonValue *value)
{
    gt_Context *context = gt_context();
    gt_Bytes out = {0};
    gt_Json again;
    if (fuzz_works(put_value(&out, value) && gt_json_put(context, &out, "%c", 0)) &&
        fuzz_works(gt_json_read(context, "again", out.data, out.size - 1, &again))) {
        if (!same(value, again.values))
            fuzz_stop("what was written reads differently");
        gt_json_release(context, &again);
    }
    gt_bytes_release(context, &out);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    gt_Json json;
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    bool read = fuzz_either(gt_json_read(gt_context(), "fuzz", text, size, &json));
    fuzz_asked_at_most(1024 + 9 * size);
    if (read) {
        walk(json.values, 1);
        write_and_compare(json.values);
        gt_json_release(gt_context(), &json);
    }
    free(text);
}
