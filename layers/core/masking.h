/* Masking: steps whose features are all one number are padding. */
#ifndef GT_LAYERS_CORE_MASKING_H
#define GT_LAYERS_CORE_MASKING_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Masking_OPTIONS(F, S)                                                                   \
    F(S, double, mask_value, 0, "what stands at all features of a step that is padding")           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Masking_options, gt_Masking_OPTIONS);
/* gt_Masking(), gt_Masking(.mask_value = -1): x (..., features) with the mask x != mask_value at
 * one feature or more, and zeros where that is false. A mask that x had ends here. */
#define gt_Masking(...)                                                                            \
    gt_Masking_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Masking, mask_value, __VA_ARGS__))
GT_API gt_Layer *gt_Masking_at(const char *here, const gt_Masking_options *options);

GT_END

#endif
