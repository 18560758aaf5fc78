/* Callbacks (keras-contract 3.18) against what Keras's do with the same numbers (oracle/callbacks.py), one's own, and
 * trainings that are interrupted, killed, or find no room on the disk. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "../io/events.h"
#include "leaks.h"

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

/* ---- a model whose numbers the test chooses ---- */

enum { EPOCHS = 12, COUNT_SEQUENCES = 4 };
static const double sequences[COUNT_SEQUENCES][EPOCHS] = {
#define SEQUENCES
#include "oracle/callbacks.inc"
#undef SEQUENCES
};

/* y = w x on rows x = 1, y = 0: the loss is w^2. */
static gt_Layer *line(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(1, .use_bias = false));
    gt_build(model, gt_shape(1, 1), GT_FLOAT32);
    gt_compile(model, .optimizer = gt_SGD(0.5), .loss = gt_MeanSquaredError());
    return model;
}

static gt_Dataset *ones(int64_t rows, int64_t batch)
{
    return gt_dataset_from_tensors(gt_ones(gt_shape(rows, 1)), gt_zeros(gt_shape(rows, 1)),
                                   .batch_size = batch, .shuffle = false);
}

static void set_weight(gt_Layer *model, double value)
{
    float w = (float)value;
    gt_variable_set(gt_weights(model).items[0], &w, sizeof w);
}

static double weight(gt_Layer *model)
{
    return gt_element(gt_weights(model).items[0], 0);
}

/* The loss of each batch and the val_loss of each epoch are those of a sequence; the weight of epoch e ends as e + 1. */
typedef struct Play {
    const double *values;
    double rates[EPOCHS]; /* learning rates after the epochs */
    int epochs;
} Play;

static gt_Status play(void *context, const gt_CallbackArgs *in)
{
    Play *self = context;
    if (in->hook == GT_HOOK_TRAIN_BATCH_BEGIN)
        set_weight(in->model, sqrt(self->values[in->epoch]));
    if (in->hook != GT_HOOK_EPOCH_END)
        return gt_status();
    set_weight(in->model, (double)in->epoch + 1);
    self->epochs++;
    return gt_set_logged(in, "val_loss", self->values[in->epoch]);
}

static gt_Status note_rate(void *context, const gt_CallbackArgs *in)
{
    Play *self = context;
    self->rates[in->epoch] = gt_optimizer_learning_rate(gt_compiled_optimizer(in->model));
    return gt_status();
}

#define PLAYER(p) gt_LambdaCallback(.on_train_batch_begin = play, .on_epoch_end = play, .context = p)

/* Twelve epochs of two batches of that sequence, with the callback. */
static gt_Layer *play_to(Play *self, int sequence, gt_Callback *callback)
{
    gt_Layer *model = line();
    *self = (Play){.values = sequences[sequence]};
    gt_fit(model, ones(2, 1), .epochs = EPOCHS, SILENT,
           .callbacks = gt_callbacks(PLAYER(self), callback,
                                     gt_LambdaCallback(.on_epoch_end = note_rate, .context = self)));
    ok();
    return model;
}

/* ---- as Keras ---- */

static void early(int sequence, int patience, double delta, double baseline, int start, int mode, int restore,
                  int epochs, int stopped, double best, int best_epoch, double last)
{
    Play self;
    gt_Callback *callback = gt_EarlyStopping(
        .patience = patience, .min_delta = delta, .baseline = baseline == 0 ? GT_NONE : baseline,
        .start_from_epoch = start, .mode = (gt_MonitorMode)mode, .restore_best_weights = restore != 0);
    gt_Layer *model = play_to(&self, sequence, callback);
    cr_assert_eq(self.epochs, epochs, "sequence %d, patience %d: %d epochs, not %d", sequence, patience,
                 self.epochs, epochs);
    cr_assert_eq(gt_item(gt_callback_state(callback, "stopped_epoch")), stopped);
    cr_assert_eq(gt_item(gt_callback_state(callback, "best")), best);
    cr_assert_eq(gt_item(gt_callback_state(callback, "best_epoch")), best_epoch);
    cr_assert_eq(weight(model), last, "sequence %d, patience %d: weight %g", sequence, patience, weight(model));
    ok();
    gt_layer_free(model);
}

Test(callbacks, early_stopping)
{
#define EARLY(...) early(__VA_ARGS__);
#define EARLY_ROWS
#include "oracle/callbacks.inc"
#undef EARLY
#undef EARLY_ROWS
    assert_no_leaks();
}

static void reduce(int sequence, double factor, int patience, double delta, int cooldown, double least, int mode,
                   const double *rates)
{
    Play self;
    gt_Layer *model = play_to(
        &self, sequence,
        gt_ReduceLROnPlateau(.factor = factor, .patience = patience, .min_delta = delta,
                             .cooldown = cooldown, .min_lr = least, .mode = (gt_MonitorMode)mode));
    for (int i = 0; i < EPOCHS; i++)
        cr_assert(fabs(self.rates[i] - rates[i]) <= 1e-7 * rates[i], "sequence %d, factor %g, epoch %d: %g, not %g",
                  sequence, factor, i, self.rates[i], rates[i]);
    gt_layer_free(model);
}

