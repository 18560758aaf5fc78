/* The steps of a compiled model: functions of a batch that run as plans (plan/function.h) unless told otherwise. They gather
 * loss and metrics in the variables of metrics.
 *
 *     gt_compiled_step -> find_step -> gt_function_call -> run_step -> gt_train_step, or one of the user's
 *                                                          -> gt_step_loss, gt_step_metrics
 *
 * Leans on layers, optim, plan, watch.c. */
#include "train/texts.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "optim/internal.h"
#include "optim/loss_scale.h"

#include <math.h>
#include <string.h>

typedef struct gt_Step gt_Step;

/* A batch inside a step, and what became of it so far. */
struct gt_Step {
    gt_Compiled *compiled;
    gt_Batch batch;
    gt_StepArgs args;               /* what the step's function is given */
    gt_Tensor *loss[GT_MAX_LOSSES]; /* of each output, before its weight; NULL: not computed */
    gt_Tensor *total;               /* NULL: not computed */
    bool watched;
    bool computing; /* inside the user's compute_loss */
};

#define MOST_LOOKUPS 32 /* results of layers for text */

/* ---- batches as the arguments of a function ---- */

/* The inputs of a step in the order of the layout: inputs, labels, weights that are there, what was looked up. */
static int32_t flatten(const gt_Batch *batch, const gt_BatchLayout *layout, const gt_Lookups *lookups,
                       gt_Tensor **list)
{
    int32_t count = 0;
    for (int32_t i = 0; i < layout->x_count; i++)
        list[count++] = batch->xs[i];
    for (int32_t i = 0; i < layout->y_count; i++)
        list[count++] = batch->ys[i];
    for (int32_t i = 0; i < layout->y_count; i++)
        if (layout->weights >> i & 1)
            list[count++] = batch->weights[i];
    gt_lookups_list(lookups, list + count);
    return count + gt_lookups_outputs(lookups);
}

static void unflatten(gt_Tensor *const *list, gt_CompiledStep *how, gt_Batch *batch)
{
    const gt_BatchLayout *layout = &how->layout;
    memset(batch, 0, sizeof *batch);
    batch->x_count = layout->x_count;
    batch->y_count = layout->y_count;
    for (int32_t i = 0; i < layout->x_count; i++)
        batch->xs[i] = *list++;
    for (int32_t i = 0; i < layout->y_count; i++)
        batch->ys[i] = *list++;
    for (int32_t i = 0; i < layout->y_count; i++)
        if (layout->weights >> i & 1)
            batch->weights[i] = *list++;
    gt_lookups_take(&how->lookups, list);
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
    batch->text_count = layout->text_count;
    memcpy(batch->texts, how->batch->texts, sizeof batch->texts);
    gt_Spec spec = batch->x ? gt_spec(batch->x) : (gt_Spec){.rank = 0};
    batch->size = spec.rank > 0 ? spec.dims[0] : batch->x ? 1 : how->batch->size;
}

static gt_BatchLayout layout_of(const gt_Batch *batch, gt_StepKind kind)
{
    gt_BatchLayout layout = {batch->x_count, batch->y_count, batch->text_count, 0, kind};
    for (int32_t i = 0; i < batch->y_count; i++)
        if (batch->weights[i])
            layout.weights |= 1u << i;
    return layout;
}

static bool same_layout(const gt_BatchLayout *a, const gt_BatchLayout *b)
{
    return a->x_count == b->x_count && a->y_count == b->y_count && a->text_count == b->text_count &&
           a->weights == b->weights && a->kind == b->kind;
}

/* ---- loss and metrics of a step ---- */

static gt_Status call_with_text(gt_Layer *model, const gt_Batch *batch, bool training,
                                gt_Tensor **const *where, gt_Tensor **y_pred)
{
    gt_Ports ports;
    gt_Context *context = gt_context();
    const gt_LayerState *state = gt_layer_check(context, NULL, NULL, model);
    const gt_call_options options = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).training = training, .outputs = {where}};
    if (state && gt_ports_fill(context, state, batch, &ports) == GT_OK)
        y_pred[0] = gt_call_inputs(NULL, model, &options, ports.count, ports.inputs, ports.text);
    return gt_context_status(context);
}

