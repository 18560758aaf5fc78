/* Batch normalization in training and group normalization in one operation. Private to the library. */
#ifndef GT_OPS_BATCH_NORM_H
#define GT_OPS_BATCH_NORM_H

#include "core/tensor.h"

/* All NULL on failure. */
typedef struct gt_BatchNorm {
    gt_Tensor *y, *mean, *variance; /* like x; (channels) */
} gt_BatchNorm;
/* y = (x - mean) / sqrt(variance + epsilon) gamma + beta with mean and variance of x, (..., channels), over all axes but the
 * last; the variance is divided by their number. gamma and beta (channels) may be NULL. The numbers are those of gt_moments
 * and gt_batch_normalization but for rounding. */
gt_BatchNorm gt_batch_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, double epsilon);

/* The same for each sample of x, (samples, ..., channels), by itself, over its rows and the channels of a group; `groups` divides
 * the channels. Only y; NULL on failure. */
gt_Tensor *gt_group_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, int64_t groups,
                         double epsilon);

#endif
