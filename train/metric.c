/* Metrics: sums in float64 variables, so that a plan can update them. Leans
 * on ops. */
#include "train/metric.h"
#include "core/assert.h"
#include "ops/math/arithmetic.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/masking.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"
#include "train/internal.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_Mean_options, gt_Mean_OPTIONS);
GT_OPTION_TYPE(gt_metric_update_options, gt_metric_update_OPTIONS);
GT_OPTION_TYPE(gt_Accuracy_options, gt_Accuracy_OPTIONS);
GT_OPTION_TYPE(gt_CosineSimilarityMetric_options, gt_CosineSimilarityMetric_OPTIONS);

gt_Metrics gt_metrics_list(gt_Metric *const *items)
{
    int32_t count = 0;
    while (items[count] != GT_LIST_END)
        count++;
    return (gt_Metrics){items, count};
}

double gt_batch_rows(const gt_Tensor *y_pred)
{
    gt_Spec spec = gt_spec(y_pred);
    return spec.rank > 0 ? (double)spec.dims[0] : 1;
}

/* ---- the life of a metric ---- */

struct gt_Metric {
    gt_Object object;
    const gt_MetricClass *type;
    char *name; /* owned */
    void *instance;
    gt_Variable *states[GT_MAX_METRIC_STATES];
    int32_t output; /* of the model */
    int32_t runs;   /* that gather in it */
};

static void destroy(gt_Object *object)
{
    gt_Metric *self = (gt_Metric *)object;
    for (int i = 0; i < GT_MAX_METRIC_STATES; i++)
        gt_variable_free(self->states[i]);
    gt_release(object->context, self->instance, self->type->instance);
    gt_free_text(object->context, self->name);
}

const gt_ObjectKind gt_metric_kind = {"metric", destroy, false};

bool gt_metric_check(gt_Context *context, const char *here, const char *operation,
                     const gt_Metric *metric)
{
    if (!gt_object_check(context, here, operation, metric, &gt_metric_kind))
        return false;
    if (metric->object.context == context)
        return true;
    gt_raise(context, GT_STATE, here, operation, "metric %s belongs to another context",
             metric->name);
    return false;
}

static gt_Status make_states(gt_Context *context, gt_Metric *self)
{
    char text[160];
    for (int i = 0; i < self->type->states; i++) {
        gt_Shape shape = self->type->shape ? self->type->shape(self->instance, i) : gt_shape();
        gt_Spec spec = {0};
        if (!gt_spec_set(&spec, GT_FLOAT64, shape))
            return gt_raise(context, GT_INVALID, NULL, NULL, "state %d cannot be of shape %s", i,
                            gt_shape_text(shape, text, sizeof text));
        self->states[i] = gt_variable_zeros(context, &spec, self->name, false);
        if (!self->states[i])
            return gt_context_status(context);
    }
    return GT_OK;
}

gt_Metric *gt_metric_new_at(const char *here, const gt_MetricClass *type, const char *name,
                            const void *instance)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!type || !type->name || !type->update || type->states < 1 ||
        type->states > GT_MAX_METRIC_STATES || (type->instance && !instance) ||
        (!type->result && type->states < 2)) {
        gt_raise(context, GT_INVALID, here, "metric_new",
                 "a metric needs a name, an update, 1 to %d states (2 without a result) and its "
                 "struct",
                 GT_MAX_METRIC_STATES);
        return NULL;
    }
    gt_Metric *self = gt_object_new(context, &gt_metric_kind, sizeof *self);
    if (!self)
        return NULL;
    gt_Site site = gt_site_enter(here, type->name);
    self->type = type;
    self->name = gt_copy_text(context, name ? name : type->name);
    self->instance = self->name ? gt_allocate(context, type->instance) : NULL;
    if (self->instance) {
        if (type->instance)
            memcpy(self->instance, instance, type->instance);
        make_states(context, self);
    }
    gt_site_leave(site);
    if (gt_context_status(context) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

gt_Metric *gt_metric_set_output_at(const char *here, gt_Metric *self, int output)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_set_output", self))
        return NULL;
    if (output < 0 || output >= GT_MAX_LOSSES) {
        gt_raise(context, GT_INVALID, here, "metric_set_output", "output must be 0 to %d (got %d)",
                 GT_MAX_LOSSES - 1, output);
        return NULL;
    }
    self->output = output;
    return self;
}

int32_t gt_metric_output(const gt_Metric *self)
{
    return self->output;
}

/* A new metric about that output. */
static gt_Metric *new_about(const char *here, const gt_MetricClass *type, const char *name,
                            const void *instance, int32_t output)
{
    gt_Metric *self = gt_metric_new_at(here, type, name, instance);
    if (self && output != 0 && !gt_metric_set_output_at(here, self, output)) {
        gt_metric_free(self);
        return NULL;
    }
    return self;
}

