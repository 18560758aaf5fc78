/* Any bytes as the file of a whole model. One that can be read is saved, and what was saved is read and saved the same. */
#include "tests/fuzz/fuzz.h"
#include "tests/same_bytes.h"
#include "train/model_file.h"

static void save_and_compare(gt_Layer *model)
{
    char once[sizeof fuzz_path + 8], twice[sizeof fuzz_path + 8];
    snprintf(once, sizeof once, "%s.once", fuzz_path);
    snprintf(twice, sizeof twice, "%s.twice", fuzz_path);
    if (fuzz_works(gt_save_model(model, once) == GT_OK)) {
        gt_Layer *again = gt_load_model(once);
        if (fuzz_works(again != NULL) && fuzz_works(gt_save_model(again, twice) == GT_OK) &&
            !same_bytes(once, twice))
            fuzz_stop("a model was saved and is another");
        gt_layer_free(again);
    }
    unlink(once);
    unlink(twice);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    bool compile = fuzz_byte(&data, &size) & 1;
    const char *path = fuzz_file(data, size);
    fuzz_memory_is(64 << 20);
    gt_Layer *model = gt_load_model(path, .compile = compile);
    if (!fuzz_either(model != NULL))
        return;
    for (int i = 0, count = gt_class_count(model); i < count; i++) {
        gt_class_name(model, i);
        if (gt_status() != GT_OK)
            fuzz_stop("a class has no name");
    }
    if (compile)
        save_and_compare(model);
    gt_layer_free(model);
}
