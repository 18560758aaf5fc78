/* ELU: gt_elu as a layer. */
#ifndef GT_LAYERS_CORE_ELU_H
#define GT_LAYERS_CORE_ELU_H

#include "layers/layer.h"

GT_BEGIN

#define gt_ELU_OPTIONS(F, S)                                                                       \
    F(S, double, alpha, 1, "minus the limit at -infinity")                                         \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_ELU_options, gt_ELU_OPTIONS);
/* gt_ELU(), gt_ELU(.alpha = 0.5): x where x > 0, else alpha (e^x - 1) (Clevert et al. 2016). */
#define gt_ELU(...) gt_ELU_at(GT_HERE, GT_KEYWORDS(gt_ELU, __VA_ARGS__))
GT_API gt_Layer *gt_ELU_at(const char *here, const gt_ELU_options *options);

GT_END

#endif
