/* Lion, computed by operations. */
#include "optim/lion.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Lion_options, gt_Lion_OPTIONS);

static gt_Status lion_check(const void *given)
{
    const gt_Lion_options *options = given;
    if (!(options->beta_1 > 0 && options->beta_1 <= 1))
        return gt_fail(GT_INVALID, "beta_1 must be in (0, 1] (got %g)", options->beta_1);
    return gt_check_memory("beta_2", options->beta_2);
}

static int lion_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    return 1;
}

static gt_Status lion_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Lion_options *options = update->options;
    gt_Tensor *rate = gt_optimizer_rate(update), *g = update->gradient, *m = update->slots[0];
    gt_Tensor *mix = gt_add(gt_multiply(m, options->beta_1), gt_multiply(g, 1 - options->beta_1));
    next[0] = gt_subtract(update->value, gt_multiply(gt_sign(mix), rate));
    next[1] = gt_add(gt_multiply(m, options->beta_2), gt_multiply(g, 1 - options->beta_2));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_lion = {.size = sizeof(gt_OptimizerClass),
                                                   .name = "lion",
                                                   .function = "Lion",
                                                   .keras = "Lion",
                                                   .options = &gt_Lion_options_type,
                                                   .slots = lion_slots,
                                                   .check = lion_check,
                                                   .compute = lion_compute};

gt_Optimizer *gt_Lion_at(const char *here, const gt_Lion_options *options)
{
    return gt_optimizer_make(here, "Lion", &gt_optimizer_class_lion, options);
}
