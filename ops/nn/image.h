/* Images: (height, width, channels), or (batch, height, width, channels). Floats, where nothing
 * else is said. */
#ifndef GT_OPS_IMAGE_H
#define GT_OPS_IMAGE_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"
#include "ops/nn/convolution.h" /* gt_Padding */

GT_BEGIN

/* Pixels of the result are made of the pixels of the image by their distance: of the nearest one;
 * of the 2, 4, 6 or 10 nearest along an axis, weighted by a tent, Keys's cubic (a = -1/2), or a
 * windowed sinc. */
typedef enum gt_Interpolation {
    GT_INTERPOLATION_NEAREST = 0,
    GT_INTERPOLATION_BILINEAR = 1,
    GT_INTERPOLATION_BICUBIC = 2,
    GT_INTERPOLATION_LANCZOS3 = 3,
    GT_INTERPOLATION_LANCZOS5 = 4
} gt_Interpolation;

#define gt_resize_OPTIONS(F, S)                                                                    \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "how pixels are weighted")    \
    F(S, bool, antialias, false, "weights reach as far as a pixel of a smaller result covers")     \
    F(S, bool, crop_to_aspect_ratio, false, "cut to the ratio of the result, from the middle")     \
    F(S, bool, pad_to_aspect_ratio, false, "put into the middle of an image of that ratio")        \
    F(S, double, fill_value, 0, "what such an image is filled up with")
GT_OPTIONS(gt_resize_options, gt_resize_OPTIONS);
/* gt_resize(images, gt_shape(64, 48), .interpolation = GT_INTERPOLATION_NEAREST): images of that
 * height and width. Pixels are squares with their centre in the middle, as in Keras and TensorFlow
 * 2; weights that would fall outside go to the pixels that are there. Of integers the nearest stay
 * integers, all others give float32. */
