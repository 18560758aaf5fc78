/* Whole models in files: what they were compiled with, the optimizer's state, the names of classes, preprocessing; in another
 * process that has none of their code; what cannot be kept, and files that cannot be. Architectures and weights: test_models.c,
 * test_layer_files.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "leaks.h"
#include "same_bytes.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%d %s", (int)gt_status(), gt_error_message());          \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)
#define SILENT .verbose = GT_VERBOSITY_SILENT

enum { ROWS = 40, WIDTH = 4, CLASSES = 3 };

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int next;
    char *into = path[next++ % 4];
    if (!*folder) {
        strcpy(folder, "/tmp/gradtape-model-XXXXXX");
        cr_assert(mkdtemp(folder) != NULL);
    }
    snprintf(into, sizeof path[0], "%s/%s", folder, name);
    return into;
}

static void remove_folder(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
    *folder = 0;
}

/* ---- two inputs, two outputs, a table of their own ---- */

static gt_Dataset *numbers(void)
{
    float x[ROWS * WIDTH];
    int32_t y[ROWS];
    uint32_t seed = 7;
    for (int i = 0; i < ROWS; i++) {
        float sum = 0;
        for (int k = 0; k < WIDTH; k++) {
            seed = seed * 1664525u + 1013904223u;
            x[i * WIDTH + k] = 10 * (float)(seed >> 8) / (1 << 24) + (float)k;
            sum += x[i * WIDTH + k];
        }
        y[i] = sum < 24 ? 0 : sum < 28 ? 1 : 2;
    }
    return gt_dataset_from_tensors(gt_from_data(x, gt_shape(ROWS, WIDTH), GT_FLOAT32),
                                   gt_from_data(y, gt_shape(ROWS), GT_INT32), .batch_size = 16, .seed = 3);
}

/* Every kind of thing that gt_compile takes and a file keeps. */
typedef void Compile(gt_Layer *model);

static void with_adamw(gt_Layer *model)
{
    gt_Optimizer *adamw = gt_AdamW(.schedule = gt_CosineDecay(0.05, .decay_steps = 40), .clipnorm = 1, .use_ema = true);
    gt_optimizer_exclude_from_weight_decay(adamw, gt_tensors(gt_weights(model).items[4]));
    gt_compile(model, .optimizer = adamw, .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_SparseCategoricalAccuracy(.name = "right"), gt_SparseTopKCategoricalAccuracy(.k = 2)),
               .weighted_metrics = gt_metrics(gt_LossMetric(gt_SparseCategoricalCrossentropy(.from_logits = true), .name = "ce")));
}

static void with_sgd(gt_Layer *model)
{
    gt_compile(model, .optimizer = gt_SGD(0.05, .momentum = 0.9, .nesterov = true),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true), .run_eagerly = true, .steps_per_execution = 2);
}

