/* Gradient descent, with or without momentum. */
#ifndef GT_OPTIM_SGD_H
#define GT_OPTIM_SGD_H

#include "optim/optimizer.h"

GT_BEGIN

#define GT_SGD_OPTIONS(F)                                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_SgdOptions), "for ABI growth")                           \
    F(double, learning_rate, 0.01, "length of a step")                                             \
    F(double, momentum, 0.0, "in [0, 1]; 0: none")                                                 \
    F(bool, nesterov, false, "looks ahead along the momentum")                                     \
    GT_OPTIMIZER_OPTIONS(F, GT_NONE)
typedef struct gt_SgdOptions gt_SgdOptions;
struct gt_SgdOptions {
    GT_SGD_OPTIONS(GT_MEMBER)
};

/* gt_sgd(0.01, .momentum = 0.9):  w -= lr g;  with momentum m = mu m - lr g and w += m, with
 * nesterov w += mu m - lr g. Slot: momentum, if it is not 0. Without momentum, weight decay and
 * gradient accumulation a gradient that is rows (gt_rows) changes only those rows. */
#define gt_sgd(...) gt_sgd_new(GT_HERE, GT_RATE_FIRST_(gt_SgdOptions, GT_SGD_OPTIONS, __VA_ARGS__))
GT_API gt_Optimizer *gt_sgd_new(const char *here, const gt_SgdOptions *options);

GT_END

#endif
