/* RandAugment, AugMix: transformations of images that are drawn themselves.
 *
 * Images as in gt_RandomRotation. The transformations are children: RandomShear, RandomTranslation, RandomRotation,
 * RandomPosterization, Solarization, AutoContrast, Equalization, RandomBrightness, RandomColorDegeneration,
 * RandomContrast and RandomSharpness, whose factors are `factor`; posterization leaves up to 8 factor bits. Which one
 * comes is drawn for the whole batch, its amounts for each image. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_POLICY_H
#define GT_LAYERS_PREPROCESSING_RANDOM_POLICY_H

#include "layers/preprocessing/value_range.h"
#include "ops/nn/image.h"

GT_BEGIN

#define gt_RandAugment_OPTIONS(F, S)                                                               \
    GT_VALUE_RANGE(F, S)                                                                           \
    F(S, int64_t, num_ops, 2, "how many transformations, one after the other, 0 to 64")            \
    F(S, double, factor, 0.5, "of all transformations, 0 to 1")                                    \
    F(S, double, factor_lower, (double)NAN, "and at least that; NAN: 0")                           \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandAugment_options, gt_RandAugment_OPTIONS);
/* gt_RandAugment(): `num_ops` of the eleven transformations in training (Cubuk et al. 2019). One that comes twice draws
 * anew (Keras: the same again). */
#define gt_RandAugment(...) gt_RandAugment_at(GT_HERE, GT_KEYWORDS(gt_RandAugment, __VA_ARGS__))
GT_API gt_Layer *gt_RandAugment_at(const char *here, const gt_RandAugment_options *options);

#define gt_AugMix_OPTIONS(F, S)                                                                    \
    GT_VALUE_RANGE(F, S)                                                                           \
    F(S, int64_t, num_chains, 3, "how many images are mixed, 1 to 64")                             \
    F(S, int64_t, chain_depth, 3, "transformations of each, 0 to 64")                              \
    F(S, double, factor, 0.3, "of all transformations, 0 to 1")                                    \
    F(S, double, factor_lower, (double)NAN, "and at least that; NAN: 0")                           \
    F(S, double, alpha, 1.0, "> 0, of the distributions of the weights")                           \
    F(S, bool, all_ops, true, "false: the first seven transformations alone")                      \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_AugMix_options, gt_AugMix_OPTIONS);
/* gt_AugMix(): w x + (1 - w) (w1 x1 + w2 x2 + ...), cut off at the ends of value_range, in training (Hendrycks et al.
 * 2019): each of `num_chains` images x1, x2 ... went through `chain_depth` transformations, or none where that is
 * drawn; w1, w2 ... are of the Dirichlet and w of the beta distribution, all of whose parameters are alpha, one draw
 * for the batch. */
#define gt_AugMix(...) gt_AugMix_at(GT_HERE, GT_KEYWORDS(gt_AugMix, __VA_ARGS__))
GT_API gt_Layer *gt_AugMix_at(const char *here, const gt_AugMix_options *options);

GT_END

#endif
