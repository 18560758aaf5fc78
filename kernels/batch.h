/* The jobs of batch normalization: batch.c, once/batch.c. Included by kernels.h. */
#ifndef GT_KERNELS_BATCH_H
#define GT_KERNELS_BATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Each sample of x (samples, rows, channels) is normalized by itself, over its rows and the channels of a group, of which there
 * are `groups`; batch normalization is that of one sample with as many groups as channels. A tile is a block of `group` rows of a
 * sample, which has `blocks`; the last one may be shorter. Within a block `side` rows stand side by side, so that narrow rows fill
 * vectors: `side` channels = `wide` columns.
 *
 * Forward, at {x, gamma, beta, y, mean, variance, parts, line}; gamma and beta (channels) may be NULL, mean and variance, or size,
 * are (samples, groups). `parts`, of doubles, has for each block the means of the channels, then the sums of their squared
 * distances from these; `line`, of the type of x, for each sample two numbers a channel: all factors, then all offsets of y = (x -
 * mean) factor + offset.
 *     batch_moments, then batch_moments_end (a tile a sample), then batch_scale
 *
 * Backward, at {x, mean, variance, gamma, g, x', gamma', beta', parts, line}; gamma may be NULL. `parts` has for each block the
 * sums of g, then those of g (x - mean); `line` for each sample four numbers a channel: of x' = ((g scale - offset) - (x - mean)
 * slope) factor all factors, all offsets, all slopes, all scales.
 *     batch_slopes, then batch_slopes_end (one tile), then batch_gradient
 *
 * Scratch: GT_BATCH_SCRATCH(wide) bytes. */
typedef struct gt_BatchJob {
    bool wide_type; /* float64 instead of float32 */
    bool
        sizes; /* not the variance is kept but sqrt(variance + epsilon), which a group of any numbers has */
    int64_t samples, rows, channels, groups, group, side, wide, blocks;
    double epsilon;
    int8_t more; /* of a chain: the place in `at` of what is added to y; -1: none */
    bool relu;   /* and then max(0, y) */
} gt_BatchJob;

#define GT_BATCH_SCRATCH(wide) ((size_t)(wide)*5 * sizeof(double))
/* Columns that fill vectors; elements of a block, which is to stay in the first cache. */
#define GT_BATCH_WIDE     64
#define GT_BATCH_ELEMENTS 4096

#endif