void gt_metric_free(gt_Metric *metric)
{
    gt_object_free("metric_free", metric, &gt_metric_kind);
}

gt_Status gt_metric_add_mean_at(const char *here, const gt_MetricUpdate *update, gt_Tensor *values)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!update || !update->states)
        return gt_raise(context, GT_INVALID, here, "metric_add_mean", "the update is NULL");
    gt_Site site = gt_site_enter(here, NULL);
    gt_Tensor *numbers = gt_cast(values, GT_FLOAT64), *weight = update->sample_weight;
    if (weight) {
        weight = gt_cast(weight, GT_FLOAT64);
        for (int more = gt_rank(numbers) - gt_rank(weight); more > 0; more--)
            weight = gt_expand_dims(weight, -1);
        weight = gt_multiply(gt_ones_like(numbers), weight); /* one for each value */
        numbers = gt_multiply(numbers, weight);
    }
    gt_assign_add(update->states[0], gt_sum(numbers));
    if (weight)
        gt_assign_add(update->states[1], gt_sum(weight));
    else
        gt_assign_add(update->states[1], (double)gt_size(values));
    gt_site_leave(site);
    return gt_status();
}

/* The arguments without masks, and the mask in the weights: padding weighs nothing. */
static gt_Status part_mask(gt_MetricUpdate *update)
{
    gt_Tensor *weight = update->sample_weight;
    if (update->y_true && gt_is_masked(update->y_true))
        update->y_true = gt_unmask(update->y_true);
    if (!update->y_pred || !gt_is_masked(update->y_pred))
        return gt_status();
    update->mask = gt_mask(update->y_pred);
    update->y_pred = gt_unmask(update->y_pred);
    update->sample_weight = gt_cast(update->mask, GT_FLOAT64);
    if (weight) {
        weight = gt_cast(weight, GT_FLOAT64);
        for (int more = gt_rank(update->mask) - gt_rank(weight); more > 0; more--)
            weight = gt_expand_dims(weight, -1);
        update->sample_weight = gt_multiply(update->sample_weight, weight);
    }
    return gt_status();
}

gt_Status gt_metric_update_at(const char *here, gt_Metric *self, gt_Tensor *y_true,
                              gt_Tensor *y_pred, const gt_metric_update_options *given)
{
    static const char operation[] = "metric_update";
    gt_Context *context = gt_enter();
    gt_metric_update_options options = GT_TAKE(gt_metric_update_options, given);
    gt_Tensor *weight = options.sample_weight;
    if (!context || !gt_metric_check(context, here, operation, self) ||
        (y_true && !gt_tensor_check(context, here, operation, "y_true", y_true)) ||
        (y_pred && !gt_tensor_check(context, here, operation, "y_pred", y_pred)) ||
        (weight && !gt_tensor_check(context, here, operation, "sample_weight", weight)))
        return gt_status();
    gt_Site site = gt_site_enter(here, self->name);
    gt_Scope *outer = gt_scope_innermost(context);
    uint64_t recording = gt_tape_quiet(context);
    if (gt_scope_open(context)) {
        gt_MetricUpdate update = {.instance = self->instance,
                                  .states = self->states,
                                  .y_true = y_true,
                                  .y_pred = y_pred,
                                  .sample_weight = weight,
                                  .given_weight = weight};
        gt_Status status = part_mask(&update);
        if (status == GT_OK)
            status = self->type->update(&update);
        if (status != GT_OK)
            gt_raise(context, status, NULL, NULL, "the update failed");
        gt_scope_unwind(context, outer);
    }
    gt_tape_unquiet(context, recording);
    gt_site_leave(site);
    return gt_context_status(context);
}

double gt_metric_result_at(const char *here, const gt_Metric *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_result", self))
        return NAN;
    if (self->type->result)
        return self->type->result(self->instance, self->states);
    double total = gt_item(self->states[0]), count = gt_item(self->states[1]);
    return count == 0 ? 0 : total / count;
}

gt_Status gt_metric_reset_at(const char *here, gt_Metric *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_reset", self))
        return gt_status();
    uint64_t recording = gt_tape_quiet(context);
    for (int i = 0; i < self->type->states; i++)
        gt_assign(self->states[i], 0);
    gt_tape_unquiet(context, recording);
    return gt_context_status(context);
}

static size_t state_bytes(const gt_Metric *self, int state)
{
    return gt_spec_bytes(gt_tensor_spec(self->states[state]));
}

static size_t states_bytes(const gt_Metric *self)
{
    size_t bytes = 0;
    for (int i = 0; i < self->type->states; i++)
        bytes += state_bytes(self, i);
    return bytes;
}

