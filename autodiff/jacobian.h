/* Derivatives of more than one number: Jacobians of what a tape recorded, Hessians of functions. */
#ifndef GT_AUTODIFF_JACOBIAN_H
#define GT_AUTODIFF_JACOBIAN_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tape.h"
#include "core/tensor.h"
#include "autodiff/gradient.h"

GT_BEGIN

#define gt_jacobian_OPTIONS(F, S)                                                                  \
    F(S, gt_Unconnected, unconnected, GT_UNCONNECTED_ERROR, "what an unconnected source gets")
GT_OPTIONS(gt_jacobian_options, gt_jacobian_OPTIONS);
typedef gt_jacobian_options gt_batch_jacobian_options;
#define GT_JACOBIAN_(function, ...)                                                                \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__), GT_THIRD(__VA_ARGS__),        \
             GT_KEYWORDS(gt_jacobian, GT_AFTER_3(__VA_ARGS__)))

/* gt_jacobian(tape, target, source): element [i..., j...] is d target[i...] / d source[j...], of
 * the target's shape followed by the source's. One walk an element of the target, so the tape must
 * be persistent; paused, it does not record those walks. */
#define gt_jacobian(...) GT_JACOBIAN_(gt_jacobian_at, __VA_ARGS__)
GT_API gt_Tensor *gt_jacobian_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                                 gt_Tensor *source, const gt_jacobian_options *options);
/* gt_batch_jacobian(tape, target, source): for a target (b, y...) whose row k depends on row k of
 * the source (b, x...) alone; element [k, i..., j...] of the result (b, y..., x...) is d target[k,
 * i...] / d source[k, j...]. Both have at least rank 2 and the same b. One walk an element of a
 * row, so the tape must be persistent. Where rows mix, the result sums over the rows of the target.
 */
#define gt_batch_jacobian(...) GT_JACOBIAN_(gt_batch_jacobian_at, __VA_ARGS__)
GT_API gt_Tensor *gt_batch_jacobian_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                                       gt_Tensor *source, const gt_jacobian_options *options);

/* Second derivatives of a function of one tensor with one output of one element, at x: of x's shape
 * twice. What the function does not depend on, or not beyond first order, gives zeros. Tapes that
 * are open see the computation, so the result can be differentiated. */
#define gt_hessian(function, context, x) gt_hessian_at(GT_HERE, function, context, x)
GT_API gt_Tensor *gt_hessian_at(const char *here, gt_FunctionBody function, void *context,
                                gt_Tensor *x);
/* The Hessian times v, of x's shape like v, for the price of about two gradients: the Hessian
 * itself is never formed. */
#define gt_hessian_vector_product(function, context, x, v)                                         \
    gt_hessian_vector_product_at(GT_HERE, function, context, x, v)
GT_API gt_Tensor *gt_hessian_vector_product_at(const char *here, gt_FunctionBody function,
                                               void *context, gt_Tensor *x, gt_Tensor *v);

GT_END

#endif
