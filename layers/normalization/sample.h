/* Normalization along axes, of each sample by itself. */
#ifndef GT_LAYERS_NORMALIZATION_SAMPLE_H
#define GT_LAYERS_NORMALIZATION_SAMPLE_H

#include "layers/layer.h"
#include "ops/nn/normalization.h" /* GT_NORMALIZED_AXES */

GT_BEGIN

/* Scale and offset of a normalization. */
#define GT_CENTER_AND_SCALE(F, S)                                                                  \
    F(S, bool, center, true, "adds beta")                                                          \
    F(S, bool, scale, true, "multiplies with gamma")                                               \
    F(S, gt_Initializer, beta_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Initializer, gamma_initializer, GT_NOT_GIVEN, "not given: ones")                       \
    F(S, gt_Regularizer, beta_regularizer, GT_NOT_GIVEN, "penalty on beta")                        \
    F(S, gt_Regularizer, gamma_regularizer, GT_NOT_GIVEN, "penalty on gamma")                      \
    F(S, gt_Constraint, beta_constraint, GT_NOT_GIVEN, "of beta")                                  \
    F(S, gt_Constraint, gamma_constraint, GT_NOT_GIVEN, "of gamma")

#define gt_LayerNormalization_OPTIONS(F, S)                                                        \
    GT_NORMALIZED_AXES(F, S)                                                                       \
    F(S, double, epsilon, 1e-3, "added to the variance, >= 0")                                     \
    GT_CENTER_AND_SCALE(F, S)                                                                      \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_LayerNormalization_options, gt_LayerNormalization_OPTIONS);
/* gt_LayerNormalization(), gt_LayerNormalization(.axes = gt_axes(1, 2)): y = (x - mean) / sqrt(variance + epsilon)
 * gamma + beta, with mean and variance over the axes. Computes in float32 at least. Weights gamma and beta, of the shape
 * of the axes in their order in x. Keeps masks. */
#define gt_LayerNormalization(...)                                                                 \
    gt_LayerNormalization_at(GT_HERE, GT_KEYWORDS(gt_LayerNormalization, __VA_ARGS__))
GT_API gt_Layer *gt_LayerNormalization_at(const char *here,
                                          const gt_LayerNormalization_options *options);

#define gt_RMSNormalization_OPTIONS(F, S)                                                          \
    GT_NORMALIZED_AXES(F, S)                                                                       \
    F(S, double, epsilon, 1e-6, "added to the mean square, >= 0")                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RMSNormalization_options, gt_RMSNormalization_OPTIONS);
/* gt_RMSNormalization(): y = x / sqrt(mean(x^2) + epsilon) scale, with the mean over the axes. Computes in float32 at
 * least. Weight scale, of the shape of the axes, ones at first. Masks end here, as in Keras. */
#define gt_RMSNormalization(...)                                                                   \
    gt_RMSNormalization_at(GT_HERE, GT_KEYWORDS(gt_RMSNormalization, __VA_ARGS__))
GT_API gt_Layer *gt_RMSNormalization_at(const char *here,
                                        const gt_RMSNormalization_options *options);

#define gt_UnitNormalization_OPTIONS(F, S) GT_NORMALIZED_AXES(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_UnitNormalization_options, gt_UnitNormalization_OPTIONS);
/* gt_UnitNormalization(): y = x / max(|x|, 1e-12), with the length |x| along the axes. Computes in float32 at least. No
 * weights. Keeps masks. */
#define gt_UnitNormalization(...)                                                                  \
    gt_UnitNormalization_at(GT_HERE, GT_KEYWORDS(gt_UnitNormalization, __VA_ARGS__))
GT_API gt_Layer *gt_UnitNormalization_at(const char *here,
                                         const gt_UnitNormalization_options *options);

GT_END

#endif
