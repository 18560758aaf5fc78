/* Functions over tensors that are passed as arguments: what gt_function traces, what gt_jvp and
 * gt_hessian differentiate, what gt_cond and gt_while_loop choose between. */
#ifndef GT_CORE_BODY_H
#define GT_CORE_BODY_H

#include "core/error.h"
#include "core/tensor.h"

GT_BEGIN

/* Computes `outputs`, one handle each, from `inputs`; `context` is what the caller passed on. How
 * many there are is between the two. An output that is made inside a tape needs gt_keep before that
 * tape ends. Returns gt_status(). */
typedef gt_Status (*gt_FunctionBody)(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs);

GT_END

#endif
