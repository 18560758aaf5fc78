/* Adam and amsgrad: one pass over variable, slots and gradient. Leans on update.h. */
#include "ops/update/update.h"

#include <math.h>

GT_OPTION_TYPE(gt_adam_update_options, gt_adam_update_OPTIONS);

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
    gt_AdamLoop *loop =
        gt_context_kernels(kernel->context)->adam[gt_loop_type(kernel->output_spec[0]->dtype)];
    loop(tile->n, tile->output[0], tile->output[1], tile->output[2],
         kernel->outputs > 3 ? tile->output[3] : NULL, tile->gradient, numbers);
}

static gt_Status adam_run(const gt_Kernel *kernel)
{
    const gt_adam_update_options *options = kernel->options;
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

const gt_Operation gt_op_adam_update = {
    .size = sizeof(gt_Operation),
    .name = "adam_update",
    .formula = "w -= alpha m / (sqrt(v) + epsilon)",
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_adam_update_options_type,
    .inputs_min = 6,
    .inputs_max = 6,
    .outputs = 3,
    .shape = gt_update_shape,
    .run = adam_run,
    .samples =
        GT_SAMPLES({.inputs = 6,
                    .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                                       GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT)},
                   {.inputs = 6,
                    .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                                       GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
                    .options = &GT_VALUES(gt_adam_update_options, 0.8, 0.95, 1e-3, 0.1, 2)}),
};

const gt_Operation gt_op_adam_amsgrad_update = {
    .size = sizeof(gt_Operation),
    .name = "adam_amsgrad_update",
    .formula = "w -= alpha m / (sqrt(max(v)) + epsilon)",
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_adam_update_options_type,
    .inputs_min = 7,
    .inputs_max = 7,
    .outputs = 4,
    .shape = gt_update_shape,
    .run = adam_run,
    .samples =
        GT_SAMPLES({.inputs = 7,
                    .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                                       GT_REAL(0.1, 1, 2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1),
                                       GT_UPDATE_COUNT)}),
};
