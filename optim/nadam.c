/* Nadam, computed by operations. */
#include "optim/nadam.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Nadam_options, gt_Nadam_OPTIONS);

static gt_Status nadam_check(const void *given)
{
    const gt_Nadam_options *options = given;
    if (gt_check_memory("beta_1", options->beta_1) != GT_OK ||
        gt_check_memory("beta_2", options->beta_2) != GT_OK)
        return gt_status();
    return gt_check_not_negative("epsilon", options->epsilon);
}

static int nadam_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    slots[1] = (gt_OptimizerSlot){.name = "velocity"};
    return 2;
}

static int nadam_numbers(const void *given, gt_OptimizerSlot *numbers)
{
    (void)given;
    numbers[0] = (gt_OptimizerSlot){.name = "u_product", .initial = 1};
    return 1;
}

static gt_Tensor *complement(gt_Tensor *x)
{
    return gt_add(gt_negative(x), 1);
}

/* u of this update, or of one `later`: float64 (). */
static gt_Tensor *factor_of(const gt_OptimizerUpdate *update, int later)
{
    const gt_Nadam_options *options = update->options;
    gt_Tensor *power = gt_power(gt_scalar(0.96, GT_FLOAT64), gt_add(update->step, later));
    return gt_multiply(complement(gt_multiply(power, 0.5)), options->beta_1);
}

static gt_Status nadam_advance(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    next[0] = gt_multiply(update->numbers[0], factor_of(update, 0));
    return gt_status();
}

static gt_Status nadam_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Nadam_options *options = update->options;
    const gt_DType type = gt_dtype(update->variable);
    gt_Tensor *g = update->gradient, *now = factor_of(update, 0), *later = factor_of(update, 1);
    gt_Tensor *product = gt_multiply(update->numbers[0], now);
    gt_Tensor *of_mean = gt_divide(later, complement(gt_multiply(product, later)));
    gt_Tensor *of_slope = gt_divide(complement(now), complement(product));
    of_mean = gt_cast(of_mean, type);
    of_slope = gt_cast(of_slope, type);
    gt_Tensor *rate = gt_optimizer_rate(update);
    gt_Tensor *correction = gt_bias_correction(update, options->beta_2);
    next[1] = gt_running_mean(update->slots[0], g, options->beta_1);
    next[2] = gt_running_mean(update->slots[1], gt_square(g), options->beta_2);
    gt_Tensor *m = gt_add(gt_multiply(next[1], of_mean), gt_multiply(g, of_slope));
    gt_Tensor *v = gt_divide(next[2], correction);
    next[0] = gt_subtract(update->value,
                          gt_divide(gt_multiply(m, rate), gt_add(gt_sqrt(v), options->epsilon)));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_nadam = {.size = sizeof(gt_OptimizerClass),
                                                    .name = "nadam",
                                                    .function = "Nadam",
                                                    .keras = "Nadam",
                                                    .options = &gt_Nadam_options_type,
                                                    .slots = nadam_slots,
                                                    .check = nadam_check,
                                                    .compute = nadam_compute,
                                                    .numbers = nadam_numbers,
                                                    .advance = nadam_advance};

gt_Optimizer *gt_Nadam_at(const char *here, const gt_Nadam_options *options)
{
    return gt_optimizer_make(here, "Nadam", &gt_optimizer_class_nadam, options);
}
