/* MixUp, CutMix: images, and their labels, mixed with others of the batch in training.
 *
 * Inputs: images (batch, height, width, channels), and labels, which may be absent: (batch, classes), as one-hot rows
 * or probabilities. Output 0: the images; output 1, for those who gave labels and ask for it, the labels:
 *
 *     gt_Tensor *mixed = gt_call(mix, images, .more = gt_tensors(labels), .outputs = gt_outputs(&labels),
 *                                .training = true);
 *
 * In inference both are given on as floats, and so is a single image. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_MIX_H
#define GT_LAYERS_PREPROCESSING_RANDOM_MIX_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

#define gt_MixUp_OPTIONS(F, S)                                                                     \
    F(S, double, alpha, 0.2, "> 0: the smaller, the less is mixed")                                \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_MixUp_options, gt_MixUp_OPTIONS);
/* gt_MixUp(): w x + (1 - w) x', with another image x' of the batch, each one once, and w drawn for each image from the
 * beta distribution with both parameters alpha; labels likewise (Zhang et al. 2017). */
#define gt_MixUp(...) gt_MixUp_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_MixUp, alpha, __VA_ARGS__))
GT_API gt_Layer *gt_MixUp_at(const char *here, const gt_MixUp_options *options);

#define gt_CutMix_OPTIONS(F, S)                                                                    \
    F(S, double, factor, 1.0, "the largest parameter of the beta distribution, 0 to 1")            \
    F(S, double, factor_lower, (double)NAN, "the least; NAN: 0")                                   \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_CutMix_options, gt_CutMix_OPTIONS);
/* gt_CutMix(): a rectangle of each image from another image of the batch (Yun et al. 2019). It covers 1 - w of the
 * image, w drawn from the beta distribution whose two parameters are one number, drawn for the batch; labels are mixed
 * by the part that is covered. */
#define gt_CutMix(...) gt_CutMix_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_CutMix, factor, __VA_ARGS__))
GT_API gt_Layer *gt_CutMix_at(const char *here, const gt_CutMix_options *options);

GT_END

#endif
