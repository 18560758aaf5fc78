/* The options of gt_fit, gt_evaluate, gt_predict and of the functions for one batch, sentence by sentence of keras-contract 3.17,
 * against Keras's numbers (tests/oracle/fit_options.py): a layer of three classes on two columns, float64. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "oracle/fit_options.inc"

#undef GT_HERE
#define GT_HERE "test"
#define ok()    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)
#define near(a, b)                                                                                 \
    cr_assert(fabs((a) - (b)) <= 1e-7 * (1 + fabs(b)), "%.17g, of Keras %.17g", a, b)
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { ROWS = 11 };

/* ---- the same numbers as in Keras ---- */

static gt_Tensor *wave(gt_Shape shape, double phase)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    gt_Tensor *steps = gt_cast(gt_arange(0, (double)size, 1), GT_FLOAT64);
    return gt_reshape(gt_sin(gt_add(gt_multiply(steps, 1.7), phase)), shape);
}

typedef struct Data {
    gt_Tensor *x, *y, *one_hot, *weight, *class_weight;
} Data;

static Data data(void)
{
    int32_t y[ROWS];
    for (int i = 0; i < ROWS; i++)
        y[i] = i * 7 % 3;
    Data made = {.x = wave(gt_shape(ROWS, 2), 0.3), .y = gt_from_data(y, gt_shape(ROWS), GT_INT32)};
    made.one_hot = gt_one_hot(made.y, 3, .dtype = GT_FLOAT64);
    made.weight = gt_add(gt_multiply(wave(gt_shape(ROWS), 1.0), 0.5), 1);
    made.class_weight = gt_array64(gt_shape(3), 2, 1, 0.5);
    ok();
    return made;
}

static gt_Layer *new_model(gt_Regularizer regularizer)
{
    gt_Layer *dense = gt_Dense(3, .kernel_regularizer = regularizer), *model = gt_Sequential(dense);
    gt_build(model, gt_shape(ROWS, 2), GT_FLOAT64);
    gt_assign(gt_weights(dense).items[0], gt_multiply(wave(gt_shape(2, 3), 0), 0.5));
    gt_assign(gt_weights(dense).items[1], gt_multiply(wave(gt_shape(3), 1), 0.5));
    ok();
    return model;
}

#define SPARSE() gt_SparseCategoricalCrossentropy(.from_logits = true)
/* Compiled with a step of 0.3 and that loss unless the options say otherwise. */
#define COMPILED(...) compiled(GT_KEYWORDS(gt_compile, __VA_ARGS__))
static gt_Layer *compiled(const gt_compile_options *given)
{
    const gt_Regularizer none = GT_NOT_GIVEN;
    gt_compile_options options = *given;
    gt_Layer *model = new_model(none);
    if (!options.optimizer)
        options.optimizer = gt_SGD(0.3);
    if (!options.loss.type)
        options.loss = SPARSE();
    gt_compile_at(GT_HERE, model, &options);
    ok();
    return model;
}

#define FIT(model, ...)                                                                            \
    gt_fit(model, d.x, .batch_size = 4, .shuffle = false, .verbose = GT_VERBOSITY_SILENT, __VA_ARGS__)

static void agree(gt_History *history, const char *name, const double *keras, int count)
{
    ok();
    cr_assert_eq(gt_history_epoch_count(history), count, "%s", name);
    for (int i = 0; i < count; i++)
        near(gt_history_get(history, name, i), keras[i]);
}
#define agrees(history, name, keras) agree(history, name, keras, COUNT(keras))

/* For every test: with plans, and eagerly. */
#define FOR_BOTH                                                                                   \
    for (int eagerly = 0; eagerly < 2; eagerly++)                                                  \
        for (gt_Scope *scope = gt_scope_begin(); scope;                                            \
             scope = (gt_scope_end(scope), gt_context_free(NULL), (gt_Scope *)NULL))

/* ---- fit ---- */

/* Arrays: rows in batches of .batch_size, the last one as large as is left; the loss shown is weighted by their sizes. */
Test(fit_options, arrays)
{
    FOR_BOTH
    {
        Data d = data();
        agrees(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 3), "loss", plain_loss);
        /* A dataset of the same tensors is the same. */
        gt_Dataset *dataset =
            gt_dataset_from_tensors(d.x, d.y, .batch_size = 4, .shuffle = false);
        agrees(gt_fit(COMPILED(.run_eagerly = eagerly), dataset, .epochs = 3,
                      .verbose = GT_VERBOSITY_SILENT),
               "loss", plain_loss);
    }
    assert_no_leaks();
}