/* The model's outputs for a batch. */
static gt_Status call_on_batch(gt_Layer *model, const gt_Batch *batch, bool training,
                               int32_t outputs, gt_Tensor **y_pred)
{
    gt_Tensor **where[GT_MAX_LAYER_OUTPUTS];
    for (int32_t i = 1; i < outputs; i++)
        where[i - 1] = &y_pred[i];
    where[outputs - 1] = GT_LIST_END;
    if (batch->text_count > 0)
        return call_with_text(model, batch, training, where, y_pred);
    y_pred[0] = gt_call(model, batch->x, .training = training,
                        .more = {batch->x_count > 1 ? batch->xs + 1 : NULL, batch->x_count - 1},
                        .outputs = {where});
    return gt_status();
}

/* The step that a function of this file works on, in the site of that function; NULL with an error. */
static gt_Step *enter_step(const char *here, const char *operation, const gt_StepArgs *in,
                           gt_Site *site)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!in || !in->step || !in->model) {
        gt_raise(context, GT_INVALID, here, operation,
                 "in must be what a step is given (got %s)", in ? "another struct" : "NULL");
        return NULL;
    }
    *site = gt_site_enter(here, operation);
    return in->step;
}

static gt_Status check_predictions(const gt_Tensors *y_pred, int32_t least, const char *what)
{
    if (y_pred->count >= least && y_pred->items)
        return gt_status();
    return gt_fail(GT_INVALID, "there must be %d prediction%s, as many as %s (got %d)", (int)least,
                   least == 1 ? "" : "s", what, (int)y_pred->count);
}

/* The weighted sum of the losses, and what the model adds. */
static gt_Tensor *sum_losses(gt_Step *step, gt_Tensors y_pred)
{
    const gt_Compiled *self = step->compiled;
    const gt_Batch *batch = &step->batch;
    gt_Tensor *sum = NULL;
    if (check_predictions(&y_pred, self->loss_count, "there are losses") != GT_OK)
        return NULL;
    for (int32_t i = 0; i < self->loss_count && gt_status() == GT_OK; i++) {
        step->loss[i] = gt_loss_compute(&self->loss[i], i < batch->y_count ? batch->ys[i] : NULL,
                                        y_pred.items[i], batch->weights[i]);
        double weight = self->loss_weight[i];
        gt_Tensor *part =
            step->loss[i] && weight != 1 ? gt_multiply(step->loss[i], weight) : step->loss[i];
        sum = sum ? gt_add(sum, part) : part;
    }
    gt_Tensor *total = gt_total_loss(self->model, sum);
    if (!total)
        gt_fail(GT_STATE, "there is no loss: give gt_compile a .loss, or call gt_add_loss in a "
                          "layer, or give a weight a regularizer");
    return total;
}

static gt_Tensor *users_loss(gt_Step *step, gt_Tensors y_pred)
{
    step->computing = true;
    gt_Tensor *total = step->compiled->compute_loss(&step->args, y_pred);
    step->computing = false;
    if (!total)
        gt_fail(GT_INVALID, "the loss of compute_loss is NULL");
    else if (gt_rank(total) != 0)
        gt_fail(GT_INVALID, "the loss of compute_loss must be a scalar (got rank %d)",
                gt_rank(total));
    return total;
}

/* A step that is no plan can look at its loss. */
static gt_Tensor *note(const gt_Step *step, gt_Tensor *total)
{
    if (step->compiled->run_eagerly && step->args.training && !isfinite(gt_item(total)))
        step->compiled->not_finite = true;
    return total;
}

gt_Tensor *gt_step_loss_at(const char *here, const gt_StepArgs *in, gt_Tensors y_pred)
{
    gt_Site site;
    gt_Step *step = enter_step(here, "step_loss", in, &site);
    if (!step)
        return NULL;
    bool inner = step->computing;
    gt_Tensor *total = step->compiled->compute_loss && !inner ? users_loss(step, y_pred)
                                                               : sum_losses(step, y_pred);
    if (!inner && gt_status() == GT_OK)
        step->total = step->watched ? gt_watch_loss(step->compiled, total) : note(step, total);
    gt_site_leave(&site);
    return gt_status() == GT_OK ? total : NULL;
}

static void update_losses(const gt_Step *step, gt_Tensors y_pred)
{
    const gt_Compiled *self = step->compiled;
    gt_Tensor *rows = gt_scalar(gt_batch_rows(y_pred.items[0]), GT_FLOAT64);
    if (step->total)
        gt_metric_update(self->scores[0], rows, step->total);
    for (int32_t i = 1; i < self->first_metric; i++)
        if (step->loss[i - 1])
            gt_metric_update(self->scores[i], rows, step->loss[i - 1]);
}

