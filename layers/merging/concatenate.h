/* Concatenate: inputs one behind the other. */
#ifndef GT_LAYERS_MERGING_CONCATENATE_H
#define GT_LAYERS_MERGING_CONCATENATE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Concatenate_OPTIONS(F, S)                                                               \
    F(S, int32_t, axis, -1, "along this axis; negative: from the end")                             \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Concatenate_options, gt_Concatenate_OPTIONS);
/* gt_call(gt_Concatenate(), a, .more = gt_tensors(b, c)): one behind the other along an axis; of
 * all others they have the same sizes. Masks are put together along the axis if they cover it,
 * where an input without one counts as there; else an element is there if it is in some input. */
#define gt_Concatenate(...)                                                                        \
    gt_Concatenate_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Concatenate, axis, __VA_ARGS__))
GT_API gt_Layer *gt_Concatenate_at(const char *here, const gt_Concatenate_options *options);

GT_END

#endif
