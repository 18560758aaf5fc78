/* Means of values and of losses. */
#include "train/metrics/mean.h"
#include "ops/array/masking.h"
#include "train/metrics/kit.h"

#include <string.h>

GT_OPTION_TYPE(gt_Mean_options, gt_Mean_OPTIONS);

static gt_Status update_mean(const gt_MetricUpdate *update)
{
    return gt_metric_add_mean(update, update->y_pred);
}

const gt_MetricClass gt_metric_class_mean = {
    GT_METRIC_RECORD("mean", Mean, Mean, NONE),
    .states = 2,
    .update = update_mean,
};
GT_METRIC(Mean, Mean, mean)

static gt_Status update_sum(const gt_MetricUpdate *update)
{
    gt_Tensor *values = gt_cast(update->y_pred, GT_FLOAT64);
    return gt_assign_add(update->states[0],
                         gt_sum(gt_multiply(values, gt_metric_weights(update, values))));
}

static gt_Tensor *result_sum(const void *options, gt_Variable *const *states)
{
    (void)options;
    return gt_identity(states[0]);
}

const gt_MetricClass gt_metric_class_sum = {
    GT_METRIC_RECORD("sum", Sum, Mean, NONE),
    .states = 1,
    .update = update_sum,
    .result = result_sum,
};
GT_METRIC(Sum, Mean, sum)

static gt_Status update_root(const gt_MetricUpdate *update)
{
    gt_Tensor *y_true = update->y_true, *y_pred = update->y_pred;
    if (gt_metric_bring_together(&y_true, &y_pred) != GT_OK)
        return gt_status();
    gt_Tensor *error = gt_subtract(gt_cast(y_pred, GT_FLOAT64), gt_cast(y_true, GT_FLOAT64));
    return gt_metric_add_mean(update, gt_square(error));
}

static gt_Tensor *result_root(const void *options, gt_Variable *const *states)
{
    (void)options;
    return gt_sqrt(gt_divide_no_nan(states[0], states[1]));
}

const gt_MetricClass gt_metric_class_root_mean_squared_error = {
    GT_METRIC_RECORD("root_mean_squared_error", RootMeanSquaredError, Mean, DOWN),
    .states = 2,
    .update = update_root,
    .result = result_root,
};
GT_METRIC(RootMeanSquaredError, Mean, root_mean_squared_error)

/* ---- of a loss, and of a function of one's own ---- */

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

/* A number for the whole batch, which weighs as many as it has rows. */
static gt_Status update_whole(const gt_MetricUpdate *update, gt_Tensor *loss)
{
    double rows = gt_batch_rows(update->y_pred);
    gt_assign_add(update->states[0], gt_multiply(gt_cast(loss, GT_FLOAT64), rows));
    return gt_assign_add(update->states[1], rows);
}

/* As Keras's metrics of that name: the sum of the samples' losses, each times its weight, over the sum of the weights. */
static gt_Status update_loss(const gt_MetricUpdate *update)
{
    gt_Tensor *counts = NULL,
              *values = gt_loss_values(update->instance, update->y_true, update->y_pred, &counts);
    if (gt_status() != GT_OK)
        return gt_status();
    if (!values) {
        gt_Tensor *y_pred =
            update->mask ? gt_with_mask(update->y_pred, update->mask) : update->y_pred;
        return update_whole(update, gt_loss_compute(update->instance, update->y_true, y_pred,
                                                    update->given_weight));
    }
    if (gt_rank(values) == 0 && !update->sample_weight)
        return update_whole(update, values);
    gt_MetricUpdate counting = *update;
    if (counts)
        counting.sample_weight =
            gt_multiply(gt_metric_weights(update, values), gt_cast(counts, GT_FLOAT64));
    return gt_metric_add_mean(&counting, values);
}

static const gt_MetricClass loss_class = {.size = sizeof loss_class,
                                          .name = "loss",
                                          .instance = sizeof(gt_Loss),
                                          .states = 2,
                                          .update = update_loss,
                                          .direction = GT_METRIC_DIRECTION_DOWN};

const gt_Loss *gt_metric_loss(const gt_Metric *metric)
{
    return gt_metric_class(metric) == &loss_class ? gt_metric_instance(metric) : NULL;
}

gt_Metric *gt_LossMetric_at(const char *here, gt_Loss loss, const gt_Mean_options *given)
{
    gt_Mean_options options;
    GT_TAKE(gt_Mean_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "LossMetric");
    if (gt_loss_check(&loss) == GT_OK && !loss.type)
        gt_raise(context, GT_INVALID, NULL, NULL, "the loss must be given");
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK
               ? new_about(here, &loss_class, options.name ? options.name : loss.type->name, &loss,
                           options.output)
               : NULL;
}

static gt_Status update_function(const gt_MetricUpdate *update)
{
    gt_MetricFunction function;
    memcpy(&function, update->instance, sizeof function);
    gt_Tensor *values = function(update->y_true, update->y_pred);
    if (!values && gt_status() == GT_OK)
        return gt_fail(GT_INVALID, "the metric's function returned no tensor");
    return gt_status() == GT_OK ? gt_metric_add_mean(update, values) : gt_status();
}

static const gt_MetricClass function_class = {.size = sizeof function_class,
                                              .name = "mean_metric",
                                              .instance = sizeof(gt_MetricFunction),
                                              .states = 2,
                                              .update = update_function};

gt_Metric *gt_MeanMetric_at(const char *here, gt_MetricFunction function,
                            const gt_Mean_options *given)
{
    gt_Mean_options options;
    GT_TAKE(gt_Mean_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "MeanMetric");
    if (!function)
        gt_fail(GT_INVALID, "the function is NULL");
    else
        gt_check_function("the metric's function", (uintptr_t)function);
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK
               ? new_about(here, &function_class, options.name, &function, options.output)
               : NULL;
}
