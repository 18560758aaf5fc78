/* What layers of images share. Private to the library. A layer that changes images in training is a gt_ImageLayer: `create`
 * ends with gt_image_layer, which takes the function that draws and transforms, and its class has gt_image_build and
 * gt_image_call. The transformation for numbers that are given is a function of its own, declared below, so that it
 * can be compared with Keras's. */
#ifndef GT_LAYERS_PREPROCESSING_IMAGES_H
#define GT_LAYERS_PREPROCESSING_IMAGES_H

#include "layers/kit.h"
#include "layers/preprocessing/random_flip.h"
#include "ops/nn/image.h"

/* Numbers from `low` to `high`. */
typedef struct gt_Range {
    double low, high;
} gt_Range;
/* The range of the option `name`, a number or, with NAME_lower, a pair; both must be from `least` to `most`. One number f stands for
 * -|f| to |f|, but from `least` on. */
gt_Status gt_factor_range(const char *name, double factor, double lower, double least, double most,
                          gt_Range *range);
bool gt_is_wide(gt_Range range);
/* Of contrast: from 1 - lower to 1 + factor. */
gt_Status gt_contrast_range(const char *name, double factor, double lower, gt_Range *range);
/* The two ends of value_range, of which the first must be the smaller one. */
gt_Status gt_value_range(const gt_Numbers *given, gt_Range *range);

/* `images` are floats, (batch, height, width, channels), none of the last three 0. */
typedef gt_Tensor *(*gt_ImageTransform)(gt_Layer *layer, gt_Tensor *images);
typedef struct gt_ImageLayer {
    gt_Layer base;
    gt_ImageTransform transform;
    int64_t seed;
    bool draws; /* false: there is nothing to choose from, so that it needs no generator */
    gt_Variable *generator; /* NULL: it draws nothing */
} gt_ImageLayer;
gt_Status gt_image_layer(gt_Layer *layer, gt_ImageTransform transform, int64_t seed, bool draws);
gt_Status gt_image_build(gt_Layer *layer, const gt_BuildArgs *in);
/* In training the transform of the images, or of one; in inference the floats that they are. */
gt_Tensor *gt_image_call(gt_Layer *layer, const gt_CallArgs *in);
/* Is there a pixel in each image, if there is an image? If not, that is an error. */
bool gt_has_pixels(gt_Tensor *x);

/* A number for each image, evenly from the range: (batch, 1, 1, 1). */
gt_Tensor *gt_draw_each(gt_Layer *layer, gt_Tensor *images, gt_Range range);
/* One number for all of them: (). */
gt_Tensor *gt_draw_one(gt_Layer *layer, gt_Range range, gt_DType dtype);
/* The logarithms of numbers of the gamma distribution with shape alpha > 0, which broadcasts with `like`, a tensor of four axes:
 * as many as `like` has elements. Logarithms, because with a small alpha the numbers are often too small for a float. */
gt_Tensor *gt_draw_log_gamma(gt_Layer *layer, gt_Tensor *like, gt_Tensor *alpha);
/* Of the beta distribution with both parameters alpha, in the shape of `like`. */
gt_Tensor *gt_draw_beta(gt_Layer *layer, gt_Tensor *like, gt_Tensor *alpha);
/* An element of each image, for its shape and dtype: (batch, 1, 1, 1). */
gt_Tensor *gt_one_of_each(gt_Tensor *images);
/* 1 or -1 for each, -1 where a number of [0, 1) is above a half; 1 for all of a layer that draws nothing. */
gt_Tensor *gt_draw_sign(gt_Layer *layer, gt_Tensor *images);
/* Is a number of [0, 1) below another of the range, both drawn for each? bool (batch, 1, 1, 1). Where the answer is always the same,
 * nothing is drawn, as gt_draws_whether says. */
gt_Tensor *gt_draw_whether(gt_Layer *layer, gt_Tensor *images, gt_Range probability);
bool gt_draws_whether(gt_Range probability);
/* Images of the range `from` as those of the range `to`. */
gt_Tensor *gt_change_range(gt_Tensor *images, gt_Range from, gt_Range to);

