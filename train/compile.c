/* gt_compile: takes over what a model is trained with, and makes the metrics that show its losses. The steps that use all of
 * this are in steps.c. Leans on layers and optim. */
#include "train/compiled.h"
#include "ops/math/arithmetic.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "optim/internal.h"
#include "optim/rmsprop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_compile_options, gt_compile_OPTIONS);
/* ---- what is shown of losses ---- */

/* The mean of y_pred weighted by y_true: of the batches' losses by their sizes. */
static gt_Status update_tracker(const gt_MetricUpdate *update)
{
    gt_Tensor *loss = gt_cast(update->y_pred, GT_FLOAT64);
    gt_assign_add(update->states[0], gt_multiply(loss, update->y_true));
    return gt_assign_add(update->states[1], update->y_true);
}

static const gt_MetricClass tracker_class = {
    .size = sizeof tracker_class, .name = "loss", .states = 2, .update = update_tracker};

/* ---- compile ---- */

static void destroy_compiled(gt_Object *object)
{
    gt_Compiled *self = (gt_Compiled *)object;
    for (int32_t i = 0; i < GT_COMPILED_STEPS; i++) {
        gt_function_free(self->steps[i].plan);
        gt_lookups_close(&self->steps[i].lookups);
    }
    for (int32_t i = 0; i < self->count; i++) {
        gt_object_release((gt_Object *)self->scores[i]);
        gt_free_text(object->context, self->validation_names[i]);
    }
    gt_fit_close(object->context, &self->fit);
    gt_object_release((gt_Object *)self->optimizer);
}

static const gt_ObjectKind compiled_kind = {"compiled model", destroy_compiled, false};

/* A metric in the place of the list of them; NULL: none. */
static gt_Object *lone_metric(const gt_Metrics *metrics)
{
    void *items = (void *)(uintptr_t)metrics->items;
    return metrics->count == 0 && gt_object_is(items, &gt_metric_kind) ? items : NULL;
}

static void for_each_metric(const gt_Metrics *list, void (*with)(gt_Object *object))
{
    with(lone_metric(list));
    if (list->count > GT_MAX_METRICS || !gt_is_address(list->items))
        return;
    for (int32_t i = 0; i < list->count; i++)
        if (gt_object_is(list->items[i], &gt_metric_kind))
            with((gt_Object *)list->items[i]);
}

/* Does something with what gt_compile takes: sinks it before anything is checked, or drops it. */
static void for_each_taken(const gt_compile_options *options, void (*with)(gt_Object *object))
{
    if (gt_object_is(options->optimizer, &gt_optimizer_kind))
        with((gt_Object *)options->optimizer);
    for_each_metric(&options->metrics, with);
    for_each_metric(&options->weighted_metrics, with);
}

static gt_Status check_metrics(gt_Context *context, const char *what, const gt_Metrics *metrics)
{
    if (lone_metric(metrics) || (metrics->items && !gt_is_address(metrics->items)))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "%s must be a list, gt_metrics(...) (got %s)", what,
                        lone_metric(metrics) ? "a metric" : "a number");
    if (metrics->count < 0 || metrics->count > GT_MAX_METRICS ||
        (metrics->count > 0 && !metrics->items))
        return gt_raise(context, GT_INVALID, NULL, NULL, "there can be 0 to %d metrics (got %d)",
                        GT_MAX_METRICS, (int)metrics->count);
    for (int32_t i = 0; i < metrics->count; i++)
        if (!gt_metric_check(context, NULL, NULL, metrics->items[i]))
            break;
    return gt_context_status(context);
}

/* How many losses are in the list; each is one. */
static gt_Status count_losses(const gt_Losses *list, int32_t *count)
{
    *count = 0;
    if (list->items && !gt_is_address(list->items))
        return gt_fail(GT_INVALID, "losses must be a list, gt_losses(...) (got a number)");
    for (; list->items && list->items[*count].type != GT_LIST_END; ++*count) {
        if (*count >= GT_MAX_LOSSES)
            return gt_fail(GT_INVALID, "there can be at most %d losses", GT_MAX_LOSSES);
        if (!list->items[*count].type)
            return gt_fail(GT_INVALID, "loss %d is not given", (int)*count + 1);
        if (gt_loss_check(&list->items[*count]) != GT_OK)
            break;
    }
    return gt_status();
}