#define gt_resize(x, ...)                                                                          \
    gt_resize_at(GT_HERE, x, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_resize, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_resize_at(const char *here, gt_Tensor *x, gt_Shape size,
                               const gt_resize_options *options);

#define gt_upsample_OPTIONS(F, S)                                                                  \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_NEAREST, "how pixels are weighted")
GT_OPTIONS(gt_upsample_options, gt_upsample_OPTIONS);
/* gt_upsample(x, gt_shape(2)): so many times as large along the spatial axes of x (batch, spatial...,
 * channels), of which there are one to three; one number for all or one for each. Nearest repeats
 * elements, of any type; the others are those of gt_resize. */
#define gt_upsample(x, ...)                                                                        \
    gt_upsample_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                              \
                   GT_KEYWORDS(gt_upsample, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_upsample_at(const char *here, gt_Tensor *x, gt_Shape size,
                                 const gt_upsample_options *options);

#define gt_crop_images_OPTIONS(F, S)                                                               \
    F(S, int64_t, top, GT_NONE, "rows before the first")                                           \
    F(S, int64_t, bottom, GT_NONE, "rows after the last")                                          \
    F(S, int64_t, left, GT_NONE, "columns before the first")                                       \
    F(S, int64_t, right, GT_NONE, "columns after the last")                                        \
    F(S, int64_t, height, GT_NONE, "height of the result")                                         \
    F(S, int64_t, width, GT_NONE, "width of the result")
GT_OPTIONS(gt_crop_images_options, gt_crop_images_OPTIONS);
typedef gt_crop_images_options gt_pad_images_options;
/* gt_crop_images(x, .top = 2, .left = 2, .height = 24, .width = 24), gt_pad_images(x, .top = 1,
 * .bottom = 1, .left = 1, .right = 1): of top, bottom and height two are given, and of left, right
 * and width two. Padding is zeros. Any type. */
#define gt_crop_images(...)                                                                        \
    gt_crop_images_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_crop_images, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_crop_images_at(const char *here, gt_Tensor *x,
                                    const gt_crop_images_options *options);
#define gt_pad_images(...)                                                                         \
    gt_pad_images_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_crop_images, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_pad_images_at(const char *here, gt_Tensor *x,
                                   const gt_crop_images_options *options);

/* ---- colours, the last axis ---- */

/* 0.2989 red + 0.587 green + 0.114 blue, (..., 3) to (..., 1), in the type of x; one channel stays
 * as it is. */
GT_DECLARE_UNARY(rgb_to_grayscale);
#define gt_rgb_to_grayscale(x) gt_rgb_to_grayscale_at(GT_HERE, x)
/* (red, green, blue) from 0 to 1 as (hue, saturation, value) and back; hue is a part of the circle,
 * 0 red, 1/3 green, 2/3 blue. Grey has hue 0, black also saturation 0; gradients through what is
 * undefined there are 0, and equal channels share theirs. */
GT_DECLARE_UNARY(rgb_to_hsv);
#define gt_rgb_to_hsv(x) gt_rgb_to_hsv_at(GT_HERE, x)
GT_DECLARE_UNARY(hsv_to_rgb);
#define gt_hsv_to_rgb(x) gt_hsv_to_rgb_at(GT_HERE, x)

/* ---- neighbourhoods ---- */

#define gt_gaussian_blur_OPTIONS(F, S)                                                             \
    F(S, int64_t, height, 3, "rows of the kernel")                                                 \
    F(S, int64_t, width, 3, "columns of the kernel")                                               \
    F(S, double, sigma_height, 1, "standard deviation down the rows, in pixels, > 0")              \
    F(S, double, sigma_width, 1, "standard deviation along the columns")
GT_OPTIONS(gt_gaussian_blur_options, gt_gaussian_blur_OPTIONS);
/* Each pixel the mean of those around it, weighted by e^(-d^2 / (2 sigma^2)); zeros around the
 * image. */
#define gt_gaussian_blur(...)                                                                      \
    gt_gaussian_blur_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                            \
                        GT_KEYWORDS(gt_gaussian_blur, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_gaussian_blur_at(const char *here, gt_Tensor *x,
                                      const gt_gaussian_blur_options *options);
GT_API gt_Tensor *(gt_gaussian_blur)(gt_Tensor *x);

#define gt_extract_patches_OPTIONS(F, S)                                                           \
    F(S, gt_Shape, strides, GT_NO_SIZES, "from one patch to the next; none: the size")             \
    F(S, gt_Shape, dilation, GT_NO_SIZES, "distance of the pixels of a patch; none: 1")            \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid, or same: zeros around")
GT_OPTIONS(gt_extract_patches_options, gt_extract_patches_OPTIONS);
/* gt_extract_patches(x, gt_shape(5, 5)): every window of that size as the channels of one pixel:
 * (..., rows of windows, columns of windows, 5 * 5 * channels). Three sizes are for volumes (depth,
 * height, width, channels), with a batch or without. Strides above 1 do not go with dilations above
 * 1. Any type. */
#define gt_extract_patches(x, ...)                                                                 \
    gt_extract_patches_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                       \
                          GT_KEYWORDS(gt_extract_patches, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_extract_patches_at(const char *here, gt_Tensor *x, gt_Shape size,
                                        const gt_extract_patches_options *options);

/* ---- looking between the pixels ---- */

/* Outside of a, b, c, d one sees a number; a a | d d; c d | a b; c b | c b; b a | d c. */
typedef enum gt_FillMode {
    GT_FILL_MODE_CONSTANT = 0,
    GT_FILL_MODE_NEAREST = 1,
    GT_FILL_MODE_WRAP = 2,
    GT_FILL_MODE_MIRROR = 3,
    GT_FILL_MODE_REFLECT = 4
} gt_FillMode;

#define gt_map_coordinates_OPTIONS(F, S)                                                           \
    F(S, gt_FillMode, fill_mode, GT_FILL_MODE_CONSTANT, "what is seen outside of x")               \
    F(S, double, fill_value, 0, "the number of GT_FILL_MODE_CONSTANT")
GT_OPTIONS(gt_map_coordinates_options, gt_map_coordinates_OPTIONS);
/* gt_map_coordinates(x, coordinates, order): x of any rank at coordinates (rank, ...): the number
 * of the nearest element (order 0, halves to even), or linear between the 2^rank around it (order
 * 1), each of which may be outside. Differentiable in x, and in coordinates of order 1. */
#define gt_map_coordinates(...)                                                                    \
    gt_map_coordinates_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                  \
                          GT_THIRD(__VA_ARGS__),                                                   \
                          GT_KEYWORDS(gt_map_coordinates, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_map_coordinates_at(const char *here, gt_Tensor *x, gt_Tensor *coordinates,
                                        int order, const gt_map_coordinates_options *options);

#define gt_affine_transform_OPTIONS(F, S)                                                          \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    F(S, gt_FillMode, fill_mode, GT_FILL_MODE_CONSTANT, "what is seen outside of the image")       \
    F(S, double, fill_value, 0, "the number of GT_FILL_MODE_CONSTANT")
GT_OPTIONS(gt_affine_transform_options, gt_affine_transform_OPTIONS);
/* gt_affine_transform(x, transform): pixel (column u, row v) of the result is what x shows at
 * column (a0 u + a1 v + a2) / k, row (b0 u + b1 v + b2) / k, k = c0 u + c1 v + 1, of a transform
 * (a0, a1, a2, b0, b1, b2, c0, c1), one for all images or one for each: (batch, 8). Pixels between
 * and outside are those of gt_map_coordinates. Differentiable in both. */
#define gt_affine_transform(...)                                                                   \
    gt_affine_transform_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_affine_transform, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_affine_transform_at(const char *here, gt_Tensor *x, gt_Tensor *transform,
                                         const gt_affine_transform_options *options);

GT_END

#endif
