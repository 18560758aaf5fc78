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

/* concatenate: at {inputs, y}. A row of y (outer, width) is one part of each input after the other; the part of input i
 * ends before column end[i], and input i is (outer, its part). Tiles as of copy. */
#define GT_JOB_PARTS 64
typedef struct gt_ConcatenateJob {
    uint8_t element;
    int32_t inputs;
    int64_t outer, width;
    int64_t chunk, chunks, rows;
    int64_t end[GT_JOB_PARTS];
} gt_ConcatenateJob;

/* triangle: at {x, y}, both (matrices * rows, columns): y is x on and below diagonal k (`lower`), or on and above it, else
 * 0. A tile is `group` rows. */
typedef struct gt_TriangleJob {
    uint8_t element, lower;
    int64_t matrices, rows, columns, k, group;
} gt_TriangleJob;

/* cast: y[i] = x[i] as another type; at {x, y}. `from` and `to` are gt_LoopTypes, or GT_LOOP_TYPES + a gt_HalfType. Tiles as of
 * fill. To 16 bits every number is rounded once: float64 and int64 go through numbers that remember what they lost. */
typedef struct gt_CastJob {
    uint8_t from, to;
    int64_t size;
} gt_CastJob;

#endif
