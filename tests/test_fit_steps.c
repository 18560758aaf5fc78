/* Steps of one's own, what ends a gt_fit before its time, training for a span of time, and losses that are not finite
 * (keras-contract 3.17, Keras's train_step, test_step, predict_step, compute_loss). */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "budget.h"
#include "leaks.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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
#define SILENT .verbose = GT_VERBOSITY_SILENT
#define FOR_BOTH                                                                                   \
    for (int eagerly = 0; eagerly < 2; eagerly++)                                                  \
        for (gt_Scope *scope = gt_scope_begin(); scope;                                            \
             scope = (gt_scope_end(scope), gt_context_free(NULL), (gt_Scope *)NULL))

/* y = w x with w one 1: the gradient of its squared error on x = 1, y = 0 is 2 w. */
static gt_Layer *line(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Ones()));
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

static gt_Layer *classifier(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(6, .activation = gt_tanh), gt_Dropout(0.25), gt_Dense(3));
    gt_build(model, gt_shape(1, 4), GT_FLOAT32);
    return model;
}

static gt_Dataset *classes(void)
{
    int32_t y[30];
    for (int i = 0; i < 30; i++)
        y[i] = i * 7 % 3;
    gt_Tensor *x = gt_sin(gt_reshape(gt_cast(gt_arange(0, 120, 1), GT_FLOAT32), gt_shape(30, 4)));
    return gt_dataset_from_tensors(x, gt_from_data(y, gt_shape(30), GT_INT32), .batch_size = 8);
}

static bool same_weights(gt_Layer *a, gt_Layer *b)
{
    gt_Tensors of_a = gt_variables(a), of_b;
    for (int i = 0; i < of_a.count; i++) {
        of_b = gt_variables(b);
        gt_Tensor *u = of_a.items[i], *v = of_b.items[i];
        if (memcmp(gt_data(u), gt_data(v), (size_t)gt_size(u) * gt_dtype_size(gt_dtype(u))) != 0)
            return false;
    }
    return true;
}

/* ---- steps of one's own ---- */

/* What train/step.h writes out. */
static gt_Status written_out(const gt_StepArgs *in)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y_pred = gt_call(in->model, in->batch->x, .training = true);
    gt_Tensor *loss = gt_step_loss(in, gt_tensors(y_pred));
    gt_minimize(in->optimizer, tape, gt_scale_loss(in->optimizer, loss), gt_trainable_variables(in->model));
    gt_step_metrics(in, gt_tensors(y_pred));
    return gt_tape_end(tape);
}

static gt_Status tested(const gt_StepArgs *in)
{
    gt_Tensor *y_pred = gt_call(in->model, in->batch->x, .training = false);
    gt_step_loss(in, gt_tensors(y_pred));
    return gt_step_metrics(in, gt_tensors(y_pred));
}

static gt_Status built_in(const gt_StepArgs *in)
{
    return in->training ? gt_train_step(in) : gt_test_step(in);
}

/* train_step and test_step: Keras's own steps written out, or called, are the built-in ones, bit for bit. */
Test(fit_steps, keras_steps_written_out)
{
    static const gt_StepFunction train[] = {NULL, written_out, built_in}, test[] = {NULL, tested, built_in};
    FOR_BOTH
    {
        gt_Layer *models[3];
        gt_History *histories[3];
        for (int i = 0; i < 3; i++) {
            gt_set_seed(4);
            models[i] = classifier();
            gt_compile(models[i], .optimizer = gt_Adam(0.01), .metrics = gt_metrics(gt_Accuracy()),
                       .loss = gt_SparseCategoricalCrossentropy(.from_logits = true), .run_eagerly = eagerly,
                       .train_step = train[i], .test_step = test[i]);
            histories[i] = gt_fit(models[i], classes(), .epochs = 3, .validation = classes(), SILENT);
            ok();
        }
        for (int i = 1; i < 3; i++) {
            cr_assert(same_weights(models[0], models[i]), "eagerly %d, step %d", eagerly, i);
            cr_assert_eq(gt_history_name_count(histories[i]), 4);
            for (int k = 0; k < 4; k++) {
                const char *name = gt_history_name(histories[0], k);
                cr_assert(gt_history_get(histories[0], name, 2) == gt_history_get(histories[i], name, 2), "%s", name);
            }
        }
    }
    assert_no_leaks();
}