Test(callbacks, reduce_lr_on_plateau)
{
#define REDUCE(a, b, c, d, e, f, g, ...) reduce(a, b, c, d, e, f, g, (const double[EPOCHS]){__VA_ARGS__});
#define REDUCE_ROWS
#include "oracle/callbacks.inc"
#undef REDUCE
#undef REDUCE_ROWS
    gt_Layer *model = line();
    refused(gt_ReduceLROnPlateau(.factor = 1), GT_INVALID, "factor must be below 1 (got 1)");
    refused(gt_ReduceLROnPlateau(.patience = -1), GT_INVALID, "patience");
    gt_layer_free(model);
}

/* ---- files ---- */

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/gradtape-callbacks-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int next;
    char *into = path[next++ % 4];
    snprintf(into, sizeof path[0], "%s/%s", folder, name);
    return into;
}

/* How many files there are; removes them. */
static int remove_folder(void)
{
    char command[256];
    int count = 0;
    snprintf(command, sizeof command, "find %s -type f | wc -l; rm -r %s", folder, folder);
    FILE *pipe = popen(command, "r");
    cr_assert(pipe && fscanf(pipe, "%d", &count) == 1);
    pclose(pipe);
    return count;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void files(int sequence, int best_only, int freq, double threshold, int mode, const char *names)
{
    Play self;
    make_folder();
    gt_Layer *model = play_to(
        &self, sequence,
        gt_ModelCheckpoint(in_folder(freq ? "m-{epoch:02d}-{batch}-{loss:.3f}.model" : "m-{epoch:02d}-{val_loss:.3f}.model"),
                           .save_best_only = best_only != 0, .save_freq = freq, .mode = (gt_MonitorMode)mode,
                           .initial_value_threshold = threshold == 0 ? GT_NONE : threshold));
    gt_layer_free(model);
    char list[1024];
    int count = 0;
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok(list, " "); name; name = strtok(NULL, " "), count++) {
        strcpy(strstr(name, ".keras"), ".model"); /* the library refuses to name its files so */
        cr_assert(exists(in_folder(name)), "sequence %d: %s is missing", sequence, name);
    }
    cr_assert_eq(remove_folder(), count, "sequence %d: not only %s", sequence, names);
}

Test(callbacks, model_checkpoint)
{
#define FILES(...) files(__VA_ARGS__);
#define FILES_ROWS
#include "oracle/callbacks.inc"
#undef FILES
#undef FILES_ROWS
    assert_no_leaks();
}

/* The text of a small file, without ".0" at the end of a number: Python writes 1.0 where C writes 1. */
static void read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "%s", path);
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
}

static void plain(char *text)
{
    for (char *at = text; (at = strstr(at, ".0")) != NULL;) {
        if (at[2] == ',' || at[2] == '\n')
            memmove(at, at + 2, strlen(at + 2) + 1);
        else
            at += 2;
    }
}

/* Logs 0.5 i + epoch / 8 for number i. */
static gt_Status log_steps(void *context, const gt_CallbackArgs *in)
{
    static const char *const names[] = {"loss", "mae", "val_loss", "val_mae"};
    for (int i = 0; i < *(int *)context; i++)
        gt_set_logged(in, names[i], 0.5 * i + (double)in->epoch / 8);
    return gt_status();
}

static void csv(int count, const char *expected)
{
    char text[2][512];
    make_folder();
    gt_Layer *model = line();
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_MeanSquaredError());
    gt_fit(model, ones(2, 2), .epochs = 2, SILENT,
           .callbacks = gt_callbacks(gt_LambdaCallback(.on_epoch_end = log_steps, .context = &count),
                                     gt_CSVLogger(in_folder("log.csv"))));
    ok();
    read_text(in_folder("log.csv"), text[0], sizeof text[0]);
    snprintf(text[1], sizeof text[1], "%s", expected);
    plain(text[1]);
    cr_assert_str_eq(text[0], text[1]);
    gt_layer_free(model);
    cr_assert_eq(remove_folder(), 1);
}

Test(callbacks, csv_logger)
{
#define CSV(...) csv(__VA_ARGS__);
#define CSV_ROWS
#include "oracle/callbacks.inc"
#undef CSV
#undef CSV_ROWS
}

/* ---- the hooks ---- */

static const char *const hook_names[] = {
    "train_begin",      "train_end",      "epoch_begin",      "epoch_end",     "train_batch_begin",
    "train_batch_end",  "test_begin",     "test_end",         "test_batch_begin", "test_batch_end",
    "predict_begin",    "predict_end",    "predict_batch_begin", "predict_batch_end"};

static const char *const in_keras[] = {
#define TOLD(line) line,
#define TOLD_ROWS
#include "oracle/callbacks.inc"
#undef TOLD
#undef TOLD_ROWS
};

typedef struct Heard {
    int count;
    char lines[64][96];
} Heard;

