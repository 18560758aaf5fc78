/* Compile, fit, evaluate, predict. One step is an ordinary function over the model; it runs as a
 * plan (plan/function.h) unless told otherwise. What it gathers is in the variables of metrics.
 * Leans on layers, optim, plan. */
#include "train/model.h"
#include "core/graph.h"
#include "ops/math/arithmetic.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "optim/internal.h"
#include "plan/function.h"
#include "train/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_compile_options, gt_compile_OPTIONS);
GT_OPTION_TYPE(gt_fit_options, gt_fit_OPTIONS);
GT_OPTION_TYPE(gt_evaluate_options, gt_evaluate_OPTIONS);

/* What gt_compile was given. The model holds it, and is there whenever it is used. */
typedef struct Compiled {
    gt_Object object;
    gt_Layer *model;
    gt_Optimizer *optimizer; /* held; NULL: only to be evaluated */
    gt_Loss loss;
    gt_Metric *tracker; /* held: the mean loss */
    gt_Metric *metrics[GT_MAX_METRICS];
    int32_t count;
    bool run_eagerly;
    gt_Function *plans[2][2]; /* held; by training, and whether there is a y; NULL: not made yet */
} Compiled;

/* ---- the steps ---- */

/* The mean of y_pred weighted by y_true: of the batches' losses by their sizes. */
static gt_Status update_tracker(const gt_MetricUpdate *update)
{
    gt_Tensor *loss = gt_cast(update->y_pred, GT_FLOAT64);
    gt_assign_add(update->states[0], gt_multiply(loss, update->y_true));
    return gt_assign_add(update->states[1], update->y_true);
}

static const gt_MetricClass tracker_class = {
    .size = sizeof tracker_class, .name = "loss", .states = 2, .update = update_tracker};

static gt_Tensor *compute_loss(const Compiled *self, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Tensor *loss = self->loss.type ? gt_loss_compute(&self->loss, y_true, y_pred) : NULL;
    loss = gt_total_loss(self->model, loss);
    if (!loss)
        gt_fail(GT_STATE, "there is no loss: give gt_compile a .loss, or call gt_add_loss in a "
                          "layer, or give a weight a regularizer");
    return loss;
}

static gt_Status update_metrics(const Compiled *self, gt_Tensor *loss, gt_Tensor *y_true,
                                gt_Tensor *y_pred)
{
    gt_metric_update(self->tracker, gt_scalar(gt_batch_rows(y_pred), GT_FLOAT64), loss);
    for (int32_t i = 0; i < self->count; i++)
        gt_metric_update(self->metrics[i], y_true, y_pred);
    return gt_status();
}

/* x and y, which may be NULL. */
static gt_Status train_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)outputs;
    Compiled *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y_pred = gt_call(self->model, inputs[0], .training = true);
    gt_Tensor *loss = compute_loss(self, inputs[1], y_pred);
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    update_metrics(self, loss, inputs[1], y_pred);
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status test_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)outputs;
    Compiled *self = context;
    gt_Tensor *y_pred = gt_call(self->model, inputs[0], .training = false);
    return update_metrics(self, compute_loss(self, inputs[1], y_pred), inputs[1], y_pred);
}

/* A dataset without y gives plans one argument, and steps a NULL. */
static gt_Status train_step_x(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    return train_step(context, (gt_Tensor *const[]){inputs[0], NULL}, outputs);
}

static gt_Status test_step_x(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    return test_step(context, (gt_Tensor *const[]){inputs[0], NULL}, outputs);
}

/* One batch; every temporary of it goes. */
static gt_Status run_step(gt_Context *context, Compiled *self, bool training, const gt_Batch *batch)
{
    static const gt_FunctionBody bodies[2][2] = {{test_step_x, test_step},
                                                 {train_step_x, train_step}};
    bool has_y = batch->y != NULL;
    gt_Tensor *inputs[] = {batch->x, batch->y};
    if (self->run_eagerly)
        return bodies[training][has_y](self, inputs, NULL);
    gt_Function **plan = &self->plans[training][has_y];
    if (!*plan)
        *plan = gt_function(bodies[training][has_y], self, .outputs = 0);
    if (!*plan)
        return context->status;
    return gt_function_call(*plan, ((gt_Tensors){inputs, 1 + has_y}), NULL);
}

