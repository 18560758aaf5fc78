/* Fit, evaluate, predict: loops over a dataset whose steps are those of compile.c. Leans on
 * history.c for the numbers of epochs, on progress.c for the report.
 *
 *     run_begin -> batches: gt_compiled_step (or gt_call) -> run_end
 *
 * A run hides from the caller's tapes, flushes denormals, and holds model, optimizer, metrics
 * and datasets, since a report may free them or run another one inside this one. */
#include "train/callback_run.h"
#include "train/compiled.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_fit_options, gt_fit_OPTIONS);
GT_OPTION_TYPE(gt_evaluate_options, gt_evaluate_OPTIONS);
GT_OPTION_TYPE(gt_predict_options, gt_predict_OPTIONS);

/* ---- one run of any of them ---- */

/* Unseen by the caller's tapes, denormals flushed, everything held that a report could free, and
 * what runs around it gathered put by. */
typedef struct Run {
    gt_Context *context;
    gt_LayerState *state;
    gt_Compiled *compiled; /* NULL: predict */
    gt_Dataset *dataset[2];
    gt_Progress progress;
    gt_Printer printer;
    gt_Site site;
    uint64_t recording;
    gt_FloatMode mode;
    bool stopped;                   /* the report said so */
    bool resumes;                   /* gt_fit, and what an interrupted one gathered */
    bool around;                    /* an interrupted gt_fit keeps what it gathered */
    void *kept[GT_MAX_SCORES];      /* of the loss, of the metrics */
    gt_Callbacks taken;             /* what gt_fit and the others were given */
    gt_CallbackRun callbacks;
    gt_FitState *fit; /* of gt_fit: where it is */
} Run;

static gt_Progress told(const gt_Progress *progress)
{
    const gt_Progress none = {0};
    return progress ? *progress : none;
}

static gt_Status check_dataset(const Run *run, const gt_Dataset *dataset, const char *what)
{
    if (!gt_dataset_check(run->context, NULL, NULL, dataset))
        return gt_context_status(run->context);
    int32_t losses = run->compiled ? run->compiled->loss_count : 0;
    int labels = gt_dataset_y_count(dataset);
    if (losses > 0 && labels == 0)
        return gt_raise(run->context, GT_INVALID, NULL, NULL,
                        "the loss needs y, and the %s has none", what);
    if (losses > 0 && labels != losses)
        return gt_raise(run->context, GT_INVALID, NULL, NULL,
                        "the model is compiled with %d loss%s, and the %s has %d label%s",
                        (int)losses, losses == 1 ? "" : "es", what, labels,
                        labels == 1 ? "" : "s");
    return gt_context_status(run->context);
}

static gt_Status check_run(Run *run, const char *operation, const gt_Layer *model, bool compiled)
{
    gt_Context *context = run->context;
    run->state = compiled ? gt_layer_own(context, NULL, NULL, model)
                          : gt_layer_check(context, NULL, NULL, model);
    if (!run->state)
        return gt_context_status(context);
    if (gt_tracing(context) || gt_context_frame(context))
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "it cannot run inside a traced function or the call of a layer");
    if (compiled && !gt_compiled_of(run->state))
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "model %s is not compiled: gt_compile(model, .optimizer = ..., .loss = "
                        "...) comes before gt_%s",
                        run->state->name, operation);
    if (compiled)
        run->compiled = gt_compiled_of(run->state);
    if (check_dataset(run, run->dataset[0], "dataset") != GT_OK)
        return gt_context_status(context);
    return run->dataset[1] ? check_dataset(run, run->dataset[1], "validation") : GT_OK;
}

static void leave_metrics(Run *run, int32_t count)
{
    for (int32_t i = count - 1; i >= 0; i--) {
        gt_metric_leave(run->compiled->scores[i], run->kept[i]);
        if (run->around)
            gt_metric_leave(run->compiled->scores[i], NULL);
    }
}

