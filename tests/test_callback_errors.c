/* A callback that fails ends the run, and the error names it: its class and the hook, for every class and every hook. */
#include "data_files.h"

#define SILENT .verbose = GT_VERBOSITY_SILENT

static const char *const hooks[GT_HOOK_COUNT] = {
    "train_begin",      "train_end",       "epoch_begin",         "epoch_end",        "train_batch_begin",
    "train_batch_end",  "test_begin",      "test_end",            "test_batch_begin", "test_batch_end",
    "predict_begin",    "predict_end",     "predict_batch_begin", "predict_batch_end"};

static gt_Hook failing; /* hook */
enum { WITHOUT_WORDS, WITH_WORDS, IN_AN_OPERATION, WAYS };
static int way;

static gt_Status fail_at_hook(const gt_CallbackArgs *in)
{
    if (in->hook != failing)
        return GT_OK;
    if (way == WITH_WORDS)
        return gt_fail(GT_INVALID, "it rains");
    if (way == IN_AN_OPERATION)
        gt_matmul(gt_ones(gt_shape(2, 3)), gt_ones(gt_shape(2, 3)));
    return way == WITHOUT_WORDS ? GT_IO : gt_status();
}

static gt_Layer *model;
static gt_Dataset *data;

static void make_model(void)
{
    model = gt_Sequential(gt_Dense(1));
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_MeanSquaredError());
    data = gt_dataset_from_tensors(gt_ones(gt_shape(4, 1)), gt_zeros(gt_shape(4, 1)), .batch_size = 2);
    gt_fit(model, data, SILENT);
    ok();
}

/* Runs all three, with a callback each that fails at that hook. */
static void run(const gt_CallbackClass *type, const void *options)
{
    if (failing < GT_HOOK_PREDICT_BEGIN)
        gt_fit(model, data, .validation = data, SILENT, .callbacks = gt_callbacks(gt_callback_new(type, options)));
    else
        gt_predict(model, data, .callbacks = gt_callbacks(gt_callback_new(type, options)));
}

/* The classes of the library with another `on`, and one of one's own. */
Test(callback_errors, every_class_and_hook)
{
    static const char *const says[WAYS] = {"the callback failed", "it rains", "inner dimensions differ: (2, 3) x (2, 3)"};
    static gt_CallbackClass types[32]; /* the model holds callbacks until its next gt_fit */
    int count, tried = 0;
    const gt_CallbackClass *const *classes = gt_callback_classes(&count);
    make_model();
    cr_assert_lt(count, 32);
    for (int i = 0; i <= count; i++) {
        gt_CallbackClass *type = &types[i];
        *type = (gt_CallbackClass){.size = sizeof *type, .name = "rain_gauge"};
        if (i < count)
            *type = *classes[i];
        type->on = fail_at_hook;
        type->check = NULL;
        type->build = NULL;
        type->close = NULL;
        for (int hook = 0; hook < GT_HOOK_COUNT; hook++)
            for (way = 0; way < WAYS && (!type->hooks || type->hooks & GT_HOOK_BIT(hook)); way++, tried++) {
                char text[128];
                failing = (gt_Hook)hook;
                snprintf(text, sizeof text, "%s at %s: ", type->name, hooks[hook]);
                run(type, NULL);
                cr_assert(gt_status() == (way == WITHOUT_WORDS ? GT_IO : GT_INVALID),
                          "%s: %s", text, gt_error_message());
                cr_assert(strstr(gt_error_message(), text) && strstr(gt_error_message(), says[way]), "\"%s\" is not in: %s",
                          text, gt_error_message());
                gt_error_clear();
            }
    }
    cr_assert(tried >= 3 * (count + 13), "%d", tried);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status no_build(const gt_CallbackArgs *in)
{
    (void)in;
    return GT_IO;
}

/* What the library's own trip over: folders that are not there, options that do not fit the model. */
Test(callback_errors, of_the_library, .init = open_folder, .fini = close_folder)
{
    make_model();
    char file[512], below[600];
    snprintf(file, sizeof file, "%s", put_text("file", "x"));
    snprintf(below, sizeof below, "%s/below", file);
#define FAILS(status, text, callback)                                                              \
    refused(gt_fit(model, data, .validation = data, SILENT, .callbacks = gt_callbacks(callback)), status, text)
    FAILS(GT_IO, "csv_logger at train_begin: ", gt_CSVLogger(below));
    FAILS(GT_IO, "model_checkpoint at epoch_end: ", gt_ModelCheckpoint(below));
    FAILS(GT_IO, "backup_and_restore at train_begin: ", gt_BackupAndRestore(below));
    FAILS(GT_IO, "tensorboard at train_begin: ", gt_TensorBoard(below));
    FAILS(GT_STATE, "swap_ema_weights at test_begin: ", gt_SwapEMAWeights());
    static gt_CallbackClass type = {.size = sizeof type, .name = "rain_gauge", .build = no_build, .on = fail_at_hook};
    FAILS(GT_IO, "rain_gauge: build of the callback failed", gt_callback_new(&type, NULL));
    gt_context_free(NULL);
    assert_no_leaks();
}