static gt_Status reset_metrics(const Compiled *self)
{
    gt_metric_reset(self->tracker);
    for (int32_t i = 0; i < self->count; i++)
        gt_metric_reset(self->metrics[i]);
    return gt_status();
}

/* Loss and metrics so far. */
static void read_metrics(const Compiled *self, double *values)
{
    values[0] = gt_metric_result(self->tracker);
    for (int32_t i = 0; i < self->count; i++)
        values[1 + i] = gt_metric_result(self->metrics[i]);
}

/* ---- compile ---- */

static void destroy_compiled(gt_Object *object)
{
    Compiled *self = (Compiled *)object;
    for (int i = 0; i < 4; i++)
        gt_function_free(self->plans[i / 2][i % 2]);
    for (int32_t i = 0; i < self->count; i++)
        gt_metric_free(self->metrics[i]);
    gt_metric_free(self->tracker);
    gt_optimizer_free(self->optimizer);
}

static const gt_ObjectKind compiled_kind = {"compiled model", destroy_compiled, false};

/* A metric in the place of the list of them; NULL: none. */
static gt_Object *lone_metric(const gt_Metrics *metrics)
{
    void *items = (void *)(uintptr_t)metrics->items;
    return metrics->count == 0 && gt_object_is(items, &gt_metric_kind) ? items : NULL;
}

/* Does something with what gt_compile takes: sinks it before anything is checked, or drops it. */
static void for_each_taken(const gt_compile_options *options, void (*with)(gt_Object *object))
{
    if (gt_object_is(options->optimizer, &gt_optimizer_kind))
        with((gt_Object *)options->optimizer);
    with(lone_metric(&options->metrics));
    if (options->metrics.count > GT_MAX_METRICS || !gt_is_address(options->metrics.items))
        return;
    for (int32_t i = 0; i < options->metrics.count; i++)
        if (gt_object_is(options->metrics.items[i], &gt_metric_kind))
            with((gt_Object *)options->metrics.items[i]);
}

static gt_Status check_compile(gt_Context *context, const gt_compile_options *options)
{
    const gt_Metrics *metrics = &options->metrics;
    if (gt_loss_check(&options->loss) != GT_OK)
        return context->status;
    if (lone_metric(metrics) || (metrics->items && !gt_is_address(metrics->items)))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "metrics must be a list, gt_metrics(...) (got %s)",
                        lone_metric(metrics) ? "a metric" : "a number");
    if (metrics->count < 0 || metrics->count > GT_MAX_METRICS ||
        (metrics->count > 0 && !metrics->items))
        return gt_raise(context, GT_INVALID, NULL, NULL, "%d metrics; 0 to %d are possible",
                        (int)metrics->count, GT_MAX_METRICS);
    if (options->optimizer &&
        (!gt_object_check(context, NULL, NULL, options->optimizer, &gt_optimizer_kind) ||
         !gt_optimizer_class(options->optimizer)))
        return context->status;
    for (int32_t i = 0; i < metrics->count; i++) {
        if (!gt_metric_check(context, NULL, NULL, metrics->items[i]))
            return context->status;
        const char *name = gt_metric_name(metrics->items[i]);
        if (strcmp(name, "loss") == 0)
            return gt_raise(context, GT_INVALID, NULL, NULL, "a metric cannot be called \"loss\"");
        for (int32_t k = 0; k < i; k++)
            if (strcmp(name, gt_metric_name(metrics->items[k])) == 0)
                return gt_raise(context, GT_INVALID, NULL, NULL,
                                "two metrics are called \"%s\"; give one a .name", name);
    }
    return GT_OK;
}

