/* gt_fit: epochs of batches, validation between them, what ends it; gt_train_for. Leans on run.h for what all runs have,
 * on watch.c for the step, on evaluate.c for the validation.
 *
 *     fit -> fit_epoch -> train_epoch -> train_steps -> train_batch -> gt_watched_step
 *                      -> validate    -> gt_run_evaluate
 *                      -> gt_history_add */
#include "optim/internal.h"
#include "train/model_parts.h"
#include "train/run.h"
#include "train/texts.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_fit_options, gt_fit_OPTIONS);
GT_OPTION_TYPE(gt_train_for_options, gt_train_for_OPTIONS);

/* A gt_fit that runs. */
typedef struct Fit {
    gt_Run *run;
    const gt_fit_options *options;
    gt_FitState *state; /* where it is, for checkpoints and who resumes; NULL: gt_train_for */
    gt_History *history;
    int64_t epoch, step; /* from 0; batches of this epoch so far */
    bool warned;         /* of a loss that is not finite, in this epoch */
} Fit;

/* ---- batches ---- */

typedef enum Batch {
    BATCH_DONE,
    BATCH_NONE, /* the dataset's epoch is over */
    BATCH_FAILED
} Batch;

/* The next batch of the dataset. One that fails is put back. `begins`: the callbacks are told so. */
static Batch train_batch(Fit *fit, bool begins)
{
    gt_Run *run = fit->run;
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_DatasetPosition mark = gt_dataset_mark(run->dataset);
    gt_Batch batch;
    if (!gt_scope_open(context))
        return BATCH_FAILED;
    bool more = gt_dataset_next(run->dataset, &batch);
    if (more)
        gt_texts_order(run->state, run->dataset, &batch);
    if (more && fit->options->class_weight)
        gt_rows_weigh(&batch, fit->options->class_weight);
    if (more)
        run->callbacks.in.batch = fit->step;
    if (more && begins)
        gt_callbacks_tell(&run->callbacks, GT_HOOK_TRAIN_BATCH_BEGIN);
    if (more && gt_context_status(context) == GT_OK)
        gt_watched_step(run->compiled, &batch, fit->epoch, fit->step, &fit->warned);
    gt_scope_unwind(context, outer);
    if (gt_context_status(context) == GT_OK) {
        run->compiled->trained |= more;
        return more ? BATCH_DONE : BATCH_NONE;
    }
    gt_dataset_return(run->dataset, mark);
    return BATCH_FAILED;
}

static bool has_stopped(const Fit *fit)
{
    const volatile sig_atomic_t *stop = fit->options->stop;
    return fit->run->stopped || fit->run->callbacks.stopped || fit->run->compiled->stop || (stop && *stop);
}

/* A signal: what there is of the epoch is returned, and a gt_fit that resumes goes on with its next batch. */
static bool is_interrupted(const Fit *fit)
{
    return fit->options->stop && *fit->options->stop;
}

/* Keras's warning for a dataset that is shorter than what steps_per_epoch promises. */
static void warn_of_end(const Fit *fit)
{
    gt_warn(fit->run->context, NULL, "out of data",
            "epoch %lld ended after %lld of %lld batches, because the dataset did",
            (long long)fit->epoch + 1, (long long)fit->step,
            (long long)fit->options->steps_per_epoch);
}

/* Up to `most` batches, as one execution. False at the end of the epoch and on failure. */
static bool train_steps(Fit *fit, int64_t most)
{
    int64_t steps = fit->options->steps_per_epoch;
    for (int64_t i = 0; i < most && (steps < 0 || fit->step < steps); i++) {
        Batch batch = train_batch(fit, i == 0);
        /* An epoch that begins where the dataset's has just ended begins it anew: a gt_fit that failed may have left it there. */
        if (batch == BATCH_NONE && fit->step == 0)
            batch = train_batch(fit, i == 0);
        if (batch == BATCH_NONE && steps >= 0)
            warn_of_end(fit);
        if (batch != BATCH_DONE)
            return false;
        fit->step++;
    }
    return steps < 0 || fit->step < steps;
}

