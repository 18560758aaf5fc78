/* Layer and root mean square normalization of the last axes in one operation. Private to the library. */
#ifndef GT_OPS_LAYER_NORM_H
#define GT_OPS_LAYER_NORM_H

#include "core/tensor.h"

/* (x - mean) / sqrt(variance + epsilon) gamma + beta over the last `axes` axes; not `centered`: x / sqrt(mean square + epsilon)
 * gamma + beta. gamma and beta, which may be NULL, have as many elements as those axes and the type of x. NULL on failure. */
gt_Tensor *gt_layer_norm(gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, int axes, bool centered,
                         double epsilon);

#endif