/* fit(batch_size None -> 32, epochs 1, shuffle T, initial_epoch 0, validation_freq 1, ...). */
Test(fit_options, defaults)
{
    const gt_compile_options compile = {GT_PRESETS(gt_compile_options, gt_compile_OPTIONS)};
    const gt_fit_options fit = {GT_PRESETS(gt_fit_options, gt_fit_OPTIONS)};
    cr_assert(compile.steps_per_execution == 1 && compile.jit_compile == GT_INHERIT &&
              !compile.run_eagerly && compile.auto_scale_loss);
    cr_assert(fit.epochs == 1 && fit.initial_epoch == 0 && fit.batch_size == -1 &&
              fit.shuffle == GT_INHERIT && fit.validation_split == 0 && fit.validation_freq == 1 &&
              fit.validation_steps == -1 && fit.validation_batch_size == -1 &&
              fit.steps_per_epoch == -1 && !fit.class_weight && !fit.stop);
    /* 32 rows a batch, in another order each epoch, whatever the dataset before it did. */
    gt_Tensor *x = gt_reshape(gt_cast(gt_arange(0, 70, 1), GT_FLOAT32), gt_shape(70, 1));
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_compile(model, .loss = gt_MeanSquaredError());
    gt_fit(model, x, .y = x, .verbose = GT_VERBOSITY_SILENT);
    ok();
    cr_assert_eq(gt_optimizer_iterations(gt_compiled_optimizer(model)), 3);
    gt_context_free(NULL);
}

/* shuffle T: every epoch has the rows in an order of its own; a resumed fit has the orders of the epochs that it is of. */
Test(fit_options, shuffles_every_epoch)
{
    FOR_BOTH
    {
        Data d = data();
        gt_Layer *whole = COMPILED(.run_eagerly = eagerly), *parts = COMPILED(.run_eagerly = eagerly);
        gt_fit(whole, d.x, .y = d.y, .batch_size = 4, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
        for (int epoch = 0; epoch < 3; epoch++)
            gt_fit(parts, d.x, .y = d.y, .batch_size = 4, .epochs = epoch + 1,
                   .initial_epoch = epoch, .verbose = GT_VERBOSITY_SILENT);
        gt_Layer *same = COMPILED(.run_eagerly = eagerly);
        for (int epoch = 0; epoch < 3; epoch++)
            gt_fit(same, d.x, .y = d.y, .batch_size = 4, .verbose = GT_VERBOSITY_SILENT);
        ok();
        double a = gt_element(gt_weights(whole).items[0], 0);
        cr_assert(a == gt_element(gt_weights(parts).items[0], 0));
        cr_assert(a != gt_element(gt_weights(same).items[0], 0), "all epochs have the first one's order");
    }
    assert_no_leaks();
}

/* class_weight: a class that is not in it weighs 1; labels may be classes, columns of classes, or one-hot. */
Test(fit_options, class_weights)
{
    FOR_BOTH
    {
        Data d = data();
        gt_Tensor *column = gt_reshape(d.y, gt_shape(ROWS, 1));
        gt_Tensor *two = gt_array(gt_shape(1), 2);
        agrees(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 3,
                   .class_weight = d.class_weight),
               "loss", class_weight_loss);
        agrees(FIT(COMPILED(.run_eagerly = eagerly), .y = column, .epochs = 3,
                   .class_weight = d.class_weight),
               "loss", column_loss);
        agrees(FIT(COMPILED(.run_eagerly = eagerly,
                            .loss = gt_CategoricalCrossentropy(.from_logits = true)),
                   .y = d.one_hot, .epochs = 3, .class_weight = d.class_weight),
               "loss", one_hot_loss);
        /* Classes 1 and 2 are not in the list. */
        double one = gt_history_get(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .class_weight = two), "loss", 0);
        double same = gt_history_get(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y,
                                         .class_weight = gt_array(gt_shape(3), 2, 1, 1)), "loss", 0);
        ok();
        cr_assert(one == same && one != plain_loss[0], "%.17g and %.17g", one, same);
    }
    assert_no_leaks();
}

