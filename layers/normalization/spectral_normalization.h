/* SpectralNormalization: a layer whose kernel has the spectral norm 1. */
#ifndef GT_LAYERS_NORMALIZATION_SPECTRAL_NORMALIZATION_H
#define GT_LAYERS_NORMALIZATION_SPECTRAL_NORMALIZATION_H

#include "layers/layer.h"

GT_BEGIN

#define gt_SpectralNormalization_OPTIONS(F, S)                                                     \
    F(S, gt_Layer *, layer, NULL, "it has a weight called kernel or embeddings; required")         \
    F(S, int64_t, power_iterations, 1, "how often the estimate is made better at each call; > 0")  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_SpectralNormalization_options, gt_SpectralNormalization_OPTIONS);

/* gt_SpectralNormalization(gt_Conv2D(8, 3)): calls the layer; in training its kernel W, as a matrix (..., last
 * axis), is divided by its largest singular value before, which power iterations estimate:
 *     v = u W^T / |u W^T|    u = v W / |v W|    W <- W / (v W u^T)
 * The kernel is overwritten, and stays so (Miyato et al. 2018). A kernel of zeros is left alone. Weights: the
 * layer's, and vector_u (1, last axis), which is not trained. */
#define gt_SpectralNormalization(...)                                                              \
    gt_SpectralNormalization_at(GT_HERE,                                                           \
                                GT_KEYWORDS_1(gt_SpectralNormalization, layer, __VA_ARGS__))
GT_API gt_Layer *gt_SpectralNormalization_at(const char *here,
                                             const gt_SpectralNormalization_options *options);

GT_END

#endif
