/* Walking over an output row by row, while its operands are repeated along axes. Compiled once, in once/broadcast.c. Leans on
 * launch.h. */
#ifndef GT_KERNELS_BROADCAST_H
#define GT_KERNELS_BROADCAST_H

#include "launch.h"

/* n elements of one row of the innermost axis: operand i from element offset[i] of it, y from element `output`. */
typedef void gt_BroadcastRow(const void *job, void *const *at, int64_t n, const int64_t *offset,
                             int64_t output);

/* Calls `row` for every row, or piece of one, of tiles [first, last); any order of tiles. */
void gt_broadcast_tiles(const gt_Broadcast *walk, gt_BroadcastRow *row, const void *job,
                        void *const *at, int64_t first, int64_t last);

#endif
