/* Adam and amsgrad: one pass over variable, slots and gradient. Leans on update.h. */
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_adam_update_options, gt_adam_update_OPTIONS);

static void adam_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_adam_update_options *options = rule->options;
    gt_AdamJob *job = gt_lower_launch(lowering, GT_TILES_adam, gt_update_tiles(rule), sizeof *job);
    *job = (gt_AdamJob){.update = gt_update_job(rule, options->accumulation),
                        .beta_1 = options->beta_1,
                        .beta_2 = options->beta_2,
                        .epsilon = options->epsilon,
                        .weight_decay = options->weight_decay};
}

const gt_Operation gt_op_adam_update = {
    GT_RECORD_OUTPUTS("adam_update", "w -= alpha m / (sqrt(v) + epsilon)", 6, 8, 3),
    .optional_inputs = GT_UPDATE_OPTIONAL(3),
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_adam_update_options_type,
    .shape = gt_update_shape,
    .lower = adam_lower,
    .samples =
        GT_SAMPLES({.inputs = 6,
                    .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                                       GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT)},
                   {.inputs = 8,
                    .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                                       GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT,
                                       GT_UPDATE_NO_ROWS, GT_UPDATE_FACTOR),
                    .options = &GT_VALUES(gt_adam_update_options, 0.8, 0.95, 1e-3, 0.1, 2)}),
};

const gt_Operation gt_op_adam_amsgrad_update = {
    GT_RECORD_OUTPUTS("adam_amsgrad_update", "w -= alpha m / (sqrt(max(v)) + epsilon)", 7, 9, 4),
    .optional_inputs = GT_UPDATE_OPTIONAL(4),
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_adam_update_options_type,
    .shape = gt_update_shape,
    .lower = adam_lower,
    .samples =
        GT_SAMPLES({.inputs = 7,
                    .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(-1, 1, 2, 3), GT_REAL(0.1, 1, 2, 3),
                                       GT_REAL(0.1, 1, 2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1),
                                       GT_UPDATE_COUNT)}),
};