/* A gt_fit that was interrupted in the middle of an epoch is still a run around this one, unless this one resumes it. */
static gt_Status enter_metrics(Run *run)
{
    void *none;
    run->around = !run->resumes && run->compiled->fits == 0 && run->compiled->fit.batch > 0;
    for (int32_t i = 0; i < run->compiled->count; i++) {
        if (run->around)
            gt_metric_enter(run->compiled->scores[i], &none);
        if (gt_metric_enter(run->compiled->scores[i], &run->kept[i]) != GT_OK) {
            if (run->around)
                gt_metric_leave(run->compiled->scores[i], NULL);
            leave_metrics(run, i);
            return gt_context_status(run->context);
        }
    }
    return GT_OK;
}

/* Nobody is told any more, and what was taken is dropped. */
static void leave_callbacks(Run *run)
{
    gt_callbacks_leave(&run->callbacks);
    gt_callbacks_each(&run->taken, gt_object_release);
}

/* Enters; on failure there is nothing to leave, and the callbacks are dropped. */
static gt_Status run_begin(Run *run, const char *here, const char *operation, const gt_Layer *model,
                           bool compiled, gt_Verbosity verbosity)
{
    gt_callbacks_each(&run->taken, gt_object_sink);
    if (!run->context) {
        gt_callbacks_each(&run->taken, gt_object_release);
        return gt_status();
    }
    run->site = gt_site_enter(here, operation);
    if (verbosity < GT_VERBOSITY_AUTO || verbosity > GT_VERBOSITY_LINES)
        gt_raise(run->context, GT_INVALID, NULL, NULL, "unknown verbosity %d; expected -1 to 2",
                 (int)verbosity);
    gt_check_function("the report of progress", (uintptr_t)run->progress.report);
    if (gt_context_status(run->context) != GT_OK ||
        check_run(run, operation, model, compiled) != GT_OK ||
        gt_callbacks_enter(&run->callbacks, run->context, run->state, run->compiled, &run->taken) !=
            GT_OK ||
        (run->compiled && enter_metrics(run) != GT_OK)) {
        leave_callbacks(run);
        gt_site_leave(run->site);
        return gt_context_status(run->context);
    }
    run->printer = gt_printer(verbosity);
    run->callbacks.in.dataset = run->dataset[0];
    if (run->state->object.context == run->context) /* else it is not written to: layer.c */
        run->state->object.references++;
    if (run->compiled)
        run->compiled->object.references++;
    for (int i = 0; i < 2; i++)
        if (run->dataset[i])
            gt_dataset_object(run->dataset[i])->references++;
    run->recording = gt_tape_quiet(run->context);
    run->mode = gt_float_mode_begin(run->context);
    return GT_OK;
}

static void run_end(Run *run)
{
    gt_float_mode_restore(run->mode);
    gt_tape_unquiet(run->context, run->recording);
    leave_callbacks(run);
    for (int i = 0; i < 2; i++)
        if (run->dataset[i])
            gt_object_release(gt_dataset_object(run->dataset[i]));
    if (run->compiled) {
        leave_metrics(run, run->compiled->count);
        gt_object_release(&run->compiled->object);
    }
    if (run->state->object.context == run->context)
        gt_object_release(&run->state->object);
    gt_site_leave(run->site);
}

static void report(Run *run, const gt_ProgressEvent *event)
{
    if (!run->progress.report)
        gt_printer_report(&run->printer, event);
    else if (!run->progress.report(run->progress.context, event))
        run->stopped = true;
}

/* Shall it end after this batch or epoch? */
static bool stops(const Run *run)
{
    return run->stopped || run->callbacks.stopped;
}

/* Tells about a batch, if anybody listens. */
static void report_batch(Run *run, gt_ProgressEvent *event, double began)
{
    double values[GT_MAX_SCORES];
    if (!run->progress.report && run->printer.verbosity != GT_VERBOSITY_BAR)
        return;
    gt_compiled_read(run->compiled, values);
    event->kind = GT_PROGRESS_KIND_BATCH;
    event->seconds = gt_seconds() - began;
    event->values = values;
    report(run, event);
    event->values = NULL;
}

