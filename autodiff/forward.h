/* Forward mode: how the outputs of a function change when its inputs move along given directions.
 * It is the gradient of the gradient: the backward pass is linear in the gradients that it starts
 * from, and the derivative of that linear map is the forward one. So every operation has it. */
#ifndef GT_AUTODIFF_FORWARD_H
#define GT_AUTODIFF_FORWARD_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"
#include "autodiff/gradient.h"

GT_BEGIN

#define gt_jvp_OPTIONS(F, S)                                                                       \
    F(S, int32_t, outputs, 1, "how many tensors the function computes, 1 to 1024")                 \
    F(S, gt_Unconnected, unconnected, GT_UNCONNECTED_ERROR,                                        \
      "what an output gets that no primal influences: an error, NULL or zeros")
GT_OPTIONS(gt_jvp_options, gt_jvp_OPTIONS);

/* gt_jvp(function, context, primals, tangents, outputs, output_tangents, .outputs = 1): runs the
 * function at the primals and gives its outputs and, for each, the sum over the primals of
 * d output / d primal times tangent, of the output's shape. A primal may be a variable that the
 * function reads. Tangents have their primals' shapes and types; a primal given twice is an error.
 * `outputs` may be NULL. Tapes that are open see all of it: forward over reverse, and the other way
 * round, give second derivatives. */
#define gt_jvp(function, context, primals, tangents, outputs, ...)                                 \
    gt_jvp_at(GT_HERE, function, context, primals, tangents, outputs, GT_FIRST(__VA_ARGS__),       \
              GT_KEYWORDS(gt_jvp, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_jvp_at(const char *here, gt_FunctionBody function, void *context,
                           gt_Tensors primals, gt_Tensors tangents, gt_Tensor **outputs,
                           gt_Tensor **output_tangents, const gt_jvp_options *options);

GT_END

#endif
