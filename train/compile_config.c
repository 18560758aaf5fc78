/* What a model was compiled with, as JSON both ways:
 *
 *     "optimizer": {"class": "adam", "learning_rate": 0.001, ...}, "exclude_from_weight_decay": ["dense/bias"],
 *     "loss_scale": {"initial_scale": 32768, ...}, "losses": [{"class": "mean_squared_error", ...}], "loss_weights": [1],
 *     "metrics": [{"metric": {"class": "accuracy", ...}, "name": "accuracy", "weighted": false}, {"loss": {...}, ...}],
 *     "run_eagerly": false, "steps_per_execution": 1
 *
 * Classes are named, their options are members beside the class. */
#include "optim/internal.h"
#include "train/metrics/mean.h"
#include "train/model.h"
#include "train/model_parts.h"

#include <string.h>

/* ---- writing ---- */

static bool refuse(gt_ConfigWriter *writer, const char *what)
{
    gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL, "%s of one's own cannot be written down", what);
    return false;
}

static bool put_object(gt_ConfigWriter *writer, const char *name, const gt_OptionType *type,
                       const void *options)
{
    return gt_config_open(writer, '{') && gt_config_key(writer, "class") &&
           gt_config_put_string(writer, name) &&
           (!type || gt_config_put_options(writer, type, options));
}

static bool put_optimizer(gt_ConfigWriter *writer, const gt_Optimizer *optimizer)
{
    const gt_OptimizerClass *type = gt_optimizer_class(optimizer);
    if (!type || gt_optimizer_class_find(type->name) != type)
        return refuse(writer, "an optimizer");
    return gt_config_key(writer, "optimizer") &&
           put_object(writer, type->name, type->options, gt_optimizer_options(optimizer)) &&
           gt_config_close(writer, '}');
}

static bool put_excluded(gt_ConfigWriter *writer, gt_Layer *model, const gt_Optimizer *optimizer)
{
    gt_Tensors excluded = gt_optimizer_excluded(optimizer);
    bool done = gt_config_key(writer, "exclude_from_weight_decay") && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < excluded.count; i++)
        done = gt_config_next(writer) &&
               gt_config_put_string(writer, gt_variable_path(model, excluded.items[i]));
    return done && gt_config_close(writer, ']');
}

static bool put_scaling(gt_ConfigWriter *writer, const gt_Optimizer *optimizer)
{
    const gt_LossScaleOptimizer_options *scaling = gt_optimizer_scaling(optimizer);
    const gt_OptionType *type = gt_loss_scale_options();
    return !scaling || (gt_config_key(writer, "loss_scale") && gt_config_open(writer, '{') &&
                        gt_config_put_options(writer, type, scaling) && gt_config_close(writer, '}'));
}

static bool put_loss(gt_ConfigWriter *writer, const gt_Loss *loss)
{
    if (gt_loss_class_find(loss->type->name) != loss->type)
        return refuse(writer, "a loss");
    return put_object(writer, loss->type->name, loss->type->options, loss->options) &&
           gt_config_close(writer, '}');
}

static bool put_metric(gt_ConfigWriter *writer, const gt_Metric *metric, bool weighted)
{
    const gt_MetricClass *type = gt_metric_class(metric);
    const gt_Loss *loss = gt_metric_loss(metric);
    bool done = gt_config_open(writer, '{');
    if (loss)
        done = done && gt_config_key(writer, "loss") && put_loss(writer, loss) &&
               gt_config_key(writer, "output") && gt_config_put_integer(writer, gt_metric_output(metric));
    else if (type && type->options && gt_metric_class_find(type->name) == type)
        done = done && gt_config_key(writer, "metric") &&
               put_object(writer, type->name, type->options, gt_metric_instance(metric)) &&
               gt_config_close(writer, '}');
    else
        return refuse(writer, "a metric");
    return done && gt_config_key(writer, "name") && gt_config_put_string(writer, gt_metric_name(metric)) &&
           gt_config_key(writer, "weighted") && gt_config_put(writer, weighted ? "true" : "false") &&
           gt_config_close(writer, '}');
}

bool gt_compile_put(gt_ConfigWriter *writer, const gt_Compiled *self)
{
    if (self->train_step || self->test_step || self->predict_step || self->compute_loss)
        return refuse(writer, "a step");
    bool done = put_optimizer(writer, self->optimizer) &&
                put_excluded(writer, self->model, self->optimizer) &&
                put_scaling(writer, self->optimizer) && gt_config_key(writer, "losses") &&
                gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < self->loss_count; i++)
        done = gt_config_next(writer) && put_loss(writer, &self->loss[i]);
    gt_Numbers weights = {.mark = GT_MARK, .count = self->loss_count};
    memcpy(weights.value, self->loss_weight, (size_t)self->loss_count * sizeof *self->loss_weight);
    done = done && gt_config_close(writer, ']') && gt_config_key(writer, "loss_weights") &&
           gt_config_put_numbers(writer, &weights) && gt_config_key(writer, "metrics") &&
           gt_config_open(writer, '[');
    for (int32_t i = self->first_metric; done && i < self->count; i++)
        done = gt_config_next(writer) && put_metric(writer, self->scores[i], self->weighted[i]);
    return done && gt_config_close(writer, ']') && gt_config_key(writer, "run_eagerly") &&
           gt_config_put(writer, self->run_eagerly ? "true" : "false") &&
           gt_config_key(writer, "steps_per_execution") &&
           gt_config_put_integer(writer, self->steps_per_execution);
}