/* class_weight and sample_weight together, several labels: errors, as in Keras. */
Test(fit_options, class_weights_refused)
{
    Data d = data();
    gt_Layer *model = COMPILED();
    gt_Dataset *weighed = gt_dataset_from_tensors(d.x, d.y, .sample_weight = gt_tensors(d.weight));
    refused(FIT(model, .y = d.y, .class_weight = d.class_weight, .sample_weight = gt_tensors(d.weight)),
            GT_INVALID, "class_weight or sample_weight, not both");
    refused(gt_fit(model, weighed, .class_weight = d.class_weight, .verbose = GT_VERBOSITY_SILENT), GT_INVALID,
            "class_weight or sample weights, not both");
    cr_assert(gt_dataset_position(weighed).row == 0, "the batch is put back");
    refused(FIT(model, .y = d.y, .class_weight = d.y), GT_INVALID, "must be floats of the shape (classes)");
    refused(gt_train_on_batch(model, d.x, .y = d.y, .class_weight = d.x), GT_INVALID, "(classes)");
    gt_Tensor *a = gt_Input(gt_shape(2), .dtype = GT_FLOAT64);
    gt_Layer *two = gt_Model(gt_tensors(a), gt_tensors(gt_call(gt_Dense(3), a), gt_call(gt_Dense(3), a)));
    gt_compile(two, .loss = SPARSE());
    refused(gt_train_on_batch(two, d.x, .y = d.y, .more_y = gt_tensors(d.y), .class_weight = d.class_weight), GT_INVALID,
            "class_weight is for one label (got 2)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* sample_weight weighs the losses; metrics ignore it, weighted_metrics use it. */
Test(fit_options, sample_weights)
{
    FOR_BOTH
    {
        Data d = data();
        gt_Layer *model = COMPILED(
            .run_eagerly = eagerly, .metrics = gt_metrics(gt_Accuracy()),
            .weighted_metrics = gt_metrics(gt_Accuracy(.name = "weighted_accuracy")));
        gt_History *history = FIT(model, .y = d.y, .epochs = 3, .sample_weight = gt_tensors(d.weight));
        agrees(history, "loss", sample_weight_loss);
        agrees(history, "accuracy", sample_weight_accuracy);
        agrees(history, "weighted_accuracy", sample_weight_weighted_accuracy);
    }
    assert_no_leaks();
}

/* validation_split: the last fraction of the rows, taken before they are shuffled; every validation_freq epochs. */
Test(fit_options, validation_split)
{
    FOR_BOTH
    {
        Data d = data();
        gt_History *history = FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 4,
                                  .validation_split = 0.3, .validation_freq = 2);
        agrees(history, "loss", split_loss);
        cr_assert_eq(gt_history_name_count(history), 2);
        for (int epoch = 0; epoch < 4; epoch++) {
            double value = gt_history_get(history, "val_loss", epoch);
            if (epoch % 2)
                near(value, split_val_loss[epoch / 2]);
            else
                cr_assert(isnan(value) && gt_status() == GT_OK, "epoch %d: %g", epoch, value);
        }
        history = FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 2, .validation_split = 0.3,
                      .sample_weight = gt_tensors(d.weight));
        agrees(history, "loss", split_weight_loss);
        agrees(history, "val_loss", split_weight_val_loss);
        /* The rows split off are the last ones also where the others are shuffled: with a rate of 0 they are compared
         * with what evaluating those rows gives. */
        gt_Layer *still = COMPILED(.run_eagerly = eagerly, .optimizer = gt_SGD(0));
        history = gt_fit(still, d.x, .y = d.y, .validation_split = 0.3, .verbose = GT_VERBOSITY_SILENT);
        gt_Scores last = gt_evaluate(still, gt_get_item(d.x, "7:"), .y = gt_get_item(d.y, "7:"));
        ok();
        cr_assert(gt_history_get(history, "val_loss", 0) == last.loss);
    }
    assert_no_leaks();
}