/* The callbacks hear of the batches that were done; those around the others may save the run as it is now. */
static gt_Status end_batch(Fit *fit)
{
    gt_CallbackRun *callbacks = &fit->run->callbacks;
    fit->state->batch = fit->step;
    fit->state->at = gt_dataset_mark(fit->run->dataset);
    callbacks->in.batch = fit->step - 1;
    gt_callbacks_log_metrics(callbacks, true);
    gt_callbacks_tell_inner(callbacks, GT_HOOK_TRAIN_BATCH_END);
    fit->state->stopped = callbacks->stopped;
    gt_callbacks_tell_outer(callbacks, GT_HOOK_TRAIN_BATCH_END);
    gt_callbacks_log_nothing(callbacks);
    callbacks->in.batch = -1;
    return gt_context_status(fit->run->context);
}

/* The rest of the dataset's epoch, or as many batches as an epoch is to have. */
static gt_Status train_epoch(Fit *fit)
{
    gt_Run *run = fit->run;
    int64_t per_execution = run->compiled->steps_per_execution;
    if (fit->step == 0)
        gt_compiled_reset(run->compiled);
    for (bool more = true; more && !has_stopped(fit) && gt_run_check_interrupt(run) == GT_OK;) {
        int64_t before = fit->step;
        more = train_steps(fit, per_execution);
        if (gt_context_status(run->context) != GT_OK || fit->step == before ||
            end_batch(fit) != GT_OK)
            break;
        run->event.step = fit->step;
        if (gt_run_hears_batches(run))
            gt_run_read_logs(run);
        gt_run_report_batch(run);
    }
    return gt_context_status(run->context);
}

/* ---- epochs ---- */

static bool is_validated(const Fit *fit)
{
    const volatile sig_atomic_t *stop = fit->options->stop;
    return fit->run->validation && (fit->epoch + 1) % fit->options->validation_freq == 0 &&
           !(stop && *stop);
}

/* Adds the numbers of the validation to those of the epoch. */
static gt_Status validate(Fit *fit)
{
    gt_Run *run = fit->run;
    const volatile sig_atomic_t *stop = fit->options->stop;
    if (gt_run_evaluate(run, run->validation, fit->options->validation_steps, false, stop) ==
            GT_OK &&
        !(stop && *stop))
        gt_compiled_read(run->compiled, false, true, &run->logs);
    return gt_context_status(run->context);
}

static gt_Status begin_epoch(Fit *fit)
{
    gt_Run *run = fit->run;
    const gt_fit_options *options = fit->options;
    int64_t steps = options->steps_per_epoch;
    fit->epoch = fit->state->epoch;
    fit->step = fit->state->batch;
    fit->warned = false;
    gt_run_report_begin(run, fit->epoch, options->epochs,
                        steps >= 0 ? steps : gt_dataset_batches(run->dataset));
    run->event.step = fit->step;
    run->callbacks.in.epoch = fit->epoch;
    run->callbacks.in.batches = run->event.steps;
    gt_callbacks_log_nothing(&run->callbacks);
    /* An epoch that is resumed began before. */
    return fit->step > 0 ? gt_context_status(run->context)
                         : gt_callbacks_tell(&run->callbacks, GT_HOOK_EPOCH_BEGIN);
}

/* What callbacks make of the epoch's numbers, these in the history, and then those around the others, which may save it. */
static gt_Status end_epoch(Fit *fit)
{
    gt_Run *run = fit->run;
    gt_callbacks_log(&run->callbacks, &run->logs);
    if (gt_callbacks_tell_inner(&run->callbacks, GT_HOOK_EPOCH_END) != GT_OK)
        return gt_context_status(run->context);
    run->logs = run->callbacks.logs;
    if (gt_history_add(fit->history, fit->epoch, &run->logs) != GT_OK ||
        gt_history_add(fit->state->history, fit->epoch, &run->logs) != GT_OK)
        return gt_context_status(run->context);
    fit->state->epoch++;
    fit->state->batch = 0;
    fit->state->at = gt_dataset_mark(run->dataset);
    fit->state->stopped = run->callbacks.stopped || run->compiled->stop;
    return gt_callbacks_tell_outer(&run->callbacks, GT_HOOK_EPOCH_END);
}

static gt_Status fit_epoch(Fit *fit)
{
    gt_Run *run = fit->run;
    if (begin_epoch(fit) != GT_OK || train_epoch(fit) != GT_OK)
        return gt_context_status(run->context);
    if (gt_run_gather_epoch(run, fit->epoch, fit->step, is_interrupted(fit)) != GT_OK)
        return gt_context_status(run->context);
    gt_run_read_logs(run);
    if (is_validated(fit) && validate(fit) != GT_OK)
        return gt_context_status(run->context);
    if (is_interrupted(fit))
        gt_history_add(fit->history, fit->epoch, &run->logs);
    else
        end_epoch(fit);
    if (gt_context_status(run->context) == GT_OK)
        gt_run_report_end(run);
    return gt_context_status(run->context);
}

