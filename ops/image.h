/* Images: (height, width, channels), or (batch, height, width, channels). */
#ifndef GT_OPS_IMAGE_H
#define GT_OPS_IMAGE_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* What a pixel of the result is made of, by its distance from the pixels of the image: the nearest
 * one; the 2, 4, 6 or 10 nearest along an axis, weighted by a tent, Keys's cubic (a = -1/2), or a
 * windowed sinc. */
typedef enum gt_Interpolation {
    GT_NEAREST = 0,
    GT_BILINEAR = 1,
    GT_BICUBIC = 2,
    GT_LANCZOS3 = 3,
    GT_LANCZOS5 = 4
} gt_Interpolation;

#define GT_RESIZE_OPTIONS(F)                                                                       \
    F(uint32_t, size, (uint32_t)sizeof(gt_ResizeOptions), "for ABI growth")                        \
    F(gt_Interpolation, interpolation, GT_BILINEAR, "how pixels are weighted")
typedef struct gt_ResizeOptions gt_ResizeOptions;
struct gt_ResizeOptions {
    GT_RESIZE_OPTIONS(GT_MEMBER)
};
/* gt_resize(images, gt_shape(64, 48), .interpolation = GT_NEAREST): images of that height and
 * width, floats. Pixels are squares with their centre in the middle, as in Keras and TensorFlow 2;
 * weights that would fall outside go to the pixels that are there. No antialiasing. */
#define gt_resize(x, ...)                                                                          \
    gt_resize_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                                \
                 GT_KEYWORDS(gt_ResizeOptions, GT_RESIZE_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_resize_at(const char *here, gt_Tensor *x, gt_Shape size,
                               const gt_ResizeOptions *options);

#define GT_BORDER_OPTIONS(F)                                                                       \
    F(uint32_t, size, (uint32_t)sizeof(gt_BorderOptions), "for ABI growth")                        \
    F(int64_t, top, GT_NONE, "rows before the first")                                              \
    F(int64_t, bottom, GT_NONE, "rows after the last")                                             \
    F(int64_t, left, GT_NONE, "columns before the first")                                          \
    F(int64_t, right, GT_NONE, "columns after the last")                                           \
    F(int64_t, height, GT_NONE, "height of the result")                                            \
    F(int64_t, width, GT_NONE, "width of the result")
typedef struct gt_BorderOptions gt_BorderOptions;
struct gt_BorderOptions {
    GT_BORDER_OPTIONS(GT_MEMBER)
};
/* gt_crop_images(x, .top = 2, .left = 2, .height = 24, .width = 24), gt_pad_images(x, .top = 1,
 * .bottom = 1, .left = 1, .right = 1): of top, bottom and height two are given, and of left, right
 * and width two. Padding is zeros. Any type. */
#define gt_crop_images(...)                                                                        \
    gt_crop_images_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_BorderOptions, GT_BORDER_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_crop_images_at(const char *here, gt_Tensor *x,
                                    const gt_BorderOptions *options);
#define gt_pad_images(...)                                                                         \
    gt_pad_images_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_BorderOptions, GT_BORDER_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_pad_images_at(const char *here, gt_Tensor *x, const gt_BorderOptions *options);

GT_END

#endif
