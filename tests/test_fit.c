/* What Keras's fit, evaluate, predict and optimizers promise (keras-contract 3.13 and 3.17), sentence
 * by sentence, as far as there is such a thing here and no other test says it; and runs inside the
 * callbacks of other runs. Said elsewhere:
 *
 *   defaults of optimizers, what they refuse        test_optim.c, options
 *   formulas, goldens, accumulation, averages       test_optim.c, ten_changing_gradients, values_of_keras
 *   unknown variables, missing gradients, no list   test_optim.c, minimize
 *   order and names of the state                    test_optim.c, state
 *   shuffling, the last batch, sizes that differ    test_train.c, shuffles, batches_and_splits
 *   losses weighted by rows, metrics before a step  test_train.c, fit_against_a_loop
 *   fit before compile, NaN, nothing to train       test_train.c, fit_refuses
 *   the bar and the lines                           test_train.c, progress
 *   resumed runs                                    test_train.c, checkpoints */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../core/structs.h"
#include "../gradtape.h"
#include "budget.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define assert_error(status, text)                                                                 \
    do {                                                                                           \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        assert_error(status, text);                                                                \
    } while (0)
#define near(a, b, ...) cr_assert(fabs((a) - (b)) <= 1e-6 * (1 + fabs(b)), __VA_ARGS__)

/* ---- things to train ---- */

/* y = w x, with w one 1, on rows x = 1, y = 0: its gradient is 2 w. */
static gt_Layer *line(void)
{
    gt_Layer *model =
        gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Ones()));
    gt_build(model, gt_shape(1, 1), GT_FLOAT32);
    return model;
}

static double weight(gt_Layer *model)
{
    return gt_element(gt_weights(model).items[0], 0);
}

static gt_Dataset *ones_to_zeros(int64_t rows, int64_t batch)
{
    return gt_dataset_from_tensors(gt_ones(gt_shape(rows, 1)), gt_zeros(gt_shape(rows, 1)),
                                   .batch_size = batch, .shuffle = false);
}

enum { ROWS = 50, WIDTH = 4, CLASSES = 3 };

static gt_Dataset *classes_dataset(int64_t batch, bool shuffle)
{
    float x[ROWS * WIDTH];
    int32_t y[ROWS];
    uint32_t seed = 7;
    for (int i = 0; i < ROWS; i++) {
        float sum = 0;
        for (int k = 0; k < WIDTH; k++) {
            seed = seed * 1664525u + 1013904223u;
            x[i * WIDTH + k] = (float)(seed >> 8) / (1 << 23) - 1;
            sum += x[i * WIDTH + k] * (float)(k - 2);
        }
        y[i] = sum < -0.5f ? 0 : sum < 0.5f ? 1 : 2;
    }
    return gt_dataset_from_tensors(gt_from_data(x, gt_shape(ROWS, WIDTH), GT_FLOAT32),
                                   gt_from_data(y, gt_shape(ROWS), GT_INT32), .batch_size = batch,
                                   .shuffle = shuffle);
}

static gt_Layer *classifier(bool eagerly, gt_Metric *metric)
{
    gt_Layer *model =
        gt_Sequential(gt_Dense(8, .activation = gt_tanh), gt_Dropout(0.25), gt_Dense(CLASSES));
    gt_compile(model, .optimizer = gt_SGD(0.1),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(metric), .run_eagerly = eagerly);
    return model;
}

/* ---- 3.13: averages end in the weights ---- */

static bool stop_at_once(void *context, const gt_ProgressEvent *event)
{
    (void)context;
    return event->kind != GT_PROGRESS_KIND_BATCH;
}

static bool interrupt_later(void *user)
{
    return ++*(int *)user > 60;
}