/* The hook, the number of epoch or batch, the names that are logged, in order. */
static gt_Status hear(void *context, const gt_CallbackArgs *in)
{
    Heard *heard = context;
    char *line = heard->lines[heard->count++];
    strcpy(line, hook_names[in->hook]);
    bool of_epoch = in->hook == GT_HOOK_EPOCH_BEGIN || in->hook == GT_HOOK_EPOCH_END;
    if (of_epoch || in->batch >= 0)
        sprintf(line + strlen(line), " %d", (int)(of_epoch ? in->epoch : in->batch));
    for (int i = 0; i < gt_logged_count(in); i++)
        sprintf(line + strlen(line), " %s", gt_logged_name(in, i));
    return gt_status();
}

Test(callbacks, hooks_come_as_in_keras)
{
    static Heard heard;
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_Dataset *train = ones(5, 3), *test = ones(2, 3), *more = ones(5, 4);
    gt_Callback *ear = gt_LambdaCallback(
        .on_epoch_begin = hear, .on_epoch_end = hear, .on_train_begin = hear, .on_train_end = hear,
        .on_train_batch_begin = hear, .on_train_batch_end = hear, .on_test_begin = hear, .on_test_end = hear,
        .on_test_batch_begin = hear, .on_test_batch_end = hear, .on_predict_begin = hear, .on_predict_end = hear,
        .on_predict_batch_begin = hear, .on_predict_batch_end = hear, .context = &heard);
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae")));
    gt_fit(model, train, .epochs = 2, .validation = test, SILENT, .callbacks = gt_callbacks(ear));
    gt_evaluate(model, more, .callbacks = gt_callbacks(ear));
    gt_predict(model, more, .callbacks = gt_callbacks(ear));
    ok();
    int count = (int)(sizeof in_keras / sizeof *in_keras);
    for (int i = 0; i < count && i < heard.count; i++)
        cr_assert_str_eq(heard.lines[i], in_keras[i]);
    cr_assert_eq(heard.count, count);
    gt_layer_free(model);
    gt_dataset_free(train);
    gt_dataset_free(test);
    gt_dataset_free(more);
    refused(gt_callback_class(ear), GT_STALE, "callback");
    assert_no_leaks();
}

/* ---- one's own ---- */

/* Counts batches in a variable, and ends the training after `most` of them. */
#define Counter_OPTIONS(F, S)                                                                      \
    F(S, int32_t, most, 1000, "batches")                                                           \
    F(S, const char *, label, "counted", "copied")
GT_OPTIONS(Counter_options, Counter_OPTIONS);
GT_OPTION_TYPE(Counter_options, Counter_OPTIONS);

static int closed;

static gt_Status counter_check(const void *options)
{
    return ((const Counter_options *)options)->most < 0 ? gt_fail(GT_INVALID, "most must be >= 0") : GT_OK;
}

static gt_Status counter_build(const gt_CallbackArgs *in)
{
    gt_Spec spec = {.dtype = GT_FLOAT32, .rank = 1, .dims = {3}};
    gt_Variable *pair = gt_callback_add_state(in->callback, "pair/of", spec);
    cr_assert(pair && gt_size(pair) == 3);
    refused(gt_callback_add_state(in->callback, "pair/of", spec), GT_INVALID, "already has a state");
    refused(gt_callback_add_state(in->callback, "", spec), GT_INVALID, "needs a name");
    refused(gt_callback_add_state(in->callback, "other", (gt_Spec){0}), GT_INVALID, "dtype");
    return gt_status();
}

static gt_Status counter_on(const gt_CallbackArgs *in)
{
    const Counter_options *options = in->options;
    cr_assert(in->size == sizeof *in && in->model && in->dataset && in->memory);
    cr_assert_str_eq(options->label, "counted");
    ++*(int *)in->memory;
    gt_assign_add(in->states[0], 1);
    if (gt_item(in->states[0]) >= options->most)
        gt_stop(in);
    return gt_status();
}

static void counter_close(void *memory)
{
    closed = *(int *)memory;
}

static const gt_CallbackState counter_states[] = {{"batches", 0}, {NULL, 0}};
static const gt_CallbackClass counter_class = {.size = sizeof counter_class,
                                               .name = "counter",
                                               .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END),
                                               .options = &Counter_options_type,
                                               .states = counter_states,
                                               .memory = sizeof(int),
                                               .check = counter_check,
                                               .build = counter_build,
                                               .on = counter_on,
                                               .close = counter_close};
#define Counter(...) gt_callback_new(&counter_class, GT_KEYWORDS(Counter, __VA_ARGS__))

static gt_Status stop_here(void *context, const gt_CallbackArgs *in)
{
    ++*(int *)context;
    return gt_stop(in);
}

static gt_Status fail_here(void *context, const gt_CallbackArgs *in)
{
    (void)in;
    return context ? gt_fail(GT_INVALID, "it rains") : GT_IO;
}

static gt_Status outputs_are_there(void *context, const gt_CallbackArgs *in)
{
    ++*(int *)context;
    cr_assert(in->outputs.count == 1 && gt_size(in->outputs.items[0]) == 2);
    return gt_status();
}