static gt_Status check_interrupt(const Run *run)
{
    return gt_interrupted(run->context)
               ? gt_raise(run->context, GT_INTERRUPTED, NULL, NULL, "interrupted between batches")
               : gt_context_status(run->context);
}

/* Makes the variables, of the model and of the optimizer. A model that is traced is built without
 * computing, any other by a first call. */
static gt_Status build_all(const Run *run)
{
    gt_Context *context = run->context;
    gt_Layer *model = run->state->layer;
    if (!run->state->built && gt_scope_open(context)) {
        gt_Batch batch;
        if (gt_dataset_slice(run->dataset[0], 0, &batch) == GT_OK) {
            if (run->compiled->run_eagerly) {
                gt_Tensor *y_pred[GT_MAX_LOSSES];
                gt_call_on_batch(model, &batch, false, 1, y_pred);
            } else {
                gt_Spec specs[GT_MAX_COLUMNS];
                for (int32_t i = 0; i < batch.x_count; i++)
                    specs[i] = gt_spec(batch.xs[i]);
                gt_build_for(model, batch.x_count, specs);
            }
        }
        gt_scope_close(context);
    }
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    gt_Tensors variables = gt_trainable_variables(model);
    if (variables.count == 0)
        return gt_raise(context, GT_STATE, NULL, NULL, "model %s has no trainable weights",
                        run->state->name);
    gt_Optimizer *optimizer = run->compiled->optimizer;
    return gt_optimizer_built(optimizer) ? gt_context_status(context)
                                         : gt_optimizer_build(optimizer, variables);
}

/* ---- evaluate ---- */

/* The callbacks are told of a test from here on. Returns what they were told of before. */
static gt_CallbackArgs test_begin(Run *run, gt_Dataset *dataset, bool validation)
{
    gt_CallbackArgs before = run->callbacks.in, *in = &run->callbacks.in;
    in->dataset = dataset;
    in->validation = validation;
    in->batch = -1;
    in->batches = gt_dataset_batches(dataset);
    gt_callbacks_log_nothing(&run->callbacks);
    gt_callbacks_tell(&run->callbacks, GT_HOOK_TEST_BEGIN);
    return before;
}

/* With the numbers of the test, and back to what it stood in. */
static void test_end(Run *run, const gt_CallbackArgs *before, const double *values)
{
    gt_callbacks_log_metrics(&run->callbacks);
    memcpy(run->callbacks.values, values, (size_t)run->callbacks.logs * sizeof *values);
    run->callbacks.unread = false;
    run->callbacks.in.batch = -1;
    gt_callbacks_tell(&run->callbacks, GT_HOOK_TEST_END);
    run->callbacks.in = *before;
}

/* Loss and metrics over all rows in their own order. `event` is what to tell; NULL: nothing. */
static gt_Status evaluate(Run *run, gt_Dataset *dataset, gt_ProgressEvent *event, double *values)
{
    gt_Context *context = run->context;
    double began = gt_seconds();
    int64_t rows = gt_dataset_size(dataset);
    gt_CallbackRun *callbacks = &run->callbacks;
    gt_CallbackArgs before = test_begin(run, dataset, event == NULL);
    gt_compiled_reset(run->compiled);
    for (int64_t first = 0; first < rows && !run->stopped && check_interrupt(run) == GT_OK;) {
        if (event && callbacks->stopped)
            break; /* in a validation it is the training that ends */
        gt_Scope *outer = gt_scope_innermost(context);
        gt_Batch batch;
        if (!gt_scope_open(context))
            break;
        callbacks->in.batch++;
        gt_callbacks_log_nothing(callbacks);
        if (gt_dataset_slice(dataset, first, &batch) == GT_OK &&
            gt_callbacks_tell(callbacks, GT_HOOK_TEST_BATCH_BEGIN) == GT_OK)
            gt_compiled_step(run->compiled, false, &batch);
        gt_scope_unwind(context, outer);
        if (gt_context_status(context) != GT_OK)
            break;
        first += batch.size;
        gt_callbacks_log_metrics(callbacks);
        gt_callbacks_tell(callbacks, GT_HOOK_TEST_BATCH_END);
        if (event) {
            event->step++;
            report_batch(run, event, began);
        }
    }
    gt_compiled_read(run->compiled, values);
    test_end(run, &before, values);
    return gt_context_status(context);
}

