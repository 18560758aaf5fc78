/* RandomPerspective: images seen from elsewhere in training. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_PERSPECTIVE_H
#define GT_LAYERS_PREPROCESSING_RANDOM_PERSPECTIVE_H

#include "layers/preprocessing/value_range.h"
#include "ops/nn/image.h"

GT_BEGIN

#define gt_RandomPerspective_OPTIONS(F, S)                                                         \
    F(S, double, factor, 1.0, "how likely an image is changed: up to that, 0 to 1")                \
    F(S, double, factor_lower, (double)NAN, "and at least that; NAN: 0")                           \
    F(S, double, scale, 1.0, "how far corners move, in parts of half the image, 0 to 1")           \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    F(S, double, fill_value, 0.0, "what is seen outside of the image")                             \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomPerspective_options, gt_RandomPerspective_OPTIONS);
/* gt_RandomPerspective(.scale = 0.3): the first corner of an image stays, the next ones move along their sides, the last
 * one anywhere, each coordinate by a factor from 1 - scale / 2 to 1 + scale / 2, and the image with them. Images are
 * chosen as by gt_RandomInvert; they are as in gt_RandomRotation. */
#define gt_RandomPerspective(...)                                                                  \
    gt_RandomPerspective_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_RandomPerspective, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomPerspective_at(const char *here,
                                         const gt_RandomPerspective_options *options);

GT_END

#endif