static void with_scaled_muon(gt_Layer *model)
{
    gt_compile(model,
               .optimizer = gt_LossScaleOptimizer(gt_Muon(0.01), .initial_scale = 64, .dynamic_growth_steps = 3),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
}

static gt_Layer *classifier(gt_Dataset *data)
{
    gt_Layer *normalize = gt_Normalization();
    gt_adapt(normalize, data);
    gt_Layer *model = gt_Sequential(normalize, gt_Dense(6, .activation = gt_tanh), gt_Dense(CLASSES));
    gt_build(model, gt_shape(1, WIDTH), GT_FLOAT32);
    return model;
}

/* A model that was saved in the middle of its training, loaded, and trained on equals one that was not, to the last bit: in
 * predictions, in what fit says, and in the file that it is saved in again. */
static void goes_on(Compile *compile)
{
    double numbers_of[2][8];
    for (int reloaded = 0; reloaded < 2; reloaded++) {
        gt_context_free(NULL);
        gt_set_seed(3);
        gt_Dataset *data = numbers();
        gt_Layer *model = classifier(data);
        compile(model);
        gt_fit(model, data, .epochs = 2, SILENT);
        gt_set_class_names(model, gt_names("few", "some", "many"));
        ok();
        if (reloaded) {
            gt_save_model(model, in_folder("model"));
            gt_Layer *loaded = gt_load_model(in_folder("model"));
            ok();
            gt_layer_free(model);
            model = loaded;
            gt_save_model(model, in_folder("again"));
            ok();
            cr_assert(same_bytes(in_folder("model"), in_folder("again")), "saved again it is another file");
        }
        gt_History *history = gt_fit(model, data, .epochs = 4, .initial_epoch = 2, SILENT);
        ok();
        cr_assert(gt_history_name_count(history) <= 8);
        for (int i = 0; i < gt_history_name_count(history); i++)
            numbers_of[reloaded][i] = gt_history_get(history, gt_history_name(history, i), -1);
        for (int i = 0; reloaded && i < gt_history_name_count(history); i++)
            cr_assert_eq(numbers_of[0][i], numbers_of[1][i], "%s: %.17g, not %.17g", gt_history_name(history, i),
                         numbers_of[1][i], numbers_of[0][i]);
        gt_save_model(model, in_folder(reloaded ? "b" : "a"));
        ok();
        cr_assert_eq(gt_class_count(model), 3);
        cr_assert_str_eq(gt_class_name(model, 1), "some");
    }
    cr_assert(same_bytes(in_folder("a"), in_folder("b")));
    gt_context_free(NULL);
}

Test(model_file, training_goes_on)
{
    goes_on(with_adamw);
    goes_on(with_sgd);
    goes_on(with_scaled_muon);
    remove_folder();
}

/* A functional model with two inputs and two outputs, each with a loss, loaded by a process that knows nothing of it. */
static gt_Dataset *pairs(void)
{
    gt_set_seed(1);
    gt_Tensor *a = gt_uniform(gt_shape(12, 3)), *b = gt_uniform(gt_shape(12, 2));
    return gt_dataset_from_tensors(a, gt_multiply(gt_sum(a, .axis = 1, .keepdims = true), 2), .more_x = gt_tensors(b),
                                   .more_y = gt_tensors(gt_sum(b, .axis = 1, .keepdims = true)), .batch_size = 4);
}

static gt_Layer *two_by_two(void)
{
    gt_Tensor *a = gt_Input(gt_shape(3)), *b = gt_Input(gt_shape(2));
    gt_Tensor *h = gt_call(gt_Dense(5, .activation = gt_relu), gt_concatenate(gt_tensors(a, b), .axis = -1));
    return gt_Model(gt_tensors(a, b), gt_tensors(gt_call(gt_Dense(1), h), gt_call(gt_Dense(1), h)));
}

static int stranger(void)
{
    gt_Layer *model = gt_load_model(in_folder("pair"));
    gt_Dataset *data = pairs();
    gt_Tensor *second, *first = gt_predict(model, data, .outputs = gt_outputs(&second));
    gt_save_tensors(in_folder("theirs"), gt_named_tensors({"first", first}, {"second", second}));
    gt_fit(model, data, .epochs = 2, SILENT);
    gt_save_model(model, in_folder("their.model"));
    return gt_status() == GT_OK ? 0 : 1;
}

Test(model_file, two_inputs_two_outputs_in_another_process)
{
    int status;
    gt_Layer *model = two_by_two();
    gt_Dataset *data = pairs();
    gt_compile(model, .optimizer = gt_Adam(0.01), .losses = gt_losses(gt_MeanSquaredError(), gt_Huber(.delta = 0.5)),
               .loss_weights = gt_numbers(1, 0.25),
               .metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae", .output = 1)));
    gt_fit(model, data, .epochs = 1, SILENT);
    gt_save_model(model, in_folder("pair"));
    ok();
    pid_t child = fork();
    if (child == 0) {
        gt_context_free(NULL);
        _exit(stranger());
    }
    cr_assert(waitpid(child, &status, 0) == child && status == 0, "%d", status);
    data = pairs();
    gt_Tensor *second, *first = gt_predict(model, data, .outputs = gt_outputs(&second));
    gt_save_tensors(in_folder("ours"), gt_named_tensors({"first", first}, {"second", second}));
    gt_fit(model, data, .epochs = 2, SILENT);
    gt_save_model(model, in_folder("our.model"));
    ok();
    cr_assert(same_bytes(in_folder("ours"), in_folder("theirs")), "predictions differ");
    cr_assert(same_bytes(in_folder("our.model"), in_folder("their.model")), "it went on differently");
    gt_context_free(NULL);
    remove_folder();
}

/* ---- what is left out ---- */

static gt_Tensor *own_loss(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    (void)context;
    return gt_mean(gt_abs(gt_subtract(y_true, y_pred)));
}

Test(model_file, without_what_it_was_compiled_with)
{
    gt_Layer *model = gt_Sequential(gt_Dense(1)), *loaded;
    gt_build(model, gt_shape(1, 1), GT_FLOAT32);
    gt_warnings_clear();

    /* By the caller's wish, when it is saved and when it is loaded. */
    gt_compile(model, .optimizer = gt_Adam(), .loss = gt_MeanSquaredError());
    gt_fit(model, gt_ones(gt_shape(2, 1)), .y = gt_ones(gt_shape(2, 1)), SILENT);
    gt_save_model(model, in_folder("whole"));
    gt_save_model(model, in_folder("bare"), .include_optimizer = false);
    ok();
    cr_assert(gt_warnings().count == 0);
    loaded = gt_load_model(in_folder("bare"));
    refused(gt_evaluate(loaded, gt_ones(gt_shape(2, 1)), .y = gt_ones(gt_shape(2, 1))), GT_STATE, "not compiled");
    gt_layer_free(loaded);
    loaded = gt_load_model(in_folder("whole"), .compile = false);
    refused(gt_compiled_optimizer(loaded), GT_STATE, "no optimizer");
    gt_load_weights(loaded, in_folder("whole")); /* the weights of it */
    ok();
    gt_layer_free(loaded);

    /* A loss of one's own: a warning. */
    gt_compile(model, .optimizer = gt_Adam(), .loss = gt_loss(own_loss, NULL));
    gt_save_model(model, in_folder("own"));
    ok();
    cr_assert(gt_warnings().count == 1 && strstr(gt_warnings().items[0], "a loss of one's own cannot be written down"), "%s",
              gt_warnings().items[0]);
    loaded = gt_load_model(in_folder("own"));
    ok();
    refused(gt_compiled_optimizer(loaded), GT_STATE, "no optimizer");
    gt_layer_free(loaded);
    gt_layer_free(model);
    remove_folder();
}

/* The same weights after a training as from gt_compile; options that are not given are those of the constructors. */
Test(model_file, compiled_from_text)
{
    static const char *const texts[] = {
        NULL,
        "{\"optimizer\":{\"class\":\"adam\",\"learning_rate\":0.05,\"clipnorm\":1},\"losses\":[{\"class\":\"huber\",\"delta\":0.5}],"
        "\"loss_weights\":[2],\"metrics\":[{\"loss\":{\"class\":\"mean_absolute_error\"}}]}"};
    double weights[2], scores[2];
    for (int from_text = 0; from_text < 2; from_text++) {
        gt_Layer *model = gt_Sequential(gt_Dense(1, .kernel_initializer = gt_Ones()));
        gt_build(model, gt_shape(1, 1), GT_FLOAT32);
        if (from_text)
            gt_compile_from_json(model, texts[1]);
        else
            gt_compile(model, .optimizer = gt_Adam(0.05, .clipnorm = 1), .loss = gt_Huber(.delta = 0.5),
                       .loss_weights = gt_numbers(2), .metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError())));
        ok();
        gt_Tensor *x = gt_array(gt_shape(4, 1), 1, 2, 3, 4), *y = gt_array(gt_shape(4, 1), 1, 0, 1, 0);
        gt_fit(model, x, .y = y, .epochs = 3, .shuffle = false, SILENT);
        gt_Scores got = gt_evaluate(model, x, .y = y);
        weights[from_text] = gt_element(gt_weights(model).items[0], 0);
        scores[from_text] = gt_scores_get(&got, "mean_absolute_error");
        ok();
        gt_layer_free(model);
    }
    cr_assert(weights[0] == weights[1] && scores[0] == scores[1] && weights[0] != 1);

    static const struct {
        const char *text, *message;
    } mistakes[] = {
        {"{", "the text"},
        {"[]", "it must be an object"},
        {"{}", "there is no optimizer"},
        {"{\"optimizer\":{\"class\":\"adem\"}}", "no optimizer is known as \"adem\""},
        {"{\"optimizer\":{\"class\":\"adam\",\"rate\":1}}", "rate"},
        {"{\"optimizer\":{\"class\":\"adam\"},\"loss\":{}}", "loss"},
        {"{\"optimizer\":{\"class\":\"adam\"},\"losses\":{}}", "losses must be a list"},
        {"{\"optimizer\":{\"class\":\"adam\"},\"losses\":[{\"class\":\"hubert\"}]}", "no loss is known as \"hubert\""},
        {"{\"optimizer\":{\"class\":\"adam\"},\"metrics\":[{\"metric\":{\"class\":\"acuracy\"}}]}",
         "no metric is known as \"acuracy\""},
    };
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        refused(gt_compile_from_json(model, mistakes[i].text), GT_FORMAT, mistakes[i].message);
    refused(gt_compile_from_json(model, NULL), GT_INVALID, "the text is NULL");
    refused(gt_compile_from_json(NULL, "{}"), GT_INVALID, "");
    gt_layer_free(model);
}

