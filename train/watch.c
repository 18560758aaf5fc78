/* A loss that is not finite: found before the step changes anything, and explained.
 *
 * A plan runs all that can fail before it changes a variable (plan/passes/order.c). So a step whose loss goes through an
 * operation that fails where it is not finite leaves everything as it was: weights, optimizer, moving averages, generators.
 * The batch is then repeated, and each operation looks at its result; the first one that is not finite is named in a
 * warning. Then a step without that operation trains on the batch, as Keras does. This costs nothing while losses are
 * finite. With run_eagerly there is no plan that waits: copies of all variables are made before every batch. */
#include "train/compiled.h"
#include "ops/math/random.h"
#include "optim/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the operation ---- */

/* The address of the gt_Compiled that is told. */
#define watched_loss_OPTIONS(F, S) F(S, uint64_t, told, 0, "where the struct is that is told")
GT_OPTIONS(watched_loss_options, watched_loss_OPTIONS);
GT_OPTION_TYPE(watched_loss_options, watched_loss_OPTIONS);

static gt_Status watched_loss_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return GT_OK;
}

static gt_Status watched_loss_run(const gt_Kernel *kernel)
{
    const watched_loss_options *options = kernel->options;
    const gt_Spec *spec = kernel->input_spec[0];
    memcpy(kernel->output[0], kernel->input[0], gt_spec_bytes(spec));
    if (isfinite(gt_number_fetch(spec->dtype, kernel->input[0], 0)))
        return GT_OK;
    ((gt_Compiled *)(uintptr_t)options->told)->not_finite = true;
    return gt_fail(GT_NUMERIC, "the loss is not finite");
}

static const gt_Operation watched_loss = {
    .size = sizeof watched_loss,
    .name = "watched_loss",
    .formula = "x, which must be finite",
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF,
    .why_not = "it is for what is shown; the loss itself has a gradient",
    .options = &watched_loss_options_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = watched_loss_shape,
    .run = watched_loss_run,
};

gt_Tensor *gt_watch_loss(gt_Compiled *self, gt_Tensor *loss)
{
    gt_Context *context = self->object.context;
    uint64_t recording = gt_tape_quiet(context);
    gt_Tensor *watched = gt_apply_one(&watched_loss,
                                      &GT_VALUES(watched_loss_options, (uint64_t)(uintptr_t)self),
                                      1, &loss);
    gt_tape_unquiet(context, recording);
    return watched;
}

/* ---- all that a step may change, put by ---- */

/* The numbers of a list of variables. */
typedef struct Kept {
    gt_Variable **variables;
    int32_t count, capacity;
    char *bytes;
    size_t size;
} Kept;

static void add_all(gt_Context *context, Kept *kept, gt_Tensors list)
{
    for (int32_t i = 0; i < list.count; i++) {
        if (!gt_reserve(context, (void **)&kept->variables, kept->count, &kept->capacity,
                        sizeof *kept->variables))
            return;
        kept->variables[kept->count++] = list.items[i];
        kept->size += gt_spec_bytes(gt_tensor_spec(list.items[i]));
    }
}

static void drop(gt_Context *context, Kept *kept)
{
    gt_release_unpooled(context, kept->bytes, kept->size);
    gt_release(context, kept->variables, (size_t)kept->capacity * sizeof *kept->variables);
    *kept = (Kept){.count = 0};
}

/* On failure an error is pending and there is nothing to drop. */
static gt_Status keep(const gt_Compiled *self, Kept *kept)
{
    gt_Context *context = self->object.context;
    gt_Variable *generator = gt_context_generator(context);
    *kept = (Kept){.count = 0};
    add_all(context, kept, gt_variables(self->model));
    if (gt_optimizer_built(self->optimizer))
        add_all(context, kept, gt_optimizer_variables(self->optimizer));
    for (int32_t i = 0; i < self->count; i++)
        add_all(context, kept, gt_metric_variables(self->scores[i]));
    if (generator)
        add_all(context, kept, (gt_Tensors){&generator, 1});
    if (gt_context_status(context) == GT_OK)
        kept->bytes = gt_allocate_unpooled(context, kept->size);
    char *to = kept->bytes;
    for (int32_t i = 0; to && i < kept->count; i++) {
        size_t bytes = gt_spec_bytes(gt_tensor_spec(kept->variables[i]));
        memcpy(to, gt_tensor_data(kept->variables[i]), bytes);
        to += bytes;
    }
    if (gt_context_status(context) != GT_OK)
        drop(context, kept);
    return gt_context_status(context);
}

static void put_back(gt_Context *context, const Kept *kept)
{
    const char *from = kept->bytes;
    for (int32_t i = 0; i < kept->count; i++) {
        size_t bytes = gt_spec_bytes(gt_tensor_spec(kept->variables[i]));
        void *to = gt_variable_replace(context, kept->variables[i]);
        if (to)
            memcpy(to, from, bytes);
        from += bytes;
    }
}

/* ---- where it came from ---- */

