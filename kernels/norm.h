/* The jobs of layer and root mean square normalization: norm.c, once/norm.c. Included by kernels.h. */
#ifndef GT_KERNELS_NORM_H
#define GT_KERNELS_NORM_H

#include <stdbool.h>
#include <stdint.h>

/* Each row of x (rows, n) is normalized by itself. A tile is a block of `group` rows; the last block may be shorter.
 *
 * Forward, at {x, gamma (n), beta (n), y}; gamma and beta may be NULL. One launch: norm.
 *
 * Backward, at {x, gamma (n), g, x', gamma', beta', parts}; gamma may be NULL. `parts`, of doubles, has for each block the sums
 * of g times what x was normalized to, n of them, then those of g.
 *     norm_gradient, then norm_gradient_end, of which a tile is GT_NORM_COLUMNS numbers of gamma' and beta' */
typedef struct gt_NormJob {
    bool wide_type; /* float64 instead of float32 */
    bool centered;  /* the mean is taken off */
    int64_t rows, n, group, blocks;
    double epsilon;
} gt_NormJob;

/* Bytes of scratch of norm_gradient; the others need none. */
#define GT_NORM_SCRATCH(n) ((size_t)(n) * (2 + 2 * GT_NORM_TOGETHER) * sizeof(double))
/* Rows that may go together; elements of a block, which is to stay in the caches; rows whose sums are kept in the type of x. */
enum { GT_NORM_TOGETHER = 8, GT_NORM_ELEMENTS = 16384, GT_NORM_ROWS = 64, GT_NORM_COLUMNS = 512 };

#endif