gt_Scores gt_evaluate_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                         const gt_evaluate_options *given)
{
    gt_evaluate_options options = GT_TAKE(gt_evaluate_options, given);
    gt_Scores scores = {.loss = NAN};
    for (int i = 0; i < GT_MAX_METRICS; i++)
        scores.metrics[i] = NAN;
    Run run = {.context = gt_enter(),
               .dataset = {dataset},
               .progress = told(options.progress),
               .taken = options.callbacks};
    if (run_begin(&run, here, "evaluate", model, true, options.verbose) != GT_OK)
        return scores;
    const char *names[GT_MAX_SCORES];
    double values[GT_MAX_SCORES];
    for (int32_t i = 0; i < run.compiled->count; i++)
        names[i] = gt_metric_name(run.compiled->scores[i]);
    int64_t rows = gt_dataset_size(dataset), size = gt_dataset_batch_size(dataset);
    gt_ProgressEvent event = {.kind = GT_PROGRESS_KIND_EPOCH_BEGIN,
                              .epochs = 1,
                              .steps = rows / size + (rows % size > 0),
                              .names = names};
    double began = gt_seconds();
    report(&run, &event);
    event.count = run.compiled->count;
    if (evaluate(&run, dataset, &event, values) == GT_OK) {
        scores.loss = values[0];
        int32_t first = run.compiled->first_metric;
        scores.loss_count = first - 1;
        memcpy(scores.losses, values + 1, (size_t)scores.loss_count * sizeof *values);
        scores.count = run.compiled->count - first;
        memcpy(scores.metrics, values + first, (size_t)scores.count * sizeof *values);
        event.kind = GT_PROGRESS_KIND_EPOCH_END;
        event.seconds = gt_seconds() - began;
        event.values = values;
        report(&run, &event);
    }
    run_end(&run);
    return scores;
}

/* ---- fit ---- */

/* One step of training, if there is a batch; one that fails is put back. */
static gt_Status train_batch(Run *run, bool *more)
{
    gt_Context *context = run->context;
    gt_Dataset *dataset = run->dataset[0];
    gt_Scope *outer = gt_scope_innermost(context);
    gt_DatasetPosition mark = gt_dataset_mark(dataset);
    gt_Batch batch;
    *more = false;
    if (!gt_scope_open(context))
        return gt_context_status(context);
    *more = gt_dataset_next(dataset, &batch);
    run->callbacks.in.batch = run->fit->batch;
    gt_callbacks_log_nothing(&run->callbacks);
    if (*more && gt_callbacks_tell(&run->callbacks, GT_HOOK_TRAIN_BATCH_BEGIN) == GT_OK)
        gt_compiled_step(run->compiled, true, &batch);
    gt_scope_unwind(context, outer);
    if (gt_context_status(context) != GT_OK)
        gt_dataset_return(dataset, mark);
    return gt_context_status(context);
}

/* The rest of the dataset's epoch. */
static gt_Status train_epoch(Run *run, gt_ProgressEvent *event)
{
    double began = gt_seconds();
    bool more;
    if (run->fit->batch == 0)
        gt_compiled_reset(run->compiled);
    while (!stops(run) && check_interrupt(run) == GT_OK) {
        if (train_batch(run, &more) != GT_OK || !more)
            break;
        event->step = ++run->fit->batch;
        gt_callbacks_log_metrics(&run->callbacks);
        gt_callbacks_tell_inner(&run->callbacks, GT_HOOK_TRAIN_BATCH_END);
        run->fit->stopped = run->callbacks.stopped;
        gt_callbacks_tell_outer(&run->callbacks, GT_HOOK_TRAIN_BATCH_END);
        report_batch(run, event, began);
    }
    run->callbacks.in.batch = -1;
    return gt_context_status(run->context);
}

