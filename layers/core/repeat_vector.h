/* RepeatVector: a row as each step of a sequence. */
#ifndef GT_LAYERS_CORE_REPEAT_VECTOR_H
#define GT_LAYERS_CORE_REPEAT_VECTOR_H

#include "layers/layer.h"

GT_BEGIN

#define gt_RepeatVector_OPTIONS(F, S)                                                              \
    F(S, int64_t, n, 0, "how many times; required, > 0")                                           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RepeatVector_options, gt_RepeatVector_OPTIONS);
/* gt_RepeatVector(3): (batch, features) -> (batch, 3, features). */
#define gt_RepeatVector(...)                                                                       \
    gt_RepeatVector_at(GT_HERE, GT_KEYWORDS_1(gt_RepeatVector, n, __VA_ARGS__))
GT_API gt_Layer *gt_RepeatVector_at(const char *here, const gt_RepeatVector_options *options);

GT_END

#endif