Test(callbacks, ones_own)
{
    gt_Layer *model = line();
    gt_Dataset *data = ones(8, 2);
    gt_Callback *counter = Counter(.most = 6);
    refused(Counter(.most = -1), GT_INVALID, "counter: most");
    gt_History *history = gt_fit(model, data, .epochs = 5, SILENT, .callbacks = gt_callbacks(counter));
    ok();
    cr_assert_eq(gt_history_epoch_count(history), 2, "the epoch that is stopped is closed");
    cr_assert_eq(gt_item(gt_callback_state(counter, "batches")), 6);
    cr_assert_eq(gt_callback_variables(counter).count, 2);
    cr_assert(gt_callback_class(counter) == &counter_class);
    cr_assert_eq(((const Counter_options *)gt_callback_options(counter))->most, 6);
    refused(gt_callback_state(counter, "weight"), GT_INVALID, "remembers nothing called \"weight\"");
    refused(gt_callback_add_state(counter, "late", gt_spec(gt_weights(model).items[0])), GT_STATE, "build");

    /* The same again: it is held already. Others: it is let go of. */
    gt_fit(model, data, .epochs = 1, SILENT, .callbacks = gt_callbacks(counter));
    ok();
    cr_assert_eq(closed, 0);
    gt_fit(model, data, .epochs = 1, SILENT);
    cr_assert(closed > 6, "%d", closed);
    refused(gt_callback_state(counter, "batches"), GT_STALE, "callback");

    /* gt_stop in the hooks of evaluate and predict ends these; in a validation it ends the training. */
    int told = 0;
    gt_evaluate(model, data, .callbacks = gt_callbacks(gt_LambdaCallback(.on_test_batch_end = stop_here, .context = &told)));
    cr_assert_eq(told, 1);
    told = 0;
    history = gt_fit(model, data, .validation = data, .epochs = 3, SILENT,
                     .callbacks = gt_callbacks(gt_LambdaCallback(.on_test_batch_end = stop_here, .context = &told)));
    cr_assert(told == 4 && gt_history_epoch_count(history) == 1, "%d", told);
    told = 0;
    gt_predict(model, data, .callbacks = gt_callbacks(gt_LambdaCallback(.on_predict_batch_end = outputs_are_there, .context = &told)));
    cr_assert_eq(told, 4);
    ok();

    /* What fails ends the run, and says who and where. */
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_LambdaCallback(.on_epoch_end = fail_here, .context = &told))),
            GT_INVALID, "it rains");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_LambdaCallback(.on_epoch_end = fail_here))), GT_IO,
            "lambda_callback at epoch_end: the callback failed");
    refused(gt_evaluate(model, data, .callbacks = gt_callbacks(gt_LambdaCallback(.on_test_end = fail_here))), GT_IO,
            "test_end");
    refused(gt_predict(model, data, .callbacks = gt_callbacks(gt_LambdaCallback(.on_predict_begin = fail_here))), GT_IO,
            "predict_begin");

    /* Lists that are none. */
    counter = Counter();
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(counter, counter)), GT_INVALID, "twice");
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks((gt_Callback *)model)), GT_INVALID, "layer");
    refused(gt_callback_new(NULL, NULL), GT_INVALID, "a class of callbacks needs");
    refused(gt_logged(NULL, "loss", NULL), GT_INVALID, "arguments");
    gt_callback_free(gt_EarlyStopping());
    gt_callback_free(NULL);
    int count;
    const gt_CallbackClass *const *classes = gt_callback_classes(&count);
    for (int i = 0; i < count; i++)
        cr_assert(gt_callback_class_find(classes[i]->name) == classes[i] &&
                  gt_callback_class_find(classes[i]->keras) == classes[i] && classes[i]->summary);
    cr_assert(gt_callback_class_find("nothing") == NULL);
    gt_layer_free(model);
    gt_dataset_free(data);
    ok();
}

/* The outermost is told of a begin first and of an end last, whatever the list says. */
static char told_levels[64];

static gt_Status tell_level(const gt_CallbackArgs *in)
{
    const char *name = gt_callback_class(in->callback)->name;
    sprintf(told_levels + strlen(told_levels), "%s%c", in->hook % 2 ? "-" : "+", name[strlen(name) - 1]);
    return gt_status();
}

#define LEVEL(n)                                                                                   \
    {                                                                                              \
        .size = sizeof(gt_CallbackClass), .name = "level_" #n, .on = tell_level, .outer = n,       \
        .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_TRAIN_END) |               \
                 GT_HOOK_BIT(GT_HOOK_EPOCH_END) | GT_HOOK_BIT(GT_HOOK_EPOCH_BEGIN)                 \
    }

