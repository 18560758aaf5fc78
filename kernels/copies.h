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

/* y (columns x rows) = x (rows x columns) transposed; rows of x are ldx elements apart, those of y ldy. */
typedef void gt_TransposeLoop(int64_t rows, int64_t columns, const void *x, int64_t ldx, void *y,
                              int64_t ldy);
/* y (rows x n): each element of x (rows) n times. */
typedef void gt_SpreadLoop(int64_t rows, int64_t n, const void *x, void *y);
/* Tiles of a copy, with the loops of an instruction set for what is transposed or spread; compiled once. */
void gt_copy_tiles(const gt_CopyJob *job, gt_TransposeLoop *transpose, gt_SpreadLoop *spread,
                   void *const *at, int64_t first, int64_t last);

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

/* Tiles of a concatenation, with the loop of an instruction set for rows of one element of each input; compiled once. */
void gt_concatenate_tiles(const gt_ConcatenateJob *job, gt_TransposeLoop *transpose,
                          void *const *at, int64_t first, int64_t last);

/* join: what adding up arrays of zeros gives, each with one part somewhere and no two at the same place, and maybe, `based`, a whole
 * one, of which `one_row` says that there is one row of y for all; at {the whole one, parts, y}, y is at[y].
 * Row i of part p, `length` elements, goes to y from element offset + i stride on; each element is x + 0, which is x but for
 * -0, as the sum with zeros is; `based` it is (base + x) + 0, of one part alone base + x. What no part covers is left as it is.
 * Part p has the tiles [first[p], first[p + 1]), each of `block` rows, or, where there is one row, of GT_TILE_ELEMENTS elements of it.
 * Parts of as many rows as each other, as far apart, in rows of y of up to GT_JOIN_NEAR bytes, are written together: `rows` > 0, a
 * tile is `block` of them, and, with `fills`, no part covers some elements, which are base + 0, or 0. */
#define GT_JOIN_NEAR 16384
typedef struct gt_JoinPart {
    int64_t offset, stride, rows, length;
} gt_JoinPart;
typedef struct gt_JoinJob {
    uint8_t type, y; /* type: a gt_LoopType */
    bool based, one_row, fills; /* one_row: only with rows > 0 */
    int32_t parts;
    int64_t rows, block;
    int32_t first[GT_JOB_PARTS + 1];
    gt_JoinPart part[GT_JOB_PARTS];
} gt_JoinJob;
/* Rows of a tile of such a part. */
static inline int64_t gt_join_block(const gt_JoinPart *part)
{
    return part->length < GT_TILE_ELEMENTS && part->length > 0 ? GT_TILE_ELEMENTS / part->length
                                                               : 1;
}

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
