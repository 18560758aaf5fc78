/* What optimizers that compute their update by operations have in common. Not installed. */
#ifndef GT_OPTIM_COMPUTE_H
#define GT_OPTIM_COMPUTE_H

#include "optim/internal.h"

/* A class computes its numbers before its tensors: then the update of the first variable is one pass over it in a plan too, not
 * cut where a number comes in between. */

/* The variable's value w - w decay rate, as Keras rounds it. */
gt_Tensor *gt_optimizer_decayed(const gt_OptimizerUpdate *update);
/* The learning rate in the variable's type. */
gt_Tensor *gt_optimizer_rate(const gt_OptimizerUpdate *update);
/* old + (new - old)(1 - memory) */
gt_Tensor *gt_running_mean(gt_Tensor *old, gt_Tensor *new, double memory);
/* 1 - base^t of the number t of this update; in the variable's type. */
gt_Tensor *gt_bias_correction(const gt_OptimizerUpdate *update, double base);
/* Raises an error unless 0 <= memory < 1. */
gt_Status gt_check_memory(const char *name, double memory);
/* Raises an error unless the number is finite and >= 0. */
gt_Status gt_check_not_negative(const char *name, double number);

#endif