/* Validation, what callbacks make of the epoch's numbers, and these in the history. */
static gt_Status close_epoch(Run *run, gt_History *history, double *values)
{
    gt_CallbackRun *callbacks = &run->callbacks;
    int32_t count = run->compiled->count;
    gt_compiled_read(run->compiled, values);
    bool stopped = run->stopped;
    run->stopped = false; /* the epoch is finished all the same */
    if (run->dataset[1] && evaluate(run, run->dataset[1], NULL, values + count) != GT_OK)
        return gt_context_status(run->context);
    run->stopped = stopped;
    gt_callbacks_log(callbacks, history->count, (const char *const *)history->names, values);
    if (gt_callbacks_tell_inner(callbacks, GT_HOOK_EPOCH_END) != GT_OK ||
        gt_history_add(history, callbacks->values) != GT_OK ||
        gt_history_add(run->fit->history, callbacks->values) != GT_OK)
        return gt_context_status(run->context);
    run->fit->epoch++;
    run->fit->batch = 0;
    run->fit->stopped = callbacks->stopped;
    return gt_callbacks_tell_outer(callbacks, GT_HOOK_EPOCH_END);
}

static gt_Status fit_epoch(Run *run, gt_History *history, int64_t epochs)
{
    double values[2 * GT_MAX_SCORES], began = gt_seconds();
    gt_CallbackRun *callbacks = &run->callbacks;
    gt_ProgressEvent event = {.kind = GT_PROGRESS_KIND_EPOCH_BEGIN,
                              .epoch = run->fit->epoch,
                              .epochs = epochs,
                              .step = run->fit->batch,
                              .steps = gt_dataset_batches(run->dataset[0]),
                              .names = (const char *const *)history->names};
    callbacks->in.epoch = event.epoch;
    callbacks->in.batches = event.steps;
    report(run, &event);
    event.count = run->compiled->count;
    gt_callbacks_log_nothing(callbacks);
    if (run->fit->batch == 0) /* else it has begun before the run was interrupted */
        gt_callbacks_tell(callbacks, GT_HOOK_EPOCH_BEGIN);
    if (train_epoch(run, &event) != GT_OK || close_epoch(run, history, values) != GT_OK)
        return gt_context_status(run->context);
    event.kind = GT_PROGRESS_KIND_EPOCH_END;
    event.count = callbacks->logs;
    event.seconds = gt_seconds() - began;
    event.names = callbacks->names;
    event.values = callbacks->values;
    report(run, &event);
    return gt_context_status(run->context);
}

/* Lines that callbacks have to say, where the library prints. */
static void say_notes(Run *run)
{
    if (!run->progress.report)
        gt_printer_say(&run->printer, run->callbacks.notes);
    run->callbacks.notes[0] = 0;
}

/* Begins at its beginning. */
static void restart(gt_FitState *state, int64_t epoch)
{
    gt_fit_keep_history(state, NULL);
    state->begun = true;
    state->epoch = epoch;
    state->batch = 0;
    state->stopped = false;
}

static gt_Status fit(Run *run, const gt_fit_options *options, gt_History *history)
{
    gt_CallbackRun *callbacks = &run->callbacks;
    gt_FitState *state = run->fit;
    if (build_all(run) != GT_OK || gt_callbacks_build(callbacks) != GT_OK)
        return gt_context_status(run->context);
    callbacks->in.epochs = options->epochs;
    callbacks->in.batches = gt_dataset_batches(run->dataset[0]);
    callbacks->in.resumed = options->resume && state->begun;
    if (!callbacks->in.resumed)
        restart(state, options->initial_epoch);
    if (gt_callbacks_tell(callbacks, GT_HOOK_TRAIN_BEGIN) != GT_OK)
        return gt_context_status(run->context);
    if (state->history && gt_history_continue(history, state->history) != GT_OK)
        return gt_context_status(run->context);
    gt_fit_keep_history(state, gt_history_copy(history));
    if (!state->history)
        return gt_context_status(run->context);
    callbacks->stopped |= state->stopped;
    while (state->epoch < options->epochs && (!stops(run) || state->batch > 0)) {
        if (fit_epoch(run, history, options->epochs) != GT_OK)
            return gt_context_status(run->context);
        say_notes(run);
    }
    state->stopped = false;
    if (history->epochs > 0 && gt_optimizer_finalize(run->compiled->optimizer) != GT_OK)
        return gt_context_status(run->context);
    callbacks->in.epoch = -1;
    gt_callbacks_tell(callbacks, GT_HOOK_TRAIN_END);
    say_notes(run);
    return gt_context_status(run->context);
}

