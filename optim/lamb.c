/* Lamb, computed by operations. */
#include "optim/lamb.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Lamb_options, gt_Lamb_OPTIONS);

static gt_Status lamb_check(const void *given)
{
    const gt_Lamb_options *options = given;
    if (gt_check_memory("beta_1", options->beta_1) != GT_OK ||
        gt_check_memory("beta_2", options->beta_2) != GT_OK)
        return gt_status();
    return gt_check_not_negative("epsilon", options->epsilon);
}

static int lamb_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    slots[1] = (gt_OptimizerSlot){.name = "velocity"};
    return 2;
}

static gt_Status lamb_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Lamb_options *options = update->options;
    gt_Tensor *g = update->gradient, *w = update->value;
    next[1] = gt_running_mean(update->slots[0], g, options->beta_1);
    next[2] = gt_running_mean(update->slots[1], gt_square(g), options->beta_2);
    gt_Tensor *m = gt_divide(next[1], gt_bias_correction(update, options->beta_1));
    gt_Tensor *v = gt_divide(next[2], gt_bias_correction(update, options->beta_2));
    gt_Tensor *u = gt_divide(m, gt_add(gt_sqrt(v), options->epsilon));
    gt_Tensor *ours = gt_sqrt(gt_sum(gt_square(w))), *its = gt_sqrt(gt_sum(gt_square(u)));
    gt_Tensor *both = gt_logical_and(gt_greater(ours, 0), gt_greater(its, 0));
    gt_Tensor *ratio = gt_where(both, gt_divide_no_nan(ours, its), 1);
    next[0] = gt_subtract(w, gt_multiply(u, gt_multiply(ratio, gt_optimizer_rate(update))));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_lamb = {.size = sizeof(gt_OptimizerClass),
                                                   .name = "lamb",
                                                   .function = "Lamb",
                                                   .keras = "Lamb",
                                                   .options = &gt_Lamb_options_type,
                                                   .slots = lamb_slots,
                                                   .check = lamb_check,
                                                   .compute = lamb_compute};

gt_Optimizer *gt_Lamb_at(const char *here, const gt_Lamb_options *options)
{
    return gt_optimizer_make(here, "Lamb", &gt_optimizer_class_lamb, options);
}
