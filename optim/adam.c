/* Adam and its variants: one pass over variable, slots and gradient. Leans on update.h. */
#include "optim/adam.h"
#include "optim/update.h"

#include <math.h>

GT_OPTION_TYPE(gt_Adam_options, gt_Adam_OPTIONS);
GT_OPTION_TYPE(gt_AdamW_options, gt_AdamW_OPTIONS);

/* ---- the operation ---- */

#define UPDATE_OPTIONS(F, S)                                                                       \
    F(S, double, beta_1, 0.9, "memory of the mean")                                                \
    F(S, double, beta_2, 0.999, "memory of the mean square")                                       \
    F(S, double, epsilon, 1e-7, "added to the root of the mean square")                            \
    F(S, double, weight_decay, 0.0, "times the learning rate")                                     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(AdamUpdate, UPDATE_OPTIONS);
GT_OPTION_TYPE(AdamUpdate, UPDATE_OPTIONS);

/* base^exponent by squaring: the same bits whatever the C library. */
static double whole_power(double base, int64_t exponent)
{
    double result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

static void adam_tile(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *numbers)
{
    gt_AdamLoop *loop = kernel->context->kernels->adam[gt_loop_type(kernel->output_spec[0]->dtype)];
    loop(tile->n, tile->output[0], tile->output[1], tile->output[2],
         kernel->outputs > 3 ? tile->output[3] : NULL, tile->gradient, numbers);
}

static gt_Status adam_run(const gt_Kernel *kernel)
{
    const AdamUpdate *options = kernel->options;
    int64_t step;
    if (!gt_update_due(kernel, options->accumulation, &step))
        return GT_OK;
    double rate = gt_update_learning_rate(kernel);
    double alpha = rate * sqrt(1 - whole_power(options->beta_2, step)) /
                   (1 - whole_power(options->beta_1, step));
    gt_AdamNumbers numbers = {alpha, options->beta_1, options->beta_2, options->epsilon,
                              rate * options->weight_decay};
    return gt_update_run(kernel, adam_tile, &numbers);
}

extern const gt_Operation gt_op_adam_update, gt_op_adam_amsgrad_update;
GT_UPDATE_OPERATION(adam_update, "w -= alpha m / (sqrt(v) + epsilon)", 2, AdamUpdate, adam_run,
                    GT_REAL(-2, 2, 2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                    GT_REAL(-2, 2, 2, 3), GT_REAL_SCALAR(0.1, 1), GT_COUNT_SAMPLE);
GT_UPDATE_OPERATION(adam_amsgrad_update, "w -= alpha m / (sqrt(max(v)) + epsilon)", 3, AdamUpdate,
                    adam_run, GT_REAL(-2, 2, 2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                    GT_REAL(0.1, 1, 2, 3), GT_REAL(-2, 2, 2, 3), GT_REAL_SCALAR(0.1, 1),
                    GT_COUNT_SAMPLE);

/* ---- the optimizer; gt_AdamW_options has the fields of gt_Adam_options, at the same places ---- */

static gt_Status check_beta(const char *name, double beta)
{
    if (beta >= 0 && beta < 1)
        return GT_OK;
    return gt_fail(GT_INVALID, "%s is %g; it must be in [0, 1)", name, beta);
}

static gt_Status adam_check(const void *given)
{
    const gt_Adam_options *options = given;
    if (check_beta("beta_1", options->beta_1) != GT_OK ||
        check_beta("beta_2", options->beta_2) != GT_OK)
        return gt_status();
    if (!(options->epsilon >= 0 && isfinite(options->epsilon)))
        return gt_fail(GT_INVALID, "epsilon is %g; it must be finite and not negative",
                       options->epsilon);
    return GT_OK;
}

static gt_Status adamw_check(const void *given)
{
    const gt_AdamW_options *options = given;
    if (options->weight_decay == GT_NONE)
        return gt_fail(GT_INVALID, "it needs a weight_decay; without one it is gt_Adam");
    return adam_check(given);
}

static int adam_slots(const void *given, gt_OptimizerSlot *slots)
{
    const gt_Adam_options *options = given;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    slots[1] = (gt_OptimizerSlot){.name = "velocity"};
    slots[2] = (gt_OptimizerSlot){.name = "velocity_hat", .group = 1};
    return options->amsgrad ? 3 : 2;
}

static gt_Status adam_apply(const gt_OptimizerUpdate *update)
{
    const gt_Adam_options *options = update->options;
    AdamUpdate numbers = {.size = GT_SIZE(AdamUpdate),
                          .beta_1 = options->beta_1,
                          .beta_2 = options->beta_2,
                          .epsilon = options->epsilon,
                          .weight_decay = update->weight_decay,
                          .accumulation = update->accumulation};
    return gt_optimizer_apply(options->amsgrad ? &gt_op_adam_amsgrad_update : &gt_op_adam_update,
                              &numbers, update);
}

static const gt_OptimizerClass adam_class = {.size = sizeof(gt_OptimizerClass),
                                             .name = "adam",
                                             .options = &gt_Adam_options_type,
                                             .slots = adam_slots,
                                             .check = adam_check,
                                             .update = adam_apply};

static const gt_OptimizerClass adamw_class = {.size = sizeof(gt_OptimizerClass),
                                              .name = "adamw",
                                              .options = &gt_AdamW_options_type,
                                              .slots = adam_slots,
                                              .check = adamw_check,
                                              .update = adam_apply};

gt_Optimizer *gt_Adam_at(const char *here, const gt_Adam_options *options)
{
    return gt_optimizer_new_at(here, &adam_class, options);
}

gt_Optimizer *gt_AdamW_at(const char *here, const gt_AdamW_options *options)
{
    return gt_optimizer_new_at(here, &adamw_class, options);
}
