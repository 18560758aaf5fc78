/* Jobs of the kernels that move elements without looking at them: fill, copy, concatenate, triangle, cast. An element is 1, 2, 4
 * or 8 bytes. Leans on launch.h. */
#ifndef GT_KERNELS_COPIES_H
#define GT_KERNELS_COPIES_H

#include "launch.h"

/* fill: y[i] = the element whose bytes `pattern` begins with; at[y]. Tile t has the elements [t, t + 1) * GT_TILE_ELEMENTS. */
typedef struct gt_FillJob {
    uint8_t element, y;
    int64_t size;
    uint64_t pattern;
} gt_FillJob;

/* copy: walks `rank` axes of at[x] and at[y], each with strides of its own in elements (0 and negative ones too), beginning at
 * the elements `from` and `to`, and writes each element of x to y. A tile is `rows` rows of the innermost axis, or, where
 * chunks > 1, a piece of `chunk` elements of one. With a `plane` > 0 an axis of that length, along which x is contiguous and
 * y steps by plane_y, goes along with the innermost axis, and the two are transposed by squares. */
typedef struct gt_CopyJob {
    uint8_t element, x, y;
    int32_t rank;
    int64_t from, to;
    int64_t chunk, chunks, outer, rows;
    int64_t plane, plane_y;
    int64_t dims[GT_JOB_RANK], stride_x[GT_JOB_RANK], stride_y[GT_JOB_RANK];
} gt_CopyJob;

#endif
