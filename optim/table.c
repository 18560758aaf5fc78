/* All built-in classes of optimizers. */
#include "core/values.h"
#include "optim/internal.h"

static const gt_OptimizerClass *const table[] = {
    &gt_optimizer_class_adadelta, &gt_optimizer_class_adafactor, &gt_optimizer_class_adagrad,
    &gt_optimizer_class_adam,     &gt_optimizer_class_adamax,    &gt_optimizer_class_adamw,
    &gt_optimizer_class_ftrl,     &gt_optimizer_class_lamb,      &gt_optimizer_class_lion,
    &gt_optimizer_class_muon,     &gt_optimizer_class_nadam,     &gt_optimizer_class_rmsprop,
    &gt_optimizer_class_schedule_free_adamw, &gt_optimizer_class_sgd,
};

const gt_OptimizerClass *const *gt_optimizer_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_OptimizerClass *gt_optimizer_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, NULL))
            return table[i];
    return NULL;
}
