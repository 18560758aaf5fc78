/* Jobs of the kernels that compare numbers to find their order: sort, search. NaN is the largest number. Leans on
 * launch.h. */
#ifndef GT_KERNELS_ORDERS_H
#define GT_KERNELS_ORDERS_H

#include "launch.h"

/* sort: of each row of x (rows, n) the first `keep` in ascending or descending order, equal ones as they came; at {x, values
 * (rows, keep), indices (rows, keep) of int32}. A tile is `group` rows. Scratch: 2 n gt_SortKey. */
typedef struct gt_SortJob {
    uint8_t loop; /* a gt_LoopType */
    uint8_t descending;
    int64_t rows, n, keep, group;
} gt_SortJob;
/* What is moved: the largest of the structs that sort_template.h makes. */
typedef struct gt_SortKey {
    double x;
    int32_t at;
} gt_SortKey;

/* search: y (size) int32, how many of the ascending row (n) are less than x (size), or not greater (`right`); at {row, x, y}.
 * Tiles of GT_TILE_ELEMENTS. */
typedef struct gt_SearchJob {
    uint8_t loop, right;
    int64_t n, size;
} gt_SearchJob;

#endif
