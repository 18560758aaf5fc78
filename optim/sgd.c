/* Gradient descent as an optimizer. Leans on ops/update/sgd.c for the update. */
#include "optim/sgd.h"
#include "optim/internal.h"
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_SGD_options, gt_SGD_OPTIONS);

static gt_Status sgd_check(const void *given)
{
    const gt_SGD_options *options = given;
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return gt_fail(GT_INVALID, "momentum must be in [0, 1] (got %g)", options->momentum);
    return GT_OK;
}

static int sgd_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)variable;
    const gt_SGD_options *options = given;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    return options->momentum != 0;
}

/* w + -(lr 0) is w; a momentum that stays moves w on. */
static bool sgd_row_wise(const void *given)
{
    return ((const gt_SGD_options *)given)->momentum == 0;
}

static gt_Status sgd_apply(const gt_OptimizerUpdate *update)
{
    const gt_SGD_options *options = update->options;
    gt_sgd_update_options numbers = {.size = GT_SIZE(gt_sgd_update_options),
                                     .momentum = options->momentum,
                                     .nesterov = options->nesterov,
                                     .weight_decay = update->weight_decay,
                                     .accumulation = update->accumulation};
    return gt_optimizer_apply(update->slot_count ? &gt_op_sgd_momentum_update : &gt_op_sgd_update,
                              &numbers, update);
}

const gt_OptimizerClass gt_optimizer_class_sgd = {.size = sizeof(gt_OptimizerClass),
                                                  .name = "sgd",
                                                  .function = "SGD",
                                                  .keras = "SGD",
                                                  .options = &gt_SGD_options_type,
                                                  .slots = sgd_slots,
                                                  .check = sgd_check,
                                                  .update = sgd_apply,
                                                  .row_wise = sgd_row_wise,
                                                  .scales = true};

gt_Optimizer *gt_SGD_at(const char *here, const gt_SGD_options *options)
{
    return gt_optimizer_make(here, "SGD", &gt_optimizer_class_sgd, options);
}
