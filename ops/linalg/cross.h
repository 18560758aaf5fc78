/* The vector product. */
#ifndef GT_OPS_CROSS_H
#define GT_OPS_CROSS_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_cross_OPTIONS(F, S)                                                                     \
    F(S, int32_t, axis, -1, "the axis of the vectors, in a, b and the result")
GT_OPTIONS(gt_cross_options, gt_cross_OPTIONS);
/* The vector product of vectors of 3, whose other axes broadcast. Counted from the last, the axis is the same in a and
 * in b. */
#define gt_cross(...)                                                                              \
    gt_cross_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                            \
                GT_KEYWORDS(gt_cross, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_cross_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                              const gt_cross_options *options);

GT_END

#endif
