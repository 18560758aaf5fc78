/* Layers that learn from data before training: Normalization its mean, Discretization its boundaries.
 *
 *     gt_Layer *normalize = gt_Normalization();
 *     gt_adapt(normalize, train);
 *     gt_Layer *model = gt_Sequential(normalize, gt_Dense(1));
 */
#ifndef GT_TRAIN_ADAPT_H
#define GT_TRAIN_ADAPT_H

#include "layers/layer.h"
#include "train/dataset.h"

GT_BEGIN

#define gt_adapt_OPTIONS(F, S)                                                                     \
    F(S, int32_t, input, 0, "which of the dataset's inputs it learns from, or of its texts")       \
    F(S, int64_t, steps, -1, "batches it learns from; -1: all of them")                            \
    F(S, gt_Strings, text, GT_NOT_GIVEN, "text to learn from, for layers with a port for text")
GT_OPTIONS(gt_adapt_options, gt_adapt_OPTIONS);

/* gt_adapt(normalize, train), or gt_adapt(lookup, NULL, .text = reviews): the layer forgets what it knew, and learns from each row
 * of x once; a layer for text from the dataset's text. Builds it if it is not built. The dataset stays where it is, and a model that holds the layer uses what it learned from its next call on.
 * What was learned is among the layer's weights, a vocabulary in its configuration, so files keep it. On failure the layer knows what it knew before. An
 * error for a layer whose class learns nothing this way. As Keras's layer.adapt(data). */
#define gt_adapt(layer, ...)                                                                       \
    gt_adapt_at(GT_HERE, layer, GT_FIRST(__VA_ARGS__),                                             \
                GT_KEYWORDS(gt_adapt, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_adapt_at(const char *here, gt_Layer *layer, gt_Dataset *dataset,
                             const gt_adapt_options *options);

GT_END

#endif