/* A step that shows numbers of its own, through metrics, and no loss; `user` comes along. */
typedef struct Own {
    gt_Metric *size;
    double factor;
} Own;

static gt_Status sized(const gt_StepArgs *in)
{
    const Own *own = in->user;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *size = gt_mean(gt_square(gt_call(in->model, in->batch->x, .training = in->training)));
    gt_Tensor *loss = gt_multiply(size, own->factor);
    if (in->training)
        gt_minimize(in->optimizer, tape, loss, gt_trainable_variables(in->model));
    gt_metric_update(own->size, NULL, size);
    return gt_tape_end(tape);
}

Test(fit_steps, numbers_of_ones_own)
{
    FOR_BOTH
    {
        gt_Layer *model = line();
        Own own = {.size = gt_Mean(.name = "size"), .factor = 0.5};
        gt_compile(model, .optimizer = gt_SGD(0.1), .metrics = gt_metrics(own.size), .run_eagerly = eagerly,
                   .train_step = sized, .test_step = sized, .user = &own);
        gt_Dataset *rows = ones_to_zeros(2, 1);
        gt_History *history = gt_fit(model, rows, .epochs = 1, .validation = rows, SILENT);
        ok();
        /* w: 1, 0.9, 0.81; sizes of the two batches before their steps: 1 and 0.81 */
        cr_assert(fabs(weight(model) - 0.81) < 1e-6, "%g", weight(model));
        cr_assert_eq(gt_history_name_count(history), 2, "no loss is shown where none is computed");
        cr_assert(fabs(gt_history_get(history, "size", 0) - 0.905) < 1e-6);
        cr_assert(fabs(gt_history_get(history, "val_size", 0) - 0.81 * 0.81) < 1e-6);
        refused(gt_history_get(history, "loss", 0), GT_INVALID, "it has size, val_size");
    }
    assert_no_leaks();
}

/* compute_loss: instead of the sum of the losses, which it may call. */
static gt_Tensor *tripled(const gt_StepArgs *in, gt_Tensors y_pred)
{
    return gt_multiply(gt_step_loss(in, y_pred), 3);
}

static gt_Tensor *absolute(const gt_StepArgs *in, gt_Tensors y_pred)
{
    return gt_mean(gt_abs(gt_subtract(in->batch->y, y_pred.items[0])));
}

static gt_Tensor *no_scalar(const gt_StepArgs *in, gt_Tensors y_pred)
{
    return gt_abs(gt_subtract(in->batch->y, y_pred.items[0]));
}

static gt_Tensor *nothing(const gt_StepArgs *in, gt_Tensors y_pred)
{
    (void)in, (void)y_pred;
    return NULL;
}

Test(fit_steps, compute_loss_of_ones_own)
{
    FOR_BOTH
    {
        gt_Dataset *row = ones_to_zeros(1, 1);
        gt_Layer *model = line();
        gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError(), .compute_loss = tripled,
                   .run_eagerly = eagerly);
        cr_assert(gt_evaluate(model, row).loss == 3);
        gt_fit(model, row, SILENT);
        ok();
        cr_assert(fabs(weight(model) - 0.4) < 1e-6, "%g", weight(model));
        model = line();
        gt_compile(model, .optimizer = gt_SGD(0.1), .compute_loss = absolute, .run_eagerly = eagerly);
        gt_fit(model, row, SILENT);
        ok();
        cr_assert(fabs(weight(model) - 0.9) < 1e-6, "%g", weight(model));
        gt_compile(model, .optimizer = gt_SGD(0.1), .compute_loss = no_scalar, .run_eagerly = eagerly);
        refused(gt_fit(model, row, SILENT), GT_INVALID, "must be a scalar (got rank 2)");
        gt_compile(model, .optimizer = gt_SGD(0.1), .compute_loss = nothing, .run_eagerly = eagerly);
        refused(gt_fit(model, row, SILENT), GT_INVALID, "compute_loss is NULL");
        cr_assert(fabs(weight(model) - 0.9) < 1e-6);
    }
    assert_no_leaks();
}

