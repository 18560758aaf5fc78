/* All built-in classes of callbacks. */
#include "core/values.h"
#include "train/callback_run.h"

static const gt_CallbackClass *const table[] = {
    &gt_callback_class_backup_and_restore, &gt_callback_class_csv_logger,
    &gt_callback_class_early_stopping,     &gt_callback_class_lambda_callback,
    &gt_callback_class_learning_rate_scheduler, &gt_callback_class_model_checkpoint,
    &gt_callback_class_reduce_lr_on_plateau, &gt_callback_class_swap_ema_weights,
    &gt_callback_class_tensorboard, &gt_callback_class_terminate_on_nan,
};

const gt_CallbackClass *const *gt_callback_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_CallbackClass *gt_callback_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, NULL))
            return table[i];
    return NULL;
}
