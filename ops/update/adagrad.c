/* Adagrad: one pass over variable, sum and gradient. Leans on update.h. */
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_adagrad_update_options, gt_adagrad_update_OPTIONS);

static void adagrad_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_adagrad_update_options *options = rule->options;
    gt_AdagradJob *job =
        gt_lower_launch(lowering, GT_TILES_adagrad, gt_update_tiles(rule), sizeof *job);
    *job = (gt_AdagradJob){.update = gt_update_job(rule, options->accumulation),
                           .epsilon = options->epsilon,
                           .weight_decay = options->weight_decay};
}

const gt_Operation gt_op_adagrad_update = {
    GT_RECORD_OUTPUTS("adagrad_update", "a += g^2; w -= lr g / sqrt(a + epsilon)", 5, 7, 2),
    .flags = GT_UPDATE_FLAGS,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_adagrad_update_options_type,
    .optional_inputs = GT_UPDATE_OPTIONAL(2),
    .shape = gt_update_shape,
    .lower = adagrad_lower,
    .samples = GT_SAMPLES(
        {.inputs = 5,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_REAL(0.1, 1, 2, 3), GT_ANY(2, 3),
                            GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT)},
        {.inputs = 6, /* rows, one of them padding */
         .input = GT_INPUTS(GT_ANY(4, 3), GT_REAL(0.1, 1, 4, 3), GT_ANY(1, 3),
                            GT_REAL_SCALAR(0.1, 1), GT_UPDATE_COUNT, GT_WHOLE(GT_INT64, 0, 4, 1))},
        {.inputs = 7,
         .input =
             GT_INPUTS(GT_ANY(2, 3), GT_REAL(0.1, 1, 2, 3), GT_ANY(2, 3), GT_REAL_SCALAR(0.1, 1),
                       GT_UPDATE_COUNT, GT_UPDATE_NO_ROWS, GT_UPDATE_FACTOR),
         .options = &GT_VALUES(gt_adagrad_update_options, 1e-3, 0.1, 2)}),
};