gt_Status gt_compile_at(const char *here, gt_Layer *model, const gt_compile_options *given)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    gt_compile_options options = GT_TAKE(gt_compile_options, given);
    for_each_taken(&options, gt_object_sink);
    gt_Site site = gt_site_enter(here, "compile");
    gt_LayerState *state =
        context->status == GT_OK ? gt_layer_own(context, NULL, NULL, model) : NULL;
    Compiled *self = NULL;
    if (state && check_compile(context, &options) == GT_OK)
        self = gt_object_new(context, &compiled_kind, sizeof *self);
    gt_Metric *tracker = self ? gt_metric_new_at(NULL, &tracker_class, NULL, NULL) : NULL;
    if (tracker) {
        self->model = model;
        self->optimizer = options.optimizer;
        self->loss = options.loss;
        self->tracker = tracker;
        for (int32_t i = 0; i < options.metrics.count; i++)
            self->metrics[i] = options.metrics.items[i];
        self->count = options.metrics.count;
        self->run_eagerly = options.run_eagerly;
        gt_object_sink(&self->object);
        gt_object_release(state->compiled);
        state->compiled = &self->object;
    } else {
        if (self)
            gt_object_release(&self->object);
        for_each_taken(&options, gt_object_release);
    }
    gt_site_leave(site);
    return context->status;
}

/* What the model was compiled with; NULL without an error if it was not. */
static Compiled *compiled_of(const gt_LayerState *state)
{
    return state->compiled && state->compiled->kind == &compiled_kind ? (Compiled *)state->compiled
                                                                      : NULL;
}

gt_Optimizer *gt_layer_optimizer(const gt_LayerState *state)
{
    const Compiled *compiled = compiled_of(state);
    return compiled ? compiled->optimizer : NULL;
}

gt_Optimizer *gt_compiled_optimizer_at(const char *here, gt_Layer *model)
{
    static const char operation[] = "compiled_optimizer";
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, operation, model) : NULL;
    gt_Optimizer *optimizer = state ? gt_layer_optimizer(state) : NULL;
    if (state && !optimizer)
        gt_raise(context, GT_STATE, here, operation, "model %s has no optimizer: see gt_compile",
                 state->name);
    return optimizer;
}

/* ---- history ---- */

struct gt_History {
    gt_Object object;
    int32_t count;
    char *names[2 * (1 + GT_MAX_METRICS)]; /* owned */
    double *values;                        /* epoch by epoch, `count` each */
    int32_t epochs, capacity;
};

static void destroy_history(gt_Object *object)
{
    gt_History *self = (gt_History *)object;
    gt_release(object->context, self->values,
               (size_t)self->capacity * (size_t)self->count * sizeof(double));
    for (int32_t i = 0; i < self->count; i++)
        gt_free_text(object->context, self->names[i]);
}

static const gt_ObjectKind history_kind = {"history", destroy_history, false};

static gt_History *history_new(gt_Context *context, const Compiled *compiled, bool validation)
{
    gt_History *self = gt_object_new(context, &history_kind, sizeof *self);
    for (int side = 0; self && side <= validation; side++)
        for (int32_t i = 0; i <= compiled->count && context->status == GT_OK; i++) {
            char name[256];
            snprintf(name, sizeof name, "%s%s", side ? "val_" : "",
                     i ? gt_metric_name(compiled->metrics[i - 1]) : "loss");
            self->names[self->count] = gt_copy_text(context, name);
            self->count += self->names[self->count] != NULL;
        }
    if (context->status == GT_OK)
        return self;
    if (self)
        gt_object_release(&self->object);
    return NULL;
}

static gt_Status history_add(gt_History *self, const double *values)
{
    size_t bytes = (size_t)self->count * sizeof *values;
    if (!gt_reserve(self->object.context, (void **)&self->values, self->epochs, &self->capacity,
                    bytes))
        return self->object.context->status;
    memcpy(self->values + (size_t)self->epochs * (size_t)self->count, values, bytes);
    self->epochs++;
    return GT_OK;
}