gt_Status gt_metric_enter(gt_Metric *self, void **kept)
{
    gt_Context *context = self->object.context;
    char *to = NULL;
    *kept = NULL;
    if (self->runs > 0 && !(to = *kept = gt_allocate(context, states_bytes(self))))
        return gt_context_status(context);
    for (int i = 0; to && i < self->type->states; to += state_bytes(self, i++))
        memcpy(to, gt_tensor_data(self->states[i]), state_bytes(self, i));
    self->runs++;
    return GT_OK;
}

void gt_metric_leave(gt_Metric *self, void *kept)
{
    gt_Context *context = self->object.context;
    const char *from = kept;
    GT_ASSERT(self->runs > 0 && (!kept || self->runs > 1));
    self->runs--;
    for (int i = 0; from && i < self->type->states; from += state_bytes(self, i++)) {
        void *to = gt_variable_replace(context, self->states[i]);
        if (to)
            memcpy(to, from, state_bytes(self, i));
    }
    gt_release(context, kept, states_bytes(self));
}

const char *gt_metric_name_at(const char *here, const gt_Metric *self)
{
    gt_Context *context = gt_enter();
    return context && gt_metric_check(context, here, "metric_name", self) ? self->name : "";
}

gt_Tensors gt_metric_variables_at(const char *here, const gt_Metric *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_variables", self))
        return (gt_Tensors){NULL, 0};
    return (gt_Tensors){self->states, self->type->states};
}

/* ---- mean, mean of a loss ---- */

static gt_Status update_mean(const gt_MetricUpdate *update)
{
    return gt_metric_add_mean(update, update->y_pred);
}

static const gt_MetricClass mean_class = {
    .size = sizeof mean_class, .name = "mean", .states = 2, .update = update_mean};

static gt_Metric *new_plain(const char *here, const gt_MetricClass *type,
                            const gt_Mean_options *given)
{
    gt_Mean_options options = GT_TAKE(gt_Mean_options, given);
    return new_about(here, type, options.name, NULL, options.output);
}

gt_Metric *gt_Mean_at(const char *here, const gt_Mean_options *given)
{
    return new_plain(here, &mean_class, given);
}

static gt_Status update_loss(const gt_MetricUpdate *update)
{
    double rows = gt_batch_rows(update->y_pred);
    gt_Tensor *y_pred = update->mask ? gt_with_mask(update->y_pred, update->mask) : update->y_pred;
    gt_Tensor *loss =
        gt_loss_compute(update->instance, update->y_true, y_pred, update->given_weight);
    gt_assign_add(update->states[0], gt_multiply(gt_cast(loss, GT_FLOAT64), rows));
    return gt_assign_add(update->states[1], rows);
}

static const gt_MetricClass loss_class = {.size = sizeof loss_class,
                                          .name = "loss",
                                          .instance = sizeof(gt_Loss),
                                          .states = 2,
                                          .update = update_loss};

gt_Metric *gt_LossMetric_at(const char *here, gt_Loss loss, const gt_Mean_options *given)
{
    gt_Mean_options options = GT_TAKE(gt_Mean_options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "LossMetric");
    if (gt_loss_check(&loss) == GT_OK && !loss.type)
        gt_raise(context, GT_INVALID, NULL, NULL, "the loss must be given");
    gt_site_leave(site);
    return gt_context_status(context) == GT_OK
               ? new_about(here, &loss_class, options.name ? options.name : loss.type->name, &loss,
                           options.output)
               : NULL;
}

/* ---- cosine similarity ---- */

typedef struct Similarity {
    int32_t axis;
} Similarity;

static gt_Status update_similarity(const gt_MetricUpdate *update)
{
    const Similarity *self = update->instance;
    gt_Tensor *losses = gt_cosine_similarity(update->y_true, update->y_pred, .axis = self->axis,
                                             .reduction = GT_REDUCTION_NONE);
    return gt_metric_add_mean(update, gt_negative(losses));
}

static const gt_MetricClass similarity_class = {.size = sizeof similarity_class,
                                                .name = "cosine_similarity",
                                                .instance = sizeof(Similarity),
                                                .states = 2,
                                                .update = update_similarity};

gt_Metric *gt_CosineSimilarityMetric_at(const char *here,
                                        const gt_CosineSimilarityMetric_options *given)
{
    gt_CosineSimilarityMetric_options options = GT_TAKE(gt_CosineSimilarityMetric_options, given);
    return new_about(here, &similarity_class, options.name, &(Similarity){options.axis},
                     options.output);
}

/* ---- accuracies ---- */

typedef struct Accuracy {
    double threshold;
} Accuracy;