Test(callbacks, levels)
{
    static const gt_CallbackClass levels[] = {LEVEL(0), LEVEL(1), LEVEL(2)}, wrong = LEVEL(3);
    gt_Layer *model = line();
    gt_fit(model, ones(2, 1), SILENT,
           .callbacks = gt_callbacks(gt_callback_new(&levels[1], NULL), gt_callback_new(&levels[0], NULL),
                                     gt_callback_new(&levels[2], NULL)));
    ok();
    cr_assert_str_eq(told_levels, "+2+1+0+2+1+0-0-1-2-0-1-2");
    refused(gt_callback_new(&wrong, NULL), GT_INVALID, "`outer` of 0 to 2");
    gt_layer_free(model);
}

/* ---- the other built-in ones ---- */

static double halve(void *context, int64_t epoch, double rate)
{
    ++*(int *)context;
    return epoch == 0 ? rate : epoch < 3 ? rate / 2 : NAN;
}

static gt_Status rate_is_logged(void *context, const gt_CallbackArgs *in)
{
    double rate;
    cr_assert(gt_logged(in, "learning_rate", &rate));
    cr_assert_eq(rate, 0.5 / (1 << in->epoch));
    return context ? gt_status() : GT_INVALID;
}

Test(callbacks, learning_rate_scheduler)
{
    int calls = 0;
    gt_Layer *model = line();
    gt_Dataset *data = ones(2, 1);
    gt_Callback *rates = gt_LearningRateScheduler(halve, .context = &calls),
                *look = gt_LambdaCallback(.on_epoch_end = rate_is_logged, .context = &calls);
    gt_fit(model, data, .epochs = 3, SILENT, .callbacks = gt_callbacks(rates, look));
    ok();
    cr_assert(calls == 3 && gt_optimizer_learning_rate(gt_compiled_optimizer(model)) == 0.125);
    refused(gt_fit(model, data, .initial_epoch = 3, .epochs = 4, SILENT, .callbacks = gt_callbacks(rates)), GT_INVALID,
            "the learning rate of epoch 3 must be finite");
    refused(gt_LearningRateScheduler(NULL), GT_INVALID, "schedule is NULL");
    gt_compile(model, .optimizer = gt_SGD(.schedule = gt_ExponentialDecay(0.1, .decay_steps = 1, .decay_rate = 1)),
               .loss = gt_MeanSquaredError());
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_LearningRateScheduler(halve, .context = &calls))),
            GT_STATE, "schedule");
    gt_layer_free(model);
}

static gt_Status spoil(void *context, const gt_CallbackArgs *in)
{
    if (in->epoch == 1 && in->batch == 1)
        set_weight(in->model, *(double *)context);
    return gt_status();
}

Test(callbacks, terminate_on_nan)
{
    double bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        gt_Layer *model = line();
        gt_Dataset *data = ones(4, 1);
        int64_t batches = 0;
        gt_Callback *spoiler = gt_LambdaCallback(.on_train_batch_begin = spoil, .context = &bad[i]);
        gt_History *history =
            gt_fit(model, data, .epochs = 4, SILENT, .callbacks = gt_callbacks(spoiler, gt_TerminateOnNaN()));
        ok();
        batches = gt_optimizer_iterations(gt_compiled_optimizer(model));
        cr_assert(gt_history_epoch_count(history) == 2 && batches == 6, "%d batches", (int)batches);
        refused(gt_fit(model, data, .epochs = 4, SILENT,
                       .callbacks = gt_callbacks(spoiler, gt_TerminateOnNaN(.raise_error = true))),
                GT_INVALID, "terminate_on_nan at train_batch_end: the loss is");
        gt_layer_free(model);
    }
}

/* Not logged is a warning, and nothing else; a number that nobody knows the better way of is an error. */
Test(callbacks, monitors)
{
    gt_Layer *model = line();
    gt_Dataset *data = ones(2, 1);
    gt_warnings_clear();
    gt_History *history = gt_fit(model, data, .epochs = 2, SILENT, .callbacks = gt_callbacks(gt_EarlyStopping()));
    cr_assert_eq(gt_history_epoch_count(history), 2);
    cr_assert(gt_warnings().count == 1 && strstr(gt_warnings().items[0], "early_stopping: watches val_loss, which is not logged; logged are: loss"),
              "%s", gt_warnings().count ? gt_warnings().items[0] : "no warning");
    gt_fit(model, data, .epochs = 2, SILENT, .callbacks = gt_callbacks(gt_ReduceLROnPlateau()));
    cr_assert_eq(gt_warnings().count, 2);
    ok();
    int told = 0;
    (void)told;
    refused(gt_EarlyStopping(.patience = -1), GT_INVALID, "patience");
    refused(gt_EarlyStopping(.monitor = ""), GT_INVALID, "monitor");
    refused(gt_EarlyStopping(.mode = (gt_MonitorMode)7), GT_INVALID, "unknown mode 7");
    gt_layer_free(model);
}

/* 1, 2, 3, 2, 1, ... under every name. */
static gt_Status rise_and_fall(void *context, const gt_CallbackArgs *in)
{
    double value = 3 - fabs((double)in->epoch - 2);
    return gt_set_logged(in, context, value);
}

