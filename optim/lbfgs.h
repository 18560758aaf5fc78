/* L-BFGS and, with bounds, L-BFGS-B: minimizes a loss of many variables from its gradients alone. */
#ifndef GT_OPTIM_LBFGS_H
#define GT_OPTIM_LBFGS_H

#include "optim/solution.h"

GT_BEGIN

#define gt_lbfgs_OPTIONS(F, S)                                                                     \
    F(S, int32_t, memory, 10, "how many steps back the curvature is remembered; 1 to 100")         \
    F(S, gt_Tensor *, lower, NULL,                                                                 \
      "bounds, one an element in the order of the variables, or one for all")                      \
    F(S, gt_Tensor *, upper, NULL, "the same; -INFINITY and INFINITY where there is none")         \
    GT_MINIMIZER_COMMON(F, S, 10000)
GT_OPTIONS(gt_lbfgs_options, gt_lbfgs_OPTIONS);

/* gt_lbfgs(loss, context, variables, .lower = zero): changes the variables so that the loss is least near where they start.
 * `loss` computes out[0], one float64 number, from in[...] (`inputs`) and the variables, by operations; it is traced with its
 * gradient and runs as a plan. The variables are float64; those that are not trainable stay as they are.
 *
 * Without bounds this is L-BFGS (D. C. Liu, J. Nocedal, 1989), with bounds L-BFGS-B (R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, A
 * limited memory algorithm for bound constrained optimization, 1995; subspace steps as J. L. Morales and J. Nocedal, 2011), both with
 * Moré and Thuente's line search. A start outside the bounds is moved inside. A trial point where the loss is not finite is
 * one where the step was too long. On an error, an interrupt too, the result is NULL and the variables are the last
 * accepted point. */
#define gt_lbfgs(...)                                                                              \
    gt_lbfgs_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__), GT_THIRD(__VA_ARGS__),     \
                GT_KEYWORDS(gt_lbfgs, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Solution *gt_lbfgs_at(const char *here, gt_FunctionBody loss, void *context,
                                gt_Tensors variables, const gt_lbfgs_options *options);

GT_END

#endif
