/* RMSprop, computed by operations. */
#include "optim/rmsprop.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_RMSprop_options, gt_RMSprop_OPTIONS);

static gt_Status rmsprop_check(const void *given)
{
    const gt_RMSprop_options *options = given;
    if (gt_check_memory("rho", options->rho) != GT_OK)
        return gt_status();
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return gt_fail(GT_INVALID, "momentum must be in [0, 1] (got %g)", options->momentum);
    return gt_check_not_negative("epsilon", options->epsilon);
}

static int rmsprop_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)variable;
    const gt_RMSprop_options *options = given;
    int count = 0;
    slots[count++] = (gt_OptimizerSlot){.name = "velocity"};
    if (options->momentum != 0)
        slots[count++] = (gt_OptimizerSlot){.name = "momentum", .group = 1};
    if (options->centered)
        slots[count++] = (gt_OptimizerSlot){.name = "average_gradient", .group = 2};
    return count;
}

/* As Keras rounds it here. */
static gt_Tensor *mean_of(gt_Tensor *old, gt_Tensor *new, double rho)
{
    return gt_add(gt_multiply(old, rho), gt_multiply(new, 1 - rho));
}

static gt_Status rmsprop_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_RMSprop_options *options = update->options;
    gt_Tensor *g = update->gradient, *rate = gt_optimizer_rate(update);
    gt_Tensor *velocity = mean_of(update->slots[0], gt_square(g), options->rho);
    gt_Tensor *below = velocity;
    int slot = 1;
    gt_Variable *momentum = options->momentum != 0 ? update->slots[slot++] : NULL;
    next[1] = velocity;
    if (options->centered) {
        next[1 + slot] = mean_of(update->slots[slot], g, options->rho);
        below = gt_subtract(velocity, gt_square(next[1 + slot]));
    }
    gt_Tensor *change = gt_divide(gt_multiply(g, rate), gt_sqrt(gt_add(below, options->epsilon)));
    if (momentum)
        next[2] = change = gt_add(gt_multiply(momentum, options->momentum), change);
    next[0] = gt_subtract(update->value, change);
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_rmsprop = {.size = sizeof(gt_OptimizerClass),
                                                      .name = "rmsprop",
                                                      .function = "RMSprop",
                                                      .keras = "RMSprop",
                                                      .options = &gt_RMSprop_options_type,
                                                      .slots = rmsprop_slots,
                                                      .check = rmsprop_check,
                                                      .compute = rmsprop_compute};

gt_Optimizer *gt_RMSprop_at(const char *here, const gt_RMSprop_options *options)
{
    return gt_optimizer_make(here, "RMSprop", &gt_optimizer_class_rmsprop, options);
}