gt_Status gt_step_metrics_at(const char *here, const gt_StepArgs *in, gt_Tensors y_pred)
{
    gt_Site site;
    gt_Step *step = enter_step(here, "step_metrics", in, &site);
    if (!step)
        return gt_status();
    const gt_Compiled *self = step->compiled;
    const gt_Batch *batch = &step->batch;
    if (check_predictions(&y_pred, self->outputs, "losses and metrics look at") == GT_OK) {
        update_losses(step, y_pred);
        for (int32_t i = self->first_metric; i < self->count; i++) {
            int32_t output = gt_metric_output(self->scores[i]);
            gt_metric_update(self->scores[i], output < batch->y_count ? batch->ys[output] : NULL,
                             y_pred.items[output],
                             .sample_weight = self->weighted[i] ? batch->weights[output] : NULL);
        }
    }
    gt_site_leave(&site);
    return gt_status();
}

/* ---- the built-in steps ---- */

gt_Status gt_train_step_at(const char *here, const gt_StepArgs *in)
{
    gt_Site site;
    gt_Step *step = enter_step(here, "train_step", in, &site);
    if (!step)
        return gt_status();
    gt_Compiled *self = step->compiled;
    gt_Tensor *y_pred[GT_MAX_LAYER_OUTPUTS];
    gt_Tensors list = {y_pred, self->outputs};
    gt_Tape *tape = gt_tape_begin();
    call_on_batch(in->model, &step->batch, true, self->outputs, y_pred);
    gt_Tensor *loss = gt_status() == GT_OK ? gt_step_loss(in, list) : NULL;
    if (loss) {
        gt_Tensors variables = gt_trainable_variables(in->model);
        if (variables.count > 0)
            gt_minimize(self->optimizer, tape, gt_scale_loss(self->optimizer, loss), variables);
        gt_step_metrics(in, list);
    }
    gt_tape_end(tape);
    gt_site_leave(&site);
    return gt_status();
}

gt_Status gt_test_step_at(const char *here, const gt_StepArgs *in)
{
    gt_Site site;
    gt_Step *step = enter_step(here, "test_step", in, &site);
    if (!step)
        return gt_status();
    gt_Tensor *y_pred[GT_MAX_LAYER_OUTPUTS];
    gt_Tensors list = {y_pred, step->compiled->outputs};
    call_on_batch(in->model, &step->batch, false, step->compiled->outputs, y_pred);
    if (gt_status() == GT_OK && gt_step_loss(in, list))
        gt_step_metrics(in, list);
    gt_site_leave(&site);
    return gt_status();
}

/* ---- steps as functions ---- */

static gt_StepArgs arguments_of(gt_Compiled *self, gt_Layer *model, bool training,
                                const gt_Batch *batch, gt_Step *step)
{
    gt_StepArgs args = {.size = sizeof args,
                        .training = training,
                        .model = model,
                        .optimizer = self ? self->optimizer : NULL,
                        .batch = batch,
                        .user = self ? self->user : NULL,
                        .step = step};
    return args;
}

/* Inside the step the text is what was looked up of it. */
static gt_Lookups *begin_lookups(gt_CompiledStep *how, const gt_Batch *batch)
{
    gt_Strings strings[GT_MAX_TEXTS];
    for (int32_t i = 0; i < batch->text_count; i++)
        strings[i] = gt_batch_text(batch, i);
    return how->lookups.found ? gt_lookups_begin(&how->lookups, strings, batch->text_count) : NULL;
}

/* The body: a step, the user's or the built-in one. */
static gt_Status run_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)outputs;
    gt_CompiledStep *how = context;
    gt_Compiled *self = how->compiled;
    bool training = how->layout.kind != GT_STEP_KIND_TEST;
    gt_Step step = {.compiled = self, .watched = how->layout.kind == GT_STEP_KIND_WATCH};
    unflatten(inputs, how, &step.batch);
    step.args = arguments_of(self, self->model, training, &step.batch, &step);
    gt_StepFunction own = training ? self->train_step : self->test_step;
    gt_Lookups *before = begin_lookups(how, &step.batch);
    gt_Status status = own        ? own(&step.args)
                       : training ? gt_train_step(&step.args)
                                  : gt_test_step(&step.args);
    if (how->lookups.found)
        gt_lookups_end(self->object.context, before);
    if (status != GT_OK && gt_status() == GT_OK)
        gt_fail(status, "the %s failed", training ? "train_step" : "test_step");
    if (gt_status() == GT_OK)
        self->lossless[training] = !step.total;
    return gt_status();
}

