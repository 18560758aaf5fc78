/* The job of pooling: pooling.c, once/pooling.c. Included by kernels.h. */
#ifndef GT_KERNELS_POOLING_H
#define GT_KERNELS_POOLING_H

#include "launch.h"
#include "window.h"

/* x (images, window.in..., channels), y (images, window.out..., channels):
 *     max_pool, average_pool     at {x, y}; a tile is `tile_rows` positions of y
 *     max_pool_gather            at {x, b like x, y}: b where the maxima of x stand; tiles likewise
 *     max_pool_gradient          at {x, g like y, x'}: g added where the maxima are; a tile: an image
 *     average_pool_gradient      at {g like y, x'}; a tile is an image
 *     pool_spread                at {g like y, marks like y, x'}: g where the marks say; a tile is an image
 * Marks are bytes: which place of its window is the maximum. */
typedef struct gt_PoolJob {
    uint8_t type, element; /* GT_LOOP_F32 or GT_LOOP_F64; bytes */
    gt_SlidingWindow window;
    int64_t images, rows, channels; /* rows: positions of all results */
    int64_t tile_rows;
    uint64_t tap_bytes; /* of scratch, for the taps of a position; more is behind them */
    /* Windows of four places that neither overlap nor leave the image; no element is outside all of them; and where marks are made,
     * none of what is not above 0. */
    bool four, covers, above;
    int64_t together; /* rows of a line that are looked at together, there */
} gt_PoolJob;

/* A mark of nothing; numbers that are looked at together, about; scratch memory for them. */
#define GT_POOL_NONE         255
#define GT_POOL_TOGETHER     2048
#define GT_POOL_SCRATCH(job) ((size_t)((job)->together * (job)->channels) * 2 * (job)->element)

/* Only so many floats are added up before they are added in double. */
#define GT_POOL_FEW 16

/* The maxima of rows [first, last) of the result and their marks, both from the first one on. */
typedef void gt_MarkLoop(const gt_PoolJob *job, const void *x, int64_t first, int64_t last, void *y,
                         uint8_t *marks, void *scratch);

struct gt_KernelTable;
/* Compiled once, by the loops of a table. */
void gt_average_pool_tiles(const struct gt_KernelTable *table, const gt_PoolJob *job,
                           void *const *at, int64_t first, int64_t last, void *scratch);
void gt_average_pool_gradient_tiles(const struct gt_KernelTable *table, const gt_PoolJob *job,
                                    void *const *at, int64_t first, int64_t last, void *scratch);

#endif
