/* Adam, amsgrad and AdamW as optimizers. Leans on ops/update/adam.c for the update. */
#include "optim/adam.h"
#include "optim/compute.h"
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_Adam_options, gt_Adam_OPTIONS);
GT_OPTION_TYPE(gt_AdamW_options, gt_AdamW_OPTIONS);

/* gt_AdamW_options has the fields of gt_Adam_options, at the same places. */

static gt_Status adam_check(const void *given)
{
    const gt_Adam_options *options = given;
    if (gt_check_memory("beta_1", options->beta_1) != GT_OK ||
        gt_check_memory("beta_2", options->beta_2) != GT_OK)
        return gt_status();
    return gt_check_not_negative("epsilon", options->epsilon);
}

static gt_Status adamw_check(const void *given)
{
    const gt_AdamW_options *options = given;
    if (options->weight_decay == GT_NONE)
        return gt_fail(GT_INVALID, "weight_decay must be given; gt_Adam has none");
    return adam_check(given);
}

static int adam_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)variable;
    const gt_Adam_options *options = given;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    slots[1] = (gt_OptimizerSlot){.name = "velocity"};
    slots[2] = (gt_OptimizerSlot){.name = "velocity_hat", .group = 1};
    return options->amsgrad ? 3 : 2;
}

static gt_Status adam_apply(const gt_OptimizerUpdate *update)
{
    const gt_Adam_options *options = update->options;
    gt_adam_update_options numbers = {.size = GT_SIZE(gt_adam_update_options),
                                      .beta_1 = options->beta_1,
                                      .beta_2 = options->beta_2,
                                      .epsilon = options->epsilon,
                                      .weight_decay = update->weight_decay,
                                      .accumulation = update->accumulation};
    return gt_optimizer_apply(options->amsgrad ? &gt_op_adam_amsgrad_update : &gt_op_adam_update,
                              &numbers, update);
}

const gt_OptimizerClass gt_optimizer_class_adam = {.size = sizeof(gt_OptimizerClass),
                                                   .name = "adam",
                                                   .function = "Adam",
                                                   .keras = "Adam",
                                                   .options = &gt_Adam_options_type,
                                                   .slots = adam_slots,
                                                   .check = adam_check,
                                                   .update = adam_apply,
                                                   .scales = true};

const gt_OptimizerClass gt_optimizer_class_adamw = {.size = sizeof(gt_OptimizerClass),
                                                    .name = "adamw",
                                                    .function = "AdamW",
                                                    .keras = "AdamW",
                                                    .options = &gt_AdamW_options_type,
                                                    .slots = adam_slots,
                                                    .check = adamw_check,
                                                    .update = adam_apply,
                                                    .scales = true};

gt_Optimizer *gt_Adam_at(const char *here, const gt_Adam_options *options)
{
    return gt_optimizer_make(here, "Adam", &gt_optimizer_class_adam, options);
}

gt_Optimizer *gt_AdamW_at(const char *here, const gt_AdamW_options *options)
{
    return gt_optimizer_make(here, "AdamW", &gt_optimizer_class_adamw, options);
}
