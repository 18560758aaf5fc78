/* Running loops over chunks and broadcasts, for operations with `run`. Private to the library. */
#ifndef GT_OPS_TILES_H
#define GT_OPS_TILES_H

#include "core/inside.h"

/* Elements that make one piece of element-wise work. */
#define GT_CHUNK 16384
/* Work on elements [first, first + n) of output 0, for operations that need no broadcasting. */
typedef void gt_ChunkBody(const gt_Kernel *kernel, int64_t first, int64_t n);
gt_Status gt_run_chunks(const gt_Kernel *kernel, gt_ChunkBody *body);

/* How `inputs` operands broadcast to one output (kernels/launch.h); the innermost axis has strides 0 or 1. */
void gt_broadcast_plan(gt_Broadcast *plan, const gt_Spec *output, int inputs,
                       const gt_Spec *const *input);
/* Works out the tiles of a plan whose dims and strides are filled in. */
void gt_broadcast_cut(gt_Broadcast *plan, int64_t chunk);
/* One run of the innermost dimension: n elements, offsets in elements. */
typedef void gt_BroadcastBody(const gt_Kernel *kernel, const void *argument,
                              const gt_Broadcast *plan, int64_t n, const int64_t *offset,
                              int64_t output);
gt_Status gt_broadcast_run(const gt_Kernel *kernel, const gt_Broadcast *plan,
                           gt_BroadcastBody *body, const void *argument);

#endif
