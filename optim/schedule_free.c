/* Schedule-free AdamW, computed by operations. */
#include "optim/schedule_free.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_ScheduleFreeAdamW_options, gt_ScheduleFreeAdamW_OPTIONS);

static gt_Status check(const void *given)
{
    const gt_ScheduleFreeAdamW_options *options = given;
    if (!(options->beta_1 > 0 && options->beta_1 < 1))
        return gt_fail(GT_INVALID, "beta_1 must be in (0, 1) (got %g)", options->beta_1);
    if (options->warmup_steps < 0)
        return gt_fail(GT_INVALID, "warmup_steps must be >= 0 (got %lld)",
                       (long long)options->warmup_steps);
    return gt_check_memory("beta_2", options->beta_2) == GT_OK
               ? gt_check_not_negative("epsilon", options->epsilon)
               : gt_status();
}

static int slots_of(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "momentum", .copies = true};
    slots[1] = (gt_OptimizerSlot){.name = "velocity"};
    return 2;
}

static gt_Tensor *rate_of(const gt_OptimizerUpdate *update)
{
    const gt_ScheduleFreeAdamW_options *options = update->options;
    if (options->warmup_steps == 0)
        return gt_optimizer_rate(update);
    gt_Tensor *part = gt_minimum(gt_divide(update->step, (double)options->warmup_steps), 1);
    return gt_multiply(gt_optimizer_rate(update), gt_cast(part, gt_dtype(update->variable)));
}

static gt_Status compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_ScheduleFreeAdamW_options *options = update->options;
    gt_Tensor *z = update->slots[0], *g = update->gradient, *rate = rate_of(update);
    gt_Tensor *correction = gt_bias_correction(update, options->beta_2);
    gt_Tensor *share = gt_cast(gt_reciprocal(update->step), gt_dtype(update->variable));
    gt_Tensor *rest = gt_add(gt_negative(share), 1);
    gt_Tensor *own = gt_multiply(z, 1 - options->beta_1);
    gt_Tensor *x = gt_divide(gt_subtract(update->value, own), options->beta_1);
    next[2] = gt_running_mean(update->slots[1], gt_square(g), options->beta_2);
    gt_Tensor *square = gt_divide(next[2], correction);
    gt_Tensor *root = gt_add(gt_sqrt(square), options->epsilon);
    next[1] = gt_subtract(z, gt_divide(gt_multiply(rate, g), root));
    x = gt_add(gt_multiply(x, rest), gt_multiply(next[1], share));
    next[0] = gt_add(gt_multiply(next[1], 1 - options->beta_1), gt_multiply(x, options->beta_1));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_schedule_free_adamw = {
    .size = sizeof(gt_OptimizerClass),
    .name = "schedule_free_adamw",
    .function = "ScheduleFreeAdamW",
    .keras = "ScheduleFreeAdamW",
    .options = &gt_ScheduleFreeAdamW_options_type,
    .slots = slots_of,
    .check = check,
    .compute = compute};

gt_Optimizer *gt_ScheduleFreeAdamW_at(const char *here, const gt_ScheduleFreeAdamW_options *options)
{
    return gt_optimizer_make(here, "ScheduleFreeAdamW", &gt_optimizer_class_schedule_free_adamw,
                             options);
}
