/* Products that sum over axes, by subscripts. */
#ifndef GT_OPS_EINSUM_H
#define GT_OPS_EINSUM_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* gt_einsum("bij,bjk->bik", gt_tensors(a, b)): each operand's axes have letters; letters that are
 * not in the result are summed over, a letter that an operand has twice takes its diagonal, "..."
 * stands for axes that broadcast. Without "->" the result has the letters that occur once, in
 * alphabetical order. Operands are contracted from left to right. Floats only. */
#define gt_einsum(subscripts, ...) gt_einsum_at(GT_HERE, subscripts, __VA_ARGS__)
GT_API gt_Tensor *gt_einsum_at(const char *here, const char *subscripts, gt_Tensors tensors);

GT_END

#endif
