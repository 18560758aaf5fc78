/* Adadelta, computed by operations. */
#include "optim/adadelta.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Adadelta_options, gt_Adadelta_OPTIONS);

static gt_Status adadelta_check(const void *given)
{
    const gt_Adadelta_options *options = given;
    if (gt_check_memory("rho", options->rho) != GT_OK)
        return gt_status();
    return gt_check_not_negative("epsilon", options->epsilon);
}

static int adadelta_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "accumulated_grad"};
    slots[1] = (gt_OptimizerSlot){.name = "accumulated_delta_var"};
    return 2;
}

static gt_Tensor *mean_of(gt_Tensor *old, gt_Tensor *new, double rho)
{
    return gt_add(gt_multiply(old, rho), gt_multiply(new, 1 - rho));
}

static gt_Tensor *root_of(gt_Tensor *x, double epsilon)
{
    return gt_sqrt(gt_add(x, epsilon));
}

static gt_Status adadelta_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Adadelta_options *options = update->options;
    gt_Tensor *rate = gt_optimizer_rate(update), *g = update->gradient, *steps = update->slots[1];
    next[1] = mean_of(update->slots[0], gt_square(g), options->rho);
    gt_Tensor *above = gt_multiply(root_of(steps, options->epsilon), g);
    gt_Tensor *step = gt_divide(above, root_of(next[1], options->epsilon));
    next[2] = mean_of(steps, gt_square(step), options->rho);
    next[0] = gt_subtract(update->value, gt_multiply(step, rate));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_adadelta = {.size = sizeof(gt_OptimizerClass),
                                                       .name = "adadelta",
                                                       .function = "Adadelta",
                                                       .keras = "Adadelta",
                                                       .options = &gt_Adadelta_options_type,
                                                       .slots = adadelta_slots,
                                                       .check = adadelta_check,
                                                       .compute = adadelta_compute};

gt_Optimizer *gt_Adadelta_at(const char *here, const gt_Adadelta_options *options)
{
    return gt_optimizer_make(here, "Adadelta", &gt_optimizer_class_adadelta, options);
}