/* ---- names of classes ---- */

Test(model_file, class_names)
{
    FILE *file = fopen(in_folder("iris.csv"), "w");
    fputs("a,b,species\n1,2,oak\n2,1,ash\n3,3,oak\n4,1,elm\n", file);
    fclose(file);
    gt_Dataset *trees = gt_dataset_from_csv(in_folder("iris.csv"), .label = "species", .batch_size = 2);
    gt_Layer *model = gt_Sequential(gt_Dense(3));
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    cr_assert_eq(gt_class_count(model), 0);
    gt_fit(model, trees, SILENT);
    ok();
    cr_assert_eq(gt_class_count(model), 3);
    gt_save_model(model, in_folder("trees.model"));
    gt_Layer *loaded = gt_load_model(in_folder("trees.model"));
    ok();
    const char *names[] = {"ash", "elm", "oak"};
    for (int i = 0; i < 3; i++)
        cr_assert_str_eq(gt_class_name(loaded, i), names[i]);
    refused(gt_class_name(loaded, 3), GT_INVALID, "index 3 is out of range: the model names 3 classes");

    /* Other classes under the same numbers are an error. */
    file = fopen(in_folder("other.csv"), "w");
    fputs("a,b,species\n1,2,oak\n2,1,ash\n3,3,oak\n4,1,yew\n", file);
    fclose(file);
    gt_Dataset *other = gt_dataset_from_csv(in_folder("other.csv"), .label = "species");
    refused(gt_fit(loaded, other, SILENT), GT_INVALID, "class 1 is \"oak\" of 3 in the dataset, and \"elm\" of 3 in the model");
    gt_set_class_names(loaded, (gt_Names){NULL});
    cr_assert_eq(gt_class_count(loaded), 0);
    gt_fit(loaded, other, SILENT);
    ok();
    cr_assert_str_eq(gt_class_name(loaded, 2), "yew");
    refused(gt_set_class_names(loaded, gt_names("good", "\xff" "d")), GT_INVALID, "not UTF-8");
    cr_assert_str_eq(gt_class_name(loaded, 2), "yew");
    refused(gt_class_count(NULL), GT_INVALID, "NULL");
    gt_context_free(NULL);
    remove_folder();
}

