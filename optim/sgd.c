/* Gradient descent: one pass over variable, momentum and gradient. Leans on update.h. */
#include "optim/sgd.h"
#include "optim/update.h"

GT_OPTION_TYPE(gt_SGD_options, gt_SGD_OPTIONS);

/* ---- the operation ---- */

#define UPDATE_OPTIONS(F, S)                                                                       \
    F(S, double, momentum, 0.0, "how much of the last step stays")                                 \
    F(S, bool, nesterov, false, "looks ahead along the momentum")                                  \
    F(S, double, weight_decay, 0.0, "times the learning rate")                                     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(SgdUpdate, UPDATE_OPTIONS);
GT_OPTION_TYPE(SgdUpdate, UPDATE_OPTIONS);

static void sgd_tile(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *numbers)
{
    gt_SgdLoop *loop = kernel->context->kernels->sgd[gt_loop_type(kernel->output_spec[0]->dtype)];
    loop(tile->n, tile->output[0], kernel->outputs > 1 ? tile->output[1] : NULL, tile->gradient,
         numbers);
}

static gt_Status sgd_run(const gt_Kernel *kernel)
{
    const SgdUpdate *options = kernel->options;
    int64_t step;
    if (!gt_update_due(kernel, options->accumulation, &step))
        return GT_OK;
    double rate = gt_update_learning_rate(kernel);
    gt_SgdNumbers numbers = {rate, options->momentum, rate * options->weight_decay,
                             options->nesterov};
    return gt_update_run(kernel, sgd_tile, &numbers);
}

extern const gt_Operation gt_op_sgd_update, gt_op_sgd_momentum_update;
GT_ROW_UPDATE_OPERATION(sgd_update, "w -= lr g", 0, SgdUpdate, sgd_run,
                        {.inputs = 4,
                         .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3), GT_REAL(-2, 2, 2, 3),
                                            GT_REAL_SCALAR(0.1, 1), GT_COUNT_SAMPLE)},
                        {.inputs = 5,
                         .input = GT_INPUTS(GT_REAL(-2, 2, 4, 3), GT_REAL(-2, 2, 1, 3),
                                            GT_REAL_SCALAR(0.1, 1), GT_COUNT_SAMPLE,
                                            GT_WHOLE(GT_INT64, 0, 4, 1))});
GT_UPDATE_OPERATION(sgd_momentum_update, "m = mu m - lr g; w += m, or mu m - lr g with nesterov", 1,
                    SgdUpdate, sgd_run, GT_REAL(-2, 2, 2, 3), GT_REAL(-2, 2, 2, 3),
                    GT_REAL(-2, 2, 2, 3), GT_REAL_SCALAR(0.1, 1), GT_COUNT_SAMPLE);

/* ---- the optimizer ---- */

static gt_Status sgd_check(const void *given)
{
    const gt_SGD_options *options = given;
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return gt_fail(GT_INVALID, "momentum is %g; it must be in [0, 1]", options->momentum);
    return GT_OK;
}

static int sgd_slots(const void *given, gt_OptimizerSlot *slots)
{
    const gt_SGD_options *options = given;
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    return options->momentum != 0;
}

/* w + -(lr 0) is w; a momentum that stays moves w on. */
static bool sgd_row_wise(const void *given)
{
    return ((const gt_SGD_options *)given)->momentum == 0;
}

static gt_Status sgd_apply(const gt_OptimizerUpdate *update)
{
    const gt_SGD_options *options = update->options;
    SgdUpdate numbers = {.size = GT_SIZE(SgdUpdate),
                         .momentum = options->momentum,
                         .nesterov = options->nesterov,
                         .weight_decay = update->weight_decay,
                         .accumulation = update->accumulation};
    return gt_optimizer_apply(update->slot_count ? &gt_op_sgd_momentum_update : &gt_op_sgd_update,
                              &numbers, update);
}

static const gt_OptimizerClass sgd_class = {.size = sizeof(gt_OptimizerClass),
                                            .name = "sgd",
                                            .options = &gt_SGD_options_type,
                                            .slots = sgd_slots,
                                            .check = sgd_check,
                                            .update = sgd_apply,
                                            .row_wise = sgd_row_wise};

gt_Optimizer *gt_SGD_at(const char *here, const gt_SGD_options *options)
{
    return gt_optimizer_new_at(here, &sgd_class, options);
}
