/* Adamax, computed by operations. */
#include "optim/adamax.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Adamax_options, gt_Adamax_OPTIONS);

static gt_Status adamax_check(const void *given)
{
    const gt_Adamax_options *options = given;
    if (gt_check_memory("beta_1", options->beta_1) != GT_OK ||
        gt_check_memory("beta_2", options->beta_2) != GT_OK)
        return gt_status();
    return gt_check_not_negative("epsilon", options->epsilon);
}

static int adamax_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    slots[1] = (gt_OptimizerSlot){.name = "norm"};
    return 2;
}

static gt_Status adamax_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Adamax_options *options = update->options;
    gt_Tensor *g = update->gradient, *rate = gt_optimizer_rate(update);
    gt_Tensor *correction = gt_bias_correction(update, options->beta_1);
    next[1] = gt_running_mean(update->slots[0], g, options->beta_1);
    next[2] = gt_maximum(gt_multiply(update->slots[1], options->beta_2), gt_abs(g));
    gt_Tensor *below = gt_multiply(correction, gt_add(next[2], options->epsilon));
    next[0] = gt_subtract(update->value, gt_divide(gt_multiply(next[1], rate), below));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_adamax = {.size = sizeof(gt_OptimizerClass),
                                                     .name = "adamax",
                                                     .function = "Adamax",
                                                     .keras = "Adamax",
                                                     .options = &gt_Adamax_options_type,
                                                     .slots = adamax_slots,
                                                     .check = adamax_check,
                                                     .compute = adamax_compute};

gt_Optimizer *gt_Adamax_at(const char *here, const gt_Adamax_options *options)
{
    return gt_optimizer_make(here, "Adamax", &gt_optimizer_class_adamax, options);
}