/* What makes up a step, and how often it is looked at. */
static gt_Status check_steps(const gt_compile_options *options)
{
    gt_check_function("the train_step", (uintptr_t)options->train_step);
    gt_check_function("the test_step", (uintptr_t)options->test_step);
    gt_check_function("the predict_step", (uintptr_t)options->predict_step);
    gt_check_function("the compute_loss", (uintptr_t)options->compute_loss);
    if (options->steps_per_execution < 1)
        return gt_fail(GT_INVALID, "steps_per_execution must be >= 1 (got %lld)",
                       (long long)options->steps_per_execution);
    if (options->jit_compile == 1)
        return gt_fail(GT_UNSUPPORTED, "jit_compile: there is no compiler to hand steps to; they run as "
                                       "plans, unless run_eagerly is true");
    return gt_status();
}

static gt_Status check_compile(gt_Context *context, const gt_compile_options *options)
{
    int32_t losses;
    if (check_steps(options) != GT_OK)
        return gt_context_status(context);
    if (gt_loss_check(&options->loss) != GT_OK || count_losses(&options->losses, &losses) != GT_OK)
        return gt_context_status(context);
    if (losses > 0 && options->loss.type)
        return gt_raise(context, GT_INVALID, NULL, NULL, "give .loss or .losses, not both");
    if (check_metrics(context, "metrics", &options->metrics) != GT_OK ||
        check_metrics(context, "weighted_metrics", &options->weighted_metrics) != GT_OK)
        return gt_context_status(context);
    if (options->metrics.count + options->weighted_metrics.count > GT_MAX_METRICS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "there can be 0 to %d metrics (got %d)",
                        GT_MAX_METRICS,
                        (int)(options->metrics.count + options->weighted_metrics.count));
    if (options->optimizer &&
        (!gt_object_check(context, NULL, NULL, options->optimizer, &gt_optimizer_kind) ||
         !gt_optimizer_class(options->optimizer)))
        return gt_context_status(context);
    return GT_OK;
}

/* The losses, one for each output. One loss alone is that of every output of a functional model. */
static gt_Status take_losses(gt_Compiled *self, const gt_compile_options *options)
{
    int32_t count;
    const gt_Numbers *weights = &options->loss_weights;
    count_losses(&options->losses, &count);
    for (int32_t i = 0; i < count; i++)
        self->loss[i] = options->losses.items[i];
    if (options->loss.type) {
        bool container = self->model->type->flags & GT_LAYER_CONTAINER;
        int outputs = container ? gt_layer_outputs(self->model) : 1;
        for (; count < outputs && count < GT_MAX_LOSSES; count++)
            self->loss[count] = options->loss;
    }
    self->loss_count = count;
    self->outputs = count > 0 ? count : 1;
    if (weights->count > 0 && (weights->mark != GT_MARK || weights->count != count))
        return gt_fail(GT_INVALID,
                       "loss_weights must be one number for each of the %d losses (got %d)",
                       (int)count, (int)weights->count);
    for (int32_t i = 0; i < count; i++)
        self->loss_weight[i] = weights->count > 0 ? weights->value[i] : 1;
    int most = gt_layer_outputs(self->model);
    if (count > most)
        return gt_fail(GT_INVALID, "there are %d losses, and the model has %d output%s", (int)count,
                       most, most == 1 ? "" : "s");
    return gt_status();
}

static gt_Status add_score(gt_Compiled *self, gt_Metric *metric, bool weighted)
{
    const char *name = gt_metric_name(metric);
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(name, gt_metric_name(self->scores[i])) == 0)
            return gt_fail(GT_INVALID,
                           i == 0 ? "a metric cannot be called \"%s\""
                                  : "two metrics are called \"%s\"; give one a .name",
                           name);
    self->weighted[self->count] = weighted;
    self->scores[self->count++] = metric;
    int32_t output = gt_metric_output(metric);
    int most = gt_layer_outputs(self->model);
    if (output >= most)
        return gt_fail(GT_INVALID, "metric %s is about output %d, and the model has %d output%s",
                       name, (int)output, most, most == 1 ? "" : "s");
    if (output >= self->outputs)
        self->outputs = output + 1;
    return gt_status();
}