/* Lines that callbacks have to say, where the library prints. */
static void say_notes(gt_Run *run)
{
    if (!run->progress.report)
        gt_printer_say(&run->printer, run->callbacks.notes);
    run->callbacks.notes[0] = 0;
}

/* The end, told with the numbers of the last epoch; interrupted, to those alone that may save the run. */
static gt_Status end_training(Fit *fit)
{
    gt_CallbackRun *callbacks = &fit->run->callbacks;
    gt_callbacks_log(callbacks, &fit->run->logs);
    callbacks->in.interrupted = is_interrupted(fit);
    callbacks->in.epoch = -1;
    if (callbacks->in.interrupted)
        gt_callbacks_tell_outer(callbacks, GT_HOOK_TRAIN_END);
    else
        gt_callbacks_tell(callbacks, GT_HOOK_TRAIN_END);
    say_notes(fit->run);
    return gt_context_status(fit->run->context);
}

static gt_Status fit_epochs(Fit *fit)
{
    gt_FitState *state = fit->state;
    gt_Context *context = fit->run->context;
    while (state->epoch < fit->options->epochs && (!has_stopped(fit) || state->batch > 0)) {
        if (fit_epoch(fit) != GT_OK)
            return gt_context_status(context);
        say_notes(fit->run);
        if (is_interrupted(fit))
            break;
    }
    state->stopped = false;
    if (gt_history_epoch_count(fit->history) > 0 && !is_interrupted(fit))
        gt_optimizer_finalize(fit->run->compiled->optimizer);
    return gt_context_status(context) == GT_OK ? end_training(fit) : gt_context_status(context);
}

/* Where it begins: anew, where an interrupted one was, or where a callback says at TRAIN_BEGIN. */
static gt_Status begin_training(Fit *fit)
{
    gt_Run *run = fit->run;
    gt_CallbackRun *callbacks = &run->callbacks;
    gt_FitState *state = fit->state;
    int64_t steps = fit->options->steps_per_epoch;
    callbacks->in.dataset = run->dataset;
    callbacks->in.epochs = fit->options->epochs;
    callbacks->in.batches = steps >= 0 ? steps : gt_dataset_batches(run->dataset);
    callbacks->in.resumed = fit->options->resume && state->begun;
    if (!callbacks->in.resumed)
        gt_fit_restart(state, fit->options->initial_epoch);
    if (gt_callbacks_build(callbacks) != GT_OK ||
        gt_callbacks_tell(callbacks, GT_HOOK_TRAIN_BEGIN) != GT_OK)
        return gt_context_status(run->context);
    fit->history = state->history ? gt_history_copy(state->history) : gt_history_new(run->context);
    if (fit->history && !state->history)
        gt_fit_keep_history(state, gt_history_new(run->context));
    callbacks->stopped |= state->stopped;
    return gt_context_status(run->context);
}

/* ---- the beginning ---- */

static gt_Status check_options(const gt_fit_options *options)
{
    if (options->epochs < 0 || options->initial_epoch < 0)
        return gt_fail(GT_INVALID, "epochs and initial_epoch must be >= 0 (got %lld and %lld)",
                       (long long)options->epochs, (long long)options->initial_epoch);
    const struct {
        const char *name;
        int64_t value;
    } counts[] = {{"steps_per_epoch", options->steps_per_epoch},
                  {"validation_steps", options->validation_steps},
                  {"validation_batch_size", options->validation_batch_size}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].value == 0 || counts[i].value < -1)
            return gt_fail(GT_INVALID, "%s must be >= 1, or -1 (got %lld)", counts[i].name,
                           (long long)counts[i].value);
    if (options->validation_freq < 1)
        return gt_fail(GT_INVALID, "validation_freq must be >= 1 (got %lld)",
                       (long long)options->validation_freq);
    if (options->class_weight && options->sample_weight.count > 0)
        return gt_fail(GT_INVALID, "give class_weight or sample_weight, not both");
    if (options->validation && options->validation_split != 0)
        return gt_fail(GT_INVALID, "give validation or validation_split, not both");
    if (options->validation_batch_size != -1 && options->validation_split == 0)
        return gt_fail(GT_INVALID, "validation_batch_size is for validation_split; a dataset has "
                                   "its own");
    return gt_status();
}