/* The step for such batches; the oldest gives way where there are too many. */
static gt_CompiledStep *find_step(gt_Compiled *self, const gt_BatchLayout *layout)
{
    for (int32_t i = 0; i < self->step_count && i < GT_COMPILED_STEPS; i++)
        if (same_layout(&self->steps[i].layout, layout))
            return &self->steps[i];
    gt_CompiledStep *step = &self->steps[self->step_count++ % GT_COMPILED_STEPS];
    gt_function_free(step->plan);
    gt_lookups_close(&step->lookups);
    *step = (gt_CompiledStep){.compiled = self, .layout = *layout};
    return step;
}

/* Every operation by itself. */
static gt_Status step_eagerly(gt_Compiled *self, gt_StepKind kind, const gt_Batch *batch)
{
    gt_CompiledStep step = {.compiled = self, .layout = layout_of(batch, kind), .batch = batch};
    gt_Tensor *inputs[3 * GT_MAX_COLUMNS];
    flatten(batch, &step.layout, &step.lookups, inputs);
    return run_step(&step, inputs, NULL);
}

/* The text of the batch through the layers that accept it, whose results are arguments of the step. */
static gt_Status look_up(gt_CompiledStep *step, const gt_Batch *batch)
{
    gt_Ports ports;
    gt_Spec specs[GT_MAX_INPUTS];
    gt_Compiled *self = step->compiled;
    gt_Context *context = self->object.context;
    const gt_LayerState *state = gt_layer_check(context, NULL, NULL, self->model);
    bool training = step->layout.kind != GT_STEP_KIND_TEST;
    if (!state || gt_ports_fill(context, state, batch, &ports) != GT_OK ||
        gt_ports_specs(context, &ports, specs) != GT_OK ||
        gt_lookups_find(context, &step->lookups, self->model, training, ports.count, specs) != GT_OK)
        return gt_context_status(context);
    if (gt_lookups_outputs(&step->lookups) > MOST_LOOKUPS)
        return gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                        "at most %d results of layers for text can be arguments of a step; .run_eagerly = true has no such bound",
                        MOST_LOOKUPS);
    return gt_lookups_make(&step->lookups, ports.strings);
}

gt_Status gt_compiled_step(gt_Compiled *self, gt_StepKind kind, const gt_Batch *batch)
{
    if (self->run_eagerly)
        return step_eagerly(self, kind, batch);
    gt_BatchLayout layout = layout_of(batch, kind);
    gt_CompiledStep *step = find_step(self, &layout);
    gt_Tensor *inputs[3 * GT_MAX_COLUMNS + MOST_LOOKUPS];
    step->batch = batch;
    if (batch->text_count > 0 && look_up(step, batch) != GT_OK)
        return gt_status();
    int32_t count = flatten(batch, &layout, &step->lookups, inputs);
    if (!step->plan)
        step->plan = gt_function(run_step, step, .outputs = 0);
    if (!step->plan)
        return gt_status();
    return gt_function_call(step->plan, ((gt_Tensors){inputs, count}), NULL);
}

gt_Status gt_predict_step(gt_Layer *model, gt_Compiled *compiled, const gt_Batch *batch,
                          int32_t outputs, gt_Tensor **y_pred)
{
    if (!compiled || !compiled->predict_step)
        return call_on_batch(model, batch, false, outputs, y_pred);
    gt_Step step = {.compiled = compiled, .batch = *batch};
    step.args = arguments_of(compiled, model, false, &step.batch, &step);
    memset(y_pred, 0, (size_t)outputs * sizeof *y_pred);
    gt_Status status = compiled->predict_step(&step.args, outputs, y_pred);
    if (status != GT_OK && gt_status() == GT_OK)
        gt_fail(status, "the predict_step failed");
    for (int32_t i = 0; i < outputs && gt_status() == GT_OK; i++)
        if (!y_pred[i])
            gt_fail(GT_INVALID, "the predict_step left prediction %d of %d NULL", (int)i + 1,
                    (int)outputs);
    return gt_status();
}

/* ---- what they gathered ---- */

gt_Status gt_compiled_reset(const gt_Compiled *self)
{
    for (int32_t i = 0; i < self->count; i++)
        gt_metric_reset(self->scores[i]);
    return gt_status();
}

void gt_compiled_read(const gt_Compiled *self, bool training, bool validation, gt_Logs *logs)
{
    int32_t first = self->lossless[training] ? self->first_metric : 0;
    for (int32_t i = first; i < self->count; i++) {
        logs->names[logs->count] =
            validation ? self->validation_names[i] : gt_metric_name(self->scores[i]);
        logs->values[logs->count++] = gt_metric_result(self->scores[i]);
    }
}