static gt_Status check_fit(const Run *run, const gt_fit_options *options)
{
    gt_Context *context = run->context;
    if (options->epochs < 0 || options->initial_epoch < 0)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "epochs and initial_epoch must be >= 0 (got %lld and %lld)",
                        (long long)options->epochs, (long long)options->initial_epoch);
    if (!run->compiled->optimizer)
        return gt_raise(context, GT_STATE, NULL, NULL, "model %s was compiled without an optimizer",
                        run->state->name);
    return GT_OK;
}

/* ---- what stays of a fit ---- */

void gt_fit_keep_history(gt_FitState *fit, gt_History *history)
{
    if (history)
        gt_object_sink(&history->object);
    if (fit->history)
        gt_object_release(&fit->history->object);
    fit->history = history;
}

gt_Status gt_fit_keep_callbacks(gt_Context *context, gt_FitState *fit, gt_Callback *const *items,
                                int32_t count)
{
    gt_Callback **copy = count ? gt_allocate(context, (size_t)count * sizeof *copy) : NULL;
    if (count && !copy)
        return gt_context_status(context);
    for (int32_t i = 0; i < count; i++) {
        copy[i] = items[i];
        copy[i]->object.references++;
    }
    for (int32_t i = 0; i < fit->callback_count; i++)
        gt_object_release(&fit->callbacks[i]->object);
    gt_release(context, fit->callbacks, (size_t)fit->callback_count * sizeof *copy);
    fit->callbacks = copy;
    fit->callback_count = count;
    return gt_context_status(context);
}

void gt_fit_close(gt_Context *context, gt_FitState *fit)
{
    gt_fit_keep_history(fit, NULL);
    gt_fit_keep_callbacks(context, fit, NULL, 0);
}

gt_History *gt_fit_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                      const gt_fit_options *given)
{
    gt_fit_options options = GT_TAKE(gt_fit_options, given);
    Run run = {.context = gt_enter(),
               .dataset = {dataset, options.validation},
               .progress = told(options.progress),
               .taken = options.callbacks,
               .resumes = true};
    if (run_begin(&run, here, "fit", model, true, options.verbose) != GT_OK)
        return NULL;
    gt_History *history = NULL;
    gt_FitState inner = {.begun = false};
    run.callbacks.fit = run.fit = run.compiled->fits++ ? &inner : &run.compiled->fit;
    if (check_fit(&run, &options) == GT_OK &&
        gt_fit_keep_callbacks(run.context, run.fit, run.callbacks.items, run.callbacks.count) == GT_OK)
        history = gt_history_new(run.context, run.compiled, options.validation != NULL);
    gt_DatasetPosition mark = gt_dataset_enter(dataset);
    if (history && fit(&run, &options, history) != GT_OK) {
        gt_history_free(history);
        history = NULL;
    }
    gt_dataset_leave(dataset, mark);
    run.compiled->fits--;
    gt_fit_close(run.context, &inner);
    run_end(&run);
    return history;
}

/* ---- predict ---- */

/* Copies the predictions for rows from `first` on into the result, which the first batch makes, in
 * the scope around this one. */