/* The dataset to train on, and the one to validate with: the rows of a tensor are parted for both. */
static gt_Status open_datasets(gt_Run *run, gt_Rows rows, const gt_fit_options *options)
{
    gt_Context *context = run->context;
    gt_RowsGiven given = {GT_ROWS_GIVEN(*options), options->batch_size, options->shuffle};
    const gt_RowsGiven nothing = {.batch_size = -1, .shuffle = GT_INHERIT};
    int64_t count = gt_rows_split(context, rows, options->validation_split);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    run->dataset = gt_rows_open(context, rows, &given, 0, INT64_MAX);
    if (run->dataset && options->validation_split > 0) {
        int64_t all = gt_dataset_count(run->dataset);
        gt_object_release(gt_dataset_object(run->dataset)); /* it said that the tensors fit together */
        run->dataset = gt_rows_open(context, rows, &given, 0, count);
        if (options->validation_batch_size != -1)
            given.batch_size = options->validation_batch_size;
        run->validation = gt_rows_open(context, rows, &given, count, all - count);
    } else if (options->validation)
        run->validation = gt_rows_open(context, (gt_Rows){options->validation, NULL}, &nothing, 0, 0);
    const gt_FitState *state = &run->compiled->fit;
    if (gt_context_status(context) == GT_OK &&
        gt_run_check_end(run, run->dataset, options->steps_per_epoch, "steps_per_epoch") == GT_OK &&
        run->validation)
        gt_run_check_end(run, run->validation, options->validation_steps, "validation_steps");
    if (gt_context_status(context) == GT_OK && rows.x)
        gt_dataset_seek(run->dataset, options->resume && state->begun
                                          ? state->at
                                          : (gt_DatasetPosition){options->initial_epoch, 0});
    return gt_context_status(context);
}

static gt_Status check_labels(const gt_Run *run)
{
    if (gt_run_check_labels(run, gt_dataset_y_count(run->dataset), "dataset") == GT_OK &&
        run->validation)
        gt_run_check_labels(run, gt_dataset_y_count(run->validation), "validation");
    return gt_context_status(run->context);
}

/* What the model knows of its data is that of the dataset, and the validation's is the same. */
static gt_Status take_data(const gt_Run *run)
{
    if (gt_model_take_data(run->state, run->dataset) == GT_OK && run->validation)
        gt_model_check_data(run->state, run->validation);
    return gt_context_status(run->context);
}

/* The variables, for the dataset's first batch. */
static gt_Status build(const gt_Run *run)
{
    gt_Context *context = run->context;
    gt_Batch batch;
    if (!gt_scope_open(context))
        return gt_context_status(context);
    if (gt_dataset_slice(run->dataset, 0, &batch) == GT_OK) {
        gt_texts_order(run->state, run->dataset, &batch);
        gt_run_build(run, &batch);
    }
    gt_scope_close(context);
    return gt_context_status(context);
}

static gt_History *fit_as(gt_Run *run, const gt_fit_options *options, gt_FitState *state)
{
    Fit self = {.run = run, .options = options, .state = state};
    run->callbacks.fit = state;
    int64_t batches = options->steps_per_epoch >= 0 ? options->steps_per_epoch : gt_dataset_batches(run->dataset);
    if (build(run) == GT_OK && gt_run_distribute(run, batches) == GT_OK &&
        gt_fit_keep_callbacks(run->context, state, run->callbacks.items, run->callbacks.count) == GT_OK &&
        begin_training(&self) == GT_OK && fit_epochs(&self) == GT_OK)
        return self.history;
    gt_history_free(self.history);
    return NULL;
}

/* One inside another one of the same model leaves what stays of that alone. */
static gt_History *fit(gt_Run *run, const gt_fit_options *options)
{
    gt_FitState inner = {.begun = false};
    gt_Compiled *compiled = run->compiled;
    gt_History *history = fit_as(run, options, compiled->fits++ ? &inner : &compiled->fit);
    compiled->fits--;
    gt_fit_close(run->context, &inner);
    return history;
}

