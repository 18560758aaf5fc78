/* Losses of segmentations: sums of products over all axes or some. Formulas are Keras's. */
#include "ops/nn/overlap.h"
#include "core/inside.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/loss_inside.h"

GT_OPTION_TYPE(gt_dice_options, gt_dice_OPTIONS);
GT_OPTION_TYPE(gt_tversky_options, gt_tversky_OPTIONS);

static gt_Tensor *complement(gt_Tensor *x)
{
    return gt_add(gt_negative(x), 1);
}

static gt_Tensor *dice(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_dice_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *both = gt_multiply(gt_sum(gt_multiply(t, y_pred), .axes = options->axes), 2);
    gt_Tensor *all =
        gt_add(gt_sum(t, .axes = options->axes), gt_sum(y_pred, .axes = options->axes));
    gt_Tensor *losses = complement(gt_divide(both, gt_add(all, GT_LOSS_EPSILON)));
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(dice, gt_dice_options)

static gt_Tensor *tversky(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_tversky_options *options)
{
    gt_Tensor *t = gt_loss_targets(y_true, y_pred);
    gt_Tensor *both = gt_sum(gt_multiply(t, y_pred), .axes = options->axes);
    gt_Tensor *missed = gt_sum(gt_multiply(t, complement(y_pred)), .axes = options->axes);
    gt_Tensor *wrong = gt_sum(gt_multiply(y_pred, complement(t)), .axes = options->axes);
    gt_Tensor *all = gt_add(gt_add(both, gt_multiply(missed, options->alpha)),
                            gt_multiply(wrong, options->beta));
    gt_Tensor *losses = complement(gt_divide(both, gt_add(all, GT_LOSS_EPSILON)));
    return gt_loss_reduced(losses, options->reduction, options->sample_weight, NULL);
}
GT_LOSS(tversky, gt_tversky_options)
