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

GT_OPTION_TYPE(gt_metric_update_options, gt_metric_update_OPTIONS);

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
    size_t instance_bytes;
    int32_t output; /* of the model */
    bool built;     /* has its states */
    int32_t runs;   /* that gather in it */
};

static void destroy(gt_Object *object)
{
    gt_Metric *self = (gt_Metric *)object;
    for (int i = 0; i < GT_MAX_METRIC_STATES; i++)
        gt_variable_release(self->states[i]);
    gt_release(object->context, self->instance, self->instance_bytes);
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

/* Zeros, made at once: also inside a traced function nothing is computed. */
static gt_Status make_states(gt_Context *context, gt_Metric *self, const gt_Spec *y_true,
                             const gt_Spec *y_pred)
{
    char text[160];
    gt_Variable *states[GT_MAX_METRIC_STATES] = {NULL};
    for (int i = 0; i < self->type->states && gt_context_status(context) == GT_OK; i++) {
        gt_Shape shape =
            self->type->shape ? self->type->shape(self->instance, i, y_true, y_pred) : gt_shape();
        gt_Spec spec = {0};
        if (gt_context_status(context) != GT_OK)
            break;
        if (gt_spec_set(&spec, GT_FLOAT64, shape))
            states[i] = gt_variable_zeros(context, &spec, self->name, false);
        else
            gt_raise(context, GT_INVALID, NULL, NULL, "state %d cannot be of shape %s", i,
                     gt_shape_text(shape, text, sizeof text));
    }
    self->built = gt_context_status(context) == GT_OK;
    for (int i = 0; i < self->type->states; i++) {
        if (self->built)
            self->states[i] = states[i];
        else
            gt_variable_release(states[i]);
    }
    return gt_context_status(context);
}

static uint64_t is_built(const gt_Context *context, const gt_Object *object)
{
    (void)context;
    return ((const gt_Metric *)object)->built;
}

/* Makes states that the data shape, or compares them. */
static gt_Status build(gt_Context *context, gt_Metric *self, const gt_Tensor *y_true,
                       const gt_Tensor *y_pred)
{
    gt_Spec labels = {0}, predicted = {0};
    if (!self->type->shape)
        return gt_context_status(context);
    if (y_true)
        labels = gt_spec(y_true);
    if (y_pred)
        predicted = gt_spec(y_pred);
    if (!self->built) /* no question: a plan that made them fits also when they are there */
        return make_states(context, self, y_true ? &labels : NULL, y_pred ? &predicted : NULL);
    for (int i = 0; i < self->type->states && gt_context_status(context) == GT_OK; i++) {
        char a[160], b[160];
        gt_Shape shape = self->type->shape(self->instance, i, y_true ? &labels : NULL,
                                           y_pred ? &predicted : NULL);
        gt_Shape has = gt_spec_shape(gt_tensor_spec(self->states[i]));
        if (gt_context_status(context) == GT_OK && !gt_shape_equal(shape, has))
            gt_fail(GT_INVALID,
                    "its states have shape %s by the batches before, and this one asks for %s",
                    gt_shape_text(has, a, sizeof a), gt_shape_text(shape, b, sizeof b));
    }
    return gt_context_status(context);
}

gt_Status gt_metric_build_as(gt_Metric *self, int32_t count, const gt_Spec *specs)
{
    gt_Context *context = self->object.context;
    gt_Variable *states[GT_MAX_METRIC_STATES] = {NULL};
    if (self->built || count != self->type->states)
        return gt_context_status(context);
    for (int i = 0; i < count && gt_context_status(context) == GT_OK; i++)
        states[i] = gt_variable_zeros(context, &specs[i], self->name, false);
    self->built = gt_context_status(context) == GT_OK;
    for (int i = 0; i < count; i++) {
        if (self->built)
            self->states[i] = states[i];
        else
            gt_variable_release(states[i]);
    }
    return gt_context_status(context);
}

/* `instance` has `bytes` of the metric's own, from here on. */
static gt_Metric *new_metric(gt_Context *context, const gt_MetricClass *type, const char *name,
                             const void *instance, size_t bytes)
{
    gt_Metric *self = gt_object_new(context, &gt_metric_kind, sizeof *self);
    if (!self)
        return NULL;
    self->type = type;
    self->name = gt_copy_text(context, name ? name : type->name);
    self->instance = self->name ? gt_allocate(context, bytes) : NULL;
    if (self->instance) {
        self->instance_bytes = bytes;
        if (bytes)
            memcpy(self->instance, instance, bytes);
        if (!type->shape)
            make_states(context, self, NULL, NULL);
    }
    if (gt_context_status(context) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

static bool is_complete(const gt_MetricClass *type)
{
    return type && type->name && type->update && type->states >= 1 &&
           type->states <= GT_MAX_METRIC_STATES && (type->result || type->states >= 2);
}

gt_Metric *gt_metric_new_at(const char *here, const gt_MetricClass *type, const char *name,
                            const void *instance)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!is_complete(type) || (type->instance && !instance)) {
        gt_raise(context, GT_INVALID, here, "metric_new",
                 "a metric needs a name, an update, 1 to %d states (2 without a result) and its "
                 "struct",
                 GT_MAX_METRIC_STATES);
        return NULL;
    }
    gt_Site site = gt_site_enter(here, type->name);
    gt_Metric *self = new_metric(context, type, name, instance, type->instance);
    gt_site_leave(&site);
    return self;
}

/* The option of that name, of `size` bytes; `value` stays where there is none. */
static void read_option(const gt_OptionType *type, const void *options, const char *name,
                        void *value, size_t size)
{
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, name) == 0 && field->size == size)
            memcpy(value, (const char *)options + field->offset, size);
}

