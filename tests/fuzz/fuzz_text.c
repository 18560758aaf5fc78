/* Any bytes as a text, which the first two cut: into a dataset of units, and by gt_TextVectorization. */
#include "tests/fuzz/fuzz.h"
#include "gradtape.h"

static void as_dataset(const uint8_t *data, size_t size, uint8_t how)
{
    gt_Batch batch;
    const char *path = how & 1 ? fuzz_gzip_file(data, size) : fuzz_file(data, size);
    gt_Dataset *text =
        gt_dataset_from_text(path, .unit = (gt_TextUnit)(how >> 1 & 3), .lines = how & 8,
                             .window = 1 + (how >> 4 & 3), .stride = how >> 6, .limit = 1 << 20);
    if (!fuzz_either(text != NULL))
        return;
    for (int i = 0, count = gt_dataset_class_count(text); i < count; i++) {
        gt_dataset_class_name(text, i);
        if (gt_status() != GT_OK)
            fuzz_stop("a unit has no name");
    }
    if (how & 8) /* lines differ in length */
        text = gt_dataset_batch(text, 4, .pad = true);
    if (fuzz_works(gt_dataset_next(text, &batch))) {
        fuzz_touch(batch.x);
        fuzz_touch(batch.y);
    }
    gt_dataset_free(text);
}

/* Each line is a text; the vocabulary is learned from them, so that no token is unknown. */
static void as_vectors(const uint8_t *data, size_t size, uint8_t how)
{
    gt_Strings lines = gt_load_lines(fuzz_file(data, size), .limit = 1 << 20);
    if (!fuzz_either(lines.bytes != NULL))
        return;
    gt_Layer *layer =
        gt_TextVectorization(.standardize = (gt_Standardize)(how & 3),
                             .split = (gt_Split)((how >> 2 & 3) % 3), .ngrams = how >> 4 & 3,
                             .output_mode = how & 64 ? GT_OUTPUT_MODE_COUNT : GT_OUTPUT_MODE_INT);
    gt_adapt(layer, NULL, .text = lines);
    if (fuzz_either(gt_status() == GT_OK)) {
        gt_Tensor *rows = gt_call(layer, NULL, .text = lines);
        if (fuzz_either(rows != NULL))
            fuzz_touch(rows);
    }
    gt_layer_free(layer);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t how = fuzz_byte(&data, &size), vectors = fuzz_byte(&data, &size);
    fuzz_memory_is(64 << 20);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    as_dataset(data, size, how);
    as_vectors(data, size, vectors);
    gt_scope_end(scope);
}