static gt_Status collect(const Run *run, gt_Tensor *y, int64_t first, int64_t size,
                         gt_Tensor **result)
{
    gt_Context *context = run->context;
    gt_Spec spec = gt_spec(y);
    char text[160];
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (spec.rank < 1 || spec.dims[0] != size)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "predictions for %lld rows must have as many rows (got %s)",
                        (long long)size, gt_spec_text(&spec, text, sizeof text));
    spec.dims[0] = gt_dataset_size(run->dataset[0]);
    if (!gt_spec_resize(&spec))
        return gt_raise(context, GT_INVALID, NULL, NULL, "the predictions are too large");
    void *data;
    if (!*result) {
        gt_Scope *inner = gt_scope_innermost(context);
        gt_scope_switch(context, gt_scope_parent(inner));
        *result = gt_tensor_new(context, &spec, &data);
        gt_scope_switch(context, inner);
        if (!*result)
            return gt_context_status(context);
    }
    if (!gt_spec_equal(gt_tensor_spec(*result), &spec))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the predictions of all batches must have the same shape");
    size_t bytes = gt_spec_bytes(&spec) / (size_t)spec.dims[0];
    const void *numbers = gt_data(y);
    if (bytes && numbers)
        memcpy((char *)gt_tensor_data(*result) + (size_t)first * bytes, numbers,
               (size_t)size * bytes);
    return gt_context_status(context);
}

/* How many outputs are asked for, with the first; their places are set to NULL. */
static int32_t count_outputs(gt_Context *context, gt_Outputs list)
{
    int32_t count = 1;
    for (; list.items && list.items[count - 1] != GT_LIST_END; count++) {
        if (list.items[count - 1])
            *list.items[count - 1] = NULL;
        if (count == GT_MAX_LAYER_OUTPUTS) {
            gt_raise(context, GT_INVALID, NULL, NULL, "at most %d outputs can be asked for",
                     GT_MAX_LAYER_OUTPUTS - 1);
            return 0;
        }
    }
    return count;
}

/* Predictions batch by batch into `result`. */
static gt_Status predict(Run *run, int32_t outputs, gt_Outputs list, gt_Tensor **result)
{
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    int64_t rows = gt_dataset_size(run->dataset[0]);
    gt_CallbackRun *callbacks = &run->callbacks;
    callbacks->in.batches = gt_dataset_batches(run->dataset[0]);
    gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_BEGIN);
    for (int64_t first = 0; first < rows && !stops(run) && check_interrupt(run) == GT_OK;) {
        gt_Batch batch;
        gt_Tensor *y_pred[GT_MAX_LAYER_OUTPUTS];
        if (!gt_scope_open(context))
            break;
        callbacks->in.batch++;
        if (gt_dataset_slice(run->dataset[0], first, &batch) == GT_OK &&
            gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_BATCH_BEGIN) == GT_OK)
            gt_call_on_batch(run->state->layer, &batch, false, outputs, y_pred);
        for (int32_t i = 0; i < outputs && gt_context_status(context) == GT_OK; i++) {
            if (i > 0 && !list.items[i - 1])
                continue;
            gt_origin_forget(context, y_pred[i]);
            collect(run, y_pred[i], first, batch.size, &result[i]);
        }
        callbacks->in.outputs = (gt_Tensors){y_pred, outputs};
        gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_BATCH_END);
        callbacks->in.outputs = (gt_Tensors){NULL, 0};
        gt_scope_unwind(context, outer);
        if (gt_context_status(context) != GT_OK)
            break;
        first += batch.size;
    }
    callbacks->in.batch = -1;
    return gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_END);
}

gt_Tensor *gt_predict_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                         const gt_predict_options *given)
{
    gt_predict_options options = GT_TAKE(gt_predict_options, given);
    Run run = {.context = gt_enter(), .dataset = {dataset}, .taken = options.callbacks};
    gt_Tensor *result[GT_MAX_LAYER_OUTPUTS] = {NULL};
    if (run_begin(&run, here, "predict", model, false, GT_VERBOSITY_SILENT) != GT_OK)
        return NULL;
    int32_t outputs = count_outputs(run.context, options.outputs);
    if (outputs > 0)
        predict(&run, outputs, options.outputs, result);
    run_end(&run);
    bool done = gt_context_status(run.context) == GT_OK;
    for (int32_t i = 0; i < outputs; i++) {
        if (!done && result[i])
            gt_tensor_free(run.context, result[i]);
        if (done && i > 0 && options.outputs.items[i - 1])
            *options.outputs.items[i - 1] = result[i];
    }
    return done ? result[0] : NULL;
}
