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

/* Mean squares between these are of numbers whose squares neither overflow nor get lost. */
#define GT_NORM_LOW_F32  0x1p-80
#define GT_NORM_HIGH_F32 0x1p100
#define GT_NORM_LOW_F64  0x1p-800
#define GT_NORM_HIGH_F64 0x1p900

/* The power of two that brings the largest |x|, or the root of epsilon, to about 1: once/norm.c. gt_norm_unit: of a row. */
double gt_norm_unit_of(double most, double epsilon, bool wide_type);
double gt_norm_unit(const gt_NormJob *job, const void *x);

#endif
