/* RandomFlip, RandomCrop: images flipped and cut in training. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_FLIP_H
#define GT_LAYERS_PREPROCESSING_RANDOM_FLIP_H

#include "layers/preprocessing/value_range.h"

GT_BEGIN

/* Along which axes gt_RandomFlip mirrors images. */
typedef enum gt_FlipMode {
    GT_FLIP_MODE_HORIZONTAL_AND_VERTICAL,
    GT_FLIP_MODE_HORIZONTAL, /* left and right change places */
    GT_FLIP_MODE_VERTICAL    /* above and below */
} gt_FlipMode;

#define gt_RandomFlip_OPTIONS(F, S)                                                                \
    F(S, gt_FlipMode, mode, GT_FLIP_MODE_HORIZONTAL_AND_VERTICAL, "which sides change places")     \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomFlip_options, gt_RandomFlip_OPTIONS);
/* gt_RandomFlip(.mode = GT_FLIP_MODE_HORIZONTAL): in training half of the images are flipped, each by a draw of its own;
 * HORIZONTAL_AND_VERTICAL flips both ways at once, by one draw, as Keras does: two layers are two draws. Images as in
 * gt_RandomRotation; the generator's state is a variable of the layer. */
#define gt_RandomFlip(...) gt_RandomFlip_at(GT_HERE, GT_KEYWORDS(gt_RandomFlip, __VA_ARGS__))
GT_API gt_Layer *gt_RandomFlip_at(const char *here, const gt_RandomFlip_options *options);

#define gt_RandomCrop_OPTIONS(F, S)                                                                \
    F(S, int64_t, height, 0, "of the result; required, > 0")                                       \
    F(S, int64_t, width, 0, "of the result; required, > 0")                                        \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomCrop_options, gt_RandomCrop_OPTIONS);
/* gt_RandomCrop(24, 24): in training a window of that size, at a place that is drawn once for the batch. In inference, and
 * of images that are not larger both ways, the largest window of that ratio, from the middle, resized: what Keras
 * documents; Keras 3.15 itself leaves images alone in inference, and takes other windows of small ones. Images
 * as in gt_RandomRotation; the generator's state is a variable of the layer. */
#define gt_RandomCrop(...)                                                                         \
    gt_RandomCrop_at(GT_HERE, GT_KEYWORDS_2(gt_RandomCrop, height, width, __VA_ARGS__))
GT_API gt_Layer *gt_RandomCrop_at(const char *here, const gt_RandomCrop_options *options);

GT_END

#endif
