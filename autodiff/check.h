/* Is a gradient right? Compares the gradients of a function with central differences. */
#ifndef GT_AUTODIFF_CHECK_H
#define GT_AUTODIFF_CHECK_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_check_gradients_OPTIONS(F, S)                                                           \
    F(S, int32_t, outputs, 1, "how many tensors the function computes, 1 to 8")                    \
    F(S, int32_t, order, 1, "2: the gradients of the gradients are checked too")                   \
    F(S, double, step, 1e-5, "how far the inputs are moved to either side")                        \
    F(S, double, tolerance, 1e-6, "how far the two may be apart, over max(1, their size)")
GT_OPTIONS(gt_check_gradients_options, gt_check_gradients_OPTIONS);

/* gt_check_gradients(function, context, inputs, .order = 2): GT_OK if the gradient of the outputs
 * in every number of every float64 input agrees with (f(x + step) - f(x - step)) / (2 step); else
 * GT_NUMERIC, with a message that names the number and both values. The outputs are added up with
 * weights that differ from element to element, so that errors do not cancel. Integer inputs
 * are passed on; float32 is an error, as differences of float32 tell nothing. The function must
 * give the same every time, and the inputs must stay away from its kinks. Two calls of the function
 * a number: for tests. */
#define gt_check_gradients(function, context, ...)                                                 \
    gt_check_gradients_at(GT_HERE, function, context, GT_FIRST(__VA_ARGS__),                       \
                          GT_KEYWORDS(gt_check_gradients, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_check_gradients_at(const char *here, gt_FunctionBody function, void *context,
                                       gt_Tensors inputs,
                                       const gt_check_gradients_options *options);

GT_END

#endif