/* The option called name, if there is one, is the metric's own copy. */
static void point_at_name(gt_Metric *self)
{
    const gt_OptionType *type = self->type->options;
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++)
        if (strcmp(field->name, "name") == 0 && field->size == sizeof self->name)
            memcpy((char *)self->instance + field->offset, &self->name, sizeof self->name);
}

gt_Metric *gt_metric_rename(gt_Metric *self, const char *name)
{
    char *copy = gt_copy_text(self->object.context, name);
    if (!copy) {
        gt_object_release(&self->object);
        return NULL;
    }
    gt_free_text(self->object.context, self->name);
    self->name = copy;
    point_at_name(self);
    return self;
}

static gt_Metric *make_checked(const char *here, gt_Context *context, const gt_MetricClass *type,
                               void *options)
{
    const char *name = NULL;
    int32_t output = 0;
    read_option(type->options, options, "name", &name, sizeof name);
    read_option(type->options, options, "output", &output, sizeof output);
    gt_Metric *self = new_metric(context, type, name, options, type->options->size);
    if (!self)
        return NULL;
    point_at_name(self);
    if (output != 0 && !gt_metric_set_output_at(here, self, output)) {
        gt_object_release(&self->object);
        return NULL;
    }
    return self;
}

gt_Metric *gt_metric_make_at(const char *here, const gt_MetricClass *type, const void *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!is_complete(type) || !type->options) {
        gt_raise(context, GT_INVALID, here, "metric_make",
                 "a metric needs a name, an option list, an update and 1 to %d states (2 without a "
                 "result)",
                 GT_MAX_METRIC_STATES);
        return NULL;
    }
    gt_Site site = gt_site_enter(here, type->function ? type->function : type->name);
    gt_Metric *self = NULL;
    void *options = gt_allocate(context, type->options->size);
    if (options) {
        gt_options_take(type->options, options, given);
        if (gt_context_status(context) == GT_OK && (!type->check || type->check(options) == GT_OK))
            self = make_checked(here, context, type, options);
        gt_release(context, options, type->options->size);
    }
    gt_site_leave(&site);
    return self;
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

const void *gt_metric_instance(const gt_Metric *self)
{
    return self->instance;
}

int32_t gt_metric_output(const gt_Metric *self)
{
    return self->output;
}

void gt_metric_free(gt_Metric *metric)
{
    gt_object_free("metric_free", metric, &gt_metric_kind);
}

/* A number for the whole batch may be weighted by its samples; it has then the weight of all. */
gt_Tensor *gt_metric_spread(gt_Tensor *weight, gt_Tensor *values)
{
    gt_Shape has = gt_tensor_shape(weight), wanted = gt_tensor_shape(values);
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    weight = gt_cast(weight, GT_FLOAT64);
    if (has.rank > wanted.rank && has.rank > 1 && gt_last(has) == 1) {
        weight = gt_squeeze(weight, .axis = -1);
        has = gt_tensor_shape(weight);
    }
    bool fits = has.rank <= wanted.rank || wanted.rank == 0;
    for (int i = 0; i < has.rank && i < wanted.rank && fits; i++)
        fits = has.dims[i] == wanted.dims[i] || has.dims[i] == 1;
    if (!fits) {
        gt_fail(GT_INVALID, "sample_weight must be of the leading axes of the values, %s (got %s)",
                gt_shape_text(wanted, a, sizeof a), gt_shape_text(has, b, sizeof b));
        return NULL;
    }
    for (int more = wanted.rank - has.rank; more > 0; more--)
        weight = gt_expand_dims(weight, -1);
    return gt_multiply(gt_ones_like(gt_cast(values, GT_FLOAT64)), weight);
}

