/* Reductions over rows that share a number: ids[i] says which row of the result row i of x belongs
 * to. The ids need not be sorted; one outside [-segments, segments) is an error. */
#ifndef GT_OPS_SEGMENTS_H
#define GT_OPS_SEGMENTS_H

#include "core/tensor.h"

GT_BEGIN

/* gt_segment_sum(x, ids, 4): x (n, ...) and ids (n) give (4, ...). A segment without rows is 0. */
#define gt_segment_sum(x, ids, segments) gt_segment_sum_at(GT_HERE, x, ids, segments)
GT_API gt_Tensor *gt_segment_sum_at(const char *here, gt_Tensor *x, gt_Tensor *ids,
                                    int64_t segments);
/* The largest, the smallest; -inf and inf (integers: the lowest and highest of the type) without
 * rows. Equal ones share the gradient equally. */
#define gt_segment_max(x, ids, segments) gt_segment_max_at(GT_HERE, x, ids, segments)
GT_API gt_Tensor *gt_segment_max_at(const char *here, gt_Tensor *x, gt_Tensor *ids,
                                    int64_t segments);
#define gt_segment_min(x, ids, segments) gt_segment_min_at(GT_HERE, x, ids, segments)
GT_API gt_Tensor *gt_segment_min_at(const char *here, gt_Tensor *x, gt_Tensor *ids,
                                    int64_t segments);
/* The product; 1 without rows. Derivatives of any order are right where factors are 0. */
#define gt_segment_prod(x, ids, segments) gt_segment_prod_at(GT_HERE, x, ids, segments)
GT_API gt_Tensor *gt_segment_prod_at(const char *here, gt_Tensor *x, gt_Tensor *ids,
                                     int64_t segments);

GT_END

#endif
