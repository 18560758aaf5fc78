/* Gradient descent: one pass over variable, momentum and gradient. Leans on update.h. */
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_sgd_update_options, gt_sgd_update_OPTIONS);

static void sgd_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_sgd_update_options *options = rule->options;
    gt_SgdJob *job = gt_lower_launch(lowering, GT_TILES_sgd, gt_update_tiles(rule), sizeof *job);
    *job = (gt_SgdJob){.update = gt_update_job(rule, options->accumulation),
                       .momentum = options->momentum,
                       .weight_decay = options->weight_decay,
                       .nesterov = options->nesterov};
}

const gt_Operation gt_op_sgd_update = {
    GT_RECORD("sgd_update", "w -= lr g", 4, 6),
    .optional_inputs = GT_UPDATE_OPTIONAL(1),
    .flags = GT_UPDATE_FLAGS,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_sgd_update_options_type,
    .shape = gt_update_shape,
    .lower = sgd_lower,
    .samples = GT_SAMPLES(
        {.inputs = 4,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT)},
        {.inputs = 5, /* rows, one of them padding */
         .input = GT_INPUTS(GT_ANY(4, 3), GT_ANY(1, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT,
                            GT_WHOLE(GT_INT64, 0, 4, 1))},
        {.inputs = 6, /* times a factor */
         .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT,
                            GT_UPDATE_NO_ROWS, GT_UPDATE_FACTOR)},
        {.inputs = 4,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
         .options = &GT_VALUES(gt_sgd_update_options, 0, false, 0.1, 2)}),
};

const gt_Operation gt_op_sgd_momentum_update = {
    GT_RECORD_OUTPUTS("sgd_momentum_update",
                      "m = mu m - lr g; w += m, or mu m - lr g with nesterov", 5, 7, 2),
    .optional_inputs = GT_UPDATE_OPTIONAL(2),
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_sgd_update_options_type,
    .shape = gt_update_shape,
    .lower = sgd_lower,
    .samples = GT_SAMPLES({.inputs = 5,
                           .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_ANY(2, 3),
                                              GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
                           .options = &GT_VALUES(gt_sgd_update_options, 0.9, false, 0, 1)},
                          {.inputs = 5,
                           .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_ANY(2, 3),
                                              GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT),
                           .options = &GT_VALUES(gt_sgd_update_options, 0.9, true, 0.1, 1)}),
};