/* ---- reading ---- */

/* What gt_compile is given. */
typedef struct Reading {
    gt_ConfigReader reader;
    const char *advice; /* behind what is not known */
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Loss losses[GT_MAX_LOSSES + 1];
    gt_Numbers weights;
    gt_Metric *metrics[2][GT_MAX_METRICS]; /* not weighted, weighted */
    int32_t count[2];
} Reading;

static bool unknown(const Reading *self, const char *what, const char *name)
{
    return gt_config_fail(&self->reader, "no %s is known as \"%s\"%s", what, name ? name : "?", self->advice);
}

/* The options of a class, over its defaults, in memory of `type->size`. NULL with the error raised. */
static void *read_options(Reading *self, const gt_JsonValue *object, const gt_OptionType *type)
{
    void *options = gt_allocate(self->reader.context, type->size);
    if (!options)
        return NULL;
    memcpy(options, type->defaults, type->size);
    if (gt_config_read_options(&self->reader, object, type, options))
        return options;
    gt_release(self->reader.context, options, type->size);
    return NULL;
}

static bool read_optimizer(Reading *self, const gt_JsonValue *object)
{
    const char *name = gt_config_text(object, "class");
    const gt_OptimizerClass *type = name ? gt_optimizer_class_find(name) : NULL;
    if (!type)
        return unknown(self, "optimizer", name);
    void *options = read_options(self, object, type->options);
    if (!options)
        return false;
    self->optimizer = gt_optimizer_new_at(NULL, type, options);
    gt_release(self->reader.context, options, type->options->size);
    return self->optimizer != NULL;
}

static bool read_scaling(Reading *self, const gt_JsonValue *object)
{
    const gt_OptionType *type = gt_loss_scale_options();
    void *options = object ? read_options(self, object, type) : NULL;
    if (!object)
        return true;
    if (!options)
        return false;
    self->optimizer = gt_LossScaleOptimizer_at(NULL, self->optimizer, options);
    gt_release(self->reader.context, options, type->size);
    return self->optimizer != NULL;
}

/* The paths are those of variables of the model. */
static bool read_excluded(Reading *self, const gt_JsonValue *list)
{
    gt_Tensors variables = gt_variables(self->model);
    const gt_JsonValue *at = list && list->kind == GT_JSON_ARRAY ? gt_json_first(list) : NULL;
    for (; at; at = gt_json_next(list, at)) {
        int32_t i = 0;
        while (i < variables.count && at->kind == GT_JSON_STRING &&
               strcmp(gt_variable_path(self->model, variables.items[i]), at->string) != 0)
            i++;
        if (at->kind != GT_JSON_STRING || i == variables.count)
            return gt_config_fail(&self->reader, "what gets no weight decay is not in the model");
        gt_Tensor *one = variables.items[i];
        if (gt_optimizer_exclude_from_weight_decay(self->optimizer, ((gt_Tensors){&one, 1})) != GT_OK)
            return false;
    }
    return true;
}

static bool read_loss(Reading *self, const gt_JsonValue *object, gt_Loss *loss)
{
    const char *name = gt_config_text(object, "class");
    const gt_LossClass *type = name ? gt_loss_class_find(name) : NULL;
    if (!type)
        return unknown(self, "loss", name);
    void *options = type->options ? read_options(self, object, type->options) : NULL;
    if (type->options && !options)
        return false;
    *loss = gt_loss_make(type, options);
    if (options)
        gt_release(self->reader.context, options, type->options->size);
    return gt_context_status(self->reader.context) == GT_OK;
}

static bool read_losses(Reading *self, const gt_JsonValue *list, const gt_JsonValue *weights)
{
    int32_t count = 0;
    self->losses[0] = (gt_Loss){.type = GT_LIST_END};
    self->weights = (gt_Numbers)GT_NO_NUMBERS;
    if (!list)
        return true;
    if (list->kind != GT_JSON_ARRAY || list->count > GT_MAX_LOSSES)
        return gt_config_fail(&self->reader, "losses must be a list of at most %d", GT_MAX_LOSSES);
    for (const gt_JsonValue *at = gt_json_first(list); at; at = gt_json_next(list, at))
        if (!read_loss(self, at, &self->losses[count++]))
            return false;
    self->losses[count] = (gt_Loss){.type = GT_LIST_END};
    return !weights || count == 0 || gt_config_read_numbers(&self->reader, weights, &self->weights);
}