/* An empty part is an error; so is a split of a dataset, or beside a validation. */
Test(fit_options, validation_split_refused)
{
    Data d = data();
    gt_Layer *model = COMPILED();
    gt_Dataset *dataset = gt_dataset_from_tensors(d.x, d.y);
    gt_Tensor *shorter = gt_get_item(d.y, ":8");
    double fractions[] = {0.95, 1e-17};
    for (int i = 0; i < 2; i++)
        refused(FIT(model, .y = d.y, .validation_split = fractions[i]), GT_INVALID,
                "leaves one of the two parts empty");
    refused(FIT(model, .y = d.y, .validation_split = 1), GT_INVALID, "validation_split must be >= 0 and < 1 (got 1)");
    refused(FIT(model, .y = d.y, .validation_split = NAN), GT_INVALID, "validation_split must be");
    refused(gt_fit(model, dataset, .validation_split = 0.5), GT_INVALID, "gt_dataset_split");
    refused(FIT(model, .y = d.y, .validation_split = 0.5, .validation = dataset), GT_INVALID, "not both");
    refused(FIT(model, .y = shorter, .validation_split = 0.3), GT_INVALID, "must have the same number of rows (got 11 and 8");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* validation_steps and validation_batch_size: so many batches of that size, of the rows split off. */
Test(fit_options, validation_steps)
{
    FOR_BOTH
    {
        Data d = data();
        gt_History *history = FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 2, .validation_split = 0.5,
                                  .validation_batch_size = 2, .validation_steps = 2);
        agrees(history, "loss", validation_steps_loss);
        agrees(history, "val_loss", validation_steps_val_loss);
    }
    assert_no_leaks();
}

/* steps_per_epoch: the next epoch goes on in the data; data that end early end the epoch, with a warning. */
Test(fit_options, data_that_end_early)
{
    FOR_BOTH
    {
        Data d = data();
        gt_warnings_clear();
        agrees(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 4, .steps_per_epoch = 2), "loss",
               steps_loss);
        cr_assert_eq(gt_warnings().count, 1);
        cr_assert(strstr(gt_warnings().items[0], "out of data: epoch 2 ended after 1 of 2 batches"), "%s",
                  gt_warnings().items[0]);
        agrees(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 3, .steps_per_epoch = 5), "loss",
               more_steps_loss);
        gt_warnings_clear();
        /* As many as there are: no warning, and the next epoch begins anew. */
        agrees(FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 3, .steps_per_epoch = 3), "loss",
               plain_loss);
        cr_assert_eq(gt_warnings().count, 0, "%s", gt_warnings().items[0]);
    }
    assert_no_leaks();
}

typedef struct Heard {
    int64_t steps[32];
    int count;
} Heard;

static bool listen(void *context, const gt_ProgressEvent *event)
{
    Heard *heard = context;
    if (event->kind == GT_PROGRESS_KIND_BATCH)
        heard->steps[heard->count++] = event->step;
    return true;
}

/* steps_per_execution: the same numbers, and a report for so many batches at a time. */
Test(fit_options, steps_per_execution)
{
    FOR_BOTH
    {
        Data d = data();
        Heard heard = {.count = 0};
        gt_Layer *model = COMPILED(.run_eagerly = eagerly, .steps_per_execution = 2);
        agrees(gt_fit(model, d.x, .y = d.y, .batch_size = 4, .shuffle = false, .epochs = 3,
                      .progress = &(gt_Progress){listen, &heard}),
               "loss", execution_loss);
        cr_assert_eq(heard.count, 6);
        for (int i = 0; i < 6; i++)
            cr_assert_eq(heard.steps[i], i % 2 ? 3 : 2);
    }
    assert_no_leaks();
}

/* initial_epoch: epochs initial_epoch .. epochs - 1, and their numbers are those of the whole training. */
Test(fit_options, initial_epoch)
{
    FOR_BOTH
    {
        Data d = data();
        gt_History *history =
            FIT(COMPILED(.run_eagerly = eagerly), .y = d.y, .epochs = 5, .initial_epoch = 3);
        agrees(history, "loss", initial_epoch_loss);
        cr_assert(gt_history_epoch(history, 0) == 3 && gt_history_epoch(history, -1) == 4);
    }
    assert_no_leaks();
}

/* compile(optimizer "rmsprop"): the default; penalties of regularizers are part of the loss. */
Test(fit_options, rmsprop_and_penalties)
{
    FOR_BOTH
    {
        Data d = data();
        const gt_Regularizer none = GT_NOT_GIVEN;
        gt_Layer *model = new_model(none);
        gt_compile(model, .loss = SPARSE(), .run_eagerly = eagerly);
        agrees(FIT(model, .y = d.y, .epochs = 3), "loss", rmsprop_loss);
        model = new_model(gt_L2(0.1));
        gt_compile(model, .optimizer = gt_SGD(0.3), .loss = SPARSE(), .run_eagerly = eagerly);
        agrees(FIT(model, .y = d.y, .epochs = 3), "loss", penalty_loss);
    }
    assert_no_leaks();
}