Test(fit, averages_end_in_the_weights)
{
    for (int eagerly = 0; eagerly < 2; eagerly++) {
        /* Keras's own test: .891, not .81 */
        gt_Dataset *row = ones_to_zeros(1, 1);
        gt_Layer *model =
            gt_Sequential(gt_Dense(2, .use_bias = false, .kernel_initializer = gt_Ones()));
        gt_Dataset *pair =
            gt_dataset_from_tensors(gt_ones(gt_shape(1, 1)), gt_zeros(gt_shape(1, 2)));
        gt_compile(model, .optimizer = gt_SGD(0.1, .use_ema = true, .ema_momentum = 0.9),
                   .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
        gt_fit(model, pair, .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        ok();
        near(weight(model), 0.891, "eagerly %d: %g, not .891", eagerly, weight(model));
        gt_Variable *average =
            gt_optimizer_slot(gt_compiled_optimizer(model), gt_weights(model).items[0], "average");
        near(gt_element(average, 1), 0.891, "%g", gt_element(average, 1));

        /* With a frequency as well. Gradients are 2 w, so a step of .05 is w *= .9. */
        model = line();
        gt_compile(model,
                   .optimizer = gt_SGD(0.05, .use_ema = true, .ema_momentum = 0.9,
                                       .ema_overwrite_frequency = 2),
                   .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
        gt_fit(model, row, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
        ok();
        near(weight(model), 0.9 * 0.891 + 0.1 * 0.8019, "eagerly %d: %g", eagerly, weight(model));

        /* A listener that stops it ends the training; what fails or is interrupted goes on later, from
         * the weights as they are. */
        model = line();
        gt_compile(model, .optimizer = gt_SGD(0.05, .use_ema = true, .ema_momentum = 0.5),
                   .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
        gt_fit(model, row, .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        near(weight(model), 0.855, "%g", weight(model));
        gt_fit(model, ones_to_zeros(3, 1), .epochs = 9,
               .progress = &(gt_Progress){stop_at_once, NULL});
        ok();
        near(weight(model), 0.5 * 0.855 + 0.5 * 0.855 * 0.9, "%g", weight(model));
        double before = weight(model);
        int asked = 0;
        gt_set_interrupt(interrupt_later, &asked);
        refused(gt_fit(model, row, .epochs = 99, .verbose = GT_VERBOSITY_SILENT), GT_INTERRUPTED,
                "");
        gt_set_interrupt(NULL, NULL);
        int64_t steps = gt_optimizer_iterations(gt_compiled_optimizer(model)) - 3;
        cr_assert(steps > 0);
        near(weight(model), before * pow(0.9, (double)steps), "eagerly %d, %d steps: %g, from %g",
             eagerly, (int)steps, weight(model), before);

        /* No epoch, no end; no step, no average. */
        before = weight(model);
        gt_fit(model, row, .epochs = 3, .initial_epoch = 3, .verbose = GT_VERBOSITY_SILENT);
        ok();
        cr_assert(weight(model) == before);
        model = line();
        gt_Optimizer *sgd = gt_SGD(0.1, .use_ema = true);
        gt_optimizer_build(sgd, gt_trainable_variables(model));
        gt_optimizer_finalize(sgd);
        ok();
        cr_assert(weight(model) == 1, "averages of nothing: %g", weight(model));
        gt_optimizer_free(sgd);
        /* Without averages nothing happens at the end. */
        gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError(),
                   .run_eagerly = eagerly);
        gt_fit(model, ones_to_zeros(1, 1), .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        near(weight(model), 0.81, "%g", weight(model));
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- 3.13: the rest of it ---- */

static void apply(gt_Optimizer *optimizer, gt_Variable *w, double gradient)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *g[] = {gt_full(gt_tensor_shape(w), gradient, .dtype = gt_dtype(w))};
    gt_apply_gradients(optimizer, gt_tensors(w), g);
    gt_scope_end(scope);
    ok();
}

Test(fit, what_keras_says_of_optimizers)
{
    gt_Variable *w = gt_variable(gt_array64(gt_shape(1), 1));
    gt_Optimizer *sgd = gt_SGD(1);
    cr_assert(!gt_optimizer_built(sgd), "it is not built before its first use");
    apply(sgd, w, 0.5);
    cr_assert(gt_optimizer_built(sgd) && gt_item(w) == 0.5, "it is built on its first use");
    gt_optimizer_free(sgd);

    /* accumulation 3: unchanged twice, then by the mean */
    gt_assign(w, 1);
    sgd = gt_SGD(1, .gradient_accumulation_steps = 3, .weight_decay = 0.5);
    apply(sgd, w, 1);
    apply(sgd, w, 2);
    cr_assert(gt_item(w) == 1 && gt_optimizer_iterations(sgd) == 0,
              "between two updates nothing changes, by decay neither: %g", gt_item(w));
    apply(sgd, w, 3);
    cr_assert(gt_item(w) == 0.5 - 2 && gt_optimizer_iterations(sgd) == 1,
              "the mean of the gradients, after the decay: %g", gt_item(w));
    gt_optimizer_free(sgd);

    /* mean, then clipping, then decay, then the update */
    gt_assign(w, 1);
    sgd = gt_SGD(0.1, .gradient_accumulation_steps = 2, .clipvalue = 3.5, .weight_decay = 0.5);
    apply(sgd, w, 3);
    apply(sgd, w, 5);
    near(gt_item(w), 0.95 - 0.35, "not 1 - .1 (.5 w + clipped mean): %.17g", gt_item(w));
    gt_optimizer_free(sgd);

    /* a variable without a gradient is left alone, also by the decay */
    gt_Variable *other = gt_variable(gt_array64(gt_shape(1), 1));
    gt_assign(w, 1);
    sgd = gt_SGD(0.5, .weight_decay = 0.5);
    gt_Tensor *one = gt_array64(gt_shape(1), 1);
    gt_apply_gradients(sgd, gt_tensors(w, other), ((gt_Tensor *[]){one, NULL}));
    ok();
    cr_assert(gt_item(other) == 1 && gt_item(w) == 0.25 && gt_optimizer_skipped(sgd) == 1);
    gt_optimizer_free(sgd);

    /* decoupled decay in every optimizer: of a gradient 0 it is all there is */
    gt_Optimizer *all[] = {gt_SGD(0.5, .weight_decay = 0.5, .momentum = 0.9),
                           gt_Adam(0.5, .weight_decay = 0.5), gt_AdamW(0.5, .weight_decay = 0.5)};
    for (int i = 0; i < 3; i++) {
        gt_assign(w, 1);
        apply(all[i], w, 0);
        apply(all[i], w, 0);
        cr_assert(gt_item(w) == 0.5625, "optimizer %d: %g", i, gt_item(w));
        gt_optimizer_free(all[i]);
    }

    /* averages: the first step copies, also with accumulation; then m e + (1 - m) w, after the update */
    gt_assign(w, 1);
    sgd = gt_SGD(1, .use_ema = true, .ema_momentum = 0.75);
    apply(sgd, w, 1);
    gt_Variable *average = gt_optimizer_slot(sgd, w, "average");
    cr_assert(gt_item(average) == 0, "%g", gt_item(average));
    apply(sgd, w, 1);
    cr_assert(gt_item(w) == -1 && gt_item(average) == -0.25, "%g", gt_item(average));
    apply(sgd, w, 1);
    cr_assert(gt_item(w) == -2 && gt_item(average) == -0.6875,
              "without a frequency no step overwrites the variable");
    gt_optimizer_finalize(sgd);
    cr_assert(gt_item(w) == -0.6875);
    gt_optimizer_free(sgd);

    /* the learning rate is state: it may be set, and the next step has it, in fit too */
    gt_Layer *model = line();
    gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError());
    gt_Dataset *row = ones_to_zeros(1, 1);
    gt_fit(model, row, .verbose = GT_VERBOSITY_SILENT);
    gt_optimizer_set_learning_rate(gt_compiled_optimizer(model), 0.25);
    gt_fit(model, row, .verbose = GT_VERBOSITY_SILENT);
    ok();
    near(weight(model), 0.45, "%g", weight(model));
    gt_variable_free(w);
    gt_variable_free(other);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- 3.17 ---- */

typedef struct Heard {
    int64_t epochs[16], count;
    int64_t batches;
    double last_loss;
} Heard;

static bool listen(void *context, const gt_ProgressEvent *event)
{
    Heard *heard = context;
    if (event->kind == GT_PROGRESS_KIND_EPOCH_BEGIN)
        heard->epochs[heard->count++] = event->epoch;
    heard->batches += event->kind == GT_PROGRESS_KIND_BATCH;
    if (event->kind == GT_PROGRESS_KIND_BATCH)
        heard->last_loss = event->values[0];
    return true;
}

static gt_Tensor *call_with_loss(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_add_loss(layer, gt_mean(gt_square(in->x)));
    return in->x;
}

static bool same_variables(gt_Tensors a, const double *before)
{
    int at = 0;
    for (int i = 0; i < a.count; i++)
        for (int64_t k = 0; k < gt_size(a.items[i]); k++)
            if (gt_element(a.items[i], k) != before[at++])
                return false;
    return true;
}

static void remember(gt_Tensors a, double *into)
{
    for (int i = 0; i < a.count; i++)
        for (int64_t k = 0; k < gt_size(a.items[i]); k++)
            *into++ = gt_element(a.items[i], k);
}

Test(fit, what_keras_says_of_training)
{
    /* defaults */
    const gt_compile_options compile = {GT_PRESETS(gt_compile_options, gt_compile_OPTIONS)};
    const gt_fit_options fit = {GT_PRESETS(gt_fit_options, gt_fit_OPTIONS)};
    const gt_evaluate_options evaluate = {GT_PRESETS(gt_evaluate_options, gt_evaluate_OPTIONS)};
    const gt_dataset_from_tensors_options dataset = {
        GT_PRESETS(gt_dataset_from_tensors_options, gt_dataset_from_tensors_OPTIONS)};
    cr_assert(!compile.optimizer && !compile.loss.type && compile.metrics.count == 0 &&
              !compile.run_eagerly);
    cr_assert(fit.epochs == 1 && fit.initial_epoch == 0 && !fit.validation &&
              fit.verbose == GT_VERBOSITY_AUTO && !fit.progress);
    cr_assert(evaluate.verbose == GT_VERBOSITY_SILENT && !evaluate.progress);
    cr_assert(dataset.batch_size == 32 && dataset.shuffle && !dataset.drop_remainder);

    for (int eagerly = 0; eagerly < 2; eagerly++) {
        gt_context_free(NULL);
        gt_set_seed(5);
        gt_Layer *model = classifier(eagerly, gt_Accuracy());
        gt_Dataset *rows = classes_dataset(16, true);

        /* initial_epoch: epochs initial_epoch .. epochs - 1 are run, and reported so */
        Heard heard = {.count = 0};
        gt_History *history =
            gt_fit(model, rows, .epochs = 5, .initial_epoch = 3, .validation = rows,
                   .progress = &(gt_Progress){listen, &heard});
        ok();
        cr_assert(heard.count == 2 && heard.epochs[0] == 3 && heard.epochs[1] == 4 &&
                  gt_history_epoch_count(history) == 2);
        cr_assert_eq(heard.batches, 8, "the last partial batch is kept");
        /* History: names of the numbers, val_ before those of the validation */
        static const char *const names[] = {"loss", "accuracy", "val_loss", "val_accuracy"};
        cr_assert_eq(gt_history_name_count(history), 4);
        for (int i = 0; i < 4; i++)
            cr_assert_str_eq(gt_history_name(history, i), names[i]);
        cr_assert(heard.last_loss == gt_history_get(history, "loss", -1),
                  "the loss of the epoch is that after its last batch");
        heard.count = 0;
        history = gt_fit(model, rows, .epochs = 2, .initial_epoch = 2,
                         .progress = &(gt_Progress){listen, &heard});
        cr_assert(history && heard.count == 0 && gt_history_epoch_count(history) == 0);

        /* evaluate and predict: training = false, no variable changes (the dropout's generator is one),
         * nor does the place in the dataset */
        double before[256];
        gt_DatasetPosition place = gt_dataset_position(rows);
        remember(gt_variables(model), before);
        gt_Scores first = gt_evaluate(model, rows), second = gt_evaluate(model, rows);
        gt_Tensor *predicted = gt_predict(model, rows);
        ok();
        cr_assert(first.loss == second.loss && first.metrics[0] == second.metrics[0]);
        cr_assert(same_variables(gt_variables(model), before), "evaluating changes nothing");
        cr_assert(gt_dataset_position(rows).epoch == place.epoch &&
                  gt_dataset_position(rows).row == place.row);
        /* predict joins the batches, in the order of the rows, though fit shuffles */
        gt_Scope *scope = gt_scope_begin();
        gt_Spec all = gt_dataset_x(rows);
        cr_assert(gt_dim(gt_tensor_shape(predicted), 0) == all.dims[0] &&
                  gt_dim(gt_tensor_shape(predicted), 1) == CLASSES);
        gt_Dataset *plain = classes_dataset(ROWS, false);
        gt_Batch batch;
        gt_dataset_next(plain, &batch);
        gt_Tensor *y = gt_call(model, batch.x, .training = false);
        for (int64_t i = 0; i < ROWS * CLASSES; i++)
            near(gt_element(predicted, i), gt_element(y, i), "row %d: %g, not %g",
                 (int)(i / CLASSES), gt_element(predicted, i), gt_element(y, i));
        gt_scope_end(scope);

        /* a model that is only to predict need not be compiled */
        gt_Layer *uncompiled = gt_Sequential(gt_Dense(2, .activation = gt_softmax));
        cr_assert(gt_predict(uncompiled, rows) != NULL);
        ok();

        /* no loss, and no layer that adds one */
        gt_Layer *lossless = line();
        gt_Dataset *row = ones_to_zeros(2, 1);
        gt_compile(lossless, .optimizer = gt_SGD(0.1), .run_eagerly = eagerly);
        refused(gt_fit(lossless, row, .verbose = GT_VERBOSITY_SILENT), GT_STATE, "no loss");
        refused(gt_evaluate(lossless, row), GT_STATE, "no loss");
        cr_assert(weight(lossless) == 1);
        /* one that adds one is enough, and so is a penalty */
        static const gt_LayerClass adding = {.size = sizeof(gt_LayerClass),
                                             .name = "adding",
                                             .instance = sizeof(gt_Layer),
                                             .call = call_with_loss};
        gt_Layer *own =
            gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Ones()),
                          gt_layer_new(&adding, &(gt_Layer){0}));
        gt_compile(own, .optimizer = gt_SGD(0.05), .run_eagerly = eagerly);
        cr_assert(gt_evaluate(own, row).loss == 1);
        gt_fit(own, row, .verbose = GT_VERBOSITY_SILENT);
        ok();
        near(weight(own), 0.81, "%g", weight(own));
        gt_Layer *penalized =
            gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Ones(),
                                   .kernel_regularizer = gt_L2(0.5)));
        gt_compile(penalized, .optimizer = gt_SGD(0.1), .run_eagerly = eagerly);
        gt_fit(penalized, row, .verbose = GT_VERBOSITY_SILENT);
        ok();
        near(weight(penalized), 0.81, "l2 without a half: %g", weight(penalized));
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- runs inside the callbacks of other runs ---- */

typedef enum Inside {
    NOTHING,
    EVALUATE_SAME,
    PREDICT_SAME,
    FIT_SAME,       /* with a learning rate of 0: the weights stay */
    FIT_SAME_ROWS,  /* and the dataset of the run around it */
    EVALUATE_OTHER, /* a model with a metric of its own */
    FIT_OTHER,
    SHARED_METRIC,        /* another model that was compiled with the same metric */
    EVALUATE_IN_EVALUATE, /* two runs in each other */
    FAILS,
    KINDS
} Inside;

typedef struct Nest {
    Inside inside;
    gt_Layer *model, *other, *sharing;
    gt_Dataset *rows, *more;
    int64_t runs;
    gt_Scores expected; /* of EVALUATE_SAME, at a weight that does not change */
    bool failed;
} Nest;

static bool run_inside(void *context, const gt_ProgressEvent *event);

static bool evaluate_too(void *context, const gt_ProgressEvent *event)
{
    Nest *nest = context;
    if (event->kind == GT_PROGRESS_KIND_BATCH && event->step == 2)
        gt_evaluate(nest->model, nest->more);
    return true;
}

static void fit_with_rate_0(Nest *nest, gt_Dataset *rows)
{
    gt_Optimizer *sgd = gt_compiled_optimizer(nest->model);
    double rate = gt_optimizer_learning_rate(sgd);
    gt_optimizer_set_learning_rate(sgd, 0);
    gt_fit(nest->model, rows, .epochs = 2, .validation = nest->more,
           .verbose = GT_VERBOSITY_SILENT);
    gt_optimizer_set_learning_rate(sgd, rate);
}

static bool run_inside(void *context, const gt_ProgressEvent *event)
{
    Nest *nest = context;
    if (event->kind == GT_PROGRESS_KIND_EPOCH_BEGIN)
        return true;
    nest->runs++;
    switch (nest->inside) {
    case EVALUATE_SAME:
        gt_evaluate(nest->model, nest->more);
        break;
    case PREDICT_SAME:
        gt_predict(nest->model, nest->more);
        break;
    case FIT_SAME:
        fit_with_rate_0(nest, nest->more);
        break;
    case FIT_SAME_ROWS:
        fit_with_rate_0(nest, nest->rows);
        break;
    case EVALUATE_OTHER:
        gt_evaluate(nest->other, nest->rows);
        break;
    case FIT_OTHER:
        gt_fit(nest->other, nest->more, .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        break;
    case SHARED_METRIC:
        gt_fit(nest->sharing, nest->more, .validation = nest->more, .verbose = GT_VERBOSITY_SILENT);
        break;
    case EVALUATE_IN_EVALUATE:
        gt_evaluate(nest->model, nest->more, .progress = &(gt_Progress){evaluate_too, nest});
        break;
    case FAILS:
        gt_evaluate(nest->model, NULL);
        nest->failed = gt_status() != GT_OK;
        gt_error_clear();
        break;
    default:
        break;
    }
    return true;
}

/* No dropout: what runs inside must not move its generator. */
static gt_Layer *plain_classifier(bool eagerly, gt_Metric *metric)
{
    gt_Layer *model = gt_Sequential(gt_Dense(8, .activation = gt_tanh), gt_Dense(CLASSES));
    gt_compile(model, .optimizer = gt_SGD(0.1),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(metric), .run_eagerly = eagerly);
    return model;
}

enum { EPOCHS = 3, NUMBERS = 4 * EPOCHS + 2 };

/* The numbers of three epochs and of an evaluation after them, with something inside both. */
static void run_with(Inside inside, bool eagerly, double *numbers)
{
    gt_context_free(NULL);
    gt_set_seed(3);
    gt_Metric *accuracy = gt_Accuracy();
    Nest nest = {.inside = inside};
    nest.model = plain_classifier(eagerly, accuracy);
    nest.rows = classes_dataset(16, true);
    nest.more = gt_dataset_from_tensors(gt_full(gt_shape(9, WIDTH), 0.5),
                                        gt_zeros(gt_shape(9), .dtype = GT_INT32), .batch_size = 4);
    nest.other = plain_classifier(eagerly, gt_Accuracy());
    nest.sharing = plain_classifier(eagerly, accuracy);
    gt_build(nest.model, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_build(nest.other, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_build(nest.sharing, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_Dataset *validation = classes_dataset(20, true);
    gt_History *history = gt_fit(nest.model, nest.rows, .epochs = EPOCHS, .validation = validation,
                                 .progress = &(gt_Progress){run_inside, &nest});
    ok();
    cr_assert(gt_dataset_position(nest.rows).epoch == EPOCHS &&
                  gt_dataset_position(nest.rows).row == 0,
              "kind %d", (int)inside);
    cr_assert_eq(nest.runs, EPOCHS * 5);
    static const char *const names[] = {"loss", "accuracy", "val_loss", "val_accuracy"};
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (int i = 0; i < 4; i++)
            *numbers++ = gt_history_get(history, names[i], epoch);
    gt_Scores scores =
        gt_evaluate(nest.model, nest.rows, .progress = &(gt_Progress){run_inside, &nest});
    ok();
    cr_assert_eq(nest.runs, EPOCHS * 5 + 5);
    cr_assert(nest.failed == (inside == FAILS));
    *numbers++ = scores.loss;
    *numbers++ = scores.metrics[0];
    /* the metric of the last run is that of the evaluation */
    cr_assert(gt_metric_result(accuracy) == scores.metrics[0], "kind %d", (int)inside);
    ok();
}

Test(fit, runs_inside_runs)
{
    for (int eagerly = 0; eagerly < 2; eagerly++) {
        double alone[NUMBERS], nested[NUMBERS];
        run_with(NOTHING, eagerly, alone);
        for (int inside = NOTHING + 1; inside < KINDS; inside++) {
            run_with((Inside)inside, eagerly, nested);
            for (int i = 0; i < NUMBERS; i++)
                cr_assert(nested[i] == alone[i],
                          "eagerly %d, inside %d, number %d: %.17g, alone %.17g", eagerly, inside,
                          i, nested[i], alone[i]);
        }
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What runs inside gives what it would give alone, too. */
static bool compare_inside(void *context, const gt_ProgressEvent *event)
{
    Nest *nest = context;
    if (event->kind == GT_PROGRESS_KIND_BATCH) {
        gt_Scores now = gt_evaluate(nest->model, nest->more);
        cr_assert(now.loss == nest->expected.loss && now.metrics[0] == nest->expected.metrics[0],
                  "%.17g inside, %.17g alone", now.loss, nest->expected.loss);
        nest->runs++;
    }
    return true;
}

Test(fit, runs_inside_give_their_own)
{
    gt_set_seed(3);
    Nest nest = {.inside = NOTHING};
    nest.model = plain_classifier(false, gt_Accuracy());
    nest.more = classes_dataset(7, true);
    nest.rows = classes_dataset(16, true);
    gt_build(nest.model, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_optimizer_set_learning_rate(gt_compiled_optimizer(nest.model), 0);
    nest.expected = gt_evaluate(nest.model, nest.more);
    gt_fit(nest.model, nest.rows, .epochs = 2, .progress = &(gt_Progress){compare_inside, &nest});
    gt_evaluate(nest.model, nest.rows, .progress = &(gt_Progress){compare_inside, &nest});
    ok();
    cr_assert_eq(nest.runs, 12);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Compiled again, and freed, in the middle of its own run: the run goes on with what it began with. */
static bool compile_inside(void *context, const gt_ProgressEvent *event)
{
    Nest *nest = context;
    if (event->kind == GT_PROGRESS_KIND_BATCH && event->step == 1) {
        gt_compile(nest->model, .optimizer = gt_SGD(0.5),
                   .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
        gt_evaluate(nest->model, nest->more);
    }
    if (event->kind == GT_PROGRESS_KIND_BATCH && event->step == 2)
        gt_layer_free(nest->model);
    return true;
}

Test(fit, compiled_again_inside)
{
    double numbers[NUMBERS];
    run_with(NOTHING, false, numbers);
    gt_context_free(NULL);
    gt_set_seed(3);
    Nest nest = {.inside = NOTHING};
    nest.model = plain_classifier(false, gt_Accuracy());
    nest.rows = classes_dataset(16, true);
    nest.more = classes_dataset(16, true);
    gt_build(nest.model, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_History *history =
        gt_fit(nest.model, nest.rows, .progress = &(gt_Progress){compile_inside, &nest});
    ok();
    cr_assert(gt_history_get(history, "loss", 0) == numbers[0] &&
              gt_history_get(history, "accuracy", 0) == numbers[1]);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Whatever allocation fails: an error, the dataset before the batch that failed, nothing lost. */
static bool evaluate_inside(void *context, const gt_ProgressEvent *event)
{
    Nest *nest = context;
    if (event->kind == GT_PROGRESS_KIND_BATCH)
        gt_evaluate(nest->model, nest->more);
    return true;
}

Test(fit, no_memory)
{
    for (long budget = 0;; budget++) {
        Budget memory = {.left = budget};
        gt_Allocator allocator = {budget_allocate, budget_release, &memory};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_Status status = GT_NO_MEMORY;
        if (context) {
            gt_context_use(context);
            Nest nest = {.inside = NOTHING};
            gt_Scope *scope = gt_scope_begin();
            nest.model = plain_classifier(false, gt_Accuracy());
            nest.rows = classes_dataset(25, true);
            nest.more = classes_dataset(50, true);
            gt_scope_end(scope);
            gt_History *history =
                gt_fit(nest.model, nest.rows, .progress = &(gt_Progress){evaluate_inside, &nest});
            status = gt_status();
            gt_error_clear();
            cr_assert((history != NULL) == (status == GT_OK));
            gt_context_free(context);
        }
        cr_assert_eq(memory.held, 0, "%ld: memory is lost", budget);
        if (status == GT_OK)
            break;
        cr_assert_eq(status, GT_NO_MEMORY, "%ld: %s", budget, gt_status_text(status));
    }
    assert_no_leaks();
}

/* A plan that an earlier call made is run by this one, whose line an error of it is at. */
static const char *place;
#undef GT_HERE
#define GT_HERE place

Test(fit, errors_of_plans_are_where_the_call_is)
{
    place = "first.c:1";
    gt_Layer *model = gt_Sequential(gt_Dense(3));
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_Tensor *x = gt_ones(gt_shape(4, 2)), *y = gt_zeros(gt_shape(4), .dtype = GT_INT32);
    gt_Tensor *wrong = gt_full(gt_shape(4), 3, .dtype = GT_INT32);
    for (int eagerly = 0; eagerly < 2; eagerly++) {
        gt_fit(model, x, .y = y, .verbose = GT_VERBOSITY_SILENT);
        gt_evaluate(model, x, .y = y);
        ok();
        place = "second.c:2";
        gt_fit(model, x, .y = wrong, .verbose = GT_VERBOSITY_SILENT);
        assert_error(GT_INVALID, "second.c:2: fit: sparse_softmax_crossentropy: labels must be in [0, 3)");
        place = "third.c:3";
        gt_evaluate(model, x, .y = wrong);
        assert_error(GT_INVALID, "third.c:3: evaluate: sparse_softmax_crossentropy: labels must be in [0, 3)");
        gt_compile(model, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
                   .run_eagerly = true);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
