/* Softmax: probabilities along an axis, of what a mask leaves. */
#ifndef GT_LAYERS_CORE_SOFTMAX_H
#define GT_LAYERS_CORE_SOFTMAX_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Softmax_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, -1, "along which it sums to 1; negative: from the end")                    \
    F(S, gt_Axes, axes, GT_NO_SIZES, "several such axes, instead of axis; none: axis")             \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Softmax_options, gt_Softmax_OPTIONS);
/* gt_Softmax(): e^x over its sum. The second input, "mask", may be absent: bool, or numbers that
 * mean true above 0.5, of a shape that broadcasts to that of x; where it is false, x counts as
 * -1e9, and the result is 0. Without it the mask of x does this if it covers the axis. The result
 * has the mask of x; that of the second input ends here, since nothing is left of what it hides.
 * Computed in float32 at least. */
#define gt_Softmax(...) gt_Softmax_at(GT_HERE, GT_KEYWORDS(gt_Softmax, __VA_ARGS__))
GT_API gt_Layer *gt_Softmax_at(const char *here, const gt_Softmax_options *options);

GT_END

#endif
