/* What losses have in common, for the files that make them. Not installed. */
#ifndef GT_OPS_LOSS_INSIDE_H
#define GT_OPS_LOSS_INSIDE_H

#include "core/inside.h"
#include "ops/nn/loss.h"
#include "ops/operand.h"

#define GT_LOSS_EPSILON 1e-7 /* probabilities are kept this far from 0 and 1 */

/* y_true of the type of y_pred; NULL with an error if their shapes differ: nothing is broadcast (n, n) behind the caller's
 * back. */
gt_Tensor *gt_loss_targets(gt_Tensor *y_true, const gt_Tensor *y_pred);
/* Are the labels integers that name classes, one for each row of y_pred? Raises the error that says so. */
bool gt_loss_names_classes(const gt_Tensor *y_true, const gt_Tensor *y_pred);
/* Labels that name classes, of the shape of y_pred without its last axis. */
gt_Tensor *gt_loss_labels(gt_Tensor *y_true, const gt_Tensor *y_pred);
/* y (1 - s) + share; the share of one class, s over their number, is a number or a scalar of y's type. */
gt_Tensor *gt_loss_smoothed(gt_Tensor *y_true, double smoothing, gt_Operand share);
/* smoothing over the number of classes along the axis. */
gt_Tensor *gt_loss_share(gt_Tensor *y_true, double smoothing, int axis);
/* One loss a sample to what the caller asked for. `count`: what the mean divides by; NULL: how many there are. */
gt_Tensor *gt_loss_reduced(gt_Tensor *losses, gt_Reduction reduction, gt_Tensor *weight,
                           gt_Tensor *count);
/* The same, with the mean over the last axis first. */
gt_Tensor *gt_loss_reduced_entries(gt_Tensor *entries, gt_Reduction reduction, gt_Tensor *weight);
/* The same, with the mean over that axis first. */
gt_Tensor *gt_loss_reduced_along(gt_Tensor *entries, int axis, gt_Reduction reduction,
                                 gt_Tensor *weight);

/* gt_NAME_at and gt_NAME around NAME(y_true, y_pred, options), which makes the loss. */
#define GT_LOSS(name, Options)                                                                     \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *y_true, gt_Tensor *y_pred,              \
                              const Options *given)                                                \
    {                                                                                              \
        Options options;                                                                           \
        gt_options_take(&Options##_type, &options, given);                                         \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        gt_Tensor *loss = name(y_true, y_pred, &options);                                          \
        gt_site_leave(&site);                                                                       \
        return gt_status() == GT_OK ? loss : NULL;                                                 \
    }                                                                                              \
    gt_Tensor *(gt_##name)(gt_Tensor * y_true, gt_Tensor * y_pred)                                 \
    {                                                                                              \
        return gt_##name##_at(NULL, y_true, y_pred, NULL);                                         \
    }

#endif