static gt_Metric *make_metric(Reading *self, const gt_JsonValue *object)
{
    const gt_JsonValue *of_loss = gt_json_member(object, "loss"), *made = gt_json_member(object, "metric");
    const char *name = made ? gt_config_text(made, "class") : NULL;
    const gt_MetricClass *type = name ? gt_metric_class_find(name) : NULL;
    gt_Loss loss;
    if (of_loss)
        return read_loss(self, of_loss, &loss)
                   ? gt_LossMetric(loss, .output = (int32_t)gt_config_integer(object, "output", 0))
                   : NULL;
    if (!type || !type->options) {
        unknown(self, "metric", name);
        return NULL;
    }
    void *options = read_options(self, made, type->options);
    gt_Metric *metric = options ? gt_metric_make_at(NULL, type, options) : NULL;
    if (options)
        gt_release(self->reader.context, options, type->options->size);
    return metric;
}

static bool read_metrics(Reading *self, const gt_JsonValue *list)
{
    if (!list)
        return true;
    if (list->kind != GT_JSON_ARRAY || list->count > GT_MAX_METRICS)
        return gt_config_fail(&self->reader, "metrics must be a list of at most %d", GT_MAX_METRICS);
    for (const gt_JsonValue *at = gt_json_first(list); at; at = gt_json_next(list, at)) {
        const gt_JsonValue *weighted = gt_json_member(at, "weighted");
        const char *name = gt_config_text(at, "name");
        gt_Metric *metric = make_metric(self, at);
        if (metric && name)
            metric = gt_metric_rename(metric, name);
        if (!metric)
            return false;
        int side = weighted && weighted->kind == GT_JSON_TRUE;
        self->metrics[side][self->count[side]++] = metric;
    }
    return true;
}

static bool is_true(const gt_JsonValue *value)
{
    return value && value->kind == GT_JSON_TRUE;
}

/* What was made and not taken over goes again. */
static void drop(Reading *self)
{
    gt_optimizer_free(self->optimizer);
    for (int side = 0; side < 2; side++)
        for (int32_t i = 0; i < self->count[side]; i++)
            gt_metric_free(self->metrics[side][i]);
}

static gt_Status compile_as(gt_Context *context, const char *what, const gt_JsonValue *object, gt_Layer *model,
                            const char *advice)
{
    Reading self = {.reader = {.context = context, .what = what}, .advice = advice, .model = model};
    const gt_JsonValue *optimizer = gt_json_member(object, "optimizer");
    bool done = optimizer && read_optimizer(&self, optimizer) &&
                read_scaling(&self, gt_json_member(object, "loss_scale")) &&
                read_excluded(&self, gt_json_member(object, "exclude_from_weight_decay")) &&
                read_losses(&self, gt_json_member(object, "losses"), gt_json_member(object, "loss_weights")) &&
                read_metrics(&self, gt_json_member(object, "metrics"));
    if (done)
        gt_compile(model, .optimizer = self.optimizer,
                   .losses = {self.losses[0].type == GT_LIST_END ? NULL : self.losses},
                   .loss_weights = self.weights, .metrics = {self.metrics[0], self.count[0]},
                   .weighted_metrics = {self.metrics[1], self.count[1]},
                   .run_eagerly = is_true(gt_json_member(object, "run_eagerly")),
                   .steps_per_execution = gt_config_integer(object, "steps_per_execution", 1));
    else
        drop(&self);
    if (!done && gt_context_status(context) == GT_OK)
        gt_config_fail(&self.reader, "there is no optimizer");
    gt_config_reader_close(&self.reader);
    return gt_context_status(context);
}

gt_Status gt_compile_read(gt_Context *context, const char *what, const gt_JsonValue *object,
                          gt_Layer *model)
{
    return compile_as(context, what, object, model, ": load it with .compile = false, and compile it");
}

static gt_Status compile_from(gt_Context *context, gt_Layer *model, char *text)
{
    static const char *const members[] = {"optimizer",    "exclude_from_weight_decay", "loss_scale", "losses",
                                          "loss_weights", "metrics",                   "run_eagerly", "steps_per_execution",
                                          NULL};
    static const char what[] = "the text";
    const gt_ConfigReader reader = {.context = context, .what = what};
    gt_Json json = {NULL, 0};
    if (gt_json_read(context, what, text, strlen(text), &json)) {
        if (json.values[0].kind != GT_JSON_OBJECT)
            gt_config_fail(&reader, "it must be an object");
        else if (gt_config_members(&reader, json.values, members))
            compile_as(context, what, json.values, model, "");
        gt_json_release(context, &json);
    }
    return gt_context_status(context);
}

gt_Status gt_compile_from_json_at(const char *here, gt_Layer *model, const char *text)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_layer_check(context, here, "compile_from_json", model))
        return gt_status();
    gt_Site site = gt_site_enter(here, "compile_from_json");
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? gt_allocate(context, size) : NULL; /* reading changes it */
    if (!text)
        gt_fail(GT_INVALID, "the text is NULL");
    if (copy)
        compile_from(context, model, memcpy(copy, text, size));
    gt_release(context, copy, size);
    gt_site_leave(&site);
    return gt_context_status(context);
}
