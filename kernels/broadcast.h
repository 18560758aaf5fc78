/* Walking over an output row by row, while its operands are repeated along axes. Compiled once, in once/broadcast.c. Leans on
 * launch.h, copies.h. */
#ifndef GT_KERNELS_BROADCAST_H
#define GT_KERNELS_BROADCAST_H

#include "copies.h"
#include "launch.h"

/* n elements of one row of the innermost axis: operand i from element offset[i] of it, y from element `output`. */
typedef void gt_BroadcastRow(const void *job, void *const *at, int64_t n, const int64_t *offset,
                             int64_t output);

/* Calls `row` for every row, or piece of one, of tiles [first, last); any order of tiles. */
void gt_broadcast_tiles(const gt_Broadcast *walk, gt_BroadcastRow *row, const void *job,
                        void *const *at, int64_t first, int64_t last);

/* n elements of y, which lie together; element k of operand i is at x[i] + k * step[i], step 0 or 1. */
typedef void gt_BroadcastBlock(const void *job, int64_t n, const void *const *x,
                               const int64_t *step, void *y);
/* What tells the elements of one operand and of y in bytes, and how they are repeated (the `spread` of a table). */
typedef struct gt_BroadcastBytes {
    int64_t x[3], y;
    gt_SpreadLoop *const *spread;
} gt_BroadcastBytes;

/* The same for loops that see elements alone: calls `block` for every row, or piece of one; of short rows for many at once, for
 * which operands that are repeated are written out in the first cache. y stands behind the operands in `at`; it may be the array of
 * an operand of its size. */
void gt_broadcast_blocks(const gt_Broadcast *walk, const gt_BroadcastBytes *bytes,
                         gt_BroadcastBlock *block, const void *job, void *const *at, int64_t first,
                         int64_t last);
/* Each element of x (rows), of 1, 2, 4 or 8 bytes, n times, to y. */
static inline void gt_spread(gt_SpreadLoop *const *spread, int64_t bytes, int64_t rows, int64_t n,
                             const void *x, void *y)
{
    spread[bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3](rows, n, x, y);
}

#endif
