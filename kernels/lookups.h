/* Jobs of the kernels that read indices: take, take_along, scatter_add, add_along, put, one_hot, distinct, fold, segments; and of
 * places. Indices are int32, int64 or uint8 (`type`, a gt_LoopType); all of them were checked to be in range, where a
 * negative one counts from the end. Leans on launch.h.
 *
 * A tensor that is indexed along an axis is seen as (outer, count, inner). Work is cut into units: a strip of `width` columns
 * of `inner` of one outer position; a tile is `group` units. */
#ifndef GT_KERNELS_LOOKUPS_H
#define GT_KERNELS_LOOKUPS_H

#include "launch.h"

/* The check `indices`: the first that is below `least` or not below `count`; at[input], of `size` indices. One tile. */
typedef struct gt_IndexCheck {
    uint8_t input, type;
    int64_t size, least, count;
} gt_IndexCheck;

/* take: y (outer, n, inner) = x (outer, count, inner) at indices (n); at[x], at[indices], at[y]; `inner` is bytes. A unit is
 * one index of one outer position. */
typedef struct gt_TakeJob {
    uint8_t x, indices, y, type;
    int64_t outer, count, inner, n, units, group;
} gt_TakeJob;

/* How lookups with strips are cut. */
typedef struct gt_Strips {
    int64_t outer, count, inner; /* of the tensor that is indexed */
    int64_t n;                   /* indices of an outer position */
    int64_t width, strips, units, group;
} gt_Strips;

/* take_along: y (outer, n, inner) at (o, i, j) is x (outer, count, inner) at (o, indices (o, i, j), j); at {x, indices, y}. */
typedef struct gt_AlongJob {
    uint8_t type, element;
    gt_Strips cut;
} gt_AlongJob;

/* scatter_add: y (outer, count, inner) is 0, plus x (outer, n, inner) at o, i added to y at o, indices (i), one index after
 * the other; at {indices, x} and at[y]. float32: a place that gets more than GT_MANY adds them up in double, in the worker's
 * scratch, and rounds once; which places those are, the launch of `crowds` writes to at[crowd] before (0: `crowded` says that
 * all of them are, or none).
 *
 * crowds: at {indices} and at[crowd]: {int64 how many are crowded, int32 (count) which of them each place is, or
 * -1, uint8 (count)}. One tile. */
#define GT_MANY 16
typedef struct gt_ScatterJob {
    uint8_t type, element, loop; /* of the indices; bytes of a number; its gt_LoopType */
    uint8_t y, crowd;
    int64_t crowded;
    gt_Strips cut;
} gt_ScatterJob;

/* add_along: y (outer, count, inner) is 0, plus x (outer, n, inner) at (o, i, j) added at (o, indices (o, i, j), j), by
 * ascending i; at {indices, x, y}. `wide`: float32 is added up in double, in the worker's scratch, and rounded once. */
typedef struct gt_AddAlongJob {
    uint8_t type, loop, wide;
    gt_Strips cut;
} gt_AddAlongJob;

/* put: rows of `inner` bytes: y at indices (i) = x at i, the last one of equal indices; at[indices], at[x], at[y]. A tile is a
 * strip of GT_PUT_BYTES bytes of every row. */
#define GT_PUT_BYTES 4096
typedef struct gt_PutJob {
    uint8_t indices, x, y, type;
    int64_t n, count, inner;
} gt_PutJob;

/* places_of: y (n) int64, the row-major number of each place x (n, k) of axes `dims`; the check `coordinates` finds the first
 * number of x, of n k, that is outside its axis. at[input], y behind the inputs. Tiles of GT_TILE_ELEMENTS places. */
typedef struct gt_PlacesOfJob {
    uint8_t input, type, y;
    int32_t k;
    int64_t n;
    int64_t dims[GT_JOB_RANK];
} gt_PlacesOfJob;

/* one_hot: the element `pattern` at (o, indices (o, j), j) of y (outer, count, inner), where the index is in [0, count);
 * zeros were written before. at {indices, y}. Tiles of GT_TILE_ELEMENTS indices. */
typedef struct gt_OneHotJob {
    uint8_t type, element;
    int64_t count, inner, n;
    uint64_t pattern;
} gt_OneHotJob;

/* hash_bucket: the hash of the digits of each int64 of x (n), modulo `buckets`; at {x, y}. Tiles of GT_TILE_ELEMENTS. */
typedef struct gt_HashJob {
    uint8_t salted;
    int64_t n, buckets;
    uint64_t key[2];
} gt_HashJob;

/* hash_cross: the joined hash of each row of x (n, parts) int64, modulo `buckets`; at {x, y (n)}. Tiles of GT_TILE_ELEMENTS. */
typedef struct gt_HashCrossJob {
    int64_t n, parts, buckets;
} gt_HashCrossJob;

/* distinct: at {indices (n), rows (n), which (n), table (places)}: each index once in order of first appearance, padded with
 * `count`; for each index its position among them. `places` is a power of 2, at least 2 n. One tile. */
typedef struct gt_DistinctJob {
    uint8_t type;
    int64_t n, count, places;
} gt_DistinctJob;

/* nonzero: coordinates (rank, length) int64 of the elements of x that are not 0 (NaN is not), in row-major order; then `fill`. at
 * {x, y}. `type` is a gt_LoopType, or GT_LOOP_TYPES for the types of 16 bits. One tile. */
typedef struct gt_NonzeroJob {
    uint8_t type;
    int32_t rank;
    int64_t size, length, fill;
    int64_t dims[GT_JOB_RANK];
} gt_NonzeroJob;

/* fold: at[y] (size) int64: y[i] is the element of n that stands at i - before, where padding repeats the n elements by `mode`, a
 * gt_FoldMode. One tile. */
typedef enum gt_FoldMode {
    GT_FOLD_EDGE = 1,
    GT_FOLD_WRAP = 2,
    GT_FOLD_REFLECT = 3,
    GT_FOLD_SYMMETRIC = 4
} gt_FoldMode;
typedef struct gt_FoldJob {
    uint8_t y, mode;
    int64_t size, n, before;
} gt_FoldJob;

/* segment_max, segment_min: row by row, y[id] = max(y[id], x); at {x (n, columns), ids (n)} and at[y] (segments,
 * columns), filled before. A tile is a strip of GT_SEGMENT_STRIP columns. segment_prod: the same for products: of integers (they wrap) from 1,
 * of floats in the worker's scratch as gt_Scaled, rounded once. */
#define GT_SEGMENT_STRIP 512
typedef struct gt_SegmentJob {
    uint8_t type, loop, y; /* of the ids, of the numbers */
    int64_t n, columns, segments;
} gt_SegmentJob;

#endif
