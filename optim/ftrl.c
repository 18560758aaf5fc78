/* Ftrl, computed by operations. */
#include "optim/ftrl.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Ftrl_options, gt_Ftrl_OPTIONS);

static gt_Status ftrl_check(const void *given)
{
    const gt_Ftrl_options *options = given;
    if (!(options->learning_rate_power <= 0))
        return gt_fail(GT_INVALID, "learning_rate_power must be <= 0 (got %g)",
                       options->learning_rate_power);
    gt_check_not_negative("initial_accumulator_value", options->initial_accumulator_value);
    gt_check_not_negative("l1_regularization_strength", options->l1_regularization_strength);
    gt_check_not_negative("l2_regularization_strength", options->l2_regularization_strength);
    return gt_check_not_negative("l2_shrinkage_regularization_strength",
                                 options->l2_shrinkage_regularization_strength);
}

static int ftrl_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)variable;
    const gt_Ftrl_options *options = given;
    slots[0] =
        (gt_OptimizerSlot){.name = "accumulator", .initial = options->initial_accumulator_value};
    slots[1] = (gt_OptimizerSlot){.name = "linear"};
    return 2;
}

/* x^power; the default is a root, which costs a tenth. */
static gt_Tensor *raised(gt_Tensor *x, double power)
{
    return power == 0.5 ? gt_sqrt(x) : gt_power(x, power);
}

static gt_Status ftrl_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Ftrl_options *options = update->options;
    const double power = -options->learning_rate_power, l1 = options->l1_regularization_strength;
    gt_Tensor *g = update->gradient, *w = update->value, *rate = gt_optimizer_rate(update);
    gt_Tensor *sum = gt_add(update->slots[0], gt_square(g)), *root = raised(sum, power);
    gt_Tensor *grown = gt_divide(gt_subtract(root, raised(update->slots[0], power)), rate);
    gt_Tensor *slope = gt_add(g, gt_multiply(w, 2 * options->l2_shrinkage_regularization_strength));
    gt_Tensor *linear = gt_add(update->slots[1], gt_subtract(slope, gt_multiply(grown, w)));
    gt_Tensor *below = gt_divide(gt_add(root, options->beta), rate);
    below = gt_add(below, 2 * options->l2_regularization_strength);
    next[0] = gt_divide(gt_subtract(gt_clip(linear, -l1, l1), linear), below);
    next[1] = sum;
    next[2] = linear;
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_ftrl = {.size = sizeof(gt_OptimizerClass),
                                                   .name = "ftrl",
                                                   .function = "Ftrl",
                                                   .keras = "Ftrl",
                                                   .options = &gt_Ftrl_options_type,
                                                   .slots = ftrl_slots,
                                                   .check = ftrl_check,
                                                   .compute = ftrl_compute};

gt_Optimizer *gt_Ftrl_at(const char *here, const gt_Ftrl_options *options)
{
    return gt_optimizer_make(here, "Ftrl", &gt_optimizer_class_ftrl, options);
}
