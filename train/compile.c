/* gt_compile, and the steps of a compiled model: functions over the model that run as plans
 * (plan/function.h) unless told otherwise. They gather loss and metrics in the variables of
 * metrics. Leans on layers, optim, plan. */
#include "train/compiled.h"
#include "ops/math/arithmetic.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "optim/internal.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_compile_options, gt_compile_OPTIONS);
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

static gt_Tensor *compute_loss(const gt_Compiled *self, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Tensor *loss = self->loss.type ? gt_loss_compute(&self->loss, y_true, y_pred) : NULL;
    loss = gt_total_loss(self->model, loss);
    if (!loss)
        gt_fail(GT_STATE, "there is no loss: give gt_compile a .loss, or call gt_add_loss in a "
                          "layer, or give a weight a regularizer");
    return loss;
}

static gt_Status update_metrics(const gt_Compiled *self, gt_Tensor *loss, gt_Tensor *y_true,
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
    gt_Compiled *self = context;
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
    gt_Compiled *self = context;
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

gt_Status gt_compiled_step(gt_Compiled *self, bool training, const gt_Batch *batch)
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
        return gt_status();
    return gt_function_call(*plan, ((gt_Tensors){inputs, 1 + has_y}), NULL);
}

gt_Status gt_compiled_reset(const gt_Compiled *self)
{
    gt_metric_reset(self->tracker);
    for (int32_t i = 0; i < self->count; i++)
        gt_metric_reset(self->metrics[i]);
    return gt_status();
}

void gt_compiled_read(const gt_Compiled *self, double *values)
{
    values[0] = gt_metric_result(self->tracker);
    for (int32_t i = 0; i < self->count; i++)
        values[1 + i] = gt_metric_result(self->metrics[i]);
}

/* ---- compile ---- */

static void destroy_compiled(gt_Object *object)
{
    gt_Compiled *self = (gt_Compiled *)object;
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
        return gt_context_status(context);
    if (lone_metric(metrics) || (metrics->items && !gt_is_address(metrics->items)))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "metrics must be a list, gt_metrics(...) (got %s)",
                        lone_metric(metrics) ? "a metric" : "a number");
    if (metrics->count < 0 || metrics->count > GT_MAX_METRICS ||
        (metrics->count > 0 && !metrics->items))
        return gt_raise(context, GT_INVALID, NULL, NULL, "there can be 0 to %d metrics (got %d)",
                        GT_MAX_METRICS, (int)metrics->count);
    if (options->optimizer &&
        (!gt_object_check(context, NULL, NULL, options->optimizer, &gt_optimizer_kind) ||
         !gt_optimizer_class(options->optimizer)))
        return gt_context_status(context);
    for (int32_t i = 0; i < metrics->count; i++) {
        if (!gt_metric_check(context, NULL, NULL, metrics->items[i]))
            return gt_context_status(context);
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
        gt_context_status(context) == GT_OK ? gt_layer_own(context, NULL, NULL, model) : NULL;
    gt_Compiled *self = NULL;
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
    return gt_context_status(context);
}

gt_Compiled *gt_compiled_of(const gt_LayerState *state)
{
    return state->compiled && state->compiled->kind == &compiled_kind
               ? (gt_Compiled *)state->compiled
               : NULL;
}

gt_Optimizer *gt_layer_optimizer(const gt_LayerState *state)
{
    const gt_Compiled *compiled = gt_compiled_of(state);
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
