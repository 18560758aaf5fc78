/* Gradients of fused gradient operations. Private to the library. */
#ifndef GT_OPS_FORMULA_H
#define GT_OPS_FORMULA_H

#include "core/inside.h"

/* What an operation computes, made of differentiable operations: `outputs`, one handle each, from its inputs, of which absent
 * ones are NULL. Returns gt_status(). */
typedef gt_Status gt_Formula(const void *options, gt_Tensor *const *inputs, gt_Tensor **outputs);

/* The whole gradient rule of an operation that saves all of its inputs: computes the formula on a tape of its own and pulls
 * back what arrived. Exact to any order and slow, which is good enough for second order. */
gt_Status gt_rule_by_formula(gt_GradientRule *rule, gt_Formula *formula);

#endif
