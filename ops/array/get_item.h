/* Blocks as Python writes them, for other files: ranges whose numbers may be negative, absent or beyond the ends. Private to the
 * library. */
#ifndef GT_OPS_GET_ITEM_H
#define GT_OPS_GET_ITEM_H

#include "ops/kit.h"

/* A number of a range that is not written. */
#define GT_ABSENT INT64_MIN

/* For each axis of x start:stop:step as written. Axes of `dropped`, by bit, are indexed by `start` alone and go; `added` are the
 * axes of the result, by bit, that are new, of size 1. */
#define GT_GET_ITEM_OPTIONS(F, S)                                                                  \
    F(S, gt_Shape, start, GT_SCALAR_SHAPE, "where each range starts")                              \
    F(S, gt_Shape, stop, GT_SCALAR_SHAPE, "before which it ends")                                  \
    F(S, gt_Shape, step, GT_SCALAR_SHAPE, "how far its elements are apart")                        \
    F(S, int32_t, dropped, 0, "axes with an index")                                                \
    F(S, int32_t, added, 0, "new axes of the result")
GT_OPTIONS(gt_GetItemOptions, GT_GET_ITEM_OPTIONS);

/* x[start:stop] along an axis, which may be negative; a bound may be GT_ABSENT. */
gt_Tensor *gt_range_of(gt_Tensor *x, int axis, int64_t start, int64_t stop);
gt_Tensor *gt_get_block(gt_Tensor *x, const gt_GetItemOptions *options);

#endif
