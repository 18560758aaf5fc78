/* Adagrad as an optimizer. Leans on ops/update/adagrad.c for the update. */
#include "optim/adagrad.h"
#include "ops/update/update.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Adagrad_options, gt_Adagrad_OPTIONS);

static gt_Status adagrad_check(const void *given)
{
    const gt_Adagrad_options *options = given;
    gt_check_not_negative("initial_accumulator_value", options->initial_accumulator_value);
    return gt_check_not_negative("epsilon", options->epsilon);
}

static int adagrad_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)variable;
    const gt_Adagrad_options *options = given;
    slots[0] =
        (gt_OptimizerSlot){.name = "accumulator", .initial = options->initial_accumulator_value};
    return 1;
}

/* Where the root is not 0: 0 / 0 is not 0. */
static bool adagrad_row_wise(const void *given)
{
    const gt_Adagrad_options *options = given;
    return options->initial_accumulator_value > 0 || options->epsilon > 0;
}

static gt_Status adagrad_apply(const gt_OptimizerUpdate *update)
{
    const gt_Adagrad_options *options = update->options;
    gt_adagrad_update_options numbers = {.size = GT_SIZE(gt_adagrad_update_options),
                                         .epsilon = options->epsilon,
                                         .weight_decay = update->weight_decay,
                                         .accumulation = update->accumulation};
    return gt_optimizer_apply(&gt_op_adagrad_update, &numbers, update);
}

const gt_OptimizerClass gt_optimizer_class_adagrad = {.size = sizeof(gt_OptimizerClass),
                                                      .name = "adagrad",
                                                      .function = "Adagrad",
                                                      .keras = "Adagrad",
                                                      .options = &gt_Adagrad_options_type,
                                                      .slots = adagrad_slots,
                                                      .check = adagrad_check,
                                                      .update = adagrad_apply,
                                                      .row_wise = adagrad_row_wise,
                                                      .scales = true};

gt_Optimizer *gt_Adagrad_at(const char *here, const gt_Adagrad_options *options)
{
    return gt_optimizer_make(here, "Adagrad", &gt_optimizer_class_adagrad, options);
}