static const gt_History *look(const char *here, const char *operation, const gt_History *self)
{
    gt_Context *context = gt_enter();
    return context && gt_object_check(context, here, operation, self, &history_kind) ? self : NULL;
}

double gt_history_get_at(const char *here, const gt_History *self, const char *name, int64_t epoch)
{
    static const char operation[] = "history_get";
    if (!look(here, operation, self))
        return NAN;
    int64_t at = epoch < 0 ? epoch + self->epochs : epoch;
    int32_t column = 0;
    while (column < self->count && strcmp(self->names[column], name ? name : "") != 0)
        column++;
    if (column < self->count && at >= 0 && at < self->epochs)
        return self->values[at * self->count + column];
    gt_raise(self->object.context, GT_INVALID, here, operation,
             "there is no \"%s\" of epoch %lld; it has %d epochs of %d numbers",
             name ? name : "(NULL)", (long long)epoch, (int)self->epochs, (int)self->count);
    return NAN;
}

int64_t gt_history_epoch_count_at(const char *here, const gt_History *self)
{
    return look(here, "history_epochs", self) ? self->epochs : -1;
}

int gt_history_name_count_at(const char *here, const gt_History *self)
{
    return look(here, "history_count", self) ? self->count : -1;
}

const char *gt_history_name_at(const char *here, const gt_History *self, int index)
{
    if (!look(here, "history_name", self))
        return NULL;
    if (index >= 0 && index < self->count)
        return self->names[index];
    gt_raise(self->object.context, GT_INVALID, here, "history_name",
             "index %d is out of range: there are %d names", index, (int)self->count);
    return NULL;
}

void gt_history_free(gt_History *history)
{
    gt_object_free("history_free", history, &history_kind);
}

/* ---- running: what fit, evaluate and predict have in common ---- */

/* Unseen by the caller's tapes, denormals flushed, everything held that a report could free, and what
 * runs around it gathered put by. */
typedef struct Run {
    gt_Context *context;
    gt_LayerState *state;
    Compiled *compiled; /* NULL: predict */
    gt_Dataset *dataset[2];
    gt_Progress progress;
    gt_Printer printer;
    gt_Site site;
    uint64_t recording;
    gt_FloatMode mode;
    bool stopped;                   /* the report said so */
    void *kept[1 + GT_MAX_METRICS]; /* of the loss, of the metrics */
} Run;

static gt_Progress told(const gt_Progress *progress)
{
    const gt_Progress none = {0};
    return progress ? *progress : none;
}

static gt_Status check_dataset(const Run *run, const gt_Dataset *dataset, const char *what)
{
    if (!gt_dataset_check(run->context, NULL, NULL, dataset))
        return run->context->status;
    if (run->compiled && run->compiled->loss.type &&
        gt_dataset_y(dataset).dtype == GT_DTYPE_NONE)
        return gt_raise(run->context, GT_INVALID, NULL, NULL,
                        "the loss compares with y, and the %s has none", what);
    return run->context->status;
}

static gt_Status check_run(Run *run, const char *operation, const gt_Layer *model, bool compiled)
{
    gt_Context *context = run->context;
    run->state = compiled ? gt_layer_own(context, NULL, NULL, model)
                          : gt_layer_check(context, NULL, NULL, model);
    if (!run->state)
        return context->status;
    if (context->trace || context->frame)
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "it cannot run inside a traced function or the call of a layer");
    if (compiled && !compiled_of(run->state))
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "model %s is not compiled: gt_compile(model, .optimizer = ..., .loss = "
                        "...) comes before gt_%s",
                        run->state->name, operation);
    if (compiled)
        run->compiled = compiled_of(run->state);
    if (check_dataset(run, run->dataset[0], "dataset") != GT_OK)
        return context->status;
    return run->dataset[1] ? check_dataset(run, run->dataset[1], "validation") : GT_OK;
}

/* Number -1 is the mean loss. */
static gt_Metric *metric_of(const Compiled *compiled, int32_t i)
{
    return i < 0 ? compiled->tracker : compiled->metrics[i];
}