/* ---- batches, evaluate, predict ---- */

/* train_on_batch, test_on_batch: the batch's own loss and metrics, those before its step; evaluate with steps; predict. */
Test(fit_options, by_batches)
{
    FOR_BOTH
    {
        Data d = data();
        static const char *const parts[] = {"0:4", "4:8", "8:"};
        for (int weighed = 0; weighed < 2; weighed++) {
            gt_Layer *model = COMPILED(.run_eagerly = eagerly, .metrics = gt_metrics(gt_Accuracy()));
            const double *keras = weighed ? weighed_batches : train_on_batch;
            for (int i = 0; i < 3; i++) {
                gt_Tensor *x = gt_get_item(d.x, parts[i]), *y = gt_get_item(d.y, parts[i]);
                gt_Scores scores = gt_train_on_batch(model, x, .y = y, .class_weight = weighed ? d.class_weight : NULL);
                ok();
                near(scores.loss, keras[2 * i]);
                near(scores.metrics[0], keras[2 * i + 1]);
                cr_assert(scores.steps == 1 && scores.count == 1 && strcmp(scores.names[0], "accuracy") == 0);
            }
            if (weighed)
                continue;
            gt_Scores tested = gt_test_on_batch(model, d.x, .y = d.y), all, some;
            all = gt_evaluate(model, d.x, .y = d.y, .batch_size = 4);
            some = gt_evaluate(model, d.x, .y = d.y, .batch_size = 4, .steps = 2);
            ok();
            near(tested.loss, test_on_batch[0]);
            near(gt_scores_get(&tested, "accuracy"), test_on_batch[1]);
            near(gt_scores_get(&all, "loss"), evaluate[0]);
            near(all.metrics[0], evaluate[1]);
            near(some.loss, evaluate_steps[0]);
            near(some.metrics[0], evaluate_steps[1]);
            cr_assert(all.steps == 3 && some.steps == 2);
            /* predict joins the batches; a batch by itself is the same rows. */
            gt_Tensor *y_pred = gt_predict(model, d.x, .batch_size = 4), *two = gt_predict(model, d.x, .batch_size = 4, .steps = 2);
            gt_Tensor *one = gt_predict_on_batch(model, gt_get_item(d.x, "8:"));
            ok();
            cr_assert(gt_dim(gt_tensor_shape(y_pred), 0) == ROWS && gt_dim(gt_tensor_shape(two), 0) == 8);
            for (int k = 0; k < 3; k++) {
                near(gt_element(y_pred, 3 * ROWS - 3 + k), predict[k]);
                cr_assert(gt_element(one, 6 + k) == gt_element(y_pred, 3 * ROWS - 3 + k));
                cr_assert(gt_element(two, 21 + k) == gt_element(y_pred, 21 + k));
            }
        }
    }
    assert_no_leaks();
}

/* ---- what is refused ---- */