/* ---- looking between the pixels ---- */

/* What affine transformations have among their options, in Keras's order. */
#define GT_LOOK_OPTIONS(o)                                                                         \
    (gt_affine_transform_options)                                                                  \
    {                                                                                              \
        GT_SIZE(gt_affine_transform_options), (o).interpolation, (o).fill_mode, (o).fill_value,    \
            .end = 0                                                                               \
    }
/* Can images be looked at like that? */
gt_Status gt_check_look(const gt_affine_transform_options *look);
/* Images through transforms, as of gt_affine_transform, that are linear in two numbers of each, (batch, 1, 1, 1):
 * p rows[0] + q rows[1] + rows[2]. */
gt_Tensor *gt_transform_images(gt_Tensor *images, gt_Tensor *p, gt_Tensor *q,
                               const double rows[3][8], const gt_affine_transform_options *look);

/* ---- transformations with given numbers, (batch, 1, 1, 1) ---- */

/* `flips`: bool. */
gt_Tensor *gt_flip_images(gt_Tensor *images, gt_Tensor *flips, gt_FlipMode mode);
gt_Tensor *gt_shear_images(gt_Tensor *images, gt_Tensor *x, gt_Tensor *y,
                           const gt_affine_transform_options *look);
/* By what the corners' coordinates are multiplied: that across of (w, 0), that down of (0, h), both of (w, h). */
gt_Tensor *gt_tilt_images(gt_Tensor *images, gt_Tensor *const corner[4],
                          const gt_affine_transform_options *look);
/* `values` is the value range. */
gt_Tensor *gt_contrast_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values);
gt_Tensor *gt_brighten_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values);
gt_Tensor *gt_shift_hues(gt_Tensor *images, gt_Tensor *by, gt_Range values);
gt_Tensor *gt_saturate_images(gt_Tensor *images, gt_Tensor *by, gt_Range values);
gt_Tensor *gt_degenerate_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values);
gt_Tensor *gt_sharpen_images(gt_Tensor *images, gt_Tensor *factor, gt_Range values);
/* In levels from 0 to 255. */
gt_Tensor *gt_solarize_images(gt_Tensor *images, gt_Tensor *addition, gt_Tensor *threshold,
                              gt_Range values);
/* All of them, by a kernel of rows and columns with two deviations, scalars. */
gt_Tensor *gt_blur_images(gt_Tensor *images, const int64_t size[2], gt_Tensor *across,
                          gt_Tensor *down);
/* An order of the images of a batch (batch); which pixels come from the other image, bool, NULL: those of both are
 * blended by the weight of the one that is there, (batch, 1, 1, 1), which labels (batch, classes) are in any case. */
typedef struct gt_Mix {
    gt_Tensor *order, *from_other, *weight;
} gt_Mix;
gt_Tensor *gt_mix_images(gt_Tensor *images, const gt_Mix *mix);
gt_Tensor *gt_mix_labels(gt_Tensor *labels, const gt_Mix *mix);
/* `bits`: how many stay, of 8. */
gt_Tensor *gt_posterize_images(gt_Tensor *images, gt_Tensor *bits, gt_Range values);

/* ---- sizes ---- */

/* Must be at least 1. */
gt_Status gt_check_image_size(int64_t height, int64_t width);
/* The height and the width of images. */
void gt_image_size(gt_Tensor *images, int64_t *height, int64_t *width);
/* The largest window of that ratio, from the middle, resized. */
gt_Tensor *gt_largest_window(gt_Tensor *images, int64_t height, int64_t width);

/* Samples in static initializers. */
#define GT_SAMPLE_NUMBERS(...)                                                                     \
    {                                                                                              \
        GT_MARK, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)),                      \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
/* Behind a sample's layer in Python: in inference Keras returns the very argument, with its mask. */
#define GT_NO_MASK     " @ tf.identity(call(x[0]))"
#define GT_IMAGE_PORTS GT_PORTS({"x", GT_PORT_INTEGERS, 3, 4})

#endif