/* predict_step, of gt_predict and gt_predict_on_batch. */
static gt_Status halved(const gt_StepArgs *in, int32_t count, gt_Tensor **y_pred)
{
    cr_assert(count == 1 && !in->training);
    y_pred[0] = gt_multiply(gt_call(in->model, in->batch->x), *(const double *)in->user);
    return gt_status();
}

static gt_Status forgetful(const gt_StepArgs *in, int32_t count, gt_Tensor **y_pred)
{
    (void)in, (void)count, (void)y_pred;
    return GT_OK;
}

static gt_Status failing(const gt_StepArgs *in)
{
    (void)in;
    return GT_STATE;
}

Test(fit_steps, predict_step_of_ones_own)
{
    double half = 0.5;
    gt_Layer *model = line();
    gt_Tensor *x = gt_array(gt_shape(3, 1), 1, 2, 3);
    gt_compile(model, .loss = gt_MeanSquaredError(), .predict_step = halved, .user = &half);
    cr_assert(gt_element(gt_predict(model, x, .batch_size = 2), 2) == 1.5);
    cr_assert(gt_element(gt_predict_on_batch(model, x), 2) == 1.5);
    ok();
    gt_compile(model, .loss = gt_MeanSquaredError(), .predict_step = forgetful, .train_step = failing);
    refused(gt_predict(model, x), GT_INVALID, "the predict_step left prediction 1 of 1 NULL");
    refused(gt_fit(model, x, .y = x, SILENT), GT_STATE, "the train_step failed");
    refused(gt_step_loss(NULL, gt_tensors(x)), GT_INVALID, "got NULL");
    refused(gt_step_metrics(&(gt_StepArgs){0}, gt_tensors(x)), GT_INVALID, "another struct");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Fewer predictions than there are losses. */
static gt_Status one_of_two(const gt_StepArgs *in)
{
    gt_step_loss(in, gt_tensors(gt_call(in->model, in->batch->x)));
    return gt_status();
}

Test(fit_steps, as_many_predictions_as_losses)
{
    gt_Tensor *x = gt_Input(gt_shape(1)), *ones = gt_ones(gt_shape(4, 1));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dense(1), x), gt_call(gt_Dense(1), x)));
    gt_compile(model, .loss = gt_MeanSquaredError(), .train_step = one_of_two);
    refused(gt_fit(model, ones, .y = ones, .more_y = gt_tensors(ones), SILENT), GT_INVALID,
            "there must be 2 predictions, as many as there are losses (got 1)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- what ends a run ---- */

typedef struct Stopper {
    gt_Layer *model;
    int after, heard;
} Stopper;

static bool stop_after(void *context, const gt_ProgressEvent *event)
{
    Stopper *self = context;
    if (event->kind == GT_PROGRESS_KIND_BATCH && ++self->heard == self->after)
        gt_stop_training(self->model);
    return true;
}

/* gt_stop_training: after the batch; the epoch is closed, validated, and part of the history. A further gt_fit is not stopped. */
Test(fit_steps, stop_training)
{
    FOR_BOTH
    {
        gt_Layer *model = line();
        gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
        gt_Dataset *rows = ones_to_zeros(4, 1);
        Stopper stopper = {.model = model, .after = 6};
        gt_History *history = gt_fit(model, rows, .epochs = 9, .validation = rows,
                                     .progress = &(gt_Progress){stop_after, &stopper});
        ok();
        cr_assert(gt_history_epoch_count(history) == 2 && stopper.heard == 6);
        cr_assert(isfinite(gt_history_get(history, "val_loss", 1)));
        cr_assert(gt_dataset_position(rows).epoch == 1 && gt_dataset_position(rows).row == 2);
        history = gt_fit(model, rows, .epochs = 1, SILENT);
        cr_assert(gt_dataset_position(rows).epoch == 2 && gt_dataset_position(rows).row == 0);
        gt_stop_training(model); /* nothing runs: nothing is stopped */
        history = gt_fit(model, rows, .epochs = 2, SILENT);
        ok();
        cr_assert_eq(gt_history_epoch_count(history), 2);
    }
    assert_no_leaks();
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static bool raise_signal(void *context, const gt_ProgressEvent *event)
{
    if (event->kind == GT_PROGRESS_KIND_BATCH && ++*(int *)context == 6)
        raise(SIGINT);
    return true;
}

/* A signal: after the batch, with what there is, without validation; averages stay aside, and the run goes on from there to
 * the weights of one that was not stopped. */
Test(fit_steps, stopped_by_a_signal)
{
    FOR_BOTH
    {
        void (*before)(int) = signal(SIGINT, on_signal);
        gt_Layer *models[2];
        for (int cut = 0; cut < 2; cut++) {
            int heard = 0;
            models[cut] = line();
            gt_Dataset *rows = ones_to_zeros(4, 1);
            stop = 0;
            gt_compile(models[cut], .optimizer = gt_SGD(0.05, .use_ema = true), .loss = gt_MeanSquaredError(),
                       .run_eagerly = eagerly);
            gt_History *history = gt_fit(models[cut], rows, .epochs = 3, .validation = rows, .stop = &stop,
                                         .progress = cut ? &(gt_Progress){raise_signal, &heard} : NULL, SILENT);
            ok();
            cr_assert_eq(gt_history_epoch_count(history), cut ? 2 : 3);
            if (!cut)
                continue;
            cr_assert(isnan(gt_history_get(history, "val_loss", 1)) && !isnan(gt_history_get(history, "val_loss", 0)));
            cr_assert(gt_dataset_position(rows).row == 2);
            stop = 0;
            gt_fit(models[cut], rows, .epochs = 3, .initial_epoch = 1, .stop = &stop, SILENT);
            ok();
        }
        signal(SIGINT, before);
        cr_assert(weight(models[0]) == weight(models[1]), "%.9g and %.9g", weight(models[0]), weight(models[1]));
    }
    assert_no_leaks();
}

/* A gt_predict that its report ends gives the predictions of the rows so far. */
static bool two_batches(void *context, const gt_ProgressEvent *event)
{
    return event->kind != GT_PROGRESS_KIND_BATCH || ++*(int *)context < 2;
}

Test(fit_steps, predict_that_is_ended)
{
    gt_Layer *model = line();
    gt_Tensor *x = gt_array(gt_shape(5, 1), 1, 2, 3, 4, 5);
    int heard = 0;
    gt_Tensor *y = gt_predict(model, x, .batch_size = 2, .progress = &(gt_Progress){two_batches, &heard});
    ok();
    cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(4, 1)) && gt_element(y, 3) == 4);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- streams ---- */

static gt_Tensor *odd(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_reshape(gt_equal(gt_mod(batch->x, 2), 1), gt_shape(batch->size));
}

/* A dataset that does not say how many rows it has: trained, validated, evaluated and predicted as the same rows in memory. */
Test(fit_steps, streams)
{
    FOR_BOTH
    {
        gt_Tensor *all = gt_reshape(gt_cast(gt_arange(1, 12, 1), GT_FLOAT32), gt_shape(11, 1));
        gt_Tensor *odds = gt_reshape(gt_cast(gt_arange(1, 12, 2), GT_FLOAT32), gt_shape(6, 1));
        gt_Dataset *stream = gt_dataset_filter(gt_dataset_from_tensors(all, all, .batch_size = 4, .shuffle = false), odd, NULL);
        gt_Dataset *rows = gt_dataset_from_tensors(odds, odds, .batch_size = 4, .shuffle = false);
        gt_Dataset *both[] = {stream, rows};
        double losses[2], validations[2], scores[2];
        gt_Tensor *y_pred[2];
        for (int i = 0; i < 2; i++) {
            gt_Layer *model = line();
            gt_compile(model, .optimizer = gt_SGD(1e-3), .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
            gt_assign(gt_weights(model).items[0], 0.5);
            gt_History *history = gt_fit(model, both[i], .epochs = 3, .validation = both[i], SILENT);
            ok();
            losses[i] = gt_history_get(history, "loss", -1);
            validations[i] = gt_history_get(history, "val_loss", -1);
            scores[i] = gt_evaluate(model, both[i], .steps = 1).loss;
            y_pred[i] = gt_predict(model, both[i]);
            ok();
        }
        cr_assert(losses[0] == losses[1] && validations[0] == validations[1] && scores[0] == scores[1]);
        cr_assert(gt_shape_equal(gt_tensor_shape(y_pred[0]), gt_shape(6, 1)) &&
                  memcmp(gt_data(y_pred[0]), gt_data(y_pred[1]), 6 * sizeof(float)) == 0);
        /* One that never ends has epochs of so many batches, and no end to be predicted up to. */
        gt_Dataset *endless = gt_dataset_repeat(gt_dataset_from_tensors(odds, odds, .batch_size = 4), -1);
        gt_Layer *model = line();
        gt_compile(model, .optimizer = gt_SGD(1e-4), .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
        cr_assert(gt_history_epoch_count(gt_fit(model, endless, .epochs = 2, .steps_per_epoch = 5, SILENT)) == 2);
        cr_assert_eq(gt_optimizer_iterations(gt_compiled_optimizer(model)), 10);
        cr_assert(gt_evaluate(model, endless, .steps = 3).steps == 3);
        cr_assert(gt_dim(gt_tensor_shape(gt_predict(model, endless, .steps = 3)), 0) == 12);
        refused(gt_predict(model, endless, .steps = INT64_MAX), GT_INVALID, "are more than can be predicted");
        ok();
        refused(gt_predict(model, endless), GT_INVALID, "no end");
        refused(gt_evaluate(model, endless), GT_INVALID, "no end: it repeats for ever, so give .steps");
        refused(gt_fit(model, endless, SILENT), GT_INVALID, "so give .steps_per_epoch");
        refused(gt_fit(model, rows, .validation = endless, SILENT), GT_INVALID, "so give .validation_steps");
    }
    assert_no_leaks();
}

/* ---- for a span of time ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* gt_train_for goes through the dataset, epoch after epoch, as gt_fit does; none of its batches is expected to end too late. */
Test(fit_steps, for_a_span_of_time)
{
    FOR_BOTH
    {
        gt_Layer *model = line();
        gt_Dataset *rows = ones_to_zeros(4, 1);
        gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError(), .run_eagerly = eagerly,
                   .metrics = gt_metrics(gt_LossMetric(gt_MeanSquaredError(), .name = "mse")));
        /* By number: w is 1, .9, .81, .729, .6561, and the fifth batch is the first of the second epoch. */
        gt_Scores scores = gt_train_for(model, rows, 60, .steps = 5);
        ok();
        cr_assert(fabs(scores.loss - (1 + .81 + .6561 + .531441 + .43046721) / 5) < 1e-6, "%g", scores.loss);
        cr_assert(scores.steps == 5 && scores.count == 1 && scores.metrics[0] == scores.loss);
        cr_assert(gt_dataset_position(rows).epoch == 1 && gt_dataset_position(rows).row == 1);
        double began = now();
        gt_Scores more = gt_train_for(model, rows, 0.02);
        double took = now() - began;
        ok();
        cr_assert(more.steps >= 1 && took < 10, "%d steps in %g s", (int)more.steps, took);
        cr_assert_eq(gt_optimizer_iterations(gt_compiled_optimizer(model)), 5 + more.steps);
        cr_assert(gt_train_for(model, rows, 0).steps == 0, "there is no time");
        cr_assert(gt_train_for(model, rows, 1, .steps = 0).steps == 0);
        ok();
    }
    assert_no_leaks();
}

static double pause_of_batch;

/* x, after a pause: an eager batch that takes as long as it is told. */
static gt_Tensor *after_a_pause(void *user, const gt_CallArgs *in)
{
    (void)user;
    for (double end = now() + pause_of_batch; now() < end;) {
    }
    return gt_multiply(in->x, 1);
}

/* One batch that took long keeps gt_train_for from training for a while, not for ever; batches that all take too long do. */
Test(fit_steps, one_slow_batch_is_forgotten)
{
    for (int always = 0; always < 2; always++) {
        gt_Layer *model = gt_Sequential(gt_Lambda(after_a_pause), gt_Dense(1));
        gt_Dataset *rows = ones_to_zeros(4, 1);
        gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError(), .run_eagerly = true);
        pause_of_batch = always ? 0.5 : 0;
        gt_train_for(model, rows, 60, .steps = 3);
        pause_of_batch = 0.5;
        gt_train_for(model, rows, 60, .steps = 1);
        pause_of_batch = 0;
        int64_t steps = 0;
        int calls = 0;
        for (; calls < 1000 && steps == 0; calls++)
            steps += gt_train_for(model, rows, 0.25).steps;
        ok();
        cr_assert(always ? steps == 0 : steps > 0 && calls > 1, "%d calls", calls);
        gt_dataset_free(rows);
        gt_layer_free(model);
    }
    assert_no_leaks();
}

/* ---- losses that are not finite ---- */

/* Not finite where x is not positive. */
static gt_Tensor *logarithm(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_log(in->x);
}

/* The same with a gradient that stays finite: weights stay what they are. */
static gt_Tensor *beside_logarithm(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_add(in->x, gt_stop_gradient(gt_log(in->x)));
}

static const gt_LayerClass beside_class = {
    .size = sizeof(gt_LayerClass), .name = "beside", .instance = sizeof(gt_Layer), .call = beside_logarithm};
static const gt_LayerClass logarithm_class = {
    .size = sizeof(gt_LayerClass), .name = "logarithm", .instance = sizeof(gt_Layer), .call = logarithm};

static int warnings_with(const char *text)
{
    int count = 0;
    for (int i = 0; i < gt_warnings().count; i++)
        count += strstr(gt_warnings().items[i], text) != NULL;
    return count;
}

/* A loss that is not finite is no error; it is a warning, once an epoch, that names where it came from. Training goes on,
 * and what is trained is what it would be without the watch. */
Test(fit_steps, losses_that_are_not_finite)
{
    FOR_BOTH
    {
        gt_Layer *model = gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Ones()),
                                        gt_layer_new(&beside_class, &(gt_Layer){0}));
        gt_Tensor *x = gt_array(gt_shape(4, 1), 1, 2, 0, 0), *y = gt_zeros(gt_shape(4, 1));
        gt_compile(model, .optimizer = gt_SGD(0), .loss = gt_MeanAbsoluteError(), .run_eagerly = eagerly);
        gt_warnings_clear();
        gt_History *history = gt_fit(model, x, .y = y, .batch_size = 1, .shuffle = false, .epochs = 2, SILENT);
        ok();
        cr_assert_eq(gt_history_epoch_count(history), 2);
        cr_assert(!isfinite(gt_history_get(history, "loss", 1)));
        cr_assert_eq(gt_warnings().count, 2, "%d, \"%s\"", gt_warnings().count,
                     gt_warnings().count ? gt_warnings().items[0] : "");
        cr_assert(warnings_with("fit: epoch 1: the loss of batch 3") == 1 && warnings_with("fit: epoch 2: the loss of batch 3") == 1);
        cr_assert_eq(warnings_with("log: "), 2, "%s", gt_warnings().items[0]);
        cr_assert_eq(warnings_with("in sequential/beside"), 2, "%s", gt_warnings().items[0]);
        cr_assert_eq(gt_optimizer_iterations(gt_compiled_optimizer(model)), 8, "every batch is trained on once");
    }
    assert_no_leaks();
}