gt_History *gt_fit_at(const char *here, gt_Layer *model, gt_Rows rows, const gt_fit_options *given)
{
    gt_fit_options options;
    GT_TAKE(gt_fit_options, &options, given);
    gt_History *history = NULL;
    gt_Run run;
    const gt_RunOf of = {.here = here,
                         .operation = "fit",
                         .model = model,
                         .trains = true,
                         .compares = true,
                         .resumes = true,
                         .verbosity = options.verbose,
                         .progress = options.progress,
                         .callbacks = &options.callbacks};
    if (gt_run_begin(&run, &of) != GT_OK)
        return NULL;
    if (check_options(&options) == GT_OK && open_datasets(&run, rows, &options) == GT_OK &&
        check_labels(&run) == GT_OK && take_data(&run) == GT_OK) {
        gt_DatasetPosition mark = gt_dataset_enter(run.dataset);
        history = fit(&run, &options);
        gt_dataset_leave(run.dataset, mark);
    }
    gt_distribution_fail(run.compiled->optimizer);
    gt_run_end(&run);
    return history;
}

gt_Status gt_stop_training_at(const char *here, gt_Layer *model)
{
    static const char operation[] = "stop_training";
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, operation, model) : NULL;
    if (!state)
        return gt_status();
    gt_Compiled *compiled = gt_compiled_of(state);
    if (!compiled)
        return gt_raise(context, GT_STATE, here, operation, "model %s is not compiled",
                        state->name);
    compiled->stop = true;
    return GT_OK;
}

/* ---- for a span of time ---- */

/* What a batch is expected to take: the longest of late, where one that took long is forgotten by and by. */
static void learn_time(gt_Compiled *self, double seconds)
{
    self->seconds_per_batch = fmax(seconds, 0.9 * self->seconds_per_batch);
    if (self->quickest_batch == 0 || seconds < self->quickest_batch)
        self->quickest_batch = seconds;
}

/* There was no time for a batch. A single one that took long must not be the end of training, so it is forgotten here
 * too, down to what a batch takes at best. */
static void forget_time(gt_Compiled *self)
{
    self->seconds_per_batch = fmax(self->quickest_batch, 0.9 * self->seconds_per_batch);
}

static gt_Scores train_for(Fit *fit, double seconds, int64_t most)
{
    gt_Run *run = fit->run;
    gt_Compiled *self = run->compiled;
    double now = run->began, end = run->began + seconds;
    gt_compiled_reset(self);
    while (fit->step != most && !has_stopped(fit) && gt_run_check_interrupt(run) == GT_OK &&
           now + self->seconds_per_batch <= end) {
        bool first = !self->trained; /* its time is that of making a plan, too */
        double before = now;
        Batch batch = train_batch(fit, false);
        if (batch == BATCH_NONE)
            batch = train_batch(fit, false);
        now = gt_seconds();
        if (batch != BATCH_DONE)
            break;
        if (!first)
            learn_time(self, now - before);
        fit->step++;
    }
    if (fit->step == 0 && now + self->seconds_per_batch > end)
        forget_time(self);
    return gt_context_status(run->context) == GT_OK ? gt_run_scores(run, fit->step) : gt_no_scores();
}

gt_Scores gt_train_for_at(const char *here, gt_Layer *model, gt_Dataset *dataset, double seconds,
                          const gt_train_for_options *given)
{
    gt_train_for_options options;
    GT_TAKE(gt_train_for_options, &options, given);
    const gt_fit_options fitting = {.class_weight = options.class_weight};
    const gt_RowsGiven nothing = {.batch_size = -1, .shuffle = GT_INHERIT};
    const gt_RunOf of = {
        .here = here, .operation = "train_for", .model = model, .trains = true, .compares = true};
    gt_Scores scores = gt_no_scores();
    gt_Run run;
    if (gt_run_begin(&run, &of) != GT_OK)
        return scores;
    Fit fit = {.run = &run, .options = &fitting};
    if (gt_distribution_begun(run.compiled->optimizer))
        gt_fail(GT_STATE, "the clock would end it after another batch on every rank; count steps, with gt_fit");
    else if (!(seconds >= 0) || options.steps < -1)
        gt_fail(GT_INVALID, "seconds must be >= 0, and steps >= -1 (got %g and %lld)", seconds,
                (long long)options.steps);
    else
        run.dataset = gt_rows_open(run.context, (gt_Rows){dataset, NULL}, &nothing, 0, 0);
    if (run.dataset && check_labels(&run) == GT_OK && gt_model_check_data(run.state, run.dataset) == GT_OK &&
        build(&run) == GT_OK)
        scores = train_for(&fit, seconds, options.steps);
    gt_run_end(&run);
    return scores;
}
