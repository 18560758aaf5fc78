/* Resizing, CenterCrop: images of one size. */
#ifndef GT_LAYERS_PREPROCESSING_RESIZING_H
#define GT_LAYERS_PREPROCESSING_RESIZING_H

#include "layers/layer.h"
#include "ops/nn/image.h"

GT_BEGIN

#define gt_Resizing_OPTIONS(F, S)                                                                  \
    F(S, int64_t, height, 0, "of the result; required, > 0")                                       \
    F(S, int64_t, width, 0, "of the result; required, > 0")                                        \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "how pixels are weighted")    \
    F(S, bool, crop_to_aspect_ratio, false, "cut to the ratio of the result, from the middle")     \
    F(S, bool, pad_to_aspect_ratio, false, "put into the middle of an image of that ratio")        \
    F(S, double, fill_value, 0.0, "what such an image is filled up with")                          \
    F(S, bool, antialias, false, "weights reach as far as a pixel of a smaller result covers")     \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Resizing_options, gt_Resizing_OPTIONS);
/* gt_Resizing(64, 48): images (batch, height, width, channels), or one without the batch, as images of that size, by gt_resize,
 * the same in training and inference. Integers stay integers of their type: what is between them is rounded, halves
 * to even, and cut off at the ends of the type. Masks end here. Keras's bounding boxes and masks of segments are not
 * accepted: masks of segments are images of their own, resized with GT_INTERPOLATION_NEAREST. */
#define gt_Resizing(...)                                                                           \
    gt_Resizing_at(GT_HERE, GT_KEYWORDS_2(gt_Resizing, height, width, __VA_ARGS__))
GT_API gt_Layer *gt_Resizing_at(const char *here, const gt_Resizing_options *options);

#define gt_CenterCrop_OPTIONS(F, S)                                                                \
    F(S, int64_t, height, 0, "of the result; required, > 0")                                       \
    F(S, int64_t, width, 0, "of the result; required, > 0")                                        \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_CenterCrop_options, gt_CenterCrop_OPTIONS);
/* gt_CenterCrop(24, 24): the middle of images, the same in training and inference; of an odd number of rows or columns that
 * go, one more at the end. Images that are too low or too narrow are cut to the ratio of the result and resized,
 * bilinear. Integers become floats. Masks end here. */
#define gt_CenterCrop(...)                                                                         \
    gt_CenterCrop_at(GT_HERE, GT_KEYWORDS_2(gt_CenterCrop, height, width, __VA_ARGS__))
GT_API gt_Layer *gt_CenterCrop_at(const char *here, const gt_CenterCrop_options *options);

GT_END

#endif