/* Inputs and weights are named before any operation is. */
Test(fit_steps, where_it_came_from)
{
    FOR_BOTH
    {
        gt_Layer *model = line();
        gt_Tensor *x = gt_array(gt_shape(2, 1), 1, INFINITY), *y = gt_zeros(gt_shape(2, 1)), *nan = gt_full(gt_shape(2, 1), NAN);
        gt_Tensor *ones = gt_ones(gt_shape(2, 1));
        gt_compile(model, .optimizer = gt_SGD(0), .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
        gt_warnings_clear();
        gt_fit(model, x, .y = y, SILENT);
        cr_assert_eq(warnings_with("batch 1 is not finite: input 1 of the batch is not"), 1);
        gt_warnings_clear();
        gt_fit(model, ones, .y = nan, SILENT);
        cr_assert_eq(warnings_with("label 1 of the batch is not"), 1);
        gt_warnings_clear();
        gt_assign(gt_weights(model).items[0], NAN);
        gt_fit(model, ones, .y = y, .epochs = 3, SILENT);
        ok();
        cr_assert_eq(warnings_with("weight dense/kernel was not before it"), 3, "%s",
                     gt_warnings().count ? gt_warnings().items[0] : "");
    }
    assert_no_leaks();
}

/* Whatever allocation fails: an error, and nothing lost. */
static gt_Status a_whole_run(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(4, 1), 1, 2, NAN, 4), *y = gt_array(gt_shape(4, 1), 0, 1, 0, 1);
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_compile(model, .loss = gt_MeanSquaredError());
    gt_History *history = gt_fit(model, x, .y = y, .batch_size = 1, .shuffle = false, .validation_split = 0.25,
                                 .class_weight = gt_array(gt_shape(2), 1, 2), SILENT);
    gt_train_on_batch(model, x, .y = y);
    gt_predict_on_batch(model, x);
    if (history) {
        gt_history_csv(history);
        gt_history_json(history);
        gt_history_values(history, "loss");
    }
    gt_Status status = gt_status();
    gt_error_clear();
    gt_scope_end(scope);
    return status;
}

