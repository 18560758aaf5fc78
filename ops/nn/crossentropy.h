/* The fused cross-entropies of logits, which the losses are made of. Private to the library. */
#ifndef GT_OPS_CROSSENTROPY_H
#define GT_OPS_CROSSENTROPY_H

#include "core/operation.h"
#include "core/tensor.h"

/* max(x, 0) - x t + log(1 + e^-|x|), element by element: t and x of one shape and dtype. */
gt_Tensor *gt_sigmoid_crossentropy(gt_Tensor *t, gt_Tensor *x);
/* -sum t log_softmax(x) over the last axis: t and x (..., classes) -> (...). */
gt_Tensor *gt_softmax_crossentropy(gt_Tensor *t, gt_Tensor *x);
/* -log_softmax(x) at the label, 0 for the label `ignore_class` (GT_NONE: no such): labels (...),
 * integers, x (..., classes) -> (...). A label out of range is an error. */
gt_Tensor *gt_sparse_softmax_crossentropy(gt_Tensor *labels, gt_Tensor *x, int64_t ignore_class);

/* In plans (plan/passes/losses.c): the loss, and its gradient with g arriving: (labels, x, g) -> (...), (..., classes). Options as
 * of gt_op_sparse_softmax_crossentropy. */
extern const gt_Operation gt_op_sparse_softmax_crossentropy_both;

#endif