/* fit before compile; jit_compile, with the reason; sizes that differ, which are listed; counts below 1. */
Test(fit_options, refused)
{
    Data d = data();
    const gt_Regularizer none = GT_NOT_GIVEN;
    gt_Layer *model = new_model(none);
    gt_Dataset *dataset = gt_dataset_from_tensors(d.x, d.y);
    gt_Tensor *shorter = gt_get_item(d.y, ":8");
    refused(gt_fit(model, d.x, .y = d.y), GT_STATE, "not compiled");
    refused(gt_train_on_batch(model, d.x, .y = d.y), GT_STATE, "not compiled");
    refused(gt_train_for(model, dataset, 0.1), GT_STATE, "not compiled");
    refused(gt_stop_training(model), GT_STATE, "not compiled");
    refused(gt_compile(model, .loss = SPARSE(), .jit_compile = true), GT_UNSUPPORTED, "they run as plans");
    gt_compile(model, .loss = SPARSE(), .jit_compile = false);
    ok();
    refused(gt_compile(model, .loss = SPARSE(), .steps_per_execution = 0), GT_INVALID, "steps_per_execution must be >= 1 (got 0)");
    refused(gt_fit(model, d.x, .y = shorter), GT_INVALID, "must have the same number of rows (got 11 and 8");
    refused(gt_train_on_batch(model, d.x, .y = shorter), GT_INVALID, "x and y must have the same number of rows (got 11 and");
    refused(gt_train_on_batch(model, d.x), GT_INVALID, "the loss needs y, and the batch has none");
    refused(gt_fit(model, d.x), GT_INVALID, "the loss needs y, and the dataset has none");
    refused(gt_fit(model, dataset, .y = d.y), GT_INVALID, ".y belongs to a tensor of rows");
    refused(gt_fit(model, dataset, .batch_size = 4), GT_INVALID, ".batch_size belongs");
    refused(gt_fit(model, dataset, .shuffle = true), GT_INVALID, ".shuffle belongs");
    refused(gt_evaluate(model, dataset, .sample_weight = gt_tensors(d.weight)), GT_INVALID, ".sample_weight belongs");
    refused(gt_predict(model, dataset, .more_x = gt_tensors(d.x)), GT_INVALID, ".more_x belongs");
    refused(FIT(model, .y = d.y, .steps_per_epoch = 0), GT_INVALID, "steps_per_epoch must be >= 1, or -1 (got 0)");
    refused(FIT(model, .y = d.y, .validation_steps = -2), GT_INVALID, "validation_steps must be");
    refused(FIT(model, .y = d.y, .validation_freq = 0), GT_INVALID, "validation_freq must be >= 1 (got 0)");
    refused(FIT(model, .y = d.y, .validation = dataset, .validation_batch_size = 4), GT_INVALID, "validation_batch_size is for validation_split");
    refused(gt_evaluate(model, dataset, .steps = 0), GT_INVALID, "steps must be >= 1");
    refused(gt_predict(model, dataset, .steps = 0), GT_INVALID, "steps must be >= 1");
    refused(gt_train_for(model, dataset, -1), GT_INVALID, "seconds must be >= 0");
    refused(gt_predict_on_batch(model, NULL), GT_INVALID, "NULL");
    gt_Scores scores = gt_test_on_batch(model, d.x, .y = d.y);
    refused(gt_scores_get(&scores, "f1"), GT_INVALID,
            "no score called \"f1\": expected one of \"loss\"");
    refused(gt_scores_get(NULL, "f1"), GT_INVALID, "NULL");
    gt_compile(model, .loss = SPARSE(), .metrics = gt_metrics(gt_Accuracy(), gt_F1Score()));
    refused(FIT(model, .y = d.y), GT_INVALID,
            "fit: f1_score: labels and predictions must be (batch, classes); gt_one_hot");
    gt_compile(model, .loss = SPARSE(), .metrics = gt_metrics(gt_Accuracy(), gt_AUC()));
    refused(
        FIT(model, .y = d.y), GT_INVALID,
        "fit: auc: the shapes of labels and predictions do not match: (4,) and (4, 3); gt_one_hot");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- results that nobody wants are not worked out ---- */

static int results;

static gt_Status count_nothing(const gt_MetricUpdate *update)
{
    return gt_assign(update->states[0], gt_add(update->states[0], 1));
}

static gt_Tensor *count_results(const void *instance, gt_Variable *const *states)
{
    (void)instance;
    results++;
    return gt_identity(states[0]);
}

static const gt_MetricClass counting = {.size = sizeof counting,
                                        .name = "counting",
                                        .states = 1,
                                        .update = count_nothing,
                                        .result = count_results};

static bool hears_all(void *context, const gt_ProgressEvent *event)
{
    (void)context, (void)event;
    return true;
}

Test(fit_options, results_that_nobody_wants)
{
    Data d = data();
    gt_Layer *model = COMPILED(.metrics = gt_metrics(gt_metric_new_at("test", &counting, NULL, NULL)));
    FIT(model, .y = d.y, .epochs = 2);
    ok();
    cr_assert_eq(results, 2, "two epochs, no reader of batches: %d results", results);
    results = 0;
    gt_evaluate(model, d.x, .y = d.y, .batch_size = 4, .verbose = GT_VERBOSITY_SILENT);
    ok();
    cr_assert(results <= 2, "one test: %d results", results);
    results = 0;
    FIT(model, .y = d.y, .progress = &(gt_Progress){hears_all, NULL});
    ok();
    cr_assert(results >= 3, "a reader of three batches: %d results", results);
    gt_layer_free(model);
    gt_context_free(NULL);
    assert_no_leaks();
}
