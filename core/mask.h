/* Masks: which elements of a padded tensor count. A mask is a bool tensor whose shape is the leading axes of its
 * tensor's; false marks padding. It rides on the tensor: operations pass it on where every element of the result is
 * either free of padding or left out by a mask, and where they would mix padding with the rest - a sum over the padded
 * axis - they refuse and say so. Layers that know masks use it, as Keras's do.
 *
 *     gt_Tensor *h = gt_call(gt_Embedding(1000, 16, .mask_zero = true), words);      (batch, steps, 16)
 *     gt_Tensor *m = gt_mask(h);                                                     (batch, steps)
 *
 * Masks have no gradient. What is computed for gradients has no masks. */
#ifndef GT_CORE_MASK_H
#define GT_CORE_MASK_H

#include "core/tensor.h"

GT_BEGIN

/* The mask that rides on a tensor, as a handle of the innermost scope. NULL, without an error, if there is none. */
#define gt_mask(x) gt_mask_at(GT_HERE, x)
GT_API gt_Tensor *gt_mask_at(const char *here, const gt_Tensor *x);
/* Has the tensor a mask? False for what is no tensor. */
GT_API bool gt_is_masked(const gt_Tensor *x);

GT_END

#endif
