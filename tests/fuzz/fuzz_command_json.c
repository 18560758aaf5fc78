/* Any bytes as the JSON that the command is told by. What it reads the library reads, too; printed, it is the same value; and
 * strings are decoded as the library does. */
#include "cli/json.c" /* of the command, which is no library */

#include "tests/fuzz/fuzz.h"
#include "io/json.h"

static void compare_string(Json value, const gt_JsonValue *same)
{
    char text[512];
    if (same->kind != GT_JSON_STRING ||
        (json_string(value, text, sizeof text) && strcmp(text, same->string) != 0))
        fuzz_stop("a string is decoded differently");
}

/* Both walk the same value. */
static void compare(Json value, const gt_JsonValue *same)
{
    static const char kinds[] = "nft00\"?[{"; /* in the order of gt_JsonKind */
    Json name, item;
    char first =
        *value.text == '-' || (*value.text >= '0' && *value.text <= '9') ? '0' : *value.text;
    if (first != kinds[same->kind])
        fuzz_stop("a value is of another kind");
    if (first == '"')
        compare_string(value, same);
    if (!is_list(value))
        return;
    const gt_JsonValue *at = gt_json_first(same);
    for (const char *place = NULL; json_next(value, &place, &name, &item);
         at = gt_json_next(same, at)) {
        if (!at)
            fuzz_stop("a list is longer");
        if (first == '{')
            json_string(name, (char[256]){0}, 256);
        compare(item, at);
    }
    if (at)
        fuzz_stop("a list is shorter");
}

static char *printed(Json value, size_t *size)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    json_print(file, value);
    fclose(file);
    return text;
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    size_t wrong = 0, length, again_length;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    Json value = json_of((const char *)data, size, &wrong);
    if (!value.text && wrong > size)
        fuzz_stop("what is wrong is outside of the text");
    gt_Json json;
    bool read = fuzz_either(gt_json_read(gt_context(), "fuzz", text, size, &json));
    if (read && !value.text)
        fuzz_stop("the library reads what the command does not");
    if (value.text) {
        if (read)
            compare(value, json.values);
        json_string(json_find(value, "model"), (char[64]){0}, 64);
        char *once = printed(value, &length),
             *twice = printed(json_of(once, length, &wrong), &again_length);
        if (length != again_length || memcmp(once, twice, length) != 0)
            fuzz_stop("what was printed is printed differently");
        free(once);
        free(twice);
    }
    if (read)
        gt_json_release(gt_context(), &json);
    free(text);
}
