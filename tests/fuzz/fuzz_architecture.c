/* Any text as the architecture of a model. A model that it makes is written down again, makes the same model, and is written
 * down the same. */
#include "tests/fuzz/fuzz.h"
#include "models/config.h"

static char *copy_of(const char *text)
{
    return text ? fuzz_text((const uint8_t *)text, strlen(text)) : NULL;
}

/* gt_layer_to_json in memory of its own; NULL: a failure that is legal was cleared. */
static char *describe(gt_Layer *model)
{
    const char *text = gt_layer_to_json(model);
    return fuzz_works(*text) ? copy_of(text) : NULL;
}

static void write_and_compare(gt_Layer *model)
{
    char *text = describe(model);
    gt_Layer *again = text ? gt_layer_from_json(text) : NULL;
    char *twin = text && fuzz_works(again != NULL) ? describe(again) : NULL;
    if (twin && strcmp(text, twin) != 0)
        fuzz_stop("a model that was written down is another");
    gt_layer_free(again);
    free(text);
    free(twin);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    fuzz_memory_is(64 << 20);
    gt_Layer *model = gt_layer_from_json(text);
    if (fuzz_either(model != NULL)) {
        write_and_compare(model);
        gt_layer_free(model);
    }
    free(text);
}
