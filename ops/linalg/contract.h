/* A product of two tensors summed over axes that both have: what gt_einsum and gt_tensordot are made of. Private to the
 * library.
 *
 * Every axis has a label, an int32; an axis of a and one of b with the same label run together. A label that the result does
 * not have is summed over. Labels below 0 broadcast (axes of "..."): a size of 1 goes with any other.
 *
 *     "bij,bjk->bki"      a {0, 1, 2}, b {0, 2, 3}, result {0, 3, 1}
 *
 * No operand has a label twice, and a label of one operand alone is in the result. */
#ifndef GT_OPS_CONTRACT_H
#define GT_OPS_CONTRACT_H

#include "core/keyword.h"
#include "core/tensor.h"

#define GT_CONTRACT_OPTIONS(F, S)                                                                  \
    F(S, gt_Axes, a, GT_ALL_AXES, "the label of each axis of a")                                   \
    F(S, gt_Axes, b, GT_ALL_AXES, "the label of each axis of b")                                   \
    F(S, gt_Axes, result, GT_ALL_AXES, "the label of each axis of the result")
GT_OPTIONS(gt_ContractOptions, GT_CONTRACT_OPTIONS);

/* The labels of an operand or a result, by axis. */
typedef gt_Axes gt_Labels;
gt_Tensor *gt_contract(gt_Tensor *a, gt_Tensor *b, const gt_Labels *of_a, const gt_Labels *of_b,
                       const gt_Labels *result);

#endif
