/* Adagrad, computed by operations. */
#include "optim/adagrad.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
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

static gt_Status adagrad_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Adagrad_options *options = update->options;
    gt_Tensor *g = update->gradient;
    next[1] = gt_add(update->slots[0], gt_square(g));
    gt_Tensor *root = gt_sqrt(gt_add(next[1], options->epsilon));
    next[0] =
        gt_subtract(update->value, gt_divide(gt_multiply(g, gt_optimizer_rate(update)), root));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_adagrad = {.size = sizeof(gt_OptimizerClass),
                                                      .name = "adagrad",
                                                      .function = "Adagrad",
                                                      .keras = "Adagrad",
                                                      .options = &gt_Adagrad_options_type,
                                                      .slots = adagrad_slots,
                                                      .check = adagrad_check,
                                                      .compute = adagrad_compute};

gt_Optimizer *gt_Adagrad_at(const char *here, const gt_Adagrad_options *options)
{
    return gt_optimizer_make(here, "Adagrad", &gt_optimizer_class_adagrad, options);
}
