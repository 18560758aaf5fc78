/* RMSprop, computed by operations. */
#include "optim/rmsprop.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/internal.h"

#include <math.h>

GT_OPTION_TYPE(gt_RMSprop_options, gt_RMSprop_OPTIONS);

static gt_Status rmsprop_check(const void *given)
{
    const gt_RMSprop_options *options = given;
    if (!(options->rho >= 0 && options->rho < 1))
        return gt_fail(GT_INVALID, "rho must be in [0, 1) (got %g)", options->rho);
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return gt_fail(GT_INVALID, "momentum must be in [0, 1] (got %g)", options->momentum);
    if (!(options->epsilon >= 0 && isfinite(options->epsilon)))
        return gt_fail(GT_INVALID, "epsilon must be finite and >= 0 (got %g)", options->epsilon);
    return GT_OK;
}

static int rmsprop_slots(const void *given, const gt_Spec *variable, gt_OptimizerSlot *slots)
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

/* rho old + (1 - rho) new */
static gt_Tensor *running_mean(gt_Tensor *old, gt_Tensor *new, double rho)
{
    return gt_add(gt_multiply(old, rho), gt_multiply(new, 1 - rho));
}

static gt_Status rmsprop_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_RMSprop_options *options = update->options;
    gt_Tensor *g = update->gradient, *rate = gt_cast(update->learning_rate, gt_dtype(g));
    gt_Tensor *velocity = running_mean(update->slots[0], gt_square(g), options->rho);
    gt_Tensor *below = velocity;
    int slot = 1;
    gt_Variable *momentum = options->momentum != 0 ? update->slots[slot++] : NULL;
    next[1] = velocity;
    if (options->centered) {
        next[1 + slot] = running_mean(update->slots[slot], g, options->rho);
        below = gt_subtract(velocity, gt_square(next[1 + slot]));
    }
    gt_Tensor *change = gt_divide(gt_multiply(g, rate), gt_sqrt(gt_add(below, options->epsilon)));
    if (momentum)
        next[2] = change = gt_add(gt_multiply(momentum, options->momentum), change);
    next[0] = gt_subtract(update->value, change);
    return gt_status();
}

static const gt_OptimizerClass rmsprop_class = {.size = sizeof(gt_OptimizerClass),
                                                .name = "rmsprop",
                                                .options = &gt_RMSprop_options_type,
                                                .slots = rmsprop_slots,
                                                .check = rmsprop_check,
                                                .compute = rmsprop_compute};

gt_Optimizer *gt_RMSprop_at(const char *here, const gt_RMSprop_options *options)
{
    return gt_optimizer_make(here, "RMSprop", &rmsprop_class, options);
}