gt_Status gt_metric_add_mean_at(const char *here, const gt_MetricUpdate *update, gt_Tensor *values)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!update || !update->states)
        return gt_raise(context, GT_INVALID, here, "metric_add_mean", "the update is NULL");
    gt_Site site = gt_site_enter(here, NULL);
    gt_Tensor *numbers = gt_cast(values, GT_FLOAT64), *weight = NULL;
    if (update->sample_weight) {
        weight = gt_metric_spread(update->sample_weight, numbers);
        numbers = gt_multiply(numbers, weight);
    }
    gt_assign_add(update->states[0], gt_sum(numbers));
    if (weight)
        gt_assign_add(update->states[1], gt_sum(weight));
    else
        gt_assign_add(update->states[1], (double)gt_size(values));
    gt_site_leave(&site);
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
    gt_metric_update_options options;
    GT_TAKE(gt_metric_update_options, &options, given);
    gt_Tensor *weight = options.sample_weight;
    if (!context || !gt_metric_check(context, here, operation, self) ||
        (y_true && !gt_tensor_check(context, here, operation, "y_true", y_true)) ||
        (y_pred && !gt_tensor_check(context, here, operation, "y_pred", y_pred)) ||
        (weight && !gt_tensor_check(context, here, operation, "sample_weight", weight)))
        return gt_status();
    char both[128]; /* an error in gt_fit says which of its metrics made it */
    gt_Site site = gt_site_enter_part(here, self->name, both, sizeof both);
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
            status = build(context, self, update.y_true, update.y_pred);
        if (status == GT_OK)
            status = self->type->update(&update);
        if (status != GT_OK)
            gt_raise(context, status, NULL, NULL, "the update failed");
        gt_scope_unwind(context, outer);
    }
    gt_tape_unquiet(context, recording);
    gt_site_leave(&site);
    return gt_context_status(context);
}

static bool has_states(const gt_Metric *self)
{
    return gt_ask(self->object.context, is_built, (gt_Object *)(uintptr_t)&self->object);
}

double gt_metric_result_at(const char *here, const gt_Metric *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_result", self))
        return NAN;
    if (!has_states(self))
        return 0;
    if (!self->type->result) {
        double total = gt_item(self->states[0]), count = gt_item(self->states[1]);
        return count == 0 ? 0 : total / count;
    }
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return NAN;
    gt_Tensor *values = gt_metric_values_at(here, self);
    double number = values ? gt_item(gt_mean(gt_cast(values, GT_FLOAT64))) : NAN;
    gt_scope_close(context);
    return number;
}

gt_Tensor *gt_metric_values_at(const char *here, const gt_Metric *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_values", self))
        return NULL;
    gt_Site site = gt_site_enter(here, self->name);
    uint64_t recording = gt_tape_quiet(context);
    gt_Tensor *values = NULL;
    if (!has_states(self))
        values = gt_scalar(0, GT_FLOAT64);
    else if (self->type->result)
        values = self->type->result(self->instance, self->states);
    else
        values = gt_divide_no_nan(self->states[0], self->states[1]);
    if (!values)
        gt_fail(GT_INVALID, "the result is NULL");
    gt_tape_unquiet(context, recording);
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK ? values : NULL;
}

const gt_MetricClass *gt_metric_class_at(const char *here, const gt_Metric *self)
{
    gt_Context *context = gt_enter();
    return context && gt_metric_check(context, here, "metric_class", self) ? self->type : NULL;
}

gt_Status gt_metric_reset_at(const char *here, gt_Metric *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_metric_check(context, here, "metric_reset", self))
        return gt_status();
    uint64_t recording = gt_tape_quiet(context);
    for (int i = 0; has_states(self) && i < self->type->states; i++)
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
    for (int i = 0; self->built && i < self->type->states; i++)
        bytes += state_bytes(self, i);
    return bytes;
}

gt_Status gt_metric_enter(gt_Metric *self, void **kept)
{
    gt_Context *context = self->object.context;
    char *to = NULL;
    *kept = NULL;
    if (self->runs > 0 && self->built && !(to = *kept = gt_allocate(context, states_bytes(self))))
        return gt_context_status(context);
    for (int i = 0; to && i < self->type->states; to += state_bytes(self, i++))
        memcpy(to, gt_tensor_data(self->states[i]), state_bytes(self, i));
    self->runs++;
    return GT_OK;
}

/* One that had no states when the inner run began had gathered nothing. */
void gt_metric_leave(gt_Metric *self, void *kept)
{
    gt_Context *context = self->object.context;
    const char *from = kept;
    GT_ASSERT(self->runs > 0 && (!kept || self->runs > 1));
    self->runs--;
    for (int i = 0; self->built && (from || self->runs > 0) && i < self->type->states; i++) {
        size_t bytes = state_bytes(self, i);
        void *to = gt_variable_replace(context, self->states[i]);
        if (to && from)
            memcpy(to, from, bytes);
        else if (to)
            memset(to, 0, bytes);
        from = from ? from + bytes : NULL;
    }
    gt_release(context, kept, kept ? states_bytes(self) : 0);
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
    return (gt_Tensors){self->states, has_states(self) ? self->type->states : 0};
}