static void leave_metrics(Run *run, int32_t count)
{
    for (int32_t i = count - 1; i >= -1; i--)
        gt_metric_leave(metric_of(run->compiled, i), run->kept[1 + i]);
}

static gt_Status enter_metrics(Run *run)
{
    for (int32_t i = -1; i < run->compiled->count; i++)
        if (gt_metric_enter(metric_of(run->compiled, i), &run->kept[1 + i]) != GT_OK) {
            leave_metrics(run, i);
            return run->context->status;
        }
    return GT_OK;
}

/* Enters; on failure there is nothing to leave. */
static gt_Status run_begin(Run *run, const char *here, const char *operation, const gt_Layer *model,
                           bool compiled, gt_Verbosity verbosity)
{
    run->site = gt_site_enter(here, operation);
    if (verbosity < GT_VERBOSITY_AUTO || verbosity > GT_VERBOSITY_LINES)
        gt_raise(run->context, GT_INVALID, NULL, NULL, "verbose is %d; it goes from -1 to 2",
                 (int)verbosity);
    gt_check_function("the report of progress", (uintptr_t)run->progress.report);
    if (run->context->status != GT_OK || check_run(run, operation, model, compiled) != GT_OK ||
        (run->compiled && enter_metrics(run) != GT_OK)) {
        gt_site_leave(run->site);
        return run->context->status;
    }
    run->printer = gt_printer(verbosity);
    if (run->state->object.context == run->context) /* else it is not written to: layer.c */
        run->state->object.references++;
    if (run->compiled)
        run->compiled->object.references++;
    for (int i = 0; i < 2; i++)
        if (run->dataset[i])
            gt_dataset_object(run->dataset[i])->references++;
    run->recording = gt_tape_quiet(run->context);
    run->mode = gt_float_mode_flush();
    return GT_OK;
}

static void run_end(Run *run)
{
    gt_float_mode_restore(run->mode);
    gt_tape_unquiet(run->context, run->recording);
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

/* Tells about a batch, if anybody listens. */
static void report_batch(Run *run, gt_ProgressEvent *event, double began)
{
    double values[1 + GT_MAX_METRICS];
    if (!run->progress.report && run->printer.verbosity != GT_VERBOSITY_BAR)
        return;
    read_metrics(run->compiled, values);
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
               : run->context->status;
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
            if (run->compiled->run_eagerly)
                gt_call(model, batch.x);
            else
                gt_build(model, gt_tensor_shape(batch.x), gt_dtype(batch.x));
        }
        gt_scope_close(context);
    }
    if (context->status != GT_OK)
        return context->status;
    gt_Tensors variables = gt_trainable_variables(model);
    if (variables.count == 0)
        return gt_raise(context, GT_STATE, NULL, NULL, "model %s has no trainable weights",
                        run->state->name);
    gt_Optimizer *optimizer = run->compiled->optimizer;
    return gt_optimizer_built(optimizer) ? context->status
                                         : gt_optimizer_build(optimizer, variables);
}

/* ---- evaluate ---- */

/* Loss and metrics over all rows in their own order. `event` is what to tell; NULL: nothing. */
static gt_Status evaluate(Run *run, gt_Dataset *dataset, gt_ProgressEvent *event, double *values)
{
    gt_Context *context = run->context;
    double began = gt_seconds();
    int64_t rows = gt_dataset_size(dataset);
    reset_metrics(run->compiled);
    for (int64_t first = 0; first < rows && !run->stopped && check_interrupt(run) == GT_OK;) {
        gt_Scope *outer = context->scope;
        gt_Batch batch;
        if (!gt_scope_open(context))
            break;
        if (gt_dataset_slice(dataset, first, &batch) == GT_OK)
            run_step(context, run->compiled, false, &batch);
        gt_scope_unwind(context, outer);
        if (context->status != GT_OK)
            break;
        first += batch.size;
        if (event) {
            event->step++;
            report_batch(run, event, began);
        }
    }
    read_metrics(run->compiled, values);
    return context->status;
}

