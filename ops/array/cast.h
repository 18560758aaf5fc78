/* Changing the type, and the two operations that change only what a tape sees. */
#ifndef GT_OPS_CAST_H
#define GT_OPS_CAST_H

#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* x as another type. Floats to integers truncate and saturate, NaN gives 0; to bool: x != 0. To
 * float16 and bfloat16 numbers are rounded once, to the nearest, ties to even; what is too large
 * becomes infinite. The gradient passes between float types, in each one's own, and stops at
 * others. */
#define gt_cast(x, dtype) gt_cast_at(GT_HERE, x, dtype)
GT_API gt_Tensor *gt_cast_at(const char *here, gt_Tensor *x, gt_DType dtype);
/* A new tensor with the same numbers (it shares the memory). */
GT_DECLARE_UNARY(identity);
#define gt_identity(x) gt_identity_at(GT_HERE, x)
/* The same numbers, but a constant for every tape. */
GT_DECLARE_UNARY(stop_gradient);
#define gt_stop_gradient(x) gt_stop_gradient_at(GT_HERE, x)

/* x as another type, limited to what that type can hold. */
#define gt_saturate_cast(x, dtype) gt_saturate_cast_at(GT_HERE, x, dtype)
GT_API gt_Tensor *gt_saturate_cast_at(const char *here, gt_Tensor *x, gt_DType dtype);

GT_END

#endif
