/* Any bytes as the weights of a model (first byte even), or as a whole run of it. A file that is refused changes nothing; one
 * that is read is saved and can be read. */
#include "tests/fuzz/fuzz.h"
#include "gradtape.h"

typedef struct Training {
    gt_Layer *model;
    gt_Dataset *rows;
    gt_Callback *early;
} Training;

static bool begin(Training *training)
{
    static const float x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 0, 1};
    training->model =
        gt_Sequential(gt_Dense(2, .kernel_initializer = gt_Ones()), gt_Dropout(0.5, .seed = 3),
                      gt_Dense(1, .kernel_initializer = gt_Ones()));
    gt_build(training->model, gt_shape(1, 2), GT_FLOAT32);
    gt_compile(training->model, .optimizer = gt_Adam(0.1), .loss = gt_MeanSquaredError());
    training->rows =
        gt_dataset_from_tensors(gt_from_data(x, gt_shape(3, 2), GT_FLOAT32),
                                gt_from_data(y, gt_shape(3, 1), GT_FLOAT32), .batch_size = 2);
    training->early = gt_EarlyStopping(.monitor = "loss", .patience = 2);
    gt_history_free(gt_fit(training->model, training->rows, .epochs = 1,
                           .verbose = GT_VERBOSITY_SILENT,
                           .callbacks = gt_callbacks(training->early)));
    return fuzz_works(gt_status() == GT_OK);
}

static gt_Status load(const Training *training, bool run, const char *path)
{
    return run ? gt_load_checkpoint(path, training->model, .dataset = training->rows,
                                    .callbacks = gt_callbacks(training->early))
               : gt_load_weights(training->model, path);
}

static gt_Status save(const Training *training, bool run, const char *path)
{
    return run ? gt_save_checkpoint(path, training->model, .dataset = training->rows,
                                    .callbacks = gt_callbacks(training->early))
               : gt_save_weights(training->model, path);
}

enum { MOST = 256 };

/* Bytes of all weights; how many. */
static size_t weights_of(const Training *training, char into[MOST])
{
    gt_Tensors weights = gt_weights(training->model);
    size_t size = 0;
    for (int32_t i = 0; i < weights.count; i++) {
        size_t bytes =
            (size_t)gt_size(weights.items[i]) * gt_dtype_size(gt_dtype(weights.items[i]));
        if (size + bytes > MOST)
            abort();
        memcpy(into + size, gt_data(weights.items[i]), bytes);
        size += bytes;
    }
    return size;
}

static void check_loading(const Training *training, bool run, const char *path)
{
    char before[MOST], after[MOST], again[sizeof fuzz_path + 8];
    size_t bytes = weights_of(training, before);
    snprintf(again, sizeof again, "%s.again", path);
    if (!fuzz_either(load(training, run, path) == GT_OK)) {
        if (weights_of(training, after) != bytes || memcmp(before, after, bytes) != 0)
            fuzz_stop("a file was refused, and weights are others");
    } else if (fuzz_works(save(training, run, again) == GT_OK)) {
        fuzz_works(load(training, run, again) == GT_OK);
        unlink(again);
    }
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    static Training training;
    bool run = fuzz_byte(&data, &size) & 1;
    fuzz_memory_is(64 << 20);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    if (training.model || begin(&training))
        check_loading(&training, run, fuzz_file(data, size));
    gt_scope_end(scope);
}
