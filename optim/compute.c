/* What optimizers that compute their update by operations have in common. */
#include "optim/compute.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/math/arithmetic.h"

#include <math.h>

gt_Tensor *gt_optimizer_rate(const gt_OptimizerUpdate *update)
{
    return gt_cast(update->learning_rate, gt_dtype(update->variable));
}

gt_Tensor *gt_optimizer_decayed(const gt_OptimizerUpdate *update)
{
    gt_Tensor *w = gt_identity(update->variable);
    if (update->weight_decay == 0)
        return w;
    gt_Tensor *change =
        gt_multiply(gt_multiply(w, update->weight_decay), gt_optimizer_rate(update));
    return gt_subtract(w, change);
}

gt_Tensor *gt_running_mean(gt_Tensor *old, gt_Tensor *new, double memory)
{
    return gt_add(old, gt_multiply(gt_subtract(new, old), 1 - memory));
}

gt_Tensor *gt_bias_correction(const gt_OptimizerUpdate *update, double base)
{
    gt_Tensor *power = gt_power(gt_scalar(base, GT_FLOAT64), update->step);
    return gt_cast(gt_add(gt_negative(power), 1), gt_dtype(update->variable));
}

gt_Status gt_check_memory(const char *name, double memory)
{
    if (memory >= 0 && memory < 1)
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be in [0, 1) (got %g)", name, memory);
}

gt_Status gt_check_not_negative(const char *name, double number)
{
    if (number >= 0 && isfinite(number))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be finite and >= 0 (got %g)", name, number);
}