/* How many epochs pass until that number has not become better. */
static int64_t epochs_of(const char *monitor)
{
    gt_Layer *model = line();
    gt_compile(model, .optimizer = gt_SGD(0.5), .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics(gt_BinaryAccuracy(.name = "right"), gt_RootMeanSquaredError(.name = "wrong"), gt_Mean()));
    char name[32];
    snprintf(name, sizeof name, "%s", monitor);
    gt_History *history =
        gt_fit(model, ones(2, 1), .epochs = 6, SILENT, .validation = ones(2, 1),
               .callbacks = gt_callbacks(gt_LambdaCallback(.on_epoch_end = rise_and_fall, .context = name),
                                         gt_EarlyStopping(.monitor = monitor)));
    int64_t epochs = history ? gt_history_epoch_count(history) : -1;
    gt_layer_free(model);
    return epochs;
}

/* Of a metric its class says what is better. */
Test(callbacks, directions_of_metrics)
{
    cr_assert_eq(epochs_of("val_right"), 4);
    cr_assert_eq(epochs_of("right"), 4);
    cr_assert_eq(epochs_of("val_wrong"), 2);
    ok();
    refused(epochs_of("val_mean"), GT_INVALID,
            "mode auto does not know whether val_mean should be small or large");
    assert_no_leaks();
}

static gt_Status averages_are_in(void *context, const gt_CallbackArgs *in)
{
    /* w = 1, then 0 after a step of 0.5 * 2 w; the average is 0.5 * 1 + 0.5 * 0 at the first update */
    double *seen = context;
    seen[in->hook == GT_HOOK_TEST_BATCH_BEGIN] = weight(in->model);
    return gt_status();
}

Test(callbacks, swap_ema_weights)
{
    for (int swap = 0; swap < 2; swap++) {
        gt_Layer *model = line();
        gt_Dataset *data = ones(3, 1);
        double seen[2] = {0, 0};
        gt_compile(model, .optimizer = gt_SGD(0.25, .use_ema = true, .ema_momentum = 0.5),
                   .loss = gt_MeanSquaredError());
        set_weight(model, 1);
        gt_fit(model, data, .epochs = 1, .validation = data, SILENT,
               .callbacks = gt_callbacks(gt_SwapEMAWeights(.swap_on_epoch = swap != 0),
                                         gt_LambdaCallback(.on_test_batch_begin = averages_are_in,
                                                           .on_epoch_end = averages_are_in, .context = seen)));
        ok();
        /* w: 1, 1/2, 1/4, 1/8; averages 1/2, then (1/2 + 1/4) / 2, then (3/8 + 1/8) / 2 */
        cr_assert_eq(seen[1], 0.25, "validated with %g", seen[1]);
        cr_assert_eq(seen[0], swap ? 0.25 : 0.125, "the epoch ends with %g", seen[0]);
        cr_assert_eq(weight(model), 0.25, "the training ends with %g", weight(model));
        gt_layer_free(model);
    }
    gt_Layer *model = line();
    refused(gt_fit(model, ones(2, 1), .validation = ones(2, 1), SILENT, .callbacks = gt_callbacks(gt_SwapEMAWeights())),
            GT_STATE, "use_ema");
    gt_layer_free(model);
}

/* ---- TensorBoard ---- */

static uint64_t little(const unsigned char *at, int bytes)
{
    uint64_t number = 0;
    for (int i = bytes - 1; i >= 0; i--)
        number = number << 8 | at[i];
    return number;
}

/* The records of the only event file in a folder, which is read to its end; the bytes stay in `bytes`. */
static int read_records(const char *path, unsigned char *bytes, size_t size, const unsigned char *record[], size_t length[])
{
    char command[300], name[400] = "";
    snprintf(command, sizeof command, "ls %s/events.out.tfevents.*", path);
    FILE *pipe = popen(command, "r");
    cr_assert(pipe && fscanf(pipe, "%399s", name) == 1);
    pclose(pipe);
    FILE *file = fopen(name, "rb");
    size_t n = fread(bytes, 1, size, file), at = 0;
    fclose(file);
    int count = 0;
    for (; at < n; at += length[count++] + 16) {
        length[count] = (size_t)little(bytes + at, 8);
        record[count] = bytes + at + 12;
        cr_assert(at + length[count] + 16 <= n);
        cr_assert_eq(little(bytes + at + 8, 4), gt_masked_crc32c(bytes + at, 8));
        cr_assert_eq(little(bytes + at + 12 + length[count], 4), gt_masked_crc32c(record[count], length[count]));
    }
    cr_assert_eq(at, n);
    return count;
}

static bool has(const unsigned char *record, size_t length, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i + size <= length; i++)
        if (memcmp(record + i, text, size) == 0)
            return true;
    return false;
}

