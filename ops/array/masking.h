/* Giving a tensor a mask, and taking it away. See core/mask.h for what masks are. */
#ifndef GT_OPS_MASKING_H
#define GT_OPS_MASKING_H

#include "core/mask.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* The same numbers with this mask instead of the one that x may have. `mask` is bool and has the shape of x, or of its
 * leading axes: (batch, steps) for (batch, steps, features). Errors: another type or shape. The gradient goes to x. */
#define gt_with_mask(x, mask) gt_with_mask_at(GT_HERE, x, mask)
GT_API gt_Tensor *gt_with_mask_at(const char *here, gt_Tensor *x, gt_Tensor *mask);
/* The same numbers without a mask: padding counts from here on. */
GT_DECLARE_UNARY(unmask);
#define gt_unmask(x) gt_unmask_at(GT_HERE, x)

GT_END

#endif