static gt_Status add_trackers(gt_Compiled *self)
{
    char name[32];
    self->scores[self->count++] = gt_metric_new_at(NULL, &tracker_class, NULL, NULL);
    for (int32_t i = 0; i < self->loss_count && self->loss_count > 1 && gt_status() == GT_OK; i++) {
        snprintf(name, sizeof name, i ? "output_%d_loss" : "output_loss", (int)i);
        self->scores[self->count++] = gt_metric_new_at(NULL, &tracker_class, name, NULL);
    }
    if (gt_status() != GT_OK)
        self->count--; /* the last one is NULL */
    self->first_metric = self->count;
    return gt_status();
}

static gt_Status name_validations(gt_Compiled *self)
{
    char name[256];
    for (int32_t i = 0; i < self->count && gt_status() == GT_OK; i++) {
        snprintf(name, sizeof name, "val_%s", gt_metric_name(self->scores[i]));
        self->validation_names[i] = gt_copy_text(self->object.context, name);
    }
    return gt_status();
}

/* Metrics are taken before one of them can be refused. */
static gt_Status fill_compiled(gt_Compiled *self, gt_Layer *model,
                               const gt_compile_options *options)
{
    self->model = model;
    self->run_eagerly = options->run_eagerly;
    self->steps_per_execution = options->steps_per_execution;
    self->train_step = options->train_step;
    self->test_step = options->test_step;
    self->predict_step = options->predict_step;
    self->compute_loss = options->compute_loss;
    self->user = options->user;
    if (take_losses(self, options) != GT_OK || add_trackers(self) != GT_OK)
        return gt_status();
    for (int32_t i = 0; i < options->metrics.count && gt_status() == GT_OK; i++)
        add_score(self, options->metrics.items[i], false);
    for (int32_t i = 0; i < options->weighted_metrics.count && gt_status() == GT_OK; i++)
        add_score(self, options->weighted_metrics.items[i], true);
    return gt_status() == GT_OK ? name_validations(self) : gt_status();
}

/* For summaries: what the optimizer keeps, once it has its slots. */
static gt_Tensors optimizer_variables(const gt_LayerState *state)
{
    const gt_Compiled *self = gt_compiled_of(state);
    const gt_Tensors none = {NULL, 0};
    if (!self || !self->optimizer || state->object.context != gt_context())
        return none; /* another context may look at the model, not at its optimizer */
    return gt_optimizer_built(self->optimizer) ? gt_optimizer_variables(self->optimizer) : none;
}

/* Gradients of float16 are often too small for it: Keras scales the loss of a mixed_float16 model. */
static gt_Status scale_loss(const gt_LayerState *state, const gt_compile_options *options)
{
    gt_Context *context = state->object.context;
    gt_DType policy = (gt_DType)gt_context_policy(context), compute = state->compute;
    if (compute == GT_DTYPE_NONE)
        compute = gt_compute_dtype(policy);
    gt_Optimizer *optimizer = options->optimizer;
    if (optimizer && options->auto_scale_loss && compute == GT_FLOAT16)
        gt_optimizer_scale_by_default(optimizer);
    return gt_context_status(context);
}

gt_Status gt_compile_at(const char *here, gt_Layer *model, const gt_compile_options *given)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    gt_compile_options options;
    GT_TAKE(gt_compile_options, &options, given);
    if (!options.optimizer && gt_context_status(context) == GT_OK)
        options.optimizer = gt_RMSprop(); /* Keras's default */
    for_each_taken(&options, gt_object_sink);
    gt_Site site = gt_site_enter(here, "compile");
    gt_LayerState *state =
        gt_context_status(context) == GT_OK ? gt_layer_own(context, NULL, NULL, model) : NULL;
    gt_Compiled *self = NULL;
    if (state && check_compile(context, &options) == GT_OK)
        self = gt_object_new(context, &compiled_kind, sizeof *self);
    if (self && fill_compiled(self, model, &options) == GT_OK && gt_layer_draw(state) == GT_OK &&
        scale_loss(state, &options) == GT_OK) {
        self->optimizer = options.optimizer;
        gt_object_sink(&self->object);
        gt_object_release(state->compiled);
        state->compiled = &self->object;
        state->optimizer_variables = optimizer_variables;
    } else {
        if (self) {
            for (; self->count > self->first_metric; self->count--) {
                self->scores[self->count - 1] = NULL; /* let go of below */
                gt_free_text(context, self->validation_names[self->count - 1]);
            }
            gt_object_release(&self->object);
        }
        for_each_taken(&options, gt_object_release);
    }
    gt_site_leave(&site);
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