/* ---- files that cannot be ---- */

/* Replaces a piece of a file by another one of the same length. */
static void replace(const char *path, const char *from, const char *to)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "r+b");
    size_t n = fread(bytes, 1, sizeof bytes, file), length = strlen(from), at = 0;
    cr_assert_eq(length, strlen(to));
    while (at + length <= n && memcmp(bytes + at, from, length) != 0)
        at++;
    cr_assert(at + length <= n, "%s is not in the file", from);
    memcpy(bytes + at, to, length);
    rewind(file);
    fwrite(bytes, 1, n, file);
    fclose(file);
}

Test(model_file, bad_files)
{
    static const struct {
        const char *from, *to;
        gt_Status status;
        const char *message;
    } bad[] = {
        {"{\\\"gradtape\\\":1,\\\"classes", "{\\\"gradtape\\\":2,\\\"classes", GT_FORMAT, "version 2; this library knows 1"},
        {"\\\"classes\\\"", "\\\"klasses\\\"", GT_FORMAT, "nothing is known of \"klasses\"; is the file of a newer version?"},
        {"\\\"class\\\":\\\"adam\\\"", "\\\"class\\\":\\\"adem\\\"", GT_FORMAT, "no optimizer is known as \"adem\": load it with .compile = false"},
        {"\\\"class\\\":\\\"mean_squared_error\\\"", "\\\"class\\\":\\\"mean_squered_error\\\"", GT_FORMAT, "no loss is known as \"mean_squered_error\""},
        {"\\\"class\\\":\\\"dense\\\"", "\\\"class\\\":\\\"dance\\\"", GT_FORMAT, "gt_register_layer"},
        {"\\\"steps_per_execution\\\":1", "\\\"steps_per_execution\\\":0", GT_INVALID, "steps_per_execution"},
        {"/optimizer/iteration", "optimizer/itteration", GT_INVALID, ""},
        {"dense/bias/momentum", "dense/bias/monument", GT_INVALID, "is missing"},
        {"\\\"units\\\":1", "\\\"units\\\":2", GT_INVALID, "dense/kernel must be float32 (1, 2) (got float32 (1, 1))"},
        {"\\\"loss_weights\\\":[1]", "\\\"loss_weights\\\":[x]", GT_FORMAT, ""},
    };
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_compile(model, .optimizer = gt_Adam(), .loss = gt_MeanSquaredError());
    gt_fit(model, gt_ones(gt_shape(2, 1)), .y = gt_ones(gt_shape(2, 1)), SILENT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gt_save_model(model, in_folder("bad"));
        ok();
        replace(in_folder("bad"), bad[i].from, bad[i].to);
        gt_Layer *loaded = gt_load_model(in_folder("bad"));
        cr_assert(loaded == NULL && gt_status() == bad[i].status, "%s: %s", bad[i].to, gt_error_message());
        cr_assert(strstr(gt_error_message(), bad[i].message), "%s: %s", bad[i].to, gt_error_message());
        gt_error_clear();
    }
    /* State that the optimizer does not have: without momentum there is no slot for it. */
    gt_compile(model, .optimizer = gt_SGD(0.1, .momentum = 0.5), .loss = gt_MeanSquaredError());
    gt_fit(model, gt_ones(gt_shape(2, 1)), .y = gt_ones(gt_shape(2, 1)), SILENT);
    gt_save_model(model, in_folder("bad"));
    ok();
    replace(in_folder("bad"), "\\\"momentum\\\":0.5", "\\\"momentum\\\":0.0");
    refused(gt_load_model(in_folder("bad")), GT_INVALID, "/optimizer/dense/kernel/momentum is in the file only");
    refused(gt_load_model("/nowhere/at.all"), GT_IO, "/nowhere/at.all");
    refused(gt_save_model(model, "/nowhere/at.all"), GT_IO, "/nowhere/at.all");
    refused(gt_load_model(NULL), GT_INVALID, "NULL");
    refused(gt_save_model(NULL, in_folder("x")), GT_INVALID, "NULL");
    gt_layer_free(model);
    remove_folder();
    assert_no_leaks();
}

Test(model_file, notes_beside_the_model)
{
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_call(model, gt_ones(gt_shape(2, 1)));
    gt_save_model(model, in_folder("noted"), .metadata = gt_metadata({"table", "a,b\n1,2\n"}, {"author", "me"}));
    ok();
    gt_TensorFile *file = gt_open_tensors(in_folder("noted"));
    cr_assert_str_eq(gt_tensor_file_metadata(file, "table"), "a,b\n1,2\n");
    cr_assert_str_eq(gt_tensor_file_metadata(file, "author"), "me");
    cr_assert_eq(gt_tensor_file_metadata_count(file), 4);
    gt_tensor_file_free(file);
    gt_layer_free(gt_load_model(in_folder("noted")));
    ok();
    refused(gt_save_model(model, in_folder("reserved"), .metadata = gt_metadata({"gradtape.model", "{}"})), GT_INVALID,
            "the key \"gradtape.model\" is reserved");
    refused(gt_save_model(model, in_folder("twice"), .metadata = gt_metadata({"a", "1"}, {"a", "2"})), GT_INVALID, "a");
    gt_layer_free(model);
    gt_context_free(NULL);
    remove_folder();
    assert_no_leaks();
}
