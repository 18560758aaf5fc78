/* The job of pooling: pooling.c, once/pooling.c. Included by kernels.h. */
#ifndef GT_KERNELS_POOLING_H
#define GT_KERNELS_POOLING_H

#include "launch.h"
#include "window.h"

/* x (images, window.in..., channels), y (images, window.out..., channels):
 *     max_pool, average_pool     at {x, y}; a tile is `tile_rows` positions of y
 *     max_pool_gather            at {x, b like x, y}: b where the maxima of x stand; tiles likewise
 *     max_pool_gradient          at {x, g like y, x'}: g added where the maxima are; a tile: an image
 *     average_pool_gradient      at {g like y, x'}; a tile is an image */
typedef struct gt_PoolJob {
    uint8_t type, element; /* GT_LOOP_F32 or GT_LOOP_F64; bytes */
    gt_SlidingWindow window;
    int64_t images, rows, channels; /* rows: positions of all results */
    int64_t tile_rows;
    uint64_t tap_bytes; /* of scratch, for the taps of a position; more is behind them */
} gt_PoolJob;

/* Only so many floats are added up before they are added in double. */
#define GT_POOL_FEW 16

struct gt_KernelTable;
/* Compiled once, by the loops of a table. */
void gt_average_pool_tiles(const struct gt_KernelTable *table, const gt_PoolJob *job,
                           void *const *at, int64_t first, int64_t last, void *scratch);
void gt_average_pool_gradient_tiles(const struct gt_KernelTable *table, const gt_PoolJob *job,
                                    void *const *at, int64_t first, int64_t last, void *scratch);

#endif