gt_Scores gt_evaluate_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                         const gt_evaluate_options *given)
{
    gt_evaluate_options options = GT_TAKE(gt_evaluate_options, given);
    gt_Scores scores = {.loss = NAN};
    for (int i = 0; i < GT_MAX_METRICS; i++)
        scores.metrics[i] = NAN;
    Run run = {.context = gt_enter(), .dataset = {dataset}, .progress = told(options.progress)};
    if (!run.context || run_begin(&run, here, "evaluate", model, true, options.verbose) != GT_OK)
        return scores;
    const char *names[1 + GT_MAX_METRICS] = {"loss"};
    double values[1 + GT_MAX_METRICS];
    for (int32_t i = 0; i < run.compiled->count; i++)
        names[1 + i] = gt_metric_name(run.compiled->metrics[i]);
    int64_t rows = gt_dataset_size(dataset), size = gt_dataset_batch_size(dataset);
    gt_ProgressEvent event = {.kind = GT_PROGRESS_KIND_EPOCH_BEGIN,
                              .epochs = 1,
                              .steps = rows / size + (rows % size > 0),
                              .names = names};
    double began = gt_seconds();
    report(&run, &event);
    event.count = 1 + run.compiled->count;
    if (evaluate(&run, dataset, &event, values) == GT_OK) {
        scores.loss = values[0];
        scores.count = run.compiled->count;
        memcpy(scores.metrics, values + 1, (size_t)scores.count * sizeof *values);
        event.kind = GT_PROGRESS_KIND_EPOCH_END;
        event.seconds = gt_seconds() - began;
        event.values = values;
        report(&run, &event);
    }
    run_end(&run);
    return scores;
}

/* ---- fit ---- */

/* The rest of the dataset's epoch. A batch that fails is put back. */
static gt_Status train_epoch(Run *run, gt_ProgressEvent *event)
{
    gt_Context *context = run->context;
    gt_Dataset *dataset = run->dataset[0];
    double began = gt_seconds();
    reset_metrics(run->compiled);
    while (!run->stopped && check_interrupt(run) == GT_OK) {
        gt_Scope *outer = context->scope;
        gt_DatasetPosition mark = gt_dataset_mark(dataset);
        gt_Batch batch;
        if (!gt_scope_open(context))
            break;
        bool more = gt_dataset_next(dataset, &batch);
        if (more)
            run_step(context, run->compiled, true, &batch);
        gt_scope_unwind(context, outer);
        if (context->status != GT_OK)
            gt_dataset_return(dataset, mark);
        if (!more || context->status != GT_OK)
            break;
        event->step++;
        report_batch(run, event, began);
    }
    return context->status;
}

static gt_Status fit(Run *run, const gt_fit_options *options, gt_History *history)
{
    int32_t count = 1 + run->compiled->count;
    double values[2 * (1 + GT_MAX_METRICS)];
    if (build_all(run) != GT_OK)
        return run->context->status;
    for (int64_t epoch = options->initial_epoch; epoch < options->epochs && !run->stopped;
         epoch++) {
        double began = gt_seconds();
        gt_ProgressEvent event = {.kind = GT_PROGRESS_KIND_EPOCH_BEGIN,
                                  .epoch = epoch,
                                  .epochs = options->epochs,
                                  .steps = gt_dataset_batches(run->dataset[0]),
                                  .names = (const char *const *)history->names};
        report(run, &event);
        event.count = count;
        if (train_epoch(run, &event) != GT_OK)
            return run->context->status;
        read_metrics(run->compiled, values);
        bool stopped = run->stopped;
        run->stopped = false; /* the epoch is finished all the same */
        if (run->dataset[1] && evaluate(run, run->dataset[1], NULL, values + count) != GT_OK)
            return run->context->status;
        run->stopped = stopped;
        if (history_add(history, values) != GT_OK)
            return run->context->status;
        event.kind = GT_PROGRESS_KIND_EPOCH_END;
        event.count = history->count;
        event.seconds = gt_seconds() - began;
        event.values = values;
        report(run, &event);
    }
    return history->epochs > 0 ? gt_optimizer_finalize(run->compiled->optimizer)
                               : run->context->status;
}

