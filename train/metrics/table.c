/* All built-in classes of metrics, and what their files share. */
#include "core/values.h"
#include "train/metrics/kit.h"
#include "train/metrics/mean.h"

#include <stdlib.h>

#define ADDRESS(symbol) &gt_metric_class_##symbol,
static const gt_MetricClass *const table[] = {GT_METRIC_CLASSES(ADDRESS)};

const gt_MetricClass *const *gt_metric_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_MetricClass *gt_metric_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, NULL))
            return table[i];
    return NULL;
}

/* Keras's string "accuracy", in whatever letters, is no class but a choice by shapes. */
static bool is_accuracy(const char *name)
{
    static const char text[] = "accuracy";
    size_t i = 0;
    while (name[i] && i < sizeof text && (name[i] | 0x20) == text[i])
        i++;
    return !name[i] && (i == sizeof text - 1 || i == 3);
}

gt_Metric *gt_metric_named_at(const char *here, const char *name)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!name) {
        gt_raise(context, GT_INVALID, here, "metric_named", "the name must be given");
        return NULL;
    }
    const gt_MetricClass *type =
        is_accuracy(name) ? &gt_metric_class_accuracy : gt_metric_class_find(name);
    if (type) {
        gt_Metric *self = gt_metric_make_at(here, type, NULL);
        return self ? gt_metric_rename(self, name) : NULL;
    }
    const gt_LossClass *loss = gt_loss_class_find(name);
    if (loss)
        return gt_LossMetric_at(here, gt_loss_make(loss, NULL), GT_KEYWORDS(gt_Mean, .name = name));
    gt_raise(context, GT_INVALID, here, "metric_named",
             "\"%s\" names neither a metric nor a loss; gt_metric_classes lists the metrics", name);
    return NULL;
}

gt_Status gt_metric_bring_together(gt_Tensor **y_true, gt_Tensor **y_pred)
{
    char a[160], b[160];
    gt_Shape labels = gt_tensor_shape(*y_true), predicted = gt_tensor_shape(*y_pred);
    if (gt_status() != GT_OK)
        return gt_status();
    if (labels.rank == predicted.rank + 1 && gt_last(labels) == 1)
        *y_true = gt_squeeze(*y_true, .axis = -1);
    else if (predicted.rank == labels.rank + 1 && gt_last(predicted) == 1)
        *y_true = gt_expand_dims(*y_true, -1);
    labels = gt_tensor_shape(*y_true);
    if (gt_status() == GT_OK && !gt_shape_equal(labels, predicted))
        gt_fail(GT_INVALID, "the shapes of labels and predictions do not match: %s and %s%s",
                gt_shape_text(labels, a, sizeof a), gt_shape_text(predicted, b, sizeof b),
                labels.rank + 1 == predicted.rank ? "; gt_one_hot makes rows of class numbers"
                                                  : "");
    return gt_status();
}

gt_Tensor *gt_metric_weights(const gt_MetricUpdate *update, gt_Tensor *values)
{
    if (update->sample_weight)
        return gt_metric_spread(update->sample_weight, values);
    return gt_ones_like(gt_cast(values, GT_FLOAT64));
}