Test(fit_steps, no_memory)
{
    for (long budget = 0;; budget++) {
        Budget memory = {.left = budget};
        gt_Allocator allocator = {budget_allocate, budget_release, &memory};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_Status status = GT_NO_MEMORY;
        if (context) {
            gt_context_use(context);
            status = a_whole_run();
            gt_context_free(context);
        }
        cr_assert_eq(memory.held, 0, "%ld: memory is lost", budget);
        if (status == GT_OK)
            break;
        cr_assert_eq(status, GT_NO_MEMORY, "%ld: %s", budget, gt_status_text(status));
    }
    assert_no_leaks();
}

/* Nothing that a step changes is changed twice, or by the search: moving averages, generators, the step count. */
Test(fit_steps, the_search_leaves_no_trace)
{
    FOR_BOTH
    {
        gt_Layer *models[2];
        for (int watched = 0; watched < 2; watched++) {
            gt_set_seed(11);
            models[watched] = gt_Sequential(gt_Dense(4, .kernel_initializer = gt_Ones(), .trainable = false),
                                            gt_BatchNormalization(), gt_Dropout(0.5),
                                            gt_layer_new(&logarithm_class, &(gt_Layer){0}));
            gt_build(models[watched], gt_shape(2, 1), GT_FLOAT32);
            gt_compile(models[watched], .optimizer = gt_Adam(0), .loss = gt_MeanSquaredError(), .run_eagerly = eagerly);
            gt_Tensor *x = gt_sin(gt_reshape(gt_cast(gt_arange(0, 8, 1), GT_FLOAT32), gt_shape(8, 1)));
            gt_Tensor *y = gt_zeros(gt_shape(8, 4));
            if (watched)
                gt_fit(models[watched], x, .y = y, .batch_size = 2, .shuffle = false, SILENT);
            for (int i = 0; i < 4 && !watched; i++) {
                char rows[16];
                snprintf(rows, sizeof rows, "%d:%d", 2 * i, 2 * i + 2);
                gt_train_on_batch(models[watched], gt_get_item(x, rows), .y = gt_get_item(y, rows));
            }
            ok();
        }
        cr_assert(warnings_with("is not finite") == 1);
        cr_assert(same_weights(models[0], models[1]), "eagerly %d", eagerly);
    }
    assert_no_leaks();
}