/* Labels as integers of the shape of the class numbers, (...) for (..., 1). */
static gt_Tensor *class_numbers(gt_Tensor *y_true, gt_Tensor *classes)
{
    gt_Shape shape = gt_tensor_shape(classes), given = gt_tensor_shape(y_true);
    if (given.rank == shape.rank + 1 && gt_last(given) == 1)
        y_true = gt_reshape(y_true, shape);
    return gt_cast(y_true, GT_INT32);
}

static gt_Status check_same_shape(gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Shape a = gt_tensor_shape(y_true), b = gt_tensor_shape(y_pred);
    char a_text[160], b_text[160];
    if (gt_status() == GT_OK && !gt_shape_equal(a, b))
        gt_fail(GT_INVALID, "the shapes of labels and predictions do not match: %s and %s",
                gt_shape_text(a, a_text, sizeof a_text), gt_shape_text(b, b_text, sizeof b_text));
    return gt_status();
}

static gt_Status update_sparse(const gt_MetricUpdate *update)
{
    gt_Tensor *predicted = gt_argmax(update->y_pred, .axis = -1);
    gt_Tensor *labels = class_numbers(update->y_true, predicted);
    if (check_same_shape(labels, predicted) != GT_OK)
        return gt_status();
    return gt_metric_add_mean(update, gt_equal(predicted, labels));
}

static gt_Status update_categorical(const gt_MetricUpdate *update)
{
    if (check_same_shape(update->y_true, update->y_pred) != GT_OK)
        return gt_status();
    return gt_metric_add_mean(update, gt_equal(gt_argmax(update->y_pred, .axis = -1),
                                               gt_argmax(update->y_true, .axis = -1)));
}

/* Labels (n) and predictions (n, 1), or the other way round, are brought together. */
static gt_Status update_binary(const gt_MetricUpdate *update)
{
    const Accuracy *self = update->instance;
    gt_Shape shape = gt_tensor_shape(update->y_pred), given = gt_tensor_shape(update->y_true);
    gt_Tensor *labels = update->y_true;
    bool column = (given.rank == shape.rank + 1 && gt_last(given) == 1) ||
                  (shape.rank == given.rank + 1 && gt_last(shape) == 1);
    if (column && gt_size(labels) == gt_size(update->y_pred))
        labels = gt_reshape(labels, shape);
    if (check_same_shape(labels, update->y_pred) != GT_OK)
        return gt_status();
    gt_Tensor *predicted = gt_cast(gt_greater(update->y_pred, self->threshold), GT_FLOAT64);
    return gt_metric_add_mean(update, gt_equal(predicted, gt_cast(labels, GT_FLOAT64)));
}

/* As Keras chooses for "accuracy". */
static gt_Status update_accuracy(const gt_MetricUpdate *update)
{
    gt_Shape labels = gt_tensor_shape(update->y_true), shape = gt_tensor_shape(update->y_pred);
    if (gt_status() != GT_OK)
        return gt_status();
    if (shape.rank < 2 || gt_last(shape) == 1)
        return update_binary(update);
    if (labels.rank < shape.rank || gt_last(labels) == 1)
        return update_sparse(update);
    return update_categorical(update);
}

#define ACCURACY_CLASS(symbol, text, struct_bytes, function)                                       \
    static const gt_MetricClass symbol##_class = {.size = sizeof symbol##_class,                   \
                                                  .name = text,                                    \
                                                  .instance = struct_bytes,                        \
                                                  .states = 2,                                     \
                                                  .update = function}
ACCURACY_CLASS(accuracy, "accuracy", sizeof(Accuracy), update_accuracy);
ACCURACY_CLASS(binary, "binary_accuracy", sizeof(Accuracy), update_binary);
ACCURACY_CLASS(categorical, "categorical_accuracy", 0, update_categorical);
ACCURACY_CLASS(sparse, "sparse_categorical_accuracy", 0, update_sparse);

static gt_Metric *new_accuracy(const char *here, const gt_MetricClass *type,
                               const gt_Accuracy_options *given)
{
    gt_Accuracy_options options = GT_TAKE(gt_Accuracy_options, given);
    return new_about(here, type, options.name, &(Accuracy){options.threshold}, options.output);
}

gt_Metric *gt_Accuracy_at(const char *here, const gt_Accuracy_options *options)
{
    return new_accuracy(here, &accuracy_class, options);
}

gt_Metric *gt_BinaryAccuracy_at(const char *here, const gt_Accuracy_options *options)
{
    return new_accuracy(here, &binary_class, options);
}

gt_Metric *gt_CategoricalAccuracy_at(const char *here, const gt_Mean_options *options)
{
    return new_plain(here, &categorical_class, options);
}

gt_Metric *gt_SparseCategoricalAccuracy_at(const char *here, const gt_Mean_options *options)
{
    return new_plain(here, &sparse_class, options);
}
