/* How operands broadcast to an output, and how the work is cut into tiles. Private to the library. */
#ifndef GT_OPS_TILES_H
#define GT_OPS_TILES_H

#include "core/inside.h"

/* How `inputs` operands broadcast to one output (kernels/launch.h); the innermost axis has strides 0 or 1. */
void gt_broadcast_plan(gt_Broadcast *plan, const gt_Spec *output, int inputs,
                       const gt_Spec *const *input);
/* Works out the tiles of a plan whose dims and strides are filled in. */
void gt_broadcast_cut(gt_Broadcast *plan, int64_t chunk);

#endif
