/* Normalization over the batch. */
#ifndef GT_LAYERS_NORMALIZATION_BATCH_H
#define GT_LAYERS_NORMALIZATION_BATCH_H

#include <math.h>

#include "layers/layer.h"

GT_BEGIN

#define gt_BatchNormalization_OPTIONS(F, S)                                                        \
    F(S, int32_t, axis, -1, "the axis of the channels, which have statistics of their own")        \
    F(S, double, momentum, 0.99, "the share of moving averages that stays in each step")           \
    F(S, double, epsilon, 1e-3, "added to the variance, >= 0")                                     \
    F(S, bool, center, true, "adds beta")                                                          \
    F(S, bool, scale, true, "multiplies with gamma")                                               \
    F(S, gt_Initializer, beta_initializer, GT_NOT_GIVEN, "not given: zeros")                       \
    F(S, gt_Initializer, gamma_initializer, GT_NOT_GIVEN, "not given: ones")                       \
    F(S, gt_Initializer, moving_mean_initializer, GT_NOT_GIVEN, "not given: zeros")                \
    F(S, gt_Initializer, moving_variance_initializer, GT_NOT_GIVEN, "not given: ones")             \
    F(S, gt_Regularizer, beta_regularizer, GT_NOT_GIVEN, "penalty on beta")                        \
    F(S, gt_Regularizer, gamma_regularizer, GT_NOT_GIVEN, "penalty on gamma")                      \
    F(S, gt_Constraint, beta_constraint, GT_NOT_GIVEN, "of beta")                                  \
    F(S, gt_Constraint, gamma_constraint, GT_NOT_GIVEN, "of gamma")                                \
    F(S, bool, renorm, false, "batch renormalization: in training, too, averages count")           \
    F(S, double, renorm_momentum, 0.99, "the share of its averages that stays in each step")       \
    F(S, double, rmin, 0, "of renorm: bounds of r, the ratio of deviations")                       \
    F(S, double, rmax, INFINITY, "the upper one")                                                  \
    F(S, double, dmax, INFINITY, "of renorm: bound of |d|, the distance of means")                 \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_BatchNormalization_options, gt_BatchNormalization_OPTIONS);

/* gt_BatchNormalization(): y = (x - mean) / sqrt(variance + epsilon) gamma + beta, for each index of the axis. In
 * training mean and variance are those of the batch, over all other axes (the variance divided by n), and moving
 * averages follow:
 *     moving = momentum moving + (1 - momentum) batch
 * In inference they are the moving averages; likewise in training while the layer is frozen (gt_set_trainable(layer,
 * false)), and then nothing follows. With a mask of all axes but the last, what is masked does not count. Computes in
 * float32 at least. Weights, each of the size of the axis: gamma, beta, and, not trained, moving_mean, moving_variance.
 * Keeps masks. An empty batch is an error in training.
 *
 * With renorm (Ioffe, 2017) the result of training is moved to what averages of their own would give,
 *     ((x - mean) / deviation r + d) gamma + beta,  deviation = sqrt(variance + epsilon)
 *     r = deviation / renorm_stddev within [rmin, rmax],  d = (mean - renorm_mean) / renorm_stddev within [-dmax, dmax]
 * where r and d are constants to gradients, and renorm_stddev counts as sqrt(epsilon) at least. Further weights, not
 * trained: moving_stddev, which moving_variance follows, renorm_mean, renorm_stddev. Keras's renorm_clipping is rmin,
 * rmax and dmax here. */
#define gt_BatchNormalization(...)                                                                 \
    gt_BatchNormalization_at(GT_HERE, GT_KEYWORDS(gt_BatchNormalization, __VA_ARGS__))
GT_API gt_Layer *gt_BatchNormalization_at(const char *here,
                                          const gt_BatchNormalization_options *options);

GT_END

#endif
