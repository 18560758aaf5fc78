/* A layer at every step of a sequence. */
#ifndef GT_LAYERS_TIME_DISTRIBUTED_H
#define GT_LAYERS_TIME_DISTRIBUTED_H

#include "layers/layer.h"

GT_BEGIN

#define gt_TimeDistributed_OPTIONS(F, S)                                                           \
    F(S, gt_Layer *, layer, NULL, "required: of one input (batch, ...)")                           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_TimeDistributed_options, gt_TimeDistributed_OPTIONS);
/* gt_TimeDistributed(gt_Conv2D(8, 3)): the layer, with the same weights, on each step x[:, t] of x (batch, time,
 * ...), which has at least three dimensions: (batch, time, ...) of the layer's output. The time must be known and
 * at least 1.
 *
 * All steps are one call with the rows of all of them; only in training, and with a layer that has weights which
 * are not trained, as BatchNormalization's moving averages, step follows step, as in Keras. The result has
 * the mask of x, (batch, time); one of more axes, (batch, time, n), goes to the layer step by step. */
#define gt_TimeDistributed(...)                                                                    \
    gt_TimeDistributed_at(GT_HERE, GT_KEYWORDS_1(gt_TimeDistributed, layer, __VA_ARGS__))
GT_API gt_Layer *gt_TimeDistributed_at(const char *here, const gt_TimeDistributed_options *options);

GT_END

#endif