static gt_Status check_fit(const Run *run, const gt_fit_options *options)
{
    gt_Context *context = run->context;
    if (options->epochs < 0 || options->initial_epoch < 0)
        return gt_raise(context, GT_INVALID, NULL, NULL, "epochs %lld, initial_epoch %lld",
                        (long long)options->epochs, (long long)options->initial_epoch);
    if (!run->compiled->optimizer)
        return gt_raise(context, GT_STATE, NULL, NULL, "model %s was compiled without an optimizer",
                        run->state->name);
    return GT_OK;
}

gt_History *gt_fit_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                      const gt_fit_options *given)
{
    gt_fit_options options = GT_TAKE(gt_fit_options, given);
    Run run = {.context = gt_enter(),
               .dataset = {dataset, options.validation},
               .progress = told(options.progress)};
    if (!run.context || run_begin(&run, here, "fit", model, true, options.verbose) != GT_OK)
        return NULL;
    gt_History *history = NULL;
    if (check_fit(&run, &options) == GT_OK)
        history = history_new(run.context, run.compiled, options.validation != NULL);
    gt_DatasetPosition mark = gt_dataset_enter(dataset);
    if (history && fit(&run, &options, history) != GT_OK) {
        gt_history_free(history);
        history = NULL;
    }
    gt_dataset_leave(dataset, mark);
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
    if (context->status != GT_OK)
        return context->status;
    if (spec.rank < 1 || spec.dims[0] != size)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%lld rows gave predictions of %s",
                        (long long)size, gt_spec_text(&spec, text, sizeof text));
    spec.dims[0] = gt_dataset_size(run->dataset[0]);
    if (!gt_spec_resize(&spec))
        return gt_raise(context, GT_INVALID, NULL, NULL, "the predictions are too large");
    void *data;
    if (!*result) {
        gt_Scope *inner = context->scope;
        context->scope = inner->parent;
        *result = gt_tensor_new(context, &spec, &data);
        context->scope = inner;
        if (!*result)
            return context->status;
    }
    const gt_Value *whole = gt_slot_raw(*result)->value;
    if (!gt_spec_equal(&whole->spec, &spec))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the predictions of two batches differ in shape");
    size_t bytes = gt_spec_bytes(&spec) / (size_t)spec.dims[0];
    const void *numbers = gt_data(y);
    if (bytes && numbers)
        memcpy((char *)gt_value_data(whole) + (size_t)first * bytes, numbers, (size_t)size * bytes);
    return context->status;
}

gt_Tensor *gt_predict_at(const char *here, gt_Layer *model, gt_Dataset *dataset)
{
    Run run = {.context = gt_enter(), .dataset = {dataset}};
    gt_Context *context = run.context;
    if (!context || run_begin(&run, here, "predict", model, false, GT_VERBOSITY_SILENT) != GT_OK)
        return NULL;
    gt_Scope *outer = context->scope;
    gt_Tensor *result = NULL;
    int64_t rows = gt_dataset_size(dataset);
    for (int64_t first = 0; first < rows && check_interrupt(&run) == GT_OK;) {
        gt_Batch batch;
        if (!gt_scope_open(context))
            break;
        if (gt_dataset_slice(dataset, first, &batch) == GT_OK) {
            gt_Tensor *y = gt_call(model, batch.x, .training = false);
            if (y) {
                gt_origin_forget(context, y);
                collect(&run, y, first, batch.size, &result);
            }
        }
        gt_scope_unwind(context, outer);
        if (context->status != GT_OK)
            break;
        first += batch.size;
    }
    run_end(&run);
    if (context->status == GT_OK)
        return result;
    if (result)
        gt_slot_free(context, gt_slot_raw(result));
    return NULL;
}