static bool is_finite(const gt_Tensor *tensor)
{
    const gt_Spec *spec = gt_tensor_spec(tensor);
    const void *data = gt_tensor_data(tensor);
    if (!gt_dtype_is_float(spec->dtype))
        return true;
    for (int64_t i = 0; i < spec->size; i++)
        if (!isfinite(gt_number_fetch(spec->dtype, data, i)))
            return false;
    return true;
}

/* "input 1 of the batch"; false: all of the batch is finite. */
static bool find_in_batch(const gt_Batch *batch, char *text, size_t size)
{
    for (int32_t i = 0; i < batch->x_count; i++)
        if (!is_finite(batch->xs[i]))
            return snprintf(text, size, "input %d of the batch is not", (int)i + 1) > 0;
    for (int32_t i = 0; i < batch->y_count; i++) {
        if (!is_finite(batch->ys[i]))
            return snprintf(text, size, "label %d of the batch is not", (int)i + 1) > 0;
        if (batch->weights[i] && !is_finite(batch->weights[i]))
            return snprintf(text, size, "a weight of the samples is not") > 0;
    }
    return false;
}

static bool find_in_weights(const gt_Compiled *self, char *text, size_t size)
{
    gt_Tensors weights = gt_weights(self->model);
    for (int32_t i = 0; i < weights.count; i++)
        if (!is_finite(weights.items[i])) {
            const char *path = gt_variable_path(self->model, weights.items[i]);
            snprintf(text, size,
                     "weight %s was not before it: a step went too far (a smaller learning rate or "
                     "clipnorm may help)",
                     *path ? path : gt_variable_label(weights.items[i]));
            return true;
        }
    return false;
}

/* The pending error, without the call site that the warning begins with. */
static const char *message_of(const gt_Context *context)
{
    const char *message = gt_context_message(context), *here = gt_context_here(context);
    size_t length = here ? strlen(here) : 0;
    if (length > 0 && strncmp(message, here, length) == 0 && strncmp(message + length, ": fit: ", 7) == 0)
        return message + length + 7;
    return message;
}

/* Repeats the batch, each operation looking at what it computed. It fails again, at the latest at the loss: a plan changes
 * nothing then, and what a step without one changed is put back by the caller. */
static bool find_operation(gt_Compiled *self, const gt_Batch *batch, char *text, size_t size)
{
    gt_Context *context = self->object.context;
    gt_check_numerics(true);
    gt_compiled_step(self, GT_STEP_KIND_WATCH, batch);
    bool found = gt_context_status(context) == GT_NUMERIC;
    if (found)
        snprintf(text, size, "%s", message_of(context));
    gt_error_clear();
    gt_check_numerics(false);
    return found;
}

static void warn(gt_Compiled *self, const gt_Batch *batch, int64_t epoch, int64_t step)
{
    char text[600], kind[64];
    if (!find_in_batch(batch, text, sizeof text) && !find_in_weights(self, text, sizeof text) &&
        !find_operation(self, batch, text, sizeof text))
        snprintf(text, sizeof text, "no operation was found that it came from");
    gt_error_clear(); /* of the search */
    snprintf(kind, sizeof kind, "fit: epoch %lld", (long long)epoch + 1);
    gt_warn(self->object.context, NULL, kind, "the loss of batch %lld is not finite: %s",
            (long long)step + 1, text);
}

/* ---- the step ---- */

/* A step of the user's that is no plan may change what is not known here, so it is not repeated. */
static gt_Status noted_step(gt_Compiled *self, const gt_Batch *batch, int64_t epoch, int64_t step,
                            bool *warned)
{
    char kind[64];
    gt_compiled_step(self, GT_STEP_KIND_TRAIN, batch);
    if (!self->not_finite || gt_status() != GT_OK)
        return gt_status();
    *warned = true;
    snprintf(kind, sizeof kind, "fit: epoch %lld", (long long)epoch + 1);
    gt_warn(self->object.context, NULL, kind, "the loss of batch %lld is not finite",
            (long long)step + 1);
    return gt_status();
}

gt_Status gt_watched_step(gt_Compiled *self, const gt_Batch *batch, int64_t epoch, int64_t step,
                          bool *warned)
{
    gt_Context *context = self->object.context;
    Kept kept = {.count = 0};
    if (*warned || gt_context_checks_numerics(context))
        return gt_compiled_step(self, GT_STEP_KIND_TRAIN, batch);
    self->not_finite = false;
    if (self->run_eagerly && self->train_step)
        return noted_step(self, batch, epoch, step, warned);
    if (self->run_eagerly && keep(self, &kept) != GT_OK)
        return gt_status();
    gt_compiled_step(self, GT_STEP_KIND_WATCH, batch);
    bool found = gt_status() != GT_OK && self->not_finite;
    if (found) {
        gt_error_clear();
        put_back(context, &kept);
        *warned = true;
        warn(self, batch, epoch, step);
        put_back(context, &kept);
    }
    drop(context, &kept);
    return found ? gt_compiled_step(self, GT_STEP_KIND_TRAIN, batch) : gt_status();
}
