/* Newton-CG: minimizes a loss from exact products of its Hessian, which is never formed. */
#ifndef GT_OPTIM_NEWTON_CG_H
#define GT_OPTIM_NEWTON_CG_H

#include "optim/solution.h"

GT_BEGIN

#define gt_newton_cg_OPTIONS(F, S)                                                                 \
    F(S, double, radius, 1,                                                                        \
      "first limit of a step, by the length of the variables if that is above 1; > 0")             \
    F(S, int64_t, max_products, GT_NONE,                                                           \
      "Hessian products of one step; GT_NONE: twice the elements, at least 20")                    \
    GT_MINIMIZER_COMMON(F, S, 1000)
GT_OPTIONS(gt_newton_cg_options, gt_newton_cg_OPTIONS);

/* gt_newton_cg(loss, context, variables): as gt_lbfgs, without bounds, by Newton's method: the step is worked out by conjugate
 * gradients inside a trust region (T. Steihaug, The conjugate gradient method and trust regions in large scale optimization,
 * 1983), each of them one product of the Hessian with a vector by the tape. Where the loss curves downwards it goes that way
 * to the edge of the region. Fewer iterations than gt_lbfgs on losses that are badly scaled; each costs more. */
#define gt_newton_cg(...)                                                                          \
    gt_newton_cg_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__), GT_THIRD(__VA_ARGS__), \
                    GT_KEYWORDS(gt_newton_cg, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Solution *gt_newton_cg_at(const char *here, gt_FunctionBody loss, void *context,
                                    gt_Tensors variables, const gt_newton_cg_options *options);

GT_END

#endif
