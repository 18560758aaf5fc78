/* Gradient descent: one pass over variable, momentum and gradient. Leans on update.h. */
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_sgd_update_options, gt_sgd_update_OPTIONS);

static void sgd_tile(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *numbers)
{
    gt_SgdLoop *loop =
        gt_context_kernels(kernel->context)->sgd[gt_loop_type(kernel->output_spec[0]->dtype)];
    loop(tile->n, tile->output[0], kernel->outputs > 1 ? tile->output[1] : NULL, tile->gradient,
         numbers);
}

static gt_Status sgd_run(const gt_Kernel *kernel)
{
    const gt_sgd_update_options *options = kernel->options;
    int64_t step;
    if (!gt_update_due(kernel, options->accumulation, &step))
        return GT_OK;
    double rate = gt_update_learning_rate(kernel);
    gt_SgdNumbers numbers = {rate, options->momentum, rate * options->weight_decay,
                             options->nesterov};
    return gt_update_run(kernel, sgd_tile, &numbers);
}

const gt_Operation gt_op_sgd_update = {
    GT_RECORD("sgd_update", "w -= lr g", 4, 5),
    .flags = GT_UPDATE_FLAGS,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_sgd_update_options_type,
    .shape = gt_update_shape,
    .run = sgd_run,
    .samples = GT_SAMPLES(
        {.inputs = 4,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT)},
        {.inputs = 5, /* rows, one of them padding */
         .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(1, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT,
                            GT_WHOLE(GT_INT64, 0, 4, 1))},
        {.inputs = 4,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
         .options = &GT_VALUES(gt_sgd_update_options, 0, false, 0.1, 2)}),
};

const gt_Operation gt_op_sgd_momentum_update = {
    .size = sizeof(gt_Operation),
    .name = "sgd_momentum_update",
    .formula = "m = mu m - lr g; w += m, or mu m - lr g with nesterov",
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_sgd_update_options_type,
    .inputs_min = 5,
    .inputs_max = 5,
    .outputs = 2,
    .shape = gt_update_shape,
    .run = sgd_run,
    .samples = GT_SAMPLES({.inputs = 5,
                           .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_ANY(2, 3),
                                              GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
                           .options = &GT_VALUES(gt_sgd_update_options, 0.9, false, 0, 1)},
                          {.inputs = 5,
                           .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_ANY(2, 3),
                                              GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
                           .options = &GT_VALUES(gt_sgd_update_options, 0.9, true, 0.1, 1)}),
};
