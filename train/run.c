/* What all runs begin and end with, and what they report. See run.h. */
#include "train/run.h"
#include "optim/distribution.h"
#include "train/texts.h"

static gt_Progress told(const gt_Progress *progress)
{
    const gt_Progress none = {0};
    return progress ? *progress : none;
}

gt_Status gt_run_check_labels(const gt_Run *run, int labels, const char *what)
{
    const gt_Compiled *self = run->compiled;
    int32_t losses = self && !self->compute_loss && !self->train_step ? self->loss_count : 0;
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

static gt_Status check_model(gt_Run *run, const gt_RunOf *of)
{
    gt_Context *context = run->context;
    run->state = of->compares ? gt_layer_own(context, NULL, NULL, of->model)
                              : gt_layer_check(context, NULL, NULL, of->model);
    if (!run->state)
        return gt_context_status(context);
    if (gt_tracing(context) || gt_context_frame(context))
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "it cannot run inside a traced function or the call of a layer");
    run->compiled = gt_compiled_of(run->state);
    if (of->compares && !run->compiled)
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "model %s is not compiled: gt_compile(model, .optimizer = ..., .loss = "
                        "...) comes before gt_%s",
                        run->state->name, of->operation);
    if (run->compiled && run->compiled->object.context != context)
        run->compiled = NULL; /* a model that serves another context too: it is only called */
    return gt_context_status(context);
}

gt_Status gt_run_check_end(const gt_Run *run, const gt_Dataset *dataset, int64_t steps,
                           const char *option)
{
    if (steps >= 0 || !gt_dataset_is_endless(dataset))
        return gt_context_status(run->context);
    return gt_raise(run->context, GT_INVALID, NULL, NULL,
                    "the dataset has no end: it repeats for ever, so give .%s", option);
}

/* A model that is traced is built without computing, any other by a first call. */
static gt_Status build_model(const gt_Run *run, const gt_Batch *batch)
{
    gt_Layer *model = run->state->layer;
    gt_Spec specs[GT_MAX_INPUTS];
    gt_Ports ports;
    if (run->compiled->run_eagerly) {
        gt_Tensor *y_pred;
        return gt_predict_step(model, NULL, batch, 1, &y_pred);
    }
    if (gt_ports_fill(run->context, run->state, batch, &ports) == GT_OK &&
        gt_ports_specs(run->context, &ports, specs) == GT_OK)
        gt_build_for(model, ports.count, specs);
    return gt_context_status(run->context);
}

gt_Status gt_run_build(const gt_Run *run, const gt_Batch *batch)
{
    gt_Context *context = run->context;
    gt_Optimizer *optimizer = run->compiled->optimizer;
    if (!run->state->built && build_model(run, batch) != GT_OK)
        return gt_context_status(context);
    gt_Tensors variables = gt_trainable_variables(run->state->layer);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (variables.count == 0)
        gt_warn(context, NULL, "no trainable weights",
                "model %s has none, so training changes nothing", run->state->name);
    else if (!gt_optimizer_built(optimizer))
        gt_optimizer_build(optimizer, variables);
    return gt_context_status(context);
}

static void leave_metric(gt_Run *run, int32_t i)
{
    gt_metric_leave(run->compiled->scores[i], run->kept[i]);
    if (run->around)
        gt_metric_leave(run->compiled->scores[i], NULL);
}

static gt_Status enter_metric(gt_Run *run, int32_t i)
{
    void *none;
    if (run->around)
        gt_metric_enter(run->compiled->scores[i], &none);
    if (gt_metric_enter(run->compiled->scores[i], &run->kept[i]) != GT_OK && run->around)
        gt_metric_leave(run->compiled->scores[i], NULL);
    return gt_context_status(run->context);
}

static void leave_metrics(gt_Run *run, int32_t count)
{
    for (int32_t i = count - 1; i >= 0; i--)
        leave_metric(run, i);
}

/* A gt_fit that was interrupted in the middle of an epoch is a run around this one, unless this one resumes it: what its
 * metrics gathered stays. */
static gt_Status enter_metrics(gt_Run *run)
{
    run->around = !run->resumes && run->compiled->fits == 0 && run->compiled->fit.batch > 0;
    for (int32_t i = 0; i < run->compiled->count; i++)
        if (enter_metric(run, i) != GT_OK) {
            leave_metrics(run, i);
            return gt_context_status(run->context);
        }
    return GT_OK;
}

/* Nobody is told any more, and what was taken is dropped. */
static void leave_callbacks(gt_Run *run)
{
    gt_callbacks_leave(&run->callbacks);
    gt_callbacks_each(&run->taken, gt_object_release);
}

