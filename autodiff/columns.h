/* The Jacobian of a function of variables as one matrix, for solvers. Private to the library.
 *
 * For r (m) and parameters of n elements in all it is (n, m): a row a parameter, all residuals in it, which is what a pass of
 * forward mode gives. So forward mode takes n passes over vectors, reverse mode m of them; none is a pass for one residual
 * and one parameter. As parts of a plan passes share what they have in common. */
#ifndef GT_AUTODIFF_COLUMNS_H
#define GT_AUTODIFF_COLUMNS_H

#include "core/inside.h"

typedef enum gt_JacobianPasses {
    GT_JACOBIAN_PASSES_CHEAPER, /* reverse where there are clearly fewer residuals than parameters */
    GT_JACOBIAN_PASSES_FORWARD,
    GT_JACOBIAN_PASSES_REVERSE
} gt_JacobianPasses;

/* A function of variables that it reads: the body, what it is given, the variables, of one floating dtype, and how many
 * elements they have in all. */
typedef struct gt_FunctionOf {
    gt_FunctionBody body;
    void *user;
    gt_Tensors inputs, variables;
    int64_t elements;
} gt_FunctionOf;

/* `value` gets output 0 of the body as it is, `jacobian` d value / d variables (n, m), row-major, the variables in their
 * order. Handles of the innermost scope. Raises an error where no way leads from any variable to the value. */
gt_Status gt_jacobian_columns(gt_Context *context, const gt_FunctionOf *function,
                              gt_JacobianPasses passes, gt_Tensor **value, gt_Tensor **jacobian);

/* `value` gets the output, one element; `gradient` (n). */
gt_Status gt_gradient_packed(gt_Context *context, const gt_FunctionOf *function, gt_Tensor **value,
                             gt_Tensor **gradient);
/* The Hessian of that output times v (n): (n). */
gt_Tensor *gt_hessian_product_packed(gt_Context *context, const gt_FunctionOf *function,
                                     gt_Tensor *v);
/* d^2 value(x + t v) / dt^2 at t = 0, of the value's shape, for v (n): how the value curves along v. */
gt_Tensor *gt_curvature_along(gt_Context *context, const gt_FunctionOf *function, gt_Tensor *v);

/* Tensors of the variables' shapes as one vector (n), and back into `parts`. */
gt_Tensor *gt_packed_vector(gt_Tensors tensors);
gt_Status gt_unpacked_vector(gt_Tensor *vector, gt_Tensors like, gt_Tensor **parts);

#endif
