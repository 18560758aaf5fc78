/* Sorted rows, for files that need no more than that. Private to ops/array. */
#ifndef GT_OPS_ORDER_H
#define GT_OPS_ORDER_H

#include "ops/array/sorting.h"

/* The first `keep` of each row of the last axis in order, and where they were; GT_INHERIT: all. */
gt_TopK gt_sorted_rows(gt_Tensor *x, bool descending, int64_t keep);

#endif
