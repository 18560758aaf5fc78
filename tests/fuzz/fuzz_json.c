/* Any bytes as JSON. What is read has the structure that the header promises. */
#include "tests/fuzz/fuzz.h"
#include "io/json.h"

static void walk(const gt_JsonValue *value, int depth)
{
    if (depth > GT_JSON_DEPTH + 1)
        abort();
    if (value->kind == GT_JSON_STRING)
        for (size_t left = strlen(value->string), n; left > 0; left -= n)
            if ((n = gt_utf8_length(value->string + strlen(value->string) - left, left)) == 0)
                abort();
    if (value->kind < GT_JSON_ARRAY)
        return;
    uint32_t count = 0;
    for (const gt_JsonValue *item = value->first; item; item = item->next, count++) {
        if ((value->kind == GT_JSON_OBJECT) != (item->name != NULL))
            abort();
        if (count < 100 && item->name && gt_json_member(value, item->name) != item)
            abort();
        walk(item, depth + 1);
    }
    if (count != value->count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gt_Json json;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    bool ok = gt_json_read(gt_context(), "fuzz", text, size, &json);
    if (ok)
        walk(json.values, 1);
    fuzz_expect(ok);
    if (ok)
        gt_json_release(gt_context(), &json);
    free(text);
    return 0;
}