gt_Status gt_run_begin(gt_Run *run, const gt_RunOf *of)
{
    *run = (gt_Run){.context = gt_enter(), .progress = told(of->progress), .trains = of->trains};
    run->resumes = of->resumes;
    if (of->callbacks)
        run->taken = *of->callbacks;
    gt_callbacks_each(&run->taken, gt_object_sink);
    if (!run->context) {
        gt_callbacks_each(&run->taken, gt_object_release);
        return gt_status() == GT_OK ? GT_NO_MEMORY : gt_status();
    }
    run->site = gt_site_enter(of->here, of->operation);
    if (of->verbosity < GT_VERBOSITY_AUTO || of->verbosity > GT_VERBOSITY_LINES)
        gt_raise(run->context, GT_INVALID, NULL, NULL, "unknown verbosity %d; expected -1 to 2",
                 (int)of->verbosity);
    gt_check_function("the report of progress", (uintptr_t)run->progress.report);
    if (gt_context_status(run->context) != GT_OK || check_model(run, of) != GT_OK ||
        gt_callbacks_enter(&run->callbacks, run->context, run->state, run->compiled, &run->taken) != GT_OK ||
        (run->compiled && enter_metrics(run) != GT_OK)) {
        leave_callbacks(run);
        gt_site_leave(&run->site);
        return gt_context_status(run->context);
    }
    bool silent = of->verbosity == GT_VERBOSITY_AUTO && run->compiled && run->compiled->optimizer &&
                  gt_optimizer_rank(run->compiled->optimizer) > 0; /* one of several processes speaks */
    run->printer = gt_printer(silent ? GT_VERBOSITY_SILENT : of->verbosity);
    if (run->state->object.context == run->context) /* else it is not written to: layer.c */
        run->state->object.references++;
    if (run->compiled) {
        run->compiled->object.references++;
        run->stop_before = run->compiled->stop;
        if (of->trains)
            run->compiled->stop = false;
    }
    run->recording = gt_tape_quiet(run->context);
    run->mode = gt_float_mode_begin(run->context);
    run->began = gt_seconds();
    return GT_OK;
}

void gt_run_end(gt_Run *run)
{
    gt_float_mode_restore(run->mode);
    gt_tape_unquiet(run->context, run->recording);
    leave_callbacks(run);
    if (run->dataset)
        gt_object_release(gt_dataset_object(run->dataset));
    if (run->validation)
        gt_object_release(gt_dataset_object(run->validation));
    if (run->compiled) {
        if (run->trains)
            run->compiled->stop = run->stop_before;
        leave_metrics(run, run->compiled->count);
        gt_object_release(&run->compiled->object);
    }
    if (run->state->object.context == run->context)
        gt_object_release(&run->state->object);
    gt_site_leave(&run->site);
}

gt_Status gt_run_check_interrupt(const gt_Run *run)
{
    return gt_interrupted(run->context)
               ? gt_raise(run->context, GT_INTERRUPTED, NULL, NULL, "interrupted between batches")
               : gt_context_status(run->context);
}

/* ---- reports ---- */

static void report(gt_Run *run, gt_ProgressKind kind)
{
    gt_ProgressEvent *event = &run->event;
    event->kind = kind;
    event->count = run->logs.count;
    event->names = run->logs.names;
    event->values = run->logs.values;
    if (!run->progress.report)
        gt_printer_report(&run->printer, event);
    else if (!run->progress.report(run->progress.context, event))
        run->stopped = true;
}

void gt_run_report_begin(gt_Run *run, int64_t epoch, int64_t epochs, int64_t steps)
{
    run->began = gt_seconds();
    run->logs.count = 0;
    run->event = (gt_ProgressEvent){.epoch = epoch, .epochs = epochs, .steps = steps};
    report(run, GT_PROGRESS_KIND_EPOCH_BEGIN);
}

void gt_run_read_logs(gt_Run *run)
{
    run->logs.count = 0;
    gt_compiled_read(run->compiled, run->trains, false, &run->logs);
}

bool gt_run_hears_batches(const gt_Run *run)
{
    return run->progress.report || run->printer.verbosity == GT_VERBOSITY_BAR;
}

void gt_run_report_batch(gt_Run *run)
{
    if (!gt_run_hears_batches(run))
        return;
    run->event.seconds = gt_seconds() - run->began;
    report(run, GT_PROGRESS_KIND_BATCH);
}

void gt_run_report_end(gt_Run *run)
{
    run->event.seconds = gt_seconds() - run->began;
    report(run, GT_PROGRESS_KIND_EPOCH_END);
}
