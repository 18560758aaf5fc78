/* The launch of a softmax as a part of other operations. Private to the library. */
#ifndef GT_OPS_SOFTMAX_H
#define GT_OPS_SOFTMAX_H

#include "core/launch.h"

/* Adds the launch of GT_TILES_softmax or GT_TILES_log_softmax along an axis (counted from 0) of x,
 * which is at[from], into at[to]. */
void gt_lower_softmax(gt_Lowering *lowering, gt_TileKernelId kernel, const gt_Spec *x, int axis,
                      int32_t from, int32_t to);

#endif