Test(callbacks, tensorboard)
{
    static unsigned char bytes[1 << 17];
    const unsigned char *record[64];
    size_t length[64];
    /* RFC 3720, B.4: CRC-32C of 32 zeros is 0x8a9136aa; turned by 15 and shifted. */
    static const char zeros[32];
    uint32_t crc = UINT32_C(0x8a9136aa);
    cr_assert_eq(gt_masked_crc32c(zeros, sizeof zeros), (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8));

    make_folder();
    const char *logs = getenv("GT_EVENTS") ? getenv("GT_EVENTS") : in_folder("logs");
    gt_Layer *model = gt_Sequential(gt_Dense(3, .activation = gt_tanh), gt_Dense(1));
    gt_Dataset *data = ones(4, 1);
    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError());
    gt_fit(model, data, .epochs = 2, .validation = data, SILENT,
           .callbacks = gt_callbacks(gt_TensorBoard(logs, .histogram_freq = 1, .write_images = true, .update_freq = 2,
                                                    .write_steps_per_second = true)));
    ok();
    char path[2][300];
    snprintf(path[0], sizeof path[0], "%s/train", logs);
    snprintf(path[1], sizeof path[1], "%s/validation", logs);
    /* version, graph, two epochs of two numbers of batches and the epoch itself */
    int count = read_records(path[0], bytes, sizeof bytes, record, length);
    cr_assert_eq(count, 8, "%d records", count);
    cr_assert(has(record[0], length[0], "brain.Event:2"));
    const char *graph[] = {"sequential/dense/kernel", "matmul", "tanh", "_output_shapes", "input_0"};
    for (size_t i = 0; i < sizeof graph / sizeof *graph; i++)
        cr_assert(has(record[1], length[1], graph[i]), "the graph has no %s", graph[i]);
    cr_assert(has(record[2], length[2], "batch_loss") && has(record[3], length[3], "batch_loss"));
    const char *epoch[] = {"epoch_loss", "epoch_learning_rate", "epoch_steps_per_second", "dense/kernel/histogram",
                           "dense_1/bias/histogram", "dense/kernel/image", "\x89PNG\r\n\x1a\n", "IDAT"};
    for (size_t i = 0; i < sizeof epoch / sizeof *epoch; i++)
        cr_assert(has(record[7], length[7], epoch[i]), "the epoch has no %s", epoch[i]);
    count = read_records(path[1], bytes, sizeof bytes, record, length);
    cr_assert_eq(count, 5, "%d records", count);
    cr_assert(has(record[1], length[1], "evaluation_loss_vs_iterations") && has(record[2], length[2], "epoch_loss"));
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(gt_TensorBoard("/proc/gradtape"))), GT_IO, "/proc/gradtape");
    refused(gt_TensorBoard(""), GT_INVALID, "log_dir is empty");
    refused(gt_TensorBoard(.histogram_freq = -1), GT_INVALID, "histogram_freq");
    gt_layer_free(model);
    gt_dataset_free(data);
    remove_folder();
}

/* ---- more of the same ---- */

Test(callbacks, batches_at_a_time)
{
    static Heard heard;
    static const char *const expected[] = {
        "train_batch_begin 0", "train_batch_end 1 loss", "train_batch_begin 2", "train_batch_end 3 loss",
        "train_batch_begin 4", "train_batch_end 4 loss"};
    gt_Layer *model = line();
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_MeanSquaredError(), .steps_per_execution = 2);
    gt_fit(model, ones(5, 1), SILENT,
           .callbacks = gt_callbacks(gt_LambdaCallback(.on_train_batch_begin = hear, .on_train_batch_end = hear, .context = &heard)));
    ok();
    cr_assert_eq(heard.count, 6);
    for (int i = 0; i < heard.count; i++)
        cr_assert_str_eq(heard.lines[i], expected[i]);
    gt_layer_free(model);
}

/* Rising numbers under the names of a metric that should be large, one that should be small, and one that nobody knows. */
static gt_Status rise(void *context, const gt_CallbackArgs *in)
{
    return gt_set_logged(in, context, (double)in->epoch + 1);
}

Test(callbacks, modes)
{
    static const struct {
        const char *name;
        double best; /* of 1, 2, 3 */
    } known[] = {{"val_right", 3}, {"right", 3}, {"val_error", 1}, {"val_loss", 1}, {"output_1_loss", 1}};
    gt_Layer *model = line();
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics(gt_BinaryAccuracy(.name = "right"),
                                     gt_LossMetric(gt_MeanAbsoluteError(), .name = "error")));
    gt_Dataset *data = ones(2, 2);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        gt_Callback *early = gt_EarlyStopping(.monitor = known[i].name, .patience = 9);
        gt_fit(model, data, .epochs = 3, SILENT,
               .callbacks = gt_callbacks(gt_LambdaCallback(.on_epoch_end = rise, .context = (void *)(uintptr_t)known[i].name), early));
        ok();
        cr_assert_eq(gt_item(gt_callback_state(early, "best")), known[i].best, "%s", known[i].name);
    }
    char strange[] = "val_strange";
    gt_Callback *on = gt_LambdaCallback(.on_epoch_end = rise, .context = strange);
    refused(gt_fit(model, data, SILENT, .callbacks = gt_callbacks(on, gt_EarlyStopping(.monitor = strange))), GT_INVALID,
            "mode auto does not know whether val_strange should be small or large");
    on = gt_LambdaCallback(.on_epoch_end = rise, .context = strange);
    gt_fit(model, data, SILENT, .callbacks = gt_callbacks(on, gt_EarlyStopping(.monitor = strange, .mode = GT_MONITOR_MODE_MAX)));
    ok();
    gt_layer_free(model);
}

/* What gt_fit prints, without the times. */
static void printed(gt_Callbacks callbacks, char *text, size_t size)
{
    char path[] = "/tmp/gradtape-printed-XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    gt_Layer *model = line();
    set_weight(model, 1);
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    gt_fit(model, ones(2, 1), .epochs = 2, .validation = ones(2, 1), .verbose = GT_VERBOSITY_LINES, .callbacks = callbacks);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    close(file);
    ok();
    read_text(path, text, size);
    unlink(path);
    gt_layer_free(model);
    for (char *at = text; (at = strstr(at, "/step")) != NULL;) { /* "0s - 12ms/step" */
        char *from = at;
        while (from > text && strncmp(from, "/2 - ", 5) != 0)
            from--;
        memmove(from + 5, at + 5, strlen(at + 5) + 1);
        at = from + 6;
    }
}

Test(callbacks, printed_as_without)
{
    char text[3][2048];
    int count = 0;
    printed((gt_Callbacks){NULL, 0}, text[0], sizeof text[0]);
    printed(gt_callbacks(gt_EarlyStopping(.patience = 5), gt_LambdaCallback(.on_epoch_end = log_steps, .context = &count)), text[1],
            sizeof text[1]);
    cr_assert_str_eq(text[0], text[1]);
    cr_assert(strstr(text[0], "Epoch 1/2") && strstr(text[0], "val_loss"), "%s", text[0]);
    printed(gt_callbacks(gt_EarlyStopping(.monitor = "loss", .mode = GT_MONITOR_MODE_MAX, .verbose = 1)), text[2], sizeof text[2]);
    cr_assert(strncmp(text[2], text[0], strlen(text[0])) == 0 && strstr(text[2], "\nEpoch 2: early stopping\n"), "%s", text[2]);
}

/* Models, weights, whole runs; the oldest go. */
Test(callbacks, kinds_of_files)
{
    make_folder();
    gt_Layer *model = line();
    gt_Dataset *data = ones(2, 1);
    gt_fit(model, data, .epochs = 4, SILENT,
           .callbacks = gt_callbacks(gt_ModelCheckpoint(in_folder("deep/er/{epoch}.model"), .max_to_keep = 2),
                                     gt_ModelCheckpoint(in_folder("w-{epoch}"), .save_weights_only = true),
                                     gt_ModelCheckpoint(in_folder("run-{{{epoch}}}"), .save_run = true, .max_to_keep = 1)));
    ok();
    cr_assert(!exists(in_folder("deep/er/2.model")) && exists(in_folder("deep/er/3.model")) && exists(in_folder("w-1")));
    gt_Layer *loaded = gt_load_model(in_folder("deep/er/4.model")), *other = line();
    cr_assert(loaded && weight(loaded) == weight(model));
    gt_load_weights(other, in_folder("w-3"));
    ok();
    gt_load_checkpoint(in_folder("run-{4}"), other, .dataset = data,
                       .callbacks = gt_callbacks(gt_ModelCheckpoint("a", .max_to_keep = 2), gt_ModelCheckpoint("b"),
                                                 gt_ModelCheckpoint("c", .save_run = true, .max_to_keep = 1)));
    ok();
    cr_assert_eq(weight(other), weight(model));
    gt_layer_free(model);
    gt_layer_free(loaded);
    gt_layer_free(other);
    cr_assert_eq(remove_folder(), 2 + 4 + 1);
}

/* Another program's file is gone on with; the columns are its. */
Test(callbacks, csv_logger_goes_on)
{
    char text[512];
    make_folder();
    gt_Layer *model = line();
    gt_Dataset *data = ones(1, 1);
    int count = 2;
    gt_Callback *values = gt_LambdaCallback(.on_epoch_end = log_steps, .context = &count);
    for (int round = 0; round < 2; round++)
        gt_fit(model, data, .epochs = 2, SILENT,
               .callbacks = gt_callbacks(values, gt_CSVLogger(in_folder("log.csv"), .append = true, .separator = ";")));
    ok();
    read_text(in_folder("log.csv"), text, sizeof text);
    cr_assert_str_eq(text, "epoch;loss;mae;val_loss;val_mae\n0;0;0.5;NA;NA\n1;0.125;0.625;NA;NA\n0;0;0.5;NA;NA\n1;0.125;0.625;NA;NA\n");
    count = 3; /* val_loss has a value now, and the order is that of the header */
    gt_fit(model, data, .epochs = 1, SILENT,
           .callbacks = gt_callbacks(values, gt_CSVLogger(in_folder("log.csv"), .append = true, .separator = ";")));
    ok();
    read_text(in_folder("log.csv"), text, sizeof text);
    cr_assert(strstr(text, "\n0;0;0.5;1;NA\n"), "%s", text);
    gt_layer_free(model);
    remove_folder();
}
